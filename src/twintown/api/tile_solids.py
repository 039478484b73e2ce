"""3D Tiles: the tilesets of a twin with their bounds, and their files, which were made when the twin was built."""

from __future__ import annotations

import re
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.landing import REL, base
from twintown.api.represent import JSON, Form, Shown, absolute, represent, word
from twintown.api.schemas import Link, Model, Names
from twintown.api.tile_files import Version, send
from twintown.api.versions import possible
from twintown.ground.errors import Gone, NotFound
from twintown.twin.layers import ProductVersion

router = APIRouter(tags=["tiles"])
GLB = "model/gltf-binary"
TILESET = "application/json+3dtiles"
CRS84H = "http://www.opengis.net/def/crs/OGC/0/CRS84h"
_SUFFIX = "-3dtiles"
_TYPES = {
    ".json": "application/json",
    ".glb": GLB,
    ".subtree": "application/octet-stream",
    ".b3dm": "application/octet-stream",
}
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


class ContentExtent(Model):
    """Where the content is."""

    bbox: tuple[float, float, float, float, float, float] = Field(
        description="west, south (degrees), lowest (m above the ellipsoid), east, north, highest"
    )
    crs: str = CRS84H


class SolidTileset(Model):
    """A 3D tileset, as a container of OGC API - 3D GeoVolumes (draft 22-029)."""

    id: str = Field(description="id of the layer")
    title: str
    names: Names
    collectionType: str
    version: str
    built_at: str
    contentExtent: ContentExtent
    boundingVolume: dict[str, Any] = Field(
        description="region of 3D Tiles 1.1: west, south, east, north (radians), lowest, highest (m above the ellipsoid)"
    )
    heights_m: tuple[float, float] = Field(description="lowest and highest, above the geoid")
    content: list[Link]
    links: list[Link]


class SolidTilesets(Model):
    """The 3D tilesets of a twin."""

    tilesets: list[SolidTileset]
    links: list[Link]


def region(document: dict[str, Any]) -> tuple[float, float, float, float, float, float]:
    """West, south (degrees), lowest (m above the ellipsoid), east, north, highest of the root's bounding box."""
    from twintown.ground.frames import _transformer

    root = document["root"]
    box = np.array(root["boundingVolume"]["box"], float)
    axes = box[3:].reshape(3, 3)
    signs = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], [-1, 0, 1]), -1).reshape(-1, 3)
    local = np.column_stack([box[:3] + signs @ axes, np.ones(27)])
    matrix = np.array(root.get("transform", np.eye(4).ravel()), float).reshape(4, 4)  # column by column
    x, y, z, _ = (local @ matrix).T
    lon, lat, height = _transformer("EPSG:4978", "EPSG:4979").transform(x, y, z)
    low, high = np.array([lon, lat, height]).min(axis=1), np.array([lon, lat, height]).max(axis=1)
    return tuple(float(v) for v in (*low, *high))  # type: ignore[return-value]


def _told(request: Request, asked: Asked, product: ProductVersion, form: Form) -> SolidTileset:
    served, layer = asked.served, product.product.removesuffix(_SUFFIX)

    def find() -> tuple[float, float, float, float, float, float]:
        return region(answers.loads(served.twin.product_file(product, "tileset.json", asked.grant)))

    west, south, low, east, north, high = served.bodies.get(
        ("region", product.product, product.version), find
    )
    root = absolute(request, base(served.id))
    href = f"{root}/3dtiles/{layer}/tileset.json?v={product.version}"
    names = product.meta.get("title") or {"ko": layer, "en": layer}
    up = served.twin.description.frame.undulation_m
    around = [float(np.radians(side)) for side in (west, south, east, north)]
    return SolidTileset(
        id=layer,
        title=word(names, form.lang),
        names=Names(**names),
        collectionType="3d-container",
        version=product.version,
        built_at=product.built_at.isoformat(),
        contentExtent=ContentExtent(
            bbox=(
                round(west, 8),
                round(south, 8),
                round(low, 2),
                round(east, 8),
                round(north, 8),
                round(high, 2),
            )
        ),
        boundingVolume={"region": [*around, round(low, 2), round(high, 2)]},
        heights_m=(round(low - up, 2), round(high - up, 2)),
        content=[Link(href=href, rel="original", type=TILESET, title="3D Tiles 1.1")],
        links=[
            Link(
                href=f"{root}/collections/{layer}",
                rel="collection",
                type=JSON,
                title="the layer that it shows",
            ),
            Link(href=href, rel="item", type=JSON, title="tileset.json"),
        ],
    )


@router.get(
    "/twins/{twin}/3dtiles",
    operation_id="list3DTilesets",
    response_model=SolidTilesets,
    responses=problems.responses(400, 401, 404, 406),
)
def list_3dtiles(request: Request, asked: Reading, form: Shown) -> Response:
    """The 3D tilesets of a twin: where each is, how low and how high, and where its tileset.json is."""
    found = [one for one in asked.served.twin.products(asked.grant) if one.product.endswith(_SUFFIX)]
    told = [_told(request, asked, one, form) for one in found]
    up = Link(href=absolute(request, base(asked.served.id)), rel=f"{REL}dataset", type=JSON, title="the twin")
    return represent(request, SolidTilesets(tilesets=told, links=[up]), form, "tilesets3d")


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
        **problems.responses(400, 401, 403, 404, 410),
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
    token = possible(v)
    try:
        version = asked.served.twin.product(f"{layer}{_SUFFIX}", asked.grant, token)
    except Gone:
        raise
    except NotFound:
        raise NotFound(
            f"there are no 3D Tiles of {layer[:64]!r}", asked.served.id, "GET 3dtiles lists those there are"
        ) from None
    try:
        return send(request, asked, version, path, _TYPES[suffix], v)
    except NotFound:
        raise NotFound(f"the tileset has no file {path[:80]!r}", layer, "start at tileset.json") from None
