"""Whether rays to the sun are free of triangles: exact shadows on a few points.

A ray from a point meets a triangle where its direction lies in the cone of the triangle's corners as seen from the point, that is
where its three homogeneous coordinates have the sign of the corners' volume [olano1997, eq. 4]. The cone's three normals are found
once for a point and triangle and then tried with every direction that is still free.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["discs_of", "free_rays"]

F64 = npt.NDArray[np.float64]
BOOL = npt.NDArray[np.bool_]


def discs_of(corners: F64) -> F64:
    """The upright discs that hold triangles float64[t, 3, 3]: x, y, radius and top of each, float64[t, 4], metres."""
    if not len(corners):
        return np.zeros((0, 4))
    middle = corners[:, :, :2].mean(axis=1)
    radius = np.sqrt(((corners[:, :, :2] - middle[:, None]) ** 2).sum(axis=2)).max(axis=1)
    return np.ascontiguousarray(np.column_stack([middle, radius, corners[:, :, 2].max(axis=1)]))


@njit(cache=True, nogil=True)
def _free(corners, discs, points, rays, lowest, wedge, out):  # type: ignore[no-untyped-def]
    for p in range(points.shape[0]):
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        left = rays.shape[0]
        for t in range(corners.shape[0]):
            if left == 0:
                break
            gap = math.sqrt((discs[t, 0] - x) ** 2 + (discs[t, 1] - y) ** 2) - discs[t, 2]
            if discs[t, 3] <= z or (gap > 0.0 and discs[t, 3] - z < gap * lowest):
                continue
            dx, dy = discs[t, 0] - x, discs[t, 1] - y
            if (
                wedge[0, 0] * dy - wedge[0, 1] * dx > discs[t, 2]
                or wedge[1, 0] * dy - wedge[1, 1] * dx < -discs[t, 2]
            ):
                continue  # left of the leftmost direction, or right of the rightmost
            ax, ay, az = corners[t, 0, 0] - x, corners[t, 0, 1] - y, corners[t, 0, 2] - z
            bx, by, bz = corners[t, 1, 0] - x, corners[t, 1, 1] - y, corners[t, 1, 2] - z
            cx, cy, cz = corners[t, 2, 0] - x, corners[t, 2, 1] - y, corners[t, 2, 2] - z
            ux, uy, uz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
            det = ax * ux + ay * uy + az * uz
            if det == 0.0:
                continue
            s = 1.0 if det > 0.0 else -1.0
            vx, vy, vz = s * (cy * az - cz * ay), s * (cz * ax - cx * az), s * (cx * ay - cy * ax)
            wx, wy, wz = s * (ay * bz - az * by), s * (az * bx - ax * bz), s * (ax * by - ay * bx)
            ux, uy, uz = s * ux, s * uy, s * uz
            for r in range(rays.shape[0]):
                if not out[p, r]:
                    continue
                ex, ey, ez = rays[r, 0], rays[r, 1], rays[r, 2]
                if ex * ux + ey * uy + ez * uz < 0.0:
                    continue
                if ex * vx + ey * vy + ez * vz < 0.0:
                    continue
                if ex * wx + ey * wy + ez * wz < 0.0:
                    continue
                out[p, r] = False
                left -= 1


def _wedge(rays: F64) -> F64:
    """The leftmost and the rightmost bearing of directions as unit vectors, float64[2, 2]; zeros where they span half a turn or more."""
    flat = rays[:, :2] / np.maximum(1e-12, np.sqrt((rays[:, :2] ** 2).sum(axis=1)))[:, None]
    middle = flat.sum(axis=0)
    if not (flat @ middle > 0.0).all():
        return np.zeros((2, 2))
    turn = middle[0] * flat[:, 1] - middle[1] * flat[:, 0]
    return np.ascontiguousarray(flat[[int(np.argmax(turn)), int(np.argmin(turn))]])


def free_rays(corners: F64, points: F64, rays: F64, discs: F64 | None = None) -> BOOL:
    """Whether nothing stands between each point and the end of the world in each direction, bool[points, rays].

    Args:
        corners: float64[t, 3, 3], triangles, metres; a triangle whose plane holds the point hides nothing.
        points: float64[n, 3], metres.
        rays: float64[m, 3], unit vectors above the horizon.
        discs: as `discs_of` gives them, where they are at hand.
    """
    out = np.ones((len(points), len(rays)), np.bool_)
    if len(points) and len(rays) and len(corners):
        flat = np.sqrt(rays[:, 0] ** 2 + rays[:, 1] ** 2)
        lowest = max(0.0, float((rays[:, 2] / np.maximum(flat, 1e-12)).min()))
        # numbers stay small, and what they lose in the last bits with them, when they are counted from the first point
        base = np.array([points[0, 0], points[0, 1], 0.0])
        around = discs_of(corners) if discs is None else discs
        _free(
            np.ascontiguousarray(corners - base), around - np.array([base[0], base[1], 0.0, 0.0]),
            np.ascontiguousarray(points - base), np.ascontiguousarray(rays, np.float64), lowest, _wedge(rays), out,
        )  # fmt: skip
    return out
