from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.api.desk import write_desk

from twintown.app import create_app
from twintown.settings import Settings
from twintown.trust.identity import make_token
from twintown.trust.people import add_person

T = "/twins/small"
NEW = {
    "producer": "farm-1",
    "product": "rice",
    "quantity_kg": 500,
    "from": "2090-09-10",
    "until": "2090-09-30",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_desk(tmp_path_factory.mktemp("lots") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="module")
def client(place: Path, dist: Path) -> Iterator[TestClient]:
    add_person(place, "Old", "planner")
    with TestClient(
        create_app([place], Settings(web=dist), warm=False), raise_server_exceptions=False
    ) as one:
        yield one


@pytest.fixture(scope="module")
def planner(place: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {add_person(place, 'Ann', 'planner')}"}


def offered(client, planner, **more):
    return client.post(f"{T}/lots", json={"lot": {**NEW, **more}, "author": "x"}, headers=planner)


def test_lots_are_open_to_anyone_with_what_is_odd_about_them(client):
    said = client.get(f"{T}/lots").json()
    assert said["desk"] is True
    assert {"l-rice", "l-peach", "s-rice"} <= {one["id"] for one in said["lots"]}
    one = next(one for one in said["lots"] if one["id"] == "l-peach")
    assert (one["from"], one["allergens"], one["state"], one["author"]) == ("2090-09-16", "11", "offered", "")


def test_a_planner_offers_a_lot_which_takes_its_place_from_its_producer(client, planner):
    sent = offered(
        client, planner, error_kg=50, batch="", variety="", note=""
    )  # as a form with empty fields sends it
    assert sent.status_code == 201
    said = sent.json()
    assert said["id"] == "rice-2090-01"
    assert (said["batch"], said["gtin"], said["shelf_life_d"]) == ("RICE-2090-01", "02900000000018", 90)
    assert (said["lon"], said["lat"]) == pytest.approx((127.096, 37.5128), abs=1e-7)
    assert said["origin_en"] == "Jamsil-dong, Small Jamsil"
    assert said["author"] == "Ann" and said["at"].endswith("Z")
    again = client.get(f"{T}/collections/lots/items/rice-2090-01").json()
    assert again["properties"]["quantity_kg"] == 500.0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"quantity_kg": -5}, "quantity_kg"), ({"until": "2090-09-01"}, "until"), ({"product": "ginseng"}, "product"),
        ({"producer": "nobody"}, "producer"), ({"producer": ""}, "producer"), ({"product": ""}, "product"),
        ({"promised_kg": 501}, "promised_kg"), ({"gtin": "123"}, "gtin"),
        ({"batch": "no good!"}, "batch"), ({"state": "failed"}, "state"), ({"from": "2090-13-01"}, "from"),
        ({"lon": -60.0, "lat": -89.0}, "lon"),
    ],
)  # fmt: skip
def test_a_lot_that_cannot_be_taken_is_refused_by_the_name_of_its_field(client, planner, more, field):
    sent = offered(client, planner, **more)
    assert sent.status_code == 400
    assert sent.json()["parameter"] == field


def test_the_same_bag_is_not_offered_twice(client, planner):
    assert offered(client, planner, batch="R-1").status_code == 409


def test_an_id_that_is_there_is_not_taken_again(client, planner):
    assert offered(client, planner, id="l-rice", batch="new").status_code == 409


def test_a_field_that_nobody_knows_is_refused(client, planner):
    assert offered(client, planner, weight=5).status_code == 400
    sent = client.patch(f"{T}/lots/l-rice", json={"fields": {"producer": "farm-2"}}, headers=planner)
    assert sent.status_code == 400


def test_changes_come_together_and_a_lot_is_not_promised_twice(client, planner):
    first = client.patch(
        f"{T}/lots/s-rice", json={"fields": {"promised_kg": 100, "promised_to": "stand-1"}}, headers=planner
    )
    assert (first.status_code, first.json()["state"]) == (200, "promised")
    second = client.patch(
        f"{T}/lots/s-rice", json={"fields": {"promised_kg": 50, "promised_to": "stand-2"}}, headers=planner
    )
    assert second.status_code == 409
    third = client.patch(f"{T}/lots/s-rice", json={"fields": {"price_krw_kg": 3100}}, headers=planner).json()
    assert (third["promised_to"], third["promised_kg"], third["price_krw_kg"]) == ("stand-1", 100.0, 3100.0)
    assert (third["lon"], third["lat"]) == pytest.approx((127.9, 37.0), abs=1e-7)


def test_a_lot_fails_once_with_the_reason(client, planner):
    sent = client.post(f"{T}/lots/l-peach/failure", json={"why": "우박"}, headers=planner)
    assert (sent.status_code, sent.json()["state"], sent.json()["why"]) == (200, "failed", "우박")
    assert [one["code"] for one in sent.json()["findings"]] == ["failed"]
    assert client.post(f"{T}/lots/l-peach/failure", json={"why": "again"}, headers=planner).status_code == 409
    assert client.post(f"{T}/lots/none/failure", json={"why": "x"}, headers=planner).status_code == 404


def test_nothing_is_written_without_leave_to_plan(client, place):
    assert offered(client, {}).status_code == 401
    viewer = {"Authorization": f"Bearer {add_person(place, 'Eve', 'viewer')}"}
    assert offered(client, viewer).status_code == 403
    for method, path, body in (
        ("patch", "lots/l-rice", {"fields": {"grade": "upper"}}),
        ("post", "lots/l-rice/failure", {"why": "x"}),
    ):
        assert getattr(client, method)(f"{T}/{path}", json=body, headers=viewer).status_code == 403


def test_who_plans_writes_layers_through_the_desk_only(client, planner):
    at = f"{T}/collections/lots/items/l-rice"
    feature = client.get(at).json()
    assert client.delete(at, headers=planner).status_code == 403
    body = {"type": "Feature", "geometry": None, "properties": feature["properties"]}
    sent = client.put(at, json=body, headers={**planner, "Content-Type": "application/geo+json"})
    assert sent.status_code == 403


def test_a_twin_without_the_desk_says_so(twin_dir, dist):
    with TestClient(create_app([twin_dir], Settings(web=dist), warm=False)) as one:
        assert one.get(f"{T}/lots").json() == {"desk": False, "lots": [], "findings": []}
        assert one.get(f"{T}/needs").json()["desk"] is False
        token = (twin_dir / "owner.token").read_text().strip()
        sent = one.post(f"{T}/lots", json={"lot": NEW}, headers={"Authorization": f"Bearer {token}"})
        assert (sent.status_code, "twintown produce" in sent.json()["detail"]) == (404, True)
