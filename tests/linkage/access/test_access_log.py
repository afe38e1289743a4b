"""The access log: on disk before the answer, in the chain once, whatever dies or is busy in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_district import ask

from golden_records.catalog.schema import ACCESS_LOG
from golden_records.catalog.store import open_catalog
from golden_records.hash_chain import broken_rows
from linkage.access.access_log import AccessLog, Look, waiting_looks
from linkage.access.journal import FOLDER, Journal, Line, orphans

LOOK = Look("2025-03-01T08:00:00.000001+00:00", "tester", "auditor", "entity", entity_id="NP0000000018", purpose="核对")


def looks(count: int) -> list[Look]:
    return [Look(f"2025-03-01T08:00:00.{i:06d}+00:00", "tester", "auditor", "entity") for i in range(count)]


def logged(path: Path) -> list[tuple[str, str, str]]:
    return ask(path, "select at, actor, action from access_log order by entry_id")


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.sqlite"
    open_catalog(path).close()
    return path


def chain_holds(path: Path) -> bool:
    with open_catalog(path, read_only=True) as opened:
        return broken_rows(opened, ACCESS_LOG) == []


def test_a_look_is_in_the_table_with_everything_said(catalog: Path, tmp_path: Path) -> None:
    with AccessLog(catalog, tmp_path) as log:
        log.record([LOOK]).result(timeout=5)
    ((actor, purpose, entity_id, rows),) = ask(catalog, "select actor, purpose, entity_id, rows from access_log")
    assert (actor, purpose, entity_id, rows) == ("tester", "核对", "NP0000000018", 1)
    assert chain_holds(catalog)
    assert not (tmp_path / FOLDER).exists()


def test_looks_keep_their_order_and_the_chain_holds(catalog: Path, tmp_path: Path) -> None:
    with AccessLog(catalog, tmp_path) as log:
        for look in looks(300):
            log.record([look])
    assert [at for at, *_ in logged(catalog)] == [look.at for look in looks(300)]
    assert chain_holds(catalog)


def test_an_altered_or_removed_row_breaks_the_chain(catalog: Path, tmp_path: Path) -> None:
    with AccessLog(catalog, tmp_path) as log:
        log.record(looks(5)).result(timeout=5)
    with open_catalog(catalog) as opened:
        with pytest.raises(Exception, match="never rewritten"):
            opened.execute("update access_log set purpose = 'other' where entry_id = 2")
        opened.execute("drop trigger access_log_refuses_update")
        opened.execute("update access_log set purpose = 'other' where entry_id = 2")
        assert broken_rows(opened, ACCESS_LOG) == [2]


def test_while_a_release_is_being_committed_looks_are_durable_and_arrive_later(catalog: Path, tmp_path: Path) -> None:
    with AccessLog(catalog, tmp_path) as log, open_catalog(catalog) as writer, writer.writing():
        started = time.monotonic()
        log.record(looks(3)).result(timeout=5)
        assert time.monotonic() - started < 3
        time.sleep(1.5)  # moving is tried meanwhile and finds the store busy
        assert logged(catalog) == []
        assert sum(len(path.read_text("utf-8").splitlines()) for path in (tmp_path / FOLDER).iterdir()) == 3
    assert len(logged(catalog)) == 3


def test_looks_of_a_process_that_was_killed_are_taken_over_once(catalog: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from golden_records.catalog.store import open_catalog
        from linkage.access.access_log import AccessLog, Look
        log = AccessLog(Path({str(catalog)!r}), Path({str(tmp_path)!r}))
        with open_catalog(Path({str(catalog)!r})) as writer, writer.writing():
            for i in range(4):
                log.record([Look(f"2025-03-01T09:00:00.{{i:06d}}+00:00", "killed", "auditor", "entity")]).result()
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    ended = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert logged(catalog) == []
    assert waiting_looks(tmp_path) == 4
    (journal,) = (path for path in (tmp_path / FOLDER).iterdir() if path.stat().st_size)
    again = journal.read_bytes()
    for _ in range(2):  # the second time as if the process had died between moving and clearing
        with AccessLog(catalog, tmp_path) as log:
            log.record([])
        assert [actor for _, actor, _ in logged(catalog)] == ["killed"] * 4
        (tmp_path / FOLDER).mkdir(exist_ok=True)
        journal.write_bytes(again + b'{"at": "cut off')
    assert chain_holds(catalog)


def test_nobody_waits_while_looks_are_moved_and_none_is_lost_or_out_of_order(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving, go_on = threading.Event(), threading.Event()
    append = AccessLog._append

    def slow(self: AccessLog, lines: Sequence[Line], *, lock_ms: int, only_new: bool = False) -> None:
        moving.set()
        assert go_on.wait(10)
        append(self, lines, lock_ms=lock_ms, only_new=only_new)

    monkeypatch.setattr(AccessLog, "_append", slow)
    first, *others = looks(50)
    with AccessLog(catalog, tmp_path) as log:
        log.record([first]).result(timeout=5)
        assert moving.wait(5)
        for look in others:
            log.record([look]).result(timeout=5)
        go_on.set()
    assert [at for at, *_ in logged(catalog)] == [look.at for look in looks(50)]
    assert chain_holds(catalog)


def test_a_line_that_did_not_fit_on_the_disk_leaves_the_others_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / FOLDER)
    journal.add([{"at": "first"}])
    write = os.write
    room = iter((5,))

    def nearly_full(handle: int, text: bytes) -> int:
        left = next(room, 0)
        if not left:
            raise OSError(28, "No space left on device")
        return write(handle, text[:left])

    monkeypatch.setattr(os, "write", nearly_full)
    with pytest.raises(OSError, match="No space"):
        journal.add([{"at": "second"}])
    monkeypatch.undo()
    journal.add([{"at": "third"}])
    os.close(journal._file)
    ((_, lines),) = orphans(tmp_path / FOLDER)
    assert [line["at"] for line in lines] == ["first", "third"]


def test_a_journal_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    journal = Journal(tmp_path / FOLDER)
    journal.add([{"at": "now"}])
    assert list(orphans(tmp_path / FOLDER)) == []
    assert json.loads(journal.path.read_text("utf-8")) == {"at": "now"}
    assert os.stat(journal.path).st_mode & 0o077 == 0
    journal.clear()
    journal.close()
    assert not journal.path.exists()


def test_a_look_that_cannot_be_written_is_an_error_for_who_waits(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Journal, lines: object) -> None:
        raise OSError(28, "No space left on device")

    with AccessLog(catalog, tmp_path) as log:
        monkeypatch.setattr(Journal, "add", full)
        with pytest.raises(OSError, match="No space"):
            log.record([LOOK]).result(timeout=5)
        monkeypatch.undo()
        log.record([LOOK]).result(timeout=5)
    assert len(logged(catalog)) == 1
