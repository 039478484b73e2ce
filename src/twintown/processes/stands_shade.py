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
#: Height of a storey where nothing says it, metres.
_STOREY_M = 3.3


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
    """Shade with the stated heights, with each as low and as high as it may be; parts where they are known, else blocks.

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
    low, high = (np.append(one, 1.0)[row] for one in _factors(buildings))
    return stated, stated.taller(low), stated.taller(high)


def _factors(buildings: gpd.GeoDataFrame) -> tuple[Floats, Floats]:
    """How many times as high each building may be at least and at most, float64[n] each: its stated error either way.

    A height that was guessed from the neighbours may be that of one storey: a warden's office between towers is no tower.
    """
    height = buildings["height_m"].to_numpy(float)
    known = np.isfinite(height) & (height > 0.5)
    safe = np.where(known, height, 1.0)
    error = (
        buildings["height_error_m"].to_numpy(float)
        if "height_error_m" in buildings
        else np.zeros(len(height))
    )
    share = np.where(known & np.isfinite(error), error / safe, 0.0)
    low, high = np.maximum(0.0, 1.0 - share), 1.0 + share
    if "height_source" in buildings:
        storey = (
            buildings["storey_m"].to_numpy(float)
            if "storey_m" in buildings
            else np.full(len(height), _STOREY_M)
        )
        one = np.where(np.isfinite(storey), storey, _STOREY_M) / safe
        guessed = known & (buildings["height_source"] == "estimated").to_numpy(bool)
        low = np.where(guessed, np.minimum(low, one), low)
    return low, high
