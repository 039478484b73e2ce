"""Where two shapes differ, and by how much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shapely.geometry import Point, box

from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.ground.series import Series
from twintown.jobs import differences
from twintown.jobs.differences import difference

FRAME = Frame("EPSG:5186", undulation_m=23.3)
FROM = Provenance((Source("a", "A", "us", Licence("CC0-1.0", "CC0")),))
X, Y = 208_500.0, 546_000.0


def cells(values: Any, **changed: Any) -> Grid:
    return replace(Grid(np.asarray(values), X, Y, 2.0, "min", FRAME, FROM, 65535), **changed)


def rows(**changed: Any) -> Features:
    table = {
        "id": ["a", "b", "c"],
        "sun_min": [10.0, 20.0, np.nan],
        "rank": [1, 2, 3],
        "verdict": ["yes", None, "no"],
    }
    shapes = changed.pop("geometry", [Point(X, Y), Point(X + 10, Y), box(X, Y, X + 1, Y + 1)])
    return Features(
        gpd.GeoDataFrame(table | changed, geometry=shapes, crs=FRAME.crs), FRAME, FROM, {"sun_min": "min"}
    )


GROUND = np.arange(12, dtype=np.uint16).reshape(3, 4)


def changed(row: int, col: int, value: int) -> Any:
    values = GROUND.copy()
    values[row, col] = value
    return values


def test_the_same_grid_is_the_same() -> None:
    assert difference(cells(GROUND), cells(GROUND.copy())).verdict == "same"


def test_the_cell_of_the_largest_difference_is_told_with_its_place() -> None:
    values = changed(1, 2, 9)
    values[0, 0] = 1
    told = difference(cells(GROUND), cells(values), 2.0)
    assert (told.verdict, told.differing, told.beyond, told.largest, told.unit) == (
        "different",
        2,
        1,
        3.0,
        "min",
    )
    lon, lat = FRAME.to_lonlat(X + 5.0, Y - 3.0)
    assert told.where == {
        "lon": round(float(lon), 7),
        "lat": round(float(lat), 7),
        "row": 1,
        "col": 2,
        "expected": 6.0,
        "found": 9.0,
    }


def test_no_more_than_the_error_is_within_the_error() -> None:
    told = difference(cells(GROUND), cells(changed(1, 2, 9)), 3.0)
    assert (told.verdict, told.differing, told.beyond, told.largest) == ("within-error", 1, 0, 3.0)


def test_a_cell_that_is_known_on_one_side_only_is_no_error_of_any_size() -> None:
    told = difference(cells(GROUND), cells(changed(2, 3, 65535)), 1e9)
    assert (told.verdict, told.beyond, told.largest) == ("different", 1, None)
    assert told.where["expected"] == 11.0 and told.where["found"] is None


def test_blocks_and_bands_give_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = np.stack([GROUND] * 2), np.stack([GROUND, changed(2, 1, 99)])
    whole = difference(cells(one), cells(other))
    monkeypatch.setattr(differences, "BLOCK", 4)
    assert difference(cells(one), cells(other)) == whole
    assert (whole.where["band"], whole.where["row"], whole.where["col"]) == (1, 2, 1)


@pytest.mark.parametrize(("name", "value"), [("origin_x", X + 1), ("cell_m", 1.0), ("unit", "h")])
def test_another_grid_is_named_as_that(name: str, value: Any) -> None:
    told = difference(cells(GROUND), cells(GROUND, **{name: value}))
    assert told.verdict == "different" and "grids differ in" in told.what


def test_attributes_that_differ_are_named() -> None:
    told = difference(cells(GROUND), cells(GROUND, attributes={"step": 5}))
    assert told.verdict == "different" and "attributes" in told.what


def test_objects_are_compared_by_their_ids() -> None:
    turned = rows().with_table(rows().table.iloc[::-1])
    assert difference(rows(), turned).verdict == "same"


def test_the_object_and_column_of_the_largest_difference_are_told() -> None:
    told = difference(rows(), rows(sun_min=[10.5, 25.0, np.nan]), 1.0, "min")
    assert (told.verdict, told.differing, told.beyond, told.largest) == ("different", 2, 1, 5.0)
    assert (told.where["id"], told.where["column"], told.where["expected"], told.where["found"]) == (
        "b",
        "sun_min",
        20.0,
        25.0,
    )
    assert "row" not in told.where and 127 < told.where["lon"] < 128
    within = difference(rows(), rows(sun_min=[10.5, 20.0, np.nan]), 1.0, "min")
    assert (within.verdict, within.largest) == ("within-error", 0.5)


@pytest.mark.parametrize(
    ("columns", "column"),
    [({"rank": [1, 2, 4]}, "rank"), ({"verdict": ["yes", "no", "no"]}, "verdict"), ({"verdict": ["yes", None, None]}, "verdict"),
     ({"sun_min": [10.0, 20.0, 1.0]}, "sun_min"), ({"geometry": [Point(X, Y), Point(X + 10, Y), box(X, Y, X + 1, Y + 2)]}, "geometry")],
)  # fmt: skip
def test_what_has_no_tolerance_must_be_equal(columns: dict[str, Any], column: str) -> None:
    told = difference(rows(), rows(**columns), 1e9, "min")
    assert told.verdict == "different" and told.where["column"] == column


def test_missing_and_new_objects_and_columns_are_told() -> None:
    told = difference(rows(), rows(id=["a", "b", "d"]), 0, "min")
    assert "1 objects are missing and 1 are new" in told.what and told.where["id"] == "c"
    assert "more" in difference(rows(), rows(more=[1, 2, 3])).what


def test_rows_of_a_series_are_told_by_their_time() -> None:
    def hours(values: list[float]) -> Series:
        times = pd.date_range("2026-01-01", periods=3, freq="h", tz="Asia/Seoul")
        return Series(pa.table({"time": times, "flow": values}), {"flow": "m3/d"}, "Asia/Seoul", "here", FROM)

    told = difference(hours([1.0, 2.0, 3.0]), hours([1.0, 2.5, 3.0]), 0.1, "m3/d")
    assert (told.verdict, told.largest) == ("different", 0.5)
    assert told.where["time"].startswith("2026-01-01 01:00")
    assert (
        "rows"
        in difference(
            hours([1.0, 2.0, 3.0]),
            replace(hours([1.0, 2.0, 3.0]), table=hours([1.0, 2.0, 3.0]).table.slice(1)),
        ).what
    )


def test_a_grid_is_no_table() -> None:
    assert "it is a Grid and not a Features" in difference(rows(), cells(GROUND)).what
