"""Lines that cross a grid, laid by the rows of the whole grid.

A direction's lines are skewed columns: the line k passes row r of the whole grid in column k + ⌊r·slope + ½⌋, |slope| ≤ 1, so
that each cell lies on exactly one line. Rows are counted from the northern edge of the *whole* grid, and so a tile of it sees the
same lines as the whole does. Where the direction lies nearer east or west, the same is done on the transposed grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.scratch import Scratch

__all__ = ["Field", "March", "Tile", "march", "transpose", "transpose_bytes"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class March:
    """How one direction crosses the rows of a field (or of its transpose), walked away from what it points to.

    ``backward``: from the last row to the first; ``slope``: columns a row southward; ``drop``: metres that a ray falls a row
    (0 where no altitude counts); ``stride``: metres along the line a row.
    """

    across: bool
    backward: bool
    slope: float
    drop: float
    stride: float


def march(direction: F64, cell_m: float) -> March:
    """The march of a direction (east, north, up). Raises ValueError: straight up, or below the horizon."""
    east, north, up = (float(v) for v in direction)
    rows, cols = -north, east  # towards the sun, in rows (southward) and columns (eastward)
    across = abs(cols) > abs(rows)
    if across:
        rows, cols = cols, rows
    if abs(rows) < 1e-9 or up < 0:
        raise ValueError("a sweep needs a sun above the horizon and off the zenith")
    slope = cols / rows
    return March(across, rows > 0, slope, cell_m * up / abs(rows), cell_m * math.sqrt(1.0 + slope * slope))


@dataclass(frozen=True)
class Tile:
    """Cells of the whole grid that are asked for: rows ``row0`` to ``row1``, columns ``col0`` to ``col1``, ends excluded."""

    row0: int
    row1: int
    col0: int
    col1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.row1 - self.row0, self.col1 - self.col0

    @property
    def turned(self) -> Tile:
        """The same cells of the transposed grid."""
        return Tile(self.col0, self.col1, self.row0, self.row1)


@dataclass(frozen=True)
class Field:
    """A height field, or a block of a larger one, ready to be swept.

    ``heights`` float32[rows, cols], metres ≥ 0 above the ground, row 0 north, column 0 west; ``across`` the same transposed,
    contiguous; ``cell_m`` the cell size in metres; ``row0``, ``col0``: where the block lies in the whole grid; ``highest``
    metres.
    """

    heights: F32
    across: F32
    cell_m: float
    row0: int = 0
    col0: int = 0
    highest: float = 0.0

    @classmethod
    def of(
        cls, heights: F32, cell_m: float, row0: int = 0, col0: int = 0, scratch: Scratch | None = None
    ) -> Field:
        """Field over ``heights`` float32[rows, cols] in metres. ``scratch``: where its transpose goes, until the next field's does."""
        heights = np.ascontiguousarray(heights, dtype=np.float32)
        across = (scratch or Scratch()).take("across", heights.shape[::-1], np.float32)
        transpose(heights, across)
        return cls(heights, across, cell_m, row0, col0, float(heights.max()) if heights.size else 0.0)

    @property
    def whole(self) -> Tile:
        """All of its cells."""
        rows, cols = self.heights.shape
        return Tile(self.row0, self.row0 + rows, self.col0, self.col0 + cols)


@njit(cache=True, nogil=True)
def transpose(a, out):  # type: ignore[no-untyped-def]
    """``out[c, r] = a[r, c]``, 32 × 32 cells at a time."""
    rows, cols = a.shape
    for r0 in range(0, rows, 32):
        r1 = min(rows, r0 + 32)
        for c0 in range(0, cols, 32):
            for c in range(c0, min(cols, c0 + 32)):
                for r in range(r0, r1):
                    out[c, r] = a[r, c]


@njit(cache=True, nogil=True)
def transpose_bytes(a, out):  # type: ignore[no-untyped-def]
    """Transpose bytes, 8 × 8 at a time in eight words (Warren, Hacker's Delight, 7-3) [warren2012]."""
    rows, cols = a.shape
    rows8, cols8 = rows // 8 * 8, cols // 8 * 8
    m1 = np.uint64(0x00FF00FF00FF00FF)
    m2 = np.uint64(0x0000FFFF0000FFFF)
    m4 = np.uint64(0x00000000FFFFFFFF)
    s1, s2, s4 = np.uint64(8), np.uint64(16), np.uint64(32)
    w = np.empty(8, np.uint64)
    wb = w.view(np.uint8)
    for r0 in range(0, rows8, 8):
        for c0 in range(0, cols8, 8):
            for i in range(8):
                for k in range(8):
                    wb[8 * i + k] = a[r0 + i, c0 + k]
            for i in range(0, 8, 2):
                t = ((w[i] >> s1) ^ w[i + 1]) & m1
                w[i + 1] ^= t
                w[i] ^= t << s1
            for i in (0, 1, 4, 5):
                t = ((w[i] >> s2) ^ w[i + 2]) & m2
                w[i + 2] ^= t
                w[i] ^= t << s2
            for i in range(4):
                t = ((w[i] >> s4) ^ w[i + 4]) & m4
                w[i + 4] ^= t
                w[i] ^= t << s4
            for i in range(8):
                for k in range(8):
                    out[c0 + i, r0 + k] = wb[8 * i + k]
    for r in range(rows8, rows):
        for c in range(cols):
            out[c, r] = a[r, c]
    for r in range(rows8):
        for c in range(cols8, cols):
            out[c, r] = a[r, c]
