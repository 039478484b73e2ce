"""The address at which other cities tell this one what it must know at once: recalls, and that they have seen ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from twintown.api.dsp_entry import PROBLEM, Came, came, described, taken
from twintown.api.guard import TwinId
from twintown.exchange import schemas
from twintown.ground.errors import BadParameter

router = APIRouter(tags=["dataspace"])
_TAKEN = described(200, "the receipt: id, digest, at", 400, 401, 403, 404, 413, 429, 503)


@router.post(
    "/twins/{twin}/notices", operation_id="tellNotice", response_class=Response, responses=_TAKEN,
    openapi_extra=taken("a CityNotice, signed as every message between cities is"),
)  # fmt: skip
async def tell_notice(request: Request, twin: TwinId) -> Response:
    """A notice of another city: a lot that went to this one is recalled, or a recall of ours was seen there."""
    from twintown.exchange import notice_message, notices

    def act(one: Came) -> Mapping[str, Any]:
        notice = notice_message.read(one.body)
        return notices.taken(one.party, one.sender, notice, _about(notice.kind, notice.body), one.now)

    def read(raw: bytes) -> Mapping[str, Any]:
        return schemas.parse(raw, notice_message.LONGEST)

    return await came(request, twin, PROBLEM, (), act, read=read)


def _about(kind: str, body: Mapping[str, Any]) -> str:
    """What a notice is of, once its body was read by who knows the kind. Raises BadParameter."""
    from twintown.exchange.notice_message import RECALL
    from twintown.programme.recall import told

    if kind == RECALL:
        return told(body).lot
    recall, by = body.get("recall"), body.get("by")
    if (
        set(body) != {"recall", "by"}
        or not isinstance(recall, str)
        or not isinstance(by, str)
        or len(recall) > 80
        or len(by) > 80
    ):
        raise BadParameter("body", "has recall and by, of at most 80 characters")
    return recall
