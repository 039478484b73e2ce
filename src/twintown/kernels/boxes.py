"""Boxes that meet a box: a packed Hilbert R-tree over rows that already lie in Hilbert order [kamel1993].

The tree is one array: the boxes of the rows, then the boxes of each sixteen of those, and so on up to one. Nothing points:
the children of node i of a level are the nodes 16·i … 16·i + 15 of the level below (the packing of flatbush and FlatGeobuf).
A row without a place has the box (inf, inf, -inf, -inf), which meets nothing and widens nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["NODE", "count", "levels", "pack", "search"]

#: Children of a node.
NODE = 16


def levels(rows: int) -> NDArray[np.int64]:
    """Where each level of the tree of `rows` rows starts, and where the last one ends: int64[levels + 1]."""
    starts, size = [0], max(rows, 0)
    while True:
        starts.append(starts[-1] + size)
        if size <= 1:
            return np.array(starts, np.int64)
        size = -(-size // NODE)


@njit(cache=True, nogil=True)
def pack(boxes, starts, drawn):  # type: ignore[no-untyped-def]
    """Fill the upper levels of `boxes` float64[nodes, 4] from its rows, and `drawn` int64[⌈rows / 16⌉ + 1].

    `drawn[k]` is how many of the rows before row 16·k have a place.
    """
    rows = starts[1]
    for k in range(drawn.shape[0] - 1):
        there = 0
        for i in range(k * NODE, min(rows, (k + 1) * NODE)):
            if boxes[i, 0] <= boxes[i, 2]:
                there += 1
        drawn[k + 1] = drawn[k] + there
    for level in range(1, starts.shape[0] - 1):
        below, end = starts[level - 1], starts[level]
        for node in range(starts[level], starts[level + 1]):
            first = below + (node - starts[level]) * NODE
            x0, y0, x1, y1 = np.inf, np.inf, -np.inf, -np.inf
            for child in range(first, min(first + NODE, end)):
                x0, y0 = min(x0, boxes[child, 0]), min(y0, boxes[child, 1])
                x1, y1 = max(x1, boxes[child, 2]), max(y1, boxes[child, 3])
            boxes[node, 0], boxes[node, 1], boxes[node, 2], boxes[node, 3] = x0, y0, x1, y1


@njit(cache=True, nogil=True)
def meets(boxes, i, asked):  # type: ignore[no-untyped-def]
    """How box i lies to the asked boxes: 0 apart from all, 1 touching one, 2 wholly inside one."""
    x0, y0, x1, y1 = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
    found = 0
    for k in range(asked.shape[0]):
        if x0 <= asked[k, 2] and asked[k, 0] <= x1 and y0 <= asked[k, 3] and asked[k, 1] <= y1 and x0 <= x1:
            if asked[k, 0] <= x0 and x1 <= asked[k, 2] and asked[k, 1] <= y0 and y1 <= asked[k, 3]:
                return 2
            found = 1
    return found


@njit(cache=True, nogil=True)
def search(boxes, starts, asked, after, found, inside):  # type: ignore[no-untyped-def]
    """Rows from `after` on whose box meets one of `asked` float64[k, 4], in order, as many as `found` int64[m] holds.

    `inside` bool[m] says whether the row's box lies wholly in one of them. Returns how many there are.
    """
    if starts.shape[0] < 2 or starts[1] == 0:
        return 0
    top = starts.shape[0] - 2
    levels_of = np.empty(NODE * starts.shape[0] + NODE, np.int64)
    nodes = np.empty(NODE * starts.shape[0] + NODE, np.int64)
    sure = np.empty(NODE * starts.shape[0] + NODE, np.bool_)
    levels_of[0], nodes[0], sure[0] = top, 0, False
    waiting, n = 1, 0
    while waiting > 0 and n < found.shape[0]:
        waiting -= 1
        level, node, whole = levels_of[waiting], nodes[waiting], sure[waiting]
        if level == 0:  # a tree of one row
            how = meets(boxes, node, asked)
            if node >= after and how > 0:
                found[n], inside[n] = node, how == 2
                n += 1
            continue
        first = node * NODE
        end = min(first + NODE, starts[level] - starts[level - 1])
        if level == 1:
            for row in range(max(first, after), end):
                if n == found.shape[0]:
                    break
                if whole:
                    if boxes[row, 0] <= boxes[row, 2]:
                        found[n], inside[n] = row, True
                        n += 1
                    continue
                how = meets(boxes, row, asked)
                if how > 0:
                    found[n], inside[n] = row, how == 2
                    n += 1
            continue
        span = NODE ** (level - 1)
        for child in range(
            end - 1, first - 1, -1
        ):  # the last first, so that the first comes off the stack first
            if (child + 1) * span <= after:
                break
            how = 2 if whole else meets(boxes, starts[level - 1] + child, asked)
            if how > 0:
                levels_of[waiting], nodes[waiting], sure[waiting] = level - 1, child, how == 2
                waiting += 1
    return n


@njit(cache=True, nogil=True)
def count(boxes, starts, drawn, asked, rim):  # type: ignore[no-untyped-def]
    """How many rows lie wholly in one of `asked`; those that only touch one are written to `rim` int64[m].

    Returns both numbers. The second may be larger than m; then the rim is not complete.
    """
    sure, touching = 0, 0
    if starts.shape[0] < 2 or starts[1] == 0:
        return sure, touching
    top = starts.shape[0] - 2
    levels_of = np.empty(NODE * starts.shape[0] + NODE, np.int64)
    nodes = np.empty(NODE * starts.shape[0] + NODE, np.int64)
    levels_of[0], nodes[0] = top, 0
    waiting = 1
    while waiting > 0:
        waiting -= 1
        level, node = levels_of[waiting], nodes[waiting]
        how = meets(boxes, starts[level] + node, asked)
        if how == 0:
            continue
        if level == 0:
            if how == 2:
                sure += 1
            else:
                if touching < rim.shape[0]:
                    rim[touching] = node
                touching += 1
            continue
        if how == 2:
            span = NODE ** (level - 1)  # in sixteens of rows
            sure += drawn[min((node + 1) * span, drawn.shape[0] - 1)] - drawn[node * span]
            continue
        first = node * NODE
        for child in range(min(first + NODE, starts[level] - starts[level - 1]) - 1, first - 1, -1):
            levels_of[waiting], nodes[waiting] = level - 1, child
            waiting += 1
    return sure, touching
