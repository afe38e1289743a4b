"""Clusters under constraints: against networkx, against a plain search, and whatever the order."""

import itertools
import random

import networkx as nx
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.partition import Link, partition_contested
from linkage.partition import partition as partition_ids

NODES = st.integers(2, 9)


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
                "profile_id": pa.array(sorted(values), pa.int64()),
                "value": pa.array([values[k] for k in sorted(values)], pa.string()),
            }
        )
    }


@st.composite
def cases(draw: st.DrawFn):
    n = draw(NODES)
    nodes = sorted(draw(st.sets(st.integers(1, 10_000), min_size=n, max_size=n)))
    pairs = list(itertools.combinations(nodes, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12))
    links = [
        Link(a, b, draw(st.sampled_from([5.0, 10.0, 20.0])), draw(st.sampled_from(["identifier", "corroborated"])))
        for a, b in chosen
    ]
    values = draw(st.dictionaries(st.sampled_from(nodes), st.sampled_from("XYZ"), max_size=n))
    apart = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=3))
    return nodes, links, values, apart


def partition(nodes, links, values, apart, margin=0.0):
    ids = np.array(nodes, dtype=np.int64)
    labels, refusals = partition_ids(ids, arrow(links), exclusive(values), apart, margin=margin)
    groups = {}
    for node, label in zip(nodes, labels.tolist(), strict=True):
        groups.setdefault(label, set()).add(node)
    return {frozenset(g) for g in groups.values()}, {(r.link.left, r.link.right, r.constraint) for r in refusals}


def plain_partition(nodes, links, values, apart, margin=0.0):
    """Follow the links one by one with sets only: the oracle."""
    groups = [{node} for node in nodes]
    unclear = {node for node in nodes if node not in values and unclear_between(node, links, values, margin)}
    for link in sorted(links, key=lambda x: x.order):
        if (link.left in unclear) != (link.right in unclear):
            continue
        a = next(g for g in groups if link.left in g)
        b = next(g for g in groups if link.right in g)
        if a is b:
            continue
        union = a | b
        one_value = len({values[x] for x in union if x in values}) <= 1
        if one_value and not any(x in union and y in union for x, y in apart):
            groups = [g for g in groups if g is not a and g is not b] + [union]
    return {frozenset(g) for g in groups}


def unclear_between(node, links, values, margin):
    """Whether a node's best links to two values are of one basis and closer than the margin."""
    ranked = []
    for link in sorted(links, key=lambda x: x.order):
        other = link.right if link.left == node else link.left if link.right == node else None
        if other in values and values[other] not in [value for value, _ in ranked]:
            ranked.append((values[other], link))
    if len(ranked) < 2:
        return False
    (_, first), (_, second) = ranked[:2]
    return first.basis == second.basis and first.weight - second.weight < margin


@settings(max_examples=300, deadline=None)
@given(cases(), st.sampled_from([0.0, 6.0, 100.0]))
def test_the_partition_equals_a_plain_search(case, margin: float) -> None:
    nodes, links, values, apart = case
    assert partition(nodes, links, values, apart, margin)[0] == plain_partition(nodes, links, values, apart, margin)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_without_constraints_clusters_are_the_components_networkx_finds(case) -> None:
    nodes, links, _, _ = case
    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from((x.left, x.right) for x in links)
    found, refused = partition(nodes, links, {}, [])
    assert found == {frozenset(c) for c in nx.connected_components(graph)}
    assert refused == set()


@settings(max_examples=200, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_links_changes_nothing(case, shuffler: random.Random) -> None:
    nodes, links, values, apart = case
    shuffled = list(links)
    shuffler.shuffle(shuffled)
    assert partition(nodes, links, values, apart) == partition(nodes, shuffled, values, apart)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_no_cluster_holds_two_values_or_two_profiles_kept_apart(case) -> None:
    nodes, links, values, apart = case
    for group in partition(nodes, links, values, apart)[0]:
        assert len({values[x] for x in group if x in values}) <= 1
        assert not any(a in group and b in group for a, b in apart)


def test_the_weaker_of_two_links_to_different_identifiers_is_refused_and_named() -> None:
    links = [Link(1, 2, 20.0, "corroborated"), Link(2, 3, 15.0, "corroborated")]
    parts, refusals = partition_contested([1, 2, 3], links, {1: {"id": "A"}, 3: {"id": "B"}}, [])
    assert parts == {1: 1, 2: 1, 3: 3}
    assert [(r.link.left, r.link.right, r.constraint) for r in refusals] == [(2, 3, "exclusive:id")]


def test_an_identifier_link_is_followed_before_a_heavier_link_by_score() -> None:
    links = [Link(1, 2, 12.0, "identifier"), Link(2, 3, 40.0, "corroborated")]
    parts, _ = partition_contested([1, 2, 3], links, {1: {"id": "A"}, 3: {"id": "B"}}, [])
    assert parts[2] == 1


def test_a_record_that_fits_two_identifiers_about_equally_is_joined_to_neither() -> None:
    links = [Link(1, 2, 20.0, "corroborated"), Link(2, 3, 18.0, "corroborated")]
    values = {1: {"id": "A"}, 3: {"id": "B"}}
    parts, refusals = partition_contested([1, 2, 3], links, values, [], margin=5.0)
    assert parts == {1: 1, 2: 2, 3: 3}
    assert {r.constraint for r in refusals} == {"ambiguous"}
    clear, _ = partition_contested([1, 2, 3], links, values, [], margin=1.0)
    assert clear == {1: 1, 2: 1, 3: 3}


def test_an_identifier_settles_what_a_similar_weight_leaves_open() -> None:
    links = [Link(1, 2, 20.0, "identifier"), Link(2, 3, 19.0, "corroborated")]
    parts, _ = partition_contested([1, 2, 3], links, {1: {"id": "A"}, 3: {"id": "B"}}, [], margin=5.0)
    assert parts[2] == 1
