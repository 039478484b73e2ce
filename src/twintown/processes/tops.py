"""The tops of a city on a grid, as much of them as a tile needs.

A tile is worked on away from the rest: it is given the triangles of all roofs and lays out the block that it needs itself, so that no
grid larger than memory is ever whole in memory. Heights from elsewhere are tops too, if they say what lies within a tile. Cells are
counted over the whole grid, row 0 north; a cell's height hangs on its place in the whole grid only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import TooLarge
from twintown.jobs.process import Window
from twintown.kernels.horizon import halo_cells as horizon_halo
from twintown.kernels.lines import Field, Tile, march
from twintown.kernels.rasters import drape
from twintown.kernels.scratch import Scratch
from twintown.kernels.shadows import halo_cells

F32 = NDArray[np.float32]
Floats = NDArray[np.float64]
#: Side of a tile, cells, where nothing else is asked for.
SIDE = 8192
#: A grid of at most this many cells is worked on whole.
WHOLE_CELLS = 40_000_000
#: A tile whose block would have more cells is refused: 8 bytes each, and as many again for what is counted.
MOST_BLOCK = 400_000_000


class Tops(Protocol):
    """Heights on a grid of `rows` × `cols` cells of `cell_m` metres."""

    @property
    def rows(self) -> int: ...

    @property
    def cols(self) -> int: ...

    @property
    def cell_m(self) -> float: ...

    def within(self, tile: Tile) -> F32:
        """Heights float32 of the cells, metres."""
        ...

    def highest(self, tile: Tile) -> float:
        """At most how high anything is in these cells, metres."""
        ...


@dataclass(frozen=True)
class Roofs:
    """Tops of triangles: `corners` float64[n, 3, 3], x east and y north of the lower left corner of the grid, metres."""

    corners: Floats
    rows: int
    cols: int
    cell_m: float

    def _near(self, tile: Tile) -> NDArray[np.bool_]:
        x, y, top = self.corners[:, :, 0], self.corners[:, :, 1], self.rows * self.cell_m
        near: NDArray[np.bool_] = (
            (x.max(axis=1) >= (tile.col0 - 1) * self.cell_m)
            & (x.min(axis=1) <= (tile.col1 + 1) * self.cell_m)
            & (y.max(axis=1) >= top - (tile.row1 + 1) * self.cell_m)
            & (y.min(axis=1) <= top - (tile.row0 - 1) * self.cell_m)
        )
        return near

    def within(self, tile: Tile) -> F32:
        heights = np.zeros(tile.shape, np.float32)
        drape(
            self.corners[self._near(tile)], 0.0, self.rows * self.cell_m, self.cell_m, heights, tile.row0, tile.col0
        )  # fmt: skip
        return heights

    def crowned(self, tile: Tile) -> tuple[F32, NDArray[np.int32]]:
        """Heights of the cells, and the number of the triangle that is on top of each, int32; -1 where none is."""
        heights, owner = np.zeros(tile.shape, np.float32), np.full(tile.shape, -1, np.int32)
        number = np.flatnonzero(self._near(tile)).astype(np.int32)
        drape(
            self.corners[number], 0.0, self.rows * self.cell_m, self.cell_m, heights, tile.row0, tile.col0, owner
        )  # fmt: skip
        return heights, np.append(number, np.int32(-1))[owner]

    def highest(self, tile: Tile) -> float:
        return float(self.corners[self._near(tile), :, 2].max(initial=0.0))


def windows_of(rows: int, cols: int, side: int = SIDE) -> list[Window]:
    """The tiles of a grid, row by row: alike in size, a quarter above `side` at most, so that no sliver needs all its surroundings."""
    high, wide = _even(rows, side), _even(cols, side)
    return [
        Window(r, c, min(high, rows - r), min(wide, cols - c))
        for r in range(0, rows, high)
        for c in range(0, cols, wide)
    ]


def _even(cells: int, side: int) -> int:
    """The side of as few equal parts as stay within a quarter above the wanted side."""
    return math.ceil(cells / math.ceil(cells / (1.25 * side)))


def tile_of(window: Window) -> Tile:
    """The same cells as the kernels name them."""
    return Tile(window.row0, window.row0 + window.rows, window.col0, window.col0 + window.cols)


def side_for(cells: int, asked: int) -> int:
    """The side of the tiles of a grid of so many cells: 0 for none, the grid is worked on whole."""
    return asked or (SIDE if cells > WHOLE_CELLS else 0)


def grown(tile: Tile, tops: Tops, north: int, south: int, west: int, east: int) -> Tile:
    """A tile with so many cells more on each side, cut at the grid's edges."""
    return Tile(
        max(0, tile.row0 - north), min(tops.rows, tile.row1 + south), max(0, tile.col0 - west), min(tops.cols, tile.col1 + east)
    )  # fmt: skip


def _sides(highest_m: float, directions: Floats, cell_m: float) -> tuple[int, int, int, int]:
    """How far north, south, west and east of a tile its shadows come from, cells."""
    sides = [0, 0, 0, 0]
    for direction in directions:
        m = march(direction, cell_m)
        along = halo_cells(highest_m, direction[None], cell_m)
        aside = int(along * abs(m.slope)) + 2
        down, over = (aside, along) if m.across else (along, aside)
        sides[0 if direction[1] > 0 else 1] = max(sides[0 if direction[1] > 0 else 1], down)
        sides[3 if direction[0] > 0 else 2] = max(sides[3 if direction[0] > 0 else 2], over)
    return sides[0], sides[1], sides[2], sides[3]


def shadow_block(tops: Tops, tile: Tile, directions: Floats, scratch: Scratch | None = None) -> Field:
    """The heights that shadows on a tile may come from: as far as the tallest thing there casts under these suns.

    The tallest thing anywhere bounds the block, and the tallest thing within it bounds it again.
    """
    highest = tops.highest(Tile(0, tops.rows, 0, tops.cols))
    block = tile
    for _ in range(4):
        block = grown(tile, tops, *_sides(highest, directions, tops.cell_m))
        near = tops.highest(block)
        if near >= highest:
            break
        highest = near
    check_block(block, highest)
    return Field.of(tops.within(block), tops.cell_m, block.row0, block.col0, scratch)


def sky_block(tops: Tops, tile: Tile, floor: float) -> Tile:
    """The cells that horizons of a tile may come from: as far as the tallest thing there stands above the floor."""
    highest = tops.highest(Tile(0, tops.rows, 0, tops.cols))
    block = tile
    for _ in range(4):
        halo = horizon_halo(highest, floor, tops.cell_m)
        block = grown(tile, tops, halo, halo, halo, halo)
        near = tops.highest(block)
        if near >= highest:
            break
        highest = near
    check_block(block, highest)
    return block


def check_block(block: Tile, highest_m: float) -> None:
    """
    Raises:
        TooLarge: what a tile must know of its surroundings would not fit memory (a very low sun, a very tall thing).
    """
    rows, cols = block.shape
    if rows * cols > MOST_BLOCK:
        raise TooLarge(
            f"a tile would need {rows:,} × {cols:,} cells around it, as far as {highest_m:.0f} m reach", "cell_m",
            "use larger cells, or a day with a higher sun",
        )  # fmt: skip


def filled(
    room: Mapping[str, NDArray[Any]], parts: Iterator[tuple[Window, Mapping[str, NDArray[Any]]]]
) -> Iterator[int]:
    """Write each window's arrays where they belong; yields the cells of each as it is there."""
    for window, arrays in parts:
        here = (slice(window.row0, window.row0 + window.rows), slice(window.col0, window.col0 + window.cols))
        for name, values in arrays.items():
            room[name][here] = values
        yield window.rows * window.cols
