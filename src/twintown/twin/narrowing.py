"""A shape as far as a Grant lets it out: whole layers for processes and pictures, as `index.view` is for single rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.errors import Denied
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.provenance import Provenance, Step
from twintown.ground.series import Series
from twintown.index.rows import Rows
from twintown.index.view import EVERYTHING, FULL, View
from twintown.query.query import Query
from twintown.trust.policy import Grant

if TYPE_CHECKING:
    import geopandas as gpd

    from .layers import LayerVersion


def features(
    view: View, provenance: Provenance, columns: Sequence[str] | None, bbox: Bounds | None
) -> Features:
    """The rows of a view as a shape.

    Args:
        columns: only these, of those that the Grant lets out.
        bbox: only rows whose box meets it, metres of the frame.
    """
    import geopandas as gpd

    names = [c.name for c in view.columns if columns is None or c.name in columns]
    near = view.frame.lonlat_bounds(bbox.buffer(1.0)).as_tuple() if bbox is not None else None
    query = EVERYTHING if near is None else Query(boxes=(near,))
    schema = view.take(np.empty(0, np.int64), names).schema
    table = pa.Table.from_batches(view.batches(query, names), schema)
    drawn = shapely.from_wkb(table.column("geometry").to_numpy())
    rows = table.drop_columns(["geometry"]).to_pandas()
    if bbox is not None:
        there = shapely.intersects(shapely.box(*shapely.bounds(drawn).T), bbox.polygon())
        rows, drawn = rows[there].reset_index(drop=True), drawn[there]
    geometry: gpd.GeoSeries = gpd.GeoSeries(drawn, index=rows.index, crs=view.frame.crs)
    units = {c.name: c.unit for c in view.columns if c.unit and c.name in names}
    return Features(gpd.GeoDataFrame(rows, geometry=geometry), view.frame, provenance, units)


def series(whole: Series, view: View) -> Series:
    """The rows and columns of a series that a view lets out; its time is always among them."""
    names = {"time", *(column.name for column in view.columns)}
    table = whole.table.take(pa.array(view.positions())).select(
        [n for n in whole.table.column_names if n in names]
    )
    return replace(
        whole, table=table, units={name: unit for name, unit in whole.units.items() if name in names}
    )


def grid(whole: Grid, grant: Grant, layer: str) -> Grid:
    """The part and the resolution of a grid that a Grant lets out.

    Raises Denied: nothing of it lies in the area, or the Grant has a condition that cells cannot meet.
    """
    if grant.filter or grant.columns is not None:
        raise Denied("cells have no columns that this Grant could choose from", layer)
    if grant.area is not None:
        whole = _within(whole, grant.area, layer)
    if grant.finest_m > whole.cell_m * (1 + 1e-9):
        whole = coarser(whole, grant.finest_m)
    return whole


def placeless(version: LayerVersion, grant: Grant) -> None:
    """Raises Denied: an agreement grants an area, and nothing says of a layer of this kind that it lies in it."""
    if grant.area is not None and grant.agreement:
        grant.refuse(
            "rows without a place cannot be shown to lie in the granted area", "outside-area", version.layer
        )


def narrowed_rows(exact: View, area: Bounds | None, finest_m: float) -> Rows:
    """The rows of a view cut at the edge of an area and coarsened, held in memory, in order.

    Whatever is asked of them, their places included, is asked of what is left of the shapes: a condition cannot feel what lies
    outside or between. Shapes are cut, then every vertex goes to the nearest crossing of lines `finest_m` apart, and what came
    out of the area by that is cut again. What is smaller than a mesh is a point; of what only touches the area nothing is left.

    Raises Denied: there are too many to do that for one caller.
    """
    found = exact.positions()
    if len(found) > FULL:
        raise Denied("too many rows to be narrowed at once", exact.layer, "ask the twin's owner")
    schema = exact.take(np.empty(0, np.int64)).schema
    table = pa.Table.from_batches(exact.batches(), schema)
    shapes: NDArray[Any] = shapely.from_wkb(table.column("geometry").to_numpy())
    if area is not None:
        shapes = clipped(shapes, area)
    if finest_m:
        flat = shapely.force_2d(shapes)
        made = shapely.set_precision(flat, finest_m)
        lost = shapely.is_empty(made) & ~shapely.is_empty(flat)
        made[lost] = shapely.set_precision(shapely.centroid(flat[lost]), finest_m)
        shapes = made if area is None else clipped(made, area)
    at = table.schema.get_field_index("geometry")
    wkb = pa.array(shapely.to_wkb(shapes), pa.binary(), from_pandas=True)
    table = table.set_column(at, schema.field(at), wkb)
    if area is not None:
        left = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        table = table.filter(pa.array(left))
    return Rows.of_table(table, exact.frame)


def clipped(shapes: NDArray[Any], area: Bounds) -> NDArray[Any]:
    """What of each shape lies in a rectangle, of the same kind as the shape: an edge that a polygon only touches is nothing."""
    edge = area.polygon()
    shapely.prepare(edge)
    out = np.array(shapes, object)
    crossing = np.flatnonzero(~shapely.is_missing(out) & ~shapely.covers(edge, out))
    for at in crossing:
        dimensions = shapely.get_dimensions(out[at])
        whole = out[at] if shapely.is_valid(out[at]) else shapely.make_valid(out[at])
        parts = shapely.get_parts(shapely.get_parts(shapely.intersection(whole, edge)))
        same = [part for part in parts if shapely.get_dimensions(part) == dimensions and not part.is_empty]
        out[at] = (
            shapely.GeometryCollection()
            if not same
            else same[0]
            if len(same) == 1
            else _MULTI[dimensions](same)
        )
    return out


_MULTI = {0: shapely.MultiPoint, 1: shapely.MultiLineString, 2: shapely.MultiPolygon}


def coarser(whole: Grid, finest_m: float) -> Grid:
    """The grid in cells of at least `finest_m`: whole blocks of cells become one, their mean where the values are a quantity,
    the cell in their middle where they are marks (truth values, classes)."""
    step = int(np.ceil(finest_m / whole.cell_m - 1e-9))
    values = whole.values if whole.values.ndim == 3 else whole.values[None]
    rows, cols = -(-whole.rows // step), -(-whole.cols // step)
    if values.dtype == bool or whole.unit == "{category}" or "classes" in whole.attributes:
        middle_row = np.minimum(np.arange(rows) * step + step // 2, whole.rows - 1)
        middle_col = np.minimum(np.arange(cols) * step + step // 2, whole.cols - 1)
        blocks = values[:, middle_row[:, None], middle_col[None, :]]
    else:
        blocks = np.stack([_means(band, step, whole.nodata) for band in values])
    what = Step("made coarser", "twintown", {"cell_m": whole.cell_m * step, "from_m": whole.cell_m})
    return replace(
        whole, values=blocks if whole.values.ndim == 3 else blocks[0], cell_m=whole.cell_m * step,
        provenance=whole.provenance.then(what),
    )  # fmt: skip


def _means(band: NDArray[Any], step: int, nodata: float | None) -> NDArray[Any]:
    known = np.isfinite(band) if nodata is None or np.isnan(nodata) else np.isfinite(band) & (band != nodata)
    starts = [np.arange(0, size, step) for size in band.shape]
    total = np.where(known, band, 0).astype(np.float64)
    count = known.astype(np.float64)
    for axis in (0, 1):
        total, count = (np.add.reduceat(one, starts[axis], axis=axis) for one in (total, count))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan if nodata is None else nodata)
    if np.issubdtype(band.dtype, np.integer):
        mean = np.rint(np.nan_to_num(mean, nan=0.0))
    return mean.astype(band.dtype)


def _within(whole: Grid, area: Bounds, layer: str) -> Grid:
    """The cells that lie wholly in the area."""
    west = whole.origin_x + np.arange(whole.cols) * whole.cell_m
    north = whole.origin_y - np.arange(whole.rows) * whole.cell_m
    slack = 1e-6 * whole.cell_m
    cols = np.flatnonzero((west >= area.xmin - slack) & (west + whole.cell_m <= area.xmax + slack))
    rows = np.flatnonzero((north <= area.ymax + slack) & (north - whole.cell_m >= area.ymin - slack))
    if not len(rows) or not len(cols):
        raise Denied("what is asked for lies outside the granted area", layer, code="outside-area")
    part = whole.values[..., rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    return replace(whole, values=part, origin_x=float(west[cols[0]]), origin_y=float(north[rows[0]]))
