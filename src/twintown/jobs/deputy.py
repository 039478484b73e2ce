"""Computing for another city: its question is answered here, on data that stay here, and only what was agreed goes out.

The process is the deputy: it reads what it needs with the twin's own eyes, up to the grade that may go to the partner. So a question of a
partner may lead it nowhere but where the agreement goes: no plan, no layer, no object and no place outside, nothing fetched and nobody
called back. What comes out is read through the Grant again, like every layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from twintown.ground.errors import NotFound
from twintown.jobs.job import Job, Late
from twintown.jobs.process import Process
from twintown.jobs.queue import Queue
from twintown.jobs.results import dismiss
from twintown.trust.policy import Grant
from twintown.trust.standing import PURPOSE, Standings
from twintown.twin.layers import Twin

#: What a partner may not send with a question, and what to call it.
_REFUSED = "a partner's question holds inputs by value only"


def inner(grant: Grant) -> Grant:
    """The Grant by which a process reads for a partner: whole layers up to the grade of the agreement. Of others, their own."""
    if grant.subject.kind != "peer":
        return grant
    return replace(grant, layers=None, area=None, finest_m=0.0, columns=None, filter="")


def layers(twin: Twin, grant: Grant) -> set[str]:
    """The layers that a process reads for somebody: a partner's process also those that stay here."""
    return {version.layer for version in twin.layers(inner(grant))}


def asking(grant: Grant) -> Grant:
    """The Grant whose subject a job keeps: that of a partner says for which purpose it asked."""
    if grant.subject.kind != "peer" or not grant.purpose:
        return grant
    return replace(grant, subject=replace(grant.subject, scopes=(f"{PURPOSE}{grant.purpose}",)))


def may_run(grant: Grant, process: str) -> None:
    """Raises Denied: the process is not in the agreement, whether it exists or not."""
    if not grant.may_run(process) and grant.subject.kind == "service":
        grant.refuse("the token is not for this process", "scope", process[:80])
    if not grant.may_run(process):
        grant.refuse("this process is not part of the agreement", "not-in-agreement", process[:80])


def check(
    twin: Twin, grant: Grant, process: Process, inputs: Mapping[str, Any], *, calls: bool, plan: bool
) -> None:
    """Whether a partner may ask this; others may.

    Args:
        inputs: as they came, before anything is fetched.
        calls: whether somebody is to be called back.
        plan: whether it is asked of a plan.

    Raises:
        Denied: it leads the process out of the agreement; says the same whether what it names is there or not.
    """
    may_run(grant, process.id)
    if grant.subject.kind != "peer":
        return
    if calls:
        grant.refuse(f"{_REFUSED}; nobody is called back", "not-in-agreement", process.id)
    if plan:
        grant.refuse("no plan is part of this agreement's processes", "not-in-agreement", process.id)
    known = {one.name: one for one in process.inputs}
    theirs = own_results(twin, grant)
    for name, value in inputs.items():
        if isinstance(value, Mapping) and "href" in value:
            grant.refuse(f"{_REFUSED}; nothing is fetched", "not-in-agreement", name[:80])
        one = known.get(name)
        if one is not None and one.layer and value != one.default:
            layer = value["value"] if isinstance(value, Mapping) and "value" in value else value
            if not (isinstance(layer, str) and ((grant.layers and layer in grant.layers) or layer in theirs)):
                grant.refuse("this layer is not part of the agreement", "not-in-agreement", name)
        if one is not None and one.rows_of and value != one.default:
            _objects(twin, grant, one.rows_of, value, name)
        if grant.area is not None and any(not _within(twin, grant, *place) for place in _places(value)):
            grant.refuse("a place in the question lies outside the granted area", "outside-area", name[:80])


def _objects(twin: Twin, grant: Grant, layer: str, value: Any, name: str) -> None:
    for id in _texts(value):
        try:
            if not grant.names(layer):
                raise NotFound("not in the agreement")
            twin.view(layer, grant).position(id)
        except NotFound:
            grant.refuse(
                "the question names an object that is not part of the agreement", "not-in-agreement", name
            )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _places(value: Any) -> Iterator[tuple[float, float]]:
    """Whatever in a value can be a place: an object with `lon` and `lat`, or a list that begins with two numbers."""
    if isinstance(value, Mapping):
        if _number(value.get("lon")) and _number(value.get("lat")):
            yield float(value["lon"]), float(value["lat"])
        for one in value.values():
            yield from _places(one)
    elif isinstance(value, list | tuple):
        if len(value) >= 2 and _number(value[0]) and _number(value[1]):
            yield float(value[0]), float(value[1])
            if len(value) == 4 and _number(value[2]) and _number(value[3]):
                yield float(value[2]), float(value[3])
        else:
            for one in value:
                yield from _places(one)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _within(twin: Twin, grant: Grant, lon: float, lat: float) -> bool:
    area = grant.area
    if area is None:
        return True
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return False
    x, y = twin.description.frame.from_lonlat(lon, lat)
    return area.xmin <= float(x) <= area.xmax and area.ymin <= float(y) <= area.ymax


def own_results(twin: Twin, grant: Grant) -> frozenset[str]:
    """The layers by which the jobs of a partner's agreement are answered; none for others."""
    if grant.subject.kind != "peer":
        return frozenset()
    mine = Queue(twin.tables).list(
        states=("successful",), subject={"kind": "peer", "agreement": grant.agreement}, limit=1000
    )
    return frozenset(
        str(one["layer"]) for job in mine for one in ((job.results or {}).get("outputs") or {}).values()
    )


def with_results(twin: Twin, grant: Grant, layer: str) -> Grant:
    """The Grant with a layer that a partner asks for added, where it is the result of a job of its own."""
    if grant.layers is None or layer in grant.layers or layer not in own_results(twin, grant):
        return grant
    return replace(grant, layers=(*grant.layers, layer))


def of_job(grant: Grant, job: Job) -> Grant:
    """The Grant with the layers added that a partner's own job is answered by."""
    if grant.layers is None:
        return grant
    made = (str(one["layer"]) for one in ((job.results or {}).get("outputs") or {}).values())
    return replace(grant, layers=tuple(dict.fromkeys((*grant.layers, *made))))


def shown(job: Job) -> Job:
    """A partner's job as it is told to it: why it failed would say something of what the process saw."""
    if job.problem is None:
        return job
    said = {name: job.problem[name] for name in ("type", "title", "status") if name in job.problem}
    return replace(
        job,
        problem={**said, "detail": "the process could not answer this; the city's log says why"},
        stage="",
    )


def recall(twin: Twin, agreement: str, *, results: bool = False) -> int:
    """Dismiss the jobs of an agreement that wait or run (a running one's worker is killed); how many that were.

    Args:
        results: of an agreement that has ended: take away what those that are done came to as well.
    """
    states = ("accepted", "running", *(("successful",) if results else ()))
    whose = {"kind": "peer", "agreement": agreement}
    count = 0
    for job in Queue(twin.tables).list(states=states, subject=whose, limit=10_000):
        with suppress(Late):  # it ended by itself meanwhile
            dismiss(twin, job.id)
            count += 1
    return count


def recall_all(twin: Twin, now: datetime) -> int:
    """The same for every agreement that is not in force any more: the keeper's chore; how many jobs that were."""
    running = {
        str(job.subject.get("agreement", ""))
        for job in Queue(twin.tables).list(
            states=("accepted", "running"), subject={"kind": "peer"}, limit=10_000
        )
    }
    if not running:
        return 0
    stand = Standings(twin)
    return sum(recall(twin, one) for one in running if not stand.holds(one, now))
