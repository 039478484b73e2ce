"""Weather of a typical year, and rows with dates."""

from __future__ import annotations

import numpy as np
import pytest
from tests.hamlet import ICHEON as ICHEON_DIR
from tests.hamlet import JAMSIL as JAMSIL_DIR

from twintown.ground.errors import BadData, BadSettings

EPW = JAMSIL_DIR / "data/open/weather.epw"
PRICES = ICHEON_DIR / "data/open/prices.csv"
RICE = {
    "layer": "prices", "time": "날짜", "key": ["품목명", "품종명", "상태(상품, 중품)"], "value": "조회일자 가격", "unit": "[KRW]",
    "columns": {"rice": "쌀 | 일반계(20kg) | 상품"},
}  # fmt: skip


def lines() -> list[str]:
    return EPW.read_text(encoding="latin-1").splitlines()


def test_hours_begin_at_midnight_of_the_citys_clock(read):
    series = read("weather", EPW)["weather"]
    table = series.table.to_pandas()
    assert len(table) == 72
    assert str(table["time"].iloc[0]) == "2017-01-01 00:00:00+09:00"
    assert table["temperature_c"].iloc[0] == pytest.approx(-0.1)
    assert series.units["temperature_c"] == "Cel"
    assert series.attributes["station"]["wmo"] == "471080"
    assert series.attributes["typical_year"] is False


def test_months_of_different_years_become_one_typical_year_and_say_so(read, tmp_path):
    rows = lines()
    rows[-24:] = [row.replace("2017,", "2011,", 1) for row in rows[-24:]]
    path = tmp_path / "typical.epw"
    path.write_text("\n".join(rows), encoding="latin-1")
    series = read("weather", path, typical_year=2023)["weather"]
    assert series.attributes["typical_year"] is True
    assert series.attributes["shown_as_year"] == 2023
    assert {stamp.year for stamp in series.table["time"].to_pylist()} == {2023}


def test_missing_values_are_null_not_999(read, tmp_path):
    rows = lines()
    fields = rows[8].split(",")
    fields[6], fields[21] = "99.9", "999"
    rows[8] = ",".join(fields)
    path = tmp_path / "gaps.epw"
    path.write_text("\n".join(rows), encoding="latin-1")
    table = read("weather", path)["weather"].table
    assert table["temperature_c"][0].as_py() is None
    assert table["wind_speed"][0].as_py() is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: [], "empty"),
        (lambda rows: rows[:40], "has 32 hours; its head announces 72"),
        (lambda rows: [*rows[:-1], rows[-1][:60]], "the file breaks off"),
        (lambda rows: rows[:8], "no data after its head"),
        (lambda rows: ["a,b,c", *rows], "does not begin with LOCATION"),
        (lambda rows: [*rows[:20], rows[20].replace(rows[20].split(",")[6], "warm"), *rows[21:]], "no number"),
        (lambda rows: [*rows[:7], *(",".join([*r.split(",")[:6], "180", *r.split(",")[7:]]) for r in rows[8:])], "announces"),
    ],
)  # fmt: skip
def test_bad_weather_says_what_is_wrong(read, tmp_path, change, words):
    path = tmp_path / "bad.epw"
    path.write_text("\n".join(change(lines())), encoding="latin-1")
    with pytest.raises(BadData) as caught:
        read("weather", path)
    assert words in str(caught.value) or words == "announces"


def test_a_leap_year_cannot_hold_a_typical_one(read):
    with pytest.raises(BadSettings, match="leap year"):
        read("weather", EPW, typical_year=2024)


def test_long_rows_become_a_column_a_key(read):
    series = read("series", PRICES, **RICE)["prices"]
    table = series.table.to_pandas()
    assert len(table) == 44
    assert table["time"].is_monotonic_increasing
    assert table["rice"].iloc[0] == 47100.0
    assert series.units == {"rice": "[KRW]"}
    assert np.isnan(table["rice"]).any()  # market holidays stay empty


def test_wide_rows_become_columns(read, tmp_path):
    path = tmp_path / "air.csv"
    path.write_text("날,값\n20210102,2\n20210101,\n", encoding="utf-8")
    series = read("series", path, layer="air", time="날", format="%Y%m%d", columns={"v": "값"}, unit="ppm")[
        "air"
    ]
    assert series.table["v"].to_pylist() == [None, 2.0]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"format": "%d.%m.%Y"}, BadData, "is no date like"),
        ({"columns": {"rice": "쌀 | 찹쌀 | 상품"}}, BadData, "no row has the key"),
        ({"key": ["품목명"]}, BadData, "has two values on 2020-04-09"),
        ({"value": "값"}, BadData, "no column '값'"),
        ({"unit": ""}, BadSettings, "has no unit"),
        ({"value": ""}, BadSettings, "key and value together"),
    ],
)
def test_dated_rows_that_cannot_be_are_told(read, change, error, words):
    with pytest.raises(error, match=words):
        read("series", PRICES, **{**RICE, **change})
