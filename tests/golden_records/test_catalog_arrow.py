"""Rows sorted range by range come as if they had been sorted at once."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_records.catalog import arrow
from golden_records.catalog.arrow import ordered_rows

OWNERS = st.lists(st.none() | st.text(alphabet="aé'张王\U00020000", max_size=3), max_size=60)


@given(owners=OWNERS, sorted_rows=st.integers(1, 20))
def test_ranges_together_are_the_whole_in_order(owners: list[str | None], sorted_rows: int) -> None:
    with duckdb.connect() as con, pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow, "_SORTED_ROWS", sorted_rows)
        patch.setattr(arrow, "_SAMPLED", 2)
        con.execute("create table given (owner varchar, place integer)")
        con.executemany("insert into given values (?, ?)", [("x", -1), *zip(owners, range(len(owners)), strict=True)])
        with ordered_rows(con, "select * from given", ("owner", "place"), 3, len(owners) + 1) as reader:
            found = [(row["owner"], row["place"]) for row in reader.read_all().to_pylist()]
        assert sorted(found, key=str) == sorted([("x", -1), *zip(owners, range(len(owners)), strict=True)], key=str)
        known = [row for row in found if row[0] is not None]
        assert known == sorted(known)


def test_many_rows_are_more_than_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "_SORTED_ROWS", 100)
    with duckdb.connect() as con:
        query = "select lpad(i::varchar, 6, '0') as owner, i from range(1000) t(i)"
        assert len(arrow._ranges(con, query, "owner", 1000)) == 10
        assert arrow._ranges(con, query, "owner", 100) == ["true"]
