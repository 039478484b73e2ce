"""GeoJSON (RFC 7946), streamed; the same in another CRS where one is asked for, in the order of its axes (OGC 17-069r4, Part 2).

Degrees have 8 decimals (1.1 mm), metres 4. Heights are left out: RFC 7946 counts them from the ellipsoid, a twin from the geoid;
JSON-FG has them. Exterior rings are anticlockwise. Empty geometries are null.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from twintown.ground.crs import Crs
from twintown.ground.jsontext import column_json, joined, members, said

from .format import Into, Read, Told
from .rows import drawn, tables

DIGITS = {True: 8, False: 4}  # of degrees, of metres


def write(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """A FeatureCollection, a piece a batch.

    Raises:
        BadData: a position that the CRS does not reach.
    """
    head = {"type": "FeatureCollection", **({"links": list(told.links)} if told.links else {})}
    yield orjson.dumps(head)[:-1] + b',"features":['
    lead = b""
    for batch in tables(told, batches):
        texts = features(told, batch)
        yield lead + b",\n".join(texts.to_pylist())
        lead = b",\n"
    yield b"]}\n"


def features(told: Told, batch: pa.RecordBatch) -> pa.LargeBinaryArray:
    """One Feature a row, as text; the batch as `rows.tables` gives it."""
    properties = {one.name: batch.column(one.name) for one in told.columns}
    text = joined(
        said('{"type":"Feature","id":'), column_json(batch.column("id")),
        said(',"geometry":'), geometry_json(shapes(told, batch, told.crs), told.crs),
        said(',"properties":'), *members(properties), said("}"),
    )  # fmt: skip
    return pc.cast(text, pa.large_binary())


def shapes(told: Told, batch: pa.RecordBatch, crs: Crs, heights: bool = False) -> NDArray[Any]:
    """Geometries of a batch, x east, rounded as the CRS deserves; None where there is none or an empty one."""
    found = drawn(told, batch, crs, heights)
    out = np.full(batch.num_rows, None, object)
    if found is None:
        return out
    geometry = found.geometries()
    there = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    digits = DIGITS[crs.geographic]

    def rounded(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.round(xyz, digits), np.float64)

    for which, high in (
        (there & ~(heights & shapely.has_z(geometry)), False),
        (there & (heights & shapely.has_z(geometry)), True),
    ):
        if which.any():
            kept = geometry[which] if high else shapely.force_2d(geometry[which])
            out[which] = shapely.orient_polygons(shapely.transform(kept, rounded, include_z=high))
    return out


def geometry_json(geometries: NDArray[Any], crs: Crs) -> pa.LargeStringArray:
    """Geometries as GeoJSON objects in the order of the axes of their CRS, `null` for None."""
    text = pa.array(shapely.to_geojson(crs.swap(geometries)), pa.large_string(), from_pandas=True)
    return pc.fill_null(text, "null")


def read(source: Path | bytes, into: Into) -> Read:
    """Rows of a GeoJSON document, or of a file with one Feature a line; see `reading_json`.

    Raises:
        BadData: no JSON, no GeoJSON, misplaced: naming the place in the document.
    """
    from .reading_json import read_geojson

    return read_geojson(source, into)
