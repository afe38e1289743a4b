"""Credit rows of a PostgreSQL table, kept as Parquet for the time of the run.

In: a URL whose fragment names the table (`postgresql://USER@HOST/DATABASE#SCHEMA.TABLE`). The rows are read in one
statement, so they are of one moment, and stream to disk.

Invariant: no message repeats a row or a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_manager
import pyarrow as pa
import pyarrow.parquet as pq

from blocking.sql import quote
from golden_records.catalog.place import DatabaseUrl, read_place
from golden_records.catalog.postgresql import connect
from golden_records.catalog.postgresql_errors import database_error
from linkage.attach.credit_rows import CreditFile, parquet_file
from linkage.errors import LinkageError

_URL = re.compile(r"postgres(?:ql)?://")
# What Arrow has a type for; every other type comes as PostgreSQL writes it.
_AS_THEY_ARE = frozenset(
    ("bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "date", "timestamp", "timestamptz")
)
_COLUMNS = """
select a.attname::text, t.typname::text
from pg_attribute a
join pg_type t on t.oid = a.atttypid
where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
order by a.attnum"""


def is_database(text: str) -> bool:
    """Return whether a text names a database rather than a file."""
    return _URL.match(text) is not None


def copy_table(text: str, path: Path) -> CreditFile:
    """Copy the rows of a table to a Parquet file.

    Args:
        text: URL of the database and, after `#`, the table, with its schema if it is not in the search path.
        path: the file to write.

    Raises:
        LinkageError: no table is named, or it is not there or empty.
        CatalogError: no connection, or it broke.
    """
    url, _, table = text.partition("#")
    place = read_place(url, Path())
    assert isinstance(place, DatabaseUrl)
    if not table or table.count(".") > 1:
        raise LinkageError(f"{place}: no table is named; write postgresql://USER@HOST/DATABASE#SCHEMA.TABLE")
    name = ".".join(quote(part.strip('"')) for part in table.split("."))
    with _connected(place) as cursor:
        cursor.execute(_COLUMNS, (name,))
        columns = [(str(column), str(kind)) for column, kind in cursor.fetchall()]
        if not columns:
            raise LinkageError(f"{place}: no table {table!r}, or no right to see it; correct the name after #")
        listed = ", ".join(
            quote(c) if kind in _AS_THEY_ARE else f"{quote(c)}::text as {quote(c)}" for c, kind in columns
        )
        cursor.execute(f"select {listed} from {name}")
        rows = cursor.fetch_record_batch()
        schema = pa.schema([(field.name, field.type) for field in rows.schema])
        count = 0
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(pa.record_batch(batch.columns, schema=schema))
                count += batch.num_rows
    if not count:
        raise LinkageError(f"{place}: table {table!r} has no rows; name another, or ask for its rows again")
    return parquet_file(table, path)


@contextmanager
def _connected(place: DatabaseUrl) -> Iterator[Any]:
    raw = connect(place)
    try:
        with raw, raw.cursor() as cursor:
            cursor.execute("set session characteristics as transaction read only")
            cursor.execute("set client_encoding to 'UTF8'")
            yield cursor
    except adbc_driver_manager.Error as error:
        raise database_error(place, error) from None  # its text quotes rows
