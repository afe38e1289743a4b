"""Only candidates: a weak link holds where nobody else comes into question, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.clusters.only_candidates import link_only_candidates
from linkage.entity_config import EntityConfig, RuleConfig, load_entity_config

Pair = tuple[int, int, str]
WEAK = "review"
RIVAL = "rival"
AGAINST = "against"
PARENT = "parent"


def config(against: float | None = None) -> EntityConfig:
    weak = RuleConfig(
        name="weak", verdict="review", only_candidate="name_key", basis="attribute", reason_zh="因", reason_en="because"
    )
    place = weak.model_copy(update={"name": "place", "despite": (PARENT,)})
    rival = RuleConfig(name="rival", verdict="reject", rival=True, reason_zh="因", reason_en="because")
    parent = RuleConfig(name=PARENT, verdict="reject", against=True, reason_zh="因", reason_en="because")
    natural = load_entity_config("natural_person")
    thresholds = natural.thresholds.model_copy(update={"against": against})
    return natural.model_copy(update={"rule": (weak, place, rival, parent), "thresholds": thresholds})


def linked(
    pairs: Iterable[Pair], named: set[int], rule: str = "weak", against: float | None = None
) -> set[tuple[int, int]]:
    """Return the pairs linked by the step; profiles in `named` have a whole name.

    A pair is `reject` for want of evidence, `against`: rejected, and its weight speaks against a match, or `parent`:
    rejected by a rule that speaks against one whatever the weight.
    """
    rows = list(pairs)
    ids = sorted({i for a, b, _ in rows for i in (a, b)})
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute("create table profiles (profile_id bigint, name_key varchar)")
        con.execute(
            "create table judged (left_id bigint, right_id bigint, verdict varchar, verdict_rule varchar, "
            "link_basis varchar, match_weight double)"
        )
        for i in ids:
            con.execute("insert into profiles values (?, ?)", [i, "张小明" if i in named else None])
        for a, b, verdict in rows:
            given_rule = verdict if verdict in (RIVAL, PARENT) else rule
            given = "reject" if verdict in (AGAINST, RIVAL, PARENT) else verdict
            weight = -20.0 if verdict == AGAINST else 3.0
            con.execute("insert into judged values (?, ?, ?, ?, 'corroborated', ?)", [a, b, given, given_rule, weight])
        count = link_only_candidates(con, config(against), judged="judged", profiles="profiles")
        after = con.execute("select left_id, right_id, verdict, verdict_rule from judged").fetchall()
        left = con.execute("select count(*) from duckdb_tables() where temporary").fetchone()
    already = {(a, b) for a, b, verdict in rows if verdict == "auto"}
    changed = {(a, b) for (a, b, verdict, _) in after if verdict == "auto"} - already
    assert count == len(changed)
    assert left == (0,)
    return changed


@pytest.mark.parametrize(
    ("pairs", "named", "expected"),
    [
        pytest.param([(1, 2, WEAK)], {2}, {(1, 2)}, id="one candidate"),
        pytest.param([(1, 2, WEAK), (1, 3, WEAK)], {2, 3}, set(), id="two candidates"),
        pytest.param(
            [(1, 2, WEAK), (1, 3, WEAK), (2, 3, "auto")], {2, 3}, {(1, 2), (1, 3)}, id="two that are one already"
        ),
        pytest.param([(1, 2, WEAK), (1, 3, "reject")], {2, 3}, {(1, 2)}, id="a rejected one does not count"),
        pytest.param([(1, 2, WEAK), (1, 3, AGAINST)], {2, 3}, {(1, 2)}, id="nor does one that is somebody else"),
        pytest.param(
            [(1, 2, WEAK), (2, 3, "auto"), (1, 3, AGAINST)],
            {2},
            set(),
            id="another record of the candidate contradicts",
        ),
        pytest.param(
            [(1, 2, WEAK), (2, 3, "auto"), (1, 3, "reject")], {2}, {(1, 2)}, id="another record of it says too little"
        ),
        pytest.param([(1, 2, WEAK), (1, 3, "conflict")], {2, 3}, set(), id="a conflict does"),
        pytest.param([(1, 2, WEAK)], {1, 2}, set(), id="both sure: nothing to single out"),
        pytest.param([(1, 2, WEAK)], set(), {(1, 2)}, id="both unsure, each the other's only one"),
        pytest.param([(1, 2, WEAK), (2, 3, WEAK)], set(), {(1, 2), (2, 3)}, id="unsure ones in a circle"),
        pytest.param(
            [(1, 2, WEAK), (2, 3, WEAK), (1, 3, AGAINST)], set(), set(), id="a circle that contradicts itself"
        ),
        pytest.param(
            [(1, 2, WEAK), (2, 3, WEAK), (1, 3, AGAINST)], {3}, set(), id="one of the circle is somebody else"
        ),
        pytest.param([(1, 2, WEAK), (2, 3, WEAK)], {3}, {(1, 2), (2, 3)}, id="two unsure ones that lead to one sure"),
        pytest.param([(1, 2, WEAK), (2, 3, WEAK), (1, 4, WEAK)], {3, 4}, set(), id="a circle that leads to two"),
        pytest.param([(1, 2, WEAK), (2, 3, WEAK), (1, 3, AGAINST)], {2}, set(), id="two of one sure one that disagree"),
        pytest.param([(1, 2, WEAK), (1, 3, RIVAL)], {2, 3}, set(), id="a rejected one that may be meant counts"),
        pytest.param([(1, 2, WEAK), (2, 3, RIVAL)], {2, 3}, {(1, 2)}, id="the rival of a sure one is nobody's concern"),
        pytest.param([(1, 2, WEAK), (2, 3, WEAK)], {2}, {(1, 2), (2, 3)}, id="two unsure ones of one sure"),
        pytest.param([(1, 2, WEAK), (1, 4, "auto")], {2, 4}, set(), id="linked to a sure one already, so sure itself"),
        pytest.param([(1, 2, WEAK), (1, 4, "auto"), (4, 3, WEAK)], {2, 3}, set(), id="its group has another"),
    ],
)
def test_a_weak_link_holds_if_it_is_the_only_candidate(
    pairs: list[Pair], named: set[int], expected: set[tuple[int, int]]
) -> None:
    assert linked(pairs, named) == expected
    assert linked(reversed(pairs), named) == expected


def test_pairs_of_other_rules_stay_in_review() -> None:
    assert linked([(1, 2, WEAK)], {2}, rule="another") == set()


def test_a_pair_above_the_weight_that_speaks_against_does_not() -> None:
    pairs = [(1, 2, WEAK), (2, 3, "auto"), (1, 3, AGAINST)]
    assert linked(pairs, {2}, against=-19.0) == set()
    assert linked(pairs, {2}, against=-21.0) == {(1, 2)}


def test_a_rule_may_speak_against_whatever_the_weight_unless_the_linking_rule_overrules_it() -> None:
    pairs = [(1, 2, WEAK), (2, 3, "auto"), (1, 3, PARENT)]
    assert linked(pairs, {2}, rule="weak") == set()
    assert linked(pairs, {2}, rule="place") == {(1, 2)}
    assert linked([(1, 2, WEAK), (1, 3, PARENT)], {2, 3}, rule="weak") == {(1, 2)}


_PAIRS = st.dictionaries(
    st.tuples(st.integers(1, 7), st.integers(1, 7)).filter(lambda pair: pair[0] < pair[1]),
    st.sampled_from(["auto", "review", "reject", AGAINST]),
    min_size=1,
    max_size=9,
)


@settings(deadline=None)
@given(_PAIRS, st.sets(st.integers(1, 7)))
def test_it_agrees_with_a_plain_reading_of_the_rule(pairs: dict[tuple[int, int], str], named: set[int]) -> None:
    graph = nx.Graph([pair for pair, verdict in pairs.items() if verdict == "auto"])
    graph.add_nodes_from(i for pair in pairs for i in pair)
    group = {i: frozenset(part) for part in nx.connected_components(graph) for i in part}

    question = [(group[a], group[b]) for (a, b), verdict in pairs.items() if verdict not in ("reject", AGAINST)]
    against = [(group[a], group[b]) for (a, b), verdict in pairs.items() if verdict == AGAINST]
    asked = {side for pair in question for side in pair}
    unsure = nx.Graph([pair for pair in question if not any(side & named for side in pair)])
    unsure.add_nodes_from(side for side in asked if not side & named)
    holds = dict.fromkeys(asked, True)
    leads: dict[frozenset[frozenset[int]], set[frozenset[int]]] = {}
    entity: dict[frozenset[int], object] = {side: side for side in asked}
    for circle in map(frozenset, nx.connected_components(unsure)):
        leads[circle] = {b if a in circle else a for a, b in question if (a in circle) != (b in circle)}
        # Circles that lead to one sure group must not contradict each other either.
        whole: object = max(leads[circle], key=min) if leads[circle] else circle
        entity |= dict.fromkeys(circle, whole)
    for circle, known in leads.items():
        parted = any(a != b and {a, b} <= asked and entity[a] == entity[b] and circle & {a, b} for a, b in against)
        holds |= dict.fromkeys(circle, len(known) <= 1 and not parted)
    expected = {
        (a, b)
        for (a, b), verdict in pairs.items()
        if verdict == "review"
        and group[a] != group[b]
        and not (group[a] & named and group[b] & named)
        and holds[group[a]]
        and holds[group[b]]
    }
    found = linked([(a, b, verdict) for (a, b), verdict in pairs.items()], named)
    assert {(a, b) for a, b in found if group[a] != group[b]} == expected
