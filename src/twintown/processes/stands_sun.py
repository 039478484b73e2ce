"""Sun on points by the hour: exact shadows of triangles, the sun's position every few minutes of the clock."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.rays import free_rays

from .stands_shade import Shade
from .sunpath import Place, directions, parse_day

Floats = NDArray[np.float64]
#: Minutes between two positions of the sun.
STEP_MIN = 5.0
#: The sun counts from this altitude on (its sine); geometric, without refraction.
_UP = 1e-3


@lru_cache(64)
def sun_steps(
    day: str, from_h: int, to_h: int, place: Place, step_min: float = STEP_MIN
) -> tuple[Floats, Floats]:
    """Minutes after midnight by the clock, float64[n], and vectors to the sun, float64[n, 3], in the middle of each step."""
    minutes = np.arange(from_h * 60.0 + step_min / 2, to_h * 60.0, step_min)
    found = directions(minutes, parse_day(day), "civil", place)
    found.setflags(write=False)
    return minutes, found


def lowest_of(rays: Floats) -> float:
    """The least slope of rays that go up, float64[n, 3]; 0 for none."""
    rise = rays[:, 2] / np.maximum(1e-12, np.sqrt(rays[:, 0] ** 2 + rays[:, 1] ** 2))
    return float(rise[rays[:, 2] > _UP].min(initial=1e9)) if (rays[:, 2] > _UP).any() else 0.0


def sun_minutes(points: Floats, shade: Shade, sun: Floats, hours: int) -> Floats:
    """Minutes of sun in each hour, float64[points, hours].

    Args:
        points: float64[n, 3], metres, near each other.
        shade: what stands around them, in the order in which it is tried.
        sun: float64[m, 3], vectors to the sun in equal steps over the hours.
    """
    up = np.flatnonzero(sun[:, 2] > _UP)
    lit = np.zeros((len(points), len(sun)), np.bool_)
    lit[:, up] = free_rays(shade.corners, points, sun[up], shade.discs)
    per = len(sun) // hours
    found: Floats = lit.reshape(len(points), hours, per).sum(axis=2) * (60.0 / per)
    return found
