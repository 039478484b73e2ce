"""OGC API - Features Part 3: Filtering (19-079r2), and its queryables.

http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter
http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter
http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables
http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters
"""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
from tests.conformance.conftest import ROWS, Get, links

ITEMS = "/collections/buildings/items"
EVERY = pytest.mark.parametrize("layer", ROWS)


def ids(get: Get, filter: str, layer: str = "buildings", **more: str) -> list[str]:
    answer = get(f"/collections/{layer}/items", filter=filter, **more)
    assert answer.status_code == 200, answer.text
    return sorted(one["id"] for one in answer.json()["features"])


@EVERY
def test_req_queryables_get_queryables_response(get: Get, layer: str) -> None:
    collection = get(f"/collections/{layer}").json()
    link = links(collection, "http://www.opengis.net/def/rel/ogc/1.0/queryables")
    assert link[0]["type"] == "application/schema+json"
    answer = get(link[0]["href"])
    schema = answer.json()
    assert answer.headers["content-type"] == "application/schema+json"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == link[0]["href"]
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) >= {column["name"] for column in collection["columns"]}
    assert all(one.get("title") for one in schema["properties"].values())
    jsonschema_rs.meta.validate(schema)


@EVERY
def test_req_queryables_query_parameters_every_scalar_queryable_is_a_parameter(get: Get, layer: str) -> None:
    first = get(f"/collections/{layer}/items", limit=1).json()["features"][0]
    properties = get(f"/collections/{layer}/queryables").json()["properties"]
    for name, value in first["properties"].items():
        if name not in properties or value is None:
            continue
        said = str(value).lower() if isinstance(value, bool) else str(value)
        found = get(f"/collections/{layer}/items", limit=1000, **{name: said})
        assert found.status_code == 200, (name, found.text)
        assert first["id"] in {one["id"] for one in found.json()["features"]}, name


def test_req_filter_filter_lang_text_and_json_say_the_same(get: Get) -> None:
    text = "height_m > 50 AND kind <> 'house'"
    made = {"op": "and", "args": [{"op": ">", "args": [{"property": "height_m"}, 50]},
                                  {"op": "<>", "args": [{"property": "kind"}, "house"]}]}  # fmt: skip
    assert ids(get, text) == ids(get, text, filter_lang="cql2-text") == ["relation/1"]
    assert ids(get, json.dumps(made), filter_lang="cql2-json") == ["relation/1"]


def test_req_filter_mixing_expressions_all_conditions_hold_together(get: Get) -> None:
    assert ids(get, "height_m > 1") == ["relation/1", "way/2"]
    assert ids(get, "height_m > 1", kind="house") == ["way/2"]
    assert ids(get, "height_m > 50", bbox="0,0,1,1") == []


def test_req_features_filter_spatial_and_filter_crs(get: Get) -> None:
    lonlat = "S_INTERSECTS(geometry, POLYGON((127 37, 128 37, 128 38, 127 38, 127 37)))"
    assert len(ids(get, lonlat)) == 2
    latlon = "S_INTERSECTS(geometry, POLYGON((37 127, 37 128, 38 128, 38 127, 37 127)))"
    crs = "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert len(ids(get, latlon, filter_crs=crs)) == 2
    own = "S_INTERSECTS(geometry, POINT(546004 208505))"
    assert ids(get, own, filter_crs="http://www.opengis.net/def/crs/EPSG/0/5186") == ["relation/1"]


def test_req_features_filter_temporal(get: Get) -> None:
    found = ids(get, "T_AFTER(time, TIMESTAMP('2021-01-03T12:00:00Z'))", layer="weather")
    assert len(found) == 2


def test_req_features_filter_number_matched_is_of_the_filter(get: Get) -> None:
    assert get("/collections/weather/items", filter="temperature >= 70", limit=1).json()["numberMatched"] == 2


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("filter", {"filter": "height_m >"}),
        ("filter", {"filter": "nothing_like_it = 1"}),
        ("filter", {"filter": "height_m = 'high'"}),
        ("filter", {"filter": "{", "filter_lang": "cql2-json"}),
        ("filter-lang", {"filter": "height_m > 1", "filter_lang": "sql"}),
        ("filter-crs", {"filter": "height_m > 1", "filter_crs": "nonsense"}),
    ],
)
def test_req_filter_response_bad_filters_are_400_and_named(
    get: Get, name: str, asked: dict[str, str]
) -> None:
    answer = get(ITEMS, **asked)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == name


def test_per_filter_every_example_of_the_openapi_document_is_understood(get: Get) -> None:
    document = get("/api").json()
    parameters = document["paths"]["/collections/{layer}/items"]["get"]["parameters"]
    example = next(one for one in parameters if one["name"] == "filter")["example"]
    assert get(ITEMS, filter=example).status_code == 200
