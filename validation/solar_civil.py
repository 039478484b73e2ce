"""What the time basis does: at Jamsil, 09:00 of 22 December, the sun stands 4° apart in solar and in clock time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from twintown.processes.sunpath import Place, directions
from validation.case import Measured


def measure() -> Iterator[Measured]:
    """Altitudes at 09:00 in both bases; and true noon due south."""
    place = Place(127.1, 37.51, 0.0, "Asia/Seoul")
    day = date(2026, 12, 22)
    height = {
        b: float(np.degrees(np.arcsin(directions(np.array([540.0]), day, b, place)[0, 2])))
        for b in ("solar", "civil")
    }
    apart = height["solar"] - height["civil"]
    yield Measured(
        "sunpath.directions",
        "solar_civil",
        f"altitude at 09:00, solar {height['solar']:.2f}°, civil {height['civil']:.2f}°: distance from 4°",
        apart - 4.0,
        0.5,
        "deg",
    )
    noon = directions(np.array([720.0]), day, "solar", place)[0]
    yield Measured(
        "sunpath.directions",
        "solar_civil",
        "azimuth from south at 12:00 solar time",
        float(np.degrees(np.arctan2(noon[0], -noon[1]))),
        0.1,
        "deg",
    )
