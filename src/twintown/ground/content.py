"""The digest of what a shape says, whatever file it was kept in and wherever it came from.

Two shapes with the same digest hold the same values in the same unit at the same place. Provenance does not count, nor the order
of rows and columns, the width of integers in a table, compression, overviews or the library that wrote the file. So a result that is
computed again has the digest of the one that was published, although their files may differ in a byte of a writer's version.

A hash of hashes: one for each column (or the cells of a grid), and one over the canonical JSON that names them all. Large
arrays are read in blocks, so that a memory map is never whole in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .errors import BadInput
from .features import Features
from .frames import Frame
from .grid import Grid
from .provenance import digest_of
from .series import Series

#: Bytes that are looked at together.
BLOCK = 1 << 24
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def content_digest(shape: Features | Grid | Series) -> str:
    """`sha256:…` over values, frame, units, names and types of columns, ids, geometries, no-data and attributes.

    Raises:
        BadInput: the shape is none of the three.
    """
    return digest_of(content(shape))


def content(shape: Features | Grid | Series) -> dict[str, Any]:
    """What the digest is taken of: JSON, with a digest for every column, so that two shapes can be told apart column by column.

    Raises:
        BadInput: the shape is none of the three.
    """
    if isinstance(shape, Grid):
        return _grid(shape)
    if isinstance(shape, Features):
        return _features(shape)
    if isinstance(shape, Series):
        return _series(shape)
    raise BadInput(f"a {type(shape).__name__} has no content that can be told apart")


def _grid(grid: Grid) -> dict[str, Any]:
    values = grid.values[0] if grid.values.ndim == 3 and len(grid.values) == 1 else grid.values
    nodata = None if grid.nodata is None else repr(float(values.dtype.type(grid.nodata)))
    return {
        "kind": "grid", "frame": _frame(grid.frame), "unit": grid.unit, "nodata": nodata,
        "origin": [float(grid.origin_x), float(grid.origin_y)], "cell_m": float(grid.cell_m),
        "shape": list(values.shape), "type": values.dtype.newbyteorder("<").str,
        "values": _cells(values), "attributes": _plain(dict(grid.attributes)),
    }  # fmt: skip


def _features(features: Features) -> dict[str, Any]:
    """Rows in the order of their ids: a file keeps them in Hilbert order, a process gives them in its own."""
    import shapely

    table = features.table
    place = table.geometry.name
    ids = pa.array(table["id"].astype(str).to_numpy(dtype=object), pa.string())
    order = pc.sort_indices(ids)
    rest = pa.Table.from_pandas(table.drop(columns=place), preserve_index=False)
    shapes = table.geometry.to_numpy()
    drawn = pa.array(
        shapely.to_wkb(shapes, byte_order=1, output_dimension=4, flavor="iso"), pa.large_binary()
    )
    columns = {name: _column(rest.column(name), order) for name in rest.column_names}
    return {
        "kind": "features", "frame": _frame(features.frame), "rows": len(table),
        "columns": columns, "units": dict(sorted(features.units.items())),
        "geometry": _bytes(drawn.take(order)),
    }  # fmt: skip


def _series(series: Series) -> dict[str, Any]:
    table = series.table
    return {
        "kind": "series", "zone": series.zone, "place": series.place, "rows": table.num_rows,
        "columns": {name: _column(table.column(name)) for name in table.column_names},
        "units": dict(sorted(series.units.items())), "attributes": _plain(dict(series.attributes)),
    }  # fmt: skip


def _frame(frame: Frame) -> dict[str, Any]:
    """Where the numbers are; where the undulation was taken from is provenance."""
    return {"crs": frame.crs, "vertical": frame.vertical, "undulation_m": float(frame.undulation_m)}


def _plain(value: dict[str, Any]) -> Any:
    """Attributes as a file gives them back."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))


# -- arrays ---------------------------------------------------------------------------------------------------


def _blocks(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Runs of whole rows, band by band, each of about BLOCK bytes."""
    if values.ndim > 2:
        for band in values:
            yield from _blocks(band)
        return
    row = max(1, values[:1].nbytes)
    step = max(1, BLOCK // row)
    for start in range(0, len(values), step):
        yield values[start : start + step]


def _cells(values: NDArray[Any]) -> str:
    """The digest of an array's numbers: little-endian, one zero, one not-a-number."""
    kind = values.dtype.newbyteorder("<")
    mark = hashlib.sha256()
    for block in _blocks(values):
        part = np.ascontiguousarray(block, kind)
        if kind.kind == "f":
            part = part + kind.type(0)  # the negative zero becomes the positive one
            part[np.isnan(part)] = np.nan
        mark.update(part.reshape(-1).view(np.uint8).data)
    return mark.hexdigest()


def _column(column: Any, order: Any = None) -> dict[str, str]:
    """Type in the words of JSON Schema, and the digest of the values, of an Arrow column."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(values, pa.ChunkedArray):  # a text column beyond 2 GB
        values = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in values.chunks])
    if order is not None:
        values = values.take(order)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_boolean(kind):
        return _numbers(values, "boolean", np.dtype("u1"))
    if pa.types.is_integer(kind) and not values.null_count:
        return _numbers(values, "integer", np.dtype("<u8" if pa.types.is_uint64(kind) else "<i8"))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        # whole numbers with gaps come back from a table as numbers with not-a-number in the gaps
        return _numbers(
            pc.fill_null(values.cast(pa.float64(), safe=False), np.nan), "number", np.dtype("<f8")
        )
    if pa.types.is_timestamp(kind):
        return _times(values)
    if pa.types.is_null(kind):
        return {"type": "null", "values": ""}
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return {"type": "binary", "values": _bytes(values.cast(pa.large_binary()))}
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        nested = pa.types.is_nested(kind)
        said = [None if one is None else _json(one) for one in values.to_pylist()] if nested else None
        values = pa.array(said, pa.large_string()) if said is not None else values.cast(pa.large_string())
    return {"type": "string", "values": _bytes(values.cast(pa.large_string()).cast(pa.large_binary()))}


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()


def _numbers(values: Any, kind: str, wide: np.dtype[Any]) -> dict[str, str]:
    if not values.null_count:
        return {"type": kind, "values": _cells(values.to_numpy(zero_copy_only=False).astype(wide))}
    filled = pc.fill_null(values, False).to_numpy(zero_copy_only=False).astype(wide)
    return {"type": kind, "values": f"{_known(values)}{_cells(filled)}"}


def _times(values: Any) -> dict[str, str]:
    """Seconds and billionths since 1970 in UTC (or since that date on the wall, without a zone)."""
    per = _PER_SECOND[values.type.unit]
    zone = values.type.tz or ""
    ticks = pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    whole, rest = np.divmod(ticks, per)
    both = np.stack([whole, rest * (1_000_000_000 // per)], axis=-1).astype("<i8")
    return {"type": f"datetime {zone}".strip(), "values": f"{_known(values)}{_cells(both)}"}


def _known(values: Any) -> str:
    """The digest of which rows are known."""
    return _cells(values.is_valid().to_numpy(zero_copy_only=False).astype("u1"))


def _bytes(values: Any) -> str:
    """The digest of texts or other bytes: which are known, how long each is, and all of them one behind the other."""
    known, filled = _known(values), pc.fill_null(values, b"")
    lengths = pc.binary_length(filled).to_numpy(zero_copy_only=False).astype("<i8")
    mark = hashlib.sha256(f"{known}{_cells(lengths)}".encode())
    _, offsets, data = filled.buffers()
    if data is not None and len(filled):
        places = np.frombuffer(offsets, np.int64)[filled.offset : filled.offset + len(filled) + 1]
        view = memoryview(data)[int(places[0]) : int(places[-1])]
        for start in range(0, len(view), BLOCK):
            mark.update(view[start : start + BLOCK])
    return mark.hexdigest()
