"""The cells of a catalog's table as text, to be searched: what is packed is unpacked first.

Bytes that are not unpacked are hashes and ids, and hold no value of anybody.
"""

from __future__ import annotations

import pyarrow as pa
from duckdb import DuckDBPyConnection

from golden_records.catalog.arrow import schema_of
from golden_records.catalog.delta import load
from golden_records.catalog.lookup_profiles import unpack_contents
from golden_records.catalog.schema import LOOKUP_ENTITY, TABLES, Column
from golden_records.catalog.store import Catalog
from golden_records.tables import quote

_BYTES = {table.name: {c.name for c in table.columns if c.type == "blob"} for table in TABLES}


def load_cells(catalog: Catalog, con: DuckDBPyConnection, table: str, *, out: str) -> None:
    """Make the temporary DuckDB table `out`: the table's columns as text, or `content` of the profiles packed in it.

    Args:
        catalog: the store.
        con: DuckDB connection.
        table: a table of the store.
        out: table to make.
    """
    columns = [column for column in catalog.connection.columns(table) if column not in _BYTES.get(table, ())]
    texts = ", ".join(f"cast({quote(column)} as text)" for column in columns)
    load(con, out, [Column(column) for column in columns], catalog, f"select {texts} from {quote(table)}")
    if table == LOOKUP_ENTITY.name:
        _load_profiles(catalog, con, out)


def _load_profiles(catalog: Catalog, con: DuckDBPyConnection, out: str) -> None:
    con.execute(f"alter table {quote(out)} add column content varchar")
    columns = ("number", "profile_ids", "contents")
    query = f"select {', '.join(columns)} from {LOOKUP_ENTITY.name}"
    for batch in catalog.connection.batches(query, (), schema_of(LOOKUP_ENTITY.name, columns)):
        con.register("_catalog_batch", pa.table(unpack_contents(batch)))
        con.execute(f"insert into {quote(out)} (number, content) select number::varchar, content from _catalog_batch")
        con.unregister("_catalog_batch")
