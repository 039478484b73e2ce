"""Two shapes that should be the same: how many values differ, by how much at most, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from twintown.ground.content import content
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.series import Series

Sameness = Literal["same", "within-error", "different"]
#: Cells that are compared together.
BLOCK = 1 << 21


@dataclass(frozen=True)
class Difference:
    """What two shapes do not have in common.

    Args:
        verdict: same, within the tolerance, or different.
        what: in a sentence, where values are not what differs.
        compared, differing, beyond: how many values; how many of them differ; how many by more than the tolerance.
        largest: the largest difference, in `unit`; none where nothing can be subtracted.
        where: of the largest difference: lon, lat (degrees), and row, col, band of a cell, or id and column of an object, or the
            time of a row; `expected` and `found` there.
    """

    verdict: Sameness
    what: str = ""
    compared: int = 0
    differing: int = 0
    beyond: int = 0
    largest: float | None = None
    unit: str = ""
    where: dict[str, Any] = field(default_factory=dict)


def difference(
    expected: Features | Grid | Series,
    found: Features | Grid | Series,
    tolerance: float = 0.0,
    unit: str = "",
) -> Difference:
    """Compare two shapes value by value.

    Args:
        tolerance: values in `unit` that differ by no more are the same within the error; all others must be equal.
    """
    one, other = content(expected), content(found)
    if one == other:
        return Difference("same", unit=unit)
    if isinstance(expected, Grid) and isinstance(found, Grid):
        apart = [name for name in ("frame", "unit", "origin", "cell_m", "shape") if one[name] != other[name]]
        if apart:
            return Difference("different", f"the grids differ in {', '.join(apart)}", unit=unit)
        told = _grids(expected, found, tolerance)
    elif isinstance(expected, Features) and isinstance(found, Features):
        if one["frame"] != other["frame"]:
            return Difference("different", "the features are in another frame", unit=unit)
        told = _features(expected, found, tolerance, unit)
    elif isinstance(expected, Series) and isinstance(found, Series):
        told = _tables(expected.table, found.table, dict(expected.units), tolerance, unit)
    else:
        kinds = f"a {type(found).__name__} and not a {type(expected).__name__}"
        return Difference("different", f"it is {kinds}", unit=unit)
    if told.differing or told.what:
        return told
    apart = sorted(
        name for name in one if one[name] != other.get(name) and name not in ("values", "columns", "geometry")
    )
    said = ", ".join(apart) or "the types of values"
    return Difference(
        "different", f"all values are equal; what is said of them is not: {said}", told.compared, unit=unit
    )


def _verdict(differing: int, beyond: int) -> Sameness:
    return "different" if beyond else "within-error" if differing else "same"


# -- grids ----------------------------------------------------------------------------------------------------


def _grids(expected: Grid, found: Grid, tolerance: float) -> Difference:
    one, other = (g.values if g.values.ndim == 3 else g.values[None] for g in (expected, found))
    rows = max(1, BLOCK // max(1, one.shape[2]))
    differing = beyond = 0
    largest, place, gap = -1.0, None, None
    for band in range(one.shape[0]):
        for start in range(0, one.shape[1], rows):
            a, b = (
                _known(part[band, start : start + rows], grid)
                for part, grid in ((one, expected), (other, found))
            )
            apart = (a != b) & ~(np.isnan(a) & np.isnan(b))
            if not apart.any():
                continue
            off = np.abs(a - b)
            lost = apart & np.isnan(off)
            differing += int(apart.sum())
            beyond += int((apart & ~(off <= tolerance)).sum())
            if lost.any() and gap is None:
                row, col = np.argwhere(lost)[0]
                gap = (band, start + int(row), int(col))
            off[~apart | np.isnan(off)] = -1.0
            at = int(off.argmax())
            if off.flat[at] > largest:
                largest, place = float(off.flat[at]), (band, start + at // off.shape[1], at % off.shape[1])
    place = place or gap
    return Difference(
        _verdict(differing, beyond), "", int(one.size), differing, beyond, largest if largest >= 0 else None, expected.unit,
        {} if place is None else _cell(expected, one, other, place),
    )  # fmt: skip


def _known(values: NDArray[Any], grid: Grid) -> NDArray[np.float64]:
    """As numbers, not-a-number where nothing is known."""
    wide = values.astype(np.float64)
    if grid.nodata is not None:
        wide[values == grid.values.dtype.type(grid.nodata)] = np.nan
    return wide


def _cell(grid: Grid, one: NDArray[Any], other: NDArray[Any], place: tuple[int, int, int]) -> dict[str, Any]:
    band, row, col = place
    x, y = grid.origin_x + (col + 0.5) * grid.cell_m, grid.origin_y - (row + 0.5) * grid.cell_m
    a, b = (_known(values[place][None], grid)[0] for values in (one, other))
    said = {**_lonlat(grid, x, y), "row": row, "col": col, "expected": _said(a), "found": _said(b)}
    return said | ({"band": band} if grid.values.ndim == 3 and len(one) > 1 else {})


def _lonlat(shape: Grid | Features, x: float, y: float) -> dict[str, float]:
    lon, lat = shape.frame.to_lonlat(x, y)
    return {"lon": round(float(lon), 7), "lat": round(float(lat), 7)}


def _said(value: Any) -> Any:
    """A value as JSON."""
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return None
    return (
        value.item()
        if isinstance(value, np.generic)
        else value
        if isinstance(value, bool | int | float)
        else str(value)
    )


# -- tables ---------------------------------------------------------------------------------------------------


def _features(expected: Features, found: Features, tolerance: float, unit: str) -> Difference:
    """Rows are the same thing when they have the same id."""
    one, other = (shape.table.set_index(shape.table["id"].astype(str)) for shape in (expected, found))
    lost, more = one.index.difference(other.index), other.index.difference(one.index)
    if len(lost) or len(more):
        example = (lost if len(lost) else more)[0]
        what = f"{len(lost):,} objects are missing and {len(more):,} are new"
        source, shape = (one, expected) if len(lost) else (other, found)
        place = {"id": str(example), **_point(shape, source.geometry.loc[example])}
        return Difference(
            "different",
            what,
            max(len(one), len(other)),
            len(lost) + len(more),
            len(lost) + len(more),
            None,
            unit,
            place,
        )
    other = other.loc[one.index]
    names = one.geometry.name, other.geometry.name
    first, second = (
        pa.Table.from_pandas(table.drop(columns=name), preserve_index=False)
        for table, name in zip((one, other), names, strict=True)
    )
    told = _tables(first, second, dict(expected.units), tolerance, unit)
    if "row" in told.where:
        row = told.where.pop("row")
        told.where.update({"id": str(one.index[row]), **_point(expected, one.geometry.iloc[row])})
    shapes = [
        shapely.to_wkb(t.geometry.to_numpy(), byte_order=1, output_dimension=4, flavor="iso")
        for t in (one, other)
    ]
    moved = np.flatnonzero(shapes[0] != shapes[1])
    if not len(moved):
        return told
    first = int(moved[0])
    where = told.where or {
        "id": str(one.index[first]),
        "column": "geometry",
        **_point(expected, one.geometry.iloc[first]),
    }
    return Difference(
        "different", f"{len(moved):,} geometries are not the same", told.compared + len(one), told.differing + len(moved),
        told.beyond + len(moved), told.largest, told.unit, where,
    )  # fmt: skip


def _point(shape: Features, geometry: Any) -> dict[str, float]:
    if geometry is None or geometry.is_empty:
        return {}
    point = geometry.representative_point()
    return _lonlat(shape, point.x, point.y)


def _tables(one: pa.Table, other: pa.Table, units: dict[str, str], tolerance: float, unit: str) -> Difference:
    if sorted(one.column_names) != sorted(other.column_names):
        names = sorted(set(one.column_names) ^ set(other.column_names))
        return Difference("different", f"the columns differ: {', '.join(names)}", unit=unit)
    if one.num_rows != other.num_rows:
        return Difference("different", f"{other.num_rows:,} rows and not {one.num_rows:,}", unit=unit)
    differing = beyond = 0
    largest: float | None = None
    worst = -1.0
    where: dict[str, Any] = {}
    for name in one.column_names:
        a, b = one.column(name).combine_chunks(), other.column(name).combine_chunks()
        apart, off = _apart(a, b)
        if not apart.any():
            continue
        counts = bool(unit) and units.get(name) == unit
        bad = apart & ~(off <= (tolerance if counts else 0.0))
        differing, beyond = differing + int(apart.sum()), beyond + int(bad.sum())
        size = np.where(bad if bad.any() else apart, np.nan_to_num(off, nan=0.0), -1.0)
        row = int(size.argmax())
        if counts:
            largest = max(largest or 0.0, float(np.nan_to_num(off[apart], nan=0.0).max()))
        weight = (2.0 if counts else 1.0) if bad.any() else 0.0
        if weight > worst:
            worst, where = (
                weight,
                {
                    "row": row,
                    "column": name,
                    "expected": _said(a[row].as_py()),
                    "found": _said(b[row].as_py()),
                },
            )
            if "time" in one.column_names:
                where["time"] = str(one.column("time")[row].as_py())
    return Difference(
        _verdict(differing, beyond),
        "",
        one.num_rows * one.num_columns,
        differing,
        beyond,
        largest,
        unit,
        where,
    )


def _apart(a: Any, b: Any) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which rows of two Arrow columns differ, and by how much (not-a-number where nothing can be subtracted)."""
    if all(pa.types.is_integer(x.type) or pa.types.is_floating(x.type) for x in (a, b)):
        one, other = (
            pc.fill_null(x.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False) for x in (a, b)
        )
        return (one != other) & ~(np.isnan(one) & np.isnan(other)), np.abs(one - other)
    if a.type != b.type or pa.types.is_nested(a.type):
        a, b = (
            pa.array([None if v is None else str(v) for v in x.to_pylist()], pa.large_string())
            for x in (a, b)
        )
    unequal = pc.fill_null(pc.not_equal(a, b), False)
    apart = pc.or_(unequal, pc.xor(a.is_null(), b.is_null())).to_numpy(zero_copy_only=False)
    return apart, np.full(len(apart), np.nan)
