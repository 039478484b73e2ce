"""The score of one stand: what it is worth by passers-by, sun, exits, lorries and room, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .footfall_stations import HOURS
from .stands_ground import Ground
from .stands_parts import EVACUATION_PER_MIN_M, LEAST_CLEAR_M, PARTS, Told, worth
from .stands_place import Block, Stand
from .stands_room import Room, room_of
from .stands_sun import sun_minutes
from .sunpath import parse_day

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """What a stand is scored for: a day (ISO 8601), hours of the clock, the kind of day, weights by part, and what else stands there.

    `exits` float64[n, 2], metres; `power`, `water`: whether they are there, none where nobody knows.
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
    """The answer: 0 to 100, its parts, its hours, the room around, what must stay clear, and the street whose passers count."""

    score: float
    parts: tuple[Told, ...]
    hours: tuple[Hour, ...]
    room: Room
    needed_m: float
    street: str


def scored(ground: Ground, stand: Stand, asked: Question) -> Scored:
    """The score of one stand.

    Raises:
        BadParameter: a bad day.
    """
    hours = range(asked.from_h, asked.to_h)
    month = parse_day(asked.day).month
    people, low, high, street = _passers(ground, stand, asked)
    sun_p, sun_q = _sun(ground, stand, asked)
    busiest = 0.0 if people is None else float(people.max(initial=0.0))
    needed = max(LEAST_CLEAR_M, busiest / 60.0 / EVACUATION_PER_MIN_M)
    room = room_of(ground, stand, asked.others, asked.stages, asked.exits, needed)
    values: dict[str, float | None] = {
        "footfall": None if people is None else float(people.mean()),
        "sun_produce": None if sun_p is None else float(sun_p.mean()),
        "sun_queue": None if sun_q is None else float(sun_q.mean()),
        "exits": room.street_m if room.exit_m is None else room.exit_m,
        "lorry": room.lorry_m,
        "width": room.clear_m,
        "power": None if asked.power is None else float(asked.power),
        "water": None if asked.water is None else float(asked.water),
    }
    parts = []
    for part in PARTS:
        value = values[part.code]
        points = worth(part.code, value, month=month, needed_m=needed)
        if part.code == "lorry" and value is not None and not room.lorry_clear:
            points *= 0.5  # the straight way is too narrow: by hand from the road
        parts.append(Told(part, value, points, asked.weights[part.code]))
    total = 100.0 * sum(one.weight * one.score for one in parts)
    told = []
    for i, h in enumerate(hours):
        of = None if people is None else float(people[i])
        told.append(
            Hour(
                h, of, None if of is None else of * low, None if of is None else of * high,
                None if sun_p is None else float(sun_p[i]), None if sun_q is None else float(sun_q[i]),
            )
        )  # fmt: skip
    return Scored(total, tuple(parts), tuple(told), room, needed, street)


def _passers(ground: Ground, stand: Stand, asked: Question) -> tuple[Floats | None, float, float, str]:
    """People an hour who pass the counter, by hour asked; none where nobody knows."""
    found = ground.passing(asked.day_type, stand.front)
    if found is None:
        return None, 1.0, 1.0, ""
    people, low, high, street = found
    at = np.array([h - HOURS[0] for h in range(asked.from_h, asked.to_h)])
    inside = (at >= 0) & (at < len(HOURS))
    return np.where(inside, people[np.clip(at, 0, len(HOURS) - 1)], 0.0), low, high, street


def _sun(ground: Ground, stand: Stand, asked: Question) -> tuple[Floats | None, Floats | None]:
    """Mean minutes of sun an hour on the produce and on the queue; none where the buildings are not known."""
    if not ground.knows("buildings"):
        return None, None
    points = np.concatenate([stand.produce(), stand.queuing()])
    more = [
        stand.canopy(),
        *(one.canopy() for one in asked.others),
        *(one.triangles() for one in asked.stages),
    ]
    minutes = sun_minutes(
        points, ground.shade, np.concatenate(more), asked.day, asked.from_h, asked.to_h, ground.place
    )
    cut = len(stand.produce())
    return minutes[:cut].mean(axis=0), minutes[cut:].mean(axis=0)
