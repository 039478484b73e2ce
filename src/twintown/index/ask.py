"""A query with the conditions of a Grant, put to one segment: which rows may match (by the tree), and which do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.index.rows import BATCH, GEOMETRY, Rows
from twintown.index.times import meets
from twintown.index.tree import Boxes, Positions
from twintown.query.query import Expression, Interval

Mask = NDArray[np.bool_]
#: Candidates and, where they were found by the asked boxes, which of them lie wholly inside one.
Block = tuple[Positions, Mask | None]


@dataclass(frozen=True)
class Ask:
    """All conditions hold together.

    Args:
        boxes: the asked boxes, float64[k, 4] in degrees, or none.
        conditions, spatial: CQL2 expressions, those that ask for shapes apart; `reads` are the columns that they name.
        narrow: boxes outside which no row can match, one array a condition that says something of place.
        during, time: the interval, and the columns that say a row's time (one instant, or begin and end).
        area: only rows that meet it, metres of the frame.
        ids: only these rows.
    """

    boxes: Boxes | None = None
    conditions: tuple[Expression, ...] = ()
    spatial: tuple[Expression, ...] = ()
    reads: tuple[str, ...] = ()
    narrow: tuple[Boxes, ...] = ()
    during: Interval | None = None
    time: tuple[str, ...] = ()
    area: Bounds | None = None
    ids: tuple[str, ...] | None = None

    @property
    def simple(self) -> bool:
        """Whether nothing but the asked boxes decides."""
        return (
            not self.conditions
            and not self.spatial
            and self.during is None
            and self.area is None
            and self.ids is None
        )

    def most(self, rows: Rows) -> int:
        """An upper bound of the rows of a segment that can match."""
        if self.ids is not None:
            return len(self.ids)
        return min([rows.count, *(_size(rows, one) for one in self._places())])

    def blocks(self, rows: Rows, after: int, need: int) -> Iterator[Block]:
        """The rows of a segment from `after` on that may match, in order; about `need` of them are wanted first."""
        places = self._places()
        if self.ids is not None:
            named = sorted({at for one in self.ids if (at := rows.position(one)) >= after})
            yield np.array(named, np.int64), None
        elif places:
            best = places[0] if len(places) == 1 else min(places, key=lambda one: _size(rows, one))
            most = max(need, 32) if self.simple else max(4 * need, 1024)
            while True:
                found, inside = rows.tree.search(best, after, most)
                if len(found):
                    yield found, inside if best is self.boxes else None
                if len(found) < most:
                    return
                after, most = int(found[-1]) + 1, min(2 * most, max(need, BATCH))
        else:
            while after < rows.count:
                end = min(after - after % BATCH + BATCH, rows.count)
                yield np.arange(after, end), None
                after = end

    def keeps(self, rows: Rows, block: Block) -> Positions:
        """The positions of a block that do match."""
        positions, inside = block
        if self.boxes is not None:
            if inside is None:
                how = rows.tree.relation(positions, self.boxes)
                positions, inside = positions[how > 0], how[how > 0] == 2
            if not inside.all():
                keep, rim = inside.copy(), np.flatnonzero(~inside)
                keep[rim] = touching(rows, positions[rim], self.boxes)
                positions = positions[keep]
        if self.area is not None and len(positions):
            wkb = rows.take(positions, (GEOMETRY,)).column(0).to_numpy(zero_copy_only=False)
            area = self.area.polygon()
            shapely.prepare(area)
            positions = positions[shapely.intersects(area, shapely.from_wkb(wkb))]
        if self.during is not None and self.time and len(positions):
            positions = positions[meets(rows.take(positions, self.time), self.during)]
        for some in (self.conditions, self.spatial):  # shapes are dear: what is left of them
            if some and len(positions):
                positions = positions[self._hold(rows, positions, some)]
        return positions

    def _hold(self, rows: Rows, positions: Positions, conditions: tuple[Expression, ...]) -> Mask:
        from twintown.query.evaluate import mask

        batch = rows.take(positions, self.reads)
        shapes: list[NDArray[np.object_]] = []

        def lonlat() -> NDArray[np.object_]:
            if not shapes:
                shapes.append(rows.places(positions))
            return shapes[0]

        keep = np.ones(len(positions), bool)
        for condition in conditions:
            keep &= mask(condition, batch, lonlat)
        return keep

    def _places(self) -> tuple[Boxes, ...]:
        return self.narrow if self.boxes is None else (self.boxes, *self.narrow)


def touching(rows: Rows, positions: Positions, boxes: Boxes) -> Mask:
    """Which rows' shapes meet one of the boxes, exactly."""
    from twintown.kernels.touching import MEETS, UNSURE

    how = rows.touching(positions, boxes)
    found = how == MEETS
    if (unsure := np.flatnonzero(how == UNSURE)).size:
        shapes = rows.lonlat(positions[unsure])
        for west, south, east, north in boxes:
            flat = west == east or south == north  # GEOS takes a box without an area for empty
            box = (
                shapely.LineString([(west, south), (east, north)])
                if flat
                else shapely.box(west, south, east, north)
            )
            found[unsure] |= shapely.intersects(box, shapes)
    return np.asarray(found, bool)


def _size(rows: Rows, boxes: Boxes) -> int:
    sure, rim = rows.tree.count(boxes)
    return rows.count if rim is None else sure + len(rim)
