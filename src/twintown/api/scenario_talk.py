"""What is said about a scenario, who looks at it, and the stream of everything that happens to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.events import Event, stream
from twintown.api.guard import Planning, Reading
from twintown.api.scenario_models import Author, ScenarioEntry, ScenarioId, Who, plans
from twintown.api.schemas import Model
from twintown.scenario import presence
from twintown.scenario.scenario import Draft

router = APIRouter(tags=["scenarios"])
_READ = problems.responses(400, 401, 403, 404)
_WRITE = problems.responses(400, 401, 403, 404, 413, 503, 507)


class NewComment(Model):
    """Something to say, about the whole, a building or a place."""

    text: str = Field(min_length=1, max_length=5000)
    object: str = Field(default="", max_length=200, description="id of a building")
    lon: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False, strict=True)
    lat: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False, strict=True)
    author: Who


class Comments(Model):
    """What was said, in order."""

    comments: list[ScenarioEntry]


class Looking(Model):
    """A sign of life of somebody who looks at a scenario; send one every ten seconds, and when another building is taken in hand."""

    client: str = Field(min_length=1, max_length=64, description="the same as with edits")
    object: str = Field(default="", max_length=200, description="id of the building in hand")
    leaves: bool = Field(default=False, strict=True)
    author: Who


class Looker(Model):
    """Somebody who looks at the scenario now."""

    client: str
    author: Author
    object: str
    at: datetime


class Lookers(Model):
    """Who was heard of within the last 25 seconds."""

    present: list[Looker]


@router.get(
    "/twins/{twin}/scenarios/{scenario}/comments", operation_id="getScenarioComments", response_model=Comments,
    responses=_READ,
)  # fmt: skip
def get_comments(request: Request, asked: Reading, scenario: ScenarioId) -> Response:
    """What was said about it, in order."""
    store = plans(asked)
    store.get(scenario)
    found = [ScenarioEntry.of(entry) for entry in store.entries(scenario, kinds=("comment",))]
    return answers.answer_json(request, Comments(comments=found), cache="no-store")


@router.post(
    "/twins/{twin}/scenarios/{scenario}/comments", operation_id="addScenarioComment", status_code=201,
    response_model=ScenarioEntry, responses=_WRITE,
)  # fmt: skip
def add_comment(asked: Planning, scenario: ScenarioId, body: NewComment) -> Response:
    """Say something about it; also of a plan that is decided."""
    said = {name: value for name in ("text", "lon", "lat") if (value := getattr(body, name)) is not None}
    author = asked.grant.subject.author(body.author)
    _, entries = plans(asked, write=True).say(scenario, [Draft("comment", body.object, said)], author)
    asked.served.twin.watch.touch()
    sent = answers.dumps(ScenarioEntry.of(entries[0]))
    return Response(sent, 201, {"Cache-Control": "no-store"}, "application/json")


@router.post(
    "/twins/{twin}/scenarios/{scenario}/presence", operation_id="lookAtScenario", response_model=Lookers,
    responses=_WRITE,
)  # fmt: skip
def look(request: Request, asked: Planning, scenario: ScenarioId, body: Looking) -> Response:
    """Say that you look at it, and which building you have in hand; the answer says who else does. Kept for seconds only."""
    tables = asked.served.twin.writing().tables
    author = asked.grant.subject.author(body.author)
    presence.here(tables, scenario, body.client, author, body.object, leaves=body.leaves)
    asked.served.twin.watch.touch()
    return answers.answer_json(
        request, Lookers(present=_lookers(presence.who(tables, scenario))), cache="no-store"
    )


@router.get(
    "/twins/{twin}/scenarios/{scenario}/events", operation_id="watchScenario", response_class=Response,
    responses={
        200: {
            "description": "`entry` events: entries of the journal; `presence` events: who looks at it",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems.responses(400, 401, 403, 404, 503),
    },
)  # fmt: skip
async def watch(
    request: Request, asked: Reading, scenario: ScenarioId,
    since: Annotated[int | None, Query(ge=0, description="entries after this one; `Last-Event-ID` goes before")] = None,
) -> Response:  # fmt: skip
    """Entries of the journal as they are written, by whomever and through whichever server process; and who looks at it."""
    store, tables = plans(asked), asked.served.twin.tables
    await run_in_threadpool(store.get, scenario)
    seen: list[list[Looker]] = []

    def changes(seq: int) -> tuple[Sequence[Event], bool]:
        entries = store.entries(scenario, since=seq)
        news = [Event(entry.seq, ScenarioEntry.of(entry), "entry") for entry in entries]
        there = _lookers(presence.who(tables, scenario))
        if [_still(there)] != seen:
            seen[:] = [_still(there)]
            news.append(Event(max([seq, *(one.seq for one in entries)]), Lookers(present=there), "presence"))
        return news, False

    after = since if since is not None and "last-event-id" not in request.headers else None
    return await stream(request, asked.served.twin.watch, changes, since=after)


def _still(lookers: list[Looker]) -> list[Looker]:
    """Without the time of the last sign of life: a beat alone is no news."""
    return [one.model_copy(update={"at": datetime.min}) for one in lookers]


def _lookers(there: Sequence[presence.Presence]) -> list[Looker]:
    return [
        Looker(client=one.client, author=Author(**one.author), object=one.object, at=one.at) for one in there
    ]
