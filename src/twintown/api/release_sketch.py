"""What a remedy changes, to look at: how much there is before and after, and a small drawing of both where it changes most.

Only shapes, cells and the sizes of groups are drawn; no other value of a row is told.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from twintown.api.release_models import Drawing, Side, Sketch
from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid

if TYPE_CHECKING:
    from twintown.exchange.remedies import Applied
    from twintown.twin.layers import Shape

#: Features of one side, and the longer side of a picture in pixels.
MOST, PIXELS = 600, 192
#: A drawing shows at most so many meshes of a coarsened layer, and at least so many metres.
MESHES, LEAST_M = 60, 120.0


def side(shape: Shape) -> Side:
    """How much there is of a shape."""
    from twintown.exchange.content import OfShape, known
    from twintown.exchange.rules_spatial import resolution

    content, told = OfShape("", shape), None
    if isinstance(shape, Grid):
        told = int(known(shape.values if shape.values.ndim == 2 else shape.values[0], shape.nodata).sum())
    fine = resolution(content) if content.kind in ("grid", "features") else None
    return Side(count=content.count, known=told, columns=sorted(content.units), resolution_m=fine)


def sketch(made: Applied) -> Sketch | None:
    """Both sides within one box; none where the remedy moves nothing, or the asset has no place."""
    before, after = made.before, made.shape
    if isinstance(before, Grid) and isinstance(after, Grid):
        whole = _extent(before)
        box = _around(_cells_that_change(before, after), whole)
        low, high = _range(before, box)
        drawn, sheet = [_picture(one, box, low, high) for one in (before, after)], _stout(box, 1.0)
    elif isinstance(before, Features) and isinstance(after, Features) and before.bounds and after.bounds:
        whole = _extent(before)
        found = _objects_that_change(before, after)
        if found is None:
            return None
        mesh = float(made.remedy.numbers.get("mesh_m", 0.0))
        box = _fewer(before, _around(found, whole), mesh * MESHES if mesh else np.inf)
        drawn, sheet = [_features(one, box) for one in (before, after)], _stout(box, 1.06)
    else:
        return None
    return Sketch(box=_degrees(before.frame, sheet), whole=box == whole, before=drawn[0], after=drawn[1])


def _stout(box: Bounds, wider: float) -> Bounds:
    """A box a little wider about its middle, and never a strip: one side is at least half of the other."""
    wide, high = (box.xmax - box.xmin) * wider, (box.ymax - box.ymin) * wider
    wide, high = max(wide, high / 2), max(high, wide / 2)
    x, y = box.centre
    return Bounds(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def _extent(shape: Grid | Features) -> Bounds:
    if isinstance(shape, Features):
        return _bounds(shape.table.geometry.to_numpy())
    rows, cols = shape.rows * shape.cell_m, shape.cols * shape.cell_m
    return Bounds(shape.origin_x, shape.origin_y - rows, shape.origin_x + cols, shape.origin_y)


def _cells_that_change(before: Grid, after: Grid) -> Bounds:
    """Where cells of the same lattice differ; all of it where the lattice is another."""
    same = (before.values.shape, before.origin_x, before.origin_y) == (
        after.values.shape,
        after.origin_x,
        after.origin_y,
    )
    if not same:
        return _extent(before)
    old, new = (
        np.asarray(one.values if one.values.ndim == 2 else one.values[0], float) for one in (before, after)
    )
    rows, cols = np.nonzero((old != new) & ~(np.isnan(old) & np.isnan(new)))
    if not len(rows):
        return _extent(before)
    west, north = before.origin_x + cols.min() * before.cell_m, before.origin_y - rows.min() * before.cell_m
    return Bounds(
        west, before.origin_y - (rows.max() + 1) * before.cell_m, before.origin_x + (cols.max() + 1) * before.cell_m, north
    )  # fmt: skip


def _objects_that_change(before: Features, after: Features) -> Bounds | None:
    """Around what is gone; all of it where shapes move; none where every object is where it was."""
    old, new = (shapely.force_2d(one.table.geometry.to_numpy()) for one in (before, after))
    stays = np.isin(before.table["id"].to_numpy(object), after.table["id"].to_numpy(object))
    if int(stays.sum()) != len(new) or not shapely.equals_exact(old[stays], new, 1e-9).all():
        return _extent(before)
    gone = old[~stays]
    if not len(gone) or shapely.is_empty(gone).all():
        return None
    return _bounds(gone)


def _bounds(shapes: Any) -> Bounds:
    """Around shapes, at least a metre wide: a point has a box too."""
    west, south, east, north = (float(v) for v in shapely.total_bounds(shapes))
    x, y = max(0.0, 1 - (east - west)) / 2, max(0.0, 1 - (north - south)) / 2
    return Bounds(west - x, south - y, east + x, north + y)


def _around(box: Bounds, whole: Bounds) -> Bounds:
    """A box with as much again on each side, so that one sees what it lies in; never beyond the whole."""
    wide = max(box.xmax - box.xmin, box.ymax - box.ymin, LEAST_M)
    (x, y), half = box.centre, wide * 1.25
    return Bounds(
        max(x - half, whole.xmin), max(y - half, whole.ymin), min(x + half, whole.xmax), min(y + half, whole.ymax)
    )  # fmt: skip


def _fewer(shape: Features, box: Bounds, most_m: float) -> Bounds:
    """A box about the middle one of its objects that is no larger than `most_m` and holds no more objects than are drawn."""
    sides = shapely.bounds(shape.table.geometry.to_numpy())
    middle = np.column_stack([sides[:, 0] + sides[:, 2], sides[:, 1] + sides[:, 3]]) / 2
    width = max(box.xmax - box.xmin, box.ymax - box.ymin)
    if width <= most_m and int(_within(sides, box).sum()) <= MOST:
        return box
    near = np.nanargmin(np.hypot(middle[:, 0] - box.centre[0], middle[:, 1] - box.centre[1]))
    x, y = (float(v) for v in middle[near])
    half = min(width, most_m) / 2
    for _ in range(20):
        smaller = Bounds(x - half, y - half, x + half, y + half)
        if int(_within(sides, smaller).sum()) <= MOST:
            break
        half /= 1.5
    return smaller


def _within(sides: Any, box: Bounds) -> Any:
    with np.errstate(invalid="ignore"):
        return (
            (sides[:, 0] <= box.xmax) & (sides[:, 2] >= box.xmin) & (sides[:, 1] <= box.ymax) & (sides[:, 3] >= box.ymin)
        )  # fmt: skip


def _features(shape: Features, box: Bounds) -> Drawing:
    import orjson

    all_of = shape.table.geometry.to_numpy()
    at = np.flatnonzero(_within(shapely.bounds(all_of), box))
    shown = at[:MOST]
    close = max(box.xmax - box.xmin, box.ymax - box.ymin) / 800
    drawn = shapely.simplify(shapely.force_2d(all_of[shown]), close)
    persons = shape.table["persons"].to_numpy()[shown] if shape.units.get("persons") == "{person}" else None
    frame = shape.frame

    def lonlat(xy: Any) -> Any:
        return np.column_stack(frame.to_lonlat(*xy.T)).round(7)

    found = [
        {
            "type": "Feature", "properties": {} if persons is None else {"persons": int(persons[n])},
            "geometry": orjson.loads(shapely.to_geojson(shapely.transform(one, lonlat))),
        }
        for n, one in enumerate(drawn) if not one.is_empty
    ]  # fmt: skip
    told: dict[str, Any] = {"type": "FeatureCollection", "features": found}
    return Drawing(features=told, total=len(at), picture="", box=None)


def _part(grid: Grid, box: Bounds) -> tuple[Any, Bounds, int]:
    """The cells in a box, every so many where there are more than pixels, what they cover, and how many lie in it."""
    size = grid.cell_m
    row = [int(np.clip(v, 0, grid.rows)) for v in (
        np.floor((grid.origin_y - box.ymax) / size + 1e-9), np.ceil((grid.origin_y - box.ymin) / size - 1e-9)
    )]  # fmt: skip
    col = [int(np.clip(v, 0, grid.cols)) for v in (
        np.floor((box.xmin - grid.origin_x) / size + 1e-9), np.ceil((box.xmax - grid.origin_x) / size - 1e-9)
    )]  # fmt: skip
    values = grid.values if grid.values.ndim == 2 else grid.values[0]
    values = values[row[0] : row[1], col[0] : col[1]]
    step = max(1, -(-max(values.shape) // PIXELS))
    part = values[::step, ::step]
    west, north = grid.origin_x + col[0] * size, grid.origin_y - row[0] * size
    return (
        part,
        Bounds(west, north - part.shape[0] * step * size, west + part.shape[1] * step * size, north),
        values.size,
    )


def _range(grid: Grid, box: Bounds) -> tuple[float, float]:
    from twintown.exchange.content import known

    part, _, _ = _part(grid, box)
    there = part[known(part, grid.nodata)]
    return (float(there.min()), float(there.max())) if there.size else (0.0, 1.0)


def _picture(grid: Grid, box: Bounds, low: float, high: float) -> Drawing:
    from twintown.api.ramps import png, shades
    from twintown.exchange.content import known

    part, covers, total = _part(grid, box)
    if not part.size:
        return Drawing(features=None, total=0, picture="", box=None)
    data = png(shades(part.astype(np.float32), known(part, grid.nodata), low, high))
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return Drawing(features=None, total=total, picture=url, box=_degrees(grid.frame, covers))


def _degrees(frame: Frame, box: Bounds) -> list[float]:
    lon, lat = (np.asarray(v) for v in frame.to_lonlat(*np.array(box.ring()).T))
    return [round(float(v), 7) for v in (lon.min(), lat.min(), lon.max(), lat.max())]
