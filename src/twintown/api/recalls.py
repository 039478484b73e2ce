"""Recalls: ours, with whom they reached, and those that partners told us of, with the stands and kitchens that have some of the lot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.exchange_models import Who, author_of, side
from twintown.api.guard import Asked, Sharing
from twintown.api.schemas import Model, Names
from twintown.exchange import notice_rows
from twintown.exchange.notice_message import RECALL

router = APIRouter(tags=["certificates"])
LotId = Annotated[str, Path(max_length=120, description="id of the lot", examples=["icn-rice-2027-01"])]
RecallId = Annotated[str, Path(max_length=80, description="id of the recall")]


class RecallPlan(Model):
    """The layers of a delivery plan."""

    deliveries: str = Field(max_length=64, description="who gets which lot")
    loads: str = Field(default="", max_length=64)
    unmet: str = Field(default="", max_length=64)
    balance: str = Field(default="", max_length=64)


class Plan(Model):
    """The plan by which the lot was given away."""

    layers: RecallPlan


class NewRecall(Model):
    """Why a lot is recalled, and by which plan it went where."""

    why: str = Field(min_length=1, max_length=1000, description="partners and buyers read it")
    author: Who
    plan: Plan | None = Field(default=None, description="the newest plan by default")


class Confirmed(Model):
    """Who has seen a recall."""

    author: Who


class ReachedPlace(Model):
    """A stand or a kitchen that has some of the lot."""

    place: str
    kind: str = Field(description="stand, kitchen, or empty")
    name: Names
    kg: float = Field(ge=0, description="kilograms")
    date: str = Field(description="day of the first delivery (ISO 8601), or empty")


class ReachModel(Model):
    """Whether a partner has it."""

    peer: str = Field(description="DID")
    name: str = Field(description="what the partner is called here")
    state: Literal["waiting", "heard", "seen", "refused"]
    heard: datetime | None = Field(description="when it was on the partner's disk")
    seen: datetime | None = Field(description="when a person there confirmed it")
    attempts: int
    said: str = Field(description="what came of the last attempt")


class RecallModel(Model):
    """One recall."""

    id: str
    way: Literal["own", "told"]
    peer: str = Field(description="DID of the city that recalls; empty for our own")
    name: str = Field(description="what that city is called here; empty for our own")
    lot: str
    batch: str
    gtin: str
    product: str
    why: str
    at: datetime
    author: str = Field(description="our officer that recalled it, or that confirmed what a partner told")
    places: list[ReachedPlace]
    kg: float = Field(description="of all places")
    certificates: list[str] = Field(description="addresses of the certificates that do not hold any more")
    heard: datetime | None = Field(description="when we had it, of those told to us")
    seen: datetime | None = Field(description="when a person here confirmed it, of those told to us")
    reach: list[ReachModel] = Field(description="whom we told")
    ledger: int


class Recalls(Model):
    """Our recalls and those told to us, the newest first."""

    recalls: list[RecallModel]
    waiting: int = Field(description="told to us, and not seen by anybody here yet")


@router.post(
    "/twins/{twin}/lots/{lot}/recall", operation_id="recallLot", status_code=201, response_model=RecallModel,
    responses=problems.responses(400, 401, 403, 404, 405, 409, 413, 503, 507),
)  # fmt: skip
def recall_lot(request: Request, asked: Sharing, lot: LotId, body: NewRecall) -> Response:
    """Recall a lot: its certificate ends, the status list says so, every partner is told; all at once."""
    from twintown.exchange import notices
    from twintown.exchange.notice_message import Notice
    from twintown.programme import recall, recall_places

    party, now = side(request, asked), datetime.now(UTC)
    at, id = now.replace(microsecond=0), notices.new_id()
    author = author_of(asked, body.author)
    plan = body.plan.layers.deliveries if body.plan else ""
    places = recall_places.places_of(party.twin, asked.grant, lot, plan)
    others = recall_places.hosts_of(party.twin) | {one.partner for one in places if one.partner}
    whom = notices.partners(party, now, frozenset(others) - {party.did})

    def tell(connection: Connection, one: recall.Recall, ledger: int) -> None:
        notices.note_in(connection, party, Notice(id, RECALL, at, one.to_dict()), lot, author, ledger)
        for peer in whom:
            said = Notice(id, RECALL, at, one.to_dict(frozenset((peer.id, peer.did))))
            notices.tell_in(connection, party, peer, said, lot, author, now)

    recall.recall(party.twin, party.address, asked.grant, lot, body.why, author, places, tell, now)
    notices.told(party)
    found = next(one for one in _listed(asked) if one.id == id)
    return Response(answers.dumps(found), 201, {"Cache-Control": answers.PRIVATE}, "application/json")


@router.get(
    "/twins/{twin}/recalls",
    operation_id="getRecalls",
    response_model=Recalls,
    responses=problems.responses(400, 401, 403, 404, 503),
)
def get_recalls(request: Request, asked: Sharing) -> Response:
    """Our recalls with whom they have reached, and those told to us with where the lot is."""
    found = _listed(asked)
    waiting = sum(one.way == "told" and one.seen is None for one in found)
    return answers.answer_json(request, Recalls(recalls=found, waiting=waiting), cache="no-store")


@router.post(
    "/twins/{twin}/recalls/{recall}/seen", operation_id="seeRecall", response_model=RecallModel,
    responses=problems.responses(400, 401, 403, 404, 503, 507),
)  # fmt: skip
def see_recall(request: Request, asked: Sharing, recall: RecallId, body: Confirmed) -> Response:
    """A person here has seen what a partner recalls; the partner is told so."""
    from twintown.exchange import notices

    notices.seen(side(request, asked), recall, author_of(asked, body.author), datetime.now(UTC))
    found = next(one for one in _listed(asked) if one.id == recall and one.way == "told")
    return answers.answer_json(request, found, cache="no-store")


def _listed(asked: Asked) -> list[RecallModel]:
    from twintown.trust.peers import peers_of

    tables = asked.served.twin.tables
    names = {peer.did: peer.id for peer in peers_of(asked.served.twin)}
    own = [_said(one, names, _reach(asked, one, names)) for one in notice_rows.listed(tables, RECALL, "own")]
    told = [_said(one, names, []) for one in notice_rows.listed(tables, RECALL, "in")]
    return sorted((*own, *told), key=lambda one: (one.at, one.id), reverse=True)


def _said(one: notice_rows.Kept, names: dict[str, str], reach: list[ReachModel]) -> RecallModel:
    body: dict[str, Any] = dict(one.notice.body)
    places = [ReachedPlace.model_validate(place) for place in body.pop("places")]
    own = one.way == "own"
    by = str(one.author.get("name", "")) if own or one.seen else ""
    return RecallModel(
        **body, id=one.notice.id, way="own" if own else "told", peer=one.peer, name=names.get(one.peer, ""), at=one.notice.at, author=by,
        places=places, kg=round(sum(place.kg for place in places), 3), heard=None if own else one.at, seen=one.seen, reach=reach,
        ledger=one.ledger,
    )  # fmt: skip


def _reach(asked: Asked, one: notice_rows.Kept, names: dict[str, str]) -> list[ReachModel]:
    found = []
    for kept, waits in notice_rows.reached(asked.served.twin.tables, one.notice.id):
        over = bool(waits and waits.over) and kept.heard is None
        state: Any = "seen" if kept.seen else "heard" if kept.heard else "refused" if over else "waiting"
        found.append(
            ReachModel(
                peer=kept.peer, name=names.get(kept.peer, ""), state=state, heard=kept.heard, seen=kept.seen,
                attempts=waits.attempts if waits else 0, said=waits.said if waits else "",
            )
        )  # fmt: skip
    return found
