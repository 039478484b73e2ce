"""One piece of work: what a task is handed, what it gives back, and how that becomes the end of a job.

A task does the work of one kind of job. It prepares (stages layers, computes, writes files beside) and says in `Done` what its success
is; `perform` makes that true in one transaction together with the job's, or leaves no trace.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sqlalchemy import Connection

from twintown.ground import errors
from twintown.ground.errors import NotFound, PluginFailed, StorageFailed, StorageFull, TwintownError
from twintown.jobs.job import Job, Late
from twintown.jobs.process import Progress, Spread, in_memory, in_order
from twintown.jobs.queue import Queue
from twintown.store.blobs import storage_failed, writer_mark
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

#: A worker that gives no sign of life for so long counts as lost, seconds.
LEASE_S = 15.0
#: Progress is written down this often at most, seconds.
TELL_S = 0.25
#: Arrays from this size on lie on the disk, bytes.
LARGE = 64 * 2**20

Room: TypeAlias = Callable[[tuple[int, ...], DTypeLike], NDArray[Any]]


@dataclass(frozen=True)
class Work:
    """What a task is handed.

    Args:
        twin: opened for writing.
        job: running, and ours.
        grant: what who asked may have computed.
        progress: told what is being done and how far it is (0 to 1); raises Late once nobody wants the answer any more.
        spread: works on the tiles of a large question.
        room: gives zeroed arrays, on the disk where they are large.
    """

    twin: Twin
    job: Job
    grant: Grant
    progress: Progress
    spread: Spread = in_order
    room: Room = in_memory


@dataclass(frozen=True)
class Done:
    """What the success of a job is.

    Args:
        results: what the job keeps, JSON.
        switch: staged versions that become current in the same transaction, by layer.
        within: what else happens in that transaction.
    """

    results: Mapping[str, Any]
    switch: Mapping[str, str] = field(default_factory=dict)
    within: Callable[[Connection], None] | None = None


#: Does the work of one kind of job; a plain mapping is the results alone.
Task: TypeAlias = Callable[[Work], "Done | Mapping[str, Any]"]


def perform(task: Task, work: Work) -> Job:
    """Do the work and end the job: published and successful in one transaction, or failed with a problem.

    Returns:
        the successful job.

    Raises:
        Late: nobody wants the answer any more, or somebody else works on it; nothing was kept.
        TwintownError: the job has failed by this error.
    """
    queue = Queue(work.twin.tables)
    try:
        with _named(work.job):
            said = task(work)
            done = said if isinstance(said, Done) else Done(said)
            with queue.writing() as connection:
                if done.switch:
                    work.twin.tables.switch_in(connection, done.switch)
                if done.within is not None:
                    done.within(connection)
                ended = queue.finish_in(connection, work.job, done.results)
        work.twin.watch.touch()
        return ended
    except Late:
        raise
    except TwintownError as error:
        queue.fail(work.job, problem_of(error))
        raise


@contextmanager
def _named(job: Job) -> Iterator[None]:
    """Whatever a task raises leaves as an error of the house that names it."""
    where = f"{job.kind} {job.process}"
    try:
        yield
    except TwintownError:
        raise
    except MemoryError as error:
        raise StorageFailed(
            "there is not enough memory", where, "ask for a smaller area or larger cells, or use a cluster"
        ) from error
    except OSError as error:
        raise storage_failed(error, where) from error
    except Exception as error:  # a stranger's code may raise anything
        reason = (str(error).strip().splitlines() or [""])[0][:300]
        raise PluginFailed(
            f"broke ({type(error).__name__}: {reason})", where, "check its inputs; report it to its author"
        ) from error


_STATUS = (
    (errors.StorageFull, 507), (errors.StorageFailed, 503), (errors.BadSettings, 500), (errors.Gone, 410),
    (NotFound, 404), (errors.BadInput, 400), (errors.Unauthenticated, 401), (errors.Denied, 403), (errors.Conflict, 409),
    (errors.TooLarge, 413),
)  # fmt: skip


def problem_of(error: TwintownError) -> dict[str, Any]:
    """An error as RFC 9457 problem details. What only the machine should know (paths, addresses) is left out."""
    where = "" if error.where.startswith("/") or "://" in error.where else error.where
    what = f"{error.what} ({where})" if where else error.what
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    name = type(error).__name__
    slug = "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
    said: dict[str, Any] = {
        "type": f"urn:twintown:problem:{slug}", "title": slug.replace("-", " "), "status": status,
        "detail": ". ".join(part for part in (what, error.remedy) if part),
    }  # fmt: skip
    if isinstance(error, errors.BadParameter):
        said["parameter"] = error.name
    return said


def lost_problem(why: str, attempts: int) -> dict[str, Any]:
    """The problem of a job whose workers were lost again and again."""
    return {
        "type": "urn:twintown:problem:worker-lost", "title": "worker lost", "status": 500,
        "detail": f"{why}; the job was begun {attempts} times. Ask for less at once, or look into the server's log",
    }  # fmt: skip


def ended_by(status: int | None) -> str:
    """How a process came to its end, in words; `status` as `multiprocessing` gives it."""
    if status is not None and status < 0:
        with suppress(ValueError):
            name = signal.Signals(-status).name
            more = " (the system was perhaps out of memory)" if name == "SIGKILL" else ""
            return f"its worker was ended by {name}{more}"
    return f"its worker ended by itself (status {status})"


def telling(queue: Queue, job: Job, lease_s: float = LEASE_S) -> Progress:
    """Progress that is written into the job, not too often. What it gives raises Late once the job is not ours any more."""
    last = ("", 0.0)

    def tell(stage: str, fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if stage == last[0] and now - last[1] < TELL_S:
            return
        last = (stage, now)
        queue.beat(job, stage, fraction, lease_s)

    return tell


@contextmanager
def pulse(queue: Queue, job: Job, lease_s: float = LEASE_S) -> Iterator[None]:
    """While the block runs, somebody says that the job is worked on."""
    over = Event()

    def beat() -> None:
        while not over.wait(lease_s / 3):
            with suppress(TwintownError):  # who works hears of it by `progress`
                queue.alive(job, lease_s)

    thread = Thread(target=beat, name="pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def rooms(place: Path | None = None, large: int = LARGE) -> Iterator[Room]:
    """Room for results: in memory, and for large ones on the disk, gone when the block ends (or the process does).

    Args:
        place: the folder to lie in; the system's for temporary files by default.
        large: bytes from which on an array lies on the disk.
    """
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{writer_mark()}-", dir=place))

    def room(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if size < large:
            return np.zeros(shape, dtype)
        free = shutil.disk_usage(folder).free
        if size > free:
            raise StorageFull(
                f"{size / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free",
                str(folder),
                "free some space",
            )
        with tempfile.NamedTemporaryFile(
            dir=folder
        ) as file:  # without a name it is gone with its last reader
            file.truncate(size)
            return np.memmap(file.name, dtype, "r+", shape=shape)

    try:
        yield room
    finally:
        shutil.rmtree(folder, ignore_errors=True)
