"""Two plans beside each other: building by building, and result by result. What is *after* is held against what is *before*."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.city.edits import Edit
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid

Floats = NDArray[np.float64]
UNITS = {"height_m": "m", "area_m2": "m2", "floor_area_m2": "m2", "levels": "{storey}"}
#: Cells that are looked at in one piece.
_PIECE = 4_000_000
_STEPS = 4


@dataclass(frozen=True)
class Side:
    """One of the two: buildings and parts as they would be, and the edits that make them so."""

    buildings: Features
    parts: Features
    edits: tuple[Edit, ...]


def objects(before: Side, after: Side) -> dict[str, Any]:
    """Every building that either side edits: what it is here and there, and the difference; and what they come to together.

    `change`: `same` (both edit it alike), `added`, `removed` (it is in one of the two only), `changed`.
    """
    ids = sorted({edit["object"] for edit in (*before.edits, *after.edits)})
    one, other = _measures(before, ids), _measures(after, ids)
    listed = []
    for name in ids:
        a, b = one.get(name), other.get(name)
        mine = [[e for e in side.edits if e["object"] == name] for side in (before, after)]
        change = (
            "same" if mine[0] == mine[1] else "added" if a is None else "removed" if b is None else "changed"
        )
        if a is None and b is None:
            continue
        listed.append({"object": name, "change": change, "before": a, "after": b, "difference": _less(b, a)})
    counts = {
        kind: sum(o["change"] == kind for o in listed) for kind in ("same", "added", "removed", "changed")
    }
    totals = [{key: round(sum(m[key] or 0.0 for m in side.values()), 2) for key in ("area_m2", "floor_area_m2")}
              | {"buildings": len(side)} for side in (one, other)]  # fmt: skip
    total = {"before": totals[0], "after": totals[1], "difference": _less(totals[1], totals[0])}
    return {"objects": listed, "counts": counts, "total": total, "units": UNITS}


def _measures(side: Side, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    houses = side.buildings.table[side.buildings.table["id"].isin(ids)]
    solids = side.parts.table[side.parts.table["building"].isin(ids)]
    storey = dict(zip(houses["id"], houses["storey_m"].astype(float), strict=True))
    of = np.array([storey.get(name, math.nan) for name in solids["building"]], float)
    of = np.where(np.isfinite(of) & (of > 0), of, 3.0)
    high = solids["top_m"].to_numpy(float) - solids["base_m"].to_numpy(float)
    floor = shapely.area(solids.geometry.to_numpy()) * np.maximum(1.0, np.floor(high / of + 0.05))
    floors = solids.assign(_floor=floor).groupby("building")["_floor"].sum().to_dict()
    shapes = houses.geometry.to_numpy()
    lon, lat = side.buildings.frame.to_lonlat(
        *shapely.get_coordinates(shapely.centroid(shapes)).reshape(-1, 2).T
    )
    rows = houses.drop(columns=houses.geometry.name).to_dict("records")
    areas = shapely.area(shapes)
    return {
        row["id"]: {
            "height_m": _number(row["height_m"]), "area_m2": round(float(area), 2),
            "floor_area_m2": round(float(floors.get(row["id"], 0.0)), 2), "levels": _number(row.get("levels")),
            "name": row.get("name") if isinstance(row.get("name"), str) else "", "lon": round(float(x), 7), "lat": round(float(y), 7),
        }
        for row, area, x, y in zip(rows, areas, lon, lat, strict=True)
    }  # fmt: skip


def _less(after: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> dict[str, float]:
    """After less before, of every number; of a building that is not there, 0."""
    keys = [key for key in (after or before or {}) if key not in ("name", "lon", "lat")]
    return {
        key: round(float((after or {}).get(key) or 0.0) - float((before or {}).get(key) or 0.0), 3)
        for key in keys
    }


def _number(value: Any) -> float | None:
    return None if value is None or str(value) == "<NA>" or value != value else float(value)


# -- results ----------------------------------------------------------------------------------------------


def grids(before: Grid, after: Grid, error: float = 0.0) -> dict[str, Any]:
    """The difference of two grids: area by class, mean, the largest loss and gain with their places.

    Steps of time become hours. Cells where either is not known are left out; a difference of no more than `error` (in the unit of the
    grid) is none.

    Returns:
        `unit`; `compared_m2`, `unchanged_m2`, `less_m2`, `more_m2`; `mean` over what is compared; `least` and `most` with `lon`, `lat`;
        `classes` of {`from`, `to`, `area_m2`}, both ends in `unit`; `mean_before`, `most_before`, `mean_after`, `most_after`: of each
        grid by itself, over all that it knows.
        Where the two do not lie on the same cells: `{"comparable": False}`.
    """
    if (before.rows, before.cols, before.origin_x, before.origin_y, before.cell_m, before.unit) != (
        after.rows, after.cols, after.origin_x, after.origin_y, after.cell_m, after.unit,
    ):  # fmt: skip
        return {"comparable": False, "why": "the two do not lie on the same cells"}
    unit, scale = _unit(after)
    tolerance = error * scale
    count, still, less, total = 0, 0, 0, 0.0
    ends: list[tuple[float, int]] = [(math.inf, 0), (-math.inf, 0)]
    for start, piece in _pieces(before, after, scale):
        known = np.isfinite(piece)
        if not known.any():
            continue
        values = np.where(known, piece, 0.0)
        count += int(known.sum())
        still += int((known & (np.abs(values) <= tolerance)).sum())
        less += int((known & (values < -tolerance)).sum())
        total += float(values.sum())
        low, high = (
            int(np.where(known, piece, math.inf).argmin()),
            int(np.where(known, piece, -math.inf).argmax()),
        )
        ends = [
            min(ends[0], (float(piece[low]), start + low)),
            max(ends[1], (float(piece[high]), start + high)),
        ]
    cell = after.cell_m**2
    said: dict[str, Any] = {
        "comparable": True, "unit": unit, "error": round(tolerance, 6), "compared_m2": count * cell,
        "unchanged_m2": still * cell, "less_m2": less * cell, "more_m2": (count - still - less) * cell,
        "mean": round(total / count, 4) if count else None, "classes": [],
        **_alone(before, scale, "before"), **_alone(after, scale, "after"),
    }  # fmt: skip
    if not count:
        return said | {"least": None, "most": None}
    said["least"], said["most"] = (_at(after, *end) for end in ends)
    edges = _edges(max(abs(ends[0][0]), abs(ends[1][0])), tolerance)
    if len(edges):
        tallied = np.zeros(len(edges) + 1, np.int64)
        for _, piece in _pieces(before, after, scale):
            moved = piece[np.isfinite(piece) & (np.abs(np.nan_to_num(piece)) > tolerance)]
            tallied += np.bincount(np.searchsorted(edges, moved, side="right"), minlength=len(edges) + 1)
        bounds = [round(ends[0][0], 4), *edges.tolist(), round(ends[1][0], 4)]
        said["classes"] = [
            {"from": bounds[k], "to": bounds[k + 1], "area_m2": int(n) * cell}
            for k, n in enumerate(tallied.tolist())
            if n
        ]
    return said


def _unit(grid: Grid) -> tuple[str, float]:
    if grid.unit == "{step}" and "step_minutes" in grid.attributes:
        return "h", float(grid.attributes["step_minutes"]) / 60.0
    return grid.unit, 1.0


def _alone(grid: Grid, scale: float, side: str) -> dict[str, float | None]:
    """Mean and most of one grid over what it knows."""
    values = grid.values if grid.values.ndim == 2 else grid.values[0]
    count, total, most = 0, 0.0, -math.inf
    rows = max(1, _PIECE // grid.cols)
    for row in range(0, grid.rows, rows):
        piece = values[row : row + rows]
        known = piece[piece != grid.nodata] if grid.nodata is not None else piece.ravel()
        known = known[np.isfinite(known)]
        if known.size:
            count, total = count + known.size, total + float(known.sum(dtype=np.float64))
            most = max(most, float(known.max()))
    mean = round(total / count * scale, 4) if count else None
    return {f"mean_{side}": mean, f"most_{side}": round(most * scale, 4) if count else None}


def _pieces(before: Grid, after: Grid, scale: float) -> Iterator[tuple[int, Floats]]:
    """After less before over some rows at a time, flat, NaN where either is not known; and where the piece begins."""
    a, b = (grid.values if grid.values.ndim == 2 else grid.values[0] for grid in (after, before))
    rows = max(1, _PIECE // after.cols)
    for row in range(0, after.rows, rows):
        one, other = a[row : row + rows], b[row : row + rows]
        piece = one.astype(np.float64) - other.astype(np.float64)
        for values, grid in ((one, after), (other, before)):
            if grid.nodata is not None:
                piece[values == grid.nodata] = np.nan
        yield row * after.cols, (piece * scale).ravel()


def _edges(most: float, tolerance: float) -> Floats:
    """Edges of classes around nothing: multiples of 1, 2 or 5 times a power of ten, at most four a side."""
    if most <= tolerance or most <= 0.0:
        return np.zeros(0)
    raw = most / _STEPS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * k for k in (1.0, 2.0, 5.0, 10.0) if power * k >= raw * (1 - 1e-9))
    up = np.round(step * np.arange(1, _STEPS + 1), 10)
    up = up[up < most]
    return np.concatenate([-up[::-1], [0.0], up])


def _at(grid: Grid, value: float, cell: int) -> dict[str, float]:
    row, col = divmod(cell, grid.cols)
    x, y = grid.origin_x + (col + 0.5) * grid.cell_m, grid.origin_y - (row + 0.5) * grid.cell_m
    return {"value": round(value, 4), **_lonlat(grid.frame, x, y)}


def _lonlat(frame: Frame, x: float, y: float) -> dict[str, float]:
    lon, lat = frame.to_lonlat(x, y)
    return {"lon": round(float(lon), 7), "lat": round(float(lat), 7)}
