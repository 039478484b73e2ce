"""The process `price-forecast`: wholesale prices of the days ahead, with their error, and how such forecasts did in a year held back."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.ground.series import Series
from twintown.jobs.process import Ask, Input, Output, Process, Shape

from .forecast_backtest import HELD_D, Forecast, backtest
from .forecast_model import EVERY_D, Paths, combined, paths, spreads
from .forecast_prices import Prices, chosen_of, prices_of

VERSION = "1"
UNITS = {
    "mae": "", "naive_mae": "", "persistence_mae": "", "mape": "%", "coverage": "%", "n": "{forecast}", "missed": "{forecast}",
    "market_days": "d",
}  # fmt: skip


def levels_of(confidence: float) -> tuple[float, float]:
    """The two quantiles that hold so much between them."""
    return (1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0


def columns_of(product: str, confidence: float) -> tuple[str, str, str]:
    """The columns of a product: at 0.8 its `_p10`, `_p50`, `_p90`."""
    low, high = levels_of(confidence)
    return f"{product}_p{round(100 * low):02d}", f"{product}_p50", f"{product}_p{round(100 * high):02d}"


def _accept(ask: Ask) -> None:
    bad = [one for one in ask.options["products"] if not isinstance(one, str)]
    if bad:
        raise BadParameter("products", f"{bad[0]!r} is no name of a product")


def _series(ask: Ask, layer: str) -> Series:
    found = ask.layers[layer]
    if not isinstance(found, Series):
        raise BadInput(f"the layer {layer!r} is no series", "process price-forecast")
    return found


def forecast_of(prices: Prices, horizon: int, confidence: float) -> tuple[Paths, Forecast]:
    """What every origin would have said, the last one what is said now."""
    found = paths(prices, horizon)
    middle = combined(found)
    low, high = spreads(found, middle, levels_of(confidence), prices.days - HELD_D - 1)
    return found, Forecast(middle, middle + low, middle + high)


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    ask.progress("reading the prices", 0.0)
    series = _series(ask, "prices")
    normals = _series(ask, "prices-normal") if "prices-normal" in ask.layers else None
    horizon, confidence = int(ask.options["horizon_d"]), float(ask.options["confidence"])
    chosen = chosen_of(series, ask.options["products"])
    prices = prices_of(series, normals, chosen)
    ask.progress("forecasting from every week", 0.2)
    found, made = forecast_of(prices, horizon, confidence)
    step = Step(
        "combined forecasts of the price, weighed by their past errors", f"twintown.processes.forecast {VERSION}",
        {"horizon_d": horizon, "confidence": confidence, "origin": prices.day(prices.days - 1).isoformat(), "every_d": EVERY_D,
         "products": list(chosen), "normal": normals is not None},
    )  # fmt: skip
    used = [series.provenance] + ([normals.provenance] if normals is not None else [])
    provenance = Provenance.of(used, step)
    yield "price-forecast", _ahead(series, prices, chosen, found, made, confidence, provenance)
    ask.progress("comparing the year that is held back", 0.8)
    rows = [
        row
        for row in backtest(found, made, prices.days, prices.products, horizon)
        if row["product"] in chosen
    ]
    first = prices.day(prices.days - HELD_D).isoformat()
    for row in rows:
        row |= {"from": first, "until": prices.day(prices.days - 1).isoformat(), "source": "computed"}
    table = gpd.GeoDataFrame(rows, geometry=[None] * len(rows), crs=ask.frame.crs)
    units = {name: unit or prices.unit for name, unit in UNITS.items()}
    yield "price-backtest", Features(table, ask.frame, provenance, units)
    ask.progress("done", 1.0)


def _ahead(
    series: Series, prices: Prices, chosen: tuple[str, ...], found: Paths, made: Forecast, confidence: float, provenance: Provenance
) -> Series:  # fmt: skip
    """The last origin's forecasts, one row a day, whole units of the currency; null out of a product's season."""
    horizon = made.middle.shape[2]
    days = [prices.day(prices.days + ahead) for ahead in range(horizon)]
    columns = {"time": pa.array(pd.DatetimeIndex(days).astype("datetime64[us]"), pa.timestamp("us"))}
    last = {}
    for product in chosen:
        number = prices.products.index(product)
        names = columns_of(product, confidence)
        for name, values in zip(names, (made.low, made.middle, made.high), strict=True):
            value = np.round(np.exp(values[-1, number]))
            columns[name] = pa.array(value, pa.float64(), mask=~np.isfinite(value))
        known = np.flatnonzero(np.isfinite(prices.price[:, number]))
        if len(known):
            price = float(np.round(np.exp(prices.price[known[-1], number])))
            last[product] = {"date": prices.day(int(known[-1])).isoformat(), "price": price}
    attributes = {
        "origin": prices.day(prices.days - 1).isoformat(), "confidence": confidence, "last": last, "source": "computed",
        "products": list(chosen), "method": METHOD,
    }  # fmt: skip
    units = {name: prices.unit for name in columns if name != "time"}
    return Series(pa.table(columns), units, series.zone, series.place, provenance, attributes)


METHOD = (
    "weighted mean (of logarithms) of the last price, of the normal year plus all, half or nothing of today's difference from it, and of "
    "last year's price; weights from each one's past errors by product and days ahead; interval from past errors of the same forecast"
)

PROCESS = Process(
    id="price-forecast",
    title=Name("농산물 가격 예측", "Price forecast of produce"),
    version=VERSION,
    needs=("prices",),
    takes=("prices-normal",),
    inputs=(
        Input(
            "horizon_d", Name("예측 기간", "Days ahead"), "d", 60, (int,), minimum=1, maximum=120,
            about=Name("마지막 가격 다음 날부터 며칠", "From the day after the last price"),
        ),
        Input(
            "products", Name("품목", "Products"), "1", [], (list,),
            schema={"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": 200},
            about=Name("가격 층의 열 이름. 없으면 모두", "Columns of the layer of prices; none: all of them"),
        ),
        Input(
            "confidence", Name("구간의 확률", "Confidence of the interval"), "1", 0.8, (int, float), choices=(0.5, 0.8, 0.9),
            about=Name("0.8이면 열 번 가운데 여덟 번 구간 안", "0.8: within the interval eight times out of ten"),
        ),
    ),
    outputs=(
        Output("price-forecast", Name("가격 예측", "Price forecast"), "[KRW]", "series", error=1.0),
        Output("price-backtest", Name("지난 한 해의 예측 오차", "Errors in the year held back"), "[KRW]", "features", error=0.1),
    ),
    citations=("bates1969", "vovk2005", "hyndman2021"),
    validation=("forecast_backtest",),
    run=_run,
    about=Name(
        "도매가격을 앞으로 며칠 예측하고(p10, p50, p90), 따로 남겨 둔 지난 한 해에 같은 방법이 얼마나 틀렸는지 "
        "계절 단순 예측(1년 전 가격), 마지막 가격과 견주어 품목별로 밝힙니다. 팔지 않는 철에는 값이 없습니다.",
        "Forecasts wholesale prices (p10, p50, p90) and tells by product how far the same method was off in the last year, held back, "
        "beside the seasonal naive (the price a year ago) and the last price. Out of a product's season there is no value.",
    ),
    error=Name(
        "품목별로 price-backtest에 있습니다. 몇 주만 파는 품종(대지마 감자, 햅쌀, 월동배추)은 단순 예측보다 못할 수 있습니다.",
        "By product in price-backtest. Varieties sold for a few weeks a year (Daejima potatoes, new rice, winter cabbage) can do worse "
        "than the naive forecast.",
    ),
    accept=_accept,
)  # fmt: skip
