"""Shapes and boxes: the kernel's sure answers are those of GEOS."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.kernels.touching import APART, MEETS, UNSURE, touching

#: Tenths, so that edges and corners often meet.
PLACE = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda xy: (xy[0] / 10, xy[1] / 10))


@st.composite
def shapes(draw: st.DrawFn) -> shapely.Geometry:
    kind = draw(st.sampled_from(["point", "line", "area", "hole", "points", "lines", "areas", "mixed"]))
    places = draw(st.lists(PLACE, min_size=2, max_size=6, unique=True))
    line = shapely.LineString(places)
    area = line.buffer(draw(st.sampled_from([0.3, 1.0, 2.5])), quad_segs=2)
    hole = area.difference(shapely.Point(places[0]).buffer(0.8, quad_segs=2))
    return {
        "point": shapely.Point(places[0]),
        "line": line,
        "area": area,
        "hole": hole,
        "points": shapely.MultiPoint(places),
        "lines": shapely.MultiLineString([line, places[:2]]),
        "areas": shapely.union_all([hole, shapely.Point(5.5, 5.5).buffer(0.2)]),
        "mixed": shapely.GeometryCollection([line, shapely.Point(places[-1]), hole]),
    }[kind]


def ask(
    geometries: list[shapely.Geometry | None], boxes: list[tuple[float, float, float, float]]
) -> list[int]:
    wkb = [b"" if g is None else shapely.to_wkb(g, output_dimension=2, byte_order=1) for g in geometries]
    offsets = np.cumsum([0, *map(len, wkb)]).astype(np.int32)
    out = np.empty(len(wkb), np.int8)
    touching(np.frombuffer(b"".join(wkb), np.uint8), offsets, np.arange(len(wkb)), np.array(boxes), out)
    return out.tolist()


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(st.lists(shapes(), min_size=1, max_size=8), PLACE, st.sampled_from([0.1, 0.7, 3.0]))
def test_what_it_is_sure_of_is_what_geos_says(
    geometries: list[shapely.Geometry], corner: tuple[float, float], size: float
) -> None:
    box = (*corner, corner[0] + size, corner[1] + size)
    want = shapely.intersects(shapely.box(*box), geometries)
    for said, true in zip(ask(list(geometries), [box]), want, strict=True):
        assert said == UNSURE or (said == MEETS) == true


def test_a_box_inside_an_area_meets_it_and_one_inside_its_hole_does_not() -> None:
    ring = shapely.box(0, 0, 10, 10).difference(shapely.box(4, 4, 8, 8))
    assert ask([ring], [(1, 1, 2, 2)]) == [MEETS]
    assert ask([ring], [(5, 5, 6, 6.5)]) == [APART]
    assert ask([ring], [(5, 5, 6, 6), (9, 9, 12, 12)]) == [MEETS]


def test_a_line_past_the_corner_of_a_box_is_apart_though_their_boxes_meet() -> None:
    line = shapely.LineString([(0, 3), (3, 0)])
    assert ask([line], [(2, 2, 4, 4)]) == [APART]
    assert ask([line], [(1, 1, 4, 4)]) == [MEETS]


def test_a_line_through_the_very_corner_is_left_to_exact_arithmetic() -> None:
    assert ask([shapely.LineString([(0.1, 0.3), (0.3, 0.1)])], [(0.2, 0.2, 1, 1)]) == [UNSURE]


@pytest.mark.parametrize("nothing", [None, shapely.Polygon(), shapely.GeometryCollection()])
def test_what_has_no_place_meets_nothing(nothing: shapely.Geometry | None) -> None:
    assert ask([nothing], [(-180, -90, 180, 90)]) == [APART]
