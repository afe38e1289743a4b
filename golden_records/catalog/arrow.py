"""Rows of the catalog's tables as Arrow: which type a column has, rows of DuckDB, rows of Python values."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from golden_records.catalog.schema import TABLES
from golden_records.tables import quote
from matchers.levels import literal

ARROW = {"text": pa.string(), "bigint": pa.int64(), "double precision": pa.float64(), "blob": pa.binary()}
SQL = {arrow: name for name, arrow in ARROW.items()}
# Sorted at once: little enough for memory, and much enough that reading the whole anew for each range pays.
_SORTED_ROWS = 8_000_000
_SAMPLED = 64
_DECLARED = {table.name: {column.name: ARROW[column.type] for column in table.columns} for table in TABLES}


def schema_of(table: str, columns: Sequence[str]) -> pa.Schema:
    """Return the declared types of some columns of a table; `since_release` and the like are whole numbers."""
    return pa.schema([(name, _DECLARED[table].get(name, pa.int64())) for name in columns])


@contextmanager
def arrow_rows(con: DuckDBPyConnection, query: str, batch_rows: int) -> Iterator[pa.RecordBatchReader]:
    """Return the rows of a DuckDB query; nothing else is asked of the connection while the block runs."""
    with con.sql(query).to_arrow_reader(batch_rows) as rows:
        yield rows


@contextmanager
def ordered_rows(
    con: DuckDBPyConnection, query: str, order: Sequence[str], batch_rows: int, rows: int
) -> Iterator[pa.RecordBatchReader]:
    """Return the rows of a DuckDB query in the order of columns, as `arrow_rows` does.

    Many are sorted range by range of the first of these columns: the first come soon, and the next range is sorted
    while they are being written.

    Args:
        con: DuckDB connection.
        query: the rows.
        order: columns; the first is text.
        batch_rows: rows of a batch.
        rows: how many rows there are, about.
    """
    columns = ", ".join(quote(column) for column in order)
    queries = [
        f"from ({query}) where {condition} order by {columns}" for condition in _ranges(con, query, order[0], rows)
    ]
    if len(queries) == 1:
        with arrow_rows(con, queries[0], batch_rows) as whole:
            yield whole
        return

    def batches() -> Generator[pa.RecordBatch, None, None]:
        for one in queries:
            with arrow_rows(con, one, batch_rows) as sorted_rows:
                yield from sorted_rows

    schema = con.sql(f"from ({query}) limit 0").to_arrow_table().schema
    with closing(batches()) as sorted_batches:
        yield pa.RecordBatchReader.from_batches(schema, sorted_batches)


def as_reader(columns: Mapping[str, pa.DataType], rows: Sequence[Sequence[Any]]) -> pa.RecordBatchReader:
    """Return rows of Python values as Arrow."""
    schema = pa.schema(list(columns.items()))
    arrays = [pa.array([row[i] for row in rows], type) for i, type in enumerate(columns.values())]
    return pa.RecordBatchReader.from_batches(schema, [pa.record_batch(arrays, schema=schema)])


def _ranges(con: DuckDBPyConnection, query: str, column: str, rows: int) -> list[str]:
    """Return conditions that part rows by a column, in its order, into shares that are about alike."""
    count = -(-rows // _SORTED_ROWS)
    if count <= 1:
        return ["true"]
    name = quote(column)
    sample = con.execute(f"select {name} from ({query}) using sample {_SAMPLED * count} rows").fetchall()
    values = sorted(value for (value,) in sample if value is not None)
    bounds = sorted(set(values[_SAMPLED::_SAMPLED]))
    froms = ["true", *(f"{name} >= {literal(bound)}" for bound in bounds)]
    # A missing value is in the first range: the table it goes to says what is wrong with it.
    untils = [f"({name} >= {literal(bound)}) is not true" for bound in bounds]
    return [f"{one} and {other}" for one, other in zip(froms, [*untils, "true"], strict=True)]
