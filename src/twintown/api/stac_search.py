"""Which STAC items are asked for (STAC API 1.0, item search), and the page of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from twintown.api import dates, patterns
from twintown.api.items_query import interval
from twintown.ground.crs import boxes as boxes_of
from twintown.ground.crs import parse_bbox
from twintown.ground.errors import BadParameter
from twintown.query.query import Interval, LonLat

MAX_LIMIT, DEFAULT_LIMIT = 10_000, 10
#: Positions in a geometry that is asked for.
MAX_POSITIONS = 10_000
_DAY_ALONE = re.compile(r"(^|/)\d{4}-\d{2}-\d{2}(/|$)")


class Search(BaseModel):
    """What is asked for; all of it must hold."""

    model_config = ConfigDict(extra="forbid")

    collections: list[str] | None = Field(default=None, max_length=100, description="ids of collections")
    ids: list[str] | None = Field(default=None, max_length=1000, description="ids of items")
    bbox: list[Annotated[float, Strict()]] | None = Field(
        default=None,
        min_length=4,
        max_length=6,
        description="west, south, east, north, degrees; 6 with heights",
    )
    intersects: dict[str, Any] | None = Field(default=None, description="a GeoJSON geometry, degrees")
    datetime: str | None = Field(
        default=None,
        max_length=100,
        description="an instant or an interval, RFC 3339 with a time of day",
        json_schema_extra=patterns.MOMENT_FIELD,
    )
    limit: int = Field(
        default=DEFAULT_LIMIT, ge=1, description=f"items a page; more than {MAX_LIMIT} gives {MAX_LIMIT}"
    )
    token: str | None = Field(default=None, max_length=200, description="from the link to the next page")

    @classmethod
    def of(cls, **said: Any) -> Search:
        """From query parameters. Raises BadParameter, naming the first that does not fit."""
        try:
            return cls(**said)
        except ValidationError as error:
            first = error.errors()[0]
            raise BadParameter(str(first["loc"][0]), str(first["msg"])) from error


@dataclass(frozen=True)
class Page:
    """Items of one page; `token` leads to the next, none after the last."""

    items: list[dict[str, Any]]
    matched: int
    token: str | None


def parse_words(text: str | None) -> list[str] | None:
    """`a,b` as a list; none where nothing was said."""
    return None if text is None else [part for part in text.split(",") if part]


def parse_numbers(text: str | None) -> list[float] | None:
    """The numbers of a `bbox`, checked. Raises BadParameter."""
    if not text:  # an empty field of a form asks for nothing
        return None
    parse_bbox(text)
    return [float(part) for part in text.split(",")]


def when_of(text: str) -> Interval:
    """An interval with times, as STAC has it: a day alone is none. Raises BadParameter."""
    if _DAY_ALONE.search(text):
        raise BadParameter(
            "datetime", f"{text[:80]!r} has no time of day", remedy="write it as 2026-01-01T00:00:00Z"
        )
    return interval(text)


def found(items: Sequence[dict[str, Any]], asked: Search) -> Page:
    """The items of a search.

    A token is the id of the layer that the page before ended with, so that a build in between neither repeats nor skips one.

    Raises:
        BadParameter: a condition cannot be understood.
    """
    if asked.bbox is not None and asked.intersects is not None:
        raise BadParameter("intersects", "stands beside bbox", remedy="send one of them")
    kept = list(items)
    if asked.ids is not None:
        kept = [one for one in kept if one["id"] in asked.ids]
    if asked.collections is not None:
        kept = [one for one in kept if one["collection"] in asked.collections]
    if asked.bbox is not None:
        around = boxes_of(asked.bbox)
        kept = [one for one in kept if _touches(one, around)]
    if asked.intersects is not None:
        kept = _intersecting(kept, asked.intersects)
    if asked.datetime:
        when = when_of(asked.datetime)
        kept = [one for one in kept if _of_time(one, when)]
    rest = kept if asked.token is None else [one for one in kept if _layer(one) > asked.token]
    page = rest[: min(asked.limit, MAX_LIMIT)]
    return Page(page, len(kept), _layer(page[-1]) if len(rest) > len(page) else None)


def _layer(one: Mapping[str, Any]) -> str:
    return str(one["properties"]["twintown:layer"])


def _touches(one: Mapping[str, Any], around: tuple[LonLat, ...]) -> bool:
    box = one.get("bbox")
    return box is not None and any(dates.overlap((box[0], box[1], box[2], box[3]), each) for each in around)


def _intersecting(items: Sequence[dict[str, Any]], geometry: dict[str, Any]) -> list[dict[str, Any]]:
    import shapely
    from shapely.geometry import shape

    try:
        asked = shape(geometry)
        if asked.is_empty or shapely.get_num_coordinates(asked) > MAX_POSITIONS or not asked.is_valid:
            raise ValueError
        west, south, east, north = asked.bounds
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise ValueError
    except Exception as error:  # shapely's errors for what is no geometry have no common class
        raise BadParameter(
            "intersects",
            "is no valid GeoJSON geometry in degrees",
            remedy=f'write one such as {{"type": "Point", "coordinates": [127.1, 37.5]}}, of at most {MAX_POSITIONS:,} positions',
        ) from error
    placed = [one for one in items if one.get("geometry")]
    if not placed:
        return []
    boxes = shapely.box(*zip(*(one["bbox"] for one in placed), strict=True))
    hits = shapely.intersects(boxes, asked)
    return [one for one, hit in zip(placed, hits, strict=True) if hit]


def _of_time(one: Mapping[str, Any], when: Interval) -> bool:
    said = one["properties"]
    first = interval(said.get("start_datetime") or said["datetime"])[0]
    last = interval(said.get("end_datetime") or said["datetime"])[1]
    return dates.meets((first, last), when)
