"""Attacks of a partner on what its agreement does not name: events, offers, needs, plans of deliveries, certificates, recalls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.conftest import write_twin
from tests.api.partner import agree
from tests.flows.test_leaks import AREA, LAYERS, C, T
from tests.programme.lots import MAKER, deliveries, lots, put, with_desk

from twintown.app import create_app
from twintown.settings import Settings
from twintown.trust.identity import make_token
from twintown.trust.terms import Asset, Terms


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("programme") / "small")
    make_token(directory)
    twin = with_desk(directory, "lots", "producers", "needs")
    put(twin, "producers", {"p-1": MAKER})
    lots(twin, 3)
    row = {"lot": "icn-rice-00000", "need": "n", "place": "st-1", "quantity_kg": 5.0, "date": "2027-09-18"}
    for layer in ("deliveries", "deliveries-01m3r7hy2k"):
        deliveries(twin, [row], layer)
    return directory


@pytest.fixture(scope="module")
def app(place: Path) -> FastAPI:
    return create_app([place], Settings(), warm=False)


@pytest.fixture(scope="module")
def http(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def peer(place: Path) -> dict[str, str]:
    return agree(place, Terms((*LAYERS, Asset("process", "stands")), area=AREA))


@pytest.fixture(scope="module")
def officer(place: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {(place / 'owner.token').read_text().strip()}"}


EVENT, LOT = f"ev-{'0' * 24}", "icn-rice-00000"
REACH: list[tuple[str, str]] = [
    ("GET", "/events"), ("GET", "/events.ics"), ("POST", "/events"), ("POST", "/events/import"),
    *((way, f"/events/{EVENT}{tail}") for way, tail in (
        ("GET", ""), ("PUT", ""), ("DELETE", "?why=x"), ("GET", "/visitors"), ("GET", "/duties"), ("GET", "/calendar.ics"),
        ("POST", "/meetings"), ("POST", "/needs"), ("DELETE", "/needs"), ("POST", "/proposal"), ("POST", "/answer"), ("GET", "/joint"),
        ("GET", "/account"), ("POST", "/account"), ("GET", "/account/document"),
    )),
    ("GET", "/lots"), ("POST", "/lots"), ("PATCH", f"/lots/{LOT}"), ("POST", f"/lots/{LOT}/failure"), ("POST", f"/lots/{LOT}/recall"),
    ("GET", "/needs"), ("POST", "/needs"), ("DELETE", "/needs/x"), ("POST", "/kitchens/needs"), ("GET", "/produce"),
    ("GET", "/certificates"), ("POST", "/certificates"), ("GET", "/recalls"), ("POST", "/recalls/x/seen"), ("GET", "/labels"),
    ("POST", "/stages/score"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), REACH, ids=lambda said: str(said)[:60])
def test_an_agreement_reaches_none_of_the_programme_that_it_does_not_name(
    http: TestClient, peer: dict[str, str], method: str, path: str
) -> None:
    stage = {"inputs": {"stage": {"lon": AREA[0], "lat": AREA[1]}}}
    answer = http.request(method, f"{T}{path}", headers=peer, json=None if method == "GET" else stage)
    assert answer.status_code in (400, 403), answer.text
    if answer.status_code == 400:  # a body that does not fit says nothing of what is here
        assert LOT not in answer.text
    else:
        assert answer.json()["code"] in ("not-in-agreement", "outside-area")


@pytest.mark.parametrize("layer", ["lots", "producers", "needs", "deliveries", "deliveries-01m3r7hy2k"])
def test_a_layer_of_the_programme_and_one_that_is_not_there_are_told_alike(
    http: TestClient, peer: dict[str, str], layer: str
) -> None:
    for tail in (
        "",
        "/items",
        f"/items/{LOT}",
        "/schema",
        "/queryables",
        "/tiles",
        "/styles/default/legend",
        "/items?f=csv",
    ):
        there, absent = (
            http.get(f"{C}/{name}{tail}", headers=peer) for name in (layer, "deliveries-0000000000")
        )
        assert there.status_code == absent.status_code == 403, tail
        said: list[Any] = []
        for one, name in ((there, layer), (absent, "deliveries-0000000000")):
            said.append({key: str(value).replace(name, "?") for key, value in one.json().items()})
        assert said[0] == said[1]
        assert there.headers.get("etag") is None and there.headers.get("ogc-numbermatched") is None
    listed = {one["id"] for one in http.get(C, headers=peer).json()["collections"]}
    assert layer not in listed and "roads" in listed
    assert layer in {one["id"] for one in http.get(C).json()["collections"]}


def test_a_city_that_names_its_people_shows_strangers_no_recall_and_lets_them_write_nothing(
    http: TestClient, officer: dict[str, str]
) -> None:
    made = http.post(f"{T}/lots/{LOT}/recall", json={"why": "곰팡이", "author": "김비밀"}, headers=officer)
    assert made.status_code == 201, made.text
    assert http.get(f"{T}/recalls").status_code == 401
    for method, path in REACH:
        if method != "GET" and path not in (f"/events/{EVENT}/meetings", "/stages/score"):
            answer = http.request(method, f"{T}{path}", json={})
            assert answer.status_code in (400, 401), (method, path, answer.text)
            if answer.status_code == 400:
                assert "김비밀" not in answer.text and LOT not in answer.text
