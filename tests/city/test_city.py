"""From what is drawn to what stands: heights with a reason, parts with an owner, doubts as findings."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from twintown.city import heights
from twintown.city.assembly import assemble
from twintown.city.kinds import function_of, storey_m
from twintown.city.model import DRAWN, City, Drawn
from twintown.city.validity import CODES, Findings
from twintown.ground.errors import BadInput
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source

FRAME = Frame("EPSG:5186")
FROM = Provenance((Source("here", "Here", "Somebody", Licence("CC0-1.0", "CC0")),))
EMPTY = {name: {"bool": False, "str": "", "float64": math.nan}[kind] for name, kind in DRAWN.items()}


def square(x: float, y: float = 0.0, side: float = 10.0) -> shapely.Polygon:
    return shapely.box(x, y, x + side, y + side)


def build(*rows: dict[str, Any]) -> City:
    """A city of rows: `id`, `geometry`, and what is stated."""
    full = [
        {**EMPTY, "is_building": not row.get("is_part", False), "function": "other", **row} for row in rows
    ]
    table = pd.DataFrame(full).drop(columns="geometry").astype(DRAWN)
    return assemble(
        Drawn(gpd.GeoDataFrame(table, geometry=[row["geometry"] for row in full], crs=FRAME.crs), FRAME, FROM)
    )


def codes(city: City) -> set[str]:
    return set(city.findings.table["code"])


def test_a_stated_height_is_measured_to_a_metre():
    row = build({"id": "a", "geometry": square(0), "height_m": 31.0, "levels": 9}).buildings.table.iloc[0]
    assert (row["height_m"], row["height_source"], row["height_error_m"]) == (31.0, "measured", 1.0)
    assert (row["storey_m"], row["storey_source"]) == (pytest.approx(31 / 9, abs=1e-3), "derived")


@pytest.mark.parametrize("storey", [3.0, 4.0])
def test_a_height_that_is_storeys_times_a_round_number_is_no_measurement(storey):
    city = build({"id": "a", "geometry": square(0), "height_m": 5 * storey, "levels": 5})
    row = city.buildings.table.iloc[0]
    assert (row["height_m"], row["height_source"], row["storey_source"]) == (5 * storey, "levels", "assumed")
    assert row["height_error_m"] == pytest.approx(math.hypot(0.5 * storey, 1), abs=0.01)
    assert "height-by-rule" in codes(city)


def test_storeys_alone_give_a_height_by_the_use_of_the_building():
    city = build(
        {"id": "a", "geometry": square(0), "levels": 10, "function": "housing"},
        {"id": "b", "geometry": square(50), "levels": 10, "function": "office"},
    )
    table = city.buildings.table.set_index("id")
    assert table["height_m"].to_dict() == {"a": 30.0, "b": 40.0}
    assert set(table["height_source"]) == {"levels"}


def test_height_and_storeys_that_cannot_both_be_right_widen_the_error():
    city = build({"id": "a", "geometry": square(0), "height_m": 30.0, "levels": 30, "function": "housing"})
    assert city.buildings.table["height_error_m"].iloc[0] == 60.0
    assert "storey-implausible" in codes(city)


def test_an_unknown_height_is_the_median_of_like_neighbours():
    known = [
        {"id": f"k{i}", "geometry": square(20.0 * i), "height_m": 10.0 + i, "function": "housing"}
        for i in range(7)
    ]
    far = [
        {"id": f"f{i}", "geometry": square(20.0 * i, 5000.0), "height_m": 99.5, "function": "housing"}
        for i in range(9)
    ]
    other = [
        {"id": f"o{i}", "geometry": square(20.0 * i, 50.0), "height_m": 77.7, "function": "office"}
        for i in range(9)
    ]
    city = build(*known, *far, *other, {"id": "x", "geometry": square(60, 20), "function": "housing"})
    row = city.buildings.table.set_index("id").loc["x"]
    assert (row["height_m"], row["height_source"]) == (13.0, "estimated")
    assert row["height_error_m"] >= heights.ESTIMATE_ERROR_M
    assert "missing-height" in codes(city)


def test_a_city_without_any_height_still_stands_and_says_how_little_is_known():
    row = build({"id": "a", "geometry": square(0)}).buildings.table.iloc[0]
    assert (row["height_m"], row["height_source"], row["height_error_m"]) == (9.0, "estimated", 6.0)


def test_a_part_replaces_its_outline_also_where_no_relation_says_so():
    city = build(
        {"id": "o", "geometry": square(0, side=20), "height_m": 50.0},
        {"id": "p", "geometry": shapely.box(0, 0, 20, 10), "is_part": True, "height_m": 50.0},
        {
            "id": "q",
            "geometry": shapely.box(0, 10, 20, 20),
            "is_part": True,
            "height_m": 20.0,
            "min_height_m": 5.0,
        },
    )
    parts = city.parts.table.set_index("id")
    assert set(parts.index) == {"p", "q"}
    assert set(parts["building"]) == {"o"}
    assert (parts.loc["q", "base_m"], parts.loc["q", "top_m"]) == (5.0, 20.0)
    assert city.buildings.table["parts"].tolist() == [2]
    assert not codes(city)


def test_what_parts_leave_of_an_outline_stands_as_high_as_the_lowest_of_them():
    city = build(
        {"id": "o", "geometry": square(0, side=20), "height_m": 50.0},
        {"id": "p", "geometry": square(0, side=10), "is_part": True, "height_m": 50.0},
        {"id": "q", "geometry": square(10, side=10), "is_part": True, "height_m": 12.0},
    )
    parts = city.parts.table.set_index("id")
    assert parts.loc["o.rest", "top_m"] == 12.0
    assert parts.area.sum() == pytest.approx(400)
    finding = city.findings.table.set_index("code").loc["parts-leave-rest"]
    assert finding["value"] == 50.0


def test_a_relation_wins_over_the_smallest_outline():
    city = build(
        {"id": "a", "geometry": square(0, side=20), "height_m": 9.0},
        {"id": "b", "geometry": square(100), "height_m": 9.5},
        {"id": "p", "geometry": square(0, side=20), "is_part": True, "height_m": 9.0, "owner": "b"},
    )
    assert city.parts.table.set_index("id").loc["p", "building"] == "b"
    assert "part-outside-outline" in codes(city)


def test_a_part_without_a_building_stands_by_itself_and_is_found():
    city = build({"id": "p", "geometry": square(0), "is_part": True, "height_m": 9.0})
    assert city.buildings.table["id"].tolist() == ["p"]
    assert codes(city) == {"part-without-outline"}


def test_storeys_of_a_part_are_as_high_as_its_buildings():
    city = build(
        {"id": "o", "geometry": square(0), "height_m": 45.0, "levels": 10},
        {"id": "p", "geometry": square(0), "is_part": True, "levels": 4, "min_level": 2},
    )
    part = city.parts.table.iloc[0]
    assert (part["base_m"], part["top_m"], part["height_source"]) == (9.0, 18.0, "levels")
    assert "height-disagrees" in codes(city)


def test_a_courtyard_stays_open_and_several_outlines_are_several_parts():
    court = shapely.Polygon(square(0, side=30).exterior, [square(10, 10).exterior])
    two = shapely.MultiPolygon([square(100), square(200)])
    city = build(
        {"id": "c", "geometry": court, "height_m": 9.5}, {"id": "m", "geometry": two, "height_m": 9.5}
    )
    parts = city.parts.table
    assert parts["id"].tolist() == ["c", "m", "m.2"]
    assert len(parts.geometry.iloc[0].interiors) == 1
    assert city.buildings.table.set_index("id").loc["m", "parts"] == 2


def test_a_pitched_roof_without_a_height_gets_one_that_fits():
    city = build({"id": "a", "geometry": shapely.box(0, 0, 20, 10), "height_m": 9.0, "roof_shape": "gabled"})
    part = city.parts.table.iloc[0]
    assert part["roof_height_m"] == pytest.approx(0.577 * 5, abs=0.01)
    assert part["eave_m"] == pytest.approx(9.0 - part["roof_height_m"])


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"roof_shape": "onion", "height_m": 9.5}, "roof-not-built"),
        ({"roof_shape": "skillion", "roof_height_m": 30.0, "height_m": 9.5}, "roof-taller-than-part"),
        ({"min_height_m": 12.0, "height_m": 9.5}, "base-above-top"),
        ({"height_m": 0.0}, "height-of-nothing"),
        ({"geometry": shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])}, "self-intersection"),
        ({"geometry": shapely.Polygon([(0, 0), (10, 0), (20, 0)])}, "zero-area"),
        ({"is_part": True, "is_building": True}, "both-building-and-part"),
    ],
)
def test_what_is_wrong_is_found_and_the_city_still_stands(row, code):
    city = build(
        {"id": "a", "geometry": square(0), **row}, {"id": "b", "geometry": square(500), "height_m": 9.5}
    )
    assert code in codes(city)
    parts = city.parts.table
    assert (parts["base_m"] < parts["top_m"]).all()
    assert (parts["eave_m"] >= parts["base_m"]).all()
    assert shapely.is_valid(parts.geometry.to_numpy()).all()


def test_the_same_shape_twice_is_built_once_and_an_overlap_is_found():
    city = build(
        {"id": "a", "geometry": square(0), "height_m": 9.5},
        {"id": "b", "geometry": square(0), "height_m": 9.5},
        {"id": "c", "geometry": square(5), "height_m": 9.5},
    )
    assert city.buildings.table["id"].tolist() == ["a", "c"]
    found = city.findings.table.set_index("code")
    assert found.loc["duplicate", "object"] == "b"
    assert found.loc["overlap", "value"] == 50.0


def test_no_buildings_make_an_empty_city():
    drawn = gpd.GeoDataFrame(
        {"id": pd.Series([], dtype="str")} | {n: pd.Series([], dtype=k) for n, k in DRAWN.items()},
        geometry=[],
        crs=FRAME.crs,
    )
    city = assemble(Drawn(drawn, FRAME, FROM))
    assert len(city.buildings) == len(city.parts) == len(city.findings) == 0
    assert city.parts.to_parquet_bytes()


def test_drawn_buildings_without_a_column_are_refused():
    with pytest.raises(BadInput, match="is_building"):
        Drawn(gpd.GeoDataFrame({"id": ["a"]}, geometry=[square(0)], crs=FRAME.crs), FRAME, FROM)


def test_every_finding_is_worded_in_both_languages():
    findings = Findings()
    for code in CODES:
        findings.add(code, "way/1", (1.0, 2.0), 12.345, "way/2")
    table = findings.features(FRAME, FROM).table
    assert len(table) == len(CODES)
    assert not table["message_ko"].str.contains("{", regex=False).any()
    assert table["message_ko"].str.contains("[가-힣]").all()
    assert not table["message_en"].str.contains("[가-힣]").any()


def test_uses_are_told_by_the_building_or_by_its_other_tags():
    assert function_of("apartments", {}) == "housing"
    assert function_of("yes", {"shop": "mall"}) == "commerce"
    assert function_of("yes", {"tourism": "museum"}) == "culture"
    assert function_of("yes", {}) == "other"
    assert storey_m("housing") == 3.0
    assert storey_m("unheard of") == 3.3


def test_estimates_do_not_depend_on_the_order_of_buildings():
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 400, (60, 2))
    height = np.where(np.arange(60) % 3 == 0, np.nan, rng.uniform(5, 60, 60))
    unknown = np.isnan(height)
    area, use = np.full(60, 100.0), np.array(["x"] * 60, object)
    first = heights.estimate(unknown, height, ~unknown, xy, area, use)[0]
    back = heights.estimate(unknown[::-1], height[::-1], ~unknown[::-1], xy[::-1], area, use)[0]
    assert np.allclose(first, back[::-1])
