"""Vector tiles of every layer with geometry, drawn on request (OGC API - Tiles Part 1, 20-057).

One layer at its own address, several of them in one tile at the twin's. `?v=<token>` makes an address immutable: it names
the version with its edits, and is answered from that version or with 410.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from twintown.api import answers, items_query, problems, tile_vectors
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.landing import base
from twintown.api.represent import (
    OFFERS,
    Form,
    Lang,
    Shown,
    absolute,
    language,
    negotiate,
    represent,
    word,
)
from twintown.api.shelf import terms
from twintown.api.tile_asks import (
    Filter,
    FilterCrs,
    FilterLang,
    Moment,
    Properties,
    Several,
    Shape,
    TilesetForm,
    Token,
    Tokens,
)  # fmt: skip
from twintown.api.tile_matrices import Column, Matrix, Row, Scheme, SchemeId, scheme_of
from twintown.api.tile_sets import TILEJSON, TileSet, TileSets, Told, around, listed, tilejson, tileset
from twintown.api.versions import possible
from twintown.ground.errors import NotFound
from twintown.twin.layers import LayerVersion
from twintown.twin.told import as_told

if TYPE_CHECKING:
    from twintown.index.view import View

router = APIRouter(tags=["tiles"])
MVT = "application/vnd.mapbox-vector-tile"
_TILES, _TMS = (
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf",
    "http://www.opengis.net/spec/tms/2.0/conf",
)
#: Proved by tests/conformance/test_tiles.py.
CONFORMANCE = (
    *(f"{_TILES}/{name}" for name in ("core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets",
                                      "collections-selection", "mvt", "png")),
    *(f"{_TMS}/{name}" for name in ("tilematrixsetlimits", "json-tilematrixsetlimits", "tilesetmetadata", "json-tilesetmetadata")),
)  # fmt: skip
_TILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a vector tile (MVT 2.1); without a byte where nothing is drawn",
        "content": {MVT: {"schema": {"type": "string", "format": "binary"}}},
    },
    **problems.responses(400, 401, 403, 404, 410),
}


def placed(asked: Asked, layer: str) -> LayerVersion:
    """The current version of a layer with geometry. Raises NotFound for what is none."""
    version = asked.served.twin.version(layer, asked.grant)
    if version.kind != "features":
        there = "its map tiles are at map/tiles" if version.kind == "grid" else "it has no geometry"
        raise NotFound(f"{version.layer} is a {version.kind} and has no vector tiles", asked.served.id, there)
    return version


def chosen(asked: Asked, collections: str | None) -> list[LayerVersion]:
    """The layers of a dataset tile, in order. Raises NotFound: one of them is not there, or has no geometry."""
    layers = {one.layer: one for one in asked.served.twin.layers(asked.grant) if one.kind == "features"}
    if collections is None:
        return list(layers.values())
    names = [name.strip() for name in collections.split(",")]
    for name in names:
        if name not in layers:
            raise NotFound(
                f"there is no layer {name[:64]!r} with geometry", "collections", f"known: {', '.join(layers)}"
            )
    return [layers[name] for name in dict.fromkeys(names)]


def _told(request: Request, asked: Asked, form: Form, version: LayerVersion) -> Told:
    here = absolute(request, f"{base(asked.served.id)}/collections/{version.layer}/tiles")
    view, seen = asked.served.view(version, asked.grant), as_told(asked.served.twin, version, asked.grant)
    return Told(
        here, word(version.title, form.lang), [seen], "vector", (MVT, "mvt"), view.token, tile_vectors.LAST,
        tile_vectors.said(form.lang), features=tile_vectors.MOST, columns=asked.grant.columns, box=view.bbox,
    )  # fmt: skip


def _told_all(request: Request, asked: Asked, form: Form, collections: str | None) -> Told:
    layers = chosen(asked, collections)
    here = absolute(request, f"{base(asked.served.id)}/tiles")
    views = [asked.served.view(one, asked.grant) for one in layers]
    said = "" if collections is None else f"collections={','.join(one.layer for one in layers)}"
    return Told(
        here, word(asked.served.twin.description.names, form.lang), layers, "vector", (MVT, "mvt"),
        _together(views), tile_vectors.LAST, tile_vectors.said(form.lang), said,
        features=tile_vectors.MOST, columns=asked.grant.columns, box=around(view.bbox for view in views),
    )  # fmt: skip


def _together(views: Sequence[View]) -> str:
    """One token for several layers."""
    tokens = [f"{view.layer}={view.token}" for view in views]
    return hashlib.blake2b("&".join(tokens).encode(), digest_size=12).hexdigest()


def _tile(
    request: Request,
    asked: Asked,
    layers: Sequence[LayerVersion],
    tile: tuple[Scheme, int, int, int],
    v: str | None,
    told: dict[str, str | None],
) -> Response:
    """One tile of these layers; those that a token names where it is one layer."""
    scheme, matrix, row, column = tile
    alone = len(layers) == 1 and "collections" not in told
    views = [asked.served.view(one, asked.grant, possible(v) if alone else "") for one in layers]
    box = around(view.bbox for view in views)
    scheme.check(matrix, row, column, asked.served.id, box, tile_vectors.LAST)
    token = views[0].token if alone else _together(views)
    given = {name: text for name, text in told.items() if text is not None and name != "collections"}
    cache = answers.IMMUTABLE if v == token else answers.REVALIDATE
    key = (token, scheme.id, matrix, row, column, tuple(sorted(given.items())))
    etag = answers.tag(*key, terms(asked.grant))
    if answers.unchanged(request, etag):
        return answers.not_modified(etag, answers.PRIVATE if answers.personal(request) else cache)

    def make() -> bytes:
        parts = []
        for view in views:
            asks = items_query.question(given, view)
            parts.append(
                tile_vectors.draw(view, view.layer, scheme, matrix, row, column, asks.query, asks.columns)
            )
        return b"".join(parts)

    kept = ("mvt", tuple(one.layer for one in layers), terms(asked.grant), *key)
    body = asked.served.tiles.get(kept, make)
    packed = b""
    if answers.accepts_gzip(request):
        packed = asked.served.tiles.get((*kept, "gzip"), lambda: gzip.compress(body, 3, mtime=0))
    return answers.answer(request, body, MVT, etag=etag, cache=cache, packed=packed)


@router.get(
    "/twins/{twin}/collections/{layer}/tiles",
    operation_id="collection.vector.getTileSetsList",
    response_model=TileSets,
    responses=problems.responses(400, 401, 403, 404, 406),
)
def list_layer_tiles(request: Request, asked: Reading, form: Shown, layer: LayerId) -> Response:
    """The vector tilesets of a layer: the same features in each tile matrix set."""
    told = _told(request, asked, form, placed(asked, layer))
    return represent(request, listed(request, asked.served.id, told), form, "tilesets")


def _describe(request: Request, asked: Asked, scheme: str, f: str | None, lang: Lang, told: Told) -> Response:
    cut = scheme_of(scheme)
    form = Form("json" if f == "tilejson" else negotiate(request, OFFERS, f), language(request, lang))
    if f == "tilejson":
        if not cut.mercator:
            raise NotFound("TileJSON knows web mercator only", scheme, "ask WebMercatorQuad for it")
        return represent(request, tilejson(told, cut, form), form, media_type=TILEJSON)
    return represent(request, tileset(request, asked.served.id, told, cut, form), form, "tileset")


_TILESET: dict[int | str, dict[str, Any]] = {
    200: {"content": {TILEJSON: {"schema": {"$ref": "#/components/schemas/TileJSON"}}}},
    **problems.responses(400, 401, 403, 404, 406),
}


@router.get(
    "/twins/{twin}/collections/{layer}/tiles/{tileMatrixSetId}",
    operation_id="collection.vector.getTileSet",
    response_model=TileSet,
    responses=_TILESET,
)
def get_layer_tileset(
    request: Request, asked: Reading, layer: LayerId, scheme: SchemeId, f: TilesetForm = None, lang: Lang = None
) -> Response:  # fmt: skip
    """A layer's vector tileset: limits, properties, and where its tiles are; also as TileJSON."""
    told = _told(request, asked, Form("json", language(request, lang)), placed(asked, layer))
    return _describe(request, asked, scheme, f, lang, told)


@router.get(
    "/twins/{twin}/collections/{layer}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
    operation_id="collection.vector.getTile",
    response_class=Response,
    responses=_TILE,
)
def get_layer_tile(
    request: Request, asked: Reading, layer: LayerId, scheme: SchemeId, matrix: Matrix, row: Row, column: Column,
    f: Shape = None, v: Token = None, datetime: Moment = None, properties: Properties = None, condition: Filter = None,
    filter_lang: FilterLang = None, filter_crs: FilterCrs = None,
) -> Response:  # fmt: skip
    """A vector tile of a layer; mind the order: row, then column."""
    told = {
        "datetime": datetime,
        "properties": properties,
        "filter": condition,
        "filter-lang": filter_lang,
        "filter-crs": filter_crs,
    }
    return _tile(request, asked, [placed(asked, layer)], (scheme_of(scheme), matrix, row, column), v, told)


@router.get(
    "/twins/{twin}/tiles",
    operation_id="dataset.vector.getTileSetsList",
    response_model=TileSets,
    responses=problems.responses(400, 401, 404, 406),
)
def list_tiles(request: Request, asked: Reading, form: Shown, collections: Several = None) -> Response:
    """The vector tilesets of a twin: several layers in one tile."""
    told = _told_all(request, asked, form, collections)
    value = listed(request, asked.served.id, told)
    return represent(request, value, form, "tilesets")


@router.get(
    "/twins/{twin}/tiles/{tileMatrixSetId}",
    operation_id="dataset.vector.getTileSet",
    response_model=TileSet,
    responses=_TILESET,
)
def get_tileset(
    request: Request, asked: Reading, scheme: SchemeId, f: TilesetForm = None, lang: Lang = None, collections: Several = None
) -> Response:  # fmt: skip
    """A twin's vector tileset, its layers, and where its tiles are; also as TileJSON."""
    told = _told_all(request, asked, Form("json", language(request, lang)), collections)
    return _describe(request, asked, scheme, f, lang, told)


@router.get(
    "/twins/{twin}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
    operation_id="dataset.vector.getTile",
    response_class=Response,
    responses=_TILE,
)
def get_tile(
    request: Request, asked: Reading, scheme: SchemeId, matrix: Matrix, row: Row, column: Column,
    f: Shape = None, v: Tokens = None, datetime: Moment = None, collections: Several = None,
) -> Response:  # fmt: skip
    """A vector tile of several layers; mind the order: row, then column."""
    told = {"datetime": datetime, "collections": collections or ""}
    return _tile(
        request, asked, chosen(asked, collections), (scheme_of(scheme), matrix, row, column), v, told
    )
