"""What one column of facade points sees of the curtains, and how they shade it [reda2004 for the sun's circle].

A trap when changing this file: numba keeps compiled callers by their own file's age, so touch `crossings.py` too.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from twintown.kernels.spans import covered, join, negative, root_between, wider

__all__ = ["descend", "enlist", "see", "shade"]


@njit(cache=True, nogil=True)
def far(disc, k, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):  # type: ignore[no-untyped-def]
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
def front(place, i, circle, t0, t1, tmp):  # type: ignore[no-untyped-def]
    """Where the sun is in front of the wall and above the horizon: the hull within [t0, t1] and its gaps.

    Answers lit start, lit end (start > end: never); the wall's own blocked intervals are whatever lies outside,
    exact because a piece is shorter than π and the front condition holds on one interval of it, or on two at its
    ends, which the caller gets as the blocked middle (g0, g1).
    """
    nx, ny = place[i, 2], place[i, 3]
    c = nx * circle[0, 0] + ny * circle[0, 1]
    a = nx * circle[1, 0] + ny * circle[1, 1]
    b = nx * circle[2, 0] + ny * circle[2, 1]
    n = negative(-c, -a, -b, t0, t1, tmp)
    if n == 0:
        return 1.0, 0.0, 0.0, 0.0
    if n == 2:
        return tmp[0, 0], tmp[1, 1], tmp[0, 1], tmp[1, 0]
    return tmp[0, 0], tmp[0, 1], 0.0, 0.0


@njit(cache=True, nogil=True)
def gather(x, y, low, solid, segments, first, circle, t0, t1, found, n):  # type: ignore[no-untyped-def]
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
            root = root_between(
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
            root = root_between(
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
            found = wider(found, n)
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
def see(  # type: ignore[no-untyped-def]
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
):
    """Gather the curtains of every solid that may shade column i; answers found, its count, and the wall's spans."""
    x, y = place[i, 0], place[i, 1]
    low = zs[0]
    tmp = np.empty((2, 2))
    own = np.empty((3 * pieces.shape[0], 2))
    n, m = 0, 0
    for p in range(pieces.shape[0]):
        t0, t1 = pieces[p, 0], pieces[p, 1]
        l0, l1, g0, g1 = front(place, i, circle, t0, t1, tmp)
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
                if owner[k] != skip and not far(disc, k, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):
                    found, n = gather(x, y, low, k, segments, first, circle, l0, l1, found, n)
            continue
        for cell in range(cell_top.shape[0]):
            if far(cell_top, cell, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):
                continue
            for j in range(cell_first[cell], cell_first[cell + 1]):
                k = cells[j]
                if owner[k] != skip and not far(disc, k, x, y, low, lowest, s0x, s0y, s1x, s1y, turn):
                    found, n = gather(x, y, low, k, segments, first, circle, l0, l1, found, n)
    return found, n, own, m


@njit(cache=True, nogil=True)
def shade(row, z, grown, spans, m, tmp, tmp2):  # type: ignore[no-untyped-def]
    """Add the times in which one curtain, its heights multiplied by grown, shades height z."""
    c, a, b = grown * row[2] + row[13], grown * row[3] + row[14], grown * row[4] + row[15]
    k = negative(c - z * row[5], a - z * row[6], b - z * row[7], row[0], row[1], tmp)
    for i in range(k):
        t0, t1 = tmp[i, 0], tmp[i, 1]
        if z >= grown * row[12]:
            spans, m = join(spans, m, t0, t1)
        else:
            # below the base: shaded only while the ray is above it
            c, a, b = grown * row[9] + row[13], grown * row[10] + row[14], grown * row[11] + row[15]
            j = negative(z * row[5] - c, z * row[6] - a, z * row[7] - b, t0, t1, tmp2)
            for q in range(j):
                spans, m = join(spans, m, tmp2[q, 0], tmp2[q, 1])
    return spans, m


@njit(cache=True, nogil=True)
def descend(z, rows, live, tops, n, grown, mine, m, tmp, tmp2):  # type: ignore[no-untyped-def]
    """What the live rows shade at height z, joined to what they shaded at a greater height.

    What is shaded at a height is shaded below it too, so rows that are covered for good leave the list ``live``.
    """
    left = 0
    for k in range(n):
        if z < tops[k]:
            row = rows[live[k]]
            if covered(mine, m, row[0], row[1]):
                continue
            mine, m = shade(row, z, grown, mine, m, tmp, tmp2)
        live[left], tops[left] = live[k], tops[k]
        left += 1
    return mine, m, left


@njit(cache=True, nogil=True)
def enlist(rows, start, n, low, grown, live, tops, raised):  # type: ignore[no-untyped-def]
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
