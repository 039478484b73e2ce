"""What the process `view` answers for a street that a pencil can draw, and its words for bad input."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twintown.city.edits import apply
from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter, NotFound
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.jobs.process import Ask, Shape, run
from twintown.processes.view import PROCESS

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
ORIGIN = (208_000.0, 545_500.0)
BOUNDS = Bounds(ORIGIN[0], ORIGIN[1], ORIGIN[0] + 120, ORIGIN[1] + 160)
FROM = Provenance((Source("test", "A wall and a tower", "nobody", Licence("CC0-1.0", "CC0")),))


def rectangle(x: float, y: float, width: float, depth: float) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] + x, ORIGIN[1] + y, ORIGIN[0] + x + width, ORIGIN[1] + y + depth)


def town(error_m: float = 0.0) -> dict[str, Shape]:
    """A wall of 12 m across the middle, and a tower of 60 m north of it."""
    shapes = [rectangle(20, 60, 80, 2), rectangle(56, 130, 8, 8)]
    heights = [12.0, 60.0]
    ids = ["way/wall", "way/tower"]
    buildings = gpd.GeoDataFrame(
        {"id": ids, "name": ["Wall", "Tower"], "height_m": heights, "height_error_m": error_m, "storey_m": 3.0},
        geometry=shapes, crs=FRAME.crs,
    )  # fmt: skip
    parts = gpd.GeoDataFrame(
        {
            "id": ids, "building": ids, "base_m": 0.0, "eave_m": heights, "top_m": heights, "roof_shape": "flat",
            "roof_direction_deg": float("nan"), "roof_height_m": 0.0,
        },
        geometry=shapes, crs=FRAME.crs,
    )  # fmt: skip
    return {"buildings": Features(buildings, FRAME, FROM), "building-parts": Features(parts, FRAME, FROM)}


def lonlat(x: float, y: float) -> dict[str, float]:
    lon, lat = FRAME.to_lonlat(ORIGIN[0] + x, ORIGIN[1] + y)
    return {"lon": float(lon), "lat": float(lat)}


def asked(layers: dict[str, Shape] | None = None, **options: Any) -> Ask:
    return Ask(layers or town(), FRAME, BOUNDS, "Asia/Seoul", "2026-12-22", {"cell_m": 1.0, **options})


def answered(ask: Ask) -> dict[str, Any]:
    return dict(run(PROCESS, ask))


SOUTH = [{**lonlat(60.5, 20.5), "eye_m": 1.6}]


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    return answered(asked(observers=SOUTH))


def test_behind_the_wall_nothing_low_is_seen_and_the_towers_top_is(answer: dict[str, Any]) -> None:
    seen, height = answer["view-seen"], answer["view-height"]
    assert (seen.unit, height.unit) == ("{observer}", "m")
    row = 160 - 71  # 70.5 m north of the origin, 50 m from the eye, behind the wall
    assert seen.values[row, 60] == 0
    assert height.values[row, 60] == pytest.approx(1.6 + 10.4 * 50 / 39.5, abs=0.02)
    assert seen.values[160 - 41, 60] == 1
    assert seen.values[160 - 138, 60] == 0  # the tower's roof, from below


def test_the_metres_of_the_tower_that_are_seen_are_those_over_the_wall(answer: dict[str, Any]) -> None:
    metres = answer["view-tower"]
    assert metres.attributes["target"] == "way/tower"
    far, near = 134.0 - 20.5, 62.0 - 20.5  # to the tower's middle, to the far edge of the wall's top
    hidden = max(1.6 + 10.4 * far / near, 1.6 + 10.4 * far / 39.5)
    assert metres.values[160 - 21, 60] == pytest.approx(60.0 - hidden, abs=0.5)
    assert metres.values[160 - 101, 60] == 60.0
    assert 0 < metres.attributes["seen_from_open_ground_pct_stated"] <= 100


def test_a_view_point_tells_its_shares_and_why_green_is_not_known(answer: dict[str, Any]) -> None:
    point = answer["view-points"].table.iloc[0]
    total = point["sky_pct"] + point["buildings_pct"] + point["ground_pct"]
    assert total == pytest.approx(100.0, abs=0.02)
    assert np.isnan(point["green_pct"])
    assert "green" in point["why"]
    assert point["most"] == "way/wall"
    assert answer["view-points"].units["sky_pct"] == "%"


def test_the_sight_of_a_landmark_agrees_with_the_map_and_with_the_pencil(answer: dict[str, Any]) -> None:
    sight = answer["view-sights"].table.iloc[0]
    assert (sight["object"], sight["kind"]) == ("way/tower", "landmark")
    exact = 60.0 - (1.6 + 10.4 * (134.0 - 20.5) / 39.5)
    assert sight["visible_m"] == pytest.approx(exact, abs=0.02)
    assert sight["visible_pct"] == pytest.approx(100 * exact / 60, abs=0.05)
    assert sight["lowest_m"] == pytest.approx(60.0 - exact, abs=0.02)


def test_heights_in_error_give_a_span_around_what_is_seen() -> None:
    answer = answered(asked(town(error_m=2.0), observers=SOUTH, cell_m=4.0))
    sight, point = answer["view-sights"].table.iloc[0], answer["view-points"].table.iloc[0]
    assert sight["low_m"] < sight["visible_m"] - 3 < sight["high_m"] - 6
    assert point["sky_error_pct"] > 0.1
    shares = answer["view-tower"].attributes
    assert shares["seen_from_open_ground_pct_high"] <= shares["seen_from_open_ground_pct_stated"]
    assert shares["seen_from_open_ground_pct_low"] >= shares["seen_from_open_ground_pct_stated"]


def test_green_takes_its_share_from_the_ground_and_trees_from_the_sky() -> None:
    lawn = gpd.GeoDataFrame({"id": ["g"]}, geometry=[rectangle(0, 0, 120, 60)], crs=FRAME.crs)
    tree = gpd.GeoDataFrame(
        {"id": ["t"], "height_m": [9.0], "crown_m": [6.0]},
        geometry=[shapely.Point(ORIGIN[0] + 60.5, ORIGIN[1] + 30)], crs=FRAME.crs,
    )  # fmt: skip
    bare = answered(asked(observers=SOUTH))["view-points"].table.iloc[0]
    layers = {**town(), "green": Features(lawn, FRAME, FROM)}
    green = answered(asked(layers, observers=SOUTH))["view-points"].table.iloc[0]
    assert green["green_pct"] > 40
    assert green["ground_pct"] + green["green_pct"] == pytest.approx(bare["ground_pct"], abs=0.1)
    layers["trees"] = Features(tree, FRAME, FROM)
    shaded = answered(asked(layers, observers=SOUTH))["view-points"].table.iloc[0]
    assert shaded["sky_pct"] < green["sky_pct"] - 0.5
    assert shaded["green_pct"] > green["green_pct"] + 0.5


def test_a_terrain_lifts_eyes_and_buildings_and_hides_what_lies_behind_a_hill() -> None:
    hill = np.zeros((160, 120), np.float32)
    hill[100:110] = 30.0  # 50 to 60 m north of the origin
    layers = {**town(), "terrain": Grid(hill, ORIGIN[0], ORIGIN[1] + 160, 1.0, "m", FRAME, FROM)}
    answer = answered(asked(layers, observers=SOUTH))
    sight = answer["view-sights"].table.iloc[0]
    exact = 60.0 - (1.6 + (30.0 - 1.6) * (134.0 - 20.5) / (50.0 - 20.5))
    assert sight["visible_m"] == pytest.approx(
        max(0.0, exact), abs=2.5
    )  # two triangles a cell smooth the step
    assert answer["view-height"].values[160 - 100, 60] > 20
    assert answer["view-points"].table.iloc[0]["ground_pct"] > 50


def test_ridges_are_seen_above_the_wall_and_not_behind_it() -> None:
    def ridge(name: str, height: float) -> dict[str, Any]:
        ends = [lonlat(-40, 160), lonlat(160, 160)]
        return {"name": name, "points": [[one["lon"], one["lat"], height] for one in ends]}

    sights = answered(asked(observers=SOUTH, cell_m=4.0, ridges=[ridge("low", 10.0), ridge("high", 90.0)]))[
        "view-sights"
    ].table
    low, high = (sights[sights["name"] == name].iloc[0] for name in ("low", "high"))
    assert low["visible_pct"] < 30
    assert high["visible_pct"] > 90
    assert high["visible_m"] == pytest.approx(200 * high["visible_pct"] / 100, rel=1e-3)


def test_without_any_wish_an_open_place_in_the_middle_looks_for_the_tallest() -> None:
    answer = answered(asked(cell_m=4.0))
    assert answer["view-points"].table["kind"].tolist() == ["observer"]
    assert answer["view-sights"].table["object"].tolist() == ["way/tower"]


def test_a_planned_tower_can_be_the_target_and_takes_sky_away() -> None:
    layers = town()
    corners = [[ORIGIN[0] + x, ORIGIN[1] + y] for x, y in ((30, 100), (40, 100), (40, 110), (30, 110))]
    part = {
        "outline": corners, "holes": [], "base_m": 0.0, "eave_m": 90.0, "top_m": 90.0, "roof_shape": "flat",
        "roof_direction_deg": None,
    }  # fmt: skip
    plan = {
        "op": "add",
        "object": "new/0123abcd",
        "parts": [part],
        "height_m": 90.0,
        "storey_m": 3.0,
        "name": "Plan",
        "function": "",
    }
    buildings, parts, findings = apply(layers["buildings"], layers["building-parts"], [plan])
    assert not findings
    after = {"buildings": buildings, "building-parts": parts}
    wish = {"observers": SOUTH, "cell_m": 2.0}
    before = answered(asked(**wish))["view-points"].table.iloc[0]
    answer = answered(asked(after, target="new/0123abcd", landmarks=["new/0123abcd"], **wish))
    assert answer["view-points"].table.iloc[0]["sky_pct"] < before["sky_pct"]
    assert answer["view-tower"].values.max() == 90.0
    assert answer["view-sights"].table.iloc[0]["name"] == "Plan"


def test_a_lattice_stands_in_the_open_only() -> None:
    points = answered(asked(cell_m=8.0, points_every_m=40.0))["view-points"].table
    lattice = points[points["kind"] == "lattice"]
    assert len(lattice) == 3 * 4 - 3  # the row at 60 m lies along the wall's face
    wall = rectangle(20, 60, 80, 2)
    assert not shapely.intersects(lattice.geometry.to_numpy(), wall).any()


def test_twice_asked_is_twice_the_same() -> None:
    first, second = (answered(asked(observers=SOUTH, cell_m=2.0)) for _ in range(2))
    for name in ("view-seen", "view-height", "view-tower"):
        assert np.array_equal(first[name].values, second[name].values), name
    assert first["view-points"].to_parquet_bytes() == second["view-points"].to_parquet_bytes()


@pytest.mark.parametrize(
    ("options", "name", "said"),
    [
        ({"observers": [{**lonlat(60, 61), "eye_m": 1.6}]}, "observers", "inside the building way/wall"),
        ({"observers": [lonlat(-500, 20)]}, "observers", "outside the twin"),
        ({"points": [{"lon": 127.0}]}, "points", "is not a point"),
        ({"points": [{"lon": "east", "lat": 37.5}]}, "points", "not a number"),
        ({"landmarks": ["way/none"]}, "landmarks", "no building 'way/none'"),
        ({"target": "way/none"}, "target", "no building 'way/none'"),
        ({"ridges": [{"name": "r", "points": [[127, 37]]}]}, "ridges", "is not a ridge"),
        ({"ridges": [{"name": "r", "points": [[127, 37, 1], [127, math.nan, 1]]}]}, "ridges", "not a number"),
        ({"points_every_m": 0.5}, "points_every_m", "points"),
        ({"range_m": 0.0}, "range_m", "out of range"),
    ],
)  # fmt: skip
def test_bad_input_is_named_before_anything_is_computed(
    options: dict[str, Any], name: str, said: str
) -> None:
    assert PROCESS.accept is not None
    with pytest.raises(BadParameter, match=said) as caught:
        PROCESS.accept(asked(**options))
    assert caught.value.name == name
    if name not in ("landmarks", "target") and "inside" not in said:
        with pytest.raises(BadParameter, match=said):
            PROCESS.accept(replace(asked(**options), layers={}))


def test_cells_that_nobody_could_hold_are_refused_with_those_that_can() -> None:
    wide = replace(asked(), bounds=Bounds(200_000, 540_000, 230_000, 560_000))
    with pytest.raises(BadParameter, match=r"use at least \d"):
        PROCESS.accept(wide)


def test_an_eye_above_a_roof_is_no_eye_inside_it() -> None:
    answer = answered(asked(observers=[{**lonlat(60, 61), "eye_m": 13.6}], cell_m=2.0))
    assert answer["view-points"].table.iloc[0]["buildings_pct"] > 10
    assert (answer["view-seen"].values == 1).mean() > 0.3


def test_a_city_without_building_parts_is_told_so() -> None:
    with pytest.raises(NotFound, match="building-parts"):
        answered(asked({"buildings": town()["buildings"]}))
