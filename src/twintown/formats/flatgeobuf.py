"""FlatGeobuf 3: written a batch at a time as it streams, read through GDAL.

A stream cannot be sorted first, so it has no spatial index (`index_node_size` 0). The header is a flatbuffer made with its
package; the features are laid out by `kernels/flatgeobuf` straight from Arrow's buffers. Coordinates are x = east always.

Lines and polygons become multi ones unless `Told.shapes` says that there are none, so that the layer is of one type; a layer
of points that is not known to hold multipoints is one of points; mixed layers are of unknown type. Heights are kept where the
first rows have them and the layer is of one type (GDAL's clients cannot read a mixed one with heights). Rows without a geometry
have none; empty ones stay empty (an empty point has NaN coordinates); a collection in a collection gives its members to the
outer one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twintown.ground.crs import CRS84, Crs, transform
from twintown.ground.errors import BadData

from .format import Into, Read, Told
from .rows import Wkb, drawn, instants, tables

if TYPE_CHECKING:
    from flatbuffers import Builder  # type: ignore[import-untyped]

MAGIC = b"fgb\x03fgb\x00"
_TYPES = {"boolean": 2, "integer": 7, "number": 10, "string": 11, "datetime": 13}
_SHAPES = {"Point": 1, "LineString": 2, "Polygon": 3, "MultiPoint": 4, "MultiLineString": 5, "MultiPolygon": 6,
           "GeometryCollection": 7}  # fmt: skip
_UNKNOWN = 0
_PIECES = 17


def write(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """The bytes of a FlatGeobuf file: the header with the first rows, then a piece a batch.

    Raises:
        BadData: a position that the CRS does not reach, or a multipoint in a layer that was begun as one of points.
    """
    layout: _Layout | None = None
    for batch in tables(told, batches):
        if layout is None:
            layout = _Layout.of(told, batch)
            yield MAGIC + header(told, layout)
        yield _features(told, layout, batch)
    if layout is None:
        yield MAGIC + header(told, _Layout(_SHAPES.get(told.geometry, _UNKNOWN), False, 0))


@dataclass(frozen=True)
class _Layout:
    """What is settled before the first feature: the type of all geometries, whether they have heights, what is promoted."""

    shape: int
    z: bool
    promote: int

    @classmethod
    def of(cls, told: Told, batch: pa.RecordBatch) -> _Layout:
        from twintown.kernels import wkb

        raw = Wkb.of(batch.column("geometry" if "geometry" in batch.schema.names else "lonlat"))
        z = bool(wkb.any_z(raw.offsets, raw.data, raw.valid))
        mixed = cls(_UNKNOWN, False, 0)
        if len(told.shapes) == 1:
            return cls(_SHAPES[told.shapes[0]], z, 0) if told.shapes[0] in _SHAPES else mixed
        if told.geometry in ("LineString", "Polygon"):
            multi = _SHAPES[f"Multi{told.geometry}"]
            return (
                cls(multi, z, multi) if {*told.shapes} <= {told.geometry, f"Multi{told.geometry}"} else mixed
            )
        found = int(wkb.kinds(raw.offsets, raw.data, raw.valid))
        single = told.geometry == "Point" and not told.shapes and found & ~0b10 == 0
        return cls(_SHAPES["Point"], z, 0) if single else mixed

    @property
    def allowed(self) -> int:
        """The kinds of WKB that may come, as bits."""
        if self.shape == _UNKNOWN:
            return 0b11111110
        return 1 << self.shape | (1 << (self.shape - 3) if self.promote else 0)


def header(told: Told, layout: _Layout) -> bytes:
    """The size-prefixed Header table; https://github.com/flatgeobuf/flatgeobuf/blob/master/src/fbs/header.fbs."""
    from flatbuffers import Builder

    builder = Builder(1024)
    columns = [_column(builder, "id", "string", "")]
    columns += [_column(builder, one.name, one.type, one.title.en) for one in told.columns]
    name, title = builder.CreateString(told.layer), builder.CreateString(told.title.en)
    text = "; ".join(f"{one.title} ({one.licence.id})" for one in told.provenance.sources)
    description = builder.CreateString(text)
    crs = _crs(builder, told.crs)
    builder.StartVector(4, len(columns), 4)
    for column in reversed(columns):
        builder.PrependUOffsetTRelative(column)
    listed = builder.EndVector()
    envelope = _envelope(builder, told)
    builder.StartObject(14)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    if envelope:
        builder.PrependUOffsetTRelativeSlot(1, envelope, 0)
    builder.PrependUint8Slot(2, layout.shape, 0)
    builder.PrependBoolSlot(3, layout.z, False)
    builder.PrependUOffsetTRelativeSlot(7, listed, 0)
    builder.PrependUint64Slot(8, told.count or 0, 0)
    builder.PrependUint16Slot(9, 0, 16)
    builder.PrependUOffsetTRelativeSlot(10, crs, 0)
    builder.PrependUOffsetTRelativeSlot(11, title, 0)
    builder.PrependUOffsetTRelativeSlot(12, description, 0)
    builder.FinishSizePrefixed(builder.EndObject())
    return bytes(builder.Output())


def _column(builder: Builder, name: str, kind: str, title: str) -> int:
    named, titled = builder.CreateString(name), builder.CreateString(title)
    builder.StartObject(11)
    builder.PrependUOffsetTRelativeSlot(0, named, 0)
    builder.PrependUint8Slot(1, _TYPES[kind], 0)
    builder.PrependUOffsetTRelativeSlot(2, titled, 0)
    return int(builder.EndObject())


def _crs(builder: Builder, crs: Crs) -> int:
    authority, code = (
        ("EPSG", 4326) if crs.code == CRS84.code else (crs.code.split(":")[0], int(crs.code.split(":")[1]))
    )
    org, name = builder.CreateString(authority), builder.CreateString(crs.title)
    builder.StartObject(6)
    builder.PrependUOffsetTRelativeSlot(0, org, 0)
    builder.PrependInt32Slot(1, code, 0)
    builder.PrependUOffsetTRelativeSlot(2, name, 0)
    return int(builder.EndObject())


def _envelope(builder: Builder, told: Told) -> int:
    if told.bbox_lonlat is None:
        return 0
    box = envelope(told.bbox_lonlat, told.crs)
    return int(builder.CreateNumpyVector(np.array(box, np.float64)))


def envelope(bbox_lonlat: tuple[float, float, float, float], crs: Crs) -> tuple[float, float, float, float]:
    """xmin, ymin, xmax, ymax in another CRS, x east, around a box in degrees whose sides bend there."""
    west, south, east, north = bbox_lonlat
    lon, lat = np.meshgrid(np.linspace(west, east, _PIECES), np.linspace(south, north, _PIECES))
    there = transform(np.column_stack([lon.ravel(), lat.ravel()]), CRS84, crs)
    (xmin, ymin), (xmax, ymax) = there.min(axis=0), there.max(axis=0)
    return float(xmin), float(ymin), float(xmax), float(ymax)


def _features(told: Told, layout: _Layout, batch: pa.RecordBatch) -> bytes:
    """The size-prefixed features of one batch."""
    from twintown.kernels import flatgeobuf as kernel
    from twintown.kernels import wkb

    shapes = drawn(told, batch, heights=layout.z)
    assert shapes is not None
    found = int(wkb.kinds(shapes.offsets, shapes.data, shapes.valid))
    if found & ~layout.allowed:
        raise BadData(
            "holds geometries of another type than the layer says", told.layer, "ask for it in another format"
        )
    n = batch.num_rows
    sizes = np.empty(n, np.int64)
    bad = kernel.measure(shapes.offsets, shapes.data, shapes.valid, layout.z, layout.promote, sizes)
    if bad >= 0:
        raise BadData(
            f"the geometry of row {batch.column('id')[bad]} cannot be read",
            told.layer,
            "build the layer again",
        )
    cells = [_Cells.of(batch.column(0), "string")]
    cells += [_Cells.of(batch.column(k + 1), one.type) for k, one in enumerate(told.columns)]
    properties = np.sum([cell.sizes for cell in cells], axis=0, dtype=np.int64)
    ends = np.cumsum((28 + sizes + 4 + properties + 7) & ~7)
    starts = np.concatenate([[0], ends])
    out = np.zeros(int(starts[-1]), np.uint8)
    cursor = np.empty(n, np.int64)
    kernel.write_features(
        out, out.view(np.uint32), starts, sizes, properties, shapes.offsets, shapes.data, shapes.valid, layout.z,
        layout.promote, cursor,
    )  # fmt: skip
    for index, cell in enumerate(cells):
        cell.write(out, cursor, index)
    return out.tobytes()


@dataclass(frozen=True)
class _Cells:
    """One column of a batch as bytes: numbers of one width, or texts with their offsets."""

    valid: NDArray[np.bool_]
    data: NDArray[np.uint8]
    width: int
    offsets: NDArray[np.int64] | None
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, array: pa.Array, kind: str) -> _Cells:
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        if kind in ("string", "datetime"):
            raw = Wkb.of(pc.cast(instants(array) if kind == "datetime" else array, pa.large_binary()))
            return cls(valid, raw.data, 0, raw.offsets, np.where(valid, 6 + np.diff(raw.offsets), 0))
        wide: Any = {"boolean": np.uint8, "integer": np.int64, "number": np.float64}[kind]
        filled = pc.fill_null(array, False if kind == "boolean" else 0)
        values = np.ascontiguousarray(filled.to_numpy(zero_copy_only=False).astype(wide, copy=False))
        width = values.dtype.itemsize
        return cls(valid, values.view(np.uint8), width, None, np.where(valid, 2 + width, 0))

    def write(self, out: NDArray[np.uint8], cursor: NDArray[np.int64], index: int) -> None:
        """Behind what stands in every row already."""
        from twintown.kernels import flatgeobuf as kernel

        if self.offsets is None:
            kernel.write_numbers(out, cursor, index, self.data, self.width, self.valid)
        else:
            kernel.write_texts(out, cursor, index, self.offsets, self.data, self.valid)


def read(source: Path | bytes, into: Into) -> Read:
    """Rows of a FlatGeobuf file, through GDAL's Arrow stream.

    Raises:
        BadData: see `vectors.read_vectors`.
    """
    from .reading import through_gdal

    return through_gdal(source, into, "FlatGeobuf", MAGIC[:4])
