"""Rows as GeoJSON text, whole columns at a time: numbers, texts and times become JSON by Arrow, shapes by GEOS.

The text is what `json` gives for the same values: nothing known and not-a-number are null, times are ISO 8601, shapes are
in CRS84 with 8 decimals, exterior rings anticlockwise (RFC 7946, 3.1.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from twintown.ground.frames import Frame
from twintown.ground.jsontext import column_json, iso, said

__all__ = ["DIGITS", "column_json", "features", "iso", "lonlat"]
DIGITS = 8  # of a degree: 1.1 mm
Shapes = NDArray[np.object_]
_TEXT = pa.large_string()


def lonlat(shapes: Shapes, frame: Frame) -> Shapes:
    """Geometries of the frame (m) in CRS84, two-dimensional, 8 decimals; None for none and for empty ones."""
    drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))

    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = frame.to_lonlat(xy[:, 0], xy[:, 1])
        return np.asarray(np.round(np.column_stack([lon, lat]), DIGITS), np.float64)

    out = np.full(len(shapes), None, object)
    if drawn.any():
        moved = shapely.transform(shapely.force_2d(shapes[drawn]), project)
        out[drawn] = shapely.orient_polygons(moved)
    return out


def features(ids: Any, shapes: Shapes, columns: Mapping[str, Any]) -> pa.LargeBinaryArray:
    """One GeoJSON feature a row.

    Args:
        ids: Arrow text, one a row.
        shapes: geometries in CRS84, or None.
        columns: Arrow arrays by name.
    """
    drawn = pa.array(shapely.to_geojson(shapes), _TEXT, from_pandas=True)
    parts: list[Any] = [said('{"type":"Feature","id":'), column_json(ids), said(',"geometry":'),
                        pc.fill_null(drawn, "null")]  # fmt: skip
    lead = ',"properties":{'
    for name, values in columns.items():
        parts += [said(f"{lead}{orjson.dumps(name).decode()}:"), column_json(values)]
        lead = ","
    parts.append(said("}}" if columns else f"{lead}}}}}"))
    return pc.binary_join_element_wise(*parts, said("")).cast(pa.large_binary())
