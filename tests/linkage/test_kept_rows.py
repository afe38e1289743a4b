"""Rows of kept tables: those that say the same stay where they are, and the table is the one given."""

from __future__ import annotations

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.increment.rows import change_rows

_ROWS = st.dictionaries(
    st.tuples(st.sampled_from("ABCD"), st.integers(0, 3)), st.one_of(st.none(), st.sampled_from(("", "x", "y")))
)


@settings(deadline=None)
@given(held=_ROWS, fresh=_ROWS, wanted=st.sets(st.sampled_from("ABCDE")))
def test_the_wanted_rows_are_those_given_and_no_other_row_is_touched(
    held: dict[tuple[str, int], str | None], fresh: dict[tuple[str, int], str | None], wanted: set[str]
) -> None:
    fresh = {key: value for key, value in fresh.items() if key[0] in wanted}
    with duckdb.connect() as con:
        for table, rows in (("kept", held), ("made", fresh)):
            con.execute(f"create table {table} (owner varchar, number integer, text varchar)")
            for (owner, number), text in rows.items():
                con.execute(f"insert into {table} values (?, ?, ?)", [owner, number, text])
        con.execute("create table wanted (owner varchar)")
        for owner in wanted:
            con.execute("insert into wanted values (?)", [owner])
        places = dict(con.execute("select (owner, number, text), rowid from kept").fetchall())
        change_rows(con, "kept", wanted="wanted", key="owner", fresh="made")
        after = con.execute("select owner, number, text, rowid from kept").fetchall()
    expected = {key: value for key, value in held.items() if key[0] not in wanted} | fresh
    assert sorted(((owner, number), text) for owner, number, text, _ in after) == sorted(
        expected.items(), key=lambda item: item[0]
    )
    for owner, number, text, place in after:
        if held.get((owner, number), "other") == text and (owner, number) in held:
            assert place == places[owner, number, text]


@settings(max_examples=20, deadline=None)
@given(fresh=_ROWS)
def test_rows_that_come_are_in_the_order_asked_for(fresh: dict[tuple[str, int], str | None]) -> None:
    with duckdb.connect(config={"threads": 1}) as con:
        for table in ("kept", "made"):
            con.execute(f"create table {table} (owner varchar, number integer, text varchar)")
        for (owner, number), text in fresh.items():
            con.execute("insert into made values (?, ?, ?)", [owner, number, text])
        change_rows(con, "kept", wanted="made", key="owner", fresh="made", order="number")
        numbers = [number for (number,) in con.execute("select number from kept order by rowid").fetchall()]
    assert numbers == sorted(number for _, number in fresh)
