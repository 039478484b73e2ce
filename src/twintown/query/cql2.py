"""CQL2 (OGC 21-065r2): texts and JSON become plain CQL2 JSON that is well formed, and is checked against a layer's columns.

What leaves here has known operators with the right number of operands, real dates, closed rings, and every geometry in
CRS84. Names of properties and functions are only known once a layer is: `check` says what is wrong with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import shapely

from twintown.ground.crs import CRS84, Crs, boxes, corners, outline, reproject
from twintown.ground.errors import BadParameter

from .query import Expression
from .text import bad, parse

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

COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = tuple(
    f"s_{name}" for name in "contains crosses disjoint equals intersects overlaps touches within".split()
)
TEMPORAL = tuple(
    f"t_{name}"
    for name in "after before contains disjoint during equals finishedBy finishes intersects meets metBy "
    "overlappedBy overlaps startedBy starts".split()
)
ARRAYS = tuple(f"a_{name}" for name in "containedBy contains equals overlaps".split())
ARITHMETIC = ("+", "-", "*", "/", "%", "div", "^")
#: What may be asked of instants too; the others are relations between intervals (OGC 21-065r2, table 12).
_ALSO_INSTANTS = ("T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS")
#: How many operands an operator has; AND and OR have two or more.
OPERANDS: Mapping[str, int] = {
    "not": 1, "like": 2, "between": 3, "in": 2, "isNull": 1, "casei": 1, "accenti": 1,
    **dict.fromkeys((*COMPARISONS, *SPATIAL, *TEMPORAL, *ARRAYS, *ARITHMETIC), 2),
}  # fmt: skip
_GEOMETRIES = frozenset(
    "Point LineString Polygon MultiPoint MultiLineString MultiPolygon GeometryCollection".split()
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


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
                return {name: _instant(value[name], (name,))}
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
                out.append(end if end == ".." else _instant(end, ("date", "timestamp")))
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


def _instant(text: Any, allowed: Sequence[str]) -> str:
    """The text itself when it names an instant; a timestamp in UTC, without zeros at the end of its fraction."""
    if isinstance(text, str):
        try:
            if "date" in allowed and _DATE.fullmatch(text):
                date.fromisoformat(text)
                return text
            if "timestamp" in allowed and _TIME.fullmatch(text):
                at = datetime.fromisoformat(text).astimezone(UTC)
                if text.endswith("Z") and not re.search(r"\.\d*0Z$", text):
                    return text
                fraction = f".{at.microsecond:06d}".rstrip("0").rstrip(".")
                return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        except (ValueError, OverflowError):
            pass
    wanted = {"date": "2015-01-01", "timestamp": "2015-01-01T07:30:00Z"}
    raise bad(f"{said(text)} is no {' or '.join(allowed)}",
              remedy=f"write {' or '.join(wanted[name] for name in allowed)}")  # fmt: skip


def moment(text: str) -> datetime:
    """The instant of a date or a timestamp; a date is the midnight (UTC) with which it begins. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


# -- right for a layer -----------------------------------------------------------------------------------------------

_WORDS = {
    "number": "a number", "string": "a text", "boolean": "true or false", "instant": "a time", "interval": "an interval",
    "geometry": "a geometry", "array": "a list",
}  # fmt: skip
_KINDS = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "datetime": "instant",
          "geometry": "geometry"}  # fmt: skip


def check(expression: Expression, columns: Mapping[str, str]) -> None:
    """Whether a layer can answer this.

    Args:
        columns: the type (string, integer, number, boolean, datetime) of each column by name; `geometry: geometry` where
            the layer has one. `id` is a text always.

    Raises:
        BadParameter: `filter`, naming the property, function or pair of types that does not fit.
    """
    kinds = {"id": "string"} | {name: _KINDS.get(kind, "string") for name, kind in columns.items()}
    found = _Checking(kinds).kind(expression)
    if found != "boolean":
        raise bad(f"{said(expression)} is {_WORDS[found]}, not a condition")


class _Checking:
    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds

    def kind(self, node: Any) -> str:
        """The type of what a node gives; raises where its operands do not fit."""
        if isinstance(node, bool):
            return "boolean"
        if isinstance(node, int | float):
            return "number"
        if isinstance(node, str):
            return "string"
        if isinstance(node, list):
            for part in node:
                self.kind(part)
            return "array"
        if "property" in node:
            return self.property(node["property"])
        if "op" in node:
            return self.operation(node["op"], node["args"])
        if "interval" in node:
            for end in node["interval"]:
                if isinstance(end, dict) and (found := self.kind(end)) not in ("instant", "string"):
                    raise bad(f"{said(end)} is {_WORDS[found]} and cannot be the end of an interval")
            return "interval"
        return "instant" if "date" in node or "timestamp" in node else "geometry"

    def property(self, name: str) -> str:
        if name in self.kinds:
            return self.kinds[name]
        known = sorted(self.kinds)
        near = [one for one in known if one.lower() == name.lower()] or known
        if name == "geometry":
            raise bad("this layer has no geometry", remedy=f"its properties are {', '.join(known)}")
        raise bad(f"there is no property {name[:80]!r}", remedy=f"its properties are {', '.join(near)}")

    def operation(self, name: str, args: Sequence[Any]) -> str:
        if name in ("and", "or", "not"):
            for arg in args:
                self.must(arg, ("boolean",), name.upper())
        elif name in COMPARISONS:
            self.alike(name, args)
        elif name == "in":
            if not args[1]:
                raise bad("IN asks for at least one value")
            for value in args[1]:
                self.alike("=", (args[0], value))
        elif name == "between":
            for end in args[1:]:
                self.alike("<=", (args[0], end))
        elif name == "like":
            self.must(args[0], ("string",), "LIKE")
            pattern = args[1]
            while isinstance(pattern, dict) and pattern.get("op") in ("casei", "accenti"):
                pattern = pattern["args"][0]
            if not isinstance(pattern, str):
                raise bad(
                    f"the pattern of LIKE is a text in quotes, not {said(pattern)}",
                    remedy="write LIKE 'Lotte%'",
                )
        elif name == "isNull":
            self.kind(args[0])
        elif name in ("casei", "accenti"):
            self.must(args[0], ("string",), name.upper())
            return "string"
        elif name in ARITHMETIC:
            for arg in args:
                self.must(arg, ("number",), name)
            return "number"
        elif name in SPATIAL:
            for arg in args:
                self.must(arg, ("geometry",), name.upper())
        elif name in TEMPORAL:
            for arg in args:
                self.timely(arg, name.upper())
        elif name in ARRAYS:
            for arg in args:
                self.must(arg, ("array", "string") if _is_property(arg) else ("array",), name.upper())
        else:
            raise bad(
                f"there is no function {name[:80]!r}",
                remedy="functions other than those of CQL2 are not offered",
            )
        return "boolean"

    def must(self, arg: Any, allowed: Sequence[str], name: str) -> None:
        found = self.kind(arg)
        if found not in allowed:
            raise bad(f"{name} works on {_WORDS[allowed[0]]}, and {said(arg)} is {_WORDS[found]}")

    def timely(self, arg: Any, name: str) -> None:
        found = self.kind(arg)
        fits = found == "instant" or (found == "string" and (_is_property(arg) or is_instant(arg)))
        if found == "interval" or (fits and name in _ALSO_INSTANTS):
            return
        if fits:
            raise bad(f"{name} is between intervals, and {said(arg)} is an instant",
                      remedy=f"use {', '.join(_ALSO_INSTANTS)}, or INTERVAL(…, …)")  # fmt: skip
        raise bad(f"{name} works on a time, and {said(arg)} is {_WORDS[found]}",
                  remedy="write DATE('2015-01-01'), TIMESTAMP('2015-01-01T07:30:00Z') or INTERVAL('2015-01-01', '..')")  # fmt: skip

    def alike(self, name: str, args: Sequence[Any]) -> None:
        one, other = (self.kind(arg) for arg in args)
        for arg, found in zip(args, (one, other), strict=True):
            if found in ("geometry", "interval", "array"):
                instead = {"geometry": "S_EQUALS", "interval": "T_EQUALS", "array": "A_EQUALS"}[found]
                raise bad(
                    f"{said(arg)} is {_WORDS[found]} and cannot be compared with {name}",
                    remedy=f"use {instead}",
                )
        if {one, other} == {"instant", "string"}:
            text = args[0] if one == "string" else args[1]
            if isinstance(text, str) and not is_instant(text):
                raise bad(
                    f"{said(text)} is no date or timestamp", remedy="write TIMESTAMP('2015-01-01T07:30:00Z')"
                )
            return
        if one != other:
            raise bad(f"{said(args[0])} is {_WORDS[one]} and {said(args[1])} is {_WORDS[other]}",
                      remedy="compare what is of one type; texts stand in single quotes, numbers in none")  # fmt: skip


def is_instant(value: Any) -> bool:
    """Whether a literal text names a date or a timestamp."""
    try:
        _instant(value, ("date", "timestamp"))
    except BadParameter:
        return False
    return True


def _is_property(node: Any) -> bool:
    return isinstance(node, dict) and "property" in node


def said(node: Any) -> str:
    """A node in a few words, for messages."""
    if isinstance(node, dict) and isinstance(node.get("property"), str):
        return str(node["property"])[:80]
    if isinstance(node, dict) and isinstance(node.get("op"), str):
        return f"{node['op'][:40]}(…)"
    if isinstance(node, dict):
        first = str(node.get("type", next(iter(node), "nothing")))
        return f"the {first[:40]}"
    return "a list" if isinstance(node, list) else repr(node)[:80]
