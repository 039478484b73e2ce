"""Values along lines whose answer is known in closed form: a plane, a half-plane, a strip across a half-plane."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.along import ALL, BELOW, KNOWN, LEAST, SUM, along
from validation.case import Measured

Floats = NDArray[np.float64]
#: Lines from the middle of a cell to that of another (columns, rows): what they cross is alike from both ends, so its mean is the middle's.
STEEP = ((30, 0), (0, 41), (37, 37), (24, 7), (-19, 33), (-40, -9), (13, -50))


def line(x: float, y: float, dx: float, dy: float) -> tuple[Floats, NDArray[np.int64]]:
    """One segment as the kernel takes it."""
    return np.array([[x, y, x + dx, y + dy]], float), np.array([0, 1], np.int64)


def measure() -> Iterator[Measured]:
    """Means, lengths, shares and least values against what a pencil says."""
    rows, cols = np.mgrid[0:120, 0:140]
    known = np.ones(rows.shape, np.bool_)
    plane = (3.0 * (cols + 0.5) - 2.0 * (rows + 0.5)).astype(float)
    mean, length = 0.0, 0.0
    for dx, dy in STEEP:
        segments, first = line(60.5, 60.5, dx, dy)
        told = along(plane, known, segments, first, 0.0, 0.0)[0]
        exact = 3.0 * (60.5 + dx / 2) - 2.0 * (60.5 + dy / 2)
        mean = max(mean, abs(told[SUM] / told[KNOWN] - exact))
        length = max(length, abs(told[ALL] - math.hypot(dx, dy)))
    yield Measured("along.along", "along_plane", "mean of a plane along 7 lines", mean, 1e-9, "1")
    yield Measured("along.along", "along_plane", "length of 7 lines in their cells", length, 1e-9, "cells")
    half = np.where(cols < 64, 10.0, 50.0)
    worst, least = 0.0, 0.0
    for bearing in range(0, 90, 7):
        dx, dy = 40.0 * math.cos(math.radians(bearing)), 40.0 * math.sin(math.radians(bearing))
        segments, first = line(50.3, 31.7, dx, dy)
        told = along(half, known, segments, first, 0.0, 20.0)[0]
        exact = min(1.0, 13.7 / dx) if dx > 0 else 1.0
        worst = max(worst, abs(told[BELOW] / told[KNOWN] - exact))
        least = max(least, abs(told[LEAST] - 10.0))
    yield Measured(
        "along.along", "along_plane", "share of a line on the low side of a half-plane, 13 bearings", 100 * worst, 1e-6, "%"
    )  # fmt: skip
    yield Measured("along.along", "along_plane", "least value of the same lines", least, 0.0, "1")
    share, area = 0.0, 0.0
    for bearing in range(0, 180, 11):
        for reach in (2.0, 5.0, 11.5):
            dx, dy = 38.0 * math.cos(math.radians(bearing)), 38.0 * math.sin(math.radians(bearing))
            segments, first = line(
                64.0 - dx / 2, 60.3 - dy / 2, dx, dy
            )  # its middle on the border: half of the strip is low
            told = along(half, known, segments, first, reach, 20.0)[0]
            exact = 2 * reach * 38.0 + math.pi * reach * reach
            share = max(share, abs(told[BELOW] - exact / 2) / (2 * 38.0 + 2 * math.pi * reach))
            area = max(area, abs(told[ALL] - exact) / (2 * 38.0 + 2 * math.pi * reach))
    yield Measured(
        "along.along", "along_plane", "low half of a strip across a half-plane, 17 bearings × 3 widths, by its edges", share, 0.5, "cells"
    )  # fmt: skip
    yield Measured(
        "along.along", "along_plane", "area of the same strips, by the length of their edges", area, 0.5, "cells"
    )  # fmt: skip
