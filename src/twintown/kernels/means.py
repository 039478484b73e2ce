"""Means of cells over coarser cells, each by the area that it shares: first-order conservative remapping [jones1999, eq. 3].

Cells that are not known have no weight, so that a coarse cell is the mean of what is known in it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["means"]


@njit(cache=True, nogil=True)
def means(values, known, edges_y, edges_x):  # type: ignore[no-untyped-def]
    """float64[bands, n, m] and the area (cells) that is known of each.

    values[bands, rows, cols], known: the cells, and whether each is known.
    edges_y[n + 1], edges_x[m + 1]: where the coarse cells begin and end, in cells from the first; increasing.
    """
    bands, rows, cols = values.shape
    n, m = edges_y.shape[0] - 1, edges_x.shape[0] - 1
    total = np.zeros((bands, n, m))
    area = np.zeros((bands, n, m))
    for band in range(bands):
        for i in range(n):
            top, bottom = edges_y[i], edges_y[i + 1]
            for row in range(max(0, int(np.floor(top))), min(rows, int(np.ceil(bottom)))):
                share_y = min(bottom, row + 1.0) - max(top, float(row))
                for j in range(m):
                    left, right = edges_x[j], edges_x[j + 1]
                    for col in range(max(0, int(np.floor(left))), min(cols, int(np.ceil(right)))):
                        if known[band, row, col]:
                            share = share_y * (min(right, col + 1.0) - max(left, float(col)))
                            total[band, i, j] += share * values[band, row, col]
                            area[band, i, j] += share
            for j in range(m):
                if area[band, i, j] > 1e-9:
                    total[band, i, j] /= area[band, i, j]
    return total, area
