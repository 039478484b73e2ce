"""The release gate over HTTP: officers ask, look at remedies, apply one, and a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.exchange.synthetic import OSM, PEER, X, Y, blocks, outline, small_twin, terrain

from twintown.app import create_app
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.trust.identity import make_token

SITE = f"""
[[release.sites]]
id = "invented-depot"
title = {{ ko = "지어낸 창고 (합성)", en = "Invented depot (synthetic)" }}
outline = {outline(X + 118, Y + 498, X + 132, Y + 512)}
example = true
[peers.icheon]
address = "https://twin.icheon.example/twins/icheon"
did = "{PEER}"
country = "KR"
"""


class Gate:
    """One server, as its owner."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.owner = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        said = self.client.request(
            method, f"/twins/invented{path}", json=body, headers=more.pop("headers", self.owner), **more
        )
        assert said.status_code == status, said.text
        return said.json() if "json" in said.headers.get("content-type", "") else said


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    directory: Path = tmp_path_factory.mktemp("gate") / "twin"
    small_twin(
        directory,
        {
            "synthetic-terrain": (terrain(5, 60), Grade.S), "own-blocks": (blocks(8), Grade.S),
            "osm-buildings": (blocks(provenance=OSM), Grade.O),
        },
        SITE,
    )  # fmt: skip
    make_token(directory)
    with TestClient(create_app([directory], Settings(), warm=False), raise_server_exceptions=False) as client:
        yield Gate(client, (directory / "owner.token").read_text().strip())


def _question(gate: Gate, layer: str, to: str = "anyone", **said: Any) -> Any:
    terms = {"assets": [f"layer:{layer}"], **said} if said else None
    return gate.ask(
        "POST", "/releases", {"asset": f"layer:{layer}", "audience": to, "terms": terms, "author": "Kim"}, 201
    )


def test_no_resharing_of_openstreetmap_is_refused_citing_the_odbl(gate: Gate) -> None:
    made = _question(
        gate, "osm-buildings", "icheon", no_resharing=True, attribution="© OpenStreetMap contributors"
    )
    assert made["verdict"] == "refused" and made["audience"] == PEER
    assert made["findings"][0]["citation"] == "ODbL 4.8" and "4.8" in made["findings"][0]["message"]["ko"]
    assert gate.ask("GET", f"/releases/{made['id']}") == made
    assert made["id"] in {one["id"] for one in gate.ask("GET", "/releases?state=refused")["releases"]}


def test_a_remedy_is_offered_previewed_applied_and_decided_about(gate: Gate) -> None:
    made = _question(gate, "synthetic-terrain")
    offer = made["remedies"][0]
    assert (offer["kind"], offer["clears"], offer["parameters"]["cell_m"]) == (
        "coarsen",
        ["terrain-cell"],
        90,
    )
    seen = gate.ask("GET", f"/releases/{made['id']}/preview/coarsen")
    assert seen["verdict"] == "needs-decision" and seen["features"] == 4
    assert seen["remedy"]["numbers"]["cell_before_m"] == 5
    wider = gate.ask(
        "GET", f"/releases/{made['id']}/preview/coarsen", params={"parameters": '{"cell_m":100}'}
    )
    assert wider["remedy"]["parameters"]["cell_m"] == 100
    picture = gate.ask("GET", f"/releases/{made['id']}/preview/coarsen?f=png")
    assert picture.content.startswith(b"\x89PNG")
    body = {"remedy": "coarsen", "parameters": offer["parameters"], "author": "Kim"}
    again = gate.ask("POST", f"/releases/{made['id']}/remedies", body, 201)
    assert again["asset"] == "layer:synthetic-terrain-release-1" and again["state"] == "waiting"
    closed = gate.client.get("/twins/invented/collections/synthetic-terrain-release-1")
    assert closed.status_code == 401, "as sensitive as its source until somebody decides"
    word = {"allow": True, "why": "90 m is what the rule allows.", "author": "Kim"}
    decided = gate.ask("POST", f"/releases/{again['id']}/decision", word)
    assert decided["verdict"] == "allowed" and decided["decision"]["grade"] == "O"
    assert gate.client.get("/twins/invented/collections/synthetic-terrain-release-1").status_code == 200
    assert gate.client.get("/twins/invented/collections/synthetic-terrain").status_code == 401
    gate.ask("POST", f"/releases/{again['id']}/decision", word, 409)


def test_what_would_go_is_shown_as_features(gate: Gate) -> None:
    made = _question(gate, "own-blocks")
    shown = gate.ask("GET", f"/releases/{made['id']}/preview/mask?f=geojson")
    assert shown["numberMatched"] == 7 and "synthetic/1" not in {one["id"] for one in shown["features"]}
    lon, lat = shown["features"][0]["geometry"]["coordinates"][0][0]
    assert 126 < lon < 128 and 37 < lat < 38
    gate.ask("GET", f"/releases/{made['id']}/preview/mask?f=png", status=400)


def test_a_preview_says_how_much_there_is_before_and_after_and_draws_both_in_one_box(gate: Gate) -> None:
    made = _question(gate, "synthetic-terrain")
    seen = gate.ask("GET", f"/releases/{made['id']}/preview/coarsen?sketch=true")
    assert (seen["before"]["count"], seen["before"]["resolution_m"]) == (3600, 5)
    assert (seen["after"]["count"], seen["after"]["resolution_m"], seen["after"]["known"]) == (4, 90, 4)
    drawn = seen["sketch"]
    assert drawn["whole"] and all(
        drawn[side]["picture"].startswith("data:image/png;base64,") for side in ("before", "after")
    )
    (w, s, e, n), (west, south, east, north) = drawn["box"], drawn["after"]["box"]
    assert w - 1e-6 <= west < east <= e + 1e-6 and s - 1e-6 <= south < north <= n + 1e-6
    assert drawn["before"]["box"] == drawn["box"]
    assert gate.ask("GET", f"/releases/{made['id']}/preview/coarsen")["sketch"] is None


def test_a_drawing_of_a_mask_shows_the_gap_and_no_value_of_any_row(gate: Gate) -> None:
    made = _question(gate, "own-blocks")
    assert made["remedies"][0]["title"]["ko"] == "제한 구역 가리기: 지어낸 창고 (합성)"
    seen = gate.ask("GET", f"/releases/{made['id']}/preview/mask?sketch=true")
    assert (seen["before"]["count"], seen["after"]["count"]) == (8, 7)
    assert seen["names"]["sites"]["invented-depot"]["en"] == "Invented depot (synthetic)"
    drawn = seen["sketch"]
    assert [drawn[side]["total"] for side in ("before", "after")] == [8, 7]
    assert all(one["properties"] == {} for one in drawn["before"]["features"]["features"])


def test_a_remedy_that_was_not_offered_is_tried_with_what_the_gate_would_try(gate: Gate) -> None:
    made = _question(gate, "own-blocks")
    assert "coarsen" not in {one["kind"] for one in made["remedies"]}
    seen = gate.ask("GET", f"/releases/{made['id']}/preview/coarsen?sketch=true")
    assert seen["remedy"]["parameters"] == {"mesh_m": 12.5} and seen["after"]["resolution_m"] == 12.5
    assert not seen["remedy"]["clears"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/preview/coarsen?parameters=no", 400), ("/preview/coarsen?parameters=[]", 400), ("/preview/burn", 400),
        ("/preview/mask?parameters={\"sites\":[\"elsewhere\"]}", 400), ("/preview/aggregate?parameters={\"k\":5,\"by\":7}", 400),
    ],
)  # fmt: skip
def test_a_preview_that_cannot_be_made_says_why(gate: Gate, path: str, status: int) -> None:
    made = _question(gate, "own-blocks")
    said = gate.ask("GET", f"/releases/{made['id']}{path}", status=status)
    assert said["detail"]


def test_what_is_forbidden_is_allowed_by_nobody_and_a_decision_needs_its_reason(gate: Gate) -> None:
    made = _question(gate, "synthetic-terrain")
    gate.ask("POST", f"/releases/{made['id']}/decision", {"allow": True, "why": "I want to."}, 409)
    gate.ask("POST", f"/releases/{made['id']}/decision", {"allow": False}, 400)
    gate.ask("POST", "/releases/rel-0/decision", {"allow": False, "why": "x"}, 404)


def test_nobody_in_particular_asks_or_decides_nothing(gate: Gate) -> None:
    made = _question(gate, "own-blocks")
    for method, path, body in (
        ("GET", "/releases", None), ("POST", "/releases", {"asset": "layer:own-blocks"}), ("GET", f"/releases/{made['id']}", None),
        ("GET", f"/releases/{made['id']}/preview/mask", None), ("POST", f"/releases/{made['id']}/remedies", {"remedy": "mask"}),
        ("POST", f"/releases/{made['id']}/decision", {"allow": True, "why": "x"}), ("GET", "/release-rules", None),
    ):  # fmt: skip
        gate.ask(method, path, body, 401, headers={})


def test_a_slip_is_named(gate: Gate) -> None:
    for body in (
        {"asset": "layer"}, {"asset": "layer:own-blocks", "audience": "nobody"}, {"asset": "layer:own-blocks", "to": "anyone"},
    ):  # fmt: skip
        gate.ask("POST", "/releases", body, 400)
    gate.ask("POST", "/releases", {"asset": "layer:nowhere"}, 404)


def test_the_rules_say_what_the_officer_has_to_confirm(gate: Gate) -> None:
    said = gate.ask("GET", "/release-rules")
    assert said["pack"] == "korea" and said["sites"] == 1
    rule = {one["id"]: one for one in said["rules"]}["terrain-cell"]
    assert (
        rule["value"] == 90 and "security officer" in rule["status"] and rule["seen"] and not rule["verified"]
    )
