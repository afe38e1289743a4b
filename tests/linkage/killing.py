"""Commands that kill themselves with SIGKILL at a chosen step, in processes of their own.

A step is whatever a crash may fall between: a stage of the run begins or ends, a file or folder under the workspace is
opened for writing, renamed or removed, a catalog transaction begins or commits. Python's audit events and SQLite's
trace report them, so no step has to be named in the program.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from golden_records.catalog import sqlite

connect = sqlite.connect
_FILE_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.copyfile", "shutil.rmtree"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["linkage.cli.main", "linkage.commands.monthly", "linkage.commands.loading"])


class _Steps:
    """Counts the steps under a folder, and kills this process before the one that is chosen."""

    def __init__(self, root: Path, at: int | None) -> None:
        self.root = str(root)
        self.at = at
        self.names: list[str] = []

    def take(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) - 1 == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = (
                flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if isinstance(flags, int) else mode not in (None, "r")
            )
            if writes and self._is_ours(path):
                self.take(f"open {self._short(path)}")
        elif event in _FILE_EVENTS and self._is_ours(arguments[0]):
            self.take(f"{event} {self._short(arguments[0])}")

    def connect(self, path: Path, *, read_only: bool) -> sqlite3.Connection:
        connection = connect(path, read_only=read_only)
        connection.set_trace_callback(self.traced)
        return connection

    def traced(self, statement: str) -> None:
        if statement.lower().startswith(("begin immediate", "commit")):
            self.take(f"sqlite {statement.lower()}")

    def _is_ours(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.root)

    def _short(self, path: object) -> str:
        return str(path).removeprefix(self.root).lstrip("/")


def _work(arguments: Sequence[str], root: Path, at: int | None, told: Any) -> None:
    from linkage.cli.main import main
    from linkage.commands.console import Console

    steps = _Steps(root, at)
    sqlite.connect = steps.connect
    sys.addaudithook(steps.audited)
    Console.started = lambda self, stage: steps.take(f"begin {stage.name} {stage.entity or ''}")  # type: ignore[method-assign]
    Console.finished = lambda self, stage: steps.take(f"end {stage.name} {stage.entity or ''}")  # type: ignore[method-assign]
    try:
        main(list(arguments))
    finally:
        told.send(steps.names)


def steps_of(root: Path, *arguments: object) -> list[str]:
    """Run a command to its end and return the steps it took."""
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=([str(a) for a in arguments], root, None, theirs))
    process.start()
    names: list[str] = ours.recv()
    process.join()
    assert process.exitcode in (0, 3)
    return names


def killed(root: Path, at: int, *arguments: object) -> None:
    """Run a command that is killed before the step of this number."""
    _, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=([str(a) for a in arguments], root, at, theirs))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
