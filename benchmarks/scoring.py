"""Time scoring alone: candidate pairs a second, beside Splink's own prediction of the same pairs.

    python -m benchmarks.scoring [--entity natural_person] [--records 200000] [--seed 7]

Records are simulated, standardised and blocked first; that is not part of the time. Then the same pairs are scored
three ways in one run: as the batch does, by Splink in SQL from the very same levels (same weights; a test holds them
equal), and by Splink with the ready-made comparisons of the plain baseline on the raw columns (another model; it says
what such a script costs). Seconds of the clock depend on what else the machine does, seconds of the processor hardly:
compare within one run. Writes `benchmarks/results/scoring_<entity>_<records>.json`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection
from splink import DuckDBAPI, Linker, SettingsCreator

from benchmarks.baselines.plain_splink import COLUMNS, comparisons
from benchmarks.baselines.script import filled_columns
from blocking.sql import quote
from eval.simulator import simulate_canonical
from linkage.database import connect, count
from linkage.entity_config import load_entity_config
from linkage.model.frequencies import make_frequencies
from linkage.model.parameters import splink_settings
from linkage.model.scoring import score
from linkage.pipeline import STEPS, Linkage, LinkageOptions
from linkage.stages import StageClock

RESULTS = Path(__file__).parent / "results"


def prepare(con: DuckDBPyConnection, entity: str, records: Path) -> Linkage:
    """Run every step before scoring."""
    con.execute(
        f"create table {quote(entity + '_raw')} as "
        f"select source || ':' || source_record_id as record_id, * from read_parquet('{records}')"
    )
    run = Linkage(con, load_entity_config(entity), LinkageOptions(), StageClock())
    for name, step in STEPS:
        if name == "score":
            break
        step(run)
    run.frequencies = dict(
        make_frequencies(con, run.config, run.trained, profiles=run.table("profiles"), prefix="frequency")
    )
    return run


def as_the_batch(run: Linkage) -> None:
    """Score as `guiyi link` does."""
    score(
        run.con,
        run.config,
        run.trained,
        profiles=run.table("profiles"),
        pairs=run.table("pairs"),
        frequencies=run.frequencies,
        out="scored",
    )


def splink_same_levels(run: Linkage) -> None:
    """Let Splink compare and weigh every pair in SQL, from the same levels, weights and frequencies."""
    _predict(run, run.table("profiles"), splink_settings(run.config, run.trained), run.frequencies)


def splink_ready_made(run: Linkage) -> None:
    """Let Splink score the same pairs with the comparisons of the plain baseline."""
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="profile_id",
        comparisons=comparisons(filled_columns(run.con, "cleaned")),
        retain_matching_columns=False,
    )
    _predict(run, "cleaned", settings, {})


def _predict(run: Linkage, table: str, settings: Any, frequencies: Mapping[str, str]) -> None:
    logging.getLogger("splink").setLevel(logging.ERROR)
    con, api = run.con, DuckDBAPI(connection=run.con)
    linker = Linker(api.register(con.table(table)), settings, log_level=None, validate_settings=False)
    for column, counted in frequencies.items():
        linker.table_management.register_term_frequency_lookup(api.register(con.table(counted)), column)
    con.execute(f"""
create or replace view blocked as
select '0' as match_key, left_id as join_key_l, right_id as join_key_r
from {quote(run.table("pairs"))}""")
    linker.table_management.register_blocked_pairs_for_predict(api.register(con.table("blocked")))
    linker.inference.predict(warning_mode="never").drop_table_from_database_and_remove_from_cache()


def _clean(run: Linkage) -> None:
    """Make the baseline's columns, from one record of each profile."""
    cleaned = ", ".join(f"nullif(upper(trim({sql})), '') as {name}" for name, sql in COLUMNS[run.config.entity].items())
    run.con.execute(f"""
create table cleaned as
with one as (
    select profile_id, min(record_id) as record_id
    from {quote(run.table("profile_record"))}
    group by profile_id
)
select o.profile_id, {cleaned}
from one o
join {quote(run.table("records"))} r on o.record_id = r.record_id""")


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _timed(way: Callable[[Linkage], None], run: Linkage, pairs: int, repeats: int) -> dict[str, float]:
    """Return the best of several repetitions; the first also pays for what is loaded once."""
    clock, processor = [], []
    for _ in range(repeats):
        started, used = time.perf_counter(), _processor_seconds()
        way(run)
        clock.append(time.perf_counter() - started)
        processor.append(_processor_seconds() - used)
    return {
        "seconds": round(min(clock), 2),
        "processor_seconds": round(min(processor), 2),
        "pairs_per_second": round(pairs / min(clock)),
        "pairs_per_processor_second": round(pairs / min(processor)),
    }


def measure(entity: str, records: int, seed: int, repeats: int = 3) -> dict[str, Any]:
    """Return the figures of the three ways."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        simulate_canonical(entity, records, folder, seed)
        with connect(folder / "batch.duckdb") as con:
            run = prepare(con, entity, folder / f"{entity}.parquet")
            _clean(run)
            pairs = count(con, run.table("pairs"))
            load = os.getloadavg()[0]
            ways = {
                way.__name__: _timed(way, run, pairs, repeats)
                for way in (as_the_batch, splink_same_levels, splink_ready_made)
            }
            profiles = count(con, run.table("profiles"))
            levels = run.trained.levels_hash
    ours = ways["as_the_batch"]["pairs_per_processor_second"]
    return {
        "entity": entity,
        "records": records,
        "seed": seed,
        "profiles": profiles,
        "pairs": pairs,
        "levels": levels,
        "cores": os.cpu_count(),
        "load_at_start": round(load, 1),
        "ways": ways,
        "times_splink_same_levels": round(ours / ways["splink_same_levels"]["pairs_per_processor_second"], 1),
        "times_splink_ready_made": round(ours / ways["splink_ready_made"]["pairs_per_processor_second"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entity", default="natural_person", choices=("natural_person", "legal_person"))
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    result = measure(arguments.entity, arguments.records, arguments.seed)
    RESULTS.mkdir(exist_ok=True)
    name = f"scoring_{arguments.entity}_{arguments.records}.json"
    (RESULTS / name).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(f"{result['entity']}, {result['pairs']:,} pairs, load {result['load_at_start']} at the start")
    for way, figures in result["ways"].items():
        per_core = figures["pairs_per_processor_second"]
        print(f"  {way:<20}{figures['pairs_per_second']:>12,} pairs/s{per_core:>12,} pairs/processor-s")


if __name__ == "__main__":
    main()
