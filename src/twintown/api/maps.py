"""Maps of grids: pictures of any part in any CRS and size (OGC API - Maps Part 1, 20-058)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from twintown.api import answers, map_drawing, patterns, problems, ramps
from twintown.api.coverage_about import where
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.shelf import terms
from twintown.api.styles import StyleId
from twintown.api.versions import possible
from twintown.ground.crs import CRS84, Crs, corners, edge_of, parse_crs, supported, transform
from twintown.ground.errors import BadParameter
from twintown.ground.lattice import Lattice

if TYPE_CHECKING:
    from twintown.twin.cells import Cells

router = APIRouter(tags=["grids"])
_LAYER = "/twins/{twin}/collections/{layer}"
_STYLE = _LAYER + "/styles/{styleId}"
_MAPS = "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf"
#: Proved by tests/conformance/test_tiles.py.
CONFORMANCE = tuple(
    f"{_MAPS}/{name}"
    for name in ("core", "tilesets", "background", "collection-map", "styled-map", "png")
)  # fmt: skip
PNG = "image/png"
#: The longest side of a map, and the side of one that nobody measured, pixels.
MAX_SIDE, DEFAULT_SIDE = 4096, 1024
_COLOUR = re.compile(r"(?:0x|#)?([0-9A-Fa-f]{6})")
_NAMED = {"white": "ffffff", "black": "000000", "silver": "c0c0c0", "gray": "808080", "grey": "808080"}
Shape = Annotated[Literal["png"] | None, Query(description="format of the picture")]
Side = Annotated[int | None, Query(ge=1, le=MAX_SIDE, description="pixels")]
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a picture; transparent where nothing is known",
        "content": {PNG: {"schema": {"type": "string", "format": "binary"}}},
        "headers": {
            "Content-Bbox": {
                "schema": {"type": "string"},
                "description": "in the order of the axes of the CRS",
            },
            "Content-Crs": {
                "schema": {"type": "string"},
                "description": "CRS of the picture, in angle brackets",
            },
        },
    },
    **problems.responses(400, 401, 403, 404, 410),
}


def cells_of(asked: Asked, layer: str, v: str | None = None) -> Cells:
    """The cells of a grid. Raises NotFound for what is none; Gone: another version than `v` is there."""
    from twintown.ground.errors import Gone
    from twintown.twin.cells import Cells

    version = asked.served.twin.version(layer, asked.grant)
    cells = Cells(asked.served.twin, version, asked.grant)
    if possible(v) not in ("", version.version):
        raise Gone("this version is not drawn any more", f"{version.layer} {v}", "ask without v")
    return cells


def value_span(asked: Asked, cells: Cells) -> tuple[float, float]:
    """The least and the greatest value of a grid; looked for once."""
    key = ("span", cells.version.layer, cells.version.version, terms(asked.grant))
    found: tuple[float, float] = asked.served.layers.get(key, lambda: map_drawing.span(cells))
    return found


def _background(transparent: bool | None, bgcolor: str | None) -> tuple[int, int, int] | None:
    """What lies behind (20-058, /req/background): transparent unless told otherwise. Raises BadParameter."""
    text = "ffffff"
    if bgcolor is not None:
        found = _COLOUR.fullmatch(_NAMED.get(bgcolor.lower(), bgcolor))
        if found is None:
            raise BadParameter("bgcolor", f"{bgcolor[:40]!r} is no colour", remedy="write it as 0xRRGGBB")
        text = found[1]
    if transparent or (transparent is None and bgcolor is None):
        return None
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def sent(
    request: Request, asked: Asked, cells: Cells, style: str, target: Lattice, v: str | None,
    background: tuple[int, int, int] | None = None, *, tile: bool = False,
) -> Response:  # fmt: skip
    """A picture of the cells on a lattice in a style, kept by version; immutable where `v` names the version."""
    ramp = ramps.ramp(style)
    version = cells.version.version
    key = ("map", cells.version.layer, version, terms(asked.grant), ramp.id, target, background)
    etag = answers.tag(*key)
    cache = answers.IMMUTABLE if v == version else answers.REVALIDATE
    if answers.unchanged(request, etag):
        return answers.not_modified(etag, answers.PRIVATE if answers.personal(request) else cache)

    def make() -> bytes:
        shade = map_drawing.shades(cells, target, *value_span(asked, cells))
        return ramps.png(shade, ramp.colours(), background)

    body = (asked.served.tiles if tile else asked.served.bodies).get(key, make)
    return answers.answer(request, body, PNG, etag=etag, cache=cache, headers=where(target))


def _map(
    request: Request, asked: Asked, layer: str, style: str, bbox: str | None, bbox_crs: str | None, crs: str | None,
    width: int | None, height: int | None, transparent: bool | None, bgcolor: str | None,
) -> Response:  # fmt: skip
    cells = cells_of(asked, layer)
    offered = supported(asked.served.twin.description.frame.crs)
    out = cells.lattice.crs if crs is None else parse_crs(crs, offered)
    given = CRS84 if bbox_crs is None else parse_crs(bbox_crs, offered, "bbox-crs")
    if bbox is None:
        sides, given = cells.lattice.bounds.as_tuple(), cells.lattice.crs
    else:
        sides = _corners(bbox, given)
    if given.code != out.code:
        edge = transform(edge_of(sides), given, out)
        if not np.isfinite(edge).all():
            raise BadParameter("bbox", "the box lies outside of where the CRS of the map holds")
        (xmin, ymin), (xmax, ymax) = edge.min(axis=0), edge.max(axis=0)
        sides = (float(xmin), float(ymin), float(xmax), float(ymax))
    wide, tall = sides[2] - sides[0], sides[3] - sides[1]
    if wide <= 0 or tall <= 0:
        raise BadParameter("bbox", "the box has no area", remedy="write its lower and its upper corner")
    cols, rows = _size(width, height, wide / tall)
    target = Lattice(out, sides[0], sides[3], wide / cols, tall / rows, rows, cols)
    return sent(request, asked, cells, style, target, None, _background(transparent, bgcolor))


def _corners(bbox: str, crs: Crs) -> tuple[float, float, float, float]:
    try:
        numbers = [float(part) for part in bbox.split(",")]
    except ValueError:
        raise BadParameter("bbox", f"{bbox[:80]!r} is not a list of numbers") from None
    return corners(numbers, crs)


def _size(width: int | None, height: int | None, ratio: float) -> tuple[int, int]:
    """Columns and rows: what is not given follows from the shape of the box."""
    if width is None and height is None:
        width = DEFAULT_SIDE if ratio >= 1 else None
        height = None if ratio >= 1 else DEFAULT_SIDE
    if width is None:
        width = min(MAX_SIDE, max(1, round((height or DEFAULT_SIDE) * ratio)))
    if height is None:
        height = min(MAX_SIDE, max(1, round(width / ratio)))
    return width, height


Bbox = Annotated[
    str | None,
    Query(max_length=200, description="lower and upper corner in bbox-crs", json_schema_extra=patterns.BBOX),
]
BboxCrs = Annotated[
    str | None,
    Query(
        alias="bbox-crs",
        max_length=200,
        description="CRS of bbox; CRS84 by default",
        json_schema_extra=patterns.CRS,
    ),
]
OutCrs = Annotated[
    str | None,
    Query(
        max_length=200,
        description="CRS of the map; the grid's own by default",
        json_schema_extra=patterns.CRS,
    ),
]
Transparent = Annotated[bool | None, Query(description="whether what is not known lets the ground through")]
Background = Annotated[
    str | None,
    Query(max_length=40, description="colour behind, 0xRRGGBB", json_schema_extra=patterns.COLOUR),
]


@router.get(_LAYER + "/map", operation_id="collection.getMap", response_class=Response, responses=PICTURE)
def get_map(
    request: Request, asked: Reading, layer: LayerId, bbox: Bbox = None, bbox_crs: BboxCrs = None, crs: OutCrs = None,
    width: Side = None, height: Side = None, transparent: Transparent = None, bgcolor: Background = None, f: Shape = None,
) -> Response:  # fmt: skip
    """A map of a grid in its default style, or of a part of it."""
    return _map(
        request, asked, layer, ramps.DEFAULT.id, bbox, bbox_crs, crs, width, height, transparent, bgcolor
    )


@router.get(
    _STYLE + "/map", operation_id="collection.style.getMap", response_class=Response, responses=PICTURE
)
def get_styled_map(
    request: Request, asked: Reading, layer: LayerId, style: StyleId, bbox: Bbox = None, bbox_crs: BboxCrs = None,
    crs: OutCrs = None, width: Side = None, height: Side = None, transparent: Transparent = None, bgcolor: Background = None,
    f: Shape = None,
) -> Response:  # fmt: skip
    """A map of a grid in one of its styles, or of a part of it."""
    return _map(request, asked, layer, style, bbox, bbox_crs, crs, width, height, transparent, bgcolor)
