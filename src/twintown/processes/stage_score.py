"""What a place is worth for a stage: what the audience sees, how much of it stands in the sun, how loud it is before windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.names import Name

from .stage_city import City
from .stage_limits import Limits, limits
from .stage_place import Stage
from .stage_sound import Windows, windows_of
from .stage_view import SEATED_M, STANDING_M, Audience, audience, sun_of

Floats = NDArray[np.float64]
#: So many places of the audience are asked for their sun while a stage is dragged.
SUN_PLACES = 48
#: An hour counts as full sun from so many minutes on.
FULL_MIN = 50.0
TITLES = {
    "sight": Name("시야: 무대 앞면이 보이는 몫", "Sight: share of the front that is seen"),
    "heads": Name("앞사람 머리 위로 보이는 몫", "Sight over the heads ahead"),
    "shade": Name("관객석의 그늘", "Shade on the audience"),
    "sound": Name("가장 큰 창문 소음", "Loudest facade point"),
}
#: How much each part counts (assumed: an officer may think otherwise).
WEIGHTS = {"sight": 0.4, "heads": 0.1, "shade": 0.2, "sound": 0.3}
#: The score of the sound falls from 1 at so many dB below the limit to 0 at so many above.
QUIET_DB, LOUD_DB = -5.0, 10.0


@dataclass(frozen=True)
class Question:
    """A day (ISO 8601), hours of the clock from `from_h` up to `to_h`, whether the audience sits, and the zone of the limit."""

    day: str
    from_h: int
    to_h: int
    seated: bool = False
    zone: str = "residential"

    @property
    def eye_m(self) -> float:
        """Height of the eyes, metres."""
        return SEATED_M if self.seated else STANDING_M

    @property
    def limits(self) -> Limits:
        """Those of the zone."""
        return limits()[self.zone]


@dataclass(frozen=True)
class Scored:
    """The answer: 0 to 100, what it is made of, `sun` float64[n, hours] minutes at the audience's `sunned` places, levels at windows."""

    score: float
    parts: tuple[dict[str, Any], ...]
    audience: Audience
    sunned: NDArray[np.int64]
    sun: Floats
    windows: Windows
    under: tuple[int, ...]

    def hours(self, asked: Question) -> list[dict[str, Any]]:
        """By hour: the share of the audience's time in the sun, 0 to 1; none where there is no audience."""
        known = len(self.sun) > 0
        return [
            {
                "hour": hour,
                "audience_sun_share": round(float(self.sun[:, k].mean() / 60.0), 3) if known else None,
            }
            for k, hour in enumerate(range(asked.from_h, asked.to_h))
        ]


def scored(
    city: City, stage: Stage, asked: Question, sun_places: int = SUN_PLACES, area: Bounds | None = None
) -> Scored:
    """The score of a stage; `sun_places`: of how many places of the audience the sun is asked; `area`: whose windows may be told of.

    Raises:
        BadParameter: a bad day.
    """
    seen = audience(city, stage, asked.eye_m)
    count = len(seen.xy)
    sunned = (
        np.unique(np.linspace(0, count - 1, min(count, sun_places)).astype(np.int64))
        if count
        else np.zeros(0, np.int64)
    )
    sun = sun_of(city, seen.xy[sunned], asked.eye_m, asked.day, asked.from_h, asked.to_h)
    windows = windows_of(city, stage, area)
    under = tuple(city.under(city.local(stage.outline)))
    values: dict[str, tuple[float | None, str, float]] = dict.fromkeys(WEIGHTS, (None, "1", 0.5))
    if count:
        sight, heads = 1.0 - float(seen.by_buildings.mean()), float(seen.seen.mean())
        values["sight"] = (100.0 * sight, "%", sight)
        values["heads"] = (100.0 * heads, "%", heads)
        share = float(sun.mean() / 60.0)
        values["shade"] = (100.0 * (1.0 - share), "%", 1.0 - share)
    if len(windows.level_db):
        loudest = float(windows.level_db.max())
        above = loudest - asked.limits.strictest(asked.from_h, asked.to_h)[0]
        values["sound"] = (loudest, "dB", float(np.clip((LOUD_DB - above) / (LOUD_DB - QUIET_DB), 0.0, 1.0)))
    else:
        values["sound"] = (None, "dB", 1.0)
    parts = tuple(
        {
            "code": code, "title": TITLES[code].to_dict(), "value": None if value is None else round(value, 1), "unit": unit,
            "score": round(worth, 3), "weight": WEIGHTS[code], "known": value is not None,
            "source": "computed" if value is not None else "unknown",
        }
        for code, (value, unit, worth) in values.items()
    )  # fmt: skip
    total = sum(WEIGHTS[code] * worth for code, (_, _, worth) in values.items())
    # a stage within a building is no place for a stage, whatever is seen of it
    return Scored(round(100.0 * total * (0.2 if under else 1.0), 1), parts, seen, sunned, sun, windows, under)
