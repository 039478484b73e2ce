"""Whether a shape meets a box, read from its well-known binary [ogcsfa2011, 8.2] without making an object of it.

Exact or silent: a sign that rounding could turn [shewchuk1997, the bound A of the orientation test] makes the answer
"not sure", and who asks then asks a library with exact predicates.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .wkb import u32

__all__ = ["APART", "MEETS", "UNSURE", "touching"]

APART, MEETS, UNSURE = 0, 1, 2
#: (3 + 16 ε) ε with ε = 2⁻⁵³ [shewchuk1997, section 4.1].
_BOUND = 3.3306690738754716e-16


@njit(cache=True, nogil=True)
def _side(px, py, qx, qy, x, y):  # type: ignore[no-untyped-def]
    """On which side of p → q the point lies: 1 left, -1 right, 0 not sure."""
    left, right = (qx - px) * (y - py), (qy - py) * (x - px)
    turn = left - right
    if abs(turn) <= _BOUND * (abs(left) + abs(right)):
        return 0
    return 1 if turn > 0.0 else -1


@njit(cache=True, nogil=True)
def _crosses(px, py, qx, qy, box):  # type: ignore[no-untyped-def]
    """Whether the line from p to q meets the box: apart where one of the axes x, y or the line's normal parts them."""
    if max(px, qx) < box[0] or min(px, qx) > box[2] or max(py, qy) < box[1] or min(py, qy) > box[3]:
        return APART
    if (box[0] <= px <= box[2] and box[1] <= py <= box[3]) or (
        box[0] <= qx <= box[2] and box[1] <= qy <= box[3]
    ):
        return MEETS
    left, right, unsure = False, False, False
    for corner in range(4):
        side = _side(px, py, qx, qy, box[0] if corner % 2 == 0 else box[2], box[1] if corner < 2 else box[3])
        left, right, unsure = left or side > 0, right or side < 0, unsure or side == 0
    if left and right:
        return MEETS
    return UNSURE if unsure else APART


@njit(cache=True, nogil=True)
def _shape(data, p, box, xy, raw):  # type: ignore[no-untyped-def]
    """One two-dimensional little-endian geometry at `p`; `xy` float64[2] and `raw` uint8[16] are the same memory."""
    found, pending = APART, 1
    while pending > 0:
        pending -= 1
        if data[p] != 1:
            return UNSURE
        kind = int(u32(data, p + 1))
        p += 5
        if 4 <= kind <= 7:
            pending += int(u32(data, p))
            p += 4
            continue
        if kind < 1 or kind > 3:
            return UNSURE
        runs = 1
        if kind == 3:
            runs = int(u32(data, p))
            p += 4
        inside, doubtful, clear = False, False, True
        for _run in range(runs):
            n = 1
            if kind != 1:
                n = int(u32(data, p))
                p += 4
            lastx, lasty = 0.0, 0.0
            for k in range(n):
                for j in range(16):
                    raw[j] = data[p + j]
                p += 16
                x, y = xy[0], xy[1]
                if k == 0:
                    if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
                        return MEETS
                else:
                    how = _crosses(lastx, lasty, x, y, box)
                    if how == MEETS:
                        return MEETS
                    clear = clear and how == APART
                    # a ray to the right from the lower left corner of the box: how often does it cross the rings?
                    if kind == 3 and (lasty > box[1]) != (y > box[1]):
                        side = _side(lastx, lasty, x, y, box[0], box[1])
                        doubtful = doubtful or side == 0
                        if (side > 0) == (y > lasty):
                            inside = not inside
                lastx, lasty = x, y
        if not clear or (kind == 3 and doubtful):
            found = UNSURE
        elif kind == 3 and inside:
            return MEETS
    return found


@njit(cache=True, nogil=True)
def touching(data, offsets, rows, boxes, out):  # type: ignore[no-untyped-def]
    """Into `out` int8[k], for each of `rows` int64[k], whether its shape meets one of `boxes` float64[m, 4].

    Args:
        data, offsets: the shapes' bytes, uint8[…], and where each begins in them, integers [n + 1].
    """
    xy = np.empty(2, np.float64)
    raw = xy.view(np.uint8)
    for i in range(rows.shape[0]):
        start, end = offsets[rows[i]], offsets[rows[i] + 1]
        found = APART
        if end - start >= 5:
            for b in range(boxes.shape[0]):
                how = _shape(data, start, boxes[b], xy, raw)
                if how == MEETS:
                    found = MEETS
                    break
                if how == UNSURE:
                    found = UNSURE
        out[i] = found
