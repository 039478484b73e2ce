"""Work on tiles, in a module that the workers of a cluster can load."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.jobs.process import Window

SIDE, TILE, HALO = 96, 32, 3


def windows() -> list[Window]:
    """Nine tiles of 32 × 32 cells."""
    starts = range(0, SIDE, TILE)
    return [Window(row, col, TILE, TILE) for row in starts for col in starts]


def smoothed(context: Mapping[str, NDArray[Any]], window: Window) -> dict[str, NDArray[Any]]:
    """The mean of each cell's surroundings, `HALO` cells around, and which cells of the tile are high."""
    heights = context["heights"]
    padded = np.pad(heights, HALO, mode="edge")
    total = np.zeros((window.rows, window.cols))
    for down in range(2 * HALO + 1):
        for right in range(2 * HALO + 1):
            total += padded[window.row0 + down :, window.col0 + right :][: window.rows, : window.cols]
    mean = total / (2 * HALO + 1) ** 2
    return {"mean": mean.astype(np.float32), "high": mean > 0.5}


def deadly_once(context: Mapping[str, Any], window: Window) -> dict[str, NDArray[Any]]:
    """Kills the first worker that comes to the fifth tile, once."""
    if (window.row0, window.col0) == (TILE, TILE):
        time.sleep(0.3)  # the others have begun
        try:
            Path(context["mark"]).touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return smoothed(context, window)


def broken(context: Mapping[str, Any], window: Window) -> dict[str, NDArray[Any]]:
    """Raises."""
    raise ValueError(f"no tile at {window.row0}")
