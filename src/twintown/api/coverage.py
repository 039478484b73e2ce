"""The values of a grid: the whole file, or a part of it by place, CRS and scale, in the format that the caller wants.

Content-Crs and Content-Bbox say where the answer is, in the order of the axes of its CRS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from twintown.api import answers, coverage_ask, patterns, problems, ranges, zarr
from twintown.api import coverage_bodies as bodies
from twintown.api.coverage_about import OFFERS, CoverageModel, described, where
from twintown.api.guard import LayerId, Reading
from twintown.api.represent import Form, Lang, language, negotiate, represent
from twintown.api.shelf import terms
from twintown.formats import covjson
from twintown.ground.crs import CRS84
from twintown.ground.errors import BadParameter, NotFound, TooLarge
from twintown.ground.lattice import Lattice

if TYPE_CHECKING:
    from twintown.twin.cells import Cells

router = APIRouter(tags=["grids"])
#: The most cells of one answer.
MAX_CELLS: Mapping[str, int] = {
    "cog": 16_000_000,
    "tif": 16_000_000,
    "zarr": 16_000_000,
    "png": 16_000_000,
    "covjson": 1_000_000,
}
KEPT_CELLS = 2_000_000  # a larger answer is made anew each time, so that the kept ones stay small
MAX_PICTURE = 4096  # cells of a side; a picture of more is made of coarser cells
_Format = Annotated[
    Literal["cog", "json", "html", "tif", "png", "covjson", "zarr"] | None,
    Query(
        description="format; without it the header Accept decides, and a cloud-optimised GeoTIFF is the default"
    ),
]
_Text = Annotated[str | None, Query(max_length=200)]


def asked_for(
    bbox: Annotated[
        str | None,
        Query(
            max_length=200,
            description="lower and upper corner in bbox-crs: west,south,east,north",
            json_schema_extra=patterns.BBOX,
        ),
    ] = None,
    bbox_crs: Annotated[
        str | None,
        Query(
            alias="bbox-crs",
            max_length=200,
            description="CRS of bbox; CRS84 by default",
            json_schema_extra=patterns.CRS,
        ),
    ] = None,
    subset: Annotated[
        str | None,
        Query(
            max_length=200,
            description="place by axis, such as Lat(37.50:37.52),Lon(127.09:*)",
            json_schema_extra=patterns.SUBSET,
        ),
    ] = None,
    subset_crs: Annotated[
        str | None,
        Query(
            alias="subset-crs",
            max_length=200,
            description="CRS of subset; CRS84 by default",
            json_schema_extra=patterns.CRS,
        ),
    ] = None,
    crs: Annotated[
        str | None,
        Query(
            max_length=200,
            description="CRS of the answer; the grid's own by default, CRS84 for pictures",
            json_schema_extra=patterns.CRS,
        ),
    ] = None,
    scale_factor: Annotated[
        float | None,
        Query(alias="scale-factor", gt=0, le=100_000, description="how many times coarser, along both axes"),
    ] = None,
    scale_size: Annotated[
        str | None,
        Query(
            alias="scale-size",
            max_length=200,
            description="cells along each axis, such as Lon(800),Lat(400)",
            json_schema_extra=patterns.AXES,
        ),
    ] = None,
    scale_axes: Annotated[
        str | None,
        Query(
            alias="scale-axes",
            max_length=200,
            description="how many times coarser along each axis, such as E(2)",
            json_schema_extra=patterns.AXES,
        ),
    ] = None,
    resolution: Annotated[
        str | None,
        Query(
            max_length=200,
            description="size of a cell along each axis in units of the CRS, such as E(10),N(10)",
            json_schema_extra=patterns.AXES,
        ),
    ] = None,
    width: Annotated[
        int | None, Query(ge=1, le=coverage_ask.MAX_SIDE, description="cells from west to east")
    ] = None,
    height: Annotated[
        int | None, Query(ge=1, le=coverage_ask.MAX_SIDE, description="cells from south to north")
    ] = None,
) -> coverage_ask.Asked:
    """The parameters that say which cells are meant."""
    return coverage_ask.Asked(
        bbox,
        bbox_crs,
        subset,
        subset_crs,
        crs,
        scale_factor,
        scale_size,
        scale_axes,
        resolution,
        width,
        height,
    )


def _binary() -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/twins/{twin}/collections/{layer}/coverage",
    operation_id="getCoverage",
    response_model=CoverageModel,
    responses={
        200: {
            "description": "the values, or what they are",
            "content": {
                **{media_type: _binary() for media_type in ("image/tiff", "image/png", "application/zip")},
                covjson.MEDIA_TYPE: {"schema": {"type": "object"}},
                "text/html": {"schema": {"type": "string"}},
            },
            "headers": {
                "Content-Bbox": {
                    "schema": {"type": "string"},
                    "description": "of the answer, in the order of the axes of its CRS",
                },
                "Content-Crs": {
                    "schema": {"type": "string"},
                    "description": "CRS of the answer, in angle brackets",
                },
            },
        },
        206: {"description": "a part of the file", "content": {"image/tiff": _binary()}},
        **problems.responses(400, 401, 403, 404, 406, 413, 416),
    },
)
def get_coverage(
    request: Request,
    asked: Reading,
    layer: LayerId,
    wanted: Annotated[coverage_ask.Asked, Depends(asked_for)],
    f: _Format = None,
    lang: Lang = None,
) -> Response:
    """A grid, or a part of it. The whole file as GeoTIFF answers ranges of bytes, so that GDAL reads it lazily."""
    from twintown.twin.cells import Cells

    served, grant = asked.served, asked.grant
    version = served.twin.version(layer, grant)
    cells = Cells(served.twin, version, grant)
    chosen = negotiate(request, OFFERS, f)
    if chosen in ("json", "html"):
        if not wanted.everything:
            raise BadParameter(
                "f",
                "a description has no parts",
                remedy="leave the other parameters out, or ask for f=covjson",
            )
        form = Form(chosen, language(request, lang))
        return represent(request, described(request, cells, served.id, form.lang), form, "coverage")
    etag = answers.tag(version.version, chosen, terms(grant), wanted)
    name = {
        "Content-Disposition": f'attachment; filename="{served.id}-{version.layer}.{"zip" if chosen == "zarr" else "tif"}"'
    }
    if chosen in ("cog", "tif") and wanted.everything and cells.open:
        return ranges.ranged(
            request, cells.data(), OFFERS[chosen], etag, {**name, **where(cells.lattice)}, asked.still
        )
    if answers.unchanged(request, etag):
        return answers.not_modified(
            etag, answers.PRIVATE if answers.personal(request) else answers.REVALIDATE
        )
    try:
        lattice = _target(cells, wanted, chosen)
    except NotFound:
        if grant.area is not None:
            grant.refuse("what is asked for lies outside the granted area", "outside-area", version.layer)
        raise
    if chosen == "zarr" and (lattice.crs.code != cells.lattice.crs.code or not _aligned(cells, lattice)):
        remedy = "leave crs and scale out, or ask for f=cog"
        raise BadParameter("f", "a Zarr store has the cells of the grid itself", remedy=remedy)

    def make() -> bytes:
        if chosen == "zarr":
            return bodies.zipped(zarr.store(cells, lattice, cells.fields, version.title.en))
        return {"png": bodies.picture, "covjson": bodies.covjson}.get(chosen, bodies.tiff)(cells, lattice)

    key = ("coverage", version.layer, version.version, terms(grant), chosen, wanted)
    small = lattice.rows * lattice.cols * len(cells.fields) <= KEPT_CELLS
    body = served.bodies.get(key, make) if small else make()
    place = where(lattice)
    if chosen in ("png", "covjson"):
        sent = {"Vary": "Accept, Accept-Encoding, Authorization, Cookie", **place}
        return answers.answer(request, body, OFFERS[chosen], etag=etag, headers=sent)
    return ranges.ranged(request, body, OFFERS[chosen], etag, {**name, **place})


def _target(cells: Cells, wanted: coverage_ask.Asked, chosen: str) -> Lattice:
    lattice = coverage_ask.target(cells, wanted, CRS84 if chosen == "png" else None)
    side = max(lattice.rows, lattice.cols)
    if chosen == "png" and side > MAX_PICTURE:
        shrink = side / MAX_PICTURE
        lattice = lattice.resized(max(1, int(lattice.rows / shrink)), max(1, int(lattice.cols / shrink)))
    size = lattice.rows * lattice.cols * len(cells.fields)
    if size > MAX_CELLS[chosen]:
        enough = int(np.ceil((size / MAX_CELLS[chosen]) ** 0.5))
        raise TooLarge(f"{size:,} cells, and one answer in this format has at most {MAX_CELLS[chosen]:,}", "coverage",
                       f"ask for a smaller bbox, or for scale-factor={enough}")  # fmt: skip
    return lattice


def _aligned(cells: Cells, lattice: Lattice) -> bool:
    return (lattice.width, lattice.height) == (cells.lattice.width, cells.lattice.height)
