"""Who leaves and enters stations by the hour: from the congestion of trains, with what a train holds and how many run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .footfall_assumed import CARS, OTHER_CARS, OTHER_TRAINS, PEAKS, TRAINS

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
        loads: float64[n, hours], the load of trains as a share of a full one (1 = 100 %): the mean of the half hours of each direction,
            the directions added up.
        cars: float64[n], of a train; `trains` float64[n, 2], an hour and direction at the peak and else; `crossing` bool[n]: whether
            another line stops there.
        names: as the layer says them; `silent`: names of stations without congestion.
    """

    xy: Floats
    error_m: Floats
    loads: Floats
    cars: Floats
    trains: Floats
    crossing: NDArray[np.bool_]
    names: tuple[str, ...]
    silent: tuple[str, ...]

    def people(self, assumed: Mapping[str, float], day_type: str) -> Floats:
        """Who walks out of and into each station, people an hour, float64[n, hours]."""
        peak = np.array([day_type == "weekday" and h in PEAKS for h in HOURS])
        trains = np.where(peak, self.trains[:, :1], self.trains[:, 1:]) * (assumed["trains_pct"] / 100.0)
        aboard = self.loads * trains * (self.cars * assumed["car_persons"])[:, None]
        share = np.where(self.crossing, assumed["alight_share"], assumed["alight_single"])
        found: Floats = aboard * (2.0 * share * assumed["walk_share"])[:, None]  # out and in
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
    drawn = stations[stations.geometry.notna() & ~stations.geometry.is_empty]
    keys = [_key(name, line) for name, line in zip(drawn["name_ko"], drawn["line"], strict=True)]
    lines: dict[str, set[str]] = {}
    for name, line in [
        *keys,
        *(_key(n, one) for n, one in zip(congestion["station"], congestion["line"], strict=True)),
    ]:
        lines.setdefault(name, set()).add(line)
    silent = tuple(
        f"{key[0]} {line}" for key, line in zip(keys, drawn["line"], strict=True) if key not in known
    )
    at = [k for k, key in enumerate(keys) if key in known]
    stopping = [keys[k] for k in at]
    return Stations(
        np.array([(p.x, p.y) for p in drawn.geometry.iloc[at]], float).reshape(-1, 2), _errors(drawn)[at],
        np.array([known[key] for key in stopping], float).reshape(-1, len(HOURS)),
        np.array([CARS.get(line, OTHER_CARS) for _, line in stopping], float),
        np.array([TRAINS.get(line, OTHER_TRAINS) for _, line in stopping], float).reshape(-1, 2),
        np.array([len(lines[name]) > 1 for name, _ in stopping], np.bool_),
        tuple(f"{keys[k][0]} {drawn['line'].iloc[k]}" for k in at), silent,
    )  # fmt: skip


def _errors(table: gpd.GeoDataFrame) -> Floats:
    if "place_error_m" not in table.columns:
        return np.zeros(len(table))
    return np.asarray(table["place_error_m"].astype(float).fillna(0.0).to_numpy(), np.float64)
