"""Vector tiles: coordinates become commands, columns become tags, arrays become one protocol buffer [mvt2016].

Each step over whole arrays: `outlines.unpack` reads well-known binary, `draw` thins [douglas1973], clips
[sutherland1974, liang1984] and encodes every geometry, `layer` writes the message with keys, values and
tags. Section numbers beside the lines are those of the specification, version 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.outlines import Shapes, clip_side, thin, whole

__all__ = ["Drawn", "Values", "booleans", "draw", "integers", "layer", "numbers", "texts"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Drawn:
    """Encoded geometries: ``kind`` uint8[n] is their GeomType, 0 where nothing is left; ``data`` uint8 and
    ``first`` int64[n + 1] the packed command integers of each (4.3)."""

    kind: U8
    first: I64
    data: U8


@dataclass(frozen=True)
class Values:
    """One property of every feature: ``codes`` int32[n] into its distinct values, −1 where it has none;
    ``data`` uint8 and ``first`` int64[k + 1]: the Value messages (4.1)."""

    key: str
    codes: I32
    first: I64
    data: U8


# -- geometry: roles of runs are 1 point, 2 line, 3 outer ring, 4 hole; the first three are GeomTypes (4.3.4) ---


@njit(cache=True, nogil=True)
def _varint(out, at, value):  # type: ignore[no-untyped-def]
    while value >= 128:
        out[at] = (value & 127) | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@njit(cache=True, nogil=True)
def _length(value):  # type: ignore[no-untyped-def]
    n = 1
    while value >= 128:
        value >>= 7
        n += 1
    return n


@njit(cache=True, nogil=True)
def _path(out, at, q, m, backwards, closed, cx, cy):  # type: ignore[no-untyped-def]
    """MoveTo, LineTo and ClosePath of one run (4.3.1 to 4.3.3); parameters are zigzag differences."""
    at = _varint(out, at, (1 << 3) | 1)
    for k in range(m):
        if k == 1:
            at = _varint(out, at, ((m - 1) << 3) | 2)
        j = k
        if backwards:
            j = m - 1 - k
        dx, dy = q[j, 0] - cx, q[j, 1] - cy
        at = _varint(out, at, (dx << 1) ^ (dx >> 63))
        at = _varint(out, at, (dy << 1) ^ (dy >> 63))
        cx, cy = q[j, 0], q[j, 1]
    if closed:
        at = _varint(out, at, (1 << 3) | 7)
    return at, cx, cy


@njit(cache=True, nogil=True)
def _room(out, at, vertices):  # type: ignore[no-untyped-def]
    need = at + 12 * vertices + 32
    if need <= out.shape[0]:
        return out
    wider = np.empty(max(need, 2 * out.shape[0]), np.uint8)
    wider[:at] = out[:at]
    return wider


@njit(cache=True, nogil=True)
def _draw(xy, first, role, owner, count, low, high, tolerance, least, weight, cell):  # type: ignore[no-untyped-def]
    longest = 4
    for r in range(role.shape[0]):
        longest = max(longest, first[r + 1] - first[r])
    keep = np.empty(longest, np.uint8)
    stack = np.empty((longest + 4, 2), np.int64)
    a = np.empty((6 * longest + 32, 2), np.float64)
    b = np.empty((6 * longest + 32, 2), np.float64)
    q = np.empty((6 * longest + 32, 2), np.int64)
    across = int((high - low) / cell) + 1 if cell > 0.0 else 0
    taken = np.zeros(across * across, np.uint8)
    out = np.empty(16 * xy.shape[0] + 64, np.uint8)
    kinds = np.zeros(count, np.uint8)
    starts = np.zeros(count + 1, np.int64)
    debt = 0.0  # area of what was too small to see
    at = 0
    r = 0
    for g in range(count):
        r0 = r
        kind = 0
        while r < role.shape[0] and owner[r] == g:
            kind = max(kind, min(role[r], 3))
            r += 1
        begin = at
        cx, cy = np.int64(0), np.int64(0)
        if kind == 1:
            m = 0
            for k in range(first[r0], first[r]):
                x, y = xy[k, 0], xy[k, 1]
                if x >= low and x <= high and y >= low and y <= high and m < q.shape[0]:
                    q[m, 0], q[m, 1] = np.int64(np.floor(x + 0.5)), np.int64(np.floor(y + 0.5))
                    if m == 0 and across:
                        spot = int((y - low) / cell) * across + int((x - low) / cell)
                        if taken[spot]:
                            break
                        taken[spot] = 1
                    m += 1
            if m:
                out = _room(out, at, m)
                at = _varint(out, at, (m << 3) | 1)
                for k in range(m):
                    dx, dy = q[k, 0] - cx, q[k, 1] - cy
                    at = _varint(out, at, (dx << 1) ^ (dx >> 63))
                    at = _varint(out, at, (dy << 1) ^ (dy >> 63))
                    cx, cy = q[k, 0], q[k, 1]
        elif kind == 2:
            for run in range(r0, r):
                if role[run] != 2:
                    continue
                n = 0
                start, stop = first[run], first[run + 1]
                if stop - start < 2:
                    continue
                if tolerance > 0.0:
                    thin(xy, start, stop, False, tolerance, keep, stack)
                for k in range(start, stop):
                    if tolerance <= 0.0 or keep[k - start]:
                        a[n, 0], a[n, 1] = xy[k, 0], xy[k, 1]
                        n += 1
                m = 0
                for k in range(n - 1):  # Liang and Barsky: where the segment enters and leaves
                    x0, y0, x1, y1 = a[k, 0], a[k, 1], a[k + 1, 0], a[k + 1, 1]
                    dx, dy = x1 - x0, y1 - y0
                    t0, t1 = 0.0, 1.0
                    seen = True
                    for side in range(4):
                        if side == 0:
                            p, d = -dx, x0 - low
                        elif side == 1:
                            p, d = dx, high - x0
                        elif side == 2:
                            p, d = -dy, y0 - low
                        else:
                            p, d = dy, high - y0
                        if p == 0.0:
                            seen = seen and d >= 0.0
                        elif p < 0.0:
                            t0 = max(t0, d / p)
                        else:
                            t1 = min(t1, d / p)
                    seen = seen and t0 <= t1
                    if seen:
                        if m == 0:
                            q[0, 0] = np.int64(np.floor(x0 + t0 * dx + 0.5))
                            q[0, 1] = np.int64(np.floor(y0 + t0 * dy + 0.5))
                            m = 1
                        x, y = np.int64(np.floor(x0 + t1 * dx + 0.5)), np.int64(np.floor(y0 + t1 * dy + 0.5))
                        if x != q[m - 1, 0] or y != q[m - 1, 1]:
                            q[m, 0], q[m, 1] = x, y
                            m += 1
                    if m and (not seen or t1 < 1.0 or k == n - 2):
                        if m > 1:
                            out = _room(out, at, m)
                            at, cx, cy = _path(out, at, q, m, False, False, cx, cy)
                        m = 0
        elif kind == 3:
            total = 0.0
            west, east, north, south = np.inf, -np.inf, np.inf, -np.inf
            for run in range(r0, r):
                if role[run] != 3:
                    continue
                start, stop = first[run], first[run + 1]
                area = 0.0
                for k in range(start, stop):
                    j = k + 1 if k + 1 < stop else start
                    area += xy[k, 0] * xy[j, 1] - xy[j, 0] * xy[k, 1]
                    west, east = min(west, xy[k, 0]), max(east, xy[k, 0])
                    north, south = min(north, xy[k, 1]), max(south, xy[k, 1])
                total += abs(area) / 2.0
            if total < least:
                debt += total * weight
                x, y = (west + east) / 2.0, (north + south) / 2.0
                if debt >= least and x >= low and x <= high and y >= low and y <= high:
                    debt -= least
                    size = np.int64(np.floor(np.sqrt(least) + 0.5))
                    u, v = np.int64(np.floor(x - size / 2 + 0.5)), np.int64(np.floor(y - size / 2 + 0.5))
                    q[0, 0], q[0, 1], q[1, 0], q[1, 1] = u, v, u + size, v
                    q[2, 0], q[2, 1], q[3, 0], q[3, 1] = u + size, v + size, u, v + size
                    out = _room(out, at, 4)
                    at, cx, cy = _path(out, at, q, 4, False, True, cx, cy)
            else:
                shown, outer = False, np.int64(0)
                before, bx, by = at, cx, cy
                for run in range(r0, r):
                    if role[run] < 3 or (role[run] == 4 and not shown):
                        continue
                    if role[run] == 3:
                        shown = False
                    start, stop = first[run], first[run + 1]
                    if stop - start < 3:
                        continue
                    west, east, north, south = np.inf, -np.inf, np.inf, -np.inf
                    for k in range(start, stop):
                        west, east = min(west, xy[k, 0]), max(east, xy[k, 0])
                        north, south = min(north, xy[k, 1]), max(south, xy[k, 1])
                    if east < low or west > high or south < low or north > high:
                        continue
                    n = 0
                    if tolerance > 0.0:
                        thin(xy, start, stop, True, tolerance, keep, stack)
                        for k in range(start, stop):
                            if keep[k - start]:
                                a[n, 0], a[n, 1] = xy[k, 0], xy[k, 1]
                                n += 1
                    if n < 3:  # thinned to a line: as it is
                        n = stop - start
                        for k in range(n):
                            a[k, 0], a[k, 1] = xy[start + k, 0], xy[start + k, 1]
                    if west < low or east > high or north < low or south > high:
                        n = clip_side(a, n, b, 0, low, True)
                        n = clip_side(b, n, a, 0, high, False)
                        n = clip_side(a, n, b, 1, low, True)
                        n = clip_side(b, n, a, 1, high, False)
                    m, area = whole(a, n, q)
                    if m < 3 or area == 0 or (abs(area) < least / 2.0):  # 4.3.3.3: no ring without an area
                        continue
                    if role[run] == 3:
                        shown, outer = True, abs(area)
                        before, bx, by = at, cx, cy
                    elif abs(area) >= outer:  # the hole is all that would be seen
                        shown = False
                        at, cx, cy = before, bx, by
                        continue
                    out = _room(out, at, m)
                    # 4.3.3.3: the surveyor's area of an outer ring is positive, of a hole negative
                    backwards = (area > 0) != (role[run] == 3)
                    at, cx, cy = _path(out, at, q, m, backwards, True, cx, cy)
        if at > begin:
            kinds[g] = kind
        starts[g + 1] = at
    return kinds, starts, out[:at]


def draw(
    shapes: Shapes,
    extent: int = 4096,
    margin: float = np.inf,
    tolerance: float = 0.0,
    least: float = 0.0,
    weight: float = 1.0,
    cell: float = 0.0,
) -> Drawn:
    """The commands of every geometry, cut to the tile, in whole units, rings turned as the specification wants.

    A feature keeps only its parts of the highest dimension: a tile's feature has one type.

    Args:
        shapes: in units of the tile, y down (`to_tile`).
        extent: units along the side of the tile.
        margin: how far beyond the tile is kept, units; without one nothing is cut.
        tolerance: how far a line may move when it is simplified, units; 0 keeps every vertex.
        least: polygons with less area than this, square units, are not drawn one by one: in their order, each
            time that much has come together, one square of that area stands for them.
        weight: of how many polygons each one stands, for `least`.
        cell: of the points in a square of this side, units, the first is drawn; 0 draws all.
    """
    if np.isinf(margin):
        reach = float(np.nanmax(np.abs(shapes.xy), initial=0.0)) + 1.0 if len(shapes.xy) else 1.0
        low, high = -reach, reach
        cell = 0.0
    else:
        low, high = -float(margin), extent + float(margin)
    kind, first, data = _draw(
        shapes.xy, shapes.first, shapes.role, shapes.owner, shapes.count, low, high, float(tolerance), float(least),
        float(weight), float(cell),
    )  # fmt: skip
    return Drawn(kind, first, data)


# -- properties -----------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _texts(offsets, data, first, out):  # type: ignore[no-untyped-def]
    at = 0
    for k in range(offsets.shape[0] - 1):
        size = offsets[k + 1] - offsets[k]
        out[at] = (1 << 3) | 2  # string_value
        at = _varint(out, at + 1, size)
        out[at : at + size] = data[offsets[k] : offsets[k + 1]]
        at += size
        first[k + 1] = at
    return at


def texts(key: str, codes: I32, offsets: npt.NDArray[np.int32] | I64, data: U8) -> Values:
    """A column of strings: int32 codes into UTF-8 strings that start at ``offsets`` of ``data``; −1 for none."""
    offsets = np.ascontiguousarray(offsets, np.int64)
    first = np.zeros(len(offsets), np.int64)
    out = np.empty(int(offsets[-1] - offsets[0]) + 6 * len(offsets), np.uint8)
    return Values(key, np.ascontiguousarray(codes, np.int32), first, out[: _texts(offsets, data, first, out)])


def numbers(key: str, codes: I32, values: F64) -> Values:
    """A column of doubles: int32 codes into float64 values; −1 for none."""
    out = np.empty((len(values), 9), np.uint8)
    out[:, 0] = (3 << 3) | 1  # double_value
    out[:, 1:] = np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(-1, 8)
    first = np.arange(len(values) + 1, dtype=np.int64) * 9
    return Values(key, np.ascontiguousarray(codes, np.int32), first, out.reshape(-1))


@njit(cache=True, nogil=True)
def _integers(values, first, out):  # type: ignore[no-untyped-def]
    at = 0
    for k in range(values.shape[0]):
        v = values[k]
        if v >= 0:
            out[at] = 5 << 3  # uint_value
            at = _varint(out, at + 1, v)
        else:
            out[at] = (
                6 << 3
            )  # sint_value: zigzag; for negative numbers 2·|v| − 1, written by halves of 64 bits
            rest = -(v + 1)
            at += 1
            out[at] = ((rest & 63) << 1) | 1
            rest >>= 6
            while rest > 0:
                out[at] |= 128
                at += 1
                out[at] = rest & 127
                rest >>= 7
            at += 1
        first[k + 1] = at
    return at


def integers(key: str, codes: I32, values: I64) -> Values:
    """A column of whole numbers: int32 codes into int64 values; −1 for none."""
    first, out = np.zeros(len(values) + 1, np.int64), np.empty(12 * len(values) + 1, np.uint8)
    size = _integers(np.ascontiguousarray(values, np.int64), first, out)
    return Values(key, np.ascontiguousarray(codes, np.int32), first, out[:size])


def booleans(key: str, codes: I32) -> Values:
    """A column of truth: int32, 0 for false, 1 for true, −1 for none."""
    data = np.array([7 << 3, 0, 7 << 3, 1], np.uint8)  # bool_value
    return Values(key, np.ascontiguousarray(codes, np.int32), np.array([0, 2, 4], np.int64), data)


# -- message --------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _features(rows, kind, starts, commands, codes, values, ids, out):  # type: ignore[no-untyped-def]
    """The features of a layer; and in order of first use which keys and which values they name."""
    columns = codes.shape[0]
    key_at = np.full(columns, -1, np.int64)
    keys = np.empty(columns, np.int64)
    value_at = np.full(values, -1, np.int64)
    used = np.empty(values, np.int64)
    tags = np.empty(2 * columns + 1, np.int64)
    key_count, value_count, at, written = 0, 0, 0, 0
    for i in range(rows.shape[0]):
        g = rows[i]
        if kind[g] == 0:
            continue
        n, tag_size = 0, 0
        for c in range(columns):
            v = codes[c, g]
            if v < 0:
                continue
            if key_at[c] < 0:
                key_at[c] = key_count
                keys[key_count] = c
                key_count += 1
            if value_at[v] < 0:
                value_at[v] = value_count
                used[value_count] = v
                value_count += 1
            tags[n], tags[n + 1] = key_at[c], value_at[v]
            tag_size += _length(tags[n]) + _length(tags[n + 1])
            n += 2
        size = starts[g + 1] - starts[g]
        message = 2 + 1 + _length(size) + size  # type, geometry
        if n:
            message += 1 + _length(tag_size) + tag_size
        if ids.shape[0]:
            message += 1 + _length(ids[g])
        out[at] = (2 << 3) | 2  # Layer.features
        at = _varint(out, at + 1, message)
        if ids.shape[0]:
            out[at] = 1 << 3  # Feature.id
            at = _varint(out, at + 1, ids[g])
        if n:
            out[at] = (2 << 3) | 2  # Feature.tags
            at = _varint(out, at + 1, tag_size)
            for k in range(n):
                at = _varint(out, at, tags[k])
        out[at] = 3 << 3  # Feature.type
        out[at + 1] = kind[g]
        out[at + 2] = (4 << 3) | 2  # Feature.geometry
        at = _varint(out, at + 3, size)
        out[at : at + size] = commands[starts[g] : starts[g + 1]]
        at += size
        written += 1
    return at, written, keys[:key_count], used[:value_count]


@njit(cache=True, nogil=True)
def _values(used, first, data, out):  # type: ignore[no-untyped-def]
    at = 0
    for k in range(used.shape[0]):
        size = first[used[k] + 1] - first[used[k]]
        out[at] = (4 << 3) | 2  # Layer.values
        at = _varint(out, at + 1, size)
        out[at : at + size] = data[first[used[k]] : first[used[k] + 1]]
        at += size
    return at


def layer(
    name: str,
    drawn: Drawn,
    properties: tuple[Values, ...] = (),
    extent: int = 4096,
    rows: I64 | None = None,
    ids: I64 | None = None,
) -> bytes:
    """One layer of a tile, framed; a tile is its layers one after the other. Empty where no feature is left.

    Args:
        name: of the layer.
        drawn: the geometries.
        properties: what the features carry.
        extent: units along the side of the tile.
        rows: int64, only these features in this order; all where not given.
        ids: int64[n] ≥ 0, their numbers, unique within the layer.
    """
    rows = (
        np.arange(len(drawn.kind), dtype=np.int64) if rows is None else np.ascontiguousarray(rows, np.int64)
    )
    sizes = [len(values.first) - 1 for values in properties]
    base = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    codes = np.empty((len(properties), len(drawn.kind)), np.int64)
    for k, values in enumerate(properties):
        codes[k] = np.where(values.codes < 0, -1, values.codes + base[k])
    none = np.empty(0, np.int64)
    taken = int((drawn.first[rows + 1] - drawn.first[rows]).sum())
    out = np.empty(taken + len(rows) * (40 + 10 * len(properties)) + 64, np.uint8)
    size, written, keys, used = _features(
        rows, drawn.kind, drawn.first, drawn.data, codes, int(base[-1]), none if ids is None else ids, out
    )
    if not written:
        return b""
    lengths = np.cumsum([0, *(len(values.data) for values in properties)])
    first = np.concatenate([[0], *(values.first[1:] + lengths[k] for k, values in enumerate(properties))])
    data = np.concatenate([np.empty(0, np.uint8), *(values.data for values in properties)])
    packed = np.empty(len(data) + 7 * len(used) + 1, np.uint8)
    told = _values(used, first.astype(np.int64), data, packed)
    body = b"".join(
        (
            bytes([15 << 3, 2]),  # Layer.version
            _text(1, name),
            out[:size].tobytes(),
            *(_text(3, properties[k].key) for k in keys.tolist()),
            packed[:told].tobytes(),
            bytes([5 << 3]) + _bytes(extent),  # Layer.extent
        )
    )
    return bytes([(3 << 3) | 2]) + _bytes(len(body)) + body  # Tile.layers


def _bytes(value: int) -> bytes:
    out = np.empty(10, np.uint8)
    return out[: _varint(out, 0, value)].tobytes()


def _text(field: int, value: str) -> bytes:
    data = value.encode()
    return bytes([(field << 3) | 2]) + _bytes(len(data)) + data
