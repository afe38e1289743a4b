"""A real server: a release is switched under load without a dropped request, and logs hold no value."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from service_store import NOW, Store
from small_district import ask

from golden_records.catalog.publish import publish
from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import open_catalog
from linkage.client import GuiyiClient, GuiyiClientError
from linkage.entities import release_tables
from linkage.lookup.publishing import lookup_part
from linkage.pipeline import Linkage
from linkage.workspace import create_workspace

START_SECONDS = 90


class Server:
    """`guiyi serve` as a process of its own."""

    def __init__(self, root: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        command = [sys.executable, "-m", "linkage", "serve", str(root), "--port", str(self.port)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        for _ in range(START_SECONDS * 10):
            try:
                httpx.get(f"{self.url}/healthz", timeout=5)
                return
            except httpx.TransportError:
                assert self.process.poll() is None, log.read_text("utf-8")
                time.sleep(0.1)
        raise AssertionError("the server does not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
        assert "Application shutdown complete." in self.log.read_text("utf-8")


@pytest.fixture
def server(store: Store, tmp_path: Path) -> Iterator[Server]:
    root = tmp_path / "workspace"
    create_workspace(root, catalog=str(store.path))
    running = Server(root, tmp_path / "serve.log")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_a_release_is_switched_under_load_and_no_request_is_dropped(
    server: Server, store: Store, linked: dict[str, Linkage]
) -> None:
    seen: list[tuple[int, str | None]] = []
    failures: list[str] = []
    done = threading.Event()

    def load(kind: str) -> None:
        with GuiyiClient(server.url, store.tokens["platform"], tries=1, timeout_seconds=60) as guiyi:
            while not done.is_set():
                try:
                    if kind == "number":
                        answer = guiyi.resolve(identifiers=[("uscc", store.firm.values["uscc"])])
                    elif kind == "person":
                        answer = guiyi.resolve(identifiers=[("resident_id", store.person.values["id_number"])])
                    else:
                        fields = {name: store.firm.values[name] for name in ("name", "address", "legal_rep_name")}
                        answer = guiyi.resolve("legal_person", **fields)
                    seen.append((answer.release, answer.entity_id))
                except GuiyiClientError as error:
                    failures.append(f"{kind}: {error.status} {error.code}")

    threads = [threading.Thread(target=load, args=(kind,)) for kind in ("number", "person", "name")]
    for thread in threads:
        thread.start()
    runs = tuple(linked.values())
    try:
        with open_catalog(store.path) as catalog:
            tables = release_tables(runs)
            tables = type(tables)(**{**tables.__dict__, "event": (), "redirect": ()})
            parts = [lookup_part(run) for run in runs]
            assert publish(catalog, runs[0].con, tables, now=NOW, manifest={}, models={}, lookup=parts) == 2
            with catalog.writing():  # a release that takes long to commit: readers and looks at persons go on
                time.sleep(2)
            before = len(seen)
            time.sleep(1)
            assert len(seen) > before
            assert rollback(catalog, 1, now=NOW) == 3
            time.sleep(0.5)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    unavailable = [failure for failure in failures if failure != "name: 503 lookup_unavailable"]
    assert unavailable == [], "after the rollback names cannot be asked; nothing else may fail"
    assert {release for release, _ in seen} == {1, 2, 3}
    assert {entity_id for _, entity_id in seen} == {store.firm.entity_id, store.person.entity_id}
    server.stop()
    persons = ask(store.path, "select count(*) from access_log")[0][0]
    assert persons >= sum(entity_id == store.person.entity_id for _, entity_id in seen)
    check_log(server.log, store)


def check_log(log: Path, store: Store) -> None:
    lines = log.read_text("utf-8").splitlines()
    assert lines
    for line in lines:
        if not line.startswith("guiyi: "):  # the command's own words when it is told to stop
            assert json.loads(line)["level"] in ("info", "warning"), line
        for value in (*store.person.values.values(), *store.firm.values.values(), *store.tokens.values()):
            assert value not in line
        assert not re.search(r"[1-9]\d{16}[\dX]", line)


def test_a_killed_server_has_logged_every_look_it_answered(server: Server, store: Store, tmp_path: Path) -> None:
    with (
        GuiyiClient(server.url, store.tokens["auditor"]) as guiyi,
        open_catalog(store.path) as catalog,
        catalog.writing(),
    ):
        for _ in range(5):
            guiyi.entity(store.person.entity_id)
        server.process.kill()
        server.process.wait()
    again = Server(tmp_path / "workspace", tmp_path / "again.log")
    with GuiyiClient(again.url, store.tokens["auditor"]) as guiyi:
        guiyi.entity(store.person.entity_id)
    again.stop()
    assert ask(store.path, "select count(*) from access_log where entity_id = ?", (store.person.entity_id,)) == [(6,)]


def test_raw_nonsense_on_the_port_is_answered_or_closed_and_the_server_lives(server: Server) -> None:
    for nonsense in (
        b"\x16\x03\x01\x00\xa5\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/entities/x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz\r\n",
        b"\x00" * 1000,
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
            sock.sendall(nonsense)
            sock.shutdown(socket.SHUT_WR)
            sock.recv(4096)
    assert httpx.get(f"{server.url}/healthz", timeout=10).status_code == 200
    server.stop()


def test_a_port_that_is_taken_is_a_failure_that_says_so(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    create_workspace(root, catalog=str(store.path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "linkage", "serve", str(root), "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"--port {port}: the service did not start (Address already in use); see that no other process" in line
