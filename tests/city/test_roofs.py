"""Roofs are real geometry: closed, as high as they are said to be, over any polygon."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from twintown.city.roofs import ROOF_SHAPES, boundary, roof_edges, roof_tin, solid
from twintown.ground.errors import BadInput

BOX = shapely.box(0, 0, 20, 10)
ELL = shapely.Polygon([(0, 0), (20, 0), (20, 8), (8, 8), (8, 20), (0, 20)])
COURT = shapely.Polygon([(0, 0), (30, 0), (30, 20), (0, 20)], [[(8, 6), (22, 6), (22, 14), (8, 14)]])
STRAIGHT = shapely.Polygon([(0, 0), (5, 0), (10, 0), (20, 0), (20, 10), (10, 10), (0, 10), (0, 5)])
PLACES = {
    "box": BOX,
    "ell": ELL,
    "court": COURT,
    "straight": STRAIGHT,
    "jamsil": affinity.translate(affinity.rotate(ELL, 23), 209076.123, 545900.77),
}


def plan_area(vertices, triangles) -> float:
    a, b, c = (vertices[triangles[:, k], :2] for k in range(3))
    return float(
        np.sum((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / 2
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", ROOF_SHAPES)
@pytest.mark.parametrize("direction", [math.nan, 30.0, 200.0])
def test_every_roof_makes_a_closed_body_of_the_stated_heights(place, shape, direction):
    polygon = PLACES[place]
    eave = 8.0 if shape == "flat" else 5.0
    body = solid(polygon, 2.0, eave, 8.0, shape, direction, owner=7)
    assert body.is_closed()
    assert body.vertices[:, 2].min() == 2.0
    assert body.vertices[:, 2].max() == pytest.approx(8.0, abs=1e-9)
    assert (eave - 2.0) * polygon.area - 1e-3 <= body.volume() <= 6.0 * polygon.area + 1e-3
    assert (body.feature == 7).all()
    vertices, triangles = roof_tin(polygon, eave, 8.0, shape, direction)
    assert plan_area(vertices, triangles) == pytest.approx(polygon.area, abs=0.02)
    assert vertices[:, 2].min() >= eave - 1e-9


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        ("flat", 8.0),
        ("skillion", 6.5),
        ("gabled", 6.5),
        ("pyramidal", 6.0),
        ("hipped", 5.0 + 3.0 * (20 / 2 - 10 / 6) / 20),
    ],
)
def test_volumes_over_a_rectangle_are_those_of_the_textbook(shape, volume):
    eave = 8.0 if shape == "flat" else 5.0
    assert solid(BOX, 0.0, eave, 8.0, shape).volume() == pytest.approx(volume * BOX.area, rel=1e-4)


def test_a_skillion_slopes_down_towards_its_direction():
    vertices, _ = roof_tin(BOX, 5.0, 8.0, "skillion", 90.0)
    assert vertices[vertices[:, 0] == 20.0, 2].tolist() == [5.0, 5.0]
    assert vertices[vertices[:, 0] == 0.0, 2].tolist() == [8.0, 8.0]
    north, _ = roof_tin(BOX, 5.0, 8.0, "skillion", 0.0)
    assert north[north[:, 1] == 10.0, 2].max() == 5.0


def test_azimuths_are_turned_into_the_grids():
    turned, _ = roof_tin(BOX, 5.0, 8.0, "skillion", 92.0, convergence_deg=2.0)
    assert np.allclose(turned, roof_tin(BOX, 5.0, 8.0, "skillion", 90.0)[0])


def test_a_ridge_runs_along_the_longer_side_unless_it_is_said_to_run_across():
    along, _ = roof_tin(BOX, 5.0, 8.0, "gabled")
    assert np.ptp(along[np.isclose(along[:, 2], 8.0), 0]) == pytest.approx(20.0)
    across, _ = roof_tin(BOX, 5.0, 8.0, "gabled", across=True)
    assert np.ptp(across[np.isclose(across[:, 2], 8.0), 1]) == pytest.approx(10.0)


def test_a_roof_that_sits_on_the_ground_is_closed_too():
    for shape in ("skillion", "gabled", "hipped", "pyramidal"):
        body = solid(BOX, 0.0, 0.0, 3.0, shape)
        assert body.is_closed(), shape
        assert body.volume() > 0


def test_edges_for_shadows_are_the_outline_and_the_creases():
    assert len(roof_edges(*roof_tin(BOX, 8.0, 8.0, "flat"))) == 4  # the diagonal is in one plane
    gable = roof_edges(*roof_tin(BOX, 5.0, 8.0, "gabled"))
    assert len(gable) == 7
    assert (np.isclose(gable[:, :, 2], 8.0).all(axis=1)).sum() == 1  # the ridge
    assert len(roof_edges(*roof_tin(COURT, 8.0, 8.0, "flat"))) == 8


def test_the_outline_has_the_roof_to_its_left():
    vertices, triangles = roof_tin(COURT, 8.0, 8.0)
    a, b = vertices[boundary(triangles)].transpose(1, 0, 2)[:, :, :2]
    left = (a + b) / 2 + 0.1 * np.column_stack([-(b - a)[:, 1], (b - a)[:, 0]]) / np.hypot(*(b - a).T)[
        :, None
    ]
    assert shapely.contains(COURT, shapely.points(left)).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((BOX, 5.0, 8.0, "onion"), "unknown roof shape"),
        ((BOX, 9.0, 8.0, "flat"), "below the eave"),
        ((shapely.Point(0, 0), 5.0, 8.0, "flat"), "not on a Point"),
    ],
)
def test_what_cannot_be_a_roof_is_refused(arguments, words):
    with pytest.raises(BadInput, match=words):
        roof_tin(*arguments)
    with pytest.raises(BadInput, match="floor"):
        solid(BOX, 9.0, 8.0, 8.5)


@settings(max_examples=60, deadline=None)
@given(
    radii=st.lists(st.floats(3, 30), min_size=3, max_size=24), shape=st.sampled_from(ROOF_SHAPES), direction=st.floats(0, 359),
    turn=st.floats(0, 6.3),
)  # fmt: skip
def test_any_star_gets_a_closed_roof(radii, shape, direction, turn):
    angle = turn + np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    star = shapely.Polygon(
        np.column_stack([np.cos(angle), np.sin(angle)]) * np.array(radii)[:, None] + (209000.0, 545000.0)
    )
    body = solid(star, 0.0, 9.0 if shape == "flat" else 4.0, 9.0, shape, direction)
    assert body.is_closed()
    assert 4.0 * star.area * 0.999 <= body.volume() <= 9.0 * star.area * 1.001
