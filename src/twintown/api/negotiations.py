"""What officers do in a negotiation: ask, offer other terms, accept, agree, end. What follows by itself needs nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, contracts, negotiation_models, problems
from twintown.api.dsp_entry import handshake_of
from twintown.api.exchange_models import (
    Id,
    TermsModel,
    Who,
    author_of,
    peer_named,
    side,
)
from twintown.api.guard import Asked, Sharing
from twintown.api.negotiation_models import Deal, DealList
from twintown.api.schemas import Model
from twintown.exchange import agreement, negotiating, partner_catalogue
from twintown.exchange.negotiation import Negotiation
from twintown.ground.errors import BadParameter
from twintown.trust.terms import Terms

router = APIRouter(tags=["exchange"])
_PROBLEMS = problems.responses(400, 401, 403, 404, 409, 502, 503, 507)
Move = Annotated[
    Literal["request", "offer", "accept", "agree", "verify", "finalize", "terminate"],
    Path(description="what to do"),
]


class NewDeal(Model):
    """A request for a dataset of a peer, under its offer's terms or under other ones."""

    peer: str = Field(min_length=1, max_length=512, description="id or DID of a peer")
    dataset: str = Field(min_length=1, max_length=200, description="as its catalogue names it")
    offer: str = Field(min_length=1, max_length=200, description="`@id` of the offer in its catalogue")
    terms: TermsModel | None = Field(default=None, description="other terms than the offer's")
    author: Who


class NewMove(Model):
    """What goes with a move: `terms` with offer and request, a `reason` with terminate."""

    terms: TermsModel | None = None
    reason: str = Field(default="", max_length=1000, description="why it is ended; the other city reads it")
    author: Who


@router.get(
    "/twins/{twin}/negotiations", operation_id="listNegotiations", response_model=DealList,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def list_negotiations(request: Request, asked: Sharing) -> Response:
    """The negotiations with other cities, the one that changed last first."""
    return answers.answer_json(request, DealList(negotiations=negotiation_models.listed(asked)), cache="no-store")  # fmt: skip


@router.post(
    "/twins/{twin}/negotiations", operation_id="createNegotiation", status_code=201, response_model=Deal, responses=_PROBLEMS
)  # fmt: skip
def create_negotiation(request: Request, asked: Sharing, body: NewDeal) -> Response:
    """Ask a city for one of its datasets. Without `terms` its offer is asked for as it is."""
    party, peer = side(request, asked), peer_named(asked, body.peer)
    if body.terms is not None:
        terms = body.terms.terms()
    else:
        terms = partner_catalogue.offer(party, handshake_of(request).courier, peer, body.dataset, body.offer)  # fmt: skip
    policy = agreement.offer(body.offer, terms, assigner=peer.did, assignee=party.did)
    made = negotiating.request(
        party, peer.did, body.dataset, policy, author_of(asked, body.author), datetime.now(UTC)
    )
    return _told(asked, made.pid, 201)


@router.get(
    "/twins/{twin}/negotiations/{pid}", operation_id="getNegotiation", response_model=Deal,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_negotiation(request: Request, asked: Sharing, pid: Id) -> Response:
    """One negotiation with every message and what each changed."""
    return answers.answer_json(request, negotiation_models.whole(asked, pid), cache="no-store")


@router.get(
    "/twins/{twin}/negotiations/{pid}/contract", operation_id="getDraft", response_class=contracts.Readable,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_draft(
    request: Request, asked: Sharing, pid: Id, lang: contracts.Lang = "ko", f: contracts.Form = "html",
    seq: Annotated[int | None, Query(ge=0, description="of the message whose terms are shown; the last ones by default")] = None,
) -> Response:  # fmt: skip
    """The terms of a negotiation as the contract that they would be, in Korean, English or Vietnamese."""
    return contracts.draft(request, asked, pid, lang, f, seq)


@router.post(
    "/twins/{twin}/negotiations/{pid}/{move}", operation_id="moveNegotiation", response_model=Deal, responses=_PROBLEMS
)  # fmt: skip
def move_negotiation(request: Request, asked: Sharing, pid: Id, move: Move, body: NewMove) -> Response:
    """Take a step: `offer` (or `request`, the consumer's word for it) with other terms, `accept`, `agree`, `terminate`."""
    party, author, now = side(request, asked), author_of(asked, body.author), datetime.now(UTC)
    if body.terms is not None and move not in ("offer", "request"):
        raise BadParameter("terms", f"does not go with {move}", remedy="offer the terms, or leave them away")
    match move:
        case "accept":
            negotiating.accept(party, pid, author, now)
        case "agree":
            negotiating.agree(party, pid, author, now)
        case "verify":
            negotiating.verify(party, pid, now, author)
        case "finalize":
            negotiating.finalize(party, pid, now, author)
        case "terminate":
            reason = (body.reason.strip(),) if body.reason.strip() else ()
            negotiating.terminate(party, pid, author, now, reason)
        case _:
            _say(party, asked, pid, body, author, now)
    return _told(asked, pid, 200)


def _say(party: Any, asked: Asked, pid: str, body: NewMove, author: Any, now: datetime) -> Negotiation:
    """Other terms: the provider's offer, or the consumer's counter-request; without any, the same once more."""
    found = negotiation_models.whole(asked, pid)
    given: Terms | None = body.terms.terms() if body.terms else found.terms.terms() if found.terms else None
    if given is None:
        raise BadParameter("terms", "are not said", remedy="say which terms you offer")
    ours, theirs = party.did, found.peer
    assigner, assignee = (ours, theirs) if found.role == "provider" else (theirs, ours)
    policy = agreement.offer(negotiating.new_pid(), given, assigner=assigner, assignee=assignee)
    say = negotiating.offer if found.role == "provider" else negotiating.counter
    return say(party, pid, policy, author, now)


def _told(asked: Asked, pid: str, status: int) -> Response:
    headers = {"Cache-Control": answers.PRIVATE}
    return Response(answers.dumps(negotiation_models.whole(asked, pid)), status, headers, "application/json")
