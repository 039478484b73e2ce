"""Ways of a sound past walls and blocks that a pencil can draw; more in `validation/sound_screen.py`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from twintown.kernels.sound import BANDS_HZ, atmospheric, detours, screening

pytestmark = pytest.mark.slow  # the compiler

Floats = NDArray[np.float64]
SOURCE = (0.0, 0.0, 4.0)


def ways(segments: Floats, at: tuple[float, float, float]) -> Floats:
    first = np.array([0, len(segments)], np.int64)
    one = np.array([0, 1], np.int64)
    return detours(np.array(SOURCE), np.array([at[:2]]), one, np.array([at[2]]), segments, first)


def wall(x: float, half: float, top: float, base: float = 0.0) -> Floats:
    return np.array([[x, -half, x, half, top, top, base, 0.0]])


def test_a_wall_bends_the_sound_over_its_top_and_around_both_ends() -> None:
    found = ways(wall(20.0, 30.0, 10.0), (50.0, 0.0, 4.0))[0]
    assert found[0, 0] == pytest.approx(math.hypot(20, 6) + math.hypot(30, 6) - 50)
    assert found[1, 0] == pytest.approx(math.hypot(20, 30) + math.hypot(30, 30) - 50)
    assert found[2] == pytest.approx(found[1])


def test_a_wall_beside_the_line_is_in_nobodys_way() -> None:
    aside = np.array([[20.0, 1.0, 20.0, 30.0, 10.0, 10.0, 0.0, 0.0]])
    assert screening(ways(aside, (50.0, 0.0, 4.0))).max() == 0.0


def test_a_bridge_above_the_line_is_in_nobodys_way() -> None:
    assert screening(ways(wall(20.0, 30.0, 10.0, base=6.0), (50.0, 0.0, 4.0))).max() == 0.0


def test_a_higher_wall_weakens_more_and_high_notes_most() -> None:
    low, high = (screening(ways(wall(20.0, 1e4, top), (50.0, 0.0, 1.5)))[0] for top in (5.0, 8.0))
    assert (high >= low).all() and (np.diff(low) >= 0.0).all() and high[4] > low[4] + 3


def test_a_slim_pole_weakens_less_than_a_wide_wall_as_high() -> None:
    slim, wide = (screening(ways(wall(20.0, half, 30.0), (50.0, 0.0, 1.5)))[0] for half in (1.0, 100.0))
    assert (slim < wide - 5).all()


def test_a_top_just_below_the_line_of_sight_weakens_low_notes_a_little() -> None:
    found = screening(ways(wall(25.0, 1e4, 3.9), (50.0, 0.0, 4.0)))[0]
    assert 0.0 < found[-1] <= found[0] < 4.8
    assert screening(ways(wall(25.0, 1e4, 1.0), (50.0, 0.0, 4.0)))[0, -1] == 0.0


def test_air_takes_its_share_by_the_kilometre() -> None:
    assert atmospheric(np.array([1000.0]))[0].tolist() == [0.1, 0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6]
    assert len(BANDS_HZ) == 8


def test_nobody_asks_nobody_answers() -> None:
    none = detours(
        np.array(SOURCE),
        np.zeros((0, 2)),
        np.zeros(1, np.int64),
        np.zeros(0),
        wall(1.0, 1.0, 1.0),
        np.array([0, 1], np.int64),
    )
    assert none.shape == (0, 3, 4) and screening(none).shape == (0, 8)
