"""What clustering is about: accepted links between two profiles, in order of strength, and links refused.

Invariant: `Link.order` is total over links of different pairs, so that following links in this order never depends on
the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

STRENGTH = {"decision": 0, "identifier": 1, "corroborated": 2, "attribute": 3}
FIRM = frozenset(("decision", "identifier"))
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


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

    @property
    def is_firm(self) -> bool:
        """Whether a person or an identifier made it: such a link is neither weak nor stopped by the size."""
        return self.basis in FIRM


@dataclass(frozen=True, slots=True)
class Refusal:
    """A link that was not followed, and the constraint that refused it."""

    link: Link
    constraint: str


def links_of(edges: pa.Table, chosen: Mask) -> list[Link]:
    """Return the chosen rows of a table left_id, right_id, match_weight, link_basis as links, strongest first."""
    rows = edges.filter(pa.array(chosen))
    columns = (rows.column(name).to_pylist() for name in ("left_id", "right_id", "match_weight", "link_basis"))
    return sorted((Link(*row) for row in zip(*columns, strict=True)), key=lambda link: link.order)


class Groups:
    """Disjoint sets of profiles (union-find), each known by its smallest member."""

    def __init__(self, nodes: Sequence[int]) -> None:
        """Make each node a set of its own."""
        self._root = {node: node for node in nodes}

    def find(self, node: int) -> int:
        """Return the smallest member of the node's set."""
        root = self._root
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    def roots(self, node: int, other: int) -> tuple[int, int]:
        """Return the smallest members of two nodes' sets, the smaller first; equal if the set is the same."""
        a, b = self.find(node), self.find(other)
        return (a, b) if a < b else (b, a)

    def join(self, a: int, b: int) -> None:
        """Unite the sets known by `a` and `b`, where a < b."""
        self._root[b] = a

    def homes(self) -> dict[int, int]:
        """Return the smallest member of each node's set."""
        return {node: self.find(node) for node in self._root}
