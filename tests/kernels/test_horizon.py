"""Horizons by the hull against every cell of the line, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twintown.kernels.horizon import BUCKETS, Points, accumulate, halo_cells, sines
from twintown.kernels.lines import Field, Tile

FLOOR = 0.05
INDEX = np.arange(BUCKETS, dtype=np.int32)[None, :, None]


def town(seed: int, rows: int, cols: int, most: float = 30.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    heights = np.zeros((rows, cols), np.float32)
    for _ in range(max(4, rows * cols // 300)):
        r, c = rng.integers(0, rows - 5), rng.integers(0, cols - 5)
        heights[r : r + rng.integers(1, 12), c : c + rng.integers(1, 12)] = rng.uniform(1, most)
    return heights


def compass(count: int) -> np.ndarray:
    angle = np.arange(count) * 2 * math.pi / count
    return np.rint(np.column_stack([np.sin(angle), np.cos(angle)]) * 2**20) / 2**20


def one_by_one(heights: np.ndarray, direction: np.ndarray, cell: float) -> np.ndarray:
    """Bucket of each cell's horizon: the steepest of all cells of its line on the side that is looked to."""
    east, north = direction
    if abs(east) > abs(north):
        return one_by_one(np.ascontiguousarray(heights.T), np.array([-north, -east]), cell).T
    slope, towards = east / -north, 1 if north < 0 else -1
    stride = cell * math.sqrt(1 + slope * slope)
    rows, cols = heights.shape
    shift = np.floor(np.arange(rows) * slope + 0.5).astype(int)
    found = np.zeros(heights.shape, np.int64)
    for r in range(rows):
        for c in range(cols):
            best, step = 0.0, 1
            while 0 <= (q := r + towards * step) < rows:
                at = c - shift[r] + shift[q]
                if 0 <= at < cols:
                    best = max(best, (float(heights[q, at]) - float(heights[r, c])) / (step * stride))
                step += 1
            if best >= FLOOR:
                found[r, c] = min(int(math.sqrt(best * best / (1 + best * best)) * BUCKETS), BUCKETS - 1)
    return found


@pytest.mark.parametrize("bearing", range(0, 360, 25))
def test_a_horizon_is_the_steepest_of_all_cells_of_its_line(bearing: int) -> None:
    heights, angle = town(bearing, 40, 53), math.radians(bearing)
    direction = np.rint(np.array([math.sin(angle), math.cos(angle)]) * 2**20) / 2**20
    found, _ = accumulate(Field.of(heights, 2.0), direction[None], INDEX, FLOOR)
    assert np.array_equal(found[:, :, 0], one_by_one(heights, direction, 2.0))


@pytest.mark.parametrize("seed", range(4))
def test_tiles_with_their_halo_give_the_bytes_of_the_whole_field_with_any_threads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, cols = int(rng.integers(120, 260)), int(rng.integers(120, 260))
    heights, ways = town(seed, rows, cols, 6.0), compass(12)
    table = (rng.integers(0, 1000, (12, BUCKETS, 2))).astype(np.int32)
    whole, _ = accumulate(Field.of(heights, 1.0), ways, table, FLOOR, threads=2)
    halo = halo_cells(float(heights.max()), FLOOR, 1.0)
    side = int(rng.integers(29, 80))
    for r in range(0, rows, side):
        for c in range(0, cols, side):
            tile = Tile(r, min(rows, r + side), c, min(cols, c + side))
            r0, c0 = max(0, r - halo), max(0, c - halo)
            block = Field.of(heights[r0 : tile.row1 + halo, c0 : tile.col1 + halo], 1.0, r0, c0)
            part, _ = accumulate(block, ways, table, FLOOR, tile, threads=1)
            assert np.array_equal(part, whole[r : tile.row1, c : tile.col1])


def test_points_on_cells_that_look_up_see_what_the_cells_see() -> None:
    heights, ways = town(3, 60, 70), compass(24)
    rng = np.random.default_rng(3)
    seconds = rng.integers(0, 100, (24, BUCKETS)).astype(float)
    row, col = (a.ravel() for a in np.mgrid[0:60, 0:70])
    up = np.tile([0.0, 0.0, 1.0], (len(row), 1))
    points = Points(row, col, heights[row, col].astype(float), up)
    cells, found = accumulate(
        Field.of(heights, 1.0),
        ways,
        seconds.astype(np.int32)[:, :, None],
        FLOOR,
        points=points,
        seconds=seconds,
    )
    assert np.array_equal(found[:, 0].reshape(60, 70), cells[:, :, 0])


def test_a_point_above_a_wall_sees_over_it_and_one_on_a_northern_facade_sees_nothing_in_the_south() -> None:
    heights = np.zeros((50, 50), np.float32)
    heights[30, :] = 10.0
    row, col = np.array([20, 20, 20]), np.array([25, 25, 25])
    normal = np.array([[0.0, -1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    points = Points(row, col, np.array([2.0, 12.0, 12.0]), normal)
    seconds = np.zeros((1, BUCKETS))
    seconds[0, 0] = 1.0  # what only a level horizon lets through
    _, found = accumulate(
        Field.of(heights, 1.0), np.array([[0.0, -1.0]]), INDEX, FLOOR, points=points, seconds=seconds
    )
    assert found[:, 0].tolist() == [0.0, 1.0, 0.0]


def test_the_first_bucket_is_the_level_horizon() -> None:
    assert sines()[0] == 0.0
    assert (np.diff(sines()) > 0).all()
