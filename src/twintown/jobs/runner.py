"""The shell around jobs: a keeper that hands them to warm worker processes, sees to it that each ends, and ends those nobody wants.

The keeper computes nothing. It claims a job for a worker that is free, tells the database that the job is worked on, and looks at every
change: a dismissed job's worker is killed within a tick and another one started; a worker that dies by itself gives its job back (at most
`job.ATTEMPTS` times). Jobs whose keeper died are taken over when their lease ends. Workers die with their keeper.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from twintown.ground.errors import NotFound, TwintownError
from twintown.jobs import deputy
from twintown.jobs.job import Job, Late
from twintown.jobs.process import in_order
from twintown.jobs.queue import Queue
from twintown.jobs.results import scratch, subject_of, sweep
from twintown.jobs.work import (
    LEASE_S,
    Task,
    Work,
    ended_by,
    lost_problem,
    perform,
    problem_of,
    rooms,
    telling,
)
from twintown.trust.policy import Grant, Resource, decide
from twintown.trust.rules import rules_of
from twintown.trust.standing import Standings, purpose_of
from twintown.twin.layers import Twin
from twintown.twin.placing import check_process

LOG = logging.getLogger("twintown.jobs")
#: How often the keeper looks at the database, seconds.
TICK_S = 0.05
#: A worker beyond the first ends after so long without a job, seconds.
IDLE_S = 300.0
#: A twin whose database is away is tried again after so long, seconds.
AGAIN_S = 1.0
#: After a worker that could not begin the next one is tried after so long, at first and at most, seconds.
PAUSE_S, LONGEST_S = 1.0, 60.0
#: Without a job the first worker gets ready only after so long: who opens the page now has the processors, seconds.
QUIET_S = 3.0
#: Dismissed jobs are remembered so long.
REMEMBERED = timedelta(days=1)
#: Workers run behind whoever answers people.
NICE = 5


@dataclass(frozen=True)
class Place:
    """Where a twin is: what `Twin.open` takes."""

    directory: Path
    database: str = ""
    blobs: str = ""

    def open(self) -> Twin:
        """The twin, to be written to. Raises like `Twin.open`."""
        return Twin.open(self.directory, database=self.database, blobs=self.blobs, read_only=False)


@dataclass(frozen=True)
class Plan:
    """What a keeper keeps.

    Args:
        places: the twins.
        tasks: gives what does each kind of job; a function of a module, so that it travels to workers.
        workers: worker processes, at most.
        dask_url: of a cluster that works on tiles; empty for this machine alone.
        lease_s: how long a job is held without a sign of life, seconds.
        heard: told of every change of a job while the keeper runs, one after the other, beside its work.
    """

    places: tuple[Place, ...]
    tasks: Callable[[], Mapping[str, Task]]
    workers: int = 2
    dask_url: str = ""
    lease_s: float = LEASE_S
    heard: Callable[[Twin, Job], None] | None = None


# -- the worker ------------------------------------------------------------------------------------------------


def do(
    twin: Twin, job: Job, tasks: Mapping[str, Task], *, dask_url: str = "", lease_s: float = LEASE_S
) -> None:
    """Do a job that was claimed; it has ended when this returns, or is not ours any more. Raises StorageFailed."""
    queue = Queue(twin.tables)
    try:
        grant = _grant(twin, job)
        task = tasks.get(job.kind)
        if task is None:
            raise NotFound(f"nothing here does jobs of the kind {job.kind}", f"job {job.id}")
        spread = in_order
        if dask_url:
            from twintown.jobs.spread import on_cluster

            check_process(twin, dask_url, job.request.get("layers") if job.kind == "process" else None)
            spread = on_cluster(dask_url)
    except TwintownError as error:
        with suppress(Late):
            queue.fail(job, problem_of(error))
        return
    told = telling(queue, job, lease_s)
    try:
        with rooms(scratch(twin)) as room:
            perform(task, Work(twin, job, grant, told, spread, room))
    except Late:
        LOG.info("job %s was taken away", job.id)
    except TwintownError as error:
        LOG.warning("job %s (%s %s): %s", job.id, job.kind, job.process, error)
    if not Queue(twin.tables).get(job.id).over:
        return  # the database was away when it ended: the lease will end it
    with suppress(TwintownError):
        sweep(twin)


def _grant(twin: Twin, job: Job) -> Grant:
    """What a job may do now: by its agreement as it stands when the work begins. Raises Unauthenticated, Denied."""
    subject = subject_of(job.subject)
    if subject.kind != "peer":
        return decide(subject, "run", Resource(twin.description.id))
    grant = decide(
        subject, "run", Resource(twin.description.id), now=datetime.now(UTC), standing=Standings(twin).standing(subject),
        purpose=purpose_of(subject), rules=rules_of(twin.directory),
    )  # fmt: skip
    grant.require()
    deputy.may_run(grant, job.process)
    return deputy.inner(grant)


def worker(line: Connection, plan: Plan) -> None:
    """The life of a worker process: jobs come over the line, one after the other; it ends with its keeper."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    with suppress(OSError):
        os.nice(NICE)
    twins: dict[int, Twin] = {}
    tasks = plan.tasks()
    _warm()
    line.send("free")
    while True:
        try:
            number, job = line.recv()
        except EOFError:
            return
        try:
            if number not in twins:
                twins[number] = plan.places[number].open()
            do(twins[number], job, tasks, dask_url=plan.dask_url, lease_s=plan.lease_s)
        except TwintownError as error:
            LOG.warning("job %s: %s", job.id, error)
        line.send("free")


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, name="parent", daemon=True).start()


def _warm() -> None:
    """What every answer needs is there before the first question: compiled kernels, the readers of layers."""
    from twintown.jobs.process import processes

    for name in ("geopandas", "twintown.jobs.manifest"):
        import_module(name)
    processes()


# -- the keeper ------------------------------------------------------------------------------------------------


@dataclass
class _Hand:
    """One worker process as its keeper sees it."""

    process: Any
    line: Connection
    free: bool = False
    ready: bool = False
    number: int = 0
    job: Job | None = None
    since: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        return f"{socket.gethostname()}/{self.process.pid}"


class Keeper:
    """Keeps the jobs of several twins going; `run` until it is told to stop."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._spawn = multiprocessing.get_context("spawn")
        self._twins: dict[int, Twin] = {}
        self._looks: dict[int, Any] = {}
        self._waits: dict[int, bool] = {}
        self._broken: dict[int, float] = {}
        self._hands: list[_Hand] = []
        self._tended = 0.0
        self._hire_at, self._pause_s = 0.0, PAUSE_S
        self._warm_at = time.monotonic() + QUIET_S
        self._seen: dict[int, int] = {}
        self._news: SimpleQueue[tuple[Twin, Job]] = SimpleQueue()
        if plan.heard is not None:
            Thread(target=self._tell, args=(plan.heard,), name="news", daemon=True).start()

    def run(self, stop: Event) -> None:
        """Until `stop` is set; then the workers are ended and their jobs given back."""
        try:
            while not stop.is_set():
                self.turn()
                lines: list[Any] = [hand.line for hand in self._hands]
                wait([*lines, *(hand.process.sentinel for hand in self._hands)], TICK_S)
        finally:
            self._end()

    def turn(self) -> None:
        """One look at everything: workers that spoke or died, jobs that changed, jobs that wait."""
        if not self._hands and time.monotonic() >= max(self._hire_at, self._warm_at):
            self._hire()
        for hand in list(self._hands):
            self._hear(hand)
        for number in range(len(self.plan.places)):
            self._at(number, self._look)
        now = time.monotonic()
        if now - self._tended > self.plan.lease_s / 4:
            self._tended = now
            for number in range(len(self.plan.places)):
                self._at(number, self._tend)
            for hand in self._hands[1:]:
                if hand.free and now - hand.since > IDLE_S:
                    self._fire(hand)

    # -- twins ---------------------------------------------------------------------------------------------

    def _at(self, number: int, act: Callable[[int, Queue], None]) -> None:
        """Do something with the jobs of a twin; one that cannot be read or written is tried again later, the others go on."""
        if time.monotonic() - self._broken.get(number, -AGAIN_S) < AGAIN_S:
            return
        try:
            if number not in self._twins:
                self._twins[number] = self.plan.places[number].open()
            act(number, Queue(self._twins[number].tables))
            self._broken.pop(number, None)
        except TwintownError as error:
            if number not in self._broken:
                LOG.warning("jobs of %s: %s", self.plan.places[number].directory, error)
            self._broken[number] = time.monotonic()
            self._looks.pop(number, None)

    def _look(self, number: int, queue: Queue) -> None:
        look = self._twins[number].watch.look()
        free = any(hand.free for hand in self._hands)
        if look == self._looks.get(number) and not (free and self._waits.get(number)):
            return
        for hand in list(self._hands):
            if hand.job is not None and hand.number == number:
                self._wanted(hand, hand.job, queue)
        if self.plan.heard is not None:
            self._hear_of(number, queue)
        waits = True
        while waits and (idle := next((hand for hand in self._hands if hand.free), None)):
            job = queue.claim(idle.name, self.plan.lease_s)
            if job is None:
                waits = False
            else:
                self._give(idle, number, job)
        self._waits[number] = waits and queue.waiting() > 0
        coming = any(not hand.free and hand.job is None for hand in self._hands)
        coming = coming or time.monotonic() < self._hire_at
        if self._waits[number] and not coming and len(self._hands) < self.plan.workers:
            self._hire()
        self._looks[number] = look

    def _hear_of(self, number: int, queue: Queue) -> None:
        if number not in self._seen:
            self._seen[number] = queue.last()
        for job in queue.changes(self._seen[number]):
            self._seen[number] = job.seq
            self._news.put((self._twins[number], job))

    def _tell(self, heard: Callable[[Twin, Job], None]) -> None:
        while True:
            twin, job = self._news.get()
            try:
                heard(twin, job)
            except TwintownError as error:
                LOG.warning("job %s: %s", job.id, error)
            except Exception:  # news must not end with one that somebody could not hear
                LOG.exception("job %s", job.id)

    def _tend(self, number: int, queue: Queue) -> None:
        """Leases: those of jobs that are worked on here are prolonged, those that ended are taken back. What is old is forgotten."""
        held = [hand.job for hand in self._hands if hand.job is not None and hand.number == number]
        for job in held:
            with suppress(Late, NotFound):
                queue.alive(job, self.plan.lease_s)
        ours = {job.id for job in held}
        for job in queue.expired():
            if job.id not in ours:
                _lose(queue, job, "its worker gave no sign of life")
        queue.forget(datetime.now(UTC) - REMEMBERED)
        sweep(self._twins[number])

    # -- workers -------------------------------------------------------------------------------------------

    def _hire(self) -> None:
        ours, theirs = self._spawn.Pipe()
        alone = replace(self.plan, heard=None)  # who hears of jobs stays here
        process = self._spawn.Process(target=worker, args=(theirs, alone), name="worker", daemon=True)
        process.start()
        theirs.close()
        self._hands.append(_Hand(process, ours))

    def _give(self, hand: _Hand, number: int, job: Job) -> None:
        hand.free, hand.number, hand.job = False, number, job
        with suppress(OSError):  # it died just now: its end is noticed, and the job given back
            hand.line.send((number, job))

    def _hear(self, hand: _Hand) -> None:
        spoke = False
        with suppress(EOFError, OSError):
            while hand.line.poll():
                hand.line.recv()
                spoke = True
        if not hand.process.is_alive():
            self._fire(hand)
            if not (hand.ready or spoke):  # it cannot even begin, and the next one will hardly fare better
                LOG.warning(
                    "a worker cannot begin: %s; the next try is in %g s",
                    ended_by(hand.process.exitcode),
                    self._pause_s,
                )
                self._hire_at, self._pause_s = (
                    time.monotonic() + self._pause_s,
                    min(2 * self._pause_s, LONGEST_S),
                )
            job, why = hand.job, ended_by(hand.process.exitcode)
            if job is not None:
                self._at(hand.number, lambda _, queue: _lose(queue, job, why))
        elif spoke:
            hand.free, hand.job, hand.since, hand.ready = True, None, time.monotonic(), True
            self._pause_s = PAUSE_S
            self._looks.clear()

    def _wanted(self, hand: _Hand, job: Job, queue: Queue) -> None:
        """See that the job of a worker is still its own and wanted; otherwise the worker is ended."""
        try:
            now = queue.get(job.id)
            ours = now.attempt == job.attempt and now.state in ("running", "successful", "failed")
        except NotFound:
            ours = False
        if not ours:
            LOG.info("job %s is not wanted any more: its worker is ended", job.id)
            self._fire(hand)
            sweep(self._twins[hand.number])

    def _fire(self, hand: _Hand) -> None:
        hand.process.kill()
        hand.process.join(5)
        hand.line.close()
        with suppress(ValueError):
            self._hands.remove(hand)

    def _end(self) -> None:
        for hand in list(self._hands):
            self._fire(hand)
            job = hand.job
            if job is not None:
                self._at(hand.number, _ending(job))


def _ending(job: Job) -> Callable[[int, Queue], None]:
    return lambda _, queue: _lose(queue, job, "the keeper was ended")


def _lose(queue: Queue, job: Job, why: str) -> None:
    with suppress(Late, NotFound):
        now = queue.lose(job, lost_problem(why, job.attempt))
        LOG.warning("job %s: %s; it is %s now", job.id, why, now.state)


# -- without processes -----------------------------------------------------------------------------------------


@contextmanager
def here(twins: Sequence[Twin], tasks: Mapping[str, Task], look_s: float = 0.01) -> Iterator[None]:
    """While the block runs, jobs are done by a thread of this process: for tests and notebooks. Nothing can be killed."""
    over = Event()

    def serve() -> None:
        name = f"{socket.gethostname()}/{os.getpid()} here"
        while not over.is_set():
            for twin in twins:
                writer = twin.writing()
                while (job := Queue(writer.tables).claim(name, LEASE_S)) is not None:
                    do(writer, job, tasks)
            over.wait(look_s)

    thread = Thread(target=serve, name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
