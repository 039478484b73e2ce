"""A stand scored over HTTP: what is asked and answered, what a partner's agreement lets it ask, and what never leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.conftest import FRAME, X, Y, write_twin
from tests.api.partner import agree

from twintown.api import stands
from twintown.api.guard import Asked
from twintown.api.stands_models import StandInputs, StandQuestion
from twintown.app import create_app
from twintown.ground.bounds import Bounds
from twintown.ground.errors import Denied
from twintown.settings import Settings
from twintown.trust.identity import ANYONE, Subject, make_token
from twintown.trust.policy import Resource, decide
from twintown.trust.terms import Asset, Terms

T = "/twins/small"
RUN = f"{T}/stands/score"


def place(x: float, y: float) -> dict[str, float]:
    lon, lat = (float(v) for v in FRAME.to_lonlat(X + x, Y + y))
    return {"lon": lon, "lat": lat}


STAND = {**place(40, 60), "heading_deg": 0, "width_m": 3, "depth_m": 3}
BAD: list[tuple[Any, str]] = [
    ({}, "inputs"),
    ({"inputs": {}}, "inputs.stand"),
    ({"inputs": {"stand": {"lon": 127.0}}}, "inputs.stand.lat"),
    ({"inputs": {"stand": {**STAND, "lon": 181}}}, "inputs.stand.lon"),
    ({"inputs": {"stand": {**STAND, "width_m": 0}}}, "inputs.stand.width_m"),
    ({"inputs": {"stand": {**STAND, "colour": "red"}}}, "inputs.stand.colour"),
    ({"inputs": {"stand": STAND, "day": "18.9.2027"}}, "day"),
    ({"inputs": {"stand": STAND, "day": "2027-13-40"}}, "day"),
    ({"inputs": {"stand": STAND, "day": "1066-10-14"}}, "day"),
    ({"inputs": {"stand": STAND, "from_h": 12, "to_h": 12}}, "to_h"),
    ({"inputs": {"stand": STAND, "day_type": "monday"}}, "inputs.day_type"),
    ({"inputs": {"stand": STAND, "weights": {"colour": 1}}}, "inputs.weights.colour.[key]"),
    ({"inputs": {"stand": STAND, "exits": [[127]]}}, "inputs.exits.0.1"),
    ({"inputs": {"stand": STAND, "others": [STAND] * 201}}, "inputs.others"),
]


@pytest.mark.parametrize(("body", "parameter"), BAD)
def test_a_bad_question_is_refused_by_name(client: TestClient, body: Any, parameter: str) -> None:
    answer = client.post(RUN, json=body)
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter), answer.text


@pytest.fixture(scope="module")
def answer(client: TestClient) -> dict[str, Any]:
    event = {
        **STAND,
        "id": "s1",
        "name": {"ko": "쌀", "en": "Rice"},
        "products": ["rice"],
        "power": None,
        "water": True,
    }
    asked = {
        "day": "2027-09-18", "from_h": 11, "to_h": 19, "stand": event, "others": [{**place(80, 60), "name": {"ko": "떡", "en": "Cake"}}],
        "stage": {**place(0, 90), "width_m": 10, "depth_m": 8, "height_m": 3, "level_db": 95, "audience_m": 20, "source": "assumed"},
        "exits": [list(place(120, 60).values())],
    }  # fmt: skip
    found = client.post(RUN, json={"inputs": asked})
    assert found.status_code == 200, found.text
    assert found.headers["cache-control"] == "no-store"
    return dict(found.json())


@pytest.mark.slow
def test_the_answer_has_score_parts_hours_and_findings(answer: dict[str, Any]) -> None:
    assert set(answer) == {"score", "parts", "hours", "findings"} and 0 <= answer["score"] <= 100
    assert [one["code"] for one in answer["parts"]] == [
        "footfall", "sun_produce", "sun_queue", "exits", "lorry", "width", "power", "water"
    ]  # fmt: skip
    parts = {one["code"]: one for one in answer["parts"]}
    assert parts["footfall"] == parts["footfall"] | {
        "known": False,
        "value": None,
        "score": 0.5,
        "source": "unknown",
    }
    assert parts["water"] == parts["water"] | {"known": True, "value": 1.0, "source": "stated"}
    assert parts["sun_produce"]["known"] and parts["sun_produce"]["unit"] == "min/h"
    assert sum(one["weight"] for one in answer["parts"]) == pytest.approx(1.0)
    assert [one["hour"] for one in answer["hours"]] == list(range(11, 19))
    assert {"footfall-unknown", "supply-unknown", "ground-unknown"} <= {
        one["code"] for one in answer["findings"]
    }
    assert all(one["text"]["ko"] and one["text"]["en"] for one in answer["findings"])


@pytest.mark.slow
def test_a_stand_in_a_building_is_told_so(client: TestClient) -> None:
    found = client.post(RUN, json={"inputs": {"stand": {**STAND, **place(15, 15)}}}).json()
    assert (
        found["findings"][0]["code"] == "in-building" and "롯데월드타워" in found["findings"][0]["text"]["ko"]
    )


def asked_by(app: FastAPI, **terms: Any) -> Asked:
    """A request of a partner, under a Grant with these terms."""
    served = app.state.open.shelf.get("small")
    grant = decide(ANYONE, "run", Resource("small", access=served.twin.description.access))
    peer = Subject("peer", "small", "did:web:icheon.example", agreement="urn:uuid:1")
    usual: dict[str, Any] = {"layers": ("buildings",), "processes": ("stands",), "agreement": "urn:uuid:1"}
    return Asked(served, replace(grant, subject=peer, allowed=True, **{**usual, **terms}))


INPUTS = StandInputs.model_validate({"stand": STAND, "day": "2027-09-18"})


def test_a_partner_whose_agreement_does_not_hold_the_process_is_refused(app: FastAPI) -> None:
    with pytest.raises(Denied, match="not part of the agreement"):
        stands.scored(asked_by(app, processes=("sunlight",)), INPUTS)


def test_every_place_of_a_partners_question_lies_in_the_granted_area(app: FastAPI) -> None:
    asked = asked_by(app, area=Bounds(X, Y, X + 60, Y + 80))
    stands.check_reach(asked, "stands", [(STAND["lon"], STAND["lat"])])
    far = place(150, 150)
    for more in ({"stand": {**STAND, **far}}, {"stand": STAND, "others": [far]}, {"stand": STAND, "stage": far},
                 {"stand": STAND, "exits": [list(far.values())]}):  # fmt: skip
        with pytest.raises(Denied, match="outside the granted area"):
            stands.scored(asked, StandInputs.model_validate({**more, "day": "2027-09-18"}))


@pytest.mark.slow
def test_layers_that_an_agreement_does_not_name_are_not_used(app: FastAPI) -> None:
    assert set(stands.ground(asked_by(app)).layers) == {"buildings"}
    parts = {one["code"]: one for one in stands.scored(asked_by(app), INPUTS)["parts"]}
    assert parts["sun_produce"]["known"] and not parts["lorry"]["known"] and not parts["footfall"]["known"]
    nothing = stands.scored(asked_by(app, layers=("weather",)), INPUTS)
    assert not any(one["known"] for one in nothing["parts"])


@pytest.mark.slow
def test_where_columns_are_withheld_no_name_is_told(app: FastAPI) -> None:
    inside = StandInputs.model_validate({"stand": {**STAND, **place(15, 15)}, "day": "2027-09-18"})
    told = stands.scored(asked_by(app, columns=("id", "height_m")), inside)
    assert "in-building" in {one["code"] for one in told["findings"]} and "롯데" not in str(told)


@pytest.mark.slow
def test_the_ground_is_prepared_once_for_the_same_versions_and_terms(app: FastAPI) -> None:
    one = stands.ground(asked_by(app))
    assert stands.ground(asked_by(app)) is one
    assert stands.ground(asked_by(app, layers=("buildings", "roads"))) is not one


@pytest.mark.slow
def test_a_partner_scores_a_stand_by_its_agreement_and_not_without_it(tmp_path: Path) -> None:
    directory = write_twin(tmp_path / "small")
    make_token(directory)
    layers = (Asset("layer", "buildings"), Asset("layer", "roads"))
    box = FRAME.lonlat_bounds(Bounds(X - 50, Y - 60, X + 100, Y + 100)).as_tuple()
    with_it, without = (
        agree(directory, Terms((*layers, *more), area=box)) for more in ((Asset("process", "stands"),), ())
    )
    body = {"inputs": {"stand": STAND, "day": "2027-09-18"}}
    with TestClient(create_app([directory], Settings(), warm=False), raise_server_exceptions=False) as http:
        told = http.post(RUN, json=body, headers=with_it)
        assert told.status_code == 200 and told.json()["parts"][1]["known"], told.text
        assert "no-store" in told.headers["cache-control"]
        refused = http.post(RUN, json=body, headers=without)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-in-agreement")
        far = http.post(RUN, json={"inputs": {"stand": {**STAND, **place(150, 150)}}}, headers=with_it)
        assert (far.status_code, far.json()["code"]) == (403, "outside-area")


def test_the_question_of_the_how_to_is_one_that_is_taken() -> None:
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "place-a-stand.md").read_text(encoding="utf-8")
    body = text.split("```json\n")[1].split("```")[0]
    assert StandQuestion.model_validate(json.loads(body)).inputs.people == 2000
