"""Which results of two plans belong beside each other: the same process, version and inputs, answered for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twintown.city import edits as city
from twintown.ground.errors import TwintownError
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.provenance import digest_of
from twintown.jobs import results
from twintown.jobs.job import Job
from twintown.jobs.queue import Queue
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin
from twintown.twin.versions import LayerVersion

from . import comparison, rows
from .plans import Resolved

#: Jobs of a plan that are looked at, newest first.
_LOOKED_AT = 500


def pairs(
    twin: Twin, before: Resolved, after: Resolved, sees: Callable[[Job], bool]
) -> list[tuple[Job, Job]]:
    """The newest answers of both, one pair a question; where there are several, those of the plans as they are now go first."""
    one, other = (_answered(twin, plan, sees) for plan in (before, after))
    return [(one[key], other[key]) for key in sorted(one.keys() & other.keys())]


def _answered(twin: Twin, plan: Resolved, sees: Callable[[Job], bool]) -> dict[str, Job]:
    id = str(plan.scenario["id"])
    jobs = Queue(twin.tables).list(states=["successful"], kinds=["process"], scenario=id, limit=_LOOKED_AT)
    found: dict[str, Job] = {}
    for job in jobs:
        if job.scenario != id or not sees(job) or (not id and job.request.get("edits")):
            continue
        request = job.request
        key = digest_of([request["process"], request["version"], request["inputs"]])
        if key not in found or (not present(found[key], plan) and present(job, plan)):
            found[key] = job
    return found


def present(job: Job, plan: Resolved) -> bool:
    """Whether a job was asked of the plan as it is now: the same edits on the same base."""
    layers = job.request.get("layers") or {}
    based = all(
        layers[layer]["version"] == version for layer, version in plan.base.items() if layer in layers
    )
    return based and city.digest(job.request.get("edits") or ()) == city.digest(plan.edits)


def compared(twin: Twin, grant: Grant, pair: tuple[Job, Job], plans: Sequence[Resolved]) -> dict[str, Any]:
    """A pair of answers held against each other, output by output."""
    before, after = pair
    said: dict[str, Any] = {
        "process": after.process, "version": after.request["version"], "inputs": dict(after.request["inputs"]),
        **{side: {"job": job.id, "present": present(job, plan)}
           for side, job, plan in zip(("before", "after"), pair, plans, strict=True)},
        "outputs": [],
    }  # fmt: skip
    try:
        one, other = results.versions(twin, grant, before), results.versions(twin, grant, after)
    except TwintownError as error:
        return said | {"missing": str(error.what)}
    for name in sorted(one.keys() & other.keys()):
        layers = {"before": one[name].layer, "after": other[name].layer}
        output: Mapping[str, Any] = (after.results or {})["outputs"][name]
        difference = _difference(twin, grant, one[name], other[name], float(output.get("error") or 0.0))
        said["outputs"].append({
            "output": name, "title": other[name].title.to_dict(), "kind": other[name].kind, "layers": layers, **difference,
        })  # fmt: skip
    return said


#: Differences that were counted, the last ones; versions never change, so what is held is true.
_HELD = 64
_held: dict[tuple[Any, ...], dict[str, Any]] = {}


def _difference(
    twin: Twin, grant: Grant, before: LayerVersion, after: LayerVersion, error: float
) -> dict[str, Any]:
    for one in (before, after):
        grant.require(one.grade, one.layer)
    whole = not grant.filter and grant.columns is None
    key = (str(twin.directory), before.layer, before.version, after.layer, after.version, error)
    if whole and key in _held:
        return _held[key]
    a, b = twin.read(before, grant), twin.read(after, grant)
    if isinstance(a, Grid) and isinstance(b, Grid):
        said = comparison.grids(a, b, error)
    elif isinstance(a, Features) and isinstance(b, Features):
        said = rows.features(a, b, error)
    else:
        said = {"comparable": False, "why": "a series is not compared"}
    if whole:
        while len(_held) >= _HELD:
            _held.pop(next(iter(_held)), None)
        _held[key] = said
    return said
