# ruff: noqa: E501 - cases read better on one line each
"""The digest of what a shape says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shapely.geometry import Point, Polygon, box

from twintown.ground import content as module
from twintown.ground.content import content, content_digest
from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.ground.series import Series

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
CC0 = Licence("CC0-1.0", "CC0")
HERE = Provenance((Source("a", "A", "us", CC0),))
ELSEWHERE = Provenance((Source("b", "B", "them", CC0),), (Step("carried", "by hand"),))


def rows(**changed: Any) -> Features:
    columns = {
        "id": ["b", "a", "c"], "name": ["탑", None, "house"], "height_m": [12.5, np.nan, 3.0], "levels": np.array([4, 2, 1], np.int32),
        "open": [True, False, True], "at": pd.to_datetime(["2026-01-01", None, "2026-01-03"]).tz_localize("Asia/Seoul"),
    }  # fmt: skip
    shapes = changed.pop("geometry", [Point(1, 2), None, box(0, 0, 5, 5)])
    units, frame = changed.pop("units", {"height_m": "m"}), changed.pop("frame", FRAME)
    return Features(gpd.GeoDataFrame(columns | changed, geometry=shapes, crs=frame.crs), frame, HERE, units)


def cells(values: Any = None, **changed: Any) -> Grid:
    given = np.arange(12, dtype=np.float32).reshape(3, 4) if values is None else values
    return replace(Grid(given, 100.0, 200.0, 1.0, "min", FRAME, HERE, 7.0, {"step": 10}), **changed)


def hours(**changed: Any) -> Series:
    times = pd.date_range("2026-01-01", periods=5, freq="h", tz="Asia/Seoul")
    table = pa.table({"time": times, "temperature": [1.0, None, 3.0, 4.0, 5.0], "sky": list("abcde")})
    return replace(
        Series(table, {"temperature": "Cel"}, "Asia/Seoul", "here", HERE, {"typical_year": True}), **changed
    )


@pytest.mark.parametrize("shape", [rows(), cells(), hours()], ids=["features", "grid", "series"])
def test_where_it_comes_from_does_not_count(shape: Any) -> None:
    assert content_digest(replace(shape, provenance=ELSEWHERE)) == content_digest(shape)


def test_a_file_gives_back_the_same_content() -> None:
    assert content_digest(Features.from_parquet(rows().to_parquet_bytes())) == content_digest(rows())
    assert content_digest(Grid.from_cog(cells().to_cog_bytes())) == content_digest(cells())
    assert content_digest(Series.from_parquet(hours().to_parquet_bytes())) == content_digest(hours())


def test_whole_numbers_with_gaps_survive_their_file() -> None:
    given = rows(lanes=pd.array([4, None, 2], "Int64"))
    assert content_digest(Features.from_parquet(given.to_parquet_bytes())) == content_digest(given)


def test_one_band_is_no_other_grid_than_none() -> None:
    flat = cells()
    assert content_digest(replace(flat, values=flat.values[None])) == content_digest(flat)


def test_the_order_of_rows_and_columns_and_the_kind_of_text_do_not_count() -> None:
    given = rows()
    turned = given.table.iloc[::-1].reset_index(drop=True)[
        ["open", "geometry", "name", "levels", "id", "at", "height_m"]
    ]
    turned["name"] = turned["name"].astype("category")
    turned["levels"] = turned["levels"].astype(np.int64)
    assert content_digest(given.with_table(turned)) == content_digest(given)


def test_two_zeros_and_two_ways_to_know_nothing_are_one() -> None:
    other = np.frombuffer(np.array([0x7FF8000000000001], np.uint64).tobytes(), np.float64)[0]
    given = np.array([[0.0, np.nan]])
    assert content_digest(cells(np.array([[-0.0, other]]))) == content_digest(cells(given))


@pytest.mark.parametrize(
    "changed",
    [
        {"id": ["b", "a", "d"]}, {"name": ["탑", "", "house"]}, {"name": ["탑h", None, "ouse"]}, {"height_m": [12.5, 0.0, 3.0]},
        {"height_m": [np.nextafter(12.5, 13), np.nan, 3.0]}, {"levels": [4.0, 2.0, 1.0]}, {"open": [True, False, False]},
        {"open": [1, 0, 1]}, {"at": pd.to_datetime(["2026-01-01", None, "2026-01-03 00:00:00.000001"], format="ISO8601").tz_localize("Asia/Seoul")},
        {"at": pd.to_datetime(["2026-01-01", None, "2026-01-03"]).tz_localize("UTC")}, {"more": [1, 2, 3]}, {"units": {"height_m": "cm"}},
        {"units": {}}, {"geometry": [Point(1, 2), None, box(0, 0, 5, 5.000000001)]}, {"geometry": [Point(1, 2), Point(), box(0, 0, 5, 5)]},
        {"geometry": [Point(1, 2, 3), None, box(0, 0, 5, 5)]}, {"frame": replace(FRAME, undulation_m=23.4)},
        {"geometry": [Point(1, 2), None, Polygon([(0, 5), (0, 0), (5, 0), (5, 5)])]}, {"frame": replace(FRAME, vertical="EPSG:5214")},
        {"frame": replace(FRAME, crs="EPSG:5187")},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_said_of_features_counts(changed: dict[str, Any]) -> None:
    assert content_digest(rows(**changed)) != content_digest(rows())


def test_the_name_of_a_column_counts() -> None:
    renamed = rows().table.rename(columns={"open": "opened"})
    assert content_digest(rows().with_table(renamed)) != content_digest(rows())


@pytest.mark.parametrize(
    "changed",
    [
        {"origin_x": 100.001}, {"origin_y": 199.0}, {"cell_m": 2.0}, {"unit": "h"}, {"nodata": 8.0}, {"nodata": None}, {"attributes": {"step": 5}},
        {"values": np.arange(12, dtype=np.float64).reshape(3, 4)}, {"values": np.arange(12, dtype=np.float32).reshape(4, 3)},
        {"values": np.where(np.arange(12) == 11, np.nan, np.arange(12)).astype(np.float32).reshape(3, 4)},
        {"frame": replace(FRAME, crs="EPSG:5187")},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_said_of_a_grid_counts(changed: dict[str, Any]) -> None:
    assert content_digest(cells(**changed)) != content_digest(cells())


def test_whatever_is_said_of_a_series_counts() -> None:
    given = hours()
    others = [
        replace(given, zone="UTC"), replace(given, place="there"), replace(given, units={"temperature": "1"}), replace(given, attributes={}),
        replace(given, table=given.table.slice(1)), replace(given, table=given.table.set_column(2, "sky", pa.array(list("abcdf")))),
        replace(given, table=given.table.set_column(1, "temperature", pa.array([1.0, 2.0, 3.0, 4.0, 5.0]))),
    ]  # fmt: skip
    digests = {content_digest(one) for one in [given, *others]}
    assert len(digests) == len(others) + 1


def test_columns_can_be_told_apart() -> None:
    one, other = content(rows())["columns"], content(rows(height_m=[1.0, 2.0, 3.0]))["columns"]
    assert [name for name in one if one[name] != other[name]] == ["height_m"]


def test_blocks_of_a_memory_map_give_the_digest_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(1).random((50, 30)).astype(np.float32)
    mapped = np.memmap(tmp_path / "cells", np.float32, "w+", shape=values.shape)
    mapped[:] = values
    whole = content_digest(cells(values))
    three = content_digest(cells(np.stack([values] * 3)))
    monkeypatch.setattr(module, "BLOCK", 1000)
    assert content_digest(cells(mapped)) == whole
    assert content_digest(cells(np.asfortranarray(mapped))) == whole
    assert content_digest(cells(values.astype(">f4"))) == whole
    assert content_digest(cells(np.stack([values] * 3))) == three


def test_a_table_without_rows_has_a_content() -> None:
    none = rows().with_table(rows().table.iloc[:0])
    assert content_digest(none) == content_digest(Features.from_parquet(none.to_parquet_bytes()))


def test_what_is_no_shape_is_refused() -> None:
    with pytest.raises(BadInput, match="dict"):
        content_digest({})  # type: ignore[arg-type]
