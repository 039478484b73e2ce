"""A year's irradiation of open ground against pvlib from the same weather file, hour by hour at the hour's middle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from twintown.ground.provenance import Licence, Provenance, Source
from twintown.ground.series import Series
from twintown.kernels.horizon import accumulate
from twintown.kernels.lines import Field
from twintown.processes.sunpath import Place
from twintown.processes.year_sky import WATT_HOUR, from_weather, sky_of
from validation.case import Measured

PLACE = Place(127.1, 37.51, 0.0, "Asia/Seoul")
FILE = Path(__file__).parents[1] / "cities" / "jamsil" / "data" / "open" / "seoul.epw"


@lru_cache(maxsize=1)
def weather() -> Series:
    """The demo city's weather as the source reads it."""
    rows = [line.split(",") for line in FILE.read_text(encoding="latin-1").splitlines()[8:]]
    stamp = np.array([row[1:4] for row in rows], int)
    days = [f"2023-{month:02d}-{day:02d}" for month, day, _ in stamp]
    local = np.array(days, "datetime64[ms]") + ((stamp[:, 2] - 1) * 3_600_000).astype("timedelta64[ms]")
    utc = local - np.timedelta64(9 * 3_600_000, "ms")
    table = pa.table(
        {
            "time": pa.array(utc.astype(np.int64), pa.int64()).cast(pa.timestamp("ms", "Asia/Seoul")),
            "global_horizontal": np.array([row[13] for row in rows], float),
            "direct_normal": np.array([row[14] for row in rows], float),
            "diffuse_horizontal": np.array([row[15] for row in rows], float),
        }
    )
    units = {name: "W.h/m2" for name in table.column_names if name != "time"}
    source = Source(
        "weather", "Seoul, typical year", "Climate.OneBuilding.org", Licence("OneBuilding", "free")
    )
    return Series(table, units, "Asia/Seoul", "Seoul", Provenance((source,)))


@lru_cache(maxsize=1)
def hours() -> dict[str, Any]:
    """pvlib's sun at the middle of each hour, and the irradiance of the hour."""
    import pandas as pd
    from pvlib import atmosphere, irradiance, solarposition

    series = weather()
    start = series.table["time"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy()
    middle = pd.DatetimeIndex(pd.to_datetime(start + 1800, unit="s", utc=True))
    sun = solarposition.get_solarposition(middle, PLACE.lat, PLACE.lon, method="nrel_numpy")
    return {
        "zenith": sun["zenith"].to_numpy(), "azimuth": sun["azimuth"].to_numpy(),
        "dni": series.table["direct_normal"].to_numpy(), "dhi": series.table["diffuse_horizontal"].to_numpy(),
        "ghi": series.table["global_horizontal"].to_numpy(), "extra": irradiance.get_extra_radiation(middle).to_numpy(),
        "mass": atmosphere.get_relative_airmass(sun["zenith"]).to_numpy(),
    }  # fmt: skip


def measure() -> Iterator[Measured]:
    """kWh/m² of the year on open level ground: against pvlib's sum, and against the file's own global irradiation."""
    from pvlib import irradiance

    h = hours()
    theirs = irradiance.get_total_irradiance(
        0.0, 180.0, h["zenith"], h["azimuth"], h["dni"], h["ghi"], h["dhi"], dni_extra=h["extra"], airmass=h["mass"], model="isotropic"
    )  # fmt: skip
    pvlib_kwh = float(np.nansum(theirs["poa_global"])) / 1000.0
    for model in ("isotropic", "perez"):
        light = from_weather(weather(), PLACE, 10)
        sky = sky_of(light, light, 360, model == "perez")
        cells, _ = accumulate(
            Field.of(np.zeros((3, 3), np.float32), 1.0), sky.directions, sky.table(), 2.0**-5
        )
        share = cells[1, 1, 1] / (65536.0 * 360)
        ours = (cells[1, 1, 2] / WATT_HOUR + share * sky.even_wh) / 1000.0
        yield Measured(
            "horizon.accumulate", "year_open_ground", f"irradiation of open ground ({model}) against pvlib's {pvlib_kwh:.0f} kWh/m² a year",
            (ours / pvlib_kwh - 1.0) * 100.0, 2.0, "%",
        )  # fmt: skip
    yield Measured(
        "year_sky.from_weather", "year_open_ground", "irradiation of open ground against the file's own global irradiation",
        (ours / (float(h["ghi"].sum()) / 1000.0) - 1.0) * 100.0, 5.0, "%",
    )  # fmt: skip
