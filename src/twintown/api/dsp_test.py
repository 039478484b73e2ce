"""How the public kit of the protocol makes us begin as consumer: the test profile only (TWINTOWN_DSP_TEST)."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from twintown.api import answers
from twintown.api.dsp_entry import described, party_of
from twintown.api.guard import TwinId
from twintown.api.schemas import Model
from twintown.ground.errors import NotFound

router = APIRouter(tags=["dataspace"], include_in_schema=False)


class Negotiate(Model):
    """Begin a negotiation as consumer."""

    datasetId: str
    offerId: str
    providerId: str
    connectorAddress: str


class Fetch(Model):
    """Begin a transfer as consumer."""

    agreementId: str
    format: str
    providerId: str
    connectorAddress: str


@router.post(
    "/twins/{twin}/dsp-test/negotiations", response_class=Response, responses=described(200, "begun")
)
def initiate_negotiation(request: Request, twin: TwinId, asked: Negotiate) -> Response:
    """Ask the connector at that address for that offer."""
    from twintown.exchange import negotiating

    party = party_of(request, twin)
    if not party.test:
        raise NotFound(
            "this server does not run the test profile", "dsp-test", "start it with TWINTOWN_DSP_TEST=on"
        )
    offer = {"@id": asked.offerId, "@type": "Offer", "permission": [{"action": "use"}]}
    begun = negotiating.request(
        party, asked.connectorAddress, asked.datasetId, offer, negotiating.SERVER, datetime.now(UTC)
    )
    return answers.answer_json(request, {"consumerPid": begun.pid, "state": begun.state}, cache="no-store")


@router.post("/twins/{twin}/dsp-test/transfers", response_class=Response, responses=described(200, "begun"))
def initiate_transfer(request: Request, twin: TwinId, asked: Fetch) -> Response:
    """Ask the connector at that address for the data of that agreement."""
    from twintown.exchange import transferring

    party = party_of(request, twin)
    if not party.test:
        raise NotFound(
            "this server does not run the test profile", "dsp-test", "start it with TWINTOWN_DSP_TEST=on"
        )
    begun = transferring.start_transfer(
        party, asked.connectorAddress, asked.agreementId, datetime.now(UTC), format=asked.format
    )
    return answers.answer_json(request, {"consumerPid": begun.pid, "state": begun.state}, cache="no-store")
