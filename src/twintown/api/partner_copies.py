"""Keeping a partner's result: as a layer of ours that says whose it is, as long as the agreement lets it stay."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.dsp_entry import handshake_of
from twintown.api.exchange_models import side
from twintown.api.guard import Sharing
from twintown.api.landing import base
from twintown.api.partners import AgreementId, consumed
from twintown.api.represent import absolute
from twintown.api.schemas import Model, Names
from twintown.exchange import copies
from twintown.ground.names import Name

router = APIRouter(tags=["exchange"])


class NewCopy(Model):
    """Which result is kept, and what it is called here."""

    path: str = Field(max_length=300, description="jobs/{job}/results/{output}, behind the partner's door")
    layer: str = Field(
        max_length=64, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", description="id of the layer here"
    )
    title: Names


class Copy(Model):
    """A layer that is a partner's."""

    layer: str
    version: str
    agreement: str
    attribution: str
    delete_by: datetime | None = Field(description="when it goes away by itself")
    href: str


@router.post(
    "/twins/{twin}/partners/{agreement}/copies", operation_id="keepPartnerResult", status_code=201, response_model=Copy,
    responses=problems.responses(400, 401, 403, 404, 405, 409, 413, 502, 503, 507),
)  # fmt: skip
def keep_partner_result(request: Request, asked: Sharing, agreement: AgreementId, body: NewCopy) -> Response:
    """Keep a result of a partner's process as a layer: graded S, marked as theirs, under the agreement's terms."""
    found = consumed(asked, agreement)
    made = copies.keep(
        side(request, asked), handshake_of(request).courier, found, body.path, body.layer, Name.of(body.title.model_dump(), "title"),
        datetime.now(UTC),
    )  # fmt: skip
    asked.served.twin.watch.touch()
    told = Copy(
        layer=made.layer, version=made.version, agreement=found.id, attribution=found.terms.attribution,
        delete_by=found.terms.delete_by, href=absolute(request, f"{base(asked.served.id)}/collections/{made.layer}"),
    )  # fmt: skip
    return Response(answers.dumps(told), 201, {"Cache-Control": answers.PRIVATE}, "application/json")
