"""A plan's sun, answered from the base by what changed, against the whole city computed anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.processes.test_sunlight import town

from twintown.city import edits as city
from twintown.ground.bounds import Bounds
from twintown.ground.errors import NotFound
from twintown.processes.sunlight_plan import Plan
from twintown.processes.sunlight_scene import Scene

DAY, BASIS = "2026-12-22", "solar"


def slab(
    name: str, x: float, y: float, height: float, width: float = 24.0, depth: float = 8.0
) -> dict[str, Any]:
    """A new building, metres of the frame."""
    ring = [[x, y], [x + width, y], [x + width, y + depth], [x, y + depth]]
    return {"op": "add", "object": f"new/{name}", "outline": ring, "height_m": height}


@pytest.fixture(scope="module")
def plan() -> Plan:
    buildings, parts = town()
    xmin, ymin, xmax, ymax = buildings.table.total_bounds
    bounds = Bounds(xmin - 100, ymin - 100, xmax + 100, ymax + 100)
    return Plan(Scene(buildings, parts, bounds, "Asia/Seoul"), buildings, parts)


def edits_of(plan: Plan, *sent: dict[str, Any]) -> list[dict[str, Any]]:
    return [city.parse(one, plan.scene.frame) for one in sent]


CASES = ["added", "moved and turned", "removed", "all at once"]


@pytest.mark.parametrize("case", CASES)
def test_what_changed_comes_to_what_the_whole_city_would(plan: Plan, case: str) -> None:
    first, last = plan.scene.ids[0], plan.scene.ids[-1]
    x, y = (float(v) for v in plan.buildings.table.geometry.iloc[0].centroid.coords[0])
    moved = {"op": "set", "object": first, "move": [9.0, -7.0], "turn_deg": 30.0}
    sent = {
        "added": [slab("00000001", x - 10, y - 60, 33.0)],
        "moved and turned": [moved],
        "removed": [{"op": "remove", "object": first}],
        "all at once": [{"op": "remove", "object": last}, slab("00000001", x - 10, y - 60, 33.0), moved],
    }[case]
    edits = edits_of(plan, *sent)
    answer = plan.answer(edits, DAY, BASIS)
    built, parts, _ = city.apply(plan.buildings, plan.parts, edits)
    whole = Scene(built, parts, plan.scene.bounds, "Asia/Seoul").base(DAY, BASIS)
    steps = plan.scene.base(DAY, BASIS).arrays["sun_steps"][0].copy()
    row, col, rows, cols = answer.header["grid"]["window"]
    steps[row : row + rows, col : col + cols] = answer.arrays["sun_steps"][0]
    assert np.array_equal(steps, whole.arrays["sun_steps"][0])
    for name in ("pass", "fail"):
        assert answer.counts[name] == whole.counts[name]


def test_a_hand_that_goes_on_from_a_plan_answers_as_if_it_had_begun_anew(plan: Plan) -> None:
    x, y = (float(v) for v in plan.buildings.table.geometry.iloc[0].centroid.coords[0])
    before = slab("00000001", x - 10, y - 60, 33.0)
    one, two = (edits_of(plan, before, slab("00000002", x + 30, y - 40 + step, 21.0)) for step in (0.0, 6.0))
    plan.answer(one, DAY, BASIS)
    after = plan.answer(two, DAY, BASIS)
    anew = Plan(plan.scene, plan.buildings, plan.parts).answer(two, DAY, BASIS)
    for name, (values, _) in after.arrays.items():
        assert np.array_equal(values, anew.arrays[name][0]), name


def test_nothing_planned_is_the_base_and_an_unknown_building_is_not_found(plan: Plan) -> None:
    assert plan.answer([], DAY, BASIS) is plan.scene.base(DAY, BASIS)
    with pytest.raises(NotFound):
        plan.answer([{"op": "remove", "object": "way/404"}], DAY, BASIS)
