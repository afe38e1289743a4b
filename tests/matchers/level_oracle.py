"""Holds the levels of a field type equal in DuckDB and in Python, and the same from either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import duckdb
import pyarrow as pa

from matchers.levels import Level, outcome
from matchers.similarity import SIMILARITIES, Similarity

KINDS = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}


def row(**named: Any) -> dict[str, Any]:
    """Return the columns `<field>_<attribute>` of the values of the fields named."""
    return {f"{field}_{a.name}": getattr(value, a.name) for field, value in named.items() for a in fields(value)}


def assert_levels_agree(levels: tuple[Level, ...], rows: Sequence[dict[str, Any]], types: dict[str, type]) -> set[str]:
    """Compare every row with every row in DuckDB and in Python; return the names of the levels seen."""
    table = _table(rows, types)
    cases = " ".join(
        f"when {level.condition.sql(lambda c: f'l.{c}', lambda c: f'r.{c}')} then '{level.name}'"
        for level in levels
        if level.condition is not None
    )
    with duckdb.connect() as con:
        for similarity in SIMILARITIES.values():
            _register(con, similarity)
        con.register("rows", table)
        found = con.execute(
            f"select l.i, r.i, case {cases} else '{levels[-1].name}' end from rows l, rows r order by 1, 2"
        ).fetchall()
    names = {(left, right): name for left, right, name in found}
    for (left, right), name in names.items():
        expected = outcome(levels, rows[left], rows[right]).name
        assert name == expected, (name, expected, rows[left], rows[right])
        assert names[right, left] == name, (names[right, left], name, rows[left], rows[right])
    return set(names.values())


def _register(con: duckdb.DuckDBPyConnection, similarity: Similarity) -> None:
    def column(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
        return pa.array(similarity.many(left.to_pylist(), right.to_pylist()))

    con.create_function(similarity.name, column, ["VARCHAR", "VARCHAR"], "DOUBLE", type="arrow")


def _table(rows: Sequence[dict[str, Any]], types: dict[str, type]) -> pa.Table:
    columns: dict[str, pa.Array] = {"i": pa.array(range(len(rows)))}
    for field, kind in types.items():
        assert is_dataclass(kind)
        for name, hint in get_type_hints(kind).items():
            parts = [part for part in getattr(hint, "__args__", (hint,)) if part not in (type(None), Ellipsis)]
            is_list = getattr(hint, "__origin__", None) is tuple
            values = [r[f"{field}_{name}"] for r in rows]
            column = [list(v) or None for v in values] if is_list else values
            columns[f"{field}_{name}"] = pa.array(column, pa.list_(KINDS[parts[0]]) if is_list else KINDS[parts[0]])
    return pa.table(columns)
