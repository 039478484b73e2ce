"""What each pixel of a picture sees first: triangles in homogeneous coordinates, so that nothing needs clipping [olano1997].

A pixel's ray is (x, y, 1) in the view's own axes: right, down, forward. For a triangle a, b, c seen from the eye the three edge
functions are triple products with the ray, the ray meets the triangle where all have the sign of a·(b×c), and 1/depth is their sum
over it. That is an exact ray cast, walked over the triangle's box of pixels. Only + − × ÷: the same bytes on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.spread import processors, spread

__all__ = ["NOTHING", "first_seen", "first_seen_parallel"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

NOTHING = np.int32(-1)
_NEAR = 1e-3  # metres before the eye: only the pixel boxes of triangles are cut there, not the triangles


@njit(cache=True, nogil=True)
def _reach(p, q, near):  # type: ignore[no-untyped-def]
    """Where the edge p–q crosses the near plane, as x/w, y/w."""
    s = (near - p[2]) / (q[2] - p[2])
    return (p[0] + s * (q[0] - p[0])) / near, (p[1] + s * (q[1] - p[1])) / near


@njit(cache=True, nogil=True)
def _cast(corners, x0, dx, y0, dy, row0, row1, near, cull, seen, inverse):  # type: ignore[no-untyped-def]
    cols = seen.shape[1]
    for t in range(corners.shape[0]):
        a = corners[t, 0]
        b = corners[t, 1]
        c = corners[t, 2]
        if a[2] < near and b[2] < near and c[2] < near:
            continue
        # the normals of the planes through the eye and each edge: ray · e >= 0 on the inner side
        e0x = b[1] * c[2] - b[2] * c[1]
        e0y = b[2] * c[0] - b[0] * c[2]
        e0w = b[0] * c[1] - b[1] * c[0]
        det = a[0] * e0x + a[1] * e0y + a[2] * e0w
        if det == 0.0 or (cull and det > 0.0):
            continue
        xmin, xmax, ymin, ymax = 1e30, -1e30, 1e30, -1e30
        for k in range(3):
            p = corners[t, k]
            q = corners[t, (k + 1) % 3]
            if p[2] >= near:
                u, v = p[0] / p[2], p[1] / p[2]
                xmin, xmax, ymin, ymax = min(xmin, u), max(xmax, u), min(ymin, v), max(ymax, v)
            if (p[2] >= near) != (q[2] >= near):
                u, v = _reach(p, q, near)
                xmin, xmax, ymin, ymax = min(xmin, u), max(xmax, u), min(ymin, v), max(ymax, v)
        ra, rb = (ymin - y0) / dy - 0.01, (ymax - y0) / dy + 1.01
        ca, cb = (xmin - x0) / dx - 0.01, (xmax - x0) / dx + 1.01
        if ra >= row1 or rb <= row0 or ca >= cols or cb <= 0.0:
            continue
        r0 = max(row0, int(np.ceil(ra))) if ra > row0 else row0
        r1 = min(row1, int(np.floor(rb)) if rb < row1 else row1)
        c0 = max(0, int(np.ceil(ca))) if ca > 0.0 else 0
        c1 = min(cols, int(np.floor(cb)) if cb < cols else cols)
        if r1 <= r0 or c1 <= c0:
            continue
        s = 1.0 / det
        e1x = c[1] * a[2] - c[2] * a[1]
        e1y = c[2] * a[0] - c[0] * a[2]
        e1w = c[0] * a[1] - c[1] * a[0]
        e2x = a[1] * b[2] - a[2] * b[1]
        e2y = a[2] * b[0] - a[0] * b[2]
        e2w = a[0] * b[1] - a[1] * b[0]
        e0x, e0y, e0w = e0x * s, e0y * s, e0w * s
        e1x, e1y, e1w = e1x * s, e1y * s, e1w * s
        e2x, e2y, e2w = e2x * s, e2y * s, e2w * s
        for r in range(r0, r1):
            y = y0 + r * dy
            f0 = e0y * y + e0w
            f1 = e1y * y + e1w
            f2 = e2y * y + e2w
            lo, hi = c0, c1
            # the pixels of this row between the edges, one more on either side; the test below decides
            for k in range(3):
                f = f0 if k == 0 else (f1 if k == 1 else f2)
                e = e0x if k == 0 else (e1x if k == 1 else e2x)
                if e > 0.0:
                    m = (-f / e - x0) / dx - 1.0
                    if m > lo:
                        lo = int(m) if m < hi else hi
                elif e < 0.0:
                    m = (-f / e - x0) / dx + 2.0
                    if m < hi:
                        hi = int(m) if m > lo else lo
                elif f < 0.0:
                    hi = lo
            for col in range(lo, hi):
                x = x0 + col * dx
                g0 = e0x * x + f0
                g1 = e1x * x + f1
                g2 = e2x * x + f2
                if g0 >= 0.0 and g1 >= 0.0 and g2 >= 0.0:
                    w = np.float32(g0 + g1 + g2)
                    if w > inverse[r, col]:
                        inverse[r, col] = w
                        seen[r, col] = t


def first_seen(
    corners: F64, tan_x: float, tan_y: float, rows: int, cols: int, *, cull: bool = False, threads: int = 1
) -> tuple[I32, F32]:
    """The first triangle behind each pixel, int32[rows, cols] (`NOTHING` where there is none), and 1/depth, float32, 1/m.

    ``corners`` float64[n, 3, 3]: triangles in the view's axes about the eye (right, down, forward), metres. ``tan_x``, ``tan_y``:
    the picture spans x in ±tan_x and y in ±tan_y at depth 1; pixels are sampled at their middles. Depth is along forward.
    ``cull``: leave out triangles that face away (anticlockwise from outside). Of triangles at one depth the first counts.
    Source: [olano1997].
    """
    seen = np.full((rows, cols), NOTHING, np.int32)
    inverse = np.zeros((rows, cols), np.float32)
    corners = np.ascontiguousarray(corners, np.float64)
    dx, dy = 2.0 * tan_x / cols, 2.0 * tan_y / rows
    x0, y0 = -tan_x + 0.5 * dx, -tan_y + 0.5 * dy
    bands = np.linspace(0, rows, 4 * threads + 1).astype(np.int64) if threads > 1 else np.array([0, rows])

    def work(index: int) -> None:
        _cast(
            corners, x0, dx, y0, dy, int(bands[index]), int(bands[index + 1]), _NEAR, cull, seen, inverse
        )  # fmt: skip

    spread(work, len(bands) - 1, threads)
    return seen, inverse


@njit(cache=True, nogil=True)
def _cast_parallel(corners, row0, row1, seen_height):  # type: ignore[no-untyped-def]
    cols = seen_height.shape[1]
    for t in range(corners.shape[0]):
        ax, ay, az = corners[t, 0, 0], corners[t, 0, 1], corners[t, 0, 2]
        bx, by, bz = corners[t, 1, 0], corners[t, 1, 1], corners[t, 1, 2]
        cx, cy, cz = corners[t, 2, 0], corners[t, 2, 1], corners[t, 2, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area <= 0.0:
            continue
        ra, rb = min(ay, by, cy) - 0.51, max(ay, by, cy) + 0.51
        ca, cb = min(ax, bx, cx) - 0.51, max(ax, bx, cx) + 0.51
        if ra >= row1 or rb <= row0 or ca >= cols or cb <= 0.0:
            continue
        r0 = max(row0, int(np.ceil(ra)))
        r1 = min(row1, int(np.floor(rb)) + 1)
        c0 = max(0, int(np.ceil(ca)))
        c1 = min(cols, int(np.floor(cb)) + 1)
        s = 1.0 / area
        ux, uy = -(cy - by) * s, (cx - bx) * s
        vx, vy = -(ay - cy) * s, (ax - cx) * s
        u0 = -(ux * bx + uy * by)
        v0 = -(vx * cx + vy * cy)
        zx, zy = ux * (az - cz) + vx * (bz - cz), uy * (az - cz) + vy * (bz - cz)
        z0 = cz + u0 * (az - cz) + v0 * (bz - cz)
        for r in range(r0, r1):
            fu = u0 + uy * r
            fv = v0 + vy * r
            fz = z0 + zy * r
            fw = 1.0 - fu - fv
            lo, hi = c0, c1
            for k in range(3):
                f = fu if k == 0 else (fv if k == 1 else fw)
                e = ux if k == 0 else (vx if k == 1 else -ux - vx)
                if e > 0.0:
                    m = -f / e - 1.0
                    if m > lo:
                        lo = int(m) if m < hi else hi
                elif e < 0.0:
                    m = -f / e + 2.0
                    if m < hi:
                        hi = int(m) if m > lo else lo
                elif f < 0.0:
                    hi = lo
            for c in range(lo, hi):
                u = fu + ux * c
                v = fv + vx * c
                if u >= 0.0 and v >= 0.0 and 1.0 - u - v >= 0.0:
                    z = np.float32(fz + zx * c)
                    if z > seen_height[r, c]:
                        seen_height[r, c] = z


def first_seen_parallel(corners: F64, rows: int, cols: int, nothing: float, threads: int = 1) -> F32:
    """How near the first triangle comes along parallel rays, float32[rows, cols]; ``nothing`` where there is none.

    ``corners`` float64[n, 3, 3]: column, row (pixel middles at whole numbers) and height against the rays, metres; the highest wins.
    Only triangles that face the rays (anticlockwise as the rays come) are looked at.
    """
    out = np.full((rows, cols), nothing, np.float32)
    corners = np.ascontiguousarray(corners, np.float64)
    threads = threads or processors()

    def work(index: int) -> None:
        _cast_parallel(corners, rows * index // threads, rows * (index + 1) // threads, out)

    spread(work, threads, threads)
    return out
