"""What the visitors by hour are computed from: metro congestion of the stations nearby, a typical year's rain. Pure."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .event_reading import metres

#: How far a station may be, metres, and how many are taken.
NEAR_M, STATIONS = 2500.0, 3
#: From so much in an hour on it rains (mm); what a gauge resolves.
WET_MM = 0.1
_PARENTHESES = re.compile(r"\([^)]*\)|\s+")
_LINE = re.compile(r"(\d+)호선")


@dataclass(frozen=True, slots=True)
class Station:
    """A station: its plain name, its line as congestion writes it, degrees, how far from the event, how well its place is known."""

    name: str
    line: str
    lon: float
    lat: float
    away_m: float
    error_m: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Travel by hour of one type of day: the mean of the stations' profiles, each scaled to its own mean, and how they differ."""

    level: tuple[float, ...]
    error: tuple[float, ...]
    stations: tuple[Station, ...]
    curves: int


def nearest(
    rows: Iterable[Mapping[str, Any]], at: tuple[float, float], known: set[tuple[str, str]]
) -> list[Station]:
    """The nearest stations that have congestion, by distance.

    Args:
        rows: `name_ko`, `line`, `lon`, `lat`, `place_error_m`.
        at: longitude and latitude.
        known: names and lines that congestion is known of.
    """
    found = []
    for row in rows:
        line = _LINE.search(str(row.get("line") or ""))
        name = _PARENTHESES.sub("", str(row.get("name_ko") or ""))
        if line is None or (name, line[1]) not in known or row.get("lon") is None:
            continue
        away = metres(at, (row["lon"], row["lat"]))
        if away <= NEAR_M:
            error = row.get("place_error_m")
            found.append(Station(name, line[1], row["lon"], row["lat"], away, float(error or 0.0)))
    return sorted(found, key=lambda one: (one.away_m, one.name, one.line))[:STATIONS]


def known_of(rows: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Names and lines in the rows of congestion (`station`, `line`)."""
    return {(_PARENTHESES.sub("", str(row["station"])), str(row["line"])) for row in rows}


def profile(rows: Iterable[Mapping[str, Any]], stations: Sequence[Station], day_type: str) -> Profile | None:
    """Travel by hour of one type of day; None where nothing is known of it.

    Args:
        rows: `station`, `line`, `direction`, `day_type`, `time` (H:MM), `congestion` (%, None where empty).
    """
    wanted = {(one.name, one.line) for one in stations}
    curves: dict[tuple[str, str, str], list[list[float]]] = defaultdict(lambda: [[] for _ in range(24)])
    for row in rows:
        name = _PARENTHESES.sub("", str(row["station"]))
        value = row["congestion"]
        if row["day_type"] != day_type or (name, str(row["line"])) not in wanted or value is None:
            continue
        hour = int(str(row["time"]).split(":")[0]) % 24
        curves[(name, str(row["line"]), str(row["direction"]))][hour].append(float(value))
    scaled = []
    for curve in curves.values():
        hours = [math.fsum(one) / len(one) if one else 0.0 for one in curve]
        mean = math.fsum(hours) / max(1, sum(one > 0 for one in hours))
        if mean > 0:
            scaled.append([one / mean for one in hours])
    if not scaled:
        return None
    level = [math.fsum(curve[hour] for curve in scaled) / len(scaled) for hour in range(24)]
    error = [_spread([curve[hour] for curve in scaled], level[hour]) for hour in range(24)]
    return Profile(tuple(level), tuple(error), tuple(stations), len(scaled))


def _spread(values: Sequence[float], mean: float) -> float:
    """The relative standard deviation of a sample; 0 where one value or none is known."""
    if len(values) < 2 or mean <= 0:
        return 0.0
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1)) / mean


def rain(
    times: Iterable[datetime], millimetres: Iterable[float | None], zone: ZoneInfo
) -> dict[tuple[int, int], float]:
    """The share of days on which it rains, by month and hour of the day, of hourly weather; hours that are not known are left out."""
    wet: dict[tuple[int, int], int] = defaultdict(int)
    count: dict[tuple[int, int], int] = defaultdict(int)
    for at, amount in zip(times, millimetres, strict=True):
        if amount is None or not math.isfinite(amount):
            continue
        local = at.astimezone(zone)
        key = (local.month, local.hour)
        count[key] += 1
        wet[key] += amount >= WET_MM
    return {key: wet[key] / count[key] for key in count}
