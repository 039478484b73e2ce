"""CityJSON 2.0 as one document. Its city objects are streamed; its vertices, which stand at the end, wait on disk when they are many.

`metadata` stands last, where the extent is known. Coordinates are in the twin's frame, x east; see `cityobjects`.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twintown.ground.crs import of_frame

from .cityobjects import SCALE, city_objects, wrap
from .flatgeobuf import envelope
from .format import Into, Read, Told
from .rows import Wkb, tables

#: Bytes of vertices that are kept in memory; more go to disk.
_IN_MEMORY = 16_000_000
_PIECE = 1_000_000


def write(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """A CityJSON document, a piece a batch, and then its vertices.

    Raises:
        BadInput: a roof that cannot be built.
    """
    origin: tuple[float, float, float] | None = None
    base, lead = 0, b""
    low, high = np.full(3, np.iinfo(np.int64).max), np.full(3, np.iinfo(np.int64).min)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as waiting:
        for batch in tables(told, batches):
            if origin is None:
                origin = origin_of(told, batch)
                yield _head(origin) + b',"CityObjects":{'
            made = city_objects(told, batch, origin, base)
            yield lead + b",\n".join(pc.cast(made.members, pa.large_binary()).to_pylist())
            if len(made.vertices):
                waiting.write((b"," if base else b"") + b",".join(vertex_texts(made.vertices).to_pylist()))
                low, high = (
                    np.minimum(low, made.vertices.min(axis=0)),
                    np.maximum(high, made.vertices.max(axis=0)),
                )
            base += len(made.vertices)
            lead = b",\n"
        if origin is None:
            origin = (0.0, 0.0, 0.0)
            yield _head(origin) + b',"CityObjects":{'
        yield b'},"vertices":['
        waiting.seek(0)
        while piece := waiting.read(_PIECE):
            yield piece
    extent = (
        [round(float(v), 3) for v in (*(low * SCALE + origin), *(high * SCALE + origin))] if base else None
    )
    yield b'],"metadata":' + orjson.dumps(metadata(told, extent)) + b"}\n"


def _head(origin: tuple[float, float, float]) -> bytes:
    return orjson.dumps(header(origin))[:-1]


def header(origin: tuple[float, float, float]) -> dict[str, Any]:
    """What begins every CityJSON document."""
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [SCALE] * 3, "translate": list(origin)},
    }


def metadata(told: Told, extent: list[float] | None = None) -> dict[str, Any]:
    """Title, CRS and, where it is known, the extent (m)."""
    said_of: dict[str, Any] = {
        "title": told.title.en,
        "referenceSystem": of_frame(told.frame).uri.replace("http:", "https:"),
    }
    if extent is not None:
        said_of["geographicalExtent"] = extent
    dates = [one.date for one in told.provenance.sources if len(one.date) == 10]
    if dates:
        said_of["referenceDate"] = max(dates)
    return said_of


def origin_of(told: Told, batch: pa.RecordBatch) -> tuple[float, float, float]:
    """Whole metres near the least coordinates, so that the numbers in the file are small."""
    z = float(math.floor(told.ground_m))
    if told.bbox_lonlat is not None:
        xmin, ymin, _, _ = envelope(told.bbox_lonlat, of_frame(told.frame))
        return float(math.floor(xmin)), float(math.floor(ymin)), z
    from twintown.kernels.wkb import take_xy

    if "geometry" in batch.schema.names:
        raw = Wkb.of(batch.column("geometry"))
        xy: NDArray[np.float64] = take_xy(raw.offsets, raw.data, raw.valid)
        xy = xy[np.isfinite(xy).all(axis=1)]
        if len(xy):
            return float(math.floor(xy[:, 0].min())), float(math.floor(xy[:, 1].min())), z
    return 0.0, 0.0, z


def vertex_texts(vertices: NDArray[np.int64]) -> pa.LargeBinaryArray:
    """`[x,y,z]` of every vertex."""
    numbers = pc.cast(pa.array(vertices.reshape(-1)), pa.large_string())
    return pc.cast(wrap(numbers, 3 * np.arange(len(vertices) + 1)), pa.large_binary())


def read(source: Path | bytes, into: Into) -> Read:
    """Buildings and their parts, or the rows of other city objects; see `cityjson_in`.

    Raises:
        BadData: no CityJSON, of an unknown version or CRS, with boundaries that point nowhere: naming the city object.
    """
    from .cityjson_in import read_cityjson

    return read_cityjson(source, into)
