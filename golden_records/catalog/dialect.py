"""Everything that is true of SQLite only. Another store gets a module with the same functions.

The file is in WAL mode: readers see the last committed release whole while another is being written, and a killed
writer leaves nothing behind. A foreign connection that writes (an access log entry, a ruling) waits for at most
`BUSY_SECONDS` while a release is committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from golden_records.catalog.schema import UNALTERABLE
from golden_records.tables import quote

BUSY_SECONDS = 60.0
_PAGE_BYTES = 8192
_CACHE_KIB = 64_000
_PUBLISH_CACHE_KIB = 1_000_000

Error = sqlite3.Error
IntegrityError = sqlite3.IntegrityError
Connection = sqlite3.Connection
Cursor = sqlite3.Cursor


def connect(path: Path, *, read_only: bool) -> Connection:
    """Open a catalog file; transactions are opened by hand."""
    if read_only:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    else:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute(f"pragma page_size = {_PAGE_BYTES}")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma temp_store = memory")
    connection.execute(f"pragma busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
    return connection


@contextmanager
def transaction(connection: Connection, *, writing: bool) -> Iterator[None]:
    """Run a block in one transaction: committed whole, or not at all.

    A writing one takes the write lock at once, so that what it read cannot be outdated when it writes; a reading one
    sees a single state of the store. Inside another transaction it is part of that one.
    """
    if connection.in_transaction:
        yield
        return
    connection.execute("begin immediate" if writing else "begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def bulk_writing(connection: Connection) -> Iterator[None]:
    """Give the connection room for a large transaction, and put the write-ahead log back into the file afterwards."""
    connection.execute(f"pragma cache_size = -{_PUBLISH_CACHE_KIB}")
    try:
        yield
        connection.execute("pragma wal_checkpoint(truncate)")
    finally:
        connection.execute(f"pragma cache_size = -{_CACHE_KIB}")


def schema_statements(text: str) -> Iterator[str]:
    """Return the statements of a migration: tables marked `/* clustered */` are kept in the order of their key."""
    pending = ""
    for line in text.replace("/* clustered */", "without rowid").splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def guard_statements() -> Iterator[str]:
    """Return the statements that make the store itself refuse to change or remove rows of unalterable tables."""
    for table in UNALTERABLE:
        for action in ("update", "delete"):
            yield (
                f"create trigger if not exists {quote(f'{table}_refuses_{action}')} before {action} on {quote(table)} "
                f"begin select raise(abort, '{table} is never rewritten'); end"
            )


def has_table(connection: Connection, name: str) -> bool:
    """Say whether the store has a table of this name."""
    found = connection.execute("select 1 from sqlite_master where type = 'table' and name = ?", (name,)).fetchone()
    return found is not None


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Let a block, inside a writing transaction, change rows of unalterable tables; the guards are back at its end."""
    for table in UNALTERABLE:
        for action in ("update", "delete"):
            connection.execute(f"drop trigger if exists {quote(f'{table}_refuses_{action}')}")
    yield
    for statement in guard_statements():
        connection.execute(statement)


def compact(connection: Connection) -> bool:
    """Write the file anew without anything that was deleted, and empty the write-ahead log.

    Returns:
        Whether the log is empty; it is not while another connection reads an older state.
    """
    connection.execute("pragma secure_delete = on")
    connection.execute("vacuum")
    (busy, _, _) = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    return not busy
