"""Boxes before a wall: crossing times against rays cast every second through the same boxes, slab by slab."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.crossings import lit_time
from validation.case import SECOND, Floats, Measured, at, box, columns, curtains, solid, solstice, sun, tally


def hit(p: Floats, s: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Whether rays from p towards s (float64[n, 3]) meet the box (slab method)."""
    with np.errstate(divide="ignore"):
        a, b = (low - p) / s, (high - p) / s
    near, far = np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)
    return (near <= far) & (far > 0)


def measure() -> Iterator[Measured]:
    """Total and longest run for 200 points behind 1 to 6 random boxes."""
    rng = np.random.default_rng(3)
    circle = solstice()
    s = at(circle, SECOND)
    worst_total = worst_run = 0.0
    for _ in range(40):
        boxes = []
        for _ in range(rng.integers(1, 7)):
            x, y, w, d, h = (
                rng.uniform(-80, 80),
                rng.uniform(-120, -15),
                rng.uniform(4, 40),
                rng.uniform(4, 12),
                rng.uniform(4, 90),
            )
            boxes.append((x, y, x + w, y + d, h, 0.0 if rng.random() < 0.8 else rng.uniform(0.0, 0.7) * h))
        heights = sorted(rng.uniform(0.5, 40.0, 5).tolist())
        c = columns([(0.0, 0.0, 0.0, -1.0)], [heights])
        total, run = lit_time(c, curtains([solid(box(*b[:4]), b[4], b[5]) for b in boxes]), sun(circle), 1)
        for i, z in enumerate(heights):
            p = np.array([0.0, 0.0, z])
            lit = s[:, 1] < 0
            for b in boxes:
                lit &= ~hit(p, s, np.array([b[0], b[1], b[5]]), np.array([b[2], b[3], b[4]]))
            exact = tally(lit)
            worst_total, worst_run = (
                max(worst_total, abs(exact[0] - total[i])),
                max(worst_run, abs(exact[1] - run[i])),
            )
    yield Measured(
        "crossings.lit_time",
        "facade_crossings",
        "sun in all behind boxes, some raised, against 1 s rays",
        worst_total,
        1.0,
        "min",
    )
    yield Measured(
        "crossings.lit_time", "facade_crossings", "longest run behind the same boxes", worst_run, 1.0, "min"
    )
