"""Mask: nothing shows within restricted sites any more. Objects that meet a site are taken out, cells that it touches lose their value.

A hole tells where something is: `margin_m` widens it, `blur` fills cells with what lies around, so that no edge shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter, NotFound
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.twin.layers import Shape

from .content import OfShape, known, touched
from .matter import Matter
from .rules_sites import sites_of


def mask(matter: Matter, shape: Shape, said: Mapping[str, Any]) -> tuple[Shape, Mapping[str, Any]]:
    """The shape without what lies in the sites. Raises BadParameter."""
    margin, how = said.get("margin_m", 0.0), said.get("how", "remove")
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin <= 10_000:
        raise BadParameter("margin_m", f"{margin!r} is no margin", remedy="write metres, 0 to 10000")
    if how not in ("remove", "blur"):
        raise BadParameter("how", f"{how!r} is not known", remedy="use remove or blur")
    wanted = said.get("sites") or [site.id for site, _ in sites_of(matter)]
    places = {site.id: drawn.buffer(margin) if margin else drawn for site, drawn in sites_of(matter)}
    if strange := [one for one in wanted if one not in places]:
        raise BadParameter(
            "sites", f"there is no site {str(strange[0])[:60]!r}", remedy=f"known: {', '.join(places)}"
        )
    if not wanted:
        raise BadParameter(
            "sites", "the twin has no restricted sites", remedy="describe them in [[release.sites]]"
        )
    area = shapely.union_all([places[one] for one in wanted])
    if isinstance(shape, Grid):
        return _cells(shape, area, how, wanted)
    if isinstance(shape, Features) and shape.bounds is not None:
        shapely.prepare(area)
        hit = shapely.intersects(area, shape.table.geometry.to_numpy())
        if hit.all():
            raise BadParameter("sites", "nothing would be left", remedy="do not release it")
        left = shape.with_table(shape.table[~hit].reset_index(drop=True))
        return left, {
            "sites": list(wanted),
            "objects_before": len(shape),
            "objects_after": len(left),
            "how": "remove",
        }
    raise BadParameter("remedy", "what has no place cannot be masked", remedy="withhold columns or rows")


def _cells(grid: Grid, area: Any, how: str, wanted: list[str]) -> tuple[Grid, Mapping[str, Any]]:
    lattice = OfShape("", grid).lattice
    try:
        part = lattice.part(Bounds(*area.bounds))
    except NotFound as error:
        raise BadParameter("sites", "no cell lies in them", remedy="nothing is to be masked") from error
    row, col = round((lattice.y - part.y) / grid.cell_m), round((part.x - lattice.x) / grid.cell_m)
    hit = np.zeros((grid.rows, grid.cols), bool)
    hit[row : row + part.rows, col : col + part.cols] = touched(part, area)
    values = (
        grid.values.astype(np.float32)
        if np.issubdtype(grid.values.dtype, np.integer) and grid.nodata is None
        else grid.values.copy()
    )
    bands = values if values.ndim == 3 else values[None]
    nodata = grid.nodata if grid.nodata is not None else np.nan
    before = int(known(bands[0], grid.nodata)[hit].sum())
    for band in bands:
        around = _ring(hit) & known(band, grid.nodata)
        band[hit] = band[around].mean() if how == "blur" and around.any() else nodata
    if not known(bands[0], grid.nodata).any():
        raise BadParameter("sites", "nothing would be left", remedy="do not release it")
    numbers = {
        "sites": wanted,
        "cells_before": before,
        "cells_after": 0 if how == "remove" else int(hit.sum()),
        "how": how,
    }
    return replace(grid, values=values), numbers


def _ring(hit: Any) -> Any:
    """The cells beside those that are hit."""
    wide = hit.copy()
    wide[1:] |= hit[:-1]
    wide[:-1] |= hit[1:]
    wide[:, 1:] |= hit[:, :-1]
    wide[:, :-1] |= hit[:, 1:]
    return wide & ~hit
