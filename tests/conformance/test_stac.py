"""STAC API 1.0.0 over the layers.

https://api.stacspec.org/v1.0.0/core
https://api.stacspec.org/v1.0.0/collections
https://api.stacspec.org/v1.0.0/ogcapi-features
https://api.stacspec.org/v1.0.0/item-search
"""

from __future__ import annotations

from typing import Any

import pytest
from pystac import Catalog, Collection, Item
from pystac.validation import stac_validator, validate_dict
from starlette.testclient import TestClient
from tests.conformance.conftest import LAYERS, ROOT, Get, links

STAC = "/stac"
KINDS = ["features", "table", "series", "grid"]


class _Core(stac_validator.JsonSchemaSTACValidator):
    """The validator with the schemas that it brings; extensions lie on the net."""

    def validate_extension(self, *args: Any, **kwargs: Any) -> None:
        return None


def names(body: dict[str, Any]) -> set[str]:
    return {one["properties"]["twintown:layer"] for one in body["features"]}


@pytest.mark.parametrize("path", [STAC, f"{STAC}/"])
def test_core_landing_page_is_a_catalog(get: Get, path: str) -> None:
    body = get(path, accept="application/json").json()
    assert body["type"] == "Catalog" and body["stac_version"] and body["id"] == "small"
    validate_dict(body, validator=_Core())
    Catalog.from_dict(body)
    assert {
        f"https://api.stacspec.org/v1.0.0/{name}"
        for name in ("core", "collections", "ogcapi-features", "item-search")
    } <= set(body["conformsTo"])
    for rel in ("self", "root", "service-desc", "service-doc", "conformance", "data", "search"):
        assert links(body, rel), rel
    assert {link["method"] for link in links(body, "search")} == {"GET", "POST"}
    for link in body["links"]:
        if link.get("method") != "POST":
            answer = get(link["href"])
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0]


def test_collections_one_a_kind_with_extent_and_licence(get: Get) -> None:
    body = get(f"{STAC}/collections").json()
    assert [one["id"] for one in body["collections"]] == KINDS
    assert links(body, "self") and links(body, "root")
    for one in body["collections"]:
        validate_dict(one, validator=_Core())
        Collection.from_dict(one)
        assert one == get(f"{STAC}/collections/{one['id']}").json()
        assert one["license"] == "ODbL-1.0"
    assert get(f"{STAC}/collections/nowhere").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_ogcapi_features_items_of_a_collection(get: Get, kind: str) -> None:
    answer = get(f"{STAC}/collections/{kind}/items")
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert names(body) == {name for name, one in LAYERS.items() if one == kind}
    for one in body["features"]:
        validate_dict(one, validator=_Core())
        Item.from_dict(one)
        assert one["collection"] == kind
        assert get(f"{STAC}/collections/{kind}/items/{one['id']}").json() == one
        for rel in ("self", "root", "parent", "collection"):
            assert links(one, rel), rel
    assert get(f"{STAC}/collections/{kind}/items/nowhere").status_code == 404


def test_assets_that_anyone_may_read_are_there(get: Get) -> None:
    """Every address of every asset answers; formats are proved where they are written."""
    for one in get(f"{STAC}/search", limit=100).json()["features"]:
        assert next(iter(one["assets"])) == "data"
        for key, asset in one["assets"].items():
            answer = get(asset["href"])
            assert answer.status_code == 200, (one["id"], key, answer.text[:200])
            assert answer.headers["content-type"].split(";")[0] == asset["type"].split(";")[0], key


def test_item_search_by_place(get: Get, client: TestClient) -> None:
    placed = {name for name, kind in LAYERS.items() if kind in ("features", "grid")}
    assert names(get(f"{STAC}/search", bbox="127,37,128,38", limit=100).json()) == placed
    assert names(get(f"{STAC}/search", bbox="127,37,0,128,38,100", limit=100).json()) == placed
    assert not names(get(f"{STAC}/search", bbox="0,0,1,1").json())
    area = {"type": "Polygon", "coordinates": [[[127, 37], [128, 37], [128, 38], [127, 38], [127, 37]]]}
    assert (
        names(client.post(f"{ROOT}{STAC}/search", json={"intersects": area, "limit": 100}).json()) == placed
    )
    assert not names(client.post(f"{ROOT}{STAC}/search", json={"bbox": [0, 0, 1, 1]}).json())


def test_item_search_by_time_id_and_collection(get: Get, client: TestClient) -> None:
    assert names(get(f"{STAC}/search", datetime="2021-01-01T00:00:00Z/2021-01-02T00:00:00Z").json()) == {
        "weather"
    }
    assert names(get(f"{STAC}/search", datetime="2024-11-01T00:00:00Z", limit=100).json()) == set(LAYERS) - {
        "weather"
    }
    one = get(f"{STAC}/search", collections="grid").json()["features"][0]
    assert names(get(f"{STAC}/search", ids=f"{one['id']},nowhere").json()) == {"shade"}
    both = client.post(f"{ROOT}{STAC}/search", json={"ids": [one["id"]], "collections": ["features"]}).json()
    assert not both["features"]


def test_item_search_pages_by_get_and_by_post(get: Get, client: TestClient) -> None:
    body, seen = get(f"{STAC}/search", limit=2).json(), []
    while True:
        seen += [one["id"] for one in body["features"]]
        following = links(body, "next")
        if not following:
            break
        assert following[0]["method"] == "GET"
        body = get(following[0]["href"]).json()
    body, posted = client.post(f"{ROOT}{STAC}/search", json={"limit": 2}).json(), []
    while True:
        posted += [one["id"] for one in body["features"]]
        following = links(body, "next")
        if not following:
            break
        assert following[0]["method"] == "POST"
        body = client.post(following[0]["href"], json=following[0]["body"]).json()
    assert seen == posted
    assert len(set(seen)) == len(seen) == len(LAYERS)


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"}, {"limit": "-1"}, {"bbox": "1,2,3"}, {"bbox": "100,0,0,105,1,1,1"}, {"datetime": "1985-04-12"},
        {"datetime": "2020-01-01T00:00:00Z/2019-01-01T00:00:00Z"}, {"datetime": "/"}, {"intersects": "{}"},
        {"intersects": '{"type":"Point","coordinates":[1000,1]}'}, {"intersects": "nonsense"}, {"nonsense": "1"},
    ],
)  # fmt: skip
def test_item_search_what_cannot_be_understood_is_400(get: Get, asked: dict[str, str]) -> None:
    answer = get(f"{STAC}/search", **asked)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == next(iter(asked))


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0}, {"limit": "many"}, {"bbox": [1, 2, 3]}, {"bbox": [1, 2, 3, 4, 5]}, {"datetime": "1985-04-12"}, {"intersects": {}},
        {"bbox": [1, 2, 3, 4], "intersects": {"type": "Point", "coordinates": [1, 2]}}, {"nonsense": 1}, {"ids": "one"}, [],
    ],
)  # fmt: skip
def test_item_search_bodies_that_cannot_be_understood_are_400(client: TestClient, body: object) -> None:
    answer = client.post(f"{ROOT}{STAC}/search", json=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_layer_that_the_caller_may_not_see_is_no_item(get: Get, client: TestClient, twin_dir: Any) -> None:
    assert "vaults" not in names(get(f"{STAC}/search", limit=100).json())
    token = (twin_dir / "owner.token").read_text().strip()
    answer = client.get(f"{ROOT}{STAC}/search?limit=100", headers={"Authorization": f"Bearer {token}"})
    assert "vaults" in names(answer.json())
    assert "no-store" in answer.headers["cache-control"]
