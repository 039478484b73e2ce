"""A grid as a Zarr 3 store over HTTP: `xarray.open_zarr` on the address reads the chunks that it needs, and no others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.shelf import terms
from twintown.formats.zarr3 import CHUNK, Store, Variable, fixed
from twintown.ground.errors import NotFound
from twintown.ground.lattice import Lattice
from twintown.ground.units import UNITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twintown.twin.cells import Cells, Field

router = APIRouter(tags=["grids"])
#: CF wants the units of UDUNITS; where they differ from UCUM.
_UDUNITS = {
    "Cel": "degree_Celsius",
    "deg": "degree",
    "1": "1",
    "%": "percent",
    "W/m2": "W m-2",
    "m2": "m2",
    "m/s": "m s-1",
}


def store(cells: Cells, lattice: Lattice, fields: tuple[Field, ...], title: str) -> Store:
    """The store of some fields on a lattice in the grid's own CRS."""
    import pyproj

    def read(one: Field, first: tuple[int, ...]) -> NDArray[Any]:
        rows, cols = (
            min(CHUNK, side - at) for side, at in zip((lattice.rows, lattice.cols), first, strict=True)
        )
        part = Lattice(lattice.crs, lattice.x + first[1] * lattice.width, lattice.y - first[0] * lattice.height,
                       lattice.width, lattice.height, rows, cols)  # fmt: skip
        found = cells.read(part, [one])
        return np.where(found.known[0], found.values[0], _fill(one)).astype(one.dtype)

    x, y = lattice.centres
    known = pyproj.CRS.from_user_input(lattice.crs.code)
    wkt = known.to_wkt()
    transform = f"{lattice.x} {lattice.width} 0 {lattice.y} 0 {-lattice.height}"
    about = {**known.to_cf(), "crs_wkt": wkt, "spatial_ref": wkt, "GeoTransform": transform}
    variables = {
        "x": fixed(
            x,
            ("x",),
            {"standard_name": "projection_x_coordinate", "long_name": "easting", "units": "m", "axis": "X"},
        ),
        "y": fixed(
            y,
            ("y",),
            {"standard_name": "projection_y_coordinate", "long_name": "northing", "units": "m", "axis": "Y"},
        ),
        "spatial_ref": fixed(np.int64(0), (), about),
    }
    for one in fields:
        said: dict[str, Any] = {
            "long_name": one.title.en,
            "title_ko": one.title.ko,
            "grid_mapping": "spatial_ref",
            "ucum": one.unit,
        }
        said["units"] = _UDUNITS.get(one.unit, UNITS.get(one.unit) or one.unit.strip("{}") or "1")
        if one.nodata is not None and not one.dtype.startswith("float"):
            said["_FillValue"] = int(one.nodata)
        shape = (lattice.rows, lattice.cols)
        variables[one.name] = Variable(shape, ("y", "x"), one.dtype, partial(read, one), said, _fill(one))
    return Store(variables, {"Conventions": "CF-1.11", "title": title})


def _fill(one: Field) -> float | int:
    if one.dtype.startswith("float"):
        return float("nan")
    return 0 if one.nodata is None else int(one.nodata)


def served_store(asked: Asked, layer: str) -> tuple[Store, str]:
    """The store of a layer as this caller may see it, and what identifies it. Raises like `Cells`."""
    from twintown.twin.cells import Cells

    version = asked.served.twin.version(layer, asked.grant)
    key = ("zarr", version.layer, version.version, terms(asked.grant))

    def make() -> Store:
        cells = Cells(asked.served.twin, version, asked.grant)
        return store(cells, cells.lattice, cells.fields, version.title.en)

    return asked.served.bodies.get(key, make), answers.tag(*map(str, key))


@router.get(
    "/twins/{twin}/collections/{layer}/coverage.zarr/{path:path}",
    operation_id="getCoverageZarr",
    response_class=Response,
    responses={
        200: {
            "description": "metadata, or the bytes of a chunk",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **problems.responses(400, 401, 403, 404),
    },
)
def get_coverage_zarr(
    request: Request,
    asked: Reading,
    layer: LayerId,
    path: Annotated[str, Path(description="key of the store", examples=["zarr.json"], max_length=200)],
) -> Response:
    """One key of the grid as a Zarr 3 store: `zarr.json`, `{variable}/zarr.json`, `{variable}/c/{row}/{column}`."""
    found, mark = served_store(asked, layer)
    etag = answers.tag(mark, path)
    if answers.unchanged(request, etag):
        return answers.not_modified(
            etag, answers.PRIVATE if answers.personal(request) else answers.REVALIDATE
        )
    body = found.get(path)
    if body is None:
        raise NotFound(f"the store has no key {path[:80]!r}", remedy="read zarr.json; it names what there is")
    if path.endswith("zarr.json"):
        return answers.answer(request, body, "application/json", etag=etag)
    return answers.answer(request, body, "application/octet-stream", etag=etag, level=0)
