"""The tree of levels of a city: which buildings are in which tile, and what is missing where the tree is cut.

A tile holds the largest buildings of its area that fit; what is left goes to its children (up to four, split
at the median). So each building is in exactly one tile (it is sent once, picked once, edited once), the
skyline comes first, and the geometric error of a tile is honest: the size of the largest building that is not
drawn yet. Refinement is therefore ADD. The layout is explicit; another tree (implicit tiling, 3D Tiles 2.0)
is another function beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tile:
    """One tile of the tree.

    Args:
        path: digits 0–3 from the root; empty for the root.
        members: indices of the buildings drawn in this tile, largest first.
        missing_m: size of the largest building below that this tile does not draw, metres; 0 for a leaf.
        box: west, south, foot, east, north, top (m) around all buildings here and below.
        children: the tiles below.
    """

    path: str
    members: NDArray[np.int64]
    missing_m: float
    box: tuple[float, float, float, float, float, float]
    children: tuple[Tile, ...]

    @property
    def count(self) -> int:
        """Tiles in this branch, itself included."""
        return 1 + sum(child.count for child in self.children)

    @property
    def depth(self) -> int:
        return 1 + max((child.depth for child in self.children), default=0)


def layout(
    boxes: NDArray[np.float64], weight: NDArray[np.float64], most_weight: float, most_features: int
) -> Tile:
    """The tree over buildings.

    Args:
        boxes: float64[n, 6], west, south, foot, east, north, top of each building, metres. n ≥ 1.
        weight: float64[n], what each costs (for instance vertices of its outline).
        most_weight: a tile takes buildings up to this sum (and always one).
        most_features: and up to this number.

    Returns:
        The root. The same input gives the same tree; ties go to the lower index.
    """
    size = np.linalg.norm(boxes[:, 3:] - boxes[:, :3], axis=1)
    largest_first = np.lexsort((np.arange(len(boxes)), -size))
    centre = (boxes[:, :2] + boxes[:, 3:5]) / 2.0
    return _tile("", largest_first, boxes, size, weight, centre, most_weight, most_features)


def _tile(
    path: str,
    members: NDArray[np.int64],
    boxes: NDArray[np.float64],
    size: NDArray[np.float64],
    weight: NDArray[np.float64],
    centre: NDArray[np.float64],
    most_weight: float,
    most_features: int,
) -> Tile:
    around = (*boxes[members, :3].min(axis=0).tolist(), *boxes[members, 3:].max(axis=0).tolist())
    fit = int(np.searchsorted(np.cumsum(weight[members]), most_weight, side="right"))
    fit = min(max(fit, 1), most_features)
    drawn, rest = members[:fit], members[fit:]
    if not len(rest):
        return Tile(path, drawn, 0.0, around, ())
    parts = [rest]
    full = max(float(weight[rest].sum()) / most_weight, len(rest) / most_features)
    if full > 1.0:
        parts = [half for part in parts for half in _halves(part, centre)]
    if full > 2.0:
        parts = [half for part in parts for half in _halves(part, centre)]
    children = tuple(
        _tile(f"{path}{digit}", part, boxes, size, weight, centre, most_weight, most_features)
        for digit, part in enumerate(parts)
        if len(part)
    )
    return Tile(path, drawn, float(size[rest].max()), around, children)


def _halves(members: NDArray[np.int64], centre: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Two halves of equal number along the longer side; each keeps the order it had (largest first)."""
    spread = np.ptp(centre[members], axis=0)
    along = centre[members, int(np.argmax(spread))]
    low = np.zeros(len(members), bool)
    low[np.argsort(along, kind="stable")[: (len(members) + 1) // 2]] = True
    return [members[low], members[~low]]
