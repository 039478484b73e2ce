"""What one eye sees of a height field, against every line of sight and against walls that a pencil can draw."""

from __future__ import annotations

import numpy as np
import pytest

from twintown.kernels.viewshed import EARTH_M, UNKNOWN, needed_heights, tower_metres


def wall(top: float = 12.0) -> np.ndarray:
    heights = np.zeros((21, 121), np.float32)
    heights[:, 50] = top
    return heights


def test_a_wall_hides_what_lies_below_the_line_over_its_near_edge() -> None:
    needed = needed_heights(wall(), 1.0, 10, 0, 1.6, curved=False)[10]
    x = np.arange(121.0)
    exact = np.where(x > 50, 1.6 + (12.0 - 1.6) * x / 49.5, 0.0)
    assert np.abs(needed - exact)[51:].max() < 1e-3
    assert (needed[:50] == 0).all()


def test_a_mast_is_seen_as_far_down_as_the_line_over_the_wall() -> None:
    metres = tower_metres(wall(), 1.0, 10, 0, 0.0, 100.0, 1.6, curved=False)[10]
    x = np.arange(121.0)
    exact = np.where(
        x > 50, np.clip(100.0 - (1.6 + (12.0 - 1.6) * x / np.where(x > 50, x - 50.5, 1.0)), 0, 100), 100.0
    )
    assert np.abs(metres - exact)[1:].max() < 1e-3


def test_seeing_and_being_seen_agree_between_two_cells() -> None:
    rng = np.random.default_rng(5)
    heights = np.zeros((31, 31), np.float32)
    for _ in range(9):
        r, c = rng.integers(0, 26, 2)
        heights[r : r + 4, c : c + 4] = rng.uniform(3, 20)
    heights[15, 15] = 0.0
    seen = np.clip(40.0 - needed_heights(heights, 1.0, 15, 15, 1.6, curved=False, rays=16), 0, None)
    for row, col in ((2, 3), (15, 30), (28, 9), (0, 15)):
        alone = heights.copy()
        base = float(alone[row, col])
        back = tower_metres(alone, 1.0, row, col, base, base + 40.0, 1.6, curved=False, rays=16)[15, 15]
        assert abs(float(back) - float(seen[row, col])) < 0.6  # half a cell of a ray's way beside the middle


@pytest.mark.parametrize(("row", "col"), [(0, 0), (20, 7), (10, 60)])
def test_every_cell_of_the_field_is_answered_once_wherever_the_eye_stands(row: int, col: int) -> None:
    needed = needed_heights(np.zeros((21, 61 + 60), np.float32), 1.0, row, col, 1.6, curved=False)
    assert (needed == 0).all()


def test_turning_the_field_turns_the_answer() -> None:
    heights = wall()
    heights[3:7, 20:24] = 8.0
    here = needed_heights(heights, 1.0, 10, 10, 1.6)
    there = needed_heights(np.ascontiguousarray(heights[::-1, ::-1]), 1.0, 10, 110, 1.6)
    assert (
        here != there[::-1, ::-1]
    ).mean() < 0.005  # cells that two rays pass equally near take one of them


def test_the_earth_hides_the_foot_of_what_is_far_and_refraction_gives_some_back() -> None:
    plain = np.zeros((1, 801), np.float32)
    bare = needed_heights(plain, 50.0, 0, 0, 1.6, refraction=0.0)[0, -1]
    bent = needed_heights(plain, 50.0, 0, 0, 1.6)[0, -1]
    horizon = (2 * EARTH_M * 1.6) ** 0.5
    assert bare == pytest.approx((40_000 - horizon) ** 2 / (2 * EARTH_M), abs=0.5)
    assert bent < bare - 10


def test_beyond_the_range_nothing_is_known_and_threads_change_nothing() -> None:
    heights = wall()
    near = needed_heights(heights, 1.0, 10, 60, 1.6, range_m=25.0)
    away = np.hypot(*np.meshgrid(np.arange(121.0) - 60, np.arange(21.0) - 10))
    assert np.array_equal(near == UNKNOWN, away > 25.0)
    assert np.array_equal(
        needed_heights(heights, 1.0, 10, 60, 1.6, threads=1),
        needed_heights(heights, 1.0, 10, 60, 1.6, threads=3),
    )
    with pytest.raises(ValueError, match="outside"):
        needed_heights(heights, 1.0, 21, 0, 1.6)


def test_another_field_than_the_exact_lines_differs_in_few_cells() -> None:
    from validation.view_exact import exact_needed, town

    heights = town(11, 33)
    heights[16, 16] = 0.0
    exact = exact_needed(heights, 16, 16, 1.6)
    found = needed_heights(heights, 1.0, 16, 16, 1.6, curved=False)
    assert ((exact <= 2.0) != (found <= 2.0)).mean() < 0.015
