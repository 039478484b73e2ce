"""How fine several grids are together. Pure.

Two grids of means whose lines do not coincide tell more than each alone: where a cell of one ends within a cell of the other, the
difference of what they say isolates the piece between the two lines. So what counts is the lattice of all their lines.

    line of one    |         |         |            cells of 90 m
    line of other       |         |         |       the same, moved by 45 m
    together       |    |    |    |    |    |       pieces of 45 m
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twintown.ground.lattice import Lattice

#: Lines that lie closer together than this part of a cell are the same line (metres are written with rounding).
SAME = 1e-3
#: Lines of one grid that are looked at along an axis; the pattern of two lattices comes back long before.
MOST = 4000


def together(lattices: Sequence[Lattice]) -> tuple[float, float]:
    """Width and height (m) of the smallest piece that the lines of these grids cut out where the grids overlap.

    Grids that do not overlap with any other count for themselves.
    """
    width = min(one.width for one in lattices)
    height = min(one.height for one in lattices)
    for at, one in enumerate(lattices):
        for other in lattices[at + 1 :]:
            dx, dy = _pair(one, other)
            width, height = min(width, dx), min(height, dy)
    if len(lattices) > 2:  # three lattices can cut finer than any two of them
        near = [one for one in lattices if all(_overlap(one, other) for other in lattices)]
        if len(near) > 2:
            width = min(width, _gap([(one.x, one.width, one.cols) for one in near]))
            height = min(height, _gap([(one.y, -one.height, one.rows) for one in near]))
    return width, height


def _pair(one: Lattice, other: Lattice) -> tuple[float, float]:
    if not _overlap(one, other):
        return min(one.width, other.width), min(one.height, other.height)
    return (
        _gap([(one.x, one.width, one.cols), (other.x, other.width, other.cols)]),
        _gap([(one.y, -one.height, one.rows), (other.y, -other.height, other.rows)]),
    )


def _overlap(one: Lattice, other: Lattice) -> bool:
    a, b = one.bounds, other.bounds
    return a.xmin < b.xmax and b.xmin < a.xmax and a.ymin < b.ymax and b.ymin < a.ymax


def _gap(axes: Sequence[tuple[float, float, int]]) -> float:
    """The smallest distance of two lines, of several rows of lines (first line, step, cells), where all of them run."""
    finest = min(abs(step) for _, step, _ in axes)
    low = max(min(first, first + step * count) for first, step, count in axes)
    high = min(max(first, first + step * count) for first, step, count in axes)
    rows = []
    for first, step, count in axes:
        lines = first + step * np.arange(count + 1, dtype=np.float64)
        rows.append(lines[(lines >= low - SAME * finest) & (lines <= high + SAME * finest)][:MOST])
    lines = np.sort(np.concatenate(rows))
    gaps: NDArray[np.float64] = np.diff(lines)
    apart = gaps[gaps > SAME * finest]
    return float(min(apart.min(), finest)) if len(apart) else finest


def snapped(lattice: Lattice, cell_m: float, to: Lattice | None = None) -> Lattice:
    """The whole cells of `cell_m` that lie within a grid, on the lines of another one, or on multiples of the cell's side.

    On multiples, two grids that are made coarse at different times have their lines in the same places.
    """
    x0, y0 = (to.x, to.y) if to is not None else (0.0, 0.0)
    box = lattice.bounds
    slack = 1e-9
    west = int(np.ceil((box.xmin - x0) / cell_m - slack))
    east = int(np.floor((box.xmax - x0) / cell_m + slack))
    south = int(np.ceil((box.ymin - y0) / cell_m - slack))
    north = int(np.floor((box.ymax - y0) / cell_m + slack))
    return Lattice(
        lattice.crs, x0 + west * cell_m, y0 + north * cell_m, cell_m, cell_m, max(0, north - south), max(0, east - west)
    )  # fmt: skip
