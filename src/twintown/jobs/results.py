"""Answers: a question is computed, its outputs are staged as layers, and become current together with the job's success.

The result of an output is the layer `<output>-<first digits of the question's digest>`. The same question asked again is answered by
the same layers, unless it is asked afresh. Layers of results live as long as a job answers with them.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from twintown.ground.errors import Gone, NotFound, NotPossible, PluginFailed
from twintown.ground.names import Name
from twintown.jobs.job import Claimed, Job, step
from twintown.jobs.process import Output, Process, Progress, Shape, Spread, in_order, processes, run, silent
from twintown.jobs.question import Question, shapes
from twintown.jobs.queue import MOST_WAITING, Queue, new_job
from twintown.jobs.work import LEASE_S, Done, Work, perform, pulse, rooms, telling
from twintown.store.tables import RESULT
from twintown.trust.identity import Subject
from twintown.trust.policy import Grant
from twintown.twin.description import LayerEntry
from twintown.twin.layers import LayerVersion, Twin
from twintown.twin.versions import layer_version

#: The share of the work that is done once a process has computed; the rest is keeping what it gave.
COMPUTED = 0.95


@dataclass(frozen=True)
class Answer:
    """A job that is answered, and the layers that it is answered by, by output."""

    job: Job
    outputs: Mapping[str, LayerVersion]

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the answer hangs on, as `manifest.issue` signs it (W3C VC 2.0)."""
        return (self.job.results or {}).get("manifest") or {}

    @property
    def reused(self) -> bool:
        """Whether the question had been answered before."""
        return bool((self.job.results or {}).get("reused"))


def submit(twin: Twin, grant: Grant, question: Question, *, most: int = MOST_WAITING, **more: Any) -> Job:
    """Ask a question of the queue. One that was answered before is answered at once, unless it is asked afresh.

    Args:
        most: jobs of anyone that may wait at once.
        more: what the job's request says beside the question (respond, subscriber, lang).

    Raises:
        TooMany: so many wait already.
        StorageFailed: the database could not keep it.
    """
    job = _job(grant.subject, question, **more)
    known = None if question.fresh else _known(twin, question)
    if known is not None:
        now = datetime.now(UTC)
        job = replace(
            job,
            state="successful",
            progress=1.0,
            started=now,
            finished=now,
            results={**known, "reused": True},
        )
    return Queue(twin.writing().tables).put(job, most)


def answer(
    twin: Twin,
    grant: Grant,
    question: Question,
    progress: Progress = silent,
    *,
    spread: Spread = in_order,
    **more: Any,
) -> Answer:
    """Answer a question here and now, in this process; a job keeps what came out.

    Args:
        twin: any; it is opened for writing.
        progress: told what is being done and how far it is.
        spread: works on the tiles of a large question.
        more: what the job's request says beside the question.

    Raises:
        TwintownError: it cannot be answered; the job has failed by this error.
        Late: the job was dismissed meanwhile.
    """
    writer = twin.writing()
    queue = Queue(writer.tables)
    known = None if question.fresh else _known(writer, question)
    if known is not None:
        job = submit(writer, grant, question, **more)
        return Answer(job, versions(writer, grant, job))
    worker = f"{socket.gethostname()}/{os.getpid()}"
    now = datetime.now(UTC)
    job = queue.put(step(_job(grant.subject, question, **more), Claimed(worker, LEASE_S), now))
    told = telling(queue, job)

    def both(stage: str, fraction: float) -> None:
        progress(stage, fraction)
        told(stage, fraction)

    try:
        with rooms(scratch(writer)) as room, pulse(queue, job):
            done = perform(task, Work(writer, job, grant, both, spread, room))
    except KeyboardInterrupt:
        dismiss(writer, job.id)
        raise
    finally:
        sweep(writer)
    return Answer(done, versions(writer, grant, done))


def task(work: Work) -> Done:
    """Answer the question of a job of the kind `process`; see `answer`."""
    from twintown.jobs.manifest import (
        state,
    )  # keys and digests: a server that is asked for nothing yet does without

    twin, grant = work.twin, work.grant
    question = Question.from_request(work.job.request)
    known = None if question.fresh else _known(twin, question)
    if known is not None:
        return Done({**known, "reused": True})
    process = process_of(question)
    work.progress("reading layers", 0.0)
    begun = time.monotonic()

    def computing(stage: str, fraction: float) -> None:
        work.progress(stage, COMPUTED * fraction)

    ask = shapes(twin, grant, question, computing, work.spread, work.room)
    made: dict[str, LayerVersion] = {}
    said: dict[str, dict[str, Any]] = {}
    for name, shape in run(process, ask):
        output = next(one for one in process.outputs if one.layer == name)
        made[name], said[name] = stage(twin, question, process, output, shape)
    seconds = time.monotonic() - begun
    results: dict[str, Any] = {"outputs": said, "seconds": round(seconds, 3), "reused": False}
    work.progress("stating what the answer hangs on", COMPUTED)
    results["manifest"] = state(twin, grant, question, process, said, work.job, seconds)
    return Done(results, {one.layer: one.version for one in made.values()})


def process_of(question: Question) -> Process:
    """The process of a question, in the version that it was asked in.

    Raises:
        NotFound, PluginFailed: it is not here.
        NotPossible: it is here in another version.
    """
    process = processes().find(question.process)
    if process.version != question.version:
        raise NotPossible(
            f"the process {process.id} is here in version {process.version}, and {question.version} was asked",
            "question", "ask again, or install the version that was asked",
        )  # fmt: skip
    return process


def stage(
    twin: Twin, question: Question, process: Process, output: Output, shape: Shape
) -> tuple[LayerVersion, dict[str, Any]]:
    """Write one output as a version that nobody sees yet; it, and what the job's results say of it."""
    if not twin.frame_matches(shape):
        raise PluginFailed(
            f"the output {output.layer!r} is in another frame than the twin", f"process {process.id}",
            "report it to its author",
        )  # fmt: skip
    from twintown.ground.content import content_digest

    content = content_digest(shape)
    known = twin.description.layer(output.layer)
    title = output.title
    if question.scenario and question.scenario.get("name"):
        plan = question.scenario["name"]
        title = Name(f"{title.ko} · {plan}", f"{title.en} · {plan}")
    layer = question.layer(output)
    entry = LayerEntry(layer, title, known.grade, known.assumed, known.columns)
    meta = {
        "role": RESULT,
        "result": {
            "question": question.digest, "process": process.id, "version": process.version, "output": output.layer,
            "content": content, "error": output.error, "unit": output.unit, "inputs": dict(question.inputs),
        },
    }  # fmt: skip
    version = twin.stage(layer, shape, question.grade, meta, entry=entry)
    twin.index(version)
    return version, {
        "layer": layer, "version": version.version, "digest": version.digest, "content": content,
        "kind": version.kind, "unit": output.unit, "error": output.error, "count": version.count,
        "bytes": int(version.meta["bytes"]), "grade": version.grade.value,
    }  # fmt: skip


def versions(twin: Twin, grant: Grant, job: Job) -> dict[str, LayerVersion]:
    """The layers that a job is answered by, by output.

    Raises:
        NotFound: the job is not answered, or not by layers.
        Gone: a version is not kept any more.
        Unauthenticated, Denied: the Grant does not cover them.
    """
    outputs = (job.results or {}).get("outputs")
    if job.state != "successful" or outputs is None:
        raise NotFound("the job has no results", f"job {job.id}", f"it is {job.state}")
    made = {}
    for name, one in outputs.items():
        try:
            made[name] = layer_version(twin.tables.layer(one["layer"], one["version"]))
        except NotFound as error:
            raise Gone(
                f"the result {name} is not kept any more", f"job {job.id}", "ask the question again"
            ) from error
        grant.require(made[name].grade, one["layer"])
    return made


def wait(
    twin: Twin,
    id: str,
    timeout_s: float,
    on_change: Callable[[Job], None] | None = None,
    look_s: float = 0.03,
) -> Job:
    """The job once it is over, or as it is after `timeout_s` seconds. Raises NotFound, StorageFailed."""
    queue, ends = Queue(twin.tables), time.monotonic() + timeout_s
    job, look = queue.get(id), twin.watch.look()
    while not job.over and time.monotonic() < ends:
        time.sleep(look_s)
        if (now := twin.watch.look()) == look:
            continue
        look, before, job = now, job, queue.get(id)
        if on_change is not None and job.seq != before.seq:
            on_change(job)
    return job


def dismiss(twin: Twin, id: str) -> Job:
    """Nobody wants a job any more: one that waits or runs ends (its worker is killed), of one that is over the results go.

    Layers that another job is answered by stay.

    Raises:
        NotFound: there is no such job.
        Late: it was dismissed already.
    """
    writer = twin.writing()
    queue = Queue(writer.tables)
    with queue.writing() as connection:
        job = queue.get_in(connection, id)
        gone = queue.dismiss_in(connection, id)
        if job.results is not None:
            _retire(writer, connection, queue, job)
    writer.watch.touch()
    return gone


def _retire(twin: Twin, connection: Connection, queue: Queue, job: Job) -> None:
    outputs = ((job.results or {}).get("outputs") or {}).values()
    others = {
        (one["layer"], one["version"])
        for other in queue.answered_in(connection, job.question)
        if other.id != job.id
        for one in ((other.results or {}).get("outputs") or {}).values()
    }
    for one in outputs:
        if (one["layer"], one["version"]) not in others:
            twin.tables.retire_in(connection, one["layer"], one["version"])


def sweep(twin: Twin) -> int:
    """Remove what workers staged and never published: versions of questions that nobody works on. How many."""
    writer = twin.writing()
    dead = writer.tables.unpublished()
    for row in dead:  # the rows go last: who is killed in between leaves something to find them by
        writer.blobs.delete_prefix(row.path)
        writer.forget_index(row.path)
    if dead:
        writer.tables.forget([(row.layer, row.version) for row in dead])
    return len(dead)


def scratch(twin: Twin) -> Any:
    """Where large arrays lie while a question of the twin is answered; none where the twin is not on this disk."""
    return None if twin.blobs.root is None else twin.blobs.root / ".staging" / "rooms"


def _known(twin: Twin, question: Question) -> dict[str, Any] | None:
    """The results of a job that answered the question, if its layers are there and current."""
    current = {(row.layer, row.version) for row in twin.tables.layers().values()}
    for job in Queue(twin.tables).answered(question.digest):
        results = dict(job.results or {})
        outputs = (results.get("outputs") or {}).values()
        if outputs and {(one["layer"], one["version"]) for one in outputs} <= current:
            return results
    return None


def _job(subject: Subject, question: Question, **more: Any) -> Job:
    plan = str((question.scenario or {}).get("id", ""))
    return new_job(
        "process", question.to_request(**more), subject_to_dict(subject), process=question.process,
        question=question.digest, scenario=plan,
    )  # fmt: skip


def subject_to_dict(subject: Subject) -> dict[str, Any]:
    """Who asks, as a job keeps it."""
    return subject.to_dict()


def subject_of(said: Mapping[str, Any]) -> Subject:
    """The inverse of `subject_to_dict`."""
    return Subject.of(said)
