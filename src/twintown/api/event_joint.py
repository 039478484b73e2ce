"""An event on a partner's ground is proposed to that city, answered, and in the end accounted for: one document that both sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, event_answers, problems, workplan_models
from twintown.api.event_models import EventFull
from twintown.api.exchange_models import Who, author_of, side
from twintown.api.guard import Asked, Sharing
from twintown.api.schemas import Model
from twintown.api.workplan_models import JointProgramme, ShareModel
from twintown.exchange import programme_rows, programmes
from twintown.exchange.agreements import agreement_in
from twintown.exchange.party import Party
from twintown.exchange.programme_document import TEXT, TITLE, Document, Share
from twintown.exchange.programme_rows import Programme
from twintown.ground.errors import BadParameter, Conflict, NotPossible
from twintown.ground.names import Name
from twintown.programme import event_rows
from twintown.programme.event import Event
from twintown.programme.event_rows import Kept
from twintown.store.engine import reading

router = APIRouter(tags=["events"])
#: So long after an event its account is due.
DUE = timedelta(days=30)
Id = Annotated[str, Path(max_length=40, description="id of the event")]
_PROBLEMS = problems.responses(400, 401, 403, 404, 405, 409, 503, 507)


class EventProposal(Model):
    """An event to be proposed to the city on whose ground it is."""

    agreement: str = Field(
        default="", max_length=80, description="that reaches it; the event's own by default"
    )
    ours: ShareModel = Field(description="who answers for it here, and what this city pays")
    theirs: ShareModel = Field(default=ShareModel(), description="what is proposed as the partner's part")
    author: Who


class EventAnswer(Model):
    """An answer to what the other city proposed: `agree` signs it, with our part filled in where that was open."""

    move: Literal["agree", "decline", "withdraw", "end"]
    digest: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="of the document that was read; another one waits by now: 400",
    )
    reason: str = Field(default="", max_length=1000, description="why; the partner reads it")
    ours: ShareModel | None = Field(
        default=None, description="who answers for it here; as it stands by default"
    )
    author: Who


@router.post(
    "/twins/{twin}/events/{event}/proposal", operation_id="proposeEvent", response_model=EventFull, responses=_PROBLEMS
)  # fmt: skip
def propose_event(request: Request, asked: Sharing, event: Id, body: EventProposal) -> Response:
    """Propose the event as it is now to the city on whose ground it is. Refused here already where no agreement reaches it."""
    party, author, now = side(request, asked), author_of(asked, body.author), datetime.now(UTC)
    row = row_of(asked, event)
    if row.origin != "own":
        raise NotPossible("this event is the partner's", event, "answer it: POST …/answer", ("GET",))
    said, agreement = row.event, body.agreement or row.event.agreement
    if said.host in ("", party.did):
        raise Conflict(
            "this event is on our own ground: nobody else need agree", event, "name another city as its host"
        )
    if not agreement:
        raise BadParameter(
            "agreement", "is not named, and the event names none", remedy="name the agreement that reaches it"
        )
    with reading(party.twin.tables.engine) as connection:
        if agreement_in(connection, party.twin.tables, agreement).peer != said.host:
            raise BadParameter("agreement", "is with another city than the event's host")
    zone = ZoneInfo(party.twin.description.time_zone)
    told = replace(said, agreement=agreement, plan=None)
    wanted = wanted_of(party, told, {}, body.ours, body.theirs, agreement, "planned", zone)
    if row.joint and not _over(asked, row.joint):
        programmes.change(party, row.joint, wanted, author, now)
    else:
        programmes.propose(party, said.host, wanted, agreement, author, now)
    return event_answers.answer(request, asked, row_of(asked, event))


@router.post(
    "/twins/{twin}/events/{event}/answer",
    operation_id="answerEvent",
    response_model=EventFull,
    responses=_PROBLEMS,
)
def answer_event(request: Request, asked: Sharing, event: Id, body: EventAnswer) -> Response:
    """Sign what the other city proposed (the event, a change, the account), decline it, take our own back, or end it."""
    party, author, now = side(request, asked), author_of(asked, body.author), datetime.now(UTC)
    joint = joint_of(asked, row_of(asked, event))
    if body.move != "agree":
        programmes.end(party, joint.id, body.move, body.reason, author, now)
    elif (filled := _filled(party, joint, body.ours)) is not None:
        programmes.change(party, joint.id, filled, author, now)
    else:
        programmes.agree(party, joint.id, author, now, body.digest)
    return event_answers.answer(request, asked, row_of(asked, event))


@router.get(
    "/twins/{twin}/events/{event}/joint", operation_id="getEventJoint", response_model=JointProgramme,
    responses=problems.responses(400, 401, 403, 404, 409),
)  # fmt: skip
def get_event_joint(request: Request, asked: Sharing, event: Id) -> Response:
    """The document that both cities hold: what stands with both signatures, what waits, and every move."""
    row = row_of(asked, event)
    joint_of(asked, row)
    return answers.answer_json(request, workplan_models.whole(request, asked, row.joint), cache="no-store")


def row_of(asked: Asked, event: str) -> Kept:
    """An event of this twin as it is now. Raises NotFound."""
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        return event_rows.one_in(connection, tables.twin, event)


def joint_of(asked: Asked, row: Kept) -> Programme:
    """The document that a partner holds too. Raises Conflict: none does."""
    if not row.joint:
        raise Conflict("no other city holds this event", row.id, "propose it first: POST …/proposal")
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        return programme_rows.one_in(connection, tables.twin, row.joint)


def wanted_of(
    party: Party, event: Event, account: dict[str, Any], ours: ShareModel, theirs: ShareModel, agreement: str, status: str,
    zone: ZoneInfo,
) -> programmes.Wanted:  # fmt: skip
    """The document of an event, with its account when it is over."""
    start, end = event.start.astimezone(zone).date(), event.end.astimezone(zone).date()
    title, about = _short(event.title, event.title, TITLE), _short(event.about, event.title, TEXT)
    matter = {"kind": "event", "id": event.id, "body": event.to_dict(), "account": account}

    def make(id: str, revision: int, replaces: str, parties: tuple[str, str]) -> Document:
        mine, other = (Share(one.owner.strip(), one.department.strip(), one.budget) for one in (ours, theirs))
        shares = (mine, other) if parties[0] == party.did else (other, mine)
        review: date = end + DUE
        return Document(
            id,
            revision,
            replaces,
            parties,
            agreement,
            title,
            about,
            "once",
            "KRW",
            start,
            end,
            review,
            status,
            shares,
            (),
            matter,
        )

    return programmes.Wanted(make)


def _filled(party: Party, joint: Programme, ours: ShareModel | None) -> programmes.Wanted | None:
    """The proposal that waits with our part filled in, where that was open or is another now; none where it can be signed as it is."""
    waits = joint.at(joint.position.open)
    if waits is None or ours is None:
        return None
    mine = Share(ours.owner.strip(), ours.department.strip(), ours.budget)
    at = waits.parties.index(party.did)
    if waits.shares[at] == mine:
        return None

    def make(id: str, revision: int, replaces: str, parties: tuple[str, str]) -> Document:
        shares = (mine, waits.shares[1]) if at == 0 else (waits.shares[0], mine)
        return replace(waits, id=id, revision=revision, replaces=replaces, parties=parties, shares=shares)

    return programmes.Wanted(make)


def _over(asked: Asked, joint: str) -> bool:
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        return programme_rows.one_in(connection, tables.twin, joint).position.state in (
            "",
            "declined",
            "withdrawn",
            "ended",
        )


def _short(said: Name, instead: Name, most: int) -> Name:
    """A text within its length; another one where nothing is said."""
    words = said.to_dict() if said.ko.strip() and said.en.strip() else instead.to_dict()
    return Name.of({language: text[:most] for language, text in words.items()}, "title")
