"""A playbook is run: its steps are asked one after the other, each a job of its own; their results are layers, the last one the answer.

The chain itself is a job of the kind `playbook` too, so that it is waited for, dismissed and taken over like any other. A step that was
answered before, with the same layers and parameters, is not computed again.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any

from twintown.ground.errors import BadParameter, Conflict, NotFound
from twintown.ground.features import Features
from twintown.jobs import results
from twintown.jobs.deputy import may_run
from twintown.jobs.job import Job
from twintown.jobs.process import Progress, silent
from twintown.jobs.question import ask
from twintown.jobs.queue import Queue, new_job
from twintown.jobs.work import LEASE_S, Work, perform, pulse, rooms, telling
from twintown.trust.policy import Grant
from twintown.twin.layers import LayerVersion, Twin

from .playbook import Playbook, Step
from .playbook_missing import missing
from .playbook_package import Package
from .playbook_told import threshold
from .playbooks import find, package_of

KIND = "playbook"


def submit(
    twin: Twin, grant: Grant, id: str, thresholds: Mapping[str, float] | None = None, **more: Any
) -> Job:
    """Ask for a playbook to be run; the job.

    Args:
        thresholds: other values than the playbook's, by id.
        more: what the job's request says beside (lang).

    Raises:
        NotFound: there is no such playbook.
        BadParameter: a threshold that it has not, or that is no number.
        Conflict: the twin lacks something for it.
        Denied: the Grant does not cover one of its processes.
        TooMany, StorageFailed.
    """
    package, row = package_of(twin, id), find(twin, id)
    chosen = _thresholds(package.playbook, thresholds or {})
    for step in package.playbook.steps:
        may_run(grant, step.process)
    complete(twin, grant, package.playbook)
    request = {"playbook": id, "digest": row.digest, "thresholds": chosen, **more}
    job = new_job(KIND, request, grant.subject.to_dict(), process=id)
    return Queue(twin.writing().tables).put(job)


def complete(twin: Twin, grant: Grant, playbook: Playbook) -> None:
    """Go on, or say what is lacking. Raises Conflict."""
    lacking = missing(twin, grant, playbook)
    if lacking:
        said = "; ".join(one.says.en for one in lacking[:5])
        raise Conflict(
            f"the twin lacks what the playbook needs: {said}",
            f"playbook {playbook.id}",
            "see what is missing",
        )


def task(work: Work) -> dict[str, Any]:
    """The job's work: the chain, then its summary. Any error of a step."""
    request = work.job.request
    package = package_of(work.twin, str(request["playbook"]))
    if package.digest != request["digest"]:
        raise Conflict(
            "the playbook was installed anew meanwhile", f"playbook {request['playbook']}", "run it again"
        )
    return run(work, package, request.get("thresholds") or {})


def run_here(
    twin: Twin, grant: Grant, id: str, thresholds: Mapping[str, float] | None = None, progress: Progress = silent
) -> dict[str, Any]:  # fmt: skip
    """Run a playbook here and now, in this process; a job keeps what came out. Raises like `submit`, and any error of a step."""
    job = submit(twin, grant, id, thresholds)
    writer = twin.writing()
    queue = Queue(writer.tables)
    held = queue.claim(f"{platform.node()}/{os.getpid()}", LEASE_S, job.id)
    if held is None:  # a keeper was quicker
        held = results.wait(twin, job.id, 3600.0, lambda one: progress(one.stage, one.progress))
        return _kept(held)
    told = telling(queue, held)

    def both(stage: str, fraction: float) -> None:
        progress(stage, fraction)
        told(stage, fraction)

    with rooms(results.scratch(writer)) as room, pulse(queue, held):
        return _kept(perform(task, Work(writer, held, grant, both, room=room)))


def _kept(job: Job) -> dict[str, Any]:
    if job.state != "successful":
        said = str((job.problem or {}).get("detail") or job.state)
        raise Conflict(f"the playbook was not run: {said}", f"job {job.id}", "see the job")
    return dict(job.results or {})


def run(work: Work, package: Package, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """Run a playbook within a job; what the job keeps: `steps`, `answer`, `summary`, `checked`."""
    twin, grant, playbook = work.twin, work.grant, package.playbook
    complete(twin, grant, playbook)
    made: dict[str, Mapping[str, LayerVersion]] = {}
    said: list[dict[str, Any]] = []
    for number, step in enumerate(playbook.steps):
        begin, share = number / len(playbook.steps), 1.0 / len(playbook.steps)

        def told(
            stage: str, fraction: float, begin: float = begin, share: float = share, step: Step = step
        ) -> None:
            work.progress(f"{step.title.en}: {stage}", 0.98 * (begin + share * fraction))

        told("asking", 0.0)
        question = ask(twin, grant, step.process, inputs_of(twin, playbook, step, made, thresholds))
        answered = results.answer(twin, grant, question, told, spread=work.spread, playbook=playbook.id)
        made[step.id] = answered.outputs
        said.append({
            "id": step.id, "title": step.title.to_dict(), "process": step.process, "job": answered.job.id, "reused": answered.reused,
            "inputs": dict(question.inputs), "layers": {name: one.layer for name, one in answered.outputs.items()},
        })  # fmt: skip
    return {"steps": said, **summary(twin, grant, package, made, thresholds)}


def inputs_of(
    twin: Twin, playbook: Playbook, step: Step, made: Mapping[str, Mapping[str, LayerVersion]], thresholds: Mapping[str, float]
) -> dict[str, Any]:  # fmt: skip
    """The inputs of a step, results of earlier ones by the layers that they became. Raises NotFound."""
    about = twin.description
    _, lat = about.frame.to_lonlat(*about.bounds.centre)
    inputs = playbook.inputs(step, about.day, float(lat), thresholds)
    for name, (source, output) in step.takes.items():
        if output not in made[source]:
            raise NotFound(
                f"the step {source!r} gives no {output!r}", f"playbook {playbook.id}", "see what is missing"
            )
        inputs[name] = made[source][output].layer
    return inputs


def summary(
    twin: Twin, grant: Grant, package: Package, made: Mapping[str, Mapping[str, LayerVersion]], thresholds: Mapping[str, float]
) -> dict[str, Any]:  # fmt: skip
    """The answer: its layer and style, the thresholds that were applied, the numbers; and what they were elsewhere, where that is here."""
    playbook = package.playbook
    version = made[playbook.answer.step][playbook.answer.output]
    shape = twin.read(version, grant)
    values = {one.id: thresholds.get(one.id, one.value) for one in playbook.thresholds}
    told = (
        playbook.answer.tell(shape, values)
        if isinstance(shape, Features)
        else {"count": version.count, "numbers": [], "worst": []}
    )
    applied = [
        {**threshold(one), "value": values[one.id], "changed": values[one.id] != one.value} for one in playbook.thresholds
    ]  # fmt: skip
    style = package.json(f"styles/{playbook.answer.style}.json") if playbook.answer.style else None
    return {
        "playbook": {"id": playbook.id, "version": playbook.version, "digest": package.digest, "names": playbook.names.to_dict()},
        "answer": {"layer": version.layer, "version": version.version, "style": style},
        "thresholds": applied, "summary": told, "checked": _checked(twin, package, told, values),
    }  # fmt: skip


def _checked(
    twin: Twin, package: Package, told: Mapping[str, Any], values: Mapping[str, float]
) -> list[dict[str, Any]]:
    """The numbers beside those that the playbook was validated with, where this is that city and the thresholds are the same."""
    found = {one["id"]: one["value"] for one in told["numbers"]}
    said = []
    for case in package.playbook.validation:
        expected = package.json(case.file) if case.file else {}
        if expected.get("twin") != twin.description.id or expected.get("thresholds", {}) != values:
            continue
        for id, one in sorted(expected.get("numbers", {}).items()):
            here = found.get(id)
            within = here is not None and abs(float(here) - float(one["value"])) <= float(one["tolerance"])
            said.append(
                {
                    "case": case.id,
                    "number": id,
                    "expected": one["value"],
                    "tolerance": one["tolerance"],
                    "found": here,
                    "within": within,
                }
            )
    return said


def _thresholds(playbook: Playbook, given: Mapping[str, Any]) -> dict[str, float]:
    known = {one.id for one in playbook.thresholds}
    for id, value in given.items():
        if id not in known:
            raise BadParameter(
                f"thresholds.{id[:60]}",
                "the playbook has no such threshold",
                remedy=f"it has {', '.join(sorted(known)) or 'none'}",
            )
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != value
            or abs(value) > 1e12
        ):
            raise BadParameter(f"thresholds.{id}", f"{value!r} is no number")
    return {id: float(value) for id, value in given.items()}
