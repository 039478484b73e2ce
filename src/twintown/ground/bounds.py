"""Bounds: an axis-parallel rectangle, in metres of a frame or in degrees of longitude and latitude."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, box

from .errors import BadInput


@dataclass(frozen=True)
class Bounds:
    """xmin < xmax, ymin < ymax; the unit is that of the frame it is used with.

    Raises:
        BadInput: empty, turned round or not finite.
    """

    xmin: float
    ymin: float
    xmax: float
    ymax: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.as_tuple())):
            raise BadInput("bounds must be finite numbers", str(self.as_tuple()))
        if self.xmin >= self.xmax or self.ymin >= self.ymax:
            raise BadInput(
                "bounds are empty or turned round", str(self.as_tuple()), "give xmin < xmax and ymin < ymax"
            )

    def as_tuple(self) -> tuple[float, float, float, float]:
        return (self.xmin, self.ymin, self.xmax, self.ymax)

    @property
    def width(self) -> float:
        return self.xmax - self.xmin

    @property
    def height(self) -> float:
        return self.ymax - self.ymin

    @property
    def centre(self) -> tuple[float, float]:
        return ((self.xmin + self.xmax) / 2, (self.ymin + self.ymax) / 2)

    def buffer(self, margin: float) -> Bounds:
        """Wider on all four sides by `margin`."""
        return Bounds(self.xmin - margin, self.ymin - margin, self.xmax + margin, self.ymax + margin)

    def intersects(self, other: Bounds) -> bool:
        return (
            self.xmin <= other.xmax
            and other.xmin <= self.xmax
            and self.ymin <= other.ymax
            and other.ymin <= self.ymax
        )

    def polygon(self) -> Polygon:
        return box(*self.as_tuple())

    def ring(self, pieces: int = 16) -> NDArray[np.float64]:
        """The outline, anticlockwise and closed, each side in `pieces` equal pieces: float64[4·pieces + 1, 2]."""
        t = np.linspace(0.0, 1.0, pieces, endpoint=False)
        corners = np.array(
            [[self.xmin, self.ymin], [self.xmax, self.ymin], [self.xmax, self.ymax], [self.xmin, self.ymax]]
        )
        sides = corners[:, None, :] + t[None, :, None] * (np.roll(corners, -1, axis=0) - corners)[:, None, :]
        return np.vstack([sides.reshape(-1, 2), corners[:1]])
