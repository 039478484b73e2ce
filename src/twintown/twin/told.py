"""A version as it is told of to one caller: how much there is, where and of which kind, of what the Grant lets out and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from twintown.ground.errors import Denied
from twintown.trust.policy import Grant

from .layers import LayerVersion, Twin
from .views import KINDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_told(twin: Twin, version: LayerVersion, grant: Grant) -> LayerVersion:
    """The version with the count, the extent, the columns and the cells that leave under a Grant; for telling, not for reading.

    What is said of the file as a whole, its digest and its size, is left out where only a part of it leaves.

    Raises:
        Unauthenticated, Denied: the Grant does not cover it.
    """
    if not grant.narrows:
        return version
    grant.require(version.grade, version.layer)
    meta: dict[str, Any] = {name: value for name, value in version.meta.items() if name != "bytes"}
    if grant.columns is not None:
        meta["columns"] = [one for one in meta.get("columns", []) if one["name"] in grant.columns]
    if version.kind in KINDS:
        view = twin.view(version, grant)
        return replace(version, count=view.count, bbox_lonlat=view.bbox, meta=meta, digest="")
    from .cells import Cells  # GDAL is slow to load

    try:
        cells = Cells(twin, version, grant)
    except Denied:
        return replace(version, count=0, bbox_lonlat=None, meta={**meta, "shape": [0, 0]}, digest="")
    lattice, first = cells.lattice, cells.fields[0]
    bands = list(version.meta["shape"])[:-2]
    meta |= {
        "shape": [*bands, lattice.rows, lattice.cols], "cell_m": lattice.width, "origin": [lattice.x, lattice.y],
        "dtype": first.dtype, "nodata": first.nodata,
    }  # fmt: skip
    box = twin.description.frame.lonlat_bounds(lattice.bounds).as_tuple()
    return replace(version, count=lattice.rows * lattice.cols, bbox_lonlat=box, meta=meta, digest="")


def span(
    twin: Twin, version: LayerVersion, grant: Grant, names: list[str]
) -> tuple[datetime, datetime] | None:
    """The first and the last instant in some columns of the rows that leave (UTC); None where there is none."""
    import pyarrow.compute as pc

    view = twin.view(version, grant)
    rows = view.take(view.positions(), names, geometry=False)
    ends = [pc.min_max(rows.column(name)).as_py() for name in names]
    there = [_utc(one) for end in ends for one in end.values() if one is not None]
    return (min(there), max(there)) if there else None


def _utc(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return _EPOCH + timedelta(microseconds=int(value))
