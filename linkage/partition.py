"""Partition profiles into clusters under constraints: the algorithm, without tables.

A cluster may not hold two values of an exclusive column, nor two profiles to be kept apart. Components without
conflict, nearly all, are taken whole by scipy. The few with conflict are built link by link in falling strength, and a
link that would break a constraint is refused.

Invariant: the result depends on the set of profiles, links and constraints, never on their order; ties go by id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

STRENGTH = {"decision": 0, "identifier": 1, "corroborated": 2, "attribute": 3}
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Link:
    """An accepted link between two profiles; sorted by strength, weight and ids."""

    left: int
    right: int
    weight: float
    basis: str

    @property
    def order(self) -> tuple[int, float, int, int]:
        """The order in which links are tried: strongest first."""
        return (STRENGTH[self.basis], -self.weight, self.left, self.right)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A link that was not followed, and the constraint that refused it."""

    link: Link
    constraint: str


def partition(
    ids: Ids,
    edges: pa.Table,
    exclusive: Mapping[str, pa.Table],
    apart: Sequence[tuple[int, int]],
    *,
    margin: float = 0.0,
) -> tuple[NDArray[np.int64], list[Refusal]]:
    """Partition profiles.

    Args:
        ids: profile ids, ascending.
        edges: accepted links: left_id, right_id, match_weight, link_basis.
        exclusive: per exclusive column, a table of profile_id and value.
        apart: pairs of profile ids that may not meet.
        margin: see `partition_contested`.

    Returns:
        A component number for each id, and the refused links.
    """
    left = np.searchsorted(ids, edges.column("left_id").to_numpy())
    right = np.searchsorted(ids, edges.column("right_id").to_numpy())
    n = len(ids)
    if n == 0:
        return np.zeros(0, dtype=np.int64), []
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n, n))
    _, found = connected_components(graph, directed=False)
    labels: NDArray[np.int64] = found.astype(np.int64)
    contested = _contested(ids, labels, exclusive, apart)
    if not len(contested):
        return labels, []
    inside = np.isin(labels[left], contested)
    rows = edges.filter(pa.array(inside))
    links = [
        Link(left=a, right=b, weight=w, basis=s)
        for a, b, w, s in zip(*(rows.column(c).to_pylist() for c in rows.column_names), strict=True)
    ]
    nodes = ids[np.isin(labels, contested)]
    values = _values(nodes, exclusive)
    parts, refusals = partition_contested(nodes.tolist(), links, values, apart, margin=margin)
    fresh = int(labels.max()) + 1
    position = np.searchsorted(ids, np.fromiter(parts, dtype=np.int64, count=len(parts)))
    roots = np.fromiter(parts.values(), dtype=np.int64, count=len(parts))
    labels[position] = fresh + np.searchsorted(ids, roots)
    return labels, refusals


def _contested(
    ids: Ids, labels: NDArray[np.int64], exclusive: Mapping[str, pa.Table], apart: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """Return the components that hold two values of an exclusive column or two profiles to be kept apart."""
    found = [np.zeros(0, dtype=np.int64)]
    for table in exclusive.values():
        component = labels[np.searchsorted(ids, table.column("profile_id").to_numpy())]
        codes = table.column("value").combine_chunks().dictionary_encode()
        value = np.asarray(codes.indices.to_numpy(), dtype=np.int64)
        pairs = np.unique(np.stack([component, value]), axis=1) if len(component) else np.zeros((2, 0), dtype=np.int64)
        holders, counts = np.unique(pairs[0], return_counts=True)
        found.append(holders[counts > 1])
    known = [(a, b) for a, b in apart if _has(ids, a) and _has(ids, b)]
    if known:
        a = labels[np.searchsorted(ids, [pair[0] for pair in known])]
        b = labels[np.searchsorted(ids, [pair[1] for pair in known])]
        found.append(a[a == b])
    return np.unique(np.concatenate(found))


def _has(ids: Ids, value: int) -> bool:
    position = int(np.searchsorted(ids, value))
    return position < len(ids) and int(ids[position]) == value


def _values(nodes: Ids, exclusive: Mapping[str, pa.Table]) -> dict[int, dict[str, str]]:
    values: dict[int, dict[str, str]] = defaultdict(dict)
    for column, table in exclusive.items():
        mask = np.isin(table.column("profile_id").to_numpy(), nodes)
        rows = table.filter(pa.array(mask))
        for node, value in zip(rows.column("profile_id").to_pylist(), rows.column("value").to_pylist(), strict=True):
            values[node][column] = value
    return values


def partition_contested(
    nodes: Iterable[int],
    links: Iterable[Link],
    values: Mapping[int, Mapping[str, str]],
    apart: Sequence[tuple[int, int]],
    *,
    margin: float = 0.0,
) -> tuple[dict[int, int], list[Refusal]]:
    """Follow links in falling strength, refusing each that would break a constraint.

    A node without a value of its own that is linked about as well to two different values (an organisation registered
    anew under another code, a person with two documents) is ambiguous: it is joined to neither.

    Args:
        nodes: profile ids.
        links: accepted links among them.
        values: profile id to its exclusive values by column.
        apart: pairs that may not meet.
        margin: a node is ambiguous if its best link to another value is less than this weight behind its best link.

    Returns:
        Each node's representative (the smallest id in its part), and the refused links with the constraint.
    """
    root = {node: node for node in nodes}
    held: dict[int, dict[str, str]] = {node: dict(values.get(node, {})) for node in root}
    enemies: dict[int, set[int]] = defaultdict(set)
    inside: dict[int, set[int]] = {node: {node} for node in root}
    for a, b in apart:
        enemies[a].add(b)
        enemies[b].add(a)

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    ordered = sorted(links, key=lambda x: x.order)
    unclear = _ambiguous(ordered, values, margin)
    refusals = []
    for link in ordered:
        if (link.left in unclear) != (link.right in unclear):
            refusals.append(Refusal(link, "ambiguous"))
            continue
        a, b = sorted((find(link.left), find(link.right)))
        if a == b:
            continue
        constraint = _broken(held[a], held[b], inside, enemies, a, b)
        if constraint:
            refusals.append(Refusal(link, constraint))
            continue
        root[b] = a
        held[a] |= held.pop(b)
        if len(inside[a]) < len(inside[b]):
            inside[a], inside[b] = inside[b], inside[a]
        inside[a] |= inside.pop(b)
        enemies[a] |= enemies.pop(b, set())
    return {node: find(node) for node in root}, refusals


def _ambiguous(links: Sequence[Link], values: Mapping[int, Mapping[str, str]], margin: float) -> set[int]:
    """Return the nodes without a value whose links do not tell which of two values they belong to."""
    best: dict[tuple[int, str], dict[str, Link]] = defaultdict(dict)
    for link in links:
        for node, other in ((link.left, link.right), (link.right, link.left)):
            for column, value in values.get(other, {}).items():
                if column not in values.get(node, {}):
                    best[node, column].setdefault(value, link)
    unclear = set()
    for (node, _), by_value in best.items():
        if len(by_value) > 1:
            first, second = sorted(by_value.values(), key=lambda link: link.order)[:2]
            if STRENGTH[first.basis] == STRENGTH[second.basis] and first.weight - second.weight < margin:
                unclear.add(node)
    return unclear


def _broken(
    left: Mapping[str, str],
    right: Mapping[str, str],
    inside: Mapping[int, set[int]],
    enemies: Mapping[int, set[int]],
    a: int,
    b: int,
) -> str | None:
    for column in sorted(left.keys() & right.keys()):
        if left[column] != right[column]:
            return f"exclusive:{column}"
    if not inside[b].isdisjoint(enemies.get(a, ())) or not inside[a].isdisjoint(enemies.get(b, ())):
        return "cannot_link"
    return None
