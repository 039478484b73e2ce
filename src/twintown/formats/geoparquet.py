"""GeoParquet 1.1, streamed: a row group a batch or more, WKB, a bbox covering, and what the house keeps in its own files besides.

Coordinates are x = east always. GeoPandas and DuckDB read it; `Features.from_parquet` reads it where it is in the twin's frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from twintown.ground.crs import CRS84, Crs

from .flatgeobuf import envelope
from .format import Into, Read, Told
from .rows import ARROW, Wkb, drawn, tables

#: Rows are gathered to at least so many before they are written: a row group for each page of a few would be slow to read.
_ROWS = 16_384
_KEY = b"twintown"
_BBOX = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])


class _Drain:
    """A file to write to whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0
        self.closed = False

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def take(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def write(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """The bytes of a GeoParquet file, a piece a row group; a plain Parquet file for a layer without geometry.

    Raises:
        BadData: a position that the CRS does not reach.
    """
    drain = _Drain()
    schema = _schema(told)
    with pq.ParquetWriter(pa.PythonFile(drain, "w"), schema, compression="zstd") as writer:
        for group in _groups(told, batches, schema):
            writer.write_batch(group, row_group_size=_ROWS * 4)
            yield drain.take()
    yield drain.take()


def _groups(told: Told, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    kept: list[pa.RecordBatch] = []
    rows = 0
    for batch in tables(told, batches):
        own = [pc.cast(batch.column(one.name), ARROW[one.type], safe=False) for one in told.columns]
        arrays = [batch.column("id"), *own]
        if told.geometry:
            shapes = drawn(told, batch, heights=True)
            geometry = (
                pa.nulls(batch.num_rows, pa.binary()) if shapes is None else shapes.array().cast(pa.binary())
            )
            arrays += [geometry, _boxes(geometry)]
        kept.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        rows += batch.num_rows
        if rows >= _ROWS:
            yield pa.concat_batches(kept)
            kept, rows = [], 0
    if kept:
        yield pa.concat_batches(kept)


def _boxes(geometry: pa.Array) -> pa.Array:
    bounds = shapely.bounds(Wkb.of(geometry).geometries())
    axes = [pa.array(np.ascontiguousarray(bounds[:, k])) for k in range(4)]
    return pa.StructArray.from_arrays(axes, fields=list(_BBOX), mask=pa.array(np.isnan(bounds[:, 0])))


def _schema(told: Told) -> pa.Schema:
    fields = [
        pa.field("id", pa.string(), False),
        *(pa.field(one.name, ARROW[one.type]) for one in told.columns),
    ]
    own = {
        "frame": told.frame.to_dict(),
        "units": {one.name: one.unit for one in told.columns if one.unit},
        "provenance": told.provenance.to_dict(),
    }
    metadata = {_KEY: orjson.dumps(own, option=orjson.OPT_SORT_KEYS)}
    if told.geometry:
        fields += [pa.field("geometry", pa.binary()), pa.field(_covering(told), _BBOX)]
        metadata[b"geo"] = orjson.dumps(_geo(told))
    return pa.schema(fields, metadata)


def _covering(told: Told) -> str:
    return "_bbox" if any(one.name == "bbox" for one in told.columns) else "bbox"


def _geo(told: Told) -> dict[str, Any]:
    """The metadata of GeoParquet 1.1; the types of geometry are left open (an empty list) where they are not told."""
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(told.shapes),
        "crs": _projjson(told.crs),
        "covering": {"bbox": {one.name: [_covering(told), one.name] for one in _BBOX}},
    }
    if told.bbox_lonlat is not None:
        column["bbox"] = list(envelope(told.bbox_lonlat, told.crs))
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _projjson(crs: Crs) -> dict[str, Any]:
    import pyproj

    found: dict[str, Any] = pyproj.CRS.from_user_input(
        "OGC:CRS84" if crs.code == CRS84.code else crs.code
    ).to_json_dict()
    return found


def read(source: Path | bytes, into: Into) -> Read:
    """Rows of a GeoParquet file, or of plain Parquet, streamed row group by row group; see `reading_parquet`.

    Raises:
        BadData: truncated, of an encoding that is not read here, of an unknown CRS, misplaced.
    """
    from .reading_parquet import read_parquet

    return read_parquet(source, into)
