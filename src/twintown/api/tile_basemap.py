"""The vector tiles of the base map: files that were made when the twin was built, and how they are drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Reading
from twintown.api.landing import base
from twintown.api.tile_files import Version, cache, send
from twintown.api.versions import possible
from twintown.ground.errors import NotFound
from twintown.products import basemap

router = APIRouter(tags=["tiles"])
MVT = "application/vnd.mapbox-vector-tile"
MAX_ZOOM = 24
BASE = "base"


class VectorLayer(BaseModel):
    """A layer in vector tiles."""

    model_config = ConfigDict(extra="allow")

    id: str
    fields: dict[str, str]


class TileJSON(BaseModel):
    """TileJSON 3.0."""

    model_config = ConfigDict(extra="allow")

    tilejson: str
    tiles: list[str]
    vector_layers: list[VectorLayer]
    minzoom: int
    maxzoom: int
    bounds: list[float]
    attribution: str | None = None


class Style(BaseModel):
    """A MapLibre style, version 8; a stated subset of it."""

    model_config = ConfigDict(extra="allow")

    version: Literal[8]
    name: str
    sources: dict[str, object]
    layers: list[dict[str, object]] = Field(description="drawn from the first to the last")


@router.get(
    "/twins/{twin}/tiles/base",
    operation_id="getBaseTileJSON",
    response_model=TileJSON,
    responses=problems.responses(400, 401, 404),
)
def get_tilejson(request: Request, asked: Reading) -> Response:
    """Where the vector tiles of the base map are, and what is in them (TileJSON 3.0)."""
    version = asked.served.twin.product(BASE, asked.grant)
    template = (
        f"{request.base_url}{base(asked.served.id)[1:]}/tiles/{BASE}/{{z}}/{{x}}/{{y}}?v={version.version}"
    )
    document = answers.loads(asked.served.twin.product_file(version, "tilejson.json", asked.grant))
    return answers.answer_json(request, basemap.tilejson(document, template))


@router.get(
    "/twins/{twin}/tiles/base/{z}/{x}/{y}",
    operation_id="getBaseTile",
    response_class=Response,
    responses={
        200: {
            "description": "a vector tile",
            "content": {MVT: {"schema": {"type": "string", "format": "binary"}}},
        },
        204: {"description": "nothing is drawn there"},
        **problems.responses(400, 401, 404, 410),
    },
)
def get_tile(
    request: Request,
    asked: Reading,
    z: Annotated[int, Path(ge=0, le=MAX_ZOOM, description="zoom level")],
    x: Annotated[int, Path(ge=0, description="column, from the west")],
    y: Annotated[int, Path(ge=0, description="row, from the north")],
    v: Version = None,
) -> Response:
    """One vector tile of the base map (MVT 2.1, web-mercator square, y from the north)."""
    if max(x, y) >= 1 << z:
        raise NotFound(
            f"there is no tile {x}, {y} at zoom {z}", asked.served.id, f"x and y go from 0 to {(1 << z) - 1}"
        )
    version = asked.served.twin.product(BASE, asked.grant, possible(v))
    try:
        return send(request, asked, version, f"{z}/{x}/{y}.mvt", MVT, v)
    except NotFound:  # an empty tile is an answer, not an error: maps ask for all around
        return Response(status_code=204, headers={"Cache-Control": cache(version, v)})


@router.get(
    "/twins/{twin}/styles/base",
    operation_id="getBaseStyle",
    response_model=Style,
    responses=problems.responses(400, 401, 404),
)
def get_style(
    request: Request,
    asked: Reading,
    language: Annotated[Literal["ko", "en"], Query(description="whose names stand on the map")] = "ko",
) -> Response:
    """How the base map is drawn: a subset of MapLibre's style JSON."""
    version = asked.served.twin.product(BASE, asked.grant)
    address = f"{request.base_url}{base(asked.served.id)[1:]}/tiles/{BASE}"
    document = answers.loads(asked.served.twin.product_file(version, "tilejson.json", asked.grant))
    return answers.answer_json(request, basemap.style(document, address, language))
