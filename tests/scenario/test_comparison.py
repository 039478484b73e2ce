# ruff: noqa: E501
"""Two plans beside each other, in numbers that can be counted by hand."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from tests.city.test_edits import FRAME, FROM, LAYERS, X, Y

from twintown.city import edits
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.scenario import comparison
from twintown.scenario.comparison import Side, grids, objects
from twintown.scenario.rows import features


def side(*sent: dict[str, Any]) -> Side:
    journal = edits.fold(edits.parse(one, FRAME) for one in sent)
    return Side(*edits.apply(*LAYERS, journal)[:2], journal)


def grid(values: Any, **more: Any) -> Grid:
    array = np.asarray(values)
    return Grid(array, X, Y + array.shape[0], 2.0, more.pop("unit", "min"), FRAME, FROM, **more)


def test_buildings_are_held_against_each_other_one_by_one() -> None:
    ring = [[X, Y + 60], [X + 10, Y + 60], [X + 10, Y + 70], [X, Y + 70]]
    slab = {"op": "add", "object": "new/00000001", "outline": ring, "height_m": 30, "storey_m": 3}
    same = {"op": "set", "object": "b", "height_m": 24}
    said = objects(
        side(same, {"op": "set", "object": "a", "height_m": 50}),
        side(same, slab, {"op": "remove", "object": "c"}),
    )
    told = {one["object"]: one for one in said["objects"]}
    assert {name: one["change"] for name, one in told.items()} == {
        "a": "changed",
        "b": "same",
        "c": "removed",
        "new/00000001": "added",
    }
    assert told["a"]["difference"]["height_m"] == -10.0
    assert told["c"]["difference"]["area_m2"] == -100.0 and told["c"]["after"] is None
    assert told["new/00000001"]["after"]["floor_area_m2"] == 1000.0
    assert said["counts"] == {"same": 1, "added": 1, "removed": 1, "changed": 1}
    assert said["total"]["difference"]["buildings"] == 0
    assert said["units"]["floor_area_m2"] == "m2"


def test_the_area_of_each_class_of_difference_and_the_largest_with_its_place() -> None:
    before = grid([[10, 10, 10], [10, 10, 255]], nodata=255)
    after = grid([[10, 8, 0], [11, 10, 9]], nodata=255)
    said = grids(before, after)
    assert (said["unit"], said["compared_m2"], said["unchanged_m2"]) == ("min", 20.0, 8.0)
    assert said["mean"] == -2.2
    assert (said["least"]["value"], said["most"]["value"]) == (-10.0, 1.0)
    lon, lat = FRAME.to_lonlat(X + 5, Y + 1)
    assert (said["least"]["lon"], said["least"]["lat"]) == (round(float(lon), 7), round(float(lat), 7))
    assert [(one["from"], one["to"], one["area_m2"]) for one in said["classes"]] == [
        (-10.0, -5.0, 4.0),
        (-5.0, 0.0, 4.0),
        (0.0, 5.0, 4.0),
    ]


def test_steps_of_time_become_hours_and_differences_within_the_error_are_none() -> None:
    steps = {"unit": "{step}", "attributes": {"step_minutes": 30}}
    said = grids(grid([[4, 4]], **steps), grid([[2, 3]], **steps), error=1.0)
    assert (said["unit"], said["mean"], said["error"], said["unchanged_m2"]) == ("h", -0.75, 0.5, 4.0)
    assert sum(one["area_m2"] for one in said["classes"]) == 4.0


def test_piece_by_piece_is_the_same_as_at_once(monkeypatch: Any) -> None:
    noise = np.random.default_rng(4)
    before, after = (grid(noise.integers(0, 50, (40, 30)), nodata=7.0) for _ in range(2))
    whole = grids(before, after)
    monkeypatch.setattr(comparison, "_PIECE", 60)
    assert grids(before, after) == whole


def test_grids_on_other_cells_are_not_compared_and_nothing_known_is_no_difference() -> None:
    assert grids(grid([[1, 2]]), grid([[1, 2, 3]]))["comparable"] is False
    empty = grids(grid([[9]], nodata=9), grid([[9]], nodata=9))
    assert (empty["compared_m2"], empty["mean"], empty["least"]) == (0.0, None, None)


def test_rows_are_held_against_each_other_by_id() -> None:
    def table(**hours: float) -> Features:
        frame = gpd.GeoDataFrame({"id": list(hours), "hours": list(hours.values())}, geometry=shapely.points([[X, Y]] * len(hours)), crs=FRAME.crs)  # fmt: skip
        return Features(frame, FRAME, FROM, {"hours": "h"})

    said = features(table(a=4.0, b=2.0, c=1.0), table(a=1.0, b=2.0, d=5.0))
    assert (said["before"], said["after"], said["both"]) == (3, 3, 2)
    assert said["only_before"] == ["c"] and said["only_after"] == ["d"]
    (column,) = said["columns"]
    assert (column["unit"], column["mean"], column["least"], column["changed"]) == ("h", -1.5, -3.0, 1)
    assert [one["id"] for one in said["objects"]] == ["a"]
    assert said["objects"][0]["difference"] == {"hours": -3.0}


def points(*rows: tuple[str, float, float, float], first: int = 0) -> Features:
    """Facade points whose ids only count them: building, x, direction, minutes."""
    building, x, normal, minutes = (list(one) for one in zip(*rows, strict=True))
    shapes = gpd.points_from_xy([X + one for one in x], [Y] * len(rows))
    data = {"id": [f"f{first + k}" for k in range(len(rows))], "building": building, "z_m": 1.5, "normal_deg": normal,
            "sun_min": minutes, "verdict": [int(one > 50) for one in minutes]}  # fmt: skip
    return Features(gpd.GeoDataFrame(data, geometry=shapes, crs=FRAME.crs), FRAME, FROM, {"sun_min": "min", "z_m": "m"})  # fmt: skip


def test_points_whose_ids_only_count_them_are_paired_by_building_and_place() -> None:
    before = points(("a", 0, 90, 60), ("a", 5, 90, 60), ("b", 9, 0, 40))
    # a new building stands first: every id that follows is another point's
    after = points(("new/1", 30, 0, 99), ("a", 0, 90, 60), ("a", 5, 90, 30), ("b", 9, 0, 40))
    said = features(before, after, error=10.0)
    assert (said["before"], said["after"], said["both"]) == (3, 4, 3)
    assert said["only_before"] == [] and said["only_after"] == ["f0"]
    sun, verdict = said["columns"]
    assert (sun["least"], sun["most"], sun["changed"], sun["sum_before"], sun["sum_after"]) == (-30.0, 0.0, 1, 160.0, 229.0)  # fmt: skip
    assert verdict == {"name": "verdict", "unit": "", "known_before": 3, "met_before": 2, "known_after": 4, "met_after": 2}  # fmt: skip
    (listed,) = said["buildings"]
    assert [(one["id"], one["n_before"], one["n_after"], one["mean_before"], one["mean_after"]) for one in listed["rows"]] == [
        ("new/1", 0, 1, None, 99.0), ("a", 2, 2, 60.0, 45.0),
    ]  # fmt: skip
    assert [one["difference"] for one in said["objects"]] == [{"sun_min": -30.0}]


def test_two_points_at_one_place_that_look_elsewhere_are_two() -> None:
    said = features(points(("a", 0, 90, 60), ("a", 0, 270, 10)), points(("a", 0, 270, 10), ("a", 0, 90, 60)))
    assert said["both"] == 2 and said["columns"][0]["changed"] == 0
