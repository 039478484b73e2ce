"""What makes a result checkable by strangers: the city's keys, the signed manifest of a result, and the package to repeat it with."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from twintown.api import answers, jobs, problems
from twintown.api.guard import Asked, Reading
from twintown.api.jobs import JobId
from twintown.ground.errors import NotFound
from twintown.jobs.job import Job
from twintown.jobs.manifest import identity, issue, to_bytes
from twintown.jobs.package import pack
from twintown.trust.grades import Grade

router = APIRouter(tags=["jobs"])
DID, VC, ZIP = "application/did+json", "application/vc", "application/zip"
_OBJECT: dict[str, Any] = {"schema": {"type": "object"}}


def _body(kind: str, what: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": what, "content": {kind: schema}}}


@router.get(
    "/twins/{twin}/did.json",
    operation_id="getIdentity",
    response_class=Response,
    responses={
        **_body(DID, "the DID document (did:web)", _OBJECT),
        **problems.responses(400, 401, 404, 500, 503),
    },
)
def get_identity(request: Request, asked: Reading) -> Response:
    """The name that the city signs results under, and its public keys (W3C DID, did:web, Multikey)."""
    document = to_bytes(identity(asked.served.twin, request.app.state.public_url))
    return answers.answer(request, document, DID)


@router.get(
    "/twins/{twin}/jobs/{job}/manifest",
    operation_id="getManifest",
    response_class=Response,
    responses={
        **_body(VC, "the signed manifest (W3C Verifiable Credential)", _OBJECT),
        **problems.responses(400, 401, 403, 404, 500, 503),
    },
)
def get_manifest(request: Request, asked: Reading, job: JobId) -> Response:
    """Everything that the result of a job hangs on, signed by the city."""
    found = _stated(asked, job)
    signed = issue(asked.served.twin, (found.results or {})["manifest"], request.app.state.public_url)
    return answers.answer(request, to_bytes(signed), VC)


@router.get(
    "/twins/{twin}/jobs/{job}/evidence",
    operation_id="getEvidence",
    response_class=Response,
    responses={
        **_body(ZIP, "the evidence package", {"schema": {"type": "string", "format": "binary"}}),
        **problems.responses(400, 401, 403, 404, 405, 410, 500, 503),
    },
)
def get_evidence(request: Request, asked: Reading, job: JobId) -> Response:
    """One file with which a stranger repeats the result: `twintown verify`, or another twin's `/verifications`."""
    found = _stated(asked, job)
    blocks = pack(asked.served.twin, asked.grant, found, request.app.state.public_url)
    name = quote(f"{asked.served.id}-{found.process}-{found.id}.zip", safe="")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(blocks, media_type=ZIP, headers=headers)


def _stated(asked: Asked, id: str) -> Job:
    """A job with a manifest that the caller may see.

    Raises:
        NoSuchJob, NotFound: there is none.
        Unauthenticated, Denied: the result is of a higher grade than the caller may read.
    """
    found = jobs.find(asked, id)
    said = found.results or {}
    if found.state != "successful" or not said.get("manifest"):
        raise NotFound("the job has no manifest", found.id, f"it is a {found.kind} and {found.state}")
    for one in said["outputs"].values():
        asked.grant.require(Grade.of(one["grade"]), one["layer"])
    return found
