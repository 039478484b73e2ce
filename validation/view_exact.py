"""The sweep from one eye against the exact line of sight over the same blocks, cell by cell (R3), on a small rough city."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.viewshed import needed_heights, tower_metres
from validation.case import Measured

Floats = NDArray[np.float64]
SIDE = 61


def town(seed: int, side: int = SIDE) -> NDArray[np.float32]:
    """Blocks of 3–30 m on a plain, float32[side, side]."""
    rng = np.random.default_rng(seed)
    heights = np.zeros((side, side), np.float32)
    for _ in range(side // 3):
        r, c = rng.integers(0, side - 6, 2)
        a, b = rng.integers(2, 9, 2)
        heights[r : r + a, c : c + b] = np.round(rng.uniform(3, 30), 2)
    return heights


def crossed(row: int, col: int, to_row: int, to_col: int, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Where the line between two middles enters and leaves every cell, as shares of it: float64[rows, cols] each; enter ≥ leave: never."""
    r, c = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    enter, leave = np.zeros(shape), np.ones(shape)
    for here, start, way in ((r, row, to_row - row), (c, col, to_col - col)):
        if way == 0:
            leave = np.where(here == start, leave, -1.0)
            continue
        a, b = (here - 0.5 - start) / way, (here + 0.5 - start) / way
        enter, leave = np.maximum(enter, np.minimum(a, b)), np.minimum(leave, np.maximum(a, b))
    return enter, leave


def exact_needed(heights: NDArray[np.float32], row: int, col: int, eye_m: float) -> Floats:
    """What `needed_heights` answers on cells of 1 m on a flat earth, by every line of sight to the middle of every cell."""
    z = heights.astype(float)
    eye = z[row, col] + eye_m
    out = np.zeros(heights.shape)
    for i in range(heights.shape[0]):
        for j in range(heights.shape[1]):
            if (i, j) == (row, col):
                continue
            enter, leave = crossed(row, col, i, j, heights.shape)
            on = leave > enter + 1e-12
            rise = np.maximum((z[on] - eye) / np.maximum(enter[on], 1e-12), (z[on] - eye) / leave[on])
            # the eye's own block begins under the eye, the target's ends under the target
            first = enter[on] < 1e-12
            rise[first] = ((z[on] - eye) / leave[on])[first]
            last = leave[on] > 1.0 - 1e-12
            rise[last] = ((z[on] - eye) / np.maximum(enter[on], 1e-12))[last]
            out[i, j] = max(0.0, float(rise.max()) + eye - z[i, j])
    return out


def exact_tower(heights: NDArray[np.float32], row: int, col: int, top_m: float, eye_m: float) -> Floats:
    """What `tower_metres` answers for a line from 0 to ``top_m``, by every line of sight."""
    z = heights.astype(float)
    out = np.full(heights.shape, top_m)
    for i in range(heights.shape[0]):
        for j in range(heights.shape[1]):
            if (i, j) == (row, col):
                continue
            enter, leave = crossed(i, j, row, col, heights.shape)  # from the eye to the line
            eye = z[i, j] + eye_m
            on = leave > enter + 1e-12
            on[row, col] = False
            rise = np.maximum((z[on] - eye) / np.maximum(enter[on], 1e-12), (z[on] - eye) / leave[on])
            out[i, j] = min(top_m, max(0.0, top_m - max(0.0, eye + float(rise.max(initial=-1e9)))))
    return out


def measure() -> Iterator[Measured]:
    """Cells that change sides of the sight line, for ground 0 m and a mast of 2 m; and metres of a tower."""
    for rays, most in ((1, 2.5), (2, 1.5), (4, 0.8)):
        wrong = total = 0
        for seed in range(3):
            heights = town(seed)
            middle = SIDE // 2
            heights[middle, middle] = 0.0
            exact = exact_needed(heights, middle, middle, 1.6)
            found = needed_heights(heights, 1.0, middle, middle, 1.6, curved=False, rays=rays)
            for mast in (0.0, 2.0):
                wrong += int(((exact <= mast + 1e-6) != (found <= mast + 1e-6)).sum())
                total += exact.size
        yield Measured(
            "viewshed.needed_heights", "view_exact", f"cells seen wrongly among rough blocks, {rays} rays a cell of the border",
            100.0 * wrong / total, most, "%",
        )  # fmt: skip
    heights = town(7)
    middle = SIDE // 2
    heights[middle, middle] = 0.0
    exact = exact_tower(heights, middle, middle, 60.0, 1.6)
    found = tower_metres(heights, 1.0, middle, middle, 0.0, 60.0, 1.6, curved=False)
    error = np.abs(exact - found)
    yield Measured(
        "viewshed.tower_metres",
        "view_exact",
        "metres of a tower seen: mean error",
        float(error.mean()),
        0.5,
        "m",
    )
    yield Measured(
        "viewshed.tower_metres", "view_exact", "metres of a tower seen: cells wrong by more than 1 m",
        100.0 * float((error > 1.0).mean()), 2.0, "%",
    )  # fmt: skip
