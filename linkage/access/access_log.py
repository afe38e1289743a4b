"""The access log (访问日志): who looked at which natural person, why and when, in a chain none can alter unseen.

A look is written to a journal on disk before its answer is given (`linkage.access.journal`) and moved into the
catalog's hash-chained table `access_log` as soon as the catalog can be written; while a release is being committed that
waits, the journal does not. One thread writes for all, so that looks of one moment share one synchronisation. Another
moves: there are two journals, and while the lines of one are moved the other takes what comes.

Invariant: an answer that names a natural person has its line on disk. After a crash a look is in the table once: the
next process takes over the journal and leaves out what had arrived.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from golden_records.catalog import dialect
from golden_records.catalog.place import Place
from golden_records.catalog.publish import as_json
from golden_records.catalog.schema import ACCESS_LOG
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.hash_chain import append_all
from linkage.access.journal import FOLDER, Journal, Line, orphans

_MOVE_SECONDS = 0.5  # how often looks are moved
_LOCK_MS = 200  # how long moving waits for another writer before it tries again later
_CLOSE_LOCK_MS = 5_000
_ALIKE_ROWS = 10_000  # newest rows among which a look of a dead process may have arrived


@dataclass(frozen=True)
class Look:
    """One look at a natural person, or at several in one answer.

    Attributes:
        at: when, ISO.
        actor: whose token, or who at the command line.
        role: in which role.
        action: what was done, such as resolve or entity.
        organization: the actor's body.
        purpose: the stated purpose.
        authorization_ref: reference of the authorisation.
        entity_id: the person looked at; None for nobody, or for several.
        fields: the fields shown.
        rows: number of persons.
        result_hash: hash of what was given out.
    """

    at: str
    actor: str
    role: str
    action: str
    organization: str | None = None
    purpose: str | None = None
    authorization_ref: str | None = None
    entity_id: str | None = None
    fields: tuple[str, ...] = ()
    rows: int = 1
    result_hash: str | None = None


def hash_of_result(result: object) -> str:
    """Return the hash of what was given out."""
    return hashlib.sha256(as_json(result).encode("utf-8", "backslashreplace")).hexdigest()


def moment(now: datetime) -> str:
    """Return a time as the log writes it, to the microsecond."""
    return now.isoformat(timespec="microseconds")


_Entry = tuple[tuple[Look, ...], Future[None]]


class AccessLog:
    """The log of one process; a resource to be closed, best with `with`.

    Args:
        catalog: where the catalog is.
        root: directory that holds the journals' folder.
    """

    def __init__(self, catalog: Place, root: Path) -> None:
        self._catalog = catalog
        self._held: Catalog | None = None
        self._folder = root / FOLDER
        self._journal, self._leaving_journal = Journal(self._folder), Journal(self._folder)
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._lines: list[Line] = []  # in the journal
        self._leaving: list[Line] = []  # in the other one
        self._swapping = threading.Lock()
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._write_all, name="access-log", daemon=True)
        self._mover = threading.Thread(target=self._move_all, name="access-log-mover", daemon=True)
        self._writer.start()
        self._mover.start()

    def __enter__(self) -> AccessLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def record(self, looks: Sequence[Look]) -> Future[None]:
        """Take looks; the future is done once they are on disk, and fails if they cannot be written."""
        done: Future[None] = Future()
        self._queue.put((tuple(looks), done))
        return done

    def close(self) -> None:
        """Write what waits; what the catalog does not take now stays in the journals for the next process."""
        if self._writer.is_alive():
            self._queue.put(None)
            self._writer.join()
            self._closing.set()
            self._mover.join()
            self._journal.close()
            self._leaving_journal.close()
            if not any(self._folder.iterdir()):
                with suppress(OSError):
                    self._folder.rmdir()

    def _write_all(self) -> None:
        while True:
            batch = self._next()
            self._write([entry for entry in batch if entry is not None])
            if None in batch:
                return

    def _next(self) -> list[_Entry | None]:
        """Wait for an entry, and return all that wait in the queue by then."""
        batch = [self._queue.get()]
        with suppress(queue.Empty):
            while True:
                batch.append(self._queue.get_nowait())
        return batch

    def _write(self, entries: list[_Entry]) -> None:
        if not entries:
            return
        lines = [_line(look) for looks, _ in entries for look in looks]
        try:
            with self._swapping:
                self._journal.add(lines)
                self._lines += lines
        except OSError as error:
            for _, done in entries:
                done.set_exception(error)
            return
        for _, done in entries:
            done.set_result(None)

    def _move_all(self) -> None:
        self._take_over()
        while not self._closing.wait(_MOVE_SECONDS):
            self._move(_LOCK_MS)
        for _ in range(2):  # what waited for the catalog, then what came meanwhile
            self._move(_CLOSE_LOCK_MS)
        self._let_go()

    def _move(self, lock_ms: int) -> None:
        if not self._leaving:
            with self._swapping:
                self._leaving, self._lines = self._lines, []
                self._journal, self._leaving_journal = self._leaving_journal, self._journal
        if not self._leaving:
            return
        try:
            self._append(self._leaving, lock_ms=lock_ms)
        except dialect.UNUSABLE:
            return  # busy or away: the journal holds it, the next try is soon
        self._leaving = []
        with suppress(OSError):
            self._leaving_journal.clear()

    def _take_over(self) -> None:
        """Move what processes that died had not moved."""
        for path, lines in orphans(self._folder):
            try:
                if lines:
                    self._append(lines, lock_ms=_CLOSE_LOCK_MS, only_new=True)
            except dialect.UNUSABLE:
                continue
            path.unlink(missing_ok=True)

    def _append(self, lines: Sequence[Line], *, lock_ms: int, only_new: bool = False) -> None:
        with self._open() as catalog:
            catalog.connection.wait_at_most(lock_ms)
            with catalog.writing():
                arrived = _arrived(catalog) if only_new else set()
                append_all(catalog, ACCESS_LOG, [line for line in lines if _alike(line) not in arrived])

    @contextmanager
    def _open(self) -> Iterator[Catalog]:
        """Open the catalog: a file each time, which may have been replaced; a database once, until it fails."""
        if isinstance(self._catalog, Path):
            with open_catalog(self._catalog) as catalog:
                yield catalog
            return
        self._held = self._held or open_catalog(self._catalog)
        try:
            yield self._held
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


def waiting_looks(root: Path) -> int:
    """Return how many looks wait in journals that no process holds."""
    folder = root / FOLDER
    return sum(len(lines) for _, lines in orphans(folder)) if folder.exists() else 0


def _line(look: Look) -> Line:
    fields = as_json(list(look.fields)) if look.fields else None
    return asdict(look) | {"fields": fields}


def _arrived(catalog: Any) -> set[tuple[Any, ...]]:
    rows = catalog.execute(
        "select at, actor, action, entity_id, result_hash from access_log order by entry_id desc limit ?",
        (_ALIKE_ROWS,),
    )
    return set(rows.fetchall())


def _alike(line: Line) -> tuple[Any, ...]:
    return (line["at"], line["actor"], line["action"], line["entity_id"], line["result_hash"])
