# ruff: noqa: E501
"""An approved scenario becomes part of the city, and stays part of it whatever the sources say later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twintown.build import mark
from twintown.build.approval import task
from twintown.build.run import build
from twintown.build.steps import owner
from twintown.city import edits as city
from twintown.city.applied import extents
from twintown.ground.errors import BadParameter, Gone
from twintown.ground.features import Features
from twintown.jobs.job import Job
from twintown.jobs.queue import Queue
from twintown.jobs.work import Work
from twintown.scenario import approval
from twintown.scenario.plans import Plans, base_of
from twintown.scenario.scenario import Decided, Draft, Scenario
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

SUJI = {"name": "수지", "kind": "person", "verified": True}


def layers(twin: Twin) -> tuple[Features, Features]:
    grant = owner(twin)
    houses, solids = twin.read("buildings", grant), twin.read("building-parts", grant)
    assert isinstance(houses, Features) and isinstance(solids, Features)
    return houses, solids


def drawn(twin: Twin, *sent: dict[str, Any], name: str = "판상형") -> Scenario:
    """A scenario with edits."""
    plans = Plans(twin.tables)
    made = plans.create(name, SUJI, base_of({one.layer: one for one in twin.layers(owner(twin))}))
    edits = [city.parse(one, twin.description.frame) for one in sent]
    known = extents(layers(twin)[0])
    said, _ = plans.edit(
        made.id, edits, SUJI, seen=1, bounds=twin.description.bounds, known=lambda _one, _names: known
    )
    return said


def asked(twin: Twin, scenario: Scenario, why: str = "위원회 3차 심의") -> Job:
    grant = decide(LOCAL_OWNER, "approve", Resource(twin.description.id))
    return approval.ask(twin, grant, scenario.id, why, scenario.revision)


def done(twin: Twin, job: Job) -> Any:
    return task(Work(twin, job, owner(twin), lambda _what, _share: None))


def highest(twin: Twin) -> str:
    table = layers(twin)[0].table
    return str(table["id"].iloc[int(np.nanargmax(table["height_m"]))])


@pytest.mark.slow
def test_an_approved_scenario_is_in_the_next_version_and_in_every_later_build(town: Path) -> None:
    build(town, show=False)
    twin = Twin.open(town, read_only=False)
    tower = highest(twin)
    before = layers(twin)[0]
    scenario = drawn(twin, {"op": "set", "object": tower, "height_m": 100})
    tiles = twin.product("buildings-3dtiles", owner(twin)).version
    results = done(twin, asked(twin, scenario))
    assert results["findings"] == []
    twin = Twin.open(town, read_only=False)
    row = layers(twin)[0].table.set_index("id").loc[tower]
    assert (row["height_m"], row["height_source"]) == (100.0, "planned")
    assert twin.product("buildings-3dtiles", owner(twin)).version != tiles
    said = twin.version("buildings", owner(twin)).meta["plans"]["approved"]
    assert [(one["name"], one["why"], one["who"]["name"]) for one in said] == [
        ("판상형", "위원회 3차 심의", "owner")
    ]
    kept = Plans(twin.tables).get(scenario.id)
    assert kept.state == "approved" and kept.decision is not None and kept.decision["revision"] == 2
    assert mark.unchanged(town)
    again = build(town, show=False)
    assert again.ran == ()
    (town / "data" / "tower.osm").write_text((town / "data" / "tower.osm").read_text("utf-8").replace("<node ", "<!-- touched --><node ", 1), "utf-8")  # fmt: skip
    assert "source/osm" in build(town, show=False).ran
    twin = Twin.open(town)
    assert layers(twin)[0].table.set_index("id").loc[tower, "height_m"] == 100.0
    assert len(layers(twin)[0]) == len(before)


@pytest.mark.slow
def test_two_approved_scenarios_come_one_after_the_other(town: Path) -> None:
    build(town, show=False)
    twin = Twin.open(town, read_only=False)
    tower = highest(twin)
    x = layers(twin)[0].table.set_index("id").geometry[tower].centroid.x
    done(twin, asked(twin, drawn(twin, {"op": "set", "object": tower, "move": [5, 0]})))
    twin = Twin.open(town, read_only=False)
    done(twin, asked(twin, drawn(twin, {"op": "set", "object": tower, "move": [3, 0]}, name="조금 더")))
    moved = layers(Twin.open(town))[0].table.set_index("id").geometry[tower].centroid.x
    assert moved - x == pytest.approx(8.0, abs=0.01)


def test_a_building_that_is_gone_from_the_sources_is_told_and_the_rest_is_made(town: Path) -> None:
    build(town, show=False)
    twin = Twin.open(town, read_only=False)
    tower = highest(twin)
    other = next(one for one in layers(twin)[0].table["id"] if one != tower)
    edits = [{"op": "set", "object": tower, "height_m": 100}, {"op": "set", "object": other, "height_m": 33}]
    done(twin, asked(twin, drawn(twin, *edits)))
    source = town / "data" / "tower.osm"
    kind, number = other.split("/")
    text = source.read_text("utf-8")
    source.write_text(text.replace(f'<{kind} id="{number}"', f'<{kind} id="9{number}"'), "utf-8")
    build(town, show=False)
    twin = Twin.open(town)
    assert layers(twin)[0].table.set_index("id").loc[tower, "height_m"] == 100.0
    findings = twin.read("findings", owner(twin))
    assert isinstance(findings, Features)
    told = findings.table[findings.table["code"] == "object-gone"]
    assert told["object"].tolist() == [other]
    assert "판상형" in told["message_en"].iloc[0]


@pytest.mark.slow
def test_a_base_that_has_moved_is_named_and_a_rebased_plan_goes_through(town: Path) -> None:
    build(town, show=False)
    twin = Twin.open(town, read_only=False)
    tower = highest(twin)
    scenario = drawn(twin, {"op": "set", "object": tower, "height_m": 100})
    late = asked(twin, scenario)
    done(twin, asked(twin, drawn(twin, {"op": "set", "object": tower, "move": [1, 0]}, name="먼저")))
    twin = Twin.open(town, read_only=False)
    with pytest.raises(approval.Moved, match=r"rests on the version .* and the twin has .* rebase"):
        done(twin, late)
    with pytest.raises(approval.Moved):
        asked(twin, scenario)
    assert Plans(twin.tables).get(scenario.id).state == "draft"
    base = base_of({one.layer: one for one in twin.layers(owner(twin))})
    scenario, _ = Plans(twin.tables).say(scenario.id, [Draft("base", "", {"value": base})], SUJI)
    done(twin, asked(twin, scenario))
    assert layers(Twin.open(town))[0].table.set_index("id").loc[tower, "height_m"] == 100.0


def test_a_base_that_is_not_kept_any_more_is_named(town: Path) -> None:
    build(town, show=False)
    twin = Twin.open(town, read_only=False)
    scenario = drawn(twin, {"op": "set", "object": highest(twin), "height_m": 100})
    gone = {layer: {"version": "01JGFJJZ000000000000000009", "digest": "sha256:0"} for layer in scenario.base}
    Plans(twin.tables).say(scenario.id, [Draft("base", "", {"value": gone})], SUJI)
    with pytest.raises(Gone, match=r"01JGFJJZ000000000000000009 of buildings.*not kept"):
        asked(twin, scenario)


def test_a_job_that_is_begun_again_finds_its_own_decision(town: Path) -> None:
    build(town, show=False)
    twin = Twin.open(town, read_only=False)
    scenario = drawn(twin, {"op": "remove", "object": highest(twin)})
    job = asked(twin, scenario)
    approval.decide(twin, job)  # and then the worker was killed
    first = done(twin, job)
    assert done(twin, job) == first
    with pytest.raises(Decided, match="approved and not changed"):
        asked(twin, scenario)


def test_what_nobody_looked_at_is_not_approved(town: Path) -> None:
    build(town, show=False)
    twin = Twin.open(town, read_only=False)
    scenario = drawn(twin, {"op": "remove", "object": highest(twin)})
    job = asked(twin, scenario)
    frame, bounds = twin.description.frame, twin.description.bounds
    x, y = bounds.centre
    ring = [[x, y], [x + 9, y], [x + 9, y + 9], [x, y + 9]]
    more = city.parse({"op": "add", "object": "new/00000001", "outline": ring, "height_m": 9}, frame)
    Plans(twin.tables).edit(scenario.id, [more], {"name": "민호", "kind": "anyone", "verified": False}, seen=2, bounds=bounds, known=lambda *_: {})  # fmt: skip
    with pytest.raises(BadParameter, match="민호 has changed the scenario since revision 2"):
        done(twin, job)
    empty = Plans(twin.tables).create("leer", SUJI, scenario.base)
    with pytest.raises(BadParameter, match="nothing is in force"):
        asked(twin, empty)
    assert len(Queue(twin.tables).list(kinds=["approval"])) == 1
