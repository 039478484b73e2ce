"""What is in the way of a sound over a town, and by how much it weakens it [iso9613_2].

A sound goes over the tops of what stands between source and receiver, and around its left and its right side; each way is the shortest
taut string, and its path difference z gives D_z = 10 lg(3 + (C₂/λ) C₃ z K_met), at most 20 dB for one edge and 25 dB for several
(equations 14 to 18). Obstacles are vertical curtains, as the sun meets them (`kernels/crossings.py`).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.spread import spread

__all__ = ["C2_GROUND", "atmospheric", "detours", "screening"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

#: C₂ where the reflection from the ground is within D_z; 40 where it is told apart by image sources (equation 14).
C2_GROUND = 20.0
#: The speed of sound at 20 °C, m/s.
SPEED = 343.0
MOST_ONE_DB, MOST_MANY_DB = 20.0, 25.0
#: Attenuation by air at 20 °C and 70 % humidity in the octave bands from 63 Hz to 8 kHz, dB/km (table 2).
BANDS_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
AIR_DB_KM = (0.1, 0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6)
#: Nothing stands in this way.
_FREE = -1.0e9
_WIDEST = 4096
#: Columns a task.
CHUNK = 128


def atmospheric(distance_m: F64) -> F64:
    """A_atm = α d / 1000 in the octave bands (equation 8), dB, float64[n, 8]."""
    found: F64 = np.asarray(distance_m, np.float64)[:, None] * np.asarray(AIR_DB_KM)[None, :] / 1000.0
    return found


@njit(cache=True, nogil=True)
def _crossings(sx, sy, x, y, segments, at, row):  # type: ignore[no-untyped-def]
    """Where the line from source to receiver crosses curtains: share of the way, and the curtain's row; how many."""
    n = 0
    dx, dy = x - sx, y - sy
    low_x, high_x, low_y, high_y = min(sx, x), max(sx, x), min(sy, y), max(sy, y)
    for k in range(segments.shape[0]):
        ax, ay, bx, by = segments[k, 0], segments[k, 1], segments[k, 2], segments[k, 3]
        if max(ax, bx) < low_x or min(ax, bx) > high_x or max(ay, by) < low_y or min(ay, by) > high_y:
            continue
        sa = dx * (ay - sy) - dy * (ax - sx)
        sb = dx * (by - sy) - dy * (bx - sx)
        if (sa < 0.0) == (sb < 0.0):
            continue
        ex, ey = bx - ax, by - ay
        cut = dx * ey - dy * ex
        if cut == 0.0:
            continue
        t = ((ax - sx) * ey - (ay - sy) * ex) / cut
        if t <= 0.0 or t >= 1.0:
            continue
        if n == at.size:
            break
        at[n], row[n] = t, k
        n += 1
    return n


@njit(cache=True, nogil=True)
def _top(segments, k, dx, dy, sx, sy, t):  # type: ignore[no-untyped-def]
    """Height of a curtain where the line crosses it."""
    px, py = sx + t * dx, sy + t * dy
    ax, ay = segments[k, 0], segments[k, 1]
    ex, ey = segments[k, 2] - ax, segments[k, 3] - ay
    s = min(1.0, max(0.0, ((px - ax) * ex + (py - ay) * ey) / (ex * ex + ey * ey)))
    return segments[k, 4] + s * (segments[k, 5] - segments[k, 4])


@njit(cache=True, nogil=True)
def _taut(u, v, n, far, rise, out, where):  # type: ignore[no-untyped-def]
    """The taut string from (0, 0) over the points u, v (sorted by u) to (far, rise): out = first leg, middle, last leg, edges."""
    m = 0
    where[0, 0], where[0, 1] = 0.0, 0.0
    m = 1
    for i in range(n + 1):
        pu = u[i] if i < n else far
        pv = v[i] if i < n else rise
        while m >= 2:
            au, av = where[m - 1, 0] - where[m - 2, 0], where[m - 1, 1] - where[m - 2, 1]
            bu, bv = pu - where[m - 2, 0], pv - where[m - 2, 1]
            if au * bv - av * bu >= 0.0:
                m -= 1
            else:
                break
        where[m, 0], where[m, 1] = pu, pv
        m += 1
    out[3] = m - 2
    out[0] = math.hypot(where[1, 0], where[1, 1])
    out[1] = 0.0
    for i in range(2, m - 1):
        out[1] += math.hypot(where[i, 0] - where[i - 1, 0], where[i, 1] - where[i - 1, 1])
    out[2] = 0.0
    if m > 2:
        out[2] = math.hypot(where[m - 1, 0] - where[m - 2, 0], where[m - 1, 1] - where[m - 2, 1])


@njit(cache=True, nogil=True)
def _beside(u, v, n, far, out, order, hull):  # type: ignore[no-untyped-def]
    """The taut string in plan around points with v > 0 from (0, 0) to (far, 0): out as `_taut` has it.

    It is the hull of the points and both ends [graham1972] without the straight line between them.
    """
    for i in range(n):
        order[i] = math.atan2(v[i], u[i])
    turn = np.argsort(order[:n])
    hull[0, 0], hull[0, 1] = 0.0, 0.0
    hull[1, 0], hull[1, 1] = far, 0.0
    m = 2
    for i in range(n + 1):
        pu = u[turn[i]] if i < n else 0.0
        pv = v[turn[i]] if i < n else 0.0
        while m >= 3:
            au, av = hull[m - 1, 0] - hull[m - 2, 0], hull[m - 1, 1] - hull[m - 2, 1]
            bu, bv = pu - hull[m - 2, 0], pv - hull[m - 2, 1]
            if au * bv - av * bu <= 0.0:
                m -= 1
            else:
                break
        hull[m, 0], hull[m, 1] = pu, pv
        m += 1
    # hull: source, receiver, corners from the receiver back, source
    out[3] = m - 3
    out[2] = math.hypot(hull[2, 0] - far, hull[2, 1])
    out[1] = 0.0
    for i in range(3, m - 1):
        out[1] += math.hypot(hull[i, 0] - hull[i - 1, 0], hull[i, 1] - hull[i - 1, 1])
    out[0] = 0.0
    if m > 3:
        out[0] = math.hypot(hull[m - 2, 0], hull[m - 2, 1])


@njit(cache=True, nogil=True)
def _detours(source, place, first_z, z, segments, first, solid, begin, end, out):  # type: ignore[no-untyped-def]
    at, row = np.empty(_WIDEST), np.empty(_WIDEST, np.int64)
    top, u, v = np.empty(_WIDEST), np.empty(_WIDEST), np.empty(_WIDEST)
    where = np.empty((_WIDEST + 2, 2))
    hull = np.empty((_WIDEST + 4, 2))
    order = np.empty(_WIDEST)
    leg = np.empty(4)
    sx, sy, sz = source[0], source[1], source[2]
    for c in range(begin, end):
        x, y = place[c, 0], place[c, 1]
        dx, dy = x - sx, y - sy
        far = math.hypot(dx, dy)
        if far < 1e-6:
            continue
        n = _crossings(sx, sy, x, y, segments, at, row)
        turn = np.argsort(at[:n])
        for i in range(n):
            top[i] = _top(segments, row[turn[i]], dx, dy, sx, sy, at[turn[i]])
        for p in range(first_z[c], first_z[c + 1]):
            rise = z[p] - sz
            straight = math.hypot(far, rise)
            blocked, m, closest = False, 0, _FREE
            for i in range(n):
                t, k = at[turn[i]], row[turn[i]]
                line = sz + t * rise
                if segments[k, 6] > line:
                    continue  # it hangs above the line
                h = top[i]
                if h > line:
                    blocked = True
                bent = math.hypot(t * far, h - sz) + math.hypot((1.0 - t) * far, z[p] - h)
                if h <= line and straight - bent > closest:
                    closest = straight - bent
                    out[p, 0, 1], out[p, 0, 2], out[p, 0, 3] = (
                        math.hypot(t * far, h - sz),
                        0.0,
                        math.hypot((1.0 - t) * far, z[p] - h),
                    )
                u[m], v[m] = t * far, h - sz
                m += 1
            if not blocked:
                out[p, 0, 0] = closest
                continue
            _taut(u, v, m, far, rise, leg, where)
            out[p, 0, 0] = leg[0] + leg[1] + leg[2] - straight
            out[p, 0, 1], out[p, 0, 2], out[p, 0, 3] = leg[0], leg[1], leg[2]
            ex, ey = dx / far, dy / far
            for side in range(2):
                sign = 1.0 if side == 0 else -1.0
                count, last = 0, -1
                for i in range(n):
                    t, k = at[turn[i]], row[turn[i]]
                    line = sz + t * rise
                    if segments[k, 6] > line or top[i] <= line:
                        continue
                    s = solid[k]
                    if s == last:
                        continue
                    last = s
                    for q in range(first[s], first[s + 1]):
                        for tip in range(2):
                            px, py = segments[q, 2 * tip] - sx, segments[q, 2 * tip + 1] - sy
                            w = sign * (ex * py - ey * px)
                            if w > 0.0 and count < _WIDEST:
                                u[count], v[count] = px * ex + py * ey, w
                                count += 1
                _beside(u, v, count, far, leg, order, hull)
                length = leg[0] + leg[1] + leg[2]
                out[p, 1 + side, 0] = math.hypot(length, rise) - straight
                out[p, 1 + side, 1], out[p, 1 + side, 2], out[p, 1 + side, 3] = leg[0], leg[1], leg[2]


def detours(source: F64, place: F64, first_z: I64, z: F64, segments: F64, first: I64) -> F64:
    """The ways of a sound from a source to points in columns: over the tops, around the left, around the right.

    Args:
        source: float64[3], metres.
        place: float64[n, ≥ 2], x and y of columns; ``first_z`` int64[n + 1], ``z`` float64[points]: heights in each.
        segments: float64[m, 8], curtains (ax, ay, bx, by, top at a, top at b, base, sided); ``first`` int64[k + 1]: of each solid.

    Returns:
        float64[points, 3, 4]: of each way the path difference (m), and the string's first leg, middle and last leg (m). A way that
        does not bend is told by −10⁹; a top below the line of sight by a negative difference, and then no way leads around it.
    """
    out = np.zeros((len(z), 3, 4))
    out[:, :, 0] = _FREE
    solid = np.repeat(np.arange(len(first) - 1), np.diff(first)).astype(np.int64)
    given = (
        np.ascontiguousarray(source, np.float64), np.ascontiguousarray(place[:, :2], np.float64),
        np.ascontiguousarray(first_z, np.int64), np.ascontiguousarray(z, np.float64),
        np.ascontiguousarray(segments, np.float64), np.ascontiguousarray(first, np.int64), solid,
    )  # fmt: skip
    count = len(place)

    def work(index: int) -> None:
        _detours(*given, index * CHUNK, min(count, (index + 1) * CHUNK), out)

    spread(work, -(-count // CHUNK))
    return out


def screening(ways: F64, bands_hz: tuple[float, ...] = BANDS_HZ, c2: float = C2_GROUND) -> F64:
    """How much obstacles weaken each band, dB ≥ 0, float64[points, bands], all ways added up as energies.

    D_z by equation 14, C₃ by 15, z by 16 and 17, K_met by 18 (1 around the sides); the ground's reflection is within C₂ = 20.
    """
    z = ways[:, :, 0]
    there = z > 0.5 * _FREE
    first, middle, last = ways[:, :, 1], ways[:, :, 2], ways[:, :, 3]
    whole = np.maximum(first + middle + last - np.where(there, z, 0.0), 1e-9)
    positive = there & (z > 1e-12)
    root = np.sqrt(np.where(positive, first * last * whole / (2.0 * np.where(positive, z, 1.0)), 0.0))
    met = np.where(positive, np.exp(-root / 2000.0), 1.0)
    met[:, 1:] = 1.0
    many = middle > 1e-9
    # around the sides a way may be many times as long: it spreads as much more
    longer = 20.0 * np.log10(1.0 + np.where(positive, z, 0.0) / whole)
    energy = np.zeros((len(z), len(bands_hz)))
    for b, hertz in enumerate(bands_hz):
        wave = SPEED / hertz
        share = np.where(many, (5.0 * wave / np.where(many, middle, 1.0)) ** 2, 0.0)
        c3 = np.where(many, (1.0 + share) / (1.0 / 3.0 + share), 1.0)
        inner = 3.0 + c2 / wave * c3 * np.where(there, z, 0.0) * met
        loss = 10.0 * np.log10(np.maximum(inner, 1.0))
        loss = np.minimum(loss, np.where(many, MOST_MANY_DB, MOST_ONE_DB))
        loss[:, 1:] += longer[:, 1:]
        energy[:, b] = np.where(there, 10.0 ** (-loss / 10.0), 0.0).sum(axis=1)
    # no way bends at all: nothing stands in between
    open_air = ~there.any(axis=1)
    energy[open_air] = 1.0
    found: F64 = np.maximum(0.0, -10.0 * np.log10(np.maximum(energy, 1e-12))) + 0.0
    return found
