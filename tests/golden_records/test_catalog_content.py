"""The content hash follows from the rows alone, however they are read."""

from __future__ import annotations

import hashlib

import pytest
from duckdb import DuckDBPyConnection

from golden_records.catalog.content import CONTENT_MODULUS, Sum, changed_content, content_sums, summed_rows
from golden_records.catalog.schema import IDENTIFIER, RELATION, REVIEW_CASE, Table
from golden_records.entity_id import mint

LEGAL, NATURAL = mint("LP", 1), mint("NP", 1)
SEEN = (1, "2025-01-31", None, 2)
CASE = ("review", None, 0.1 + 0.2, None, None, None, None, None, None)
TABLES: dict[str, tuple[Table, list[tuple[object, ...]], list[str]]] = {
    "of entities": (
        IDENTIFIER,
        [(NATURAL, "resident_id", f"号{i}", *SEEN) for i in range(40)] + [(LEGAL, "uscc", "", *SEEN)],
        ["natural_person"] * 40 + ["legal_person"],
    ),
    "of cases": (
        REVIEW_CASE,
        [("RC-1", "natural_person", *CASE), ("RC-2", "legal_person", *CASE)],
        ["natural_person", "legal_person"],
    ),
    "of a part": (
        RELATION,
        [(NATURAL, "employed_by", LEGAL, "uscc", "employer", "current", *[None] * 7)],
        ["relation"],
    ),
}


def digest(table: Table, row: tuple[object, ...]) -> int:
    cells = ["\0" if value is None else str(value) for value in row]
    whole = hashlib.md5("\x1f".join([table.name, *cells]).encode(), usedforsecurity=False).digest()
    return int.from_bytes(whole[8:], "little")


@pytest.mark.parametrize(("table", "rows", "types"), TABLES.values(), ids=list(TABLES))
def test_rows_are_summed_as_they_pass_and_pass_in_the_order_of_their_key(
    con: DuckDBPyConnection, table: Table, rows: list[tuple[object, ...]], types: list[str]
) -> None:
    declared = ", ".join(f'"{c.name}" {c.type.replace("text", "varchar")}' for c in table.columns)
    con.execute(f"create table given ({declared})")
    con.executemany(f"insert into given values ({', '.join('?' * len(table.columns))})", rows[::-1])
    sums: dict[str, Sum] = {}
    with summed_rows(con, table, "select *, 7::bigint as since_release from given", 3, 9, sums) as reader:
        passed = [tuple(row.values()) for batch in reader for row in batch.to_pylist()]
    assert passed == sorted(((*row, 7) for row in rows), key=str)
    expected = {
        kind: (types.count(kind), sum(digest(table, r) for r, k in zip(rows, types, strict=True) if k == kind))
        for kind in types
    }
    assert sums == {kind: (count, total % CONTENT_MODULUS) for kind, (count, total) in expected.items()}
    assert content_sums(con, table, "from given") == sums


def test_what_came_and_goes_again_leaves_no_trace_in_the_content() -> None:
    before = changed_content({}, IDENTIFIER, {"legal_person": (2, CONTENT_MODULUS - 1)}, {})
    after = changed_content(before, RELATION, {"relation": (1, 5)}, {})
    assert before == {"legal_person": {"identifier": {"rows": 2, "sum": CONTENT_MODULUS - 1}}}
    assert after["relation"] == {"relation": {"rows": 1, "sum": 5}}
    assert changed_content(after, RELATION, {}, {"relation": (1, 5)}) == before
    assert changed_content(before, IDENTIFIER, {"legal_person": (1, 3)}, {"legal_person": (3, 2)}) == {}
