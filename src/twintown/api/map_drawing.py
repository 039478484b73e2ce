"""A picture of a grid on any lattice: each pixel shows the cell that its centre lies in.

Where pixels are larger than cells the file's overviews are read and neighbours averaged, as far as the field is
continuous. A Grant that holds back cells, area or detail is kept by `Cells`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twintown.api import ramps
from twintown.ground.bounds import Bounds
from twintown.ground.crs import transform
from twintown.ground.errors import NotFound
from twintown.ground.lattice import Lattice

if TYPE_CHECKING:
    from twintown.twin.cells import Cells

#: Cells that are looked at in one piece for the least and the greatest value; larger grids are looked at coarser.
_PIECE, _ALL = 4_000_000, 64_000_000
#: Nodes along a side between which places are interpolated, and the widest span (degrees) for which that is exact enough.
_NODES, _SPAN = 16, 1.0


def span(cells: Cells) -> tuple[float, float]:
    """The least and the greatest known value; 0 and 1 where nothing is known."""
    lattice = cells.lattice
    total = lattice.rows * lattice.cols
    if total > _ALL:
        shrink = math.sqrt(total / _ALL)
        lattice = lattice.resized(int(lattice.rows / shrink), int(lattice.cols / shrink))
    low, high = math.inf, -math.inf
    step = max(1, _PIECE // lattice.cols)
    for first in range(0, lattice.rows, step):
        rows = min(step, lattice.rows - first)
        part = Lattice(
            lattice.crs, lattice.x, lattice.y - first * lattice.height, lattice.width, lattice.height, rows, lattice.cols
        )  # fmt: skip
        found = cells.read(part, cells.fields[:1])
        known = found.values[0][found.known[0]]
        if len(known):
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    return (low, high) if low <= high else (0.0, 1.0)


def places(target: Lattice, cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y in the grid's CRS of every pixel's centre, float64[rows, cols]; what cannot be reached is infinite."""
    x, y = target.centres
    if target.crs.code == cells.lattice.crs.code:
        return np.broadcast_to(x, (target.rows, target.cols)), np.broadcast_to(
            y[:, None], (target.rows, target.cols)
        )
    unit = 1.0 if target.crs.geographic else 111_320.0
    wide = max(target.cols * target.width, target.rows * target.height) / unit
    pieces = max(_NODES, math.ceil(wide / _SPAN) * _NODES)
    exact = pieces >= max(target.rows, target.cols)
    nodes_x, nodes_y = (
        (x, y) if exact else (np.linspace(x[0], x[-1], pieces + 1), np.linspace(y[0], y[-1], pieces + 1))
    )
    grid = np.stack(np.meshgrid(nodes_x, nodes_y), axis=-1).reshape(-1, 2)
    there = transform(grid, target.crs, cells.lattice.crs).reshape(len(nodes_y), len(nodes_x), 2)
    if exact:
        return there[..., 0], there[..., 1]
    return _between(there[..., 0], target.rows, target.cols), _between(
        there[..., 1], target.rows, target.cols
    )


def _between(nodes: NDArray[np.float64], rows: int, cols: int) -> NDArray[np.float64]:
    """float64[rows, cols]: even steps between nodes, linear in both directions."""
    for axis, count in ((0, rows), (1, cols)):
        at = np.linspace(0.0, nodes.shape[axis] - 1, count)
        low = np.minimum(at.astype(int), nodes.shape[axis] - 2)
        share = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        with np.errstate(invalid="ignore"):
            nodes = nodes.take(low, axis) * (1.0 - share) + nodes.take(low + 1, axis) * share
    return nodes


def shades(cells: Cells, target: Lattice, low: float, high: float) -> ramps.Bytes:
    """uint8[rows, cols]: the shade of each pixel (`ramps.shades`), 0 where nothing is known."""
    x, y = places(target, cells)
    lattice = cells.lattice
    with np.errstate(invalid="ignore"):
        inside = (x >= lattice.bounds.xmin) & (x < lattice.bounds.xmax)
        inside &= (y > lattice.bounds.ymin) & (y <= lattice.bounds.ymax)
    shade = np.zeros((target.rows, target.cols), np.uint8)
    if not inside.any():
        return shade
    seen_x, seen_y = x[inside], y[inside]
    pad = _half(x, y)
    box = Bounds(
        float(seen_x.min()) - pad,
        float(seen_y.min()) - pad,
        float(seen_x.max()) + pad,
        float(seen_y.max()) + pad,
    )
    try:
        source = lattice.part(box)
    except NotFound:
        return shade
    factor = int(max(1.0, math.sqrt((source.rows * source.cols) / max(1, int(inside.sum())))))
    if factor > 1:
        source = source.resized(
            max(1, math.ceil(source.rows / factor)), max(1, math.ceil(source.cols / factor))
        )
    values, known = _read(cells, source)
    column = np.clip(((seen_x - source.x) / source.width).astype(np.int64), 0, source.cols - 1)
    row = np.clip(((source.y - seen_y) / source.height).astype(np.int64), 0, source.rows - 1)
    shade[inside] = ramps.shades(values, known, low, high)[row, column]
    return shade


def _half(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Half the side of the largest pixel, in units of the grid; so that pixels are seen whole."""
    with np.errstate(invalid="ignore"):
        sides = [np.abs(np.diff(one, axis=axis)) for one, axis in ((x, 1), (y, 0)) if one.shape[axis] > 1]
    most = max((float(side[np.isfinite(side)].max(initial=0.0)) for side in sides), default=0.0)
    return most / 2.0 + 1e-9


def _read(cells: Cells, source: Lattice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The first field of a part of the grid; by the overviews of the file where all of it may leave."""
    field = cells.fields[0]
    data = cells.data() if cells.open else b""
    if not isinstance(data, Path):
        found = cells.read(source, (field,))
        return found.values[0], found.known[0]
    import rasterio
    from rasterio.enums import Resampling
    from rasterio.windows import Window

    base = cells.base
    left, top = (source.x - base.x) / base.width, (base.y - source.y) / base.height
    window = Window(
        left, top, source.cols * source.width / base.width, source.rows * source.height / base.height
    )
    how = Resampling.average if field.continuous else Resampling.nearest
    with rasterio.open(data) as file:
        values = file.read(field.band, window=window, out_shape=(source.rows, source.cols), resampling=how)
    known = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    if field.nodata is not None and not math.isnan(field.nodata):
        known &= values != field.nodata
    return values, known
