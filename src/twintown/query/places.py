"""The spatial operators of CQL2 (OGC 21-065r2) on longitude and latitude as a plane, as simple features define them.

A literal that crosses itself is taken as the area that its rings enclose; heights do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from twintown.ground.crs import boxes as _boxes

from .query import Expression, LonLat
from .tokens import bad

#: a with b: the relation that shapely computes, and whether it asks the other way round so that `b` may be prepared.
_RELATIONS: Mapping[str, Any] = {
    "s_contains": shapely.contains, "s_crosses": shapely.crosses, "s_disjoint": shapely.disjoint,
    "s_equals": shapely.equals, "s_intersects": shapely.intersects, "s_overlaps": shapely.overlaps,
    "s_touches": shapely.touches, "s_within": shapely.within,
}  # fmt: skip
#: The same relation with its operands changed: prepared literals are quick on the left.
_TURNED = {"s_contains": "s_within", "s_within": "s_contains"}
#: Where any of these holds, the two meet.
_MEETING = frozenset(_RELATIONS) - {"s_disjoint"}
_MOST_BOXES = 8


def literal(node: Mapping[str, Any]) -> shapely.Geometry:
    """The geometry of a literal, two-dimensional, valid and prepared."""
    return _literal(orjson.dumps(node))


@lru_cache(maxsize=128)
def _literal(text: bytes) -> shapely.Geometry:
    node = orjson.loads(text)
    if "bbox" in node:
        sides = [shapely.make_valid(shapely.box(*side)) for side in _boxes(node["bbox"], parameter="filter")]
        found = sides[0] if len(sides) == 1 else shapely.union_all(sides)
    else:
        found = shapely.force_2d(shapely.from_geojson(text))
    if not shapely.is_valid(found):
        found = shapely.make_valid(found)
    shapely.prepare(found)
    return found


def compare_places(name: str, one: Any, other: Any) -> tuple[Any, Any]:
    """Whether the relation holds, and where that is not known (no geometry): arrays, or one answer for two literals."""
    if isinstance(one, np.ndarray) and not isinstance(other, np.ndarray):
        one, other, name = other, one, _TURNED.get(name, name)
    try:
        found = _RELATIONS[name](one, other)
    except shapely.errors.GEOSException as error:
        raise bad(f"{name.upper()} cannot be answered for these geometries ({str(error)[:100]})") from error
    return found, shapely.is_missing(one) | shapely.is_missing(other)


def boxes(expression: Expression | None) -> tuple[LonLat, ...] | None:
    """What an expression demands of place: rows that meet none of these boxes cannot belong. None: they may lie anywhere."""
    if not isinstance(expression, dict) or "op" not in expression:
        return None
    name, args = expression["op"], expression["args"]
    if name == "and":
        demands = [found for arg in args if (found := boxes(arg)) is not None]
        return min(demands, key=_area, default=None)
    if name == "or":
        sides = [boxes(arg) for arg in args]
        if any(side is None for side in sides):
            return None
        return _few(tuple(box for side in sides if side is not None for box in side))
    if name == "not" and isinstance(args[0], dict) and args[0].get("op") == "s_disjoint":
        return boxes({"op": "s_intersects", "args": args[0]["args"]})
    if name in _MEETING:
        literals = [arg for arg in args if isinstance(arg, dict) and ("bbox" in arg or "type" in arg)]
        if len(literals) == 1:
            return _around(literals[0])
    return None


def _around(node: Mapping[str, Any]) -> tuple[LonLat, ...] | None:
    if "bbox" in node:
        return _boxes(node["bbox"], parameter="filter")
    sides: NDArray[np.float64] = shapely.bounds(literal(node))
    if not np.isfinite(sides).all():
        return None  # an empty geometry meets nothing; the condition itself says so
    west, south, east, north = (float(side) for side in sides)
    return ((west, south, east, north),)


def _area(several: tuple[LonLat, ...]) -> float:
    return sum((east - west) * (north - south) for west, south, east, north in several)


def _few(several: tuple[LonLat, ...]) -> tuple[LonLat, ...]:
    if len(several) <= _MOST_BOXES:
        return several
    sides = np.array(several)
    low, high = sides[:, :2].min(axis=0), sides[:, 2:].max(axis=0)
    return ((float(low[0]), float(low[1]), float(high[0]), float(high[1])),)
