"""Cells as a cloud-optimised GeoTIFF, in any CRS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.crs import CRS84
from twintown.ground.lattice import Lattice

MEDIA_TYPE = "image/tiff; application=geotiff"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def cog(
    values: NDArray[Any],
    lattice: Lattice,
    nodata: float | None,
    unit: str,
    tags: Mapping[str, str],
    mean: bool,
) -> bytes:
    """The file (deflate, 512 tiles, overviews by the mean or by the nearest).

    Args:
        values: [bands, rows, cols].
        nodata: what means "nothing is known here", or none.
        unit: UCUM code of all bands.
        tags: what else to say in it.
        mean: whether overviews may average.
    """
    import rasterio.shutil
    from rasterio.io import MemoryFile

    bands = values.astype(np.uint8) if values.dtype == bool else values
    crs = "EPSG:4326" if lattice.crs.code == CRS84.code else lattice.crs.code
    with MemoryFile() as plain, MemoryFile() as made:
        with plain.open(driver="GTiff", count=len(bands), height=lattice.rows, width=lattice.cols, dtype=bands.dtype, crs=crs,
                        transform=lattice.transform, nodata=nodata) as file:  # fmt: skip
            file.write(bands)
            file.units = [unit] * len(bands)
            file.update_tags(**tags)
        rasterio.shutil.copy(plain.name, made.name, driver="COG", COMPRESS="DEFLATE", BLOCKSIZE=512,
                             OVERVIEW_RESAMPLING="AVERAGE" if mean else "NEAREST")  # fmt: skip
        return bytes(made.read())
