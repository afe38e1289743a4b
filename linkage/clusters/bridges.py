"""Bridges: a cluster that hangs together by one weak link between two groups is two clusters until a person says not.

A link is weak if it rests on neither an identifier nor a decision and weighs less than `weight`. Taking the weak
bridges (graph theory: edges on no cycle) out of a cluster leaves its pieces: profiles held together otherwise. A piece
of at least `side` profiles is a group. The weak bridges are then put back, strongest first, except where that would
join two groups; those are refused. So a lone record between two groups stays with the one that it fits better, and a
chain of weak links without any group in it is left alone.

In: clusters that keep the other constraints, and the links inside them. Out: the refused links, and who is together
without them.
Invariant: every refused link is a bridge of its cluster, weak, and separates at least `side` profiles on either side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.clusters.connected import connected
from linkage.clusters.links import Groups, Link, Mask

Positions = NDArray[np.int32]


def suspicious(labels: Positions, left: Positions, right: Positions, weak: Mask, *, side: int) -> Positions:
    """Return the clusters in which a weak link might be a bridge between two groups.

    Args:
        labels: cluster of each profile.
        left: position of the links' left profile; links between clusters are refused ones, and ignored.
        right: position of the right one.
        weak: whether the link is weak and inside a cluster.
        side: smallest group.
    """
    large = np.bincount(labels) >= 2 * side
    touched = np.zeros(len(large), dtype=bool)
    touched[labels[left[weak]]] = True
    candidates = large & touched
    inside = candidates[labels[left]] & (labels[left] == labels[right])
    nodes = np.flatnonzero(candidates[labels])
    if not len(nodes):
        return np.zeros(0, dtype=np.int32)
    # Held together by links that are not weak: a weak link within such a part is on a cycle.
    place = np.zeros(len(labels), dtype=np.int32)
    place[nodes] = np.arange(len(nodes), dtype=np.int32)
    a, b = place[left[inside]], place[right[inside]]
    strong = ~weak[inside]
    part = connected(len(nodes), a[strong], b[strong])
    between = part[a] != part[b]
    return np.unique(labels[nodes[a[between]]])


def refuse_bridges(nodes: Iterable[int], links: Sequence[Link], *, weight: float, side: int) -> list[Link]:
    """Return the links that join two groups of a cluster by themselves.

    Args:
        nodes: profile ids of one or more clusters.
        links: the accepted links inside these clusters.
        weight: a link below is weak.
        side: smallest group.
    """
    import networkx as nx  # it takes long to load, and few clusters come here

    graph = nx.Graph((link.left, link.right) for link in links)
    graph.add_nodes_from(nodes)
    by_pair = {(link.left, link.right): link for link in links}
    found: Any = nx.bridges(graph)  # the stubs call its pairs int
    bridges = [by_pair[min(a, b), max(a, b)] for a, b in found]
    weak = [link for link in bridges if not link.is_firm and link.weight < weight]
    graph.remove_edges_from((link.left, link.right) for link in weak)
    pieces = list(nx.connected_components(graph))
    piece = {node: number for number, members in enumerate(pieces) for node in members}
    holds_group = {number: len(members) >= side for number, members in enumerate(pieces)}
    return _put_back(sorted(weak, key=lambda link: link.order), piece, holds_group)


def _put_back(weak: Sequence[Link], piece: dict[int, int], holds_group: dict[int, bool]) -> list[Link]:
    groups, refused = Groups(list(holds_group)), []
    for link in weak:
        a, b = groups.roots(piece[link.left], piece[link.right])
        if holds_group[a] and holds_group[b]:
            refused.append(link)
            continue
        groups.join(a, b)
        holds_group[a] |= holds_group[b]
    return refused


def homes_without(nodes: Iterable[int], links: Iterable[Link], refused: Iterable[Link]) -> dict[int, int]:
    """Return each node's home, the smallest id among those that the links but the refused ones tie it to."""
    out = set(refused)
    groups = Groups(list(nodes))
    for link in links:
        if link not in out:
            a, b = groups.roots(link.left, link.right)
            if a != b:
                groups.join(a, b)
    return groups.homes()
