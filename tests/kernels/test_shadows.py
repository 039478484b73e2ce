"""The height-field sweep on small fields."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twintown.kernels.shadows import Field, edit_counts, lit_counts, lit_masks


def towards(bearing_deg: float, altitude_deg: float) -> list[float]:
    b, a = math.radians(bearing_deg), math.radians(altitude_deg)
    return [math.sin(b) * math.cos(a), math.cos(b) * math.cos(a), math.sin(a)]


def block() -> np.ndarray:
    heights = np.zeros((60, 80), np.float32)
    heights[30:34, 40:44] = 10.0
    return heights


def test_flat_ground_is_lit_everywhere() -> None:
    field = Field.of(np.zeros((17, 23), np.float32), 1.0)
    assert lit_masks(field, np.array([towards(b, 20) for b in range(0, 360, 30)])).all()


@pytest.mark.parametrize(("bearing", "step"), [(180, (-1, 0)), (0, (1, 0)), (90, (0, -1)), (270, (0, 1))])
def test_a_block_shades_ten_cells_away_from_a_sun_at_45_degrees(
    bearing: float, step: tuple[int, int]
) -> None:
    mask = lit_masks(Field.of(block(), 1.0), np.array([towards(bearing, 45.0)]))[0]
    r, c = (30 if step[0] <= 0 else 33), (40 if step[1] <= 0 else 43)
    line = [int(mask[r + k * step[0], c + k * step[1]]) for k in range(14)]
    assert line[0] == 1
    assert line[1:10] == [0] * 9
    assert line[11:] == [1] * 3


def test_a_sun_of_the_other_half_of_the_circle_mirrors_the_shadow() -> None:
    heights = np.zeros((41, 41), np.float32)
    heights[20, 20] = 6.0
    east = lit_masks(Field.of(heights, 1.0), np.array([towards(110, 25)]))[0]
    west = lit_masks(Field.of(heights, 1.0), np.array([towards(250, 25)]))[0]
    north = lit_masks(Field.of(np.ascontiguousarray(heights.T), 1.0), np.array([towards(340, 25)]))[0]
    assert np.array_equal(east, west[:, ::-1])
    assert (north == 0).sum() == (west == 0).sum()


def test_counts_are_the_sum_of_the_masks_for_any_number_of_threads() -> None:
    field = Field.of(block(), 1.0)
    suns = np.array([towards(b, 15 + b / 20) for b in range(100, 261, 8)])
    masks = lit_masks(field, suns, 2)
    for threads in (1, 2, 3):
        assert np.array_equal(lit_counts(field, suns, threads), masks.sum(axis=0))


@pytest.mark.parametrize("height", [0.0, 4.0, 25.0])
def test_an_edit_changes_exactly_what_two_full_sweeps_would(height: float) -> None:
    heights = block()
    heights[10:20, 10:30] = 7.0
    suns = np.array([towards(b, 12 + b / 30) for b in range(95, 266, 10)])
    field = Field.of(heights, 1.0)
    new = heights.copy()
    new[30:34, 40:44] = height
    delta, (r, c, rows, cols) = edit_counts(field, 30, 40, np.ascontiguousarray(new[30:34, 40:44]), suns)
    whole = np.zeros(heights.shape, int)
    whole[r : r + rows, c : c + cols] = delta
    expected = lit_counts(Field.of(new, 1.0), suns).astype(int) - lit_counts(field, suns)
    assert np.array_equal(whole, expected)


def test_a_sun_below_the_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match="above the horizon"):
        lit_masks(Field.of(block(), 1.0), np.array([towards(180, -1)]))
