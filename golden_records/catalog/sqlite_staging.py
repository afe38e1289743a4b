"""Many rows for a SQLite catalog, written into a file of their own before the transaction that copies them.

They go through ADBC as Arrow, in a thread, while DuckDB makes the next ones: into tables made like the catalog's,
indexes and all. In the transaction SQLite copies them, an empty table page by page. Few rows wait in memory instead.
Once all of a file is copied it is cut to nothing, which SQLite reads as a database without tables: the disk need not
hold it until the transaction ends.

ADBC brings its own SQLite, and two libraries must not have one file open in one process (closing it in one would let go
of the other's locks): the file is attached to the catalog's connection once ADBC has closed it, and not before.

Invariant: the catalog is written by the functions that `put` returns alone, within the caller's transaction; what a
killed process leaves is a file that the next publish removes.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from queue import Queue
from typing import Any

import adbc_driver_manager
import pyarrow as pa

from golden_records.catalog.dialect import Add, Made, RowSource
from golden_records.catalog.schema import TABLES, Table
from golden_records.tables import quote

_FEW_ROWS = 20_000
# Enough to write while the next rows are being sorted: up to a gigabyte.
_WAITING_BATCHES = 200
# Nothing in the file has to survive a crash.
_SETTINGS = (
    "page_size = 8192",
    "journal_mode = memory",
    "synchronous = off",
    "locking_mode = exclusive",
    "temp_store = memory",
)
_numbers = count()

Insert = Callable[[str, pa.RecordBatchReader], None]


class SqliteStaging:
    """The rows of one publish."""

    def __init__(self, raw: sqlite3.Connection, insert: Insert) -> None:
        self._raw = raw
        self._insert = insert
        self._catalog = _path(raw)
        self._file: _File | None = None
        self._schema = ""
        self._uncopied = 0
        self._thread: ThreadPoolExecutor | None = None
        self._definitions: dict[str, list[str]] = {}
        remove_abandoned(self._catalog)

    def put(self, table: Table, rows: RowSource) -> Add:
        """Take all rows; see `dialect.Staging`."""
        with rows() as reader:
            first, is_all = _first(reader)
            if is_all:
                return lambda: self._add_few(table, reader.schema, first)
            if self._file is None:
                self._file = _File(self._catalog)
            definition = self._definitions.get(table.name) or self._definition(table)
            written = self._file.write(table, definition, reader.schema, chain(first, reader))
            self._uncopied += 1
        return lambda: self._add(table, written)

    def meanwhile(self, work: Callable[[], Made]) -> Callable[[], Made]:
        """Do it in a thread; see `dialect.Staging`."""
        self._definitions = {table.name: self._definition(table) for table in TABLES}  # the catalog is this thread's
        self._thread = ThreadPoolExecutor(max_workers=1)
        return self._thread.submit(work).result

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Have what was put at hand while the block runs."""
        if self._thread is not None:
            self._thread.shutdown()  # once nothing is put any more
        if self._file is None:
            yield
            return
        self._file.finish()
        self._schema = f"staged_{self._file.number}"
        self._raw.execute(f"attach ? as {self._schema}", (str(self._file.path),))
        try:
            yield
        finally:
            self._raw.execute(f"detach {self._schema}")

    def close(self) -> None:
        """Remove the file, once nothing is put any more."""
        if self._thread is not None:
            self._thread.shutdown()
        if self._file is not None:
            self._file.remove()

    def _add_few(self, table: Table, schema: pa.Schema, batches: list[pa.RecordBatch]) -> int:
        self._insert(table.name, pa.RecordBatchReader.from_batches(schema, batches))
        return sum(batch.num_rows for batch in batches)

    def _add(self, table: Table, written: Future[int]) -> int:
        written.result()
        name = quote(table.name)
        # Without the names of columns, so that SQLite sees both tables to be the same.
        rows = self._raw.execute(f"insert into main.{name} select * from {self._schema}.{name}").rowcount
        self._uncopied -= 1
        if self._file is not None and not self._uncopied:
            os.truncate(self._file.path, 0)
        return rows

    def _definition(self, table: Table) -> list[str]:
        """Return the statements that make a table, and its indexes if it is empty: those of one with rows stay."""
        is_empty = self._raw.execute(f"select 1 from {quote(table.name)} limit 1").fetchone() is None
        kinds = "'table', 'index'" if is_empty else "'table'"
        rows = self._raw.execute(
            f"select sql from sqlite_master where tbl_name = ? and type in ({kinds}) and sql is not null "
            "order by type = 'index', name",
            (table.name,),
        )
        return [sql for (sql,) in rows]


def remove_abandoned(catalog: Path) -> None:
    """Remove what killed processes left."""
    named = re.compile(re.escape(_prefix(catalog)) + r"(\d+)-\d+")
    for path in catalog.parent.iterdir():
        found = named.fullmatch(path.name)
        if found and not _is_running(int(found[1])):
            path.unlink(missing_ok=True)


class _File:
    """A file that a thread writes, table after table."""

    def __init__(self, catalog: Path) -> None:
        self.number = next(_numbers)
        self.path = catalog.with_name(f"{_prefix(catalog)}{os.getpid()}-{self.number}")
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._opened = self._thread.submit(self._open)

    def write(
        self, table: Table, definition: list[str], schema: pa.Schema, batches: Iterator[pa.RecordBatch]
    ) -> Future[int]:
        """Take the rows of a table; the future tells when they are written, and what went wrong."""
        waiting: Queue[pa.RecordBatch | BaseException | None] = Queue(_WAITING_BATCHES)
        written = self._thread.submit(self._write, table, definition, schema, waiting)
        try:
            for batch in batches:
                waiting.put(batch)
        except BaseException as error:
            waiting.put(error)
            raise
        finally:
            waiting.put(None)
        return written

    def finish(self) -> None:
        """Wait until all is written, and close the file."""
        self._thread.submit(self._close).result()

    def remove(self) -> None:
        """Close and remove the file, whatever happened before."""
        self.finish()
        self._thread.shutdown()
        self.path.unlink(missing_ok=True)

    def _open(self) -> Any:
        import adbc_driver_sqlite.dbapi as driver  # small publishes and readers do without it

        connection = driver.connect(str(self.path), autocommit=True)
        with connection.cursor() as cursor:
            for setting in _SETTINGS:
                cursor.execute(f"pragma {setting}")
        return connection

    def _write(
        self,
        table: Table,
        definition: list[str],
        schema: pa.Schema,
        waiting: Queue[pa.RecordBatch | BaseException | None],
    ) -> int:
        batches = iter(waiting.get, None)
        try:
            with _told(), self._opened.result().cursor() as cursor:
                create, *indexes = definition
                with _transaction(cursor):
                    cursor.execute(create)
                    rows = pa.RecordBatchReader.from_batches(schema, _raised(batches))
                    written: int = cursor.adbc_ingest(table.name, rows, mode="append")
                    for index in indexes:
                        cursor.execute(index)
            return written
        finally:
            for _ in batches:  # or who puts them would wait for ever
                pass

    def _close(self) -> None:
        if self._opened.exception() is None:
            self._opened.result().close()


@contextmanager
def _transaction(cursor: Any) -> Iterator[None]:
    """Write a table whole or not at all; one of the driver's own would tell that it cannot be undone, and not why."""
    cursor.execute("begin")
    try:
        yield
    except adbc_driver_manager.Error:
        with suppress(adbc_driver_manager.Error):  # SQLite itself has undone it if the disk is full
            cursor.execute("rollback")
        raise
    cursor.execute("commit")


def _first(reader: pa.RecordBatchReader) -> tuple[list[pa.RecordBatch], bool]:
    """Return batches of at least as many rows as are too many to keep, or all."""
    batches: list[pa.RecordBatch] = []
    rows = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        if rows > _FEW_ROWS:
            return batches, False
    return batches, True


def _raised(batches: Iterator[pa.RecordBatch | BaseException]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if isinstance(batch, BaseException):
            raise batch
        yield batch


@contextmanager
def _told() -> Iterator[None]:
    """Turn an error of the driver into the one that SQLite's own module would have raised."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        text = str(error).partition("\n")[0]
        kind = sqlite3.IntegrityError if "constraint failed" in text else sqlite3.OperationalError
        raise kind(text) from None


def _prefix(catalog: Path) -> str:
    return f".{catalog.name}.staged-"


def _path(raw: sqlite3.Connection) -> Path:
    (path,) = raw.execute("select file from pragma_database_list where name = 'main'").fetchone()
    return Path(path)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
