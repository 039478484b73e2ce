"""Two cities, two servers, one agreement: a draft and the sun are shared, narrowed, signed, used, stopped, and both ledgers tell of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.flows.cities import City, _free, serving

from twintown.trust.keys import signing_key
from twintown.trust.peer_file import pin
from twintown.trust.peers import Peer
from twintown.twin.description import Description

OSM = "© OpenStreetMap contributors"


@pytest.fixture(scope="module")
def cities(towns: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, City]]:
    here = tmp_path_factory.mktemp("handshake")
    both = []
    for town in towns:
        shutil.copytree(town, here / town.name)
        both.append(City(Description.load(town).id, here / town.name, f"http://127.0.0.1:{_free()}"))
    seoul, icheon = both
    for one, other in ((seoul, icheon), (icheon, seoul)):
        keys = [signing_key(other.folder).public]
        pin(
            one.folder,
            Peer.of(other.id, {"address": other.address, "keys": keys, "country": "KR", "grade": "S"}),
        )
    with serving(seoul), serving(icheon):
        yield seoul, icheon


def _draft(city: City) -> str:
    """A scenario with one building of the city's own making, in the middle of the twin."""
    made = city.ask("POST", "/scenarios", 201, json={"name": "새 동", "author": "Kim"})
    x, y = _middle(city)
    outline = [[x, y], [x + 12, y], [x + 12, y + 12], [x, y + 12]]
    part = {"outline": outline, "holes": [], "base_m": 0, "eave_m": 30, "top_m": 30, "roof_shape": "flat"}
    body = {
        "seen": 0,
        "edits": [{"op": "add", "object": "new/0a1b2c3d", "parts": [part]}],
        "author": "Kim",
        "client": "flow",
    }
    city.ask("POST", f"/scenarios/{made['id']}/edits", 201, json=body)
    return str(made["id"])


def _middle(city: City) -> tuple[float, float]:
    bounds = Description.load(city.folder).bounds
    return round((bounds.xmin + bounds.xmax) / 2, 1), round((bounds.ymin + bounds.ymax) / 2, 1)


def _around(city: City, half_m: float) -> list[float]:
    """A box of degrees around the middle of a twin."""
    from twintown.ground.bounds import Bounds

    x, y = _middle(city)
    frame = Description.load(city.folder).frame
    return [
        round(one, 6)
        for one in frame.lonlat_bounds(Bounds(x - half_m, y - half_m, x + half_m, y + half_m)).as_tuple()
    ]


@pytest.mark.slow
def test_two_cities_share_a_draft_and_the_sun_until_the_red_button(cities: tuple[City, City]) -> None:
    seoul, icheon = cities
    # Seoul offers a draft of its own making and its sun; the security officer lets it go
    plan = _draft(seoul)
    terms = {"assets": [f"scenario:{plan}", "process:sunlight"], "attribution": OSM}
    offer = seoul.ask("POST", "/offers", 201, json={"assignee": icheon.id, "terms": terms, "author": "Lee"})
    assert offer["state"] == "waiting"
    for release in seoul.ask("GET", "/releases")["releases"]:
        if release["state"] == "waiting":
            seoul.ask(
                "POST",
                f"/releases/{release['id']}/decision",
                json={"allow": True, "why": "a draft for the partner"},
            )
    # Icheon reads the catalogue and asks for a smaller area and a last day
    (dataset,) = icheon.ask("GET", f"/peers/{seoul.id}/catalogue")["datasets"]
    (offered,) = dataset["offers"]
    wanted = {**offered["terms"], "area": _around(seoul, 60), "until": "2031-12-31T15:00:00Z"}
    body = {
        "peer": seoul.id,
        "dataset": dataset["id"],
        "offer": offered["id"],
        "terms": wanted,
        "author": "Park",
    }
    theirs = icheon.ask("POST", "/negotiations", 201, json=body)["pid"]
    deal = seoul.wait("/negotiations", lambda said: said["negotiations"])["negotiations"][0]
    assert deal["turn"] == "ours"
    # both sign; what follows needs nobody
    seoul.ask("POST", f"/negotiations/{deal['pid']}/agree", json={"author": "Lee"})
    deal = icheon.wait(f"/negotiations/{theirs}", lambda said: said["state"] == "FINALIZED")
    id = deal["agreement"]
    ours, mine = seoul.ask("GET", f"/agreements/{id}"), icheon.ask("GET", f"/agreements/{id}")
    assert ours["digest"] == mine["digest"]
    assert [one["good"] for one in (*ours["signatures"], *mine["signatures"])] == [True] * 4
    assert "제1조" in icheon.ask("GET", f"/agreements/{id}/contract?lang=ko")
    # the draft shows in Icheon through its own server, marked as Seoul's
    (door,) = icheon.wait("/partners", lambda said: said["partners"][0]["transfer"] == "STARTED")["partners"]
    way, (layer,) = f"/partners/{id}", door["layers"]
    rows = icheon.ask("GET", f"{way}/collections/{layer}/items")["features"]
    assert [one["properties"]["height_m"] for one in rows] == [30.0]
    # the sun is computed in Seoul, on buildings that never leave it; the result and its manifest come back
    inputs = {"inputs": {"date": "2026-12-22"}}
    job = icheon.ask(
        "POST", f"{way}/processes/sunlight/execution", 201, json=inputs, headers={"Prefer": "respond-async"}
    )
    found = icheon.wait(
        f"{way}/jobs/{job['jobID']}", lambda said: said["status"] not in ("accepted", "running"), 180
    )
    assert found["status"] == "successful", found
    results = icheon.ask("GET", f"{way}/jobs/{job['jobID']}/results")
    assert results
    manifest = json.loads(icheon.raw("GET", f"{way}/jobs/{job['jobID']}/manifest"))
    assert manifest["proof"]["verificationMethod"].startswith(seoul.did)
    # outside the agreement Seoul refuses with its reason
    for path, code in (
        (f"{layer}/items?bbox=10,10,11,11", "outside-area"),
        ("buildings/items", "not-in-agreement"),
    ):
        refused = icheon.ask("GET", f"{way}/collections/{path}", 403)
        assert refused["code"] == code
    # the red button: the very next request is refused, in well under a second everywhere
    seoul.ask("POST", f"/agreements/{id}/suspension", json={"why": "a mistake in the draft", "author": "Lee"})
    assert icheon.ask("GET", f"{way}/collections/{layer}/items", 403)["code"] == "agreement-suspended"
    heard = icheon.wait(f"/agreements/{id}", lambda said: said["state"] == "suspended")
    assert heard["change"]["why"] == "a mistake in the draft"
    seoul.ask("DELETE", f"/agreements/{id}/suspension")
    icheon.wait(f"/agreements/{id}", lambda said: said["state"] == "active")
    assert icheon.ask("GET", f"{way}/collections/{layer}/items")["features"]
    icheon.ask("POST", f"/agreements/{id}/end", json={"why": "the comparison is done", "author": "Park"})
    assert icheon.ask("GET", f"{way}/collections/{layer}/items", 403)["code"] == "agreement-ended"
    seoul.wait(f"/agreements/{id}", lambda said: said["state"] == "ended")
    # both ledgers prove it
    wanted_kinds = ["agreement", "suspension", "resumption", "end", "recall"]
    for city in cities:
        told = [one["kind"] for one in city.ask("GET", f"/agreements/{id}")["ledger"]]
        assert [kind for kind in dict.fromkeys(told) if kind in wanted_kinds] == wanted_kinds, told
        last = max(one["seq"] for one in city.ask("GET", f"/agreements/{id}")["ledger"])
        proof = _proved(city, last)
        assert proof


def _told(city: City, path: str) -> str:
    """The first line of a stream of events."""
    token = (city.folder / "owner.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    with httpx.stream("GET", f"{city.address}{path}", headers=headers, timeout=30) as said:
        assert said.headers["content-type"].startswith("text/event-stream"), said.read()
        return next(line for line in said.iter_lines() if line)


def _proved(city: City, entry: int) -> Any:
    """The proof of an entry, once the keeper has put it into the tree."""
    ends = time.monotonic() + 20
    while True:
        token = (city.folder / "owner.token").read_text().strip()
        said = httpx.get(
            f"{city.address}/ledger/proof?entry={entry}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        if said.status_code == 200:
            return said.json()
        assert time.monotonic() < ends, said.text
        time.sleep(0.1)
