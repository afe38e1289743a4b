"""Levels evaluated on arrays of pairs say what they say of each pair alone."""

from __future__ import annotations

import inspect
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers import levels as level_module
from matchers.level_arrays import Pairs, holds, level_numbers
from matchers.level_columns import MISSING, Columns, coded, columns_read, selected, some_value
from matchers.level_plan import Every, Negated, Question, Shared, planned
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

WORDS = ["张伟", "张炜", "李伟", "王", "zhang wei", "深圳宝安鑫源电子", "", "O'Neil", "\u202e伟张", "\x00", "🙂"]
ROW = st.fixed_dictionaries(
    {
        "a": st.none() | st.sampled_from(WORDS),
        "b": st.none() | st.sampled_from(WORDS),
        "xs": st.none() | st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
        "n": st.none() | st.integers(0, 2),
        "f": st.none() | st.booleans(),
    }
)
ROWS = st.lists(ROW, max_size=6)
SCHEMA = pa.schema(
    {"a": pa.string(), "b": pa.string(), "xs": pa.list_(pa.string()), "n": pa.int32(), "f": pa.bool_()}.items()
)
LEAVES: list[Condition] = [
    Missing(("a",)),
    Missing(("a", "xs")),
    Same("a"),
    Same("n"),
    SameAcross("a", "b"),
    Differs("b"),
    Overlaps("xs"),
    Contains("a", "xs"),
    Contains("b", "xs"),
    AtLeast("gy_jaro_winkler", "a", 0.8),
    AtLeast("gy_edits", "a", -1),
    AtLeast("gy_edits", "a", -2),
    AtLeastAcross("gy_common", "a", "b", 0.6),
    Either("n", 1),
    Either("f", True),
    Both("n", 2),
    Both("a", "O'Neil"),
    Either("a", "no such value"),
]
CONDITIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=6,
)


def level(name: str, condition: Condition) -> Level:
    return Level(name, condition, "某级", "some level")


def question(condition: Condition) -> Question:
    """What is asked of pairs where nothing but the condition is asked."""
    return planned((level("it", condition),))[0].question


TYPES = {"a": "VARCHAR", "b": "VARCHAR", "xs": "VARCHAR[]", "n": "INTEGER", "f": "BOOLEAN"}
CON = duckdb.connect()


def columns_of(table: pa.Table, levels: tuple[Level, ...], positions: list[int]) -> Columns:
    """The columns that the levels read of a table, each row at its position."""

    def reference(name: str) -> str:
        return f'"{name}"'

    read = ", ".join(["position", *selected(levels, TYPES, reference)])
    CON.register("rows", table.append_column("position", pa.array(positions, pa.int64())))
    found = CON.sql(f"select {read} from rows where {some_value(levels, reference)}").to_arrow_table()
    return coded(found.drop_columns("position"), found.column("position").to_numpy(), len(positions))


def all_pairs(rows: list[dict[str, Any]], levels: tuple[Level, ...], order: list[int] | None = None) -> Pairs:
    """Every row with every row; the table holds the rows in another order than their positions if one is given."""
    order = order or list(range(len(rows)))
    table = pa.Table.from_pylist([rows[at] for at in order], schema=SCHEMA)
    columns = columns_of(table, levels, order)
    left, right = np.divmod(np.arange(len(rows) ** 2), max(len(rows), 1))
    return Pairs.of(columns, left, right)


@settings(max_examples=300, deadline=None)
@given(condition=CONDITIONS, rows=ROWS)
def test_a_condition_means_the_same_for_arrays_and_for_each_pair(
    condition: Condition, rows: list[dict[str, Any]]
) -> None:
    answers = holds(question(condition), all_pairs(rows, (level("it", condition),)))
    assert answers.tolist() == [condition.holds(left, right) for left in rows for right in rows]


@settings(max_examples=200, deadline=None)
@given(conditions=st.lists(CONDITIONS, min_size=1, max_size=4), rows=ROWS, seed=st.randoms())
def test_the_levels_found_are_those_of_each_pair_in_whatever_order_the_rows_come(
    conditions: list[Condition], rows: list[dict[str, Any]], seed: Any
) -> None:
    named = tuple(level(f"level_{i}", condition) for i, condition in enumerate(conditions))
    levels = (missing("a", "b", "xs"), *named, different())
    order = list(range(len(rows)))
    seed.shuffle(order)
    numbers = level_numbers(planned(levels), all_pairs(rows, levels, order)).tolist()
    names = [outcome(levels, left, right).name for left in rows for right in rows]
    best_first = [found.name for found in levels]
    assert numbers == [-1 if n == "missing" else len(levels) - 1 - best_first.index(n) for n in names]


@given(rows=ROWS)
def test_one_of_several_values_on_either_side_is_asked_of_each_row(rows: list[dict[str, Any]]) -> None:
    condition = AnyOf((Either("n", 1), Same("a"), Either("f", True), Either("n", 2), Both("b", "王")))
    pairs = all_pairs(rows, (level("it", condition),))
    assert holds(question(condition), pairs).tolist() == [
        condition.holds(left, right) for left in rows for right in rows
    ]
    assert (("n", 1), ("f", True), ("n", 2)) in pairs.columns.asked


def test_every_kind_of_condition_can_be_evaluated_on_arrays() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(level_module, inspect.isclass)
        if kind.__module__ == level_module.__name__ and hasattr(kind, "holds") and kind is not Condition
    }
    tried: set[type] = {type(leaf) for leaf in LEAVES} | {Not, All, AnyOf}
    assert kinds == tried


def test_an_unknown_kind_of_condition_is_an_error_and_not_a_level() -> None:
    class Other:
        def sql(self, left: Any, right: Any) -> str:
            return "true"

        def holds(self, left: Any, right: Any) -> bool:
            return True

    with pytest.raises(TypeError, match="Other"):
        holds(question(Other()), all_pairs([{"a": "王"}], ()))


@pytest.mark.parametrize("shared", [[], ["共有"]])
def test_long_lists_are_compared_like_short_ones(shared: list[str]) -> None:
    rows = [{"xs": [f"{side}{i}" for i in range(10_000)] + shared} for side in "甲乙"] + [{"xs": None}]
    answers = holds(question(Overlaps("xs")), all_pairs(rows, (level("it", Overlaps("xs")),)))
    some = bool(shared)
    assert answers.tolist() == [True, some, False, some, True, False, False, False, False]


def test_a_similarity_is_asked_once_for_two_values(monkeypatch: pytest.MonkeyPatch) -> None:
    from matchers.similarity import SIMILARITIES, Similarity

    asked: list[tuple[str, str]] = []
    real = SIMILARITIES["gy_common"]

    def many(left: Any, right: Any) -> Any:
        asked.extend(zip(left, right, strict=True))
        return real.many(left, right)

    monkeypatch.setitem(SIMILARITIES, "gy_common", Similarity("gy_common", real.one, many))
    near = tuple(level(f"common_{share}", AtLeast("gy_common", "a", share)) for share in (0.9, 0.5, 0.3))
    levels = (missing("a"), level("exact", Same("a")), *near, different())
    rows = [{"a": word} for word in ("甲乙丙丁", "甲乙丙丁", "甲乙戊己", "庚辛壬癸", None)] * 3
    numbers = level_numbers(planned(levels), all_pairs(rows, levels))
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) == 6
    assert sorted(set(numbers.tolist())) == [-1, 0, 2, 4]


def test_what_several_levels_ask_is_asked_once_a_pair() -> None:
    near = AnyOf((Missing(("b",)), Contains("a", "xs")))
    levels = (
        level("first", All((Same("n"), near))),
        level("second", All((Not(Same("f")), Not(near)))),
        level("third", All((near, Same("f")))),
        different(),
    )
    first, second, third = (step.question for step in planned(levels))
    assert isinstance(first, Every)
    assert isinstance(second, Every)
    assert isinstance(third, Every)
    shared = first.parts[1]
    assert isinstance(shared, Shared)
    assert second.parts == (Negated(Same("f")), Negated(shared))
    assert third.parts == (shared, Same("f"))


def test_one_value_has_one_code_whatever_column_row_or_list_it_is_in() -> None:
    one, other = ({"a": word, "b": None, "xs": [word, "王"], "n": i} for i, word in enumerate(("甲", "乙")))
    tables = [pa.Table.from_pylist(rows, schema=SCHEMA) for rows in ([one], [], [other, other, one])]
    condition = level("it", AnyOf((Same("a"), Overlaps("xs"), Contains("b", "xs"), Same("n"))))
    made = columns_of(pa.concat_tables(tables), (condition,), [0, 1, 2, 3])
    a, xs, n = (made.named[name].codes.tolist() for name in ("a", "xs", "n"))
    assert a == [a[0], a[1], a[1], a[0]]
    assert xs == [a[0], xs[1], a[1], xs[1], a[1], xs[1], a[0], xs[1]]
    assert n == [n[0], n[1], n[1], n[0]]
    assert len({a[0], a[1], xs[1], MISSING}) == 4
    assert made.named["b"].codes.tolist() == [MISSING] * 4


def test_a_row_without_a_value_to_compare_is_not_read_and_stands_for_no_other() -> None:
    rows = [{"a": None, "n": 1}, {"a": "甲", "n": 1}, {"a": "乙", "n": 2}, {"a": None, "n": None}]
    levels = (missing("a"), level("first", Both("n", 1)), level("near", AtLeast("gy_edits", "a", -1)), different())
    pairs = all_pairs(rows, levels)
    assert pairs.columns.named["n"].codes.tolist().count(int(MISSING)) == 2
    assert level_numbers(planned(levels), pairs).reshape(4, 4).tolist() == [
        [-1, -1, -1, -1],
        [-1, 2, 1, -1],
        [-1, 1, 1, -1],
        [-1, -1, -1, -1],
    ]


def test_texts_are_read_only_of_columns_whose_values_are_looked_at() -> None:
    conditions = (Same("a"), AnyOf((Not(AtLeast("gy_edits", "b", -1)), Overlaps("xs"))), Both("n", 2))
    levels = tuple(level(f"level_{i}", condition) for i, condition in enumerate(conditions))
    made = columns_of(pa.Table.from_pylist([{"a": "甲"}], schema=SCHEMA), levels, [0])
    assert {name for name, column in made.named.items() if column.values} == {"b", "n"}


def test_a_list_is_never_compared_as_one_value() -> None:
    with pytest.raises(AssertionError, match="list"):
        holds(question(Same("xs")), all_pairs([{"xs": ["王"]}], (level("it", Overlaps("xs")),)))


def test_the_columns_read_are_those_of_conditions_and_term_frequencies() -> None:
    levels = (missing("a"), Level("exact", Same("b"), "同", "same", term_frequency="n"), different())
    assert columns_read(levels) == ["a", "b", "n"]


def test_two_rooms_of_one_plain_hash_are_two() -> None:
    rooms = ("宝安30区3栋102", "宝安37区3栋402")
    with duckdb.connect() as con:
        assert con.execute("select hash(?) = hash(?)", rooms).fetchall() == [(True,)], "or the case proves nothing"
    rows = [dict.fromkeys(("a", "b", "n", "f")) | {"a": room, "xs": [room]} for room in rooms]
    for condition in (Same("a"), Overlaps("xs"), Contains("a", "xs")):
        answers = holds(question(condition), all_pairs(rows, (level("it", condition),)))
        assert answers.tolist() == [condition.holds(left, right) for left in rows for right in rows]
