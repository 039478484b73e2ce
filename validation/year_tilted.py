"""A year's irradiation of facades and roofs in the open against pvlib's Perez and isotropic skies, from the same weather file."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from twintown.kernels.horizon import Points, accumulate
from twintown.kernels.lines import Field
from twintown.processes.year_sky import from_weather, sky_of
from twintown.processes.year_surfaces import light_on
from validation.case import Measured
from validation.year_open_ground import PLACE, hours, weather

FACES = [(90.0, azimuth) for azimuth in (0.0, 90.0, 180.0, 270.0)] + [
    (30.0, azimuth) for azimuth in (0.0, 120.0, 180.0)
]


def measure() -> Iterator[Measured]:
    """Four facades and three roofs of 30°; the greatest and the mean difference of the year's sum."""
    from pvlib import irradiance

    h = hours()
    normal = np.array(
        [
            [math.sin(math.radians(t)) * math.sin(math.radians(a)), math.sin(math.radians(t)) * math.cos(math.radians(a)),
             math.cos(math.radians(t))]
            for t, a in FACES
        ]
    )  # fmt: skip
    normal = np.rint(normal * 2.0**20) / 2.0**20
    n = len(FACES)
    points = Points(np.full(n, 1), np.full(n, 1), np.zeros(n), normal)
    light = from_weather(weather(), PLACE, 10)
    for model in ("perez", "isotropic"):
        sky = sky_of(light, light, 360, model == "perez")
        _, found = accumulate(
            Field.of(np.zeros((3, 3), np.float32), 1.0), sky.directions, sky.table(), 2.0**-5, None, points, sky.energy, sky.seconds,
            sky.views,
        )  # fmt: skip
        ours = light_on(points, found, sky, 0.2)
        apart = []
        for (tilt, azimuth), mine in zip(FACES, ours, strict=True):
            theirs = irradiance.get_total_irradiance(
                tilt, azimuth, h["zenith"], h["azimuth"], h["dni"], h["ghi"], h["dhi"], dni_extra=h["extra"], airmass=h["mass"],
                albedo=0.2, model=model,
            )["poa_global"]  # fmt: skip
            apart.append((mine / float(np.nansum(theirs)) - 1.0) * 100.0)
        yield Measured(
            "year_surfaces.light_on", "year_tilted", f"irradiation of 4 facades and 3 roofs in the open ({model}) against pvlib, greatest",
            float(max(apart, key=abs)), 4.0, "%",
        )  # fmt: skip
