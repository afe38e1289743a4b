"""How long publishing takes: the same simulated entities to SQLite and to PostgreSQL, in one run.

    python benchmarks/publish.py --entities 300000 --server postgresql://guiyi@localhost/bench --output /tmp/publish

The tables of a release are made in a file, as a run makes them, with as many rows for an entity as a simulated district
has; nothing is linked. Into each store go a first release, a month in which 5 % of the entities change, the same again
without any change, and a rollback. Beside the seconds of the wall clock stand those of this process's processor, and of
the server's if it runs here. Without `--server` PostgreSQL is left out. The database must be an empty one.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil
from duckdb import DuckDBPyConnection

from golden_records.catalog.lookup import LookupPart
from golden_records.catalog.place import Place, read_place
from golden_records.catalog.publish import ReleaseTables, publish
from golden_records.catalog.read import releases
from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import Kind, mint_sql

LEGAL_SHARE = 0.15
NOW = datetime(2026, 1, 31, tzinfo=UTC)
RESULTS = Path(__file__).parent / "results"
DISTRICT = 6_246_000
_SEEN = "'2025-01-31' as first_seen, '2025-12-31' as last_seen, 2 as sources"
_NAMES = "['张伟', '王秀英', '李娜', '欧阳明', '刘洋', '陈静', '深圳市云汇科技有限公司', '深圳市宝安区花果山商行']"
# Valid by GB 11643: a division, a day, a sequence and the check digit.
_MACROS = """
create or replace temp macro with_check_digit(body) as body || '10X98765432'[1 + list_sum(list_transform(
    [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], lambda weight, place: weight * body[place]::integer
))::integer % 11];
create or replace temp macro resident_id(n) as with_check_digit(
    '440306' || strftime(date '1940-01-01' + (n // 1000)::integer, '%Y%m%d') || lpad((n % 1000)::varchar, 3, '0')
)"""
# Table → (columns over entity number `i` and copy `j`; copies per entity, as in a simulated district).
_ROWS = {
    "identifier": (
        "case when kind = 'LP' then 'uscc' else 'resident_id' end as scheme, "
        "resident_id(i * 2 + j) as value, 1 as valid, " + _SEEN,
        1.2,
    ),
    "name": (f"{_NAMES}[1 + i % 8] || (i * 3 + j)::varchar as name, 'current' as kind, {_SEEN}", 1.2),
    "address": (
        "'深圳市宝安区新安街道安乐社区一坊' || (i % 999)::varchar || '号' || (100 + j)::varchar || '室' as address, "
        "case when j % 2 = 0 then 'address' else 'household' end as kind, " + _SEEN,
        3.2,
    ),
    "phone": ("(13800000000 + i * 5 + j)::varchar as phone, " + _SEEN, 1.2),
    "record_link": (
        "'source_' || (j % 9)::varchar as source, 'R' || lpad(i::varchar, 9, '0') || j::varchar as source_record_id, "
        "'identifier' as link_basis, 0.99 + (i % 100) / 10000 as probability",
        3.2,
    ),
    "provenance": (
        "'attribute_' || j::varchar as attribute, 'value of ' || (i * 10 + j)::varchar as value, "
        "'source_1:R' || lpad(i::varchar, 9, '0') || '1' as record_id, 'source_rank' as rule, "
        "2 as support, 0 as conflict, "
        'case when j % 3 = 0 then \'[{"record_id":"source_2:R1","value":"another"}]\' end as runners_up',
        9.9,
    ),
}

# Columns of a profile over entity number `i` and copy `j`; the first give its blocking keys.
_CONTENT = (
    "resident_id(i * 2)",
    "left(md5(i::varchar), 14)",
    "left(md5(i::varchar), 14) || (i % 97)::varchar",
    f"{_NAMES}[1 + i % 8] || (i % 5000)::varchar",
    "(13800000000 + i * 5 + j % 2)::varchar",
    "'安乐社区一坊' || (i % 999)::varchar || '号' || (100 + i % 30)::varchar",
    "'安乐社区一坊' || (i % 999)::varchar || '号' || (100 + j * 7)::varchar || '室'",
    "(1950 + i % 70)::varchar || '-01-' || (i % 28)::varchar || (i % 5000)::varchar",
    "left(md5((i + j)::varchar), 9)",
    "right((13800000000 + i * 5)::varchar, 4) || (i % 400)::varchar",
    "repeat(chr(31), 30)",
    "'深圳市宝安区新安街道安乐社区一坊' || (i % 999)::varchar || '号' || (100 + j * 7)::varchar || '室'",
    "'深圳市' || chr(31) || '新安街道' || chr(31) || '宝安区' || repeat(chr(31), 20) || 'resident_id'",
    "left(md5(i::varchar), 14) || chr(31) || resident_id(i * 2) || left(md5(j::varchar), 9)",
    "'湖南省永州市道县梅花镇' || left(md5((i % 9999)::varchar), 6)",
)
_KEYS = 12


def make_tables(con: DuckDBPyConnection, entities: int, *, changed: bool) -> ReleaseTables:
    """Make the tables of a release; `changed`: of the month after, in which every twentieth entity is another."""
    legal = int(entities * LEGAL_SHARE)
    con.execute(_MACROS)
    version = "case when i % 20 = 0 then 1 else 0 end" if changed else "0"
    con.execute(
        f"create or replace table entity as select i, {version} as v, "
        f"case when i <= {legal} then 'LP' else 'NP' end as kind, "
        f"case when i <= {legal} then {_id('LP')} else {_id('NP')} end as entity_id from range(1, {entities + 1}) t(i)"
    )
    golden = (
        f"entity_id, {_NAMES}[1 + i % 8] || (i * 3)::varchar as name, (13800000000 + i * 5 + v)::varchar as phone, "
        "'深圳市宝安区新安街道安乐社区一坊' || (i % 999)::varchar || '号' as address, 3 as records, 2 as sources"
    )
    number = "resident_id(i * 2)"
    con.execute(
        f"create or replace table legal_person as select {golden}, {number} as uscc, '企业' as entity_kind, "
        "'2020-01-01' as established_date from entity where kind = 'LP'"
    )
    con.execute(
        f"create or replace table natural_person as select {golden}, {number} as id_number, "
        "'resident_id' as id_type, '1980-01-01' as birth_date, 'F' as sex from entity where kind = 'NP'"
    )
    for table, (columns, copies) in _ROWS.items():
        tenth = int(copies * 10)
        con.execute(
            f"create or replace table in_{table} as select entity_id, {columns} from entity, range(0, 12) c(j) "
            f"where j * 10 + (i % 10) < {tenth}"
        )
    con.execute(
        "update in_phone set last_seen = '2026-01-31' where entity_id in (select entity_id from entity where v = 1)"
    )
    con.execute(
        "create or replace table in_event as select '1:' || entity_id || ':created' as event_id, 1 as release, "
        "entity_id, "
        "'created' as event, 'load' as cause, '2025-01-31' as as_of, '{\"records\":3}' as detail from entity"
        + (" limit 0" if changed else "")
    )
    return ReleaseTables(
        legal_person=("legal_person",),
        natural_person=("natural_person",),
        event=("in_event",),
        **{table: (f"in_{table}",) for table in _ROWS},
    )


def make_lookup(con: DuckDBPyConnection) -> list[LookupPart]:
    """Make what finding by name needs: three profiles for an entity, as long and as much alike as real ones."""
    con.execute(
        "create or replace table frequency as select 'name' as field, '张' as value, 0.1::double as frequency limit 0"
    )
    parts = []
    for entity_type, kind in (("legal_person", "LP"), ("natural_person", "NP")):
        con.execute(
            f"create or replace table lookup_{kind} as select (hash(i, j) >> 1)::bigint as profile_id, 1 as entities, "
            f"entity_id as entity_ids, concat_ws(chr(31), {', '.join(_CONTENT)}) as content "
            f"from entity, range(3) c(j) where kind = '{kind}'"
        )
        parts.append(LookupPart(entity_type, f"lookup_{kind}", "frequency", "{}", "{}", "rules", "f", _make_keys))
    return parts


def _make_keys(con: DuckDBPyConnection, contents: str, out: str) -> None:
    cells = f"select profile_id, string_split(content, chr(31)) as cells from {contents}"
    con.execute(
        f"create or replace temp table {out} as "
        "select ((md5_number(concat_ws(chr(31), j, cells[1 + j])) >> 64) & 9223372036854775807)::bigint as key, "
        f"case when j % 4 = 0 then 1 + ascii(cells[2]) else 0 end::bigint as refine, profile_id "
        f"from ({cells}), range({_KEYS}) c(j)"
    )


def measure(place: Place, entities: int, *, lookup: bool, folder: Path, memory_limit: str | None) -> dict[str, Any]:
    """Publish, publish again and go back; return seconds and counts."""
    figures: dict[str, Any] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        began, processor, seconds = time.perf_counter(), time.process_time(), _seconds_of(server)
        work()
        figures[name] = {
            "seconds": round(time.perf_counter() - began, 1),
            "processor_seconds": round(time.process_time() - processor, 1),
            "server_processor_seconds": round(_seconds_of(server) - seconds, 1),
        }
        print(f"{place}: {name}: {figures[name]}", flush=True)

    options: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "preserve_insertion_order": False,
        "temp_directory": str(folder / "spill"),
    }
    if memory_limit:
        options["memory_limit"] = memory_limit
    batch = folder / "batch.duckdb"
    batch.unlink(missing_ok=True)
    with duckdb.connect(str(batch), config=options) as con, open_catalog(place) as catalog:
        server = _server(catalog)
        first = make_tables(con, entities, changed=False)
        parts = make_lookup(con) if lookup else []
        con.execute("checkpoint")
        timed("first", lambda: publish(catalog, con, first, now=NOW, manifest={}, lookup=parts))
        tables = releases(catalog)[0]["counts"]["tables"]
        figures["rows"] = sum(table["rows"] for table in tables.values())
        figures["bytes_per_entity"] = round(_size(catalog) / entities)
        month = make_tables(con, entities, changed=True)
        timed("month", lambda: publish(catalog, con, month, now=NOW, manifest={}, lookup=parts))
        timed("again", lambda: publish(catalog, con, month, now=NOW, manifest={}, lookup=parts))
        timed("rollback", lambda: rollback(catalog, 1, now=NOW))
    figures["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    return figures


def _id(kind: Kind) -> str:
    return mint_sql(kind, "i")


def _size(catalog: Catalog) -> int:
    """Return the bytes of a store."""
    if isinstance(catalog.place, Path):
        return catalog.place.stat().st_size
    (size,) = catalog.row("select pg_database_size(current_database())") or (0,)
    return int(size)


def _server(catalog: Catalog) -> psutil.Process | None:
    """Return the PostgreSQL server's first process, if it runs on this machine."""
    if isinstance(catalog.place, Path):
        return None
    (pid,) = catalog.row("select pg_backend_pid()") or (0,)
    return psutil.Process(pid).parent() if psutil.pid_exists(pid) else None


def _seconds_of(server: psutil.Process | None) -> float:
    """Return the seconds of processor that a server's processes took, those that ended included."""
    if server is None:
        return 0.0
    ended = server.cpu_times()
    running = [process.cpu_times() for process in server.children()]
    return ended.children_user + ended.children_system + sum(times.user + times.system for times in running)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=300_000)
    parser.add_argument("--server", help="URL of an empty PostgreSQL database")
    parser.add_argument("--output", type=Path, required=True, help="a directory for the SQLite file; must not exist")
    parser.add_argument("--lookup", action="store_true", help="write the tables for lookup as well")
    parser.add_argument("--memory-limit", help="DuckDB's, such as 4GB; as a workspace's setting")
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results")
    given = parser.parse_args()
    given.output.mkdir(parents=True)
    places: dict[str, Place] = {"sqlite": given.output / "catalog.sqlite"}
    if given.server:
        places["postgresql"] = read_place(given.server, given.output)
    figures: dict[str, Any] = {
        "entities": given.entities,
        "lookup": given.lookup,
        "memory_limit": given.memory_limit,
        "machine": f"{platform.machine()}, {psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load": round(psutil.getloadavg()[0], 1),
    }
    for name, place in places.items():
        figures[name] = measure(
            place, given.entities, lookup=given.lookup, folder=given.output, memory_limit=given.memory_limit
        )
        first, times = figures[name]["first"], DISTRICT / given.entities / 60
        processor = first["processor_seconds"] + first["server_processor_seconds"]
        figures[name]["first_of_the_district"] = {
            "minutes": round(first["seconds"] * times, 1),
            "processor_minutes": round(processor * times, 1),
        }
    print(json.dumps(figures, indent=1))
    if given.save:
        suffix = "_lookup" if given.lookup else ""
        path = RESULTS / f"publish_{given.entities}{suffix}.json"
        path.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
