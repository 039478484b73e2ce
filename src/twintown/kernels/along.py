"""Cells along lines: of each line what share of its length lies on which values, or of the strip around it what share of its cells.

Without a strip a line is cut where it crosses from one cell to the next [amanatides1987], and each cell counts by the length in it.
With a strip of a half width the cells count whose centre lies no further from the line, each once. Cells are walked in the order of
the line, or by rows from the north, so that sums have one order; only + − × ÷ and √: the same bytes on every machine.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["along"]

#: What a line is told of: all of it, the known of it, the sum, the least, what lies below the threshold (length or cells, as `all`).
ALL, KNOWN, SUM, LEAST, BELOW = range(5)


@njit(cache=True, nogil=True)
def _add(values, known, row, col, weight, threshold, out):  # type: ignore[no-untyped-def]
    out[ALL] += weight
    if 0 <= row < values.shape[0] and 0 <= col < values.shape[1] and known[row, col]:
        value = float(values[row, col])
        out[KNOWN] += weight
        out[SUM] += weight * value
        if value < out[LEAST]:
            out[LEAST] = value
        if value < threshold:
            out[BELOW] += weight


@njit(cache=True, nogil=True)
def _crossed(values, known, segment, threshold, out):  # type: ignore[no-untyped-def]
    """The cells under one segment, each by the length in it."""
    x0, y0, x1, y1 = segment[0], segment[1], segment[2], segment[3]
    dx, dy = x1 - x0, y1 - y0
    length = math.sqrt(dx * dx + dy * dy)
    if length == 0.0:
        return
    # the next border in each direction, and where along the segment it is met
    at_x = math.floor(x0) + 1.0 if dx > 0.0 else math.ceil(x0) - 1.0
    at_y = math.floor(y0) + 1.0 if dy > 0.0 else math.ceil(y0) - 1.0
    t = 0.0
    while t < 1.0:
        tx = (at_x - x0) / dx if dx != 0.0 else 2.0
        ty = (at_y - y0) / dy if dy != 0.0 else 2.0
        end = min(1.0, tx, ty)
        if end > t:
            middle = 0.5 * (t + end)
            _add(
                values, known, int(math.floor(y0 + dy * middle)), int(math.floor(x0 + dx * middle)),
                (end - t) * length, threshold, out,
            )  # fmt: skip
            t = end
        if tx <= end:
            at_x += 1.0 if dx > 0.0 else -1.0
        if ty <= end:
            at_y += 1.0 if dy > 0.0 else -1.0


@njit(cache=True, nogil=True)
def _section(segment, y, reach):  # type: ignore[no-untyped-def]
    """Where a row at `y` lies within `reach` of a segment, from and to; from > to where it does not."""
    x0, y0, x1, y1 = segment[0], segment[1], segment[2], segment[3]
    low, high = math.inf, -math.inf
    for k in range(2):
        x, away = (x0, y - y0) if k == 0 else (x1, y - y1)
        if abs(away) <= reach:
            half = math.sqrt(reach * reach - away * away)
            low, high = min(low, x - half), max(high, x + half)
    dx, dy = x1 - x0, y1 - y0
    length = math.sqrt(dx * dx + dy * dy)
    if length > 0.0:
        nx, ny = -dy / length * reach, dx / length * reach
        xs = (x0 + nx, x1 + nx, x1 - nx, x0 - nx)
        ys = (y0 + ny, y1 + ny, y1 - ny, y0 - ny)
        for k in range(4):
            a, b = ys[k], ys[(k + 1) % 4]
            if (a <= y <= b or b <= y <= a) and a != b:
                x = xs[k] + (xs[(k + 1) % 4] - xs[k]) * ((y - a) / (b - a))
                low, high = min(low, x), max(high, x)
    return low, high


@njit(cache=True, nogil=True)
def _strip(values, known, segments, reach, threshold, out):  # type: ignore[no-untyped-def]
    """The cells whose centres lie within `reach` of any of the segments, each once, by rows."""
    count = segments.shape[0]
    top, bottom = math.inf, -math.inf
    for k in range(count):
        top = min(top, segments[k, 1], segments[k, 3])
        bottom = max(bottom, segments[k, 1], segments[k, 3])
    begin, end = np.empty(count, np.float64), np.empty(count, np.float64)
    for row in range(int(math.ceil(top - reach - 0.5)), int(math.floor(bottom + reach - 0.5)) + 1):
        found = 0
        for k in range(count):
            low, high = _section(segments[k], row + 0.5, reach)
            if low <= high:
                begin[found], end[found] = low, high
                found += 1
        last = -(2**62)
        for k in np.argsort(begin[:found]):
            first = max(last + 1, int(math.ceil(begin[k] - 0.5)))
            for col in range(first, int(math.floor(end[k] - 0.5)) + 1):
                _add(values, known, row, col, 1.0, threshold, out)
                last = col


@njit(cache=True, nogil=True)
def along(values, known, segments, first, reach, threshold):  # type: ignore[no-untyped-def]
    """float64[n, 5] of n lines: all, known, sum, least (infinite where nothing is known), below the threshold.

    values[rows, cols], known bool[rows, cols]: the cells, row 0 north. What lies outside of them is not known.
    segments float64[m, 4]: x0, y0, x1, y1 in cells from the upper left corner, y southward; first int64[n + 1]: where each line begins.
    reach: half the width of the strip, cells; with 0, and where a strip holds no cell's centre, the lengths in the cells are counted.
    threshold: in the unit of the values; below is less, never equal.
    """
    count = first.shape[0] - 1
    out = np.zeros((count, 5))
    for i in range(count):
        out[i, LEAST] = math.inf
        mine = segments[first[i] : first[i + 1]]
        if reach > 0.0 and mine.shape[0]:
            _strip(values, known, mine, reach, threshold, out[i])
        if out[i, ALL] == 0.0:
            for k in range(mine.shape[0]):
                _crossed(values, known, mine[k], threshold, out[i])
    return out
