"""How loud a loudspeaker in the open may be by the hour: read from a table with its source, to be confirmed by the office."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Limits of one zone, dB(A): in the day, mornings and evenings, at night; `source`: title, article, url, date, confirm."""

    zone: str
    zone_ko: str
    zone_en: str
    day_db: float
    edge_db: float
    night_db: float
    hours: dict[str, tuple[int, int]]
    source: dict[str, Any]

    def at(self, hour: int) -> float:
        """The limit in an hour of the clock, dB(A)."""
        for name, value in (("day", self.day_db), ("evening", self.edge_db), ("morning", self.edge_db)):
            first, last = self.hours[name]
            if first <= hour < last:
                return value
        return self.night_db

    def strictest(self, from_h: int, to_h: int) -> tuple[float, int]:
        """The lowest limit of some hours, dB(A), and the first hour in which it holds."""
        limit, hour = min((self.at(hour), hour) for hour in range(from_h, to_h))
        return limit, hour


@lru_cache(1)
def limits() -> dict[str, Limits]:
    """By zone."""
    said = tomllib.loads((files(__package__) / "stage_limits.toml").read_text(encoding="utf-8"))
    hours = {name: (int(a), int(b)) for name, (a, b) in said["hours"].items()}
    return {
        one["id"]: Limits(
            one["id"], one["ko"], one["en"], float(one["day"]), float(one["morning_evening"]), float(one["night"]), hours, said["source"]
        )
        for one in said["zones"]
    }  # fmt: skip
