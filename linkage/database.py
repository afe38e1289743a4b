"""Connections to the batch database: the one place that opens DuckDB.

The similarities of `matchers` are registered with every connection, so that comparison levels can be evaluated in SQL.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType

from blocking.sql import quote
from matchers.levels import literal
from matchers.similarity import SIMILARITIES, Similarity

_BESIDE = "_beside"

# A run writes a table after another, and nothing of it counts before the end: DuckDB would put the whole database in
# order after each that is larger than these.
_NO_CHECKPOINTS: dict[str, str | bool | int | float | list[str]] = {
    "checkpoint_threshold": "1TB",
    "auto_checkpoint_skip_wal_threshold": 10**12,
}


@contextmanager
def connect(
    path: Path | None = None, *, memory_limit: str | None = None, threads: int | None = None, temp: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a batch database and close it at the end, which writes what was not written by a checkpoint.

    Args:
        path: database file; in memory if absent.
        memory_limit: DuckDB's limit, such as `8GB`.
        threads: number of threads; all cores if absent.
        temp: directory for what does not fit in memory.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if memory_limit:
        settings["memory_limit"] = memory_limit
    if threads:
        settings["threads"] = threads
    if temp:
        settings["temp_directory"] = str(temp)
    if path:
        settings |= _NO_CHECKPOINTS
    con = duckdb.connect(str(path) if path else ":memory:", config=settings)
    try:
        for similarity in SIMILARITIES.values():
            _register(con, similarity)
        if path:
            con.execute(f"attach ':memory:' as {_BESIDE}")
            (own,) = only_row(con, "select current_database()")
            _look_in(con, f"{quote(own)}.main", f"{_BESIDE}.main")
        yield con
    finally:
        con.close()


@contextmanager
def in_memory(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Make the tables that are made meanwhile in memory, beside the batch database if that is a file.

    For tables that a run does not leave: they cost a third of ones that are packed and written. Found by their names
    like all others, they stay until they are dropped or the connection is closed, and spill as temporary ones do.
    """
    (path,) = only_row(con, "select current_setting('search_path')")
    own, _, beside = str(path).rpartition(",")
    if not beside.startswith(_BESIDE):
        yield  # everything is in memory, or this is inside another one
        return
    _look_in(con, beside, own)
    try:
        yield
    finally:
        _look_in(con, own, beside)


def _look_in(con: duckdb.DuckDBPyConnection, *schemas: str) -> None:
    """Look for tables in these schemas, in order; new ones are made in the first."""
    con.execute(f"set search_path = {literal(','.join(schemas))}")


def memory_share(share: float, *, at_most_bytes: int) -> str:
    """Return a share of the machine's memory as a limit for DuckDB, and no more than the bytes given."""
    machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(int(machine_bytes * share), at_most_bytes) >> 20}MiB"


def _register(con: duckdb.DuckDBPyConnection, similarity: Similarity) -> None:
    def call(left: pa.Array, right: pa.Array) -> pa.Array:
        return pa.array(similarity.many(left.to_pylist(), right.to_pylist()), type=pa.float64())

    con.create_function(similarity.name, call, ["VARCHAR", "VARCHAR"], "DOUBLE", type=PythonUDFType.ARROW)


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return a table's columns and their DuckDB types, in order."""
    rows = con.execute(f"describe {quote(table)}").fetchall()
    return {row[0]: row[1] for row in rows}


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return the number of rows of a table."""
    return int(only_row(con, f"select count(*) from {quote(table)}")[0])


def only_row(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    """Return the single row of a query.

    The result is read to its end: DuckDB refuses other work on a connection while a result of `execute` is open.
    """
    (row,) = con.execute(query, list(values)).fetchall()
    return tuple(row)


def give_texts(con: duckdb.DuckDBPyConnection, out: str, column: str, values: Collection[str]) -> None:
    """Make a table of one column of texts, each once."""
    con.register("values_given", pa.table({column: pa.array(sorted(set(values)), pa.string())}))
    con.execute(f"create or replace table {quote(out)} as select * from values_given")
    con.unregister("values_given")
