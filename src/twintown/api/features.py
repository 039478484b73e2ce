"""The rows of a layer: OGC API - Features. The routes as the OpenAPI document shows them; `items` answers.

The parameters stand here as objects of OpenAPI, because the standard says how each is serialised (`style`, `explode`); they are read
by `items_query`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from twintown.api import answers, items, patterns, problems, represent
from twintown.api.guard import OPEN_ENDED, LayerId, TwinId
from twintown.api.items_query import DEFAULT_LIMIT, LANGUAGES_OF_FILTERS, MAX_FILTER, MAX_LIMIT
from twintown.api.lane import Short
from twintown.api.schemas import Feature, Link
from twintown.formats.format import FORMATS

router = APIRouter(tags=["features"])
_SPEC = "http://www.opengis.net/spec/ogcapi-features"
CONFORMANCE = (
    f"{_SPEC}-1/1.0/conf/core",
    f"{_SPEC}-1/1.0/conf/geojson",
    f"{_SPEC}-1/1.0/conf/html",
    f"{_SPEC}-2/1.0/conf/crs",
    f"{_SPEC}-3/1.0/conf/filter",
    f"{_SPEC}-3/1.0/conf/features-filter",
)
#: `catalogue` is the id of the records about layers.
SHORTS = (
    Short(re.compile(r"/twins/([^/]+)/collections/(?!catalogue/)([^/]+)/items"), items.page),
    Short(re.compile(r"/twins/([^/]+)/collections/(?!catalogue/)([^/]+)/items/(.+)", re.DOTALL), items.item),
)
FORMS = ("geojson", "json", "html", *(name for name in FORMATS if name != "geojson"))


class FeatureCollection(BaseModel):
    """One page of features."""

    type: Literal["FeatureCollection"]
    title: str = Field(description="of the layer")
    timeStamp: str = Field(description="when the page was made, RFC 3339")
    numberMatched: int | None = Field(
        default=None, ge=0, description="exact; absent where counting would take too long"
    )
    numberReturned: int = Field(ge=0)
    links: list[Link]
    features: list[Feature]


def _query(name: str, schema: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "in": "query", "required": False, "style": "form", "explode": False,
        "description": description, "schema": schema, **more,
    }  # fmt: skip


_CRS = {"type": "string", "maxLength": 200, **patterns.CRS}
_F = _query(
    "f", {"type": "string", "enum": list(FORMS)}, "form of the answer; without it the header Accept decides"
)
_LANG = _query(
    "lang", {"type": "string", "enum": list(represent.LANGUAGES)},
    "language of titles and pages; without it the header Accept-Language decides",
)  # fmt: skip
_OUT = _query("crs", _CRS, "CRS of the coordinates in the answer, one of the layer's `crs`; CRS84 by default")
PARAMETERS = [
    _query(
        "bbox", {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
        "only rows whose shapes meet this box: its lower and its upper corner, 4 numbers, or 6 with heights, which are not looked at; "
        "west,south,east,north in degrees unless `bbox-crs` says otherwise",
        example=[127.09, 37.5, 127.12, 37.52],
    ),
    _query("bbox-crs", _CRS, "CRS of `bbox`, in the order of its axes; CRS84 by default"),
    _query(
        "datetime", {"type": "string", "maxLength": 100, **patterns.DATETIME},
        "only rows of this time: an instant, or an interval with .. for an open end, RFC 3339", example="2026-01-01T00:00:00Z/..",
    ),
    _query(
        "limit", {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
        f"rows a page; more than {MAX_LIMIT} gives {MAX_LIMIT}. Files (FlatGeobuf, GeoParquet, CSV, CityJSONSeq) hold all that matches "
        "where no limit is given",
    ),
    _query("cursor", {"type": "string", "maxLength": 120, **patterns.CURSOR}, "as the links `next` and `prev` carry it"),
    _OUT,
    _query("filter", {"type": "string", "maxLength": MAX_FILTER}, "only rows for which this CQL2 is true", example="height_m > 30"),
    _query(
        "filter-lang", {"type": "string", "enum": list(LANGUAGES_OF_FILTERS), "default": LANGUAGES_OF_FILTERS[0]}, "language of `filter`"
    ),
    _query("filter-crs", _CRS, "CRS of the shapes in `filter`, in the order of its axes; CRS84 by default"),
    _query("properties", {"type": "array", "items": {"type": "string"}}, "only these columns, joined by commas"),
    _query("skipGeometry", {"type": "boolean", "default": False}, "leave the shapes out"),
    _F,
    _LANG,
]  # fmt: skip


def _contents(model: str) -> dict[int | str, dict[str, Any]]:
    """The media types of an answer."""
    binary: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
    told: dict[str, Any] = {one.media_type: binary for one in FORMATS.values() if one.id != "geojson"}
    for name in ("jsonfg", "cityjson"):
        told[FORMATS[name].media_type] = {"schema": {"type": "object"}}
    told[f"{represent.HTML}; charset=utf-8"] = {"schema": {"type": "string"}}
    headers = {
        "Content-Crs": "the CRS of the coordinates, <URI>",
        "ETag": "of this answer",
        "Link": "the links of a body that is not JSON",
        "OGC-NumberMatched": "how many rows match, of a body that is not JSON",
        "OGC-NumberReturned": "how many rows a body that is not JSON holds",
    }
    return {
        200: {
            "description": model,
            "content": told,
            "headers": {k: {"description": v, "schema": {"type": "string"}} for k, v in headers.items()},
        },
        304: {"description": "unchanged since the entity tag that was sent"},
    }


@router.get(
    "/twins/{twin}/collections/{layer}/items",
    operation_id="listItems",
    response_model=FeatureCollection,
    response_class=answers.GeoJSON,
    responses={**_contents("A page of rows"), **problems.responses(400, 401, 403, 404, 406, 410)},
    openapi_extra={
        OPEN_ENDED: "every column of the layer is a query parameter too: {column}={value}",
        "parameters": PARAMETERS,
    },
)
async def list_items(request: Request, twin: TwinId, layer: LayerId) -> Response:
    """A page of the layer's rows, in the order of the layer; `{column}={value}` keeps rows with that value."""
    return await items.page(request, twin, layer)


@router.get(
    "/twins/{twin}/collections/{layer}/items/{item:path}",
    operation_id="getItem",
    response_model=Feature,
    response_class=answers.GeoJSON,
    responses={**_contents("One row"), **problems.responses(400, 401, 403, 404, 406)},
    openapi_extra={OPEN_ENDED: "", "parameters": [_F, _LANG, _OUT]},
)
async def get_item(
    request: Request,
    twin: TwinId,
    layer: LayerId,
    item: Annotated[str, Path(description="id of the row; slashes in it stay", examples=["way/123"])],
) -> Response:
    """One row by its id."""
    return await items.item(request, twin, layer, item)
