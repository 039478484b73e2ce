"""FlatGeobuf features from columns: size-prefixed flatbuffers laid out by hand, a batch at a time [flatgeobuf2023].

Each feature begins at a multiple of 8 and is

    0   size of what follows        8   table of offsets of Feature       28  Geometry (below)
    4   offset of Feature, 16      16   Feature: geometry, properties      …  properties: length, bytes; padded to 8

and each Geometry, whose start is 4 beyond a multiple of 8 so that its doubles lie on multiples of 8,

    0   table of offsets           20   Geometry: xy, z, ends, type       40  xy, then z, then ends: length, numbers
    0   table of offsets           20   Geometry: type, parts             32  parts: length, offsets; then each part as above
"""

from __future__ import annotations

from numba import njit, uint8, uint32
from numpy import int64

from .wkb import head, u32

_MULTILINE, _MULTIPOLYGON, _COLLECTION = 5, 6, 7


@njit(cache=True, nogil=True)
def _simple_size(n, k, z):  # type: ignore[no-untyped-def]
    size = 44 + 16 * n
    if z:
        size += 8 + 8 * n
    if k > 1:
        size += 4 + 4 * k
    return size


@njit(cache=True, nogil=True)
def _rings(b, p, stride):  # type: ignore[no-untyped-def]
    """(vertices, rings, end) of a polygon whose content begins at p."""
    k = int64(u32(b, p))
    p += 4
    n = int64(0)
    for _ in range(k):
        m = int64(u32(b, p))
        n += m
        p += 4 + 8 * stride * m
    return n, k, p


@njit(cache=True, nogil=True)
def _members(b, p):  # type: ignore[no-untyped-def]
    """(vertices, members, end) of a multipoint or multilinestring whose content begins at p; vertices -1: not readable."""
    k = int64(u32(b, p))
    p += 4
    n = int64(0)
    for _ in range(k):
        kind, stride, _z, p = head(b, p)
        if kind == 1:
            m = int64(1)
        elif kind == 2:
            m = int64(u32(b, p))
            p += 4
        else:
            return int64(-1), k, p
        n += m
        p += 8 * stride * m
    return n, k, p


@njit(cache=True, nogil=True)
def _measure_one(b, p, z, promote):  # type: ignore[no-untyped-def]
    """(bytes of the Geometry, end in WKB) of anything but a collection; bytes -1: not readable."""
    kind, stride, _z, p = head(b, p)
    if kind == 1:
        return _simple_size(int64(1), 0, z), p + 8 * stride
    if kind == 2:
        n = int64(u32(b, p))
        return _simple_size(n, 0, z), p + 4 + 8 * stride * n
    if kind == 3:
        n, k, p = _rings(b, p, stride)
        size = _simple_size(n, k, z)
        return (40 + size if promote == _MULTIPOLYGON else size), p
    if kind == 4 or kind == 5:
        n, k, p = _members(b, p)
        if n < 0:
            return int64(-1), p
        return _simple_size(n, 0 if kind == 4 else k, z), p
    if kind != 6:
        return int64(-1), p
    k = int64(u32(b, p))
    p += 4
    size = int64(36 + 4 * k)
    for _i in range(k):
        one, own, _own_z, p = head(b, p)
        if one != 3:
            return int64(-1), p
        n, rings, p = _rings(b, p, own)
        size = ((size + 7) & ~7) + _simple_size(n, rings, z)
    return size, p


@njit(cache=True, nogil=True)
def _collected(b, p):  # type: ignore[no-untyped-def]
    """How many members a collection whose content begins at p has, those of collections in it included; -1: not readable."""
    pending, count = int64(u32(b, p)), int64(0)
    p += 4
    while pending > 0:
        pending -= 1
        kind, _stride, _z, start = head(b, p)
        if kind == _COLLECTION:
            pending += int64(u32(b, start))
            p = start + 4
            continue
        size, p = _measure_one(b, p, False, 0)
        if size < 0:
            return int64(-1)
        count += 1
    return count


@njit(cache=True, nogil=True)
def _measure(b, p, z, promote):  # type: ignore[no-untyped-def]
    """Bytes of the Geometry; -1: not readable."""
    kind, _stride, _z, start = head(b, p)
    if kind != _COLLECTION:
        return _measure_one(b, p, z, promote)[0]
    k = _collected(b, start)
    if k < 0:
        return int64(-1)
    size = int64(36 + 4 * k)
    p = start + 4
    done = int64(0)
    while done < k:
        one, _own, _own_z, start = head(b, p)
        if one == _COLLECTION:
            p = start + 4
            continue
        more, p = _measure_one(b, p, z, 0)
        size = ((size + 7) & ~7) + more
        done += 1
    return size


@njit(cache=True, nogil=True)
def measure(offsets, data, valid, z, promote, sizes):  # type: ignore[no-untyped-def]
    """Bytes of every Geometry into `sizes` (0 without one). Returns the first row that is not readable, -1 for none.

    Args:
        offsets, data, valid: WKB of n rows, as in `wkb.take_xy`.
        z: write heights (0 where a geometry has none).
        promote: 5 lines as multilines, 6 polygons as multipolygons, 0 as they are.
        sizes: int64[n], out.
    """
    for i in range(len(valid)):
        sizes[i] = 0
        if valid[i]:
            sizes[i] = _measure(data, int64(offsets[i]), z, promote)
            if sizes[i] < 0:
                return i
    return -1


@njit(cache=True, nogil=True)
def _vertices(out, words, q, qz, b, p, n, stride, has_z, z):  # type: ignore[no-untyped-def]
    """x, y of n vertices to byte q and, where heights are written, z to byte qz."""
    if stride == 2:
        for j in range(16 * n):
            out[q + j] = b[p + j]
    else:
        for k in range(n):
            for j in range(16):
                out[q + 16 * k + j] = b[p + 8 * stride * k + j]
    if z:
        for k in range(n):
            for j in range(8):
                out[qz + 8 * k + j] = b[p + 8 * stride * k + 16 + j] if has_z else uint8(0)


@njit(cache=True, nogil=True)
def _simple(out, words, q, n, k, z, kind):  # type: ignore[no-untyped-def]
    """The tables of a Geometry of n vertices in k runs. Returns where x, y, z and ends go."""
    w = q >> 2
    xy = q + 44
    qz = xy + 16 * n + 8
    ends = (qz + 8 * n if z else xy + 16 * n) + 4
    words[w] = uint32(20) | uint32(20) << 16
    words[w + 1] = (uint32(12) if k > 1 else uint32(0)) | uint32(4) << 16  # ends, xy
    words[w + 2] = uint32(8) if z else uint32(0)  # z, m
    words[w + 3] = uint32(0)  # t, tm
    words[w + 4] = uint32(16)  # type, parts
    words[w + 5] = uint32(20)
    words[w + 6] = uint32(xy - 4 - (q + 24))
    words[w + 7] = uint32(qz - 4 - (q + 28)) if z else uint32(0)
    words[w + 8] = uint32(ends - 4 - (q + 32)) if k > 1 else uint32(0)
    words[w + 9] = uint32(kind)
    words[w + 10] = uint32(2 * n)
    if z:
        words[(qz >> 2) - 2] = uint32(0)
        words[(qz >> 2) - 1] = uint32(n)
    if k > 1:
        words[(ends >> 2) - 1] = uint32(k)
    return xy, qz, ends


@njit(cache=True, nogil=True)
def _nested(words, q, k, kind):  # type: ignore[no-untyped-def]
    """The tables of a Geometry with k parts. Returns where their offsets go."""
    w = q >> 2
    words[w] = uint32(20) | uint32(12) << 16
    words[w + 1] = uint32(0)
    words[w + 2] = uint32(0)
    words[w + 3] = uint32(0)
    words[w + 4] = uint32(4) | uint32(8) << 16  # type, parts
    words[w + 5] = uint32(20)
    words[w + 6] = uint32(kind)
    words[w + 7] = uint32(4)
    words[w + 8] = uint32(k)
    return w + 9


@njit(cache=True, nogil=True)
def _part(words, at, q, start):  # type: ignore[no-untyped-def]
    """A part begins at or after q: the word `at` points to its table. Returns where it begins."""
    if (q - start) & 7:
        words[q >> 2] = uint32(0)
        q += 4
    words[at] = uint32(q + 20 - 4 * at)
    return q


@njit(cache=True, nogil=True)
def _polygon(out, words, q, b, p, stride, has_z, z):  # type: ignore[no-untyped-def]
    n, k, end = _rings(b, p, stride)
    xy, qz, ends = _simple(out, words, q, n, k, z, 3)
    p += 4
    done = int64(0)
    for ring in range(k):
        m = int64(u32(b, p))
        _vertices(out, words, xy + 16 * done, qz + 8 * done, b, p + 4, m, stride, has_z, z)
        done += m
        p += 4 + 8 * stride * m
        if k > 1:
            words[(ends >> 2) + ring] = uint32(done)
    return q + _simple_size(n, k, z), end


@njit(cache=True, nogil=True)
def _one(out, words, q, b, p, z, promote):  # type: ignore[no-untyped-def]
    """One Geometry, no collection, at byte q from the WKB at byte p. Returns (end in out, end in WKB)."""
    start = q
    kind, stride, has_z, p = head(b, p)
    if kind == 1 or kind == 2:
        n = int64(1)
        if kind == 2:
            n = int64(u32(b, p))
            p += 4
        shown = _MULTILINE if kind == 2 and promote == _MULTILINE else kind
        xy, qz, _ends = _simple(out, words, q, n, 0, z, shown)
        _vertices(out, words, xy, qz, b, p, n, stride, has_z, z)
        return q + _simple_size(n, 0, z), p + 8 * stride * (n if kind == 2 else 1)
    if kind == 3:
        if promote == _MULTIPOLYGON:
            at = _nested(words, q, 1, _MULTIPOLYGON)
            q = _part(words, at, 4 * (at + 1), start)
        return _polygon(out, words, q, b, p, stride, has_z, z)
    if kind == 4 or kind == 5:
        n, k, end = _members(b, p)
        shown_k = int64(0) if kind == 4 else k
        xy, qz, ends = _simple(out, words, q, n, shown_k, z, kind)
        p += 4
        done = int64(0)
        for member in range(k):
            one, own, own_z, p = head(b, p)
            m = int64(1)
            if one == 2:
                m = int64(u32(b, p))
                p += 4
            _vertices(out, words, xy + 16 * done, qz + 8 * done, b, p, m, own, own_z, z)
            done += m
            p += 8 * own * m
            if shown_k > 1:
                words[(ends >> 2) + member] = uint32(done)
        return q + _simple_size(n, shown_k, z), end
    k = int64(u32(b, p))
    p += 4
    at = _nested(words, q, k, kind)
    q = 4 * (at + k)
    for member in range(k):
        q = _part(words, at + member, q, start)
        _kind, own, own_z, p = head(b, p)
        q, p = _polygon(out, words, q, b, p, own, own_z, z)
    return q, p


@njit(cache=True, nogil=True)
def _geometry(out, words, q, b, p, z, promote):  # type: ignore[no-untyped-def]
    """Any Geometry at byte q from the WKB at byte p; the members of collections within a collection become its own."""
    start = q
    kind, _stride, _z, content = head(b, p)
    if kind != _COLLECTION:
        _one(out, words, q, b, p, z, promote)
        return
    k = _collected(b, content)
    at = _nested(words, q, k, kind)
    q = 4 * (at + k)
    p = content + 4
    done = int64(0)
    while done < k:
        one, _own, _own_z, content = head(b, p)
        if one == _COLLECTION:
            p = content + 4
            continue
        q = _part(words, at + done, q, start)
        q, p = _one(out, words, q, b, p, z, 0)
        done += 1


@njit(cache=True, nogil=True)
def write_features(out, words, starts, sizes, properties, offsets, data, valid, z, promote, cursor):  # type: ignore[no-untyped-def]
    """Every feature but the bytes of its properties.

    Args:
        out, words: the same zeroed buffer as uint8[bytes] and uint32[bytes / 4].
        starts: int64[n + 1], first byte of each feature and the end of the last, multiples of 8.
        sizes: int64[n] of `measure`. properties: int64[n], bytes of the properties.
        offsets, data, valid, z, promote: as in `measure`.
        cursor: int64[n], out: where the properties of each feature begin.
    """
    for i in range(len(valid)):
        s = starts[i]
        w = s >> 2
        body = s + 28 + sizes[i]
        words[w] = uint32(starts[i + 1] - s - 4)
        words[w + 1] = uint32(12)
        words[w + 2] = uint32(8) | uint32(12) << 16
        words[w + 3] = (uint32(4) if valid[i] else uint32(0)) | uint32(8) << 16
        words[w + 4] = uint32(8)
        words[w + 5] = uint32(28)  # to the table, which lies 20 after the geometry begins
        words[w + 6] = uint32(body - (s + 24))
        words[body >> 2] = uint32(properties[i])
        cursor[i] = body + 4
        if valid[i]:
            _geometry(out, words, s + 28, data, int64(offsets[i]), z, promote)


@njit(cache=True, nogil=True)
def write_numbers(out, cursor, column, values, width, valid):  # type: ignore[no-untyped-def]
    """One column of numbers: its index and `width` bytes of `values` (uint8[n · width]) in every row that has one."""
    for i in range(len(valid)):
        if valid[i]:
            q = cursor[i]
            out[q] = uint8(column & 255)
            out[q + 1] = uint8(column >> 8)
            for j in range(width):
                out[q + 2 + j] = values[i * width + j]
            cursor[i] = q + 2 + width


@njit(cache=True, nogil=True)
def write_texts(out, cursor, column, offsets, data, valid):  # type: ignore[no-untyped-def]
    """One column of texts: its index, the length in bytes and the bytes in every row that has one."""
    for i in range(len(valid)):
        if valid[i]:
            q = cursor[i]
            start = int64(offsets[i])
            n = int64(offsets[i + 1]) - start
            out[q] = uint8(column & 255)
            out[q + 1] = uint8(column >> 8)
            for j in range(4):
                out[q + 2 + j] = uint8((n >> (8 * j)) & 255)
            for j in range(n):
                out[q + 6 + j] = data[start + j]
            cursor[i] = q + 6 + n
