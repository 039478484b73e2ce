"""Outlines as runs of vertices: read from well-known binary [ogcsfa2011], brought onto a tile, thinned [douglas1973] and
clipped [sutherland1974]. What `vectortile` draws with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["Shapes", "clip_side", "thin", "to_tile", "unpack", "whole"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shapes:
    """Geometries as runs of vertices.

    ``xy`` float64[n, 2]; ``first`` int64[runs + 1]: where each run starts; ``role`` uint8[runs]: 1 point, 2 line,
    3 outer ring, 4 hole of the ring before it (rings without their closing vertex); ``owner`` int64[runs], rising:
    whose it is; ``count``: geometries, those without a run included.
    """

    xy: F64
    first: I64
    role: U8
    owner: I64
    count: int


# -- well-known binary [ogcsfa2011] ---------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _u32(data, at):  # type: ignore[no-untyped-def]
    return (
        np.int64(data[at])
        | (np.int64(data[at + 1]) << 8)
        | (np.int64(data[at + 2]) << 16)
        | (np.int64(data[at + 3]) << 24)
    )


@njit(cache=True, nogil=True)
def _walk(offsets, data, fill, place, first, role, owner):  # type: ignore[no-untyped-def]
    """Count vertices and runs, or write where they lie; −1 vertices where the bytes are no little-endian WKB in two dimensions."""
    vertices = 0
    runs = 0
    for g in range(offsets.shape[0] - 1):
        at, end = offsets[g], offsets[g + 1]
        pending = 1 if end > at else 0
        while pending > 0:
            if at + 9 > end or data[at] != 1:
                return -1, 0
            kind = _u32(data, at + 1)
            at += 5
            pending -= 1
            if 4 <= kind <= 7:
                pending += _u32(data, at)
                at += 4
                continue
            if kind < 1 or kind > 3:
                return -1, 0
            rings = 1
            if kind == 3:
                rings = _u32(data, at)
                at += 4
            for ring in range(rings):
                n = 1
                if kind != 1:
                    if at + 4 > end:
                        return -1, 0
                    n = _u32(data, at)
                    at += 4
                if at + n * 16 > end:
                    return -1, 0
                taken = n - 1 if kind == 3 else n  # a ring ends where it starts; ClosePath says so
                if taken > 0:
                    if fill:
                        place[runs] = at
                        first[runs] = vertices
                        role[runs] = 4 if kind == 3 and ring > 0 else kind
                        owner[runs] = g
                    vertices += taken
                    runs += 1
                at += n * 16
    if fill:
        first[runs] = vertices
    return vertices, runs


@njit(cache=True, nogil=True)
def _copy(data, place, first, raw):  # type: ignore[no-untyped-def]
    """x and y of every vertex, byte by byte: they need not be aligned."""
    for r in range(place.shape[0]):
        at, out = place[r], 16 * first[r]
        for byte in range(16 * (first[r + 1] - first[r])):
            raw[out + byte] = data[at + byte]


def unpack(offsets: npt.NDArray[np.int32] | I64, data: U8) -> Shapes:
    """The vertices of well-known binary.

    Args:
        offsets: int[n + 1], where each geometry starts in ``data``; equal offsets mean none.
        data: uint8, the geometries, little-endian and two-dimensional.

    Raises:
        ValueError: the bytes are something else.
    """
    none8, none64 = np.empty(0, np.uint8), np.empty(0, np.int64)
    offsets = np.ascontiguousarray(offsets, np.int64)
    vertices, runs = _walk(offsets, data, False, none64, none64, none8, none64)
    if vertices < 0:
        raise ValueError("geometries are not little-endian two-dimensional well-known binary")
    raw, first = np.empty(vertices * 16, np.uint8), np.zeros(runs + 1, np.int64)
    role, owner = np.empty(runs, np.uint8), np.empty(runs, np.int64)
    place = np.empty(runs, np.int64)
    _walk(offsets, data, True, place, first, role, owner)
    _copy(data, place, first, raw)
    return Shapes(raw.view(np.float64).reshape(-1, 2), first, role, owner, len(offsets) - 1)


@njit(cache=True, nogil=True)
def _to_tile(lonlat, columns, rows, column, row, extent, mercator, out):  # type: ignore[no-untyped-def]
    turn = np.pi / 180.0
    # the sphere's mercator (EPSG:1024) is atanh(sin φ); about the middle of the tile its series to the third power
    middle = np.arctan(np.sinh(np.pi * (1.0 - 2.0 * (row + 0.5) / rows)))
    height, sec, tan = np.arctanh(np.sin(middle)), 1.0 / np.cos(middle), np.tan(middle)
    second, third = sec * tan / 2.0, sec * (sec * sec + tan * tan) / 6.0
    for k in range(lonlat.shape[0]):
        out[k, 0] = ((lonlat[k, 0] + 180.0) / 360.0 * columns - column) * extent
        if mercator:
            latitude = min(89.99, max(-89.99, lonlat[k, 1])) * turn
            d = latitude - middle
            if -0.002 < d < 0.002:  # the next term is below a thousandth of a unit up to zoom 18
                north = height + d * (sec + d * (second + d * third))
            else:
                north = np.arctanh(np.sin(latitude))
            down = 0.5 - north / (2.0 * np.pi)
        else:
            down = (90.0 - lonlat[k, 1]) / 180.0
        out[k, 1] = (down * rows - row) * extent


def to_tile(
    shapes: Shapes, columns: int, rows: int, column: int, row: int, extent: int, mercator: bool = True
) -> Shapes:
    """The same shapes in units of one tile, x to the east, y to the south, its upper left corner at 0, 0.

    Args:
        shapes: longitude and latitude, degrees.
        columns, rows: of the tile matrix.
        column, row: of the tile, counted from the north-west.
        extent: units along the side of a tile.
        mercator: the matrix lies in EPSG:3857; else its rows are even steps of latitude.
    """
    out = np.empty_like(shapes.xy)
    _to_tile(shapes.xy, float(columns), float(rows), float(column), float(row), float(extent), mercator, out)
    return Shapes(out, shapes.first, shapes.role, shapes.owner, shapes.count)


@njit(cache=True, nogil=True)
def thin(xy, start, stop, closed, tolerance, keep, stack):  # type: ignore[no-untyped-def]
    """Mark what stays of a run by Douglas and Peucker; a ring falls into two lines at its first and its farthest vertex."""
    n = stop - start
    for k in range(n):
        keep[k] = 0
    keep[0] = 1
    depth = 0
    if closed:
        far, most = 0, -1.0
        for k in range(1, n):
            d = (xy[start + k, 0] - xy[start, 0]) ** 2 + (xy[start + k, 1] - xy[start, 1]) ** 2
            if d > most:
                far, most = k, d
        keep[far] = 1
        stack[0, 0], stack[0, 1] = 0, far
        stack[1, 0], stack[1, 1] = far, n
        depth = 2
    else:
        keep[n - 1] = 1
        stack[0, 0], stack[0, 1] = 0, n - 1
        depth = 1
    limit = tolerance * tolerance
    while depth > 0:
        depth -= 1
        a, b = stack[depth, 0], stack[depth, 1]
        ax, ay = xy[start + a, 0], xy[start + a, 1]
        end = start + (b % n if closed else b)
        dx, dy = xy[end, 0] - ax, xy[end, 1] - ay
        length = dx * dx + dy * dy
        far, most = -1, limit
        for k in range(a + 1, b):
            px, py = xy[start + k, 0] - ax, xy[start + k, 1] - ay
            if length > 0.0:
                t = (px * dx + py * dy) / length
                t = min(1.0, max(0.0, t))
                px -= t * dx
                py -= t * dy
            d = px * px + py * py
            if d > most:
                far, most = k, d
        if far >= 0:
            keep[far] = 1
            if far - a > 1:
                stack[depth, 0], stack[depth, 1] = a, far
                depth += 1
            if b - far > 1:
                stack[depth, 0], stack[depth, 1] = far, b
                depth += 1


@njit(cache=True, nogil=True)
def clip_side(a, n, b, axis, limit, above):  # type: ignore[no-untyped-def]
    """One side of Sutherland and Hodgman: what of the ring a[:n] lies on the right side of the limit, into b."""
    m = 0
    if n == 0:
        return 0
    px, py = a[n - 1, 0], a[n - 1, 1]
    inside_before = (a[n - 1, axis] >= limit) == above or a[n - 1, axis] == limit
    for k in range(n):
        x, y = a[k, 0], a[k, 1]
        inside = (a[k, axis] >= limit) == above or a[k, axis] == limit
        if inside != inside_before:
            if axis == 0:
                t = (limit - px) / (x - px)
                b[m, 0], b[m, 1] = limit, py + t * (y - py)
            else:
                t = (limit - py) / (y - py)
                b[m, 0], b[m, 1] = px + t * (x - px), limit
            m += 1
        if inside:
            b[m, 0], b[m, 1] = x, y
            m += 1
        px, py, inside_before = x, y, inside
    return m


@njit(cache=True, nogil=True)
def whole(a, n, q):  # type: ignore[no-untyped-def]
    """A ring in whole numbers without repeated, straight and doubled-back vertices; and twice its signed area."""
    m = 0
    for k in range(n):
        x, y = np.int64(np.floor(a[k, 0] + 0.5)), np.int64(np.floor(a[k, 1] + 0.5))
        while True:
            if m > 0 and q[m - 1, 0] == x and q[m - 1, 1] == y:
                m -= 1  # written again below
                continue
            if m > 1:
                ux, uy = q[m - 1, 0] - q[m - 2, 0], q[m - 1, 1] - q[m - 2, 1]
                if ux * (y - q[m - 1, 1]) - uy * (x - q[m - 1, 0]) == 0:
                    m -= 1
                    continue
            break
        q[m, 0], q[m, 1] = x, y
        m += 1
    low = 0  # what repeats or lies straight across the seam
    while m - low > 2:
        ax, ay = q[m - 2, 0], q[m - 2, 1]
        bx, by = q[m - 1, 0], q[m - 1, 1]
        cx, cy = q[low, 0], q[low, 1]
        dx, dy = q[low + 1, 0], q[low + 1, 1]
        if (bx - ax) * (cy - by) - (by - ay) * (cx - bx) == 0:
            m -= 1
        elif (cx - bx) * (dy - cy) - (cy - by) * (dx - cx) == 0:
            low += 1
        else:
            break
    if low:
        for k in range(low, m):
            q[k - low, 0], q[k - low, 1] = q[k, 0], q[k, 1]
        m -= low
    area = np.int64(0)
    for k in range(m):
        j = k + 1 if k + 1 < m else 0
        area += q[k, 0] * q[j, 1] - q[j, 0] * q[k, 1]
    return m, area
