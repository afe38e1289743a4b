"""Split proposals: which clusters a person is asked to split, where, and that what was ruled is not asked again."""

from __future__ import annotations

import itertools
import json

import duckdb
import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.clusters.hysteresis import BY_HYSTERESIS
from linkage.clusters.links import Link
from linkage.clusters.split_proposals import BY_BRIDGE, Doubt, proposals, propose_splits
from linkage.entity_config import load_entity_config

LEFT, RIGHT = (1, 2, 3), (11, 12, 13)
CONFIG = load_entity_config("natural_person")


def clique(nodes: tuple[int, ...], weight: float = 20.0) -> list[Link]:
    return [Link(a, b, weight, "corroborated") for a, b in itertools.combinations(nodes, 2)]


def halves(links: list[Link], kept: list[Link], doubts: list[Doubt]) -> list[tuple[str, set[int], set[int]]]:
    nodes = {node for link in (*links, *kept) for node in (link.left, link.right)}
    return [(one.doubt.rule, set(one.left), set(one.right)) for one in proposals(nodes, links, kept, doubts)]


def test_two_who_contradict_are_parted_where_what_holds_them_is_weakest() -> None:
    links = [*clique(LEFT), *clique(RIGHT), Link(3, 11, 9.0, "attribute")]
    assert halves(links, [], [Doubt(1, 12, "other_name", -4.0, 0.1)]) == [("other_name", set(LEFT), set(RIGHT))]


def test_pairs_that_would_leave_the_same_halves_are_one_question_and_the_conflict_asks_it() -> None:
    links = [*clique(LEFT), *clique(RIGHT), Link(3, 11, 9.0, "attribute")]
    doubts = [
        Doubt(1, 12, "other_name", -9.0, 0.1),
        Doubt(2, 13, "same_number_other_name", 5.0, 0.9, is_conflict=True),
        Doubt(1, 11, "other_name", -8.0, 0.1),
    ]
    assert halves(links, [], doubts) == [("same_number_other_name", set(LEFT), set(RIGHT))]


def test_a_link_that_is_only_kept_is_asked_about_where_nothing_else_holds() -> None:
    kept = [Link(3, 11, 5.0, "attribute")]
    doubts = [Doubt(3, 11, BY_HYSTERESIS, 5.0, 0.9)]
    assert halves([*clique(LEFT), *clique(RIGHT)], kept, doubts) == [(BY_HYSTERESIS, set(LEFT), set(RIGHT))]
    assert halves([*clique(LEFT), *clique(RIGHT), Link(2, 12, 20.0, "attribute")], kept, doubts) == []


def test_of_two_kept_links_between_the_same_sides_the_stronger_is_asked_about() -> None:
    kept = [Link(3, 11, 5.0, "attribute"), Link(2, 12, 5.5, "attribute")]
    doubts = [Doubt(link.left, link.right, BY_HYSTERESIS, link.weight, 0.9) for link in kept]
    found = proposals({*LEFT, *RIGHT}, [*clique(LEFT), *clique(RIGHT)], kept, doubts)
    assert [(one.doubt.left, one.doubt.right) for one in found] == [(2, 12)]


@pytest.mark.parametrize(("right", "asked"), [((11,), 0), ((11, 12), 1)])
def test_a_bridge_is_asked_about_if_either_side_is_a_group(right: tuple[int, ...], asked: int) -> None:
    links = [*clique((1, 2)), *clique(right), Link(2, 11, 9.0, "attribute")]
    assert len(halves(links, [], [Doubt(2, 11, BY_BRIDGE, 9.0, 0.9)])) == asked


def test_a_link_with_another_beside_it_is_no_bridge() -> None:
    links = [*clique(LEFT), *clique(RIGHT), Link(3, 11, 9.0, "attribute"), Link(2, 12, 9.0, "attribute")]
    assert halves(links, [], [Doubt(3, 11, BY_BRIDGE, 9.0, 0.9)]) == []


def test_what_people_ruled_one_contradicts_nothing() -> None:
    links = [*clique(LEFT), *clique(RIGHT), Link(3, 11, 9.0, "attribute")]
    ruled = [Link(a, b, float("inf"), "decision") for a, b in itertools.pairwise((*LEFT, *RIGHT))]
    assert halves([*links, *ruled], [], [Doubt(1, 12, "other_name", -4.0, 0.1)]) == []


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[Link], list[Link], list[Doubt]]:
    """A connected cluster, some of its links only kept, and pairs that speak against it."""
    size = draw(st.integers(2, 8))
    tree = [(draw(st.integers(0, node - 1)), node) for node in range(1, size)]
    more = draw(st.lists(st.sampled_from(list(itertools.combinations(range(size), 2))), max_size=8))
    pairs = sorted({*tree, *more})
    basis = st.sampled_from(("identifier", "corroborated", "attribute", "decision"))
    links = [Link(a, b, draw(st.integers(6, 30)) * 1.0, draw(basis)) for a, b in pairs]
    kept = [link for link in links if link.basis == "attribute" and link.weight < 12]
    doubts = [Doubt(link.left, link.right, BY_HYSTERESIS, link.weight, 0.9) for link in kept]
    others = sorted(set(itertools.combinations(range(size), 2)) - set(pairs))
    for a, b in draw(st.lists(st.sampled_from(others), max_size=6, unique=True)) if others else ():
        doubts.append(Doubt(a, b, "other_name", draw(st.integers(-20, 5)) * 1.0, 0.1, draw(st.booleans())))
    return [link for link in links if link not in kept], kept, doubts


@settings(max_examples=300)
@given(clusters(), st.randoms())
def test_halves_part_the_pair_keep_rulings_whole_and_do_not_depend_on_order(
    made: tuple[list[Link], list[Link], list[Doubt]], shuffled: object
) -> None:
    links, kept, doubts = made
    nodes = {node for link in (*links, *kept) for node in (link.left, link.right)}
    found = proposals(nodes, links, kept, doubts)
    for one in found:
        assert one.doubt.left in one.left
        assert one.doubt.right in one.right
        assert one.left | one.right == nodes
        assert not one.left & one.right
        for link in links:
            if link.basis == "decision":
                assert (link.left in one.right) == (link.right in one.right)
    assert len({frozenset((one.left, one.right)) for one in found}) == len(found)
    for some in (links, kept, doubts):
        shuffled.shuffle(some)  # type: ignore[attr-defined]
    assert proposals(sorted(nodes, reverse=True), links, kept, doubts) == found


@settings(max_examples=200)
@given(clusters())
def test_kept_links_are_asked_about_exactly_where_the_cluster_falls_apart_without_them(
    made: tuple[list[Link], list[Link], list[Doubt]],
) -> None:
    links, kept, _ = made
    nodes = {node for link in (*links, *kept) for node in (link.left, link.right)}
    doubts = [Doubt(link.left, link.right, BY_HYSTERESIS, link.weight, 0.9) for link in kept]
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from((link.left, link.right) for link in links)
    pieces = nx.number_connected_components(graph)
    assert len(proposals(nodes, links, kept, doubts)) == pieces - 1


Row = tuple[int, int, str, str, float, str]


def proposed(judged: list[Row], home: dict[int, str], ruled: list[tuple[int, int]] | None = None) -> list[tuple]:  # type: ignore[type-arg]
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute(
            "create table judged (left_id bigint, right_id bigint, verdict varchar, verdict_rule varchar, "
            "match_weight double, match_probability double, link_basis varchar)"
        )
        for left, right, verdict, rule, weight, basis in judged:
            con.execute(
                "insert into judged values (?, ?, ?, ?, ?, 0.5, ?)", [left, right, verdict, rule, weight, basis]
            )
        con.execute("create table clusters (record_id varchar, profile_id bigint, cluster_id varchar)")
        for profile, cluster in home.items():
            for copy in "ab":
                con.execute("insert into clusters values (?, ?, ?)", [f"s:{profile:02}{copy}", profile, cluster])
        con.execute("create table must_link (left_id bigint, right_id bigint)")
        for pair in ruled or []:
            con.execute("insert into must_link values (?, ?)", list(pair))
        count = propose_splits(con, CONFIG, judged="judged", clusters="clusters", must_link="must_link", out="out")
        rows = con.execute("select left_record_id, right_record_id, rule, detail from out").fetchall()
        assert count == len(rows)
        assert con.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)
    return [(left, right, rule, json.loads(detail)["right"]) for left, right, rule, detail in rows]


def test_the_table_names_the_pair_and_every_record_that_would_leave() -> None:
    judged: list[Row] = [
        (1, 2, "auto", "same_number", 20.0, "identifier"),
        (2, 3, "auto", "score", 14.0, "attribute"),
        (1, 3, "conflict", "same_number_other_name", 7.0, "attribute"),
        (1, 9, "conflict", "same_number_other_name", 7.0, "attribute"),
    ]
    home = {1: "profile 1", 2: "profile 1", 3: "profile 1", 9: "profile 9"}
    expected = [("s:01a", "s:03a", "same_number_other_name", ["s:03a", "s:03b"])]
    assert proposed(judged, home) == expected
    assert proposed(judged, home, [(1, 3)]) == []


@pytest.mark.parametrize(("rule", "asked"), [("other_birth_date", 1), ("name_alone", 0), ("score", 0)])
def test_a_rejected_pair_contradicts_only_by_a_rule_that_says_so(rule: str, asked: int) -> None:
    judged: list[Row] = [
        (1, 2, "auto", "same_number", 20.0, "identifier"),
        (2, 3, "auto", "score", 14.0, "attribute"),
        (1, 3, "reject", rule, -7.0, "attribute"),
    ]
    assert len(proposed(judged, {1: "profile 1", 2: "profile 1", 3: "profile 1"})) == asked


def test_a_weak_link_between_two_pairs_is_found_in_the_table() -> None:
    strong: list[Row] = [(1, 2, "auto", "score", 20.0, "corroborated"), (3, 4, "auto", "score", 20.0, "corroborated")]
    weak: Row = (2, 3, "auto", "score", 9.0, "attribute")
    home = dict.fromkeys((1, 2, 3, 4), "profile 1")
    assert proposed([*strong, weak], home) == [("s:02a", "s:03a", BY_BRIDGE, ["s:03a", "s:03b", "s:04a", "s:04b"])]
    assert proposed([*strong, weak, (2, 4, "auto", "score", 9.0, "attribute")], home) == []
