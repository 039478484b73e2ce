"""Flows on shortest path trees: what enters every node of a tree when each node is the end of some walks.

A tree is given by the node before each on the way from its root. Taken from the farthest node to the nearest, what ends at a node and
beyond it is known when the node's turn comes, so that each node is visited once [dial1971, single path]: the sum at a node is the flow
on the one link that leads to it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["tree_flows"]

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _gather(before, order, flow):  # type: ignore[no-untyped-def]
    for tree in range(before.shape[0]):
        for k in range(order.shape[1] - 1, -1, -1):
            node = order[tree, k]
            previous = before[tree, node]
            if previous >= 0:
                flow[tree, previous] += flow[tree, node]


def tree_flows(before: I32, distance: F64, ending: F64) -> F64:
    """What passes into every node, float64[trees, nodes], from the walks that end there or beyond.

    Args:
        before: int32[trees, nodes], the node before each on its way from the root; negative where there is none.
        distance: float64[trees, nodes], metres from the root; infinite where it is not reached.
        ending: float64[trees, nodes], what ends at each node; 0 where it is not reached.
    """
    order = np.ascontiguousarray(np.argsort(distance, axis=1, kind="stable").astype(np.int64))
    flow = np.array(ending, np.float64, order="C")
    _gather(np.ascontiguousarray(before, np.int32), order, flow)
    return flow
