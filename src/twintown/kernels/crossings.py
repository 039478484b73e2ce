"""Sunlit time of facade points by exact crossing times, without a raster.

A solid whose top is piecewise linear over a triangulation of its footprint is shadowed exactly by the vertical
curtains under the triangulation's edges: over one triangle the ray's height above the top is linear, so if the
ray is ever below, it is below at the triangle's entry or exit. A point is therefore shaded iff at some edge the
ray passes between the solid's base and its top (rays that enter through a raised base and leave through the
top without crossing an edge are the one exception, and need a slab above the point).

Over a day the direction to the sun runs on a circle, s(θ) = C + A cos θ + B sin θ [reda2004, fitted], so each
question about a curtain (left of one end, right of the other, under the top, over the base) is the sign of
c + a cos θ + b sin θ, whose roots are φ ± acos(−c/R), R = hypot(a, b), φ = atan2(b, a): no time step at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.sightlines import descend, enlist, see, shade
from twintown.kernels.spans import join, tally, wider
from twintown.kernels.spread import processors, spread

__all__ = ["Columns", "Curtains", "Grabbed", "Sun", "grab", "lit_time", "pulled"]

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

CELL = 128.0  # metres; solids are looked up by squares of this side
CHUNK = 256  # columns a task: small enough to balance two threads, large enough to hide the call
DAY = 1440.0 / (2.0 * math.pi)  # minutes a radian


@dataclass(frozen=True)
class Columns:
    """Facade points stacked in columns: same place and wall, several heights.

    ``place`` float64[n, 4]: x, y (m), outward unit normal east, north; ``first`` int64[n + 1]: where the column's
    heights start in ``z`` float64[points], metres above the ground, rising within a column.
    """

    place: F64
    first: I64
    z: F64


@dataclass(frozen=True)
class Curtains:
    """Vertical curtains, grouped by solid.

    ``segments`` float64[m, 8]: ax, ay, bx, by, top at a, top at b, base, sided (1: a flat-roofed solid on the
    left of a→b, so that the curtain matters only from its right; 0: both sides);
    ``first`` int64[k + 1]: the solids' first segments; ``disc`` float64[k, 4]: centre x, y, radius, top;
    ``owner`` int64[k]: whose the solid is.
    """

    segments: F64
    first: I64
    disc: F64
    owner: I64

    def scaled(self, factor: float) -> Curtains:
        """The same with every height multiplied."""
        segments, disc = self.segments.copy(), self.disc.copy()
        segments[:, 4:7] *= factor
        disc[:, 3] *= factor
        return Curtains(segments, self.first, disc, self.owner)

    def of(self, owner: int) -> Curtains:
        """The solids of one owner."""
        keep = np.flatnonzero(self.owner == owner)
        sizes = self.first[keep + 1] - self.first[keep]
        rows = np.concatenate(
            [np.arange(self.first[k], self.first[k + 1]) for k in keep] or [np.zeros(0, np.int64)]
        )
        first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return Curtains(self.segments[rows], first, self.disc[keep], self.owner[keep])


@dataclass(frozen=True)
class Sun:
    """The sun's circle of one day and the windows of the rule.

    ``circle`` float64[3, 3]: rows C, A, B in grid east, grid north, up; angles θ in radians, 2π a day;
    ``pieces`` float64[k, 2]: the whole window cut where the azimuth turns back, each piece turning < π;
    ``run`` float64[2]: the window in which the longest run is sought; ``lowest`` tan of the least altitude.
    """

    circle: F64
    pieces: F64
    run: F64
    lowest: float


@njit(cache=True, nogil=True)
def _run(  # type: ignore[no-untyped-def]
    columns,
    place,
    col_first,
    z,
    segments,
    first,
    disc,
    owner,
    skip,
    cells,
    cell_first,
    cell_top,
    circle,
    pieces,
    run,
    lowest,
    use_all,
    points,
):
    """Work through the columns from top to bottom: totals, longest runs, and the blocked spans with starts and counts."""
    found = np.empty((256, 20))
    mine, spans = np.empty((64, 2)), np.empty((64, 2))
    live, raised, tops = np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256)
    tmp, tmp2 = np.empty((2, 2)), np.empty((2, 2))
    total, best = np.empty(points, np.float32), np.empty(points, np.float32)
    counts, starts = np.empty(points, np.int64), np.empty(points, np.int64)
    kept = np.empty((2 * points + 8, 2))
    t0, t1 = pieces[0, 0], pieces[-1, 1]
    point, wrote = 0, 0
    for ci in range(columns.size):
        i = columns[ci]
        zs = z[col_first[i] : col_first[i + 1]]
        if zs.size == 0:
            continue
        found, n, own, own_m = see(
            i,
            place,
            zs,
            segments,
            first,
            disc,
            owner,
            skip,
            cells,
            cell_first,
            cell_top,
            circle,
            pieces,
            lowest,
            found,
            use_all,
        )
        if n > live.size:
            live, raised, tops = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64), np.empty(2 * n)
        on, off = enlist(found, 0, n, zs[0], 1.0, live, tops, raised)
        m = 0
        for j in range(own_m):
            mine, m = join(mine, m, own[j, 0], own[j, 1])
        for q in range(zs.size - 1, -1, -1):
            mine, m, on = descend(zs[q], found, live, tops, on, 1.0, mine, m, tmp, tmp2)
            while m > spans.shape[0]:
                spans = wider(spans, 0)
            spans[:m] = mine[:m]
            k = m
            for o in range(off):
                spans, k = shade(found[raised[o]], zs[q], 1.0, spans, k, tmp, tmp2)
            at = point + q
            total[at], best[at] = tally(spans, k, t0, t1, run[0], run[1])
            while wrote + k > kept.shape[0]:
                kept = wider(kept, wrote)
            kept[wrote : wrote + k] = spans[:k]
            starts[at], counts[at] = wrote, k
            wrote += k
        point += zs.size
    return total, best, starts, counts, kept[:wrote]


@njit(cache=True, nogil=True)
def _reach(columns, place, col_first, z, segments, first, disc, owner, circle, pieces, lowest):  # type: ignore[no-untyped-def]
    """The rows of one owner's curtains that matter to each column, and how many."""
    counts = np.zeros(columns.size, np.int64)
    found = np.empty((256, 20))
    kept = np.empty((256, 20))
    wrote = 0
    nothing = np.zeros(1, np.int64)
    for ci in range(columns.size):
        i = columns[ci]
        zs = z[col_first[i] : col_first[i + 1]]
        if zs.size == 0:
            continue
        found, n, _, _ = see(
            i,
            place,
            zs,
            segments,
            first,
            disc,
            owner,
            -1,
            nothing,
            nothing,
            disc,
            circle,
            pieces,
            lowest,
            found,
            True,
        )
        while wrote + n > kept.shape[0]:
            kept = wider(kept, wrote)
        kept[wrote : wrote + n] = found[:n]
        wrote += n
        counts[ci] = n
    return counts, kept[:wrote]


@njit(cache=True, nogil=True)
def _pull(  # type: ignore[no-untyped-def]
    columns,
    col_first,
    z,
    row_first,
    rows,
    starts,
    counts,
    spans0,
    pieces,
    run,
    grown,
    points,
):
    """Totals and longest runs of the columns' points, their blocked spans joined by one owner's rows at a growth."""
    mine, spans = np.empty((64, 2)), np.empty((64, 2))
    live, raised, tops = np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256)
    tmp, tmp2 = np.empty((2, 2)), np.empty((2, 2))
    total, best = np.empty(points, np.float32), np.empty(points, np.float32)
    t0, t1 = pieces[0, 0], pieces[-1, 1]
    point = 0
    for ci in range(columns.size):
        first, n = row_first[ci], row_first[ci + 1] - row_first[ci]
        zs = z[col_first[columns[ci]] : col_first[columns[ci] + 1]]
        if n > live.size:
            live, raised, tops = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64), np.empty(2 * n)
        on, off = enlist(rows, first, n, zs[0], grown, live, tops, raised)
        m = 0
        for q in range(zs.size - 1, -1, -1):
            mine, m, on = descend(zs[q], rows, live, tops, on, grown, mine, m, tmp, tmp2)
            at = point + q
            k = counts[at]
            while k > spans.shape[0]:
                spans = wider(spans, 0)
            spans[:k] = spans0[starts[at] : starts[at] + k]
            for o in range(m):
                spans, k = join(spans, k, mine[o, 0], mine[o, 1])
            for o in range(off):
                spans, k = shade(rows[raised[o]], zs[q], grown, spans, k, tmp, tmp2)
            total[at], best[at] = tally(spans, k, t0, t1, run[0], run[1])
        point += zs.size
    return total, best


@dataclass(frozen=True)
class Grabbed:
    """One owner's curtains as some columns see them, and when all else blocks those columns' points.

    ``columns`` int64[k]; ``points`` int64[n]: their points, in order; ``row_first`` int64[k + 1] and ``rows``: the curtains, at the
    greatest heights they were grabbed for; ``starts``, ``counts`` int64[n]: each point's ``spans`` float64[m, 2], radians.
    """

    columns: I64
    points: I64
    row_first: I64
    rows: F64
    starts: I64
    counts: I64
    spans: F64


@dataclass(frozen=True)
class _Lookup:
    cells: I64
    first: I64
    disc: F64


def _lookup(curtains: Curtains) -> _Lookup:
    """Solids by squares, each square a disc that holds its solids' discs."""
    disc = curtains.disc
    if not len(disc):
        return _Lookup(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros((0, 4)))
    square = np.floor(disc[:, :2] / CELL).astype(np.int64)
    _, number = np.unique(square, axis=0, return_inverse=True)
    number = number.ravel()
    order = np.argsort(number, kind="stable")
    first = np.searchsorted(number[order], np.arange(number.max() + 2)).astype(np.int64)
    discs = np.empty((len(first) - 1, 4))
    for cell in range(len(discs)):
        members = disc[order[first[cell] : first[cell + 1]]]
        centre = members[:, :2].mean(axis=0)
        radius = (np.hypot(*(members[:, :2] - centre).T) + members[:, 2]).max()
        discs[cell] = (*centre, radius, members[:, 3].max())
    return _Lookup(order.astype(np.int64), first, discs)


def _chunks(columns: I64) -> list[I64]:
    return [columns[a : a + CHUNK] for a in range(0, len(columns), CHUNK)]


def _first(sizes: I64) -> I64:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _work(
    columns: Columns, curtains: Curtains, sun: Sun, chosen: I64, skip: int, threads: int
) -> list[tuple[F32, F32, I64, I64, F64]]:
    few = len(curtains.owner) < 64
    lookup = (
        _Lookup(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros((0, 4))) if few else _lookup(curtains)
    )
    chunks = _chunks(chosen)

    def work(index: int) -> tuple[F32, F32, I64, I64, F64]:
        chunk = chunks[index]
        answer: tuple[F32, F32, I64, I64, F64] = _run(
            chunk, columns.place, columns.first, columns.z,
            curtains.segments, curtains.first, curtains.disc, curtains.owner, skip,
            lookup.cells, lookup.first, lookup.disc, sun.circle, sun.pieces, sun.run, sun.lowest, few,
            int((columns.first[chunk + 1] - columns.first[chunk]).sum()),
        )  # fmt: skip
        return answer

    return spread(work, len(chunks), threads or processors())


def lit_time(columns: Columns, curtains: Curtains, sun: Sun, threads: int = 0) -> tuple[F32, F32]:
    """Minutes of sun within the whole window and the longest run within ``sun.run``, float32[points] each.

    The method stands in the module's head.
    """
    parts = _work(columns, curtains, sun, np.arange(len(columns.place), dtype=np.int64), -1, threads)
    none = [np.zeros(0, np.float32)]
    total: F32 = np.concatenate([p[0] for p in parts] or none)
    best: F32 = np.concatenate([p[1] for p in parts] or none)
    return total * np.float32(DAY), best * np.float32(DAY)


def grab(
    columns: Columns, curtains: Curtains, sun: Sun, owner: int, most: float, threads: int = 0
) -> Grabbed:
    """Take hold of one owner's curtains, to be pulled up to ``most`` times their heights by :func:`pulled`."""
    own = curtains.of(owner).scaled(most)
    everything = np.arange(len(columns.place), dtype=np.int64)
    chunks = _chunks(everything)

    def work(index: int) -> tuple[I64, F64]:
        seen: tuple[I64, F64] = _reach(
            chunks[index], columns.place, columns.first, columns.z,
            own.segments, own.first, own.disc, own.owner, sun.circle, sun.pieces, sun.lowest,
        )  # fmt: skip
        return seen

    parts = spread(work, len(chunks), threads or processors())
    counts = np.concatenate([p[0] for p in parts] or [np.zeros(0, np.int64)])
    chosen = everything[counts > 0]
    blocked = _work(columns, curtains, sun, chosen, owner, threads)
    shifts = _first(np.array([len(p[4]) for p in blocked], np.int64))[:-1]
    sizes = columns.first[chosen + 1] - columns.first[chosen]
    points = (
        np.arange(sizes.sum())
        - np.repeat(np.cumsum(sizes) - sizes, sizes)
        + np.repeat(columns.first[chosen], sizes)
    )
    return Grabbed(
        chosen, points.astype(np.int64),
        _first(counts[chosen]), np.concatenate([p[1] for p in parts] or [np.zeros((0, 20))]),
        np.concatenate([p[2] + shift for p, shift in zip(blocked, shifts, strict=True)] or [np.zeros(0, np.int64)]),
        np.concatenate([p[3] for p in blocked] or [np.zeros(0, np.int64)]),
        np.concatenate([p[4] for p in blocked] or [np.zeros((0, 2))]),
    )  # fmt: skip


def pulled(columns: Columns, grabbed: Grabbed, sun: Sun, share: float, threads: int = 0) -> tuple[F32, F32]:
    """As :func:`lit_time`, for the grabbed points only, with the owner's heights at ``share`` (0 to 1) of the grabbed ones."""
    starts = list(range(0, len(grabbed.columns), 64))
    offset = _first(columns.first[grabbed.columns + 1] - columns.first[grabbed.columns])

    def work(index: int) -> tuple[F32, F32]:
        a, b = starts[index], min(starts[index] + 64, len(grabbed.columns))
        found: tuple[F32, F32] = _pull(
            grabbed.columns[a:b], columns.first, columns.z, grabbed.row_first[a : b + 1], grabbed.rows,
            grabbed.starts[offset[a] : offset[b]], grabbed.counts[offset[a] : offset[b]], grabbed.spans,
            sun.pieces, sun.run, share,
            int(offset[b] - offset[a]),
        )  # fmt: skip
        return found

    parts = spread(work, len(starts), threads or processors())
    none = [np.zeros(0, np.float32)]
    total: F32 = np.concatenate([p[0] for p in parts] or none)
    best: F32 = np.concatenate([p[1] for p in parts] or none)
    return total * np.float32(DAY), best * np.float32(DAY)
