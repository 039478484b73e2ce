"""The sky view factor in the middle of a court: round cos²β, and rectangular by the closed form of four right triangles."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from validation.case import Measured
from validation.sky_view_canyon import sky_view


def rectangle(a: float, b: float, high: float) -> float:
    """What the middle of a court of 2a × 2b with walls of `high` sees of the sky (configuration factor of a parallel rectangle)."""

    def quarter(x: float, y: float) -> float:
        p, q = math.hypot(1, x), math.hypot(1, y)
        return (x / p * math.atan(y / p) + y / q * math.atan(x / q)) / (2 * math.pi)

    return 4 * quarter(a / high, b / high)


def measure() -> Iterator[Measured]:
    """Round courts of 40 m radius and rectangular ones of 40 × 80 m."""
    y, x = np.mgrid[-100:101, -100:101]
    worst = 0.0
    for high in (10.0, 25.0, 50.0):
        heights = np.where(np.hypot(x, y) >= 40.0, high, 0.0).astype(np.float32)
        worst = max(worst, abs(float(sky_view(heights)[100, 100]) - 1.0 / (1.0 + (high / 40.0) ** 2)))
    yield Measured(
        "horizon.accumulate", "sky_view_court", "sky view in the middle of a round court of 40 m, walls of 10–50 m", worst, 0.015, "1"
    )  # fmt: skip
    worst = 0.0
    for high in (10.0, 25.0, 50.0):
        heights = np.where((np.abs(y) >= 20) | (np.abs(x) >= 40), high, 0.0).astype(np.float32)
        # the wall is met in the middle of its first cell, 20 and 40 cells away
        worst = max(worst, abs(float(sky_view(heights)[100, 100]) - rectangle(40.0, 20.0, high)))
    yield Measured(
        "horizon.accumulate", "sky_view_court", "sky view in the middle of a court of 40 × 80 m, walls of 10–50 m", worst, 0.015, "1"
    )  # fmt: skip
