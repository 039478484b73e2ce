"""The numbers of a report: what a result says before and after, where the ground changes, and whose facades are concerned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twintown.ground.features import Features
from twintown.ground.grid import Grid

from .report_colours import Scale

Floats = NDArray[np.float64]
#: Less sun than this is not told as lost, hours: the ground's own error is of this size.
SLIGHT_H = 0.5
PASSES = 1
#: Buildings that a report lists.
LISTED = 12
SUN = ("#2b1a47", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")
LESS = ("#7f2704", "#c44f0c", "#f08d49", "#fbd0a4")
MORE = ("#c7e4d8", "#7cc3a8", "#2f9a75", "#00614a")
SPREAD = ("#30123b", "#4458cb", "#3e9bfe", "#18d6cb", "#46f884", "#a4fc3c", "#e1dd37", "#fea331")


@dataclass(frozen=True)
class Values:
    """The first band of a grid as numbers a person reads: NaN where nothing is known; `unit` after conversion."""

    grid: Grid
    values: Floats
    unit: str

    @classmethod
    def of(cls, grid: Grid) -> Values:
        """Steps of sun become hours; everything else keeps its unit."""
        band = grid.values if grid.values.ndim == 2 else grid.values[0]
        values = band.astype(np.float64)
        if grid.nodata is not None:
            values[band == grid.nodata] = np.nan
        unit = grid.unit
        if unit == "{step}" and "step_minutes" in grid.attributes:
            values *= float(grid.attributes["step_minutes"]) / 60.0
            unit = "h"
        return cls(grid, values, unit)

    def laid(self, values: Floats) -> Grid:
        """Other values on the same frame."""
        return replace(self.grid, values=values, nodata=None, unit=self.unit)


def difference(after: Values, before: Values) -> Values:
    """After less before, cell by cell; NaN where either is not known.

    Raises:
        ValueError: they do not lie on the same cells (results of one twin and one process do).
    """
    a, b = after.grid, before.grid
    if (a.rows, a.cols, a.origin_x, a.origin_y, a.cell_m) != (
        b.rows,
        b.cols,
        b.origin_x,
        b.origin_y,
        b.cell_m,
    ):
        raise ValueError("the grids do not lie on the same cells")
    return replace(after, values=after.values - before.values)


def scale_of(values: Sequence[Values]) -> Scale:
    """Classes and colours for grids that are shown side by side."""
    unit = values[0].unit
    if unit == "h" and _most(values) <= 9:
        return Scale(tuple(float(h) for h in range(9)), SUN, unit)
    least = min((float(np.nanmin(v.values)) for v in values if not np.isnan(v.values).all()), default=0.0)
    edges = _edges(least, _most(values), len(SPREAD))
    return Scale(edges, SPREAD[: len(edges) - 1], unit)


def scale_of_difference(values: Sequence[Values]) -> Scale:
    """Classes around nothing; what changes less than the first class is clear."""
    unit = values[0].unit
    if unit == "h" and _reach(values) <= 9:
        up = (SLIGHT_H, 1.0, 2.0, 4.0, 9.0)
    else:
        step = _nice(_reach(values) / 4 or 1.0)
        up = (step / 4, step, 2 * step, 3 * step, max(4 * step, _reach(values)))
    return Scale((*(-v for v in reversed(up)), *up), (*LESS, "", *MORE), unit)


def _most(values: Sequence[Values]) -> float:
    return max((float(np.nanmax(v.values)) for v in values if not np.isnan(v.values).all()), default=0.0)


def _reach(values: Sequence[Values]) -> float:
    return max(
        (float(np.nanmax(np.abs(v.values))) for v in values if not np.isnan(v.values).all()), default=0.0
    )


def _nice(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(n * power for n in (1.0, 2.0, 2.5, 5.0, 10.0) if step <= n * power * (1 + 1e-9))


def _edges(least: float, most: float, classes: int) -> tuple[float, ...]:
    step = _nice((most - least) / classes or 1.0)
    first = math.floor(least / step + 1e-9)
    last = max(first + 1, math.ceil(most / step - 1e-9))
    return tuple(round(n * step, 9) for n in range(first, min(last, first + classes) + 1))


def number(value: float, digits: int | None = None) -> str:
    """A number for people: thousands apart, three figures where no digits are asked for, a real minus."""
    if value != value:
        return "–"
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}".replace("-", "−")


def grid_rows(name: str, before: Values, sides: Sequence[Values], w: Mapping[str, str]) -> list[list[str]]:
    """Rows of a table over one grid: quantity, before, each side, unit; over cells that are known in all of them."""
    known = ~np.isnan(before.values)
    for side in sides:
        known &= ~np.isnan(side.values)
    everything = [before, *sides]
    rows = [[f"{name}, {w['mean']}", *(_mean(v.values[known]) for v in everything), before.unit]]
    ha = before.grid.cell_m**2 / 10_000.0
    changes = [np.where(known, side.values - before.values, 0.0) for side in sides]
    if before.unit == "h":
        rows.append(
            [w["area_less"], "–", *(number(float((c <= -SLIGHT_H).sum()) * ha, 2) for c in changes), "ha"]
        )
        rows.append(
            [w["area_more"], "–", *(number(float((c >= SLIGHT_H).sum()) * ha, 2) for c in changes), "ha"]
        )
    else:
        rows.append([w["area_changed"], "–", *(number(float((c != 0).sum()) * ha, 2) for c in changes), "ha"])
    return rows


def _mean(values: Floats) -> str:
    return number(float(values.mean())) if values.size else "–"


def feature_rows(
    before: Features, sides: Sequence[Features], titles: Mapping[str, str], w: Mapping[str, str]
) -> list[list[str]]:
    """Rows over the named columns of features that have a unit: their means."""
    rows = []
    for column, title in titles.items():
        unit = before.units.get(column, "")
        tables = [one.table for one in (before, *sides)]
        if not unit or any(column not in t or not pd.api.types.is_numeric_dtype(t[column]) for t in tables):
            continue
        means = [number(float(t[column].astype(float).mean())) for t in tables]
        rows.append([f"{title}, {w['mean']}", *means, unit])
    return rows


@dataclass(frozen=True)
class Concerned:
    """One building whose facade points change: points that are there before and after, how verdicts change, minutes lost."""

    building: str
    points: int
    newly_fail: int
    newly_pass: int
    mean_lost_min: float
    most_lost_min: float


def concerned(before: Features, after: Features) -> list[Concerned]:
    """Buildings whose facade points change their verdict or lose sun, the most changed first.

    A point is the same point where its building, its place and its height are the same to a centimetre.
    """
    a, b = _points(before), _points(after)
    both = a.merge(b, on=["building", "x", "y", "z"], suffixes=("_a", "_b"))
    both["newly_fail"] = (both["passes_a"] & ~both["passes_b"]).astype(int)
    both["newly_pass"] = (~both["passes_a"] & both["passes_b"]).astype(int)
    both["lost"] = (both["sun_a"] - both["sun_b"]).clip(lower=0.0)
    every = both.groupby("building", sort=True).agg(
        points=("lost", "size"),
        newly_fail=("newly_fail", "sum"),
        newly_pass=("newly_pass", "sum"),
        mean=("lost", "mean"),
        most=("lost", "max"),
    )
    changed = every[(every["newly_fail"] > 0) | (every["newly_pass"] > 0) | (every["most"] >= SLIGHT_H * 60)]
    changed = changed.sort_values(["newly_fail", "newly_pass", "most"], ascending=False, kind="stable")
    top = changed.head(LISTED)
    numbers = top[["points", "newly_fail", "newly_pass", "mean", "most"]].to_numpy(float)
    return [
        Concerned(str(name), int(n), int(fail), int(good), float(mean), float(most))
        for name, (n, fail, good, mean, most) in zip(top.index, numbers, strict=True)
    ]


def _points(facades: Features) -> pd.DataFrame:
    table = facades.table
    geometry = table.geometry
    data: dict[str, Any] = {
        "building": table["building"].astype(str).to_numpy(),
        "x": np.round(geometry.x.to_numpy() * 100).astype(np.int64),
        "y": np.round(geometry.y.to_numpy() * 100).astype(np.int64),
        "z": np.round(table["z_m"].astype(float).to_numpy() * 100).astype(np.int64),
        "sun": table["sun_min"].astype(float).to_numpy(),
        "passes": (table["verdict"].astype(int).to_numpy() & PASSES) > 0,
    }
    return pd.DataFrame(data).drop_duplicates(["building", "x", "y", "z"])
