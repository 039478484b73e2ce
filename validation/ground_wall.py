"""A long east–west wall: ground at distance d north of it is lit while d ≥ h·cos(azimuth from south)/tan(altitude)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.shadows import Field, lit_counts
from validation.case import Measured, at, solstice


def measure() -> Iterator[Measured]:
    """Lit minutes behind a 10 m wall against the exact time, in minutes, where the cell is not cut by the shadow's edge."""
    circle = solstice()
    steps = 720.0 + (np.arange(69) - 34) * 7.0
    heights = np.zeros((120, 1601), np.float32)
    heights[100] = 10.0
    counts = lit_counts(Field.of(heights, 1.0), at(circle, steps), 1)[:100, 800][::-1]
    fine = np.arange(480.0, 960.0, 0.05)
    s = at(circle, fine)
    depth = 10.0 * -s[:, 1] / s[:, 2]  # how far north of the wall's northern face its shadow reaches
    distance = (
        np.arange(100) + 1.0
    )  # the sweep casts from cell centres: a cell's own half is the discretisation
    exact = np.array([(depth <= d).mean() * 480.0 for d in distance])
    minutes = np.minimum(counts * 7.0, 480.0)
    far = (distance > 3) & (distance < 90)
    yield Measured(
        "shadows.lit_counts",
        "ground_wall",
        "sun behind a long wall, counted every 7 min, 8–16 (half a step at each of two edges, and a cell)",
        float(np.abs(minutes - exact)[far].max()),
        10.0,
        "min",
    )
