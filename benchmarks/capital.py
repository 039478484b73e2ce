"""A declared synthetic capital on a grid of 1 m, in a file that is mapped and never whole in memory.

Seoul has 605 km² and some 600,000 buildings. This one has a lot every 28.4 m, on four lots of five a building of 8–25 m each way;
most are 6–20 m high, one in fifty is a tower of 40–120 m, one in ten thousand reaches 150–250 m, and one in the middle 555 m. It is
made from a seed and is nobody's city.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twintown.kernels.lines import Tile

F32 = NDArray[np.float32]

SIDE = 24_597  # 24,597² m = 605.0 km²
LOT_M = 28.4
#: Side of the squares whose tallest thing is remembered beside a file.
SQUARE = 256


@njit(cache=True)
def _stand(out, rows, cols, highs, wides, tops):
    for i in range(rows.size):
        out[rows[i] : rows[i] + highs[i], cols[i] : cols[i] + wides[i]] = tops[i]


def capital(path: Path, side: int = SIDE, seed: int = 605) -> int:
    """Write float32[side, side] heights as `.npy` and answer how many buildings stand on it."""
    rng = np.random.default_rng(seed)
    lots = int(side / LOT_M)
    at = (np.arange(lots) * LOT_M).astype(np.int64)
    row, col = (a.ravel() for a in np.meshgrid(at, at, indexing="ij"))
    built = rng.random(row.size) < 0.8
    row, col = row[built], col[built]
    n = row.size
    high, wide = rng.integers(8, 26, n), rng.integers(8, 26, n)
    top: NDArray[np.float64] = np.exp(rng.normal(np.log(9.5), 0.35, n))
    kind = rng.random(n)
    top = np.where(kind < 0.02, rng.uniform(40, 120, n), top)
    top = np.where(kind < 0.0001, rng.uniform(150, 250, n), top)
    if n and side >= 2000:
        top[n // 2 + lots // 2] = 555.0
    row, col = np.minimum(row, side - high), np.minimum(col, side - wide)
    heights = np.lib.format.open_memmap(path, "w+", np.float32, (side, side))
    _stand(heights, row, col, high, wide, top.astype(np.float32))
    heights.flush()
    return n


@dataclass(frozen=True)
class HeightsFile:
    """Tops in a file of NumPy's (`.npy`, float32[rows, cols]) that whoever works on a tile can read."""

    path: str
    rows: int
    cols: int
    cell_m: float

    @classmethod
    def of(cls, path: Path, cell_m: float) -> HeightsFile:
        """The file's shape is read, not its heights."""
        rows, cols = np.load(path, mmap_mode="r").shape
        return cls(str(path), int(rows), int(cols), cell_m)

    def within(self, tile: Tile) -> F32:
        there = np.load(self.path, mmap_mode="r")
        return np.array(there[tile.row0 : tile.row1, tile.col0 : tile.col1])

    def highest(self, tile: Tile) -> float:
        found = _squares(self.path)
        here = found[
            tile.row0 // SQUARE : -(-tile.row1 // SQUARE), tile.col0 // SQUARE : -(-tile.col1 // SQUARE)
        ]
        return float(here.max(initial=0.0))


@lru_cache(maxsize=4)
def _squares(path: str) -> F32:
    """The tallest thing of each square of a file, kept beside it once it is known."""
    beside = Path(f"{path}.squares.npy")
    if beside.exists():
        found: F32 = np.load(beside)
        return found
    there = np.load(path, mmap_mode="r")
    rows, cols = there.shape
    found = np.empty((-(-rows // SQUARE), -(-cols // SQUARE)), np.float32)
    starts = np.arange(0, cols, SQUARE)
    for row in range(len(found)):
        band = there[row * SQUARE : (row + 1) * SQUARE].max(axis=0)
        found[row] = np.maximum.reduceat(band, starts)
    np.save(beside, found)
    return found
