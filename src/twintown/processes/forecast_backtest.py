"""How far forecasts of the year that is held back were off, beside those that anybody makes: by product and by how far ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .forecast_model import EDGES, Paths

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Days that are held back: no origin within them knows more than its past.
HELD_D = 365


@dataclass(frozen=True)
class Forecast:
    """Logarithms of what was forecast: middle, lower and upper, float64[o, k, h] each."""

    middle: Floats
    low: Floats
    high: Floats


def spans_of(horizon: int) -> list[tuple[str, int, int]]:
    """The classes of days ahead: name, first and last day; and all together."""
    starts, ends = (1, *(edge + 1 for edge in EDGES)), (*EDGES, horizon)
    parts = [(a, min(b, horizon)) for a, b in zip(starts, ends, strict=True) if a <= horizon and a <= b]
    return [(f"{a}-{b}", a, b) for a, b in parts] + [("all", 1, horizon)]


def held_back(found: Paths, days: int) -> Bools:
    """Which forecasts count: the origin and the day lie in the held-back year, bool[o, h]."""
    start = days - HELD_D
    return np.asarray(
        (found.origins[:, None] >= start - 1) & (found.reached >= start) & (found.reached < days)
    )


def backtest(
    found: Paths, made: Forecast, days: int, products: tuple[str, ...], horizon: int
) -> list[dict[str, Any]]:
    """One row a product and class. Errors in the unit of the prices, over the days with a price that all three know.

    `better`: the mean absolute error is below that of the seasonal naive. `missed`: days with a price that had no forecast.
    """
    counted = held_back(found, days)[:, None, :]
    persistent = found.parts[0]
    there = counted & np.isfinite(found.truth)
    every = there & np.isfinite(made.middle) & np.isfinite(found.naive) & np.isfinite(persistent)
    truth = np.exp(found.truth)
    errors = {
        name: np.abs(np.exp(values) - truth)
        for name, values in (
            ("mae", made.middle),
            ("naive_mae", found.naive),
            ("persistence_mae", persistent),
        )
    }
    inside = (found.truth >= made.low) & (found.truth <= made.high)
    rows = []
    for number, product in enumerate(products):
        for name, first, last in spans_of(horizon):
            here = np.zeros_like(every)
            here[:, number, first - 1 : last] = every[:, number, first - 1 : last]
            n = int(here.sum())
            missed = int((there & ~every)[:, number, first - 1 : last].sum())
            row: dict[str, Any] = {
                "id": f"{product}-{name}", "product": product, "days_ahead": name, "n": n, "missed": missed,
                "market_days": len(np.unique(found.reached[np.nonzero(here)[0], np.nonzero(here)[2]])),
            }  # fmt: skip
            for kind, error in errors.items():
                row[kind] = round(float(error[here].mean()), 1) if n else np.nan
            row["mape"] = round(float((100.0 * errors["mae"] / truth)[here].mean()), 2) if n else np.nan
            row["coverage"] = round(100.0 * float(inside[here].mean()), 1) if n else np.nan
            row["better"] = bool(n and row["mae"] < row["naive_mae"])
            row["better_than_persistence"] = bool(n and row["mae"] < row["persistence_mae"])
            rows.append(row)
    return rows
