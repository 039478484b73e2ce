"""Grids made coarser: means of what is known, marks by the cell in the middle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.twin.narrowing import coarser

CC0 = Provenance((Source("own", "Survey", "the hamlet", Licence("CC0-1.0", "CC0")),))
GRID = Grid(np.arange(35, dtype=np.int16).reshape(5, 7), 0.0, 5.0, 1.0, "m", Frame("EPSG:5186"), CC0, -9)


def test_a_block_is_the_mean_of_its_cells_and_the_last_of_what_is_left() -> None:
    made = coarser(GRID, 2.0)
    assert made.values.tolist() == [[4, 6, 8, 10], [18, 20, 22, 24], [28, 30, 32, 34]]
    assert (made.cell_m, made.origin_x, made.origin_y) == (2.0, 0.0, 5.0)
    assert made.provenance.steps[-1].parameters == {"cell_m": 2.0, "from_m": 1.0}


def test_what_is_not_known_is_left_out_of_a_mean() -> None:
    values = GRID.values.copy()
    values[0, 0], values[0, 1], values[1, 0], values[1, 1] = -9, 10, 20, -9
    values[:2, 2:4] = -9
    assert coarser(replace(GRID, values=values), 2.0).values[0, :2].tolist() == [15, -9]
    floats = replace(GRID, values=np.where(values == -9, np.nan, values).astype(np.float32), nodata=np.nan)
    made = coarser(floats, 2.0).values
    assert made[0, 0] == 15 and np.isnan(made[0, 1])


@pytest.mark.parametrize("marks", [{"unit": "{category}"}, {"attributes": {"classes": {"1": "road"}}}])
def test_marks_are_never_averaged(marks: dict[str, object]) -> None:
    made = coarser(replace(GRID, **marks), 3.0)  # type: ignore[arg-type]
    assert made.values.tolist() == [[8, 11, 13], [29, 32, 34]]


def test_bands_and_odd_resolutions() -> None:
    bands = replace(GRID, values=np.stack([GRID.values, GRID.values + 100]))
    made = coarser(bands, 2.5)
    assert made.cell_m == 3.0 and made.values.shape == (2, 2, 3)
    assert made.values[1].tolist() == (made.values[0] + 100).tolist()
