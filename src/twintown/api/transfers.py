"""The transfers under this twin's agreements: how each stands, and asking for one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field, JsonValue
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.exchange_models import Id, author_of, side
from twintown.api.guard import Asked, Sharing
from twintown.api.schemas import Model
from twintown.exchange import rows, transferring
from twintown.exchange.agreements import agreement_of
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import Conflict
from twintown.store.engine import reading

router = APIRouter(tags=["exchange"])


class TransferModel(Model):
    """One transfer process (Dataspace Protocol 2025-1); its token is shown to nobody."""

    pid: str
    role: Literal["consumer", "provider"]
    peer: str = Field(description="DID of the other city")
    agreement: str
    format: str
    state: str = Field(description="REQUESTED, STARTED, SUSPENDED, COMPLETED or TERMINATED")
    error: dict[str, JsonValue] | None = Field(description="why it stands still or ended")


class TransferList(Model):
    """The transfers of a twin, the one that changed last first."""

    transfers: list[TransferModel]


@router.get(
    "/twins/{twin}/transfers", operation_id="listTransfers", response_model=TransferList,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def list_transfers(request: Request, asked: Sharing) -> Response:
    """The transfers to and from other cities."""
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        found = [_told(one) for one in rows.transfers_in(connection, tables.twin)]
    return answers.answer_json(request, TransferList(transfers=found), cache="no-store")


@router.post(
    "/twins/{twin}/agreements/{agreement}/transfers", operation_id="createTransfer", status_code=201, response_model=TransferModel,
    responses=problems.responses(400, 401, 403, 404, 409, 503, 507),
)  # fmt: skip
def create_transfer(request: Request, asked: Sharing, agreement: Id) -> Response:
    """Ask the provider for what was agreed; it starts by itself as soon as an agreement is in force."""
    made = _started(request, asked, agreement)
    return Response(answers.dumps(_told(made)), 201, {"Cache-Control": answers.PRIVATE}, "application/json")


def _started(request: Request, asked: Asked, agreement: str) -> Transfer:
    found = agreement_of(asked.served.twin.tables, agreement)
    if found.role != "consumer":
        raise Conflict("the partner asks for what we give", agreement, "wait for its request")
    return transferring.start_transfer(
        side(request, asked), found.peer, found.id, datetime.now(UTC), author_of(asked)
    )


def _told(one: Transfer) -> TransferModel:
    return TransferModel(
        pid=one.pid, role=one.role, peer=one.peer, agreement=one.agreement, format=one.format, state=one.state,
        error=dict(one.error) if one.error else None,
    )  # fmt: skip
