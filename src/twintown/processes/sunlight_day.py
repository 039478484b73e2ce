"""One day's sun as the kernels take it: positions for the ground, a circle with its windows for the facades."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.kernels.crossings import Sun

from .sunlight_rule import Rule
from .sunpath import FINE, Place, angle, check_basis, circle, directions, parse_day, rounded

Floats = NDArray[np.float64]
#: A piece of the day must turn the azimuth by less than π; this leaves room.
WIDEST = 3.0


@dataclass(frozen=True)
class Day:
    """The sun over one place on one day in one basis.

    `steps` float64[n]: minutes of the ground's positions; `directions` float64[k, 3]: those above the horizon (grid east, north, up);
    `sun`: for the crossing times; `residual_deg`: how far the circle is from SPA.
    """

    date: date
    basis: str
    rule: Rule
    steps: Floats
    directions: Floats
    sun: Sun
    residual_deg: float


@lru_cache(maxsize=32)
def _day(day: date, basis: str, place: Place, rule: Rule) -> Day:
    fit = circle(day, basis, place, rule.start_min, rule.end_min)
    minutes = np.linspace(rule.start_min, rule.end_min, 1921)
    theta = angle(minutes)
    s = fit.at(theta)
    up = np.flatnonzero(s[:, 2] > 1e-9)
    if not len(up):
        raise BadParameter(
            "date",
            f"the sun does not rise between 8 and 16 on {day} at latitude {place.lat:.2f}",
            remedy="use another day",
        )
    first, last = int(up[0]), int(up[-1])

    def edge(low: int, high: int) -> float:
        share = s[low, 2] / (s[low, 2] - s[high, 2])
        return float(theta[low] + share * (theta[high] - theta[low]))

    t0 = edge(first - 1, first) if first > 0 else float(theta[0])
    t1 = edge(last, last + 1) if last + 1 < len(theta) else float(theta[-1])
    azimuth = rounded(np.unwrap(np.arctan2(s[first : last + 1, 0], s[first : last + 1, 1])), FINE)
    turn = np.sign(np.diff(azimuth))
    cuts = [t0]
    begun = 0
    for i in range(1, len(azimuth) - 1):
        if turn[i] != turn[i - 1] or abs(azimuth[i + 1] - azimuth[begun]) > WIDEST:
            cuts.append(float(theta[first + i]))
            begun = i
    cuts = rounded(np.array([*cuts, t1]), FINE).tolist()
    t0, t1 = cuts[0], cuts[-1]
    ends = fit.at(np.array([t0, t1]))
    everywhere = np.vstack([s[first : last + 1], ends])
    flat = np.sqrt(everywhere[:, 0] ** 2 + everywhere[:, 1] ** 2)
    lowest = float(rounded((everywhere[:, 2] / np.maximum(1e-12, flat)).min(), FINE))
    run = np.clip(rounded(angle(np.array([rule.run_start_min, rule.run_end_min])), FINE), t0, t1)
    pieces = np.array([pair for pair in zip(cuts[:-1], cuts[1:], strict=True) if pair[1] > pair[0]])
    steps = rule.steps()
    positions = directions(steps, day, basis, place)
    above = positions[positions[:, 2] > math.sin(math.radians(0.05))]
    return Day(
        day, basis, rule, steps, np.ascontiguousarray(above),
        Sun(np.ascontiguousarray(fit.rows), pieces, run, max(lowest, 1e-6)), fit.residual_deg,
    )  # fmt: skip


def day_of(day: object, basis: object, place: Place, rule: Rule | None = None) -> Day:
    """The sun of a day (ISO 8601) in a basis (`solar` or `civil`) at a place.

    Raises:
        BadParameter: bad date or basis, or a day without sun in the rule's window (polar night).
    """
    return _day(parse_day(day), check_basis(basis), place, rule or Rule())
