"""A partner's token is renewed through its transfer: the same signed caller, the same agreement, another token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from twintown.api.dsp_entry import Came, came, described
from twintown.api.exchange_models import Id
from twintown.api.guard import TwinId
from twintown.exchange import partner_access
from twintown.exchange.messages import TRANSFER_ERROR

router = APIRouter(tags=["dataspace"])


@router.post(
    "/twins/{twin}/dsp/transfers/{pid}/token", operation_id="renewPartnerToken",
    responses=described(200, "a new data address", 400, 401, 403, 404),
)  # fmt: skip
async def renew_partner_token(request: Request, twin: TwinId, pid: Id) -> Response:
    """The next token of a transfer that is started, for the city that it goes to. The one before is worth nothing any more."""

    def act(one: Came) -> Mapping[str, Any]:
        return partner_access.renew(one.party, one.sender, one.pid, one.now)

    return await came(request, twin, TRANSFER_ERROR, (), act, pid=pid)
