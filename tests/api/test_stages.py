"""A stage that is dragged over the tiny twin: what its score says, to whom, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.conftest import FRAME, X, Y, write_twin
from tests.api.partner import agree

from twintown.app import create_app
from twintown.ground.bounds import Bounds
from twintown.settings import Settings
from twintown.trust.terms import Asset, Terms

pytestmark = pytest.mark.slow  # the compiler

AT = "/twins/small/stages/score"


def lonlat(x: float, y: float) -> dict[str, float]:
    lon, lat = FRAME.to_lonlat(X + x, Y + y)
    return {"lon": float(lon), "lat": float(lat)}


def question(x: float = 45.0, y: float = -40.0, **inputs: Any) -> dict[str, Any]:
    stage = {**lonlat(x, y), "heading_deg": 180, "level_db": 95, **inputs.pop("stage", {})}
    return {"inputs": {"day": "2027-09-18", "from_h": 11, "to_h": 19, "stage": stage, **inputs}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_twin(tmp_path_factory.mktemp("stages") / "small")


@pytest.fixture(scope="module")
def http(place: Path) -> Iterator[TestClient]:
    app: FastAPI = create_app([place], Settings(), warm=False)
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


def test_a_stage_has_a_score_its_parts_its_hours_and_the_loudest_buildings(http: TestClient) -> None:
    said = http.post(AT, json=question())
    assert said.status_code == 200, said.text
    answer = said.json()
    assert 0 <= answer["score"] <= 100 and {one["code"] for one in answer["parts"]} == {
        "sight",
        "heads",
        "shade",
        "sound",
    }
    assert sum(one["weight"] for one in answer["parts"]) == pytest.approx(1.0)
    assert [one["hour"] for one in answer["hours"]] == list(range(11, 19))
    assert {one["building"] for one in answer["sound"]} == {"relation/1", "way/2"}
    assert answer["sound"][0]["level_db"] >= answer["sound"][1]["level_db"]
    assert answer["limit"]["value_db"] == 60 and answer["limit"]["confirm"] is True
    assert all(one["text"]["ko"] and one["text"]["en"] for one in answer["findings"])
    assert "no-store" in said.headers["cache-control"]


def test_the_score_follows_the_stage(http: TestClient) -> None:
    free, inside = (http.post(AT, json=question(*at)).json() for at in ((45.0, -40.0), (10.0, 10.0)))
    assert inside["score"] < free["score"]
    assert "stage-in-building" in {one["code"] for one in inside["findings"]}


def test_a_stage_without_audience_or_without_a_building_near_it_is_answered_too(http: TestClient) -> None:
    alone = http.post(AT, json=question(stage={"audience_m": 0}))
    assert alone.status_code == 200 and {one["audience_sun_share"] for one in alone.json()["hours"]} == {None}
    known = {one["code"]: one["known"] for one in alone.json()["parts"]}
    assert known == {"sight": False, "heads": False, "shade": False, "sound": True}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"day": "soon"}, "day"),
        ({"from_h": 12, "to_h": 11}, "to_h"),
        ({"stage": {"lon": 0.0, "lat": 0.0}}, "outside the twin"),
        ({"stage": {"level_db": 500}}, "level_db"),
        ({"stage": {"colour": "red"}}, "colour"),
        ({"zone": "moon"}, "zone"),
    ],
)
def test_a_bad_question_is_refused_by_name(http: TestClient, inputs: dict[str, Any], words: str) -> None:
    said = http.post(AT, json=question(**inputs))
    assert said.status_code == 400 and words in said.text


def test_a_partner_whose_agreement_has_the_process_gets_a_score_without_names_it_may_not_read(
    http: TestClient, place: Path
) -> None:
    peer = agree(place, Terms((Asset("process", "stage"),)))
    said = http.post(AT, json=question(), headers=peer)
    assert said.status_code == 200, said.text
    assert {one["building"] for one in said.json()["sound"]} == {""}
    assert "롯데월드타워" not in said.text
    more = agree(place, Terms((Asset("process", "stage"), Asset("layer", "buildings"))))
    assert {one["building"] for one in http.post(AT, json=question(), headers=more).json()["sound"]} == {
        "relation/1",
        "way/2",
    }


def test_a_partner_without_the_process_is_refused(http: TestClient, place: Path) -> None:
    peer = agree(place, Terms((Asset("layer", "buildings"), Asset("process", "stands"))))
    said = http.post(AT, json=question(), headers=peer)
    assert (said.status_code, said.json()["code"]) == (403, "not-in-agreement")


def test_a_partner_places_a_stage_within_its_area_only_and_hears_of_no_window_outside(
    http: TestClient, place: Path
) -> None:
    area = FRAME.lonlat_bounds(Bounds(X + 35, Y - 60, X + 75, Y + 20)).as_tuple()
    peer = agree(place, Terms((Asset("process", "stage"), Asset("layer", "buildings")), area=area))
    inside = http.post(AT, json=question(), headers=peer)
    assert inside.status_code == 200 and {one["building"] for one in inside.json()["sound"]} == {"way/2"}
    outside = http.post(AT, json=question(-60.0, 0.0), headers=peer)
    assert (outside.status_code, outside.json()["code"]) == (403, "outside-area")


def test_nobody_is_told_more_than_json(http: TestClient) -> None:
    assert http.get(AT).status_code == 405
    assert http.post(AT, json={"inputs": {}}).status_code == 400
