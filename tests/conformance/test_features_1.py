"""OGC API - Features Part 1: Core (17-069r4), requirement by requirement, for every layer that has items.

http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core
http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson
http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html
http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely.geometry import box, shape
from tests.conformance.conftest import ROWS, Get, links

GEOJSON = "application/geo+json"
EVERY = pytest.mark.parametrize("layer", ROWS)


def parameter(get: Get, name: str, path: str = "/collections/{layer}/items") -> dict[str, Any]:
    """A parameter of an operation in the OpenAPI 3.0 document."""
    document = get("/api", f="openapi30").json()
    found = [one for one in document["paths"][path]["get"]["parameters"] if one["name"] == name]
    assert len(found) == 1, name
    return dict(found[0])


@pytest.mark.parametrize("path", ["/collections/{layer}/items", "/collections/catalogue/items"])
def test_req_core_fc_limit_definition(get: Get, path: str) -> None:
    limit = parameter(get, "limit", path)
    assert limit["in"] == "query" and not limit["required"]
    assert (limit["style"], limit["explode"]) == ("form", False)
    assert limit["schema"]["type"] == "integer"
    assert limit["schema"]["minimum"] >= 0 and limit["schema"]["maximum"] and limit["schema"]["default"] >= 0


@pytest.mark.parametrize("path", ["/collections/{layer}/items", "/collections/catalogue/items"])
def test_req_core_fc_bbox_definition(get: Get, path: str) -> None:
    bbox = parameter(get, "bbox", path)
    assert bbox["in"] == "query" and not bbox["required"]
    assert (bbox["style"], bbox["explode"]) == ("form", False)
    schema = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    assert {key: bbox["schema"][key] for key in schema} == schema


@pytest.mark.parametrize("path", ["/collections/{layer}/items", "/collections/catalogue/items"])
def test_req_core_fc_time_definition(get: Get, path: str) -> None:
    time = parameter(get, "datetime", path)
    assert time["in"] == "query" and not time["required"]
    assert (time["style"], time["explode"]) == ("form", False)
    assert time["schema"]["type"] == "string"


@EVERY
def test_req_core_fc_op_and_fc_response(get: Get, layer: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    answer = get(f"/collections/{layer}/items", accept=GEOJSON)
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == GEOJSON
    assert body["type"] == "FeatureCollection"
    assert body["numberReturned"] == len(body["features"])
    stamp = datetime.fromisoformat(body["timeStamp"].replace("Z", "+00:00"))
    assert before <= stamp <= datetime.now(UTC) + timedelta(seconds=2)
    assert links(body, "self")[0]["type"] == GEOJSON
    assert links(body, "alternate")
    assert all({"rel", "type", "href"} <= set(link) for link in body["links"])
    for feature in body["features"]:
        assert feature["type"] == "Feature"
        assert isinstance(feature["id"], str)
        assert {"geometry", "properties"} <= set(feature)


@EVERY
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_req_core_fc_limit_response(get: Get, layer: str, limit: int) -> None:
    body = get(f"/collections/{layer}/items", limit=limit).json()
    assert len(body["features"]) <= limit


@EVERY
def test_req_core_fc_number_matched_counts_all_pages(get: Get, layer: str) -> None:
    body = get(f"/collections/{layer}/items", limit=2).json()
    matched, seen = body["numberMatched"], [one["id"] for one in body["features"]]
    while following := links(body, "next"):
        body = get(following[0]["href"]).json()
        seen += [one["id"] for one in body["features"]]
    assert len(seen) == len(set(seen)) == matched


def test_req_core_fc_limit_above_the_maximum_is_no_error(get: Get) -> None:
    assert get("/collections/roads/items", limit=10_000_000).status_code == 200


@EVERY
@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "unlimited"}, {"limit": "0"}, {"limit": "-1"}, {"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"bbox": "1,2,3,4,5"},
        {"bbox": "127,38,128,37"}, {"bbox": "1,2,3,nan"}, {"datetime": "yesterday"}, {"datetime": "2024-13-01T00:00:00Z"},
        {"datetime": "2024-02-01T00:00:00Z/2024-01-01T00:00:00Z"}, {"datetime": "../.."}, {"f": "gml"}, {"cursor": "?"},
    ],
)  # fmt: skip
def test_req_core_query_param_invalid(get: Get, layer: str, asked: dict[str, str]) -> None:
    answer = get(f"/collections/{layer}/items", **asked)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == next(iter(asked))


@EVERY
def test_req_core_query_param_unknown(get: Get, layer: str) -> None:
    answer = get(f"/collections/{layer}/items", unknownQueryParameter12345="1")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "unknownQueryParameter12345"


@pytest.mark.parametrize("layer", ["buildings", "roads", "findings"])
def test_req_core_fc_bbox_response(get: Get, layer: str) -> None:
    everything = get(f"/collections/{layer}/items").json()["features"]
    first = shape(everything[0]["geometry"]).bounds
    around = box(*first)
    found = get(f"/collections/{layer}/items", bbox=",".join(map(str, first))).json()["features"]
    assert everything[0]["id"] in {one["id"] for one in found}
    for feature in found:
        assert shape(feature["geometry"]).intersects(around.buffer(1e-8))
    heights = f"{first[0]},{first[1]},-100,{first[2]},{first[3]},1000"
    assert [one["id"] for one in get(f"/collections/{layer}/items", bbox=heights).json()["features"]] == [
        one["id"] for one in found
    ]
    assert get(f"/collections/{layer}/items", bbox="-10,-10,-9,-9").json()["numberMatched"] == 0
    assert get(f"/collections/{layer}/items", bbox="170,-50,-170,80").json()["numberMatched"] == 0


def test_req_core_fc_time_response(get: Get) -> None:
    path = "/collections/weather/items"
    one = get(path, datetime="2021-01-01T00:00:00Z").json()
    assert one["numberMatched"] == 1
    day = get(path, datetime="2021-01-01T00:00:00Z/2021-01-01T05:00:00Z", limit=100).json()
    assert day["numberMatched"] == 6
    assert get(path, datetime="2021-01-03T00:00:00Z/..").json()["numberMatched"] == 15
    assert get(path, datetime="../2020-12-31T15:00:00Z").json()["numberMatched"] == 1
    assert get(path, datetime="2021-01-01T00:00:00+09:00").json()["numberMatched"] == 1
    assert get(path, datetime="1999-01-01T00:00:00Z").json()["numberMatched"] == 0


def test_req_core_fc_time_response_keeps_what_has_no_time(get: Get) -> None:
    asked = get("/collections/buildings/items", datetime="1999-01-01T00:00:00Z/2000-01-01T00:00:00Z").json()
    assert asked["numberMatched"] == get("/collections/buildings/items").json()["numberMatched"] == 2


def test_req_core_fc_bbox_and_parameters_hold_together(get: Get) -> None:
    both = get("/collections/buildings/items", bbox="127,37,128,38", kind="house").json()
    assert [one["id"] for one in both["features"]] == ["way/2"]
    assert not get("/collections/buildings/items", bbox="0,0,1,1", kind="house").json()["features"]


@EVERY
def test_req_core_f_op_and_f_links(get: Get, layer: str) -> None:
    listed = get(f"/collections/{layer}/items", limit=1).json()["features"][0]
    answer = get(f"/collections/{layer}/items/{listed['id']}", accept=GEOJSON)
    feature = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == GEOJSON
    assert feature["type"] == "Feature" and feature["id"] == listed["id"]
    assert feature["geometry"] == listed["geometry"]
    assert feature["properties"] == listed["properties"]
    assert links(feature, "self")[0]["type"] == GEOJSON
    assert links(feature, "alternate")
    assert links(feature, "collection")[0]["href"].endswith(f"/collections/{layer}")


@EVERY
def test_req_core_f_op_of_an_id_that_is_not_there_is_404(get: Get, layer: str) -> None:
    assert get(f"/collections/{layer}/items/no-such-thing").status_code == 404


def test_req_core_crs84(get: Get) -> None:
    answer = get("/collections/buildings/items")
    x, y = answer.json()["features"][0]["geometry"]["coordinates"][0][0][:2]
    assert 124 < x < 132 and 33 < y < 39


def test_req_core_fc_md_items_links_lead_to_items(get: Get) -> None:
    for collection in get("/collections").json()["collections"]:
        found = [link for link in links(collection, "items") if link["type"] == GEOJSON]
        assert found, collection["id"]
        assert get(found[0]["href"], accept=GEOJSON).json()["type"] == "FeatureCollection"


@EVERY
def test_req_html_content(get: Get, layer: str) -> None:
    first = get(f"/collections/{layer}/items", limit=1).json()["features"][0]["id"]
    for path in (f"/collections/{layer}/items", f"/collections/{layer}/items/{first}"):
        answer = get(path, accept="text/html")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert first in answer.text


def test_req_oas30_impl_every_operation_answers_as_the_document_says(get: Get) -> None:
    document = get("/api", f="openapi30").json()
    for path in ("/", "/conformance", "/collections"):
        said = document["paths"][path]["get"]["responses"]["200"]["content"]
        assert get("" if path == "/" else path).headers["content-type"] in said
    assert "400" in document["paths"]["/collections/{layer}/items"]["get"]["responses"]
    names = parameter(get, "layer")["schema"]["enum"]
    assert names == ROWS
