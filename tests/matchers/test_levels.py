"""Conditions mean the same in SQL and in Python, and do not depend on which side is left."""

from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.database import connect
from matchers.levels import (
    All,
    AnyOf,
    AtLeast,
    AtLeastAcross,
    Both,
    Condition,
    Contains,
    Differs,
    Either,
    Level,
    Missing,
    Not,
    Overlaps,
    Same,
    SameAcross,
    different,
    missing,
    outcome,
)

WORDS = ["张伟", "张炜", "李伟", "王", "zhang wei", "深圳市宝安区鑫源电子有限公司", "深圳宝安鑫源电子", "", "O'Neil"]
TYPES = {"a": "varchar", "b": "varchar", "xs": "varchar[]", "n": "integer", "f": "boolean"}
ROWS = st.fixed_dictionaries(
    {
        "a": st.none() | st.sampled_from(WORDS),
        "b": st.none() | st.sampled_from(WORDS),
        "xs": st.none() | st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
        "n": st.none() | st.integers(0, 2),
        "f": st.none() | st.booleans(),
    }
)
LEAVES: list[Condition] = [
    Missing(("a",)),
    Missing(("a", "xs")),
    Same("a"),
    SameAcross("a", "b"),
    Differs("a"),
    Overlaps("xs"),
    Contains("a", "xs"),
    AtLeast("gy_jaro_winkler", "a", 0.8),
    AtLeast("gy_edits", "a", -1),
    AtLeastAcross("gy_common", "a", "b", 0.6),
    Either("n", 1),
    Either("f", True),
    Both("n", 2),
    Both("a", "O'Neil"),
]
CONDITIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=5,
)


def in_sql(con: duckdb.DuckDBPyConnection, condition: Condition, left: dict[str, Any], right: dict[str, Any]) -> Any:
    rows = {"l": left, "r": right}
    values = ", ".join(f"cast(? as {kind}) as {side}_{name}" for side in rows for name, kind in TYPES.items())
    query = f"select {condition.sql(lambda c: f'l_{c}', lambda c: f'r_{c}')} from (select {values})"
    result = con.execute(query, [rows[side][name] for side in rows for name in TYPES]).fetchone()
    assert result is not None
    return result[0]


@pytest.fixture(scope="module")
def con():
    with connect(threads=1) as connection:
        yield connection


@settings(max_examples=300, deadline=None)
@given(condition=CONDITIONS, left=ROWS, right=ROWS)
def test_a_condition_means_the_same_in_sql_and_in_python(
    con: duckdb.DuckDBPyConnection, condition: Condition, left: dict[str, Any], right: dict[str, Any]
) -> None:
    assert in_sql(con, condition, left, right) is condition.holds(left, right)


@settings(max_examples=300, deadline=None)
@given(condition=CONDITIONS, left=ROWS, right=ROWS)
def test_a_condition_is_symmetric(condition: Condition, left: dict[str, Any], right: dict[str, Any]) -> None:
    assert condition.holds(left, right) is condition.holds(right, left)


@settings(deadline=None)
@given(left=st.text(max_size=12), right=st.text(max_size=12))
def test_similarities_are_symmetric_and_equal_for_pairs_and_columns(left: str, right: str) -> None:
    from matchers.similarity import SIMILARITIES

    for similarity in SIMILARITIES.values():
        forth, back = similarity.one(left, right), similarity.one(right, left)
        assert forth == back, similarity.name
        assert similarity.many([left, right], [right, left]).tolist() == [forth, back], similarity.name


def test_the_first_level_that_holds_is_the_outcome() -> None:
    levels = (
        missing("a"),
        Level("exact", Same("a"), "相同", "equal"),
        Level("near", AtLeast("gy_edits", "a", -1), "一字之差", "one edit apart"),
        different(),
    )
    assert outcome(levels, {"a": "张伟"}, {"a": None}).name == "missing"
    assert outcome(levels, {"a": "张伟"}, {"a": "张伟"}).name == "exact"
    assert outcome(levels, {"a": "张伟"}, {"a": "张炜"}).name == "near"
    assert outcome(levels, {"a": "张伟"}, {"a": "李娜"}).name == "different"


def test_a_chinese_character_counts_as_one_edit() -> None:
    assert AtLeast("gy_edits", "a", -1).holds({"a": "王"}, {"a": "李"})


def test_values_reach_sql_as_literals_not_as_code() -> None:
    with connect() as con:
        con.register("t", pa.table({"l_a": ["x' or 1=1 --"], "r_a": ["y"]}))
        sql = Either("a", "x' or 1=1 --").sql(lambda c: f"l_{c}", lambda c: f"r_{c}")
        assert con.execute(f"select {sql} from t").fetchone() == (True,)
        sql = Either("a", "' or '1'='1").sql(lambda c: f"l_{c}", lambda c: f"r_{c}")
        assert con.execute(f"select {sql} from t").fetchone() == (False,)
