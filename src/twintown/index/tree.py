"""The places of a segment's rows: arrays that lie in memory or are mapped from a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Boxes = NDArray[np.float64]
#: Rows on the rim of a box that are tested one by one to count exactly; with more of them nothing is counted.
RIM = 50_000
_NOWHERE = np.array([np.inf, np.inf, -np.inf, -np.inf])


@dataclass(frozen=True)
class Tree:
    """A packed Hilbert R-tree (see `kernels.boxes`) over west, south, east, north in degrees.

    Args:
        boxes: float64[nodes, 4], those of the rows first.
        starts: where each level starts, int64[levels + 1].
        drawn: how many rows have a place before each sixteenth row, int64[⌈rows / 16⌉ + 1].
    """

    boxes: Boxes
    starts: Positions
    drawn: Positions

    @classmethod
    def of(cls, boxes: Boxes) -> Tree:
        """The tree of the rows' own boxes, float64[rows, 4]."""
        tree = cls.empty(len(boxes))
        tree.boxes[: len(boxes)] = boxes
        tree.pack()
        return tree

    @classmethod
    def empty(cls, rows: int, boxes: Boxes | None = None) -> Tree:
        """Room for the tree of so many rows; fill the boxes of the rows, then `pack` it."""
        from twintown.kernels.boxes import NODE

        starts = cls.starts_of(rows)
        room = np.empty((int(starts[-1]), 4)) if boxes is None else boxes
        return cls(room, starts, np.zeros(-(-rows // NODE) + 1, np.int64))

    @staticmethod
    def starts_of(rows: int) -> Positions:
        """Where each level of the tree of so many rows starts, and where the last one ends."""
        from twintown.kernels.boxes import levels

        return levels(rows)

    def pack(self) -> None:
        """Fill everything above the rows."""
        from twintown.kernels.boxes import pack

        pack(self.boxes, self.starts, self.drawn)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """The smallest box around all rows; none where no row has a place."""
        if not len(self.boxes) or self.boxes[-1, 0] > self.boxes[-1, 2]:
            return None
        west, south, east, north = (float(side) for side in self.boxes[-1])
        return west, south, east, north

    def search(self, asked: Boxes, after: int, most: int) -> tuple[Positions, NDArray[np.bool_]]:
        """At most so many rows from `after` on whose box meets one of `asked`, and which lie wholly inside one."""
        from twintown.kernels.boxes import search

        found, inside = np.empty(most, np.int64), np.empty(most, np.bool_)
        n = search(self.boxes, self.starts, asked, after, found, inside)
        return found[:n], inside[:n]

    def count(self, asked: Boxes) -> tuple[int, Positions | None]:
        """How many rows lie wholly inside one of `asked`, and the rows that only touch one; None for too many of them."""
        from twintown.kernels.boxes import count

        rim = np.empty(256, np.int64)
        sure, touching = count(self.boxes, self.starts, self.drawn, asked, rim)
        if touching > RIM:
            return sure, None
        if touching > len(rim):
            rim = np.empty(touching, np.int64)
            count(self.boxes, self.starts, self.drawn, asked, rim)
        return sure, rim[:touching]

    def relation(self, rows: Positions, asked: Boxes) -> NDArray[np.int8]:
        """How each row's box lies to `asked`: 0 apart, 1 touching, 2 wholly inside one."""
        own = self.boxes[rows][:, None, :]
        drawn = own[..., 0] <= own[..., 2]
        meets = drawn & (own[..., 0] <= asked[:, 2]) & (asked[:, 0] <= own[..., 2])
        meets &= (own[..., 1] <= asked[:, 3]) & (asked[:, 1] <= own[..., 3])
        inside = meets & (asked[:, 0] <= own[..., 0]) & (own[..., 2] <= asked[:, 2])
        inside &= (asked[:, 1] <= own[..., 1]) & (own[..., 3] <= asked[:, 3])
        return np.asarray(meets.any(axis=1).astype(np.int8) + inside.any(axis=1), np.int8)


def boxes_of(shapes: NDArray[np.object_]) -> Boxes:
    """The box of each shape, float64[n, 4]; of none and of empty ones the box that meets nothing."""
    found = shapely.bounds(shapes)
    found[np.isnan(found[:, 0])] = _NOWHERE
    return np.asarray(found, np.float64)
