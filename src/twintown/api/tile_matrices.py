"""Tile matrix sets: how the world is cut into tiles at each scale (OGC 17-083r4, Two Dimensional Tile Matrix Set, 2.0)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import problems
from twintown.api.guard import Reading
from twintown.api.landing import REL, base
from twintown.api.represent import JSON, Language, Shown, absolute, represent, word
from twintown.api.schemas import Link, LonLatBox, Model
from twintown.ground.errors import NotFound
from twintown.ground.names import Name

router = APIRouter(tags=["tiles"])
CONFORMANCE = (
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
)
_DEF = "http://www.opengis.net/def"
SIDE = 256  # pixels
_PIXEL_M = 0.00028  # of a standardised display (OGC 17-083r4, 6.1)
_METRES_A_DEGREE = 2.0 * math.pi * 6378137.0 / 360.0
_HALF_M = 20037508.342789244


@dataclass(frozen=True)
class Scheme:
    """A quadtree of tiles over the world.

    Args:
        crs: EPSG code, or CRS84.
        columns, rows: of the matrix 0; each next one has twice as many.
        cell: side of a pixel in the matrix 0, in the unit of the CRS.
        origin: of the upper left corner, in the CRS's order of axes.
        last: the finest matrix.
    """

    id: str
    title: Name
    crs: str
    axes: tuple[str, str]
    well_known: str
    columns: int
    rows: int
    cell: float
    origin: tuple[float, float]
    last: int

    @property
    def uri(self) -> str:
        return f"{_DEF}/tilematrixset/OGC/1.0/{self.id}"

    @property
    def crs_uri(self) -> str:
        return f"{_DEF}/crs/OGC/1.3/CRS84" if self.crs == "CRS84" else f"{_DEF}/crs/EPSG/0/{self.crs}"

    @property
    def mercator(self) -> bool:
        return self.crs == "3857"

    def size(self, matrix: int) -> tuple[int, int]:
        """Columns and rows of a matrix."""
        return self.columns << matrix, self.rows << matrix

    def lonlat(self, matrix: int, column: float, row: float) -> tuple[float, float]:
        """Longitude and latitude (degrees) of a place in the matrix, counted in tiles from its upper left corner."""
        columns, rows = self.size(matrix)
        lon = column / columns * 360.0 - 180.0
        if self.mercator:
            return lon, math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * row / rows))))
        return lon, 90.0 - row / rows * 180.0

    def bounds(self, matrix: int, row: int, column: int, margin: float = 0.0) -> LonLatBox:
        """West, south, east, north (degrees) of a tile and what lies around it, in shares of its side."""
        west, north = self.lonlat(matrix, column - margin, row - margin)
        east, south = self.lonlat(matrix, column + 1 + margin, row + 1 + margin)
        return west, south, east, north

    def extent(self, matrix: int, row: int, column: int) -> tuple[float, float, float, float]:
        """Least and greatest x and y of a tile in the CRS, x to the east: xmin, ymin, xmax, ymax."""
        left, top = (-_HALF_M, _HALF_M) if self.mercator else (-180.0, 90.0)
        side = self.cell * SIDE / (1 << matrix)
        return left + column * side, top - (row + 1) * side, left + (column + 1) * side, top - row * side

    def limits(self, box: LonLatBox, matrix: int) -> tuple[int, int, int, int]:
        """First and last row, first and last column of the tiles that a box (degrees) meets."""
        columns, rows = self.size(matrix)

        def place(lon: float, lat: float, inner: float) -> tuple[int, int]:
            x = (lon + 180.0) / 360.0 * columns
            if self.mercator:
                most = math.radians(85.0511287798066)
                y = (
                    0.5 - math.asinh(math.tan(min(most, max(-most, math.radians(lat))))) / (2 * math.pi)
                ) * rows
            else:
                y = (90.0 - lat) / 180.0 * rows
            return (
                min(columns - 1, max(0, math.floor(x - inner))),
                min(rows - 1, max(0, math.floor(y - inner))),
            )

        left, top = place(box[0], box[3], 0.0)
        right, bottom = place(box[2], box[1], 1e-9)
        return top, max(top, bottom), left, max(left, right)

    def check(self, matrix: int, row: int, column: int, where: str, box: LonLatBox | None, last: int) -> None:
        """Raise NotFound for a tile outside of the matrix, or of the limits that a box gives (OGC 20-057, /req/core/tc-error)."""
        if matrix > min(self.last, last):
            raise NotFound(
                f"there is no tile matrix {matrix}", where, f"matrices go from 0 to {min(self.last, last)}"
            )
        columns, rows = self.size(matrix)
        if box is None:
            top, bottom, left, right = 0, rows - 1, 0, columns - 1
        else:
            top, bottom, left, right = self.limits(box, matrix)
        if not (top <= row <= bottom and left <= column <= right):
            raise NotFound(
                f"there is no tile in row {row} and column {column} of matrix {matrix}", where,
                f"its rows go from {top} to {bottom}, its columns from {left} to {right}",
            )  # fmt: skip

    def definition(self, lang: Language) -> dict[str, Any]:
        """The whole set as OGC 17-083r4, annex C has it."""
        unit = 1.0 if self.mercator else _METRES_A_DEGREE
        matrices = []
        for matrix in range(self.last + 1):
            cell = self.cell / (1 << matrix)
            columns, rows = self.size(matrix)
            matrices.append(
                {
                    "id": str(matrix), "scaleDenominator": cell * unit / _PIXEL_M, "cellSize": cell,
                    "cornerOfOrigin": "topLeft", "pointOfOrigin": list(self.origin),
                    "tileWidth": SIDE, "tileHeight": SIDE, "matrixWidth": columns, "matrixHeight": rows,
                }
            )  # fmt: skip
        return {
            "id": self.id, "title": word(self.title, lang), "uri": self.uri, "crs": self.crs_uri,
            "orderedAxes": list(self.axes), "wellKnownScaleSet": f"{_DEF}/wkss/OGC/1.0/{self.well_known}",
            "tileMatrices": matrices,
        }  # fmt: skip


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        one.id: one
        for one in (
            Scheme("WebMercatorQuad", Name("웹 지도용 세계", "Google Maps Compatible for the World"), "3857", ("X", "Y"),
                   "GoogleMapsCompatible", 1, 1, 2 * _HALF_M / SIDE, (-_HALF_M, _HALF_M), 24),
            Scheme("WorldCRS84Quad", Name("경위도 세계", "CRS84 for the World"), "CRS84", ("Lon", "Lat"),
                   "GoogleCRS84Quad", 2, 1, 180.0 / SIDE, (-180.0, 90.0), 23),
        )
    }
)  # fmt: skip
SchemeId = Annotated[
    str,
    Path(
        alias="tileMatrixSetId",
        description="id of the tile matrix set",
        max_length=64,
        json_schema_extra={"enum": list(SCHEMES)},
    ),
]
Matrix = Annotated[int, Path(alias="tileMatrix", ge=0, description="id of the tile matrix: the zoom level")]
Row = Annotated[int, Path(alias="tileRow", ge=0, description="counted from the north")]
Column = Annotated[int, Path(alias="tileCol", ge=0, description="counted from the west")]


def scheme_of(name: str) -> Scheme:
    """The tile matrix set of an id. Raises NotFound."""
    if name not in SCHEMES:
        raise NotFound(f"there is no tile matrix set {name[:64]!r}", remedy=f"known: {', '.join(SCHEMES)}")
    return SCHEMES[name]


class TileMatrix(Model):
    """One scale of a tile matrix set."""

    id: str
    scaleDenominator: float
    cellSize: float = Field(description="side of a pixel, in the unit of the CRS")
    cornerOfOrigin: Literal["topLeft"]
    pointOfOrigin: list[float]
    tileWidth: int
    tileHeight: int
    matrixWidth: int
    matrixHeight: int


class TileMatrixSet(Model):
    """A tile matrix set (OGC 17-083r4)."""

    id: str
    title: str
    uri: str
    crs: str
    orderedAxes: list[str]
    wellKnownScaleSet: str
    tileMatrices: list[TileMatrix]
    links: list[Link]


class TileMatrixSetItem(Model):
    """A tile matrix set in the list."""

    id: str
    title: str
    uri: str
    crs: str
    links: list[Link]


class TileMatrixSets(Model):
    """The tile matrix sets of this server."""

    tileMatrixSets: list[TileMatrixSetItem]
    links: list[Link]


def scheme_link(request: Request, twin: str, scheme: Scheme) -> Link:
    """Where the definition of a set is."""
    href = absolute(request, f"{base(twin)}/tileMatrixSets/{scheme.id}")
    return Link(href=href, rel=f"{REL}tiling-scheme", type=JSON, title=scheme.id)


@router.get(
    "/twins/{twin}/tileMatrixSets",
    operation_id="getTileMatrixSetsList",
    response_model=TileMatrixSets,
    responses=problems.responses(400, 401, 404, 406),
)
def list_tile_matrix_sets(request: Request, asked: Reading, form: Shown) -> Response:
    """The tile matrix sets in which tiles can be asked for."""
    items = []
    for scheme in SCHEMES.values():
        link = scheme_link(request, asked.served.id, scheme)
        items.append(
            TileMatrixSetItem(
                id=scheme.id,
                title=word(scheme.title, form.lang),
                uri=scheme.uri,
                crs=scheme.crs_uri,
                links=[link.model_copy(update={"rel": "self"}), link],
            )
        )
    return represent(request, TileMatrixSets(tileMatrixSets=items, links=[]), form, "tilematrixsets")


@router.get(
    "/twins/{twin}/tileMatrixSets/{tileMatrixSetId}",
    operation_id="getTileMatrixSet",
    response_model=TileMatrixSet,
    responses=problems.responses(400, 401, 404, 406),
)
def get_tile_matrix_set(request: Request, asked: Reading, form: Shown, scheme: SchemeId) -> Response:
    """The whole definition of a tile matrix set."""
    value = {**scheme_of(scheme).definition(form.lang), "links": []}
    return represent(request, value, form, "tilematrixset")
