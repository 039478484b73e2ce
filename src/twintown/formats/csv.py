"""CSV (RFC 4180, UTF-8 with CRLF, header): `id`, the columns, and where a row is.

Points are two columns, `lon` and `lat` in degrees or `x` and `y` in metres (x = east); every other layer, and a layer that is not
known to hold single points only, has a column `geometry` of WKT in the CRS that is asked for, x = east. A layer without geometry
has neither. Times are RFC 3339 in UTC, true and false are words, nothing known is an empty cell; an empty text
stands in quotes.

Values are written as they are: a text that begins with =, +, - or @ is not disguised against spreadsheets that would take it for
a formula, because the file could not be read back then. Every text stands in quotes, and the media type says text/csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import shapely

from .format import Into, Read, Told
from .geojson import DIGITS, shapes
from .rows import instants, tables


def write(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """The header line with the first rows, then a piece a batch.

    Raises:
        BadData: a position that the CRS does not reach.
    """
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed", eol="\r\n")
    points: bool | None = None
    for batch in tables(told, batches):
        if points is None:
            points = _points(told, batch)
            yield _header(told, points)
        arrays = [batch.column("id")]
        for column in told.columns:
            values = batch.column(column.name)
            arrays.append(instants(values) if column.type == "datetime" else values)
        if told.geometry:
            arrays += _place(told, batch, points)
        names = [f"c{i}" for i in range(len(arrays))]
        sink = pa.BufferOutputStream()
        pa.csv.write_csv(pa.RecordBatch.from_arrays(arrays, names), sink, options)
        yield sink.getvalue().to_pybytes()
    if points is None:
        yield _header(told, told.geometry == "Point")


def _points(told: Told, batch: pa.RecordBatch) -> bool:
    """True where places become two columns: settled by the first rows, and by what is told."""
    taken = {column.name for column in told.columns} & {"lon", "lat", "x", "y"}
    if told.geometry != "Point" or told.shapes not in ((), ("Point",)) or taken:
        return False
    kinds = shapely.get_type_id(shapes(told, batch, told.crs))
    return bool(np.isin(kinds, [-1, 0]).all())


def _header(told: Told, points: bool) -> bytes:
    place = (
        []
        if not told.geometry
        else ["geometry"]
        if not points
        else ["lon", "lat"]
        if told.crs.geographic
        else ["x", "y"]
    )
    names = ["id", *(column.name for column in told.columns), *place]
    return (",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names) + "\r\n").encode()


def _place(told: Told, batch: pa.RecordBatch, points: bool) -> list[pa.Array]:
    geometry = shapes(told, batch, told.crs)
    if not points:
        text = shapely.to_wkt(geometry, rounding_precision=DIGITS[told.crs.geographic], trim=True)
        return [pa.array(text, pa.string(), from_pandas=True)]
    several = shapely.get_type_id(geometry) == 4  # a multipoint that came late: its first point stands for it
    geometry[several] = shapely.get_geometry(geometry[several], 0)
    return [
        pa.array(axis(geometry), pa.float64(), from_pandas=True) for axis in (shapely.get_x, shapely.get_y)
    ]


def read(source: Path | bytes, into: Into) -> Read:
    """Rows of a CSV file; see `reading_csv`.

    Raises:
        BadData: wrongly encoded, of uneven rows, without a CRS for `x` and `y`, with numbers that are none: naming line and column.
    """
    from .reading_csv import read_csv

    return read_csv(source, into)
