"""Rows as writers want them: coordinates in the CRS that is asked for, columns of one type each, properties as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from twintown.ground.columns import Column
from twintown.ground.crs import CRS84, Crs, of_frame, transform
from twintown.ground.errors import BadData
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance

from .format import Read, Told

if TYPE_CHECKING:
    from twintown.ground.features import Features

#: The Arrow type of every type of column; times are instants in UTC.
ARROW: dict[str, pa.DataType] = {
    "string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
    "datetime": pa.timestamp("ms", "UTC"),
}  # fmt: skip


def plain(array: pa.Array, kind: str) -> pa.Array:
    """A column in the one Arrow type that its kind is kept in here; a NaN is no value, times keep their zone."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    wanted = ARROW[kind]
    if kind == "datetime" and pa.types.is_timestamp(array.type) and array.type.tz is None:
        array = pc.cast(array, pa.timestamp(array.type.unit, "UTC"))
    if kind == "datetime" and pa.types.is_date(array.type):
        array = pc.cast(pc.cast(array, pa.timestamp("ms")), wanted)
    if kind == "datetime" and pa.types.is_timestamp(array.type):
        return array
    if array.type != wanted:
        array = pc.cast(array, wanted, safe=False)
    if kind == "number" and len(array):
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, pa.float64()))
    return array


def instants(array: pa.Array) -> pa.Array:
    """Times as texts of RFC 3339 in UTC, without fractions where there are none."""
    if not len(array):
        return pa.array([], pa.string())
    text = pc.strftime(pc.cast(array, ARROW["datetime"], safe=False), "%Y-%m-%dT%H:%M:%SZ")
    fraction = pc.replace_substring_regex(text, r"\.0+Z$", "Z")
    return pc.replace_substring_regex(fraction, r"(\.\d*?)0+Z$", r"\1Z")


@dataclass(frozen=True)
class Wkb:
    """A column of WKB as arrays: row i is `data[offsets[i]:offsets[i + 1]]` where `valid[i]`."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]
    valid: NDArray[np.bool_]

    @classmethod
    def of(cls, array: pa.Array) -> Wkb:
        """From a column of binary."""
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if not pa.types.is_large_binary(array.type):
            array = pc.cast(array, pa.large_binary())
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        buffers = array.buffers()
        if not len(array) or buffers[2] is None:
            return cls(np.zeros(len(array) + 1, np.int64), np.zeros(0, np.uint8), valid)
        offsets = np.frombuffer(buffers[1], np.int64, len(array) + 1, 8 * array.offset)
        data = np.frombuffer(buffers[2], np.uint8)
        for one in (offsets, data):  # so that the kernels meet one type of array only
            one.setflags(write=False)
        return cls(offsets, data, valid)

    def geometries(self) -> NDArray[Any]:
        """As an array of shapely objects, None without one."""
        return np.asarray(shapely.from_wkb(self.array().to_numpy(zero_copy_only=False)))

    def array(self) -> pa.Array:
        """As a column of binary again."""
        none = pa.py_buffer(np.packbits(self.valid, bitorder="little").tobytes())
        return pa.Array.from_buffers(
            pa.large_binary(), len(self.valid), [none, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        )

    def moved(self, source: Crs, target: Crs) -> Wkb:
        """The same geometries in another CRS, x east; heights stay.

        Raises:
            BadData: a position that the other CRS does not reach.
        """
        if source.code == target.code:
            return self
        from twintown.kernels.wkb import put_xy, take_xy

        xy = take_xy(self.offsets, self.data, self.valid)
        there = transform(xy, source, target)
        lost = ~np.isfinite(there).all(axis=1) & np.isfinite(xy).all(axis=1)
        if lost.any():
            x, y = xy[int(np.argmax(lost))]
            raise BadData(
                f"the position {x:.10g} {y:.10g} lies outside of where {target.code} holds",
                source.code,
                "check the CRS that the data is in and the order of its axes",
            )
        return Wkb(self.offsets, put_xy(self.offsets, self.data, self.valid, there), self.valid)


def drawn(told: Told, batch: pa.RecordBatch, crs: Crs | None = None, heights: bool = False) -> Wkb | None:
    """The geometries of a batch in the CRS that is told (or `crs`), x east; none for a table.

    Args:
        heights: keep the heights; without, `lonlat` is taken where the batch has it ready.
    """
    target = told.crs if crs is None else crs
    degrees = target.code in (CRS84.code, "EPSG:4326")
    if degrees and not heights and "lonlat" in batch.schema.names:
        return Wkb.of(batch.column("lonlat"))
    if "geometry" not in batch.schema.names:
        return None
    return Wkb.of(batch.column("geometry")).moved(of_frame(told.frame), CRS84 if degrees else target)


def tables(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches with the columns that are told, each in its one type; others are left out, missing ones are null."""
    for batch in batches:
        if not batch.num_rows:
            continue
        names = batch.schema.names
        arrays = [pc.cast(batch.column("id"), pa.string())]
        for column in told.columns:
            if column.name in names:
                arrays.append(plain(batch.column(column.name), column.type))
            else:
                arrays.append(pa.nulls(batch.num_rows, ARROW[column.type]))
        fields = ["id", *(column.name for column in told.columns)]
        for name in ("geometry", "lonlat"):
            if name in names:
                arrays.append(batch.column(name))
                fields.append(name)
        yield pa.RecordBatch.from_arrays(arrays, fields)


def columns_of(schema: pa.Schema, without: Sequence[str] = ()) -> tuple[Column, ...]:
    """Columns as a schema has them; without units, called by their names."""
    return tuple(
        Column(field.name, _kind(field.type), "", Name(field.name, field.name))
        for field in schema
        if field.name not in without
    )


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    return "datetime" if pa.types.is_timestamp(kind) or pa.types.is_date(kind) else "string"


def as_features(read: Read, provenance: Provenance) -> Features:
    """All rows of what is read, at once; see `Read.features`."""
    import geopandas as gpd

    from twintown.ground.features import Features

    fields = [
        ("id", pa.string()),
        *((one.name, ARROW[one.type]) for one in read.columns),
        ("geometry", pa.large_binary()),
    ]
    schema = pa.schema(fields)
    whole = pa.Table.from_batches(
        [
            pa.RecordBatch.from_arrays([_to(batch, f) for f in schema], schema=schema)
            for batch in read.batches
        ],
        schema,
    )
    geometry = shapely.from_wkb(whole.column("geometry").combine_chunks().to_numpy(zero_copy_only=False))
    table = whole.drop_columns(["geometry"]).to_pandas()
    units = {column.name: column.unit for column in read.columns if column.unit}
    return Features(
        gpd.GeoDataFrame(table, geometry=geometry, crs=read.frame.crs), read.frame, provenance, units
    )


def _to(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    if field.name not in batch.schema.names:
        return pa.nulls(batch.num_rows, field.type)
    array = batch.column(field.name)
    return array if array.type == field.type else pc.cast(array, field.type)
