"""From decisions to constraints: order plays no part, contradictions are found and named, records may be missing."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

import duckdb
import networkx as nx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_records.decisions import Decision, DecisionEvent, Person
from golden_records.ruling import DecisionError, Kind, Ruling, Scope
from linkage.clusters.clustering import cluster
from linkage.entity_config import load_entity_config
from linkage.errors import LinkageError
from linkage.profiles import make_profiles
from linkage.rulings.constraints import Constraints, ConstraintTables, constraints, make_constraints, named_records
from linkage.rulings.contradictions import refuse_contradiction, weigh
from linkage.standardise import standardise

RECORDS = "abcdefg"
EVENTS = tuple(DecisionEvent(event, "2026-03-01", Person("周", "auditor")) for event in ("proposed", "activated"))


def decision(number: int, kind: Kind, *groups: str, scope: Scope = "records") -> Decision:
    """Return a decision; a group is a text whose characters are records, the named one first."""
    sides = tuple(tuple(group) for group in groups)
    named = tuple(side[0] for side in sides)
    return Decision(number, Ruling(kind, "legal_person", scope, named, sides, 1, "other"), EVENTS)


@st.composite
def decision_lists(draw: st.DrawFn, most: int = 7) -> list[Decision]:
    made = []
    for number in range(1, draw(st.integers(0, most)) + 1):
        kind: Kind = draw(st.sampled_from(("same", "same", "different", "not_here")))
        order = draw(st.permutations(RECORDS))
        sizes = draw(st.lists(st.integers(1, 2), min_size=2, max_size=2 if kind == "not_here" else 3))
        cuts = [0, *itertools.accumulate(sizes)]
        groups = ["".join(order[a:b]) for a, b in itertools.pairwise(cuts)]
        made.append(decision(number, kind, *groups, scope="entities"))
    return made


def joined(same: Sequence[Decision]) -> list[set[str]]:
    """Return the groups of records that decisions tie, the plain way: merge until nothing changes."""
    groups = [set(d.ruling.tied) for d in same]
    while True:
        pair = next(((a, b) for a, b in itertools.combinations(groups, 2) if a & b), None)
        if pair is None:
            return groups
        groups = [g for g in groups if g not in pair] + [pair[0] | pair[1]]


def clashes(same: Sequence[Decision], apart: Decision) -> bool:
    return any(
        group & set(left) and group & set(right)
        for group in joined(same)
        for left, right in itertools.combinations(apart.ruling.groups, 2)
    )


def brute_force(decisions: Sequence[Decision]) -> tuple[list[int], dict[tuple[int, int], int]]:
    """Return the decisions kept, and per decision set aside and cannot-link the least number of links that clash."""
    kept: list[Decision] = []
    found: dict[tuple[int, int], int] = {}
    for new in sorted(decisions, key=lambda d: d.decision_id):
        same = [d for d in (*kept, new) if len(d.ruling.tied) > 1]
        apart = [d for d in (*kept, new) if d.ruling.kind != "same"]
        broken = [d for d in apart if clashes(same, d)]
        for d in broken:
            found[new.decision_id, d.decision_id] = next(
                n for n in range(1, len(same) + 1) if any(clashes(some, d) for some in itertools.combinations(same, n))
            )
        if not broken:
            kept.append(new)
    return [d.decision_id for d in kept], found


# --- contradictions ---------------------------------------------------------------------------------------------------


def test_a_chain_of_decisions_that_contradicts_another_is_named_and_the_newest_set_aside() -> None:
    links = [decision(1, "same", "a", "b"), decision(2, "same", "b", "c")]
    weighed = weigh([*links, decision(3, "different", "a", "c")])
    (found,) = weighed.contradictions
    assert (found.set_aside, found.apart, found.together) == (3, 3, (1, 2))
    assert {found.left_record_id, found.right_record_id} == {"a", "c"}
    assert found.words == "decisions 1, 2 make one entity of records that decision 3 keeps apart"
    assert [d.decision_id for d in weighed.kept] == [1, 2]


def test_a_link_newer_than_the_decision_it_contradicts_is_the_one_set_aside() -> None:
    made = [decision(1, "different", "a", "c"), decision(2, "same", "a", "b"), decision(3, "same", "b", "c")]
    (found,) = weigh(made).contradictions
    assert (found.set_aside, found.apart, found.together) == (3, 1, (2, 3))


def test_the_shortest_of_several_chains_is_named() -> None:
    around = [decision(n, "same", x, y) for n, (x, y) in enumerate(("ab", "bc", "cd", "ae", "ed"), 1)]
    (found,) = weigh([*around, decision(6, "different", "a", "d")]).contradictions
    assert found.together == (4, 5)


def test_a_record_taken_out_of_an_entity_contradicts_its_being_the_same() -> None:
    (found,) = weigh([decision(1, "same", "a", "b"), decision(2, "not_here", "a", "cbd")]).contradictions
    assert (found.set_aside, found.together) == (2, (1,))


def test_records_that_leave_together_are_one_and_contradict_being_kept_apart() -> None:
    leaving = decision(2, "not_here", "ab", "cd")
    assert constraints([leaving], "abcd").must_link == (("a", "b"),)
    (found,) = weigh([decision(1, "different", "a", "b"), leaving]).contradictions
    assert (found.set_aside, found.apart, found.together) == (2, 1, (2,))
    (found,) = weigh([leaving, decision(3, "same", "b", "c")]).contradictions
    assert (found.set_aside, found.apart, found.together) == (3, 2, (3,))
    assert leaving.ruling.tells_of("a", "b")
    assert leaving.ruling.tells_of("b", "c")
    assert not leaving.ruling.tells_of("c", "d")


def test_what_is_set_aside_contradicts_nothing_else() -> None:
    made = [decision(1, "different", "a", "b"), decision(2, "same", "a", "b"), decision(3, "different", "b", "a")]
    assert [c.set_aside for c in weigh(made).contradictions] == [2]


@settings(max_examples=400, deadline=None)
@given(decision_lists())
def test_the_search_agrees_with_a_brute_force_one(made: list[Decision]) -> None:
    kept, broken = brute_force(made)
    weighed = weigh(made)
    assert [d.decision_id for d in weighed.kept] == kept
    assert {(c.set_aside, c.apart): len(c.together) for c in weighed.contradictions} == broken


@settings(max_examples=200, deadline=None)
@given(decision_lists())
def test_a_chain_named_leads_from_one_side_to_the_other(made: list[Decision]) -> None:
    by_number = {d.decision_id: d for d in made}
    for found in weigh(made).contradictions:
        assert found.set_aside == max(*found.together, found.apart)
        here = {found.left_record_id}
        for number in found.together:
            assert here & by_number[number].ruling.tied
            here = set(by_number[number].ruling.tied)
        assert found.right_record_id in here
        sides = {
            side
            for side, group in enumerate(by_number[found.apart].ruling.groups)
            if {found.left_record_id, found.right_record_id} & set(group)
        }
        assert len(sides) == 2


@settings(max_examples=200, deadline=None)
@given(decision_lists(), st.randoms(use_true_random=False))
def test_a_ruling_is_refused_exactly_if_it_would_be_set_aside(made: list[Decision], shuffler: random.Random) -> None:
    *active, new = made or [decision(1, "same", "a", "b")]
    aside = {c.set_aside for c in weigh([*active, new]).contradictions}
    shuffler.shuffle(active)
    early = replace(new, decision_id=0)  # an older proposal is judged against everything in force all the same
    for candidate in (new, early):
        if new.decision_id in aside:
            with pytest.raises(DecisionError, match="would contradict"):
                refuse_contradiction(active, candidate)
        else:
            refuse_contradiction(active, candidate)


# --- constraints ------------------------------------------------------------------------------------------------------


def test_records_ruled_one_entity_are_chained_even_over_one_that_is_missing() -> None:
    made = [decision(1, "same", "a", "b"), decision(2, "same", "b", "c"), decision(3, "same", "c", "d")]
    assert constraints(made, "abcd").must_link == (("a", "b"), ("b", "c"), ("c", "d"))
    assert constraints(made, "acd").must_link == (("a", "c"), ("c", "d"))


def test_whole_entities_kept_apart_take_as_many_pairs_as_they_have_records() -> None:
    made = [decision(1, "different", "abc", "def", scope="entities")]
    expected = (("a", "d"), ("a", "e"), ("a", "f"), ("b", "d"), ("c", "d"))
    assert constraints(made, "abcdef").cannot_link == expected


def test_records_ruled_one_entity_are_kept_apart_through_one_of_them() -> None:
    made = [decision(1, "same", "b", "c"), decision(2, "different", "abc", "d", scope="entities")]
    assert constraints(made, "abcd").cannot_link == (("a", "d"), ("b", "d"))


def test_a_missing_record_is_stood_for_by_another_of_its_side_or_has_no_effect() -> None:
    whole = [decision(1, "different", "ab", "cd", scope="entities")]
    assert constraints(whole, "bcd").cannot_link == (("b", "c"), ("b", "d"))
    alone = [decision(1, "different", "a", "c"), decision(2, "same", "a", "e"), decision(3, "not_here", "a", "cd")]
    found = constraints(alone, "cde")
    assert (found.must_link, found.cannot_link, found.without_effect) == ((), (), 3)


def test_a_decision_that_is_set_aside_constrains_nothing() -> None:
    made = [decision(1, "same", "a", "b"), decision(2, "different", "a", "b")]
    found = constraints(made, "ab")
    assert (found.must_link, found.cannot_link) == ((("a", "b"),), ())
    assert [c.set_aside for c in found.contradictions] == [2]


@settings(max_examples=200, deadline=None)
@given(decision_lists(), st.sets(st.sampled_from(RECORDS)), st.randoms(use_true_random=False))
def test_constraints_do_not_depend_on_the_order_of_decisions(
    made: list[Decision], present: set[str], shuffler: random.Random
) -> None:
    expected = constraints(made, present)
    shuffler.shuffle(made)
    assert constraints(made, present) == expected
    assert constraints(made, frozenset(present) | {"unheard of"}) == expected


@settings(max_examples=300, deadline=None)
@given(decision_lists(), st.sets(st.sampled_from(RECORDS)))
def test_constraints_say_what_the_decisions_kept_say(made: list[Decision], present: set[str]) -> None:
    """Held against a plain reading: who is one entity, and who may not come to the record named."""
    found = constraints(made, present)
    kept = weigh(made).kept
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(present)
    graph.add_edges_from(found.must_link)
    groups = joined([d for d in kept if len(d.ruling.tied) > 1])
    expected = {frozenset(g & present) for g in groups if len(g & present) > 1}
    assert {frozenset(c) for c in nx.connected_components(graph) if len(c) > 1} == expected
    assert len(found.must_link) == sum(len(group) - 1 for group in expected)  # a spanning tree, no pair more
    home = {record: i for i, component in enumerate(nx.connected_components(graph)) for record in component}
    barred = {frozenset((home[a], home[b])) for a, b in found.cannot_link}
    assert all(len(pair) == 2 for pair in barred)
    meant = set()
    for d in kept:
        if d.ruling.kind != "same":
            for left, right in itertools.combinations(d.ruling.groups, 2):
                for one, other in ((left, right), (right, left)):
                    here = [r for r in (one[0], *sorted(one[1:])) if r in present]
                    meant |= {frozenset((home[here[0]], home[r])) for r in other if here and r in present}
    assert barred == meant


@settings(max_examples=100, deadline=None)
@given(decision_lists(), st.integers(0, 6))
def test_revoking_gives_the_constraints_without_the_decision(made: list[Decision], which: int) -> None:
    ended = DecisionEvent("revoked", "2026-03-02", Person("吴", "auditor"))
    after = [replace(d, events=(*d.events, ended)) if i == which else d for i, d in enumerate(made)]
    active = [d for d in after if d.state == "active"]
    assert constraints(active, RECORDS) == constraints([d for i, d in enumerate(made) if i != which], RECORDS)


def test_no_decision_is_no_constraint() -> None:
    assert constraints([], RECORDS) == Constraints((), (), 0, ())


# --- tables -----------------------------------------------------------------------------------------------------------


def tables(
    made: Sequence[Decision], profile: dict[str, int]
) -> tuple[object, list[tuple[int, int]], list[tuple[int, int]]]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        columns = {"record_id": pa.array(profile, pa.string()), "profile_id": pa.array(profile.values(), pa.int64())}
        con.register("given", pa.table(columns))
        con.execute("create table members as from given")
        named_records(con, made, out="named")
        out = ConstraintTables("must", "cannot")
        counts = make_constraints(con, made, named="named", members="members", out=out)
        pairs = [con.execute(f"select left_id, right_id from {t}").fetchall() for t in (out.must_link, out.cannot_link)]
    return counts, pairs[0], pairs[1]


def test_the_tables_hold_profiles_left_below_right_and_missing_records_are_counted() -> None:
    made = [decision(1, "same", "a", "b", "x"), decision(2, "different", "b", "c"), decision(3, "same", "x", "y")]
    counts, must, cannot = tables(made, {"a": 30, "b": 10, "c": 20, "other": 5})
    assert must == [(10, 30)]
    assert cannot == [(10, 20)]
    assert (counts.decisions, counts.without_effect, counts.records, counts.missing) == (3, 1, 5, 2)
    assert (counts.must_links, counts.cannot_links) == (1, 1)


def test_records_of_one_profile_are_a_defect_not_a_silent_loss() -> None:
    with pytest.raises(LinkageError, match="share a profile"):
        tables([decision(1, "different", "a", "b")], {"a": 1, "b": 1})


def test_without_decisions_the_tables_are_empty() -> None:
    counts, must, cannot = tables([], {"a": 1})
    assert (must, cannot) == ([], [])
    assert counts.decisions == 0


def test_records_that_say_the_same_are_parted_and_strangers_joined_as_people_ruled() -> None:
    """From records through profiles and constraints to clusters, with every pair of the same name linked by score."""
    config = load_entity_config("natural_person")
    names = {"a": "王小明", "b": "王小明", "c": "王小明", "d": "李小红", "e": "赵大伟"}
    made = [decision(1, "different", "a", "b"), decision(2, "same", "a", "d")]
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        raw = {
            "record_id": list(names),
            "source": ["s"] * len(names),
            "source_record_id": list(names),
            "as_of": ["2026-01-31"] * len(names),
            "name": list(names.values()),
        }
        con.register("given", pa.table({k: pa.array(v, pa.string()) for k, v in raw.items()}))
        con.execute("create table raw as from given")
        standardise(con, config, raw="raw", out="records", processes=1)
        named_records(con, made, out="named")
        make_profiles(con, config, records="records", profiles="profiles", members="members", own="named")
        make_constraints(con, made, named="named", members="members", out=ConstraintTables("must", "cannot"))
        con.execute("""
create table judged as
select distinct l.profile_id as left_id, r.profile_id as right_id, 'auto' as verdict, 'attribute' as link_basis,
    20.0::double as match_weight, 0.99::double as match_probability, 'score' as verdict_rule
from members l
join members r on l.profile_id < r.profile_id
where (select name from raw where record_id = l.record_id) = (select name from raw where record_id = r.record_id)""")
        cluster(
            con,
            config,
            judged="judged",
            profiles="profiles",
            members="members",
            cannot_link="cannot",
            must_link="must",
            clusters="clusters",
            refused="refused",
        )
        home = dict(con.execute("select record_id, cluster_id from clusters").fetchall())
        refused = {constraint for (constraint,) in con.execute("select constraint_name from refused").fetchall()}
    assert home["a"] == home["d"] != home["b"]
    assert home["e"] not in {home[record] for record in "abcd"}
    assert home["c"] in {home["a"], home["b"]}
    assert refused == {"cannot_link"}
