"""Listings: the rows of a layer of real events as events. They state days, a venue and a host; nobody counted who came."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from twintown.ground.names import Name

from .event import Event, Kind, Organiser, Place, Visitors, Works
from .event_reading import AWAY_M, metres

#: The layer that holds them, and the one that holds the venues.
LAYER, VENUES = "events", "landmarks"
_DAYS = re.compile(
    r"\s*(\d{4})[-./](\d{1,2})[-./](\d{1,2})\s*(?:~\s*(\d{4})[-./](\d{1,2})[-./](\d{1,2})\s*)?"
)
_LINK = re.compile(r"https?://[^\s<>\"]{3,500}")
#: What a name tells of the kind; the layer itself says none. The first that fits counts.
_KINDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("conference", ("학술", "심포지엄", "심포지움", "컨퍼런스", "콘퍼런스", "세미나", "포럼")),
    ("market", ("장터", "마켓", "벼룩시장", "프리마켓")),
    (
        "performance",
        (
            "공연",
            "연주",
            "콘서트",
            "음악회",
            "시향",
            "리사이틀",
            "연극",
            "창극",
            "음악극",
            "인형극",
            "오케스트라",
            "무용",
            "국악",
        ),
    ),
)
_PARENTHESES = re.compile(r"\([^)]*\)|\s+")
_NOBODY = Visitors(0, 0, "assumed", "")
_NOTHING = Works(0.0, False, False, False, False, False, False)


@dataclass(frozen=True, slots=True)
class Venue:
    """A row of `landmarks`: its id, its name, degrees."""

    id: str
    name: Name
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Listing:
    """One row as an event.

    Attributes:
        row: id of the row in the layer.
        placed: whether it has a place; without one, `event.place` stands in the middle of the twin and is not to be drawn.
        kind_known: False: the kind was guessed from its name.
        reversed: the row says that it ends before it begins; the days are taken the other way round.
        audience, fee, paid, link: as the row says; link is http(s) or "".
    """

    event: Event
    row: str
    placed: bool
    reversed: bool
    audience: str
    fee: str
    paid: str
    link: str


def id_of(row: str) -> str:
    """The id of the listing of a row; the same row has the same one."""
    return "ls-" + hashlib.sha256(f"{LAYER}\0{row}".encode()).hexdigest()[:24]


def listings(
    rows: Sequence[Mapping[str, Any]], venues: Sequence[Venue], zone: str, middle: tuple[float, float]
) -> list[Listing]:
    """The rows as events, all-day in the city's zone, those without days left out, by their start.

    Args:
        rows: `id`, the columns of the layer, `lon` and `lat` (None where the row has no place).
        venues: that a row may name.
        zone: IANA name of the city's time zone.
        middle: longitude and latitude of the twin's middle.
    """
    here = ZoneInfo(zone)
    found = [made for row in rows if (made := _listing(row, venues, here, middle)) is not None]
    return sorted(found, key=lambda one: (one.event.start, one.event.id))


def days(text: str) -> tuple[date, date, bool] | None:
    """First and last day of `2023-09-14~2023-09-16` or `2023-09-14`, and whether they stood the wrong way round; None: no days."""
    found = _DAYS.fullmatch(text)
    if found is None:
        return None
    numbers = [int(one) for one in found.groups() if one is not None]
    try:
        first = date(*numbers[:3])
        last = date(*numbers[3:]) if len(numbers) == 6 else first
    except ValueError:
        return None
    return min(first, last), max(first, last), last < first


def _listing(
    row: Mapping[str, Any], venues: Sequence[Venue], zone: ZoneInfo, middle: tuple[float, float]
) -> Listing | None:
    when = days(_text(row, "dates"))
    name = _text(row, "name_ko")
    if when is None or not name:
        return None
    placed = row.get("lon") is not None and row.get("lat") is not None
    lon, lat = (float(row["lon"]), float(row["lat"])) if placed else middle
    said = _text(row, "venue")
    venue = _venue(said, (lon, lat) if placed else None, venues)
    where = Name(said, venue.name.en if venue else said) if said else Name("장소 미상", "place not stated")
    start = datetime(when[0].year, when[0].month, when[0].day, tzinfo=zone)
    after = when[1] + timedelta(days=1)
    event = Event(
        id=id_of(str(row["id"])), kind=_kind(name), title=Name(name, name), about=Name("", ""), host="", agreement="",
        place=Place(where, venue.id if venue else "", lon, lat), start=start,
        end=datetime(after.year, after.month, after.day, tzinfo=zone), organiser=Organiser(_text(row, "host") or "미상", ""),
        programme=(), sections=(), delegations=(), meetings=(), visitors=_NOBODY, stage=None, stands=(), works=_NOTHING, plan=None,
    )  # fmt: skip
    link = _text(row, "link")
    return Listing(
        event, str(row["id"]), placed, when[2], _text(row, "audience"), _text(row, "fee"), _text(row, "paid"),
        link if _LINK.fullmatch(link) else "",
    )  # fmt: skip


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def _kind(name: str) -> Kind:
    return next((kind for kind, words in _KINDS if any(word in name for word in words)), "festival")


def _venue(said: str, at: tuple[float, float] | None, venues: Sequence[Venue]) -> Venue | None:
    """The venue that a row names: by its name's beginning, and not far from where the row says that it is."""
    plain = _PARENTHESES.sub("", said)
    for one in venues:
        called = _PARENTHESES.sub("", one.name.ko)
        if called and called in plain and (at is None or metres(at, (one.lon, one.lat)) <= AWAY_M / 10):
            return one
    return None
