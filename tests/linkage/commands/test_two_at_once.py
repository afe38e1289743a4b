"""Two commands at once: one writes, the second says who is at work; whoever only reads, or rules, is not kept out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_district import Guiyi, ask, catalog_content, copied, ingest_month, release_month

from linkage.commands.demo import PlannedLoad
from linkage.commands.verify import verify
from linkage.workspace import Workspace

# A shell has its background jobs ignore SIGINT, and they hand that on: to the tests, and to what tests start.
HEEDING = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("linkage", run_name="__main__", alter_sys=True)"""


@pytest.fixture
def waiting(first_month: Workspace, district: list[PlannedLoad], tmp_path: Path) -> Workspace:
    workspace = copied(first_month, tmp_path / "workspace")
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    return workspace


@pytest.fixture
def halted_run(waiting: Workspace) -> Iterator[subprocess.Popen[str]]:
    """A run that stands still in the middle, holding what it holds."""
    process = started_run(waiting, "scoring pairs (legal_person)")
    process.send_signal(signal.SIGSTOP)
    yield process
    process.kill()
    process.communicate()


def started_run(workspace: Workspace, line: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HEEDING, "run", str(workspace.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while not process.stderr.readline().startswith(line):
        assert process.poll() is None
    return process


def test_during_a_run_a_second_writer_is_told_who_is_at_work_and_everybody_else_works(
    waiting: Workspace,
    second_month: Workspace,
    halted_run: subprocess.Popen[str],
    district: list[PlannedLoad],
    guiyi: Guiyi,
) -> None:
    root = waiting.root
    load = district[0]
    ingest = ("ingest", root, "--source", load.source, "--as-of", load.as_of, *load.files)
    for writer in (("run", root), ingest, ("rollback", root, 1), ("train", root)):
        refused = guiyi(*writer)
        assert (refused.code, refused.out) == (1, "")
        who = f"`guiyi run` (process {halted_run.pid} on {socket.gethostname()}) has been at work here since 20"
        assert who in refused.err
        assert len(refused.err.splitlines()) == 1
    rows = ask(waiting.catalog, "select source || ':' || source_record_id, entity_id from record_link order by 1")
    people = [row for row in rows if row[0].startswith("population_registry:")]
    for reader in (
        ("status", root),
        ("verify", root),
        ("resolve", root, people[0][1]),
        ("explain", root, people[0][0]),
        ("decisions", root),
    ):
        assert guiyi(*reader).code == 0, reader
    pair = [record for record, _ in people[:2]]
    ruled = guiyi("decide", root, "different", *pair, "--author", "周审核", "--reason", "twin_or_relative")
    assert ruled.code == 0
    halted_run.send_signal(signal.SIGCONT)
    halted_run.communicate()
    assert halted_run.returncode == 0
    assert catalog_content(waiting.catalog) == catalog_content(second_month.catalog)
    assert len(ask(waiting.catalog, "select 1 from decision")) == 1
    release_month(waiting)
    assert {check.name for check in verify(waiting) if not check.holds} == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_end_ends_with_one_line_and_gives_the_lock_back(
    number: signal.Signals, waiting: Workspace, second_month: Workspace
) -> None:
    process = started_run(waiting, "making blocking keys (legal_person)")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert out == ""
    assert err.splitlines()[-1] == (
        f"guiyi: ended by {number.name}; nothing half done counts: type the same command again"
    )
    assert "Traceback" not in err
    assert (waiting.root / "batch.partial.duckdb").exists()
    release_month(waiting)
    assert not (waiting.root / "batch.partial.duckdb").exists()
    assert catalog_content(waiting.catalog) == catalog_content(second_month.catalog)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_result_that_nobody_reads_to_its_end_is_no_error(options: tuple[str, ...], second_month: Workspace) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "linkage", "status", str(second_month.root), *options]
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_result_that_cannot_be_written_is_said_in_one_line(second_month: Workspace) -> None:
    command = [sys.executable, "-m", "linkage", "status", str(second_month.root), "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("guiyi: standard output: cannot be written (No space left on device)")
    assert len(done.stderr.splitlines()) == 1
