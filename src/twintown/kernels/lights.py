"""What the sky and the sun reach of a scene made of triangles.

The sky's light is gathered from many directions, each with the heights of what stands first along it; the sun's the same way, finer
and with a bilinear edge [reeves1987]. Sums over directions are sums of whole numbers, so that they do not hang on threads.

A trap when changing `passes`: numba keeps compiled callers by their own file's age, so touch `shading.py` too.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.spread import processors, spread
from twintown.kernels.zbuffer import first_seen_parallel

__all__ = ["FAR", "Light", "light_from", "passes", "places", "sky_directions", "sky_light"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

FAR = np.float32(1e30)
_UNIT = 4096.0  # of the whole numbers that the sky's light is summed in
# the golden angle's cosine and sine: a lattice on the hemisphere without any other angle
_COS, _SIN = -0.7373688780783197, 0.6754902942615238


def sky_directions(count: int) -> F64:
    """Directions spread evenly over the upper half of the sky, float64[count, 3], unit vectors; each stands for the same solid angle."""
    out = np.empty((count, 3))
    x, y = 1.0, 0.0
    for i in range(count):
        z = (i + 0.5) / count
        flat = math.sqrt(1.0 - z * z)
        out[i] = flat * x, flat * y, z
        x, y = x * _COS - y * _SIN, x * _SIN + y * _COS
    return out


class Light:
    """Heights of what stands first along one direction over a region.

    ``axes`` float64[3, 3]: across, along and towards the light; ``origin`` float64[2] and ``texel_m``: where its raster lies;
    ``heights`` float32[rows, cols], metres towards the light.
    """

    def __init__(self, axes: F64, origin: F64, texel_m: float, heights: F32) -> None:
        self.axes, self.origin, self.texel_m, self.heights = axes, origin, texel_m, heights


def light_from(direction: F64, corners: F64, low: F64, high: F64, side: int, threads: int = 1) -> Light:
    """The first heights towards a light over a box.

    ``direction`` float64[3]: unit vector to the light; ``corners`` float64[n, 3, 3]: triangles, metres; ``low``, ``high`` float64[3]:
    the box of everything that is to be lit; ``side``: texels of the raster's longer side.
    """
    flat = math.sqrt(float(direction[0] ** 2 + direction[1] ** 2))
    across = np.array([direction[1], -direction[0], 0.0]) / flat if flat > 1e-9 else np.array([1.0, 0.0, 0.0])
    along = np.array([
        direction[1] * across[2] - direction[2] * across[1],
        direction[2] * across[0] - direction[0] * across[2],
        direction[0] * across[1] - direction[1] * across[0],
    ])  # fmt: skip
    axes = np.stack([across, along, direction])
    box = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    on = np.stack([_along(box, axes[0]), _along(box, axes[1])], axis=1)
    start, size = on.min(axis=0), on.max(axis=0) - on.min(axis=0)
    texel = max(float(size.max()) / (side - 4), 1e-3)
    origin = start - 1.5 * texel
    shape = np.minimum(np.ceil(size / texel).astype(int) + 4, side)
    seen = np.empty((len(corners), 3, 3))
    _turn(corners, axes, origin, texel, seen)
    heights = first_seen_parallel(seen, int(shape[1]), int(shape[0]), -float(FAR), threads)
    return Light(axes, origin, texel, heights)


def _along(points: F64, axis: F64) -> F64:
    out: F64 = points[..., 0] * axis[0] + points[..., 1] * axis[1] + points[..., 2] * axis[2]
    return out


@njit(cache=True, nogil=True)
def _turn(corners, axes, origin, texel, out):  # type: ignore[no-untyped-def]
    for t in range(corners.shape[0]):
        for k in range(3):
            x, y, z = corners[t, k, 0], corners[t, k, 1], corners[t, k, 2]
            out[t, k, 0] = (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2] - origin[0]) / texel
            out[t, k, 1] = (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2] - origin[1]) / texel
            out[t, k, 2] = x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2]


@njit(cache=True, nogil=True)
def passes(px, py, pz, axes, origin, texel, heights, bias, soft):  # type: ignore[no-untyped-def]
    """How much of the light passes, 0 to 1; bilinear between four texels where ``soft``."""
    u = (px * axes[0, 0] + py * axes[0, 1] + pz * axes[0, 2] - origin[0]) / texel
    v = (px * axes[1, 0] + py * axes[1, 1] + pz * axes[1, 2] - origin[1]) / texel
    h = px * axes[2, 0] + py * axes[2, 1] + pz * axes[2, 2] + bias
    rows, cols = heights.shape
    if not soft:
        c, r = int(u + 0.5), int(v + 0.5)
        if u < 0.0 or v < 0.0 or c >= cols or r >= rows:
            return 1.0
        return 1.0 if heights[r, c] <= h else 0.0
    c, r = int(np.floor(u)), int(np.floor(v))
    if c < 0 or r < 0 or c + 1 >= cols or r + 1 >= rows:
        return -1.0
    fu, fv = u - c, v - r
    a = 1.0 if heights[r, c] <= h else 0.0
    b = 1.0 if heights[r, c + 1] <= h else 0.0
    d = 1.0 if heights[r + 1, c] <= h else 0.0
    e = 1.0 if heights[r + 1, c + 1] <= h else 0.0
    return (a * (1.0 - fu) + b * fu) * (1.0 - fv) + (d * (1.0 - fu) + e * fu) * fv


@njit(cache=True, nogil=True)
def _places(seen, inverse, normals, eye, view, x0, dx, y0, dy, row0, row1, step, place, facing):  # type: ignore[no-untyped-def]
    """Position and triangle of every step-th sample: -1 ground, -2 sky."""
    for r in range(row0, row1):
        for c in range(place.shape[1]):
            rr, cc = r * step, c * step
            t = seen[rr, cc]
            x, y = x0 + cc * dx, y0 + rr * dy
            gx = x * view[0, 0] + y * view[1, 0] + view[2, 0]
            gy = x * view[0, 1] + y * view[1, 1] + view[2, 1]
            gz = x * view[0, 2] + y * view[1, 2] + view[2, 2]
            if t >= 0:
                w = 1.0 / inverse[rr, cc]
                facing[r, c] = t
            elif gz < -1e-6:
                w = -eye[2] / gz
                facing[r, c] = -1
            else:
                w = 0.0
                facing[r, c] = -2
            place[r, c, 0] = eye[0] + gx * w
            place[r, c, 1] = eye[1] + gy * w
            place[r, c, 2] = eye[2] + gz * w


def places(
    seen: I32, inverse: F32, normals: F32, eye: F64, view: F64, tan_x: float, tan_y: float, step: int
) -> tuple[F32, I32]:
    """What every ``step``-th sample shows: its place float32[r, c, 3], metres, and its triangle int32[r, c] (-1 ground, -2 sky).

    ``view`` float64[3, 3]: right, down, forward; the ground is the plane z = 0.
    """
    rows, cols = seen.shape
    dx, dy = 2.0 * tan_x / cols, 2.0 * tan_y / rows
    place = np.empty((rows // step, cols // step, 3), np.float32)
    facing = np.empty(place.shape[:2], np.int32)
    threads = processors()

    def work(i: int) -> None:
        a, b = place.shape[0] * i // threads, place.shape[0] * (i + 1) // threads
        _places(
            seen, inverse, normals, eye, view, -tan_x + 0.5 * dx, dx, -tan_y + 0.5 * dy, dy, a, b, step, place, facing,
        )  # fmt: skip

    spread(work, threads, threads)
    return place, facing


@njit(cache=True, nogil=True)
def _gather(place, facing, normals, axes, origin, texel, heights, total):  # type: ignore[no-untyped-def]
    rows, cols = facing.shape
    dx, dy, dz = axes[2, 0], axes[2, 1], axes[2, 2]
    off = 0.8 * texel
    for r in range(rows):
        for c in range(cols):
            t = facing[r, c]
            if t == -2:
                continue
            if t == -1:
                nx, ny, nz = 0.0, 0.0, 1.0
            else:
                nx, ny, nz = normals[t, 0], normals[t, 1], normals[t, 2]
            cos = nx * dx + ny * dy + nz * dz
            if cos <= 0.0:
                continue
            px = place[r, c, 0] + nx * off
            py = place[r, c, 1] + ny * off
            pz = place[r, c, 2] + nz * off
            if passes(px, py, pz, axes, origin, texel, heights, 0.5 * texel, False) > 0.5:
                total[r, c] += int(cos * _UNIT + 0.5)


def sky_light(
    place: F32, facing: I32, normals: F32, corners: F64, low: F64, high: F64, directions: F64, side: int
) -> F32:
    """The sky's light on every place, float32[r, c]: 1 on open level ground, ½ on an open wall.

    ``place``, ``facing`` as `places` gives them; ``normals`` float32[n, 3] of the triangles ``corners`` float64[n, 3, 3];
    ``low``, ``high``: the box of the places; ``directions`` as `sky_directions`; ``side``: texels of each direction's raster.
    """
    threads = processors()

    def work(index: int) -> I32:
        total = np.zeros(facing.shape, np.int32)
        for direction in directions[index::threads]:
            one = light_from(direction, corners, low, high, side)
            _gather(place, facing, normals, one.axes, one.origin, one.texel_m, one.heights, total)
        return total

    parts = spread(work, threads, threads)
    total = parts[0]
    for more in parts[1:]:
        total += more
    whole = _UNIT * float(np.floor(directions[:, 2] * _UNIT + 0.5).sum() / _UNIT)
    return (total / whole).astype(np.float32)
