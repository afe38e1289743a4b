"""The access log (访问日志): who looked at which natural person, why and when, in a chain none can alter unseen.

A look is written to a journal on disk before its answer is given (`linkage.access.journal`) and moved into the
catalog's hash-chained table `access_log` as soon as the catalog can be written; while a release is being committed that
waits, the journal does not. One thread writes for all, so that looks of one moment share one synchronisation.

Invariant: an answer that names a natural person has its line on disk. After a crash a look is in the table once: the
next process takes over the journal and leaves out what had arrived.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
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
from golden_records.hash_chain import append, next_key
from linkage.access.journal import FOLDER, Journal, Line, orphans

_MOVE_SECONDS = 0.5  # how long a look stays in the journal at least before it is moved
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
        self._journal = Journal(self._folder)
        self._queue: queue.SimpleQueue[tuple[tuple[Look, ...], Future[None]] | None] = queue.SimpleQueue()
        self._pending: list[Line] = []
        self._moved_at = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="access-log", daemon=True)
        self._thread.start()

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
        """Write what waits; what the catalog does not take now stays in the journal for the next process."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
            self._journal.close()
            if not any(self._folder.iterdir()):
                with suppress(OSError):
                    self._folder.rmdir()

    def _work(self) -> None:
        self._take_over()
        while True:
            batch = self._next()
            stop = None in batch
            entries = [entry for entry in batch if entry is not None]
            if entries:
                self._write(entries)
            if stop or (self._pending and time.monotonic() - self._moved_at >= _MOVE_SECONDS):
                self._move(_CLOSE_LOCK_MS if stop else _LOCK_MS)
            if stop:
                self._let_go()
                return

    def _next(self) -> list[tuple[tuple[Look, ...], Future[None]] | None]:
        """Return what waits in the queue; with nothing there, wait until it is time to move."""
        batch = []
        with suppress(queue.Empty):
            batch.append(self._queue.get(timeout=_MOVE_SECONDS if self._pending else None))
            while True:
                batch.append(self._queue.get_nowait())
        return batch

    def _write(self, entries: list[tuple[tuple[Look, ...], Future[None]]]) -> None:
        lines = [_line(look) for looks, _ in entries for look in looks]
        try:
            self._journal.add(lines)
        except OSError as error:
            for _, done in entries:
                done.set_exception(error)
            return
        self._pending += lines
        for _, done in entries:
            done.set_result(None)

    def _move(self, lock_ms: int) -> None:
        self._moved_at = time.monotonic()
        if not self._pending:
            return
        try:
            self._append(self._pending, lock_ms=lock_ms)
        except dialect.UNUSABLE:
            return  # busy or away: the journal holds it, the next try is soon
        self._pending = []
        with suppress(OSError):
            self._journal.clear()

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
                for line in lines:
                    if _alike(line) not in arrived:
                        append(catalog, ACCESS_LOG, {"entry_id": next_key(catalog, ACCESS_LOG), **line})

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
