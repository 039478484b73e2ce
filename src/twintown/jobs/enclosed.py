"""Shapes in files that somebody else wrote: read only as what they should be, and only as large as is taken.

A GeoTIFF is looked at before GDAL is: a file of another kind could name files of this machine. What a table or a grid unpacks to is
counted before it is read.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from twintown.ground.errors import BadData, TooLarge, TwintownError
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.series import Series

#: TIFF and BigTIFF, either byte order.
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: Values that a table may have.
_VALUES = 2_000_000_000


def shape_in(path: Path, kind: str, most: int) -> Features | Grid | Series:
    """The shape in a file.

    Args:
        kind: features, table, grid or series.
        most: bytes that it may unpack to.

    Raises:
        BadData: it is no such thing, or damaged.
        TooLarge: it would be larger.
    """
    try:
        if kind == "grid":
            return _grid(path, most)
        if kind not in ("features", "table", "series"):
            raise BadData(
                f"is of a kind {kind[:40]!r} that is not known", "manifest", "features, table, grid or series"
            )
        _counted(path, most)
        return Series.from_parquet(path) if kind == "series" else Features.from_parquet(path)
    except TwintownError as error:
        if error.where.startswith(str(path.parent)):  # no path of this machine
            error.where = kind
        raise
    except Exception as error:  # a stranger's file may make a reader raise anything
        raise BadData(
            f"cannot be read ({type(error).__name__})", kind, "get the package again, whole"
        ) from error


def _grid(path: Path, most: int) -> Grid:
    import rasterio

    with path.open("rb") as file:
        if file.read(4) not in _TIFF:
            raise BadData("is no GeoTIFF", "grid", "get the package again, whole")
    with rasterio.open(path, driver="GTiff") as file:
        size = file.width * file.height * sum(_width(kind) for kind in file.dtypes)
    if size > most:
        raise TooLarge(f"unpacks to {size:,} bytes; {most:,} are taken", "grid")
    return Grid.from_cog(path)


def _width(kind: str) -> int:
    import numpy as np

    return np.dtype(kind).itemsize


def _counted(path: Path, most: int) -> None:
    try:
        about = pq.ParquetFile(path).metadata
    except (pa.ArrowException, OSError) as error:
        raise BadData(
            f"is no Parquet ({str(error).splitlines()[0][:120]})", "table", "get the package again, whole"
        ) from error
    size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    if size > most or about.num_rows * about.num_columns > _VALUES:
        raise TooLarge(f"unpacks to {size:,} bytes in {about.num_rows:,} rows", "table")
