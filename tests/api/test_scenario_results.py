# ruff: noqa: E501 - rows of a table read better on one line each
"""What scenarios come to over HTTP: findings, comparison with another one, approval."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.conftest import FRAME, FROM, X, Y, write_twin
from tests.scenario.test_files import box, glb

from twintown.app import create_app
from twintown.build.approval import task
from twintown.build.steps import owner
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.jobs.queue import Queue, new_job
from twintown.jobs.work import Work
from twintown.scenario.plans import Plans
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.trust.identity import make_token
from twintown.trust.people import add_person
from twintown.twin.description import LayerEntry
from twintown.twin.layers import Twin

AT = "/twins/weighed/scenarios"
ZONE = """
[access]
plan = "anyone"

[[zones]]
id = "example"
title = { ko = "예시 구역", en = "Example zone" }
outline = [[127.09, 37.5], [127.11, 37.5], [127.11, 37.53], [127.09, 37.53]]
height_m = 50
floor_area_percent = 250
example = true
note = { ko = "예시입니다", en = "an example" }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("twins") / "weighed", "weighed")
    about = directory / "twintown.toml"
    about.write_text(about.read_text("utf-8") + ZONE, "utf-8")
    make_token(directory)
    return directory


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    """A twin of one's own."""
    return shutil.copytree(made, tmp_path / "weighed")


@pytest.fixture
def weighed(directory: Path) -> FastAPI:
    return create_app([directory], Settings(), warm=False)


@pytest.fixture
def http(weighed: FastAPI) -> Any:
    with TestClient(weighed, raise_server_exceptions=False) as one:
        yield one


def planned(http: TestClient, *edits: dict[str, Any], name: str = "판상형") -> str:
    made = http.post(AT, json={"name": name, "author": "수지"}).json()
    sent = http.post(f"{AT}/{made['id']}/edits", json={"edits": list(edits), "seen": 1, "author": "수지"})
    assert sent.status_code == 201, sent.text
    return str(made["id"])


def test_findings_say_allowed_found_and_by_how_much(http: TestClient) -> None:
    plan = planned(http, {"op": "set", "object": "relation/1", "height_m": 80})
    body = http.get(f"{AT}/{plan}/findings").json()
    told = {one["code"]: one for one in body["findings"]}
    height = told["zone-height"]
    assert (height["object"], height["value"], height["allowed"], height["excess"], height["unit"]) == (
        "relation/1",
        80.0,
        50.0,
        30.0,
        "m",
    )
    assert "no-parcels" in told and body["parcels"] is False
    assert told["zone-floor-area"]["before"] > told["zone-floor-area"]["value"] >= 0.0
    (zone,) = body["zones"]
    assert zone["example"] is True and zone["note"]["en"] == "an example"
    assert zone["outline"]["coordinates"][0][0] == pytest.approx([127.09, 37.5], abs=1e-6)
    assert "Not a legal finding" in body["method"]["en"]


def test_a_scenario_is_held_against_its_base_and_against_another(http: TestClient) -> None:
    one = planned(http, {"op": "set", "object": "relation/1", "height_m": 80})
    other = planned(
        http,
        {"op": "set", "object": "relation/1", "height_m": 90},
        {"op": "remove", "object": "way/2"},
        name="탑상형",
    )
    alone = http.get(f"{AT}/{one}/comparison").json()
    assert alone["before"]["id"] == "" and alone["same_base"] is True
    assert [(o["object"], o["change"], o["difference"]["height_m"]) for o in alone["objects"]] == [
        ("relation/1", "changed", -20.0)
    ]
    both = http.get(f"{AT}/{other}/comparison", params={"with": one}).json()
    assert {o["object"]: o["change"] for o in both["objects"]} == {
        "relation/1": "changed",
        "way/2": "removed",
    }
    assert both["counts"]["removed"] == 1 and both["units"]["height_m"] == "m"
    assert http.get(f"{AT}/{other}/comparison", params={"with": "nobody"}).status_code == 404
    assert http.get(f"{AT}/{other}/comparison", params={"with": f"{one}@99"}).status_code == 400


def test_answers_of_the_same_question_are_held_against_each_other(http: TestClient, directory: Path) -> None:
    plan = planned(http, {"op": "set", "object": "relation/1", "height_m": 80})
    twin = Twin.open(directory, read_only=False)
    resolved = Plans(twin.tables).resolve(plan)

    def answered(scenario: str, edits: Any, minutes: int) -> None:
        layer = f"sun-{minutes:010x}"
        grid = Grid(np.full((4, 5), minutes, np.uint16), X, Y, 1.0, "min", FRAME, FROM, 65535)
        version = twin.stage(
            layer, grid, Grade.O, {"origin": "result"}, entry=LayerEntry(layer, Name("해", "Sun"))
        )
        twin.tables.switch({layer: version.version})
        request = {"process": "sunlight", "version": "3", "inputs": {"date": "2026-12-22"}, "edits": edits,
                   "layers": {name: {"version": one} for name, one in resolved.base.items()}}  # fmt: skip
        job = new_job("process", request, {"kind": "anyone"}, process="sunlight", scenario=scenario)
        outputs = {"sun": {"layer": layer, "version": version.version, "error": 0.0}}
        Queue(twin.tables).put(
            replace(job, state="successful", results={"outputs": outputs}, finished=datetime.now(UTC))
        )

    answered("", [], 300)
    answered(plan, [], 200)  # of the plan as it was
    answered(plan, [dict(edit) for edit in resolved.edits], 240)
    body = http.get(f"{AT}/{plan}/comparison").json()
    (result,) = body["results"]
    assert result["process"] == "sunlight" and result["before"]["present"] and result["after"]["present"]
    (output,) = result["outputs"]
    assert (output["unit"], output["mean"], output["compared_m2"]) == ("min", -60.0, 20.0)
    assert output["classes"] and output["layers"]["after"].startswith("sun-")


@pytest.mark.slow
def test_who_may_not_approve_is_told_and_who_may_makes_it_part_of_the_city(
    http: TestClient, directory: Path
) -> None:
    plan = planned(http, {"op": "set", "object": "relation/1", "height_m": 80})
    assert http.post(f"{AT}/{plan}/approval", json={"why": "좋다"}).status_code == 401
    planner = {"Authorization": f"Bearer {add_person(directory, '수지', 'planner')}"}
    assert http.post(f"{AT}/{plan}/approval", json={"why": "좋다"}, headers=planner).status_code == 403
    approver = {"Authorization": f"Bearer {add_person(directory, '위원장', 'approver')}"}
    asked = http.post(f"{AT}/{plan}/approval", json={"why": "3차 심의", "revision": 2}, headers=approver)
    assert asked.status_code == 201, asked.text
    assert asked.json()["kind"] == "approval" and asked.headers["location"].endswith(asked.json()["jobID"])
    twin = Twin.open(directory, read_only=False)
    done = task(Work(twin, Queue(twin.tables).get(asked.json()["jobID"]), owner(twin), lambda *_: None))
    assert done["decision"]["why"] == "3차 심의"  # type: ignore[index,call-overload]
    said = http.get(f"{AT}/{plan}").json()
    assert said["state"] == "approved"
    assert said["decision"]["who"] == {"name": "위원장", "kind": "person", "verified": True}
    tower = http.get("/twins/weighed/collections/buildings/items/relation/1").json()
    assert (tower["properties"]["height_m"], tower["properties"]["height_source"]) == (80.0, "planned")
    shown = http.get("/twins/weighed/objects/relation/1").json()["building"]["height"]  # what a click asks
    assert (shown["value_m"], shown["source"]) == (80.0, "planned")
    again = http.post(f"{AT}/{plan}/approval", json={"why": "noch einmal"}, headers=approver)
    assert again.status_code == 409


@pytest.mark.slow
def test_a_plan_whose_base_has_moved_is_not_approved_and_can_be_rebased(
    http: TestClient, directory: Path
) -> None:
    plan = planned(http, {"op": "set", "object": "relation/1", "height_m": 80})
    first = planned(http, {"op": "remove", "object": "way/2"}, name="먼저")
    token = {"Authorization": f"Bearer {(directory / 'owner.token').read_text().strip()}"}
    asked = http.post(f"{AT}/{first}/approval", json={"why": "a"}, headers=token).json()
    twin = Twin.open(directory, read_only=False)
    task(Work(twin, Queue(twin.tables).get(asked["jobID"]), owner(twin), lambda *_: None))
    refused = http.post(f"{AT}/{plan}/approval", json={"why": "b"}, headers=token)
    assert refused.status_code == 409 and "rebase" in refused.json()["detail"]
    assert http.get(f"{AT}/{plan}").json()["moved"] is True
    rebased = http.patch(f"{AT}/{plan}", json={"rebase": True}).json()
    assert rebased["moved"] is False
    assert http.post(f"{AT}/{plan}/approval", json={"why": "b"}, headers=token).status_code == 201


@pytest.mark.slow
def test_a_file_comes_in_as_new_buildings_and_what_was_simplified_is_told(http: TestClient) -> None:
    plan = planned(http, {"op": "set", "object": "relation/1", "height_m": 80})
    lon, lat = (float(one) for one in FRAME.to_lonlat(X - 50, Y - 50))
    at = {"seen": 2, "lon": lon, "lat": lat, "heading_deg": 30, "name": "판상형", "author": "수지"}
    sent = http.post(f"{AT}/{plan}/imports", params=at, content=glb(box(-20, -6, 0, 40, 12, 45)), headers={"Content-Type": "model/gltf-binary"})  # fmt: skip
    assert sent.status_code == 201, sent.text
    body = sent.json()
    assert body["kind"] == "glTF" and "as-prisms" in [one["code"] for one in body["notes"]]
    (entry,) = body["entries"]
    assert entry["edit"]["height_m"] == 45.0 and entry["edit"]["name"] == "판상형"
    drawn = http.get(f"{AT}/{plan}/objects").json()["features"]
    slab = next(one for one in drawn if one["id"] == entry["object"])
    assert slab["properties"]["area_m2"] == pytest.approx(480, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "query", "status", "says"),
    [
        (b"", {}, 400, "empty"),
        (b"%PDF", {}, 415, "CityJSON, glTF"),
        (glb(box(0, 0, 0, 9, 9, 9))[:-9], {}, 400, "truncated"),
        (glb(box(0, 0, 0, 9, 9, 5000)), {}, 400, "5,000 is out of range"),
        (glb(box(0, 0, 0, 9, 9, 9)), {"lon": ""}, 400, ""),
        (glb(box(0, 0, 0, 9, 9, 9)), {"lat": 10}, 400, "outside the twin's bounds"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_come_in_is_named(
    http: TestClient, content: bytes, query: dict[str, Any], status: int, says: str
) -> None:
    plan = planned(http, {"op": "set", "object": "relation/1", "height_m": 80})
    at = {"seen": 2, "lon": 127.0962, "lat": 37.5135, **query}
    sent = http.post(f"{AT}/{plan}/imports", params=at, content=content)
    assert (sent.status_code, says in sent.json()["detail"]) == (status, True), sent.text
    assert http.get(f"{AT}/{plan}").json()["edits"] == 1
