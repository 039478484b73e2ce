"""A day's lit steps worked on in tiles with their halo, against the whole field: the same bytes, on random blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.shadows import Field, Tile, halo_cells, lit_counts
from validation.case import Measured, at, solstice


def blocks(seed: int, rows: int, cols: int, most: float) -> NDArray[np.float32]:
    """Blocks up to `most` metres on a plain, float32[rows, cols]."""
    rng = np.random.default_rng(seed)
    heights = np.zeros((rows, cols), np.float32)
    for _ in range(rows * cols // 500):
        r, c = rng.integers(0, rows - 8), rng.integers(0, cols - 8)
        a, b = rng.integers(4, 25, 2)
        heights[r : r + a, c : c + b] = rng.uniform(2, most)
    return heights


def measure() -> Iterator[Measured]:
    """Cells that differ, over six fields with tiles of 64 cells and the solstice's suns from 8 to 16."""
    suns = at(solstice(), 720.0 + (np.arange(33) - 16) * 15.0)
    apart = 0
    for seed in range(6):
        heights = blocks(seed, 350, 420, 25.0)
        whole = lit_counts(Field.of(heights, 1.0), suns)
        halo = halo_cells(float(heights.max()), suns, 1.0)
        for r in range(0, 350, 64):
            for c in range(0, 420, 64):
                tile = Tile(r, min(350, r + 64), c, min(420, c + 64))
                r0, c0 = max(0, r - halo), max(0, c - halo)
                block = heights[r0 : tile.row1 + halo, c0 : tile.col1 + halo]
                part = lit_counts(Field.of(block, 1.0, r0, c0), suns, 1, tile)
                apart += int((part != whole[r : tile.row1, c : tile.col1]).sum())
    yield Measured(
        "shadows.lit_counts", "ground_tiles", "cells that differ, tiles with halo against the whole", float(apart), 0.0, "cells"
    )  # fmt: skip
