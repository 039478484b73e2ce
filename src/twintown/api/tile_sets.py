"""Tilesets told: what tiles there are of what, within which limits, and where (OGC 20-057 and 17-083r4; TileJSON 3.0)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from twintown.api.represent import JSON, Form, word
from twintown.api.schemas import Link, LonLatBox, Model
from twintown.api.tile_matrices import SCHEMES, Scheme, scheme_link
from twintown.twin.layers import LayerVersion

TILEJSON = "application/vnd.mapbox.tilejson+json"
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_DIMENSIONS = {"Point": 0, "LineString": 1, "Polygon": 2}
_JSON_TYPES = {"integer": "Number", "number": "Number", "boolean": "Boolean"}
DataType = Literal["vector", "map"]


class _Said(Model):
    """What is not known is absent."""

    @model_serializer(mode="wrap")
    def _said(self, full: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in full(self).items() if value is not None}


class TileMatrixLimits(Model):
    """The tiles of one matrix that there are; others are answered with 404."""

    tileMatrix: str
    minTileRow: int
    maxTileRow: int
    minTileCol: int
    maxTileCol: int


class BoundingBox(Model):
    """The smallest rectangle that holds everything."""

    lowerLeft: tuple[float, float]
    upperRight: tuple[float, float]
    crs: str = _CRS84


class TileSetLayer(_Said):
    """A layer in the tiles."""

    id: str
    title: str
    dataType: DataType
    geometryDimension: int | None = Field(default=None, description="0 points, 1 lines, 2 areas")
    minTileMatrix: str
    maxTileMatrix: str
    boundingBox: BoundingBox | None = None
    propertiesSchema: dict[str, Any] | None = None


class TileSetStyle(Model):
    """How map tiles are drawn."""

    id: str
    title: str


class TileSetItem(_Said):
    """A tileset in a list."""

    title: str
    dataType: DataType
    crs: str
    tileMatrixSetId: str
    tileMatrixSetURI: str
    tileMatrixSetLimits: list[TileMatrixLimits]
    style: TileSetStyle | None = None
    links: list[Link]


class TileSet(TileSetItem):
    """A tileset: tiles of one or several layers in one tile matrix set."""

    description: str
    attribution: str
    version: str
    mediaTypes: list[str]
    boundingBox: BoundingBox | None = None
    layers: list[TileSetLayer]
    featuresPerTile: int | None = Field(default=None, description="at most")


class TileSets(Model):
    """The tilesets of a resource."""

    tilesets: list[TileSetItem]
    links: list[Link]


@dataclass(frozen=True)
class Told:
    """What is said of the tilesets of one resource.

    Args:
        here: absolute address of the list; each tileset is below it.
        title: of the resource, in the language of the answer.
        layers: what the tiles show.
        tile: media type of a tile, and the value of `f` for it.
        token: makes the addresses of tiles immutable.
        last: the finest matrix with tiles of their own.
        query: what else stands in the addresses.
        features: in a tile, at most.
        columns: the only ones that may be told of, or None for all.
        style: id and title of the style of map tiles.
        box: around all that is drawn, where it is known better than from the layers.
    """

    here: str
    title: str
    layers: Sequence[LayerVersion]
    data: DataType
    tile: tuple[str, str]
    token: str
    last: int
    description: str
    query: str = ""
    features: int | None = None
    columns: tuple[str, ...] | None = None
    style: tuple[str, str] | None = None
    box: LonLatBox | None = None

    @property
    def bounds(self) -> LonLatBox | None:
        """West, south, east, north of all layers, degrees."""
        return self.box or around([layer.bbox_lonlat for layer in self.layers])

    @property
    def attribution(self) -> str:
        words = [
            licence.attribution or licence.title
            for layer in self.layers
            for licence in layer.provenance.licences
        ]
        return " · ".join(dict.fromkeys(words))


def around(boxes: Iterable[LonLatBox | None]) -> LonLatBox | None:
    """The smallest rectangle around boxes, degrees; none where nothing has a place."""
    there = [box for box in boxes if box is not None]
    if not there:
        return None
    west, south, east, north = zip(*there, strict=True)
    return min(west), min(south), max(east), max(north)


def listed(request: Request, twin: str, told: Told) -> TileSets:
    """The list of the tilesets of a resource, one for each tile matrix set."""
    return TileSets(tilesets=[_item(request, twin, told, scheme) for scheme in SCHEMES.values()], links=[])


def _item(request: Request, twin: str, told: Told, scheme: Scheme) -> TileSetItem:
    own = Link(href=f"{told.here}/{scheme.id}{_query(told)}", rel="self", type=JSON, title=scheme.id)
    return TileSetItem(
        title=f"{told.title} · {scheme.id}",
        dataType=told.data,
        crs=scheme.crs_uri,
        tileMatrixSetId=scheme.id,
        tileMatrixSetURI=scheme.uri,
        tileMatrixSetLimits=limits(told, scheme),
        style=None if told.style is None else TileSetStyle(id=told.style[0], title=told.style[1]),
        links=[own, *_links(request, twin, told, scheme)],
    )


def _query(told: Told, *more: str) -> str:
    parts = [part for part in (*more, told.query) if part]
    return f"?{'&'.join(parts)}" if parts else ""


def template(told: Told, scheme: Scheme, matrix: str, row: str, column: str) -> str:
    """The address of tiles with the names of what is to be filled in."""
    query = _query(told, f"f={told.tile[1]}", f"v={told.token}" if told.token else "")
    return f"{told.here}/{scheme.id}/{{{matrix}}}/{{{row}}}/{{{column}}}{query}"


def _links(request: Request, twin: str, told: Told, scheme: Scheme) -> list[Link]:
    tile = Link(
        href=template(told, scheme, "tileMatrix", "tileRow", "tileCol"),
        rel="item",
        type=told.tile[0],
        title="tiles",
        templated=True,
    )
    return [tile, scheme_link(request, twin, scheme)]


def limits(told: Told, scheme: Scheme) -> list[TileMatrixLimits]:
    """Which tiles of each matrix there are."""
    box = told.bounds
    if box is None:
        return []
    found = []
    for matrix in range(min(told.last, scheme.last) + 1):
        top, bottom, left, right = scheme.limits(box, matrix)
        found.append(
            TileMatrixLimits(
                tileMatrix=str(matrix), minTileRow=top, maxTileRow=bottom, minTileCol=left, maxTileCol=right
            )
        )
    return found


def tileset(request: Request, twin: str, told: Told, scheme: Scheme, form: Form) -> TileSet:
    """All that is said of one tileset."""
    item = _item(request, twin, told, scheme)
    last = min(told.last, scheme.last)
    layers = [
        TileSetLayer(
            id=layer.layer,
            title=word(layer.title, form.lang),
            dataType=told.data,
            geometryDimension=_DIMENSIONS.get(layer.meta.get("geometry") or "")
            if told.data == "vector"
            else None,
            minTileMatrix="0",
            maxTileMatrix=str(last),
            boundingBox=_box(layer.bbox_lonlat),
            propertiesSchema=_schema(layer, told, form) if told.data == "vector" else None,
        )
        for layer in told.layers
    ]
    links = [link for link in item.links if link.rel != "self"]
    if told.data == "vector" and scheme.mercator:
        href = f"{told.here}/{scheme.id}{_query(told, 'f=tilejson')}"
        links.append(Link(href=href, rel="describedby", type=TILEJSON, title="TileJSON"))
    return TileSet(
        **{**item.__dict__, "links": links},
        description=told.description,
        attribution=told.attribution,
        version=told.token,
        mediaTypes=[told.tile[0]],
        boundingBox=_box(told.bounds),
        layers=layers,
        featuresPerTile=told.features,
    )


def _box(box: LonLatBox | None) -> BoundingBox | None:
    return None if box is None else BoundingBox(lowerLeft=(box[0], box[1]), upperRight=(box[2], box[3]))


def _columns(layer: LayerVersion, told: Told) -> list[dict[str, Any]]:
    said = layer.meta.get("columns", [])
    return [one for one in said if told.columns is None or one["name"] in told.columns]


def _schema(layer: LayerVersion, told: Told, form: Form) -> dict[str, Any]:
    """JSON Schema of what features carry: column by column, `id` first."""
    properties: dict[str, Any] = {"id": {"type": "string"}}
    for column in _columns(layer, told):
        kind = column["type"]
        said = {"type": "string", "format": "date-time"} if kind == "datetime" else {"type": kind}
        if column["unit"]:
            said["x-ogc-unit"] = column["unit"]
        properties[column["name"]] = {"title": column["title"][form.lang], **said}
    return {"type": "object", "properties": properties}


def tilejson(told: Told, scheme: Scheme, form: Form) -> dict[str, Any]:
    """TileJSON 3.0.0 of vector tiles in web mercator."""
    box = told.bounds or (-180.0, -85.0, 180.0, 85.0)
    return {
        "tilejson": "3.0.0",
        "name": told.title,
        "description": told.description,
        "attribution": told.attribution,
        "scheme": "xyz",
        "tiles": [template(told, scheme, "z", "y", "x")],
        "minzoom": 0,
        "maxzoom": told.last,
        "bounds": [round(side, 7) for side in box],
        "center": [round((box[0] + box[2]) / 2, 7), round((box[1] + box[3]) / 2, 7), min(14, told.last)],
        "vector_layers": [
            {
                "id": layer.layer,
                "description": word(layer.title, form.lang),
                "minzoom": 0,
                "maxzoom": told.last,
                "fields": {
                    "id": "String",
                    **{c["name"]: _JSON_TYPES.get(c["type"], "String") for c in _columns(layer, told)},
                },
            }
            for layer in told.layers
        ],
    }
