"""An event that came, read strictly: exactly its members, each of its kind and size, and nothing that contradicts itself."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from twintown.ground.errors import BadParameter

from .event import (
    KINDS,
    Delegation,
    Event,
    Item,
    Meeting,
    Organiser,
    Place,
    PlanMade,
    Section,
    Stage,
    Stand,
    Visitors,
    Works,
)  # fmt: skip
from .event_members import Members, code, text

#: Longest texts in characters, most entries, most bytes of the whole as JSON.
TITLE, TEXT, WHO, NAME = 200, 4000, 200, 120
ITEMS, SECTIONS, DELEGATIONS, MEETINGS, STANDS, PERFORMERS, PRODUCTS, WISHES = (
    500,
    60,
    400,
    2000,
    200,
    40,
    40,
    100,
)
BYTES = 512 * 1024
#: The longest event, and how far a stand or a stage lies from the event's place at most, metres.
LONGEST, AWAY_M = timedelta(days=400), 2000.0
MOST_PEOPLE = 10_000_000
_ID = re.compile(r"ev-[0-9a-f]{24}|ls-[0-9a-f]{24}")
_EARTH_M = 6_371_008.8  # mean radius


def names(kind: type) -> list[str]:
    """The members of a part of an event, in their order."""
    return [field.name for field in fields(kind)]


def read(said: Any, path: str = "event") -> Event:
    """An event.

    Args:
        said: JSON with exactly the members of `Event`.
        path: where it stands in what was sent.

    Raises:
        BadParameter: naming the member by its path, as `event.stands[0].lon`.
    """
    one = Members(said, path, names(Event))
    try:
        if len(json.dumps(said)) > BYTES:
            raise BadParameter(path, f"has more than {BYTES:,} bytes", remedy="split it into several events")
    except (TypeError, ValueError, RecursionError) as error:
        raise BadParameter(path, "is no JSON") from error
    id = one.said["id"]
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise one.bad("id", "is no id of an event", "it begins with ev-, then 24 hexadecimal digits")
    host = one.text("host", 512)
    if host and not host.startswith("did:"):
        raise one.bad("host", "names no city", "write its DID, or nothing for this city")
    made = Event(
        id=id, kind=one.one_of("kind", KINDS), title=one.words("title", TITLE, filled=True), about=one.words("about", TEXT),
        host=host, agreement=one.text("agreement", 80), place=_place(said["place"], f"{path}.place"),
        start=one.moment("start"), end=one.moment("end"), organiser=_organiser(said["organiser"], f"{path}.organiser"),
        programme=one.each("programme", ITEMS, _item), sections=one.each("sections", SECTIONS, _section),
        delegations=one.each("delegations", DELEGATIONS, _delegation), meetings=one.each("meetings", MEETINGS, _meeting),
        visitors=_visitors(said["visitors"], f"{path}.visitors"),
        stage=None if said["stage"] is None else _stage(said["stage"], f"{path}.stage"),
        stands=one.each("stands", STANDS, _stand), works=_works(said["works"], f"{path}.works"),
        plan=None if said["plan"] is None else _plan(said["plan"], f"{path}.plan"),
    )  # fmt: skip
    _check(made, path)
    return made


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The distance between two places (longitude and latitude, degrees), on a sphere, metres."""
    (east, north), (east2, north2) = ((math.radians(one) for one in pair) for pair in (a, b))
    half = (
        math.sin((north2 - north) / 2) ** 2
        + math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    )
    return 2 * _EARTH_M * math.asin(math.sqrt(half))


# -- its parts --------------------------------------------------------------------------------------------------------


def _place(said: Any, path: str) -> Place:
    one = Members(said, path, names(Place))
    return Place(one.words("name", WHO, filled=True), one.text("venue", WHO), *_lonlat(one))


def _lonlat(one: Members) -> tuple[float, float]:
    return one.number("lon", -180, 180, "degrees"), one.number("lat", -90, 90, "degrees")


def _organiser(said: Any, path: str) -> Organiser:
    one = Members(said, path, names(Organiser))
    return Organiser(one.text("name", WHO, filled=True), one.text("department", WHO))


def _item(said: Any, path: str) -> Item:
    one = Members(said, path, names(Item))
    return Item(
        one.code("id"), one.moment("start"), one.moment("end"), one.text("stage", NAME), one.words("title", TITLE, filled=True),
        one.each("performers", PERFORMERS, lambda value, at: text(value, at, WHO, filled=True)),
        one.code("section", empty=True), one.words("about", TEXT),
    )  # fmt: skip


def _section(said: Any, path: str) -> Section:
    one = Members(said, path, names(Section))
    return Section(one.code("id"), one.words("title", TITLE, filled=True))


def _delegation(said: Any, path: str) -> Delegation:
    one = Members(said, path, names(Delegation))
    return Delegation(
        one.code("id"), one.text("name", WHO, filled=True), one.text("city", WHO), one.count("size", 10_000, 1),
        one.each("wishes", WISHES, code), one.code("section", empty=True),
    )  # fmt: skip


def _meeting(said: Any, path: str) -> Meeting:
    one = Members(said, path, names(Meeting))
    return Meeting(
        one.code("a"), one.code("b"), one.moment("start"), one.moment("end"), one.count("room", 1000, 1)
    )


def _visitors(said: Any, path: str) -> Visitors:
    one = Members(said, path, names(Visitors))
    return Visitors(
        one.count("expected", MOST_PEOPLE), one.count("error", MOST_PEOPLE),
        one.one_of("source", ("assumed", "counted", "tickets")), one.text("note", TEXT),
    )  # fmt: skip


def _stage(said: Any, path: str) -> Stage:
    one = Members(said, path, names(Stage))
    return Stage(
        *_lonlat(one), one.number("heading_deg", 0, 360, "degrees"), one.number("width_m", 0.5, 200, "m"),
        one.number("depth_m", 0.5, 200, "m"), one.number("height_m", 0, 50, "m"), one.number("level_db", 0, 140, "dB"),
        one.number("audience_m", 0, 1000, "m"), one.one_of("source", ("measured", "stated", "assumed", "computed")),
    )  # fmt: skip


def _stand(said: Any, path: str) -> Stand:
    one = Members(said, path, names(Stand))
    return Stand(
        one.code("id"), one.words("name", WHO, filled=True), *_lonlat(one), one.number("heading_deg", 0, 360, "degrees"),
        one.number("width_m", 0.5, 100, "m"), one.number("depth_m", 0.5, 100, "m"), one.each("products", PRODUCTS, code),
        one.maybe("power"), one.maybe("water"),
    )  # fmt: skip


def _works(said: Any, path: str) -> Works:
    one = Members(said, path, names(Works))
    return Works(
        one.number("temporary_m2", 0, 1_000_000, "m²"), *(one.yes(name) for name in names(Works)[1:])
    )


def _plan(said: Any, path: str) -> PlanMade:
    one = Members(said, path, names(PlanMade))
    layers = one.said["layers"]
    outputs = ("deliveries", "loads", "unmet", "balance")
    within = Members(layers, f"{path}.layers", outputs)
    return PlanMade(
        one.text("job", 80), {name: within.text(name, 120) for name in outputs}, one.moment("made")
    )


# -- what would contradict itself -------------------------------------------------------------------------------------


def _check(made: Event, path: str) -> None:
    _order(made.start, made.end, path)
    if made.end - made.start > LONGEST:
        raise BadParameter(
            f"{path}.end", f"is more than {LONGEST.days} days after its start", remedy="make several events"
        )
    if made.visitors.error > 0 and made.visitors.expected == 0:
        raise BadParameter(
            f"{path}.visitors.error", "is an error of nobody", remedy="say how many are expected"
        )
    for name in ("programme", "sections", "delegations", "stands"):
        _unique((one.id for one in getattr(made, name)), f"{path}.{name}", "id")
    sections, people = {one.id for one in made.sections}, {one.id for one in made.delegations}
    for at, item in enumerate(made.programme):
        where = f"{path}.programme[{at}]"
        _within(item.start, item.end, made, where)
        _known(item.section, sections, f"{where}.section", "a section of this event")
    for at, one in enumerate(made.delegations):
        where = f"{path}.delegations[{at}]"
        _known(one.section, sections, f"{where}.section", "a section of this event")
        for wish in one.wishes:
            if wish == one.id:
                raise BadParameter(f"{where}.wishes", "name the delegation itself")
            _known(wish, people, f"{where}.wishes", "a delegation of this event")
        _unique(one.wishes, f"{where}.wishes", "wish")
    for at, meeting in enumerate(made.meetings):
        where = f"{path}.meetings[{at}]"
        _within(meeting.start, meeting.end, made, where)
        for side in ("a", "b"):
            _known(getattr(meeting, side), people, f"{where}.{side}", "a delegation of this event")
        if meeting.a == meeting.b:
            raise BadParameter(f"{where}.b", "is the same delegation as a")
    for at, stand in enumerate(made.stands):
        _unique(stand.products, f"{path}.stands[{at}].products", "product")
        _near(made, (stand.lon, stand.lat), f"{path}.stands[{at}]")
    if made.stage is not None:
        _near(made, (made.stage.lon, made.stage.lat), f"{path}.stage")


def _order(start: datetime, end: datetime, path: str) -> None:
    if end <= start:
        raise BadParameter(f"{path}.end", "is not after its start", remedy="let it end after it begins")


def _within(start: datetime, end: datetime, made: Event, path: str) -> None:
    _order(start, end, path)
    for name, outside in (("start", start < made.start), ("end", end > made.end)):
        if outside:
            raise BadParameter(
                f"{path}.{name}", "lies outside of the event's time", remedy="move it, or lengthen the event"
            )


def _near(made: Event, at: tuple[float, float], path: str) -> None:
    away = metres((made.place.lon, made.place.lat), at)
    if away > AWAY_M:
        raise BadParameter(
            f"{path}.lon", f"lies {away / 1000:.1f} km from the event's place, at most {AWAY_M / 1000:g} km are taken",
            remedy="move it, or make an event of its own for it",
        )  # fmt: skip


def _unique(ids: Iterable[str], path: str, word: str) -> None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise BadParameter(path, f"have the {word} {id!r} twice", remedy="give each its own")
        seen.add(id)


def _known(id: str, among: set[str], path: str, what: str) -> None:
    if id and id not in among:
        raise BadParameter(path, f"{id!r} is not {what}")
