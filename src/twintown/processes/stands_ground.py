"""The ground that stands are set up on, held ready: buildings, what they shade, roads, streets with their passers-by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.ground.frames import Frame

from .footfall import passers
from .stands_shade import Shade, shades_of
from .stands_streams import Streams
from .sunpath import Place

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Half the width of a road where nothing says it, metres (assumed).
_HALF_M = 3.0
#: Layers that are used where they are there.
LAYERS = ("buildings", "building-parts", "roads", "landmarks", "stations", "metro-congestion")


@dataclass(frozen=True)
class Ground:
    """Everything that stands are scored by; made once for versions of layers.

    Args:
        layers: by id, those of `LAYERS` that may be used.
        frame, bounds, zone: of the twin.
        named: whether findings may name buildings and roads.
        counted: who passes where, instead of what would be computed here.
    """

    layers: Mapping[str, Features]
    frame: Frame
    bounds: Bounds
    zone: str
    named: bool = True
    counted: Streams | None = None

    def knows(self, *names: str) -> bool:
        """Whether all these layers may be used."""
        return all(one in self.layers for one in names)

    @cached_property
    def place(self) -> Place:
        """The twin's middle for the sun."""
        return Place.of(self.frame, *self.bounds.centre, self.zone)

    def _table(self, name: str) -> gpd.GeoDataFrame | None:
        if name not in self.layers:
            return None
        table = self.layers[name].table
        return table[table.geometry.notna() & ~table.geometry.is_empty].reset_index(drop=True)

    @cached_property
    def buildings(self) -> gpd.GeoDataFrame | None:
        """The buildings, or none where they are not known."""
        return self._table("buildings")

    @cached_property
    def building_tree(self) -> shapely.STRtree:
        """Their outlines, looked up by place."""
        table = self.buildings
        return shapely.STRtree([] if table is None else table.geometry.to_numpy())

    @cached_property
    def open_air(self) -> frozenset[str]:
        """Buildings that are open stages: a landmark of the kind `stage` stands in them and their height is a guess. They shade nothing."""
        table, marks = self.buildings, self._table("landmarks")
        if table is None or marks is None or "kind" not in marks or "height_source" not in table:
            return frozenset()
        stages = marks[marks["kind"] == "stage"].geometry.to_numpy()
        inside = np.unique(self.building_tree.query(stages, predicate="within")[1])
        guessed = table["height_source"].to_numpy()[inside] == "estimated"
        return frozenset(str(one) for one in table["id"].to_numpy()[inside[guessed]])

    def near_open_air(self, x: float, y: float, within_m: float) -> bool:
        """Whether such a building stands within a distance of a place."""
        if self.buildings is None or not self.open_air:
            return False
        near = self.building_tree.query(shapely.points(x, y), predicate="dwithin", distance=within_m)
        return bool(self.buildings["id"].iloc[near].isin(self.open_air).any())

    @cached_property
    def shades(self) -> tuple[Shade, Shade, Shade]:
        """What casts shadows with the heights as stated, and with every height lower and higher by its stated error."""
        parts = self.layers["building-parts"].table if "building-parts" in self.layers else None
        return shades_of(self.buildings, parts, self.open_air, self.frame)

    @cached_property
    def roads(self) -> gpd.GeoDataFrame | None:
        """Car roads on the ground, with their widths; none where they are not known."""
        table = self._table("roads")
        if table is None:
            return None
        keep = np.ones(len(table), np.bool_)
        if "tunnel" in table:
            keep &= ~table["tunnel"].astype("boolean").fillna(False).to_numpy(bool)
        if "layer" in table:
            keep &= table["layer"].astype("Float64").fillna(0).to_numpy(float) == 0
        return table[keep].reset_index(drop=True)

    @cached_property
    def road_tree(self) -> shapely.STRtree:
        """Their lines, looked up by place."""
        table = self.roads
        return shapely.STRtree([] if table is None else table.geometry.to_numpy())

    @cached_property
    def road_half_m(self) -> Floats:
        """Half the width of each, metres."""
        table = self.roads
        if table is None or "width_m" not in table:
            return np.full(0 if table is None else len(table), _HALF_M)
        return np.asarray(
            table["width_m"].astype("Float64").fillna(2 * _HALF_M).to_numpy(float) / 2.0, np.float64
        )

    @cached_property
    def _streams(self) -> dict[str, Streams | None]:
        return {}

    def streams(self, day_type: str) -> Streams | None:
        """Who passes in the streets on a kind of day; none where the layers for it are not there or say something else. Made once."""
        if self.counted is not None:
            return self.counted
        if day_type not in self._streams:
            known = self.knows("roads", "stations", "metro-congestion")
            self._streams[day_type] = _computed(self.layers, day_type) if known else None
        return self._streams[day_type]


def _computed(layers: Mapping[str, Features], day_type: str) -> Streams | None:
    try:
        return Streams.computed(passers(layers, {"day_type": day_type}))
    except BadInput:  # layers of these names with other columns: nobody knows
        return None
