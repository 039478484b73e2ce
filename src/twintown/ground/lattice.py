"""Lattice: where the cells of a grid are, in any CRS."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bounds import Bounds
from .crs import Crs
from .errors import NotFound

SLACK = 1e-6  # of a cell: a border that a person meant to be on the line


@dataclass(frozen=True)
class Lattice:
    """Where cells are: `rows` × `cols` of width × height in the units of the CRS, north up; the origin is the upper left
    corner of the first."""

    crs: Crs
    x: float
    y: float
    width: float
    height: float
    rows: int
    cols: int

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.x, self.y - self.rows * self.height, self.x + self.cols * self.width, self.y)

    @property
    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x of the columns from west to east, y of the rows from north to south."""
        east, south = np.arange(self.cols, dtype=np.float64), np.arange(self.rows, dtype=np.float64)
        return np.asarray(self.x + (east + 0.5) * self.width), np.asarray(
            self.y - (south + 0.5) * self.height
        )

    def part(self, area: Bounds, whole: bool = False) -> Lattice:
        """The cells whose inside meets the area; with `whole` only those that lie wholly in it.

        Raises:
            NotFound: there is none.
        """
        low, high = (math.ceil, math.floor) if whole else (math.floor, math.ceil)
        slack = -SLACK if whole else SLACK
        left = max(0, low((area.xmin - self.x) / self.width + slack))
        right = min(self.cols, high((area.xmax - self.x) / self.width - slack))
        top = max(0, low((self.y - area.ymax) / self.height + slack))
        bottom = min(self.rows, high((self.y - area.ymin) / self.height - slack))
        if left >= right or top >= bottom:
            raise NotFound(
                "no cell of the grid lies there", remedy="its extent is in the description of the layer"
            )
        return replace(
            self,
            x=self.x + left * self.width,
            y=self.y - top * self.height,
            rows=bottom - top,
            cols=right - left,
        )

    def resized(self, rows: int, cols: int) -> Lattice:
        """The same area in other cells."""
        return replace(
            self,
            rows=rows,
            cols=cols,
            width=self.width * self.cols / cols,
            height=self.height * self.rows / rows,
        )

    @property
    def transform(self) -> Any:
        from rasterio.transform import from_origin

        return from_origin(self.x, self.y, self.width, self.height)
