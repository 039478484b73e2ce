"""Tops of solids on a grid."""

from __future__ import annotations

import numpy as np

from twintown.kernels.rasters import drape


def test_the_highest_triangle_over_a_cells_centre_wins() -> None:
    heights = np.zeros((4, 4), np.float32)
    low = [[0, 0, 2], [4, 0, 2], [4, 4, 2]]
    high = [[2, 0, 9], [4, 0, 9], [4, 2, 9]]
    drape(np.array([low, high], float), 0.0, 4.0, 1.0, heights)
    assert heights[3, 3] == 9
    assert heights[3, 1] == 2
    assert heights[0, 0] == 0


def test_a_sloping_triangle_is_met_at_the_cells_centre() -> None:
    heights = np.zeros((2, 4), np.float32)
    plane = [[[0, 0, 0], [4, 0, 4], [4, 2, 4]], [[0, 0, 0], [4, 2, 4], [0, 2, 0]]]
    drape(np.array(plane, float), 0.0, 2.0, 1.0, heights)
    assert np.allclose(heights[0], [0.5, 1.5, 2.5, 3.5])
