"""OGC API - Features Part 5: Schemas (23-058r1): what a layer holds, with roles and units.

http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas
http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/core-roles-features
"""

from __future__ import annotations

import jsonschema_rs
import pytest
from tests.conformance.conftest import LAYERS, Get, links


def schema(get: Get, layer: str) -> dict[str, object]:
    link = links(get(f"/collections/{layer}").json(), "http://www.opengis.net/def/rel/ogc/1.0/schema")[0]
    answer = get(link["href"])
    assert answer.headers["content-type"] == link["type"] == "application/schema+json"
    found = answer.json()
    assert found["$id"] == link["href"]
    return dict(found)


@pytest.mark.parametrize("layer", LAYERS)
def test_req_schemas_schema_is_a_json_schema_of_an_object(get: Get, layer: str) -> None:
    found = schema(get, layer)
    jsonschema_rs.meta.validate(found)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["type"] == "object"
    assert found["properties"]


@pytest.mark.parametrize("layer", [name for name, kind in LAYERS.items() if kind != "grid"])
def test_req_core_roles_features_one_id_one_place_one_instant(get: Get, layer: str) -> None:
    properties = schema(get, layer)["properties"]
    roles = [one.get("x-ogc-role") for one in properties.values()]  # type: ignore[attr-defined]
    assert roles.count("id") == 1
    assert roles.count("primary-geometry") == (1 if LAYERS[layer] == "features" else 0)
    assert roles.count("primary-instant") == (1 if LAYERS[layer] == "series" else 0)


@pytest.mark.parametrize("layer", [name for name, kind in LAYERS.items() if kind != "grid"])
def test_items_hold_what_the_schema_says_and_nothing_else(get: Get, layer: str) -> None:
    properties = dict(schema(get, layer)["properties"])  # type: ignore[call-overload]
    properties.pop("geometry", None)
    types = {"string": str, "integer": int, "number": int | float, "boolean": bool}
    for feature in get(f"/collections/{layer}/items", limit=50).json()["features"]:
        assert set(feature["properties"]) <= set(properties)
        for name, value in feature["properties"].items():
            assert value is None or isinstance(value, types[properties[name]["type"]]), (name, value)


def test_units_are_ucum_and_titles_are_in_the_language(get: Get) -> None:
    height = get("/collections/buildings/schema").json()["properties"]["height_m"]
    assert (height["x-ogc-unit"], height["x-ogc-unitLang"], height["title"]) == ("m", "UCUM", "Height")
    assert get("/collections/buildings/schema", lang="ko").json()["properties"]["height_m"]["title"] == "높이"


def test_the_schema_of_a_grid_is_its_fields(get: Get) -> None:
    (field,) = schema(get, "shade")["properties"].values()  # type: ignore[attr-defined]
    assert field["type"] == "integer"
    assert field["x-ogc-unit"] == "min"


def test_a_grid_has_no_queryables(get: Get) -> None:
    assert get("/collections/shade/queryables").status_code == 404
