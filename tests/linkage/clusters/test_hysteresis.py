"""Kept links: a link that was made holds a little longer, and nothing else changes."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.clusters.hysteresis import carry_links, keep_links
from linkage.entity_config import EntityConfig, load_entity_config

Row = tuple[int, int, str, str, float]


def config(hysteresis: float = 2.0) -> EntityConfig:
    shipped = load_entity_config("natural_person")
    return shipped.model_copy(
        update={
            "thresholds": shipped.thresholds.model_copy(update={"auto": 8.0, "review": 2.0}),
            "clustering": shipped.clustering.model_copy(update={"hysteresis": hysteresis}),
        }
    )


def judged_after(
    rows: list[Row], kept: list[tuple[int, int]] | None, hysteresis: float = 2.0
) -> tuple[int, set[tuple[int, int, str, str]]]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute(
            "create table judged (left_id bigint, right_id bigint, verdict varchar, verdict_rule varchar, "
            "match_weight double)"
        )
        con.execute("create table kept (left_id bigint, right_id bigint)")
        for table, given_rows in (("judged", rows), ("kept", kept or [])):
            for row in given_rows:
                con.execute(f"insert into {table} values ({', '.join('?' * len(row))})", list(row))
        name = "kept" if kept is not None else None
        count = keep_links(con, config(hysteresis), judged="judged", kept=name)
        after = con.execute("select left_id, right_id, verdict, verdict_rule from judged").fetchall()
        assert con.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)
    return count, {(a, b, verdict, rule) for a, b, verdict, rule in after}


def verdict_of(verdict: str, rule: str, weight: float, *, kept: bool = True, hysteresis: float = 2.0) -> str:
    _, after = judged_after([(1, 2, verdict, rule, weight)], [(1, 2)] if kept else [], hysteresis)
    return after.pop()[2]


@pytest.mark.parametrize(
    ("weight", "expected"), [(7.999, "auto"), (6.0, "auto"), (5.999, "review")], ids=["just below", "at", "under"]
)
def test_a_link_of_the_last_run_holds_down_to_the_lower_weight(weight: float, expected: str) -> None:
    assert verdict_of("review", "score", weight) == expected


def test_a_pair_that_was_not_linked_needs_the_whole_weight() -> None:
    assert verdict_of("review", "score", 7.9, kept=False) == "review"


@pytest.mark.parametrize(
    ("verdict", "rule"), [("review", "twins"), ("reject", "score"), ("reject", "twins"), ("conflict", "same_number")]
)
def test_a_rule_or_a_low_weight_lets_go(verdict: str, rule: str) -> None:
    assert verdict_of(verdict, rule, 7.5) == verdict


def test_without_hysteresis_nothing_is_kept() -> None:
    assert verdict_of("review", "score", 7.999, hysteresis=0.0) == "review"


def test_a_first_run_keeps_nothing() -> None:
    assert judged_after([(1, 2, "review", "score", 7.9)], None) == (0, {(1, 2, "review", "score")})


def test_a_kept_link_says_so_and_the_order_of_its_ends_does_not_matter() -> None:
    assert judged_after([(1, 2, "review", "score", 7.0)], [(2, 1), (1, 2)]) == (1, {(1, 2, "auto", "kept")})


_ROWS = st.dictionaries(
    st.tuples(st.integers(1, 5), st.integers(1, 5)).filter(lambda pair: pair[0] <= pair[1]),
    st.tuples(st.sampled_from(["auto", "review", "reject"]), st.sampled_from(["score", "twins"]), st.floats(0, 12)),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(_ROWS, st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=8))
def test_the_verdicts_are_those_of_the_definition(
    rows: dict[tuple[int, int], tuple[str, str, float]], kept: list[tuple[int, int]]
) -> None:
    expected = set()
    for pair, (verdict, rule, weight) in rows.items():
        holds = pair in kept or pair[::-1] in kept
        if verdict == "review" and rule == "score" and weight >= 6.0 and holds:
            expected.add((*pair, "auto", "kept"))
        else:
            expected.add((*pair, verdict, rule))
    given_rows = [(*pair, *said) for pair, said in rows.items()]
    count, after = judged_after(given_rows, kept)
    assert after == expected
    assert count == sum(rule == "kept" for *_, rule in after)
    assert judged_after(given_rows[::-1], kept[::-1]) == (count, after)
    # The same month again, after itself.
    assert judged_after(given_rows, [(a, b) for a, b, verdict, _ in after if verdict == "auto"])[1] == after


def carried(pairs: list[tuple[int, int, str]], before: dict[str, int], now: dict[str, int]) -> list[tuple[int, int]]:
    """Carry links over; the dictionaries say which profile a record has."""
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute("create table last_judged (left_id bigint, right_id bigint, verdict varchar)")
        for pair in pairs:
            con.execute("insert into last_judged values (?, ?, ?)", list(pair))
        for table, members in (("last_members", before), ("members", now)):
            con.execute(f"create table {table} (record_id varchar, profile_id bigint)")
            for item in members.items():
                con.execute(f"insert into {table} values (?, ?)", list(item))
        count = carry_links(con, last_judged="last_judged", last_members="last_members", members="members", out="kept")
        found = con.execute("select left_id, right_id from kept").fetchall()
    assert count == len(found)
    return [(a, b) for a, b in found]


@pytest.mark.parametrize(
    ("pairs", "before", "now", "expected"),
    [
        pytest.param([(1, 2, "auto")], {"a": 1, "b": 2}, {"a": 1, "b": 2}, [(1, 2)], id="unchanged"),
        pytest.param([(1, 2, "review")], {"a": 1, "b": 2}, {"a": 1, "b": 2}, [], id="not linked"),
        pytest.param([(1, 2, "auto")], {"a": 1, "b": 2}, {"a": 9, "b": 2}, [(2, 9)], id="a record changed"),
        pytest.param([(1, 2, "auto")], {"a": 1, "b": 2}, {"b": 2}, [], id="a record went"),
        pytest.param([(1, 2, "auto")], {"a": 1, "b": 2}, {"a": 3, "b": 3}, [(3, 3)], id="they say the same now"),
        pytest.param([(1, 1, "auto")], {"a": 1, "b": 1}, {"a": 1, "b": 1}, [(1, 1)], id="linked with itself"),
        pytest.param([(1, 1, "auto")], {"a": 1, "b": 1}, {"a": 1, "b": 7}, [(1, 7)], id="one of them changed"),
        pytest.param([(1, 1, "auto")], {"a": 1, "b": 1}, {"a": 1, "c": 1}, [], id="one record alone was not linked"),
        pytest.param(
            [(1, 2, "auto")],
            {"a": 1, "b": 2, "c": 2},
            {"a": 1, "b": 2, "c": 5},
            [(1, 2), (1, 5)],
            id="one split in two",
        ),
    ],
)
def test_links_are_carried_over_by_their_records(
    pairs: list[tuple[int, int, str]], before: dict[str, int], now: dict[str, int], expected: list[tuple[int, int]]
) -> None:
    assert carried(pairs, before, now) == expected
