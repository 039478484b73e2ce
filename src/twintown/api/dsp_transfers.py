"""Transfer processes with another city (Dataspace Protocol 2025-1, sections 9 and 10): both roles under one root, pids tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api.dsp_entry import Came, came, described, taken
from twintown.api.guard import TwinId
from twintown.exchange import messages, receiving
from twintown.exchange.messages import TRANSFER_ERROR
from twintown.exchange.transfer_process import Event

router = APIRouter(tags=["dataspace"])
ROOT = "/twins/{twin}/dsp/transfers"
Pid = Annotated[str, Path(max_length=80, description="our name of the transfer")]
_TAKEN = described(200, "the TransferProcess as it is now", 400, 401, 403, 404, 503)


@router.post(
    f"{ROOT}/request", operation_id="requestTransfer", response_class=Response, status_code=201,
    responses=described(201, "a TransferProcess", 400, 401, 403, 404, 503), openapi_extra=taken("a TransferRequestMessage"),
)  # fmt: skip
async def request_transfer(request: Request, twin: TwinId) -> Response:
    """Another city asks for the data of an agreement; it starts by itself where the agreement is in force."""

    def act(one: Came) -> Mapping[str, Any]:
        return messages.state(receiving.transfer_requested(one.party, one.sender, one.body, one.now))

    return await came(request, twin, TRANSFER_ERROR, ("TransferRequestMessage",), act, status=201)


@router.get(f"{ROOT}/{{pid}}", operation_id="getTransferProcess", response_class=Response, responses=_TAKEN)
async def get_transfer(request: Request, twin: TwinId, pid: Pid) -> Response:
    """How a transfer stands, for the city that it is with."""

    def act(one: Came) -> Mapping[str, Any]:
        return messages.state(receiving.transfer_for(one.party, one.sender, pid, one.now))

    return await came(request, twin, TRANSFER_ERROR, (), act, pid=pid)


@router.post(
    f"{ROOT}/{{pid}}/start", operation_id="startTransfer", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a TransferStartMessage"),
)  # fmt: skip
async def start_transfer(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The provider starts the transfer, or either side lets it go on."""
    return await _further(request, twin, pid, "TransferStartMessage", "start")


@router.post(
    f"{ROOT}/{{pid}}/suspension", operation_id="suspendTransfer", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a TransferSuspensionMessage"),
)  # fmt: skip
async def suspend_transfer(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The other side lets it stand still."""
    return await _further(request, twin, pid, "TransferSuspensionMessage", "suspend")


@router.post(
    f"{ROOT}/{{pid}}/completion", operation_id="completeTransfer", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a TransferCompletionMessage"),
)  # fmt: skip
async def complete_transfer(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The other side says that it is done."""
    return await _further(request, twin, pid, "TransferCompletionMessage", "complete")


@router.post(
    f"{ROOT}/{{pid}}/termination", operation_id="terminateTransfer", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a TransferTerminationMessage"),
)  # fmt: skip
async def terminate_transfer(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The other side ends it."""
    return await _further(request, twin, pid, "TransferTerminationMessage", "terminate")


async def _further(request: Request, twin: str, pid: str, type_: str, event: Event) -> Response:
    def act(one: Came) -> Mapping[str, Any]:
        return messages.state(receiving.transferred(one.party, one.sender, pid, event, one.body, one.now))

    return await came(request, twin, TRANSFER_ERROR, (type_,), act, pid=pid)
