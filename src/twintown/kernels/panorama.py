"""What fills the whole view from a point: shares of the sphere, and how much of an upright line stands free.

The sphere is the six faces of a cube, each a z-buffer of exact rays through the middles of its pixels [olano1997]; a pixel at x, y on
a face at distance 1 is worth 1/(1 + x² + y²)^(3/2) of solid angle, and the shares are of the sum of all. An upright line is not
sampled: each triangle hides one interval of it, and the union of the intervals is what is hidden.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.spread import spread
from twintown.kernels.zbuffer import first_seen

__all__ = ["free_metres", "free_points", "shares"]

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
BOOL = npt.NDArray[np.bool_]

#: Right, down and forward of the cube's faces: north, east, south, west, up, down; east, north, up in columns.
_FACES = np.array(
    [
        [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        [[0, -1, 0], [0, 0, -1], [1, 0, 0]],
        [[-1, 0, 0], [0, 0, -1], [0, -1, 0]],
        [[0, 1, 0], [0, 0, -1], [-1, 0, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
    ],
    np.float64,
)


@njit(cache=True, nogil=True)
def _face(corners, eye, axes, out):  # type: ignore[no-untyped-def]
    for t in range(corners.shape[0]):
        for k in range(3):
            x, y, z = corners[t, k, 0] - eye[0], corners[t, k, 1] - eye[1], corners[t, k, 2] - eye[2]
            for i in range(3):
                out[t, k, i] = x * axes[i, 0] + y * axes[i, 1] + z * axes[i, 2]


@njit(cache=True, nogil=True)
def _weigh(seen, owner, down, level, total):  # type: ignore[no-untyped-def]
    """Add the solid angles of one face to their owners; ``level``: a horizontal face, whose lower half is ground."""
    side = seen.shape[0]
    sky, ground = total.size - 2, total.size - 1
    step = 2.0 / side
    for r in range(side):
        y = -1.0 + (r + 0.5) * step
        for c in range(side):
            x = -1.0 + (c + 0.5) * step
            q = 1.0 + x * x + y * y
            w = 1.0 / (q * np.sqrt(q))
            t = seen[r, c]
            if t >= 0:
                total[owner[t]] += w
            elif down or (level and y > 0.0):
                total[ground] += w
            else:
                total[sky] += w


def _shares(corners: F64, owner: I32, owners: int, eye: F64, side: int) -> F64:
    total = np.zeros(owners + 2)
    turned = np.empty_like(corners)
    for index, axes in enumerate(_FACES):
        _face(corners, eye, axes, turned)
        seen, _ = first_seen(turned, 1.0, 1.0, side, side)
        _weigh(seen, owner, index == 5, index < 4, total)
    part: F64 = total / total.sum()
    return part


def shares(corners: F64, owner: I32, owners: int, eyes: F64, side: int = 512, threads: int = 0) -> F64:
    """Shares of the whole sphere that each owner takes, float64[n, owners + 2], 0 to 1; the last two are sky and ground.

    ``corners`` float64[t, 3, 3]: triangles, metres, seen from both sides; ``owner`` int32[t]; ``eyes`` float64[n, 3]; ``side``: pixels
    of a face (512: a pixel is 0.18° at its widest). What no triangle covers is sky above the horizon and ground below it.
    Source: [olano1997].
    """
    corners = np.ascontiguousarray(corners, np.float64)

    def work(index: int) -> F64:
        return _shares(corners, owner, owners, eyes[index], side)

    return np.array(spread(work, len(eyes), threads)).reshape(len(eyes), owners + 2)


@njit(cache=True, nogil=True)
def _hidden(corners, owner, own, eye, foot, base, top, low, high):  # type: ignore[no-untyped-def]
    """The intervals of the line over foot that triangles hide from the eye; how many."""
    dx, dy = foot[0] - eye[0], foot[1] - eye[1]
    far = np.sqrt(dx * dx + dy * dy)
    count = 0
    if far < 1e-6:
        return 0
    ux, uy = dx / far, dy / far
    side = np.empty(3)
    ahead = np.empty(3)
    for t in range(corners.shape[0]):
        if owner[t] == own:
            continue
        for k in range(3):
            x, y = corners[t, k, 0] - eye[0], corners[t, k, 1] - eye[1]
            side[k] = x * uy - y * ux
            ahead[k] = x * ux + y * uy
        if (side[0] > 0.0 and side[1] > 0.0 and side[2] > 0.0) or (
            side[0] < 0.0 and side[1] < 0.0 and side[2] < 0.0
        ):
            continue
        # the triangle's cut with the upright plane through eye and line: from (d0, z0) to (d1, z1)
        found = 0
        d0 = d1 = z0 = z1 = 0.0
        for k in range(3):
            n = (k + 1) % 3
            a, b = side[k], side[n]
            if (a < 0.0) == (b < 0.0):
                continue
            s = a / (a - b)
            d = ahead[k] + s * (ahead[n] - ahead[k])
            z = corners[t, k, 2] + s * (corners[t, n, 2] - corners[t, k, 2])
            if found == 0:
                d0, z0 = d, z
            else:
                d1, z1 = d, z
            found += 1
        if found < 2:
            continue
        if d0 > d1:
            d0, d1, z0, z1 = d1, d0, z1, z0
        if d1 <= 1e-6 or d0 >= far:
            continue
        if d0 < 1e-6:
            z0 += (z1 - z0) * (1e-6 - d0) / (d1 - d0)
            d0 = 1e-6
        if d1 > far:
            z1 = z0 + (z1 - z0) * (far - d0) / (d1 - d0)
            d1 = far
        p = eye[2] + (z0 - eye[2]) * far / d0
        q = eye[2] + (z1 - eye[2]) * far / d1
        a, b = min(p, q), max(p, q)
        if b <= base or a >= top:
            continue
        low[count], high[count] = max(a, base), min(b, top)
        count += 1
    return count


def free_metres(
    corners: F64, owner: I32, eye: F64, foot: F64, base_m: float, top_m: float, own: int = -1
) -> tuple[float, float]:
    """Metres of an upright line over ``foot`` float64[2] that an eye float64[3] sees, and the height of the lowest of them (nan: none).

    ``corners`` float64[t, 3, 3], ``owner`` int32[t]: what stands in between, metres; triangles of the owner ``own`` hide nothing.
    Exact but for rounding.
    """
    low, high = np.empty(len(corners)), np.empty(len(corners))
    count = _hidden(
        np.ascontiguousarray(corners, np.float64), owner, own, eye, foot, base_m, top_m, low, high
    )
    order = np.argsort(low[:count], kind="stable")
    starts, reach = low[:count][order], np.maximum.accumulate(high[:count][order]) if count else high[:0]
    begun = np.concatenate([[base_m], reach])
    ends = np.concatenate([starts, [top_m]])
    gaps = np.maximum(0.0, ends - begun)
    seen = np.flatnonzero(gaps > 1e-9)
    return float(gaps.sum()), float(begun[seen[0]]) if len(seen) else float("nan")


@njit(cache=True, nogil=True)
def _free(corners, eye, points, out):  # type: ignore[no-untyped-def]
    for i in range(points.shape[0]):
        wx, wy, wz = points[i, 0] - eye[0], points[i, 1] - eye[1], points[i, 2] - eye[2]
        out[i] = True
        for t in range(corners.shape[0]):
            a, b, c = corners[t, 0], corners[t, 1], corners[t, 2]
            s0 = (a[0] - eye[0]) * wy - (a[1] - eye[1]) * wx
            s1 = (b[0] - eye[0]) * wy - (b[1] - eye[1]) * wx
            s2 = (c[0] - eye[0]) * wy - (c[1] - eye[1]) * wx
            if (s0 > 0.0 and s1 > 0.0 and s2 > 0.0) or (s0 < 0.0 and s1 < 0.0 and s2 < 0.0):
                continue
            ax, ay, az = a[0] - eye[0], a[1] - eye[1], a[2] - eye[2]
            bx, by, bz = b[0] - eye[0], b[1] - eye[1], b[2] - eye[2]
            cx, cy, cz = c[0] - eye[0], c[1] - eye[1], c[2] - eye[2]
            nx, ny, nz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
            det = ax * nx + ay * ny + az * nz
            if det == 0.0:
                continue
            u = (wx * nx + wy * ny + wz * nz) / det
            v = (wx * (cy * az - cz * ay) + wy * (cz * ax - cx * az) + wz * (cx * ay - cy * ax)) / det
            w = (wx * (ay * bz - az * by) + wy * (az * bx - ax * bz) + wz * (ax * by - ay * bx)) / det
            # the line to the point is (u·a + v·b + w·c): within the triangle's cone, and beyond its plane
            if u >= 0.0 and v >= 0.0 and w >= 0.0 and u + v + w > 1.0:
                out[i] = False
                break


def free_points(corners: F64, eye: F64, points: F64) -> BOOL:
    """Whether nothing stands between an eye float64[3] and each point, bool[n].

    ``corners`` float64[t, 3, 3]: triangles; ``points`` float64[n, 3]; metres.
    """
    out = np.zeros(len(points), np.bool_)
    if len(points):
        near = np.ascontiguousarray(corners, np.float64)[_between(corners, eye, points)]
        _free(near, eye, np.ascontiguousarray(points, np.float64), out)
    return out


def _between(corners: F64, eye: F64, points: F64) -> BOOL:
    """Triangles that may stand before any of the points: not below all lines to them, and in their wedge of bearings."""
    to = points - eye
    far = np.sqrt(to[:, 0] ** 2 + to[:, 1] ** 2)
    lowest = float((to[:, 2] / np.maximum(far, 1e-9)).min())
    x, y = corners[:, :, 0] - eye[0], corners[:, :, 1] - eye[1]
    keep: BOOL = np.ones(len(corners), np.bool_)
    if lowest > 0.0:
        # a triangle is nowhere nearer than its nearest corner less its longest side
        away = np.sqrt(x * x + y * y).min(axis=1)
        side = np.sqrt((x - np.roll(x, 1, axis=1)) ** 2 + (y - np.roll(y, 1, axis=1)) ** 2).max(axis=1)
        keep &= corners[:, :, 2].max(axis=1) - eye[2] > 0.999 * lowest * np.maximum(0.0, away - side) - 1e-3
    middle = to[:, :2].sum(axis=0)
    turn = middle[0] * to[:, 1] - middle[1] * to[:, 0]
    if (to[:, :2] @ middle > 0.0).all():  # all bearings within a right angle of the middle one
        share = turn / far
        for edge, sign in ((to[int(np.argmax(share))], 1.0), (to[int(np.argmin(share))], -1.0)):
            keep &= (sign * (edge[0] * y - edge[1] * x) <= 1e-6 * far.max()).any(axis=1)
    return keep
