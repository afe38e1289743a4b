"""Naming and checking the DuckDB tables that steps are given."""

from __future__ import annotations

from collections.abc import Iterable

from duckdb import DuckDBPyConnection

from golden_records.errors import GoldenRecordsError


def quote(name: str) -> str:
    """Return a name as a quoted SQL identifier.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def columns_of(con: DuckDBPyConnection, table: str) -> tuple[str, ...]:
    """Return the column names of a DuckDB table or view, in order."""
    return tuple(str(row[0]) for row in con.execute(f"describe {quote(table)}").fetchall())


def require_columns(con: DuckDBPyConnection, table: str, needed: Iterable[str]) -> None:
    """Check that a table has the columns a step reads.

    Raises:
        GoldenRecordsError: names the table, the missing columns and those it has.
    """
    present = columns_of(con, table)
    missing = [column for column in needed if column not in present]
    if missing:
        raise GoldenRecordsError(f"table {table}: missing column(s) {', '.join(missing)} (it has {', '.join(present)})")


def scalar(con: DuckDBPyConnection, query: str) -> int:
    """Return the single whole number a query gives, 0 when it gives nothing."""
    rows = con.execute(query).fetchall()
    return int(rows[0][0]) if rows and rows[0][0] is not None else 0
