"""A year worked on in tiles with their halo, against the whole field: the same bytes, on random blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.horizon import BUCKETS, accumulate, halo_cells
from twintown.kernels.lines import Field, Tile
from twintown.processes.year_sky import compass
from validation.case import Measured
from validation.ground_tiles import blocks

FLOOR = 2.0**-5


def measure() -> Iterator[Measured]:
    """Cells that differ in any of three sums, over four fields with tiles of 100 cells and 24 directions."""
    apart = 0
    ways = compass(24)
    for seed in range(4):
        heights = blocks(seed, 330, 290, 5.0)
        table = np.random.default_rng(seed).integers(0, 10_000, (24, BUCKETS, 3)).astype(np.int32)
        whole, _ = accumulate(Field.of(heights, 1.0), ways, table, FLOOR)
        halo = halo_cells(float(heights.max()), FLOOR, 1.0)
        for r in range(0, 330, 100):
            for c in range(0, 290, 100):
                tile = Tile(r, min(330, r + 100), c, min(290, c + 100))
                r0, c0 = max(0, r - halo), max(0, c - halo)
                block = Field.of(heights[r0 : tile.row1 + halo, c0 : tile.col1 + halo], 1.0, r0, c0)
                part, _ = accumulate(block, ways, table, FLOOR, tile, threads=1)
                apart += int((part != whole[r : tile.row1, c : tile.col1]).any(axis=2).sum())
    yield Measured(
        "horizon.accumulate", "year_tiles", "cells that differ, tiles with halo against the whole", float(apart), 0.0, "cells"
    )  # fmt: skip
