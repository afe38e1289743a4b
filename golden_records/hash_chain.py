"""Chains of rows (哈希链): each row of a table carries a hash over itself and the row before.

In: a table of the catalog that is only added to, with a running number as its key and the columns `previous_hash` and
`hash`. A row that was altered, removed or put in between shows. Rows cut off at the end leave no trace: whoever fears
that keeps the last hash in another place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from golden_records.catalog.publish import as_json
from golden_records.catalog.schema import Table
from golden_records.catalog.store import Catalog
from golden_records.tables import quote


def next_key(catalog: Catalog, table: Table) -> int:
    """Return the number of the row to be added next."""
    row = catalog.row(f"select coalesce(max({quote(table.key[0])}), 0) + 1 from {quote(table.name)}")
    assert row is not None
    return int(row[0])


def append(catalog: Catalog, table: Table, values: Mapping[str, Any]) -> None:
    """Add a row to a chain; the caller holds a writing transaction.

    Args:
        catalog: the store.
        table: the table.
        values: every column but the two of the chain; the key is `next_key`.
    """
    _insert(catalog, table, [_chained(table, values, last_hash(catalog, table))])


def append_all(catalog: Catalog, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows to a chain and number them; the caller holds a writing transaction.

    Args:
        catalog: the store.
        table: the table.
        rows: every column but the key and the two of the chain.
    """
    key, before = next_key(catalog, table), last_hash(catalog, table)
    made = []
    for number, values in enumerate(rows, start=key):
        made.append(_chained(table, {table.key[0]: number, **values}, before))
        before = made[-1]["hash"]
    _insert(catalog, table, made)


def _chained(table: Table, values: Mapping[str, Any], before: str | None) -> dict[str, Any]:
    """Return a row with the hash of the row before it and its own."""
    row = {**values, "previous_hash": before}
    return {**row, "hash": _hash(table, row)}


def _insert(catalog: Catalog, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    marks = ", ".join("?" for _ in table.columns)
    catalog.connection.executemany(
        f"insert into {quote(table.name)} ({_names(table)}) values ({marks})",
        [[row[name] for name in table.column_names] for row in rows],
    )


def broken_rows(catalog: Catalog, table: Table) -> list[int]:
    """Return the keys of rows that do not follow from the row before."""
    broken: list[int] = []
    before, place = None, 1
    rows = catalog.execute(f"select {_names(table)} from {quote(table.name)} order by {quote(table.key[0])}")
    for row in rows:
        values = dict(zip(table.column_names, row, strict=True))
        key = values[table.key[0]]
        if key != place or values["previous_hash"] != before or values["hash"] != _hash(table, values):
            broken.append(int(key))
        before, place = values["hash"], key + 1
    return broken


def last_hash(catalog: Catalog, table: Table) -> str | None:
    """Return the hash of the newest row, None of an empty chain."""
    row = catalog.row(f"select hash from {quote(table.name)} order by {quote(table.key[0])} desc limit 1")
    return None if row is None else str(row[0])


def rechain(catalog: Catalog, table: Table, first: int) -> None:
    """Make the hashes of a chain anew from one row on, after its content was changed on purpose.

    The caller holds a writing transaction, and records elsewhere that this was done.
    """
    key = quote(table.key[0])
    row = catalog.row(f"select hash from {quote(table.name)} where {key} < ? order by {key} desc limit 1", (first,))
    before = None if row is None else row[0]
    rows = catalog.execute(
        f"select {_names(table)} from {quote(table.name)} where {key} >= ? order by {key}", (first,)
    ).fetchall()
    for row in rows:
        values = {**dict(zip(table.column_names, row, strict=True)), "previous_hash": before}
        digest = _hash(table, values)
        catalog.execute(
            f"update {quote(table.name)} set previous_hash = ?, hash = ? where {key} = ?",
            (before, digest, values[table.key[0]]),
        )
        before = digest


def _hash(table: Table, row: Mapping[str, Any]) -> str:
    told = {name: row[name] for name in table.column_names if name != "hash"}
    return hashlib.sha256(as_json(told).encode()).hexdigest()


def _names(table: Table) -> str:
    return ", ".join(quote(name) for name in table.column_names)
