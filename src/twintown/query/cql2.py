"""CQL2 (OGC 21-065r2): texts and JSON become plain CQL2 JSON that is well formed, and is checked against a layer's columns.

What leaves here has known operators with the right number of operands, real dates, closed rings, and every geometry in
CRS84. Names of properties and functions are only known once a layer is: `check` says what is wrong with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import shapely

from twintown.ground.crs import CRS84, Crs, boxes, corners, outline, reproject

from .kinds import check
from .moments import instant, moment
from .operators import OPERANDS, said
from .query import Expression
from .text import parse
from .tokens import bad

__all__ = ["CONFORMANCE", "check", "parse_json", "parse_text", "properties"]

MAX_JSON = 1 << 18  # bytes
MAX_NODES = 5_000  # values, properties and operators of one expression
MAX_TREE = 100  # operators within each other
MAX_VERTICES = 10_000  # of all geometries of one expression

_CONF = "http://www.opengis.net/spec/cql2/1.0/conf"
#: What tests/conformance/test_cql2.py proves.
CONFORMANCE = tuple(
    f"{_CONF}/{name}"
    for name in (
        "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
        "accent-insensitive-comparison", "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions",
        "temporal-functions", "array-functions", "property-property", "arithmetic",
    )
)  # fmt: skip

_GEOMETRIES = frozenset(
    "Point LineString Polygon MultiPoint MultiLineString MultiPolygon GeometryCollection".split()
)


@lru_cache(maxsize=512)
def parse_text(text: str, crs: Crs = CRS84) -> Expression:
    """The expression of a CQL2 text whose geometries stand in `crs` (`filter-crs`), in the order of its axes.

    Raises:
        BadParameter: `filter`, with what is wrong, at which character, and what to write instead.
    """
    return _whole(parse(text), crs)


def parse_json(value: bytes | str | Mapping[str, Any], crs: Crs = CRS84) -> Expression:
    """The expression of CQL2 JSON, given as text or as a value. Raises as `parse_text`."""
    if isinstance(value, bytes | str):
        if len(value) > MAX_JSON:
            raise bad(f"{len(value)} bytes, at most {MAX_JSON} are read", remedy="say it shorter")
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise bad(
                f"is no JSON ({error.msg})", error.pos, "send CQL2 JSON, or filter-lang=cql2-text"
            ) from error
    return _whole(value, crs)


def properties(expression: Expression) -> frozenset[str]:
    """The names of the properties that an expression reads."""
    return frozenset(
        node["property"] for node in _nodes(expression) if isinstance(node, dict) and "property" in node
    )


def _nodes(value: Any) -> Iterator[Any]:
    """Every node, without recursion; the coordinates of geometries are none."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(part for key in ("args", "interval") if isinstance(part := node.get(key), list))


# -- well formed -----------------------------------------------------------------------------------------------------


def _whole(value: Any, crs: Crs) -> Expression:
    _measure(value)
    if isinstance(value, bool):
        value = {"op": "=", "args": [True, value]}
    if not isinstance(value, dict) or "op" not in value:
        raise bad(f"{said(value)} is no condition", remedy="compare it with something, such as height_m > 30")
    settled: Expression = _Settling(crs).node(value)
    return settled


def _measure(value: Any) -> None:
    """Refuse what is too large or too deep before anything recurses into it."""
    level, depth, nodes = [value], 0, 0
    while level:
        depth, nodes = depth + 1, nodes + len(level)
        if depth > MAX_TREE:
            raise bad(f"operators lie more than {MAX_TREE} deep within each other", remedy="split the filter")
        if nodes > MAX_NODES:
            raise bad(f"more than {MAX_NODES} values and operators", remedy="split the filter")
        below: list[Any] = []
        for node in level:
            if isinstance(node, list):
                below.extend(node)
            elif isinstance(node, dict):
                below.extend(part for key in ("args", "interval") if isinstance(part := node.get(key), list))
        level = below


class _Settling:
    """One walk over one expression: what is allowed stays, literals get one form, geometries come to CRS84."""

    def __init__(self, crs: Crs) -> None:
        self.crs = crs
        self.vertices = 0

    def node(self, value: Any) -> Any:
        if isinstance(value, bool | str):
            return value
        if isinstance(value, int | float):
            if not math.isfinite(value):
                raise bad(f"{value} is no number")
            return value if isinstance(value, float) or abs(value) < 2**63 else float(value)
        if isinstance(value, list):
            return [self.node(part) for part in value]
        if value is None:
            raise bad("null is no value", remedy='write … IS NULL, {"op": "isNull", …}')
        if not isinstance(value, dict):
            raise bad(f"{type(value).__name__} is no CQL2")
        if "op" in value:
            return self.operation(value)
        if "property" in value:
            if not isinstance(value["property"], str):
                raise bad("the name of a property is a text")
            return {"property": value["property"]}
        if "interval" in value:
            return {"interval": self.interval(value["interval"])}
        if "bbox" in value and "type" not in value:
            return self.box(value["bbox"])
        for name in ("date", "timestamp"):
            if name in value:
                return {name: instant(value[name], (name,))}
        if value.get("type") in _GEOMETRIES:
            return self.geometry(value)
        raise bad(f"an object with {', '.join(map(repr, list(value)[:5])) or 'nothing'} is no part of CQL2 JSON",
                  remedy="use op with args, property, date, timestamp, interval, bbox or a GeoJSON geometry")  # fmt: skip

    def operation(self, value: dict[str, Any]) -> dict[str, Any]:
        name, args = value["op"], value.get("args", [])
        if not isinstance(name, str) or not isinstance(args, list):
            raise bad("op is a text and args is a list")
        wanted = OPERANDS.get(name)
        if name in ("and", "or") and len(args) < 2:
            raise bad(f"{name} joins two conditions or more, not {len(args)}")
        if wanted is not None and len(args) != wanted:
            raise bad(f"{name} has {wanted} operand{'s' * (wanted > 1)}, not {len(args)}")
        if name == "in" and not isinstance(args[1], list):
            raise bad("in asks for a list of values as its second operand")
        return {"op": name, "args": [self.node(part) for part in args]}

    def interval(self, ends: Any) -> list[Any]:
        if not isinstance(ends, list) or len(ends) != 2:
            raise bad("an interval has two ends", remedy="write '..' for an open end")
        out = []
        for end in ends:
            if isinstance(end, dict) and ("date" in end or "timestamp" in end):
                end = end.get("date", end.get("timestamp"))
            if isinstance(end, dict):
                settled = self.node(end)
                if "property" not in settled and "op" not in settled:
                    raise bad("an end of an interval is a date, a timestamp, '..' or a property")
                out.append(settled)
            else:
                out.append(end if end == ".." else instant(end, ("date", "timestamp")))
        fixed = [moment(end) for end in out if isinstance(end, str) and end != ".."]
        if len(fixed) == 2 and fixed[0] > fixed[1]:
            raise bad(f"the interval ends ({out[1]}) before it begins ({out[0]})")
        return out

    def box(self, numbers: Any) -> dict[str, Any]:
        if not isinstance(numbers, list) or not all(_is_number(number) for number in numbers):
            raise bad("bbox is a list of 4 or 6 numbers")
        corners(numbers, self.crs, "filter")
        if self.crs.code == CRS84.code:
            return {"bbox": numbers}
        if self.crs.geographic and not self.crs.north_first:
            return {"bbox": numbers}
        if self.crs.geographic:
            half = len(numbers) // 2
            ends = [numbers[:half], numbers[half:]]
            return {"bbox": [number for end in ends for number in (end[1], end[0], *end[2:])]}
        boxes(numbers, self.crs, "filter")  # raises where the CRS does not hold
        return _mapping(outline(numbers, self.crs, "filter"))

    def geometry(self, value: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {
            key: value[key] for key in ("type", "coordinates", "geometries") if key in value
        }
        try:
            geometry = shapely.from_geojson(orjson.dumps(kept))
        except (shapely.errors.ShapelyError, TypeError, ValueError) as error:
            why = str(error).split(":", 1)[-1].strip()
            raise bad(f"the {value['type']} cannot be read ({why})",
                      remedy="close its rings, give each line two positions") from error  # fmt: skip
        xy = shapely.get_coordinates(geometry)
        self.vertices += len(xy)
        if self.vertices > MAX_VERTICES:
            raise bad(f"geometries of more than {MAX_VERTICES} positions", remedy="simplify them")
        if not np.isfinite(xy).all():
            raise bad(f"the {value['type']} has coordinates that are no numbers")
        if self.crs.geographic and len(xy):
            lon, lat = xy.T[::-1] if self.crs.north_first else xy.T
            for name, degrees, most in (("latitude", lat, 90), ("longitude", lon, 180)):
                if (np.abs(degrees) > most).any():
                    order = " then ".join(axis.lower() for axis in self.crs.axes)
                    remedy = f"in {self.crs.code} write {order}"
                    raise bad(f"the {value['type']} has a {name} beyond {most}", remedy=remedy)
        if self.crs.code == CRS84.code:
            return kept
        one = np.array([geometry], object)
        moved = reproject(self.crs.swap(one), self.crs, CRS84)[0]
        if not np.isfinite(shapely.get_coordinates(moved)).all():
            raise bad(f"the {value['type']} lies outside of where {self.crs.code} holds")
        return _mapping(moved)


def _mapping(geometry: shapely.Geometry) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(shapely.to_geojson(geometry))
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
