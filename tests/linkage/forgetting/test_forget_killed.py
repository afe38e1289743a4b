"""A forgetting that is killed is finished by the next command, whatever moment it was."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_district import Guiyi, ask, copied, release_month
from test_forget import WHY, found_in, groups, own_values, records_of, subjects

from golden_records.catalog.store import open_catalog
from golden_records.forgetting import forgetting_events
from linkage.commands.verify import verify
from linkage.workspace import Workspace

# Kills itself at the n-th call of a function.
KILLED_AT = """
import importlib, os, signal, sys
module, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
module = importlib.import_module(module)
function, calls = getattr(module, name), []
def call_or_die(*arguments, **named):
    calls.append(1)
    if len(calls) == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*arguments, **named)
setattr(module, name, call_or_die)
from linkage.cli.main import main
main(sys.argv[4:])
"""
MOMENTS = {
    "between two loads": ("linkage.forgetting.archive", "publish_load", 2),
    "while publishing": ("golden_records.catalog.publish", "_write_table", 3),
    "between publish and batch": ("linkage.commands.monthly", "finish", 1),
    "after the release": ("linkage.commands.forget", "write_journal", 3),
    "while copying the batch": ("linkage.forgetting.batch", "_body", 1),
    "in the catalog's transaction": ("linkage.commands.forget", "redact", 1),
    "after the catalog": ("linkage.commands.forget", "write_journal", 5),
    "before the proof is recorded": ("linkage.commands.forget", "_record_proof", 1),
    "before the journal goes": ("linkage.commands.forget", "remove_journal", 1),
}
FAST = ("between two loads", "between publish and batch", "in the catalog's transaction")


def finished(workspace: Workspace, records: tuple[str, ...], values: frozenset[str]) -> None:
    assert found_in(workspace, values) == {}
    assert not any(path.name.startswith(".forgetting") for path in workspace.root.iterdir())
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        assert [e.event for e in forgetting_events(catalog)] == ["forgotten", "proved"]
    assert not {r for group in groups(workspace) for r in group} & set(records)
    assert [check.name for check in verify(workspace) if not check.holds] == []


@pytest.mark.parametrize("moment", [pytest.param(m, marks=() if m in FAST else pytest.mark.slow) for m in MOMENTS])
def test_a_forgetting_killed_at_any_step_is_finished_later(
    moment: str, second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    whole, *_ = subjects(workspace)
    records = records_of(workspace, whole)
    values = own_values(workspace, records)
    module, name, number = MOMENTS[moment]
    arguments = ["forget", str(workspace.root), whole, *WHY, "--quiet"]
    done = subprocess.run([sys.executable, "-c", KILLED_AT, module, name, str(number), *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    assert guiyi("forget", workspace.root, "--resume", "--quiet").code == 0
    finished(workspace, records, values)
    release_month(workspace)
    assert groups(workspace) == {rest for g in groups(second_month) if (rest := g - set(records))}


def test_the_next_command_finishes_a_killed_forgetting_first(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    whole, *_ = subjects(workspace)
    records = records_of(workspace, whole)
    values = own_values(workspace, records)
    arguments = ["forget", str(workspace.root), whole, *WHY, "--quiet"]
    killed = [sys.executable, "-c", KILLED_AT, "linkage.commands.forget", "forget_rows", "1", *arguments]
    assert subprocess.run(killed, check=False).returncode == -signal.SIGKILL
    done = guiyi("rollback", workspace.root)
    assert done.code == 0
    assert "finishing forgetting 1, which was interrupted" in done.err
    finished(workspace, records, values)
    assert ask(workspace.catalog, "select kind, cause from release where release_id > 2 order by release_id") == [
        ("publish", "forget"),
        ("rollback", "rollback"),
    ]


def test_a_reader_of_an_older_state_holds_the_end_up_and_is_named(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("golden_records.catalog.sqlite.BUSY_SECONDS", 0.2)
    workspace = copied(second_month, tmp_path / "workspace")
    whole, *_ = subjects(workspace)
    records = records_of(workspace, whole)
    values = own_values(workspace, records)
    with sqlite3.connect(workspace.catalog, isolation_level=None) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from name").fetchall()
        held = guiyi("forget", workspace.root, whole, *WHY, "--quiet")
        assert held.code == 1
        assert "another program reads an older state" in held.err
        reader.execute("rollback")
    reader.close()
    assert guiyi("forget", workspace.root, "--resume", "--quiet").code == 0
    finished(workspace, records, values)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.97])
def test_a_forgetting_killed_by_the_clock_is_finished_later(
    share: float, second_month: Workspace, forget_seconds: float, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    whole, *_ = subjects(workspace)
    records = records_of(workspace, whole)
    values = own_values(workspace, records)
    command = [sys.executable, "-m", "linkage", "forget", str(workspace.root), whole, *WHY, "--quiet"]
    with subprocess.Popen(command) as process:
        time.sleep(share * forget_seconds)
        os.kill(process.pid, signal.SIGKILL)
    if (workspace.root / ".forgetting.json").exists():
        assert guiyi("forget", workspace.root, "--resume", "--quiet").code == 0
    elif whole in {e for (e,) in ask(workspace.catalog, "select entity_id from natural_person")}:
        assert guiyi("forget", workspace.root, whole, *WHY, "--quiet").code == 0
    finished(workspace, records, values)


@pytest.fixture(scope="module")
def forget_seconds(second_month: Workspace, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an uninterrupted forgetting in a process of its own takes here."""
    workspace = copied(second_month, tmp_path_factory.mktemp("timed") / "workspace")
    command = [sys.executable, "-m", "linkage", "forget", str(workspace.root), subjects(workspace)[0], *WHY, "--quiet"]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started
