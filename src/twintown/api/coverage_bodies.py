"""The values of a part of a grid as bytes: GeoTIFF, PNG, CoverageJSON, and a Zarr store in a ZIP file."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from twintown.api import answers, ramps
from twintown.formats import covjson as json
from twintown.formats import geotiff
from twintown.formats.zarr3 import Store
from twintown.ground.lattice import Lattice

if TYPE_CHECKING:
    from twintown.twin.cells import Cells, Values


def _values(cells: Cells, lattice: Lattice) -> Values:
    if lattice.crs.code == cells.lattice.crs.code:
        return cells.read(lattice, cells.fields)
    return cells.warped(lattice, cells.fields)


def tiff(cells: Cells, lattice: Lattice) -> bytes:
    """A cloud-optimised GeoTIFF; what is not known has a value of its own in it."""
    found = _values(cells, lattice)
    first = found.fields[0]
    nodata = first.nodata
    if not found.known.all():
        nodata = _unknown(first.dtype) if nodata is None else nodata
        found.values[~found.known] = nodata
    said = answers.dumps({"unit": first.unit, "provenance": cells.version.meta["provenance"],
                          "fields": [one.name for one in found.fields]}).decode()  # fmt: skip
    return geotiff.cog(found.values, lattice, nodata, first.unit, {"TWINTOWN_PART": said}, first.continuous)


def _unknown(dtype: str) -> float:
    """A value for what is not known in a file that had none: the largest of its type."""
    return (
        float("nan")
        if dtype.startswith("float")
        else float(np.iinfo(np.uint8 if dtype == "bool" else dtype).max)
    )


def picture(cells: Cells, lattice: Lattice) -> bytes:
    """A PNG of the first field in the colours of the default ramp."""
    found = _values(cells, lattice)
    return ramps.png(ramps.shades(found.values[0], found.known[0]))


def covjson(cells: Cells, lattice: Lattice) -> bytes:
    """CoverageJSON, domain type Grid."""
    found = _values(cells, lattice)
    x, y = lattice.centres
    value = json.coverage(
        "Grid",
        {"x": json.axis(x), "y": json.axis(y)},
        [json.referencing(lattice.crs)],
        {one.name: json.parameter(one.title, one.unit) for one in found.fields},
        {
            one.name: json.values(found.values[k], found.known[k], ("y", "x"))
            for k, one in enumerate(found.fields)
        },
    )
    return answers.dumps(value)


def zipped(store: Store) -> bytes:
    """The whole store; the same store gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for key in store.keys():  # noqa: SIM118 - a store is no mapping
            file.writestr(zipfile.ZipInfo(key, (1980, 1, 1, 0, 0, 0)), store.get(key) or b"")
    return out.getvalue()
