"""Contested clusters, built link by link in falling strength: a link that would break a constraint is refused.

For the few components that hold two values of an exclusive column, two profiles to be kept apart, or too many profiles.
Everything here is plain Python over small sets; `linkage.clusters.partition` finds where it is needed.

Decisions come first and obey decisions only: profiles that a must-link joins are one from then on, with all their
values and links, unless a cannot-link stands between them.

Invariant: the result depends on the sets given, never on their order; the two ends of a refused link are in different
parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from linkage.clusters.links import STRENGTH, Groups, Link, Refusal

Values = Mapping[int, Mapping[str, str]]
Pairs = Sequence[tuple[int, int]]


@dataclass
class _Parts:
    """Parts in the making: what each holds and whom it may not meet."""

    groups: Groups
    held: dict[int, dict[str, str]]
    members: dict[int, set[int]]
    enemies: dict[int, set[int]]

    @classmethod
    def of(cls, nodes: Collection[int], values: Values, apart: Pairs) -> _Parts:
        enemies: dict[int, set[int]] = defaultdict(set)
        for a, b in apart:
            enemies[a].add(b)
            enemies[b].add(a)
        held = {node: dict(values.get(node, {})) for node in nodes}
        return cls(Groups(list(nodes)), held, {node: {node} for node in nodes}, enemies)

    def follow(self, link: Link) -> str | None:
        """Join the two ends; return the constraint that forbids it, if any."""
        a, b = self.groups.roots(link.left, link.right)
        if a == b:
            return None
        constraint = self._broken(a, b)
        if constraint:
            return constraint
        self.groups.join(a, b)
        self.held[a] |= self.held.pop(b)
        for kept in (self.members, self.enemies):
            mine, other = kept.get(a, set()), kept.pop(b, set())
            kept[a] = mine | other if len(mine) < len(other) else _added(mine, other)
        return None

    def _broken(self, a: int, b: int) -> str | None:
        if any(not self.members[mine].isdisjoint(self.enemies.get(other, ())) for mine, other in ((a, b), (b, a))):
            return "cannot_link"
        left, right = self.held[a], self.held[b]
        for column in sorted(left.keys() & right.keys()):
            if left[column] != right[column]:
                return f"exclusive:{column}"
        return None


def _added(mine: set[int], other: set[int]) -> set[int]:
    mine |= other
    return mine


def decided_groups(links: Iterable[Link], apart: Pairs) -> dict[int, int]:
    """Return who is one by decision: each profile that a must-link names, and the smallest profile of its group.

    Args:
        links: links; only decisions are followed, and they are stopped by a cannot-link alone.
        apart: pairs that may not meet.
    """
    decisions = sorted((link for link in links if link.basis == "decision"), key=lambda link: link.order)
    parts = _Parts.of({node for link in decisions for node in (link.left, link.right)}, {}, apart)
    for link in decisions:
        parts.follow(link)
    return parts.groups.homes()


def partition_contested(
    nodes: Iterable[int], links: Iterable[Link], values: Values, apart: Pairs, *, margin: float = 0.0
) -> tuple[dict[int, int], list[Refusal]]:
    """Follow links in falling strength, refusing each that would break a constraint.

    A node without a value of its own that is linked about as well to two different values (an organisation registered
    anew under another code, a person with two documents) is ambiguous: it is joined to neither. Profiles that a
    decision has made one are ambiguous together or not at all.

    Args:
        nodes: profile ids.
        links: accepted links among them.
        values: profile id to its exclusive values by column; two values that a decision has made one are given as one.
        apart: pairs that may not meet.
        margin: a node is ambiguous if its best link to another value is less than this weight behind its best link.

    Returns:
        Each node's representative (the smallest id in its part), and the refused links with the constraint.
    """
    parts = _Parts.of(list(nodes), values, apart)
    ordered = sorted(links, key=lambda link: link.order)
    refusals = []

    def follow(link: Link) -> None:
        constraint = parts.follow(link)
        if constraint:
            refusals.append(Refusal(link, constraint))

    for link in ordered:
        if link.basis == "decision":
            follow(link)
    one = parts.groups.homes()
    unclear = _ambiguous(ordered, one, {node: dict(parts.held[node]) for node in set(one.values())}, margin)
    for link in ordered:
        if link.basis == "decision":
            continue
        if one[link.left] in unclear or one[link.right] in unclear:
            refusals.append(Refusal(link, "ambiguous"))
        else:
            follow(link)
    return parts.groups.homes(), refusals


def partition_contradicted(
    nodes: Iterable[int], links: Iterable[Link], pairs: Pairs, *, margin: float = 0.0
) -> tuple[dict[int, int], list[Refusal]]:
    """Follow links in falling strength, refusing each that would join two profiles that contradict each other.

    What a decision or an identifier joins is one whatever contradicts. A group of these that is linked about as well to
    two that contradict each other (a row without a birth date, to father and son of one name) is ambiguous: it is
    joined to neither.

    Args:
        nodes: profile ids.
        links: accepted links among them.
        pairs: profiles that contradict each other.
        margin: see `partition_contested`.

    Returns:
        Each node's representative (the smallest id in its part), and the refused links with the constraint.
    """
    parts = _Parts.of(list(nodes), {}, ())
    ordered = sorted(links, key=lambda link: link.order)
    for link in ordered:
        if link.is_firm:
            parts.follow(link)
    one = parts.groups.homes()
    contrary = [(a, b) for a, b in pairs if one[a] != one[b]]
    for a, b in (*contrary, *((b, a) for a, b in contrary)):
        parts.enemies[one[a]].add(b)
    loose = [link for link in ordered if one[link.left] != one[link.right]]
    unclear = _between(loose, one, {frozenset((one[a], one[b])) for a, b in contrary}, margin)
    refusals = []
    for link in loose:
        if one[link.left] in unclear or one[link.right] in unclear:
            refusals.append(Refusal(link, "ambiguous"))
        elif parts.follow(link):
            refusals.append(Refusal(link, "contradiction"))
    return parts.groups.homes(), refusals


def _between(
    links: Sequence[Link], one: Mapping[int, int], contrary: Collection[frozenset[int]], margin: float
) -> set[int]:
    """Return the groups whose links do not tell to which of two groups that contradict each other they belong.

    Args:
        links: strongest first.
        one: each profile's group.
        contrary: the groups that contradict each other, two and two.
        margin: see `partition_contested`.
    """
    best: dict[int, dict[int, Link]] = defaultdict(dict)
    for link in links:
        for group, other in ((one[link.left], one[link.right]), (one[link.right], one[link.left])):
            best[group].setdefault(other, link)
    unclear = set()
    for group, by_other in best.items():
        (nearest, first), *rest = by_other.items()
        for other, link in rest:
            near = STRENGTH[first.basis] == STRENGTH[link.basis] and first.weight - link.weight < margin
            if near and frozenset((nearest, other)) in contrary:
                unclear.add(group)
    return unclear


def _ambiguous(links: Sequence[Link], one: Mapping[int, int], values: Values, margin: float) -> set[int]:
    """Return the nodes without a value whose links do not tell which of two values they belong to.

    Args:
        links: strongest first.
        one: each profile's group by decision.
        values: the values of these groups.
        margin: see `partition_contested`.
    """
    best: dict[tuple[int, str], dict[str, Link]] = defaultdict(dict)
    for link in links:
        if link.basis == "decision":
            continue
        for node, other in ((one[link.left], one[link.right]), (one[link.right], one[link.left])):
            for column, value in values[other].items():
                if column not in values[node]:
                    best[node, column].setdefault(value, link)
    unclear = set()
    for (node, _), by_value in best.items():
        if len(by_value) > 1:
            first, second = sorted(by_value.values(), key=lambda link: link.order)[:2]
            if STRENGTH[first.basis] == STRENGTH[second.basis] and first.weight - second.weight < margin:
                unclear.add(node)
    return unclear


def limit_size(nodes: Iterable[int], links: Iterable[Link], *, maximum: int) -> tuple[dict[int, int], list[Refusal]]:
    """Follow links in falling strength, refusing each that would make a cluster larger than `maximum` profiles.

    Links by decision or identifier are followed whatever the size.

    Args:
        nodes: profile ids.
        links: the accepted links among them.
        maximum: profiles of a cluster.

    Returns:
        Each node's representative, and the refused links.
    """
    groups = Groups(list(nodes))
    size: dict[int, int] = defaultdict(lambda: 1)
    refusals = []
    for link in sorted(links, key=lambda link: link.order):
        a, b = groups.roots(link.left, link.right)
        if a == b:
            continue
        if size[a] + size[b] > maximum and not link.is_firm:
            refusals.append(Refusal(link, "size"))
            continue
        groups.join(a, b)
        size[a] += size.pop(b)
    return groups.homes(), refusals
