"""Views whose answer is known in closed form: a wall, a box, a ridge on a curved earth, an endless street, a wall of known solid angle."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.panorama import free_metres, free_points, shares
from twintown.kernels.viewshed import EARTH_M, needed_heights, tower_metres
from validation.case import Measured

Floats = NDArray[np.float64]


def quad(*corners: tuple[float, float, float]) -> Floats:
    """Two triangles over four corners."""
    a, b, c, d = (np.array(one, float) for one in corners)
    return np.array([[a, b, c], [a, c, d]])


def _most(found: Floats, exact: Floats, begin: int) -> float:
    return float(np.abs(found - exact)[begin:].max())


def street(width: float, height: float, length: float = 1e6) -> Floats:
    """Two walls along y at ±half the width."""
    w = width / 2
    return np.concatenate([
        quad((s, -length, 0), (s, length, 0), (s, length, height), (s, -length, height)) for s in (-w, w)
    ])  # fmt: skip


def grids() -> Iterator[Measured]:
    """A wall, a box from its roof, and a ridge beyond the horizon, along the middle row."""
    heights = np.zeros((41, 401), np.float32)
    heights[:, 50] = 12.0
    needed = needed_heights(heights, 1.0, 20, 0, 1.6, curved=False)[20].astype(float)
    x = np.arange(401.0)
    exact = np.where(x > 50, 1.6 + (12.0 - 1.6) * x / 49.5, 0.0)  # over the near edge of the wall's top
    yield Measured(
        "viewshed.needed_heights", "view_analytic", "height hidden behind a wall", _most(needed, exact, 51), 1e-3, "m"
    )  # fmt: skip
    box = np.zeros((41, 401), np.float32)
    box[:, :21] = 30.0
    needed = needed_heights(box, 1.0, 20, 10, 1.6, curved=False)[20].astype(float)
    exact = np.maximum(0.0, 31.6 - 1.6 * (x - 10.0) / 10.5)  # below the line over the roof's edge
    yield Measured(
        "viewshed.needed_heights", "view_analytic", "height hidden below the edge of one's own roof", _most(needed, exact, 21), 1e-3, "m"
    )  # fmt: skip
    plain = np.zeros((3, 2001), np.float32)
    needed = needed_heights(plain, 50.0, 1, 0, 1.6)[1].astype(float)
    d = 50.0 * np.arange(2001)
    radius = EARTH_M / (1 - 0.13)
    horizon = math.sqrt(2 * radius * 1.6)
    exact = np.where(d > horizon, (d - horizon) ** 2 / (2 * radius), 0.0)
    yield Measured(
        "viewshed.needed_heights", "view_analytic", "height hidden by the curve of the earth, up to 100 km (574 m)",
        float(np.abs(needed - exact).max()), 0.5, "m",
    )  # fmt: skip
    metres = tower_metres(heights, 1.0, 20, 0, 0.0, 100.0, 1.6, curved=False)[20].astype(float)
    with np.errstate(divide="ignore"):
        hidden = 1.6 + (12.0 - 1.6) * x / (x - 50.5)
    exact = np.where(x > 50, np.clip(100.0 - hidden, 0, 100), 100.0)
    yield Measured(
        "viewshed.tower_metres", "view_analytic", "metres of a mast seen over a wall", _most(metres, exact, 51), 1e-3, "m"
    )  # fmt: skip


def spheres() -> Iterator[Measured]:
    """Shares of the sphere in an endless street, off its middle, and of an upright rectangle."""
    worst = 0.0
    for width, height, off in ((20.0, 15.0, 1.3), (12.0, 40.0, -2.0), (40.0, 9.0, 7.0)):
        eye = np.array([[off, 0.0, 1.6]])
        share = shares(street(width, height), np.zeros(4, np.int32), 1, eye)[0]
        sides = [width / 2 - off, width / 2 + off]
        sky = (math.pi - sum(math.atan((height - 1.6) / s) for s in sides)) / (2 * math.pi)
        ground = (math.pi - sum(math.atan(1.6 / s) for s in sides)) / (2 * math.pi)
        worst = max(worst, abs(share[1] - sky), abs(share[2] - ground), abs(share[0] - (1 - sky - ground)))
    yield Measured(
        "panorama.shares",
        "view_analytic",
        "sky, walls and ground of an endless street, share of the sphere",
        100 * worst,
        0.05,
        "%",
    )
    worst = 0.0
    for half, rise, away in ((5.0, 8.0, 10.0), (30.0, 3.0, 4.0), (0.5, 20.0, 60.0), (3.3, 7.7, 21.0)):
        wall = quad(
            (-half, away, 30 - rise),
            (half, away, 30 - rise),
            (half, away, 30 + rise),
            (-half, away, 30 + rise),
        )
        share = shares(wall, np.zeros(2, np.int32), 1, np.array([[0.0, 0.0, 30.0]]))[0, 0]
        solid = 4 * math.asin(half * rise / math.sqrt((half**2 + away**2) * (rise**2 + away**2)))
        worst = max(worst, abs(share - solid / (4 * math.pi)))
    yield Measured(
        "panorama.shares",
        "view_analytic",
        "solid angle of an upright rectangle, share of the sphere",
        100 * worst,
        0.05,
        "%",
    )
    wall = quad((-50, 30, 0), (50, 30, 0), (50, 30, 10), (-50, 30, 10))
    free, lowest = free_metres(
        wall, np.zeros(2, np.int32), np.array([0, 0, 1.6]), np.array([0.0, 90.0]), 0.0, 80.0
    )
    exact = 80.0 - (1.6 + (10 - 1.6) * 3)
    yield Measured(
        "panorama.free_metres", "view_analytic", "metres of a line over a wall",
        max(abs(free - exact), abs(80.0 - exact - lowest)), 1e-6, "m",
    )  # fmt: skip
    crest = np.column_stack([np.linspace(-400, 400, 801), np.full(801, 90.0), np.full(801, 20.0)])
    seen = free_points(wall, np.array([0.0, 0.0, 1.6]), crest)
    yield Measured(
        "panorama.free_points", "view_analytic", "points of a ridge that a wall hides",
        float(abs(int((~seen).sum()) - int((np.abs(crest[:, 0]) <= 150).sum()))), 0.0, "points",
    )  # fmt: skip


def measure() -> Iterator[Measured]:
    """All cases."""
    yield from grids()
    yield from spheres()
