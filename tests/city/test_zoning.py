# ruff: noqa: E501
"""What a plan comes to in a zone: numbers that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from tests.city.test_edits import FRAME, FROM, LAYERS, X, Y

from twintown.city import edits, zoning
from twintown.ground.errors import BadSettings
from twintown.ground.features import Features
from twintown.ground.names import Name
from twintown.twin.description import Description

#: 100 m × 50 m around the three blocks of `test_edits`: a 20 m × 20 m, b and c 10 m × 10 m.
LAND = shapely.box(X, Y, X + 100, Y + 50)
ZONE = zoning.Zone("z", Name("예시", "Example"), LAND, 35.0, 60.0, 15.0)


def found(
    zone: zoning.Zone, *sent: dict[str, object], parcels: Features | None = None
) -> dict[tuple[str, str], object]:
    journal = [edits.parse(one, FRAME) for one in sent]
    after = edits.apply(*LAYERS, journal)[:2]
    told = zoning.findings([zone], parcels, LAYERS, after, {one["object"] for one in journal})
    return {(one.code, one.object): one for one in told}


def test_ratios_are_those_that_one_counts_by_hand() -> None:
    # a: a podium of 10 m (2 storeys of 4 m, 400 m²) and a tower of 30 m on it (7 storeys, 100 m²); b: 4 storeys; c: 3 storeys of 100 m²
    floors = 2 * 400 + 7 * 100 + 4 * 100 + 3 * 100
    assert zoning.ratios(LAYERS, LAND) == (round(100 * floors / 5000, 1), round(100 * 600 / 5000, 1))


def test_each_limit_says_what_was_found_what_is_allowed_and_by_how_much() -> None:
    told = found(ZONE, {"op": "set", "object": "a", "height_m": 80})
    height = told["zone-height", "a"]
    assert (height.value, height.allowed, height.excess, height.unit, height.severity) == (
        80.0,
        35.0,
        45.0,
        "m",
        "warning",
    )
    floors = told["zone-floor-area", ""]
    assert (floors.before, floors.value, floors.allowed) == (44.0, 84.0, 60.0)
    assert floors.excess == pytest.approx(24.0) and "84%" in floors.message["en"]
    cover = told["zone-coverage", ""]
    assert (cover.value, cover.excess, cover.severity) == (12.0, 0.0, "info")


def test_without_parcels_it_is_said_that_the_whole_zone_is_the_land() -> None:
    told = found(ZONE, {"op": "set", "object": "a", "height_m": 80})
    assert "streets included" in told["no-parcels", ""].message["en"]
    assert told["no-parcels", ""].value == 5000.0


def test_with_parcels_the_ratios_are_of_the_lot() -> None:
    lots = gpd.GeoDataFrame({"id": ["p1", "p2"]}, geometry=[shapely.box(X, Y, X + 25, Y + 40), shapely.box(X + 40, Y, X + 80, Y + 40)], crs=FRAME.crs)  # fmt: skip
    told = found(ZONE, {"op": "remove", "object": "b"}, parcels=Features(lots, FRAME, FROM))
    assert ("no-parcels", "") not in told
    floors = told["zone-floor-area", "p2"]
    assert (floors.before, floors.value) == (round(100 * 700 / 1600, 1), round(100 * 300 / 1600, 1))
    assert ("zone-floor-area", "p1") not in told


def test_a_zone_that_no_edit_touches_says_nothing() -> None:
    far = zoning.Zone("far", Name("먼", "Far"), shapely.box(X - 90, Y - 90, X - 50, Y - 50), 10.0)
    assert found(far, {"op": "set", "object": "a", "height_m": 80}) == {}


def test_an_edited_building_that_stands_on_another_is_told_once() -> None:
    journal = [
        edits.parse({"op": "set", "object": one, "move": step}, FRAME)
        for one, step in (("b", [15, 0]), ("c", [0, 0]))
    ]
    (one,) = zoning.overlaps(edits.apply(*LAYERS, journal)[0], {"b", "c"})
    assert (one.object, one.other, one.value, one.unit) == ("b", "c", 50.0, "m2")


def test_zones_are_read_from_a_layer() -> None:
    rows = gpd.GeoDataFrame({"id": ["r2"], "name_ko": ["제2종"], "name_en": ["R2"], "height_m": [21.0], "floor_area_percent": [None]}, geometry=[LAND], crs=FRAME.crs)  # fmt: skip
    (zone,) = zoning.zones_of(Features(rows, FRAME, FROM))
    assert (zone.id, zone.title.en, zone.height_m, zone.floor_area_percent, zone.coverage_percent) == (
        "r2",
        "R2",
        21.0,
        None,
        None,
    )


def test_the_zones_of_the_demonstration_say_that_they_are_not_the_citys_plan(repository: Path) -> None:
    about = Description.load(repository / "cities" / "jamsil")
    assert about.zones and all(zone.example and zone.note is not None for zone in about.zones)
    assert all("not the city's plan" in zone.title.en for zone in about.zones)
    assert about.access.plan == "anyone"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("outline = [[127.1, 37.5], [127.2, 37.6], [127.2, 37.5], [127.1, 37.6]]", "crosses itself"),
        ('outline = [[127.1, "north"]]', "no ring"),
        ("outline = [[127.1, 37.5], [127.2, 37.5], [127.2, 37.6]]\nheight_m = -3", "-3 is not a number"),
        ("outline = [[127.1, 37.5], [127.2, 37.5], [127.2, 37.6]]\ncolour = 1", "unknown key 'colour'"),
    ],
)
def test_a_zone_that_cannot_be_is_named(repository: Path, tmp_path: Path, line: str, says: str) -> None:
    text = (repository / "cities" / "jamsil" / "twintown.toml").read_text("utf-8")
    zone = f'\n[[zones]]\nid = "z"\ntitle = {{ ko = "가", en = "a" }}\n{line}\n'
    (tmp_path / "twintown.toml").write_text(text + zone, "utf-8")
    with pytest.raises(BadSettings, match=says):
        Description.load(tmp_path)
