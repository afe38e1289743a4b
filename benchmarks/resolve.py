"""How fast the service answers: a load generator on the same machine against a store of simulated entities.

    python benchmarks/resolve.py --entities 20000 --output /tmp/resolve

The store is made once per size, of both entity types: the simulator writes what the sources say in one month, all of
it is standardised, and the release published as a run does it. What an entity's records are is not found by scoring and
clustering, which `benchmarks/end_to_end.py` measures, but taken from the simulated truth; review cases, relations, the
archive and the batch database are left out. A store of a whole district takes an hour, and 60 GB of disk at the peak.

`guiyi serve` runs as a process of its own; the generator asks by identifier (credit codes, then resident numbers, whose
looks are logged) and by name and address, first one question at a time, then with several connections. Beside the times
of the wall clock stand the seconds of processor the server took, for a machine that others use too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import random
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httptools
import psutil
import pyarrow as pa
import pyarrow.parquet
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.simulator import load_profile
from eval.simulator.canonical import first_month
from eval.simulator.district import make_world
from golden_records.catalog.publish import publish
from golden_records.catalog.store import open_catalog
from linkage.access.tokens import create_token
from linkage.clusters.clustering import BEST
from linkage.database import connect, count, only_row
from linkage.entities import identify, no_history, release_tables, survive_values
from linkage.entity_config import load_entity_config
from linkage.fields import ENTITIES, Entity
from linkage.lookup.publishing import lookup_part
from linkage.pipeline import STEPS, Linkage, LinkageOptions
from linkage.stages import Silent, Stage, StageClock
from linkage.workspace import create_workspace
from matchers.levels import literal

# Share of the entities that are legal persons, as in the district, and share of the people whom any source knows.
LEGAL_SHARE = 904_000 / 6_246_000
_KNOWN_SHARE = 0.9877
# Steps of a run that find out what belongs together.
_FINDING = ("key", "pair", "keep", "single out", "cluster")
_LARGEST = 16
RESULTS = Path(__file__).parent / "results"


def make_store(root: Path, entities: int, seed: int, memory_limit: str | None) -> dict[str, Any]:
    """Simulate, standardise and publish; return counts and seconds."""
    create_workspace(root / "workspace")
    records, batch, catalog_file = root / "records", root / "batch.duckdb", root / "workspace" / "catalog.sqlite"
    clock = StageClock(_Told())
    with clock.stage("simulate") as stage:
        stage.rows = simulate(records, entities, seed)
    with connect(batch, memory_limit=memory_limit, temp=root / "spill") as con:
        runs = [group(con, entity, records / entity, clock) for entity in ENTITIES]
        processor = time.process_time()
        with clock.stage("publish") as stage, open_catalog(catalog_file) as catalog:
            now = datetime.now(UTC)
            parts = [lookup_part(run) for run in runs]
            for run in runs:
                _drop(run, "profile_record", "membership")
            publish(catalog, con, release_tables(tuple(runs)), now=now, manifest={}, models={}, lookup=parts)
        processor = time.process_time() - processor
    with open_catalog(catalog_file) as catalog:
        token, _ = create_token(
            catalog, role="platform", owner="benchmark", organization=None, last_day=date(2999, 1, 1), now=now
        )
        counts = {
            table: catalog.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("legal_person", "natural_person", "record_link", "lookup_entity", "lookup_bucket")
        }
    batch.unlink()
    records.rmdir()
    (root / "token").write_text(token, "utf-8")
    told = {
        "grouped_by": "the simulated truth, without scoring and clustering",
        "counts": counts,
        "memory_limit": memory_limit,
        "stages": [[stage.name, stage.entity, round(stage.seconds, 1)] for stage in clock.stages],
        "publish_processor_seconds": round(processor, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        **sizes(catalog_file, counts["legal_person"] + counts["natural_person"]),
    }
    (root / "store.json").write_text(json.dumps(told), "utf-8")
    return told


class _Told(Silent):
    def finished(self, stage: Stage) -> None:
        named = f"{stage.entity or ''} {stage.name}".strip()
        print(f"{named}: {stage.seconds:.1f} s, {stage.peak_mb:,.0f} MB, {stage.rows:,} rows", flush=True)


def simulate(output: Path, entities: int, seed: int) -> int:
    """Write what the sources of a district say, a file for each beside `true_entity`; return how many records."""
    profile = load_profile()
    legal = round(entities * LEGAL_SHARE)
    people = round((entities - legal) / _KNOWN_SHARE)
    world = make_world(people=people, organisations=legal, months=1, seed=seed, profile=profile)
    records = 0
    for entity in ENTITIES:
        (output / entity).mkdir(parents=True)
        for place, (table, truth) in enumerate(first_month(entity, world, seed, profile)):
            told = table.append_column("true_entity", truth["entity_id"])
            pa.parquet.write_table(told, output / entity / f"{place:02}.parquet", compression="zstd")
            records += table.num_rows
    return records


def group(con: DuckDBPyConnection, entity: Entity, records: Path, clock: StageClock) -> Linkage:
    """Make entities of the records of one type, those that truly are one; return what a run would hand on."""
    run = Linkage(con, load_entity_config(entity), LinkageOptions(training="never"), clock)
    files = f"read_parquet({literal(str(records / '*.parquet'))})"
    record_id = "source || ':' || source_record_id as record_id"
    con.execute(f"create view {quote(run.table('raw'))} as select {record_id}, * exclude true_entity from {files}")
    con.execute(
        f"create table {quote(run.table('pairs'))} (left_id bigint, right_id bigint, rule integer, rules integer)"
    )
    con.execute(
        f"create table {quote(run.table('refused'))} "
        "(left_id bigint, right_id bigint, match_weight double, link_basis varchar, constraint_name varchar)"
    )
    # The standardised records, the largest table and the first to go, are in a file of their own.
    beside = records.with_suffix(".duckdb")
    (own,) = only_row(con, "select current_setting('search_path')")
    con.execute(f"attach {literal(str(beside))} as standardised")
    for name, step in STEPS:
        if name not in _FINDING:
            places = ("standardised.main", own) if name == "standardise" else (own, "standardised.main")
            con.execute(f"set search_path = {literal(','.join(places))}")
            with clock.stage(name, entity) as stage:
                stage.rows = step(run)
    _make_entities(run, f"select {record_id}, true_entity from {files}")
    con.execute(f"set search_path = {literal(own)}")
    con.execute("detach standardised")
    beside.unlink()
    shutil.rmtree(records)
    return run


def _make_entities(run: Linkage, truth: str) -> None:
    con, entity = run.con, run.config.entity
    identified = " or ".join(f"p.{quote(column)} is not null" for column in run.config.clustering.exclusive)
    with run.clock.stage("group", entity) as stage:
        con.execute(f"""
create table {quote(run.table("clusters"))} as
select
    m.record_id,
    m.profile_id,
    t.true_entity as cluster_id,
    case when {identified} then '{BEST[0]}' else '{BEST[-1]}' end as link_basis,
    1.0::double as probability
from {quote(run.table("profile_record"))} m
join {quote(run.table("profiles"))} p on m.profile_id = p.profile_id
join ({truth}) t on m.record_id = t.record_id""")
        stage.rows = count(con, run.table("clusters"))
    with run.clock.stage("identify", entity) as stage:
        stage.rows = identify(run, no_history(run, as_of="2025-01-31")).living
    _drop(run, "scored", "judged", "clusters")
    with run.clock.stage("survive", entity) as stage:
        survive_values(run, {})
        stage.rows = count(con, run.table("golden"))


def _drop(run: Linkage, *tables: str) -> None:
    """Drop tables that nothing reads any more, so that others have their place in the file."""
    for table in tables:
        run.con.execute(f"drop table {quote(run.table(table))}")
    run.con.execute("checkpoint")


def sizes(catalog: Path, entities: int) -> dict[str, Any]:
    """Return the size of a catalog file, and how many bytes an entity takes in its largest tables and indexes."""
    with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as con:
        rows = con.execute("select name, sum(pgsize) from dbstat group by name order by 2 desc").fetchall()
    con.close()
    total = sum(size for _, size in rows)
    return {
        "catalog_mb": round(total / 1e6, 1),
        "bytes_per_entity": round(total / entities),
        "bytes_per_entity_of": {name: round(size / entities) for name, size in rows[:_LARGEST]},
    }


def questions(catalog: Path, kind: str, number: int, seed: int) -> list[bytes]:
    """Return bodies of `POST /v1/resolve` about entities chosen by chance."""
    if kind in ("uscc", "resident_id"):
        columns, rows = "value", f"identifier where scheme = '{kind}' and valid = 1"
    else:
        table = "legal_person" if kind == "legal_name_address" else "natural_person"
        columns, rows = "name, address", f"{table} where name is not null and address is not null"
    with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as con:
        (held,) = con.execute(f"select count(*) from {rows}").fetchone()
        places = random.Random(seed).choices(range(held), k=number)
        wanted = set(places)
        read = enumerate(con.execute(f"select {columns} from {rows}"))
        found = {place: values for place, values in read if place in wanted}
    picked = [found[place] for place in places]
    if kind in ("uscc", "resident_id"):
        bodies: list[dict[str, Any]] = [{"identifiers": [{"scheme": kind, "value": value}]} for (value,) in picked]
    else:
        bodies = [{"entity_type": table, "name": name, "address": address} for name, address in picked]
    return [json.dumps(body, ensure_ascii=False).encode() for body in bodies]


class Connection:
    """One connection that asks one question after the other; far lighter than a client library."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._place = (host, port)
        self._head = (
            f"POST /v1/resolve HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n"
            "content-type: application/json\r\ncontent-length: "
        ).encode()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(*self._place)

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        self._writer.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.done:
            parser.feed_data(await self._reader.read(65_536))
        return parser.get_status_code(), answer.body

    def close(self) -> None:
        self._writer.close()


class _Answer:
    def __init__(self) -> None:
        self.body, self.done = b"", False

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.done = True


async def load(port: int, token: str, bodies: list[bytes], connections: int) -> tuple[list[float], dict[str, int]]:
    """Ask every question and return the milliseconds of each, and how often each status was answered."""
    waiting = iter(bodies)
    times: list[float] = []
    statuses: dict[str, int] = {}

    async def work() -> None:
        connection = Connection("127.0.0.1", port, token)
        await connection.open()
        for body in waiting:
            started = time.perf_counter()
            code, told = await connection.ask(body)
            times.append((time.perf_counter() - started) * 1000)
            status = json.loads(told)["status"] if code == 200 else str(code)
            statuses[status] = statuses.get(status, 0) + 1
        connection.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return times, statuses


def measure(port: int, token: str, server: psutil.Process, bodies: list[bytes], connections: int) -> dict[str, Any]:
    """Run one load and return its figures."""
    asyncio.run(load(port, token, bodies[: max(50, len(bodies) // 10)], connections))  # warm
    before, started = _processor(server), time.perf_counter()
    times, statuses = asyncio.run(load(port, token, bodies, connections))
    seconds, processor = time.perf_counter() - started, _processor(server) - before
    times.sort()
    return {
        "connections": connections,
        "questions": len(times),
        "p50_ms": round(times[len(times) // 2], 2),
        "p99_ms": round(times[int(len(times) * 0.99)], 2),
        "per_second": round(len(times) / seconds),
        "per_processor_second": round(len(times) / processor) if processor else None,
        "processor_ms_each": round(1000 * processor / len(times), 3),
        "answers": dict(sorted(statuses.items())),
    }


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def serve(root: Path) -> tuple[subprocess.Popen[bytes], int, float]:
    """Start the server; return it, its port and the seconds until it was ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "-m", "linkage", "serve", str(root / "workspace"), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = started + 120
    while time.perf_counter() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return process, port, time.perf_counter() - started
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=20_000, help="entities in the store")
    parser.add_argument("--questions", type=int, default=3_000, help="questions of each kind")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16], help="connections at once")
    parser.add_argument("--output", type=Path, required=True, help="directory of the store; made if absent")
    parser.add_argument("--seed", type=int, default=20250101)
    parser.add_argument("--memory-limit", help="DuckDB's while the store is made, such as 8GB")
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results")
    args = parser.parse_args()
    root = args.output / str(args.entities)
    if (root / "store.json").exists():
        store = json.loads((root / "store.json").read_text("utf-8"))
    else:
        root.mkdir(parents=True, exist_ok=True)
        store = make_store(root, args.entities, args.seed, args.memory_limit)
    settings = root / "workspace" / "guiyi.toml"
    if "[service]\nrequests" not in settings.read_text("utf-8"):
        limits = "\n[service]\nrequests_per_second = 1e9\nrequest_burst = 1e9\nperson_look_burst = 1e9\n"
        settings.write_text(settings.read_text("utf-8") + limits, "utf-8")
    process, port, ready = serve(root)
    server = psutil.Process(process.pid)
    token = (root / "token").read_text("utf-8")
    figures = {}
    for kind in ("uscc", "resident_id", "legal_name_address", "natural_name_address"):
        bodies = questions(root / "workspace" / "catalog.sqlite", kind, args.questions, args.seed)
        figures[kind] = [measure(port, token, server, bodies, n) for n in args.connections]
        for line in figures[kind]:
            print(kind, json.dumps(line))
    memory = server.memory_info().rss
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    told = {
        "entities": args.entities,
        "store": store,
        "ready_seconds": round(ready, 1),
        "server_memory_mb": round(memory / 1e6),
        "figures": figures,
        "machine": {"processors": psutil.cpu_count(), "python": platform.python_version()},
        "measured": datetime.now(UTC).date().isoformat(),
    }
    print(json.dumps({k: told[k] for k in ("store", "ready_seconds", "server_memory_mb")}))
    if args.save:
        path = RESULTS / f"resolve_{args.entities}.json"
        path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
