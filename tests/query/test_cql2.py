# ruff: noqa: E501 - rows of a table read better on one line each
"""Expressions against the columns of a layer, and geometries in the CRS in which they were written."""

from __future__ import annotations

import pytest
import shapely

from twintown.ground.crs import CRS84, crs_of, supported
from twintown.ground.errors import BadParameter
from twintown.query import cql2
from twintown.query.evaluate import boxes

TYPES = {
    "name": "string",
    "height": "number",
    "levels": "integer",
    "open": "boolean",
    "built": "datetime",
    "geometry": "geometry",
}
KOREA = crs_of("EPSG:5186")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hight > 3", "there is no property 'hight'"), ("NAME = 'x'", "its properties are name"), ("avg(height) > 3", "no function 'avg'"),
        ("height > 'x'", "height is a number and 'x' is a text"), ("name = 5", "name is a text and 5 is a number"),
        ("height LIKE '5%'", "LIKE works on a text"), ("name LIKE name", "pattern of LIKE"), ("open = 1", "true or false"),
        ("geometry = POINT(1 2)", "use S_EQUALS"), ("S_INTERSECTS(name, POINT(1 2))", "S_INTERSECTS works on a geometry"),
        ("S_INTERSECTS(geometry, height)", "height is a number"), ("built > 'yesterday'", "no date or timestamp"),
        ("T_AFTER(height, DATE('2020-01-01'))", "T_AFTER works on a time"), ("T_DURING(built, INTERVAL('..', '2020-01-01'))", "is an instant"),
        ("INTERVAL('..', '2020-01-01') = built", "use T_EQUALS"), ("(1, 2) = height", "use A_EQUALS"), ("A_CONTAINS(height, (1))", "A_CONTAINS works on a list"),
        ("name + 1 = 2", "works on a number"), ("CASEI(height) = 'x'", "CASEI works on a text"), ("height BETWEEN 1 AND 'x'", "is a text"),
        ("levels IN (1, 'x')", "is a text"), ("NOT name", "NOT works on true or false"), ("name AND open = TRUE", "AND works on true or false"),
        ("height + 1", "no condition|not a condition"), ("Foo(geometry) = TRUE", "no function 'Foo'"), ("S_WITHIN(geometry, Buffer(geometry, 10, 'm'))", "no function 'Buffer'"),
        ("T_AFTER(built, INTERVAL(height, '..'))", "cannot be the end of an interval"), ("name IN ()", "at least one value"),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_what_a_layer_cannot_answer_is_named(text: str, says: str) -> None:
    with pytest.raises(BadParameter, match=says) as error:
        cql2.check(cql2.parse_text(text), TYPES)
    assert error.value.name == "filter"


def test_a_layer_without_geometry_says_so() -> None:
    with pytest.raises(BadParameter, match="this layer has no geometry"):
        cql2.check(cql2.parse_text("S_INTERSECTS(geometry, POINT(1 2))"), {"name": "string"})


def test_properties_are_found_everywhere() -> None:
    text = "a > b + 1 AND c IN (d, 2) AND T_AFTER(INTERVAL(e, f), DATE('2020-01-01')) AND NOT CASEI(g) LIKE 'x' AND S_INTERSECTS(geometry, POINT(1 2))"
    assert cql2.properties(cql2.parse_text(text)) == {*"abcdefg", "geometry"}


@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:3857", "EPSG:5186", "EPSG:5179", "EPSG:32652"])
def test_a_literal_in_any_crs_is_the_same_place(code: str) -> None:
    crs = next(one for one in supported("EPSG:5186") if one.code == code)
    x, y = {"EPSG:4326": (37.51255, 127.10256), "EPSG:5186": (545903.0, 209067.2)}.get(code, (None, None))
    if x is None:
        import numpy as np

        from twintown.ground.crs import transform

        moved = transform(np.array([[127.10256, 37.51255]]), CRS84, crs)[0]
        x, y = moved[::-1] if crs.north_first else moved
    found = cql2.parse_text(f"S_INTERSECTS(geometry, POINT({x} {y}))", crs)
    assert found["args"][1]["coordinates"] == pytest.approx([127.10256, 37.51255], abs=2e-5)


def test_a_box_in_metres_keeps_its_own_outline() -> None:
    found = cql2.parse_text("S_INTERSECTS(geometry, BBOX(545000, 208000, 546000, 209000))", KOREA)["args"][1]
    assert found["type"] == "Polygon"
    outline = shapely.from_geojson(str(found).replace("'", '"'))
    assert shapely.box(*outline.bounds).area > outline.area
    assert cql2.parse_text("S_INTERSECTS(geometry, BBOX(37, 127, 38, 128))", crs_of("EPSG:4326"))["args"][
        1
    ] == {"bbox": [127, 37, 128, 38]}


def test_a_literal_outside_of_where_its_crs_holds_is_refused() -> None:
    with pytest.raises(BadParameter, match="outside of where EPSG:5186 holds"):
        cql2.parse_text("S_INTERSECTS(geometry, POINT(1e30 1e30))", KOREA)


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("S_INTERSECTS(geometry, BBOX(1,2,3,4))", ((1, 2, 3, 4),)), ("S_WITHIN(geometry, POLYGON((0 0, 2 0, 2 1, 0 0)))", ((0, 0, 2, 1),)),
        ("height > 3 AND S_INTERSECTS(geometry, BBOX(1,2,3,4))", ((1, 2, 3, 4),)), ("height > 3 OR S_INTERSECTS(geometry, BBOX(1,2,3,4))", None),
        ("S_INTERSECTS(geometry, BBOX(0,0,9,9)) AND S_CONTAINS(geometry, POINT(1 2))", ((1, 2, 1, 2),)), ("NOT S_INTERSECTS(geometry, BBOX(1,2,3,4))", None),
        ("S_TOUCHES(geometry, POINT(1 2)) OR S_INTERSECTS(geometry, BBOX(5,5,6,6))", ((1, 2, 1, 2), (5, 5, 6, 6))), ("S_DISJOINT(geometry, POINT(1 2))", None),
        ("NOT S_DISJOINT(geometry, POINT(1 2))", ((1, 2, 1, 2),)), ("S_INTERSECTS(geometry, BBOX(170,-1,-170,1))", ((170, -1, 180, 1), (-180, -1, -170, 1))),
        ("S_INTERSECTS(POINT(1 2), POINT(1 2))", None), ("S_INTERSECTS(geometry, POLYGON EMPTY)", None), ("height > 3", None),
    ],
)  # fmt: skip
def test_what_an_expression_demands_of_place(text: str, demands: object) -> None:
    assert boxes(cql2.parse_text(text)) == demands
