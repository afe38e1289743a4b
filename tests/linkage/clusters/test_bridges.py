"""Bridges: one weak link does not join two groups, and nothing else is taken apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from linkage.clusters.bridges import homes_without, refuse_bridges, suspicious
from linkage.clusters.links import Link

WEAK, STRONG = 8.0, 20.0
LEFT, RIGHT = (1, 2, 3), (11, 12, 13)


def clique(nodes: tuple[int, ...], weight: float = STRONG) -> list[Link]:
    return [Link(a, b, weight, "corroborated") for a, b in itertools.combinations(nodes, 2)]


def refused(links: list[Link], side: int = 3) -> list[tuple[int, int]]:
    nodes = sorted({node for link in links for node in (link.left, link.right)})
    cut = refuse_bridges(nodes, links, weight=12.0, side=side)
    assert cut == refuse_bridges(nodes[::-1], links[::-1], weight=12.0, side=side)
    return [(link.left, link.right) for link in cut]


def test_one_weak_link_between_two_groups_is_refused() -> None:
    assert refused([*clique(LEFT), *clique(RIGHT), Link(3, 11, WEAK, "attribute")]) == [(3, 11)]


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(Link(3, 11, STRONG, "attribute"), id="a strong link"),
        pytest.param(Link(3, 11, 12.0, "attribute"), id="as strong as asked for"),
        pytest.param(Link(3, 11, WEAK, "identifier"), id="an identifier"),
        pytest.param(Link(3, 11, WEAK, "decision"), id="a decision"),
    ],
)
def test_a_link_that_is_not_weak_may_join_two_groups(link: Link) -> None:
    assert refused([*clique(LEFT), *clique(RIGHT), link]) == []


def test_two_weak_links_between_the_groups_hold_each_other() -> None:
    assert (
        refused([*clique(LEFT), *clique(RIGHT), Link(3, 11, WEAK, "attribute"), Link(2, 12, WEAK, "attribute")]) == []
    )


def test_a_group_may_be_held_together_by_a_circle_of_weak_links() -> None:
    assert refused([*clique(LEFT, WEAK), *clique(RIGHT, WEAK), Link(3, 11, WEAK, "attribute")]) == [(3, 11)]


def test_a_small_side_is_no_group() -> None:
    links = [*clique(LEFT), *clique((11, 12)), Link(3, 11, WEAK, "attribute")]
    assert refused(links) == []
    assert refused(links, side=2) == [(3, 11)]


def test_a_chain_of_weak_links_is_left_alone() -> None:
    assert refused([Link(i, i + 1, WEAK, "attribute") for i in range(1, 12)]) == []


def test_a_lone_profile_between_two_groups_stays_with_the_one_it_fits_better() -> None:
    links = [*clique(LEFT), *clique(RIGHT), Link(3, 5, 9.0, "attribute"), Link(5, 11, 8.0, "attribute")]
    assert refused(links) == [(5, 11)]
    homes = homes_without([*LEFT, 5, *RIGHT], links, [links[-1]])
    assert homes == {1: 1, 2: 1, 3: 1, 5: 1, 11: 11, 12: 11, 13: 11}


def test_three_groups_on_two_weak_links_are_three_clusters() -> None:
    third = (21, 22, 23)
    links = [*clique(LEFT), *clique(RIGHT), *clique(third)]
    assert refused([*links, Link(3, 11, WEAK, "attribute"), Link(13, 21, WEAK, "attribute")]) == [(3, 11), (13, 21)]


@pytest.mark.parametrize(
    ("links", "found"),
    [
        pytest.param([*clique((0, 1, 2)), *clique((3, 4, 5)), Link(2, 3, WEAK, "attribute")], [0], id="two groups"),
        pytest.param([*clique((0, 1, 2, 3, 4, 5)), Link(0, 5, WEAK, "attribute")], [], id="weak within a strong group"),
        pytest.param([*clique((0, 1, 2, 3)), Link(3, 4, WEAK, "attribute")], [], id="too few profiles"),
        pytest.param(clique((0, 1, 2, 3, 4, 5)), [], id="no weak link"),
        pytest.param([], [], id="no link"),
    ],
)
def test_only_clusters_with_a_weak_link_between_strong_parts_are_looked_at(links: list[Link], found: list[int]) -> None:
    ends = [np.array([getattr(link, side) for link in links], dtype=np.int32) for side in ("left", "right")]
    labels = np.array([0] * (1 + max((link.right for link in links), default=0)), dtype=np.int32)
    weak = np.array([link.weight < 12.0 for link in links], dtype=bool)
    assert suspicious(labels, ends[0], ends[1], weak, side=3).tolist() == found
