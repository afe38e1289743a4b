"""Contradictions among people's decisions: records ruled one entity that another decision keeps apart.

In: decisions. Out: those that can stand together, and for each that cannot, the shortest chain of decisions that rules
it out. Decisions are taken in the order they were made; one that contradicts those before it is set aside. So of every
contradicting chain the newest decision is the one not applied, until a person revokes one of them.

Invariant: the result depends on the set of decisions alone, and those kept contradict each other nowhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from golden_records.decisions import Decision
from golden_records.ruling import DecisionError

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class Contradiction:
    """Why a decision is not applied.

    Attributes:
        set_aside: the decision that is not applied.
        apart: the decision that keeps records apart; it or one of `together` is `set_aside`.
        together: the decisions that would make them one entity, in the order of the chain; no shorter chain exists.
        left_record_id: where the chain begins.
        right_record_id: where it ends.
    """

    set_aside: int
    apart: int
    together: tuple[int, ...]
    left_record_id: str
    right_record_id: str

    @property
    def words(self) -> str:
        """The contradiction in words, without record ids."""
        one = "decision" if len(self.together) == 1 else "decisions"
        makes = "makes" if len(self.together) == 1 else "make"
        chain = ", ".join(map(str, self.together))
        return f"{one} {chain} {makes} one entity of records that decision {self.apart} keeps apart"


@dataclass(frozen=True)
class Weighed:
    """Decisions that can stand together.

    Attributes:
        kept: the decisions, oldest first.
        contradictions: why each of the others is set aside.
        together: for every record that a kept decision rules one with others, the smallest of them.
    """

    kept: tuple[Decision, ...]
    contradictions: tuple[Contradiction, ...]
    together: dict[str, str]


def weigh(decisions: Iterable[Decision]) -> Weighed:
    """Return the decisions that can stand together, and the contradictions of the others.

    Args:
        decisions: decisions of one entity type that are to be applied, in any order.
    """
    return _weigh(sorted(decisions, key=lambda d: d.decision_id))


def refuse_contradiction(active: Sequence[Decision], candidate: Decision) -> None:
    """Refuse a decision that contradicts active ones; a `Check` for `golden_records.decisions`.

    Raises:
        DecisionError: names the shortest chain of decisions.
    """
    others = sorted((d for d in active if d.decision_id != candidate.decision_id), key=lambda d: d.decision_id)
    found = [c for c in _weigh([*others, candidate]).contradictions if c.set_aside == candidate.decision_id]
    if found:
        what = min(found, key=lambda c: (len(c.together), c.apart))
        raise DecisionError(
            f"the ruling (number {candidate.decision_id}) would contradict decisions in force: {what.words}; "
            "revoke one of them first, or think again"
        )


def _weigh(ordered: Sequence[Decision]) -> Weighed:
    union = _Union()
    kept, contradictions = [], []
    for decision in ordered:
        found = _against_links(union, decision) if len(decision.ruling.tied) > 1 else []
        if decision.ruling.kind != "same":
            found += _against_groups(union, decision)
        contradictions += found
        if not found:
            union.add(decision)
            kept.append(decision)
    return Weighed(tuple(kept), tuple(contradictions), union.smallest())


def _against_links(union: _Union, same: Decision) -> list[Contradiction]:
    """Return the kept cannot-links that joining these records would break."""
    sides: dict[int, set[int]] = {}
    for root in {union.find(record) for record in same.ruling.tied}:
        for number, side in union.apart.get(root, {}).items():
            sides.setdefault(number, set()).add(side)
    broken = sorted(number for number, found in sides.items() if len(found) > 1)
    if not broken:
        return []
    union.link(same)
    found = [_chain(union, union.kept[number], set_aside=same.decision_id) for number in broken]
    union.unlink(same)
    return found


def _against_groups(union: _Union, apart: Decision) -> list[Contradiction]:
    """Return the contradiction of a cannot-link whose sides are ruled one entity already."""
    sides: dict[str, set[int]] = {}
    for side, group in enumerate(apart.ruling.groups):
        for record in group:
            sides.setdefault(union.find(record), set()).add(side)
    return [_chain(union, apart, set_aside=apart.decision_id)] if any(len(s) > 1 for s in sides.values()) else []


def _chain(union: _Union, apart: Decision, *, set_aside: int) -> Contradiction:
    """Return the shortest chain of `same` decisions between two sides of a cannot-link."""
    paths = (
        path for left, right in itertools.combinations(apart.ruling.groups, 2) for path in union.paths(left, right)
    )
    path = min(paths, key=lambda nodes: (len(nodes), [str(node) for node in nodes]))
    together = tuple(node for node in path if isinstance(node, int))
    left, *_, right = (node for node in path if isinstance(node, str))
    return Contradiction(set_aside, apart.decision_id, together, left, right)


class _Union:
    """The groups of records that the decisions kept so far make, and what keeps them apart.

    `apart` holds per group the cannot-links that touch it and which side of each; `links` every decision
    that ties records. The graph joins each of these (a number) with the records it ties (texts), so that a path
    alternates between them; it is made when a path is first asked for, which is seldom: what makes it takes long to
    load.
    """

    def __init__(self) -> None:
        self.root: dict[str, str] = {}
        self.apart: dict[str, dict[int, int]] = {}
        self.kept: dict[int, Decision] = {}
        self.links: dict[int, Decision] = {}
        self._graph: nx.Graph[str | int] | None = None

    def find(self, record: str) -> str:
        """Return the representative of a record's group; a record of no decision stands for itself."""
        root = self.root
        while root.get(record, record) != record:
            root[record] = root.get(root[record], root[record])
            record = root[record]
        return record

    def add(self, decision: Decision) -> None:
        self.kept[decision.decision_id] = decision
        tied = decision.ruling.tied
        if len(tied) > 1:
            self.link(decision)
            roots = sorted({self.find(record) for record in tied})
            largest = max(roots, key=lambda root: len(self.apart.get(root, {})))
            for record in (*roots, *sorted(tied)):
                self.root[record] = largest
            for root in roots:
                if root != largest and root in self.apart:
                    self.apart.setdefault(largest, {}).update(self.apart.pop(root))
        if decision.ruling.kind != "same":
            for side, group in enumerate(decision.ruling.groups):
                for record in group:
                    self.apart.setdefault(self.find(record), {})[decision.decision_id] = side

    def link(self, decision: Decision) -> None:
        self.links[decision.decision_id] = decision
        if self._graph is not None:
            self._graph.add_edges_from(_edges(decision))

    def unlink(self, decision: Decision) -> None:
        del self.links[decision.decision_id]
        if self._graph is not None:
            self._graph.remove_node(decision.decision_id)

    def paths(self, left: Sequence[str], right: Sequence[str]) -> Iterator[list[str | int]]:
        """Yield the shortest path from one side to the other, if they are joined."""
        import networkx as nx

        if self._graph is None:
            self._graph = nx.Graph(edge for decision in self.links.values() for edge in _edges(decision))
        graph, begin, end = self._graph, -1, -2
        graph.add_edges_from((begin, record) for record in sorted(left) if record in graph)
        graph.add_edges_from((end, record) for record in sorted(right) if record in graph)
        try:
            if begin in graph and end in graph and nx.has_path(graph, begin, end):
                yield nx.shortest_path(graph, begin, end)[1:-1]
        finally:
            graph.remove_nodes_from((begin, end))

    def smallest(self) -> dict[str, str]:
        """Return for every record tied to others the smallest record of its group."""
        first: dict[str, str] = {}
        for record in sorted(self.root):
            first.setdefault(self.find(record), record)
        return {record: first[self.find(record)] for record in sorted(self.root)}


def _edges(decision: Decision) -> Iterator[tuple[int, str]]:
    return ((decision.decision_id, record) for record in sorted(decision.ruling.tied))
