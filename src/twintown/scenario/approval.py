"""Approval: somebody says who, when and why that a scenario becomes part of the city. What is asked, checked and written down.

Making it part of the city is a build (`build/approved`); the decision is on the disk before it begins, so that a build that is killed
is finished by the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twintown.ground.errors import BadParameter, Conflict, Gone
from twintown.jobs.job import Job
from twintown.jobs.queue import Queue, new_job
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

from .plans import Plans
from .scenario import BUILDING, Scenario, in_force


class Moved(Conflict):
    """The city has other buildings by now than a scenario rests on: rebase it, look at it again, and approve that."""


def ask(twin: Twin, grant: Grant, id: str, why: str, revision: int | None = None, author: str = "") -> Job:
    """Ask for a scenario to be approved: checked at once as far as it can be, then a job of the kind `approval`.

    Args:
        grant: to `approve`.
        why: the reasons, for those who ask later.
        revision: the one that was looked at; the last by default.
        author: the name of somebody whom no token names.

    Raises:
        NotFound: there is no such scenario.
        Decided: it is approved or withdrawn already.
        BadParameter: nothing is in force in it, or it has changed since `revision`.
        Moved, Gone: the twin has other buildings by now; the base is not kept any more.
        TooMany, StorageFailed: see `Queue.put`.
    """
    if grant.action != "approve":
        raise ValueError("a Grant to approve is needed")  # a slip of ours
    tables = twin.writing().tables
    plans = Plans(tables)
    scenario = plans.get(id)
    scenario.open_for("state")
    at = scenario.revision if revision is None else revision
    if at > scenario.revision:
        raise BadParameter("revision", f"{at} is not there yet", remedy=f"there are 0 to {scenario.revision}")
    if not in_force(plans.entries(id, upto=at, kinds=BUILDING)):
        raise BadParameter(
            "scenario", f"nothing is in force in {scenario.name!r}", remedy="edit something first"
        )
    check_base(twin, scenario)
    subject = grant.subject
    request = {
        "scenario": {"id": id, "name": scenario.name, "revision": at}, "why": why, "author": subject.author(author),
    }  # fmt: skip
    job = Queue(tables).put(new_job("approval", request, subject.to_dict(), scenario=id))
    twin.watch.touch()
    return job


def decide(twin: Twin, job: Job) -> Scenario:
    """Write the decision of a job down, once: a job that is begun again finds its own. Raises like `ask`."""
    request: Mapping[str, Any] = job.request
    id, revision = request["scenario"]["id"], int(request["scenario"]["revision"])
    plans = Plans(twin.tables)
    scenario = plans.get(id)
    if scenario.state == "approved" and (scenario.decision or {}).get("job") == job.id:
        return scenario
    check_base(twin, scenario)
    return plans.decide(id, revision, request["author"], request["why"], job.id)


def check_base(twin: Twin, scenario: Scenario) -> None:
    """Raises Moved, Gone: the twin shows other buildings than the scenario rests on."""
    now = twin.tables.layers()
    moved = [
        layer
        for layer, said in scenario.base.items()
        if layer not in now or now[layer].digest != said["digest"]
    ]
    if not moved:
        return
    layer = moved[0]
    said = scenario.base[layer]["version"]
    kept = {version for name, version in twin.tables.known() if name == layer}
    if said not in kept:
        raise Gone(
            f"the version {said} of {layer}, on which {scenario.name!r} rests, is not kept any more", layer,
            "rebase the scenario on the present version, look at its findings, and approve that",
        )  # fmt: skip
    present = now[layer].version if layer in now else "none"
    raise Moved(
        f"{scenario.name!r} rests on the version {said} of {layer}, and the twin has {present} by now", layer,
        "rebase the scenario on the present version, look at its findings, and approve that",
    )  # fmt: skip
