"""What a preview of a remedy draws: where it changes something, both sides in one box, and no value of any row."""

from __future__ import annotations

from typing import Any

from shapely.geometry import Point, box
from tests.exchange.synthetic import Paper, X, Y, blocks, outline, rows, terrain

from twintown.api import release_sketch
from twintown.exchange import gate
from twintown.exchange.remedies import Applied, apply
from twintown.trust.grades import Grade

SITE = f"""
[[release.sites]]
id = "invented-depot"
title = {{ ko = "지어낸 창고 (합성)", en = "Invented depot (synthetic)" }}
outline = {outline(X + 118, Y + 498, X + 132, Y + 512)}
example = true
"""


def _made(shape: Any, kind: str, **said: Any) -> Applied:
    paper = Paper({"own": (shape, Grade.S)}, SITE)
    matter = paper.matter("own")
    return apply(matter, gate.examine(matter), kind, said, gate.examine, shape)


def _drawn(shape: Any, kind: str, **said: Any) -> Any:
    found = release_sketch.sketch(_made(shape, kind, **said))
    return found if found is None else found.model_dump()


def test_groups_of_persons_are_drawn_with_how_many_they_hold() -> None:
    homes = [Point(X + 13 * n % 900, Y + 29 * n % 900) for n in range(60)]
    shape = rows({"age": [str(20 + n % 5) for n in range(60)], "sex": ["f"] * 60}, homes)
    drawn = _drawn(shape, "aggregate", k=5, finest_m=200)
    assert all(one["properties"] == {} for one in drawn["before"]["features"]["features"])
    told = [one["properties"]["persons"] for one in drawn["after"]["features"]["features"]]
    assert sum(told) == 60 and min(told) >= 5 and drawn["whole"]


def test_columns_that_do_not_go_change_no_place_and_are_not_drawn() -> None:
    assert _drawn(blocks(5), "withhold", columns=["height_m"]) is None
    assert _drawn(rows({"a": ["x"] * 5, "b": ["y"] * 5}), "withhold", columns=["a"]) is None


def test_of_many_objects_those_about_the_change_are_drawn() -> None:
    many = [box(X + 20 * (n % 40), Y + 20 * (n // 40), X + 20 * (n % 40) + 9, Y + 20 * (n // 40) + 9) for n in range(1600)]  # fmt: skip
    drawn = _drawn(rows({"kind": ["house"] * 1600}, many), "mask")
    assert not drawn["whole"] and drawn["before"]["total"] - drawn["after"]["total"] == 1
    west, south, east, north = drawn["box"]
    lon, lat = outline(X + 124, Y + 504, X + 126, Y + 506)[0]
    assert west < lon < east and south < lat < north
    coarse = _drawn(rows({"kind": ["house"] * 1600}, many), "coarsen", mesh_m=5)
    assert 0 < coarse["before"]["total"] <= release_sketch.MOST and not coarse["whole"]


def test_masked_cells_are_drawn_with_what_lies_around_them_and_a_strip_is_drawn_no_thinner_than_half() -> (
    None
):
    drawn = _drawn(terrain(5, 120), "mask")
    assert not drawn["whole"] and drawn["before"]["total"] < 120 * 120
    assert drawn["before"]["box"] == drawn["after"]["box"] == drawn["box"]
    west, south, east, north = _drawn(blocks(30), "coarsen", mesh_m=12.5)["box"]
    assert (north - south) * 111_000 > 0.45 * (east - west) * 88_000


def test_one_object_alone_has_a_box_too() -> None:
    drawn = _drawn(rows({"kind": ["well"]}, [Point(X + 317, Y + 342)]), "coarsen", mesh_m=100)
    assert drawn["box"][0] < drawn["box"][2] and drawn["after"]["total"] <= 1


def test_a_side_says_rows_or_known_cells() -> None:
    made = _made(terrain(5, 120), "mask")
    before, after = release_sketch.side(made.before), release_sketch.side(made.shape)
    assert before.known == before.count == 14_400 and after.known is not None
    assert 0 < before.known - after.known < 40 and before.resolution_m == 5
    table = release_sketch.side(rows({"a": ["x"] * 5}))
    assert (table.count, table.known, table.resolution_m, table.columns) == (5, None, None, ["a"])
