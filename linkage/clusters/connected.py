"""Connected sets of a graph given by its edges.

In: how many nodes there are, numbered from 0, and the two ends of each edge. Out: a number for each node, the same for
nodes that hang together.

Invariant: sets are numbered in the order of their smallest nodes, whichever way they were found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.clusters.links import Groups

Numbers = NDArray[np.int32]
# Below, following the edges one by one takes less than loading scipy does, a tenth of a second.
_FEW = 5_000


def connected(size: int, left: NDArray[Any], right: NDArray[Any]) -> Numbers:
    """Return the number of each node's set.

    Args:
        size: number of nodes.
        left: one end of each edge.
        right: the other end.

    >>> connected(5, np.array([3, 1]), np.array([1, 4])).tolist()
    [0, 1, 2, 1, 1]
    """
    if size > _FEW or len(left) > _FEW:
        return _by_scipy(size, left, right)
    groups = Groups(range(size))
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        a, b = groups.roots(one, other)
        groups.join(a, b)
    _, numbers = np.unique(np.fromiter(groups.homes().values(), np.int64, size), return_inverse=True)
    return numbers.astype(np.int32)


def _by_scipy(size: int, left: NDArray[Any], right: NDArray[Any]) -> Numbers:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    _, numbers = connected_components(graph, directed=False)
    found: Numbers = numbers.astype(np.int32, copy=False)
    return found
