"""Where a picture is taken from, and where the sun stands then."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.ground.frames import Frame

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """Where the eye is and where it looks.

    Args:
        lon, lat: degrees, WGS 84.
        height_m: above the ground, metres.
        heading_deg: clockwise from true north, degrees.
        pitch_deg: above the horizon; negative looks down, degrees.
        fov_deg: angle of the picture's longer side, degrees.

    Raises:
        BadParameter: a number is out of range.
    """

    lon: float
    lat: float
    height_m: float
    heading_deg: float
    pitch_deg: float
    fov_deg: float = 60.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("lon", -180.0, 180.0), ("lat", -90.0, 90.0), ("height_m", 0.5, 20_000.0),
            ("heading_deg", -360.0, 360.0), ("pitch_deg", -90.0, 90.0), ("fov_deg", 5.0, 120.0),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadParameter(name, f"{value!r} is out of range", remedy=f"give {low:g} to {high:g}")


def sun_over(frame: Frame, x: float, y: float, when: datetime) -> Floats:
    """Unit vector to the sun (grid east, grid north, up) at a moment over a place of the frame, metres [reda2004].

    Raises:
        BadParameter: the moment has no time zone.
    """
    from pvlib import spa

    if when.tzinfo is None:
        raise BadParameter(
            "when", f"{when.isoformat()} has no time zone", remedy="write it as 2026-12-22T10:00+09:00"
        )
    lon, lat = (float(v) for v in frame.to_lonlat(x, y))
    seconds = np.array([when.timestamp()])
    delta_t = spa.calculate_deltat(when.year, when.month)
    _, _, _, altitude, azimuth, _ = spa.solar_position_numpy(
        seconds, lat, lon, 0.0, 1013.25, 12.0, delta_t, 0.5667, 1
    )
    a, h = math.radians(float(azimuth[0]) - frame.convergence(x, y)), math.radians(float(altitude[0]))
    out: Floats = (
        np.round(np.array([math.sin(a) * math.cos(h), math.cos(a) * math.cos(h), math.sin(h)]) * 2.0**40)
        / 2.0**40
    )
    return out


def view_of(frame: Frame, camera: Camera, origin: Floats) -> tuple[Floats, Floats]:
    """The eye (m from the origin) and right, down, forward, float64[3, 3]."""
    x, y = (float(v) for v in frame.from_lonlat(camera.lon, camera.lat))
    heading = math.radians(camera.heading_deg - frame.convergence(x, y))
    pitch = math.radians(camera.pitch_deg)
    s, c, up, flat = math.sin(heading), math.cos(heading), math.sin(pitch), math.cos(pitch)
    forward = np.array([s * flat, c * flat, up])
    right = np.array([c, -s, 0.0])
    down = np.array([up * s, up * c, -flat])
    view = np.round(np.stack([right, down, forward]) * 2.0**40) / 2.0**40
    return np.round(np.array([x - origin[0], y - origin[1], camera.height_m]), 3), view
