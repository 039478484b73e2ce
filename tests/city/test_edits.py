# ruff: noqa: E501 - rows of a table read better on one line each
"""Edits of a plan: their normal form, which are in force, and what they make of a city."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.city import edits
from twintown.city.applied import extents
from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
X, Y = 208_500.0, 546_000.0
BOUNDS = Bounds(X - 200, Y - 200, X + 200, Y + 200)
FROM = Provenance((Source("hand", "By hand", "the test", Licence("CC0-1.0", "CC0")),))


def _layers() -> tuple[Features, Features]:
    """Three blocks, the first of two parts; columns of every kind."""
    houses = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "name": pd.array(["A", None, "C"], dtype="str"),
            "function": ["office", "housing", "housing"],
            "height_m": [40.0, 12.0, 9.0],
            "height_source": ["measured", "levels", "estimated"],
            "height_error_m": [1.0, 1.6, 3.0],
            "levels": pd.array([10, 4, None], dtype="Int64"),
            "storey_m": [4.0, 3.0, 3.0],
            "storey_source": ["assumed"] * 3,
            "min_height_m": [0.0, 0.0, 0.0],
            "parts": np.array([2, 1, 1], np.int64),
            "area_m2": [400.0, 100.0, 100.0],
            "tags": ["{}"] * 3,
        }
    )
    boxes = [
        shapely.box(X, Y, X + 20, Y + 20),
        shapely.box(X + 40, Y, X + 50, Y + 10),
        shapely.box(X + 60, Y, X + 70, Y + 10),
    ]
    solids = pd.DataFrame(
        {
            "id": ["a", "a.2", "b", "c"],
            "building": ["a", "a", "b", "c"],
            "base_m": [0.0, 10.0, 0.0, 0.0],
            "eave_m": [10.0, 40.0, 9.0, 9.0],
            "top_m": [10.0, 40.0, 12.0, 9.0],
            "roof_shape": ["flat", "flat", "gabled", "flat"],
            "roof_direction_deg": [np.nan, np.nan, 90.0, np.nan],
            "roof_height_m": [0.0, 0.0, 3.0, 0.0],
            "roof_across": [False] * 4,
            "height_source": ["measured", "measured", "levels", "estimated"],
        }
    )
    shapes = [boxes[0], shapely.box(X + 5, Y + 5, X + 15, Y + 15), *boxes[1:]]
    return (
        Features(gpd.GeoDataFrame(houses, geometry=boxes, crs=FRAME.crs), FRAME, FROM, {"height_m": "m"}),
        Features(gpd.GeoDataFrame(solids, geometry=shapes, crs=FRAME.crs), FRAME, FROM, {"top_m": "m"}),
    )


LAYERS = _layers()


def _block(number: int, height: float = 30.0, **more: Any) -> dict[str, Any]:
    x, y = X - 100 + 25 * (number % 4), Y - 100
    outline = [[x, y], [x + 20, y], [x + 20, y + 10], [x, y + 10]]
    return {
        "op": "add",
        "object": f"new/{number:08x}",
        "parts": [{"outline": outline, "top_m": height}],
        **more,
    }


def parsed(value: object) -> edits.Edit:
    return edits.parse(value, FRAME)


def rows(shape: Features) -> pd.DataFrame:
    """The rows by id, geometry as text."""
    table = pd.DataFrame(shape.table.drop(columns="geometry"))
    table["geometry"] = shapely.to_wkt(
        shapely.normalize(shape.table.geometry.to_numpy()), rounding_precision=6
    )
    return table.sort_values("id").reset_index(drop=True)


def same(one: tuple[Features, ...], other: tuple[Features, ...]) -> bool:
    return all(rows(a).equals(rows(b)) for a, b in zip(one[:2], other[:2], strict=True))


heights = st.integers(1_000, 300_000).map(lambda mm: mm / 1000)
metres = st.integers(-50_000, 50_000).map(lambda mm: mm / 1000)
objects = st.sampled_from(["a", "b", "c", "new/00000000", "new/00000001"])


@st.composite
def some(draw: st.DrawFn) -> edits.Edit:
    name = draw(objects)
    op = draw(st.sampled_from(["set", "set", "remove", "replace", "add"]))
    if op == "add" or (op == "replace" and name.startswith("new/")):
        return parsed(_block(draw(st.integers(0, 1)), draw(heights)))
    if op == "replace":
        return parsed({**_block(2, draw(heights)), "op": "replace", "object": name})
    if op == "remove":
        return parsed({"op": "remove", "object": name})
    members = {
        "height_m": draw(st.none() | heights),
        "move": draw(st.none() | st.tuples(metres, metres).map(list)),
        "turn_deg": draw(st.none() | st.integers(-3600, 3600).map(lambda d: d / 10)),
        "name": draw(st.none() | st.sampled_from(["x", "y"])),
        "function": "other",
    }
    return parsed({"op": "set", "object": name, **{k: v for k, v in members.items() if v is not None}})


@pytest.mark.slow
@given(st.lists(some(), max_size=12))
@settings(max_examples=20, deadline=None)
def test_what_is_in_force_stays_in_force_and_gives_the_same_city(journal: list[edits.Edit]) -> None:
    force = edits.fold(journal)
    assert edits.fold(force) == force
    assert edits.digest(journal) == edits.digest(force)
    assert same(edits.apply(*LAYERS, journal), edits.apply(*LAYERS, force))


@pytest.mark.slow
@given(st.lists(some(), max_size=8), st.randoms())
@settings(max_examples=20, deadline=None)
def test_the_order_of_edits_of_different_objects_does_not_count(
    journal: list[edits.Edit], chance: Any
) -> None:
    by_object: dict[str, list[edits.Edit]] = {}
    for edit in journal:
        by_object.setdefault(edit["object"], []).append(edit)
    queues = [list(queue) for queue in by_object.values()]
    mixed = []
    while queues:
        queue = chance.choice(queues)
        mixed.append(queue.pop(0))
        queues = [one for one in queues if one]
    assert edits.digest(mixed) == edits.digest(journal)
    assert same(edits.apply(*LAYERS, mixed), edits.apply(*LAYERS, journal))


@given(st.sampled_from(["a", "b", "c"]), heights, metres, metres, st.floats(-360, 360))
@settings(max_examples=15, deadline=None)
def test_what_is_set_back_is_as_it_was(
    name: str, height: float, east: float, north: float, turn: float
) -> None:
    there = {"a": 40.0, "b": 12.0, "c": 9.0}[name]
    away = parsed({"op": "set", "object": name, "height_m": height, "move": [east, north], "turn_deg": turn})
    back = parsed({"op": "set", "object": name, "height_m": there, "move": [0, 0], "turn_deg": 0})
    assert same(edits.apply(*LAYERS, [away, back]), LAYERS)


@given(heights, metres)
@settings(max_examples=20, deadline=None)
def test_what_is_added_and_removed_was_never_there(height: float, east: float) -> None:
    journal = [
        parsed(_block(0, height)),
        parsed({"op": "set", "object": "new/00000000", "move": [east, 0]}),
        parsed({"op": "remove", "object": "new/00000000"}),
    ]
    assert edits.fold(journal) == ()
    assert edits.digest(journal) == edits.digest([])
    assert edits.apply(*LAYERS, journal)[0] is LAYERS[0]


@given(some())
@settings(max_examples=30, deadline=None)
def test_the_normal_form_of_a_normal_form_is_itself(edit: edits.Edit) -> None:
    assert parsed(edit) == edit


def test_the_layers_keep_exactly_their_columns_and_types() -> None:
    journal = [parsed(_block(0)), parsed({"op": "set", "object": "a", "height_m": 80, "turn_deg": 10})]
    houses, solids, _ = edits.apply(*LAYERS, journal)
    for before, after in zip(LAYERS, (houses, solids), strict=True):
        assert list(after.table.columns) == list(before.table.columns)
        assert after.table.dtypes.to_dict() == before.table.dtypes.to_dict()
        assert dict(after.units) == dict(before.units)
        assert after.provenance.steps[-1].what == "edits of a plan made"
        assert after.to_parquet_bytes()


def test_a_new_building_says_that_it_is_planned() -> None:
    houses, solids, findings = edits.apply(
        *LAYERS, [parsed(_block(0, 31.0, name="판상형", function="housing", storey_m=3.1))]
    )
    row = houses.table.set_index("id").loc["new/00000000"]
    assert (row["height_source"], row["height_m"], row["levels"], row["area_m2"]) == (
        "planned",
        31.0,
        10,
        200.0,
    )
    assert row["name"] == "판상형"
    part = solids.table.set_index("id").loc["new/00000000"]
    assert (part["height_source"], part["top_m"], part["building"]) == ("planned", 31.0, "new/00000000")
    assert findings == ()


def test_another_height_takes_the_parts_along_and_nobody_else() -> None:
    houses, solids, _ = edits.apply(*LAYERS, [parsed({"op": "set", "object": "a", "height_m": 60})])
    part = solids.table.set_index("id")
    assert part.loc["a", "top_m"] == 15.0
    assert (part.loc["a.2", "base_m"], part.loc["a.2", "top_m"]) == (15.0, 60.0)
    assert part.loc["b"].equals(LAYERS[1].table.set_index("id").loc["b"])
    row = houses.table.set_index("id").loc["a"]
    assert (row["height_m"], row["height_source"], row["levels"]) == (60.0, "planned", 15)


def test_a_quarter_turn_clockwise_turns_footprint_parts_and_ridge() -> None:
    edit = parsed({"op": "set", "object": "b", "turn_deg": 90, "move": [5, 0]})
    houses, solids, _ = edits.apply(*LAYERS, [edit])
    moved = shapely.box(X + 45, Y, X + 55, Y + 10)
    assert houses.table.set_index("id").geometry["b"].equals(moved)
    part = solids.table.set_index("id")
    assert part.geometry["b"].equals(moved)
    assert part.loc["b", "roof_direction_deg"] == 180.0


def test_an_edit_of_a_building_that_is_gone_is_told_and_the_others_are_made() -> None:
    journal = [parsed({"op": "remove", "object": "gone"}), parsed({"op": "set", "object": "lost", "height_m": 5}), parsed({"op": "remove", "object": "a"})]  # fmt: skip
    houses, solids, findings = edits.apply(*LAYERS, journal)
    assert sorted((one.object, one.code) for one in findings) == [
        ("gone", "object-gone"),
        ("lost", "object-gone"),
    ]
    assert set(houses.table["id"]) == {"b", "c"} and set(solids.table["building"]) == {"b", "c"}


def test_a_footprint_in_degrees_and_one_in_metres_are_the_same_edit() -> None:
    block = _block(0)
    lon, lat = FRAME.to_lonlat(*np.array(block["parts"][0]["outline"]).T)
    ring = np.column_stack([lon, lat])[[2, 3, 0, 1, 2]].tolist()
    drawn = {**block, "parts": [{"outline": {"type": "Polygon", "coordinates": [ring]}, "top_m": 30}]}
    assert parsed(drawn) == parsed(block)


@pytest.mark.parametrize(
    ("value", "parameter", "says"),
    [
        ({"op": "explode", "object": "a"}, "edit.op", "'explode'"),
        ({"op": "set", "object": "a"}, "edit", "sets nothing"),
        ({"op": "set", "object": "a", "height_m": 5000}, "edit.height_m", "5,000 is out of range"),
        ({"op": "set", "object": "a", "height_m": float("nan")}, "edit.height_m", "not a number"),
        ({"op": "set", "object": "a", "colour": "red"}, "edit.colour", "no member"),
        ({"op": "set", "object": 3, "height_m": 5}, "edit.object", "missing"),
        ({"op": "set", "object": "a", "move": [1]}, "edit.move", "no step"),
        (_block(0, 5000.0), "edit.parts[0].top_m", "5,000 is out of range"),
        ({**_block(0), "object": "way/1"}, "edit.object", "new building"),
        ({**_block(0), "height_m": 12}, "edit.height_m", "reaches 30.0 m"),
        ({**_block(0), "parts": []}, "edit.parts", "1 to 500"),
        ({**_block(0), "parts": [{"outline": [[0, 0], [1, 0], [1, "x"]], "top_m": 5}]}, "edit.parts[0].outline", "no position"),
        ({**_block(0), "parts": [{"outline": [[X, Y], [X + 1, Y], [X + 1, Y + 1]], "top_m": 5}]}, "edit.parts[0].outline", "0.5 m²"),
        ({**_block(0), "parts": [{"outline": [[X, Y], [X + 5, Y], [X + 5, Y + 5]], "top_m": 5, "base_m": 6}]}, "edit.parts[0].base_m", "not below"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_edit_is_named(value: Any, parameter: str, says: str) -> None:
    with pytest.raises(BadParameter) as caught:
        parsed(value)
    assert caught.value.name == parameter
    assert says in str(caught.value)


def test_a_footprint_that_crosses_itself_says_where() -> None:
    bow = [[X, Y], [X + 10, Y + 10], [X + 10, Y], [X, Y + 10]]
    with pytest.raises(BadParameter) as caught:
        parsed({**_block(0), "parts": [{"outline": bow, "top_m": 5}]})
    lon, lat = FRAME.to_lonlat(X + 5, Y + 5)
    assert f"crosses itself at {float(lon):.6f}, {float(lat):.6f}" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "parameter"),
    [
        ({"op": "set", "object": "nobody", "height_m": 5}, "edit.object"),
        ({"op": "remove", "object": "new/12345678"}, "edit.object"),
        ({"op": "set", "object": "a", "move": [500, 0]}, "edit.move"),
        ({**_block(0), "parts": [{"outline": [[X, Y], [X + 900, Y], [X + 900, Y + 5]], "top_m": 5}]}, "edit.parts"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_here_is_named(value: Any, parameter: str) -> None:
    with pytest.raises(BadParameter) as caught:
        edits.check(parsed(value), BOUNDS, extents(LAYERS[0]))
    assert caught.value.name == parameter


def test_what_can_be_done_here_passes() -> None:
    for value in (_block(0), {"op": "remove", "object": "a"}, {"op": "set", "object": "b", "move": [5, 5]}):
        edits.check(parsed(value), BOUNDS, extents(LAYERS[0]))
