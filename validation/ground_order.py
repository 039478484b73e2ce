"""The order of convergence in the cell size: the shadow of a box as an area that differs from the exact polygon."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import shapely

from twintown.kernels.shadows import Field, lit_masks
from validation.case import Measured


def _wrong_area(cell: float) -> float:
    """Area (m²) in which mask and exact shadow differ, mean over bearings, for a turned 30 m box of 40 m."""
    n = int(240 / cell)
    centre = (np.arange(n) + 0.5) * cell
    x, y = np.meshgrid(centre, 240.0 - centre)
    turn = math.radians(17.0)
    footprint = shapely.Polygon(
        [
            (
                120 + 15 * math.sqrt(2) * math.cos(turn + k * math.pi / 2),
                120 + 15 * math.sqrt(2) * math.sin(turn + k * math.pi / 2),
            )
            for k in range(4)
        ]
    )
    inside = shapely.contains_xy(footprint, x, y)
    field = Field.of(np.where(inside, 40.0, 0.0).astype(np.float32), cell)
    errors = []
    for bearing in (100, 127, 143, 180, 201, 222, 250):
        b, a = math.radians(bearing), math.radians(32.0)
        s = np.array([[math.sin(b) * math.cos(a), math.cos(b) * math.cos(a), math.sin(a)]])
        reach = 40.0 / math.tan(a)
        moved = shapely.transform(footprint, lambda p, r=reach, t=b: p - [r * math.sin(t), r * math.cos(t)])
        shadow = shapely.convex_hull(shapely.union(footprint, moved))
        exact = shapely.contains_xy(shadow, x, y) & ~inside
        dark = (lit_masks(field, s, 1)[0] == 0) & ~inside
        errors.append(float((dark != exact).sum()) * cell * cell)
    return float(np.mean(errors))


def measure() -> Iterator[Measured]:
    """Order fitted over cells of 4, 2, 1 and 0.5 m, and the wrong area at 1 m as a band along the shadow's edge."""
    cells = np.array([4.0, 2.0, 1.0, 0.5])
    wrong = np.array([_wrong_area(float(c)) for c in cells])
    order = float(np.polyfit(np.log(cells), np.log(wrong), 1)[0])
    yield Measured(
        "shadows.lit_masks",
        "ground_order",
        f"first order in the cell size: 1 − order ({order:.2f} measured)",
        max(0.0, 1.0 - order),
        0.2,
        "1",
    )
    perimeter = 2 * (40.0 / math.tan(math.radians(32.0)) + 42.0)
    yield Measured(
        "shadows.lit_masks",
        "ground_order",
        "wrong area at 1 m as a band along the shadow's edge",
        float(wrong[2]) / perimeter,
        0.6,
        "cells",
    )
