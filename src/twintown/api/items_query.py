"""What a caller asks of the rows of a layer: query parameters become a `Query`, or a 400 that names the parameter.

OGC API - Features: Part 1 (17-069r4) `bbox`, `datetime`, `limit` and a parameter for each column; Part 2 (18-058r1) `crs` and
`bbox-crs`; Part 3 (19-079r2) `filter`, `filter-lang` and `filter-crs`; and `properties` and `skipGeometry` of Part 6 (draft).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from twintown.api.versions import possible
from twintown.ground.crs import CRS84, Crs, outline, parse_bbox, parse_crs, supported
from twintown.ground.errors import BadParameter
from twintown.ground.frames import Frame
from twintown.query.query import Expression, Interval, Query

if TYPE_CHECKING:
    from twintown.index.view import Column, View

#: Rows a page: without a word about it, and at most.
DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000
#: Characters of a filter.
MAX_FILTER = 16_000
#: The parameters that are no columns.
OWN = frozenset(
    ("bbox", "bbox-crs", "datetime", "limit", "cursor", "crs", "filter", "filter-lang", "filter-crs",
     "properties", "skipGeometry", "f", "lang")
)  # fmt: skip
LANGUAGES_OF_FILTERS = ("cql2-text", "cql2-json")
_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt]([0-9]{2}:[0-9]{2}:)([0-9]{2})(?:\.([0-9]+))?([Zz]|[-+][0-9]{2}:[0-9]{2}))?",
    re.ASCII,
)
_DAY = timedelta(days=1) - timedelta(microseconds=1)
_CURSOR = re.compile(r"([0-7][0-9A-HJKMNP-TV-Z]{25}(?:[.][0-9]{1,9})?)-(before-)?([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins in a version of a layer, or before which row it ends.

    Args:
        token: names the version with its edits (`View.token`).
        position: of a row.
        before: the page ends before the position, instead of beginning there.
    """

    token: str
    position: int
    before: bool = False

    def __str__(self) -> str:
        return f"{self.token}-{'before-' if self.before else ''}{self.position}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """From what a link carried. Raises BadParameter, and NotFound for a version that never was."""
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise BadParameter(
                "cursor",
                f"{text[:80]!r} is none that was given here",
                remedy="follow the link `next` of a page, or leave it out",
            )
        return cls(possible(found[1], "cursor"), int(found[3]), bool(found[2]))


@dataclass(frozen=True, slots=True)
class Question:
    """All that is asked of the rows.

    Args:
        query: which rows.
        limit: rows a page; none where the caller said nothing.
        crs: of the coordinates in the answer.
        columns: only these, in the order of the layer; none for all.
        geometry: whether shapes are wanted.
    """

    query: Query = field(default_factory=Query)
    limit: int | None = None
    crs: Crs = CRS84
    columns: tuple[str, ...] | None = None
    geometry: bool = True

    @property
    def plain(self) -> bool:
        """Whether rows leave as they lie ready."""
        return self.geometry and self.crs is CRS84


def question(asked: Mapping[str, str], view: View) -> Question:
    """The question in the parameters.

    Args:
        asked: by name, each once.
        view: of the layer; each of its columns is a parameter too, and the CRS of its frame is among those that are offered.

    Raises:
        BadParameter: naming the first one that is unknown or cannot be understood.
    """
    wheres: list[Expression] = []
    frame = view.frame
    known: dict[str, Column] | None = None
    if not asked.keys() <= OWN or "filter" in asked or "properties" in asked:
        known = {column.name: column for column in view.columns}
        wheres += [_equal(name, text, known, view.layer) for name, text in asked.items() if name not in OWN]
    made = Question(limit=limit_of(asked.get("limit")))
    if "crs" in asked:
        made = replace(made, crs=parse_crs(asked["crs"], supported(frame.crs)))
    boxes, where = _boxes(asked, frame)
    wheres += where
    if "filter" in asked or "filter-lang" in asked or "filter-crs" in asked:
        wheres += _filter(asked, known or {}, view)
    if known is not None and "properties" in asked:
        made = replace(made, columns=_columns(asked["properties"], known))
    if "skipGeometry" in asked:
        made = replace(made, geometry=not truth("skipGeometry", asked["skipGeometry"]))
    during = interval(asked["datetime"]) if "datetime" in asked else None
    if boxes or wheres or during:
        together = None if not wheres else wheres[0] if len(wheres) == 1 else {"op": "and", "args": wheres}
        made = replace(made, query=Query(boxes, together, during))
    return made


def refuse_others(asked: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise BadParameter for the first parameter that is none of these."""
    names = tuple(known)
    for name in asked:
        if name not in names:
            raise BadParameter(
                name[:80], "unknown query parameter", remedy=f"known here: {', '.join(sorted(names))}"
            )


def limit_of(text: str | None) -> int | None:
    """Rows a page; more than the most is the most (OGC 17-069r4, 7.15.2). Raises BadParameter."""
    if text is None:
        return None
    if not _WHOLE.fullmatch(text) or int(text) == 0:
        raise BadParameter("limit", f"{text[:80]!r} is no number of rows", remedy=f"write 1 to {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def truth(name: str, text: str) -> bool:
    """`true` or `false`. Raises BadParameter."""
    if text not in ("true", "false"):
        raise BadParameter(name, f"{text[:80]!r} is neither true nor false")
    return text == "true"


def interval(text: str, name: str = "datetime") -> Interval:
    """An instant, or `start/end` with `..` or nothing for an open end (RFC 3339; a day alone is all of it, UTC).

    Raises:
        BadParameter: it is neither, or ends before it begins.
    """
    ends = text.split("/")
    if len(ends) > 2:
        raise _bad_time(name, text, "has more than two ends")
    first, last = ends[0], ends[-1]
    if len(ends) == 2 and first in ("", "..") and last in ("", ".."):
        raise _bad_time(name, text, "is open at both ends")
    start = None if len(ends) == 2 and first in ("", "..") else _instant(first, name, text)[0]
    end = None if len(ends) == 2 and last in ("", "..") else _instant(last, name, text)[1]
    if start is not None and end is not None and start > end:
        raise _bad_time(name, text, "ends before it begins")
    return (start, end)


def _instant(text: str, name: str, whole: str) -> tuple[datetime, datetime]:
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        day, clock, seconds, fraction, zone = found.groups()
        if clock is None:
            start = datetime.fromisoformat(day).replace(tzinfo=UTC)
            return start, start + _DAY
        if seconds == "60":  # a leap second: the moment before it ends
            seconds, fraction = "59", "999999"
        parts = f"{day}T{clock}{seconds}.{(fraction or '0')[:6]:0<6}{'+00:00' if zone in 'Zz' else zone}"
        there = datetime.fromisoformat(parts)
    except ValueError:
        raise _bad_time(name, whole, "is no time") from None
    try:
        moment = there.astimezone(UTC)
    except OverflowError:  # an hour before the first year or after the last one
        moment = (datetime.min if there.year == 1 else datetime.max).replace(tzinfo=UTC)
    return moment, moment


def _bad_time(name: str, text: str, what: str) -> BadParameter:
    such = "2026-01-01T00:00:00Z, or an interval such as 2026-01-01T00:00:00Z/.. (write + as %2B)"
    return BadParameter(name, f"{text[:80]!r} {what}", remedy=f"write it as {such}")


def _boxes(asked: Mapping[str, str], frame: Frame) -> tuple[tuple[Any, ...], list[Expression]]:
    """Boxes in degrees, and the exact outline where a box of another CRS is none in degrees."""
    crs = parse_crs(asked["bbox-crs"], supported(frame.crs), "bbox-crs") if "bbox-crs" in asked else CRS84
    if "bbox" not in asked:
        return (), []
    boxes = parse_bbox(asked["bbox"], crs)
    if crs.geographic or crs.code == "EPSG:3857":
        return boxes, []
    numbers = [float(part) for part in asked["bbox"].split(",")]
    ring = outline(numbers, crs).exterior.coords
    polygon = {"type": "Polygon", "coordinates": [[[x, y] for x, y in ring]]}
    return boxes, [{"op": "s_intersects", "args": [{"property": "geometry"}, polygon]}]


def _filter(asked: Mapping[str, str], known: Mapping[str, Column], view: View) -> list[Expression]:
    from twintown.query import cql2

    said = asked.get("filter-lang", "cql2-text")
    if said not in LANGUAGES_OF_FILTERS:
        raise BadParameter(
            "filter-lang",
            f"{said[:80]!r} is not spoken here",
            remedy=f"use one of {', '.join(LANGUAGES_OF_FILTERS)}",
        )
    crs = (
        parse_crs(asked["filter-crs"], supported(view.frame.crs), "filter-crs")
        if "filter-crs" in asked
        else CRS84
    )
    text = asked.get("filter")
    if text is None:
        return []
    if len(text) > MAX_FILTER:
        raise BadParameter("filter", f"{len(text):,} characters", remedy=f"write at most {MAX_FILTER:,}")
    made = (
        cql2.parse_text(text, crs=crs)
        if said == "cql2-text"
        else cql2.parse_json(text.encode("utf-8", "replace"), crs=crs)
    )
    kinds = {name: str(column.type) for name, column in known.items()}
    cql2.check(made, kinds | ({"geometry": "geometry"} if view.geometry else {}))
    return [made]


def _columns(text: str, known: Mapping[str, Column]) -> tuple[str, ...]:
    wanted = {part.strip() for part in text.split(",") if part.strip()}
    for name in wanted:
        if name not in known:
            raise BadParameter(
                "properties",
                f"there is no column {name[:80]!r}",
                remedy=f"its columns are {', '.join(known)}",
            )
    return tuple(name for name in known if name in wanted)


def _equal(name: str, text: str, known: Mapping[str, Column], layer: str) -> Expression:
    column = known.get(name)
    if column is None:
        here = f"known here: {', '.join(sorted(OWN))}; columns: {', '.join(known) or 'none'}"
        raise BadParameter(name[:80], f"{layer} has no such parameter or column", remedy=here)
    return {"op": "=", "args": [{"property": name}, _value(column, text)]}


def _value(column: Column, text: str) -> Any:
    if column.type == "boolean":
        return truth(column.name, text)
    if column.type in ("integer", "number"):
        if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            raise BadParameter(column.name, f"{text[:80]!r} is not a number")
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    if column.type == "datetime":
        moment = _instant(text, column.name, text)[0]
        return {"timestamp": moment.isoformat().replace("+00:00", "Z")}
    return text
