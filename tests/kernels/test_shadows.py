"""The height-field sweep on small fields."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twintown.kernels.shadows import Field, Tile, edit_counts, halo_cells, lit_counts, lit_masks


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


def test_a_sun_of_the_other_half_of_the_circle_mirrors_the_shadow_to_a_cell() -> None:
    heights = np.zeros((41, 41), np.float32)
    heights[20, 20] = 6.0
    east = lit_masks(Field.of(heights, 1.0), np.array([towards(110, 25)]))[0]
    west = lit_masks(Field.of(heights, 1.0), np.array([towards(250, 25)]))[0]
    north = lit_masks(Field.of(np.ascontiguousarray(heights.T), 1.0), np.array([towards(340, 25)]))[0]
    # lines are laid by the whole grid's rows, so the mirrored shadow may lie half a cell aside, as long in every column
    assert np.array_equal((east == 0).sum(axis=0), (west == 0).sum(axis=0)[::-1])
    apart = np.argwhere(east == 0)[:, 0].mean() - np.argwhere(west == 0)[:, 0].mean()
    assert abs(apart) <= 1.0
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


def random_town(seed: int, rows: int, cols: int, most: float = 40.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    heights = np.zeros((rows, cols), np.float32)
    for _ in range(rows * cols // 400):
        r, c = rng.integers(0, rows - 6), rng.integers(0, cols - 6)
        heights[r : r + rng.integers(2, 14), c : c + rng.integers(2, 14)] = rng.uniform(2, most)
    return heights


@pytest.mark.parametrize("seed", range(6))
def test_tiles_with_their_halo_give_the_bytes_of_the_whole_field(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, cols = int(rng.integers(150, 330)), int(rng.integers(150, 330))
    heights = random_town(seed, rows, cols)
    cell = float(rng.choice([0.5, 1.0, 2.0]))
    suns = np.array(
        [towards(b, a) for b, a in zip(rng.uniform(0, 360, 9), rng.uniform(18, 70, 9), strict=True)]
    )
    whole = lit_counts(Field.of(heights, cell), suns)
    halo = halo_cells(float(heights.max()), suns, cell)
    joined = np.zeros_like(whole)
    side = int(rng.integers(31, 90))
    for r in range(0, rows, side):
        for c in range(0, cols, side):
            tile = Tile(r, min(rows, r + side), c, min(cols, c + side))
            r0, c0 = max(0, r - halo), max(0, c - halo)
            block = heights[r0 : tile.row1 + halo, c0 : tile.col1 + halo]
            joined[r : tile.row1, c : tile.col1] = lit_counts(Field.of(block, cell, r0, c0), suns, 1, tile)
    assert np.array_equal(joined, whole)


def test_half_the_halo_is_not_enough() -> None:
    heights = np.zeros((20, 300), np.float32)
    heights[:, 250] = 40.0
    suns = np.array([towards(90, 18.0)])
    whole = lit_counts(Field.of(heights, 1.0), suns)
    halo = halo_cells(40.0, suns, 1.0)
    tile = Tile(0, 20, 100, 140)
    near = lit_counts(Field.of(heights[:, 100 : 140 + halo], 1.0, 0, 100), suns, 1, tile)
    short = lit_counts(Field.of(heights[:, 100 : 140 + halo // 2], 1.0, 0, 100), suns, 1, tile)
    assert np.array_equal(near, whole[:, 100:140])
    assert not np.array_equal(short, near)
