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


def coarse_rows(exact: View, finest_m: float) -> Rows:
    """All rows of a view with every vertex on the nearest crossing of lines `finest_m` apart, held in memory, in order.

    Whatever is asked of them, their places included, is asked of the coarse shapes. What is smaller than a mesh is a point.

    Raises Denied: there are too many to do that for one caller.
    """
    if exact.count > FULL:
        raise Denied("too many rows to be made coarse at once", exact.layer, "ask the twin's owner")
    schema = exact.take(np.empty(0, np.int64)).schema
    table = pa.Table.from_batches(exact.batches(), schema)
    shapes = shapely.force_2d(shapely.from_wkb(table.column("geometry").to_numpy()))
    made = shapely.set_precision(shapes, finest_m)
    lost = shapely.is_empty(made) & ~shapely.is_empty(shapes)
    made[lost] = shapely.set_precision(shapely.centroid(shapes[lost]), finest_m)
    at = table.schema.get_field_index("geometry")
    wkb = pa.array(shapely.to_wkb(made), pa.binary(), from_pandas=True)
    return Rows.of_table(table.set_column(at, schema.field(at), wkb), exact.frame)


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
        raise Denied("what is asked for lies outside the granted area", layer)
    part = whole.values[..., rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    return replace(whole, values=part, origin_x=float(west[cols[0]]), origin_y=float(north[rows[0]]))
