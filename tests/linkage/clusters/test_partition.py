"""Clusters under constraints: against networkx, against a plain search, and whatever the order."""

import itertools
import random
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.clusters.links import STRENGTH, Link
from linkage.clusters.partition import Limits
from linkage.clusters.partition import partition as partition_ids

Groups = set[frozenset[int]]
Refused = set[tuple[int, int, str]]


@dataclass(frozen=True)
class Case:
    """A graph and everything that limits its clusters."""

    nodes: list[int]
    links: list[Link]
    values: dict[int, str]
    apart: list[tuple[int, int]]
    limits: Limits
    contrary: list[tuple[int, int]]


def arrow(links: list[Link]) -> pa.Table:
    return pa.table(
        {
            "left_id": pa.array([x.left for x in links], pa.int64()),
            "right_id": pa.array([x.right for x in links], pa.int64()),
            "match_weight": pa.array([x.weight for x in links], pa.float64()),
            "link_basis": pa.array([x.basis for x in links], pa.string()),
        }
    )


def exclusive(values: dict[int, str]) -> dict[str, pa.Table]:
    return {
        "id": pa.table(
            {
                "profile_id": pa.array(list(values), pa.int64()),
                "value": pa.array(list(values.values()), pa.string()),
            }
        )
    }


@st.composite
def links_among(draw: st.DrawFn, nodes: list[int]) -> list[Link]:
    """Links in few weights, so that many tie; some graphs are two circles with a few links between."""
    pairs = list(itertools.combinations(nodes, 2))
    chosen = set(draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12)))
    if len(nodes) >= 4 and draw(st.booleans()):
        half = len(nodes) // 2
        for circle in (nodes[:half], nodes[half:]):
            chosen |= {(min(a, b), max(a, b)) for a, b in zip(circle, circle[1:] + circle[:1], strict=True) if a != b}
        chosen -= set(draw(st.lists(st.sampled_from(pairs), max_size=3)))
    bases = st.sampled_from(["decision", "identifier", "corroborated", "corroborated", "attribute", "attribute"])
    made = []
    for a, b in sorted(chosen):
        basis = draw(bases)
        made.append(
            Link(a, b, float("inf") if basis == "decision" else draw(st.sampled_from([5.0, 10.0, 20.0])), basis)
        )
    return made


@st.composite
def cases(draw: st.DrawFn) -> Case:
    nodes = sorted(draw(st.sets(st.integers(-10_000, 10_000), min_size=2, max_size=10)))
    pairs = list(itertools.combinations(nodes, 2))
    valued = draw(st.sampled_from([0, len(nodes) // 2, len(nodes)]))
    limits = Limits(
        margin=draw(st.sampled_from([0.0, 6.0, 100.0])),
        bridge_weight=draw(st.sampled_from([float("-inf"), 8.0, 15.0, 100.0])),
        bridge_side=draw(st.integers(1, 3)),
        maximum_size=draw(st.sampled_from([None, None, None, 2, 3, 5])),
    )
    return Case(
        nodes,
        draw(links_among(nodes)),
        draw(st.dictionaries(st.sampled_from(nodes), st.sampled_from("XYZ"), min_size=valued, max_size=valued)),
        draw(st.lists(st.sampled_from(pairs), unique=True, max_size=draw(st.sampled_from([0, 0, 3])))),
        limits,
        draw(st.lists(st.sampled_from(pairs), unique=True, max_size=draw(st.sampled_from([0, 3])))),
    )


def partition(case: Case) -> tuple[Groups, Refused]:
    ids = np.array(case.nodes, dtype=np.int64)
    labels, refusals = partition_ids(
        ids, arrow(case.links), exclusive(case.values), case.apart, case.limits, case.contrary
    )
    groups: dict[int, set[int]] = {}
    for node, label in zip(case.nodes, labels.tolist(), strict=True):
        groups.setdefault(label, set()).add(node)
    refused = [(r.link.left, r.link.right, r.constraint) for r in refusals]
    assert refused == sorted(refused)
    return {frozenset(g) for g in groups.values()}, set(refused)


# --- The oracle: sets, and the definitions word by word ---------------------------------------------------------------


def plain_partition(case: Case) -> tuple[Groups, Refused]:
    refused: Refused = set()
    groups: Groups = set()
    for group in plain_constraints(case, refused):
        for agreeing in plain_contradictions(group, case, refused):
            inside = [link for link in case.links if {link.left, link.right} <= agreeing]
            cut = plain_bridges(agreeing, inside, case.limits)
            refused |= {(link.left, link.right, "bridge") for link in cut}
            rest = [link for link in inside if link not in cut]
            for part in components(agreeing, rest):
                held = [link for link in rest if {link.left, link.right} <= part]
                groups |= plain_size(part, held, case.limits.maximum_size, refused)
    return groups, refused


def plain_contradictions(group: frozenset[int], case: Case, refused: Refused) -> Groups:
    inside = [link for link in case.links if {link.left, link.right} <= group]
    firm = components(group, [link for link in inside if link.basis in ("decision", "identifier")])

    def enemies(a: frozenset[int], b: frozenset[int]) -> bool:
        return a != b and any({x, y} & a and {x, y} & b for x, y in case.contrary)

    if not any({x, y} <= group for x, y in case.contrary):
        return {group}
    loose = sorted((x for x in inside if home(firm, x.left) != home(firm, x.right)), key=lambda link: link.order)
    unclear = set()
    for one in firm:
        mine = [(home(firm, x.left if x.right in one else x.right), x) for x in loose if {x.left, x.right} & one]
        for other, link in mine[1:]:
            nearest, first = mine[0]
            near = STRENGTH[first.basis] == STRENGTH[link.basis] and first.weight - link.weight < case.limits.margin
            if near and enemies(nearest, other):
                unclear.add(one)
    found = firm
    for link in loose:
        if {home(firm, link.left), home(firm, link.right)} & unclear:
            refused.add((link.left, link.right, "ambiguous"))
            continue
        a, b = home(found, link.left), home(found, link.right)
        pieces = [part for part in firm if part <= a or part <= b]
        if a != b and any(enemies(p, q) for p in pieces if p <= a for q in pieces if q <= b):
            refused.add((link.left, link.right, "contradiction"))
        else:
            found = joined(found, link)
    return found


def components(nodes: frozenset[int], links: list[Link]) -> Groups:
    found: Groups = {frozenset({node}) for node in nodes}
    for link in links:
        found = joined(found, link)
    return found


def home(groups: Groups, node: int) -> frozenset[int]:
    return next(group for group in groups if node in group)


def joined(groups: Groups, link: Link) -> Groups:
    a, b = home(groups, link.left), home(groups, link.right)
    return (groups - {a, b}) | {a | b}


def plain_constraints(case: Case, refused: Refused) -> Groups:
    met = {frozenset(pair) for pair in case.apart}
    groups: Groups = {frozenset({node}) for node in case.nodes}
    for link in sorted(case.links, key=lambda x: x.order):
        if link.basis == "decision" and not meets(groups, link, met):
            groups = joined(groups, link)
        elif link.basis == "decision":
            refused.add((link.left, link.right, "cannot_link"))
    decided, same = groups, same_values(groups, case.values)
    unclear = [group for group in decided if is_unclear(group, decided, case, same)]
    for link in sorted(case.links, key=lambda x: x.order):
        if link.basis == "decision":
            continue
        if home(decided, link.left) in unclear or home(decided, link.right) in unclear:
            refused.add((link.left, link.right, "ambiguous"))
        elif meets(groups, link, met):
            refused.add((link.left, link.right, "cannot_link"))
        elif len({same[case.values[x]] for x in ends(groups, link) if x in case.values}) > 1:
            refused.add((link.left, link.right, "exclusive:id"))
        else:
            groups = joined(groups, link)
    return groups


def ends(groups: Groups, link: Link) -> frozenset[int]:
    return home(groups, link.left) | home(groups, link.right)


def meets(groups: Groups, link: Link, met: set[frozenset[int]]) -> bool:
    return any(pair <= ends(groups, link) for pair in met)


def same_values(decided: Groups, values: dict[int, str]) -> dict[str, frozenset[str]]:
    """Return, for each value, all that decisions make one with it."""
    graph = nx.Graph()
    graph.add_nodes_from("XYZ")
    for group in decided:
        held = [values[node] for node in group if node in values]
        graph.add_edges_from(itertools.combinations(held, 2))
    return {value: frozenset(nx.node_connected_component(graph, value)) for value in "XYZ"}


def is_unclear(group: frozenset[int], decided: Groups, case: Case, same: dict[str, frozenset[str]]) -> bool:
    if any(node in case.values for node in group):
        return False
    ranked: list[tuple[frozenset[str], Link]] = []
    for link in sorted(case.links, key=lambda x: x.order):
        if link.basis != "decision" and (link.left in group) != (link.right in group):
            other = home(decided, link.right if link.left in group else link.left)
            for value in {same[case.values[node]] for node in other if node in case.values}:
                if value not in [seen for seen, _ in ranked]:
                    ranked.append((value, link))
    if len(ranked) < 2:
        return False
    (_, first), (_, second) = ranked[:2]
    return first.basis == second.basis and first.weight - second.weight < case.limits.margin


def plain_bridges(group: frozenset[int], links: list[Link], limits: Limits) -> list[Link]:
    weak = [
        link
        for link in links
        if STRENGTH[link.basis] >= 2
        and link.weight < limits.bridge_weight
        and len(components(group, [other for other in links if other is not link])) == 2
    ]
    pieces = components(group, [link for link in links if link not in weak])
    groups, cut = pieces, []
    for link in sorted(weak, key=lambda x: x.order):
        if all(
            any(len(piece) >= limits.bridge_side and piece <= side for piece in pieces)
            for side in (home(groups, link.left), home(groups, link.right))
        ):
            cut.append(link)
        else:
            groups = joined(groups, link)
    return cut


def plain_size(group: frozenset[int], links: list[Link], maximum: int | None, refused: Refused) -> Groups:
    groups: Groups = {frozenset({node}) for node in group}
    for link in sorted(links, key=lambda x: x.order):
        if home(groups, link.left) == home(groups, link.right):
            continue
        if maximum is not None and STRENGTH[link.basis] >= 2 and len(ends(groups, link)) > maximum:
            refused.add((link.left, link.right, "size"))
        else:
            groups = joined(groups, link)
    return groups


# --- Laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=600, deadline=None)
@given(cases())
def test_the_partition_and_the_refused_links_equal_a_plain_search(case: Case) -> None:
    assert partition(case) == plain_partition(case)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_without_constraints_clusters_are_the_components_networkx_finds(case: Case) -> None:
    graph = nx.Graph()
    graph.add_nodes_from(case.nodes)
    graph.add_edges_from((x.left, x.right) for x in case.links)
    found, refused = partition(replace(case, values={}, apart=[], contrary=[], limits=Limits()))
    assert found == {frozenset(c) for c in nx.connected_components(graph)}
    assert refused == set()


@settings(max_examples=200, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_links_values_and_constraints_changes_nothing(case: Case, shuffler: random.Random) -> None:
    links, apart, values = list(case.links), [pair[::-1] for pair in case.apart], list(case.values.items())
    for rows in (links, apart, values):
        shuffler.shuffle(rows)
    assert partition(case) == partition(replace(case, links=links, apart=apart, values=dict(values)))


@settings(max_examples=200, deadline=None)
@given(cases())
def test_the_same_input_gives_the_same_bytes(case: Case) -> None:
    ids = np.array(case.nodes, dtype=np.int64)
    runs = [
        partition_ids(ids, arrow(case.links), exclusive(case.values), case.apart, case.limits, case.contrary)
        for _ in range(2)
    ]
    assert runs[0][0].tobytes() == runs[1][0].tobytes()
    assert runs[0][1] == runs[1][1]


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_ends_of_a_refused_link_are_apart_and_those_of_every_other_together(case: Case) -> None:
    found, refused = partition(case)
    out = {(a, b) for a, b, _ in refused}
    assert len(out) == len(refused)
    for link in case.links:
        assert (home(found, link.left) != home(found, link.right)) == ((link.left, link.right) in out)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_no_cluster_breaks_a_constraint(case: Case) -> None:
    found, _ = partition(case)
    no_decisions = [link for link in case.links if link.basis != "decision"]
    for group in found:
        assert not any(a in group and b in group for a, b in case.apart)
    for group in partition(replace(case, links=no_decisions))[0]:
        assert len({case.values[x] for x in group if x in case.values}) <= 1
        firm = [link for link in no_decisions if link.basis == "identifier" and {link.left, link.right} <= group]
        largest = max(len(part) for part in components(group, firm))
        assert case.limits.maximum_size is None or len(group) <= max(case.limits.maximum_size, largest)


# --- Contradictions ---------------------------------------------------------------------------------------------------


def namesakes(*links: Link, contrary: list[tuple[int, int]]) -> tuple[Groups, Refused]:
    nodes = sorted({node for link in links for node in (link.left, link.right)})
    return partition(Case(nodes, list(links), {}, [], Limits(margin=5.0), contrary))


def test_a_row_between_father_and_son_joins_them_no_more_and_is_joined_to_neither() -> None:
    links = Link(1, 3, 14.0, "attribute"), Link(2, 3, 13.0, "attribute")
    found, refused = namesakes(*links, contrary=[(1, 2)])
    assert found == {frozenset({1}), frozenset({2}), frozenset({3})}
    assert refused == {(1, 3, "ambiguous"), (2, 3, "ambiguous")}


def test_a_row_that_is_nearer_to_one_is_joined_to_that_one() -> None:
    links = Link(1, 3, 30.0, "attribute"), Link(2, 3, 13.0, "attribute")
    assert namesakes(*links, contrary=[(1, 2)]) == ({frozenset({1, 3}), frozenset({2})}, {(2, 3, "contradiction")})


def test_what_an_identifier_joins_is_one_whatever_contradicts() -> None:
    links = Link(1, 2, 30.0, "identifier"), Link(1, 3, 13.0, "attribute"), Link(2, 3, 13.0, "attribute")
    assert namesakes(*links, contrary=[(1, 2)]) == ({frozenset({1, 2, 3})}, set())


# --- Decisions --------------------------------------------------------------------------------------------------------


def decided(*pairs: tuple[int, int]) -> list[Link]:
    return [Link(a, b, float("inf"), "decision") for a, b in pairs]


def clusters(
    links: list[Link], values: dict[int, str], apart: list[tuple[int, int]] | None = None
) -> tuple[Groups, Refused]:
    nodes = sorted({node for link in links for node in (link.left, link.right)} | set(values))
    return partition(Case(nodes, links, values, apart or [], Limits(margin=5.0), []))


def test_two_numbers_that_a_person_ruled_one_may_stand_in_one_cluster() -> None:
    assert clusters(decided((1, 2)), {1: "X", 2: "Y"}) == ({frozenset({1, 2})}, set())


def test_numbers_ruled_one_are_one_for_other_records_too_and_no_record_is_torn_between_them() -> None:
    links = [*decided((1, 2)), Link(1, 3, 20.0, "corroborated"), Link(3, 4, 20.0, "corroborated")]
    assert clusters(links, {1: "X", 2: "Y", 4: "Y"}) == ({frozenset({1, 2, 3, 4})}, set())


def test_a_third_number_is_still_refused() -> None:
    links = [*decided((1, 2)), Link(2, 3, 20.0, "corroborated")]
    assert clusters(links, {1: "X", 2: "Y", 3: "Z"}) == (
        {frozenset({1, 2}), frozenset({3})},
        {(2, 3, "exclusive:id")},
    )


def test_numbers_are_one_through_a_chain_of_rulings() -> None:
    links = [*decided((1, 2), (2, 3), (4, 5)), Link(3, 4, 20.0, "corroborated")]
    assert clusters(links, {1: "X", 3: "Y", 4: "Y", 5: "Z"}) == ({frozenset({1, 2, 3, 4, 5})}, set())


def test_a_ruling_about_a_record_without_a_number_says_nothing_about_numbers() -> None:
    links = [*decided((1, 2)), Link(2, 3, 20.0, "corroborated")]
    assert clusters(links, {1: "X", 3: "Y"}) == ({frozenset({1, 2}), frozenset({3})}, {(2, 3, "exclusive:id")})


def test_a_ruling_that_another_ruling_stops_makes_no_numbers_one() -> None:
    links = [*decided((1, 2)), Link(1, 3, 20.0, "corroborated"), Link(3, 4, 19.0, "attribute")]
    found, refused = clusters(links, {1: "X", 2: "Y", 4: "Y"}, [(1, 2)])
    assert found == {frozenset({1, 3}), frozenset({2}), frozenset({4})}
    assert refused == {(1, 2, "cannot_link"), (3, 4, "exclusive:id")}


@pytest.mark.parametrize("apart", [[], [(5, 6)], [(1, 99)], [(98, 99)]])
def test_a_pair_kept_apart_that_is_not_here_or_never_met_changes_nothing(apart: list[tuple[int, int]]) -> None:
    links = [Link(1, 2, 20.0, "corroborated")]
    case = Case([1, 2, 5, 6], links, {}, apart, Limits(), apart)
    assert partition(case) == ({frozenset({1, 2}), frozenset({5}), frozenset({6})}, set())


def test_no_profiles_make_no_clusters() -> None:
    labels, refusals = partition_ids(np.zeros(0, dtype=np.int64), arrow([]), exclusive({}), [])
    assert (labels.tolist(), refusals) == ([], [])
