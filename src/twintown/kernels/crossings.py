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

from twintown.kernels.spread import processors, spread

__all__ = ["Blocked", "Columns", "Curtains", "Sun", "lit_time", "others", "reached"]

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
        rows = np.concatenate([np.arange(self.first[k], self.first[k + 1]) for k in keep] or [np.zeros(0, np.int64)])
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
def _between(c, a, b, t0, t1):  # type: ignore[no-untyped-def]
    """The root of c + a cos θ + b sin θ in [t0, t1] where the ends differ in sign."""
    r = math.hypot(a, b)
    if r == 0.0:
        return t0
    phi = math.atan2(b, a)
    d = math.acos(min(1.0, max(-1.0, -c / r)))
    mid = 0.5 * (t0 + t1)
    best, gap = t0, 1e30
    for root in (phi + d, phi - d):
        root -= 2.0 * math.pi * math.floor((root - mid) / (2.0 * math.pi) + 0.5)
        out = max(t0 - root, root - t1, 0.0)
        if out < gap:
            best, gap = root, out
    return min(t1, max(t0, best))


@njit(cache=True, nogil=True)
def _negative(c, a, b, t0, t1, out):  # type: ignore[no-untyped-def]
    """Where c + a cos θ + b sin θ < 0 within [t0, t1] (shorter than π): 0–2 intervals into out[2, 2]."""
    cos0, sin0, cos1, sin1 = math.cos(t0), math.sin(t0), math.cos(t1), math.sin(t1)
    g0 = c + a * cos0 + b * sin0
    g1 = c + a * cos1 + b * sin1
    if g0 < 0.0 and g1 >= 0.0:
        out[0, 0], out[0, 1] = t0, _between(c, a, b, t0, t1)
        return 1
    if g0 >= 0.0 and g1 < 0.0:
        out[0, 0], out[0, 1] = _between(c, a, b, t0, t1), t1
        return 1
    d0 = b * cos0 - a * sin0
    d1 = b * cos1 - a * sin1
    bent = (d0 > 0.0 and d1 < 0.0) if g0 < 0.0 else (d0 < 0.0 and d1 > 0.0)
    if bent:
        # one extremum inside: at φ (a maximum) or φ + π (a minimum)
        r = math.hypot(a, b)
        if g0 < 0.0 and c + r > 0.0:
            top = math.atan2(b, a)
            mid = 0.5 * (t0 + t1)
            top -= 2.0 * math.pi * math.floor((top - mid) / (2.0 * math.pi) + 0.5)
            w = math.acos(min(1.0, max(-1.0, -c / r)))
            out[0, 0], out[0, 1] = t0, max(t0, top - w)
            out[1, 0], out[1, 1] = min(t1, top + w), t1
            return 2
        if g0 >= 0.0 and c - r < 0.0:
            low = math.atan2(-b, -a)
            mid = 0.5 * (t0 + t1)
            low -= 2.0 * math.pi * math.floor((low - mid) / (2.0 * math.pi) + 0.5)
            w = math.acos(min(1.0, max(-1.0, c / r)))
            out[0, 0], out[0, 1] = max(t0, low - w), min(t1, low + w)
            return 1
    if g0 < 0.0:
        out[0, 0], out[0, 1] = t0, t1
        return 1
    return 0


@njit(cache=True, nogil=True)
def _wider(found, n):  # type: ignore[no-untyped-def]
    more = np.empty((2 * found.shape[0], found.shape[1]), found.dtype)
    more[:n] = found[:n]
    return more


@njit(cache=True, nogil=True)
def _far(disc, k, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):  # type: ignore[no-untyped-def]
    """Whether solid k cannot shade the column: too low for its distance, or outside the sun's bearings."""
    dx, dy, radius = disc[k, 0] - x, disc[k, 1] - y, disc[k, 2]
    gap = math.hypot(dx, dy) - radius
    if gap > 0.0 and disc[k, 3] - low <= gap * lowest:
        return True
    if disc[k, 3] <= low:
        return True
    # the bearings from s0 to s1 turn by less than π: outside one of its two half-planes by more than the radius
    return turn * (s0x * dy - s0y * dx) < -radius or turn * (s1x * dy - s1y * dx) > radius


@njit(cache=True, nogil=True)
def _hull(place, i, circle, t0, t1, tmp):  # type: ignore[no-untyped-def]
    """Where the sun is in front of the wall and above the horizon: the hull within [t0, t1] and its gaps.

    Answers lit start, lit end (start > end: never); the wall's own blocked intervals are whatever lies outside,
    exact because a piece is shorter than π and the front condition holds on one interval of it, or on two at its
    ends, which the caller gets as the blocked middle (g0, g1).
    """
    nx, ny = place[i, 2], place[i, 3]
    c = nx * circle[0, 0] + ny * circle[0, 1]
    a = nx * circle[1, 0] + ny * circle[1, 1]
    b = nx * circle[2, 0] + ny * circle[2, 1]
    n = _negative(-c, -a, -b, t0, t1, tmp)
    if n == 0:
        return 1.0, 0.0, 0.0, 0.0
    if n == 2:
        return tmp[0, 0], tmp[1, 1], tmp[0, 1], tmp[1, 0]
    return tmp[0, 0], tmp[0, 1], 0.0, 0.0


@njit(cache=True, nogil=True)
def _gather(x, y, low, solid, segments, first, circle, t0, t1, found, n):  # type: ignore[no-untyped-def]
    """Add the segments of one solid that the sun passes behind in [t0, t1], as seen from (x, y).

    A row of found: t start, t end, c a b of the top's plane at z = 0, their change a metre of z (ca, aa, ba),
    greatest height that can be shaded, then the base plane's c a b, base.
    """
    s0x = circle[0, 0] + circle[1, 0] * math.cos(t0) + circle[2, 0] * math.sin(t0)
    s0y = circle[0, 1] + circle[1, 1] * math.cos(t0) + circle[2, 1] * math.sin(t0)
    s1x = circle[0, 0] + circle[1, 0] * math.cos(t1) + circle[2, 0] * math.sin(t1)
    s1y = circle[0, 1] + circle[1, 1] * math.cos(t1) + circle[2, 1] * math.sin(t1)
    turn = 1.0 if s0x * s1y - s0y * s1x > 0.0 else -1.0
    for k in range(first[solid], first[solid + 1]):
        ux, uy = segments[k, 0] - x, segments[k, 1] - y
        vx, vy = segments[k, 2] - x, segments[k, 3] - y
        za, zb = segments[k, 4], segments[k, 5]
        if max(za, zb) <= low:
            continue
        area = ux * vy - uy * vx
        if segments[k, 7] > 0.0 and area >= 0.0:
            continue  # seen from inside, or edge on
        if area < 0.0:
            ux, uy, za, vx, vy, zb = vx, vy, zb, ux, uy, za
            area = -area
        if area < 1e-9:
            continue
        # outside the sun's bearings
        a0, b0 = turn * (s0x * uy - s0y * ux), turn * (s0x * vy - s0y * vx)
        a1, b1 = turn * (s1x * uy - s1y * ux), turn * (s1x * vy - s1y * vx)
        if (a0 < 0.0 and b0 < 0.0) or (a1 > 0.0 and b1 > 0.0):
            continue
        # left of u: cross(u, s) > 0; right of v: cross(s, v) > 0. One change of sign at most in a piece.
        ts, te = t0, t1
        p0, p1 = ux * s0y - uy * s0x, ux * s1y - uy * s1x
        if p0 <= 0.0 and p1 <= 0.0:
            continue
        if p0 <= 0.0 or p1 <= 0.0:
            root = _between(
                ux * circle[0, 1] - uy * circle[0, 0],
                ux * circle[1, 1] - uy * circle[1, 0],
                ux * circle[2, 1] - uy * circle[2, 0],
                t0,
                t1,
            )
            if p0 <= 0.0:
                ts = root
            else:
                te = root
        q0, q1 = s0x * vy - s0y * vx, s1x * vy - s1y * vx
        if q0 <= 0.0 and q1 <= 0.0:
            continue
        if q0 <= 0.0 or q1 <= 0.0:
            root = _between(
                circle[0, 0] * vy - circle[0, 1] * vx,
                circle[1, 0] * vy - circle[1, 1] * vx,
                circle[2, 0] * vy - circle[2, 1] * vx,
                t0,
                t1,
            )
            if q0 <= 0.0:
                ts = max(ts, root)
            else:
                te = min(te, root)
        if te <= ts:
            continue
        # a ray to the nearest point of the segment at the lower of the two altitudes: nothing above is shaded
        ex, ey = vx - ux, vy - uy
        along = min(1.0, max(0.0, -(ux * ex + uy * ey) / (ex * ex + ey * ey)))
        near = math.hypot(ux + along * ex, uy + along * ey)
        rise = 1e30
        for t in (ts, te):
            sx = circle[0, 0] + circle[1, 0] * math.cos(t) + circle[2, 0] * math.sin(t)
            sy = circle[0, 1] + circle[1, 1] * math.cos(t) + circle[2, 1] * math.sin(t)
            sz = circle[0, 2] + circle[1, 2] * math.cos(t) + circle[2, 2] * math.sin(t)
            rise = min(rise, max(0.0, sz) / max(1e-12, math.hypot(sx, sy)))
        most = max(za, zb) - near * rise
        if most <= low:
            continue
        if n == found.shape[0]:
            found = _wider(found, n)
        row = found[n]
        row[0], row[1], row[8] = ts, te, most
        mx, my = uy * zb - za * vy, za * vx - ux * zb
        base = segments[k, 6]
        hx, hy = base * (uy - vy), base * (vx - ux)
        wx, wy = uy - vy, vx - ux
        for i in range(3):
            row[2 + i] = mx * circle[i, 0] + my * circle[i, 1] + area * circle[i, 2]
            row[5 + i] = wx * circle[i, 0] + wy * circle[i, 1]
            row[9 + i] = hx * circle[i, 0] + hy * circle[i, 1] + area * circle[i, 2]
        row[12] = base
        n += 1
    return found, n


@njit(cache=True, nogil=True)
def _push(spans, m, t0, t1):  # type: ignore[no-untyped-def]
    if t1 <= t0:
        return spans, m
    if m == spans.shape[0]:
        spans = _wider(spans, m)
    spans[m, 0], spans[m, 1] = t0, t1
    return spans, m + 1


@njit(cache=True, nogil=True)
def _block(z, found, order, n, spans, m, tmp, tmp2):  # type: ignore[no-untyped-def]
    """Add the times in which the gathered curtains shade height z."""
    for o in range(n):
        row = found[order[o]]
        if z >= row[8]:
            continue
        t0, t1 = row[0], row[1]
        k = _negative(row[2] - z * row[5], row[3] - z * row[6], row[4] - z * row[7], t0, t1, tmp)
        for i in range(k):
            a, b = tmp[i, 0], tmp[i, 1]
            if z >= row[12]:
                spans, m = _push(spans, m, a, b)
            else:
                # below the base: shaded only while the ray is above it
                j = _negative(z * row[5] - row[9], z * row[6] - row[10], z * row[7] - row[11], a, b, tmp2)
                for q in range(j):
                    spans, m = _push(spans, m, tmp2[q, 0], tmp2[q, 1])
    return spans, m


@njit(cache=True, nogil=True)
def _merge(spans, m):  # type: ignore[no-untyped-def]
    """Sort by start (nearly sorted already) and join what overlaps, in place."""
    for i in range(1, m):
        a, b = spans[i, 0], spans[i, 1]
        j = i - 1
        while j >= 0 and spans[j, 0] > a:
            spans[j + 1, 0], spans[j + 1, 1] = spans[j, 0], spans[j, 1]
            j -= 1
        spans[j + 1, 0], spans[j + 1, 1] = a, b
    k = 0
    for i in range(m):
        if k > 0 and spans[i, 0] <= spans[k - 1, 1]:
            spans[k - 1, 1] = max(spans[k - 1, 1], spans[i, 1])
        else:
            spans[k, 0], spans[k, 1] = spans[i, 0], spans[i, 1]
            k += 1
    return k


@njit(cache=True, nogil=True)
def _tally(spans, m, t0, t1, r0, r1):  # type: ignore[no-untyped-def]
    """Lit time within [t0, t1] and the longest lit run within [r0, r1], from merged blocked intervals."""
    total, best = t1 - t0, 0.0
    cursor = r0
    for i in range(m):
        a, b = spans[i, 0], spans[i, 1]
        total -= max(0.0, min(b, t1) - max(a, t0))
        best = max(best, min(a, r1) - cursor)
        cursor = max(cursor, b)
    best = max(best, r1 - cursor)
    return max(0.0, total), max(0.0, best)


@njit(cache=True, nogil=True)
def _column(  # type: ignore[no-untyped-def]
    i, place, zs, segments, first, disc, owner, skip, cells, cell_first, cell_top,
    circle, pieces, lowest, found, use_all,
):
    """Gather the curtains of every solid that may shade column i; answers found, its count, and the wall's spans."""
    x, y = place[i, 0], place[i, 1]
    low = zs[0]
    tmp = np.empty((2, 2))
    own = np.empty((3 * pieces.shape[0], 2))
    n, m = 0, 0
    for p in range(pieces.shape[0]):
        t0, t1 = pieces[p, 0], pieces[p, 1]
        l0, l1, g0, g1 = _hull(place, i, circle, t0, t1, tmp)
        if l0 > l1:
            own[m, 0], own[m, 1] = t0, t1
            m += 1
            continue
        for a, b in ((t0, l0), (g0, g1), (l1, t1)):
            if b > a:
                own[m, 0], own[m, 1] = a, b
                m += 1
        s0x = circle[0, 0] + circle[1, 0] * math.cos(l0) + circle[2, 0] * math.sin(l0)
        s0y = circle[0, 1] + circle[1, 1] * math.cos(l0) + circle[2, 1] * math.sin(l0)
        s1x = circle[0, 0] + circle[1, 0] * math.cos(l1) + circle[2, 0] * math.sin(l1)
        s1y = circle[0, 1] + circle[1, 1] * math.cos(l1) + circle[2, 1] * math.sin(l1)
        k0, k1 = math.hypot(s0x, s0y), math.hypot(s1x, s1y)
        s0x, s0y, s1x, s1y = s0x / k0, s0y / k0, s1x / k1, s1y / k1
        turn = 1.0 if s0x * s1y - s0y * s1x > 0.0 else -1.0
        if use_all:
            for k in range(disc.shape[0]):
                if owner[k] != skip and not _far(disc, k, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):
                    found, n = _gather(x, y, low, k, segments, first, circle, l0, l1, found, n)
            continue
        for cell in range(cell_top.shape[0]):
            if _far(cell_top, cell, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):
                continue
            for j in range(cell_first[cell], cell_first[cell + 1]):
                k = cells[j]
                if owner[k] != skip and not _far(disc, k, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):
                    found, n = _gather(x, y, low, k, segments, first, circle, l0, l1, found, n)
    return found, n, own, m


@njit(cache=True, nogil=True)
def _run(  # type: ignore[no-untyped-def]
    columns, place, col_first, z, segments, first, disc, owner, skip, cells, cell_first, cell_top,
    circle, pieces, run, lowest, use_all, prior_first, prior, with_prior, points,
):
    """Work through the columns: totals, longest runs, and the merged blocked intervals with their counts.

    With ``with_prior`` a point starts from its intervals ``prior[prior_first[q]:prior_first[q + 1]]`` (points in the
    order of the columns) instead of from its wall's own.
    """
    found = np.empty((256, 13))
    spans = np.empty((256, 2))
    tmp, tmp2 = np.empty((2, 2)), np.empty((2, 2))
    total, best = np.empty(points, np.float32), np.empty(points, np.float32)
    counts = np.empty(points, np.int64)
    kept = np.empty((2 * points + 8, 2))
    t0, t1 = pieces[0, 0], pieces[-1, 1]
    point, wrote = 0, 0
    for ci in range(columns.size):
        i = columns[ci]
        zs = z[col_first[i] : col_first[i + 1]]
        if zs.size == 0:
            continue
        found, n, own, own_m = _column(
            i, place, zs, segments, first, disc, owner, skip, cells, cell_first, cell_top,
            circle, pieces, lowest, found, use_all,
        )
        order = np.argsort(found[:n, 0])
        for q in range(zs.size):
            m = 0
            if with_prior:
                for j in range(prior_first[point], prior_first[point + 1]):
                    spans, m = _push(spans, m, prior[j, 0], prior[j, 1])
            else:
                for j in range(own_m):
                    spans, m = _push(spans, m, own[j, 0], own[j, 1])
            spans, m = _block(zs[q], found, order, n, spans, m, tmp, tmp2)
            m = _merge(spans, m)
            lit, longest = _tally(spans, m, t0, t1, run[0], run[1])
            total[point], best[point] = lit, longest
            if not with_prior:
                while wrote + m > kept.shape[0]:
                    kept = _wider(kept, wrote)
                for j in range(m):
                    kept[wrote, 0], kept[wrote, 1] = spans[j, 0], spans[j, 1]
                    wrote += 1
                counts[point] = m
            point += 1
    return total, best, counts, kept[:wrote]


@njit(cache=True, nogil=True)
def _reach(columns, place, col_first, z, segments, first, disc, owner, circle, pieces, lowest):  # type: ignore[no-untyped-def]
    hit = np.zeros(columns.size, np.bool_)
    found = np.empty((256, 13))
    nothing = np.zeros(1, np.int64)
    for ci in range(columns.size):
        i = columns[ci]
        zs = z[col_first[i] : col_first[i + 1]]
        if zs.size > 0:
            found, n, _, _ = _column(
                i, place, zs, segments, first, disc, owner, -1, nothing, nothing, disc,
                circle, pieces, lowest, found, True,
            )
            hit[ci] = n > 0
    return hit


@dataclass(frozen=True)
class Blocked:
    """Merged blocked intervals of some columns' points, as :func:`others` leaves them for :func:`lit_time`.

    ``columns`` int64[k]; ``first`` int64[points + 1]; ``spans`` float64[m, 2], radians.
    """

    columns: I64
    first: I64
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


def _sizes(columns: Columns, chosen: I64) -> I64:
    sizes: I64 = columns.first[chosen + 1] - columns.first[chosen]
    return sizes


def _work(
    columns: Columns, curtains: Curtains, sun: Sun, chosen: I64, skip: int, prior: Blocked | None, threads: int
) -> list[tuple[F32, F32, I64, F64]]:
    few = prior is not None or len(curtains.owner) < 64
    lookup = _Lookup(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros((0, 4))) if few else _lookup(curtains)
    chunks = _chunks(chosen)
    points = [int(_sizes(columns, chunk).sum()) for chunk in chunks]
    starts = np.concatenate([[0], np.cumsum(points)]).astype(np.int64)

    def work(index: int) -> tuple[F32, F32, I64, F64]:
        prior_first, spans = np.zeros(1, np.int64), np.zeros((0, 2))
        if prior is not None:
            prior_first, spans = prior.first[starts[index] : starts[index + 1] + 1], prior.spans
        answer: tuple[F32, F32, I64, F64] = _run(
            chunks[index], columns.place, columns.first, columns.z,
            curtains.segments, curtains.first, curtains.disc, curtains.owner, skip,
            lookup.cells, lookup.first, lookup.disc,
            sun.circle, sun.pieces, sun.run, sun.lowest, few, prior_first, spans, prior is not None, points[index],
        )  # fmt: skip
        return answer

    return spread(work, len(chunks), threads or processors())


def lit_time(
    columns: Columns,
    curtains: Curtains,
    sun: Sun,
    chosen: I64 | None = None,
    prior: Blocked | None = None,
    threads: int = 0,
) -> tuple[F32, F32]:
    """Minutes of sun within the whole window and the longest run within ``sun.run``, float32[points] each.

    ``chosen`` int64[k]: only these columns' points, in that order. ``prior``: start from these blocked intervals
    (its own columns are the chosen ones) and let ``curtains`` add theirs. The method stands in the module's head.
    """
    if prior is not None:
        chosen = prior.columns
    if chosen is None:
        chosen = np.arange(len(columns.place), dtype=np.int64)
    parts = _work(columns, curtains, sun, chosen, -1, prior, threads)
    none = [np.zeros(0, np.float32)]
    total: F32 = np.concatenate([p[0] for p in parts] or none)
    best: F32 = np.concatenate([p[1] for p in parts] or none)
    return total * np.float32(DAY), best * np.float32(DAY)


def others(columns: Columns, curtains: Curtains, sun: Sun, chosen: I64, skip: int, threads: int = 0) -> Blocked:
    """When the chosen columns' points are blocked by their walls and by every solid but those of owner ``skip``."""
    parts = _work(columns, curtains, sun, chosen, skip, None, threads)
    counts = np.concatenate([p[2] for p in parts] or [np.zeros(0, np.int64)])
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Blocked(chosen, first, np.concatenate([p[3] for p in parts] or [np.zeros((0, 2))]))


def reached(columns: Columns, curtains: Curtains, sun: Sun, threads: int = 0) -> I64:
    """The columns, int64[k] rising, of which some height may be shaded by one of the curtains during the window."""
    everything = np.arange(len(columns.place), dtype=np.int64)
    chunks = _chunks(everything)

    def work(index: int) -> npt.NDArray[np.bool_]:
        hit: npt.NDArray[np.bool_] = _reach(
            chunks[index], columns.place, columns.first, columns.z,
            curtains.segments, curtains.first, curtains.disc, curtains.owner, sun.circle, sun.pieces, sun.lowest,
        )  # fmt: skip
        return hit

    parts = spread(work, len(chunks), threads or processors())
    return everything[np.concatenate(parts or [np.zeros(0, np.bool_)])]
