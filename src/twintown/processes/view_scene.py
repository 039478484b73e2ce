"""What stands in the way of an eye: buildings, trees, green and terrain of a twin as triangles with owners, and as a height field."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.city.solids import parts_mesh
from twintown.ground.grid import Grid
from twintown.jobs.process import Ask
from twintown.kernels.rasters import drape

from .view_ask import features
from .view_green import green_triangles, terrain_triangles, tree_triangles

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Surroundings:
    """All that can be seen, x and y from `origin` (the lower left corner of the bounds), heights above the ground's zero.

    `corners` float64[t, 3, 3], metres, to the millimetre; `owner` int32[t]: row of the building, or `buildings` (no building of the
    layer), `buildings + 1` (green), `buildings + 2` (terrain); `ground` the terrain on the view's cells, or none (0 everywhere).
    """

    origin: tuple[float, float]
    corners: Floats
    owner: Ints
    buildings: int
    knows_green: bool
    terrain: Grid | None

    @property
    def green(self) -> int:
        return self.buildings + 1

    @property
    def owners(self) -> int:
        """How many owners there are in all."""
        return self.buildings + 3

    def ground_at(self, xy: Floats) -> Floats:
        """Height of the ground (m) at places float64[n, 2] from the origin; 0 without a terrain and beyond its edge."""
        if self.terrain is None:
            return np.zeros(len(xy))
        return _sampled(self.terrain, xy + np.asarray(self.origin))

    def taller(self, factors: Floats, but: int = -1) -> Surroundings:
        """The same with every building `factors` float64[buildings] times as high; the building `but` stays."""
        factor = np.append(factors, [1.0, 1.0, 1.0])
        if but >= 0:
            factor[but] = 1.0
        corners = self.corners.copy()
        foot = self._feet()
        corners[:, :, 2] = np.round(foot + (corners[:, :, 2] - foot) * factor[self.owner][:, None], 3)
        return replace(self, corners=corners)

    def _feet(self) -> Floats:
        if self.terrain is None:
            return np.zeros((len(self.corners), 3))
        lowest = np.full(self.owners, np.inf)
        np.minimum.at(lowest, self.owner, self.corners[:, :, 2].min(axis=1))
        return np.repeat(lowest[self.owner][:, None], 3, axis=1)

    def without(self, building: int) -> Surroundings:
        """The same without one building."""
        keep = self.owner != building
        return replace(self, corners=self.corners[keep], owner=self.owner[keep])

    def heights(self, rows: int, cols: int, cell_m: float, out: F32 | None = None) -> F32:
        """The tops of everything on the cells of the view, float32[rows, cols], row 0 north; what hangs in the air reaches the ground."""
        heights = np.zeros((rows, cols), np.float32) if out is None else out
        if self.terrain is not None:
            x = (np.arange(cols) + 0.5) * cell_m
            for row in range(rows):
                y = np.full(cols, (rows - row - 0.5) * cell_m)
                heights[row] = self.ground_at(np.column_stack([x, y]))
        solid = self.corners[self.owner != self.buildings + 2]
        drape(solid, 0.0, rows * cell_m, cell_m, heights)
        return heights


def _sampled(grid: Grid, xy: Floats) -> Floats:
    values = grid.values if grid.values.ndim == 2 else grid.values[0]
    row = np.floor((grid.origin_y - xy[:, 1]) / grid.cell_m).astype(np.int64)
    col = np.floor((xy[:, 0] - grid.origin_x) / grid.cell_m).astype(np.int64)
    inside = (row >= 0) & (col >= 0) & (row < grid.rows) & (col < grid.cols)
    found = values[np.clip(row, 0, grid.rows - 1), np.clip(col, 0, grid.cols - 1)].astype(np.float64)
    known = inside & np.isfinite(found)
    if grid.nodata is not None:
        known &= found != grid.nodata
    return np.where(known, np.round(found, 3), 0.0)


def surroundings(ask: Ask) -> Surroundings:
    """The surroundings of a twin's layers.

    Raises:
        BadData: trees without heights or crowns.
    """
    buildings, parts = features(ask, "buildings"), features(ask, "building-parts")
    origin = (ask.bounds.xmin, ask.bounds.ymin)
    count = len(buildings)
    terrain = ask.layers.get("terrain")
    if terrain is not None and not isinstance(terrain, Grid):
        terrain = None
    scene = Surroundings(
        origin, np.zeros((0, 3, 3)), np.zeros(0, np.int32), count, any(one in ask.layers for one in ("green", "trees")), terrain
    )  # fmt: skip
    mesh = parts_mesh(parts.table, parts.frame)
    corners = mesh.vertices[mesh.triangles] - np.array([*origin, 0.0])
    row = pd.Index(buildings.table["id"]).get_indexer(parts.table["building"])
    owner = np.where(row < 0, count, row).astype(np.int32)[mesh.feature]
    if terrain is not None:
        middles = shapely.get_coordinates(shapely.point_on_surface(parts.table.geometry.to_numpy()))
        corners[:, :, 2] += scene.ground_at(middles - np.asarray(origin))[mesh.feature][:, None]
    all_corners, all_owners = [np.round(corners, 3)], [owner]
    for made, whose in (
        (green_triangles(ask, scene.origin, scene.ground_at), count + 1),
        (tree_triangles(ask, scene.origin, scene.ground_at), count + 1),
        (terrain_triangles(ask, scene.terrain, scene.ground_at), count + 2),
    ):
        if len(made):
            all_corners.append(np.round(made, 3))
            all_owners.append(np.full(len(made), whose, np.int32))
    return replace(
        scene,
        corners=np.ascontiguousarray(np.concatenate(all_corners)),
        owner=np.concatenate(all_owners),
    )
