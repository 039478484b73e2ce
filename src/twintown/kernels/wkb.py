"""Well-known binary: the coordinates of many geometries taken out and put back without making objects of them.

Little-endian WKB after [ogcsfa2011], clause 8.2, with Z and M as ISO (1000, 2000, 3000) or as flags of the high bits.
"""

from __future__ import annotations

from numba import njit, uint32, uint64
from numpy import ascontiguousarray, bool_, empty, float64, int64, uint8
from numpy.typing import NDArray

Bytes = NDArray[uint8]
Longs = NDArray[int64]


@njit(cache=True, nogil=True)
def u32(b, p):  # type: ignore[no-untyped-def]
    """The unsigned integer of four bytes at `p`."""
    return uint32(b[p]) | uint32(b[p + 1]) << 8 | uint32(b[p + 2]) << 16 | uint32(b[p + 3]) << 24


@njit(cache=True, nogil=True)
def head(b, p):  # type: ignore[no-untyped-def]
    """(kind 1–7, numbers a vertex, 1 where the third is a height, where the content begins); kind -1: not readable here."""
    raw = int64(u32(b, p + 1))
    z, m = (raw >> 31) & 1, (raw >> 30) & 1
    start = p + 9 if (raw >> 29) & 1 else p + 5
    raw &= 0x0FFFFFFF
    iso = raw // 1000
    kind = raw % 1000
    z |= int64(iso == 1 or iso == 3)
    m |= int64(iso == 2 or iso == 3)
    if b[p] != 1 or kind < 1 or kind > 7 or iso > 3:
        return -1, 0, 0, start
    return kind, 2 + z + m, z, start


@njit(cache=True, nogil=True)
def _walk(b, p, out, at, changed):  # type: ignore[no-untyped-def]
    """Take x, y of the vertices of one geometry into `out` (16 bytes each, from vertex `at` on), or put them from there into `changed`.

    Either array may be empty: with both empty the vertices are counted only. Returns the next `at`; -1: not readable.
    """
    pending = int64(1)  # geometries that are still to come; calling itself would not survive numba's cache
    while pending > 0:
        pending -= 1
        kind, stride, _, p = head(b, p)
        if kind < 0:
            return int64(-1)
        if kind >= 4:
            pending += int64(u32(b, p))
            p += 4
            continue
        runs = int64(1)
        if kind == 3:
            runs = int64(u32(b, p))
            p += 4
        for _i in range(runs):
            n = int64(1)
            if kind != 1:
                n = int64(u32(b, p))
                p += 4
            if len(changed):
                for k in range(n):
                    for j in range(16):
                        changed[p + 8 * stride * k + j] = out[16 * (at + k) + j]
            elif len(out):
                for k in range(n):
                    for j in range(16):
                        out[16 * (at + k) + j] = b[p + 8 * stride * k + j]
            at += n
            p += 8 * stride * n
    return at


@njit(cache=True, nogil=True)
def _all(offsets, data, valid, out, changed):  # type: ignore[no-untyped-def]
    at = int64(0)
    for i in range(len(valid)):
        if valid[i]:
            at = _walk(data, int64(offsets[i]), out, at, changed)
            if at < 0:
                return int64(-1 - i)
    return at


@njit(cache=True, nogil=True)
def any_z(offsets, data, valid):  # type: ignore[no-untyped-def]
    """True where one of the geometries has heights."""
    found = False
    for i in range(len(valid)):
        if valid[i]:
            found |= head(data, int64(offsets[i]))[2] == 1
    return found


@njit(cache=True, nogil=True)
def kinds(offsets, data, valid):  # type: ignore[no-untyped-def]
    """The kinds that occur as a set of bits: bit 1 for points to bit 7 for collections, bit 0 for what is not readable here."""
    found = uint64(0)
    for i in range(len(valid)):
        if valid[i]:
            kind = head(data, int64(offsets[i]))[0]
            found |= uint64(1) << uint64(max(kind, 0))
    return found


@njit(cache=True, nogil=True)
def counts(offsets, data, valid):  # type: ignore[no-untyped-def]
    """int64[n]: vertices of every row, 0 without a geometry, -1 where it is not readable."""
    out = empty(len(valid), int64)
    none = empty(0, uint8)
    for i in range(len(valid)):
        out[i] = _walk(data, int64(offsets[i]), none, int64(0), none) if valid[i] else int64(0)
    return out


def take_xy(offsets: Longs, data: Bytes, valid: NDArray[bool_]) -> NDArray[float64]:
    """float64[vertices, 2]: x and y of every vertex in order.

    Args:
        offsets: int64[n + 1], where each geometry begins in `data`.
        data: the bytes.
        valid: bool[n], false for rows without a geometry.

    Raises:
        ValueError: a geometry is big-endian, or of a kind that simple features do not have.
    """
    none = empty(0, uint8)
    count = _all(offsets, data, valid, none, none)
    if count < 0:
        raise ValueError(f"geometry {-1 - count} is no little-endian WKB of simple features")
    out = empty((count, 2), float64)
    _all(offsets, data, valid, out.reshape(-1).view(uint8), none)
    return out


def put_xy(offsets: Longs, data: Bytes, valid: NDArray[bool_], xy: NDArray[float64]) -> Bytes:
    """The same geometries with other coordinates: a copy of `data`; `xy` is as `take_xy` gives it."""
    changed = data.copy()
    if len(xy):
        _all(offsets, data, valid, ascontiguousarray(xy).reshape(-1).view(uint8), changed)
    changed.setflags(write=False)
    return changed
