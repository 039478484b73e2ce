"""The results of a job at their addresses: all of them as they were asked for, or one output by value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from twintown.api import answers, job_results, jobs, problems
from twintown.api.guard import Asked, Reading
from twintown.api.job_results import Wanted
from twintown.api.jobs import JobId
from twintown.api.processes import FORMATS
from twintown.api.represent import Form, Lang, language, represent
from twintown.ground.errors import Gone, NotFound
from twintown.jobs.job import Job

router = APIRouter(tags=["jobs"])
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_KINDS = [kind for kinds in FORMATS.values() for kind in kinds if kind != "application/json"]
VALUES: dict[str, Any] = {
    "description": "the results",
    "content": {
        "application/json": {"schema": {"type": "object", "description": "values, or links to layers, by output"}},
        **dict.fromkeys(_KINDS, _BINARY),
        "multipart/related": _BINARY,
    },
}  # fmt: skip


def finished(request: Request, asked: Asked, job: Job, headers: Mapping[str, str] | None = None) -> Response:
    """The answer of a job that is over."""
    if job.state == "failed":
        return job_results.refused(request, job)
    if job.state == "dismissed":
        raise Gone("the job was dismissed", job.id, "ask the question again")
    if job.kind != "process" and job.over:
        return answers.answer_json(request, job.results or {}, cache="no-store")
    return job_results.respond(request, asked, job, headers)


@router.get(
    "/twins/{twin}/jobs/{job}/results",
    operation_id="getResult",
    response_class=Response,
    responses={
        200: VALUES,
        204: {"description": "the headers `Link` say where the results are"},
        **problems.responses(400, 401, 403, 404, 409, 410, 413, 500, 503, 507),
    },
)
def get_results(
    request: Request,
    asked: Reading,
    job: JobId,
    f: Annotated[Literal["json", "html"] | None, Query(description="html: a page of what came out")] = None,
    lang: Lang = None,
) -> Response:
    """The results of a job that is done, as they were asked for; why it failed where it failed."""
    found = jobs.find(asked, job)
    people = f == "html" or (f is None and "text/html" in request.headers.get("accept", ""))
    if not people or found.state != "successful" or found.kind != "process":
        return finished(request, asked, found)
    return represent(
        request,
        _shown(request, asked, found),
        Form("html", language(request, lang)),
        "results",
        cache="no-store",
    )


def _shown(request: Request, asked: Asked, job: Job) -> dict[str, Any]:
    """What a page says of the results: each output with its layer and the formats that it leaves in."""
    here = jobs.address(request, asked, job.id)
    made = job_results.made(asked, job)
    outputs = [
        {
            "id": name, "layer": one.layer, "names": one.title.to_dict(), "kind": one.kind, "count": one.count,
            "bytes": one.meta.get("bytes"), "unit": (one.meta.get("result") or {}).get("unit", ""),
            "error": (one.meta.get("result") or {}).get("error", 0),
            "files": [
                {"href": f"{here}/results/{quote(name, safe='')}?f={job_results.SHORT[kind]}", "type": kind}
                for kind in FORMATS[job_results.shape_of(one)]
            ],
        }
        for name, one in made.items()
    ]  # fmt: skip
    links = [{"href": here, "rel": "up", "type": "application/json", "title": "status"}]
    return {"job": job.id, "process": job.process, "outputs": outputs, "links": links}


@router.get(
    "/twins/{twin}/jobs/{job}/results/{output}",
    operation_id="getOutput",
    response_class=Response,
    responses={200: VALUES, **problems.responses(400, 401, 403, 404, 409, 410, 413, 500, 503, 507)},
)
def get_output(
    request: Request,
    asked: Reading,
    job: JobId,
    output: Annotated[str, Path(description="id of the output", max_length=64)],
    f: Annotated[
        Literal["cog", "covjson", "geojson", "parquet", "csv", "json"] | None,
        Query(description="format; as it was asked for, or the first of its kind, by default"),
    ] = None,
) -> Response:
    """One output by value."""
    found = jobs.find(asked, job)
    if found.over and found.state != "successful":
        return finished(request, asked, found)
    made = job_results.made(asked, found)
    if output not in made:
        raise NotFound(f"the job has no output {output[:64]!r}", found.id, f"it has {', '.join(made)}")
    how = job_results.wanted_of(found).get(output, Wanted())
    value = job_results.value_of(request, asked, made[output], f or how.media_type, output)
    name = f"{asked.served.id}-{quote(made[output].layer, safe='')}"
    return answers.answer(
        request, value.body, value.media_type, headers={"Content-Disposition": f'inline; filename="{name}"'}
    )
