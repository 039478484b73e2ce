"""Who leaves and enters stations by the hour: from the congestion of trains, with what a train holds and how many run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .footfall_assumed import CARS, OTHER_CARS, PEAKS

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
#: The hours that are told of: 05:00 to 00:59 of the next day, which is hour 24.
HOURS = tuple(range(5, 25))
DAY_TYPES = ("weekday", "saturday", "holiday")


@dataclass(frozen=True)
class Stations:
    """Stations with trains whose congestion is known.

    Args:
        xy: float64[n, 2], metres; `error_m` float64[n]: how far off they may be.
        loads: float64[n, hours], train loads an hour and direction summed, in fully loaded trains' shares (1 = 100 %), before how many
            trains run: the mean of the half hours of each direction, added up.
        cars: float64[n]; `names`: as the layer says them; `silent`: names of stations without congestion.
    """

    xy: Floats
    error_m: Floats
    loads: Floats
    cars: Floats
    names: tuple[str, ...]
    silent: tuple[str, ...]

    def people(self, assumed: Mapping[str, float], day_type: str) -> Floats:
        """Who walks out of and into each station, people an hour, float64[n, hours]."""
        peak = np.array([day_type == "weekday" and h in PEAKS for h in HOURS])
        trains = np.where(peak, assumed["trains_peak"], assumed["trains_off"])
        aboard = self.loads * trains * (self.cars * assumed["car_persons"])[:, None]
        found: Floats = aboard * (2.0 * assumed["alight_share"] * assumed["walk_share"])  # out and in
        return found


def _key(name: object, line: object) -> tuple[str, str]:
    """A station by its name without what stands in brackets, and the number of its line."""
    digits = re.findall(r"\d+", str(line))
    return re.sub(r"\(.*?\)", "", str(name)).strip(), digits[-1] if digits else ""


def _hour(text: object) -> int:
    """The hour that a time belongs to; after midnight it goes on counting."""
    hour = int(str(text).split(":")[0])
    return hour + 24 if hour < HOURS[0] else hour


def stations_of(stations: gpd.GeoDataFrame, congestion: gpd.GeoDataFrame, day_type: str) -> Stations:
    """The stations with the congestion of their trains on a kind of day (`DAY_TYPES`); half hours that are not known are left out."""
    import pandas as pd

    told = congestion[congestion["day_type"] == day_type]
    told = told[told["congestion"].notna()]
    frame = pd.DataFrame(
        {
            "key": [_key(n, line) for n, line in zip(told["station"], told["line"], strict=True)],
            "direction": told["direction"].astype(str).to_numpy(),
            "hour": [_hour(t) for t in told["time"]],
            "load": told["congestion"].astype(float).to_numpy() / 100.0,
        }
    )
    by = frame.groupby(["key", "direction", "hour"])["load"].mean().unstack("hour")
    by = by.reindex(columns=list(HOURS)).fillna(0.0).groupby(level="key").sum() if len(frame) else by
    known = {key: row.to_numpy(float) for key, row in by.iterrows()} if len(frame) else {}
    rows: list[Any] = []
    silent: list[str] = []
    drawn = stations[stations.geometry.notna() & ~stations.geometry.is_empty]
    for name, line, shape, error in zip(
        drawn["name_ko"], drawn["line"], drawn.geometry, _errors(drawn), strict=True
    ):
        key = _key(name, line)
        if key in known:
            rows.append(
                (shape.x, shape.y, error, CARS.get(key[1], OTHER_CARS), known[key], f"{key[0]} {line}")
            )
        else:
            silent.append(f"{key[0]} {line}")
    return Stations(
        np.array([r[:2] for r in rows], float).reshape(-1, 2), np.array([r[2] for r in rows], float),
        np.array([r[4] for r in rows], float).reshape(-1, len(HOURS)), np.array([r[3] for r in rows], float),
        tuple(r[5] for r in rows), tuple(silent),
    )  # fmt: skip


def _errors(table: gpd.GeoDataFrame) -> Floats:
    if "place_error_m" not in table.columns:
        return np.zeros(len(table))
    return np.asarray(table["place_error_m"].astype(float).fillna(0.0).to_numpy(), np.float64)
