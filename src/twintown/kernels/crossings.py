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

    A row of found: 0–1 t start and end; 2–4 c a b of the top's plane, the part that grows with the heights; 5–7 their change a
    metre of z; 8 the greatest height that can be shaded; 9–11 c a b of the base's plane, the part that grows; 12 the base;
    13–15 the part of both planes that does not grow; 16–17 the least and 18–19 the greatest of the top and of the ray's rise
    to it, so that all heights below row[16] − row[19] are shaded all the time and none above row[18] − row[17] at any.
    """
    s0x = circle[0, 0] + circle[1, 0] * math.cos(t0) + circle[2, 0] * math.sin(t0)
    s0y = circle[0, 1] + circle[1, 1] * math.cos(t0) + circle[2, 1] * math.sin(t0)
    s1x = circle[0, 0] + circle[1, 0] * math.cos(t1) + circle[2, 0] * math.sin(t1)
    s1y = circle[0, 1] + circle[1, 1] * math.cos(t1) + circle[2, 1] * math.sin(t1)
    turn = 1.0 if s0x * s1y - s0y * s1x > 0.0 else -1.0
    top_t = math.atan2(circle[2, 2], circle[1, 2])  # the sun's highest
    top_flat = math.hypot(
        circle[0, 0] + circle[1, 0] * math.cos(top_t) + circle[2, 0] * math.sin(top_t),
        circle[0, 1] + circle[1, 1] * math.cos(top_t) + circle[2, 1] * math.sin(top_t),
    )
    top_rise = (circle[0, 2] + math.hypot(circle[1, 2], circle[2, 2])) / max(1e-12, top_flat)
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
        # the rise of the ray to the segment: the sun's altitude is a hump, the distance along a segment a valley
        ex, ey = vx - ux, vy - uy
        along = min(1.0, max(0.0, -(ux * ex + uy * ey) / (ex * ex + ey * ey)))
        near = math.hypot(ux + along * ex, uy + along * ey)
        far, low_rise, high_rise = 0.0, 1e30, 0.0
        for t in (ts, te):
            sx = circle[0, 0] + circle[1, 0] * math.cos(t) + circle[2, 0] * math.sin(t)
            sy = circle[0, 1] + circle[1, 1] * math.cos(t) + circle[2, 1] * math.sin(t)
            sz = circle[0, 2] + circle[1, 2] * math.cos(t) + circle[2, 2] * math.sin(t)
            flat = max(1e-12, math.hypot(sx, sy))
            rise = max(0.0, sz) / flat
            low_rise, high_rise = min(low_rise, rise), max(high_rise, rise)
            far = max(far, area * flat / max(1e-12, abs(sx * ey - sy * ex)))
        if (ts < top_t) and (te > top_t):
            high_rise = max(high_rise, top_rise)
        most = max(za, zb) - near * low_rise
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
            row[2 + i] = mx * circle[i, 0] + my * circle[i, 1]
            row[5 + i] = wx * circle[i, 0] + wy * circle[i, 1]
            row[9 + i] = hx * circle[i, 0] + hy * circle[i, 1]
            row[13 + i] = area * circle[i, 2]
        row[12] = base
        row[16], row[17], row[18], row[19] = min(za, zb), near * low_rise, max(za, zb), far * high_rise
        n += 1
    return found, n


@njit(cache=True, nogil=True)
def _add(spans, m, t0, t1):  # type: ignore[no-untyped-def]
    """Join [t0, t1] to the disjoint, rising spans."""
    if t1 <= t0:
        return spans, m
    i = m
    while i > 0 and spans[i - 1, 1] >= t0:
        i -= 1
    j = i
    while j < m and spans[j, 0] <= t1:
        t0, t1 = min(t0, spans[j, 0]), max(t1, spans[j, 1])
        j += 1
    if j == i:
        if m == spans.shape[0]:
            spans = _wider(spans, m)
        for k in range(m, i, -1):
            spans[k, 0], spans[k, 1] = spans[k - 1, 0], spans[k - 1, 1]
        m += 1
    elif j > i + 1:
        for k in range(j, m):
            spans[k - j + i + 1, 0], spans[k - j + i + 1, 1] = spans[k, 0], spans[k, 1]
        m -= j - i - 1
    spans[i, 0], spans[i, 1] = t0, t1
    return spans, m


@njit(cache=True, nogil=True)
def _covered(spans, m, t0, t1):  # type: ignore[no-untyped-def]
    for i in range(m):
        if spans[i, 0] <= t0:
            if spans[i, 1] >= t1:
                return True
        else:
            return False
    return False


@njit(cache=True, nogil=True)
def _shade(row, z, grown, spans, m, tmp, tmp2):  # type: ignore[no-untyped-def]
    """Add the times in which one curtain, its heights multiplied by grown, shades height z."""
    c, a, b = grown * row[2] + row[13], grown * row[3] + row[14], grown * row[4] + row[15]
    k = _negative(c - z * row[5], a - z * row[6], b - z * row[7], row[0], row[1], tmp)
    for i in range(k):
        t0, t1 = tmp[i, 0], tmp[i, 1]
        if z >= grown * row[12]:
            spans, m = _add(spans, m, t0, t1)
        else:
            # below the base: shaded only while the ray is above it
            c, a, b = grown * row[9] + row[13], grown * row[10] + row[14], grown * row[11] + row[15]
            j = _negative(z * row[5] - c, z * row[6] - a, z * row[7] - b, t0, t1, tmp2)
            for q in range(j):
                spans, m = _add(spans, m, tmp2[q, 0], tmp2[q, 1])
    return spans, m


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
def _descend(z, rows, live, tops, n, grown, mine, m, tmp, tmp2):  # type: ignore[no-untyped-def]
    """What the live rows shade at height z, joined to what they shaded at a greater height.

    What is shaded at a height is shaded below it too, so rows that are covered for good leave the list ``live``.
    """
    left = 0
    for k in range(n):
        if z < tops[k]:
            row = rows[live[k]]
            if _covered(mine, m, row[0], row[1]):
                continue
            mine, m = _shade(row, z, grown, mine, m, tmp, tmp2)
        live[left], tops[left] = live[k], tops[k]
        left += 1
    return mine, m, left


@njit(cache=True, nogil=True)
def _enlist(rows, start, n, low, grown, live, tops, raised):  # type: ignore[no-untyped-def]
    """Sort the rows that may shade the lowest height: those that stand on the ground, and those with a raised base."""
    on, off = 0, 0
    for k in range(start, start + n):
        top = grown * rows[k, 18] - rows[k, 17]
        if top > low:
            if grown * rows[k, 12] <= low:
                live[on], tops[on] = k, top
                on += 1
            else:
                raised[off] = k
                off += 1
    return on, off


@njit(cache=True, nogil=True)
def _run(  # type: ignore[no-untyped-def]
    columns, place, col_first, z, segments, first, disc, owner, skip, cells, cell_first, cell_top,
    circle, pieces, run, lowest, use_all, points,
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
        found, n, own, own_m = _column(
            i, place, zs, segments, first, disc, owner, skip, cells, cell_first, cell_top,
            circle, pieces, lowest, found, use_all,
        )
        if n > live.size:
            live, raised, tops = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64), np.empty(2 * n)
        on, off = _enlist(found, 0, n, zs[0], 1.0, live, tops, raised)
        m = 0
        for j in range(own_m):
            mine, m = _add(mine, m, own[j, 0], own[j, 1])
        for q in range(zs.size - 1, -1, -1):
            mine, m, on = _descend(zs[q], found, live, tops, on, 1.0, mine, m, tmp, tmp2)
            while m > spans.shape[0]:
                spans = _wider(spans, 0)
            spans[:m] = mine[:m]
            k = m
            for o in range(off):
                spans, k = _shade(found[raised[o]], zs[q], 1.0, spans, k, tmp, tmp2)
            at = point + q
            total[at], best[at] = _tally(spans, k, t0, t1, run[0], run[1])
            while wrote + k > kept.shape[0]:
                kept = _wider(kept, wrote)
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
        found, n, _, _ = _column(
            i, place, zs, segments, first, disc, owner, -1, nothing, nothing, disc,
            circle, pieces, lowest, found, True,
        )
        while wrote + n > kept.shape[0]:
            kept = _wider(kept, wrote)
        kept[wrote : wrote + n] = found[:n]
        wrote += n
        counts[ci] = n
    return counts, kept[:wrote]


@njit(cache=True, nogil=True)
def _pull(  # type: ignore[no-untyped-def]
    columns, col_first, z, row_first, rows, starts, counts, spans0, pieces, run, grown, points,
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
        on, off = _enlist(rows, first, n, zs[0], grown, live, tops, raised)
        m = 0
        for q in range(zs.size - 1, -1, -1):
            mine, m, on = _descend(zs[q], rows, live, tops, on, grown, mine, m, tmp, tmp2)
            at = point + q
            k = counts[at]
            while k > spans.shape[0]:
                spans = _wider(spans, 0)
            spans[:k] = spans0[starts[at] : starts[at] + k]
            for o in range(m):
                spans, k = _add(spans, k, mine[o, 0], mine[o, 1])
            for o in range(off):
                spans, k = _shade(rows[raised[o]], zs[q], grown, spans, k, tmp, tmp2)
            total[at], best[at] = _tally(spans, k, t0, t1, run[0], run[1])
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
    lookup = _Lookup(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros((0, 4))) if few else _lookup(curtains)
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


def grab(columns: Columns, curtains: Curtains, sun: Sun, owner: int, most: float, threads: int = 0) -> Grabbed:
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
    points = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(columns.first[chosen], sizes)
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
