"""What the content hash of a release is made of: per entity type and table, how many rows and the sum of their hashes.

Sums can be added to and taken from: a release's follow from the last one's and from the rows that came and went. A
row's hash is half of an MD5 over its columns. Rows that are being written are summed as they pass, so that nothing is
read twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from golden_records.catalog.arrow import ordered_rows
from golden_records.catalog.schema import FINGERPRINT, VERSIONED, Table
from golden_records.tables import quote

CONTENT_MODULUS = 2**63
CONTENT_TABLES = tuple(table for table in VERSIONED if table is not FINGERPRINT)
Sum = tuple[int, int]
# Entity type → table → {"rows": number, "sum": sum of row hashes}; tables without rows are left out.
Content = dict[str, dict[str, dict[str, int]]]

_TYPES = ("legal_person", "natural_person", "relation")
_HASH, _TYPE = "_content_hash", "_content_type"


def type_of(table: Table) -> str:
    """Return a DuckDB expression for the entity type, or other part of a release, that a row belongs to."""
    if table.part is not None:
        return f"'{table.part}'"
    if table.owner == "case_id":
        return "entity_type"
    return f"case when starts_with({quote(str(table.owner))}, 'NP') then 'natural_person' else 'legal_person' end"


def content_sums(con: DuckDBPyConnection, table: Table, query: str) -> dict[str, Sum]:
    """Return entity type → number of rows and sum of their hashes, for one table's rows."""
    rows = con.execute(
        f"select {type_of(table)} as entity_type, count(*), (sum({_hash(table)}) % {CONTENT_MODULUS})::bigint "
        f"from ({query}) group by all"
    ).fetchall()
    return {entity_type: (count, total) for entity_type, count, total in rows}


@contextmanager
def summed_rows(
    con: DuckDBPyConnection, table: Table, query: str, batch_rows: int, count: int, sums: dict[str, Sum]
) -> Iterator[pa.RecordBatchReader]:
    """Return the rows of a DuckDB query as `ordered_rows` does, in the order of the table's key.

    Args:
        con: DuckDB connection.
        table: a table that counts for the content.
        query: rows with its columns.
        batch_rows: rows of a batch.
        count: how many rows there are, about.
        sums: gets what `content_sums` returns, once all rows were taken.
    """
    places = " ".join(f"when '{entity_type}' then {place}" for place, entity_type in enumerate(_TYPES))
    place = f"coalesce(case {type_of(table)} {places} end, 0)::utinyint"
    hashed = f"select *, {_hash(table)} as {_HASH}, {place} as {_TYPE} from ({query})"
    with ordered_rows(con, hashed, table.key, batch_rows, count) as rows:
        names = [name for name in rows.schema.names if name not in (_HASH, _TYPE)]
        schema = pa.schema([rows.schema.field(name) for name in names])
        yield pa.RecordBatchReader.from_batches(schema, _summed(rows, names, sums))


def changed_content(last: Content, table: Table, came: Mapping[str, Sum], gone: Mapping[str, Sum]) -> Content:
    """Return the content after rows of a table came and others went."""
    content = {entity_type: dict(tables) for entity_type, tables in last.items()}
    for sign, sums in ((1, came), (-1, gone)):
        for entity_type, (rows, total) in sums.items():
            tables = content.setdefault(entity_type, {})
            held = tables.get(table.name, {"rows": 0, "sum": 0})
            tables[table.name] = {
                "rows": held["rows"] + sign * rows,
                "sum": (held["sum"] + sign * total) % CONTENT_MODULUS,
            }
    filled = {t: {name: entry for name, entry in tables.items() if entry["rows"]} for t, tables in content.items()}
    return {entity_type: tables for entity_type, tables in filled.items() if tables}


def _hash(table: Table) -> str:
    """Return a DuckDB expression for a row's hash: that of `md5_number_lower`, which takes the way through texts."""
    row = ", ".join(f"coalesce({quote(column.name)}::varchar, chr(0))" for column in table.columns)
    return f"(md5_number(concat_ws(chr(31), '{table.name}', {row})) >> 64)::ubigint"


def _summed(rows: pa.RecordBatchReader, names: list[str], sums: dict[str, Sum]) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        hashes, types = (batch.column(name).to_numpy() for name in (_HASH, _TYPE))
        for number, count in enumerate(np.bincount(types, minlength=len(_TYPES)).tolist()):
            if count:
                chosen = hashes if count == len(hashes) else hashes[types == number]
                rows_before, total = sums.get(_TYPES[number], (0, 0))
                # Numbers of 64 bits overflow to their remainder, of which that by CONTENT_MODULUS can still be taken.
                sums[_TYPES[number]] = (rows_before + count, (total + int(chosen.sum())) % CONTENT_MODULUS)
        yield batch.select(names)
