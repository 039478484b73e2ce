"""Coarsen: larger cells on a lattice that cuts no other, coordinates on a mesh.

A cell is kept only where all of it is known: the mean of a sliver would be finer than the cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.lattice import Lattice
from twintown.twin.layers import Shape

from .content import OfShape, known
from .lattices import SAME, snapped, together
from .matter import Matter
from .released import known_to
from .rules_spatial import terrain_rule

#: What of a coarse cell must be known.
WHOLE = 0.999


def coarsen(matter: Matter, shape: Shape, said: Mapping[str, Any]) -> tuple[Shape, Mapping[str, Any]]:
    """The shape, coarser. Raises BadParameter."""
    if isinstance(shape, Grid):
        return _cells(matter, shape, _size(said, "cell_m", shape.cell_m))
    if isinstance(shape, Features) and shape.bounds is not None:
        return _mesh(shape, _size(said, "mesh_m", 0.0))
    raise BadParameter("remedy", "what has no place cannot be made coarse", remedy="aggregate it")


def _size(said: Mapping[str, Any], name: str, least: float) -> float:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least < value <= 100_000:
        raise BadParameter(name, f"{value!r} is no size", remedy=f"write metres, more than {least:g}")
    return float(value)


def _cells(matter: Matter, grid: Grid, cell_m: float) -> tuple[Grid, Mapping[str, Any]]:
    from twintown.kernels.means import means

    own = OfShape("", grid).lattice
    target = lattice_for(matter, own, cell_m)
    if not target.rows or not target.cols:
        raise BadParameter(
            "cell_m",
            "no whole cell of that size lies in it",
            remedy="use a smaller one, or do not release it",
        )
    edges_x = (target.x - own.x) / own.width + np.arange(target.cols + 1) * target.width / own.width
    edges_y = (own.y - target.y) / own.height + np.arange(target.rows + 1) * target.height / own.height
    bands = grid.values if grid.values.ndim == 3 else grid.values[None]
    there = np.stack([known(band, grid.nodata) for band in bands])
    full = (target.width / own.width) * (target.height / own.height)
    if grid.values.dtype == bool or grid.unit == "{category}" or "classes" in grid.attributes:
        row = np.clip(((edges_y[:-1] + edges_y[1:]) / 2).astype(int), 0, own.rows - 1)
        col = np.clip(((edges_x[:-1] + edges_x[1:]) / 2).astype(int), 0, own.cols - 1)
        values = bands[:, row[:, None], col[None, :]]
    else:
        found, area = means(np.ascontiguousarray(bands, np.float64), there, edges_y, edges_x)
        nodata = np.nan if grid.nodata is None else grid.nodata
        kind = (
            np.float32
            if grid.nodata is None and np.issubdtype(grid.values.dtype, np.integer)
            else grid.values.dtype
        )
        means_of = np.where(area >= WHOLE * full, found, nodata)
        values = (np.rint(means_of) if np.issubdtype(kind, np.integer) else means_of).astype(kind)
    made = replace(
        grid, values=values if grid.values.ndim == 3 else values[0], origin_x=target.x, origin_y=target.y, cell_m=target.width
    )  # fmt: skip
    if not known(values[0], grid.nodata).any():
        raise BadParameter(
            "cell_m", "nothing would be left", remedy="use a smaller one, or do not release it"
        )
    numbers = {
        "cell_m": target.width, "cell_before_m": grid.cell_m, "cells_before": grid.rows * grid.cols, "cells_after": made.rows * made.cols,
        "origin": [target.x, target.y],
    }  # fmt: skip
    return made, numbers


def lattice_for(matter: Matter, own: Lattice, cell_m: float) -> Lattice:
    """Whole cells of at least `cell_m` within a grid, on lines that cut those that the audience has no finer than they are.

    Multiples of the side, unless an open grid of the same things has other lines: then its lines, in whole cells of it.
    """
    plain = snapped(own, cell_m)
    rule = terrain_rule(matter, matter.content) if matter.content else None
    there = [
        one.lattice for one in known_to(matter)
        if rule is not None and one.kind == "grid" and terrain_rule(matter, one) == rule
    ]  # fmt: skip
    if not there:
        return plain
    before = min(together(there))
    tries = [plain]
    for one in there:
        tries.append(snapped(own, one.width * max(1, int(np.ceil(cell_m / one.width - 1e-9))), one))
    good = [
        one
        for one in tries
        if one.rows and one.cols and min(together([*there, one])) >= min(before, cell_m) * (1 - SAME)
    ]
    return good[0] if good else plain


def _mesh(shape: Features, mesh_m: float) -> tuple[Features, Mapping[str, Any]]:
    drawn = shapely.force_2d(shape.table.geometry.to_numpy())
    made = shapely.set_precision(drawn, mesh_m)
    lost = shapely.is_empty(made) & ~shapely.is_empty(drawn)
    made[lost] = shapely.set_precision(shapely.centroid(drawn[lost]), mesh_m)
    table = shape.table.copy()
    table[table.geometry.name] = made
    moved = shapely.hausdorff_distance(drawn, made)
    return shape.with_table(table), {
        "mesh_m": mesh_m, "objects": len(shape), "points": int(lost.sum()), "moved_most_m": round(float(np.nanmax(moved, initial=0.0)), 2),
    }  # fmt: skip
