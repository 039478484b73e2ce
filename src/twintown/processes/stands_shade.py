"""What casts shadows on stands: the triangles of buildings, as stated and with their heights in error."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twintown.city.solids import parts_mesh, prisms
from twintown.ground.frames import Frame
from twintown.kernels.rays import discs_of

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shade:
    """Triangles that cast shadows: `corners` float64[t, 3, 3]; the disc and top of each, float64[t, 4]: x, y, radius, top (metres)."""

    corners: Floats
    discs: Floats

    @classmethod
    def of(cls, corners: Floats) -> Shade:
        """With the discs of the triangles."""
        return cls(np.ascontiguousarray(corners), discs_of(corners))

    def reaching(self, x: float, y: float, around_m: float, lowest: float) -> Shade:
        """Those that may shade something within `around_m` of a place when the sun's slope is `lowest` at least."""
        d = self.discs
        far = np.sqrt((d[:, 0] - x) ** 2 + (d[:, 1] - y) ** 2) - d[:, 2] - around_m
        near = d[:, 3] > np.maximum(0.0, far) * lowest
        return Shade(self.corners[near], d[near])

    def plus(self, corners: Floats) -> Shade:
        """The same with more triangles, which come first: what is near is tried first."""
        return Shade(np.concatenate([corners, self.corners]), np.concatenate([discs_of(corners), self.discs]))

    def taller(self, factors: Floats) -> Shade:
        """The same with every triangle so many times as high, float64[t]."""
        corners = self.corners.copy()
        corners[:, :, 2] *= factors[:, None]
        return Shade.of(corners)


def shades_of(
    buildings: gpd.GeoDataFrame | None,
    parts: gpd.GeoDataFrame | None,
    left_out: Collection[str],
    frame: Frame,
) -> tuple[Shade, Shade, Shade]:
    """Shade with the stated heights, with each lower by its error, with each higher; parts where they are known, else blocks.

    Args:
        buildings: with `id`, `height_m`, `height_error_m` where it is known; none: nothing casts a shadow.
        left_out: ids of buildings that cast none.
    """
    if buildings is None:
        nothing = Shade.of(np.zeros((0, 3, 3)))
        return nothing, nothing, nothing
    if parts is not None:
        solid = parts[~parts["building"].isin(left_out)]
        mesh, owner = parts_mesh(solid, frame), solid["building"].to_numpy()
    else:
        solid = buildings[~buildings["id"].isin(left_out) & buildings["height_m"].notna()]
        height = solid["height_m"].to_numpy(float)
        mesh, owner = prisms(solid.geometry.to_numpy(), np.zeros(len(solid)), height), solid["id"].to_numpy()
    stated = Shade.of(np.asarray(mesh.vertices[mesh.triangles], np.float64))
    row = pd.Index(buildings["id"]).get_indexer(pd.Index(owner[mesh.feature]))
    share = np.append(_shares(buildings), 0.0)[row]
    return stated, stated.taller(np.maximum(0.0, 1.0 - share)), stated.taller(1.0 + share)


def _shares(buildings: gpd.GeoDataFrame) -> Floats:
    """The error of each building's height as a share of it, float64[n]; 0 where none is stated."""
    if "height_error_m" not in buildings:
        return np.zeros(len(buildings))
    height = buildings["height_m"].to_numpy(float)
    error = buildings["height_error_m"].to_numpy(float)
    known = np.isfinite(height) & np.isfinite(error) & (height > 0.5)
    return np.where(known, error / np.where(known, height, 1.0), 0.0)
