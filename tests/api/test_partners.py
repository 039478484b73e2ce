"""The door to a partner: its ordinary API through our server, and nothing that is not agreed."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from sqlalchemy import select
from tests.exchange.two_cities import ROADS, URL, Two, agreed, draft
from tests.exchange.two_cities import two as two

from twintown.store.engine import reading
from twintown.store.schema_shared import transfers

pytestmark = pytest.mark.slow  # two cities are made for them


def test_a_layer_shows_through_the_door_with_whose_it_is(two: Two) -> None:
    id = agreed(two, {**ROADS, "purposes": ["research", "education"]})
    door = next(one for one in two.taker.ask("GET", "/partners")["partners"] if one["agreement"] == id)
    assert (door["layers"], door["state"], door["transfer"], door["peer_id"]) == (
        ["roads"],
        "active",
        "STARTED",
        "small",
    )
    assert door["href"] == f"{URL}/twins/other/partners/{id}"
    said = two.taker.raw("GET", f"/partners/{id}/collections/roads/items?limit=1")
    assert said.headers["content-type"] == "application/geo+json"
    assert said.headers["twintown-from"] == two.giver.did
    assert unquote(said.headers["twintown-attribution"].removeprefix("UTF-8''")) == ROADS["attribution"]
    assert "no-store" in said.headers["cache-control"]
    page = said.json()
    assert len(page["features"]) == 1
    assert all(one["href"].startswith(door["href"]) for one in page["links"])
    onward = next(one["href"] for one in page["links"] if one["rel"] == "next")
    assert len(two.taker.client.get(onward, headers=two.taker.owner).json()["features"]) == 1
    assert [one["id"] for one in two.taker.ask("GET", f"/partners/{id}/collections")["collections"]] == [
        "roads"
    ]


def test_a_request_outside_what_was_agreed_is_refused_with_its_reason(two: Two) -> None:
    id = agreed(two, {**ROADS, "area": [127.096, 37.512, 127.0965, 37.5125]})
    refused = {
        "collections/buildings/items": "not-in-agreement",
        "collections/vaults/items": "not-in-agreement",
        "collections/nowhere/items": "not-in-agreement",
        "collections/roads/items?bbox=10,10,11,11": "outside-area",
        "processes/sunlight": "not-in-agreement",
    }
    for path, code in refused.items():
        said = two.taker.raw("GET", f"/partners/{id}/{path}")
        assert (said.status_code, said.json()["code"]) == (403, code), path
        assert said.headers["twintown-from"] == two.giver.did
    said = two.taker.raw(
        "GET", f"/partners/{id}/collections/roads/items", headers={"Twintown-Purpose": "sale"}
    )
    assert said.status_code == 200, "this agreement does not limit the purpose"


def test_a_purpose_that_was_not_agreed_is_refused(two: Two) -> None:
    id = agreed(two, {**ROADS, "purposes": ["research", "education"]})
    path = f"/partners/{id}/collections/roads/items"
    assert two.taker.raw("GET", path, headers={"Twintown-Purpose": "education"}).status_code == 200
    said = two.taker.raw("GET", path, headers={"Twintown-Purpose": "advertising"})
    assert (said.status_code, said.json()["code"]) == (403, "purpose")


def test_no_header_of_ours_leaks_and_no_token_comes_back(two: Two) -> None:
    id = agreed(two)
    two.courier.asked.clear()
    sent = {
        "Cookie": "twintown=secret",
        "X-Forwarded-For": "10.0.0.1",
        "Referer": "https://inside",
        "Accept": "text/html",
    }
    said = two.taker.raw("GET", f"/partners/{id}/collections/roads", headers=sent)
    ((method, url, headers),) = two.courier.asked
    assert (method, url) == ("GET", f"{URL}/twins/small/collections/roads")
    assert set(headers) <= {"accept", "accept-encoding", "authorization", "twintown-purpose"}
    assert two.taker.owner["Authorization"] not in headers.values()
    assert "html" not in headers["accept"]
    with reading(two.taker.twin.tables.engine) as connection:
        kept = connection.execute(
            select(transfers.c.address).where(transfers.c.twin == "other", transfers.c.agreement == id)
        ).scalar()
    token = next(one["value"] for one in kept["endpointProperties"] if one["name"] == "authorization")
    assert headers["authorization"] == f"Bearer {token}"
    shown = [said.text, str(said.headers)]
    shown += [
        two.taker.raw("GET", path).text
        for path in ("/partners", "/transfers", "/negotiations", "/agreements", f"/agreements/{id}")
    ]
    shown += [two.giver.raw("GET", "/transfers").text, str(two.giver.records()), str(two.taker.records())]
    assert not any(token in text for text in shown)


def test_a_partner_that_is_away_is_502_with_the_reason(two: Two) -> None:
    id = agreed(two)
    two.courier.away.add(f"{URL}/twins/small")
    said = two.taker.raw("GET", f"/partners/{id}/collections/roads/items")
    assert said.status_code == 502
    assert "small does not answer" in said.json()["detail"]
    assert two.taker.raw("GET", "/peers/small/catalogue").status_code == 502
    two.courier.away.clear()
    assert two.taker.raw("GET", f"/partners/{id}/collections/roads/items").status_code == 200


def test_only_reading_and_asking_goes_through(two: Two) -> None:
    id = agreed(two)
    for path in (
        "agreements",
        "session",
        "collections/..%2Fagreements",
        "scenarios",
        "offers",
        "ledger/entries",
    ):
        assert two.taker.raw("GET", f"/partners/{id}/{path}").status_code in (400, 404), path
    assert two.taker.raw("POST", f"/partners/{id}/collections/roads/items", json={}).status_code == 404
    assert two.taker.raw("DELETE", f"/partners/{id}/collections/roads/items/way/20").status_code == 404
    assert two.taker.raw("PUT", f"/partners/{id}/collections/roads/items/way/20", json={}).status_code == 405
    assert two.taker.raw("GET", f"/partners/{id}/collections/roads/items?f=html").status_code == 400
    assert two.giver.raw("GET", f"/partners/{id}/collections/roads/items").status_code == 404, (
        "we give it, we do not get it"
    )
    assert two.taker.raw("GET", "/partners/urn:uuid:none/collections").status_code == 404


def test_what_was_given_to_the_city_is_not_for_everybody(two: Two) -> None:
    id = agreed(two)
    said = two.taker.client.get(f"{URL}/twins/other/partners/{id}/collections/roads/items")
    assert said.status_code == 401
    assert two.taker.client.get(f"{URL}/twins/other/partners").status_code == 401


def test_a_draft_shows_at_the_partner_and_its_process_runs_where_the_data_is(two: Two) -> None:
    id = agreed(
        two,
        {
            "assets": [f"scenario:{draft(two.giver, (0, 140))}", "process:sunlight"],
            "attribution": ROADS["attribution"],
        },
    )
    door = next(one for one in two.taker.ask("GET", "/partners")["partners"] if one["agreement"] == id)
    (layer,) = door["layers"]
    rows = two.taker.ask("GET", f"/partners/{id}/collections/{layer}/items")["features"]
    assert [one["properties"]["state"] for one in rows] == ["new"]
    assert two.taker.raw("GET", f"/partners/{id}/collections/buildings/items").status_code == 403, (
        "the data stays there"
    )
    asked = two.taker.raw(
        "POST",
        f"/partners/{id}/processes/sunlight/execution",
        json={"inputs": {}},
        headers={"Prefer": "respond-async"},
    )
    assert asked.status_code == 201, asked.text
    assert asked.headers["location"].startswith(f"{door['href']}/jobs/")
    status = two.taker.client.get(asked.headers["location"], headers=two.taker.owner).json()
    assert (status["processID"], status["author"]) == ("sunlight", two.taker.did)
    gone = two.taker.client.delete(asked.headers["location"], headers=two.taker.owner)
    assert gone.status_code == 200
    assert gone.json()["status"] == "dismissed"
    other = {"inputs": {"scenario": "secret"}}
    refused = two.taker.raw("POST", f"/partners/{id}/processes/sunlight/execution", json=other)
    assert refused.status_code == 403, "a question leads nowhere else"
