"""Forecasts of real wholesale prices (KAMIS, 2020-04 – 2023-04) in the last year, held back, beside the price of a year ago.

The layers are made from the same file, by the same source and options as those of the twin of Icheon.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from twintown.ground.bounds import Bounds
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence
from twintown.ground.provenance import Source as Origin
from twintown.ground.series import Series
from twintown.processes.forecast import forecast_of
from twintown.processes.forecast_backtest import HELD_D, backtest
from twintown.processes.forecast_prices import Prices, prices_of
from twintown.sources.series import Dated
from twintown.sources.source import Ask, check_options
from validation.case import Measured

CITY = Path(__file__).parents[1] / "cities" / "icheon"
HORIZON_D, CONFIDENCE = 60, 0.8
#: Why a product does not beat the price of a year ago, where it does not.
KNOWN = {
    "potato_daejima_20kg": "sold for three to seven weeks a year, so one or two earlier seasons are all there is to learn from; in 2023 "
    "it cost within 5 % what it had cost a year before and stayed a tenth below its normal year, to which the forecast drew it",
}


def layers() -> dict[str, Series]:
    """`prices` and `prices-normal` as the twin of Icheon has them."""
    said = tomllib.loads((CITY / "twintown.toml").read_text(encoding="utf-8"))
    frame = Frame("EPSG:5186", undulation_m=24.5, undulation_source="declared")
    source, found = Dated(), {}
    for one in said["sources"]:
        if one["id"] in ("prices", "prices-normal"):
            options = check_options(source, one["options"], one["id"])
            origin = Origin(one["id"], one["title"], one["publisher"], Licence("KOGL-1", "KOGL Type 1"))
            paths = tuple(CITY / path for path in one["paths"])
            ask = Ask(paths, frame, Bounds(0, 0, 1, 1), origin, options, "Asia/Seoul")
            for layer, shape in source.read(ask):
                assert isinstance(shape, Series)
                found[layer] = shape
    return found


@lru_cache(1)
def result() -> tuple[Prices, list[dict[str, Any]]]:
    """The prices and the rows of the backtest."""
    there = layers()
    prices = prices_of(there["prices"], there["prices-normal"], ())
    found, made = forecast_of(prices, HORIZON_D, CONFIDENCE)
    return prices, backtest(found, made, prices.days, prices.products, HORIZON_D)


def measure() -> Iterator[Measured]:
    """Mean absolute errors relative to the seasonal naive's; how often the price lay in the interval; and that nothing leaks."""
    prices, rows = result()
    whole = [row for row in rows if row["days_ahead"] == "all" and row["n"]]
    ratios = {row["product"]: row["mae"] / row["naive_mae"] for row in whole}
    for product, ratio in ratios.items():
        yield Measured(
            "forecast.combined", "forecast_backtest", f"{product}: error 1–60 days ahead over that of last year's price", ratio, 1.0, "1",
            KNOWN.get(product, ""),
        )  # fmt: skip
    mean = math.exp(float(np.mean([math.log(one) for one in ratios.values()])))
    yield Measured(
        "forecast.combined", "forecast_backtest", "the same, geometric mean of the products", mean, 0.6, "1"
    )
    inside = sum(row["coverage"] * row["n"] for row in whole) / sum(row["n"] for row in whole)
    yield Measured(
        "forecast.spreads", "forecast_backtest", "prices within the 80 % interval, all products, away from 80", inside - 80.0, 5.0, "%"
    )  # fmt: skip
    yield Measured(
        "forecast.combined", "forecast_backtest", "change of earlier forecasts where all later prices and normal years are doubled",
        leak(prices), 0.0, "1",
    )  # fmt: skip


def leak(prices: Prices) -> float:
    """The largest change of a forecast or its interval that was made before everything after it doubled."""
    cut = prices.days - HELD_D // 2
    price, normal = prices.price.copy(), prices.normal.copy()
    price[cut + 1 :] += math.log(2.0)
    normal[cut + 1 :] += math.log(2.0)
    found, before = forecast_of(prices, HORIZON_D, CONFIDENCE)
    _, after = forecast_of(replace(prices, price=price, normal=normal), HORIZON_D, CONFIDENCE)
    made = np.flatnonzero(found.origins <= cut)
    return max(
        float(np.nanmax(np.abs(np.nan_to_num(getattr(before, name)[made]) - np.nan_to_num(getattr(after, name)[made]))))
        for name in ("middle", "low", "high")
    )  # fmt: skip
