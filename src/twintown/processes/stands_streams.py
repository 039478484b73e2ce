"""Who passes where: lines with people an hour, computed here, or from a layer that the city has counted or computed before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadInput
from twintown.ground.features import Features

from .footfall import Passers
from .footfall_stations import HOURS

Floats = NDArray[np.float64]
#: Passers-by count for a stand less by 1/e over this distance from their street, metres (assumed).
NEAR_M = 30.0
#: Farther than this a street is not near, metres.
_FARTHEST_M = 250.0
COLUMNS = tuple(f"h{hour:02d}" for hour in HOURS)


@dataclass(frozen=True)
class Streams:
    """Lines[n] with people an hour both ways, float64[n, hours], and the factors to the low and high end, float64[n] each."""

    shapes: NDArray[Any]
    people: Floats
    low: Floats
    high: Floats

    @classmethod
    def computed(cls, found: Passers) -> Streams:
        """What the process `footfall` computes."""
        return cls(found.streets.shapes, found.flow.people, found.flow.low, found.flow.high)

    @classmethod
    def of(cls, layer: Features, name: str) -> Streams:
        """From a layer of lines with the columns h05 … h24; without `low_factor` and `high_factor` the numbers are taken as they are.

        Raises:
            BadInput: it has no such columns.
        """
        table = layer.table[layer.table.geometry.notna() & ~layer.table.geometry.is_empty]
        if missing := [one for one in COLUMNS if one not in table]:
            raise BadInput(
                f"the layer {name!r} has no column {missing[0]}", "process stands", "name a result of footfall, or counts in its columns"
            )  # fmt: skip
        people = table[list(COLUMNS)].astype(float).fillna(0.0).to_numpy(float)
        low, high = (
            table[one].astype(float).fillna(1.0).to_numpy(float) if one in table else np.ones(len(table))
            for one in ("low_factor", "high_factor")
        )
        return cls(table.geometry.to_numpy(), people, low, high)

    def passing(self, at: Any) -> tuple[Floats, float, float]:
        """People an hour (by hour of `HOURS`) who pass a shape, and the factors to the low and high end.

        Of all lines nearby the one counts that brings most, less by distance (e^(−d/30 m)): they are not added up, because who
        walks along a street passes its pieces one after the other.
        """
        far = np.asarray(shapely.distance(self.shapes, at), np.float64) if len(self.shapes) else np.zeros(0)
        near = np.where(far <= _FARTHEST_M, np.exp(-far / NEAR_M), 0.0)
        weighed = self.people.sum(axis=1) * near
        if not len(weighed) or weighed.max() <= 0:
            return np.zeros(len(HOURS)), 1.0, 1.0
        k = int(np.argmax(weighed))
        return self.people[k] * near[k], float(self.low[k]), float(self.high[k])
