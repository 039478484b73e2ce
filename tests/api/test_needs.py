from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.api.desk import write_desk

from twintown.app import create_app
from twintown.settings import Settings
from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow  # twins and servers: the quick tests have two minutes

T = "/twins/small"
NEED = {"place": "s1", "product": "rice", "quantity_kg": 40, "date": "2090-09-19"}
WEEK = {"from": "2090-09-18", "until": "2090-09-22"}  # Monday to Friday
EVENT = {
    "kind": "market", "title": {"ko": "장터", "en": "Market"}, "about": {"ko": "장", "en": "Stalls"}, "host": "", "agreement": "",
    "place": {"name": {"ko": "광장", "en": "Square"}, "venue": "", "lon": 127.096, "lat": 37.513},
    "start": "2090-09-19T11:00:00+09:00", "end": "2090-09-19T19:00:00+09:00", "organiser": {"name": "구청", "department": "축제"},
    "visitors": {"expected": 4000, "error": 800, "source": "assumed", "note": ""},
    "stands": [
        {"id": "s1", "name": {"ko": "쌀", "en": "Rice"}, "lon": 127.096, "lat": 37.513, "heading_deg": 0, "width_m": 3, "depth_m": 3,
         "products": ["rice"], "power": None, "water": None},
        {"id": "s2", "name": {"ko": "과일", "en": "Fruit"}, "lon": 127.0961, "lat": 37.513, "heading_deg": 0, "width_m": 3, "depth_m": 3,
         "products": ["peach", "rice"], "power": None, "water": None},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_desk(tmp_path_factory.mktemp("needs") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="module")
def client(place: Path, dist: Path) -> Iterator[TestClient]:
    token = (place / "owner.token").read_text().strip()
    app = create_app([place], Settings(web=dist), warm=False)
    with TestClient(app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {token}"}) as one:
        yield one


def test_a_need_is_written_found_and_taken_away(client):
    sent = client.post(f"{T}/needs", json={"needs": [NEED], "author": "Kim"})
    assert (sent.status_code, sent.json()["made"], sent.json()["findings"]) == (201, 1, [])
    [one] = client.get(f"{T}/needs?place=s1").json()["needs"]
    assert (one["quantity_kg"], one["place_kind"], one["source"], one["grade_min"]) == (
        40.0,
        "stand",
        "assumed",
        "upper",
    )
    assert client.delete(f"{T}/needs/{one['id']}?author=Kim").status_code == 204
    assert client.get(f"{T}/needs?place=s1").json()["count"] == 0
    assert client.delete(f"{T}/needs/{one['id']}").status_code == 404


def test_a_need_that_nobody_can_meet_says_what_would_meet_it(client):
    wanted = {**NEED, "id": "dear", "place": "s9", "price_max_krw_kg": 2000}
    sent = client.post(
        f"{T}/needs", json={"needs": [wanted, {**NEED, "id": "other", "place": "s9", "product": "potato"}]}
    )
    found = {one["row"]: one for one in sent.json()["findings"]}
    assert found["dear"]["code"] == "price" and "2,500" in found["dear"]["text"]["en"]
    assert found["other"]["code"] == "no-lot"
    listed = client.get(f"{T}/needs?place=s9").json()["findings"]
    assert {one["row"] for one in listed} == {"dear", "other"}
    for id in ("dear", "other"):
        client.delete(f"{T}/needs/{id}")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"quantity_kg": -1}, "needs/0/quantity_kg"),
        ({"product": "ginseng"}, "needs/0/product"),
        ({"date": "soon"}, "needs/0/date"),
    ],
)
def test_a_need_that_cannot_be_is_refused_by_its_place_in_the_body(client, more, field):
    sent = client.post(f"{T}/needs", json={"needs": [{**NEED, **more}]})
    assert (sent.status_code, sent.json()["parameter"]) == (400, field)


def test_kitchens_need_meals_times_grams_on_school_days_and_asking_again_replaces(client):
    sent = client.post(f"{T}/kitchens/needs", json={**WEEK, "author": "Lee"})
    assert sent.status_code == 201, sent.text
    said = sent.json()
    # two kitchens, rice on five days, peaches on Tuesday in the one that serves them
    assert (said["made"], said["removed"]) == (11, 0)
    assert {(one["date"], one["product"], one["kg"]) for one in said["sums"]} >= {
        ("2090-09-19", "peach", 45.0),
        ("2090-09-18", "rice", 56.0),
    }
    assert {one["code"] for one in said["basis"]} >= {"meal-error", "grade", "delivery-window"}
    assert [one["row"] for one in said["findings"] if one["code"] == "allergen"] == ["school-2"]
    again = client.post(
        f"{T}/kitchens/needs", json={**WEEK, "menu": [["rice-bowl"]], "kitchens": ["school-1"]}
    ).json()
    assert (again["made"], again["removed"]) == (5, 6)
    listed = client.get(f"{T}/needs?place_kind=kitchen&from=2090-09-19&until=2090-09-19").json()
    assert {(one["place"], one["product"]) for one in listed["needs"]} == {
        ("school-1", "rice"),
        ("school-2", "rice"),
    }


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"until": "2090-09-01"}, "until"), ({"menu": [["soup"]]}, "menu"), ({"kitchens": ["nobody"]}, "kitchens"),
        ({"from_h": 9.0}, "until_h"), ({"closed": ["never"]}, "closed"),
    ],
)  # fmt: skip
def test_a_question_for_kitchens_that_cannot_be_is_refused_by_its_field(client, more, field):
    sent = client.post(f"{T}/kitchens/needs", json={**WEEK, **more})
    assert (sent.status_code, sent.json()["parameter"]) == (400, field)


def test_stands_need_what_the_visitors_of_the_event_buy_and_what_an_officer_wrote_stays(client):
    made = client.post(f"{T}/events", json={"event": EVENT, "author": "Park"})
    assert made.status_code == 201, made.text
    event = made.json()["id"]
    client.post(f"{T}/needs", json={"needs": [{**NEED, "id": "by-hand", "event": event, "place": "s2"}]})
    mix = {
        "buying_share": 0.1,
        "baskets": {"rice": {"share": 0.5, "kg": 4}, "peach": {"share": 0.25, "kg": 2}},
    }
    sent = client.post(f"{T}/events/{event}/needs", json={"mix": mix, "author": "Park"})
    assert sent.status_code == 201, sent.text
    total = sum(one["expected"] for one in client.get(f"{T}/events/{event}/visitors").json()["hours"])
    sums = {one["product"]: one for one in sent.json()["sums"]}
    assert sums["rice"]["kg"] == pytest.approx(total * 0.1 * 0.5 * 4, abs=8)  # whole bags
    assert sums["rice"]["places"] == 2
    assert {one["code"] for one in sent.json()["basis"]} >= {
        "buying-share",
        "basket-rice",
        "basket-peach",
        "expected",
    }
    again = client.post(f"{T}/events/{event}/needs", json={"author": "Park"}).json()
    assert (again["made"], again["removed"]) == (3, 3)
    listed = client.get(f"{T}/needs?event={event}").json()
    assert [one["code"] for one in listed["findings"]] == ["short"]  # 300 kg of peaches are offered
    assert "by-hand" in {one["id"] for one in client.get(f"{T}/needs?event={event}").json()["needs"]}

    assert client.delete(f"{T}/events/{event}?why=rain").status_code < 300
    said = client.get(f"{T}/needs?event={event}").json()["findings"]
    assert ("event-over", event) in {(one["code"], one["row"]) for one in said}
    assert client.delete(f"{T}/events/{event}/needs?author=Park").status_code == 204
    assert client.get(f"{T}/needs?event={event}").json()["count"] == 0
    assert client.delete(f"{T}/events/{event}/needs").status_code == 404


def test_an_event_that_is_not_there_needs_nothing(client):
    assert client.post(f"{T}/events/ev-{'0' * 24}/needs", json={}).status_code == 404


def test_sums_and_findings_are_of_all_rows_though_fewer_are_sent(client):
    said = client.get(f"{T}/needs?limit=0").json()
    assert said["needs"] == []
    assert said["count"] > 0 and sum(one["places"] for one in said["sums"]) > 0


def test_needs_are_written_by_who_plans_only(client):
    for path, body in (
        ("needs", {"needs": [NEED]}),
        ("kitchens/needs", WEEK),
        (f"events/ev-{'0' * 24}/needs", {}),
    ):
        assert client.post(f"{T}/{path}", json=body, headers={"Authorization": ""}).status_code == 401
    assert client.delete(f"{T}/needs/x", headers={"Authorization": ""}).status_code == 401
