"""What a coverage is: its cells, its fields, and the formats that its values come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from fastapi import Request
from pydantic import Field

from twintown.api.landing import base
from twintown.api.represent import Language, absolute, word
from twintown.api.schemas import Link, Model, Names
from twintown.formats import covjson, geotiff
from twintown.ground.crs import supported
from twintown.ground.lattice import Lattice

if TYPE_CHECKING:
    from twintown.twin.cells import Cells

#: The first is sent to who takes anything.
OFFERS: Mapping[str, str] = {
    "cog": geotiff.COG, "json": "application/json", "html": "text/html", "tif": geotiff.MEDIA_TYPE, "png": "image/png",
    "covjson": covjson.MEDIA_TYPE, "zarr": "application/zip",
}  # fmt: skip
_TITLES = {"cog": "cloud-optimised GeoTIFF", "tif": "GeoTIFF", "png": "picture in longitude and latitude",
           "covjson": "CoverageJSON", "zarr": "Zarr 3 store in a ZIP file"}  # fmt: skip


class GridField(Model):
    """One value of each cell."""

    name: str
    title: str
    names: Names
    unit: str = Field(description="UCUM code")
    type: str = Field(description="of the numbers in the file")
    nodata: float | None = Field(
        description="what means that nothing is known; null where there is no such value"
    )
    continuous: bool = Field(
        description="whether means of neighbours mean something; else the nearest cell is taken"
    )


class GridModel(Model):
    """Where the cells are."""

    rows: int
    cols: int
    cell: tuple[float, float] = Field(description="width and height, in the units of the CRS")
    origin: tuple[float, float] = Field(description="x (east) and y (north) of the upper left corner")


class CoverageModel(Model):
    """What a coverage is; its values come in other formats."""

    id: str
    title: str
    names: Names
    crs: list[str] = Field(description="what it can be asked for in")
    storageCrs: str
    bbox: list[float] = Field(description="in the order of the axes of storageCrs")
    grid: GridModel
    fields: list[GridField]
    links: list[Link]


def where(lattice: Lattice) -> dict[str, str]:
    """The headers that say where an answer is, in the order of the axes of its CRS."""
    xmin, ymin, xmax, ymax = lattice.bounds.as_tuple()
    ends = (ymin, xmin, ymax, xmax) if lattice.crs.north_first else (xmin, ymin, xmax, ymax)
    digits = 8 if lattice.crs.geographic else 3
    return {"Content-Bbox": ",".join(f"{end:.{digits}f}" for end in ends), "Content-Crs": lattice.crs.header}


def described(request: Request, cells: Cells, twin: str, lang: Language) -> CoverageModel:
    """What a grid is, as far as this caller may see it."""
    version, lattice = cells.version, cells.lattice
    here = absolute(request, f"{base(twin)}/collections/{version.layer}")
    links = [
        Link(href=f"{here}/coverage?f={name}", rel="data", type=OFFERS[name], title=title)
        for name, title in _TITLES.items()
    ]
    links += [
        Link(
            href=f"{here}/coverage.zarr/zarr.json",
            rel="data",
            type="application/json",
            title="Zarr 3 store over HTTP",
        ),
        Link(href=here, rel="collection", type="application/json", title="the layer"),
    ]
    return CoverageModel(
        id=version.layer,
        title=word(version.title, lang),
        names=Names.of(version.title),
        crs=[one.uri for one in supported(lattice.crs.code)],
        storageCrs=lattice.crs.uri,
        bbox=[float(end) for end in where(lattice)["Content-Bbox"].split(",")],
        grid=GridModel(
            rows=lattice.rows,
            cols=lattice.cols,
            cell=(lattice.width, lattice.height),
            origin=(lattice.x, lattice.y),
        ),
        fields=[
            GridField(
                name=one.name,
                title=word(one.title, lang),
                names=Names.of(one.title),
                unit=one.unit,
                type=one.dtype,
                nodata=None if one.nodata is None or np.isnan(one.nodata) else one.nodata,
                continuous=one.continuous,
            )
            for one in cells.fields
        ],
        links=links,
    )
