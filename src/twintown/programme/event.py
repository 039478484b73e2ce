"""An event: what happens where and when, who comes, what stands there. Pure; `event_reading` reads one strictly.

draft ──proposed──▶ agreed ──▶ settled        listed: found in open data, nobody's to change
  ▲        │          │
  └─declined┘        ended                    cancelled from any state before settled
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal

from twintown.ground.names import Name

Kind = Literal["festival", "performance", "market", "conference"]
KINDS: tuple[Kind, ...] = ("festival", "performance", "market", "conference")
State = Literal["draft", "proposed", "agreed", "declined", "ended", "cancelled", "settled", "listed"]
STATES: tuple[State, ...] = (
    "draft", "proposed", "agreed", "declined", "ended", "cancelled", "settled", "listed",
)  # fmt: skip
Counted = Literal["assumed", "counted", "tickets"]
Known = Literal["measured", "stated", "assumed", "computed"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is: a name, the venue (id of a row of `landmarks`, or ""), degrees (CRS84)."""

    name: Name
    venue: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Organiser:
    """Who answers for it, in which department."""

    name: str
    department: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the programme, on a stage or in a room, in a section of a conference or in none ("")."""

    id: str
    start: datetime
    end: datetime
    stage: str
    title: Name
    performers: tuple[str, ...]
    section: str
    about: Name


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a conference."""

    id: str
    title: Name


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who comes to a conference, `size` people of a city, and whom they wish to meet (ids of delegations, dearest first)."""

    id: str
    name: str
    city: str
    size: int
    wishes: tuple[str, ...]
    section: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two delegations meet, in a room (from 1)."""

    a: str
    b: str
    start: datetime
    end: datetime
    room: int


@dataclass(frozen=True, slots=True)
class Visitors:
    """How many people come in all: `expected` ± `error` (80 of 100 such statements hold), and how that is known."""

    expected: int
    error: int
    source: Counted
    note: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: degrees (CRS84), heading of its front from north clockwise, metres, LAeq in dB(A) at 10 m, depth of the audience."""

    lon: float
    lat: float
    heading_deg: float
    width_m: float
    depth_m: float
    height_m: float
    level_db: float
    audience_m: float
    source: Known


@dataclass(frozen=True, slots=True)
class Stand:
    """A stand: degrees (CRS84), the direction that its counter faces from north clockwise, metres; None where nobody knows."""

    id: str
    name: Name
    lon: float
    lat: float
    heading_deg: float
    width_m: float
    depth_m: float
    products: tuple[str, ...]
    power: bool | None
    water: bool | None


@dataclass(frozen=True, slots=True)
class Works:
    """What is put up and done there: temporary structures (m²), open fire, gas, something on the water, food, fireworks, a closed road."""

    temporary_m2: float
    fire: bool
    gas: bool
    on_water: bool
    food: bool
    fireworks: bool
    road_closed: bool


@dataclass(frozen=True, slots=True)
class PlanMade:
    """The plan of its deliveries: the job that made it and its result layers by output."""

    job: str
    layers: Mapping[str, str]
    made: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """See the module.

    Attributes:
        id: `ev-` and 24 hexadecimal digits; of a listing `ls-…`.
        host: DID of the city on whose ground it is; "" for this one.
        agreement: by which it may be there; "" where none is needed or there is none yet.
        start, end: with their offset; `end` is after `start`.
    """

    id: str
    kind: Kind
    title: Name
    about: Name
    host: str
    agreement: str
    place: Place
    start: datetime
    end: datetime
    organiser: Organiser
    programme: tuple[Item, ...]
    sections: tuple[Section, ...]
    delegations: tuple[Delegation, ...]
    meetings: tuple[Meeting, ...]
    visitors: Visitors
    stage: Stage | None
    stands: tuple[Stand, ...]
    works: Works
    plan: PlanMade | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `event_reading.read` is the inverse."""
        said = _json(self)
        assert isinstance(said, dict)
        return said


def _json(value: Any) -> Any:
    if isinstance(value, Name):
        return value.to_dict()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value
