"""Approved scenarios as part of the city: their edits are made to what the sources give, in the order of their approval.

The sources stay as they are: every build makes the edits again, on whatever the sources give by then, and says in the findings where
a building is gone that an edit spoke of. Buildings that were added (by `add`, or over the network) have no source; there the edits
go into the next version once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from twintown.build import decided
from twintown.build.run import build, settle
from twintown.build.steps import all_steps, layer_version, owner
from twintown.ground.errors import Busy
from twintown.jobs.work import Work
from twintown.scenario import approval
from twintown.scenario.built import read_base
from twintown.scenario.plans import Plans
from twintown.scenario.scenario import BASE, Scenario
from twintown.store.lock import locked
from twintown.store.tables import ADDED
from twintown.twin.description import LayerEntry
from twintown.twin.layers import Twin

#: How long an approval waits for another build, seconds.
PATIENCE_S = 900.0


def task(work: Work) -> Mapping[str, Any]:
    """Do a job of the kind `approval`: write the decision down, then bring the city up to date with it.

    Raises:
        NotFound, Decided, BadParameter, Moved, Gone: see `approval.ask`; nothing was changed.
        BadInput, PluginFailed, StorageFailed, Busy: the build failed; the decision stands, and the next build makes it.
    """
    twin = work.twin
    work.progress("checking the base", 0.02)
    scenario = approval.decide(twin, work.job)
    work.progress("building", 0.1)
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            _bring(work, scenario)
            break
        except Busy:
            if time.monotonic() > until:
                raise
            work.progress("waiting for another build", 0.1)
            time.sleep(0.5)
    work.progress("done", 0.99)
    twin.watch.touch()
    rows = twin.tables.layers()
    layers = {layer: {"version": rows[layer].version, "digest": rows[layer].digest} for layer in BASE}
    said = rows[BASE[0]].meta.get("plans", {})
    return {
        "scenario": dict(work.job.request["scenario"]), "decision": dict(scenario.decision or {}), "layers": layers,
        "findings": [one for one in said.get("findings", []) if one["scenario"] == scenario.id],
    }  # fmt: skip


def _bring(work: Work, scenario: Scenario) -> None:
    """The next version of the buildings, with the decision in it. Once more changes nothing."""
    twin = work.twin
    gives = {layer for step in all_steps(twin) for layer in step.planned.gives}
    if set(BASE) <= gives:
        database, blobs = twin.addresses
        build(
            twin.directory,
            database=database,
            blobs=blobs,
            show=False,
            told=lambda _step, share: work.progress("building", 0.1 + 0.88 * share),
        )
        return
    with locked(twin.directory):
        _fold(twin, scenario)
    settle(twin)


def _fold(twin: Twin, scenario: Scenario) -> None:
    """Into buildings that no source gives: on top of what is there."""
    rows = twin.tables.layers()
    before = rows[BASE[0]].meta.get("plans", {})
    if scenario.id in [one["id"] for one in before.get("approved", [])]:
        return
    edits = next(edits for one, edits in Plans(twin.tables).approved() if one.id == scenario.id)
    grant = owner(twin)
    shapes = dict(
        zip(BASE, read_base(twin, grant, {layer: rows[layer].version for layer in BASE}), strict=True)
    )
    done, said = decided.edited(shapes, [(scenario, edits)])
    said = {key: [*before.get(key, []), *said[key]] for key in said}
    staged = {}
    for layer, shape in done.items():
        version = twin.version(layer, grant)
        kept = {key: version.meta[key] for key in ("origin", "editable", "locking") if key in version.meta}
        meta = kept | ({"plans": said} if layer == BASE[0] else {})
        entry = (
            twin.description.layer(layer) if kept.get("origin") != ADDED else LayerEntry(layer, version.title)
        )
        staged[layer] = twin.stage(layer, shape, version.grade, meta, entry=entry).version
        twin.index(layer_version(twin, layer, staged[layer]))
    twin.tables.switch(staged)
