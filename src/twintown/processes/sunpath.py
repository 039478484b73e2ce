"""Where the sun stands over a twin: NREL's SPA [reda2004] through pvlib, in two ways of telling the time.

`solar`: the hour is true solar time at the twin's middle (the sun is due south at 12:00). `civil`: the hour is the clock's.
At Jamsil they differ by half an hour and more, which at 09:00 of the winter solstice is 4° of altitude. Altitudes are geometric,
without refraction, as in charts of sun hours (refraction lifts a sun at 7° by 0.1°).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.ground.frames import Frame

Floats = NDArray[np.float64]
BASES = ("solar", "civil")
DAY_MIN = 1440.0
#: Directions are rounded to this before anything hangs on them: sines and cosines of two machines differ in the last of 53
#: bits, and a shadow's edge must not. 2⁻²⁰ is 0.00005°, a sixth of what SPA itself may be off.
GRAIN = 2.0**20
#: What is fitted or solved for is rounded to this.
FINE = 2.0**32
#: Residual of the circle (degrees) above which the crossing times would not be trusted.
RESIDUAL_DEG = 0.01


@dataclass(frozen=True)
class Place:
    """A point for the sun: longitude and latitude (degrees), the grid's convergence there (degrees), the IANA time zone."""

    lon: float
    lat: float
    convergence_deg: float
    zone: str

    @classmethod
    def of(cls, frame: Frame, x: float, y: float, zone: str) -> Place:
        """The place at eastings and northings (m) of a frame."""
        lon, lat = (round(float(v), 7) for v in frame.to_lonlat(x, y))
        return cls(lon, lat, round(frame.convergence(x, y), 7), zone)


def rounded(values: Floats, grain: float = GRAIN) -> Floats:
    """The nearest multiples of 1 ÷ `grain`, a power of two: the same on every machine."""
    found: Floats = np.rint(values * grain) / grain
    return found


def parse_day(text: object) -> date:
    """A day from ISO 8601 text.

    Raises:
        BadParameter: not a day, or outside 1950–2100.
    """
    if isinstance(text, date):
        day = text
    else:
        try:
            day = date.fromisoformat(str(text))
        except ValueError as error:
            raise BadParameter("date", f"{text!r} is not a day", remedy="write it as 2026-12-22") from error
    if not 1950 <= day.year <= 2100:
        raise BadParameter("date", f"{day} is outside 1950 to 2100", remedy="use a day in those years")
    return day


def check_basis(basis: object) -> str:
    """The basis itself.

    Raises:
        BadParameter: neither `solar` nor `civil`.
    """
    if basis not in BASES:
        raise BadParameter("time_basis", f"{basis!r} is not a time basis", remedy="use solar or civil")
    return str(basis)


def _spa(utc: Floats, place: Place) -> tuple[Floats, Floats, Floats]:
    """Azimuth and altitude (degrees, true north, geometric) and equation of time (min) at Unix times (s)."""
    from pvlib import spa  # pandas and scipy come with pvlib's package: half a second, only when asked

    delta_t = spa.calculate_deltat(*(lambda d: (d.year, d.month))(datetime.fromtimestamp(float(utc[0]), UTC)))
    _, _, _, altitude, azimuth, equation = spa.solar_position_numpy(
        utc, place.lat, place.lon, 0.0, 1013.25, 12.0, delta_t, 0.5667, 1
    )
    return np.asarray(azimuth), np.asarray(altitude), np.asarray(equation)


def utc_seconds(minutes: Floats, day: date, basis: str, place: Place) -> Floats:
    """Unix times (s) of minutes after midnight in the basis on that day."""
    zone = ZoneInfo(place.zone)
    if basis == "civil":
        noon = datetime.combine(day, time(12), zone).timestamp()
        clock: Floats = noon + (np.asarray(minutes, float) - 720.0) * 60.0
        return clock
    midnight = datetime.combine(day, time(0), UTC).timestamp()
    utc: Floats = midnight + (np.asarray(minutes, float) - 4.0 * place.lon) * 60.0
    for _ in range(2):
        equation: Floats = _spa(utc, place)[2]
        utc = midnight + (np.asarray(minutes, float) - 4.0 * place.lon - equation) * 60.0
    return utc


def directions(minutes: Floats, day: date, basis: str, place: Place) -> Floats:
    """Unit vectors to the sun, float64[n, 3], grid east, grid north, up, at minutes after midnight in the basis; rounded."""
    return directions_at(utc_seconds(minutes, day, basis, place), place)


def directions_at(utc: Floats, place: Place) -> Floats:
    """The same at Unix times (s)."""
    azimuth, altitude, _ = _spa(utc, place)
    a, h = np.radians(azimuth - place.convergence_deg), np.radians(altitude)
    return rounded(np.stack([np.sin(a) * np.cos(h), np.cos(a) * np.cos(h), np.sin(h)], axis=1))


def angle(minutes: Floats | float) -> Floats:
    """Minutes after midnight as the circle's angle θ: 0 at 12:00, 2π a day."""
    return (np.asarray(minutes, float) - 720.0) * (2.0 * math.pi / DAY_MIN)


@dataclass(frozen=True)
class Circle:
    """s(θ) = C + A cos θ + B sin θ: `rows` float64[3, 3] = C, A, B; `residual_deg` its greatest distance from SPA."""

    rows: Floats
    residual_deg: float

    def at(self, theta: Floats) -> Floats:
        """Vectors float64[n, 3] at angles (rad)."""
        found: Floats = (
            self.rows[0] + np.cos(theta)[:, None] * self.rows[1] + np.sin(theta)[:, None] * self.rows[2]
        )
        return found


@lru_cache(maxsize=64)
def circle(day: date, basis: str, place: Place, start_min: float, end_min: float) -> Circle:
    """The circle through a day's sun between two times (minutes after midnight), fitted by least squares.

    Declination and equation of time drift so little in eight hours that the residual stays below 0.006° on any day.
    """
    minutes = np.linspace(start_min, end_min, 121)
    sun = directions(minutes, day, basis, place)
    theta = angle(minutes)
    design = np.stack([np.ones_like(theta), np.cos(theta), np.sin(theta)], axis=1)
    rows = rounded(np.linalg.lstsq(design, sun, rcond=None)[0], FINE)
    fit = design @ rows
    fit /= np.linalg.norm(fit, axis=1, keepdims=True)
    apart = np.linalg.norm(np.cross(fit, sun), axis=1)
    return Circle(np.ascontiguousarray(rows), float(np.degrees(np.arcsin(np.clip(apart, 0, 1)).max())))


def sun_path(day: object, basis: object, place: Place, step_min: float = 10.0) -> dict[str, object]:
    """The sun of one day, every `step_min` minutes of the basis while it is up: what `GET /sun` shows.

    Answers date, time_basis, place, equation_of_time_min (at noon), sunrise and sunset (clock times, geometric horizon; none in
    polar night or day) and positions: time_local, time_solar, time_utc, azimuth_deg (true), altitude_deg.

    Raises:
        BadParameter: bad date or basis.
    """
    day, basis = parse_day(day), check_basis(basis)
    minutes = np.arange(0.0, DAY_MIN, step_min)
    utc = utc_seconds(minutes, day, basis, place)
    azimuth, altitude, equation = _spa(utc, place)
    zone = ZoneInfo(place.zone)

    def clock(seconds: float) -> str:
        return (
            (datetime.fromtimestamp(seconds, UTC) + timedelta(seconds=30)).astimezone(zone).strftime("%H:%M")
        )

    def solar(seconds: float, eot: float) -> str:
        total = round((seconds / 60.0 + 4.0 * place.lon + eot) % DAY_MIN) % 1440
        return f"{total // 60:02d}:{total % 60:02d}"

    fine = utc_seconds(np.arange(0.0, DAY_MIN + 1.0, 1.0), day, basis, place)
    height = _spa(fine, place)[1]
    cross = np.flatnonzero(np.sign(height[:-1]) != np.sign(height[1:]))
    edges = {bool(height[i] < 0): fine[i] + 60.0 * height[i] / (height[i] - height[i + 1]) for i in cross}
    up = altitude > 0
    return {
        "date": day.isoformat(),
        "time_basis": basis,
        "lon": place.lon,
        "lat": place.lat,
        "equation_of_time_min": float(np.interp(720.0, minutes, equation)),
        "sunrise": clock(edges[True]) if True in edges else None,
        "sunset": clock(edges[False]) if False in edges else None,
        "positions": [
            {
                "time_local": clock(s), "time_solar": solar(s, e), "azimuth_deg": round(float(a), 3), "altitude_deg": round(float(h), 3),
                "time_utc": datetime.fromtimestamp(round(s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            for s, a, h, e in zip(utc[up], azimuth[up], altitude[up], equation[up], strict=True)
        ],
    }  # fmt: skip
