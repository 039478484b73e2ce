# ruff: noqa: E501 - rows of a table read better on one line each
"""A CRS by its URI, and the order of its axes."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from twintown.ground.crs import CRS84, crs_of, outline, parse_bbox, parse_crs, reproject, supported
from twintown.ground.errors import BadParameter

OFFERED = supported("EPSG:5186")
TOWER = (127.1025, 37.5126)  # the tower in Jamsil


def test_a_korean_twin_offers_the_worlds_its_own_and_its_country_s() -> None:
    assert [one.code for one in OFFERED] == [
        "OGC:CRS84",
        "EPSG:4326",
        "EPSG:3857",
        "EPSG:5186",
        "EPSG:5179",
        "EPSG:32652",
    ]
    assert [one.code for one in supported("EPSG:25832")] == [
        "OGC:CRS84",
        "EPSG:4326",
        "EPSG:3857",
        "EPSG:25832",
        "EPSG:32632",
    ]


@pytest.mark.parametrize(
    ("code", "north_first"),
    [
        ("OGC:CRS84", False),
        ("EPSG:4326", True),
        ("EPSG:3857", False),
        ("EPSG:5186", True),
        ("EPSG:5179", True),
        ("EPSG:32652", False),
    ],
)
def test_the_order_of_axes_is_that_of_the_authority(code: str, north_first: bool) -> None:
    assert next(one for one in OFFERED if one.code == code).north_first is north_first


@pytest.mark.parametrize(
    "name",
    [
        "http://www.opengis.net/def/crs/EPSG/0/5186",
        "https://www.opengis.net/def/crs/EPSG/0/5186",
        "[EPSG:5186]",
        "EPSG:5186",
        "epsg:5186",
        "urn:ogc:def:crs:EPSG::5186",
    ],
)
def test_every_way_to_name_a_crs_names_the_same(name: str) -> None:
    assert parse_crs(name, OFFERED).uri == "http://www.opengis.net/def/crs/EPSG/0/5186"


@pytest.mark.parametrize(
    "name", ["CRS84", "OGC:CRS84", "[OGC:CRS84]", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"]
)
def test_crs84_has_its_names_too(name: str) -> None:
    assert parse_crs(name, OFFERED) == CRS84


@pytest.mark.parametrize(
    "name",
    [
        "",
        "5186",
        "EPSG:9999",
        "[EPSG:4326",
        "http://example.org/crs/1",
        "EPSG:2097",
        "http://www.opengis.net/def/crs/EPSG/0/",
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(name: str) -> None:
    with pytest.raises(BadParameter, match="EPSG/0/5186") as error:
        parse_crs(name, OFFERED, "bbox-crs")
    assert error.value.name == "bbox-crs"


@pytest.mark.parametrize("crs", OFFERED[1:], ids=lambda one: one.code)
def test_there_and_back_again(crs: object) -> None:
    shapes = np.array(
        [shapely.Point(*TOWER, 5.0), None, shapely.Point(TOWER), shapely.box(127, 37, 128, 38)], object
    )
    there = reproject(shapes, CRS84, crs)
    back = reproject(there, crs, CRS84)
    assert there[1] is None and back[0].z == 5.0 and not back[2].has_z
    assert (back[0].x, back[0].y) == pytest.approx(TOWER, abs=1e-9)
    assert back[3].equals_exact(shapes[3], 1e-8)


def test_swap_changes_places_only_where_north_is_first() -> None:
    points = np.array([shapely.Point(1, 2, 3), shapely.Point(1, 2), None], object)
    assert [None if p is None else p.wkt for p in crs_of("EPSG:5186").swap(points)] == [
        "POINT Z (2 1 3)",
        "POINT (2 1)",
        None,
    ]
    assert crs_of("EPSG:3857").swap(points)[0].wkt == "POINT Z (1 2 3)"


def test_a_box_is_read_in_the_order_of_its_crs() -> None:
    lonlat = parse_bbox("127.09,37.50,127.12,37.52")
    assert lonlat == ((127.09, 37.5, 127.12, 37.52),)
    assert parse_bbox("37.50,127.09,37.52,127.12", crs_of("EPSG:4326")) == lonlat
    assert parse_bbox("127.09,37.50,0,127.12,37.52,99") == lonlat
    north = reproject(np.array([shapely.box(*lonlat[0])], object), CRS84, crs_of("EPSG:5186"))[0].bounds
    (found,) = parse_bbox(f"{north[1]},{north[0]},{north[3]},{north[2]}", crs_of("EPSG:5186"))
    assert found == pytest.approx(lonlat[0], abs=3e-4)
    assert found[0] <= 127.09 and found[3] >= 37.52


def test_a_box_over_the_antimeridian_is_two() -> None:
    assert parse_bbox("170,-10,-170,10") == ((170, -10, 180, 10), (-180, -10, -170, 10))


def test_the_outline_of_a_box_in_metres_is_smaller_than_the_box_around_it() -> None:
    crs = crs_of("EPSG:5186")
    ring = outline([545000, 208000, 546000, 209000], crs)
    ((west, south, east, north),) = parse_bbox("545000,208000,546000,209000", crs)
    assert ring.within(shapely.box(west - 1e-9, south - 1e-9, east + 1e-9, north + 1e-9)) and ring.area < (
        east - west
    ) * (north - south)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("1,2,3", "OGC:CRS84", "3 numbers"), ("a,b,c,d", "OGC:CRS84", "list of numbers"), ("nan,1,2,3", "OGC:CRS84", "finite"), ("", "OGC:CRS84", "list of numbers"),
        ("127,91,128,92", "OGC:CRS84", "latitude beyond 90"), ("127,37,128,38", "EPSG:4326", "latitude beyond 90"), ("181,0,182,1", "OGC:CRS84", "longitude beyond 180"),
        ("0,5,1,4", "OGC:CRS84", "south lies above"), ("5,0,4,1", "EPSG:3857", "west lies east"), ("1e30,1e30,2e30,2e30", "EPSG:5186", "outside of where"),
    ],
)  # fmt: skip
def test_a_bad_box_says_what_is_wrong_with_it(text: str, code: str, says: str) -> None:
    with pytest.raises(BadParameter, match=says) as error:
        parse_bbox(text, crs_of(code) if code != "OGC:CRS84" else CRS84, "bbox")
    assert error.value.name == "bbox"
