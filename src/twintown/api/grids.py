"""A grid as a picture that lies on a map, or as the GeoTIFF that it is."""

from __future__ import annotations

import struct
import zlib
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.warp import Resampling, calculate_default_transform, reproject
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import LayerId, Reading
from twintown.ground.grid import Grid

router = APIRouter(tags=["grids"])
MAX_SIDE = 4096  # pixels; a larger grid is shown coarser
TIFF = "image/tiff; application=geotiff"

#: From little to much, readable without colour: dark blue, teal, sand (sRGB).
_RAMP = np.array([[27, 38, 79], [43, 96, 125], [82, 152, 140], [186, 188, 120], [253, 231, 160]], float)


def colours(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """RGBA uint8[4, rows, cols] between the smallest and the largest known value; the unknown is transparent."""
    out = np.zeros((4, *values.shape), np.uint8)
    if not known.any():
        return out
    low, high = float(values[known].min()), float(values[known].max())
    t = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * (len(_RAMP) - 1)
    for band in range(3):
        out[band] = np.interp(np.where(known, t, 0), np.arange(len(_RAMP)), _RAMP[:, band]).round()
    out[3] = np.where(known, 255, 0)
    out[:3, ~known] = 0
    return out


def png(rgba: NDArray[np.uint8]) -> bytes:
    """A PNG of uint8[4, rows, cols] (W3C PNG, third edition: signature, IHDR, IDAT without filters, IEND)."""
    _, rows, cols = rgba.shape
    lines = np.zeros((rows, 1 + 4 * cols), np.uint8)  # each line starts with its filter, 0 for none
    lines[:, 1:] = np.moveaxis(rgba, 0, -1).reshape(rows, -1)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", cols, rows, 8, 6, 0, 0, 0)  # 8 bits, RGBA
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines.tobytes(), 6))
        + chunk(b"IEND", b"")
    )


def picture(grid: Grid) -> tuple[bytes, tuple[float, float, float, float]]:
    """A PNG in longitude and latitude (north up, first band) and its west, south, east, north."""
    values = np.asarray(grid.values if grid.values.ndim == 2 else grid.values[0])
    source = from_origin(grid.origin_x, grid.origin_y, grid.cell_m, grid.cell_m)
    crs, lonlat = CRS.from_user_input(grid.frame.crs), CRS.from_epsg(4326)
    transform, width, height = calculate_default_transform(
        crs, lonlat, grid.cols, grid.rows, *grid.bounds.as_tuple()
    )
    shrink = max(1.0, max(width, height) / MAX_SIDE)
    width, height = max(1, int(width / shrink)), max(1, int(height / shrink))
    transform, width, height = calculate_default_transform(
        crs, lonlat, grid.cols, grid.rows, *grid.bounds.as_tuple(), dst_width=width, dst_height=height
    )
    known = np.isfinite(values.astype(float)) if grid.nodata is None else values != grid.nodata
    warped = np.full((2, height, width), np.nan)
    stack = np.stack([np.where(known, values, 0).astype(float), known.astype(float)])
    reproject(stack, warped, src_transform=source, src_crs=crs, dst_transform=transform, dst_crs=lonlat,
              resampling=Resampling.nearest, dst_nodata=np.nan)  # fmt: skip
    rgba = colours(np.nan_to_num(warped[0]), np.nan_to_num(warped[1]) > 0.5)
    west, north = transform.c, transform.f
    return png(rgba), (west, north + transform.e * height, west + transform.a * width, north)


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
