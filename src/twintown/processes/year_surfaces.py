"""Roofs and facades as points that look at the sky, and what a year's light on them comes to for each building.

A roof is seen from above: each cell of the grid under it is a point with the slope of the triangle that is on top. A facade is the
points of `facades.py`, each standing for its piece of wall and its storey, looked from one cell in front of the wall. Sums over
a building are of whole numbers, so that the order of tiles and threads does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.horizon import Points
from twintown.kernels.lines import Tile

from .sunlight_scene import Scene
from .sunpath import rounded
from .year_sky import SECOND, WATT_HOUR, Sky

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Parts of a square metre in which areas are weighed.
AREA = 64


@dataclass(frozen=True)
class Surfaces:
    """What of a city looks at the sky.

    `normals` float64[t, 3] and `owner` int64[t]: of the roofs' triangles; `points`, `building` int64[n], `area` float64[n] (64ths
    of a square metre): of the facades; `buildings`: how many there are.
    """

    normals: Floats
    owner: Ints
    points: Points
    building: Ints
    area: Floats
    buildings: int

    @classmethod
    def of(cls, scene: Scene) -> Surfaces:
        """The roofs and facades of a scene."""
        a, b, c = np.moveaxis(scene.solids.corners, 1, 0)
        normal = np.cross(b - a, c - a)
        length = np.sqrt((normal**2).sum(axis=1, keepdims=True))
        normal = rounded(np.where(length > 0, normal / np.where(length > 0, length, 1.0), [0.0, 0.0, 1.0]))
        normal *= np.where(normal[:, 2:] < 0, -1.0, 1.0)
        place, wall = scene.walls.place, scene.wall
        at = place[:, :2] + scene.cell_m * place[:, 2:]
        col = np.clip(np.floor(at[:, 0] / scene.cell_m), 0, scene.cols - 1).astype(np.int64)
        row = np.clip(np.floor((scene.height - at[:, 1]) / scene.cell_m), 0, scene.rows - 1).astype(np.int64)
        facing = np.column_stack([rounded(place[:, 2:]), np.zeros(len(place))])
        area = np.rint(scene.walls.width_m[wall] * scene.walls.storey_m[wall] * AREA)
        return cls(
            normal, scene.solids.owner[scene.solids.part], Points(row[wall], col[wall], scene.z, facing[wall]),
            scene.solids.owner[scene.walls.part[wall]], area, len(scene.ids),
        )  # fmt: skip

    def within(
        self, tile: Tile, heights: NDArray[np.float32], owner: NDArray[np.int32]
    ) -> tuple[Points, Ints, Floats]:
        """Roof points of a tile's cells (their heights and topmost triangles), then its facade points.

        Answers the points, the slot of each in the sums (building, or buildings + building for facades), and its area.
        """
        row, col = np.nonzero(owner >= 0)
        triangle = owner[row, col]
        p = self.points
        mine = np.flatnonzero(
            (p.row >= tile.row0) & (p.row < tile.row1) & (p.col >= tile.col0) & (p.col < tile.col1)
        )
        points = Points(
            np.concatenate([row + tile.row0, p.row[mine]]),
            np.concatenate([col + tile.col0, p.col[mine]]),
            np.concatenate([heights[row, col].astype(float), p.z[mine]]),
            np.concatenate([self.normals[triangle], p.normal[mine]]),
        )
        slot = np.concatenate([self.owner[triangle], self.buildings + self.building[mine]])
        slope = np.maximum(self.normals[triangle, 2], 0.05)
        area = np.concatenate([np.rint(AREA / slope), self.area[mine]])
        return points, slot, area


def light_on(points: Points, found: Floats, sky: Sky, albedo: float) -> Floats:
    """A year's light on each point, W.h/m2: direct, from the sky, and from open level ground, float64[n].

    `found` float64[n, 3]: as `kernels.horizon.accumulate` answers it.
    """
    up = points.normal[:, 2]
    tilt = np.sqrt(np.maximum(0.0, 1.0 - up**2))
    open_view = (1.0 + up) / 2.0
    seen = found[:, 2]
    light: Floats = found[:, 1] / WATT_HOUR + seen * sky.even_wh + sky.band_wh * tilt * seen / open_view
    light += albedo * sky.level_wh * (1.0 - up) / 2.0
    return np.maximum(light, 0.0)


def summed(
    points: Points, found: Floats, slot: Ints, area: Floats, sky: Sky, albedo: float, slots: int
) -> Floats:
    """Area (64ths), light × area (whole W.h × 64ths) and hours × area of each slot: float64[slots, 3], whole numbers."""
    light = np.rint(light_on(points, found, sky, albedo)) * area
    minutes = np.rint(found[:, 0] / (60.0 * SECOND)) * area
    return np.column_stack(
        [np.bincount(slot, weights=one, minlength=slots) for one in (area, light, minutes)]
    )
