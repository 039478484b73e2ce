"""Verifications: an evidence package of any twin is sent here, and this twin repeats the result, as a job."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, jobs, problems
from twintown.api.evidence import VC, ZIP
from twintown.api.guard import Asked, OnShelf, Open, Running
from twintown.api.imports import UPLOADS, place, receive
from twintown.api.jobs import StatusInfo
from twintown.ground.errors import BadData, TooMany, TwintownError
from twintown.jobs import uploads
from twintown.jobs.job import Job
from twintown.jobs.manifest import identity
from twintown.jobs.queue import MOST_WAITING, Queue, new_job
from twintown.jobs.results import subject_to_dict

router = APIRouter(tags=["jobs"])
#: Bytes of a package, and bytes that it may unpack to, each.
MAX_BYTES, MOST = 512_000_000, 2_000_000_000
_TAKEN: dict[str, Any] = {
    ZIP: {"schema": {"type": "string", "format": "binary"}},
    VC: {"schema": {"type": "object"}},
    "application/json": {"schema": {"type": "object"}},
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}


@router.post(
    "/twins/{twin}/verifications",
    operation_id="verify",
    status_code=201,
    response_model=StatusInfo,
    responses={
        201: {"headers": {"Location": {"schema": {"type": "string"}, "description": "address of the job"}}},
        **problems.responses(400, 401, 404, 413, 429, 503, 507),
    },
    openapi_extra={"requestBody": {"required": True, "content": _TAKEN}},
)
async def verify(request: Request, asked: Running, opened: OnShelf) -> Response:
    """Repeat a result: the body is an evidence package (ZIP), or a manifest whose inputs are layers of this twin.

    The job's results are the verdict: same, within-error, different (and where), or cannot (and why), and whether the signature is good.
    """
    folder = asked.served.twin.directory / UPLOADS
    await run_in_threadpool(_room, asked)
    path = await run_in_threadpool(place, folder)
    try:
        await receive(request, path, MAX_BYTES)
        await run_in_threadpool(_looks_right, path)
        job = await run_in_threadpool(_asked, asked, opened, request.app.state.public_url, path)
    finally:
        await run_in_threadpool(path.unlink, True)
    here = jobs.address(request, asked, job.id)
    made = answers.answer_json(request, jobs.body_of(jobs.told(job, here)), cache="no-store")
    made.status_code, made.headers["Location"] = 201, here
    return made


def _looks_right(path: Path) -> None:
    """Raise BadData for what is neither; whether it can be repeated is for the job to say."""
    with path.open("rb") as file:
        head = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith((b"PK", b"{")):
        raise BadData(
            "is neither an evidence package (ZIP) nor a manifest (a JSON object)",
            "body",
            "send what twintown run --out wrote",
        )


def _room(asked: Asked) -> None:
    """Whether another job may wait, before its body is read; what was sent for jobs that are over goes. Raises TooMany."""
    twin = asked.served.twin
    uploads.sweep(twin)
    if asked.grant.subject.kind != "anyone":
        return
    waiting = Queue(twin.tables).list(states=("accepted",), subject={"kind": "anyone"}, limit=MOST_WAITING)
    if len(waiting) >= MOST_WAITING:
        raise TooMany(
            f"{len(waiting)} jobs of people who did not say who they are wait already", asked.served.id,
            "wait until some are done, or sign in",
        )  # fmt: skip


def _asked(asked: Asked, opened: Open, public_url: str, path: Any) -> Job:
    """The job, with what was sent kept for it, and with the keys that are known here."""
    twin, key = asked.served.twin.writing(), uploads.new_key()
    known = {}
    for served in opened.shelf.twins.values():
        with suppress(TwintownError):  # a twin that only lets itself be read may have no key
            document = identity(served.twin, public_url)
            known[document["id"]] = document
    twin.blobs.put_file(key, path)
    try:
        request = {"blob": key, "known": known, "most": MOST}
        return Queue(twin.tables).put(new_job("verification", request, subject_to_dict(asked.grant.subject)))
    except TwintownError:
        uploads.forget(twin, key)
        raise
