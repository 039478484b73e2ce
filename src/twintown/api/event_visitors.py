"""The visitors of an event by hour, and on what those numbers stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import (
    answers,
    event_answers,
    event_ground,
    event_listings,
    event_passers,
    event_sight,
    problems,
)
from twintown.api.event_list import Id
from twintown.api.guard import Asked, Reading
from twintown.api.schemas import Model, Names
from twintown.ground.errors import NotFound, TwintownError
from twintown.programme import calendar_days, visitors, visitors_basis, visitors_words
from twintown.programme.event import Event
from twintown.programme.produce_finding import Basis
from twintown.programme.visitors import Forecast, Hour, Range
from twintown.store.engine import reading

router = APIRouter(tags=["events"])
CONGESTION, STATIONS, WEATHER = "metro-congestion", "stations", "weather"


class HourModel(Model):
    """One hour: who comes in it, and the most that are there in it."""

    start: datetime
    end: datetime
    expected: float = Field(
        description="who come in this hour, each counted once: the hours add up to the total"
    )
    low: float = Field(description="10 % quantile")
    high: float = Field(description="90 % quantile")
    there: float = Field(description="the most that are there at a moment of this hour")
    there_low: float
    there_high: float
    rain: float = Field(description="share of days of that month on which it rains in that hour")


class PeakModel(Model):
    """The hour in which most are there."""

    start: datetime
    end: datetime
    expected: float = Field(description="there at a moment")
    low: float
    high: float


class TotalModel(Model):
    """All visitors."""

    expected: float
    low: float
    high: float


class BasisModel(Model):
    """On what a number stands."""

    code: str
    text: Names
    source: Literal["measured", "stated", "assumed", "computed"]


class VisitorsByHour(Model):
    """Visitors by hour; empty where nobody knows how many come (listings of open data)."""

    hours: list[HourModel]
    peak: PeakModel | None
    total: TotalModel | None
    basis: list[BasisModel]


@router.get(
    "/twins/{twin}/events/{event}/visitors", operation_id="getEventVisitors", response_model=VisitorsByHour,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_event_visitors(request: Request, asked: Reading, event: Id) -> Response:
    """Who comes when, with the error of it: 80 of 100 such statements hold. What is assumed says so."""
    if event.startswith("ls-"):
        event_listings.listing_of(asked, event)
        said = VisitorsByHour(hours=[], peak=None, total=None, basis=[_basis(visitors_words.unknown())])
        return answers.answer_json(request, said, cache="no-store")
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        kept = event_sight.event_in(request, asked, connection, event)
    found, basis = forecast_of(request, asked, kept.event)
    peak = found.peak
    return answers.answer_json(
        request,
        VisitorsByHour(
            hours=[_hour(one) for one in found.hours],
            peak=PeakModel(start=peak.start, end=peak.end, **_range(peak.there)),
            total=TotalModel(**_range(found.total)),
            basis=[_basis(one) for one in basis],
        ),
        cache="no-store",
    )


def forecast_of(request: Request, asked: Asked, event: Event) -> tuple[Forecast, list[Basis]]:
    """The visitors of an event by hour on the ground where it is, and what that stands on. Raises BadParameter: it is too long."""
    zone = ZoneInfo(asked.served.twin.description.time_zone)
    basis = visitors_words.stated(event)
    travel: visitors.Travel = {}
    days = sorted({start.astimezone(zone).date() for start, _ in visitors.openings(event, zone)})
    types = {day: calendar_days.day_type(day) for day in days}
    try:
        profiles = {one: _profile(request, asked, event, one) for one in sorted(set(types.values()))}
        travel = {
            day: (one.level, one.error) for day, kind in types.items() if (one := profiles[kind]) is not None
        }
        basis += visitors_words.travel(profiles, types)
    except TwintownError as error:
        try:
            travel = _passers(request, asked, event, types)
            basis.append(event_passers.BASIS)
        except TwintownError:
            basis.append(visitors_words.even(event_ground.given_up(error)))
    outdoors = event.kind != "conference"
    rain: visitors.Rain = {}
    if outdoors:
        try:
            rain = _rain(request, asked, event, zone)
        except TwintownError as error:
            try:
                rain = _rain(request, asked, replace(event, host="", agreement=""), zone)
                basis.append(event_passers.OWN_WEATHER)
            except TwintownError:
                basis.append(visitors_words.dry(event_ground.given_up(error)))
    found = visitors.forecast(event, zone, travel, rain, outdoors=outdoors and bool(rain))
    basis += [*visitors_words.weather(event, found, outdoors, rain), visitors_words.quantiles()]
    listed, _, source = event_listings.found(asked)
    if source is not None and event.host == "":
        basis.append(visitors_words.past(event, [one.event for one in listed], source.title))
    return found, basis


def _profile(request: Request, asked: Asked, event: Event, day_type: str) -> visitors_basis.Profile | None:
    congestion, mark = event_ground.rows(request, asked, event, CONGESTION)
    stations, other = event_ground.rows(request, asked, event, STATIONS)
    key = ("visitors", mark, other, day_type, round(event.place.lon, 5), round(event.place.lat, 5))

    def make() -> visitors_basis.Profile | None:
        rows = congestion()
        near = visitors_basis.nearest(
            stations(), (event.place.lon, event.place.lat), visitors_basis.known_of(rows)
        )
        return visitors_basis.profile(rows, near, day_type)

    return event_ground.kept(asked, key, make)


def _passers(
    request: Request, asked: Asked, event: Event, types: Mapping[date, calendar_days.DayType]
) -> visitors.Travel:
    """The shape of the hours as the partner's process tells it, where its tables cannot be read. Raises TwintownError."""
    if event_answers.here(request, asked, event) or not event.agreement:
        raise NotFound("no partner is asked", event.id)
    event_sight.check_officer(request, asked, event.id)
    found: dict[date, tuple[tuple[float, ...], tuple[float, ...]]] = {}
    for day, kind in types.items():
        key = ("passers", event.agreement, day, kind, round(event.place.lon, 5), round(event.place.lat, 5))
        ask = partial(event_passers.levels, request, asked, event, day.isoformat(), kind)
        found[day] = event_ground.kept(asked, key, ask)
    return found


def _rain(request: Request, asked: Asked, event: Event, zone: ZoneInfo) -> visitors.Rain:
    weather, mark = event_ground.rows(request, asked, event, WEATHER, ("time", "precipitation_mm"))

    def make() -> visitors.Rain:
        rows = weather()
        times = [_moment(row["time"]) for row in rows]
        return visitors_basis.rain(times, [row.get("precipitation_mm") for row in rows], zone)

    return event_ground.kept(asked, ("rain", mark, zone.key), make)


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _range(one: Range) -> dict[str, float]:
    return {"expected": round(one.expected, 1), "low": round(one.low, 1), "high": round(one.high, 1)}


def _hour(one: Hour) -> HourModel:
    there = one.there
    return HourModel(
        start=one.start, end=one.end, **_range(one.come), there=round(there.expected, 1), there_low=round(there.low, 1),
        there_high=round(there.high, 1), rain=round(one.rain, 3),
    )  # fmt: skip


def _basis(one: Basis) -> BasisModel:
    return BasisModel.model_validate(one.to_dict())
