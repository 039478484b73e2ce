"""Cells of a grid, read through a Grant: windows of the file at the wanted resolution, never the whole of it.

What shrinks is averaged over the known cells where the field is continuous, and picked where it is a class; what grows
repeats its cells. Nothing finer, nothing outside the area and no field leaves that the Grant keeps back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.windows import Window

from twintown.ground.bounds import Bounds
from twintown.ground.crs import CRS84, crs_of, edge_of, transform
from twintown.ground.errors import BadData, Denied, NotFound, TooLarge
from twintown.ground.lattice import SLACK, Lattice
from twintown.ground.names import Name
from twintown.trust.policy import Grant

from .layers import LayerVersion, Twin

#: Cells of the file held at once while an answer is made.
BLOCK_CELLS = 4_000_000
OUTSIDE = "outside-area"
WARP_CELLS = 16_000_000  # of the grid that go into another CRS at once


@dataclass(frozen=True)
class Field:
    """One value of each cell. `continuous` where the mean of neighbours means something."""

    name: str
    title: Name
    unit: str
    band: int
    dtype: str
    nodata: float | None
    continuous: bool


@dataclass(frozen=True)
class Values:
    """Cells of some fields: values[fields, rows, cols] on a lattice, and where they are known."""

    lattice: Lattice
    fields: tuple[Field, ...]
    values: NDArray[Any]
    known: NDArray[np.bool_]


class Cells:
    """The cells of one version of a grid under one Grant.

    Raises:
        NotFound: the layer is no grid.
        Unauthenticated, Denied: the Grant does not cover it, or holds a condition that a grid cannot keep.
    """

    def __init__(self, twin: Twin, version: LayerVersion, grant: Grant) -> None:
        grant.require(version.grade, version.layer)
        if version.kind != "grid":
            raise NotFound(f"{version.layer} is no grid", remedy="ask for its items or its series")
        if grant.filter:
            raise Denied("the filter of this Grant cannot be kept by a grid", version.layer)
        self.version = version
        self._twin = twin
        meta = version.meta
        rows, cols = (int(side) for side in meta["shape"][-2:])
        cell = float(meta["cell_m"])
        x, y = (float(value) for value in meta["origin"])
        #: How many cells of the file make one that may leave, along each side; always the same ones together.
        self.step = max(1, math.ceil(grant.finest_m / cell - 1e-9))
        if rows < self.step or cols < self.step:
            raise Denied("the grid is smaller than the finest cell that this Grant lets out", version.layer)
        crs = crs_of(twin.description.frame.crs)
        self.base = Lattice(
            crs, x, y, cell * self.step, cell * self.step, rows // self.step, cols // self.step
        )
        #: The cells that are answered where nobody asks for others.
        self.lattice = self.base if grant.area is None else self._granted(grant)
        self.fields = _fields(version, grant, self.step > 1)
        #: Whether the file itself may leave.
        self.open = grant.area is None and grant.columns is None and self.step == 1

    def _granted(self, grant: Grant) -> Lattice:
        assert grant.area is not None
        try:
            return self.base.part(grant.area, whole=True)
        except NotFound:
            if not grant.agreement:
                raise
            grant.refuse("no cell of this grid lies in the granted area", OUTSIDE, self.version.layer)

    def data(self) -> Path | bytes:
        """The file itself, or its bytes where it lies in a bucket. Raises StorageFailed, NotFound."""
        return self._twin.local(self.version) or self._twin.blobs.get(self.version.key)

    def read(self, target: Lattice, fields: Sequence[Field]) -> Values:
        """The cells of a lattice in the grid's own CRS; its area is one of whole cells of `lattice`.

        Raises:
            Denied: it reaches out of the area of the Grant.
            BadData: the file cannot be read.
            TooLarge: one row of it needs more than is held at once.
        """
        inside, outside = target.bounds, self.lattice.bounds
        slack = SLACK * self.base.width
        if (
            inside.xmin < outside.xmin - slack
            or inside.xmax > outside.xmax + slack
            or (inside.ymin < outside.ymin - slack or inside.ymax > outside.ymax + slack)
        ):
            raise Denied("these cells lie outside of the granted area", self.version.layer, code=OUTSIDE)
        with self._file() as file:
            return self._resampled(file, target, fields)

    def warped(self, target: Lattice, fields: Sequence[Field]) -> Values:
        """The cells of a lattice in any CRS; cells outside of the grid are not known.

        Raises:
            TooLarge: the part of the file behind it has more cells than are held at once.
        """
        from rasterio.crs import CRS
        from rasterio.enums import Resampling
        from rasterio.warp import reproject

        source = self._behind(target)
        shrink = min(target.width / _metre(target), target.height / _metre(target)) / source.width
        if shrink >= 2:
            source = source.resized(max(1, int(source.rows / shrink)), max(1, int(source.cols / shrink)))
        if source.rows * source.cols > WARP_CELLS:
            raise TooLarge(f"the part of the grid behind this has {source.rows * source.cols:,} cells",
                           remedy="ask for a smaller bbox or a coarser scale")  # fmt: skip
        found = self.read(source, fields)
        values = np.zeros((len(fields), target.rows, target.cols), found.values.dtype)
        known = np.zeros(values.shape, np.uint8)
        code = "EPSG:4326" if target.crs.code == CRS84.code else target.crs.code
        where = {
            "src_transform": source.transform,
            "src_crs": CRS.from_user_input(source.crs.code),
            "dst_transform": target.transform,
            "dst_crs": CRS.from_user_input(code),
        }
        for at in range(len(fields)):
            for source_array, out in (
                (found.values[at], values[at]),
                (found.known[at].astype(np.uint8), known[at]),
            ):
                reproject(
                    np.ascontiguousarray(source_array),
                    out,
                    resampling=Resampling.nearest,
                    init_dest_nodata=False,
                    **where,
                )
        return Values(target, found.fields, values, known.astype(bool))

    # -- the file ------------------------------------------------------------------------------------------

    @contextmanager
    def _file(self) -> Iterator[Any]:
        data = self.data()
        try:
            if isinstance(data, Path):
                with rasterio.open(data) as file:
                    yield file
            else:
                with MemoryFile(data) as memory, memory.open() as file:
                    yield file
        except RasterioError as error:
            raise BadData(
                f"{self.version.layer} cannot be read ({error})", remedy="build the layer again"
            ) from error

    def _behind(self, target: Lattice) -> Lattice:
        edge = target.bounds.as_tuple()
        xy = transform(edge_of(edge), target.crs, self.base.crs)
        xy = xy[np.isfinite(xy).all(axis=1)]
        if not len(xy):
            raise NotFound("no cell of the grid lies there")
        pad = 2 * self.base.width
        (xmin, ymin), (xmax, ymax) = xy.min(axis=0) - pad, xy.max(axis=0) + pad
        return self.lattice.part(Bounds(float(xmin), float(ymin), float(xmax), float(ymax)))

    def _resampled(self, file: Any, target: Lattice, fields: Sequence[Field]) -> Values:
        cell = self.base.width
        left, top = round((target.x - self.base.x) / cell), round((self.base.y - target.y) / cell)
        cols, rows = round(target.cols * target.width / cell), round(target.rows * target.height / cell)
        same = (rows, cols) == (target.rows, target.cols)
        shrinks = not same and (rows >= target.rows and cols >= target.cols)
        mean = shrinks and all(field.continuous for field in fields)
        dtype = np.dtype(fields[0].dtype)
        kind = np.promote_types(dtype, np.float32) if mean else dtype
        values = np.zeros((len(fields), target.rows, target.cols), kind)
        known = np.zeros(values.shape, bool)
        for first, last, window in _blocks(target.rows, rows, cols * self.step**2):
            raw, there = self._block(file, fields, Window(left, top + window[0], cols, window[1] - window[0]))
            if same:
                values[:, first:last], known[:, first:last] = raw, there
                continue
            edges_y = np.linspace(0, rows, target.rows + 1)[first : last + 1] - window[0]
            edges_x = np.linspace(0, cols, target.cols + 1)
            if mean:
                values[:, first:last], known[:, first:last] = _means(raw, there, edges_y, edges_x)
            else:
                values[:, first:last] = _picked(raw, edges_y, edges_x)
                known[:, first:last] = _picked(there, edges_y, edges_x)
        told = tuple(
            replace(field, dtype=str(kind), nodata=math.nan if mean else field.nodata) for field in fields
        )
        if mean:
            values[~known] = np.nan
        return Values(target, told, values, known)

    def _block(
        self, file: Any, fields: Sequence[Field], window: Window
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Cells of `base`, and where they are known; made of several cells of the file where the Grant wants them coarser."""
        k, bands = self.step, [field.band for field in fields]
        fine = Window(window.col_off * k, window.row_off * k, window.width * k, window.height * k)
        raw = file.read(bands, window=fine)
        known = _known(raw, self.version.meta.get("nodata"))
        if k == 1:
            return raw, known
        edges_y, edges_x = (
            np.arange(0, side * k + 1, k, dtype=np.float64) for side in (window.height, window.width)
        )
        if not fields[0].continuous:
            return _picked(raw, edges_y, edges_x), _picked(known, edges_y, edges_x)
        means, known = _means(raw, known, edges_y, edges_x)
        return np.where(known, means, np.nan).astype(fields[0].dtype), known


def _picked(raw: NDArray[Any], edges_y: NDArray[np.float64], edges_x: NDArray[np.float64]) -> NDArray[Any]:
    """The cell in the middle of each rectangle."""
    y = np.clip(((edges_y[:-1] + edges_y[1:]) / 2).astype(int), 0, raw.shape[1] - 1)
    x = np.clip(((edges_x[:-1] + edges_x[1:]) / 2).astype(int), 0, raw.shape[2] - 1)
    return raw[:, y][:, :, x]


def _fields(version: LayerVersion, grant: Grant, coarser: bool) -> tuple[Field, ...]:
    meta = version.meta
    shape, dtype = meta["shape"], str(meta["dtype"])
    bands = int(shape[0]) if len(shape) == 3 else 1
    names = ["value"] if bands == 1 else [f"band{n}" for n in range(1, bands + 1)]
    attributes = meta.get("attributes") or {}
    continuous = (
        meta.get("unit") != "{category}"
        and dtype != "bool"
        and not {"bits", "classes", "flags"} & set(attributes)
    )
    nodata = meta.get("nodata")
    if coarser and continuous:  # they are means from here on
        dtype, nodata = str(np.promote_types(dtype, np.float32)), math.nan
    made = tuple(
        Field(name, version.title, str(meta.get("unit") or ""), at, dtype, nodata, continuous)
        for at, name in enumerate(names, start=1)
        if grant.columns is None or name in grant.columns
    )
    if not made:
        raise Denied("the Grant lets no field of this grid out", version.layer)
    return made


def _known(raw: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    known = np.isfinite(raw) if np.issubdtype(raw.dtype, np.floating) else np.ones(raw.shape, bool)
    return known if nodata is None or math.isnan(nodata) else known & (raw != nodata)


def _blocks(target: int, rows: int, cols: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Rows of the answer, some at a time, and the rows of the file behind them."""
    if cols > BLOCK_CELLS:
        raise TooLarge(f"one row of this has {cols:,} cells", remedy="ask for a smaller bbox")
    per_row = max(1.0, rows / target) * cols
    step = max(1, int(BLOCK_CELLS / per_row))
    for first in range(0, target, step):
        last = min(target, first + step)
        yield (
            first,
            last,
            (math.floor(first * rows / target + 1e-9), min(rows, math.ceil(last * rows / target - 1e-9))),
        )


def _means(
    raw: NDArray[Any], known: NDArray[np.bool_], edges_y: NDArray[np.float64], edges_x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Means over the known cells in each rectangle, and whether any is known."""
    from twintown.kernels.means import means

    found, area = means(raw, known, edges_y, edges_x)
    return found, area > 1e-9


def _metre(lattice: Lattice) -> float:
    """About how much of a unit of the lattice's CRS a metre is."""
    return 1 / 111_320 if lattice.crs.geographic else 1.0
