"""A job: what was asked to be computed, and what has become of it. Pure: frozen states, events, one function.

    accepted ──Claimed──> running ──Succeeded──> successful ──┐
       │  ^                 │  │ └──Failed─────> failed ──────┼──Dismissed──> dismissed
       │  └──────Lost───────┘  └─────────────────────────────-┤
       ├──Reused──> successful                                │
       └──────────────────────────────────────────────────────┘

Who works on a job holds it by its number of the attempt and for a time (a lease). Whatever a worker says of an attempt that is not
the present one comes too late (`Late`) and changes nothing: so no job is answered twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from twintown.ground.errors import Conflict

State: TypeAlias = Literal["accepted", "running", "successful", "failed", "dismissed"]
Kind: TypeAlias = Literal["process", "verification", "approval", "report", "playbook"]
#: How often a job is begun, at most: a worker that is killed again and again is not given it for ever.
ATTEMPTS = 3
#: Before this share of the work is done nothing is said of how long the rest takes.
LEAST = 0.02


class Late(Conflict):
    """The job is not in the state, or not at the attempt, that this was said of."""


@dataclass(frozen=True)
class Job:
    """One job, as it is at one moment.

    Args:
        id: a ULID; sorts by the time of asking.
        kind: what is done; says which task does it.
        process: id of the process; what else the kind wants to be found by.
        question: digest of the question (`Question.digest`); what else tells two equal jobs, or empty.
        request: what was asked, as JSON; frozen when the job was accepted.
        subject: who asked, as JSON (kind, twin, name, role); `kind` is always there.
        scenario: id of the scenario that it was asked of, or empty.
        attempt: how often it was begun.
        worker: who works on it, or did last.
        lease_until: after this moment without a sign of life the worker counts as lost.
        stage, progress: what is being done, and how far it is (0 to 1).
        remaining_s: seconds until it is done, as far as can be said.
        problem: why it failed (RFC 9457 problem details).
        results: what came out, as JSON.
        seq: place among all changes of all jobs of the twin.
    """

    id: str
    kind: Kind
    process: str
    question: str
    request: Mapping[str, Any]
    subject: Mapping[str, Any]
    created: datetime
    updated: datetime
    scenario: str = ""
    state: State = "accepted"
    attempt: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    stage: str = ""
    progress: float = 0.0
    remaining_s: float | None = None
    problem: Mapping[str, Any] | None = None
    results: Mapping[str, Any] | None = None
    started: datetime | None = None
    finished: datetime | None = None
    seq: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.state in ("successful", "failed", "dismissed")


@dataclass(frozen=True)
class Claimed:
    """A worker has taken the job, for `lease_s` seconds unless it gives a sign of life."""

    worker: str
    lease_s: float


@dataclass(frozen=True)
class Beat:
    """A sign of life of the worker: how far it is, and that it goes on for `lease_s` seconds more."""

    attempt: int
    stage: str
    progress: float
    lease_s: float


@dataclass(frozen=True)
class Succeeded:
    """The worker has answered."""

    attempt: int
    results: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """The worker cannot answer; asking again would not help."""

    attempt: int
    problem: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lost:
    """The worker is gone: the job is begun anew, or fails with `problem` once it was begun `ATTEMPTS` times."""

    attempt: int
    problem: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reused:
    """The same question was answered before; here is that answer."""

    results: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dismissed:
    """Nobody wants the answer any more; what was answered is taken away."""


Event: TypeAlias = Claimed | Beat | Succeeded | Failed | Lost | Reused | Dismissed


def step(job: Job, event: Event, at: datetime) -> Job:
    """The job after an event at a moment (UTC). `seq` stays: who keeps the job counts.

    Raises:
        Late: the event belongs to another state or another attempt; the job is as it was.
    """
    _fits(job, event)
    if isinstance(event, Claimed):
        return replace(
            job, state="running", attempt=job.attempt + 1, worker=event.worker, lease_until=_after(at, event.lease_s),
            stage="", progress=0.0, remaining_s=None, started=at, updated=at,
        )  # fmt: skip
    if isinstance(event, Beat):
        done = min(max(event.progress, job.progress, 0.0), 1.0)
        elapsed = (at - (job.started or at)).total_seconds()
        return replace(
            job, stage=event.stage or job.stage, progress=done, remaining_s=remaining(elapsed, done),
            lease_until=_after(at, event.lease_s), updated=at,
        )  # fmt: skip
    if isinstance(event, Lost) and job.attempt < ATTEMPTS:
        return replace(
            job, state="accepted", lease_until=None, stage="", progress=0.0, remaining_s=None, started=None, updated=at
        )  # fmt: skip
    ended = replace(job, lease_until=None, remaining_s=None, finished=at, updated=at)
    if isinstance(event, Succeeded):
        return replace(ended, state="successful", progress=1.0, stage="", results=event.results)
    if isinstance(event, Reused):
        return replace(
            ended,
            state="successful",
            progress=1.0,
            stage="",
            results=event.results,
            started=job.started or at,
        )
    if isinstance(event, Dismissed):
        return replace(ended, state="dismissed", results=None, finished=job.finished or at)
    return replace(ended, state="failed", problem=event.problem)


def remaining(elapsed_s: float, progress: float) -> float | None:
    """Seconds that the rest takes if it goes on as it went; none as long as nothing can be said."""
    if progress >= 1.0:
        return 0.0
    if progress < LEAST or elapsed_s <= 0:
        return None
    return elapsed_s * (1.0 - progress) / progress


def _fits(job: Job, event: Event) -> None:
    if isinstance(event, Claimed | Reused):
        fits = job.state == "accepted"
    elif isinstance(event, Dismissed):
        fits = job.state != "dismissed"
    else:
        fits = job.state == "running" and job.attempt == event.attempt
    if not fits:
        what = f"it is {job.state} (attempt {job.attempt})"
        raise Late(
            f"{type(event).__name__.lower()} is said of the job, and {what}", f"job {job.id}", "read it again"
        )


def _after(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)
