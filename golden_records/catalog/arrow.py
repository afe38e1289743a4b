"""Rows of the catalog's tables as Arrow: which type a column has, rows of DuckDB, rows of Python values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from golden_records.catalog.schema import TABLES

ARROW = {"text": pa.string(), "bigint": pa.int64(), "double precision": pa.float64(), "blob": pa.binary()}
SQL = {arrow: name for name, arrow in ARROW.items()}
_DECLARED = {table.name: {column.name: ARROW[column.type] for column in table.columns} for table in TABLES}


def schema_of(table: str, columns: Sequence[str]) -> pa.Schema:
    """Return the declared types of some columns of a table; `since_release` and the like are whole numbers."""
    return pa.schema([(name, _DECLARED[table].get(name, pa.int64())) for name in columns])


@contextmanager
def arrow_rows(con: DuckDBPyConnection, query: str, batch_rows: int) -> Iterator[pa.RecordBatchReader]:
    """Return the rows of a DuckDB query; nothing else is asked of the connection while the block runs."""
    with con.sql(query).to_arrow_reader(batch_rows) as rows:
        yield rows


def as_reader(columns: Mapping[str, pa.DataType], rows: Sequence[Sequence[Any]]) -> pa.RecordBatchReader:
    """Return rows of Python values as Arrow."""
    schema = pa.schema(list(columns.items()))
    arrays = [pa.array([row[i] for row in rows], type) for i, type in enumerate(columns.values())]
    return pa.RecordBatchReader.from_batches(schema, [pa.record_batch(arrays, schema=schema)])
