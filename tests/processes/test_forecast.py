"""What the process `price-forecast` says of made-up prices whose course is known, and its words for bad input."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadData, BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.ground.series import Series
from twintown.jobs.process import Ask, run
from twintown.processes.forecast import PROCESS, columns_of, forecast_of
from twintown.processes.forecast_model import paths
from twintown.processes.forecast_prices import Prices, nearest, prices_of

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
FROM = Provenance((Source("test", "A market", "nobody", Licence("CC0-1.0", "CC0")),))
FIRST, DAYS = date(2020, 4, 9), 1000


def series(**columns: Any) -> Series:
    time = pd.date_range(FIRST, periods=DAYS, freq="D").astype("datetime64[us]")
    table = pa.table(
        {"time": pa.array(time), **{k: pa.array(v, from_pandas=True) for k, v in columns.items()}}
    )
    return Series(table, dict.fromkeys(columns, "[KRW]"), "Asia/Seoul", "a market", FROM)


def season(amplitude: float = 0.4) -> Any:
    return 10_000.0 * np.exp(amplitude * np.sin(2 * np.pi * np.arange(DAYS) / 365.0))


def noise(seed: int = 1, size: float = 0.03) -> Any:
    return np.exp(np.random.default_rng(seed).normal(0.0, size, DAYS))


def answered(prices: Series, normals: Series | None, **options: Any) -> tuple[Series, Any]:
    layers: dict[str, Any] = {"prices": prices} | ({"prices-normal": normals} if normals else {})
    ask = Ask(layers, FRAME, Bounds(0, 0, 1, 1), "Asia/Seoul", "2026-12-22", {"horizon_d": 20, **options})
    made = dict(run(PROCESS, ask))
    ahead, back = made["price-forecast"], made["price-backtest"]
    assert isinstance(ahead, Series) and isinstance(back, Features)
    return ahead, back.table.set_index("id")


def test_a_price_that_follows_its_season_is_forecast_along_it_and_not_held_where_it_is() -> None:
    ahead, back = answered(series(a=season() * noise()), series(a=season()))
    known = 10_000.0 * np.exp(0.4 * np.sin(2 * np.pi * (DAYS + np.arange(20)) / 365.0))
    assert np.abs(np.array(ahead.table["a_p50"]) / known - 1).max() < 0.03
    assert back.loc["a-all", "mae"] < 0.8 * back.loc["a-all", "persistence_mae"]


def test_a_price_that_never_moves_is_forecast_as_it_is() -> None:
    ahead, back = answered(series(a=np.full(DAYS, 500.0)), None)
    assert np.array(ahead.table["a_p50"]).tolist() == [500.0] * 20
    assert back.loc["a-all", "mae"] == 0.0 and not back.loc["a-all", "better"]


def test_the_first_row_is_the_day_after_the_last_price() -> None:
    gone = np.full(DAYS, np.nan)
    gone[:-5] = 500.0
    ahead, _ = answered(series(a=gone), None)
    assert ahead.table["time"][0].as_py().date() == FIRST + timedelta(days=DAYS - 5)
    assert ahead.attributes["last"] == {
        "a": {"date": (FIRST + timedelta(days=DAYS - 6)).isoformat(), "price": 500.0}
    }


def test_most_prices_lie_within_the_interval_and_a_wider_one_holds_more() -> None:
    prices, normals = series(a=season() * noise(2)), series(a=season())
    _, eighty = answered(prices, normals)
    ahead, half = answered(prices, normals, confidence=0.5)
    assert 70 <= eighty.loc["a-all", "coverage"] <= 92
    assert half.loc["a-all", "coverage"] < eighty.loc["a-all", "coverage"]
    assert columns_of("a", 0.5) == ("a_p25", "a_p50", "a_p75") and "a_p75" in ahead.table.column_names


def test_nothing_that_comes_after_an_origin_changes_what_was_said_there() -> None:
    prices = prices_of(
        series(a=season() * noise(3), b=season(0.1) * noise(4)), series(a=season(), b=season(0.1)), ()
    )
    cut = DAYS - 150
    price, normal = prices.price.copy(), prices.normal.copy()
    price[cut + 1 :] += 1.0
    normal[cut + 1 :] -= 1.0
    found, before = forecast_of(prices, 10, 0.8)
    _, after = forecast_of(Prices(prices.first, prices.products, price, normal, prices.unit), 10, 0.8)
    then = found.origins <= cut
    for name in ("middle", "low", "high"):
        assert np.array_equal(getattr(before, name)[then], getattr(after, name)[then], equal_nan=True)
    assert not np.array_equal(before.middle[~then], after.middle[~then], equal_nan=True)


def test_what_is_not_sold_at_that_time_of_the_year_has_no_forecast() -> None:
    spring = np.arange(DAYS) % 365 < 60
    prices, normals = np.where(spring, season(), np.nan), np.where(spring, season(), np.nan)
    ahead, back = answered(series(a=prices, b=season()), series(a=normals, b=season()))
    assert (DAYS % 365) > 80 and ahead.table["a_p50"].null_count == 20
    assert back.loc["a-all", "n"] < back.loc["b-all", "n"]


def test_the_naive_forecast_is_the_nearest_market_day_to_the_same_day_a_year_before() -> None:
    values = np.arange(1.0, DAYS + 1)
    closed = 627  # 2021-12-27
    values[closed] = np.nan
    found = paths(prices_of(series(a=values), None, ()), 7)
    naive = {
        int(day): float(one)
        for day, one in zip(found.reached.ravel(), np.exp(found.naive[:, 0]).ravel(), strict=True)
    }
    assert naive[closed + 365 - 1] == pytest.approx(values[closed - 1])
    assert naive[closed + 365] == pytest.approx(values[closed - 1])  # the earlier of two that are as near


def test_a_gap_is_filled_from_the_nearest_day_and_the_earlier_of_two() -> None:
    gap = np.array([[1.0], [np.nan], [np.nan], [np.nan], [5.0]])
    assert nearest(gap, 7)[:, 0].tolist() == [1.0, 1.0, 1.0, 5.0, 5.0]
    assert nearest(gap, 7, later=False)[:, 0].tolist() == [1.0, 1.0, 1.0, 1.0, 5.0]


def test_the_same_question_has_the_same_answer() -> None:
    one = answered(series(a=season() * noise()), series(a=season()))[0]
    two = answered(series(a=season() * noise()), series(a=season()))[0]
    assert one.to_parquet_bytes() == two.to_parquet_bytes()


def test_what_is_said_of_a_product_hangs_not_on_who_else_is_asked_about() -> None:
    prices, normals = (
        series(a=season() * noise(5), b=season(0.1) * noise(6)),
        series(a=season(), b=season(0.1)),
    )
    both, _ = answered(prices, normals)
    alone, back = answered(prices, normals, products=["b"])
    assert alone.table["b_p90"] == both.table["b_p90"] and alone.table.column_names == [
        "time",
        "b_p10",
        "b_p50",
        "b_p90",
    ]
    assert set(back["product"]) == {"b"}


def test_a_product_without_prices_is_named() -> None:
    with pytest.raises(BadParameter, match="'b' has no prices"):
        answered(series(a=season()), None, products=["b"])


def test_a_price_of_nothing_is_refused_with_its_day() -> None:
    bad = season()
    bad[10] = 0.0
    with pytest.raises(BadData, match="a costs 0 on 2020-04-19"):
        answered(series(a=bad), None)


def test_too_few_prices_for_a_backtest_are_refused() -> None:
    few = np.full(DAYS, np.nan)
    few[:400] = 500.0
    with pytest.raises(BadInput, match="holds 400 days"):
        answered(series(a=few), None)
