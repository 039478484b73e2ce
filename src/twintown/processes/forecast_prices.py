"""Prices on a calendar: what a forecast is made from, with the nearest market days and normal years beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twintown.ground.errors import BadData, BadInput, BadParameter
from twintown.ground.series import Series

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: How far a market day may be for a day on which there was none, days.
NEAR_D = 7
#: How far a normal-year price may be carried, days; and over how many days it is averaged.
NORMAL_D, SMOOTH_D = 10, 7
#: Two years and the longest lead: without the year before nothing can be said of a year that is held back.
LEAST_D = 2 * 365 + 60


@dataclass(frozen=True)
class Prices:
    """Logarithms of prices and of normal-year prices, one row a calendar day; NaN where there is none.

    Args:
        first: the first day.
        products: columns of the layers.
        price, normal: float64[days, products], logarithm of the price in `unit`.
        unit: UCUM.
    """

    first: date
    products: tuple[str, ...]
    price: Floats
    normal: Floats
    unit: str

    @property
    def days(self) -> int:
        """How many calendar days there are."""
        return len(self.price)

    def day(self, number: int) -> date:
        """The calendar day of a row, also after the last one."""
        return self.first + timedelta(days=number)


def chosen_of(prices: Series, products: Sequence[str]) -> tuple[str, ...]:
    """The products that are asked for; all where none is named.

    Raises:
        BadParameter: a product that the layer does not have. BadData: prices in several currencies.
    """
    known = [name for name in prices.table.column_names if name != "time"]
    for name in products:
        if name not in known:
            raise BadParameter(
                "products", f"{name!r} has no prices", remedy=f"use some of {', '.join(known)}"
            )
    chosen = tuple(dict.fromkeys(products)) or tuple(known)
    units = {prices.units[name] for name in chosen}
    if len(units) != 1:
        raise BadData(
            f"prices in several currencies ({', '.join(sorted(units))})",
            "layer prices",
            "ask for those of one",
        )
    return chosen


def prices_of(prices: Series, normals: Series | None, products: Sequence[str]) -> Prices:
    """The prices of all products in the currency of those that are asked for: what is said of one hangs not on who else is asked about.

    Raises:
        BadParameter, BadData: as `chosen_of`; a price that is none. BadInput: fewer days than `LEAST_D`.
    """
    unit = prices.units[chosen_of(prices, products)[0]]
    chosen = tuple(
        name for name in prices.table.column_names if name != "time" and prices.units[name] == unit
    )
    table = _daily(prices, chosen, "prices")
    if len(table) < LEAST_D:
        raise BadInput(
            f"holds {len(table)} days; a forecast with an honest backtest needs {LEAST_D}", "layer prices", "add earlier prices"
        )  # fmt: skip
    blank = pd.DataFrame(np.nan, table.index, chosen)
    if normals is not None:
        there = tuple(name for name in chosen if name in normals.table.column_names)
        stated = _daily(normals, there, "prices-normal")
        # what is stated for a day after the last price could not be known by then
        blank[list(there)] = stated.reindex(table.index)
    return Prices(
        table.index[0].date(), chosen, np.log(table.to_numpy(np.float64)), np.log(blank.to_numpy(np.float64)), unit
    )  # fmt: skip


def _daily(series: Series, columns: Sequence[str], layer: str) -> pd.DataFrame:
    """Values by calendar day, up to the last day that has any. Raises BadData: a price of nothing or less, one day twice."""
    table = series.table.select(["time", *columns]).to_pandas().set_index("time")
    index = pd.DatetimeIndex(table.index).tz_localize(None).normalize()
    table.index = index
    if index.has_duplicates:
        twice = index[index.duplicated()][0].date()
        raise BadData(f"has two rows for {twice}", f"layer {layer}", "keep one price a day")
    table = table.astype(np.float64).sort_index()
    for name in columns:
        low = table.index[table[name] <= 0]
        if len(low):
            raise BadData(
                f"{name} costs {table[name][low[0]]:g} on {low[0].date()}", f"layer {layer}", "mend the price"
            )
    known = table.index[table.notna().any(axis=1)]
    if not len(known):
        empty: pd.DataFrame = table.iloc[:0]
        return empty
    daily: pd.DataFrame = table.reindex(pd.date_range(table.index[0], known[-1], freq="D"))
    return daily


def nearest(values: Floats, reach: int, later: bool = True) -> Floats:
    """Each gap filled from the nearest day that has a value and is no further than `reach` days; the earlier of two.

    `later` false: from earlier days only.
    """
    out = values.copy()
    for step in range(1, reach + 1):
        for shift in (step, -step) if later else (step,):
            moved = np.full_like(values, np.nan)
            if shift > 0:
                moved[shift:] = values[:-shift]
            else:
                moved[:shift] = values[-shift:]
            out = np.where(np.isnan(out), moved, out)
    return out


def smoothed(values: Floats) -> Floats:
    """Means over `SMOOTH_D` days around each day that has a value."""
    mean = pd.DataFrame(values).rolling(SMOOTH_D, center=True, min_periods=1).mean().to_numpy(np.float64)
    out: Floats = np.where(np.isfinite(values), mean, np.nan)
    return out


def year_before(first: date, days: int) -> Ints:
    """Of each row the row of the same calendar day a year before, int64[days]; before the first row: negative."""
    index = pd.date_range(first, periods=days, freq="D")
    back = index - pd.DateOffset(years=1)
    return np.asarray((back - index[0]).days, np.int64)
