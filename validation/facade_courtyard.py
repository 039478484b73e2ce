"""A closed court: a wall that looks south sees the sun over the wing opposite, between the side wings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.crossings import lit_time
from validation.case import SECOND, Measured, at, box, columns, curtains, solid, solstice, sun, tally


def measure() -> Iterator[Measured]:
    """Points on the inner north wall of a 30 m court with 15 m walls, from the walls' angles by hand."""
    circle = solstice()
    s = at(circle, SECOND)
    ring = np.vstack([solid(box(0, 0, 60, 60), 15.0), solid(box(15, 15, 45, 45)[::-1], 15.0)])
    heights = [1.5, 4.5, 7.5, 10.5, 13.5]
    xs = [18.0, 30.0, 40.0]
    c = columns([(x, 44.95, 0.0, -1.0) for x in xs], [heights] * 3)
    total, run = lit_time(c, curtains([ring]), sun(circle), 1)
    worst = 0.0
    for i, x in enumerate(xs):
        for j, z in enumerate(heights):
            south = (44.95 - 15.0) / -s[
                :, 1
            ]  # ray parameter at the wing opposite and at the side wing it meets first
            side = np.where(
                s[:, 0] > 0,
                (45.0 - x) / np.where(s[:, 0] > 0, s[:, 0], 1),
                (x - 15.0) / np.where(s[:, 0] < 0, -s[:, 0], 1),
            )
            side[np.abs(s[:, 0]) < 1e-12] = np.inf
            lit = z + np.minimum(south, side) * s[:, 2] >= 15.0
            exact = tally(lit)
            k = i * len(heights) + j
            worst = max(worst, abs(exact[0] - total[k]), abs(exact[1] - run[k]))
    yield Measured(
        "crossings.lit_time", "facade_courtyard", "total and longest run inside a court", worst, 1.0, "min"
    )
