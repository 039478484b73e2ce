"""The API described by itself: valid, of one piece, and good enough to make a client from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from twintown.api.openapi30 import schema

API = "/twins/small/api"
DOCUMENTS = ["/openapi.json", API, f"{API}?f=openapi30"]
#: Words of JSON Schema 2020-12 that OpenAPI 3.0 does not know.
LATER = {
    "const",
    "examples",
    "prefixItems",
    "$defs",
    "$schema",
    "$id",
    "patternProperties",
    "contentMediaType",
    "propertyNames",
}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in _references(part)]
    return [found for part in value for found in _references(part)] if isinstance(value, list) else []


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                yield path, method, operation


@pytest.mark.slow
@pytest.mark.parametrize("address", DOCUMENTS)
def test_the_document_is_valid_and_refers_only_to_itself(client: TestClient, address: str) -> None:
    answer = client.get(address)
    document = answer.json()
    low = document["openapi"].startswith("3.0.")
    assert answer.headers["content-type"] == f"application/vnd.oai.openapi+json;version=3.{0 if low else 1}"
    validator = OpenAPIV30SpecValidator if low else OpenAPIV31SpecValidator
    assert not [error.message for error in validator(document).iter_errors()]
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document)) <= names
    assert '"HTTPValidationError"' not in json.dumps(document)
    assert '"422"' not in json.dumps(document)


@pytest.mark.parametrize("address", DOCUMENTS)
def test_every_operation_says_what_a_generator_needs(client: TestClient, address: str) -> None:
    document = client.get(address).json()
    tags = {tag["name"] for tag in document["tags"]}
    found = list(operations(document))
    names = [operation["operationId"] for _, _, operation in found]
    assert len(set(names)) == len(names)
    for path, method, operation in found:
        where = f"{method} {path}"
        assert operation["operationId"].replace(".", "").isalnum(), where
        assert operation["description"] and operation["summary"], where
        assert set(operation["tags"]) <= tags, where
        good = {
            code: one for code, one in operation["responses"].items() if code.startswith("2") or code == "303"
        }
        assert good, where
        assert all(one.get("content") for code, one in good.items() if code not in ("201", "204", "303")), (
            where
        )
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{where} {parameter['name']}"
            if parameter["in"] == "query":
                assert (parameter["style"], parameter["explode"]) == ("form", False), (
                    f"{where} {parameter['name']}"
                )
                assert {"type": "null"} not in parameter["schema"].get("anyOf", []), (
                    f"{where} {parameter['name']}"
                )
        said = set(path.replace("}", "{").split("{")[1::2])
        assert said == {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}, where


def test_a_twin_is_described_as_an_api_of_its_own(client: TestClient) -> None:
    whole, one = client.get("/openapi.json").json(), client.get(API).json()
    assert one["servers"][0]["url"] == "http://testserver/twins/small"
    assert one["info"]["title"] == "Small Jamsil"
    assert client.get(f"{API}?lang=ko").json()["info"]["title"] == "작은 잠실"
    below = {
        path.removeprefix("/twins/{twin}") or "/"
        for path in whole["paths"]
        if path.startswith("/twins/{twin}")
    }
    assert set(one["paths"]) == below
    assert "{twin}" not in json.dumps(one["paths"])
    assert set(one["components"]["schemas"]) < set(whole["components"]["schemas"])


def test_layers_stand_by_name_where_they_can_be_asked_for(client: TestClient, owner: dict[str, str]) -> None:
    def layers(path: str, headers: dict[str, str] | None = None) -> list[str]:
        parameters = client.get(API, headers=headers).json()["paths"][path]["get"]["parameters"]
        return next(one["schema"]["enum"] for one in parameters if one["name"] == "layer")

    assert layers("/collections/{layer}/coverage") == ["shade"]
    assert layers("/collections/{layer}/series") == ["weather"]
    assert "shade" not in layers("/collections/{layer}/items")
    assert "vaults" not in layers("/collections/{layer}")
    assert "vaults" in layers("/collections/{layer}", owner)


def test_the_older_document_uses_no_newer_word(client: TestClient) -> None:
    document = client.get(f"{API}?f=openapi30").json()

    def look(value: Any, inside: str = "") -> None:
        if isinstance(value, dict):
            if inside != "properties":
                assert not LATER & set(value) or inside in ("content", "example", "default"), value
                assert not isinstance(value.get("type"), list), value
                assert value.get("type") != "null", value
                assert not isinstance(value.get("exclusiveMinimum"), int) or isinstance(
                    value["exclusiveMinimum"], bool
                )
            for key, part in value.items():
                look(part, key)
        elif isinstance(value, list):
            for part in value:
                look(part, inside)

    look(document["components"]["schemas"])
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            look(parameter["schema"])


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        ({"type": ["integer", "null"]}, {"type": "integer", "nullable": True}),
        ({"type": ["integer", "string"]}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"anyOf": [{"$ref": "#/x"}, {"type": "null"}]}, {"allOf": [{"$ref": "#/x"}], "nullable": True}),
        ({"const": "a", "type": "string"}, {"type": "string", "enum": ["a"]}),
        ({"exclusiveMinimum": 0, "type": "number"}, {"minimum": 0, "exclusiveMinimum": True, "type": "number"}),
        (
            {"type": "array", "prefixItems": [{"type": "number"}] * 2, "minItems": 2},
            {"type": "array", "items": {"type": "number"}, "minItems": 2},
        ),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        ({"$ref": "#/x", "description": "y"}, {"allOf": [{"$ref": "#/x"}], "description": "y"}),
        ({"properties": {"const": {"type": "string"}, "any": True}}, {"properties": {"const": {"type": "string"}, "any": {}}}),
    ],
)  # fmt: skip
def test_a_schema_is_said_again_in_older_words(newer: dict[str, Any], older: dict[str, Any]) -> None:
    assert schema(newer) == older


def test_the_form_is_chosen_by_header_too(client: TestClient) -> None:
    def kind(accept: str) -> str:
        return client.get(API, headers={"Accept": accept}).headers["content-type"]

    assert kind("application/vnd.oai.openapi+json;version=3.0").endswith("version=3.0")
    assert kind("application/vnd.oai.openapi+json; version=3.1").endswith("version=3.1")
    assert kind("application/json").endswith("version=3.1")
    assert kind("text/html,*/*;q=0.8").startswith("text/html")


@pytest.mark.slow
def test_the_document_is_printed_the_same_twice_and_without_any_twin() -> None:
    command = [sys.executable, "-m", "twintown.app", "openapi"]
    first, second = (subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2))
    assert first == second
    assert json.loads(first)["paths"]["/twins"]
