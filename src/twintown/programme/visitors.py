"""How many visitors come in each hour of an event, and how many are there, each with its error. Pure.

    arrivals(t) = N · shape(t)      shape = (1 - PULL) · travel(t) + PULL · items(t), none in the last CLOSING of each day
    there(t)    = ∫ arrivals over the last STAY                  wet hours: both less by LOSS, with the month's share of wet days

`N ± error` is what the event says (80 of 100 such statements hold): normal, σ = error / 1.2816. The shape's error is what the profiles
of the stations differ by, no less than SHAPE. Low and high are the 10 % and 90 % quantiles of the mixture of a dry and a wet day.
The same rain falls on every hour of a day, so that totals are as uncertain as their hours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from twintown.ground.errors import BadParameter

from .event import Event

#: Minutes of one step, and what the declared assumptions are: the pull of programme items, how long people stay, when the last ones
#: come, how many stay away from an open-air event when it rains, the least relative error of the shape.
STEP_MIN = 10
PULL, STAY, CLOSING, LOSS, SHAPE = 0.5, timedelta(hours=2), timedelta(minutes=30), 0.35, 0.25
#: People come for an item from so long before its start until so long after.
BEFORE, AFTER = timedelta(minutes=45), timedelta(minutes=15)
#: 80 of 100 lie within ± so many standard deviations.
Z80 = 1.2815515655446004
#: Most days of an event whose hours are computed.
DAYS = 31


@dataclass(frozen=True, slots=True)
class Range:
    """A number of people with its 10 % and 90 % quantiles."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour: who comes in it, each visitor counted once, and the most that are there in it."""

    start: datetime
    end: datetime
    come: Range
    there: Range
    rain: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """See the module. `peak` is the hour in which most are there."""

    hours: tuple[Hour, ...]
    peak: Hour
    total: Range


#: Of a local date: relative travel by hour of the day (24 numbers of any scale), and its relative error by hour.
Travel = Mapping[date, tuple[Sequence[float], Sequence[float]]]
#: Share of days with rain by (month, hour of the day).
Rain = Mapping[tuple[int, int], float]


def forecast(event: Event, zone: ZoneInfo, travel: Travel, rain: Rain, *, outdoors: bool) -> Forecast:
    """The visitors of an event by hour.

    Args:
        travel: of each day; a day without one has an even profile.
        outdoors: whether rain keeps people away.

    Raises:
        BadParameter: it is longer than `DAYS` days.
    """
    windows = openings(event, zone)
    steps = [at for window in windows for at in _steps(*window)]
    weights = _shape(event, steps, windows, zone, travel)
    loss = loss_of(event) if outdoors else 0.0
    sigma = event.visitors.error / Z80
    people = float(event.visitors.expected)
    hours: list[Hour] = []
    wet_total = 0.0
    staying = max(1, round(STAY / timedelta(minutes=STEP_MIN)))
    there = _staying(steps, weights, staying, windows)
    for start, end, first, last in _hours(steps, windows, zone):
        share = math.fsum(weights[first:last])
        local = start.astimezone(zone)
        wet = rain.get((local.month, local.hour), 0.0) if loss else 0.0
        wet_total += share * wet
        error = max(SHAPE, travel[local.date()][1][local.hour] if local.date() in travel else SHAPE)
        most = max(there[first:last], default=0.0)
        hours.append(
            Hour(
                start,
                end,
                _range(people, sigma, share, error, wet, loss),
                _range(people, sigma, most, error, wet, loss),
                wet,
            )
        )
    total = _range(people, sigma, 1.0, 0.0, wet_total, loss)
    peak = max(hours, key=lambda one: (one.there.expected, -one.start.timestamp()))
    return Forecast(tuple(hours), peak, total)


def loss_of(event: Event) -> float:
    """The share that stays away when it rains: nobody of those who were counted, fewer of those who hold a ticket."""
    return {"assumed": LOSS, "tickets": LOSS / 2, "counted": 0.0}[event.visitors.source]


def openings(event: Event, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """When it is open, day by day: an event of several days from the hour at which it begins to the hour at which it ends, each day.

    Raises BadParameter: too many days.
    """
    start, end = event.start.astimezone(zone), event.end.astimezone(zone)
    days = (end.date() - start.date()).days + 1
    if days > DAYS + 1:
        raise BadParameter(
            "event.end",
            f"visitors by hour are computed for at most {DAYS} days",
            remedy="make several events",
        )
    opens, closes = start.time(), end.time()
    if days == 1 or (days == 2 and closes <= opens):
        return [(start.astimezone(UTC), end.astimezone(UTC))]
    if closes <= opens:  # as an all-day event: whole days
        opens, closes = time(0), time(0)
    found = []
    for at in range(days):
        day = start.date() + timedelta(days=at)
        first = datetime.combine(day, opens, zone)
        last = datetime.combine(day + timedelta(days=closes <= opens), closes, zone)
        first, last = max(first, start), min(last, end)
        if first < last:
            found.append((first.astimezone(UTC), last.astimezone(UTC)))
    return found


def _steps(start: datetime, end: datetime) -> list[datetime]:
    count = max(1, math.ceil((end - start) / timedelta(minutes=STEP_MIN)))
    return [start + at * timedelta(minutes=STEP_MIN) for at in range(count)]


def _shape(
    event: Event,
    steps: Sequence[datetime],
    windows: Sequence[tuple[datetime, datetime]],
    zone: ZoneInfo,
    travel: Travel,
) -> list[float]:
    """The share of all visitors that comes in each step; each day has the same part of them."""
    weights: list[float] = []
    at = 0
    for start, end in windows:
        mine = steps[at : at + len(_steps(start, end))]
        at += len(mine)
        shut = end - CLOSING if end - start > 4 * CLOSING else end
        moving = [_travel(one, zone, travel) if one < shut else 0.0 for one in mine]
        pulled = [_items(event, one) if one < shut else 0.0 for one in mine]
        moving = _whole(moving) or [1 / len(mine)] * len(mine)
        drawn = _whole(pulled)
        day = [(1 - PULL) * a + PULL * b for a, b in zip(moving, drawn, strict=True)] if drawn else moving
        weights += [one / len(windows) for one in day]
    return weights


def _travel(at: datetime, zone: ZoneInfo, travel: Travel) -> float:
    local = at.astimezone(zone)
    profile = travel.get(local.date())
    return max(0.0, profile[0][local.hour]) if profile else 1.0


def _items(event: Event, at: datetime) -> float:
    return float(sum(one.start - BEFORE <= at < one.start + AFTER for one in event.programme))


def _whole(values: Sequence[float]) -> list[float]:
    total = math.fsum(values)
    return [one / total for one in values] if total > 0 else []


def _staying(
    steps: Sequence[datetime],
    weights: Sequence[float],
    staying: int,
    windows: Sequence[tuple[datetime, datetime]],
) -> list[float]:
    """The share of all visitors that is there at the end of each step; nobody stays overnight."""
    found: list[float] = []
    at = 0
    for start, end in windows:
        count = len(_steps(start, end))
        mine = weights[at : at + count]
        found += [math.fsum(mine[max(0, one - staying + 1) : one + 1]) for one in range(count)]
        at += count
    return found


def _hours(
    steps: Sequence[datetime], windows: Sequence[tuple[datetime, datetime]], zone: ZoneInfo
) -> list[tuple[datetime, datetime, int, int]]:
    """The clock's hours within the openings: start, end, first and last step of each."""
    found = []
    at = 0
    for start, end in windows:
        count = len(_steps(start, end))
        first = at
        for one in range(at, at + count):
            last = one + 1 == at + count
            hour = steps[one].astimezone(zone).replace(minute=0, second=0, microsecond=0)
            if last or steps[one + 1].astimezone(zone).replace(minute=0, second=0, microsecond=0) != hour:
                begins = max(steps[first], hour.astimezone(UTC)).astimezone(zone)
                ends = end if last else (hour.astimezone(UTC) + timedelta(hours=1))
                found.append((begins, ends.astimezone(zone), first, one + 1))
                first = one + 1
        at += count
    return found


def _range(people: float, sigma: float, share: float, error: float, wet: float, loss: float) -> Range:
    """The mixture of a dry and a wet day: mean and the quantiles at 10 % and 90 %, none below nobody."""
    dry, spread = people * share, share * math.hypot(sigma, people * error)
    parts = [(1 - wet, dry, spread), (wet, dry * (1 - loss), spread * (1 - loss))]
    mean = math.fsum(weight * middle for weight, middle, _ in parts)
    return Range(mean, _quantile(parts, 0.1), _quantile(parts, 0.9))


def _quantile(parts: Sequence[tuple[float, float, float]], level: float) -> float:
    """The quantile of a mixture of normals (weight, mean, σ) by halving; 0 where it would lie below."""

    def below(value: float) -> float:
        return math.fsum(
            weight
            * (
                0.5 * math.erfc((middle - value) / (spread * math.sqrt(2)))
                if spread
                else float(value >= middle)
            )
            for weight, middle, spread in parts
            if weight
        )

    low = min(middle - 8 * spread for _, middle, spread in parts) - 1.0
    high = max(middle + 8 * spread for _, middle, spread in parts) + 1.0
    for _ in range(60):
        half = (low + high) / 2
        low, high = (half, high) if below(half) < level else (low, half)
    return max(0.0, high)
