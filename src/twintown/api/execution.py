"""Executions: a question is checked and asked of the queue, then waited for, or left to be looked at later; and the results.

`Prefer: respond-async` gives 201 with the address of the job at once. Without it the answer waits: for `wait` seconds of `Prefer`, a
minute by default. A job that takes longer goes on, and its address is given with 201 after all: the standard has no word for that, and
a connection that breaks after an hour would serve nobody.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, job_outputs, job_results, jobs, problems, processes
from twintown.api.guard import Asked, Running
from twintown.api.jobs import StatusInfo, body_of, told
from twintown.api.processes import ProcessId
from twintown.api.represent import absolute, language
from twintown.api.schemas import Model
from twintown.ground.errors import BadParameter, PluginFailed, TwintownError
from twintown.jobs import deputy, outgoing, question, results
from twintown.jobs.job import Job
from twintown.jobs.outgoing import Hosts
from twintown.jobs.process import Process
from twintown.scenario.plans import Plans

router = APIRouter(tags=["processes"])
#: How long an answer is waited for, seconds: unless the caller says, and at most.
WAIT_S, LONGEST_S = 60.0, 300.0
_LOOK_S = 0.03
#: A value in the wrapping of the standard (qualifiedInputValue).
_WRAPPED = {"value", "mediaType", "encoding", "schema", "format"}
_REFERENCE = {"href", "type", "rel", "title", "hreflang"}


class FormatAsked(BaseModel):
    """How one output is to be written."""

    model_config = ConfigDict(extra="forbid")

    mediaType: str | None = Field(default=None, max_length=100)
    encoding: str | None = Field(default=None, max_length=40)
    schema_: Any = Field(default=None, alias="schema")


class OutputAsked(BaseModel):
    """How one output is to be sent."""

    model_config = ConfigDict(extra="forbid")

    format: FormatAsked | None = None
    transmissionMode: Literal["value", "reference"] = "value"


class Subscriber(Model):
    """Who is told of the job by a POST: at its success with the results, else with its status."""

    successUri: str = Field(max_length=2000, json_schema_extra={"format": "uri"})
    inProgressUri: str | None = Field(default=None, max_length=2000, json_schema_extra={"format": "uri"})
    failedUri: str | None = Field(default=None, max_length=2000, json_schema_extra={"format": "uri"})


class Execute(BaseModel):
    """What is asked (18-062r2, execute.yaml)."""

    model_config = ConfigDict(extra="forbid")

    inputs: dict[str, Any] = Field(
        default={},
        description="values by name: inline, in {value}, or by {href}; what is left out has its default",
    )
    outputs: dict[str, OutputAsked] | None = Field(default=None, description="only these; all by default")
    response: Literal["raw", "document"] = Field(default="raw", description="how the results come")
    subscriber: Subscriber | None = None
    fresh: StrictBool = Field(default=False, description="compute anew what was answered before")


_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "address of the job"}}
_APPLIED = {
    "Preference-Applied": {"schema": {"type": "string"}, "description": "the preference that was followed"}
}
_CALLBACKS: dict[str, Any] = {
    name: {
        f"{{$request.body#/subscriber/{name}}}": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {"200": {"description": what}},
            }
        }
    }
    for name, what in (
        ("successUri", "the results were received"),
        ("inProgressUri", "the status was received"),
        ("failedUri", "the status was received"),
    )
}


@router.post(
    "/twins/{twin}/processes/{process}/execution",
    operation_id="execute",
    response_class=Response,
    responses={
        200: job_outputs.VALUES,
        201: {"model": StatusInfo, "description": "the job is made", "headers": {**_LOCATION, **_APPLIED}},
        204: {"description": "the headers `Link` say where the results are"},
        **problems.responses(400, 401, 403, 404, 409, 410, 413, 429, 500, 503, 507),
    },
    openapi_extra={"callbacks": _CALLBACKS},
)
async def execute(
    request: Request,
    asked: Running,
    process: ProcessId,
    body: Execute,
    prefer: Annotated[
        str | None,
        Header(
            max_length=200, description="respond-async: do not wait; wait=n: wait so many seconds (RFC 7240)"
        ),
    ] = None,
) -> Response:
    """Ask a process. Everything that can be wrong with a question is said before anything is computed."""
    alone, wait_s = _preferred(prefer)
    job = await run_in_threadpool(_submitted, request, asked, process, body)
    here = jobs.address(request, asked, job.id)
    if not alone:
        job = await _over(request, asked, job, wait_s)
    if alone or not job.over:
        headers = {"Location": here, "Vary": "Prefer, Authorization, Cookie"}
        if alone:
            headers["Preference-Applied"] = "respond-async"
        made = answers.answer(
            request, answers.dumps(body_of(told(job, here))), cache="no-store", headers=headers
        )
        made.status_code = 201
        return made
    asked = replace(asked, grant=deputy.of_job(asked.grant, job))
    return await run_in_threadpool(
        job_outputs.finished, request, asked, job, {"Link": f"<{here}>; rel=monitor"}
    )


def _preferred(prefer: str | None) -> tuple[bool, float]:
    """Whether not to wait, and else for how many seconds (RFC 7240); what is not understood is passed over."""
    said = (prefer or "").lower()
    found = re.search(r"(?:^|[,;\s])wait=(\d{1,6})", said)
    wait_s = min(float(found[1]), LONGEST_S) if found else WAIT_S
    return re.search(r"(?:^|[,;\s])respond-async(?:$|[,;\s])", said) is not None, wait_s


def _submitted(request: Request, asked: Asked, process: str, body: Execute) -> Job:
    """The job of a question that was checked."""
    one = processes.find(asked, process)
    twin, grant = asked.served.twin, asked.grant
    deputy.check(
        twin,
        grant,
        one,
        body.inputs,
        calls=body.subscriber is not None,
        plan=bool(body.inputs.get("scenario")),
    )
    hosts: Hosts = request.app.state.hosts
    if body.subscriber is not None:
        for name, url in body.subscriber.model_dump(exclude_none=True).items():
            hosts.check(url, f"subscriber.{name}")
    inputs = {name: _plain(value, f"inputs.{name}", hosts) for name, value in body.inputs.items()}
    respond = {
        "response": body.response,
        "outputs": _outputs(one, body.outputs),
        "base": absolute(request, ""),
    }
    edits: tuple[Mapping[str, Any], ...] = ()
    plan: Mapping[str, Any] | None = None
    versions: Mapping[str, str] | None = None
    if processes.edited(one) and inputs.get("scenario") is not None:
        named = inputs.pop("scenario")
        if not isinstance(named, str):
            raise BadParameter("scenario", "is no id", remedy="write the id of a scenario, or id@revision")
        found = Plans(asked.served.twin.tables).resolve(named)
        edits, plan, versions = found.edits, found.scenario, found.base
        inputs = found.inputs({each.name for each in one.inputs}) | inputs
    elif processes.edited(one):
        inputs.pop("scenario", None)
    try:
        what = question.ask(twin, deputy.inner(grant), one, inputs, edits, plan, body.fresh, base=versions)
    except TwintownError:
        raise
    except Exception as error:  # what a stranger's code makes of odd inputs is named too
        reason = f"{type(error).__name__}: {error}"[:300]
        raise PluginFailed(
            f"could not check its inputs ({reason})", f"process {one.id}", "report it to its author"
        ) from error
    subscriber = body.subscriber.model_dump(exclude_none=True) if body.subscriber else None
    return results.submit(
        twin, deputy.asking(grant), what, respond=respond, subscriber=subscriber, lang=language(request)
    )


def _plain(value: Any, where: str, hosts: Hosts) -> Any:
    """An input as it was meant: out of its wrapping, or from where its reference points."""
    if not isinstance(value, dict):
        return value
    if "href" in value and set(value) <= _REFERENCE:
        if not isinstance(value["href"], str):
            raise BadParameter(f"{where}.href", "is no address")
        return outgoing.fetch(hosts, value["href"], f"{where}.href")
    if "value" in value and set(value) <= _WRAPPED:
        return value["value"]
    return value


def _outputs(process: Process, said: Mapping[str, OutputAsked] | None) -> dict[str, dict[str, str]]:
    """How each output is wanted. Raises BadParameter: the process has no such output, or it does not leave as that."""
    known = {one.layer: one for one in process.outputs}
    wanted = {}
    for name, how in (said or {}).items():
        if name not in known:
            raise BadParameter(
                "outputs", f"{process.id} has no output {name[:80]!r}", remedy=f"it has {', '.join(known)}"
            )
        media_type = (how.format.mediaType if how.format else None) or ""
        if media_type:
            media_type = job_results.offered(known[name].shape, media_type, name)
        wanted[name] = {"transmission": how.transmissionMode, "media_type": media_type}
    return wanted


async def _over(request: Request, asked: Asked, job: Job, wait_s: float) -> Job:
    """The job once it is over, or as it is when the time is up or the caller has gone."""
    watch, ends = asked.served.twin.watch, time.monotonic() + wait_s
    look, heard = watch.look(), time.monotonic()
    job = await run_in_threadpool(jobs.find, asked, job.id)
    while not job.over and time.monotonic() < ends:
        await asyncio.sleep(_LOOK_S)
        if time.monotonic() - heard > 1.0:
            heard = time.monotonic()
            if await request.is_disconnected():
                break
        if (now := watch.look()) != look:
            look = now
            job = await run_in_threadpool(jobs.find, asked, job.id)
    return job
