from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from openapi_spec_validator import validate
from starlette.testclient import TestClient


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in _references(part)]
    return [found for part in value for found in _references(part)] if isinstance(value, list) else []


def test_the_document_is_valid_3_1_and_refers_only_to_itself(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert all(reference.startswith("#/components/") for reference in _references(document))
    assert '"HTTPValidationError"' not in json.dumps(document)
    assert '"422"' not in json.dumps(document)


def test_every_operation_has_a_name_of_its_own_and_a_described_answer(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(name.isalnum() for name in names)
    for operation in operations:
        assert operation["description"], operation["operationId"]
        assert operation["responses"]["200"]["content"], operation["operationId"]


def test_the_document_is_printed_the_same_twice_and_without_any_twin() -> None:
    command = [sys.executable, "-m", "twintown.app", "openapi"]
    first, second = (subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2))
    assert first == second
    assert json.loads(first)["paths"]["/twins"]
