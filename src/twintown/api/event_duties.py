"""The permits and plans that an event needs, with law, threshold and deadline, each to be confirmed by its department."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, event_sight, event_visitors, problems
from twintown.api.event_list import Id
from twintown.api.guard import Reading
from twintown.api.schemas import Model, Names
from twintown.ground.errors import NotPossible
from twintown.programme import duties
from twintown.store.engine import reading

router = APIRouter(tags=["events"])


class ThresholdModel(Model):
    """From which value on it is a duty."""

    fact: str
    value: float
    unit: str = Field(description="UCUM where it has one")


class LawModel(Model):
    """Where it is written."""

    title: str
    article: str
    url: str
    date: str = Field(description="when it was written down here")


class DutyModel(Model):
    """One permit or plan."""

    code: str
    title: Names
    required: bool = Field(description="whether a threshold is reached, by the upper estimate of visitors")
    why: Names
    authority: Names
    threshold: ThresholdModel | None = Field(description="null where the fact is true or false")
    value: float | None
    source: LawModel
    confirm: bool = Field(description="always true: the department confirms it")
    verified: bool = Field(description="whether its figures were found in a public text")
    checked: str = Field(description="where they were read, and what was not found")
    note: Names | None
    until: date = Field(description="the day by which it is to be filed")
    until_from: Literal["law", "practice"] = Field(
        description="whether the law names that day, or practice does"
    )
    late: bool = Field(description="that day has passed")


class DutyList(Model):
    """Required ones first, by the day by which they are to be filed."""

    duties: list[DutyModel]
    notice: Names


_NOTICE = Names(
    ko="안내일 뿐 법적 판단이 아닙니다. 모든 항목은 관할 부서가 확인해야 합니다",
    en="A guide, no legal finding: the department concerned confirms every entry",
)


@router.get(
    "/twins/{twin}/events/{event}/duties", operation_id="getEventDuties", response_model=DutyList,
    responses=problems.responses(400, 401, 403, 404, 405),
)  # fmt: skip
def get_event_duties(request: Request, asked: Reading, event: Id) -> Response:
    """What has to be filed for an event of this size, with thresholds, law and deadlines."""
    if event.startswith("ls-"):
        raise NotPossible(
            "nobody knows how many came to a listing", event, "ask for an event of your own", ("GET",)
        )
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        kept = event_sight.event_in(request, asked, connection, event)
    found, _ = event_visitors.forecast_of(request, asked, kept.event)
    zone = ZoneInfo(asked.served.twin.description.time_zone)
    today = datetime.now(UTC).astimezone(zone).date()
    told = duties.duties(kept.event, found.peak.there, found.total, today, zone)
    return answers.answer_json(
        request, DutyList(duties=[_told(one) for one in told], notice=_NOTICE), cache="no-store"
    )


def _told(one: duties.Duty) -> DutyModel:
    rule, threshold = one.rule, one.threshold
    return DutyModel(
        code=rule.code, title=Names.of(rule.title), required=one.required, why=Names.of(one.why), authority=Names.of(rule.authority),
        threshold=ThresholdModel(fact=threshold.fact, value=threshold.at_least or 0.0, unit=threshold.unit) if threshold else None,
        value=None if one.value is None else round(one.value, 1), source=LawModel(**rule.source), confirm=True, verified=rule.verified,
        checked=rule.checked, note=Names.of(rule.note) if rule.note else None, until=one.until, until_from=rule.days_from, late=one.late,
    )  # fmt: skip
