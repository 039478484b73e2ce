"""What partners let this twin use, and the door to it: their ordinary API through this server, under our Grant and their agreement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from twintown.api import answers, problems
from twintown.api.agreements import ChangedModel, state_of
from twintown.api.dsp_entry import handshake_of
from twintown.api.exchange_models import TermsModel, side
from twintown.api.guard import OPEN_ENDED, Asked, TwinId, enter
from twintown.api.landing import base
from twintown.api.represent import absolute
from twintown.api.schemas import Model
from twintown.exchange import partners, rows
from twintown.exchange.agreements import Agreement, agreement_of, agreements_of
from twintown.exchange.copies import copies_of
from twintown.ground.errors import Denied, NotFound, TooLarge, Unauthenticated
from twintown.store.engine import reading
from twintown.trust.peers import peers_of

router = APIRouter(tags=["exchange"])
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    200: {"description": "what the partner answers", "content": {"application/json": {"schema": {}}, "application/octet-stream": {}}},
    **problems.responses(400, 401, 403, 404, 413, 502, 503),
}  # fmt: skip
FROM, ATTRIBUTION = "Twintown-From", "Twintown-Attribution"
AgreementId = Annotated[str, Path(max_length=80, description="id of an agreement of which this twin is the consumer")]  # fmt: skip
Behind = Annotated[str, Path(description="behind the partner's twin: collections/…, processes/…, jobs/…")]


class Partnership(Model):
    """What one agreement lets us use."""

    agreement: str
    peer: str = Field(description="DID of the partner")
    peer_id: str
    dataset: str
    layers: list[str]
    processes: list[str]
    scenarios: list[str]
    playbooks: list[str]
    terms: TermsModel
    attribution: str = Field(description="what must stand beside it wherever it shows")
    state: Literal["waiting", "active", "suspended", "ended"]
    change: ChangedModel | None = Field(description="who stopped it, when and why")
    transfer: str = Field(description="state of its transfer; empty while there is none")
    copies: list[str] = Field(description="layers of ours that were kept of it")
    href: str = Field(
        description="the door: an address that is asked as the partner's twin would be (collections, processes, jobs)"
    )


class PartnershipList(Model):
    """What partners let us use, newest agreement first; those that have ended too, so that it shows why something is gone."""

    partners: list[Partnership]


def may_use(request: Request, twin: TwinId) -> Asked:
    """Who may look at what partners let this city use: its officers and planners. It was given to the city, not to everybody."""
    try:
        return enter(request, twin, "plan")
    except (Denied, Unauthenticated):
        return enter(request, twin, "share")


Using = Annotated[Asked, Depends(may_use)]


@router.get(
    "/twins/{twin}/partners", operation_id="listPartners", response_model=PartnershipList,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def list_partners(request: Request, asked: Using) -> Response:
    """What other cities let this one use, under which terms, and the door to each."""
    found = agreements_of(asked.served.twin.tables, "consumer")
    told = [_told(request, asked, one) for one in found]
    return answers.answer_json(request, PartnershipList(partners=told), cache="no-store")


@router.get(
    "/twins/{twin}/partners/{agreement}/{path:path}", operation_id="readPartner", responses=_PROBLEMS, response_class=Response,
    openapi_extra={OPEN_ENDED: True},
)  # fmt: skip
def read_partner(request: Request, asked: Using, agreement: AgreementId, path: Behind) -> Response:
    """A partner's layers, processes and jobs, as its own API shows them; streams stream. The token stays on this server."""
    return _through(request, asked, agreement, path, b"")


@router.post(
    "/twins/{twin}/partners/{agreement}/{path:path}", operation_id="askPartner", responses=_PROBLEMS, response_class=Response,
    openapi_extra={OPEN_ENDED: True},
)  # fmt: skip
async def ask_partner(request: Request, asked: Using, agreement: AgreementId, path: Behind) -> Response:
    """Have a partner's process run where its data is; only the result comes back."""
    if path not in partners.QUICK and not (path.startswith("processes/") and path.endswith("/execution")):
        raise NotFound("nothing is sent to this address", path[:100], "POST …/processes/{id}/execution")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > partners.MOST_BODY:
            raise TooLarge(f"a question has at most {partners.MOST_BODY:,} bytes", path[:100], "ask for less")
        parts.append(part)
    return await run_in_threadpool(_through, request, asked, agreement, path, b"".join(parts))


@router.delete(
    "/twins/{twin}/partners/{agreement}/{path:path}", operation_id="dismissPartnerJob", responses=_PROBLEMS,
    response_class=Response, openapi_extra={OPEN_ENDED: True},
)  # fmt: skip
def dismiss_partner_job(request: Request, asked: Using, agreement: AgreementId, path: Behind) -> Response:
    """Dismiss a job that we have asked a partner for."""
    if not path.startswith("jobs/") or path.count("/") != 1:
        raise NotFound("nothing is removed at this address", path[:100], "DELETE …/jobs/{id}")
    return _through(request, asked, agreement, path, b"")


def _through(request: Request, asked: Asked, agreement: str, path: str, body: bytes) -> Response:
    found = consumed(asked, agreement)
    party = side(request, asked)
    question = partners.Question(
        request.method, path, request.url.query, {name.lower(): value for name, value in request.headers.items()}, body
    )  # fmt: skip
    answer = partners.through(
        party, handshake_of(request).courier, found, question, _door(request, asked, found), datetime.now(UTC)
    )  # fmt: skip
    headers = {
        **answer.headers, "cache-control": answers.PRIVATE, "vary": "Accept, Authorization, Cookie", FROM: found.peer,
        "content-security-policy": "default-src 'none'; sandbox",
    }  # fmt: skip
    if found.terms.attribution:
        headers[ATTRIBUTION] = f"UTF-8''{quote(found.terms.attribution, safe='')}"  # RFC 8187
    if request.method == "HEAD" or answer.status in (204, 304):
        answer.close()
        return Response(status_code=answer.status, headers=headers)
    return StreamingResponse(
        _while_it_stands(asked, found, answer),
        answer.status,
        headers,
        background=BackgroundTask(answer.close),
    )


def _while_it_stands(asked: Asked, found: Agreement, answer: partners.Answer) -> Iterator[bytes]:
    """The pieces of an answer, as long as the agreement stands on our side too; a look costs microseconds."""
    watch = asked.served.twin.watch
    look = watch.look()
    for part in answer:
        now = watch.look()
        if now != look:
            look = now
            if state_of(agreement_of(asked.served.twin.tables, found.id), datetime.now(UTC)) != "active":
                answer.close()
                return
        yield part


def consumed(asked: Asked, id: str) -> Agreement:
    """An agreement by which we get something. Raises NotFound."""
    found = agreement_of(asked.served.twin.tables, id)
    if found.role != "consumer":
        raise NotFound("this agreement is about what we give, not what we get", id, "GET …/partners lists what there is")  # fmt: skip
    return found


def _door(request: Request, asked: Asked, found: Agreement) -> str:
    return absolute(request, f"{base(asked.served.id)}/partners/{found.id}")


def _told(request: Request, asked: Asked, found: Agreement) -> Partnership:
    twin = asked.served.twin
    with reading(twin.tables.engine) as connection:
        known = [
            one
            for one in rows.transfers_in(connection, twin.tables.twin, agreement=found.id)
            if one.role == "consumer"
        ]
    assets: dict[str, list[str]] = {"layer": [], "process": [], "scenario": [], "playbook": []}
    for asset in found.terms.assets:
        assets[asset.kind].append(asset.id)
    change: Any = dict(found.change) if found.change else None
    return Partnership(
        agreement=found.id, peer=found.peer, peer_id=next((one.id for one in peers_of(twin) if one.did == found.peer), ""),
        dataset=found.dataset, layers=assets["layer"], processes=assets["process"], scenarios=assets["scenario"],
        playbooks=assets["playbook"], terms=TermsModel.of(found.terms), attribution=found.terms.attribution,
        state=state_of(found, datetime.now(UTC)), change=ChangedModel.model_validate(change) if change else None,
        transfer=known[0].state if known else "", copies=list(copies_of(twin.tables, found.id)), href=_door(request, asked, found),
    )  # fmt: skip
