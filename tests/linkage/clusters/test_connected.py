"""Connected sets: the same whether found edge by edge or by scipy."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import linkage.clusters.connected
from linkage.clusters.connected import connected

_SIZES = st.integers(0, 12)


@settings(deadline=None)  # the first call loads scipy
@given(size=_SIZES, data=st.data())
def test_sets_are_those_of_networkx_numbered_by_their_smallest_nodes_either_way(size: int, data: st.DataObject) -> None:
    node = st.integers(0, max(size - 1, 0))
    edges = data.draw(st.lists(st.tuples(node, node), max_size=15)) if size else []
    left, right = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    few = connected(size, left, right)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(linkage.clusters.connected, "_FEW", -1)
        many = connected(size, left, right)
    graph: nx.Graph[int] = nx.Graph(edges)
    graph.add_nodes_from(range(size))
    expected = {
        node: number for number, found in enumerate(sorted(nx.connected_components(graph), key=min)) for node in found
    }
    assert few.tolist() == many.tolist() == [expected[node] for node in range(size)]
    assert few.dtype == many.dtype == np.int32
