"""Map tiles of grids, 256 × 256 pixels, in each of their styles (OGC API - Tiles Part 1, 20-057)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from twintown.api import patterns, problems, ramps
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.landing import base
from twintown.api.maps import PICTURE, PNG, Shape, cells_of, sent
from twintown.api.represent import Lang, Shown, absolute, language, represent, word
from twintown.api.styles import StyleId
from twintown.api.tile_matrices import SIDE, Column, Matrix, Row, Scheme, SchemeId, scheme_of
from twintown.api.tile_sets import TileSet, TileSets, Told, listed, tileset
from twintown.ground.crs import CRS84, crs_of
from twintown.ground.lattice import Lattice
from twintown.twin.told import as_told

router = APIRouter(tags=["grids"])
#: The last matrix of map tiles.
LAST = 22
_LAYER = "/twins/{twin}/collections/{layer}"
_STYLE = _LAYER + "/styles/{styleId}"
_ONE = "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
Token = Annotated[
    str | None,
    Query(
        description="version of the layer; makes the address immutable",
        max_length=80,
        json_schema_extra=patterns.VERSION,
    ),
]


def _told(request: Request, asked: Asked, lang: Lang, layer: str, style: str | None) -> Told:
    cells = cells_of(asked, layer)
    version, language_ = cells.version, language(request, lang)
    ramp = ramps.DEFAULT if style is None else ramps.ramp(style)
    path = "" if style is None else f"/styles/{ramp.id}"
    here = absolute(request, f"{base(asked.served.id)}/collections/{version.layer}{path}/map/tiles")
    seen = as_told(asked.served.twin, version, asked.grant)
    said = {
        "en": "Each pixel shows the cell that its centre lies in; pixels larger than cells show the mean of what is known.",
        "ko": "각 화소는 중심이 놓인 칸을 보여 줍니다. 칸보다 큰 화소는 알려진 값의 평균입니다.",
    }[language_]
    return Told(
        here, f"{word(version.title, language_)} · {word(ramp.title, language_)}", [seen], "map", (PNG, "png"),
        version.version, LAST, said, style=(ramp.id, word(ramp.title, language_)),
    )  # fmt: skip


def _tile(
    request: Request, asked: Asked, layer: str, style: str, scheme: Scheme, matrix: int, row: int, column: int, v: str | None
) -> Response:  # fmt: skip
    cells = cells_of(asked, layer, v)
    box = as_told(asked.served.twin, cells.version, asked.grant).bbox_lonlat
    scheme.check(matrix, row, column, f"{asked.served.id} {layer}", box, LAST)
    xmin, ymin, xmax, ymax = scheme.extent(matrix, row, column)
    crs = crs_of(f"EPSG:{scheme.crs}") if scheme.mercator else CRS84
    target = Lattice(crs, xmin, ymax, (xmax - xmin) / SIDE, (ymax - ymin) / SIDE, SIDE, SIDE)
    return sent(request, asked, cells, style, target, v, tile=True)


_LIST = problems.responses(400, 401, 403, 404, 406)


@router.get(
    _LAYER + "/map/tiles",
    operation_id="collection.map.getTileSetsList",
    response_model=TileSets,
    responses=_LIST,
)
def list_map_tiles(request: Request, asked: Reading, form: Shown, layer: LayerId) -> Response:
    """The map tilesets of a grid in its default style."""
    value = listed(request, asked.served.id, _told(request, asked, form.lang, layer, None))
    return represent(request, value, form, "tilesets")


@router.get(
    _LAYER + "/map/tiles/{tileMatrixSetId}",
    operation_id="collection.map.getTileSet",
    response_model=TileSet,
    responses=_LIST,
)
def get_map_tileset(
    request: Request, asked: Reading, form: Shown, layer: LayerId, scheme: SchemeId
) -> Response:
    """A map tileset of a grid: limits, style, and where its tiles are."""
    told = _told(request, asked, form.lang, layer, None)
    return represent(
        request, tileset(request, asked.served.id, told, scheme_of(scheme), form), form, "tileset"
    )


@router.get(
    _LAYER + "/map/tiles" + _ONE,
    operation_id="collection.map.getTile",
    response_class=Response,
    responses=PICTURE,
)
def get_map_tile(
    request: Request, asked: Reading, layer: LayerId, scheme: SchemeId, matrix: Matrix, row: Row, column: Column,
    f: Shape = None, v: Token = None,
) -> Response:  # fmt: skip
    """A map tile of a grid, 256 × 256 pixels; mind the order: row, then column."""
    return _tile(request, asked, layer, ramps.DEFAULT.id, scheme_of(scheme), matrix, row, column, v)


@router.get(
    _STYLE + "/map/tiles",
    operation_id="collection.style.map.getTileSetsList",
    response_model=TileSets,
    responses=_LIST,
)
def list_styled_map_tiles(
    request: Request, asked: Reading, form: Shown, layer: LayerId, style: StyleId
) -> Response:
    """The map tilesets of a grid in one of its styles."""
    value = listed(request, asked.served.id, _told(request, asked, form.lang, layer, style))
    return represent(request, value, form, "tilesets")


@router.get(
    _STYLE + "/map/tiles/{tileMatrixSetId}",
    operation_id="collection.style.map.getTileSet",
    response_model=TileSet,
    responses=_LIST,
)
def get_styled_map_tileset(
    request: Request, asked: Reading, form: Shown, layer: LayerId, style: StyleId, scheme: SchemeId
) -> Response:
    """A map tileset of a grid in one of its styles."""
    told = _told(request, asked, form.lang, layer, style)
    return represent(
        request, tileset(request, asked.served.id, told, scheme_of(scheme), form), form, "tileset"
    )


@router.get(
    _STYLE + "/map/tiles" + _ONE,
    operation_id="collection.style.map.getTile",
    response_class=Response,
    responses=PICTURE,
)
def get_styled_map_tile(
    request: Request, asked: Reading, layer: LayerId, style: StyleId, scheme: SchemeId, matrix: Matrix, row: Row,
    column: Column, f: Shape = None, v: Token = None,
) -> Response:  # fmt: skip
    """A map tile of a grid in one of its styles."""
    return _tile(request, asked, layer, style, scheme_of(scheme), matrix, row, column, v)
