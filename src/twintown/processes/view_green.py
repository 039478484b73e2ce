"""Green areas, trees and terrain of a twin as triangles that stand in the way of an eye."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.city.solids import flat_triangles
from twintown.ground.errors import BadData
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.jobs.process import Ask

Floats = NDArray[np.float64]
#: Height of the ground (m) at places float64[n, 2] from the scene's origin.
GroundAt: TypeAlias = Callable[[Floats], Floats]
#: Green areas lie this much above the ground, so that they are seen before it, metres.
GREEN_M = 0.02
#: Most triangles that a terrain is drawn with.
MOST_TERRAIN = 300_000


def green_triangles(ask: Ask, origin: tuple[float, float], ground_at: GroundAt) -> Floats:
    """Green areas as triangles on the ground."""
    layer = ask.layers.get("green")
    if not isinstance(layer, Features) or not len(layer):
        return np.zeros((0, 3, 3))
    areas = layer.table.geometry.to_numpy()
    areas = areas[shapely.get_dimensions(areas) == 2]
    if not len(areas):
        return np.zeros((0, 3, 3))
    flat = flat_triangles(areas) - np.asarray(origin)
    z = ground_at(flat.reshape(-1, 2)).reshape(-1, 3) + GREEN_M
    return np.dstack([flat, z])


#: A crown as eight-sided double cone: shares of its radius, and of its tree's height.
_RIM = np.array([[1, 0], [0.70710678, 0.70710678], [0, 1], [-0.70710678, 0.70710678], [-1, 0], [-0.70710678, -0.70710678], [0, -1],
                 [0.70710678, -0.70710678]])  # fmt: skip


def tree_triangles(ask: Ask, origin: tuple[float, float], ground_at: GroundAt) -> Floats:
    """Crowns of trees: from a fifth of the height over the widest at three fifths to the top."""
    layer = ask.layers.get("trees")
    if not isinstance(layer, Features) or not len(layer):
        return np.zeros((0, 3, 3))
    table = layer.table
    if missing := [name for name in ("height_m", "crown_m") if name not in table]:
        raise BadData(
            f"trees lack the column {missing[0]!r}",
            "layer trees",
            "give height_m and crown_m (diameter), metres",
        )
    xy = shapely.get_coordinates(shapely.centroid(table.geometry.to_numpy())) - np.asarray(origin)
    height, crown = table["height_m"].to_numpy(float), table["crown_m"].to_numpy(float)
    known = (height > 0) & (crown > 0)
    xy, height, crown = xy[known], height[known], crown[known]
    z = ground_at(xy)
    n = len(xy)
    rim = np.empty((n, 8, 3))
    rim[:, :, :2] = xy[:, None] + _RIM * (crown / 2)[:, None, None]
    rim[:, :, 2] = (z + 0.6 * height)[:, None]
    tip, foot = np.column_stack([xy, z + height]), np.column_stack([xy, z + 0.2 * height])
    after = np.roll(rim, -1, axis=1)
    upper = np.stack([rim, after, np.repeat(tip[:, None], 8, axis=1)], axis=2)
    lower = np.stack([after, rim, np.repeat(foot[:, None], 8, axis=1)], axis=2)
    return np.concatenate([upper.reshape(-1, 3, 3), lower.reshape(-1, 3, 3)])


def terrain_triangles(ask: Ask, terrain: Grid | None, ground_at: GroundAt) -> Floats:
    """The terrain over the bounds as two triangles a cell, coarser where that would be too many."""
    grid = terrain
    if grid is None:
        return np.zeros((0, 3, 3))
    step = grid.cell_m
    width, height = ask.bounds.xmax - ask.bounds.xmin, ask.bounds.ymax - ask.bounds.ymin
    while 2 * (width / step) * (height / step) > MOST_TERRAIN:
        step *= 2
    x = np.append(np.arange(0.0, width, step), width)
    y = np.append(np.arange(0.0, height, step), height)
    xy = np.stack(np.meshgrid(x, y), axis=-1)
    z = ground_at(xy.reshape(-1, 2)).reshape(xy.shape[:2])
    p = np.dstack([xy, z])
    a, b, c, d = p[:-1, :-1], p[:-1, 1:], p[1:, 1:], p[1:, :-1]
    return np.concatenate([
        np.stack([a, b, c], axis=2).reshape(-1, 3, 3), np.stack([a, c, d], axis=2).reshape(-1, 3, 3)
    ])  # fmt: skip
