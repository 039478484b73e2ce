"""The day's circle against SPA, a whole year, both time bases, four latitudes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from twintown.processes.sunpath import Place, circle
from validation.case import Measured


def measure() -> Iterator[Measured]:
    """Greatest angle between the circle and SPA's sun between 8 and 16."""
    worst = 0.0
    for lat in (0.0, 37.51, 55.0, -33.0):
        place = Place(127.1, lat, 0.06, "Asia/Seoul")
        for k in range(0, 365, 9):
            for basis in ("solar", "civil"):
                worst = max(
                    worst,
                    circle(date(2026, 1, 1) + timedelta(days=k), basis, place, 480.0, 960.0).residual_deg,
                )
    yield Measured(
        "sunpath.circle",
        "sun_circle",
        "position against pvlib's SPA, 41 days of a year, latitudes −33 to 55",
        worst,
        0.01,
        "deg",
    )
    seoul = Place(127.1, 37.51, 0.06, "Asia/Seoul")
    yield Measured(
        "sunpath.circle",
        "sun_circle",
        "position at Jamsil on 22 December",
        circle(date(2026, 12, 22), "solar", seoul, 480.0, 960.0).residual_deg,
        0.005,
        "deg",
    )
