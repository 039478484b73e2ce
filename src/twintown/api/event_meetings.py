"""Meetings of a conference's delegations, matched from their wishes; nothing is kept before the officer writes it into the event."""

from __future__ import annotations

from threading import Lock
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field, StrictInt
from starlette.responses import Response

from twintown.api import answers, event_sight, problems
from twintown.api.event_list import Id
from twintown.api.event_models import MeetingModel, Moment
from twintown.api.guard import Running
from twintown.api.schemas import Model, Names
from twintown.ground.errors import BadParameter, Busy
from twintown.programme import meetings
from twintown.programme.event_members import moment
from twintown.store.engine import reading

router = APIRouter(tags=["events"])
#: Such a question may take many seconds of a processor, so one is solved at a time; the next waits so long, seconds.
_ONE, PATIENCE_S = Lock(), 2.0


class SlotModel(Model):
    """When meetings can be."""

    start: Moment
    end: Moment


class MeetingQuestion(Model):
    """Slots that do not overlap, and how many meetings at once."""

    slots: list[SlotModel] = Field(max_length=meetings.SLOTS)
    rooms: StrictInt


class UnmatchedModel(Model):
    """A wish that comes to no meeting."""

    a: str
    b: str
    code: Literal["not-mutual", "section", "no-slot", "no-room", "less-dear"]
    why: Names


class MatchedMeetings(Model):
    """Meetings by slot and room, and the wishes that come to none."""

    meetings: list[MeetingModel]
    unmatched: list[UnmatchedModel]
    value: float = Field(description="sum of the weights of the meetings")
    bound: float = Field(description="no plan of meetings has a larger sum")
    gap: float = Field(
        description="how far the value may be from the best, a part of the bound; 0: it is the best"
    )


@router.post(
    "/twins/{twin}/events/{event}/meetings", operation_id="matchMeetings", response_model=MatchedMeetings,
    responses=problems.responses(400, 401, 403, 404, 503),
)  # fmt: skip
def match_meetings(request: Request, asked: Running, event: Id, body: MeetingQuestion) -> Response:
    """Match mutual wishes into slots and rooms, nobody twice at once; those that come to nothing say why."""
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        said = event_sight.event_in(request, asked, connection, event).event
    if not said.delegations:
        raise BadParameter("event.delegations", "are none", remedy="add delegations with their wishes first")
    slots = [
        (moment(one.start, f"slots[{at}].start"), moment(one.end, f"slots[{at}].end"))
        for at, one in enumerate(body.slots)
    ]
    if not _ONE.acquire(timeout=PATIENCE_S):
        raise Busy("another question of meetings is being solved", event, "ask again in a moment")
    try:
        found = meetings.match(said, slots, body.rooms)
    finally:
        _ONE.release()
    told = MatchedMeetings(
        meetings=[
            MeetingModel(a=one.a, b=one.b, start=one.start.isoformat(), end=one.end.isoformat(), room=one.room)
            for one in found.meetings
        ],
        unmatched=[UnmatchedModel(a=one.a, b=one.b, code=one.code, why=Names.of(one.why)) for one in found.unmatched],
        value=round(found.value, 6), bound=round(found.bound, 6), gap=round(found.gap, 6),
    )  # fmt: skip
    return answers.answer_json(request, told, cache="no-store")
