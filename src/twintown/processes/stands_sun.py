"""Sun on points by the hour: exact shadows of triangles, the sun's position every few minutes of the clock."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.panorama import free_points

from .stands_ground import Shade
from .sunpath import Place, directions, parse_day

Floats = NDArray[np.float64]
#: Minutes between two positions of the sun.
STEP_MIN = 5.0
#: How far a ray is followed, metres.
_FAR_M = 20_000.0


@lru_cache(64)
def sun_steps(day: str, from_h: int, to_h: int, place: Place) -> tuple[Floats, Floats]:
    """Minutes after midnight by the clock, float64[n], and vectors to the sun, float64[n, 3], in the middle of each step."""
    minutes = np.arange(from_h * 60.0 + STEP_MIN / 2, to_h * 60.0, STEP_MIN)
    found = directions(minutes, parse_day(day), "civil", place)
    found.setflags(write=False)
    return minutes, found


def sun_minutes(
    points: Floats, shade: Shade, more: Floats, day: str, from_h: int, to_h: int, place: Place
) -> Floats:
    """Minutes of sun in each hour, float64[points, hours].

    Args:
        points: float64[n, 3], metres, near each other.
        more: float64[t, 3, 3], triangles that were set up beside the city: canopies, a stage.
        day: ISO 8601; the hours are those of the clock, from `from_h` up to `to_h`.

    Raises:
        BadParameter: a bad day.
    """
    _, sun = sun_steps(day, from_h, to_h, place)
    up = np.flatnonzero(sun[:, 2] > 1e-3)
    lit = np.zeros((len(points), len(sun)), np.bool_)
    if len(up) and len(points):
        rays = sun[up]
        lowest = float((rays[:, 2] / np.hypot(rays[:, 0], rays[:, 1])).min())
        middle = points.mean(axis=0)
        around = float(np.hypot(*(points[:, :2] - middle[:2]).T).max())
        near = np.concatenate([shade.reaching(middle[0], middle[1], around, lowest), more])
        for k, point in enumerate(points):
            # what starts at the point itself is told from it by shifting the origin, which keeps the numbers small
            lit[k, up] = free_points(near - point, np.zeros(3), rays * _FAR_M)
    per = int(60 / STEP_MIN)
    found: Floats = lit.reshape(len(points), -1, per).sum(axis=2) * STEP_MIN
    return found
