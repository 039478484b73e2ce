"""What a long document says, in an order for people: standards behind conformance classes, operations of an API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_STANDARDS: Mapping[str, str] = {
    "ogcapi-common-1": "OGC API – Common 1: Core",
    "ogcapi-common-2": "OGC API – Common 2: Geospatial Data",
    "ogcapi-features-1": "OGC API – Features 1: Core",
    "ogcapi-features-2": "OGC API – Features 2: CRS by Reference",
    "ogcapi-features-3": "OGC API – Features 3: Filtering",
    "ogcapi-features-4": "OGC API – Features 4: Create, Replace, Update, Delete",
    "ogcapi-features-5": "OGC API – Features 5: Schemas",
    "ogcapi-features-6": "OGC API – Features 6: Property Selection",
    "ogcapi-features-8": "OGC API – Features 8: Sorting",
    "ogcapi-tiles-1": "OGC API – Tiles 1: Core",
    "ogcapi-maps-1": "OGC API – Maps 1: Core",
    "ogcapi-styles-1": "OGC API – Styles 1: Core",
    "ogcapi-records-1": "OGC API – Records 1: Core",
    "ogcapi-coverages-1": "OGC API – Coverages 1: Core",
    "ogcapi-processes-1": "OGC API – Processes 1: Core",
    "ogcapi-3d-geovolumes-1": "OGC API – 3D GeoVolumes",
    "cql2": "CQL2: Common Query Language",
    "json-fg-1": "JSON-FG",
    "api.stacspec.org": "STAC API",
}
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")


def standards(uris: Sequence[str]) -> list[dict[str, Any]]:
    """Conformance classes by standard: `title`, `classes` with `name` and `uri`; in the order of appearance."""
    groups: dict[str, list[dict[str, str]]] = {}
    for uri in uris:
        key, name = _standard(str(uri))
        groups.setdefault(key, []).append({"name": name, "uri": str(uri)})
    return [
        {"title": _STANDARDS.get(key, key), "classes": classes} for key, classes in sorted(groups.items())
    ]


def _standard(uri: str) -> tuple[str, str]:
    found = re.match(r"https?://www\.opengis\.net/spec/([^/]+)/[^/]+/(?:conf|req)/(.+)$", uri)
    if found:
        return found[1], found[2].replace("-", " ").replace("/", " – ")
    if "stacspec.org" in uri:
        return "api.stacspec.org", re.sub(r"^https?://[^/]+/v?[^/]+/", "", uri).replace("-", " ")
    parts = re.sub(r"^https?://", "", uri).split("/")
    return parts[0], "/".join(parts[1:]) or uri


def operations(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations of an OpenAPI document by tag: `name`, `title`, `operations` (verb, path, summary, parameters)."""
    titles = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in titles}
    for path, item in document.get("paths", {}).items():
        shared = item.get("parameters", [])
        for verb in _VERBS:
            if verb in item:
                one = item[verb]
                tag = (one.get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(
                    {
                        "verb": verb.upper(),
                        "path": path,
                        "summary": one.get("description") or one.get("summary", ""),
                        "parameters": [_whole(document, p) for p in (*shared, *one.get("parameters", []))],
                    }
                )
    return [
        {"name": tag, "title": titles.get(tag, ""), "operations": found}
        for tag, found in groups.items()
        if found
    ]


def _whole(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parameter itself where the document only refers to it."""
    reference = parameter.get("$ref", "")
    if not reference.startswith("#/"):
        return parameter
    found: Any = document
    for part in reference[2:].split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~"), {})
    return found if isinstance(found, Mapping) else parameter
