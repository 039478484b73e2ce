"""What is not exact: a thin slab over a point, whose bottom and top a steep ray meets without crossing an edge's curtain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.crossings import lit_time
from validation.case import SECOND, Measured, at, box, columns, curtains, solid, solstice, sun, tally
from validation.facade_crossings import hit


def measure() -> Iterator[Measured]:
    """A 1 m slab of 40 × 40 m, 8 m above a point near the middle of its northern edge."""
    circle = solstice()
    s = at(circle, SECOND)
    slab = solid(box(-20, -40, 20, 0), 9.0, 8.0)
    total, _ = lit_time(columns([(0.0, 0.0, 0.0, -1.0)], [[1.5]]), curtains([slab]), sun(circle), 1)
    lit = ~hit(np.array([0.0, 0.0, 1.5]), s, np.array([-20.0, -40.0, 8.0]), np.array([20.0, 0.0, 9.0])) & (
        s[:, 1] < 0
    )
    yield Measured(
        "crossings.lit_time", "facade_slab", "sun under a thin raised slab", abs(tally(lit)[0] - float(total[0])), 1.0, "min",
        "rays that enter through the bottom of a raised solid and leave through its top cross no curtain; only parts with "
        "`min_height` right above a point are concerned (two parts of the demo have a base above the ground)",
    )  # fmt: skip
