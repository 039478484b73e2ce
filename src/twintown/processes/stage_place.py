"""A stage on the ground: where it faces, its front, where the audience stands, where the sound comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter
from twintown.ground.frames import Frame

Floats = NDArray[np.float64]
#: Performers are so tall, and loudspeakers hang so far above the deck, metres (assumed).
PERFORMER_M, SPEAKERS_M = 2.0, 3.0
#: The audience begins so far before the front, and spreads by so much to either side a metre (30°), (assumed).
FIRST_M, SPREAD = 3.0, math.tan(math.radians(30.0))
#: At most so many places of the audience are looked at.
MOST_PLACES = 400
CLOSEST_M = 1.5
#: What may be said of a stage: least, most, default, unit.
SAID: Mapping[str, tuple[float, float, float, str]] = {
    "heading_deg": (-360.0, 720.0, 180.0, "deg"),
    "width_m": (0.5, 200.0, 10.0, "m"),
    "depth_m": (0.5, 200.0, 6.0, "m"),
    "height_m": (0.0, 50.0, 1.0, "m"),
    "level_db": (0.0, 140.0, 90.0, "dB"),
    "audience_m": (0.0, 1000.0, 25.0, "m"),
}
_LONGEST_M = 200.0


@dataclass(frozen=True)
class Stage:
    """A stage. `x`, `y`: its middle, metres of the frame; `facing`: unit vector to the audience, grid east and north.

    `height_m`: of its deck; `level_db`: LAeq, dB(A), 10 m before it; `audience_m`: how deep the audience stands; `assumed`: names of what
    was not said.
    """

    x: float
    y: float
    facing: tuple[float, float]
    width_m: float
    depth_m: float
    height_m: float
    level_db: float
    audience_m: float
    assumed: tuple[str, ...] = ()

    def at(self, across: float, ahead: float) -> tuple[float, float]:
        """A place so far to the right and ahead of its middle, metres."""
        fx, fy = self.facing
        return self.x + fy * across + fx * ahead, self.y - fx * across + fy * ahead

    @property
    def outline(self) -> Floats:
        """Corners of what it stands on, float64[4, 2]."""
        half, deep = self.width_m / 2, self.depth_m / 2
        return np.array(
            [self.at(-half, -deep), self.at(half, -deep), self.at(half, deep), self.at(-half, deep)]
        )

    @property
    def source(self) -> Floats:
        """Where the sound comes from: over the middle of the front, float64[3]."""
        return np.array([*self.at(0.0, self.depth_m / 2), self.height_m + SPEAKERS_M])

    def targets(self, across: int, up: int) -> Floats:
        """Places on the front that are looked at, float64[across, up, 3]: middles of equal parts of the performers' height."""
        sides = (np.arange(across) + 0.5) / across - 0.5
        rises = self.height_m + (np.arange(up) + 0.5) / up * PERFORMER_M
        out = np.empty((across, up, 3))
        for i, side in enumerate(sides):
            out[i, :, :2] = self.at(float(side) * self.width_m, self.depth_m / 2)
        out[:, :, 2] = rises[None, :]
        return out

    def places(self) -> tuple[Floats, Floats]:
        """Where the audience stands: float64[n, 2], and how far each is from the front, float64[n], metres.

        A lattice as close as `MOST_PLACES` allows: as wide as the stage at its front, and 30° wider on either side.
        """
        deep = min(self.audience_m, _LONGEST_M)
        if deep <= 0.0:
            return np.zeros((0, 2)), np.zeros(0)
        area = deep * self.width_m + SPREAD * deep * (deep + 2 * FIRST_M)
        step = max(CLOSEST_M, math.sqrt(area / MOST_PLACES))
        found, away = [], []
        for row in range(max(1, round(deep / step))):
            ahead = FIRST_M + (row + 0.5) * step
            half = self.width_m / 2 + SPREAD * ahead
            count = max(1, round(2 * half / step))
            for k in range(count):
                found.append(self.at(-half + (k + 0.5) * 2 * half / count, self.depth_m / 2 + ahead))
                away.append(ahead)
        return np.array(found), np.array(away)


def stage_of(said: Mapping[str, Any], frame: Frame, bounds: Bounds, convergence_deg: float) -> Stage:
    """A stage as an event holds it.

    Raises:
        BadParameter: a member that is no number of its range, one that is unknown, a place outside the twin.
    """
    unknown = sorted(set(said) - set(SAID) - {"lon", "lat", "source"})
    if unknown:
        raise BadParameter(
            "stage", f"has no member {unknown[0]!r}", remedy=f"it has lon, lat, {', '.join(SAID)}"
        )
    ranges = {"lon": (-180.0, 180.0, None, "deg"), "lat": (-90.0, 90.0, None, "deg"), **SAID}
    numbers = {}
    for name, (low, high, usual, unit) in ranges.items():
        value = said.get(name, usual)
        value = usual if value is None else value
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise BadParameter(f"stage.{name}", f"{value!r} is not a number from {low:g} to {high:g} {unit}")
        numbers[name] = float(value)
    x, y = (round(float(v), 3) for v in frame.from_lonlat(numbers["lon"], numbers["lat"]))
    if not (bounds.xmin < x < bounds.xmax and bounds.ymin < y < bounds.ymax):
        raise BadParameter(
            "stage", f"{numbers['lon']:g}, {numbers['lat']:g} is outside the twin", remedy="place it within"
        )
    turn = math.radians(numbers["heading_deg"] - convergence_deg)
    return Stage(
        x, y, (math.sin(turn), math.cos(turn)), numbers["width_m"], numbers["depth_m"], numbers["height_m"], numbers["level_db"],
        numbers["audience_m"], tuple(name for name in SAID if said.get(name) is None),
    )  # fmt: skip
