"""Events as iCalendar files (RFC 5545), to subscribe to and to bring in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, event_answers, event_listings, event_sight, problems
from twintown.api.event_list import Id
from twintown.api.event_models import OriginWord
from twintown.api.exchange_models import author_of
from twintown.api.guard import Asked, Planning, Reading
from twintown.api.landing import base
from twintown.api.represent import absolute
from twintown.api.schemas import Model
from twintown.ground.errors import BadParameter, NotFound, TooLarge, UnknownFormat
from twintown.programme import calendar_in, calendar_out, event_rows
from twintown.programme.calendar_out import Written
from twintown.programme.event_rows import Kept
from twintown.programme.listings import Listing
from twintown.store.engine import reading, writing

router = APIRouter(tags=["events"])
MEDIA_TYPE = "text/calendar"
_ICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "an iCalendar file", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    **problems.responses(400, 401, 403, 404),
}


class RefusedEvent(Model):
    """An entry that was not taken."""

    what: str = Field(description="its name, or its UID")
    why: str


class ImportedEvents(Model):
    """What became of a file."""

    made: list[str] = Field(description="ids of the events that were made, drafts")
    refused: list[RefusedEvent]


@router.get(
    "/twins/{twin}/events.ics", operation_id="getCalendar", response_class=Response, responses=_ICS
)  # fmt: skip
def get_calendar(
    request: Request, asked: Reading,
    since: Annotated[str, Query(alias="from", max_length=40, description="not over by then: RFC 3339 with its offset, or a day")] = "",
    until: Annotated[str, Query(max_length=40, description="begun before: RFC 3339 with its offset, or a day")] = "",
    origin: Annotated[OriginWord | None, Query(description="only our own, our partners', or the listings of open data")] = None,
) -> Response:  # fmt: skip
    """The events of a twin as a calendar to subscribe to."""
    first, last = event_answers.when(asked, since, "from"), event_answers.when(asked, until, "until")
    tables, about = asked.served.twin.tables, asked.served.twin.description
    heads = []
    if origin != "listing":
        with reading(tables.engine) as connection:
            heads = event_sight.heads_in(request, asked, connection, first, last)
    address = absolute(request, base(about.id))
    listings = () if origin in ("own", "partner") else event_listings.mark(asked)
    key = ("calendar", tuple(heads), listings, first, last, origin, address)  # a revision never changes

    def make() -> bytes:
        with reading(tables.engine) as connection:
            kept = event_rows.these_in(connection, tables.twin, heads)
        found = [_written(one) for one in kept if origin in (None, one.origin)]
        if origin in (None, "listing"):
            listed, _, source = event_listings.found(asked)
            thanks = f"{source.title} · {source.attribution} · {source.licence}" if source else ""
            found += [
                _listed(one, thanks)
                for one in listed
                if (first is None or one.event.end > first) and (last is None or one.event.start < last)
            ]
        return _bytes(asked, sorted(found, key=lambda one: (one.event.start, one.event.id)), address)

    return _answer(request, asked, asked.served.bodies.get(key, make), "events")


@router.get(
    "/twins/{twin}/events/{event}/calendar.ics", operation_id="getEventCalendar", response_class=Response, responses=_ICS
)  # fmt: skip
def get_event_calendar(request: Request, asked: Reading, event: Id) -> Response:
    """One event with the items of its programme."""
    if event.startswith("ls-"):
        one, source = event_listings.listing_of(asked, event)
        thanks = f"{source.title} · {source.attribution} · {source.licence}"
        body = _bytes(asked, [_listed(one, thanks)], absolute(request, base(asked.served.id)))
        return _answer(request, asked, body, event)
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        kept = event_sight.event_in(request, asked, connection, event)
    body = _bytes(asked, [_written(kept)], absolute(request, base(asked.served.id)))
    return _answer(request, asked, body, event)


@router.post(
    "/twins/{twin}/events/import", operation_id="importEvents", status_code=201, response_model=ImportedEvents,
    responses=problems.responses(400, 401, 403, 404, 413, 415, 503, 507),
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def import_events(
    request: Request, asked: Planning,
    author: Annotated[str, Query(max_length=80, description="the name that you go by")] = "",
) -> Response:  # fmt: skip
    """Make drafts of the events in an iCalendar file; what cannot be taken is named with the reason."""
    said = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if said != MEDIA_TYPE:
        raise UnknownFormat(
            f"{said[:60] or 'nothing'} is not taken here", "Content-Type", f"send {MEDIA_TYPE}"
        )
    data, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > calendar_in.BYTES:
            raise TooLarge(f"a calendar has at most {calendar_in.BYTES:,} bytes", "calendar", "split it")
        data.append(part)
    return await run_in_threadpool(_taken, request, asked, b"".join(data), author)


def _taken(request: Request, asked: Asked, data: bytes, author: str) -> Response:
    twin, about = asked.served.twin, asked.served.twin.description
    found = calendar_in.calendar(
        data, twin=about.id, zone=about.time_zone, venues=event_listings.venues(asked)
    )
    refused = [RefusedEvent(what=one.what, why=one.why) for one in found.refused]
    made: list[str] = []
    tables, now, who = twin.writing().tables, datetime.now(UTC), author_of(asked, author)
    with writing(tables.engine) as connection:
        for event in found.events:
            try:
                event_answers.check_here(request, asked, event)
            except BadParameter as error:
                why = f"{error.where.removeprefix('event.')} {error.what}"
                refused.append(RefusedEvent(what=event.title.ko, why=why))
                continue
            try:
                event_rows.one_in(connection, tables.twin, event.id)
                refused.append(RefusedEvent(what=event.title.ko, why=f"it is here already, as {event.id}"))
            except NotFound:
                event_rows.add_in(connection, tables.twin, event, who, now)
                made.append(event.id)
    if made:
        twin.watch.touch()
    body = answers.dumps(ImportedEvents(made=made, refused=refused))
    return Response(body, 201, {"Cache-Control": answers.PRIVATE}, "application/json")


def _written(kept: Kept) -> Written:
    return Written(kept.event, kept.state, kept.revision, kept.at)


def _listed(one: Listing, thanks: str) -> Written:
    return Written(one.event, "listed", all_day=True, placed=one.placed, link=one.link, thanks=thanks)


def _bytes(asked: Asked, found: list[Written], address: str) -> bytes:
    about = asked.served.twin.description
    return calendar_out.calendar(
        found, twin=about.id, name=about.names.ko, zone=about.time_zone, address=address
    )


def _answer(request: Request, asked: Asked, body: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{asked.served.id}-{name}.ics"'}
    return answers.answer(request, body, f"{MEDIA_TYPE}; charset=utf-8", headers=headers)
