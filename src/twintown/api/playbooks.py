"""Playbooks of a twin: what it knows how to do, from whom; what it lacks for one; running one as a job; installing what another gave."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, OnShelf, Open, Reading, Running, Sharing, enter
from twintown.api.jobs import StatusInfo, address, body_of, told
from twintown.api.landing import base
from twintown.api.represent import JSON, absolute, language
from twintown.api.schemas import Link, Model, Names
from twintown.exchange import playbook_package, playbooks
from twintown.exchange.playbook_missing import missing
from twintown.exchange.playbook_run import submit
from twintown.exchange.playbook_told import told_of
from twintown.exchange.playbooks import Installed
from twintown.ground.errors import BadInput, NotFound, TooLarge, TwintownError
from twintown.jobs.manifest import identity

router = APIRouter(tags=["playbooks"])
ZIP = "application/zip"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
PlaybookId = Annotated[str, Path(description="id of the playbook", max_length=64, examples=["street-sun"])]


class PlaybookItem(Model):
    """A playbook in a list."""

    id: str
    version: str
    names: Names
    summary: Names
    origin: str = Field(description="DID of the city that signed it")
    installed: datetime
    links: list[Link]


class PlaybookList(Model):
    """The playbooks of a twin, by id."""

    playbooks: list[PlaybookItem]
    links: list[Link]


class PlaybookAbout(PlaybookItem):
    """All that is said of one: its chain, needs, thresholds with their source, guide and know-how."""

    digest: str
    author: dict[str, Any]
    signed: dict[str, Any] = Field(
        description="by whom, with which key, and how it is known here: here, peer, accepted"
    )
    languages: list[str]
    lang: str = Field(description="of the guide")
    guide: str = Field(description="Markdown")
    steps: list[dict[str, Any]]
    needs: list[dict[str, Any]]
    thresholds: list[dict[str, Any]] = Field(
        description="`convention`: no standard says it, the author chose it"
    )
    knowhow: dict[str, Names] = Field(description="sizing, cost, update, service")
    validation: list[dict[str, Any]]


class Lacking(Model):
    """What a twin lacks for a playbook."""

    playbook: str
    complete: bool
    missing: list[dict[str, Any]] = Field(
        description="`what` (layer, column, unit, …), `name`, `says`, and `why` it is needed"
    )


class PlaybookRun(Model):
    """How a playbook is to be run."""

    thresholds: dict[Annotated[str, Field(max_length=64)], float] = Field(
        default={}, max_length=20, description="other values than the playbook's, by id"
    )


@router.get(
    "/twins/{twin}/playbooks", operation_id="getPlaybooks", response_model=PlaybookList, responses=problems.responses(400, 401, 404),
)  # fmt: skip
def get_playbooks(request: Request, asked: Reading) -> Response:
    """The playbooks of a twin."""
    here = absolute(request, f"{base(asked.served.id)}/playbooks")
    found = [PlaybookItem(**_item(request, asked, one)) for one in playbooks.listed(asked.served.twin)]
    links = [Link(href=here, rel="self", type=JSON, title="playbooks")]
    return answers.answer_json(request, PlaybookList(playbooks=found, links=links), cache="no-store")


@router.post(
    "/twins/{twin}/playbooks", operation_id="installPlaybook", status_code=201, response_model=PlaybookAbout,
    responses=problems.responses(400, 401, 403, 404, 413, 503, 507),
    openapi_extra={"requestBody": {"required": True, "content": {ZIP: _BYTES, "application/octet-stream": _BYTES}}},
)  # fmt: skip
async def install_playbook(
    request: Request, asked: Sharing, opened: OnShelf,
    accept: Annotated[str, Query(max_length=100, description="public key (z6Mk…) of a stranger that a person has compared")] = "",
) -> Response:  # fmt: skip
    """Install a playbook: the body is a package that a city signed, whose key is known here; an older one of its id is replaced."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > playbook_package.MOST:
            raise TooLarge(f"a playbook has at most {playbook_package.MOST:,} bytes")
    if not raw:
        raise BadInput("the body is empty", "body", "send a package that `twintown playbook export` wrote")
    row = await run_in_threadpool(_installed, request, asked, opened, bytes(raw), accept)
    made = answers.answer_json(
        request, await run_in_threadpool(_about, request, asked, row), cache="no-store"
    )
    made.status_code = 201
    made.headers["Location"] = absolute(request, f"{base(asked.served.id)}/playbooks/{row.id}")
    return made


@router.get(
    "/twins/{twin}/playbooks/{playbook}",
    operation_id="getPlaybook",
    response_model=PlaybookAbout,
    responses={
        200: {"description": "all that is said of it, or the signed package", "content": {ZIP: _BYTES}},
        **problems.responses(400, 401, 403, 404, 503),
    },
)  # fmt: skip
def get_playbook(
    request: Request, asked: Reading, playbook: PlaybookId,
    f: Annotated[Literal["json", "zip"], Query(description="json, or zip: the signed package")] = "json",
    lang: Annotated[str, Query(pattern="^[a-z]{2}$|^$", description="of the guide, by its two letters")] = "",
) -> Response:  # fmt: skip
    """A playbook. The package goes to partners by an agreement that names it, and to those of the city who share."""
    row = _row(asked, playbook)
    if f == "json":
        return answers.answer_json(
            request, _about(request, asked, row, lang or language(request)), cache="no-store"
        )
    if asked.grant.subject.kind != "peer":
        enter(request, asked.served.id, "share")
    package = playbooks.package_of(asked.served.twin, row.id)
    headers = {"Content-Disposition": f'attachment; filename="{row.id}.zip"'}
    return answers.answer(request, package.raw, ZIP, cache="no-store", headers=headers)


@router.delete(
    "/twins/{twin}/playbooks/{playbook}", operation_id="removePlaybook", status_code=204,
    responses=problems.responses(400, 401, 403, 404, 503),
)  # fmt: skip
def remove_playbook(asked: Sharing, playbook: PlaybookId) -> Response:
    """Remove a playbook; what it answered stays."""
    playbooks.remove(asked.served.twin, _row(asked, playbook).id)
    return Response(status_code=204)


@router.get(
    "/twins/{twin}/playbooks/{playbook}/missing", operation_id="getMissing", response_model=Lacking,
    responses=problems.responses(400, 401, 404, 503),
)  # fmt: skip
def get_missing(request: Request, asked: Reading, playbook: PlaybookId) -> Response:
    """What this twin lacks for the playbook: layers, columns, units, processes and their versions."""
    package = playbooks.package_of(asked.served.twin, _row(asked, playbook).id)
    lacking = [one.to_dict() for one in missing(asked.served.twin, asked.grant, package.playbook)]
    return answers.answer_json(
        request, Lacking(playbook=playbook, complete=not lacking, missing=lacking), cache="no-store"
    )


@router.post(
    "/twins/{twin}/playbooks/{playbook}/run", operation_id="runPlaybook", status_code=201, response_model=StatusInfo,
    responses=problems.responses(400, 401, 403, 404, 409, 429, 503),
)  # fmt: skip
def run_playbook(
    request: Request, asked: Running, playbook: PlaybookId, body: PlaybookRun | None = None
) -> Response:
    """Run a playbook as a job: its results name the jobs and layers of the steps, the answer's style, thresholds and numbers."""
    chosen = body.thresholds if body else {}
    job = submit(asked.served.twin, asked.grant, _row(asked, playbook).id, chosen, lang=language(request))
    where = address(request, asked, job.id)
    made = answers.answer_json(request, body_of(told(job, where)), cache="no-store")
    made.status_code, made.headers["Location"] = 201, where
    return made


def _row(asked: Asked, id: str) -> Installed:
    """A playbook that the caller may see. Raises NotFound."""
    allowed = asked.grant.playbooks
    if allowed is not None and id not in allowed:
        raise NotFound(f"there is no playbook {id[:64]!r}", asked.served.id, "see what the agreement names")
    return playbooks.find(asked.served.twin, id)


def _installed(request: Request, asked: Asked, opened: Open, raw: bytes, accept: str) -> Installed:
    here = {}
    for served in opened.shelf.twins.values():
        with suppress(TwintownError):  # a twin that only lets itself be read may have no key
            document = identity(served.twin, request.app.state.public_url)
            here[document["id"]] = document
    twin = asked.served.twin
    return playbooks.install(twin, raw, playbooks.known_keys(twin, here), accept=accept)


def _item(request: Request, asked: Asked, row: Installed) -> dict[str, Any]:
    here = absolute(request, f"{base(asked.served.id)}/playbooks/{row.id}")
    return {
        "id": row.id, "version": row.version, "names": row.about["names"], "summary": row.about["summary"], "origin": row.origin,
        "installed": row.installed,
        "links": [
            Link(href=here, rel="self", type=JSON, title="playbook"),
            Link(href=f"{here}?f=zip", rel="enclosure", type=ZIP, title="signed package"),
            Link(href=f"{here}/missing", rel="related", type=JSON, title="what this twin lacks"),
        ],
    }  # fmt: skip


def _about(request: Request, asked: Asked, row: Installed, lang: str = "ko") -> PlaybookAbout:
    package = playbooks.package_of(asked.served.twin, row.id)
    guide, spoken = package.guide(lang)
    return PlaybookAbout(
        **_item(request, asked, row), digest=row.digest, author=dict(row.author), signed=row.about["signed"],
        languages=list(package.languages), lang=spoken, guide=guide, **told_of(package.playbook),
    )  # fmt: skip
