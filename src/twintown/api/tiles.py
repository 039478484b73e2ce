"""What browsers stream: 3D Tiles and vector tiles, files that were made when the twin was built.

The address with `?v=<version>` never changes its content and may be kept for a year; without it, or with a
version that is gone, a cache asks each time and is told by the entity tag.
"""

from __future__ import annotations

import gzip
import re
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.landing import base
from twintown.ground.errors import NotFound
from twintown.products import basemap
from twintown.twin.layers import ProductVersion

router = APIRouter(tags=["tiles"])
MVT = "application/vnd.mapbox-vector-tile"
GLB = "model/gltf-binary"
_TYPES = {
    ".json": "application/json",
    ".glb": GLB,
    ".subtree": "application/octet-stream",
    ".b3dm": "application/octet-stream",
}
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
MAX_ZOOM = 24
BASE = "base"

Version = Annotated[
    str | None, Query(description="version of the tiles; makes the address immutable", max_length=64)
]


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


def _cache(asked: Asked, version: ProductVersion, named: str | None) -> str:
    return answers.IMMUTABLE if named == version.version else answers.REVALIDATE


def _send(
    request: Request, asked: Asked, version: ProductVersion, path: str, media_type: str, named: str | None
) -> Response:
    """One file of a product; read and compressed once, then from memory."""
    cache, etag = _cache(asked, version, named), answers.tag(version.version, path)
    if answers.unchanged(request, etag):
        return answers.not_modified(etag, cache)
    served = asked.served

    def make() -> tuple[bytes, bytes]:
        body = served.twin.product_file(version, path, asked.grant)
        return body, gzip.compress(body, 6, mtime=0)

    body, packed = served.tiles.get((version.product, version.version, path), make)
    return answers.answer(request, body, media_type, etag=etag, cache=cache, packed=packed)


@router.get(
    "/twins/{twin}/3dtiles/{layer}/{path:path}",
    operation_id="get3DTiles",
    response_class=Response,
    responses={
        200: {
            "description": "tileset.json, another tileset document, or the content of a tile (3D Tiles 1.1)",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                GLB: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **problems.responses(400, 401, 403, 404),
    },
)
def get_3dtiles(
    request: Request,
    asked: Reading,
    layer: LayerId,
    path: Annotated[str, Path(description="file of the tileset", examples=["tileset.json"])],
    v: Version = None,
) -> Response:
    """One file of a layer's 3D tileset."""
    suffix = path[path.rfind(".") :] if "." in path else ""
    if not _SAFE.fullmatch(path) or suffix not in _TYPES:
        raise NotFound(f"a tileset has no file {path[:80]!r}", asked.served.id, "start at tileset.json")
    try:
        version = asked.served.twin.product(f"{layer}-3dtiles", asked.grant)
    except NotFound:
        raise NotFound(
            f"there are no 3D Tiles of {layer[:64]!r}", asked.served.id, "see the links of the twin"
        ) from None
    try:
        return _send(request, asked, version, path, _TYPES[suffix], v)
    except NotFound:
        raise NotFound(f"the tileset has no file {path[:80]!r}", layer, "start at tileset.json") from None


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
        **problems.responses(400, 401, 404),
    },
)
def get_tile(
    request: Request,
    asked: Reading,
    z: Annotated[int, Path(ge=0, le=MAX_ZOOM)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
    v: Version = None,
) -> Response:
    """One vector tile of the base map (MVT 2.1, web-mercator square, y from the north)."""
    if max(x, y) >= 1 << z:
        raise NotFound(
            f"there is no tile {x}, {y} at zoom {z}", asked.served.id, f"x and y go from 0 to {(1 << z) - 1}"
        )
    version = asked.served.twin.product(BASE, asked.grant)
    try:
        return _send(request, asked, version, f"{z}/{x}/{y}.mvt", MVT, v)
    except NotFound:  # an empty tile is an answer, not an error: maps ask for all around
        return Response(status_code=204, headers={"Cache-Control": _cache(asked, version, v)})


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
