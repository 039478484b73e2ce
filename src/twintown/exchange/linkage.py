"""Which rows of two layers are the same thing: by id, or because they are in the same place. All rows at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from .content import Content

#: Layers of more rows than this are not joined by place (the finding says so where it matters).
MOST = 500_000
#: Things whose middles are not further apart are the same thing, metres.
NEAR_M = 1.0


@dataclass(frozen=True)
class Link:
    """Pairs of rows, int64[pairs] each, and by what they were paired: `id` or `place`."""

    rows: NDArray[np.int64]
    others: NDArray[np.int64]
    by: str

    def __len__(self) -> int:
        return len(self.rows)


_NONE = np.empty(0, np.int64)


def linked(one: Content, other: Content) -> Link:
    """The rows that are the same thing, by id where any id is in both, else by place."""
    if {one.kind, other.kind} - {"features", "table"}:
        return Link(_NONE, _NONE, "id")
    ids, known = one.table(()).column("id"), other.table(()).column("id")
    at = pc.index_in(ids.cast(pa.string()), value_set=known.cast(pa.string()).combine_chunks())
    rows = np.flatnonzero(at.is_valid().to_numpy())
    if len(rows):
        return Link(rows, np.asarray(at.drop_null().to_numpy(), np.int64), "id")
    if one.kind != "features" or other.kind != "features" or max(one.count, other.count) > MOST:
        return Link(_NONE, _NONE, "id")
    return _by_place(_middles(one), _middles(other))


def _by_place(own: NDArray[np.object_], others: NDArray[np.object_]) -> Link:
    here, there = (
        np.flatnonzero(~(shapely.is_missing(points) | shapely.is_empty(points))) for points in (own, others)
    )
    if not len(here) or not len(there):
        return Link(_NONE, _NONE, "place")
    tree = shapely.STRtree(others[there])
    mine, theirs = tree.query_nearest(own[here], max_distance=NEAR_M, all_matches=False)
    return Link(here[mine], there[theirs], "place")


def _middles(content: Content) -> NDArray[np.object_]:
    parts = [shapely.centroid(shapes) for _, shapes in content.shapes()]
    return np.concatenate(parts) if parts else np.empty(0, object)
