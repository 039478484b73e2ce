"""Light and shade for a picture made of triangles: what the sky and the sun reach, and what that looks like.

The sky's light is gathered from many directions, each with the heights of what stands first along it; the sun's the same way, finer
and with a bilinear edge [reeves1987]. Sums over directions are sums of whole numbers, so that they do not hang on threads.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.spread import processors, spread
from twintown.kernels.zbuffer import first_seen_parallel

__all__ = ["FAR", "Light", "compose", "light_from", "places", "reduced", "sky_directions", "sky_light"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

FAR = np.float32(1e30)
_SHOULDER = 0.55  # of linear light
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
def _lit(px, py, pz, axes, origin, texel, heights, bias, soft):  # type: ignore[no-untyped-def]
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
            if _lit(px, py, pz, axes, origin, texel, heights, 0.5 * texel, False) > 0.5:
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


@njit(cache=True, nogil=True)
def _compose(  # type: ignore[no-untyped-def]
    seen, inverse, normals, owner, tint, storey, soil, ground_colours, facing, sky, eye, view, x0, dx, y0, dy, sun,
    axes, origins, texels, maps, looks, laid, laid_at, laid_cell, opacity, row0, row1, out,
):  # fmt: skip
    rows, cols = seen.shape
    coarse = rows / facing.shape[0]
    pixel = dy  # metres a sample at depth 1
    for r in range(row0, row1):
        for c in range(cols):
            t = seen[r, c]
            x, y = x0 + c * dx, y0 + r * dy
            gx = x * view[0, 0] + y * view[1, 0] + view[2, 0]
            gy = x * view[0, 1] + y * view[1, 1] + view[2, 1]
            gz = x * view[0, 2] + y * view[1, 2] + view[2, 2]
            length = np.sqrt(gx * gx + gy * gy + gz * gz)
            up = gz / length
            # the sky behind everything: pale at the horizon, blue above, warmer around the sun
            k = 1.0 - max(0.0, up)
            k = k * k * k
            toward = max(
                0.0,
                (gx * sun[0] + gy * sun[1]) / (length * (np.sqrt(sun[0] * sun[0] + sun[1] * sun[1]) + 1e-9)),
            )
            warm = toward * toward * k
            s0 = looks[0, 0] * (1.0 - k) + looks[1, 0] * k + looks[2, 0] * warm
            s1 = looks[0, 1] * (1.0 - k) + looks[1, 1] * k + looks[2, 1] * warm
            s2 = looks[0, 2] * (1.0 - k) + looks[1, 2] * k + looks[2, 2] * warm
            if t < 0 and gz >= -1e-6:
                out[r, c, 0], out[r, c, 1], out[r, c, 2] = s0, s1, s2
                continue
            if t >= 0:
                w = 1.0 / inverse[r, c]
                nx, ny, nz = normals[t, 0], normals[t, 1], normals[t, 2]
                key = t
            else:
                w = -eye[2] / gz
                nx, ny, nz = np.float32(0.0), np.float32(0.0), np.float32(1.0)
                key = np.int32(-1)
            px, py, pz = eye[0] + gx * w, eye[1] + gy * w, eye[2] + gz * w
            far = w * length
            # the sky's light between the coarse samples on a face like this one
            fr = (r + 0.5) * facing.shape[0] / rows - 0.5 / coarse
            fc = (c + 0.5) * facing.shape[1] / cols - 0.5 / coarse
            rr, cc = int(np.floor(fr)), int(np.floor(fc))
            fr, fc = fr - rr, fc - cc
            ambient, weight = 0.0, 0.0
            for ring in range(2):
                for a in range(rr - ring, rr + 2 + ring):
                    for b in range(cc - ring, cc + 2 + ring):
                        if a < 0 or b < 0 or a >= facing.shape[0] or b >= facing.shape[1]:
                            continue
                        f = facing[a, b]
                        if f == key or (
                            f >= 0 and key >= 0 and owner[f] == owner[key]
                            and normals[f, 0] * nx + normals[f, 1] * ny + normals[f, 2] * nz > 0.99
                        ):  # fmt: skip
                            part = 0.02
                            if ring == 0:
                                part += (fr if a > rr else 1.0 - fr) * (fc if b > cc else 1.0 - fc)
                            ambient += part * sky[a, b]
                            weight += part
                if weight > 0.0:
                    break
            if weight > 0.0:
                ambient /= weight
            else:
                ambient = (0.5 + 0.5 * nz) * 0.7
            cos = nx * sun[0] + ny * sun[1] + nz * sun[2]
            lit = 0.0
            if cos > 0.0 and sun[2] > 0.0:
                lit = -1.0
                for k in range(len(maps)):
                    o = 1.2 * texels[k]
                    lit = _lit(
                        px + nx * o,
                        py + ny * o,
                        pz + nz * o,
                        axes,
                        origins[k],
                        texels[k],
                        maps[k],
                        0.5 * texels[k],
                        True,
                    )
                    if lit >= 0.0:
                        break
                if lit < 0.0:
                    lit = 1.0
                # a face that the sun only grazes is lit softly: no hard line where a wall turns away
                lit *= min(1.0, cos / 0.06)
            # what the thing is made of
            metres = pixel * w  # a sample's size there
            if t >= 0:
                k0, k1, k2 = tint[owner[t], 0], tint[owner[t], 1], tint[owner[t], 2]
                if nz < 0.3 and storey[owner[t]] > 0.0:
                    # floor slabs: light lines a storey apart, gone where they would be thinner than a sample or two
                    band = storey[owner[t]]
                    show = min(1.0, max(0.0, (band / metres - 5.0) / 10.0))
                    if show > 0.0:
                        phase = pz / band - np.floor(pz / band)
                        glass = 1.0 if 0.30 < phase < 0.82 else 0.0
                        soft = metres / band
                        if abs(phase - 0.30) < soft:
                            glass = min(1.0, max(0.0, 0.5 + (phase - 0.30) / (2.0 * soft)))
                        elif abs(phase - 0.82) < soft:
                            glass = min(1.0, max(0.0, 0.5 - (phase - 0.82) / (2.0 * soft)))
                        dim = 1.0 - 0.13 * show * glass
                        k0, k1, k2 = (
                            k0 * dim,
                            k1 * (dim + 0.02 * show * glass),
                            k2 * (dim + 0.05 * show * glass),
                        )
            else:
                m = soil[r, c]
                k0, k1, k2 = ground_colours[m, 0], ground_colours[m, 1], ground_colours[m, 2]
                if opacity > 0.0:
                    i, j = (
                        int(np.floor((laid_at[1] - py) / laid_cell)),
                        int(np.floor((px - laid_at[0]) / laid_cell)),
                    )
                    if 0 <= i < laid.shape[0] and 0 <= j < laid.shape[1] and laid[i, j, 3] > 0:
                        k0 += (laid[i, j, 0] / 255.0 - k0) * opacity
                        k1 += (laid[i, j, 1] / 255.0 - k1) * opacity
                        k2 += (laid[i, j, 2] / 255.0 - k2) * opacity
            direct = max(0.0, cos) * lit
            below = 0.5 - 0.5 * nz  # light that comes back from the ground
            e0 = looks[3, 0] * direct + looks[4, 0] * ambient + looks[5, 0] * below
            e1 = looks[3, 1] * direct + looks[4, 1] * ambient + looks[5, 1] * below
            e2 = looks[3, 2] * direct + looks[4, 2] * ambient + looks[5, 2] * below
            o0, o1, o2 = k0 * e0, k1 * e1, k2 * e2
            # edges: where the next sample belongs to something else, or to another face
            edge = 0.0
            if True:
                for side in range(4):
                    a = r + (1 if side == 0 else (-1 if side == 1 else 0))
                    b = c + (1 if side == 2 else (-1 if side == 3 else 0))
                    if a < 0 or b < 0 or a >= rows or b >= cols:
                        continue
                    n = seen[a, b]
                    if n == t:
                        continue
                    if t >= 0 and n >= 0 and owner[n] == owner[t]:
                        like = normals[n, 0] * nx + normals[n, 1] * ny + normals[n, 2] * nz
                        if like < 0.97:
                            edge = max(edge, 0.38)
                        else:
                            # one plane or two: how far the neighbour lies off this face
                            xx, yy = x0 + b * dx, y0 + a * dy
                            ww = 1.0 / inverse[a, b]
                            qx = eye[0] + (xx * view[0, 0] + yy * view[1, 0] + view[2, 0]) * ww
                            qy = eye[1] + (xx * view[0, 1] + yy * view[1, 1] + view[2, 1]) * ww
                            qz = eye[2] + (xx * view[0, 2] + yy * view[1, 2] + view[2, 2]) * ww
                            if abs((qx - px) * nx + (qy - py) * ny + (qz - pz) * nz) > 0.3 + 2.0 * metres:
                                edge = max(edge, 0.38)
                    elif t >= 0 or (n >= 0 and inverse[a, b] * w > 1.0):
                        near = t >= 0 and (n < 0 or inverse[r, c] >= inverse[a, b])
                        edge = max(edge, 0.55 if near else 0.28)
            if edge > 0.0:
                edge *= 1.0 / (1.0 + (metres / 1.1) ** 2)
                o0, o1, o2 = o0 * (1.0 - edge), o1 * (1.0 - edge), o2 * (1.0 - 0.95 * edge)
            # air: the farther, the more of the horizon's light
            haze = far * far / (far * far + looks[6, 0] * looks[6, 0])
            h0 = looks[1, 0] + looks[2, 0] * toward * toward
            h1 = looks[1, 1] + looks[2, 1] * toward * toward
            h2 = looks[1, 2] + looks[2, 2] * toward * toward
            out[r, c, 0] = o0 + (h0 - o0) * haze
            out[r, c, 1] = o1 + (h1 - o1) * haze
            out[r, c, 2] = o2 + (h2 - o2) * haze


def compose(
    seen: I32, inverse: F32, normals: F32, owner: I32, tint: F32, storey: F32, soil: U8, ground: F32, facing: I32, sky: F32, eye: F64,
    view: F64, tan_x: float, tan_y: float, sun: F64, lights: tuple[Light, ...], looks: F64, laid: U8, laid_at: F64, laid_cell: float,
    opacity: float,
) -> F32:  # fmt: skip
    """Colours of all samples, float32[rows, cols, 3], linear light.

    ``tint`` float32[m, 3] and ``storey`` float32[m] (m, 0: none) of the owners; ``soil`` u1[rows, cols]: row of ``ground`` float32[k, 3];
    ``facing``, ``sky``: from `places` and `sky_light`, coarser; ``lights``: the sun's heights, the finest first, all along one direction;
    ``looks`` float64[7, 3]: zenith, horizon, glow, sun, sky, ground's light, and (haze, 0, 0) in metres; ``laid`` u1[r, c, 4]: colours
    of a grid on the ground with its upper left corner ``laid_at`` and cells of ``laid_cell`` m, linear light.
    """
    rows, cols = seen.shape
    dx, dy = 2.0 * tan_x / cols, 2.0 * tan_y / rows
    out = np.empty((rows, cols, 3), np.float32)
    threads = processors()
    axes, maps = lights[0].axes, tuple(one.heights for one in lights)
    origins, texels = np.stack([one.origin for one in lights]), np.array([one.texel_m for one in lights])

    def work(i: int) -> None:
        a, b = rows * i // (4 * threads), rows * (i + 1) // (4 * threads)
        _compose(
            seen, inverse, normals, owner, tint, storey, soil, ground, facing, sky, eye, view, -tan_x + 0.5 * dx, dx,
            -tan_y + 0.5 * dy, dy, sun, axes, origins, texels, maps, looks, laid, laid_at, laid_cell, opacity, a, b, out,
        )  # fmt: skip

    spread(work, 4 * threads, threads)
    return out


@njit(cache=True, nogil=True)
def _reduce(colours, table, step, row0, row1, out):  # type: ignore[no-untyped-def]
    most = table.size - 1
    for r in range(row0, row1):
        for c in range(out.shape[1]):
            grain = ((r * 7 + c * 13) ^ (r * c + 5 * r)) & 15  # a little order against bands in the sky
            for k in range(3):
                total = 0.0
                for i in range(step):
                    for j in range(step):
                        v = max(0.0, colours[r * step + i, c * step + j, k])
                        if (
                            v > _SHOULDER
                        ):  # what is brighter than paper bends towards white instead of being cut
                            u = (v - _SHOULDER) / (1.0 - _SHOULDER)
                            v = _SHOULDER + (1.0 - _SHOULDER) * u / (1.0 + u)
                        total += v
                b = table[int(total / (step * step) * most + 0.5)]
                out[r, c, k] = int(min(255.0, b + (grain + 0.5) / 16.0))


def reduced(colours: F32, table: F32, step: int) -> U8:
    """The mean of ``step`` × ``step`` samples as bytes, u1[rows, cols, 3]; ``table`` float32[n]: bytes of linear light 0 to 1."""
    out = np.empty((colours.shape[0] // step, colours.shape[1] // step, 3), np.uint8)
    threads = processors()

    def work(i: int) -> None:
        _reduce(colours, table, step, out.shape[0] * i // threads, out.shape[0] * (i + 1) // threads, out)

    spread(work, threads, threads)
    return out
