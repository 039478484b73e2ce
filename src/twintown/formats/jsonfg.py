"""JSON-FG 1.0 (OGC 21-045r1): GeoJSON with what it cannot say: time, type, another CRS, solids.

`geometry` is always there in degrees, so that GeoJSON readers see something (the profile `jsonfg-plus`). `place` has the same in the
CRS that is asked for, in the order of its axes and with heights; buildings whose parts are known have solids there instead (Polyhedron,
MultiPolyhedron), in the twin's frame and above its vertical datum. Where neither is asked for nor known, `place` is null.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twintown.city.bodies import Bodies
from twintown.ground.crs import CRS84, Crs, crs_of, of_frame
from twintown.ground.jsontext import column_json, joined, members, said

from .cityobjects import part_bodies, parts_of_batch, wrap
from .format import Into, Read, Told
from .geojson import geometry_json, shapes
from .rows import instants, tables

_SPEC = "http://www.opengis.net/spec/json-fg-1/1.0/conf"
_DIMENSION = {"Point": 0, "LineString": 1, "Polygon": 2}


def write(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """A JSON-FG feature collection, a piece a batch.

    Raises:
        BadData: a position that the CRS does not reach. BadInput: a roof that cannot be built.
    """
    yield orjson.dumps(head(told))[:-1] + b',"features":['
    lead = b""
    for batch in tables(told, batches):
        yield lead + b",\n".join(features(told, batch).to_pylist())
        lead = b",\n"
    yield b"]}\n"


def solid(told: Told) -> bool:
    """True where `place` holds solids."""
    return told.layer == "buildings" and told.parts is not None


def head(told: Told) -> dict[str, Any]:
    """The members of the collection, without its features."""
    classes = ["core", "types-schemas", *(["polyhedra"] if solid(told) else [])]
    found: dict[str, Any] = {"type": "FeatureCollection", "conformsTo": [f"{_SPEC}/{one}" for one in classes]}
    found["featureType"] = told.layer
    if solid(told):
        found["geometryDimension"] = 3
        found["coordRefSys"] = [of_frame(told.frame).uri, crs_of(told.frame.vertical).uri]
    else:
        if told.geometry in _DIMENSION:
            found["geometryDimension"] = _DIMENSION[told.geometry]
        found["coordRefSys"] = told.crs.uri
    if told.links:
        found["links"] = list(told.links)
    return found


def features(told: Told, batch: pa.RecordBatch) -> pa.LargeBinaryArray:
    """One feature a row, as text; the batch as `rows.tables` gives it."""
    text = joined(
        said('{"type":"Feature","id":'), column_json(batch.column("id")), said(',"featureType":'),
        column_json(pa.array([told.layer], pa.string()))[0], said(',"time":'), _time(told, batch), said(',"place":'),
        _place(told, batch), said(',"geometry":'), geometry_json(shapes(told, batch, CRS84), CRS84), said(',"properties":'),
        *members({one.name: batch.column(one.name) for one in told.columns}), said("}"),
    )  # fmt: skip
    return pc.cast(text, pa.large_binary())


def _nulls(n: int) -> pa.LargeStringArray:
    return pa.array(["null"] * n, pa.large_string())


def _time(told: Told, batch: pa.RecordBatch) -> pa.LargeStringArray:
    """`{"timestamp":…}`, `{"date":…}` or `{"interval":[…]}`; null where nothing is known."""
    columns = [one for one in told.columns if one.name in told.time]
    if not columns or len(columns) > 2:
        return _nulls(batch.num_rows)
    texts = [
        pc.cast(instants(batch.column(one.name)) if one.type == "datetime" else pc.cast(batch.column(one.name), pa.string()),
                pa.large_string())
        for one in columns
    ]  # fmt: skip
    if len(texts) == 1:
        day = pc.match_substring_regex(texts[0], r"^\d{4}-\d\d-\d\d$")
        made = joined(pc.if_else(day, said('{"date":"'), said('{"timestamp":"')), texts[0], said('"}'))
        return pc.fill_null(made, "null")
    known = pc.or_(texts[0].is_valid(), texts[1].is_valid())
    start, end = (pc.fill_null(one, "..") for one in texts)
    made = joined(said('{"interval":["'), start, said('","'), end, said('"]}'))
    return pc.if_else(known, made, said("null"))


def _place(told: Told, batch: pa.RecordBatch) -> pa.LargeStringArray:
    if not solid(told):
        if told.crs.code == CRS84.code or not told.geometry:
            return _nulls(batch.num_rows)
        return geometry_json(shapes(told, batch, told.crs, heights=True), told.crs)
    parts, owner = parts_of_batch(told, batch.column("id"))
    out = np.full(batch.num_rows, "null", object)
    if parts is not None:
        made = part_bodies(told, parts)
        rows, text = polyhedra(made, owner[made.owner], of_frame(told.frame))
        out[rows] = text.to_numpy(zero_copy_only=False)
    return pa.array(out, pa.large_string())


def polyhedra(
    made: Bodies, owner: NDArray[np.int64], crs: Crs
) -> tuple[NDArray[np.int64], pa.LargeStringArray]:
    """The rows that have bodies, and a Polyhedron or MultiPolyhedron of each.

    Args:
        made: bodies in metres.
        owner: int64[bodies], the row of each, ascending.
        crs: of the coordinates, for the order of its axes.
    """
    if not len(owner):
        return owner, pa.array([], pa.large_string())
    xyz = made.vertices[:, [1, 0, 2]] if crs.north_first else made.vertices
    numbers = pc.cast(pa.array(np.round(xyz, 3).reshape(-1)), pa.large_string())
    positions = wrap(numbers, 3 * np.arange(len(xyz) + 1))
    lengths = np.diff(made.rings)
    closed = made.rings + np.arange(len(made.rings))  # one corner more a ring: its first again
    at = np.arange(closed[-1]) - np.repeat(closed[:-1], lengths + 1)
    corners = made.corners[
        np.repeat(made.rings[:-1], lengths + 1) + np.where(at == np.repeat(lengths, lengths + 1), 0, at)
    ]
    shells = wrap(wrap(wrap(positions.take(pa.array(corners)), closed), made.faces), made.bodies)
    rows, first = np.unique(owner, return_index=True)
    groups = np.append(first, len(owner)).astype(np.int64)
    solids = joined(said("["), shells, said("]"))
    alone = pa.array(np.diff(groups) == 1)
    coordinates = pc.if_else(alone, solids.take(pa.array(groups[:-1])), wrap(solids, groups))
    kind = pc.if_else(alone, said("Polyhedron"), said("MultiPolyhedron"))
    return rows, joined(said('{"type":"'), kind, said('","coordinates":'), coordinates, said("}"))


def read(source: Path | bytes, into: Into) -> Read:
    """Rows of a JSON-FG document; see `reading_json`.

    Raises:
        BadData: no JSON, no JSON-FG, of an unknown CRS, misplaced: naming the place in the document.
    """
    from .reading_json import read_geojson

    return read_geojson(source, into)
