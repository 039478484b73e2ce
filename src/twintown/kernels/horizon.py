"""Horizons of every cell of a height field, one direction after the other, each in time proportional to the cells.

A line is walked away from the direction that is looked to. What a later cell can still see of the cells before it is the upper
convex hull of their tops; a cell takes its horizon from the hull's last edge after it has removed what it hides itself, so that
each cell is put on the hull once and taken off at most once: amortised O(1) a cell and direction [timonen2010]. Lines are
those of `kernels/lines.py`.

Horizons are not kept: 360 of them would be 1.4 kB a cell. Each is turned at once into the bucket of its sine, and the bucket into
whole numbers (seconds of sun, watt hours, share of the sky) by a table of the direction, which are added up. Whole numbers
have one sum, whatever the order and the threads. Inside there is only + − × ÷ and √, so that every machine finds the same.

A horizon lower than ``floor`` (a slope) counts as level. So nothing farther than the tallest thing's height ÷ floor matters, and a
tile with that halo has the bytes of the whole (:func:`halo_cells`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.lines import Field, March, Tile, march
from twintown.kernels.spread import processors, spread

__all__ = ["BUCKETS", "Points", "accumulate", "halo_cells", "sines"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

#: Buckets of a horizon's sine from 0 to 1; 0.014° near the level.
BUCKETS = 4096
#: Lines that are walked side by side, so that rows are read in pieces of 1 kB.
ABREAST = 256


def sines() -> F64:
    """The sine that each bucket stands for, float64[BUCKETS]: its middle; 0 for the first, which is the level horizon."""
    found = (np.arange(BUCKETS) + 0.5) / BUCKETS
    found[0] = 0.0
    return found


def halo_cells(highest_m: float, floor: float, cell_m: float) -> int:
    """How far around a tile its horizons may come from, in cells."""
    return math.ceil(highest_m / (floor * cell_m)) + 2


@dataclass(frozen=True)
class Points:
    """Points that look at the sky: on facades and roofs.

    ``row``, ``col`` int64[n]: their cell in the whole grid; ``z`` float64[n]: metres above the ground, at or above what stands in
    the cell or beside it; ``normal`` float64[n, 3]: east, north, up.
    """

    row: I64
    col: I64
    z: F64
    normal: F64


@dataclass(frozen=True)
class _Order:
    """Points in the order of a field's rows: `first` int64[rows + 1] into `number`, by column within each row."""

    first: I64
    col: I64
    number: I64

    @classmethod
    def of(cls, row: I64, col: I64, tile: Tile) -> _Order:
        inside = (row >= tile.row0) & (row < tile.row1) & (col >= tile.col0) & (col < tile.col1)
        number = np.flatnonzero(inside)
        number = number[np.lexsort((col[number], row[number]))]
        first = np.searchsorted(row[number], np.arange(tile.row0, tile.row1 + 1)).astype(np.int64)
        return cls(first, np.ascontiguousarray(col[number]), number.astype(np.int64))


@njit(cache=True, nogil=True)
def _bucket(slope):  # type: ignore[no-untyped-def]
    t = slope * slope
    return min(np.int64(math.sqrt(t / (1.0 + t)) * BUCKETS), BUCKETS - 1)


@njit(cache=True, nogil=True)
def _look(tops, rows, depth, i, r, z, stride):  # type: ignore[no-untyped-def]
    """The slope from height z at row r up to the hull of line i, without changing the hull; 0 where nothing is higher."""
    best = -1.0e30
    for t in range(depth - 1, -1, -1):
        slope = (np.float64(tops[t, i]) - z) / (abs(r - rows[t, i]) * stride)
        if slope < best:
            break  # along a hull the slope rises to one greatest and falls after it
        best = slope
    return max(best, 0.0)


@njit(cache=True, nogil=True)
def _sweep(  # type: ignore[no-untyped-def]
    heights, row0, col0, tile, ahead, backward, slope, stride, floor, ka, kb, table, out,
    first, pcol, number, z, normal, east, north, energy, seconds, views, found,
):  # fmt: skip
    """Walk the lines ka to kb of a block; see `accumulate` for the arrays."""
    rows, cols = heights.shape
    r0, r1, c0, c1 = tile
    kinds = table.shape[1]
    if backward:
        begin, end, way = min(r1 - 1 + ahead, row0 + rows - 1), r0, -1
    else:
        begin, end, way = max(r0 - ahead, row0), r1 - 1, 1
    growing = slope * way > 0
    low, high = math.floor(r0 * slope + 0.5), math.floor((r1 - 1) * slope + 0.5)
    kmin, kmax = c0 - max(low, high), c1 - min(low, high)
    deepest = abs(end - begin) + 2
    tops, where = np.empty((deepest, ABREAST), np.float32), np.empty((deepest, ABREAST), np.int32)
    depth = np.empty(ABREAST, np.int64)
    for k0 in range(ka, kb, ABREAST):
        k1 = min(kb, k0 + ABREAST)
        depth[:] = 0
        for r in range(begin, end + way, way):
            shift = math.floor(r * slope + 0.5)
            inside = r0 <= r < r1
            a = kmin + shift if growing or not inside else c0
            b = kmax + shift if not growing or not inside else c1
            a, b = max(a, col0, k0 + shift), min(b, col0 + cols, k1 + shift)
            if a >= b:
                continue
            if inside and number.size > 0:
                p, q = first[r - r0], first[r - r0 + 1]
                if p < q:
                    p += np.searchsorted(pcol[p:q], a)
                    while p < q and pcol[p] < b:
                        n = number[p]
                        i = pcol[p] - shift - k0
                        facing = normal[n, 0] * east + normal[n, 1] * north
                        up = normal[n, 2]
                        p += 1
                        if up <= 0.0 and facing <= 1e-9:
                            continue
                        rise = _look(tops, where, depth[i], i, r, z[n], stride)
                        if rise < floor:
                            rise = 0.0
                        if up > 0.0:
                            rise = max(rise, -facing / up)  # its own plane is a horizon too
                        j = _bucket(rise)
                        found[n, 0] += seconds[j]
                        found[n, 1] += (
                            normal[n, 0] * energy[j, 0] + normal[n, 1] * energy[j, 1] + up * energy[j, 2]
                        )
                        found[n, 2] += facing * views[j, 0] + up * views[j, 1]
            h = heights[r - row0]
            for c in range(a, b):
                i = c - shift - k0
                v = h[c - col0]
                n = depth[i]
                while n > 0 and tops[n - 1, i] <= v:
                    n -= 1
                while n > 1:
                    d1, d2 = abs(r - where[n - 1, i]), abs(r - where[n - 2, i])
                    near, far = np.float64(tops[n - 1, i]) - v, np.float64(tops[n - 2, i]) - v
                    if far * d1 < near * d2:
                        break
                    n -= 1
                if inside and c0 <= c < c1:
                    j = np.int64(0)
                    if n > 0:
                        rise = (np.float64(tops[n - 1, i]) - v) / (abs(r - where[n - 1, i]) * stride)
                        if rise >= floor:
                            j = _bucket(rise)
                    for kind in range(kinds):
                        out[r - r0, c - c0, kind] += table[j, kind]
                tops[n, i] = v
                where[n, i] = r
                depth[i] = n + 1


def accumulate(
    field: Field,
    directions: F64,
    table: I32,
    floor: float,
    tile: Tile | None = None,
    points: Points | None = None,
    energy: F64 | None = None,
    seconds: F64 | None = None,
    views: F64 | None = None,
    threads: int = 0,
    told: Callable[[float], None] = lambda _: None,
) -> tuple[I32, F64]:
    """Whole numbers of every cell, added up over the directions by its horizon in each, and the same of points with a normal.

    Args:
        field: heights, metres.
        directions: float64[n, 2], unit vectors east and north, evenly around.
        table: int32[n or 1, BUCKETS, kinds]: what a horizon of the bucket adds, by direction (or the same for all).
        floor: slope below which a horizon counts as level.
        tile: the cells that are asked for; all of the field without.
        points: what else looks at the sky; with `energy` float64[n, BUCKETS, 3] (vectors of what comes from above a horizon; the
            point takes the part along its normal), `seconds` float64[n, BUCKETS] and `views` float64[BUCKETS, 2] (what a unit of
            the normal along the direction and up sees of the sky above the bucket).
        told: called with the share of the directions that are done.

    Returns:
        int32[rows, cols, kinds] of the tile, and float64[points, 3]: seconds, energy, view, each the sum over the directions.
    """
    tile = tile or field.whole
    threads = threads or processors()
    kinds = table.shape[2]
    along = np.zeros((*tile.shape, kinds), np.int32)
    nothing = np.zeros(0, np.int64)
    here = points or Points(nothing, nothing, np.zeros(0), np.zeros((0, 3)))
    found = np.zeros((len(here.z), 3))
    z, normal = np.ascontiguousarray(here.z, np.float64), np.ascontiguousarray(here.normal, np.float64)
    none3, none1 = np.zeros((BUCKETS, 3)), np.zeros(BUCKETS)
    view = np.zeros((BUCKETS, 2)) if views is None else np.ascontiguousarray(views)
    marches = [march(np.array([*d, 0.0]), field.cell_m) for d in directions]

    def towards(index: int, m: March, out: I32, order: _Order) -> None:
        t = tile.turned if m.across else tile
        heights = field.across if m.across else field.heights
        row0, col0 = (field.col0, field.row0) if m.across else (field.row0, field.col0)
        low, high = (math.floor(r * m.slope + 0.5) for r in (t.row0, t.row1 - 1))
        k0, k1 = t.col0 - max(low, high), t.col1 - min(low, high)
        ahead = halo_cells(field.highest, floor, m.stride)
        # four pieces a thread, in whole bundles: lines at the rims are short
        bundles = -(-(k1 - k0) // ABREAST)
        pieces = min(bundles, 4 * threads)
        cuts = [min(k1, k0 + ABREAST * (bundles * p // pieces)) for p in range(pieces + 1)]

        def work(piece: int) -> None:
            _sweep(
                heights, row0, col0, (t.row0, t.row1, t.col0, t.col1), ahead, m.backward, m.slope, m.stride,
                floor, cuts[piece], cuts[piece + 1], table[min(index, len(table) - 1)], out,
                order.first, order.col, order.number, z, normal,
                float(directions[index, 0]), float(directions[index, 1]),
                none3 if energy is None else energy[index], none1 if seconds is None else seconds[index], view, found,
            )  # fmt: skip

        spread(work, pieces, threads)

    done = 0
    turned = np.zeros((0, 0, kinds), np.int32)
    for across in (False, True):
        mine = [i for i, m in enumerate(marches) if m.across == across]
        if not mine:
            continue
        if across:
            turned = np.zeros((*tile.turned.shape, kinds), np.int32)
            order = _Order.of(here.col, here.row, tile.turned)
        else:
            order = _Order.of(here.row, here.col, tile)
        for index in mine:
            towards(index, marches[index], turned if across else along, order)
            done += 1
            told(done / len(marches))
    if turned.size:
        _add_turned(along, turned)
    return along, found


@njit(cache=True, nogil=True)
def _add_turned(total, turned):  # type: ignore[no-untyped-def]
    rows, cols, kinds = total.shape
    for r0 in range(0, rows, 32):
        for c0 in range(0, cols, 32):
            for r in range(r0, min(rows, r0 + 32)):
                for c in range(c0, min(cols, c0 + 32)):
                    for kind in range(kinds):
                        total[r, c, kind] += turned[c, r, kind]
