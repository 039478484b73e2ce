"""What officers offer: each asset through the release gate, a draft as the layer of what it builds."""

from __future__ import annotations

import pytest
from tests.exchange.two_cities import ROADS, Two, allow, draft, offered
from tests.exchange.two_cities import two as two

pytestmark = pytest.mark.slow  # two cities are made for them


def test_no_resharing_of_openstreetmap_is_refused_with_what_it_cites(two: Two) -> None:
    body = {"assignee": "other", "terms": {**ROADS, "no_resharing": True}}
    said = two.giver.ask("POST", "/offers", body, 409)
    assert "ODbL 4.8" in said["detail"]
    assert "layer:roads" in said["detail"]


def test_an_offer_that_the_gate_lets_go_is_in_the_catalogue_of_its_city_only(two: Two) -> None:
    made = offered(two, {**ROADS, "purposes": ["research"]})
    assert made["state"] == "offered"
    shown = two.taker.ask("GET", "/peers/small/catalogue")["datasets"]
    mine = [one for one in shown if one["id"] == made["dataset"]]
    assert [offer["terms"] for one in mine for offer in one["offers"] if offer["id"] == made["id"]] == [
        made["terms"]
    ]
    assert mine[0]["assets"] == ["layer:roads"]
    two.giver.ask("DELETE", f"/offers/{made['id']}", status=204)
    shown = two.taker.ask("GET", "/peers/small/catalogue")["datasets"]
    assert made["id"] not in {offer["id"] for one in shown for offer in one["offers"]}
    two.giver.ask("DELETE", f"/offers/{made['id']}", status=409)
    states = [
        record["state"] for kind, record in two.giver.records("offer") if record.get("offer") == made["id"]
    ]
    assert states == ["offered", "withdrawn"]


def test_a_draft_is_offered_as_a_layer_that_waits_for_the_security_officer(two: Two) -> None:
    id = draft(two.giver)
    terms = {"assets": [f"scenario:{id}"], "no_resharing": True, "attribution": "© 작은 잠실"}
    made = two.giver.ask("POST", "/offers", {"assignee": "other", "terms": terms}, 201)
    layer = f"plan-{id[:8]}"
    assert made["terms"]["assets"][0] == f"scenario:{id}"
    assert made["terms"]["assets"][1].startswith(f"layer:{layer}")
    assert made["state"] == "waiting", "it is graded S: a person decides"
    assert not any(
        one["id"] == made["dataset"] for one in two.taker.ask("GET", "/peers/small/catalogue")["datasets"]
    )
    allow(two.giver)
    assert any(
        one["id"] == made["dataset"] for one in two.taker.ask("GET", "/peers/small/catalogue")["datasets"]
    )
    name = made["terms"]["assets"][1].removeprefix("layer:")
    rows = two.giver.ask("GET", f"/collections/{name}/items")["features"]
    assert [(one["properties"]["state"], one["properties"]["height_m"]) for one in rows] == [("new", 30.0)]
    open_ = two.giver.client.get(f"http://127.0.0.1:8000/twins/small/collections/{name}/items")
    assert open_.status_code == 401, "nobody sees a draft that was offered to a partner"


def test_another_revision_of_a_draft_goes_out_under_another_name_and_asks_again(two: Two) -> None:
    id = draft(two.giver, (140, 0))
    body = {"assignee": "other", "terms": {"assets": [f"scenario:{id}"]}}
    first = two.giver.ask("POST", "/offers", body, 201)
    allow(two.giver)
    again = two.giver.ask("POST", "/offers", body, 201)
    assert again["releases"] == first["releases"], "the same matter is asked once"
    entry = two.giver.ask("GET", f"/scenarios/{id}/edits")["in_force"][0]
    change = {"op": "set", "object": entry["object"], "height_m": 60}
    seen = two.giver.ask("GET", f"/scenarios/{id}")["revision"]
    two.giver.ask(
        "POST",
        f"/scenarios/{id}/edits",
        {"seen": seen, "edits": [change], "author": "Kim", "client": "t"},
        201,
    )
    later = two.giver.ask("POST", "/offers", body, 201)
    assert later["terms"]["assets"][1] != first["terms"]["assets"][1]
    assert later["state"] == "waiting"
    kept = first["terms"]["assets"][1].removeprefix("layer:")
    assert two.giver.ask("GET", f"/collections/{kept}/items")["features"][0]["properties"]["height_m"] == 30.0


def test_what_a_person_refuses_is_not_offered(two: Two) -> None:
    id = draft(two.giver, (0, 100))
    made = two.giver.ask(
        "POST", "/offers", {"assignee": "other", "terms": {"assets": [f"scenario:{id}"]}}, 201
    )
    allow(two.giver, False)
    found = next(one for one in two.giver.ask("GET", "/offers")["offers"] if one["id"] == made["id"])
    assert found["state"] == "refused"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"assignee": "atlantis", "terms": ROADS}, 400, "atlantis"),
        ({"assignee": "other", "terms": {"assets": ["layer:nowhere"]}}, 404, "nowhere"),
        ({"assignee": "other", "terms": {"assets": ["bucket:all"]}}, 400, "bucket"),
        ({"assignee": "other", "terms": {"assets": []}}, 400, "assets"),
        ({"assignee": "other", "terms": {**ROADS, "area": [127.2, 37, 127.1, 38]}}, 400, "area"),
        ({"assignee": "other", "terms": {**ROADS, "until": "2027-01-01T00:00:00"}}, 400, "zone"),
        ({"assignee": "other", "terms": {**ROADS, "price": 5}}, 400, "price"),
        ({"assignee": "other", "terms": {**ROADS, "assets": ["layer:vaults"]}}, 409, "graded C"),
        ({"assignee": "other", "terms": {"assets": ["scenario:none"]}}, 404, "none"),
        ({"assignee": "other", "terms": ROADS, "release": "rel-other"}, 409, "gate"),
    ],
)
def test_what_cannot_be_offered_is_refused_by_name(
    two: Two, body: dict[str, object], status: int, word: str
) -> None:
    said = two.giver.ask("POST", "/offers", body, status)
    assert word in said["detail"] or word in str(said.get("parameter", "")), said


def test_nobody_but_officers_offers_or_sees_offers(two: Two) -> None:
    for method, path in (
        ("GET", "/offers"),
        ("POST", "/offers"),
        ("GET", "/negotiations"),
        ("GET", "/agreements"),
        ("GET", "/partners"),
    ):
        said = two.giver.client.request(
            method, f"http://127.0.0.1:8000/twins/small{path}", json={} if method == "POST" else None
        )
        assert said.status_code == 401, path
