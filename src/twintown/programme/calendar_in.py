"""Events out of an iCalendar file (RFC 5545) that somebody sent: each becomes an event, or is refused with the reason.

A file is looked over before it is parsed: its size, its lines, how deep its components lie. Zones are known by their IANA (or Windows)
names; a file's own VTIMEZONEs are not believed and not read. Nothing is repeated: an entry with a rule is refused by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from twintown.ground.errors import BadData, BadInput, BadParameter
from twintown.ground.names import Name

from .calendar_out import PREFIX
from .event import KINDS, Event
from .event_reading import ITEMS, TEXT, read
from .listings import Venue

#: An entry as the parser gives it: any property may be there, once or several times, whole or broken.
Entry = Any
#: Bytes and lines of a file, components in it, how deep they lie, and events that one file brings.
BYTES, LINES, COMPONENTS, DEEPEST, EVENTS = 1024 * 1024, 40_000, 4_000, 4, 500
_OURS = re.compile(r"(ev-[0-9a-f]{24})@([a-z0-9-]{1,64})\.twintown")
_SHORT = re.compile(r"[^a-z0-9-]+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_REPEATS = ("RRULE", "RDATE", "EXRULE", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True)
class Refused:
    """What was not taken: its name or its UID, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds."""

    events: tuple[Event, ...]
    refused: tuple[Refused, ...]


def calendar(data: bytes, *, twin: str, zone: str, venues: Sequence[Venue]) -> Found:
    """The events of a file.

    Args:
        twin: id of the twin: what it wrote itself keeps its name.
        zone: IANA name of the city's zone, in which days begin.
        venues: that a LOCATION may name instead of a GEO.

    Raises:
        BadData: it is no iCalendar file, or too large.
    """
    entries = _entries(data)
    here = ZoneInfo(zone)
    parents: dict[str, Entry] = {}
    children: dict[str, list[Entry]] = {}
    refused: list[Refused] = []
    for entry in entries:
        try:
            name, parent = _text(entry, "UID", 500), _parent(entry)
            if not name:
                raise BadInput("has no UID")
            if parent:
                children.setdefault(parent, []).append(entry)
            elif name in parents:
                raise BadInput("is there twice under the same UID")
            else:
                parents[name] = entry
        except BadInput as error:
            refused.append(Refused(_called(entry), str(error)))
    events: list[Event] = []
    for at, (name, entry) in enumerate(parents.items()):
        if at >= EVENTS:
            refused.append(Refused(_called(entry), f"one file brings at most {EVENTS} events"))
            continue
        try:
            events.append(_event(entry, name, children.pop(name, []), twin, here, venues, refused))
        except BadInput as error:
            refused.append(Refused(_called(entry), _reason(error)))
    for orphans in children.values():
        refused += [Refused(_called(one), "what it belongs to is not in the file") for one in orphans]
    return Found(tuple(events), tuple(refused))


def id_of(name: str, twin: str) -> str:
    """The id of the event of a UID: our own again, for another calendar's always the same one."""
    ours = _OURS.fullmatch(name)
    if ours is not None and ours[2] == twin:
        return ours[1]
    return "ev-" + hashlib.sha256(f"icalendar\0{name}".encode()).hexdigest()[:24]


# -- the file ---------------------------------------------------------------------------------------------------------


def _entries(data: bytes) -> list[Entry]:
    from icalendar import Calendar

    if len(data) > BYTES:
        raise BadData(f"has {len(data):,} bytes, at most {BYTES:,} are taken", "calendar", "split it")
    _look(data)
    try:
        text = _without_zones(data.removeprefix(b"\xef\xbb\xbf")).decode("utf-8")
        found = Calendar.from_ical(text)
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise BadData(
            f"is no iCalendar file ({why})", "calendar", "send what a calendar program exports"
        ) from error
    if found.name != "VCALENDAR":
        raise BadData(f"begins with {found.name[:40]}", "calendar", "send a VCALENDAR")
    entries: list[Any] = found.walk("VEVENT")
    if not entries:
        raise BadData("holds no VEVENT", "calendar", "export the events, not tasks or free times")
    return entries


def _without_zones(data: bytes) -> bytes:
    """The file without its VTIMEZONEs, in one walk over its lines; one that does not end takes the rest with it."""
    kept, inside = [], False
    for line in data.splitlines(keepends=True):
        word = line.strip().upper()
        inside = inside or word == b"BEGIN:VTIMEZONE"
        if not inside:
            kept.append(line)
        elif word == b"END:VTIMEZONE":
            inside = False
    return b"".join(kept)


def _look(data: bytes) -> None:
    """Refuse what would cost too much to parse."""
    lines = data.count(b"\n") + 1
    if lines > LINES:
        raise BadData(f"has {lines:,} lines, at most {LINES:,} are taken", "calendar", "split it")
    depth = deepest = count = 0
    for line in data.splitlines():
        word = line[:7].upper()
        if word.startswith(b"BEGIN:"):
            depth, count = depth + 1, count + 1
            deepest = max(deepest, depth)
        elif word.startswith(b"END:"):
            depth -= 1
    if count > COMPONENTS or deepest > DEEPEST:
        raise BadData(
            f"has {count:,} components up to {deepest} deep, at most {COMPONENTS:,} and {DEEPEST} are taken",
            "calendar",
            "split it",
        )


# -- one entry --------------------------------------------------------------------------------------------------------


def _event(
    entry: Entry, name: str, children: Sequence[Entry], twin: str, zone: ZoneInfo, venues: Sequence[Venue], refused: list[Refused]
) -> Event:  # fmt: skip
    if name.startswith("ls-") and name.endswith(f"@{twin}.twintown"):
        raise BadInput("it is a listing of this twin already")
    _whole(entry)
    start, end = _when(entry, zone)
    place = _place(entry, venues)
    link = _text(entry, "URL", 2000)
    if link and not link.lower().startswith(("http://", "https://")):
        raise BadInput("its URL is neither http nor https")
    about = _words(entry, "DESCRIPTION")
    if link and not entry.get(f"{PREFIX}VISITORS"):
        about = {language: f"{text}\n{link}".strip()[:TEXT] for language, text in about.items()}
    id = id_of(name, twin)
    body: dict[str, Any] = {
        "id": id, "kind": _kind(entry), "title": _words(entry, "SUMMARY"), "about": about, "host": "", "agreement": "",
        "place": place, "start": _said(start), "end": _said(end), "organiser": _organiser(entry), "programme": [], "sections": [],
        "delegations": [], "meetings": [], "visitors": _visitors(entry), "stage": None, "stands": [],
        "works": {
            "temporary_m2": 0.0, "fire": False, "gas": False, "on_water": False, "food": False, "fireworks": False,
            "road_closed": False,
        },
        "plan": None,
    }  # fmt: skip
    if not body["title"]["ko"]:
        raise BadInput("has no SUMMARY")
    sections: dict[str, None] = {}
    for at, child in enumerate(children[:ITEMS]):
        try:
            _whole(child)
            item = _item(child, id, twin, at, zone, {one["id"] for one in body["programme"]})
            said = body | {
                "programme": [item],
                "sections": [{"id": item["section"], "title": _same(item["section"])}]
                if item["section"]
                else [],
            }
            read(said)
        except BadInput as error:
            refused.append(Refused(_called(child), _reason(error)))
            continue
        body["programme"].append(item)
        if item["section"]:
            sections[item["section"]] = None
    refused += [Refused(_called(one), f"an event has at most {ITEMS} items") for one in children[ITEMS:]]
    body["sections"] = [{"id": one, "title": _same(one)} for one in sections]
    return read(body)


def _item(entry: Entry, parent: str, twin: str, at: int, zone: ZoneInfo, taken: set[str]) -> dict[str, Any]:
    start, end = _when(entry, zone)
    title = _words(entry, "SUMMARY")
    if not title["ko"]:
        raise BadInput("has no SUMMARY")
    own = _text(entry, "UID", 500)
    beginning = f"{parent}."
    short = own[len(beginning) :].split("@")[0] if own.startswith(beginning) else ""
    id = (
        short
        if short and not _SHORT.search(short) and len(short) <= 40 and short not in taken
        else f"item-{at + 1}"
    )
    while id in taken:
        id = f"{id[:34]}-{at + 1}"[:40]
    performers = entry.get(f"{PREFIX}PERFORMER", [])
    many = performers if isinstance(performers, list) else [performers]
    return {
        "id": id, "start": _said(start), "end": _said(end), "stage": _text(entry, "LOCATION", 120), "title": title,
        "performers": [_plain(str(one)) for one in many], "section": _text(entry, f"{PREFIX}SECTION", 40),
        "about": _words(entry, "DESCRIPTION"),
    }  # fmt: skip


def _whole(entry: Entry) -> None:
    """Raises BadInput: something in it could not be understood, or it repeats."""
    for name in _REPEATS:
        if name in entry:
            raise BadInput(f"repeats ({name}): make each an event of its own")
    if entry.errors:
        name, why = entry.errors[0]
        raise BadInput(f"its {name or 'content'} is not understood: {str(why)[:120]}")


def _when(entry: Entry, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if "DTSTART" not in entry:
        raise BadInput("does not say when it begins (DTSTART)")
    start = _moment(entry, "DTSTART", zone)
    if "DTEND" in entry:
        return start, _moment(entry, "DTEND", zone)
    if "DURATION" in entry:
        span = getattr(entry["DURATION"], "td", None)
        if not isinstance(span, timedelta):
            raise BadInput("its DURATION is not understood")
        try:
            return start, start + span
        except OverflowError as error:
            raise BadInput("its DURATION leads out of the calendar") from error
    if not isinstance(_value(entry, "DTSTART"), datetime):  # RFC 5545, 3.6.1: one day
        return start, start + timedelta(days=1)
    raise BadInput("does not say when it ends (DTEND or DURATION)")


def _value(entry: Entry, name: str) -> Any:
    one = entry[name]
    if isinstance(one, list):
        raise BadInput(f"has {name} twice")
    try:
        return one.dt
    except (AttributeError, ValueError) as error:
        raise BadInput(f"its {name} is no time: {str(error)[:120]}") from error


def _moment(entry: Entry, name: str, zone: ZoneInfo) -> datetime:
    value = _value(entry, name)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            said = entry[name].params.get("TZID", "")
            if said:
                raise BadInput(f"its {name} stands in the unknown zone {str(said)[:60]!r}")
            raise BadInput(f"its {name} does not say in which zone (TZID)")
        try:
            return value.astimezone(zone).replace(microsecond=0)
        except (OverflowError, ValueError) as error:
            raise BadInput(f"its {name} lies outside of the calendar") from error
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    raise BadInput(f"its {name} is no time")


def _place(entry: Entry, venues: Sequence[Venue]) -> dict[str, Any]:
    name = _words(entry, "LOCATION")
    named = _text(entry, f"{PREFIX}VENUE", 200)
    venue = next((one for one in venues if one.id == named), None) or next(
        (one for one in venues if one.name.ko and one.name.ko in name["ko"]), None
    )
    shown = name if name["ko"] else (venue.name.to_dict() if venue else _same("장소"))
    if "GEO" in entry:
        geo = entry["GEO"]
        if isinstance(geo, list):
            raise BadInput("has GEO twice")
        lat, lon = float(geo.latitude), float(geo.longitude)
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise BadInput(f"its GEO {lat:g};{lon:g} lies outside of the world")
        return {"name": shown, "venue": venue.id if venue else "", "lon": lon, "lat": lat}
    if venue is None:
        raise BadInput("says no place: neither GEO nor a LOCATION that is a venue here")
    return {"name": shown, "venue": venue.id, "lon": venue.lon, "lat": venue.lat}


def _organiser(entry: Entry) -> dict[str, str]:
    said = entry.get("ORGANIZER")
    if isinstance(said, list):
        raise BadInput("has ORGANIZER twice")
    name = str(said.params.get("CN", "")) if said is not None else ""
    return {"name": (name.strip() or "미상")[:200], "department": _text(entry, f"{PREFIX}DEPARTMENT", 200)}


def _visitors(entry: Entry) -> dict[str, Any]:
    parts = _text(entry, f"{PREFIX}VISITORS", 60).split()
    if (
        len(parts) == 3
        and parts[0].isdecimal()
        and parts[1].isdecimal()
        and parts[2] in ("assumed", "counted", "tickets")
    ):
        return {"expected": int(parts[0]), "error": int(parts[1]), "source": parts[2], "note": ""}
    note = "가져온 달력에는 관람객 수가 없습니다 · the calendar states no visitors"
    return {"expected": 0, "error": 0, "source": "assumed", "note": note}


def _kind(entry: Entry) -> str:
    said = entry.get("CATEGORIES")
    every = said if isinstance(said, list) else [said] if said is not None else []
    words = [str(word).strip().lower() for one in every for word in getattr(one, "cats", [])]
    return next((word for word in words if word in KINDS), "festival")


def _parent(entry: Entry) -> str:
    """The UID that an entry is a part of; "" where it stands by itself."""
    said = entry.get("RELATED-TO")
    for one in said if isinstance(said, list) else [said] if said is not None else []:
        if str(one.params.get("RELTYPE", "PARENT")).upper() == "PARENT":
            return str(one)
    return ""


def _words(entry: Entry, name: str) -> dict[str, str]:
    ko, en = _text(entry, name, TEXT), _text(entry, f"{PREFIX}{name}", TEXT)
    return {"ko": ko or en, "en": en or ko}


def _text(entry: Entry, name: str, most: int) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if isinstance(value, list):
        raise BadInput(f"has {name} twice")
    text = _plain(str(value)) if name.startswith(PREFIX) else str(value)
    if len(text) > most:
        raise BadInput(f"its {name} has {len(text):,} characters, at most {most:,} are taken")
    return text


def _plain(text: str) -> str:
    """A text whose escapes (RFC 5545, 3.3.11) the parser left as they were, for it does not know the property."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def _same(text: str) -> dict[str, str]:
    return Name(text, text).to_dict()


def _said(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _called(entry: Mapping[str, Any]) -> str:
    """What people know it by."""
    for name in ("SUMMARY", "UID"):
        value = entry.get(name)
        if isinstance(value, list):
            value = value[0]
        if value is not None and str(value).strip():
            return "".join(one if one.isprintable() else " " for one in str(value))[:120]
    return "VEVENT"


def _reason(error: BadInput) -> str:
    """Why an entry was refused, in one sentence; for a member of the event with its name."""
    return (
        f"{error.where.removeprefix('event.')} {error.what}"
        if isinstance(error, BadParameter)
        else error.what
    )
