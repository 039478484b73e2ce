"""Contract negotiations with another city (Dataspace Protocol 2025-1, sections 7 and 8): both roles under one root, told apart by pids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api.dsp_entry import Came, came, described, taken
from twintown.api.guard import TwinId
from twintown.exchange import messages, receiving
from twintown.exchange.messages import NEGOTIATION_ERROR
from twintown.exchange.negotiation import Event
from twintown.ground.errors import BadContent

router = APIRouter(tags=["dataspace"])
ROOT = "/twins/{twin}/dsp/negotiations"
Pid = Annotated[str, Path(max_length=80, description="our name of the negotiation")]
_STATE = described(200, "a ContractNegotiation", 400, 401, 403, 404, 503)
_TAKEN = described(200, "the ContractNegotiation as it is now", 400, 401, 403, 404, 503)
_BEGUN = described(201, "a ContractNegotiation", 400, 401, 403, 404, 503)


@router.post(
    f"{ROOT}/request", operation_id="requestContract", response_class=Response, status_code=201, responses=_BEGUN,
    openapi_extra=taken("a ContractRequestMessage with callbackAddress"),
)  # fmt: skip
async def request_contract(request: Request, twin: TwinId) -> Response:
    """Another city asks for a dataset: a negotiation begins, we provide."""

    def act(one: Came) -> Mapping[str, Any]:
        return messages.state(receiving.requested(one.party, one.sender, one.body, one.now))

    return await came(request, twin, NEGOTIATION_ERROR, ("ContractRequestMessage",), act, status=201)


@router.post(
    f"{ROOT}/offers", operation_id="offerContract", response_class=Response, status_code=201, responses=_BEGUN,
    openapi_extra=taken("a ContractOfferMessage with callbackAddress"),
)  # fmt: skip
async def offer_contract(request: Request, twin: TwinId) -> Response:
    """Another city offers a dataset: a negotiation begins, we consume."""

    def act(one: Came) -> Mapping[str, Any]:
        return messages.state(receiving.proposed(one.party, one.sender, one.body, one.now))

    return await came(request, twin, NEGOTIATION_ERROR, ("ContractOfferMessage",), act, status=201)


@router.get(
    f"{ROOT}/{{pid}}", operation_id="getContractNegotiation", response_class=Response, responses=_STATE
)
async def get_negotiation(request: Request, twin: TwinId, pid: Pid) -> Response:
    """How a negotiation stands, for the city that it is with."""

    def act(one: Came) -> Mapping[str, Any]:
        return messages.state(receiving.negotiation_for(one.party, one.sender, pid, one.now))

    return await came(request, twin, NEGOTIATION_ERROR, (), act, pid=pid)


@router.post(
    f"{ROOT}/{{pid}}/request", operation_id="counterContract", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a ContractRequestMessage with providerPid"),
)  # fmt: skip
async def counter_contract(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The consumer asks for other terms than we offered."""
    return await _further(request, twin, pid, "ContractRequestMessage", "request")


@router.post(
    f"{ROOT}/{{pid}}/offers", operation_id="counterOfferContract", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a ContractOfferMessage with consumerPid"),
)  # fmt: skip
async def counter_offer(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The provider offers."""
    return await _further(request, twin, pid, "ContractOfferMessage", "offer")


@router.post(
    f"{ROOT}/{{pid}}/events", operation_id="tellContractEvent", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a ContractNegotiationEventMessage"),
)  # fmt: skip
async def tell_event(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The consumer has accepted, or the provider has finalized."""

    def act(one: Came) -> Mapping[str, Any]:
        event: Event = "accept" if one.body["eventType"] == "ACCEPTED" else "finalize"
        return messages.state(receiving.negotiated(one.party, one.sender, pid, event, one.body, one.now))

    return await came(request, twin, NEGOTIATION_ERROR, ("ContractNegotiationEventMessage",), act, pid=pid)


@router.post(
    f"{ROOT}/{{pid}}/agreement", operation_id="agreeContract", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a ContractAgreementMessage"),
)  # fmt: skip
async def agree_contract(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The provider sends the agreement, signed."""
    return await _further(request, twin, pid, "ContractAgreementMessage", "agree")


@router.post(
    f"{ROOT}/{{pid}}/agreement/verification", operation_id="verifyContract", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a ContractAgreementVerificationMessage"),
)  # fmt: skip
async def verify_contract(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The consumer has signed it too."""
    return await _further(request, twin, pid, "ContractAgreementVerificationMessage", "verify")


@router.post(
    f"{ROOT}/{{pid}}/termination", operation_id="terminateContract", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a ContractNegotiationTerminationMessage"),
)  # fmt: skip
async def terminate_contract(request: Request, twin: TwinId, pid: Pid) -> Response:
    """The other city ends the negotiation."""
    return await _further(request, twin, pid, "ContractNegotiationTerminationMessage", "terminate")


async def _further(request: Request, twin: str, pid: str, type_: str, event: Event) -> Response:
    def act(one: Came) -> Mapping[str, Any]:
        if type_ in ("ContractRequestMessage", "ContractOfferMessage") and "callbackAddress" in one.body:
            what = "callbackAddress begins a negotiation; this one has begun"
            raise BadContent(what, "callbackAddress", "leave it out", (("/callbackAddress", 0, what),))
        return messages.state(receiving.negotiated(one.party, one.sender, pid, event, one.body, one.now))

    return await came(request, twin, NEGOTIATION_ERROR, (type_,), act, pid=pid)
