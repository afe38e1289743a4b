"""Partition profiles into clusters under constraints: the algorithm, without tables.

Components of the accepted links, nearly all, are taken whole. Four kinds are looked at, each after the last:

1. A component with two values of an exclusive column or two profiles to be kept apart is built link by link
   (`linkage.clusters.contested`). Two values that a must-link joins count as one.
2. A cluster in which third profiles join two that contradict each other is built again link by link.
3. A cluster in which one weak link joins two groups is taken apart there (`linkage.clusters.bridges`).
4. A cluster of too many profiles is built again up to that size.

Each step only takes clusters apart, so that what an earlier one has kept apart never meets again.

Invariants: the result depends on the set of profiles, links and constraints, never on their order, ties go by id; the
two ends of a refused link are in different clusters, those of any other link in one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linkage.clusters.bridges import homes_without, refuse_bridges, suspicious
from linkage.clusters.connected import connected
from linkage.clusters.contested import decided_groups, limit_size, partition_contested, partition_contradicted
from linkage.clusters.links import FIRM, Groups, Ids, Mask, Refusal, links_of

Positions = NDArray[np.int32]
Aliases = Mapping[str, Mapping[str, str]]
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """When a link is not followed; the defaults are no limit at all.

    Attributes:
        margin: see `linkage.clusters.contested.partition_contested`.
        bridge_weight: a link that rests on neither an identifier nor a decision and weighs less is weak.
        bridge_side: smallest group that a weak link may not join to another by itself; at least 1.
        maximum_size: profiles of a cluster.
    """

    margin: float = 0.0
    bridge_weight: float = float("-inf")
    bridge_side: int = 1
    maximum_size: int | None = None


def partition(
    ids: Ids,
    edges: pa.Table,
    exclusive: Mapping[str, pa.Table],
    apart: Sequence[tuple[int, int]],
    limits: Limits = Limits(),
    contrary: Sequence[tuple[int, int]] = (),
) -> tuple[Positions, list[Refusal]]:
    """Partition profiles.

    Args:
        ids: profile ids, ascending.
        edges: accepted links: left_id < right_id, match_weight, link_basis; one row for a pair.
        exclusive: per exclusive column, a table of profile_id and value.
        apart: pairs of profile ids that may not meet.
        limits: when else a link is not followed.
        contrary: pairs of profile ids that contradict each other: only decisions and identifiers join them.

    Returns:
        A component number for each id, and the refused links, by left and right id.
    """
    if not len(ids):
        return np.zeros(0, dtype=np.int32), []
    made = _Partition(ids, edges)
    made.settle_constraints(exclusive, _among(ids, apart), limits)
    made.settle_contradictions(_among(ids, contrary), limits)
    made.settle_bridges(limits)
    if limits.maximum_size is not None:
        made.settle_sizes(limits.maximum_size)
    return made.labels, sorted(made.refusals, key=lambda r: (r.link.left, r.link.right))


class _Partition:
    """A partition in the making: the component of each profile, and the links refused so far."""

    def __init__(self, ids: Ids, edges: pa.Table) -> None:
        self.ids, self.edges = ids, edges
        self.left, self.right = (_positions(ids, edges.column(side).to_numpy()) for side in ("left_id", "right_id"))
        self.labels: Positions = connected(len(ids), self.left, self.right)
        self.refusals: list[Refusal] = []

    def settle_constraints(
        self, exclusive: Mapping[str, pa.Table], apart: Sequence[tuple[int, int]], limits: Limits
    ) -> None:
        aliases = value_aliases(self.edges, exclusive, apart)
        contested = self._flag(_contested(self.ids, self.labels, exclusive, aliases, apart))
        inside, nodes = self._inside(contested)
        if len(nodes):
            values = _values(nodes, exclusive, aliases)
            links = links_of(self.edges, inside)
            homes, refusals = partition_contested(nodes.tolist(), links, values, apart, margin=limits.margin)
            self._take_apart(homes, refusals)

    def settle_contradictions(self, contrary: Sequence[tuple[int, int]], limits: Limits) -> None:
        if not contrary:
            return
        pairs = np.array(contrary, dtype=np.int64)
        homes = self.labels[_positions(self.ids, pairs.ravel())].reshape(-1, 2)
        together = homes[:, 0] == homes[:, 1]
        inside, nodes = self._inside(self._flag(homes[together, 0]))
        if len(nodes):
            met = [(int(a), int(b)) for a, b in pairs[together]]
            links = links_of(self.edges, inside)
            self._take_apart(*partition_contradicted(nodes.tolist(), links, met, margin=limits.margin))

    def settle_bridges(self, limits: Limits) -> None:
        weights = self.edges.column("match_weight").to_numpy()
        weak = (weights < limits.bridge_weight) & self._together()
        if not weak.any():
            return
        weak &= ~_mask(pc.is_in(self.edges.column("link_basis"), pa.array(sorted(FIRM))))
        found = self._flag(suspicious(self.labels, self.left, self.right, weak, side=limits.bridge_side))
        inside, nodes = self._inside(found)
        if len(nodes):
            links = links_of(self.edges, inside)
            cut = refuse_bridges(nodes.tolist(), links, weight=limits.bridge_weight, side=limits.bridge_side)
            self._take_apart(homes_without(nodes.tolist(), links, cut), [Refusal(link, "bridge") for link in cut])

    def settle_sizes(self, maximum: int) -> None:
        inside, nodes = self._inside(np.bincount(self.labels) > maximum)
        if len(nodes):
            self._take_apart(*limit_size(nodes.tolist(), links_of(self.edges, inside), maximum=maximum))

    def _flag(self, components: Positions) -> Mask:
        flags = np.zeros(int(self.labels.max()) + 1, dtype=bool)
        flags[components] = True
        return flags

    def _together(self) -> Mask:
        """Return which links have both ends in one component: those not refused so far."""
        same: Mask = self.labels[self.left] == self.labels[self.right]
        return same

    def _inside(self, wanted: Mask) -> tuple[Mask, Ids]:
        """Return which links are inside the wanted components, and the profiles of these."""
        if not wanted.any():
            return np.zeros(len(self.left), dtype=bool), self.ids[:0]
        return wanted[self.labels[self.left]] & self._together(), self.ids[wanted[self.labels]]

    def _take_apart(self, homes: Mapping[int, int], refusals: Sequence[Refusal]) -> None:
        if not refusals:
            return
        nodes = np.fromiter(homes, dtype=np.int64, count=len(homes))
        roots = np.fromiter(homes.values(), dtype=np.int64, count=len(homes))
        _, part = np.unique(roots, return_inverse=True)
        self.labels[_positions(self.ids, nodes)] = int(self.labels.max()) + 1 + part
        self.refusals.extend(refusals)


def _mask(column: Any) -> Mask:
    return np.asarray(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column, dtype=bool)


def _positions(ids: Ids, wanted: Ids) -> Positions:
    """Return the position of each wanted id; a block at a time, sorted, for a search in order misses no cache."""
    found = np.empty(len(wanted), dtype=np.int32)
    for start in range(0, len(wanted), _BLOCK):
        block = wanted[start : start + _BLOCK]
        order = np.argsort(block)
        found[start + order] = np.searchsorted(ids, block[order])
    return found


def _among(ids: Ids, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in pairs if _has(ids, a) and _has(ids, b)]


def _has(ids: Ids, value: int) -> bool:
    position = int(np.searchsorted(ids, value))
    return position < len(ids) and int(ids[position]) == value


def value_aliases(
    edges: pa.Table, exclusive: Mapping[str, pa.Table], apart: Sequence[tuple[int, int]]
) -> dict[str, dict[str, str]]:
    """Return, per column, the values that decisions have made one with others, each with the smallest of them.

    Two profiles of a group hold two values: a person has said that both are one's. The same value may stand in several
    groups, and then all their values are one.

    Args:
        edges: accepted links, or those by decision alone.
        exclusive: per exclusive column, a table of profile_id and value.
        apart: pairs of profile ids that may not meet.
    """
    one = decided_groups(links_of(edges, _mask(pc.equal(edges.column("link_basis"), "decision"))), apart)
    if not one:
        return {}
    held = _values(np.array(sorted(one), dtype=np.int64), exclusive, {})
    made: dict[str, dict[str, str]] = {}
    for column in exclusive:
        holders = [(home, held[node][column]) for node, home in one.items() if column in held.get(node, {})]
        values = sorted({value for _, value in holders})
        number = {value: i for i, value in enumerate(values)}
        groups = Groups(range(len(values)))
        first: dict[int, int] = {}
        for home, value in holders:
            a, b = groups.roots(first.setdefault(home, number[value]), number[value])
            groups.join(a, b)
        made[column] = {values[i]: values[root] for i, root in groups.homes().items() if i != root}
    return made


def _contested(
    ids: Ids,
    labels: Positions,
    exclusive: Mapping[str, pa.Table],
    aliases: Aliases,
    apart: Sequence[tuple[int, int]],
) -> Positions:
    """Return the components that hold two values of an exclusive column or two profiles to be kept apart."""
    found = [np.zeros(0, dtype=np.int32)]
    some = np.empty(int(labels.max()) + 1, dtype=np.int32)
    for column, table in exclusive.items():
        component = labels[_positions(ids, table.column("profile_id").to_numpy())]
        value = _codes(table.column("value"), aliases.get(column, {}))
        # Any of a component's values stands for it: it holds two if another one of them differs.
        some[component] = value
        found.append(component[some[component] != value])
    if apart:
        a, b = (labels[_positions(ids, np.array([pair[side] for pair in apart]))] for side in (0, 1))
        found.append(a[a == b])
    return np.unique(np.concatenate(found))


def _codes(values: pa.ChunkedArray, alias: Mapping[str, str]) -> Positions:
    """Return a number for each value, the same for values that are one."""
    coded = values.combine_chunks().dictionary_encode()
    codes = np.asarray(coded.indices.to_numpy(), dtype=np.int32)
    if not alias:
        return codes
    places = [pc.index_in(pa.array(side), coded.dictionary) for side in (list(alias), list(alias.values()))]
    same = np.arange(len(coded.dictionary), dtype=np.int32)
    same[places[0].to_numpy()] = places[1].to_numpy()
    return same[codes]


def _values(nodes: Ids, exclusive: Mapping[str, pa.Table], aliases: Aliases) -> dict[int, dict[str, str]]:
    """Return the exclusive values that some profiles hold, by column; one of those that are one stands for all."""
    values: dict[int, dict[str, str]] = defaultdict(dict)
    for column, table in exclusive.items():
        alias = aliases.get(column, {})
        rows = table.filter(pc.is_in(table.column("profile_id"), pa.array(nodes)))
        for node, value in zip(rows.column("profile_id").to_pylist(), rows.column("value").to_pylist(), strict=True):
            values[node][column] = alias.get(value, value)
    return values
