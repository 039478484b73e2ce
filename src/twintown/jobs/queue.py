"""The jobs of a twin as rows: put, claimed, kept alive, ended; every change is one transaction and gets the next number.

A job is held by (id, attempt): a worker that was given up and comes back changes nothing (`Late`). The changes of one twin's jobs are
made one after the other (SQLite has one writer anyway; PostgreSQL takes a lock of the twin), so that no number is seen before a
smaller one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select, text, update

from twintown.ground.errors import NotFound, TooMany
from twintown.jobs.job import (
    Beat,
    Claimed,
    Dismissed,
    Event,
    Failed,
    Job,
    Late,
    Lost,
    Reused,
    State,
    Succeeded,
    step,
)
from twintown.store.engine import reading, writing
from twintown.store.schema import jobs
from twintown.store.tables import Tables, new_version

#: Jobs of people who do not say who they are that may wait at once.
MOST_WAITING = 16


def new_job(
    kind: str,
    request: Mapping[str, Any],
    subject: Mapping[str, Any],
    *,
    process: str = "",
    question: str = "",
    scenario: str = "",
) -> Job:
    """A job that was just asked for; `Queue.put` keeps it.

    Args:
        kind: process, verification, approval or report.
        subject: who asks: at least `kind`.
    """
    now = datetime.now(UTC)
    return Job(
        new_version(now), cast(Any, kind), process or kind, question, request, subject, now, now, scenario
    )


class Queue:
    """The jobs of one twin in one database."""

    def __init__(self, tables: Tables) -> None:
        self.engine = tables.engine
        self.twin = tables.twin

    # -- asking -------------------------------------------------------------------------------------------

    def put(self, job: Job, most: int = MOST_WAITING) -> Job:
        """Keep a new job; as it is kept.

        Args:
            most: jobs of anyone, and of one partner, that may wait at once; of people who say who they are, as many as they like.

        Raises:
            TooMany: so many wait already.
            StorageFailed: the database could not keep it.
        """
        with self._writing() as connection:
            if job.state == "accepted" and job.subject["kind"] in ("anyone", "peer"):
                whose = jobs.c.subject["kind"].as_string() == job.subject["kind"]
                if job.subject["kind"] == "peer":
                    whose &= jobs.c.subject["agreement"].as_string() == job.subject["agreement"]
                waiting = select(func.count()).where(self._mine, jobs.c.state == "accepted", whose)
                count = int(connection.execute(waiting).scalar() or 0)
                if count >= most:
                    partner = job.subject["kind"] == "peer"
                    raise TooMany(
                        f"{count} jobs of {'this agreement' if partner else 'people who did not say who they are'} wait already",
                        self.twin, "wait until some are done" + ("" if partner else ", or sign in"),
                    )  # fmt: skip
            kept = replace(job, seq=self._next(connection))
            connection.execute(insert(jobs).values(twin=self.twin, **_values(kept)))
        return kept

    def get(self, id: str) -> Job:
        """One job. Raises NotFound."""
        with reading(self.engine) as connection:
            return self._one(connection, id)

    def get_in(self, connection: Connection, id: str) -> Job:
        """The same within a transaction of the caller's."""
        return self._one(connection, id)

    def list(
        self,
        *,
        states: Collection[str] = (),
        kinds: Collection[str] = (),
        processes: Collection[str] = (),
        scenario: str = "",
        subject: Mapping[str, str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: str = "",
        limit: int = 100,
    ) -> Sequence[Job]:
        """Jobs, newest first.

        Args:
            subject: only those whose subject has these members (`{"kind": "anyone"}`).
            since, until: asked in this span.
            before: only those older than the job of this id (for the next page).
            limit: at most so many.
        """
        query = select(jobs).where(self._mine)
        for column, wanted in ((jobs.c.state, states), (jobs.c.kind, kinds), (jobs.c.process, processes)):
            if wanted:
                query = query.where(column.in_(tuple(wanted)))
        for name, value in (subject or {}).items():
            query = query.where(jobs.c.subject[name].as_string() == value)
        if scenario:
            query = query.where(jobs.c.scenario == scenario)
        if since is not None:
            query = query.where(jobs.c.created >= since)
        if until is not None:
            query = query.where(jobs.c.created <= until)
        if before:
            query = query.where(jobs.c.id < before)
        return self._read(query.order_by(jobs.c.id.desc()).limit(limit))

    def changes(self, after: int = 0) -> Sequence[Job]:
        """Every job that changed after change `after`, as it is now, in the order of the changes."""
        return self._read(select(jobs).where(self._mine, jobs.c.seq > after).order_by(jobs.c.seq))

    def last(self) -> int:
        """The number of the newest change, 0 before the first."""
        with reading(self.engine) as connection:
            return int(connection.execute(select(func.max(jobs.c.seq)).where(self._mine)).scalar() or 0)

    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        query = select(func.count()).where(self._mine, jobs.c.state == "accepted")
        with reading(self.engine) as connection:
            return int(connection.execute(query).scalar() or 0)

    def answered(self, question: str) -> Sequence[Job]:
        """The successful jobs that answered a question, newest first."""
        with reading(self.engine) as connection:
            return self.answered_in(connection, question)

    def answered_in(self, connection: Connection, question: str) -> Sequence[Job]:
        """The same within a transaction of the caller's."""
        query = select(jobs).where(self._mine, jobs.c.question == question, jobs.c.state == "successful")
        return [_job(row) for row in connection.execute(query.order_by(jobs.c.id.desc()))]

    # -- working ------------------------------------------------------------------------------------------

    def claim(self, worker: str, lease_s: float, id: str = "") -> Job | None:
        """Take the oldest job that waits (or the one named), for `lease_s` seconds; none where none waits.

        A question that somebody is working on is not worked on twice: the second job waits, and finds the answer there.
        """
        busy = select(jobs.c.question).where(self._mine, jobs.c.state == "running", jobs.c.question != "")
        query = select(jobs).where(self._mine, jobs.c.state == "accepted", jobs.c.question.not_in(busy))
        if id:
            query = query.where(jobs.c.id == id)
        with self._writing() as connection:
            row = connection.execute(query.order_by(jobs.c.created, jobs.c.id).limit(1)).first()
            return None if row is None else self._step(connection, _job(row), Claimed(worker, lease_s))

    def beat(self, job: Job, stage: str, progress: float, lease_s: float) -> Job:
        """Say that the job is worked on and how far it is.

        Raises:
            Late: it was dismissed, or given to somebody else: stop.
        """
        return self._change(job.id, Beat(job.attempt, stage, progress, lease_s))

    def alive(self, job: Job, lease_s: float) -> None:
        """Hold the job longer; nobody who watches is told. Raises Late."""
        with self._writing() as connection:
            now = step(self._one(connection, job.id), Beat(job.attempt, "", 0.0, lease_s), datetime.now(UTC))
            connection.execute(
                update(jobs).where(self._mine, jobs.c.id == job.id).values(lease_until=now.lease_until)
            )

    def finish(self, job: Job, results: Mapping[str, Any]) -> Job:
        """The job is answered. Raises Late."""
        with self._writing() as connection:
            return self.finish_in(connection, job, results)

    def finish_in(self, connection: Connection, job: Job, results: Mapping[str, Any]) -> Job:
        """The same within a transaction of the caller's (`Queue.writing`), which holds what the results name.

        Raises:
            Late: the job was dismissed, or given to somebody else: leave the transaction by this error, so that nothing is kept.
        """
        return self._step(connection, self._one(connection, job.id), Succeeded(job.attempt, results))

    def reuse(self, job: Job, results: Mapping[str, Any]) -> Job:
        """A job that waits is answered by results that are there. Raises Late."""
        return self._change(job.id, Reused(results))

    def fail(self, job: Job, problem: Mapping[str, Any]) -> Job:
        """The job cannot be answered. Raises Late."""
        return self._change(job.id, Failed(job.attempt, problem))

    def lose(self, job: Job, problem: Mapping[str, Any]) -> Job:
        """The worker of the job is gone: it waits again, or has failed. Raises Late."""
        return self._change(job.id, Lost(job.attempt, problem))

    def expired(self, now: datetime | None = None) -> Sequence[Job]:
        """Jobs whose worker gave no sign of life for longer than its lease."""
        moment = now or datetime.now(UTC)
        return self._read(
            select(jobs).where(self._mine, jobs.c.state == "running", jobs.c.lease_until < moment)
        )

    def dismiss_in(self, connection: Connection, id: str) -> Job:
        """Nobody wants the job any more; in a transaction of the caller's. Raises NotFound, Late."""
        return self._step(connection, self._one(connection, id), Dismissed())

    def forget(self, before: datetime) -> int:
        """Forget jobs that were dismissed before a moment; how many. The newest change stays: the numbers go on from it."""
        newest = select(func.max(jobs.c.seq)).where(self._mine).scalar_subquery()
        old = and_(self._mine, jobs.c.state == "dismissed", jobs.c.updated < before, jobs.c.seq < newest)
        with self._writing() as connection:
            return int(connection.execute(delete(jobs).where(old)).rowcount)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction in which jobs change; others wait for it. Raises StorageFailed."""
        with self._writing() as connection:
            yield connection

    # ------------------------------------------------------------------------------------------------------

    @property
    def _mine(self) -> Any:
        return jobs.c.twin == self.twin

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        # fresh: PostgreSQL must see what the one that was waited for has written
        with writing(self.engine, fresh=True) as connection:
            if connection.dialect.name == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
                connection.execute(lock, {"name": f"twintown jobs {self.twin}"})
            yield connection

    def _next(self, connection: Connection) -> int:
        return int(connection.execute(select(func.max(jobs.c.seq)).where(self._mine)).scalar() or 0) + 1

    def _one(self, connection: Connection, id: str) -> Job:
        row = connection.execute(select(jobs).where(self._mine, jobs.c.id == id)).first()
        if row is None:
            raise NotFound(f"there is no job {id[:80]}", self.twin, "see the list of jobs")
        return _job(row)

    def _change(self, id: str, event: Event) -> Job:
        with self._writing() as connection:
            return self._step(connection, self._one(connection, id), event)

    def _step(self, connection: Connection, job: Job, event: Event) -> Job:
        changed = replace(step(job, event, datetime.now(UTC)), seq=self._next(connection))
        same = and_(self._mine, jobs.c.id == job.id, jobs.c.seq == job.seq)
        if connection.execute(update(jobs).where(same).values(_values(changed))).rowcount != 1:
            raise Late("the job changed meanwhile", f"job {job.id}", "read it again")
        return changed

    def _read(self, query: Select[Any]) -> Sequence[Job]:
        with reading(self.engine) as connection:
            return [_job(row) for row in connection.execute(query)]


def _values(job: Job) -> dict[str, Any]:
    values = dict(job.__dict__)
    for name in ("request", "subject", "problem", "results"):
        values[name] = None if values[name] is None else dict(values[name])
    return values


def _job(row: Row[Any]) -> Job:
    values = dict(row._mapping)
    values.pop("twin")
    for name in ("created", "updated", "started", "finished", "lease_until"):
        values[name] = _utc(values[name])
    return Job(**{**values, "state": cast(State, values["state"])})


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
