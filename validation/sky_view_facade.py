"""What a facade sees of the sky across a street with a long wall on its other side: (1 − sin β) / 2, β up to the wall's top."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.horizon import BUCKETS, Points, accumulate
from twintown.kernels.lines import Field
from twintown.processes.year_sky import compass, views
from validation.case import Measured


def measure() -> Iterator[Measured]:
    """Points of 0 to 30 m on a facade across 20 m from walls of 10 to 40 m."""
    worst = 0.0
    z = np.array([0.0, 5.0, 10.0, 20.0, 30.0])
    n = len(z)
    index = np.zeros((1, BUCKETS, 1), np.int32)
    for high in (10.0, 25.0, 40.0):
        heights = np.zeros((60, 4001), np.float32)
        heights[40:] = high  # its face at row 39.5; the points at the middle of row 20
        points = Points(np.full(n, 20), np.full(n, 2000), z, np.tile([0.0, -1.0, 0.0], (n, 1)))
        _, found = accumulate(
            Field.of(heights, 1.0), compass(180), index, 2.0**-5, None, points, views=views(180), threads=2
        )
        over = np.maximum(high - z, 0.0)
        exact = (1.0 - over / np.hypot(over, 19.5)) / 2.0
        worst = max(worst, float(np.abs(found[:, 2] - exact).max()))
    yield Measured(
        "horizon.accumulate", "sky_view_facade", "sky seen from a facade across a street of 20 m, walls of 10–40 m", worst, 0.015, "1"
    )  # fmt: skip
