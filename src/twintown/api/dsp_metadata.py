"""Which version of the Dataspace Protocol is spoken here, and at which address (2025-1, section 4.3)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.dsp_entry import described
from twintown.api.guard import OnShelf, TwinId
from twintown.exchange.messages import BINDING, VERSION

router = APIRouter(tags=["dataspace"])
WELL_KNOWN = "/.well-known/dspace-version"


def _version(path: str, service: str) -> dict[str, Any]:
    return {
        "version": VERSION, "path": path, "binding": BINDING, "serviceId": service, "identifierType": "did:web",
        "auth": {"protocol": "did:web", "version": "1", "profile": ["jwt-eddsa"]},
    }  # fmt: skip


def _answer(request: Request, versions: list[dict[str, Any]]) -> Response:
    return answers.answer_json(request, {"protocolVersions": versions}, cache="public, max-age=300")


@router.get(
    WELL_KNOWN, operation_id="getDataspaceVersions", response_class=Response,
    responses={**described(200, "the versions, one for each twin"), **problems.responses(400)},
)  # fmt: skip
def get_versions(request: Request, opened: OnShelf) -> Response:
    """The protocol end points of every twin of this server, as paths below it."""
    return _answer(request, [_version(f"/twins/{id}/dsp", id) for id in opened.shelf.twins])


@router.get(
    "/twins/{twin}" + WELL_KNOWN, operation_id="getTwinDataspaceVersions", response_class=Response,
    responses={**described(200, "the version"), **problems.responses(400, 404)},
)  # fmt: skip
def get_twin_versions(request: Request, twin: TwinId, opened: OnShelf) -> Response:
    """The protocol end points of one twin, as a path below it."""
    return _answer(request, [_version("/dsp", opened.shelf.get(twin).id)])


@router.get(
    "/twins/{twin}/dsp" + WELL_KNOWN, operation_id="getEndpointDataspaceVersions", response_class=Response,
    responses={**described(200, "the version"), **problems.responses(400, 404)},
)  # fmt: skip
def get_endpoint_versions(request: Request, twin: TwinId, opened: OnShelf) -> Response:
    """The same, for who knows the address of the end points only."""
    return _answer(request, [_version("/", opened.shelf.get(twin).id)])
