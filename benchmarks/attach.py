"""How long attaching credit rows takes beside the bare DuckDB join of the same tables, in one run.

    python -m benchmarks.attach [--rows 10000000] [--entities 1000000] [--output FILE]

Invented people with valid resident numbers; 94 % of the rows carry a known number as the catalog writes it, 3 % another
spelling of one, 2 % the number of nobody, 1 % a filler. The bare join reads the same Parquet, joins on the number as
written and writes the result to one Parquet file; it finds the 94 % only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import psutil
import pyarrow as pa

from linkage.attach.attachment import Attaching, attach_rows, prepare
from linkage.attach.catalogue import load_catalogue
from linkage.attach.credit_rows import open_rows, renamed
from linkage.attach.subjects import SubjectTables
from linkage.database import connect

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
CHECKS = np.array(list("10X98765432"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        result = measure(Path(name), arguments.rows, arguments.entities)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n", "utf-8")


def measure(folder: Path, rows: int, entities: int) -> dict[str, object]:
    people = resident_numbers(entities + entities // 50)
    with connect(temp=folder / "spill") as con:
        write_rows(con, people[:entities], people[entities:], rows, folder / "rows")
        con.execute("""
create table subject_identifier as
select 'resident_id' as scheme, number as value, printf('NP%010d', position) as entity_id, 1::utinyint as holders,
    null::varchar as candidates
from people""")
        for table, columns in (
            ("record", "source, source_record_id, entity_id, link_basis"),
            ("name", "entity_id, name"),
        ):
            declared = ", ".join(f"{column} varchar" for column in columns.split(", "))
            con.execute(
                f"create table subject_{table} ({declared}{', probability double' if table == 'record' else ''})"
            )
        bare = timed(lambda: bare_join(con, folder))
        ours = timed(lambda: attach(con, folder))
    return {
        "rows": rows,
        "entities": entities,
        "bare_join_seconds": bare,
        "attach_seconds": ours,
        "ratio": round(ours / bare, 2),
        "peak_mb_of_both": round(peak_mb()),
        "duckdb": duckdb.__version__,
        "cores": psutil.cpu_count(),
    }


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


def attach(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    run = Attaching(con, SubjectTables(), load_catalogue(), None, {}, psutil.cpu_count() or 1)
    prepare(run)
    output = folder / "attached"
    output.mkdir()
    for number, path in enumerate(sorted((folder / "rows").iterdir())):
        file = open_rows(path, folder, number)
        attach_rows(run, file, renamed(file, {}), output, f"rows{number:04d}")
    shutil.rmtree(output)


def timed(work: object) -> float:
    assert callable(work)
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 2)


def peak_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
