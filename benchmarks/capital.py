"""A declared synthetic capital on a grid of 1 m, in a file that is mapped and never whole in memory.

Seoul has 605 km² and some 600,000 buildings. This one has a lot every 28.4 m, on four lots of five a building of 8–25 m each way;
most are 6–20 m high, one in fifty is a tower of 40–120 m, one in ten thousand reaches 150–250 m, and one in the middle 555 m. It is
made from a seed and is nobody's city.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

SIDE = 24_597  # 24,597² m = 605.0 km²
LOT_M = 28.4


@njit(cache=True)
def _stand(out, rows, cols, highs, wides, tops):  # type: ignore[no-untyped-def]
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
