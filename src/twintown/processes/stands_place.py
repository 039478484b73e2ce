"""A stand on the ground: its outline, its counter, where people queue, and what shades them, in metres of the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Height of the counter with the produce and of a canopy, metres; how far the canopy reaches beyond the outline.
COUNTER_M, CANOPY_M, EAVES_M = 1.0, 2.5, 0.3
#: Of somebody who queues, and how deep the queue stands before the counter, metres (assumed).
EYES_M, QUEUE_M = 1.2, 2.0


@dataclass(frozen=True)
class Stand:
    """A stand: middle (m), the direction its counter faces as a unit vector (grid east, north), width along it and depth, metres.

    `canopy_m`: height of its canopy; 0 for none. `name` is told where it stands in the way of another.
    """

    x: float
    y: float
    facing: tuple[float, float]
    width_m: float
    depth_m: float
    canopy_m: float = CANOPY_M
    name: str = ""

    def at(self, across: float, ahead: float) -> tuple[float, float]:
        """A place so far to the right and ahead of its middle, metres."""
        fx, fy = self.facing
        return self.x + fy * across + fx * ahead, self.y - fx * across + fy * ahead

    def rectangle(self, low: float, high: float, half: float) -> Any:
        """The rectangle from `low` to `high` ahead of the middle and `half` to either side."""
        return shapely.polygons(
            [self.at(-half, low), self.at(half, low), self.at(half, high), self.at(-half, high)]
        )

    @property
    def outline(self) -> Any:
        """What it stands on."""
        return self.rectangle(-self.depth_m / 2, self.depth_m / 2, self.width_m / 2)

    @property
    def front(self) -> Any:
        """The line of its counter."""
        half, ahead = self.width_m / 2, self.depth_m / 2
        return shapely.linestrings([self.at(-half, ahead), self.at(half, ahead)])

    @property
    def queue(self) -> Any:
        """Where people stand before it."""
        return self.rectangle(self.depth_m / 2, self.depth_m / 2 + QUEUE_M, self.width_m / 2)

    @property
    def served(self) -> Any:
        """Its outline and its queue."""
        return self.rectangle(-self.depth_m / 2, self.depth_m / 2 + QUEUE_M, self.width_m / 2)

    def cleared(self, clear_m: float) -> Any:
        """Its outline, its queue and what must stay clear before them."""
        return self.rectangle(-self.depth_m / 2, self.depth_m / 2 + QUEUE_M + clear_m, self.width_m / 2)

    def produce(self) -> Floats:
        """Where produce lies: six places of the front half of the counter's height, float64[6, 3]."""
        return np.array(
            [
                (*self.at(side * self.width_m / 3, self.depth_m * ahead), COUNTER_M)
                for ahead in (0.42, 0.12)
                for side in (-1.0, 0.0, 1.0)
            ]
        )

    def queuing(self) -> Floats:
        """Where people queue, float64[4, 3]."""
        return np.array(
            [(*self.at(0.0, self.depth_m / 2 + QUEUE_M * k), EYES_M) for k in (0.2, 0.45, 0.7, 0.95)]
        )

    def canopy(self) -> Floats:
        """The triangles of its canopy, float64[2 or 0, 3, 3]."""
        if self.canopy_m <= 0:
            return np.zeros((0, 3, 3))
        half, deep = self.width_m / 2 + EAVES_M, self.depth_m / 2 + EAVES_M
        a, b, c, d = (
            (*self.at(x, y), self.canopy_m)
            for x, y in ((-half, -deep), (half, -deep), (half, deep), (-half, deep))
        )
        return np.array([(a, b, c), (a, c, d)])


@dataclass(frozen=True)
class Block:
    """Something solid that is set up: a stage. Middle, facing, width, depth and height, metres."""

    stand: Stand
    height_m: float

    @property
    def outline(self) -> Any:
        return self.stand.outline

    def triangles(self) -> Floats:
        """Its walls and top, float64[10, 3, 3]."""
        xy = shapely.get_coordinates(self.outline)[:4]
        low, high = (np.column_stack([xy, np.full(4, z)]) for z in (0.0, self.height_m))
        found = [(high[0], high[1], high[2]), (high[0], high[2], high[3])]
        for i in range(4):
            j = (i + 1) % 4
            found += [(low[i], low[j], high[j]), (low[i], high[j], high[i])]
        return np.array(found)


def facing_of(heading_deg: float, convergence_deg: float) -> tuple[float, float]:
    """The unit vector (grid east, north) of a direction from true north, clockwise."""
    angle = math.radians(heading_deg - convergence_deg)
    return math.sin(angle), math.cos(angle)
