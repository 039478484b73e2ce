"""What the rows of a layer (or the cells of a grid) hold, as JSON Schema 2020-12, and what can be asked for.

Roles and units are written as OGC API - Features Part 5 has them: `x-ogc-role`, `x-ogc-unit` (UCUM), `x-ogc-propertySeq`.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twintown.api import extents, problems
from twintown.api.collections import columns
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.landing import base
from twintown.api.represent import Form, Language, Shown, absolute, represent, word
from twintown.ground.errors import NotFound
from twintown.twin.layers import LayerVersion

router = APIRouter(tags=["layers"])
MEDIA_TYPE = "application/schema+json"
_SPEC = "http://www.opengis.net/spec/ogcapi-features"
CONFORMANCE = (
    f"{_SPEC}-3/1.0/conf/queryables",
    f"{_SPEC}-3/1.0/conf/queryables-query-parameters",
    f"{_SPEC}-5/1.0/conf/schemas",
    f"{_SPEC}-5/1.0/conf/core-roles-features",
)
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
}
#: A layer says the simple kind of its geometries; the parts of one object may be several.
_GEOMETRIES = {
    "Point": "geometry-point-or-multipoint",
    "LineString": "geometry-linestring-or-multilinestring",
    "Polygon": "geometry-polygon-or-multipolygon",
    "GeometryCollection": "geometry-any",
}


class JsonSchema(BaseModel):
    """A JSON Schema (2020-12) of an object."""

    model_config = ConfigDict(extra="allow")

    dialect: str = Field(alias="$schema", default=DIALECT)
    id: str = Field(alias="$id")
    type: str
    title: str
    description: str
    properties: dict[str, dict[str, Any]]
    additionalProperties: bool


def _column(column: Any, seq: int, lang: Language) -> dict[str, Any]:
    said = {"title": column.title.ko if lang == "ko" else column.title.en, **_TYPES[column.type]}
    if column.unit:
        said |= {"x-ogc-unit": column.unit, "x-ogc-unitLang": "UCUM"}
    return {**said, "x-ogc-propertySeq": seq}


def _rows(version: LayerVersion, asked: Asked, lang: Language) -> dict[str, dict[str, Any]]:
    """The properties of features, of rows, of a series."""
    ko = lang == "ko"
    made: dict[str, dict[str, Any]] = {
        "id": {"title": "식별자" if ko else "identifier", "type": "string", "x-ogc-role": "id"}
    }
    times = extents.time_columns(version)
    for seq, column in enumerate(columns(version, asked), start=1):
        if column.name == "id":
            made["id"] |= {"title": column.title.ko if ko else column.title.en}
            continue
        made[column.name] = _column(column, seq, lang)
        if times and column.name == times[0]:
            made[column.name]["x-ogc-role"] = "primary-instant"
    if version.kind == "features":
        form = _GEOMETRIES.get(version.meta.get("geometry") or "", "geometry-any")
        made["geometry"] = {
            "title": "위치" if ko else "geometry",
            "format": form,
            "x-ogc-role": "primary-geometry",
        }
    return made


def _cells(version: LayerVersion, lang: Language) -> dict[str, dict[str, Any]]:
    """The fields of a grid, one a band."""
    meta = version.meta
    shape = list(meta["shape"])
    bands = shape[0] if len(shape) == 3 else 1
    kind = "number" if str(meta["dtype"]).startswith("float") else "integer"
    said: dict[str, Any] = {"title": word(version.title, lang), "type": kind}
    if meta.get("unit"):
        said |= {"x-ogc-unit": meta["unit"], "x-ogc-unitLang": "UCUM"}
    names = ["value"] if bands == 1 else [f"band{n}" for n in range(1, bands + 1)]
    return {name: {**said, "x-ogc-propertySeq": seq} for seq, name in enumerate(names, start=1)}


def _document(
    request: Request, asked: Asked, version: LayerVersion, form: Form, name: str, properties: dict[str, Any]
) -> dict[str, Any]:
    title = word(version.title, form.lang)
    what = {
        "schema": ("what an item of the layer holds", "자료층의 한 항목이 담는 것"),
        "queryables": ("what items of the layer can be asked for by", "자료층의 항목을 고를 수 있는 조건"),
    }[name]
    return {
        "$schema": DIALECT,
        "$id": absolute(request, f"{base(asked.served.id)}/collections/{version.layer}/{name}"),
        "type": "object",
        "title": title,
        "description": f"{title}: {what[form.lang == 'ko']}",
        "properties": properties,
        "additionalProperties": False,
    }


@router.get(
    "/twins/{twin}/collections/{layer}/schema",
    operation_id="getSchema",
    response_model=JsonSchema,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/JsonSchema"}}}},
        **problems.responses(400, 401, 403, 404, 406),
    },
)
def get_schema(request: Request, asked: Reading, form: Shown, layer: LayerId) -> Response:
    """What an item of the layer holds: names, types, units, roles; for a grid, the fields of its cells."""
    version = asked.served.twin.version(layer, asked.grant)
    held = _cells(version, form.lang) if version.kind == "grid" else _rows(version, asked, form.lang)
    value = _document(request, asked, version, form, "schema", held)
    return represent(request, value, form, "schema", media_type=MEDIA_TYPE)


@router.get(
    "/twins/{twin}/collections/{layer}/queryables",
    operation_id="getQueryables",
    response_model=JsonSchema,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/JsonSchema"}}}},
        **problems.responses(400, 401, 403, 404, 406),
    },
)
def get_queryables(request: Request, asked: Reading, form: Shown, layer: LayerId) -> Response:
    """What can stand in a filter (CQL2) and as a query parameter of the layer's items."""
    version = asked.served.twin.version(layer, asked.grant)
    if version.kind == "grid":
        raise NotFound(
            f"{layer} is a grid and has no queryables", layer, "ask for its schema and its coverage"
        )
    value = _document(request, asked, version, form, "queryables", _rows(version, asked, form.lang))
    return represent(request, value, form, "schema", media_type=MEDIA_TYPE)
