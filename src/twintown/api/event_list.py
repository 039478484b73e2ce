"""The events of a twin: its own, its partners', and those that open data lists; made, read, changed, called off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from twintown.api import answers, event_answers, event_briefs, event_listings, event_sight, problems
from twintown.api.event_models import EventFull, EventList, EventSource, KindWord, OriginWord, WrittenEvent
from twintown.api.exchange_models import author_of
from twintown.api.guard import Planning, Reading
from twintown.ground.errors import BadParameter, NotPossible, PreconditionRequired
from twintown.programme import event_rows
from twintown.programme.event_reading import read
from twintown.store.engine import reading, writing

router = APIRouter(tags=["events"])
Id = Annotated[
    str, Path(max_length=40, description="id of the event", examples=["ev-0123456789abcdef01234567"])
]
When = Annotated[str, Query(max_length=40, description="RFC 3339 with its offset, or a day")]
_PROBLEMS = problems.responses(400, 401, 403, 404, 503, 507)


@router.get(
    "/twins/{twin}/events", operation_id="listEvents", response_model=EventList, responses=problems.responses(400, 401, 403, 404)
)  # fmt: skip
def list_events(
    request: Request, asked: Reading,
    since: Annotated[str, Query(alias="from", max_length=40, description="not over by then: RFC 3339 with its offset, or a day")] = "",
    until: Annotated[str, Query(max_length=40, description="begun before: RFC 3339 with its offset, or a day")] = "",
    kind: Annotated[KindWord | None, Query(description="only of this kind")] = None,
    origin: Annotated[OriginWord | None, Query(description="only our own, our partners', or the listings of open data")] = None,
) -> Response:  # fmt: skip
    """Events by their start; those that were called off among them. Listings are real rows of the layer `events`."""
    first, last = event_answers.when(asked, since, "from"), event_answers.when(asked, until, "until")
    told = event_briefs.own(request, asked, first, last) if origin != "listing" else []
    sources: list[EventSource] = []
    if origin in (None, "listing"):
        _, listed, source = event_listings.found(asked)
        told += [
            one for one in listed if (first is None or one.end > first) and (last is None or one.start < last)
        ]
        told.sort(key=lambda one: (one.start, one.id))
        sources = [source] if source is not None else []
    said = b",".join(one.said for one in told if kind in (None, one.kind) and origin in (None, one.origin))
    body = b'{"events":[' + said + b'],"sources":' + answers.dumps(sources) + b"}"
    return answers.answer(request, body, cache="no-store", level=1)


@router.post(
    "/twins/{twin}/events", operation_id="createEvent", status_code=201, response_model=EventFull, responses=_PROBLEMS
)  # fmt: skip
def create_event(request: Request, asked: Planning, body: WrittenEvent) -> Response:
    """A new event, a draft. Whether it may be there where it is, its findings say."""
    if body.event.id:
        raise BadParameter("event.id", "is given by the server", remedy="leave it out")
    event = read(body.event.said(event_rows.new_id()))
    event_answers.check_here(request, asked, event)
    tables, now = asked.served.twin.writing().tables, datetime.now(UTC)
    with writing(tables.engine) as connection:
        kept = event_rows.add_in(connection, tables.twin, event, author_of(asked, body.author), now)
    asked.served.twin.watch.touch()
    return event_answers.answer(request, asked, kept, 201)


@router.get(
    "/twins/{twin}/events/{event}", operation_id="getEvent", response_model=EventFull,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_event(
    request: Request, asked: Reading, event: Id,
    revision: Annotated[int | None, Query(ge=1, le=10**6, description="as it was then; the last one by default")] = None,
) -> Response:  # fmt: skip
    """One event as it stands, or as it stood."""
    if event.startswith("ls-"):
        return event_answers.answer_listing(request, asked, event)
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        kept = event_sight.event_in(request, asked, connection, event, revision)
    return event_answers.answer(request, asked, kept)


@router.put(
    "/twins/{twin}/events/{event}", operation_id="updateEvent", response_model=EventFull,
    responses={**_PROBLEMS, **problems.responses(405, 409, 412, 428)},
)  # fmt: skip
def update_event(
    request: Request, asked: Planning, event: Id, body: WrittenEvent,
    if_match: Annotated[str, Header(max_length=40, description='the revision that you have seen, as "3"')] = "",
) -> Response:  # fmt: skip
    """The event as it shall be from now on; 412 where somebody else was quicker."""
    _own(event)
    revision = _revision(if_match, event)
    if body.event.id not in ("", event):
        raise BadParameter("event.id", "is another event's", remedy="leave it out, or send this one's")
    said = read(body.event.said(event))
    event_answers.check_here(request, asked, said)
    tables, now = asked.served.twin.writing().tables, datetime.now(UTC)
    with writing(tables.engine) as connection:
        author = author_of(asked, body.author)
        kept = event_rows.change_in(connection, tables.twin, said, revision, author, now)
    asked.served.twin.watch.touch()
    return event_answers.answer(request, asked, kept)


@router.delete(
    "/twins/{twin}/events/{event}", operation_id="cancelEvent", response_model=EventFull,
    responses={**_PROBLEMS, **problems.responses(405, 409)},
)  # fmt: skip
def cancel_event(
    request: Request, asked: Planning, event: Id,
    why: Annotated[str, Query(min_length=1, max_length=1000, description="the reason")],
    author: Annotated[str, Query(max_length=80, description="the name that you go by")] = "",
) -> Response:  # fmt: skip
    """Call it off: it stays readable, with the reason, and is not changed any more. What a partner holds too is ended there first."""
    _own(event)
    tables, now = asked.served.twin.writing().tables, datetime.now(UTC)
    with writing(tables.engine) as connection:
        before = event_rows.one_in(connection, tables.twin, event)
        if before.origin != "own":
            raise NotPossible("this event is the partner's", event, "answer its proposal", ("GET",))
        kept = event_rows.step_in(
            connection, tables.twin, event, "cancelled", author_of(asked, author), now, why=why
        )
    asked.served.twin.watch.touch()
    return event_answers.answer(request, asked, kept)


def _own(event: str) -> None:
    if event.startswith("ls-"):
        raise NotPossible(
            "a listing of open data is not changed here", event, "make an event of your own", ("GET",)
        )


def _revision(header: str, event: str) -> int:
    said = header.strip().removeprefix("W/").strip('"')
    if not said:
        raise PreconditionRequired(
            "say which revision you have seen", event, 'send If-Match: "<revision>" of the answer'
        )
    if not said.isascii() or not said.isdigit() or len(said) > 6:
        raise BadParameter(
            "If-Match", f"{header[:40]!r} is no revision", remedy='send the number in quotes, as "3"'
        )
    return int(said)
