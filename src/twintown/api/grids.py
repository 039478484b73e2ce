"""A grid as a picture that lies on a map, or as the GeoTIFF that it is."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.warp import Resampling, calculate_default_transform, reproject
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import LayerId, Reading
from twintown.api.ramps import png, shades
from twintown.ground.grid import Grid

router = APIRouter(tags=["grids"])
MAX_SIDE = 4096  # pixels; a larger grid is shown coarser
TIFF = "image/tiff; application=geotiff"


def picture(grid: Grid) -> tuple[bytes, tuple[float, float, float, float]]:
    """A PNG in longitude and latitude (north up, first band) and its west, south, east, north."""
    values = np.asarray(grid.values if grid.values.ndim == 2 else grid.values[0])
    known = np.isfinite(values) if grid.nodata is None else values != grid.nodata
    source = from_origin(grid.origin_x, grid.origin_y, grid.cell_m, grid.cell_m)
    crs, lonlat = CRS.from_user_input(grid.frame.crs), CRS.from_epsg(4326)
    sides = (crs, lonlat, grid.cols, grid.rows, *grid.bounds.as_tuple())
    _, width, height = calculate_default_transform(*sides)
    shrink = max(1.0, max(width, height) / MAX_SIDE)
    size = {"dst_width": max(1, int(width / shrink)), "dst_height": max(1, int(height / shrink))}
    target, width, height = calculate_default_transform(*sides, **size)
    warped = np.zeros((height, width), np.uint8)
    reproject(
        shades(values, known), warped, src_transform=source, src_crs=crs, dst_transform=target, dst_crs=lonlat,
        resampling=Resampling.nearest, src_nodata=0, dst_nodata=0,
    )  # fmt: skip
    west, north = target.c, target.f
    return png(warped), (west, north + target.e * height, west + target.a * width, north)


@router.get(
    "/twins/{twin}/collections/{layer}/coverage",
    operation_id="getCoverage",
    response_class=Response,
    responses={
        200: {
            "description": "the grid",
            "content": {
                "image/png": {"schema": {"type": "string", "format": "binary"}},
                TIFF: {"schema": {"type": "string", "format": "binary"}},
            },
            "headers": {
                "Content-Bbox": {
                    "schema": {"type": "string"},
                    "description": "west,south,east,north of the PNG, degrees",
                }
            },
        },
        **problems.responses(400, 401, 403, 404),
    },
)
def get_coverage(
    request: Request,
    asked: Reading,
    layer: LayerId,
    f: Annotated[
        Literal["png", "tif"], Query(description="a picture in degrees, or the cloud-optimised GeoTIFF")
    ] = "png",
) -> Response:
    """A grid, as a picture or as it is."""
    served, grant = asked.served, asked.grant
    version = served.twin.version(layer, grant)
    grid = served.grid(version, grant)
    etag = answers.tag(version.version, f)
    if f == "tif":
        name = f'attachment; filename="{served.id}-{version.layer}.tif"'
        body = served.bodies.get(("tif", version.version), grid.to_cog_bytes)
        return answers.answer(request, body, TIFF, etag=etag, headers={"Content-Disposition": name})
    png, box = served.bodies.get(("png", version.version), lambda: picture(grid))
    headers = {
        "Content-Bbox": ",".join(f"{side:.8f}" for side in box),
        "Content-Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>",
    }
    return answers.answer(request, png, "image/png", etag=etag, headers=headers)
