"""Horizons by the sweep of the hull against geometry: a long wall, the corner of a box, and every cell of a line one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from twintown.kernels.horizon import BUCKETS, accumulate
from twintown.kernels.lines import Field
from twintown.processes.year_sky import compass
from validation.case import Floats, Measured
from validation.ground_tiles import blocks

FLOOR = 2.0**-5
INDEX = np.arange(BUCKETS, dtype=np.int32)[None, :, None]


def horizon(heights: np.ndarray, bearing_deg: float) -> Floats:
    """Horizon of each cell in one direction, degrees (middle of its bucket)."""
    angle = math.radians(bearing_deg)
    way = np.rint(np.array([[math.sin(angle), math.cos(angle)]]) * 2.0**20) / 2.0**20
    found, _ = accumulate(Field.of(heights, 1.0), way, INDEX, FLOOR)
    bucket = found[:, :, 0]
    return np.asarray(np.degrees(np.arcsin(np.where(bucket > 0, (bucket + 0.5) / BUCKETS, 0.0))))


def measure() -> Iterator[Measured]:
    """A wall of 20 m (tan = h·|cos| / d), and lines of random blocks."""
    heights = np.zeros((160, 801), np.float32)
    heights[120] = 20.0
    worst = 0.0
    for bearing in (180.0, 165.0, 150.0, 140.0, 225.0):
        seen = horizon(heights, bearing)[20:115, 400]
        away = 120.0 - np.arange(20, 115)
        exact = np.degrees(np.arctan(20.0 * abs(math.cos(math.radians(bearing))) / away))
        worst = max(worst, float(np.abs(seen - exact).max()))
    yield Measured(
        "horizon.accumulate", "horizon_exact", "horizon behind a long wall of 20 m, 5 bearings, 5–100 m away", worst, 0.1, "deg"
    )  # fmt: skip
    town = blocks(4, 90, 110, 40.0)
    apart = 0
    for way in compass(16):
        east, north = way
        grid, ns = (town, -north) if abs(north) >= abs(east) else (town.T, east)
        ew = east if abs(north) >= abs(east) else -north
        slope = ew / ns
        stride = math.sqrt(1 + slope * slope)
        shift = np.floor(np.arange(grid.shape[0]) * slope + 0.5).astype(int)
        best = np.zeros(grid.shape)
        for r in range(grid.shape[0]):
            rows = range(r + 1, grid.shape[0]) if ns > 0 else range(r)
            for q in rows:
                c = np.arange(grid.shape[1]) - shift[r] + shift[q]
                ok = (c >= 0) & (c < grid.shape[1])
                rise = (grid[q, c[ok]].astype(float) - grid[r, ok]) / (abs(q - r) * stride)
                best[r, ok] = np.maximum(best[r, ok], rise)
        best = np.where(best < FLOOR, 0.0, best)
        expected = np.minimum((np.sqrt(best**2 / (1 + best**2)) * BUCKETS).astype(int), BUCKETS - 1)
        expected = expected if abs(north) >= abs(east) else expected.T
        found, _ = accumulate(Field.of(town, 1.0), way[None], INDEX, FLOOR)
        apart += int((found[:, :, 0] != expected).sum())
    yield Measured(
        "horizon.accumulate", "horizon_exact", "horizons that differ from trying every cell of the line, 16 directions", float(apart),
        0.0, "cells",
    )  # fmt: skip
