"""Rays to the sun against triangles, and against the panorama that does the same in another way."""

from __future__ import annotations

import numpy as np
import pytest

from twintown.kernels.panorama import free_points
from twintown.kernels.rays import discs_of, free_rays

pytestmark = pytest.mark.slow  # it is compiled first

WALL = np.array([[[-5.0, 10, 0], [5, 10, 0], [5, 10, 8]], [[-5, 10, 0], [5, 10, 8], [-5, 10, 8]]])


def ray(azimuth_deg: float, altitude_deg: float) -> np.ndarray:
    a, h = np.radians([azimuth_deg, altitude_deg])
    return np.array([[np.sin(a) * np.cos(h), np.cos(a) * np.cos(h), np.sin(h)]])


@pytest.mark.parametrize(
    ("azimuth", "altitude", "free"),
    [(0, 30, False), (0, 45, True), (180, 5, True), (25, 30, False), (30, 30, True)],
)
def test_a_wall_hides_what_is_behind_it_and_lower(azimuth: float, altitude: float, free: bool) -> None:
    assert free_rays(WALL, np.array([[0.0, 0.0, 1.0]]), ray(azimuth, altitude)).tolist() == [[free]]


def test_a_roof_hides_what_is_above_whoever_stands_under_it() -> None:
    roof = np.array([[[-2.0, -2, 3], [2, -2, 3], [2, 2, 3]], [[-2, -2, 3], [2, 2, 3], [-2, 2, 3]]])
    points = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 4.0]])
    assert free_rays(roof, points, ray(200, 70)).tolist() == [[False], [True]]


def test_nothing_hides_nothing() -> None:
    nothing = np.zeros((0, 3, 3))
    assert discs_of(nothing).shape == (0, 4)
    assert free_rays(nothing, np.zeros((2, 3)), ray(10, 10)).all()
    assert free_rays(WALL, np.zeros((2, 3)), np.zeros((0, 3))).shape == (2, 0)


@pytest.mark.parametrize("turn", [90.0, 360.0])
def test_the_panorama_agrees_on_random_triangles_also_where_the_directions_go_all_round(turn: float) -> None:
    rng = np.random.default_rng(3)
    corners = rng.uniform(-60, 60, (300, 1, 3)) + rng.uniform(-9, 9, (300, 3, 3))
    points = rng.uniform(-20, 20, (7, 3))
    rays = np.concatenate(
        [ray(a, h) for a, h in zip(rng.uniform(0, turn, 60), rng.uniform(1, 80, 60), strict=True)]
    )
    told = free_rays(corners, points, rays)
    exact = np.array([free_points(corners, p, p + rays * 1e4) for p in points])
    assert (told == exact).all() and told.any() and not told.all()
