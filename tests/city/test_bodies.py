"""Bodies of parts: closed, outwards, and the same volume as the solids of `roofs`."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from twintown.city import roofs
from twintown.city.bodies import FLOOR, ROOF, WALL, Bodies, bodies, surfaces
from twintown.ground.frames import Frame

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
X, Y = 208_500.0, 546_000.0


def _make(
    outlines: list[Any], base: list[float], eave: list[float], top: list[float], shape: str = "flat"
) -> Bodies:
    n = len(outlines)
    arrays = (np.array(one, float) for one in (base, eave, top))
    return bodies(
        np.array(outlines, object),
        *arrays,
        np.full(n, shape, object),
        np.full(n, math.nan),
        np.zeros(n, bool),
        FRAME,
    )


def _faces(made: Bodies, body: int) -> list[list[list[int]]]:
    return [
        [
            made.corners[made.rings[r] : made.rings[r + 1]].tolist()
            for r in range(made.faces[f], made.faces[f + 1])
        ]
        for f in range(made.bodies[body], made.bodies[body + 1])
    ]


def _closed(faces: list[list[list[int]]]) -> bool:
    edges = Counter((ring[i - 1], ring[i]) for face in faces for ring in face for i in range(len(ring)))
    return all(count == 1 and edges[(b, a)] == 1 for (a, b), count in edges.items())


def _volume(made: Bodies, body: int) -> float:
    xyz, total = made.vertices - made.vertices[0], 0.0
    for face in _faces(made, body):
        for ring in face:
            for i in range(1, len(ring) - 1):
                total += float(np.dot(xyz[ring[0]], np.cross(xyz[ring[i]], xyz[ring[i + 1]]))) / 6.0
    return total


def test_a_flat_part_with_a_courtyard_is_closed_and_has_its_volume() -> None:
    made = _make(
        [box(X, Y, X + 30, Y + 20).difference(box(X + 5, Y + 5, X + 15, Y + 10))], [0.0], [9.0], [9.0]
    )
    assert _closed(_faces(made, 0))
    assert _volume(made, 0) == pytest.approx((600 - 50) * 9.0)
    assert Counter(made.kinds.tolist()) == {FLOOR: 1, ROOF: 1, WALL: 8}


def test_every_polygon_of_a_part_is_a_body_and_owners_ascend() -> None:
    two = shapely.MultiPolygon([box(X, Y, X + 1, Y + 1), box(X + 5, Y, X + 7, Y + 1)])
    made = _make([two, box(X, Y + 9, X + 2, Y + 11), two], [0.0, 5.0, 1.0], [3.0, 4.0, 2.0], [3.0, 4.0, 2.0])
    assert made.owner.tolist() == [0, 0, 2, 2], "a top below its base is no body"
    assert [round(_volume(made, body)) for body in range(4)] == [3, 6, 1, 2]
    assert made.vertex_owner.tolist() == [0] * 48 + [2] * 48


@pytest.mark.parametrize("shape", ["skillion", "gabled", "hipped", "pyramidal"])
def test_a_pitched_part_is_closed_and_its_faces_know_what_they_are(shape: str) -> None:
    outline = box(X, Y, X + 12, Y + 8)
    made = _make([outline], [0.0], [3.0], [5.0], shape)
    assert _closed(_faces(made, 0))
    assert _volume(made, 0) == pytest.approx(roofs.solid(outline, 0.0, 3.0, 5.0, shape).volume(), rel=1e-3)
    assert set(made.kinds.tolist()) == {FLOOR, WALL, ROOF}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=9, unique=True),
    st.floats(0.5, 80),
)
def test_any_outline_makes_a_closed_body(corners: list[tuple[float, float]], top: float) -> None:
    outline = shapely.set_precision(
        shapely.convex_hull(shapely.MultiPoint([(X + x, Y + y) for x, y in corners])), 0.001
    )
    if outline.geom_type != "Polygon" or outline.area < 1.0:
        return
    made = _make([outline], [0.0], [top], [top])
    assert _closed(_faces(made, 0))
    assert _volume(made, 0) == pytest.approx(outline.area * top, rel=0.02)


def test_surfaces_lie_flat_and_look_up() -> None:
    made = surfaces(np.array([None, box(X, Y, X + 2, Y + 1), shapely.Point(X, Y)], object), 15.0)
    assert made.owner.tolist() == [1]
    assert set(made.vertices[:, 2].tolist()) == {15.0}
    ring = made.vertices[made.corners[: made.rings[1]]][:, :2]
    assert shapely.LinearRing(ring).is_ccw
