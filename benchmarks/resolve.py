"""How fast the service answers: a load generator on the same machine against a store of simulated entities.

    python benchmarks/resolve.py --entities 20000 --output /tmp/resolve

The store is made once per size: the simulator writes records, the run links and publishes them. `guiyi serve` runs as a
process of its own; the generator asks by identifier (credit codes, then resident numbers, whose looks are logged) and
by name and address, first one question at a time, then with several connections. Beside the times of the wall clock
stand the seconds of processor the server took, for a machine that others use too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import random
import resource
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

from blocking.sql import quote
from eval.simulator import simulate_canonical
from golden_records.catalog.publish import publish
from golden_records.catalog.store import open_catalog
from linkage.access.tokens import create_token
from linkage.database import connect
from linkage.entities import identify, no_history, release_tables, survive_values
from linkage.entity_config import load_entity_config
from linkage.lookup.publishing import lookup_part
from linkage.pipeline import LinkageOptions, link_records
from linkage.stages import StageClock
from linkage.workspace import create_workspace

# Share of the entities that are legal persons, and records per entity, as in the district.
LEGAL_SHARE = 0.15
RECORDS_PER_ENTITY = 3.2
_LARGEST = 16
RESULTS = Path(__file__).parent / "results"


def make_store(root: Path, entities: int, seed: int, memory_limit: str | None) -> dict[str, Any]:
    """Simulate, link and publish; return counts and seconds."""
    workspace = create_workspace(root / "workspace")
    started = time.perf_counter()
    with connect(root / "batch.duckdb", memory_limit=memory_limit, temp=root / "spill") as con:
        runs = []
        for entity, share in (("legal_person", LEGAL_SHARE), ("natural_person", 1 - LEGAL_SHARE)):
            records = int(entities * share * RECORDS_PER_ENTITY)
            simulate_canonical(entity, records=records, output=root / entity, seed=seed)
            con.execute(
                f"create table {quote(entity + '_raw')} as "
                "select source || ':' || source_record_id as record_id, * from read_parquet(?)",
                [str(root / entity / f"{entity}.parquet")],
            )
            run = link_records(con, load_entity_config(entity), LinkageOptions(training="never"), StageClock())
            identify(run, no_history(run, as_of="2025-01-31"))
            survive_values(run, {})
            runs.append(run)
        linked, processor = time.perf_counter(), time.process_time()
        parts = [lookup_part(run) for run in runs]
        with open_catalog(workspace.catalog) as catalog:
            now = datetime.now(UTC)
            tables = release_tables(tuple(runs))
            publish(catalog, con, tables, now=now, manifest={}, models={}, lookup=parts)
            published, processor = time.perf_counter(), time.process_time() - processor
            token, _ = create_token(
                catalog, role="platform", owner="benchmark", organization=None, last_day=date(2999, 1, 1), now=now
            )
            counts = {
                table: catalog.execute(f"select count(*) from {table}").fetchone()[0]
                for table in ("legal_person", "natural_person", "record_link", "lookup_entity", "lookup_bucket")
            }
    (root / "token").write_text(token, "utf-8")
    told = {
        "counts": counts,
        "memory_limit": memory_limit,
        "link_seconds": round(linked - started, 1),
        "publish_seconds": round(published - linked, 1),
        "publish_processor_seconds": round(processor, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        **sizes(workspace.catalog, counts["legal_person"] + counts["natural_person"]),
    }
    (root / "store.json").write_text(json.dumps(told), "utf-8")
    return told


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


def questions(catalog: Path, kind: str, count: int, seed: int) -> list[bytes]:
    """Return bodies of `POST /v1/resolve` about entities chosen by chance."""
    chosen = random.Random(seed)
    with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as con:
        if kind in ("uscc", "resident_id"):
            found = con.execute("select value from identifier where scheme = ? and valid = 1", (kind,)).fetchall()
            bodies = [{"identifiers": [{"scheme": kind, "value": value}]} for (value,) in found]
        else:
            table = "legal_person" if kind == "legal_name_address" else "natural_person"
            found = con.execute(f"select name, address from {table} where name is not null and address is not null")
            bodies = [{"entity_type": table, "name": name, "address": address} for name, address in found]
    picked = chosen.choices(bodies, k=count)
    return [json.dumps(body, ensure_ascii=False).encode() for body in picked]


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
