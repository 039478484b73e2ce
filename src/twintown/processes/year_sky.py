"""A year's sun and sky as a table: what comes from above a horizon, by direction and the horizon's height.

The year is sampled once (any step: it costs a sample a step, and nothing a cell). A sample belongs to the two directions beside it, in
proportion; within a direction it counts for every horizon that is lower than it stands. Samples are whole numbers (sixteenths of
a second, 512ths of a watt hour), so that their sums are the same on every machine.

Diffuse light is isotropic, or after Perez [perez1990]: then a part of it comes from around the sun (and is hidden with it), a
part from the whole sky, and a band at the horizon brightens what is tilted.
"""

from __future__ import annotations

import calendar
import math
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twintown.ground.errors import BadData, BadParameter
from twintown.ground.series import Series
from twintown.kernels.horizon import BUCKETS, sines

from .sunpath import Place, directions_at, rounded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Parts of a second and of a watt hour a square metre that are counted; parts between two directions.
SECOND, WATT_HOUR, BETWEEN = 16, 512, 4096
#: Hours without which a weather file is no year (a few may be missing).
HOURS = 8700
#: Linke turbidity of the clear sky [ineichen2002], everywhere and all year.
TURBIDITY = 3.0
_COS85 = 0.0871557427476582
_SOLAR_CONSTANT = 1366.1

#: Bins of the sky's clearness and the coefficients of each [perez1990, table 6: all sites].
_EDGES = np.array([1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2])
_PEREZ = np.array(
    [
        [-0.008, 0.588, -0.062, -0.060, 0.072, -0.022], [0.130, 0.683, -0.151, -0.019, 0.066, -0.029],
        [0.330, 0.487, -0.221, 0.055, -0.064, -0.026], [0.568, 0.187, -0.295, 0.109, -0.152, -0.014],
        [0.873, -0.392, -0.362, 0.226, -0.462, 0.001], [1.132, -1.237, -0.412, 0.288, -0.823, 0.056],
        [1.060, -1.600, -0.359, 0.264, -1.127, 0.131], [0.678, -0.327, -0.250, 0.156, -1.377, 0.251],
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """Moments of a year: Unix times (s), unit vectors to the sun float64[n, 3], what a square metre towards the sun gets directly
    and a level one from the sky (W.h/m2 in the moment's step), and the step's length (s).
    """

    utc: Floats
    sun: Floats
    beam: Floats
    diffuse: Floats
    seconds: int


@dataclass(frozen=True)
class Sky:
    """What comes from above a horizon.

    `directions` float64[n, 2]: east and north; `seconds` float64[n, BUCKETS] (sixteenths); `energy` float64[n, BUCKETS, 3]: what a
    surface gets along its normal, from the sun and around it (512ths of W.h/m2); `views` float64[BUCKETS, 2]: see
    `kernels.horizon.accumulate`; `even_wh`: from the whole sky, W.h/m2 on a level square metre; `band_wh`: from the horizon, on an
    upright one; `level_wh`: all that comes down on open level ground.
    """

    directions: Floats
    seconds: Floats
    energy: Floats
    views: Floats
    even_wh: float
    band_wh: float
    level_wh: float

    def table(self) -> NDArray[np.int32]:
        """Of a level cell, int32[n, BUCKETS, 3]: seconds (sixteenths), share of the sky (65536ths), energy (512ths of W.h/m2)."""
        share = np.rint((1.0 - sines() ** 2) * 65536.0)
        share = np.broadcast_to(share, self.seconds.shape)
        return np.stack([self.seconds, share, self.energy[:, :, 2]], axis=2).astype(np.int32)


def compass(count: int) -> Floats:
    """Unit vectors (east, north) evenly around from north, clockwise, float64[count, 2], rounded."""
    angle = np.arange(count) * (2.0 * math.pi / count)
    return rounded(np.column_stack([np.sin(angle), np.cos(angle)]))


def views(count: int) -> Floats:
    """What of the sky above a bucket one of `count` directions shows a surface: float64[BUCKETS, 2], along and up.

    ∫ cos²θ dθ and ∫ sin θ cos θ dθ from the horizon to the zenith, over π, times the direction's share of the circle.
    """
    sine = sines()
    cosine = np.sqrt(1.0 - sine**2)
    upright = math.pi / 2 - np.arcsin(sine) - sine * cosine
    return rounded(np.column_stack([upright / count, cosine**2 / count]), 2.0**26)


def moments(year: int, zone: str, step_min: int) -> Floats:
    """Unix times (s) of the middles of a year's steps."""
    first = datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).timestamp()
    steps = (366 if calendar.isleap(year) else 365) * 1440 // step_min
    return np.asarray(first + (np.arange(steps) + 0.5) * (60.0 * step_min), np.float64)


def suns(utc: Floats, place: Place) -> Floats:
    """Directions at Unix times, in pieces of a month: what is slow to change is taken as constant in each."""
    piece = max(1, len(utc) // 12 + 1)
    found = [directions_at(utc[a : a + piece], place) for a in range(0, len(utc), piece)]
    return np.concatenate(found) if found else np.zeros((0, 3))


def clear(year: int, place: Place, step_min: int) -> Samples:
    """A year without clouds [ineichen2002], Linke turbidity 3."""
    from pvlib import atmosphere, clearsky

    utc = moments(year, place.zone, step_min)
    sun = suns(utc, place)
    up = sun[:, 2] > 0.0
    zenith = np.degrees(np.arccos(np.clip(sun[up, 2], 0.0, 1.0)))
    mass = atmosphere.get_relative_airmass(zenith)
    sky = clearsky.ineichen(zenith, mass, TURBIDITY, dni_extra=_extra(utc[up]))
    share = step_min / 60.0
    beam, diffuse = np.zeros(len(utc)), np.zeros(len(utc))
    beam[up], diffuse[up] = np.nan_to_num(sky["dni"]) * share, np.nan_to_num(sky["dhi"]) * share
    return Samples(utc, sun, beam, diffuse, 60 * step_min)


def from_weather(weather: Series, place: Place, step_min: int) -> Samples:
    """The hours of a weather file, each spread over its steps with the sun up.

    Raises:
        BadParameter: the layer holds no year.
        BadData: it has no irradiance.
    """
    table = weather.table
    missing = {"direct_normal", "diffuse_horizontal"} - set(table.column_names)
    if missing:
        raise BadData(
            f"has no {' and no '.join(sorted(missing))}", "the layer weather", "build it from an EPW file"
        )
    if len(weather) < HOURS:
        raise BadParameter(
            "sky", f"the layer weather holds {len(weather):,} hours, and a year has 8,760",
            remedy='add a whole year of weather, or ask with "sky": "clear"',
        )  # fmt: skip
    steps = 60 // step_min
    start = table["time"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy().astype(float)
    hour, inner = np.repeat(np.arange(len(start)), steps), np.tile(np.arange(steps), len(start))
    utc = start[hour] + (inner + 0.5) * (60.0 * step_min)
    sun = suns(utc, place)
    up = sun[:, 2] > 0.0
    count = np.bincount(hour, weights=up, minlength=len(start))

    def column(name: str) -> Floats:
        values = table[name].to_numpy(zero_copy_only=False).astype(float)
        return np.asarray(np.nan_to_num(values))

    beam, diffuse = column("direct_normal")[hour], column("diffuse_horizontal")[hour]
    share = np.divide(1.0, count, out=np.zeros_like(count), where=count > 0)[hour]
    beam = np.where(up, beam * share, 0.0)
    # light of the sky before the sun is up stays light of the sky
    diffuse = np.where(count[hour] > 0, np.where(up, diffuse * share, 0.0), diffuse / steps)
    return Samples(utc, sun, beam, diffuse, 60 * step_min)


def _extra(utc: Floats) -> Floats:
    """Irradiance outside the atmosphere (W/m2) [spencer1971], by the day of the year."""
    day = (utc / 86400.0) % 365.25
    angle = 2.0 * math.pi * day / 365.0
    found: Floats = _SOLAR_CONSTANT * (
        1.00011 + 0.034221 * np.cos(angle) + 0.00128 * np.sin(angle) + 0.000719 * np.cos(2 * angle) + 0.000077 * np.sin(2 * angle)
    )  # fmt: skip
    return found


def brightness(samples: Samples) -> tuple[Floats, Floats]:
    """Perez's F1 (around the sun) and F2 (at the horizon) of each moment, rounded; 0 where the sun is down or no light falls."""
    up = np.clip(samples.sun[:, 2], 0.0, 1.0)
    there = (up > 0.0) & (samples.diffuse > 0.0)
    zenith = np.arccos(up)
    cube = 1.041 * zenith**3
    per_hour = 3600.0 / samples.seconds
    diffuse = np.where(there, samples.diffuse, 1.0)
    clearness = (1.0 + samples.beam / diffuse + cube) / (1.0 + cube)
    degrees = np.degrees(zenith)
    mass = 1.0 / (up + 0.50572 * np.maximum(96.07995 - degrees, 1e-6) ** -1.6364)  # [kasten1989]
    delta = diffuse * per_hour * mass / _extra(samples.utc)
    c = _PEREZ[np.searchsorted(_EDGES, clearness, side="right")]
    around = np.maximum(c[:, 0] + c[:, 1] * delta + c[:, 2] * zenith, 0.0)
    band = c[:, 3] + c[:, 4] * delta + c[:, 5] * zenith
    return rounded(np.where(there, around, 0.0)), rounded(np.where(there, band, 0.0))


def _summed(count: int, where: tuple[Ints, Ints, Ints], bucket: Ints, values: Floats) -> Floats:
    """Whole numbers by direction and by the buckets of horizon that let them through: float64[count, BUCKETS]."""
    first, second, weight = where
    near = np.floor(values * weight / BETWEEN)
    flat = np.bincount(second * BUCKETS + bucket, weights=near, minlength=count * BUCKETS)
    flat += np.bincount(first * BUCKETS + bucket, weights=values - near, minlength=count * BUCKETS)
    table = flat.reshape(count, BUCKETS)
    found: Floats = np.ascontiguousarray(table[:, ::-1].cumsum(axis=1)[:, ::-1])
    return found


def _where(samples: Samples, count: int) -> tuple[tuple[Ints, Ints, Ints], Ints, NDArray[np.bool_]]:
    up = samples.sun[:, 2] > 0.0
    sun = samples.sun[up]
    around = np.arctan2(sun[:, 0], sun[:, 1]) / (2.0 * math.pi)
    place = np.rint(around * (count * BETWEEN)).astype(np.int64) % (count * BETWEEN)
    first = place // BETWEEN
    # a moment passes the horizons whose sine is below its own; the level horizon hides nothing that is up
    bucket = np.clip(np.ceil(sun[:, 2] * BUCKETS - 0.5).astype(np.int64), 1, BUCKETS) - 1
    return (first, (first + 1) % count, place % BETWEEN), bucket, up


def sky_of(sunny: Samples, light: Samples, count: int, perez: bool) -> Sky:
    """The table of a year: seconds of sun from `sunny`, light from `light`.

    Args:
        count: directions around.
        perez: diffuse light after Perez; isotropic without.
    """
    where, bucket, up = _where(sunny, count)
    seconds = _summed(count, where, bucket, np.full(int(up.sum()), float(sunny.seconds * SECOND)))
    where, bucket, up = _where(light, count)
    beam, even, band = light.beam, light.diffuse, np.zeros_like(light.diffuse)
    if perez:
        around, horizon = brightness(light)
        beam = beam + light.diffuse * around / np.maximum(light.sun[:, 2], _COS85)
        even, band = light.diffuse * (1.0 - around), light.diffuse * horizon
    grains = [np.rint(beam[up] * light.sun[up, axis] * WATT_HOUR) for axis in range(3)]
    energy = np.stack([_summed(count, where, bucket, one) for one in grains], axis=2)
    even_wh, band_wh = (float(np.rint(one * WATT_HOUR).sum()) / WATT_HOUR for one in (even, band))
    level = float(grains[2].sum()) / WATT_HOUR + even_wh
    return Sky(compass(count), seconds, energy, views(count), even_wh, band_wh, level)
