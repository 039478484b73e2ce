"""Agreements between cities, their contracts, and the red button: suspend, resume, end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field, JsonValue
from starlette.responses import Response

from twintown.api import answers, contracts, problems
from twintown.api.exchange_models import (
    Id,
    SignatureModel,
    TermsModel,
    Who,
    Why,
    author_of,
    meaning,
    side,
)
from twintown.api.guard import Asked, Sharing
from twintown.api.schemas import Model
from twintown.exchange import agreements, button
from twintown.exchange.agreements import Agreement
from twintown.trust.peers import peers_of

router = APIRouter(tags=["exchange"])
_PROBLEMS = problems.responses(400, 401, 403, 404, 409, 503, 507)


class Press(Model):
    """Why the red button is pressed."""

    why: Why
    author: Who


class ChangedModel(Model):
    """Who changed the state of an agreement last."""

    to: Literal["active", "suspended", "ended"]
    did: str = Field(description="of the city; empty where its time was over")
    ours: bool
    name: str = Field(description="of the officer, as this city says; empty for the partner's")
    why: str
    at: datetime
    holds: list[str] = Field(description="DIDs of the cities that hold it suspended now")


class Recorded(Model):
    """An entry of our ledger."""

    kind: str
    seq: int
    at: datetime


class AgreementBrief(Model):
    """One agreement."""

    id: str
    role: Literal["provider", "consumer"] = Field(description="which side this twin is")
    peer: str = Field(description="DID of the other city")
    peer_id: str = Field(description="what it is called here; empty for one that is no peer any more")
    negotiation: str
    dataset: str
    terms: TermsModel
    state: Literal["waiting", "active", "suspended", "ended"] = Field(
        description="`waiting`: it begins later"
    )
    since: datetime
    until: datetime | None
    changed: datetime
    change: ChangedModel | None
    digest: str = Field(description="SHA-256 of what both signed, hexadecimal")


class AgreementFull(AgreementBrief):
    """One agreement with what both signed, and where the ledger tells of it."""

    signatures: list[SignatureModel]
    policy: dict[str, JsonValue] = Field(description="the ODRL agreement that both cities signed")
    ledger: list[Recorded]


class AgreementList(Model):
    """The agreements of a twin, newest first."""

    agreements: list[AgreementFull]


@router.get(
    "/twins/{twin}/agreements", operation_id="listAgreements", response_model=AgreementList,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def list_agreements(request: Request, asked: Sharing) -> Response:
    """The agreements with other cities, those that have ended too."""
    found = [_full(request, asked, one) for one in agreements.agreements_of(asked.served.twin.tables)]
    return answers.answer_json(request, AgreementList(agreements=found), cache="no-store")


@router.get(
    "/twins/{twin}/agreements/{agreement}", operation_id="getAgreement", response_model=AgreementFull,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_agreement(request: Request, asked: Sharing, agreement: Id) -> Response:
    """One agreement, with both signatures checked."""
    found = agreements.agreement_of(asked.served.twin.tables, agreement)
    return answers.answer_json(request, _full(request, asked, found), cache="no-store")


@router.get(
    "/twins/{twin}/agreements/{agreement}/contract", operation_id="getContract", response_class=contracts.Readable,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_contract(
    request: Request, asked: Sharing, agreement: Id, lang: contracts.Lang = "ko", f: contracts.Form = "html"
) -> Response:
    """The agreement as a contract in Korean, English or Vietnamese, made from what both signed."""
    now = datetime.now(UTC)
    found = agreements.agreement_of(asked.served.twin.tables, agreement)
    return contracts.signed(request, asked, found, state_of(found, now), lang, f, now)


@router.post(
    "/twins/{twin}/agreements/{agreement}/suspension", operation_id="suspendAgreement", response_model=AgreementFull,
    responses=_PROBLEMS,
)  # fmt: skip
def suspend_agreement(request: Request, asked: Sharing, agreement: Id, body: Press) -> Response:
    """The red button: nothing goes under this agreement from now on, anywhere, until you resume it. The partner is told why."""
    author = author_of(asked, body.author)
    found = button.suspend(side(request, asked), agreement, author, body.why, datetime.now(UTC))
    return _told(request, asked, found)


@router.delete(
    "/twins/{twin}/agreements/{agreement}/suspension", operation_id="resumeAgreement", response_model=AgreementFull,
    responses=_PROBLEMS,
)  # fmt: skip
def resume_agreement(request: Request, asked: Sharing, agreement: Id) -> Response:
    """Lift your own suspension; the partner's only the partner lifts."""
    found = button.resume(side(request, asked), agreement, author_of(asked), datetime.now(UTC))
    return _told(request, asked, found)


@router.post(
    "/twins/{twin}/agreements/{agreement}/end", operation_id="endAgreement", response_model=AgreementFull, responses=_PROBLEMS
)  # fmt: skip
def end_agreement(request: Request, asked: Sharing, agreement: Id, body: Press) -> Response:
    """End it, for good. Copies fall under the duty to delete; both ledgers say so."""
    found = button.end(
        side(request, asked), agreement, author_of(asked, body.author), body.why, datetime.now(UTC)
    )
    return _told(request, asked, found)


def state_of(found: Agreement, now: datetime) -> Literal["waiting", "active", "suspended", "ended"]:
    """How an agreement stands at this moment, by its row and the clock."""
    if found.over(now):
        return "ended"
    return "waiting" if found.state == "active" and now < found.since else found.state


def _full(request: Request, asked: Asked, found: Agreement) -> AgreementFull:
    twin, now = asked.served.twin, datetime.now(UTC)
    peer = next((one.id for one in peers_of(twin) if one.did == found.peer), "")
    change = ChangedModel.model_validate(dict(found.change)) if found.change else None
    knows = meaning(request)
    signatures = [SignatureModel.of(one, knows.holds(twin, found, one)) for one in found.signatures]
    records = contracts.records_of(twin, found.id, found.negotiation)
    return AgreementFull(
        id=found.id, role=found.role, peer=found.peer, peer_id=peer, negotiation=found.negotiation, dataset=found.dataset,
        terms=TermsModel.of(found.terms), state=state_of(found, now), since=found.since, until=found.until, changed=found.changed,
        change=change, digest=found.digest, signatures=signatures, policy=dict(found.policy),
        ledger=[Recorded(kind=kind, seq=seq, at=at) for kind, seq, at in records],
    )  # fmt: skip


def _told(request: Request, asked: Asked, found: Agreement) -> Response:
    headers = {"Cache-Control": answers.PRIVATE}
    return Response(answers.dumps(_full(request, asked, found)), 200, headers, "application/json")
