"""Status lists: which certificates were revoked, signed by the city, the same for everybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.certificate_models import certifying_of
from twintown.api.guard import Reading
from twintown.trust.credential import MEDIA

router = APIRouter(tags=["certificates"])
#: A list is the same for all who ask, and is signed anew every few seconds; a cache may keep it as long.
_SHORT = "public, max-age=5"


@router.get(
    "/twins/{twin}/status-lists/{list}", operation_id="getStatusList", response_class=Response,
    responses={
        200: {"description": "a BitstringStatusListCredential", "content": {MEDIA: {"schema": {"type": "string"}}}},
        **problems.responses(400, 401, 404, 503),
    },
)  # fmt: skip
def get_status_list(
    request: Request,
    asked: Reading,
    id: Annotated[str, Path(alias="list", max_length=48, description="id of the list")],
) -> Response:
    """A status list (W3C Bitstring Status List 1.0) as a signed token: who asks for it does not say for which certificate."""
    from twintown.programme.certificates import signed_list

    signed = signed_list(asked.served.twin, certifying_of(request, asked), id, datetime.now(UTC))
    return answers.answer(request, signed.encode(), MEDIA, cache=_SHORT)
