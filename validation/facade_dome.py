"""A dome of triangles against the exact hemisphere: curtains under its edges, and rays met by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from twintown.kernels.crossings import lit_time
from twintown.kernels.shadows import Field, lit_masks
from validation.case import SECOND, Floats, Measured, at, columns, curtains, solstice, sun, tally

RADIUS = 30.0


def _dome(around: int, up: int) -> Floats:
    """Curtains under every edge of a dome about (0, −60): rings of equal angle, tops on the sphere."""
    rows = []
    angle = np.arange(around) * 2 * math.pi / around
    rings = [
        (RADIUS * math.cos(k * math.pi / 2 / up), RADIUS * math.sin(k * math.pi / 2 / up)) for k in range(up)
    ]
    corner = [
        np.column_stack([r * np.cos(angle), r * np.sin(angle) - 60.0, np.full(around, z)]) for r, z in rings
    ]
    tip = np.array([0.0, -60.0, RADIUS])
    for k in range(up):
        for i in range(around):
            a, b = corner[k][i], corner[k][(i + 1) % around]
            rows.append((a, b))
            if k + 1 < up:
                rows.append((a, corner[k + 1][i]))
                rows.append((b, corner[k + 1][i]))
            else:
                rows.append((a, tip))
    return np.array([[a[0], a[1], b[0], b[1], a[2], b[2], 0.0, 0.0] for a, b in rows])


def measure() -> Iterator[Measured]:
    """Facade points behind the dome, and its shadow on the ground."""
    circle = solstice()
    s = at(circle, SECOND)
    heights = [1.5, 6.0, 12.0, 18.0, 24.0]
    xs = [-25.0, -10.0, 0.0, 12.0, 30.0]
    c = columns([(x, 0.0, 0.0, -1.0) for x in xs], [heights] * len(xs))
    total, _ = lit_time(c, curtains([_dome(256, 64)]), sun(circle), 1)
    worst = 0.0
    for i, x in enumerate(xs):
        for j, z in enumerate(heights):
            p = np.array([x, 0.0, z]) - [0.0, -60.0, 0.0]
            b = s @ p
            lit = b * b - (p @ p - RADIUS**2) < 0
            lit |= b > 0
            lit &= s[:, 1] < 0
            worst = max(worst, abs(tally(lit)[0] - total[i * len(heights) + j]))
    yield Measured(
        "crossings.lit_time",
        "facade_dome",
        "sun in all behind a hemisphere of 16,384 facets",
        worst,
        1.0,
        "min",
    )
    wrong = {}
    for cell in (2.0, 1.0, 0.5):
        n = int(240 / cell)
        centre = (np.arange(n) + 0.5) * cell - 120
        x, y = np.meshgrid(centre, -centre)
        height = np.sqrt(np.maximum(0.0, RADIUS**2 - x**2 - y**2)).astype(np.float32)
        error = 0.0
        for minute in (560.0, 640.0, 720.0, 800.0, 910.0):
            d = at(circle, np.array([minute]))
            lit = lit_masks(Field.of(height, cell), d, 1)[0]
            b = x * d[0, 0] + y * d[0, 1]
            exact = (b * b - (x * x + y * y - RADIUS**2) >= 0) & (b < 0) & (height == 0)
            error += (
                float(((lit == 0) & (height == 0) & ~exact).sum() + ((lit == 1) & exact).sum())
                * cell
                * cell
                / 5
            )
        wrong[cell] = error
    share = wrong[1.0] / (math.pi * RADIUS * RADIUS / math.tan(math.radians(20.0)))
    yield Measured(
        "shadows.lit_masks",
        "facade_dome",
        "wrong area of the dome's shadow at 1 m, share of it",
        share,
        0.03,
        "1",
    )
    order = math.log(wrong[2.0] / wrong[0.5]) / math.log(4.0)
    yield Measured(
        "shadows.lit_masks",
        "facade_dome",
        f"first order in the cell size: 1 − order ({order:.2f} measured)",
        max(0.0, 1 - order),
        0.3,
        "1",
    )
