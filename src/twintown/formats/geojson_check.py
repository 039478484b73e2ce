"""What is wrong with a GeoJSON document (RFC 7946), place by place: a JSON pointer, a line, a sentence.

Readers of files mend and go on; who writes into a twin is told everything at once. Numbers are looked at in arrays;
places are only visited one by one once something is known to be wrong there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
import orjson

from twintown.ground.errors import TooLarge

Path = tuple[str | int, ...]
Severity = Literal["error", "warning"]

MAX_FLAWS = 100
#: Positions in one document.
MAX_POSITIONS = 1_000_000
#: How deep the coordinates of each type of geometry are nested above a position, and what each step holds.
_NESTED = {
    "Point": (),
    "MultiPoint": ("positions",),
    "LineString": ("positions",),
    "MultiLineString": ("lines", "positions"),
    "Polygon": ("rings", "positions"),
    "MultiPolygon": ("polygons", "rings", "positions"),
}
GEOMETRIES = (*_NESTED, "GeometryCollection")
#: RFC 7946, 7.1: members that mean something in another type of object.
_CHANGED = {
    "Feature": ("coordinates", "geometries", "features"),
    "FeatureCollection": ("coordinates", "geometries", "geometry", "properties"),
    "": ("geometry", "properties", "features"),  # any geometry
}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],\n]|[^\s{}\[\],:"]+', re.DOTALL)
_CONSTANTS = ("NaN", "Infinity", "-Infinity")
_WORDS = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong.

    Args:
        pointer: where, a JSON pointer (RFC 6901); empty for the document.
        line: of the document, from 1.
        what: one sentence.
        severity: an error makes the document unusable, a warning does not.
    """

    pointer: str
    line: int
    what: str
    severity: Severity = "error"


@dataclass(frozen=True)
class Checked:
    """A document, none where it is no JSON, and its flaws: errors first, then in the order of the document."""

    document: Any
    flaws: tuple[Flaw, ...]

    @property
    def errors(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if flaw.severity == "error")


def check(raw: bytes, *, lonlat: bool = True, bare: bool = False) -> Checked:
    """Look at a whole document.

    Args:
        raw: the bytes as they came.
        lonlat: coordinates are longitude and latitude, so that their range is known.
        bare: a geometry by itself will do; otherwise only a Feature or a FeatureCollection does.
    """
    document, flaws = parse(raw)
    if not flaws:
        found = walk(document, lonlat=lonlat, bare=bare)
        flaws = place(raw, found)
    return Checked(document, tuple(sorted(flaws, key=lambda flaw: flaw.severity != "error")))


def walk(document: Any, *, lonlat: bool = True, bare: bool = False) -> list[tuple[Path, str, Severity]]:
    """The same of a value that was read already: path, sentence, severity."""
    return list(_Walk(lonlat, bare).document(document))


def parse(raw: bytes) -> tuple[Any, list[Flaw]]:
    """JSON read strictly (RFC 8259, I-JSON): UTF-8, every member once, finite numbers, whole characters.

    Returns:
        the value, none where there is one flaw or more.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [Flaw("", line, f"byte {error.start} is not UTF-8; GeoJSON is always UTF-8")]
    if text.startswith("\ufeff"):
        return None, [Flaw("", 1, "the document starts with a byte order mark; leave it away")]
    if not text.strip():
        return None, [Flaw("", 1, "the document is empty")]
    odd: set[str] = set()

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            odd.add("twice")
        return found

    def constant(word: str) -> float:
        odd.add("constant")
        return float(word.replace("Infinity", "inf"))

    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=constant)
        if not odd and "\\u" in text:
            orjson.loads(raw)  # refuses halves of characters, which the other lets pass
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
        return None, [Flaw("", error.lineno, what)]
    except RecursionError:
        return None, [Flaw("", 1, "nested too deeply; GeoJSON needs a dozen levels")]
    except ValueError:
        return None, [Flaw("", 1, "a number has more digits than any number needs")]
    if not odd:
        return value, []
    seen = _Lines(text, ())
    flaws = [
        Flaw(pointer(path), line, f"the member {path[-1]!r} stands twice in one object")
        for path, line in seen.twice
    ]
    flaws += [
        Flaw(pointer(path), line, f"{word} is no number in JSON; write null") for path, line, word in seen.odd
    ]
    # what else is wrong is worth knowing, as far as the last of two members tells
    also = place(raw, walk(value, lonlat=False, bare=True)) if "twice" in odd else []
    return None, [*flaws[:MAX_FLAWS], *(flaw for flaw in also if flaw.severity == "error")]


def place(raw: bytes, found: Sequence[tuple[Path, str, Severity]]) -> list[Flaw]:
    """Flaws with pointer and line of what was found in the value of these bytes; a path that is not there gets line 0."""
    if not found:
        return []
    lines = _Lines(raw.decode("utf-8", "replace"), [path for path, _, _ in found]).lines
    return [Flaw(pointer(path), lines.get(path, 0), what, severity) for path, what, severity in found]


def pointer(path: Path) -> str:
    """The JSON pointer of a path of names and indices (RFC 6901, 3)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def word(value: object) -> str:
    """What kind of JSON value it is, for a sentence."""
    return _WORDS.get(type(value), "a number")


class _Walk:
    """Goes through a document once; what it finds are (path, sentence, severity)."""

    def __init__(self, lonlat: bool, bare: bool) -> None:
        self.lonlat, self.bare = lonlat, bare
        self.found: list[tuple[Path, str, Severity]] = []
        self.positions_seen = 0

    def document(self, value: Any) -> Iterator[tuple[Path, str, Severity]]:
        try:
            self.top(value)
        except TooLarge:
            self.found.append(((), f"and more: only the first {MAX_FLAWS} are told", "warning"))
        return iter(self.found)

    def say(self, path: Path, what: str, severity: Severity = "error") -> None:
        if len(self.found) >= MAX_FLAWS:
            raise TooLarge("more flaws than anybody reads")
        self.found.append((path, what, severity))

    def top(self, value: Any) -> None:
        if not isinstance(value, dict):
            self.say((), f"a Feature is expected; this is {word(value)}")
            return
        kind = self.kind(value, ())
        if kind == "Feature":
            self.feature(value, ())
        elif kind == "FeatureCollection":
            self.collection(value)
        elif kind in GEOMETRIES:
            if not self.bare:
                self.say((), f"a Feature is expected; this is a bare {kind}")
            self.geometry(value, ())
        elif kind:
            self.say(("type",), f"the type {kind[:60]!r} is unknown; a Feature is expected")

    def kind(self, value: dict[str, Any], path: Path) -> str:
        """The type that an object says, empty where that is wrong already."""
        if "type" not in value:
            self.say(path, "the member 'type' is missing")
            return ""
        if not isinstance(value["type"], str):
            self.say((*path, "type"), f"'type' must be a string, not {word(value['type'])}")
            return ""
        return str(value["type"])

    def changed(self, value: dict[str, Any], kind: str, path: Path) -> None:
        name = kind or "geometry"
        for member in _CHANGED[kind]:
            if member in value:
                what = f"a {name} must not have a member {member!r} (RFC 7946, 7.1)"
                self.say((*path, member), what)

    def collection(self, value: dict[str, Any]) -> None:
        self.changed(value, "FeatureCollection", ())
        self.bbox(value, ())
        self.crs(value, ())
        if "features" not in value:
            self.say((), "the member 'features' is missing")
            return
        features = value["features"]
        if not isinstance(features, list):
            self.say(("features",), f"'features' must be an array, not {word(features)}")
            return
        for index, feature in enumerate(features):
            path: Path = ("features", index)
            if not isinstance(feature, dict):
                self.say(path, f"a Feature must be an object, not {word(feature)}")
                continue
            kind = self.kind(feature, path)
            if kind and kind != "Feature":
                self.say((*path, "type"), f"a Feature is expected here, not {kind[:60]!r}")
            self.feature(feature, path)

    def feature(self, value: dict[str, Any], path: Path) -> None:
        self.changed(value, "Feature", path)
        self.bbox(value, path)
        self.crs(value, path)
        name = value.get("id", "")
        if isinstance(name, bool) or not isinstance(name, str | int | float):
            self.say((*path, "id"), f"'id' must be a string or a number, not {word(name)}")
        if "properties" not in value:
            self.say(path, "the member 'properties' is missing; write null where there are none")
        elif not isinstance(value["properties"], dict | None):
            self.say(
                (*path, "properties"), f"'properties' must be an object, not {word(value['properties'])}"
            )
        if "geometry" not in value:
            self.say(path, "the member 'geometry' is missing; write null where there is none")
        elif value["geometry"] is not None:
            if not isinstance(value["geometry"], dict):
                self.say((*path, "geometry"), f"'geometry' must be an object, not {word(value['geometry'])}")
                return
            kind = self.kind(value["geometry"], (*path, "geometry"))
            if kind and kind not in GEOMETRIES:
                self.say((*path, "geometry", "type"), f"{kind[:60]!r} is no type of geometry")
            elif kind:
                self.geometry(value["geometry"], (*path, "geometry"))

    def geometry(self, value: dict[str, Any], path: Path, collected: bool = False) -> None:
        kind = value["type"]
        self.changed(value, "", path)
        self.bbox(value, path)
        self.crs(value, path)
        member = "geometries" if kind == "GeometryCollection" else "coordinates"
        if member not in value:
            self.say(path, f"the member {member!r} is missing")
        elif not isinstance(value[member], list):
            self.say((*path, member), f"{member!r} must be an array, not {word(value[member])}")
        elif kind != "GeometryCollection":
            self.coordinates(value[member], kind, _NESTED[kind], (*path, member))
        elif collected:
            self.say(path, "a GeometryCollection must not hold another one (RFC 7946, 3.1.8)")
        else:
            self.collected(value[member], (*path, member))

    def collected(self, parts: list[Any], path: Path) -> None:
        for index, part in enumerate(parts):
            if not isinstance(part, dict):
                self.say((*path, index), f"a geometry must be an object, not {word(part)}")
                continue
            kind = self.kind(part, (*path, index))
            if kind and kind not in GEOMETRIES:
                self.say((*path, index, "type"), f"{kind[:60]!r} is no type of geometry")
            elif kind:
                self.geometry(part, (*path, index), collected=True)

    def coordinates(self, value: Any, kind: str, nested: tuple[str, ...], path: Path) -> None:
        if not nested:
            self.position(value, path)
            return
        if not isinstance(value, list):
            what = f"an array of {nested[0]} is expected in a {kind}, not {word(value)}"
            deeper = ": this needs to be nested more deeply" if isinstance(value, int | float) else ""
            self.say(path, what + deeper)
        elif len(nested) > 1:
            if not value:
                self.say(path, f"a {kind} needs at least one of its {nested[0]}")
            for index, part in enumerate(value):
                self.coordinates(part, kind, nested[1:], (*path, index))
        elif (array := self.positions(value, kind, path)) is not None:
            self.path_of(array, kind, path)

    def positions(self, value: list[Any], kind: str, path: Path) -> np.ndarray[Any, Any] | None:
        """float64[n, 2 or 3] of positions that are all right, none where one is wrong (which is said)."""
        self.positions_seen += len(value)
        if self.positions_seen > MAX_POSITIONS:
            self.say(path, f"more than {MAX_POSITIONS:,} positions; send fewer features at a time")
            raise TooLarge("more flaws than anybody reads")
        if not value:
            self.say(path, f"a {kind} needs positions; write null for a feature without a place")
            return None
        kinds = set(map(type, value))
        if kinds == {list} and set(map(type, chain.from_iterable(value))) <= {int, float}:
            sizes = set(map(len, value))
            if sizes in ({2}, {3}):
                return self.array(value, path)
        if kinds <= {int, float}:
            what = f"an array of positions is expected in a {kind}, and these are numbers"
            self.say(path, f"{what}: this needs to be nested more deeply")
            return None
        before = len(self.found)
        for index, position in enumerate(value):
            self.position(position, (*path, index), f" in a {kind}")
        if len(self.found) == before:  # each by itself is fine
            if kind.endswith("Polygon") and value[0] != value[-1]:
                self.say(path, "the first and the last position of a ring must be the same")
            self.say(path, "some positions have two numbers and some have three")
        return None

    def array(self, value: list[Any], path: Path) -> np.ndarray[Any, Any] | None:
        try:
            array = np.array(value, np.float64)
        except OverflowError:
            self.say(path, "a number is too large")
            return None
        if not (finite := np.isfinite(array)).all():
            self.say((*path, *map(int, np.argwhere(~finite)[0])), "a number is too large")
            return None
        if self.lonlat:
            beyond = np.flatnonzero((np.abs(array[:, 0]) > 180) | (np.abs(array[:, 1]) > 90))
            if beyond.size:
                x, y = array[beyond[0], :2]
                what = f"{x:g}, {y:g} is no longitude and latitude in degrees; longitude comes first"
                self.say((*path, int(beyond[0])), f"{what}, and another CRS is said with Content-Crs")
                return None
        return array

    def path_of(self, array: np.ndarray[Any, Any], kind: str, path: Path) -> None:
        """What lines and rings must be besides lists of positions."""
        if kind.endswith("LineString") and len(array) < 2:
            self.say(path, "a line needs at least two positions")
        if not kind.endswith("Polygon"):
            return
        if (array[0] != array[-1]).any():
            self.say(path, "the first and the last position of a ring must be the same")
        elif len(array) < 4:
            self.say(path, f"a ring needs at least four positions, not {len(array)}")
        else:
            x, y = array[:, 0] - array[0, 0], array[:, 1] - array[0, 1]
            area = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
            if (area < 0) == (path[-1] == 0) and area:
                turn = "anticlockwise" if path[-1] == 0 else "clockwise"
                self.say(path, f"this ring should run {turn} (RFC 7946, 3.1.6)", "warning")

    def position(self, value: Any, path: Path, where: str = "") -> None:
        if not isinstance(value, list):
            self.say(path, f"a position{where} must be an array of numbers, not {word(value)}")
            return
        for index, number in enumerate(value):
            if isinstance(number, bool) or not isinstance(number, int | float):
                self.say(
                    (*path, index), f"each element of a position must be a number, this is {word(number)}"
                )
                return
        if len(value) < 2:
            self.say(path, f"a position needs at least two numbers, not {len(value)}")
        elif len(value) > 3:
            self.say(path, f"a position has two or three numbers here, not {len(value)}")
        else:
            self.array([value], path)

    def bbox(self, value: dict[str, Any], path: Path) -> None:
        if "bbox" not in value:
            return
        box, path = value["bbox"], (*path, "bbox")
        if not isinstance(box, list):
            self.say(path, f"'bbox' must be an array of numbers, not {word(box)}")
        elif not set(map(type, box)) <= {int, float}:
            self.say(path, "every element of 'bbox' must be a number")
        elif len(box) not in (4, 6):
            self.say(path, f"'bbox' has four numbers, or six with heights, not {len(box)}")

    def crs(self, value: dict[str, Any], path: Path) -> None:
        if "crs" in value and "CRS84" not in json.dumps(value["crs"]):
            self.say(
                (*path, "crs"),
                "RFC 7946 has no member 'crs'; say the CRS with the header Content-Crs and leave it away",
            )


class _Lines:
    """Where things stand in a text of JSON: the line of each wanted path, members that stand twice, odd constants."""

    def __init__(self, text: str, wanted: Sequence[Path]) -> None:
        self.lines: dict[Path, int] = {}
        self.twice: list[tuple[Path, int]] = []
        self.odd: list[tuple[Path, int, str]] = []
        missing = set(wanted)
        every = not missing
        steps: list[str | int] = []  # the path of the value that comes next
        names: list[set[str] | None] = []  # members so far of each open object, none for an array
        line, named = 1, False
        for match in _TOKEN.finditer(text):
            token = match.group()
            if token == "\n":
                line += 1
            elif token in "}]":
                names.pop()
                steps.pop()
            elif token == ",":
                if names and names[-1] is None:
                    steps[-1] = int(steps[-1]) + 1
                named = False
            elif names and (members := names[-1]) is not None and not named and token[0] == '"':
                name = json.loads(token, strict=False)
                steps[-1], named = name, True
                if name in members and len(self.twice) < MAX_FLAWS:
                    self.twice.append((tuple(steps), line))
                members.add(name)
            else:
                path = tuple(steps)
                if path in missing:
                    self.lines[path] = line
                    missing.discard(path)
                    if not missing and not every:
                        return
                if token in _CONSTANTS and len(self.odd) < MAX_FLAWS:
                    self.odd.append((path, line, token))
                if token in "{[":
                    names.append(set() if token == "{" else None)
                    steps.append("" if token == "{" else 0)
                    named = False
