"""What every kind of store can do: the two implementations are `sqlite` and `postgresql`.

Queries are written in the common ground of both: `?` for a value, text, bigint and double precision as types, no name
of a schema. What the common ground lacks is a method here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from golden_records.catalog.postgresql_errors import ConstraintError, DatabaseError
from golden_records.catalog.schema import Table
from golden_records.errors import CatalogError

# For `except`: whatever a store raises, and what it raises on a row that its tables do not allow.
ERRORS: tuple[type[Exception], ...] = (sqlite3.Error, DatabaseError)
UNUSABLE: tuple[type[Exception], ...] = (*ERRORS, CatalogError, OSError)  # a store that is away, broken or busy
CONSTRAINT_ERRORS: tuple[type[Exception], ...] = (sqlite3.IntegrityError, ConstraintError)
BUSY_SECONDS = 60.0

RowSource = Callable[[], AbstractContextManager[pa.RecordBatchReader]]
Add = Callable[[], int]  # adds rows to their table, and returns how many
Made = TypeVar("Made")


class Cursor(Protocol):
    """The rows of a query, or the number of rows that a statement changed."""

    @property
    def rowcount(self) -> int:
        """How many rows a statement changed."""

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Staging(Protocol):
    """The many rows that a transaction is going to add, made before it begins."""

    def put(self, table: Table, rows: RowSource) -> Add:
        """Return what adds rows to a table, within `joined` and the transaction; once for a table.

        The rows are read now or then, whichever suits the store.
        """

    def meanwhile(self, work: Callable[[], Made]) -> Callable[[], Made]:
        """Do what puts rows in another thread, if rows are read when they are put; return what gives its outcome.

        Until then nothing else is asked of what the rows are read from.
        """

    def joined(self) -> AbstractContextManager[None]:
        """Return a block in which what was put is at hand; it is entered within the transaction or before, and left
        after it.
        """


class Connection(Protocol):
    """An open store."""

    def close(self) -> None:
        """Close the store."""

    def execute(self, query: str, values: Sequence[Any] = ()) -> Cursor:
        """Run one statement."""

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of a few rows; many rows are for `insert`, `delete` and `retire`."""

    def batches(self, query: str, values: Sequence[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query as Arrow; nothing else is asked of the connection before the last."""

    def transaction(self, *, writing: bool) -> AbstractContextManager[None]:
        """Run a block in one transaction: committed whole, or not at all.

        A writing one keeps other writers away from its begin on, so that what it read cannot be outdated when it
        writes; a reading one sees a single state of the store. Inside another transaction it is part of that one.
        """

    def bulk_writing(self, *, first: bool = False) -> AbstractContextManager[None]:
        """Give a large transaction room.

        Args:
            first: nothing was published before.
        """

    def staging(self) -> AbstractContextManager[Staging]:
        """Return a block in which rows for a transaction are made."""

    def loading(self, table: Table, *, held: int, added: int) -> AbstractContextManager[None]:
        """Make a block that adds many rows to a table cheap.

        Args:
            table: the table.
            held: about how many rows it has.
            added: about how many come.
        """

    def insert(self, table: str, rows: pa.RecordBatchReader) -> None:
        """Add rows to a table, in the columns that they name."""

    def delete(self, table: str, keys: pa.RecordBatchReader) -> None:
        """Remove the rows whose columns have the values of one of the keys."""

    def retire(self, table: Table, keys: pa.RecordBatchReader, release: int) -> None:
        """Move the rows of these keys to the table's history, with their end."""

    def name_rows(self, name: str, keys: pa.RecordBatchReader) -> None:
        """Make a temporary table of these keys, in place of an earlier one of that name."""

    def make_tables(self, migration: str) -> None:
        """Run the statements of a migration."""

    def guard(self) -> None:
        """Have the store itself refuse to change or remove rows of unalterable tables."""

    def unguarded(self) -> AbstractContextManager[None]:
        """Let a block, inside a writing transaction, change rows of unalterable tables."""

    def tables(self) -> Sequence[str]:
        """Return the names of all tables."""

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns, none if there is no such table."""

    def compact(self) -> bool:
        """Write the store anew without anything that was deleted.

        Returns:
            Whether that is done; it is not while another connection reads an older state.
        """

    def is_damaged(self) -> bool:
        """Look the store over for damage, as far as its kind can be looked over."""

    def wait_at_most(self, milliseconds: int) -> None:
        """Say how long to wait for another program before giving up."""
