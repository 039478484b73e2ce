"""OpenAPI 3.1 said again in OpenAPI 3.0.3, for the generators and test suites that read no other.

What 3.0 cannot say is said more loosely, never differently: what the 3.1 document forbids may be allowed here, not the reverse.
Except in one place: `limit` has a `maximum` here. OGC API - Features answers a larger one with the largest page (so 3.1 has none),
and its test suite asks for a maximum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Keywords of JSON Schema 2020-12 that 3.0 does not know.
_UNKNOWN = frozenset(
    {
        "$schema", "$id", "$defs", "$comment", "$anchor", "prefixItems", "contains", "minContains", "maxContains",
        "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties", "propertyNames",
        "unevaluatedProperties", "unevaluatedItems", "contentMediaType", "contentEncoding", "contentSchema", "const", "examples",
    }
)  # fmt: skip
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf")
_BBOX = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}


def lowered(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same API as an OpenAPI 3.0.3 document."""
    made = {key: value for key, value in document.items() if key not in ("webhooks", "jsonSchemaDialect")}
    info = {key: value for key, value in document["info"].items() if key != "summary"}
    if "license" in info:
        known = info["license"]
        url = known.get("url") or f"https://spdx.org/licenses/{known.get('identifier', 'Apache-2.0')}"
        info["license"] = {"name": known["name"], "url": url}
    made |= {"openapi": "3.0.3", "info": info}
    made["paths"] = {path: _item(item) for path, item in document["paths"].items()}
    components = dict(document.get("components", {}))
    if "schemas" in components:
        components["schemas"] = {name: schema(one) for name, one in components["schemas"].items()}
    made["components"] = components
    return made


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _operation(value) if isinstance(value, dict) and "responses" in value else value
        for name, value in item.items()
    }


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(operation)
    if "parameters" in made:
        made["parameters"] = [_parameter(one) for one in made["parameters"]]
    if "requestBody" in made:
        made["requestBody"] = _content(made["requestBody"])
    made["responses"] = {code: _response(one) for code, one in made["responses"].items()}
    return made


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    if "schema" not in parameter:
        return dict(parameter)
    made = {**parameter, "schema": schema(parameter["schema"])}
    if parameter["in"] == "query":
        if parameter["name"] == "bbox":
            made["schema"] = dict(_BBOX)
            made.pop("example", None)
        if parameter["name"] == "limit":
            made["schema"] = {"minimum": 1, "maximum": 10_000, "default": 100, **made["schema"]}
    return made


def _response(response: Mapping[str, Any]) -> dict[str, Any]:
    made = _content(response)
    if "headers" in made:
        made["headers"] = {
            name: {**one, "schema": schema(one["schema"])} if "schema" in one else one
            for name, one in made["headers"].items()
        }
    return made


def _content(part: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(part)
    if "content" in made:
        made["content"] = {
            media_type: {**one, "schema": schema(one["schema"])} if "schema" in one else one
            for media_type, one in made["content"].items()
        }
    return made


def schema(value: Any) -> dict[str, Any]:
    """One schema object, and all below it.

    Args:
        value: a schema of JSON Schema 2020-12, which may be a boolean.
    """
    if isinstance(value, bool):
        return {} if value else {"not": {}}
    if "$ref" in value:
        beside = {k: v for k, v in value.items() if k != "$ref" and k not in _UNKNOWN}
        return {"allOf": [{"$ref": value["$ref"]}], **beside} if beside else {"$ref": value["$ref"]}
    made = {key: part for key, part in value.items() if key not in _UNKNOWN}
    if "const" in value:
        made["enum"] = [value["const"]]
    if value.get("examples") and "example" not in made:
        made["example"] = value["examples"][0]
    for low, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(made.get(exclusive), int | float) and not isinstance(made[exclusive], bool):
            made[low] = made.pop(exclusive)
            made[exclusive] = True
    for key in _SCHEMA_LISTS:
        if key in made:
            made[key] = [schema(one) for one in made[key]]
    if "not" in made:
        made["not"] = schema(made["not"])
    if "properties" in made:
        made["properties"] = {name: schema(one) for name, one in made["properties"].items()}
    if "additionalProperties" in made and not isinstance(made["additionalProperties"], bool):
        made["additionalProperties"] = schema(made["additionalProperties"])
    elif "patternProperties" in value:
        made["additionalProperties"] = True
    if "items" in made:
        made["items"] = schema(made["items"])
    if "prefixItems" in value:
        made |= _tuple(value)
    made = _nullable(made)
    if made.get("type") == "array" and "items" not in made:
        made["items"] = {}
    return made


def _tuple(value: Mapping[str, Any]) -> dict[str, Any]:
    """A list whose places differ becomes a list of any of them, of the same length."""
    parts: list[dict[str, Any]] = []
    for part in map(schema, value["prefixItems"]):
        if part not in parts:
            parts.append(part)
    return {"items": parts[0] if len(parts) == 1 else {"anyOf": parts}}


def _nullable(made: dict[str, Any]) -> dict[str, Any]:
    """`null` among the types becomes `nullable`."""
    kinds = made.get("type")
    if isinstance(kinds, list):
        rest = [kind for kind in kinds if kind != "null"]
        made = {key: part for key, part in made.items() if key != "type"}
        if len(rest) == 1:
            made["type"] = rest[0]
        elif rest:
            made["anyOf"] = [{"type": kind} for kind in rest]
        if "null" in kinds:
            made["nullable"] = True
    elif kinds == "null":
        made = {key: part for key, part in made.items() if key != "type"} | {"nullable": True, "enum": [None]}
    for key in ("anyOf", "oneOf"):
        if key not in made:
            continue
        rest = [one for one in made[key] if not _null(one)]
        if len(rest) == len(made[key]):
            continue
        made = {name: part for name, part in made.items() if name != key}
        if len(rest) == 1 and "$ref" in rest[0]:
            made["allOf"] = rest
        elif len(rest) == 1:
            made = {**rest[0], **made}
        else:
            made[key] = rest
        made["nullable"] = True
    return made


def _null(one: Mapping[str, Any]) -> bool:
    return one.get("nullable") is True and one.get("enum") == [None]
