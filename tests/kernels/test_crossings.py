"""Crossing times of facade points, against rays cast minute by minute."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twintown.kernels.crossings import Columns, Curtains, Sun, grab, lit_time, pulled

LAT, DEC = math.radians(37.5), math.radians(-23.44)
CIRCLE = np.array(
    [
        [0.0, math.cos(LAT) * math.sin(DEC), math.sin(LAT) * math.sin(DEC)],
        [0.0, -math.sin(LAT) * math.cos(DEC), math.cos(LAT) * math.cos(DEC)],
        [-math.cos(DEC), 0.0, 0.0],
    ]
)


def angle(minutes: float) -> float:
    return (minutes - 720.0) * 2 * math.pi / 1440.0


SUN = Sun(CIRCLE, np.array([[angle(480), angle(960)]]), np.array([angle(540), angle(900)]), 0.12)
NOTHING = Curtains(np.zeros((0, 8)), np.zeros(1, np.int64), np.zeros((0, 4)), np.zeros(0, np.int64))


def wall(normal: tuple[float, float], heights: list[float]) -> Columns:
    return Columns(np.array([[0.0, 0.0, *normal]]), np.array([0, len(heights)]), np.array(heights))


def block(x0: float, y0: float, x1: float, y1: float, top: float, base: float = 0.0) -> Curtains:
    ring = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    rest = np.tile([top, top, base, float(base <= 0)], (4, 1))
    disc = np.array([[(x0 + x1) / 2, (y0 + y1) / 2, math.hypot(x1 - x0, y1 - y0) / 2, top]])
    return Curtains(np.hstack([ring, np.roll(ring, -1, axis=0), rest]), np.array([0, 4]), disc, np.array([0]))


def test_a_wall_facing_south_on_open_ground_sees_the_whole_window() -> None:
    total, run = lit_time(wall((0.0, -1.0), [1.5, 30.0]), NOTHING, SUN)
    assert total == pytest.approx([480, 480], abs=1e-3)
    assert run == pytest.approx([360, 360], abs=1e-3)


def test_a_wall_facing_north_sees_no_winter_sun() -> None:
    total, run = lit_time(wall((0.0, 1.0), [1.5]), NOTHING, SUN)
    assert total[0] == 0
    assert run[0] == 0


def test_a_wall_facing_east_loses_the_sun_at_noon() -> None:
    total, run = lit_time(wall((1.0, 0.0), [1.5]), NOTHING, SUN)
    assert total[0] == pytest.approx(240, abs=0.01)
    assert run[0] == pytest.approx(180, abs=0.01)


def test_a_tall_block_takes_the_time_in_which_the_sun_stands_behind_it() -> None:
    total, _ = lit_time(wall((0.0, -1.0), [2.0]), block(-10, -40, 10, -30, 500.0), SUN)
    minutes = np.arange(480, 960, 0.01)
    theta = (minutes - 720) * 2 * np.pi / 1440
    s = CIRCLE[0] + np.cos(theta)[:, None] * CIRCLE[1] + np.sin(theta)[:, None] * CIRCLE[2]
    behind = np.abs(s[:, 0] / -s[:, 1]) < 10 / 30
    assert total[0] == pytest.approx(480 - behind.mean() * 480, abs=0.1)


def test_a_point_above_a_block_is_not_shaded_by_it() -> None:
    total, _ = lit_time(wall((0.0, -1.0), [2.0, 30.0]), block(-50, -40, 50, -30, 20.0), SUN)
    assert total[0] < 200
    assert total[1] == pytest.approx(480, abs=1e-3)


def test_the_sun_comes_in_under_a_raised_block() -> None:
    low, _ = lit_time(wall((0.0, -1.0), [2.0]), block(-60, -60, 60, -40, 90.0), SUN)
    raised, _ = lit_time(wall((0.0, -1.0), [2.0]), block(-60, -60, 60, -40, 90.0, 22.0), SUN)
    assert raised[0] > low[0] + 30


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_a_pulled_block_gives_what_a_full_answer_gives(share: float) -> None:
    other = block(20, -60, 40, -50, 45.0)
    mine = block(-10, -40, 10, -30, 40.0)
    both = Curtains(
        np.vstack([mine.segments, other.segments]),
        np.array([0, 4, 8]),
        np.vstack([mine.disc, other.disc]),
        np.array([0, 1]),
    )
    columns = wall((0.0, -1.0), [1.5, 12.0, 24.0])
    held = grab(columns, both, SUN, 0, 2.0)
    now = block(-10, -40, 10, -30, max(80.0 * share, 1e-9))
    full = Curtains(
        np.vstack([now.segments, other.segments]),
        np.array([0, 4, 8]),
        np.vstack([now.disc, other.disc]),
        np.array([0, 1]),
    )
    expected = lit_time(columns, full, SUN)
    answer = pulled(columns, held, SUN, share)
    assert answer[0] == pytest.approx(expected[0][held.points], abs=1e-3)
    assert answer[1] == pytest.approx(expected[1][held.points], abs=1e-3)
