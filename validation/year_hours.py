"""A year's sun hours through horizons against a mask of every step: the same suns, the same blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.horizon import accumulate
from twintown.kernels.shadows import Field, lit_counts
from twintown.processes.sunpath import Place
from twintown.processes.year_sky import SECOND, Samples, moments, sky_of, suns
from validation.case import Measured
from validation.ground_tiles import blocks

PLACE = Place(127.1, 37.51, 0.0, "Asia/Seoul")


def measure() -> Iterator[Measured]:
    """Every fifth day of a year in steps of 20 minutes over 260² cells; hours are those of the whole year."""
    utc = moments(2026, PLACE.zone, 20).reshape(365, -1)[::5].ravel()
    sun = suns(utc, PLACE)
    low = sun[:, 2] > 0.05  # below 3° a mask's shadows are longer than the field
    utc, sun = utc[low], sun[low]
    nothing = np.zeros(len(utc))
    year = Samples(utc, sun, nothing, nothing, 1200)
    heights = blocks(11, 260, 260, 40.0)
    field = Field.of(heights, 1.0)
    steps = np.zeros(heights.shape, np.int64)
    for a in range(0, len(sun), 250):
        steps += lit_counts(field, sun[a : a + 250])
    masks = steps * (5 * 20 / 60.0)
    ground = heights == 0
    for count in (180, 360):
        sky = sky_of(year, year, count, False)
        table = sky.seconds.astype(np.int32)[:, :, None]
        found, _ = accumulate(field, sky.directions, table, 2.0**-5)
        hours = found[:, :, 0] * (5.0 / SECOND / 3600.0)
        apart = (hours - masks)[ground]
        yield Measured(
            "horizon.accumulate", "year_hours", f"hours of sun in a year, {count} directions: mean difference from a mask a step",
            float(apart.mean()), 20.0, "h",
        )  # fmt: skip
        yield Measured(
            "horizon.accumulate", "year_hours", f"hours of sun in a year, {count} directions: 95 % of the cells differ by less than",
            float(np.quantile(np.abs(apart), 0.95)), 80.0, "h",
        )  # fmt: skip
