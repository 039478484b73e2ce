# ruff: noqa: E501 - rows of a table read better on one line each
"""Scenarios over HTTP: made, edited by two, taken back, branched, talked about; what they build."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.conftest import X, Y, write_twin

from twintown.app import create_app
from twintown.settings import Settings

AT = "/twins/plans/scenarios"


@pytest.fixture(scope="module")
def planning(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A twin of its own in which anyone may plan."""
    directory = write_twin(tmp_path_factory.mktemp("twins") / "plans", "plans")
    about = directory / "twintown.toml"
    about.write_text(about.read_text("utf-8") + '\n[access]\nplan = "anyone"\n', "utf-8")
    return create_app([directory], Settings(), warm=False)


@pytest.fixture(scope="module")
def http(planning: FastAPI) -> Any:
    with TestClient(planning, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture
def plan(http: TestClient) -> str:
    made = http.post(AT, json={"name": "판상형", "about": "a slab", "author": "수지"})
    assert made.status_code == 201, made.text
    assert made.headers["location"].endswith(made.json()["id"])
    return str(made.json()["id"])


def block(number: int = 0, height: float = 30.0) -> dict[str, Any]:
    x, y = X - 100 + 25 * number, Y - 100
    ring = [[x, y], [x + 20, y], [x + 20, y + 10], [x, y + 10]]
    return {"op": "add", "object": f"new/{number:08x}", "parts": [{"outline": ring, "top_m": height}]}


def send(http: TestClient, plan: str, *edits: dict[str, Any], **more: Any) -> Any:
    return http.post(f"{AT}/{plan}/edits", json={"edits": list(edits), "seen": 1, "author": "수지", **more})


def revision(http: TestClient, plan: str) -> int:
    return int(http.get(f"{AT}/{plan}").json()["revision"])


def test_a_new_scenario_rests_on_the_buildings_as_they_are(http: TestClient, plan: str) -> None:
    said = http.get(f"{AT}/{plan}").json()
    assert set(said["base"]) == {"buildings", "building-parts"}
    assert all(one["current"] for one in said["base"].values()) and said["moved"] is False
    assert said["author"] == {"name": "수지", "kind": "anyone", "verified": False}
    assert (said["state"], said["edits"], said["revision"]) == ("draft", 0, 1)
    assert plan in [one["id"] for one in http.get(AT).json()["scenarios"]]


def test_an_edit_is_in_the_journal_with_its_author_and_in_force(http: TestClient, plan: str) -> None:
    sent = send(http, plan, block(), {"op": "set", "object": "way/2", "height_m": 9})
    assert sent.status_code == 201, sent.text
    journal = http.get(f"{AT}/{plan}/edits").json()
    assert [one["edit"]["op"] for one in journal["entries"]] == ["add", "set"]
    assert journal["entries"][0]["author"]["name"] == "수지"
    assert [one["object"] for one in journal["in_force"]] == ["new/00000000", "way/2"]
    assert http.get(f"{AT}/{plan}").json()["edits"] == 2


def test_what_it_builds_can_be_drawn(http: TestClient, plan: str) -> None:
    send(
        http,
        plan,
        block(),
        {"op": "remove", "object": "way/2"},
        {"op": "set", "object": "relation/1", "height_m": 200},
    )
    drawn = http.get(f"{AT}/{plan}/objects")
    assert drawn.headers["content-type"].startswith("application/geo+json")
    body = drawn.json()
    assert body["removed"] == ["way/2"]
    features = {one["id"]: one for one in body["features"]}
    assert set(features) == {"new/00000000", "relation/1"}
    slab = features["new/00000000"]
    assert slab["properties"]["op"] == "add" and slab["properties"]["area_m2"] == 200.0
    lon, lat = slab["geometry"]["coordinates"][0][0]
    assert 127.0 < lon < 127.2 and 37.4 < lat < 37.6
    (part,) = slab["properties"]["parts"]
    assert part["outline"] == block()["parts"][0]["outline"] and part["top_m"] == 30.0
    tops = [one["top_m"] for one in features["relation/1"]["properties"]["parts"]]
    assert tops == [100.0, 200.0]


def test_a_building_that_nobody_touched_can_be_asked_for_beside_them(http: TestClient, plan: str) -> None:
    body = http.get(f"{AT}/{plan}/objects", params={"ids": "way/2"}).json()
    (house,) = body["features"]
    assert (house["id"], house["properties"]["op"]) == ("way/2", "")
    assert len(house["properties"]["parts"][0]["outline"]) == 4
    assert http.get(f"{AT}/{plan}/objects", params={"ids": "way/9"}).status_code == 404


def test_who_writes_what_another_has_written_since_is_told_who_when_and_what(
    http: TestClient, plan: str
) -> None:
    mine = {"op": "set", "object": "way/2", "height_m": 9}
    theirs = {"op": "set", "object": "way/2", "height_m": 12}
    assert send(http, plan, theirs, author="민호", client="b").status_code == 201
    refused = send(http, plan, mine, client="a")
    assert refused.status_code == 409
    body = refused.json()
    assert "민호" in body["detail"] and body["conflicts"][0]["edit"]["height_m"] == 12.0
    assert body["conflicts"][0]["author"]["name"] == "민호" and body["conflicts"][0]["at"]
    insisted = send(http, plan, mine, client="a", seen=body["revision"])
    assert insisted.status_code == 201
    journal = http.get(f"{AT}/{plan}/edits").json()
    assert [one["edit"]["height_m"] for one in journal["entries"]] == [12.0, 9.0]
    assert journal["in_force"][0]["height_m"] == 9.0


def test_two_who_write_different_buildings_do_not_meet(http: TestClient, plan: str) -> None:
    assert send(http, plan, {"op": "set", "object": "way/2", "height_m": 9}, client="a").status_code == 201
    assert send(http, plan, {"op": "remove", "object": "relation/1"}, client="b").status_code == 201
    assert http.get(f"{AT}/{plan}").json()["edits"] == 2


def test_a_client_does_not_overtake_itself(http: TestClient, plan: str) -> None:
    for height in (9, 10, 11):
        assert (
            send(http, plan, {"op": "set", "object": "way/2", "height_m": height}, client="a").status_code
            == 201
        )


def test_an_edit_is_taken_back_and_brought_again_and_nothing_is_lost(http: TestClient, plan: str) -> None:
    number = send(http, plan, {"op": "set", "object": "way/2", "height_m": 9}).json()["revision"]
    back = http.post(f"{AT}/{plan}/edits", json={"undo": [number], "seen": number}).json()
    assert http.get(f"{AT}/{plan}").json()["edits"] == 0
    journal = http.get(f"{AT}/{plan}/edits").json()
    assert [one["undone_by"] for one in journal["entries"]] == [back["revision"], None]
    twice = http.post(f"{AT}/{plan}/edits", json={"undo": [number], "seen": back["revision"]})
    assert twice.status_code == 400 and "taken back by" in twice.json()["detail"]
    http.post(f"{AT}/{plan}/edits", json={"undo": [back["revision"]], "seen": back["revision"]})
    assert http.get(f"{AT}/{plan}").json()["edits"] == 1


def test_with_an_added_building_goes_what_was_done_to_it(http: TestClient, plan: str) -> None:
    number = send(http, plan, block()).json()["revision"]
    send(http, plan, {"op": "set", "object": "new/00000000", "move": [5, 5]}, seen=number)
    http.post(f"{AT}/{plan}/edits", json={"undo": [number], "seen": number + 1})
    assert http.get(f"{AT}/{plan}/edits").json()["in_force"] == []


def test_without_the_revision_that_is_meant_nothing_is_written(http: TestClient, plan: str) -> None:
    sent = http.post(f"{AT}/{plan}/edits", json={"edits": [block()]})
    assert sent.status_code == 428 and "seen" in sent.json()["detail"]
    assert send(http, plan, block(), seen=99).status_code == 400


@pytest.mark.parametrize(
    ("edit", "parameter"),
    [
        ({"op": "set", "object": "way/2", "height_m": 5000}, "edits[0].height_m"),
        ({"op": "set", "object": "way/404", "height_m": 5}, "edits[0].object"),
        ({"op": "paint", "object": "way/2"}, "edits[0].op"),
        ({"op": "add", "outline": {"type": "Polygon", "coordinates": [[[127.1, 37.5], [127.101, 37.501], [127.101, 37.5], [127.1, 37.501], [127.1, 37.5]]]}, "height_m": 9}, "edits[0].parts[0].outline"),
        ({"op": "add", "outline": {"type": "Polygon", "coordinates": [[[127.2, 37.5], [127.201, 37.5], [127.201, 37.501], [127.2, 37.5]]]}, "height_m": 9}, "edits[0].parts"),
    ],
)  # fmt: skip
def test_an_edit_that_cannot_be_is_named_and_none_of_its_company_is_made(
    http: TestClient, plan: str, edit: dict[str, Any], parameter: str
) -> None:
    sent = send(http, plan, edit, block())
    assert sent.status_code == 400, sent.text
    assert sent.json()["parameter"] == parameter
    assert http.get(f"{AT}/{plan}").json()["edits"] == 0


def test_a_later_edit_of_the_same_body_sees_the_earlier_one(http: TestClient, plan: str) -> None:
    assert (
        send(http, plan, block(), {"op": "set", "object": "new/00000000", "height_m": 60}).status_code == 201
    )
    again = send(http, plan, block(), seen=revision(http, plan))
    assert again.status_code == 400 and "already" in again.json()["detail"]


def test_a_new_building_without_an_id_gets_one(http: TestClient, plan: str) -> None:
    slab = block()
    del slab["object"]
    (entry,) = send(http, plan, slab).json()["entries"]
    assert entry["object"].startswith("new/") and len(entry["object"]) == 12


def test_a_branch_begins_where_the_other_stands_and_goes_its_own_way(http: TestClient, plan: str) -> None:
    send(http, plan, block(), author="민호")
    made = http.post(f"{AT}/{plan}/branches", json={"name": "탑상형", "author": "수지"}).json()
    assert (made["parent"], made["edits"]) == (plan, 1)
    assert made["digest"] == http.get(f"{AT}/{plan}").json()["digest"]
    journal = http.get(f"{AT}/{made['id']}/edits").json()
    assert journal["entries"][0]["author"]["name"] == "민호"
    assert journal["entries"][0]["copied"]["scenario"] == plan
    send(http, made["id"], {"op": "remove", "object": "new/00000000"}, seen=made["revision"])
    assert http.get(f"{AT}/{made['id']}").json()["edits"] == 0
    assert http.get(f"{AT}/{plan}").json()["edits"] == 1


def test_any_revision_can_be_read(http: TestClient, plan: str) -> None:
    first = send(http, plan, block()).json()["revision"]
    send(http, plan, {"op": "remove", "object": "new/00000000"}, seen=first)
    before = http.get(f"{AT}/{plan}/objects", params={"revision": first}).json()
    assert [one["id"] for one in before["features"]] == ["new/00000000"]
    assert http.get(f"{AT}/{plan}/edits", params={"revision": 99}).status_code == 400


def test_a_withdrawn_scenario_leaves_the_list_and_is_not_changed_any_more(
    http: TestClient, plan: str
) -> None:
    assert http.delete(f"{AT}/{plan}", params={"author": "수지"}).status_code == 204
    assert plan not in [one["id"] for one in http.get(AT).json()["scenarios"]]
    kept = http.get(AT, params={"state": "withdrawn"}).json()["scenarios"]
    assert plan in [one["id"] for one in kept]
    refused = send(http, plan, block())
    assert refused.status_code == 409 and "branch" in refused.json()["detail"]
    assert http.post(f"{AT}/{plan}/comments", json={"text": "pity"}).status_code == 201


def test_it_is_renamed_and_described_in_its_journal(http: TestClient, plan: str) -> None:
    changed = http.patch(
        f"{AT}/{plan}", json={"name": "긴 판상형", "parameters": {"date": "2026-12-22"}, "author": "민호"}
    )
    assert changed.json()["name"] == "긴 판상형" and changed.json()["parameters"] == {"date": "2026-12-22"}
    assert changed.json()["revision"] == 3


def test_what_is_said_stands_beside_its_place(http: TestClient, plan: str) -> None:
    said = {"text": "너무 높아요", "object": "way/2", "lon": 127.1, "lat": 37.5, "author": "주민"}
    assert http.post(f"{AT}/{plan}/comments", json=said).status_code == 201
    (one,) = http.get(f"{AT}/{plan}/comments").json()["comments"]
    assert (one["text"], one["object"], one["lon"], one["author"]["name"]) == (
        "너무 높아요",
        "way/2",
        127.1,
        "주민",
    )


def test_two_who_look_see_each_other_and_what_they_hold(http: TestClient, plan: str) -> None:
    http.post(f"{AT}/{plan}/presence", json={"client": "a", "object": "way/2", "author": "수지"})
    seen = http.post(f"{AT}/{plan}/presence", json={"client": "b", "author": "민호"}).json()["present"]
    assert [(one["client"], one["object"], one["author"]["name"]) for one in seen] == [
        ("a", "way/2", "수지"),
        ("b", "", "민호"),
    ]
    left = http.post(f"{AT}/{plan}/presence", json={"client": "a", "leaves": True}).json()["present"]
    assert [one["client"] for one in left] == ["b"]
    assert revision(http, plan) == 1


def test_whoever_may_not_plan_may_look(client: TestClient, owner: dict[str, str]) -> None:
    assert client.post("/twins/small/scenarios", json={"name": "x"}).status_code == 401
    assert client.get("/twins/small/scenarios").status_code == 200
    assert client.get("/twins/small/scenarios/none").status_code == 404
