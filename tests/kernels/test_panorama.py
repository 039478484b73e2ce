"""Shares of the sphere, upright lines and points against what is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twintown.kernels.panorama import free_metres, free_points, shares
from twintown.kernels.zbuffer import NOTHING, first_seen, first_seen_parallel


def quad(*corners: tuple[float, float, float]) -> np.ndarray:
    a, b, c, d = (np.array(one, float) for one in corners)
    return np.array([[a, b, c], [a, c, d]])


WALL = quad((-50, 30, 0), (50, 30, 0), (50, 30, 10), (-50, 30, 10))
NOBODY = np.zeros(2, np.int32)


def test_an_open_plain_is_half_sky_and_half_ground() -> None:
    share = shares(np.zeros((0, 3, 3)), np.zeros(0, np.int32), 1, np.array([[0.0, 0.0, 1.6]]), 64)[0]
    assert share == pytest.approx([0.0, 0.5, 0.5])


def test_a_rectangle_takes_its_solid_angle() -> None:
    wall = quad((-5, 10, 22), (5, 10, 22), (5, 10, 38), (-5, 10, 38))
    share = shares(wall, NOBODY, 1, np.array([[0.0, 0.0, 30.0]]), 256)[0, 0]
    solid = 4 * math.asin(5 * 8 / math.sqrt((5**2 + 10**2) * (8**2 + 10**2)))
    assert share == pytest.approx(solid / (4 * math.pi), abs=5e-4)


def test_what_stands_before_another_takes_its_share_and_all_shares_are_one() -> None:
    both = np.concatenate([WALL, WALL + np.array([0.0, 20.0, 0.0])])
    owner = np.array([0, 0, 1, 1], np.int32)
    eye = np.array([[0.0, 0.0, 1.6], [0.0, 40.0, 1.6]])
    share = shares(both, owner, 2, eye, 128)
    assert share[0, 1] == 0.0  # hidden behind the first of the same height
    assert (share[1, :2] > 0).all()
    assert share.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_a_line_is_free_above_the_wall_and_its_own_body_hides_nothing() -> None:
    free, lowest = free_metres(WALL, NOBODY, np.array([0.0, 0.0, 1.6]), np.array([0.0, 90.0]), 0.0, 80.0)
    assert free == pytest.approx(80.0 - (1.6 + 8.4 * 3))
    assert lowest == pytest.approx(1.6 + 8.4 * 3)
    assert (
        free_metres(WALL, NOBODY, np.array([0.0, 0.0, 1.6]), np.array([0.0, 90.0]), 0.0, 80.0, 0)[0] == 80.0
    )


def test_two_walls_that_overlap_hide_their_union_once() -> None:
    both = np.concatenate([WALL, WALL + np.array([0.0, 1.0, 0.5])])
    free, _ = free_metres(
        both, np.zeros(4, np.int32), np.array([0.0, 0.0, 1.6]), np.array([0.0, 90.0]), 0.0, 80.0
    )
    assert free == pytest.approx(80.0 - max(1.6 + 8.4 * 3, 1.6 + 8.9 * 90 / 31))


def test_points_behind_a_wall_are_hidden_and_those_before_it_are_not() -> None:
    points = np.array(
        [[0.0, 90.0, 20.0], [0.0, 29.0, 5.0], [0.0, 90.0, 40.0], [0.0, -90.0, 20.0], [160.0, 90.0, 20.0]]
    )
    assert free_points(WALL, np.array([0.0, 0.0, 1.6]), points).tolist() == [False, True, True, True, True]


def test_the_nearer_triangle_is_seen_with_its_depth_and_the_first_of_two_in_one_plane() -> None:
    near = np.array([[[-2.0, -2.0, 4.0], [2.0, -2.0, 4.0], [0.0, 3.0, 4.0]]])
    scene = np.concatenate([near * [1, 1, 2], near, near])
    seen, inverse = first_seen(scene, 1.0, 1.0, 64, 64)
    assert seen[32, 32] == 1
    assert inverse[32, 32] == pytest.approx(0.25)
    assert seen[0, 0] == NOTHING
    again, _ = first_seen(scene, 1.0, 1.0, 64, 64, threads=3)
    assert np.array_equal(seen, again)


def test_a_triangle_through_the_eyes_plane_is_cut_by_nobody() -> None:
    floor = np.array(
        [[[-50.0, 2.0, -50.0], [50.0, 2.0, -50.0], [0.0, 2.0, 900.0]]]
    )  # 2 m below, from behind to far ahead
    seen, inverse = first_seen(floor, 1.0, 1.0, 50, 50)
    y = -1.0 + (np.arange(50) + 0.5) * 0.04
    below = y > 0.05
    assert (seen[below, 25] == 0).all()
    assert (seen[~below & (y < 0), 25] == NOTHING).all()
    assert inverse[below, 25] == pytest.approx(y[below] / 2.0)


def test_parallel_rays_meet_the_highest_that_faces_them() -> None:
    low = np.array([[[0.0, 0.0, 1.0], [9.0, 0.0, 1.0], [0.0, 9.0, 1.0]]])
    scene = np.concatenate([low, low + np.array([0, 0, 4]), (low + np.array([0, 0, 9]))[:, ::-1]])
    heights = first_seen_parallel(scene, 10, 10, -5.0, 2)
    assert heights[2, 2] == 5.0
    assert heights[9, 9] == -5.0
