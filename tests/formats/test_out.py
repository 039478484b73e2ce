"""What every format owes: it streams, and what it writes is read back as it was."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.formats.format import FORMATS, Into, by_media_type, by_name
from twintown.ground.crs import CRS84, crs_of
from twintown.ground.errors import BadData, BadInput

from .conftest import FRAME, METRES, SHAPES, X, Y, batch, same_shapes, shapes, table, told, write

ROWS = ("geojson", "jsonfg", "fgb", "parquet", "csv")
Counted = Callable[[int, int], tuple[Iterator[pa.RecordBatch], list[int]]]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ROWS, "cityjsonseq", "cityjson"])
def test_bytes_are_given_before_the_next_rows_are_asked_for(name: str, counted: Counted) -> None:
    size = 20_000 if name == "parquet" else 50  # a row group has so many rows at least
    batches, taken = counted(5, size)
    pieces = FORMATS[name].write(told("Point", shapes=("Point",)), batches)
    got = b""
    while len(got) < 200:
        got += next(pieces)
    assert len(taken) <= 1
    assert all(pieces), "an empty piece would end a chunked answer"
    assert len(taken) == 5


@pytest.mark.parametrize("name", [*ROWS, "cityjsonseq", "cityjson"])
def test_a_layer_without_rows_is_a_file_without_rows(name: str, into: Into) -> None:
    raw = write(name, told("Point"))
    if name in ("cityjson", "cityjsonseq"):
        assert json.loads(raw)["CityObjects"] == {}
    else:
        assert (
            sum(
                one.num_rows
                for one in FORMATS[name]
                .read(raw, dataclasses.replace(into, crs="EPSG:5186" if name == "csv" else ""))
                .batches
            )
            == 0
        )


@pytest.mark.parametrize(
    "crs", [CRS84, METRES, crs_of("EPSG:5179"), crs_of("EPSG:4326")], ids=lambda crs: crs.code
)
@pytest.mark.parametrize("name", ROWS)
def test_what_is_written_in_any_crs_is_read_back_in_the_frame(
    name: str, crs: Any, mixed: pa.RecordBatch, into: Into
) -> None:
    if name == "geojson" and crs is not CRS84:
        pytest.skip("GeoJSON in another CRS does not say so; the header Content-Crs does")
    raw = write(name, told("GeometryCollection", crs=crs), mixed)
    read = FORMATS[name].read(
        raw, dataclasses.replace(into, crs=crs.code if name == "csv" and crs is not CRS84 else "")
    )
    rows = table(read)
    assert same_shapes(shapes(rows), shapes(mixed), 2e-3 if crs.geographic else 2e-4)
    for column in ("id", "name", "height", "levels", "ok", "at"):
        assert rows.column(column).to_pylist() == mixed.column(column).to_pylist(), column
    assert read.findings == []


_NUMBERS = st.floats(-500.0, 500.0).map(lambda v: round(v, 3))
_POINTS = st.tuples(_NUMBERS, _NUMBERS).map(lambda xy: (X + xy[0], Y + xy[1]))
_GEOMETRY = st.one_of(
    st.none(),
    _POINTS.map(shapely.Point),
    st.lists(_POINTS, min_size=2, max_size=6, unique=True).map(shapely.LineString),
    _POINTS.map(lambda xy: shapely.box(xy[0], xy[1], xy[0] + 4, xy[1] + 3)),
    st.lists(_POINTS, min_size=1, max_size=4, unique=True).map(shapely.MultiPoint),
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(_GEOMETRY, st.none() | _TEXT, st.none() | st.floats(allow_nan=False, allow_infinity=False, width=64),
                  st.none() | st.integers(-(2**53), 2**53), st.none() | st.booleans()),
        min_size=1, max_size=8,
    )
)  # fmt: skip
@pytest.mark.parametrize("name", ["fgb", "parquet", "jsonfg"])
def test_any_rows_come_back_as_they_were(name: str, rows: list[tuple[Any, ...]]) -> None:
    given_, texts, numbers, whole, truth = (list(column) for column in zip(*rows, strict=True))
    one = batch(
        given_, name=pa.array(texts, pa.string()), height=pa.array(numbers, pa.float64()), levels=pa.array(whole, pa.int64()),
        ok=pa.array(truth, pa.bool_()),
    )  # fmt: skip
    back = table(FORMATS[name].read(write(name, told("GeometryCollection"), one), Into(FRAME)))
    assert same_shapes(shapes(back), shapes(one), 1e-3)
    for column in ("id", "ok", "levels"):
        assert back.column(column).to_pylist() == one.column(column).to_pylist()
    if name != "jsonfg" or not all(
        text is None for text in texts
    ):  # JSON cannot tell a text of time from a time
        assert back.column("name").to_pylist() == texts
    known = (
        [None if v is None else float(v) for v in back.column("height").cast(pa.float64()).to_pylist()]
        if any(v is not None for v in numbers)
        else numbers
    )
    assert known == numbers


def test_a_format_that_does_not_fit_a_layer_says_which_do() -> None:
    with pytest.raises(BadInput, match="geojson, jsonfg, parquet, csv"):
        FORMATS["fgb"].write(told(""), iter([]))
    assert not FORMATS["cityjson"].applies(told("GeometryCollection"))
    assert all(one.applies(told("Polygon")) for one in FORMATS.values())


def test_a_layer_without_geometry_is_a_table(into: Into) -> None:
    rows = batch(SHAPES[:3]).drop_columns(["geometry"])
    for name in ("geojson", "jsonfg", "parquet", "csv"):
        back = table(FORMATS[name].read(write(name, told(""), rows), into))
        assert back.column("levels").to_pylist() == rows.column("levels").to_pylist(), name
        assert back.column("geometry").null_count == 3, name


def test_a_position_that_a_crs_does_not_reach_is_an_error_and_not_infinity() -> None:
    far = batch(["POINT (1e12 5)"])
    with pytest.raises(BadData, match="lies outside of where"):
        write("fgb", told("Point", crs=CRS84), far)


def test_ready_degrees_are_taken_as_they_are() -> None:
    degrees = pa.array(shapely.to_wkb(np.array([shapely.Point(1.25, 2.5)], object)), pa.binary())
    rows = batch([f"POINT ({X} {Y})"], lonlat=degrees)
    assert json.loads(write("geojson", told("Point", crs=CRS84), rows))["features"][0]["geometry"][
        "coordinates"
    ] == [1.25, 2.5]


def test_formats_are_found_by_media_type_and_by_name() -> None:
    assert by_media_type("application/geo+json; charset=utf-8") is FORMATS["geojson"]
    assert by_media_type("application/fg+json") is FORMATS["jsonfg"]
    assert by_media_type("text/plain") is None
    assert by_name("a.city.jsonl") is FORMATS["cityjsonseq"]
    assert by_name("A.CITY.JSON") is FORMATS["cityjson"]
    assert by_name("a.json") is FORMATS["geojson"]
    assert by_name("a.txt") is None
