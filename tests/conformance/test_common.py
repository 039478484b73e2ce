"""OGC API - Common Part 1 (19-072) and Part 2 (20-024): landing page, conformance, API definition, collections.

http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core
http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page
http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json
http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html
http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30
http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections
"""

from __future__ import annotations

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from starlette.testclient import TestClient
from tests.conformance.conftest import LAYERS, Get, links

RESOURCES = [
    "", "/conformance", "/api", "/collections", "/collections/buildings", "/collections/buildings/schema",
    "/collections/buildings/queryables", "/collections/catalogue", "/stac",
]  # fmt: skip


@pytest.mark.parametrize("path", ["", "/"])
def test_req_landing_page_root_success(get: Get, path: str) -> None:
    answer = get(path, accept="application/json")
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(body["title"], str) and isinstance(body["description"], str)
    for rel in ("self", "alternate", "service-desc", "service-doc", "conformance", "data"):
        assert links(body, rel), rel
    assert all(link["href"].startswith("http://testserver/") for link in body["links"])
    assert all({"href", "rel", "type"} <= set(link) for link in body["links"])


def test_req_landing_page_links_lead_somewhere_of_the_type_that_they_say(get: Get) -> None:
    for rel in ("self", "alternate", "service-desc", "service-doc", "conformance", "data"):
        for link in links(get().json(), rel):
            answer = get(link["href"])
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0]


def test_req_landing_page_conformance_success(get: Get) -> None:
    answer = get("/conformance", accept="application/json")
    assert answer.status_code == 200
    assert "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core" in answer.json()["conformsTo"]


def test_req_landing_page_api_definition_is_found_by_its_exact_type(get: Get) -> None:
    wanted = "application/vnd.oai.openapi+json;version=3.0"
    found = [link for link in links(get().json(), "service-desc") if link["type"] == wanted]
    assert len(found) == 1
    answer = get(found[0]["href"], accept=wanted)
    assert answer.headers["content-type"] == wanted
    document = answer.json()
    assert document["openapi"].startswith("3.0.")
    assert not list(OpenAPIV30SpecValidator(document).iter_errors())
    assert {"/", "/conformance", "/collections", "/collections/{layer}", "/collections/{layer}/items"} <= set(
        document["paths"]
    )
    assert document["servers"][0]["url"] == "http://testserver/twins/small"


def test_req_core_http_methods_and_statuses(client: TestClient, get: Get) -> None:
    assert get("/collections/nowhere").status_code == 404
    assert get("/nothing-here").status_code == 404
    assert client.delete("/twins/small/collections").status_code == 405
    assert client.head("/twins/small").status_code == 200
    assert client.head("/twins/small").content == b""


def test_req_core_query_parameters_that_are_unknown_or_bad_are_400(get: Get) -> None:
    assert get("", nonsense="1").status_code == 400
    assert get("/collections", f="gml").status_code == 400
    assert get("/collections", lang="xx").status_code == 400
    assert get("/collections", accept="image/png").status_code == 406


@pytest.mark.parametrize("path", RESOURCES)
def test_req_json_and_html_come_from_the_same_address(get: Get, path: str) -> None:
    told, shown = get(path, accept="application/json"), get(path, accept="text/html")
    assert told.status_code == shown.status_code == 200
    assert "json" in told.headers["content-type"]
    assert shown.headers["content-type"].startswith("text/html")
    assert "<html" in shown.text
    assert told.headers["etag"] != shown.headers["etag"]
    for answer in (told, shown):
        assert {"Accept", "Accept-Language"} <= {part.strip() for part in answer.headers["vary"].split(",")}
    assert get(path, f="html").headers["content-type"].startswith("text/html")
    assert "json" in get(path, f="json", accept="text/html").headers["content-type"]


@pytest.mark.parametrize("path", RESOURCES)
def test_titles_are_in_the_language_that_is_asked_for(client: TestClient, path: str) -> None:
    root = "/twins/small" + path
    korean = client.get(root, params={"lang": "ko"})
    assert korean.headers["content-language"] == "ko"
    header = client.get(root, headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"})
    assert header.headers["content-language"] == "ko"
    assert client.get(root, headers={"Accept-Language": "fr, en;q=0.1"}).headers["content-language"] == "en"


def test_req_collections_lists_every_layer(get: Get) -> None:
    answer = get("/collections")
    body = answer.json()
    assert [one["id"] for one in body["collections"]] == [*LAYERS, "catalogue"]
    assert links(body, "self") and links(body, "alternate")
    for one in body["collections"]:
        assert isinstance(one["title"], str)
        assert links(one, "self") and links(one, "items"), one["id"]
        assert all({"href", "rel", "type"} <= set(link) for link in one["links"]), one["id"]


@pytest.mark.parametrize("layer", [*LAYERS, "catalogue"])
def test_req_collections_one_is_what_the_list_says(get: Get, layer: str) -> None:
    listed = next(one for one in get("/collections").json()["collections"] if one["id"] == layer)
    assert get(f"/collections/{layer}").json() == listed


def test_rc_md_extent_holds_everything(get: Get) -> None:
    extent = get("/collections/buildings").json()["extent"]
    west, south, east, north = extent["spatial"]["bbox"][0]
    assert extent["spatial"]["crs"] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    for feature in get("/collections/buildings/items").json()["features"]:
        for x, y in feature["geometry"]["coordinates"][0]:
            assert west <= x <= east
            assert south <= y <= north
    when = get("/collections/weather").json()["extent"]["temporal"]["interval"]
    assert when == [["2020-12-31T15:00:00Z", "2021-01-03T14:00:00Z"]]
    assert (
        "extent" not in get("/collections/clinics").json() or not get("/collections/clinics").json()["extent"]
    )


@pytest.mark.parametrize(
    "path", ["", "/collections", *(f"/collections/{layer}" for layer in [*LAYERS, "catalogue"])]
)
def test_every_link_leads_to_what_it_says(get: Get, path: str) -> None:
    for link in get(path).json()["links"]:
        if not link["href"].startswith("http://testserver/") or "{" in link["href"]:
            continue
        answer = get(link["href"], accept=link["type"])
        assert answer.status_code == 200, (link, answer.text[:300])
        assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0], link


def test_programs_find_the_twins_at_the_root_of_the_server(client: TestClient) -> None:
    answer = client.get("/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert [twin["id"] for twin in answer.json()["twins"]] == ["small"]
    assert client.head("/", headers={"Accept": "application/json"}).status_code == 200
    page = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert "application/json" != page.headers["content-type"]
