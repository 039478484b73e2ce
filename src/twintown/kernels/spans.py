"""Spans of the day: when c + a cos θ + b sin θ is negative, and unions of such spans [reda2004 for the sun's θ].

A trap when changing this file: numba keeps compiled callers by their own file's age, so touch `crossings.py` too.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["covered", "join", "negative", "root_between", "tally", "wider"]


@njit(cache=True, nogil=True)
def root_between(c, a, b, t0, t1):  # type: ignore[no-untyped-def]
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
def negative(c, a, b, t0, t1, out):  # type: ignore[no-untyped-def]
    """Where c + a cos θ + b sin θ < 0 within [t0, t1] (shorter than π): 0–2 intervals into out[2, 2]."""
    cos0, sin0, cos1, sin1 = math.cos(t0), math.sin(t0), math.cos(t1), math.sin(t1)
    g0 = c + a * cos0 + b * sin0
    g1 = c + a * cos1 + b * sin1
    if g0 < 0.0 and g1 >= 0.0:
        out[0, 0], out[0, 1] = t0, root_between(c, a, b, t0, t1)
        return 1
    if g0 >= 0.0 and g1 < 0.0:
        out[0, 0], out[0, 1] = root_between(c, a, b, t0, t1), t1
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
def wider(found, n):  # type: ignore[no-untyped-def]
    """The first n rows in an array of twice the room."""
    more = np.empty((2 * found.shape[0], found.shape[1]), found.dtype)
    more[:n] = found[:n]
    return more


@njit(cache=True, nogil=True)
def join(spans, m, t0, t1):  # type: ignore[no-untyped-def]
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
            spans = wider(spans, m)
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
def covered(spans, m, t0, t1):  # type: ignore[no-untyped-def]
    """Whether one of the m disjoint, rising spans holds all of [t0, t1]."""
    for i in range(m):
        if spans[i, 0] <= t0:
            if spans[i, 1] >= t1:
                return True
        else:
            return False
    return False


@njit(cache=True, nogil=True)
def tally(spans, m, t0, t1, r0, r1):  # type: ignore[no-untyped-def]
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
