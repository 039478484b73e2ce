"""Is it GeoJSON (RFC 7946)? Said with the path of the first thing that is not, before GDAL guesses."""

from __future__ import annotations

import math
from typing import Any

from twintown.ground.errors import BadData

_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


def check_document(document: Any, where: str) -> None:
    """
    Raises:
        BadData: the first member that RFC 7946 does not allow: its path, what is wrong.
    """
    if not isinstance(document, dict) or "type" not in document:
        raise _bad("is JSON, but no GeoJSON object with a type", "$", where)
    kind = document["type"]
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise _bad("has no list of features", "$.features", where)
        for i, feature in enumerate(features):
            _feature(feature, f"$.features[{i}]", where)
    elif kind == "Feature":
        _feature(document, "$", where)
    else:
        _geometry(document, "$", where)


def _bad(what: str, path: str, where: str) -> BadData:
    return BadData(f"{what} (at {path})", where, "mend it there (RFC 7946)")


def _feature(feature: Any, path: str, where: str) -> None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _bad("holds something that is no Feature", path, where)
    if "geometry" not in feature:
        raise _bad("a Feature without geometry (null is allowed)", f"{path}.geometry", where)
    if not isinstance(feature.get("properties"), dict | None):
        raise _bad("properties are no object", f"{path}.properties", where)
    if feature["geometry"] is not None:
        _geometry(feature["geometry"], f"{path}.geometry", where)


def _geometry(geometry: Any, path: str, where: str) -> None:
    if not isinstance(geometry, dict):
        raise _bad("a geometry that is no object", path, where)
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        members = geometry.get("geometries")
        if not isinstance(members, list):
            raise _bad("a collection without geometries", f"{path}.geometries", where)
        for i, member in enumerate(members):
            _geometry(member, f"{path}.geometries[{i}]", where)
        return
    if not isinstance(kind, str) or kind not in _DEPTH:
        raise _bad(f"{kind!r} is no type of geometry", f"{path}.type", where)
    if "coordinates" not in geometry:
        raise _bad("a geometry without coordinates", path, where)
    _coordinates(geometry["coordinates"], _DEPTH[kind], kind, f"{path}.coordinates", where)


def _coordinates(value: Any, depth: int, kind: str, path: str, where: str) -> None:
    if not isinstance(value, list):
        raise _bad("coordinates are no array", path, where)
    if depth == 0:
        if len(value) < 2 or not all(
            isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in value
        ):
            raise _bad("a position is not two or three numbers", path, where)
        return
    if depth == 1 and kind in ("LineString", "MultiLineString") and len(value) < 2:
        raise _bad("a line has fewer than two positions", path, where)
    for i, one in enumerate(value):
        _coordinates(one, depth - 1, kind, f"{path}[{i}]", where)
    if depth == 1 and kind in ("Polygon", "MultiPolygon"):
        if len(value) < 4:
            raise _bad("a ring has fewer than four positions", path, where)
        if value[0] != value[-1]:
            raise _bad("a ring does not end where it begins", path, where)
