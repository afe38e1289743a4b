"""How long attaching credit rows takes beside the bare DuckDB join of the same tables, and how much memory each takes.

    python -m benchmarks.attach [--rows 10000000] [--entities 1000000] [--repeat 3] [--folder DIR] [--output FILE]

Invented people with valid resident numbers; 94 % of the rows carry a known number as the catalog writes it, 3 % another
spelling of one, 2 % the number of nobody, 1 % a filler. The bare join reads the same Parquet, joins on the number as
written and writes the result to one Parquet file; it finds the 94 % only. The two take turns, each time in a process of
its own; loading the release's numbers is in neither's time, and in both's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psutil
import pyarrow as pa

from linkage.attach.attachment import Attaching, attach_rows, prepare
from linkage.attach.catalogue import load_catalogue
from linkage.attach.credit_rows import open_rows, renamed, together
from linkage.attach.subjects import SubjectTables
from linkage.database import connect

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
CHECKS = np.array(list("10X98765432"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="turns of each way; the median counts")
    parser.add_argument("--folder", type=Path, help="where to make the rows, and to find them next time")
    parser.add_argument("--output", type=Path, help="where to write the figures")
    parser.add_argument("--step", choices=("make", "bare", "attach"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step == "make":
        make(arguments.folder, arguments.rows, arguments.entities)
        return
    if arguments.step:
        print(json.dumps(once(arguments.folder, arguments.step)))
        return
    with tempfile.TemporaryDirectory() as name:
        result = measure(arguments.folder or Path(name), arguments.rows, arguments.entities, arguments.repeat)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n", "utf-8")


def measure(folder: Path, rows: int, entities: int, repeat: int) -> dict[str, object]:
    # A process hands its peak memory down to those it starts, so that this one has to stay small.
    if not (folder / "rows").exists():
        step(folder, "make", "--rows", str(rows), "--entities", str(entities))
    load = os.getloadavg()[0]
    turns: dict[str, list[dict[str, float]]] = {"bare": [], "attach": []}
    for _ in range(repeat):
        for way, figures in turns.items():
            figures.append(json.loads(step(folder, way)))
            print(way, figures[-1], file=sys.stderr, flush=True)
    bare, ours = ({key: _median(figures, key) for key in figures[0]} for figures in turns.values())
    return {
        "rows": rows,
        "entities": entities,
        "bare_join": bare,
        "attach": ours,
        "ratio_seconds": round(ours["seconds"] / bare["seconds"], 2),
        "ratio_processor_seconds": round(ours["processor_seconds"] / bare["processor_seconds"], 2),
        "turns": turns,
        "load_at_start": round(load, 1),
        "duckdb": duckdb.__version__,
        "cores": psutil.cpu_count(),
    }


def step(folder: Path, name: str, *options: str) -> str:
    """Take a step in a process of its own and return what it prints."""
    command = [sys.executable, "-m", "benchmarks.attach", "--folder", str(folder), "--step", name, *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make(folder: Path, rows: int, entities: int) -> None:
    """Make the rows, and the tables of a release."""
    people = resident_numbers(entities + entities // 50)
    with connect(folder / "release.duckdb", temp=folder / "spill") as con:
        write_rows(con, people[:entities], people[entities:], rows, folder / "rows")
        con.execute("""
create table subject_identifier as
select 'resident_id' as scheme, number as value, printf('NP%010d', position) as entity_id, 1::utinyint as holders,
    null::varchar as candidates
from people""")
        for table, columns in (
            ("record", "source varchar, source_record_id varchar, entity_id varchar, link_basis varchar"),
            ("name", "entity_id varchar, name varchar"),
        ):
            con.execute(f"create table subject_{table} ({columns}{', probability double' * (table == 'record')})")


def once(folder: Path, way: str) -> dict[str, float]:
    """Attach in one of the two ways; return seconds, seconds of processor and peak memory."""
    work = {"bare": bare_join, "attach": attach}[way]
    with connect(temp=folder / "spill") as con:
        con.execute(f"attach '{folder}/release.duckdb' as release (read_only)")
        for table in ("subject_identifier", "subject_record", "subject_name"):
            con.execute(f"create table {table} as from release.{table}")
        con.execute("detach release")
        return timed(lambda: work(con, folder))


def resident_numbers(count: int) -> list[str]:
    """Return different valid resident numbers of invented people."""
    serial = np.random.default_rng(5).permutation(40_000_000)[:count]
    days = (np.datetime64("1950-01-01") + (serial // 1_000) % 20_000).astype(str)
    regions = np.where(serial < 20_000_000, "440306", "440304")
    bodies = [r + d.replace("-", "") + f"{s % 1_000:03d}" for r, d, s in zip(regions, days, serial, strict=True)]
    digits = np.frombuffer("".join(bodies).encode(), np.uint8).reshape(-1, 17) - 48
    checks = CHECKS[digits.astype(np.int64) @ WEIGHTS % 11]
    return [body + check for body, check in zip(bodies, checks, strict=True)]


def write_rows(con: duckdb.DuckDBPyConnection, known: list[str], unknown: list[str], rows: int, folder: Path) -> None:
    folder.mkdir()
    for name, numbers in (("people", known), ("strangers", unknown)):
        con.register("numbers", pa.table({"number": numbers, "position": np.arange(len(numbers))}))
        con.execute(f"create table {name} as select * from numbers")
        con.unregister("numbers")
    part = 5_000_000
    for first in range(0, rows, part):
        con.execute(f"""
copy (
    select 'NP-OTHER-002' as item, 'C' || range as credit_id, (range % 1000)::double as amount,
        case
            when range % 100 < 94 then p.number
            when range % 100 < 97 then lower(substr(p.number, 1, 6) || ' ' || substr(p.number, 7))
            when range % 100 < 99 then s.number
            else '无'
        end as id_number
    from range({first}, {min(first + part, rows)})
    left join people p on p.position = (range * 7919) % {len(known)}
    left join strangers s on s.position = (range * 104729) % {len(unknown)}
) to '{folder}/{first:012d}.parquet' (format parquet, compression zstd)""")


def bare_join(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    con.execute(f"""
copy (
    select r.*, i.entity_id
    from read_parquet('{folder}/rows/*.parquet') r
    left join subject_identifier i on i.value = r.id_number
) to '{folder}/bare.parquet' (format parquet, compression zstd)""")
    (folder / "bare.parquet").unlink()


def attach(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    run = Attaching(con, SubjectTables(), load_catalogue(), None, {}, psutil.cpu_count() or 1)
    prepare(run)
    output = folder / "attached"
    output.mkdir()
    files = [open_rows(path, folder, number) for number, path in enumerate(sorted((folder / "rows").iterdir()))]
    for number, rows in enumerate(together(files)):
        attach_rows(run, rows, renamed(rows.files[0], {}), output, f"rows{number:04d}")
    shutil.rmtree(output)


def timed(work: Callable[[], Any]) -> dict[str, float]:
    seconds, processor = time.perf_counter(), _processor()
    work()
    return {
        "seconds": round(time.perf_counter() - seconds, 2),
        "processor_seconds": round(_processor() - processor, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }


def _processor() -> float:
    """Return the processor time of this process and of those it started."""
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in times)


def _median(figures: list[dict[str, float]], key: str) -> float:
    return round(statistics.median(one[key] for one in figures), 2)


if __name__ == "__main__":
    main()
