"""GeoJSON by whole columns says the same as JSON row by row."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.index.encode import column_json, features, iso


def said(values: pa.Array) -> list[Any]:
    return [json.loads(text.as_py()) for text in column_json(values)]


@settings(deadline=None)
@given(st.lists(st.none() | st.text()))
def test_any_text_comes_back(values: list[str | None]) -> None:
    assert said(pa.array(values, pa.string())) == values


@settings(deadline=None)
@given(st.lists(st.none() | st.floats()))
def test_a_number_that_is_finite_comes_back_and_the_others_are_null(values: list[float | None]) -> None:
    want = [value if value is not None and np.isfinite(value) else None for value in values]
    assert said(pa.array(values, pa.float64())) == want
    assert all(isinstance(one, float) for one in said(pa.array(values, pa.float64())) if one is not None)


@settings(deadline=None)
@given(st.lists(st.none() | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), min_size=1))
def test_a_time_is_iso_8601(values: list[datetime | None]) -> None:
    assert iso(pa.array(values, pa.timestamp("us"))).to_pylist() == [
        v.isoformat() if v else None for v in values
    ]


def test_a_time_in_a_zone_has_its_offset() -> None:
    times = [datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 250_000, UTC), None]
    assert iso(pa.array(times, pa.timestamp("us", "Europe/Lisbon"))).to_pylist() == [
        "2026-07-01T13:00:00+01:00",
        "2026-01-01T00:00:00.250000+00:00",
        None,
    ]
    west = pa.array([datetime(2026, 7, 1, 3, 30, tzinfo=UTC)], pa.timestamp("s", "America/St_Johns"))
    assert iso(west).to_pylist() == ["2026-07-01T01:00:00-02:30"]


@pytest.mark.parametrize(
    ("values", "want"),
    [
        (pa.array([1, None, -(2**63)]), [1, None, -(2**63)]),
        (pa.array([True, None, False]), [True, None, False]),
        (pa.array([date(2026, 2, 1), None]), ["2026-02-01", None]),
        (pa.array([Decimal("1.50"), None]), [1.5, None]),
        (pa.array(["a", "b", "a", None]).dictionary_encode(), ["a", "b", "a", None]),
        (pa.nulls(2), [None, None]),
        (pa.array([["a"], None, []]), ['["a"]', None, "[]"]),
        (pa.array(["", None], pa.large_string()), ["", None]),
    ],
)
def test_every_type_has_its_json(values: pa.Array, want: list[Any]) -> None:
    assert said(values) == want


def test_a_feature_is_what_it_was_row_by_row() -> None:
    shapes = np.array([shapely.Point(127, 37.5), None, shapely.box(0, 0, 1, 2)], object)
    made = features(
        pa.array(["a", 'b"', "건물/1"]),
        shapes,
        {'na"me': pa.array(["x", None, "서울"]), "n": pa.array([1, 2, 3])},
    )
    want = [
        {
            "type": "Feature",
            "id": i,
            "geometry": None if g is None else shapely.geometry.mapping(g),
            "properties": {'na"me': a, "n": n},
        }
        for i, g, a, n in zip(["a", 'b"', "건물/1"], shapes, ["x", None, "서울"], [1, 2, 3], strict=True)
    ]
    assert [orjson.loads(one.as_py()) for one in made] == orjson.loads(orjson.dumps(want))


def test_a_feature_without_properties_has_an_empty_object() -> None:
    made = features(pa.array(["a"]), np.array([None], object), {})
    assert orjson.loads(made[0].as_py()) == {"type": "Feature", "id": "a", "geometry": None, "properties": {}}
