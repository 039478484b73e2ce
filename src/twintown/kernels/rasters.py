"""Tops of solids on a grid: the highest triangle over each cell's centre, by edge functions [pineda1988]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["drape"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


@njit(cache=True, nogil=True)
def _drape(corners, x0, y0, cell, heights, owner, owned, row0, col0):  # type: ignore[no-untyped-def]
    rows, cols = heights.shape
    for t in range(corners.shape[0]):
        ax, ay, az = corners[t, 0, 0], corners[t, 0, 1], corners[t, 0, 2]
        bx, by, bz = corners[t, 1, 0], corners[t, 1, 1], corners[t, 1, 2]
        cx, cy, cz = corners[t, 2, 0], corners[t, 2, 1], corners[t, 2, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:
            continue
        c0 = max(0, int(np.floor((min(ax, bx, cx) - x0) / cell - 0.5)) - col0)
        c1 = min(cols, int(np.ceil((max(ax, bx, cx) - x0) / cell + 0.5)) - col0)
        r0 = max(0, int(np.floor((y0 - max(ay, by, cy)) / cell - 0.5)) - row0)
        r1 = min(rows, int(np.ceil((y0 - min(ay, by, cy)) / cell + 0.5)) - row0)
        for r in range(r0, r1):
            py = y0 - (r + row0 + 0.5) * cell
            for c in range(c0, c1):
                px = x0 + (c + col0 + 0.5) * cell
                # barycentric weights: all ≥ 0 inside, edges count as inside (the highest wins, so twice is harmless)
                u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                w = 1.0 - u - v
                if u >= 0.0 and v >= 0.0 and w >= 0.0:
                    z = np.float32(u * az + v * bz + w * cz)
                    if z > heights[r, c]:
                        heights[r, c] = z
                        if owned:
                            owner[r, c] = t


def drape(
    corners: F64,
    x0: float,
    y0: float,
    cell_m: float,
    heights: F32,
    row0: int = 0,
    col0: int = 0,
    owner: I32 | None = None,
) -> None:
    """Raise ``heights`` float32[rows, cols] in place to the triangles over the cells' centres.

    ``corners`` float64[n, 3, 3]: triangles' corners x, y, z in metres; ``x0``, ``y0``: the upper left corner of
    the whole grid, row 0 north; ``row0``, ``col0``: where ``heights`` lies in it. A cell's height is the same in any block.
    ``owner`` int32[rows, cols]: gets the number of the triangle that is on top, where one is.
    """
    given = owner is not None
    rest = owner if given else np.zeros((1, 1), np.int32)
    triangles = np.ascontiguousarray(corners, np.float64)
    _drape(triangles, float(x0), float(y0), float(cell_m), heights, rest, given, row0, col0)
