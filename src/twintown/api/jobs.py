"""The jobs of a twin: the list, the status of one, its changes as they come, and its end by whoever asked.

A job of somebody who said who they are is theirs and the owner's; jobs of anyone are everybody's. Who may not see a job is told that
there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, events, patterns, problems
from twintown.api.guard import Asked, Reading
from twintown.api.items_query import interval
from twintown.api.job_sight import sees as sees
from twintown.api.job_sight import whose
from twintown.api.landing import REL, base
from twintown.api.represent import HTML, JSON, Shown, absolute, represent
from twintown.api.schemas import Link, Model
from twintown.ground.errors import BadParameter, Conflict, Gone, NoSuchJob, NotFound
from twintown.jobs import deputy, results
from twintown.jobs.job import Job
from twintown.jobs.queue import Queue

router = APIRouter(tags=["jobs"])
State = Literal["accepted", "running", "successful", "failed", "dismissed"]
STATES: tuple[State, ...] = ("accepted", "running", "successful", "failed", "dismissed")
_STATE = "|".join(STATES)
MOST = 1000  # jobs of one page, and rows that are looked at for one
JobId = Annotated[
    str, Path(description="id of the job", max_length=64, examples=["01JGFJJZ000000000000000001"])
]


class StatusInfo(Model):
    """What has become of a job (18-062r2, statusInfo.yaml), and what else a person wants to know."""

    jobID: str
    type: Literal["process"] = "process"
    processID: str = Field(description="what is computed; `kind` itself for jobs that answer no process")
    kind: Literal["process", "verification", "approval", "report", "playbook"]
    status: State
    message: str = Field(description="the stage, or what went wrong")
    progress: int = Field(ge=0, le=100, description="percent")
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    updated: datetime
    stage: str = Field(default="", description="what is being done")
    remaining_s: float | None = Field(
        default=None, description="seconds until it is done, as far as can be said"
    )
    attempt: int = Field(description="how often it was begun")
    scenario: dict[str, Any] | None = Field(default=None, description="id, name and revision")
    reused: bool = Field(default=False, description="the same question had been answered before")
    seconds: float | None = Field(default=None, description="that the answer took when it was computed")
    question: str = Field(default="", description="digest that names the question")
    author: str = Field(description="who asked: anyone, owner, or the name of a person")
    problem: dict[str, Any] | None = Field(default=None, description="RFC 9457, where it failed")
    links: list[Link]


class JobList(Model):
    """Jobs, the newest first."""

    jobs: list[StatusInfo]
    links: list[Link]


def find(asked: Asked, id: str) -> Job:
    """A job that the caller may see. Raises NoSuchJob."""
    try:
        job = Queue(asked.served.twin.tables).get(id[:64])
    except NotFound as error:
        raise NoSuchJob(error.what, asked.served.id, error.remedy) from error
    if not sees(asked.grant.subject, job):
        raise NoSuchJob(f"there is no job {id[:64]}", asked.served.id, "see the list of jobs")
    return deputy.shown(job) if asked.grant.subject.kind == "peer" else job


def address(request: Request, asked: Asked, job: str = "") -> str:
    """The whole address of a job, or of the list."""
    return absolute(request, f"{base(asked.served.id)}/jobs{'/' + quote(job, safe='') if job else ''}")


def told(job: Job, here: str) -> StatusInfo:
    """The status of a job; `here` is its address."""
    said = job.results or {}
    links = [
        Link(href=here, rel="self", type=JSON, title="status"),
        Link(href=f"{here}?f=html", rel="alternate", type=HTML, title="status, for people"),
    ]
    if not job.over:
        links += [
            Link(href=here, rel="monitor", type=JSON, title="status"),
            Link(href=f"{here}/events", rel="monitor", type=events.MEDIA_TYPE, title="changes as they come"),
        ]
    if job.state == "successful":
        links.append(Link(href=f"{here}/results", rel=f"{REL}results", type=JSON, title="results"))
        if said.get("manifest"):
            links += [
                Link(
                    href=f"{here}/manifest", rel="describedby", type="application/vc", title="signed manifest"
                ),
                Link(
                    href=f"{here}/evidence", rel="enclosure", type="application/zip", title="evidence package"
                ),
            ]
    problem = dict(job.problem) if job.problem else None
    return StatusInfo(
        jobID=job.id, processID=job.process, kind=job.kind, status=job.state,
        message=str((problem or {}).get("detail") or job.stage or job.state), progress=int(100 * job.progress),
        created=job.created, started=job.started, finished=job.finished, updated=job.updated, stage=job.stage,
        remaining_s=None if job.remaining_s is None else round(job.remaining_s, 1), attempt=job.attempt,
        scenario=job.request.get("scenario"), reused=bool(said.get("reused")), seconds=said.get("seconds"),
        question=job.question, author=str(job.subject.get("name") or job.subject.get("kind", "")), problem=problem,
        links=links,
    )  # fmt: skip


def body_of(status: StatusInfo) -> dict[str, Any]:
    """The status as JSON: what is not known is left out, as the standard's schema wants it."""
    return status.model_dump(mode="json", exclude_none=True)


@router.get(
    "/twins/{twin}/jobs",
    operation_id="getJobs",
    response_model=JobList,
    responses=problems.responses(400, 401, 404, 406),
)
def get_jobs(
    request: Request,
    asked: Reading,
    form: Shown,
    type: Annotated[list[Literal["process"]] | None, Query(description="kinds of jobs")] = None,
    processID: Annotated[
        str | None,
        Query(
            max_length=600,
            description="of these processes, joined by commas",
            json_schema_extra={"pattern": "^[^,]+(?:,[^,]+)*$"},
        ),
    ] = None,
    status: Annotated[
        str | None,
        Query(
            max_length=100,
            description="in these states, joined by commas",
            json_schema_extra={"pattern": f"^(?:{_STATE})(?:,(?:{_STATE}))*$"},
        ),
    ] = None,
    datetime: Annotated[
        str | None,
        Query(
            max_length=100,
            description="asked at this time, or in this span",
            json_schema_extra=patterns.DATETIME,
        ),
    ] = None,
    minDuration: Annotated[
        int | None, Query(ge=0, le=10**9, description="took at least so many seconds")
    ] = None,
    maxDuration: Annotated[
        int | None, Query(ge=0, le=10**9, description="took at most so many seconds")
    ] = None,
    scenario: Annotated[str | None, Query(max_length=36, description="asked of this scenario")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="jobs in the answer, at most")] = 20,
    before: Annotated[str | None, Query(max_length=64, description="older than this job")] = None,
) -> Response:
    """The jobs that you may see, the newest first."""
    chosen = _many("status", status, STATES)
    during = interval(datetime) if datetime is not None else (None, None)
    wanted = {
        "states": chosen, "processes": _many("processID", processID), "scenario": scenario or "",
        "since": during[0], "until": during[1],
    }  # fmt: skip
    found = _listed(asked, wanted, before or "", limit + 1, minDuration, maxDuration)
    links = []
    if len(found) > limit:
        found = found[:limit]
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "before"]
        query = urlencode([*kept, ("before", found[-1].id)])
        links.append(
            Link(href=f"{address(request, asked)}?{query}", rel="next", type=JSON, title="older jobs")
        )
    told_of = [body_of(told(job, address(request, asked, job.id))) for job in found]
    body = {"jobs": told_of, "links": [link.model_dump(mode="json") for link in links]}
    return represent(request, body, form, "jobs", cache="no-store")


def _many(name: str, text: str | None, known: Sequence[str] = ()) -> tuple[str, ...]:
    """A list joined by commas. Raises BadParameter."""
    found = tuple(part for part in (text or "").split(",") if part)
    for one in found:
        if known and one not in known:
            raise BadParameter(name, f"{one[:40]!r} is not known", remedy=f"use {', '.join(known)}")
    if text is not None and not found:
        raise BadParameter(name, "names nothing", remedy="leave it out for all")
    return found


def _listed(
    asked: Asked,
    wanted: Mapping[str, Any],
    before: str,
    limit: int,
    shortest: int | None,
    longest: int | None,
) -> list[Job]:
    """Jobs that the caller may see and that took as long as is wanted, the newest first."""
    queue, subject = Queue(asked.served.twin.tables), asked.grant.subject
    timed = shortest is not None or longest is not None
    rows = [
        job
        for one in whose(subject)
        for job in queue.list(**wanted, subject=one, before=before, limit=MOST if timed else limit)
    ]
    rows.sort(key=lambda job: job.id, reverse=True)
    if subject.kind == "peer":
        rows = [deputy.shown(job) for job in rows]
    return [job for job in rows if not timed or _took(job, shortest, longest)][:limit]


def _took(job: Job, shortest: int | None, longest: int | None) -> bool:
    if job.started is None:
        return False
    seconds = ((job.finished or job.updated) - job.started).total_seconds()
    return (shortest is None or seconds >= shortest) and (longest is None or seconds <= longest)


@router.get(
    "/twins/{twin}/jobs/{job}",
    operation_id="getStatus",
    response_model=StatusInfo,
    responses=problems.responses(400, 401, 404, 406),
)
def get_job(request: Request, asked: Reading, job: JobId, form: Shown) -> Response:
    """What has become of a job: its state, how far it is, and how long the rest takes."""
    found = told(find(asked, job), address(request, asked, job))
    return represent(request, body_of(found), form, "job", cache="no-store")


@router.delete(
    "/twins/{twin}/jobs/{job}",
    operation_id="dismiss",
    response_model=StatusInfo,
    responses=problems.responses(400, 401, 404, 410, 503),
)
def dismiss_job(request: Request, asked: Reading, job: JobId) -> Response:
    """Nobody wants the job any more: what runs ends at once, of what is done the results go."""
    find(asked, job)
    try:
        gone = results.dismiss(asked.served.twin, job)
    except Conflict as error:  # the same a second time
        raise Gone("this job was dismissed already", job, "nothing is left to do") from error
    return answers.answer_json(request, body_of(told(gone, address(request, asked, job))), cache="no-store")


@router.get(
    "/twins/{twin}/jobs/{job}/events",
    operation_id="listenToJob",
    response_class=Response,
    responses={
        200: {
            "description": "server-sent events; the data of each is the status of the job",
            "content": {events.MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **problems.responses(400, 401, 404, 503),
    },
)
async def listen_to_job(request: Request, asked: Reading, job: JobId) -> Response:
    """The status of a job now and at every change, until the job is over; `Last-Event-ID` goes on where one was cut off."""
    await run_in_threadpool(find, asked, job)
    here = address(request, asked, job)

    def changes(seq: int) -> tuple[list[events.Event], bool]:
        asked.still()
        found = find(asked, job)
        fresh = [events.Event(found.seq, body_of(told(found, here)), "status")] if found.seq > seq else []
        return fresh, found.over

    return await events.stream(request, asked.served.twin.watch, changes)
