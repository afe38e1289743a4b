"""A catalog store in a SQLite file (see `golden_records.catalog.dialect`).

The file is in WAL mode: readers see the last committed release whole while another is being written, and a killed
writer leaves nothing behind. A foreign connection that writes (an access log entry, a ruling) waits for at most
`BUSY_SECONDS` while a release is committed.

A first release that nobody is beside goes into the file itself, under a rollback journal: almost all its pages are new,
and a log would have them written, read and written again. Whoever comes meanwhile waits, and reads the release.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from golden_records.catalog.arrow import SQL
from golden_records.catalog.dialect import BUSY_SECONDS
from golden_records.catalog.schema import UNALTERABLE, Table
from golden_records.catalog.sqlite_staging import SqliteStaging
from golden_records.tables import quote

_PAGE_BYTES = 8192
_CACHE_KIB = 64_000
# A service holds a reading connection per thread; what is read often is in the system's cache as well, once for all.
_READING_CACHE_KIB = 8_000
_PUBLISH_CACHE_KIB = 1_000_000
_FETCH_ROWS = 50_000
# Above this share of a table, dropping its secondary indexes and making them anew is faster than keeping them.
_REINDEX_SHARE = 0.3

Error = sqlite3.Error


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a catalog file; transactions are opened by hand."""
    if read_only:
        _undo_killed(path)
        connection = sqlite3.connect(_read_only(path), timeout=BUSY_SECONDS, uri=True, isolation_level=None)
    else:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute(f"pragma page_size = {_PAGE_BYTES}")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma temp_store = memory")
    connection.execute(f"pragma cache_size = -{_READING_CACHE_KIB if read_only else _CACHE_KIB}")
    return connection


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection kept its lock for longer than one waits."""
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY)


def open_file(path: Path, *, read_only: bool) -> SqliteConnection:
    """Open a catalog file as a store."""
    return SqliteConnection(connect(path, read_only=read_only))


class SqliteConnection:
    """An open file."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self.execute = raw.execute
        self.close = raw.close

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        self._raw.executemany(statement, rows)

    def batches(self, query: str, values: Sequence[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query as Arrow."""
        cursor = self._raw.execute(query, values)
        while rows := cursor.fetchmany(_FETCH_ROWS):
            columns = zip(zip(*rows, strict=True), schema.types, strict=True)
            yield pa.record_batch([pa.array(column, type) for column, type in columns], schema=schema)

    @contextmanager
    def transaction(self, *, writing: bool) -> Iterator[None]:
        """Run a block in one transaction; a writing one takes the write lock at once."""
        if self._raw.in_transaction:
            yield
            return
        self._raw.execute("begin immediate" if writing else "begin")
        try:
            yield
        except BaseException:
            self._raw.execute("rollback")
            raise
        self._raw.execute("commit")

    @contextmanager
    def bulk_writing(self, *, first: bool = False) -> Iterator[None]:
        """Give a large transaction a cache and put the write-ahead log back into the file, or do without that log."""
        if first and self._leave_log():
            try:
                yield
            finally:
                with suppress(sqlite3.OperationalError):  # somebody reads by now: the next connection that writes does
                    self._raw.execute("pragma main.journal_mode = wal")
            return
        self._raw.execute(f"pragma cache_size = -{_PUBLISH_CACHE_KIB}")
        try:
            yield
            self._raw.execute("pragma wal_checkpoint(truncate)")
        finally:
            self._raw.execute(f"pragma cache_size = -{_CACHE_KIB}")

    @contextmanager
    def staging(self) -> Iterator[SqliteStaging]:
        """Have rows written beside the catalog first."""
        staging = SqliteStaging(self._raw, self.insert)
        try:
            yield staging
        finally:
            staging.close()

    @contextmanager
    def loading(self, table: Table, *, held: int, added: int) -> Iterator[None]:
        """Do without a table's secondary indexes while most of it is written anew."""
        indexes = table.indexes if held and added > _REINDEX_SHARE * held else ()
        for index in indexes:
            self._raw.execute(f"drop index if exists {quote(index.name)}")
        yield
        for index in indexes:
            self._raw.execute(f"create index {quote(index.name)} on {quote(table.name)} ({_names(index.columns)})")

    def insert(self, table: str, rows: pa.RecordBatchReader) -> None:
        """Add rows to a table."""
        names = rows.schema.names
        self._write(f"insert into {quote(table)} ({_names(names)}) values ({', '.join('?' * len(names))})", rows)

    def delete(self, table: str, keys: pa.RecordBatchReader) -> None:
        """Remove the rows of these keys."""
        self._write(f"delete from {quote(table)} where {_equal(keys.schema.names)}", keys)

    def retire(self, table: Table, keys: pa.RecordBatchReader, release: int) -> None:
        """Move the rows of these keys to the history."""
        names = (*table.column_names, "since_release")
        columns, key = _names(names), _names(table.key)
        row = ", ".join(f"t.{quote(name)}" for name in names)
        same = " and ".join(f"t.{quote(name)} = k.{quote(name)}" for name in table.key)
        for batch in keys:
            self.name_rows("retired", pa.RecordBatchReader.from_batches(keys.schema, [batch]))
            # A cross join keeps this order: from each key to its row.
            self._raw.execute(
                f"insert into {quote(table.history)} ({columns}, until_release) "
                f"select {row}, {int(release)} from temp.retired k cross join {quote(table.name)} t where {same}"
            )
            self._raw.execute(f"delete from {quote(table.name)} where ({key}) in (select {key} from temp.retired)")

    def name_rows(self, name: str, keys: pa.RecordBatchReader) -> None:
        """Make a temporary table, in memory."""
        columns = ", ".join(f"{quote(field.name)} {SQL[field.type]} not null" for field in keys.schema)
        self._raw.execute(f"drop table if exists temp.{quote(name)}")
        key = _names(keys.schema.names)
        self._raw.execute(f"create temp table {quote(name)} ({columns}, primary key ({key})) without rowid")
        with self.transaction(writing=False):
            self.insert(name, keys)

    def make_tables(self, migration: str) -> None:
        """Run the statements of a migration."""
        for statement in schema_statements(migration):
            self._raw.execute(statement)

    def guard(self) -> None:
        """Make the triggers that refuse."""
        for table in UNALTERABLE:
            for action in ("update", "delete"):
                self._raw.execute(
                    f"create trigger if not exists {quote(f'{table}_refuses_{action}')} before {action} "
                    f"on {quote(table)} begin select raise(abort, '{table} is never rewritten'); end"
                )

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Do without the triggers; they are back at the block's end."""
        for table in UNALTERABLE:
            for action in ("update", "delete"):
                self._raw.execute(f"drop trigger if exists {quote(f'{table}_refuses_{action}')}")
        yield
        self.guard()

    def tables(self) -> Sequence[str]:
        """Return the names of all tables."""
        rows = self._raw.execute("select name from sqlite_master where type in ('table', 'view') order by name")
        return [str(name) for (name,) in rows]

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns."""
        return tuple(str(row[1]) for row in self._raw.execute(f"pragma table_info({quote(table)})"))

    def compact(self) -> bool:
        """Write the file anew without anything that was deleted, and empty the write-ahead log."""
        self._raw.execute("pragma secure_delete = on")
        self._raw.execute("vacuum")
        (busy, _, _) = self._raw.execute("pragma wal_checkpoint(truncate)").fetchone()
        return not busy

    def is_damaged(self) -> bool:
        """Look at the pages of the file."""
        # Some releases of SQLite wrongly report nulls in tables without row ids; those lines say nothing.
        lines = [str(row[0]) for row in self._raw.execute("pragma quick_check")]
        return any(line != "ok" and not line.startswith("NULL value") for line in lines)

    def wait_at_most(self, milliseconds: int) -> None:
        """Say how long to wait for a lock."""
        self._raw.execute(f"pragma busy_timeout = {int(milliseconds)}")

    def _leave_log(self) -> bool:
        """Have the file written under a rollback journal, if no other connection has it open; say whether it is."""
        (patience,) = self._raw.execute("pragma busy_timeout").fetchone()
        self.wait_at_most(0)
        try:
            # A journal that is removed at the end might be there again after a power cut.
            (mode,) = self._raw.execute("pragma main.journal_mode = truncate").fetchone()
        except sqlite3.OperationalError:
            return False
        finally:
            self.wait_at_most(patience)
        return bool(mode == "truncate")

    def _write(self, statement: str, rows: pa.RecordBatchReader) -> None:
        for batch in rows:
            self._raw.executemany(statement, _rows(batch))


def schema_statements(text: str) -> Iterator[str]:
    """Return the statements of a migration, tables kept in the order of their key.

    Those marked `/* clustered */` have no row id; one whose key is a single number has that as its row id, which suits
    long rows better.
    """
    clustered = text.replace("/* clustered */", "without rowid")
    pending = ""
    for line in clustered.replace("bigint not null primary key", "integer not null primary key").splitlines(True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def _read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


def _undo_killed(path: Path) -> None:
    """Undo what a first release that was killed left in the file, which who only reads it cannot."""
    look = "select 1 from sqlite_master"
    try:
        with closing(sqlite3.connect(_read_only(path), timeout=BUSY_SECONDS, uri=True)) as reader:
            reader.execute(look)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as writer:
            writer.execute(look)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _equal(columns: Sequence[str]) -> str:
    return " and ".join(f"{quote(column)} = ?" for column in columns)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quote(column) for column in columns)
