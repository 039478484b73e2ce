"""Events as an iCalendar file (RFC 5545): one VEVENT each, the items of a programme as VEVENTs related to it, the city's zone with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .event import Event, Item, State

if TYPE_CHECKING:
    from icalendar import Calendar
    from icalendar import Event as Entry

PRODUCT = "-//Twintown//Events of a twin//KO"
#: What iCalendar has no word for is said in members of ours (RFC 5545, 3.8.8.2).
PREFIX = "X-TWINTOWN-"
_STATUS = {
    "draft": "TENTATIVE",
    "proposed": "TENTATIVE",
    "declined": "CANCELLED",
    "cancelled": "CANCELLED",
    "ended": "CANCELLED",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Written:
    """An event as it goes into a file.

    Attributes:
        revision, at: of the event; 0 and None of a listing. all_day: only its days are known.
        placed: whether its coordinates are known.
        link: its web page, http(s), or "".
        thanks: whom to thank for it; "" for nobody.
    """

    event: Event
    state: State
    revision: int = 0
    at: datetime | None = None
    all_day: bool = False
    placed: bool = True
    link: str = ""
    thanks: str = ""


def uid(id: str, twin: str) -> str:
    """The name of an event that no other calendar has; `calendar_in` knows it again."""
    return f"{id}@{twin}.twintown"


def calendar(written: Sequence[Written], *, twin: str, name: str, zone: str, address: str) -> bytes:
    """A whole file.

    Args:
        twin: id of the twin. name: of the calendar. zone: IANA name of the city's zone.
        address: of the twin, http(s): what organisers and events are found under.
    """
    from icalendar import Calendar, Timezone

    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("x-wr-timezone", zone)
    made.add_component(Timezone.from_tzid(zone))
    here = ZoneInfo(zone)
    for one in written:
        _add(made, one, twin, here, address)
    return bytes(made.to_ical())


def _add(made: Calendar, one: Written, twin: str, zone: ZoneInfo, address: str) -> None:
    from icalendar import Event as Entry
    from icalendar import vCalAddress

    event = one.event
    entry = Entry()
    entry.add("uid", uid(event.id, twin))
    _common(entry, one)
    _when(entry, event.start, event.end, zone, all_day=one.all_day)
    _words(entry, "summary", event.title.ko, event.title.en)
    about = [text for text in (event.about.ko, one.thanks) if text.strip()]
    _words(entry, "description", "\n\n".join(about), event.about.en)
    _words(entry, "location", event.place.name.ko, event.place.name.en)
    if one.placed:
        entry.add("geo", (event.place.lat, event.place.lon))
    entry.add("categories", [event.kind])
    if event.place.venue:
        _own(entry, "venue", event.place.venue)
    organiser = vCalAddress(address)
    organiser.params["CN"] = _CONTROL.sub(" ", event.organiser.name)
    entry["organizer"] = organiser
    if event.organiser.department:
        _own(entry, "department", event.organiser.department)
    entry.add("url", one.link or f"{address}/events/{event.id}")
    if one.state != "listed":
        said = event.visitors
        _own(entry, "visitors", f"{said.expected} {said.error} {said.source}")
    made.add_component(entry)
    for item in _items(event):
        _add_item(made, one, item, twin, zone)


def _items(event: Event) -> Iterator[Item]:
    yield from sorted(event.programme, key=lambda one: (one.start, one.id))


def _add_item(made: Calendar, one: Written, item: Item, twin: str, zone: ZoneInfo) -> None:
    from icalendar import Event as Entry

    entry = Entry()
    entry.add("uid", uid(f"{one.event.id}.{item.id}", twin))
    _common(entry, one)
    _when(entry, item.start, item.end, zone)
    _words(entry, "summary", item.title.ko, item.title.en)
    _words(entry, "description", item.about.ko, item.about.en)
    if item.stage:
        entry.add("location", item.stage)
    if item.performers:
        _own(entry, "performer", *item.performers)
    if item.section:
        _own(entry, "section", item.section)
    entry.add("related-to", uid(one.event.id, twin), parameters={"RELTYPE": "PARENT"})
    made.add_component(entry)


def _common(entry: Entry, one: Written) -> None:
    stamp = (one.at or one.event.start).astimezone(UTC).replace(microsecond=0)
    entry.add("dtstamp", stamp)
    entry.add("status", _STATUS.get(one.state, "CONFIRMED"))
    if one.at is not None:
        entry.add("last-modified", stamp)
        entry.add("sequence", max(one.revision - 1, 0))
    entry.add("class", "PUBLIC")


def _when(entry: Entry, start: datetime, end: datetime, zone: ZoneInfo, *, all_day: bool = False) -> None:
    for name, at in (("dtstart", start), ("dtend", end)):
        local = at.astimezone(zone)
        entry.add(name, local.date() if all_day else local)


def _words(entry: Entry, name: str, ko: str, en: str) -> None:
    """A text in Korean, and the English one beside it."""
    parameters: dict[str, Any] = {"LANGUAGE": "ko"}
    if ko.strip():
        entry.add(name, ko, parameters=parameters)
    if en.strip():
        _own(entry, name, en, LANGUAGE="en")


def _own(entry: Entry, name: str, *values: str, **parameters: str) -> None:
    """A member of ours, once or several times; as text, so that no value can write lines of its own."""
    from icalendar import vText

    texts = [vText(value) for value in values]
    for one in texts:
        one.params.update(parameters)
    entry[f"{PREFIX}{name}".upper()] = texts if len(texts) > 1 else texts[0]
