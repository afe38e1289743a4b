"""Time standardising: values a second of every field type, and records a second of a whole entity.

    python -m benchmarks.standardising [--records 200000] [--seed 7] [--whole]

Records are simulated first; that is not part of the time. Each field is standardised alone: once with every distinct
value once, once with the values of all records as they come, of which a repeated one costs a look-up. What the field
types remember of values seen is forgotten in between. With one process the seconds are the processor's, which hardly
depend on what else the machine does; with two they are the clock's. A whole entity is standardised from one DuckDB
table into another, with one process and with two; `--whole` measures nothing else. Writes
`benchmarks/results/standardising_<records>.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from eval.simulator import simulate_canonical
from linkage.database import connect
from linkage.entity_config import EntityConfig, FieldConfig, load_entity_config
from linkage.fields import ENTITIES, Entity
from linkage.standardise import Spread, spread_over, standardise, standardise_table

RESULTS = Path(__file__).parent / "results"
_WARMING = 25_000  # records of another district, enough to start the processes and load what the field types look up


def forget() -> None:
    """Clear what the field types remember of values; reference tables, kept whole, stay."""
    for name, module in list(sys.modules.items()):
        if name.startswith("matchers"):
            for function in vars(module).values():
                if hasattr(function, "cache_parameters") and function.cache_parameters()["maxsize"] != 1:
                    function.cache_clear()


def _simulated(entity: Entity, records: int, seed: int) -> pa.Table:
    with tempfile.TemporaryDirectory() as scratch:
        simulate_canonical(entity, records, Path(scratch), seed)
        return pq.read_table(Path(scratch) / f"{entity}.parquet")


def _alone(config: EntityConfig, field: FieldConfig) -> EntityConfig:
    return config.model_copy(update={"field": (field,)})


def _given(table: pa.Table, field: FieldConfig) -> pa.Table:
    """Return what the field reads of a table, as far as it is there."""
    return table.select([name for name in dict.fromkeys(field.columns_read) if name in table.column_names])


def _timed(clock: Callable[[], float], table: pa.Table, config: EntityConfig, spread: Spread) -> float:
    forget()
    started = clock()
    standardise_table(table, config, spread)
    return clock() - started


def measure_fields(entity: Entity, records: int, seed: int) -> list[dict[str, Any]]:
    """Return the figures of every field of an entity."""
    config = load_entity_config(entity)
    warming, raw = _simulated(entity, _WARMING, seed + 1), _simulated(entity, records, seed)
    figures = []
    with spread_over(1) as here, spread_over(2) as over_two:
        standardise_table(warming, config, over_two)
        # Some fields read what others made: they get it ready.
        table = standardise_table(raw, config, here)
        for field in config.field:
            alone, given = _alone(config, field), _given(table, field)
            distinct = given.group_by(given.column_names).aggregate([])
            once = _timed(time.process_time, distinct, alone, here)
            all_of_them = _timed(time.process_time, given, alone, here)
            by_two = _timed(time.perf_counter, given, alone, over_two)
            figures.append(
                {
                    "field": field.name,
                    "type": field.type,
                    "columns": len(field.read),
                    "values": given.num_rows,
                    "distinct": distinct.num_rows,
                    "distinct_values_per_processor_second": round(distinct.num_rows / once),
                    "values_per_processor_second": round(given.num_rows / all_of_them),
                    "values_per_second_with_two_processes": round(given.num_rows / by_two),
                }
            )
    return figures


def measure_whole(entity: Entity, records: int, seed: int, processes: int) -> dict[str, Any]:
    """Return what standardising a whole entity takes, from table to table and with starting the processes."""
    forget()
    with tempfile.TemporaryDirectory() as scratch, connect(Path(scratch) / "batch.duckdb") as con:
        simulate_canonical(entity, records, Path(scratch), seed)
        con.execute(
            "create table raw as select source || ':' || source_record_id as record_id, * "
            f"from read_parquet('{scratch}/{entity}.parquet')"
        )
        config = load_entity_config(entity)
        started, used = time.perf_counter(), time.process_time()
        standardise(con, config, raw="raw", out="made", processes=processes)
        seconds, used = time.perf_counter() - started, time.process_time() - used
    figures = {"processes": processes, "seconds": round(seconds, 2), "records_per_second": round(records / seconds)}
    figures["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    figures["load"] = round(os.getloadavg()[0], 1)
    return figures | ({"processor_seconds": round(used, 2)} if processes == 1 else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--whole", action="store_true")
    arguments = parser.parse_args()
    records, seed = arguments.records, arguments.seed
    load = os.getloadavg()[0]
    entities = {
        entity: {
            "whole": [measure_whole(entity, records, seed, processes) for processes in (1, 2)],
            "fields": [] if arguments.whole else measure_fields(entity, records, seed),
        }
        for entity in ENTITIES
    }
    result = {"records": records, "seed": seed, "cores": os.cpu_count(), "load_at_start": round(load, 1), **entities}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"standardising_{records}.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    for entity, figures in entities.items():
        print(f"{entity}, {records:,} records, load {result['load_at_start']} at the start")
        for whole in figures["whole"]:
            seconds, rate = whole["seconds"], whole["records_per_second"]
            print(
                f"  {whole['processes']} processes{seconds:>10} s{rate:>12,} records/s, load {whole['load']} at the end"
            )
        for field in figures["fields"]:
            print(
                f"  {field['field']:<14}{field['type']:<28}"
                f"{field['distinct_values_per_processor_second']:>10,} distinct/s"
                f"{field['values_per_processor_second']:>12,} values/s"
                f"{field['values_per_second_with_two_processes']:>12,} values/s by two"
            )


if __name__ == "__main__":
    main()
