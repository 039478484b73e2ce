"""What a playbook tells in the end: numbers of the last layer, and the worst places. Pure: tables in, numbers out.

    [answer]            step, output, style, label
    [[answer.numbers]]  id, title, statistic ("sum", "mean", "min", "max", "count", "percent"), unit, column
                        where = { column, at_least | below = number or the id of a threshold }
    [answer.worst]      column, count, least = true for the smallest first

`percent` is what `where` keeps of the sum of the column, in percent of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twintown.ground.errors import BadData, BadInput
from twintown.ground.names import Name, check_id
from twintown.ground.units import check_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twintown.ground.features import Features

STATISTICS = ("sum", "mean", "min", "max", "count", "percent")
#: Places that are listed at most.
MOST = 100


@dataclass(frozen=True)
class Where:
    """Which rows count: those whose column is at least, or below, a number or a threshold."""

    column: str
    sense: str
    bound: float | str

    def kept(self, table: Any, values: Mapping[str, float]) -> NDArray[np.bool_]:
        """The rows, bool[n]; what has no number is not among them."""
        bound = values[self.bound] if isinstance(self.bound, str) else self.bound
        column = numbers(table, self.column)
        with np.errstate(invalid="ignore"):
            return np.asarray(column >= bound if self.sense == "at_least" else column < bound, np.bool_)


@dataclass(frozen=True)
class Number:
    """One number that is told."""

    id: str
    title: Name
    statistic: str
    unit: str
    column: str
    where: Where | None


@dataclass(frozen=True)
class Answer:
    """Which layer is the answer, how it is drawn, and what is told of it. `worst`: column, how many, and whether the smallest first."""

    step: str
    output: str
    style: str
    label: str
    numbers: tuple[Number, ...]
    worst: tuple[str, int, bool] | None

    @classmethod
    def of(cls, said: Mapping[str, Any], thresholds: set[str]) -> Answer:
        """From the table of a playbook. Raises BadData, and KeyError for what is missing."""
        worst = said.get("worst")
        told = tuple(_number(one, thresholds) for one in said.get("numbers", []))
        return cls(
            str(said["step"]), check_id(said["output"], "answer.output"), str(said.get("style", "")), str(said.get("label", "")), told,
            (str(worst["column"]), min(MOST, int(worst.get("count", 10))), bool(worst.get("least", False))) if worst else None,
        )  # fmt: skip

    def tell(self, shape: Features, values: Mapping[str, float]) -> dict[str, Any]:
        """The numbers of a layer, as JSON: `numbers` (id, title, value, unit), `worst` (rows with their box in degrees), `count`.

        Args:
            values: of the thresholds, by id.

        Raises:
            BadInput: the layer has not the column.
        """
        told = [
            {"id": one.id, "title": one.title.to_dict(), "unit": one.unit, "value": _value(one, shape.table, values)}
            for one in self.numbers
        ]  # fmt: skip
        return {"count": len(shape), "numbers": told, "worst": self._worst(shape)}

    def _worst(self, shape: Features) -> list[dict[str, Any]]:
        if self.worst is None:
            return []
        column, count, least = self.worst
        found = numbers(shape.table, column)
        key = found if least else -found
        order = [int(i) for i in np.lexsort((shape.table["id"].to_numpy(str), key)) if np.isfinite(found[i])]
        rows = []
        for i in order[:count]:
            row = shape.table.iloc[i]
            middle = (
                row.geometry.interpolate(0.5, normalized=True)
                if row.geometry.length
                else row.geometry.centroid
            )
            lon, lat = shape.frame.to_lonlat(middle.x, middle.y)
            label = str(row[self.label]) if self.label in shape.table.columns and row[self.label] else ""
            rows.append({
                "id": str(row["id"]), "label": label, "value": float(found[i]), "unit": shape.units.get(column, ""),
                "lon": round(float(lon), 6), "lat": round(float(lat), 6),
            })  # fmt: skip
        return rows


def numbers(table: Any, column: str) -> NDArray[np.float64]:
    """A column as float64[n]. Raises BadInput: there is none, or it holds no numbers."""
    if column not in table.columns:
        raise BadInput(f"the answer has no column {column[:60]!r}", "playbook", "mend the playbook")
    try:
        return np.asarray(table[column].to_numpy(float), np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"the column {column[:60]!r} holds no numbers", "playbook", "mend the playbook"
        ) from error


def _value(one: Number, table: Any, values: Mapping[str, float]) -> float | None:
    kept = one.where.kept(table, values) if one.where else np.ones(len(table), np.bool_)
    if one.statistic == "count":
        return float(kept.sum())
    column = numbers(table, one.column)
    there = np.isfinite(column)
    chosen = column[kept & there]
    if one.statistic == "percent":
        whole = float(column[there].sum())
        return round(100.0 * float(chosen.sum()) / whole, 2) if whole else None
    if one.statistic == "sum":
        return round(float(chosen.sum()), 2)
    if not len(chosen):
        return None
    found = {"mean": chosen.mean(), "min": chosen.min(), "max": chosen.max()}[one.statistic]
    return round(float(found), 2)


def _number(said: Mapping[str, Any], thresholds: set[str]) -> Number:
    where = f"answer.numbers.{said.get('id', '?')}"
    if said["statistic"] not in STATISTICS:
        raise BadData(f"{said['statistic']!r} is no statistic", where, f"use one of {', '.join(STATISTICS)}")
    if said["statistic"] != "count" and not said.get("column"):
        raise BadData("names no column", where, "add it")
    return Number(
        check_id(said["id"], where), Name.of(said["title"], where), said["statistic"], check_unit(said.get("unit", "1"), where),
        str(said.get("column", "")), _where(said["where"], thresholds, where) if "where" in said else None,
    )  # fmt: skip


def _where(said: Mapping[str, Any], thresholds: set[str], where: str) -> Where:
    senses = [one for one in ("at_least", "below") if one in said]
    if len(senses) != 1 or set(said) != {"column", senses[0]}:
        raise BadData("is no condition", where, "write where = { column = …, at_least = … } or below")
    bound = said[senses[0]]
    if isinstance(bound, bool) or (
        bound not in thresholds if isinstance(bound, str) else not isinstance(bound, int | float)
    ):
        raise BadData(f"{bound!r} is neither a number nor a threshold", where)
    return Where(str(said["column"]), senses[0], bound if isinstance(bound, str) else float(bound))
