"""Why ids changed: every cause on the smallest case, an oracle in plain Python, and totals that jump."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.alarms import StabilityLimits, Totals, find_alarms
from eval.stability import Stability, StabilityTables, measure_stability

Members = Mapping[str, str]
TABLES = StabilityTables("b", "a", "eb", "ea", "cb", "ca", "lb", "la", "d")


@pytest.fixture
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        yield connection


def measure(
    con: DuckDBPyConnection,
    before: Members,
    after: Members,
    *,
    changed: str = "",
    links_before: Mapping[str, float] | None = None,
    links_after: Mapping[str, float] | None = None,
    states: Mapping[str, tuple[str, str | None]] | None = None,
    was: Mapping[str, str] | None = None,
    decided: str = "",
    config: bool = False,
    model: bool = False,
    known: bool = True,
) -> Stability:
    """Measure two memberships: record → entity. A link is two records, such as `rs`; a changed record another profile.

    `states` has state and redirect of ids that are not living after, where it is not `retired`; `was` the state of ids
    that were not living before.
    """
    profiles = {r: i * 2 for i, r in enumerate(sorted({*before, *after}))}
    then = dict.fromkeys(before.values(), "living") | dict(was or {})
    ended = {e: ("retired", None) for e in then if e not in after.values()} | dict(states or {})
    now = dict.fromkeys(after.values(), ("living", None)) | {e: s for e, s in ended.items() if e not in after.values()}
    after_profiles = {r: profiles[r] + (r in changed) for r in after}

    def links(pairs: Mapping[str, float] | None, of: Mapping[str, int]) -> list[tuple[Any, ...]]:
        return [(*sorted((of[p[0]], of[p[1]])), weight) for p, weight in (pairs or {}).items()]

    make(con, "b", "record_id varchar, entity_id varchar", list(before.items()))
    make(con, "a", "record_id varchar, entity_id varchar", list(after.items()))
    make(con, "eb", "entity_id varchar, state varchar", list(then.items()))
    make(con, "ea", "entity_id varchar, state varchar, resolves_to varchar", [(e, *s) for e, s in now.items()])
    make(con, "cb", "record_id varchar, profile_id bigint", [(r, profiles[r]) for r in before])
    make(con, "ca", "record_id varchar, profile_id bigint", list(after_profiles.items()))
    make(con, "lb", "left_id bigint, right_id bigint, match_weight double", links(links_before, profiles))
    make(con, "la", "left_id bigint, right_id bigint, match_weight double", links(links_after, after_profiles))
    make(con, "d", "record_id varchar", [(r,) for r in decided])
    tables = TABLES if known else StabilityTables("b", "a", "eb", "ea", None, "ca", None, "la", "d")
    return measure_stability(con, tables, config_changed=config, model_changed=model)


def make(con: DuckDBPyConnection, table: str, columns: str, rows: list[Any]) -> None:
    con.execute(f"create or replace table {table} ({columns})")
    if rows:
        con.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", [list(row) for row in rows])


def told(stability: Stability) -> set[tuple[str, str, int]]:
    return {(c.kind, c.cause, c.count) for c in stability.changes}


MERGE = ({"r": "A", "s": "B"}, {"r": "A", "s": "A"})
SPLIT = ({"r": "A", "s": "A"}, {"r": "A", "s": "C"})


def test_the_same_membership_changes_nothing(con: DuckDBPyConnection) -> None:
    found = measure(con, {"r": "A", "s": "B"}, {"r": "A", "s": "B"})
    assert (found.kept, found.unchanged, found.changes, found.unexplained) == (2, 2, (), ())


def test_a_new_record_alone_is_a_new_id_and_a_gone_one_a_retired_id(con: DuckDBPyConnection) -> None:
    found = measure(con, {"r": "A", "s": "B"}, {"r": "A", "t": "C"})
    assert told(found) == {("new", "new_record", 1), ("retired", "gone_record", 1)}
    assert (found.new_records, found.gone_records, found.kept) == (1, 1, 1)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"changed": "s"}, "changed_record"),
        ({"decided": "r"}, "decision"),
        ({"config": True}, "config"),
        ({"model": True}, "model"),
        ({"config": True, "model": True}, "config"),
        ({"changed": "s", "model": True}, "changed_record"),
        ({"changed": "s", "config": True}, "config"),
        ({"changed": "s", "decided": "r"}, "decision"),
        ({"known": False}, "unknown"),
        ({"known": False, "model": True}, "model"),
        ({}, "unexplained"),
    ],
)
def test_a_merge_has_the_first_cause_that_holds(given: dict[str, Any], cause: str, con: DuckDBPyConnection) -> None:
    found = measure(con, *MERGE, states={"B": ("redirected", "A")}, **given)
    assert told(found) == {("merged", cause, 1)}
    assert found.unexplained == (("B",) if cause == "unexplained" else ())


def test_a_split_is_a_new_id_and_one_that_lost_records(con: DuckDBPyConnection) -> None:
    found = measure(con, *SPLIT, changed="s")
    assert told(found) == {("new", "changed_record", 1), ("split", "changed_record", 1)}


def test_records_that_go_to_an_old_id_are_moved(con: DuckDBPyConnection) -> None:
    found = measure(con, {"r": "A", "s": "A", "t": "B"}, {"r": "A", "s": "B", "t": "B"}, changed="t")
    assert told(found) == {("moved", "changed_record", 1)}


def test_a_retired_id_that_lives_again_is_revived(con: DuckDBPyConnection) -> None:
    found = measure(con, {"r": "A"}, {"r": "A", "s": "Z"}, was={"Z": "retired"})
    assert told(found) == {("revived", "new_record", 1)}


def test_a_link_that_came_or_went_explains_only_if_something_changed_anywhere(con: DuckDBPyConnection) -> None:
    redirect = {"B": ("redirected", "A")}
    merged = measure(con, *MERGE, links_after={"rs": 9.0}, states=redirect)
    assert told(merged) == {("merged", "unexplained", 1)}
    before, after = ({**side, "z": "F"} for side in MERGE)
    elsewhere = measure(con, before, after, links_after={"rs": 9.0}, states=redirect, changed="z")
    assert told(elsewhere) == {("merged", "new_link", 1)}
    before, after = ({**side, "z": "F"} for side in SPLIT)
    parted = measure(con, before, after, links_before={"rs": 9.0}, changed="z")
    assert told(parted) == {("new", "lost_link", 1), ("split", "lost_link", 1)}


def test_a_change_beyond_a_refused_link_explains_through_the_neighbourhood(con: DuckDBPyConnection) -> None:
    before = {"r": "A", "s": "B", "n": "N", "m": "N"}
    after = {"r": "A", "s": "A", "n": "N", "m": "N"}
    links = {"rs": 9.0, "sn": 8.0, "nm": 9.0}
    found = measure(
        con,
        before,
        {**after, "k": "N"},
        links_before=links,
        links_after=links | {"mk": 5.0},
        states={"B": ("redirected", "A")},
    )
    assert told(found) == {("merged", "neighbour", 1)}


def test_another_weight_in_the_neighbourhood_explains_when_records_changed_elsewhere(con: DuckDBPyConnection) -> None:
    before, after = ({**side, "z": "F"} for side in MERGE)
    redirect = {"B": ("redirected", "A")}
    found = measure(con, before, after, links_before={"rs": 8.0}, links_after={"rs": 9.0}, states=redirect, changed="z")
    assert told(found) == {("merged", "link_weight", 1)}
    same = measure(con, before, after, links_before={"rs": 9.0}, links_after={"rs": 9.0}, states=redirect, changed="z")
    assert told(same) == {("merged", "unexplained", 1)}


def test_a_cause_reaches_through_entities_that_exchanged_records(con: DuckDBPyConnection) -> None:
    before = {"r": "A", "s": "A", "t": "B", "u": "B"}
    after = {"r": "A", "s": "B", "t": "B", "u": "C", "v": "C"}
    assert told(measure(con, before, after)) == {
        ("new", "new_record", 1),
        ("split", "new_record", 1),
        ("moved", "new_record", 1),
    }


def groups_of(before: Members, after: Members) -> list[set[str]]:
    """Return entities that exchanged records, together, in plain Python."""
    found: list[set[str]] = [{e} for e in {*before.values(), *after.values()}]
    for record in before.keys() & after.keys():
        joined = [g for g in found if before[record] in g or after[record] in g]
        found = [g for g in found if g not in joined] + [set().union(*joined)]
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("rstuvw"), st.sampled_from("ABC"), max_size=6),
    st.dictionaries(st.sampled_from("rstuvw"), st.sampled_from("ABCDE"), max_size=6),
    st.sets(st.sampled_from("rstuvw"), max_size=2),
)
def test_exactly_the_changes_of_groups_without_a_cause_are_unexplained(
    before: dict[str, str], after: dict[str, str], changed: set[str]
) -> None:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        found = measure(con, before, after, changed="".join(sorted(changed)))
    open_ids = set()
    for group in groups_of(before, after):
        held = {r for r, e in [*before.items(), *after.items()] if e in group}
        if any(r not in before or r not in after or r in changed for r in held):
            continue
        for e in group:
            gone_to = {after[r] for r in held if before[r] == e and after[r] != e}
            if (e in before.values()) != (e in after.values()) or gone_to:
                open_ids.add(e)
    assert set(found.unexplained) == open_ids
    living = set(before.values()) & set(after.values())
    assert found.kept == len(living)
    same = {e for e in living if {r for r in before if before[r] == e} == {r for r in after if after[r] == e}}
    assert found.unchanged == len(same)
    assert (found.new_records, found.gone_records) == (len(after.keys() - before), len(before.keys() - after))
    assert found.changed_records == len(changed & before.keys() & after.keys())
    assert found.count("new") == len(set(after.values()) - set(before.values()))


LIMITS = StabilityLimits(minimum=10)
ALL_BUT_ENTITIES = [("merges", None), ("review_cases", None), ("quarantine", None), ("source_rows", "police")]
BEFORE = Totals(1000, 500, 100, 100, {"tax": 1000, "police": 1000})


@pytest.mark.parametrize(
    ("after", "measures"),
    [
        (BEFORE, []),
        (Totals(1050, 550, 125, 150, {"tax": 1100, "police": 900}), []),
        (Totals(1051, 500, 100, 100, {"tax": 1000, "police": 1000}), [("entities", None)]),
        (Totals(949, 500, 100, 100, {"tax": 1000, "police": 1000}), [("entities", None)]),
        (Totals(1000, 551, 126, 151, {"tax": 1000}), ALL_BUT_ENTITIES),
        (Totals(1000, 500, 100, 100, {"tax": 1101, "police": 1000, "new": 9}), [("source_rows", "tax")]),
    ],
)
def test_a_total_that_moves_further_than_its_share_is_an_alarm(
    after: Totals, measures: list[tuple[str, str | None]]
) -> None:
    assert [(alarm.measure, alarm.source) for alarm in find_alarms(BEFORE, after, LIMITS)] == measures


def test_small_totals_and_a_first_run_raise_no_alarm() -> None:
    assert find_alarms(None, BEFORE, LIMITS) == ()
    assert find_alarms(Totals(5, 1, 1, 0), Totals(12, 9, 9, 9), LIMITS) == ()


def test_a_total_that_was_nothing_raises_an_alarm_when_it_is_large() -> None:
    (alarm,) = find_alarms(Totals(5, 1, 1, 0), Totals(5, 1, 1, 500), LIMITS)
    assert (alarm.measure, alarm.before, alarm.after) == ("quarantine", 0, 500)
