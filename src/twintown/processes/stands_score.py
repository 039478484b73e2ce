"""The score of one stand: what it is worth by passers-by, sun, exits, lorries and room, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter

from .footfall_stations import HOURS
from .stands_ground import Ground
from .stands_parts import EGRESS_MIN, PARTS, Told, needed_width_m, worth
from .stands_place import QUEUE_M, Block, Stand
from .stands_room import Room, room_of
from .stands_sun import STEP_MIN, lowest_of, sun_minutes, sun_steps
from .sunpath import parse_day

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """What a stand is scored for: a day (ISO 8601), hours of the clock, the kind of day, weights by part, and what else stands there.

    `exits` float64[n, 2], metres; `power`, `water`: whether they are there, none where nobody knows; `people`: how many must be able to
    leave within `egress_min` minutes; `step_min`: between two positions of the sun, a part of an hour; `with_error`: whether the sun
    is answered for lower and higher buildings too.
    """

    day: str
    from_h: int
    to_h: int
    day_type: str
    weights: dict[str, float]
    others: tuple[Stand, ...] = ()
    stages: tuple[Block, ...] = ()
    exits: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    power: bool | None = None
    water: bool | None = None
    people: float = 0.0
    egress_min: float = EGRESS_MIN
    step_min: float = STEP_MIN
    with_error: bool = True


@dataclass(frozen=True)
class Hour:
    """An hour before a stand: passers (none where nobody knows) with their low and high, minutes of sun on produce and queue."""

    hour: int
    passers: float | None
    low: float | None
    high: float | None
    sun_produce_min: float | None
    sun_queue_min: float | None

    def to_dict(self) -> dict[str, Any]:
        told = {
            one: getattr(self, one) for one in ("passers", "low", "high", "sun_produce_min", "sun_queue_min")
        }
        return {"hour": self.hour, **{k: None if v is None else round(v, 1) for k, v in told.items()}}


@dataclass(frozen=True)
class Scored:
    """The answer: 0 to 100, its parts, its hours, the room around, and what must stay clear, metres."""

    score: float
    parts: tuple[Told, ...]
    hours: tuple[Hour, ...]
    room: Room
    needed_m: float


def scored(ground: Ground, stand: Stand, asked: Question) -> Scored:
    """The score of one stand.

    Raises:
        BadParameter: a bad day.
    """
    month = month_of(asked.day)
    people, low, high = _passers(ground, stand, asked)
    busiest = 0.0 if people is None else float(people.max(initial=0.0)) * high
    needed = needed_width_m(busiest, asked.people, len(asked.exits), asked.egress_min)
    room = room_of(ground, stand, asked.others, asked.stages, asked.exits, needed)
    sun = None if not room.inside else _sun(ground, stand, asked)
    if not room.inside:
        people = None
    parts = []
    for part in PARTS:
        value, lower, higher = _valued(part.code, room, people, (low, high), sun, asked)
        points = worth(part.code, value, month=month, needed_m=needed)
        if part.code == "lorry" and value is not None and not room.lorry_clear:
            points *= 0.5  # the straight way is too narrow: by hand from the road
        parts.append(Told(part, value, points, asked.weights[part.code], lower, higher))
    total = 100.0 * sum(one.weight * one.score for one in parts)
    return Scored(total, tuple(parts), _hours(people, low, high, sun, asked), room, needed)


def _valued(
    code: str,
    room: Room,
    people: Floats | None,
    factors: tuple[float, float],
    sun: Floats | None,
    asked: Question,
) -> tuple[float | None, float | None, float | None]:
    """The value of a part, and where it is known how low and high it may be."""
    if code == "footfall" and people is not None:
        mean = float(people.mean())
        return mean, mean * factors[0], mean * factors[1]
    if code in ("sun_produce", "sun_queue") and sun is not None:
        stated, lower, higher = (float(v) for v in sun[:, int(code == "sun_queue")].mean(axis=1))
        return stated, min(stated, lower, higher), max(stated, lower, higher)
    exit_m = room.street_m if room.exit_m is None else room.exit_m
    supply = {"power": asked.power, "water": asked.water}
    if code in supply:
        there = supply[code]
        return None if there is None else float(there), None, None
    found = {"exits": exit_m, "lorry": room.lorry_m, "width": room.clear_m}.get(code)
    return (found if room.inside else None), None, None


def _hours(
    people: Floats | None, low: float, high: float, sun: Floats | None, asked: Question
) -> tuple[Hour, ...]:
    told = []
    for i, h in enumerate(range(asked.from_h, asked.to_h)):
        of = None if people is None else float(people[i])
        lit = (None, None) if sun is None else (float(sun[0, 0, i]), float(sun[0, 1, i]))
        told.append(Hour(h, of, None if of is None else of * low, None if of is None else of * high, *lit))
    return tuple(told)


def _passers(ground: Ground, stand: Stand, asked: Question) -> tuple[Floats | None, float, float]:
    """People an hour who pass the counter, by hour asked, and the factors to both ends; none where nobody knows."""
    streams = ground.streams(asked.day_type)
    if streams is None:
        return None, 1.0, 1.0
    people, low, high = streams.passing(stand.front)
    at = np.array([h - HOURS[0] for h in range(asked.from_h, asked.to_h)])
    inside = (at >= 0) & (at < len(HOURS))
    return np.where(inside, people[np.clip(at, 0, len(HOURS) - 1)], 0.0), low, high


def month_of(day: str) -> int:
    """The month of a day, ISO 8601.

    Raises:
        BadParameter: not a day, or outside 1950–2100; names `day`.
    """
    try:
        return parse_day(day).month
    except BadParameter as error:
        raise BadParameter("day", error.what, remedy=error.remedy) from error


def _sun(ground: Ground, stand: Stand, asked: Question) -> Floats | None:
    """Mean minutes of sun in each hour, float64[3, 2, hours]: with stated, lower and higher buildings, on produce and queue."""
    if not ground.knows("buildings"):
        return None
    points = np.concatenate([stand.produce(), stand.queuing()])
    set_up = np.concatenate(
        [stand.canopy(), *(one.canopy() for one in asked.others), *(one.triangles() for one in asked.stages)]
    )
    _, sun = sun_steps(asked.day, asked.from_h, asked.to_h, ground.place, asked.step_min)
    lowest, around, cut = lowest_of(sun), stand.width_m + stand.depth_m + QUEUE_M, len(stand.produce())
    found = []
    for shade in ground.shades if asked.with_error else ground.shades[:1]:
        near = shade.reaching(stand.x, stand.y, around, lowest).plus(set_up)
        minutes = sun_minutes(points, near, sun, asked.to_h - asked.from_h)
        found.append([minutes[:cut].mean(axis=0), minutes[cut:].mean(axis=0)])
    return np.array(found if asked.with_error else found * 3)
