"""Contested clusters by hand: which of two links holds, what decisions do, and where a size stops."""

from __future__ import annotations

import pytest

from linkage.clusters.contested import decided_groups, limit_size, partition_contested
from linkage.clusters.links import Link

A_AND_B = {1: {"id": "A"}, 3: {"id": "B"}}


def decision(left: int, right: int) -> Link:
    return Link(left, right, float("inf"), "decision")


def test_the_weaker_of_two_links_to_different_identifiers_is_refused_and_named() -> None:
    links = [Link(1, 2, 20.0, "corroborated"), Link(2, 3, 15.0, "corroborated")]
    parts, refusals = partition_contested([1, 2, 3], links, A_AND_B, [])
    assert parts == {1: 1, 2: 1, 3: 3}
    assert [(r.link.left, r.link.right, r.constraint) for r in refusals] == [(2, 3, "exclusive:id")]


def test_an_identifier_link_is_followed_before_a_heavier_link_by_score() -> None:
    links = [Link(1, 2, 12.0, "identifier"), Link(2, 3, 40.0, "corroborated")]
    parts, _ = partition_contested([1, 2, 3], links, A_AND_B, [])
    assert parts[2] == 1


def test_a_record_that_fits_two_identifiers_about_equally_is_joined_to_neither() -> None:
    links = [Link(1, 2, 20.0, "corroborated"), Link(2, 3, 18.0, "corroborated")]
    parts, refusals = partition_contested([1, 2, 3], links, A_AND_B, [], margin=5.0)
    assert parts == {1: 1, 2: 2, 3: 3}
    assert {r.constraint for r in refusals} == {"ambiguous"}
    clear, _ = partition_contested([1, 2, 3], links, A_AND_B, [], margin=1.0)
    assert clear == {1: 1, 2: 1, 3: 3}


def test_an_identifier_settles_what_a_similar_weight_leaves_open() -> None:
    links = [Link(1, 2, 20.0, "identifier"), Link(2, 3, 19.0, "corroborated")]
    parts, _ = partition_contested([1, 2, 3], links, A_AND_B, [], margin=5.0)
    assert parts[2] == 1


def test_a_decision_settles_what_the_weights_leave_open() -> None:
    links = [Link(1, 2, 20.0, "corroborated"), decision(2, 3)]
    parts, refusals = partition_contested([1, 2, 3], links, A_AND_B, [], margin=5.0)
    assert parts == {1: 1, 2: 2, 3: 2}
    assert [(r.link.left, r.constraint) for r in refusals] == [(1, "exclusive:id")]


def test_a_decision_is_followed_though_one_side_is_ambiguous_and_then_both_are() -> None:
    links = [Link(1, 2, 20.0, "corroborated"), Link(2, 3, 18.0, "corroborated"), decision(2, 4)]
    parts, refusals = partition_contested([1, 2, 3, 4], links, A_AND_B, [], margin=5.0)
    assert parts == {1: 1, 2: 2, 3: 3, 4: 2}
    assert {r.constraint for r in refusals} == {"ambiguous"}


def test_evidence_of_profiles_that_a_decision_makes_one_is_taken_together() -> None:
    links = [
        Link(1, 2, 20.0, "corroborated"),
        Link(2, 3, 18.0, "corroborated"),
        Link(1, 4, 30.0, "corroborated"),
        decision(2, 4),
    ]
    parts, refusals = partition_contested([1, 2, 3, 4], links, A_AND_B, [], margin=5.0)
    assert parts == {1: 1, 2: 1, 3: 3, 4: 1}
    assert [(r.link.left, r.link.right, r.constraint) for r in refusals] == [(2, 3, "exclusive:id")]


def test_a_decision_does_not_join_what_a_decision_keeps_apart() -> None:
    links = [decision(1, 2), decision(2, 3)]
    parts, refusals = partition_contested([1, 2, 3], links, {}, [(1, 3)])
    assert parts == {1: 1, 2: 1, 3: 3}
    assert [(r.link.left, r.link.right, r.constraint) for r in refusals] == [(2, 3, "cannot_link")]
    assert decided_groups(links, [(1, 3)]) == {1: 1, 2: 1, 3: 3}


def test_only_decisions_make_groups_by_decision() -> None:
    assert decided_groups([Link(1, 2, 40.0, "identifier"), decision(7, 5), decision(5, 6)], []) == {5: 5, 6: 5, 7: 5}


@pytest.mark.parametrize(
    ("basis", "size", "refused"),
    [
        ("corroborated", 2, [(2, 3)]),
        ("corroborated", 3, [(3, 4)]),
        ("corroborated", 4, []),
        ("identifier", 2, []),
        ("decision", 2, []),
    ],
)
def test_a_cluster_stops_growing_at_its_size_unless_an_identifier_or_a_decision_says_so(
    basis: str, size: int, refused: list[tuple[int, int]]
) -> None:
    links = [Link(1, 2, 30.0, basis), Link(2, 3, 20.0, basis), Link(3, 4, 10.0, basis)]
    parts, refusals = limit_size([1, 2, 3, 4], links, maximum=size)
    assert [(r.link.left, r.link.right, r.constraint) for r in refusals] == [(*pair, "size") for pair in refused]
    assert len(set(parts.values())) == 1 + len(refused)


def test_a_cluster_made_too_large_by_identifiers_takes_in_nothing_by_score() -> None:
    links = [Link(1, 2, 30.0, "identifier"), Link(2, 3, 30.0, "identifier"), Link(3, 4, 50.0, "corroborated")]
    parts, refusals = limit_size([1, 2, 3, 4], links, maximum=2)
    assert parts == {1: 1, 2: 1, 3: 1, 4: 4}
    assert [r.link.left for r in refusals] == [3]
