"""OGC API - Records Part 1 (20-004r1): the catalogue of a twin.

http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core
http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-collection
http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core-query-parameters
http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/searchable-catalog
http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/json
http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/html
"""

from __future__ import annotations

from datetime import datetime

import pytest
from starlette.testclient import TestClient
from tests.conformance.conftest import LAYERS, Get, links

ITEMS = "/collections/catalogue/items"


def ids(get: Get, **asked: str) -> list[str]:
    answer = get(ITEMS, **asked)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["features"]]


def test_req_record_collection_the_catalogue_is_a_collection_of_records(get: Get) -> None:
    about = get("/collections/catalogue").json()
    assert (about["id"], about["type"], about["itemType"]) == ("catalogue", "Catalog", "record")
    assert about["title"] and about["description"] and about["extent"]["spatial"]["bbox"]
    assert "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-collection" in about["conformsTo"]
    assert get(links(about, "items")[0]["href"]).headers["content-type"] == "application/geo+json"


@pytest.mark.parametrize("layer", LAYERS)
def test_req_record_core_mandatory_properties(get: Get, layer: str) -> None:
    record = get(f"{ITEMS}/{layer}").json()
    assert (record["id"], record["type"]) == (layer, "Feature")
    assert {"geometry", "time", "properties", "links", "conformsTo"} <= set(record)
    said = record["properties"]
    assert said["type"] == "dataset"
    assert said["title"] and said["description"] and said["keywords"]
    datetime.fromisoformat(said["created"].replace("Z", "+00:00"))
    datetime.fromisoformat(said["updated"].replace("Z", "+00:00"))
    assert said["license"] == "ODbL-1.0"
    assert said["language"]["code"] in {one["code"] for one in said["languages"]}
    assert all(one["organization"] and one["roles"] for one in said["contacts"])
    assert all(one["name"] and one["mediaType"] for one in said["formats"])
    assert links(record, "self") and links(record, "alternate") and links(record, "collection")
    assert all({"href", "rel", "type"} <= set(link) for link in record["links"])


def test_req_record_core_extent_of_what_has_a_place_and_a_time(get: Get) -> None:
    assert get(f"{ITEMS}/buildings").json()["geometry"]["type"] == "Polygon"
    assert get(f"{ITEMS}/clinics").json()["geometry"] is None
    when = get(f"{ITEMS}/weather").json()["time"]["interval"]
    assert when == ["2020-12-31T15:00:00Z", "2021-01-03T14:00:00Z"]
    assert get(f"{ITEMS}/buildings").json()["time"]["interval"][0] == "2024-11-01T00:00:00Z"


def test_req_record_core_query_parameters_q(get: Get) -> None:
    assert ids(get, q="BUILDINGS") == ["buildings"]
    assert set(ids(get, q="roads,weather")) == {"roads", "weather"}
    assert ids(get, q="some heights are estimated") == ["buildings"]
    assert ids(get, q="nothing of the kind") == []


def test_req_record_core_query_parameters_bbox_and_datetime(get: Get) -> None:
    assert set(ids(get, bbox="127,37,128,38")) == {n for n, k in LAYERS.items() if k in ("features", "grid")}
    assert ids(get, bbox="0,0,1,1") == []
    assert ids(get, datetime="2021-01-01T00:00:00Z/2021-01-02T00:00:00Z") == ["weather"]


def test_req_record_core_query_parameters_type_ids_and_external_ids(get: Get) -> None:
    assert ids(get, type="dataset") == list(LAYERS)
    assert ids(get, type="service") == []
    assert ids(get, ids="roads,shade,nowhere") == ["roads", "shade"]
    known = get(f"{ITEMS}/roads").json()["properties"]["externalIds"][0]
    assert ids(get, externalIds=known["value"]) == ids(get, externalIds=f"STAC:{known['value']}") == ["roads"]


def test_req_record_core_query_parameters_limit_and_pages(get: Get) -> None:
    body = get(ITEMS, limit="3").json()
    assert (body["numberMatched"], body["numberReturned"]) == (len(LAYERS), 3)
    seen = [one["id"] for one in body["features"]]
    while following := links(body, "next"):
        body = get(following[0]["href"]).json()
        seen += [one["id"] for one in body["features"]]
    assert seen == list(LAYERS)
    assert links(body, "prev")


@pytest.mark.parametrize("asked", [{"limit": "0"}, {"bbox": "1,2"}, {"datetime": "x"}, {"qq": "x"}])
def test_req_searchable_catalog_bad_parameters_are_400(get: Get, asked: dict[str, str]) -> None:
    answer = get(ITEMS, **asked)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == next(iter(asked))


def test_a_layer_that_the_caller_may_not_see_has_no_record(client: TestClient, get: Get) -> None:
    assert "vaults" not in ids(get)
    assert get(f"{ITEMS}/vaults").status_code in (401, 403, 404)


def test_req_html_and_json_of_the_same_records(get: Get) -> None:
    for path in (ITEMS, f"{ITEMS}/roads"):
        assert get(path, accept="application/geo+json").headers["content-type"] == "application/geo+json"
        assert "roads" in get(path, f="html").text
        assert get(path, f="geojson").status_code == 200


def test_the_links_of_a_record_lead_to_its_data(get: Get) -> None:
    record = get(f"{ITEMS}/buildings").json()
    found = [link for link in links(record, "items") if link["type"] == "application/geo+json"]
    assert get(found[0]["href"]).json()["numberMatched"] == 2
    assert get(links(record, "about")[0]["href"]).json()["id"] == "buildings"
