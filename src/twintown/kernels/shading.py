"""What a picture made of triangles looks like: materials in light and shade, edges, air, and paper's white.

Edges are where neighbouring samples belong to another thing or lie on another face [saito1990]; what is brighter than paper bends
towards white [reinhard2002]. Where the light comes from is worked out in `lights`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.lights import Light, passes
from twintown.kernels.spread import processors, spread

__all__ = ["compose", "reduced"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

_SHOULDER = 0.55  # of linear light


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
                    lit = passes(
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
