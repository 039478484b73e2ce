"""Two tables beside each other: their numbers as a whole, building by building, and row by row. What is *after* less what is *before*."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.ground.features import Features

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
#: Rows that are listed by name, and buildings, most changed first.
LISTED = 50
LISTED_BUILDINGS = 200
#: Columns that say where a row is, not what was found there.
WHERE = ("z_m", "normal_deg", "storey", "eye_m", "ground_m", "x", "y", "lon", "lat")
#: What of these tells two rows of one building at one place apart, and how finely it is kept (units of the column).
_APART = {"z_m": 0.01, "normal_deg": 0.1}
_MM = 1e-3
#: The lowest bit of a verdict: the rule is met.
_MET = 1


def features(before: Features, after: Features, error: float = 0.0) -> dict[str, Any]:
    """The difference of two tables: of each number how it changed, where a difference of no more than `error` is none.

    Rows belong together by their `id`. Ids that only count rows (`f0`, `f1` …: one building more, and all that follow are others) say
    nothing: then the same building, place (1 mm), height and direction is the same row.

    Returns:
        `before`, `after`, `both`: rows; `columns`: of each number `unit`, `known_…`, `mean_…`, `sum_…` before and after over all rows of
        that side, and over rows in both the `mean`, `least`, `most` difference and `changed` (rows that differ by more than `error`);
        verdicts have `met_…` and `known_…` only. `buildings`: of each column with a unit the buildings whose mean changes at all,
        or that are in one table only: `id`, `n_…` and `mean_…` (`null`: not there), most changed first; `more`: how many
        are left out. `objects`: the most changed rows; `only_before`, `only_after`: ids of some that have no counterpart.
    """
    one, other = before.table, after.table
    left, right = _pairs(before, after)
    said: dict[str, Any] = {
        "comparable": True, "error": error, "before": len(one), "after": len(other), "both": len(left), "columns": [],
        "buildings": [], "objects": [], "only_before": _without(one, left), "only_after": _without(other, right),
    }  # fmt: skip
    houses = _houses(before, after)
    worst = np.zeros(len(left))
    moved: dict[str, Floats] = {}
    for name in other.columns:
        if name in WHERE or name not in one.columns or other[name].dtype.kind not in "iuf":
            continue
        a, b = (table[name].to_numpy(float, na_value=np.nan) for table in (one, other))
        unit = after.units.get(name, "")
        if name.startswith("verdict"):
            said["columns"].append({"name": name, "unit": "", **_met(a, "before"), **_met(b, "after")})
            continue
        difference = b[right] - a[left]
        known = np.isfinite(difference)
        column = {"name": name, "unit": unit, **_whole(a, "before"), **_whole(b, "after")}
        if known.any():
            values = difference[known]
            changed = int((np.abs(values) > error).sum())
            moved[name] = difference
            worst = np.maximum(
                worst, np.where(known, np.abs(difference), 0.0) / (np.abs(values).max() or 1.0)
            )
            column |= {
                "mean": _number(values.mean()), "least": _number(values.min()), "most": _number(values.max()), "changed": changed,
            }  # fmt: skip
        said["columns"].append(column)
        if unit and houses:
            said["buildings"].append({"name": name, "unit": unit, **_by_building(houses, a, b)})
    beyond = np.zeros(len(left), bool)
    for values in moved.values():
        beyond |= np.abs(np.nan_to_num(values)) > error
    candidates = np.flatnonzero(beyond)
    ids = other["id"].to_numpy(str)[right[candidates]]
    for k in candidates[np.lexsort((ids, -worst[candidates]))[:LISTED]].tolist():
        row = {name: _number(values[k]) for name, values in moved.items() if np.isfinite(values[k])}
        said["objects"].append(
            {"id": str(other["id"].iloc[right[k]]), **_place(after, int(right[k])), "difference": row}
        )
    return said


def _pairs(before: Features, after: Features) -> tuple[Integers, Integers]:
    """Row numbers of the rows that belong together, here and there, in the order of *after*."""
    if not len(before) or not len(after):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    tables = (before.table, after.table)
    if all(bool(t["id"].str.fullmatch(r"[a-z]\d+").all()) for t in tables):
        keys = _places(before, after)
    else:
        keys = np.concatenate([table["id"].to_numpy(object) for table in tables])
    codes = pd.factorize(keys)[0]
    # the second of two that are the same in all of this is the second there as well
    count = pd.Series(codes[: len(before)]).groupby(codes[: len(before)]).cumcount().to_numpy()
    again = pd.Series(codes[len(before) :]).groupby(codes[len(before) :]).cumcount().to_numpy()
    codes = pd.factorize(codes * (len(codes) + 1) + np.concatenate([count, again]))[0]
    row = np.full(len(codes), -1, np.int64)
    row[codes[: len(before)]] = np.arange(len(before))
    found = row[codes[len(before) :]]
    right = np.flatnonzero(found >= 0)
    return found[right], right


def _places(before: Features, after: Features) -> Integers:
    """A number for each row of both, one after the other: equal where building, place, height and direction are."""
    xy = np.concatenate([_middles(features) for features in (before, after)]) / _MM
    parts: list[Any] = [xy[:, 0], xy[:, 1]]
    tables = (before.table, after.table)
    for name, fine in _APART.items():
        if all(name in table.columns for table in tables):
            parts.append(
                np.concatenate([table[name].to_numpy(float, na_value=np.nan) for table in tables]) / fine
            )
    codes = np.zeros(len(before) + len(after), np.int64)
    if all("building" in table.columns for table in tables):
        codes = pd.factorize(np.concatenate([table["building"].to_numpy(object) for table in tables]))[0]
    for part in parts:
        more = pd.factorize(np.rint(np.nan_to_num(part, nan=-1e12)).astype(np.int64))[0]
        codes = pd.factorize(codes * (int(more.max(initial=0)) + 1) + more)[0]
    return np.asarray(codes, np.int64)


def _middles(features: Features) -> Floats:
    """Where each row is, (n, 2) m; not a number where it is nowhere."""
    shapes = features.table.geometry.to_numpy()
    points = shapes if (shapely.get_type_id(shapes) == 0).all() else shapely.centroid(shapes)
    return np.stack([shapely.get_x(points), shapely.get_y(points)], axis=1)


def _houses(before: Features, after: Features) -> tuple[Any, Integers, Integers] | None:
    """Ids of the buildings that rows are of, and for each row of both which."""
    tables = (before.table, after.table)
    if not all("building" in table.columns for table in tables):
        return None
    codes, ids = pd.factorize(np.concatenate([table["building"].to_numpy(object) for table in tables]))
    return ids, codes[: len(before)], codes[len(before) :]


def _by_building(houses: tuple[Any, Integers, Integers], a: Floats, b: Floats) -> dict[str, Any]:
    ids, *codes = houses
    n, mean = [], []
    for of, values in zip(codes, (a, b), strict=True):
        known = np.isfinite(values) & (of >= 0)
        n.append(np.bincount(of[known], minlength=len(ids)))
        total = np.bincount(of[known], values[known], minlength=len(ids))
        with np.errstate(invalid="ignore"):
            mean.append(np.where(n[-1] > 0, total / np.maximum(n[-1], 1), np.nan))
    alone = (n[0] > 0) != (n[1] > 0)
    apart = np.where(alone, np.inf, np.abs(np.nan_to_num(mean[1] - mean[0])))
    rows = np.flatnonzero(apart > 0.0)
    rows = rows[np.lexsort((ids[rows].astype(str), -np.maximum(n[0], n[1])[rows], -apart[rows]))]
    return {
        "rows": [
            {"id": str(ids[k]), "n_before": int(n[0][k]), "n_after": int(n[1][k]),
             "mean_before": _number(mean[0][k]), "mean_after": _number(mean[1][k])}
            for k in rows[:LISTED_BUILDINGS].tolist()
        ],
        "more": max(0, len(rows) - LISTED_BUILDINGS),
    }  # fmt: skip


def _whole(values: Floats, side: str) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    mean = _number(known.mean()) if len(known) else None
    return {f"known_{side}": len(known), f"mean_{side}": mean, f"sum_{side}": _number(known.sum())}


def _met(values: Floats, side: str) -> dict[str, int]:
    known = values[np.isfinite(values)].astype(np.int64)
    return {f"known_{side}": len(known), f"met_{side}": int(np.count_nonzero(known & _MET))}


def _number(value: Any) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _without(table: Any, paired: Integers) -> list[str]:
    left = np.ones(len(table), bool)
    left[paired] = False
    return [str(one) for one in table["id"].to_numpy()[left][:LISTED]]


def _place(features: Features, row: int) -> dict[str, float]:
    shape = features.table.geometry.iloc[row]
    if shape is None or shape.is_empty:
        return {}
    at = shape.representative_point()
    lon, lat = features.frame.to_lonlat(at.x, at.y)
    return {"lon": round(float(lon), 7), "lat": round(float(lat), 7)}
