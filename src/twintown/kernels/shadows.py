"""Shadows on a height field by one sweep away from the sun.

The shadow's height S runs along lines that leave the sun: S ← max(S − Δz, h), and a cell is lit where
h ≥ S − Δz [ratti2004]. Rows are the lines' cross-sections: step j lies j rows from the sunward edge and its
columns are shifted by round(j·slope), |slope| ≤ 1, so that each cell lies on exactly one line and is visited
once a position, whatever the heights. Where the sun stands nearer east or west the same sweep runs over the
transposed field. The lateral error is at most half a cell, the error of a shadow's length at most one cell
along the ray: first order in the cell size (`validation/ground_order.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.spread import processors, spread

__all__ = ["Field", "edit_counts", "lit_counts", "lit_masks"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]

NEVER = np.float32(-1.0e30)  # the shadow height of a line that no obstacle has met yet


@dataclass(frozen=True)
class Field:
    """A height field ready to be swept.

    ``heights`` float32[rows, cols], metres ≥ 0 above the ground, row 0 north, column 0 west;
    ``across`` the same transposed, contiguous; ``cell_m`` the cell size in metres.
    """

    heights: F32
    across: F32
    cell_m: float

    @classmethod
    def of(cls, heights: F32, cell_m: float) -> Field:
        """Field over ``heights`` float32[rows, cols] in metres."""
        heights = np.ascontiguousarray(heights, dtype=np.float32)
        across = np.empty(heights.shape[::-1], np.float32)
        _transpose(heights, across)
        return cls(heights, across, cell_m)


@dataclass(frozen=True)
class _March:
    """How one sun position crosses the rows of the field (or of its transpose)."""

    across: bool
    backward: bool  # from the last row to the first
    slope: float  # columns a row, away from the sun
    drop: float  # metres a row


def _march(direction: F64, cell_m: float) -> _March:
    east, north, up = (float(v) for v in direction)
    flat = math.hypot(east, north)
    rows, cols = -north, east  # towards the sun, in rows (southward) and columns (eastward)
    across = abs(cols) > abs(rows)
    if across:
        rows, cols = cols, rows
    if flat < 1e-9 or up <= 0:
        raise ValueError("a sweep needs a sun above the horizon and off the zenith")
    return _March(across, rows > 0, -cols / abs(rows), cell_m * up / abs(rows))


@njit(cache=True, nogil=True)
def _transpose(a, out):  # type: ignore[no-untyped-def]
    rows, cols = a.shape
    for r0 in range(0, rows, 32):
        r1 = min(rows, r0 + 32)
        for c0 in range(0, cols, 32):
            for c in range(c0, min(cols, c0 + 32)):
                for r in range(r0, r1):
                    out[c, r] = a[r, c]


@njit(cache=True, nogil=True)
def _transpose_u8(a, out):  # type: ignore[no-untyped-def]
    """Transpose bytes, 8 × 8 at a time in eight words (Warren, Hacker's Delight, 7-3) [warren2012]."""
    rows, cols = a.shape
    rows8, cols8 = rows // 8 * 8, cols // 8 * 8
    m1 = np.uint64(0x00FF00FF00FF00FF)
    m2 = np.uint64(0x0000FFFF0000FFFF)
    m4 = np.uint64(0x00000000FFFFFFFF)
    s1, s2, s4 = np.uint64(8), np.uint64(16), np.uint64(32)
    w = np.empty(8, np.uint64)
    wb = w.view(np.uint8)
    for r0 in range(0, rows8, 8):
        for c0 in range(0, cols8, 8):
            for i in range(8):
                for k in range(8):
                    wb[8 * i + k] = a[r0 + i, c0 + k]
            for i in range(0, 8, 2):
                t = ((w[i] >> s1) ^ w[i + 1]) & m1
                w[i + 1] ^= t
                w[i] ^= t << s1
            for i in (0, 1, 4, 5):
                t = ((w[i] >> s2) ^ w[i + 2]) & m2
                w[i + 2] ^= t
                w[i] ^= t << s2
            for i in range(4):
                t = ((w[i] >> s4) ^ w[i + 4]) & m4
                w[i + 4] ^= t
                w[i] ^= t << s4
            for i in range(8):
                for k in range(8):
                    out[c0 + i, r0 + k] = wb[8 * i + k]
    for r in range(rows8, rows):
        for c in range(cols):
            out[c, r] = a[r, c]
    for r in range(rows8):
        for c in range(cols8, cols):
            out[c, r] = a[r, c]


@njit(cache=True, nogil=True)
def _mask_row(h, line, drop, out):  # type: ignore[no-untyped-def]
    for c in range(h.size):
        s = line[c] - drop
        v = h[c]
        line[c] = s if s > v else v
        out[c] = np.uint8(v >= s)


@njit(cache=True, nogil=True)
def _count_row(h, line, drop, out):  # type: ignore[no-untyped-def]
    for c in range(h.size):
        s = line[c] - drop
        v = h[c]
        line[c] = s if s > v else v
        out[c] = np.uint8(out[c] + np.uint8(v >= s))


@njit(cache=True, nogil=True)
def _sweep(heights, backward, slope, drop, out, count):  # type: ignore[no-untyped-def]
    rows, cols = heights.shape
    reach = math.floor((rows - 1) * abs(slope) + 0.5) + 1
    line = np.full(cols + reach + 1, NEVER, np.float32)
    last = reach if slope > 0 else 0
    fall = np.float32(drop)
    for j in range(rows):
        r = rows - 1 - j if backward else j
        start = last - math.floor(j * slope + 0.5)
        part = line[start : start + cols]
        if count:
            _count_row(heights[r], part, fall, out[r])
        else:
            _mask_row(heights[r], part, fall, out[r])


def lit_masks(field: Field, directions: F64, threads: int = 0, out: U8 | None = None) -> U8:
    """Lit (1) or shaded (0) cells for each sun position, u1[n, rows, cols].

    ``directions`` float64[n, 3]: unit vectors towards the sun, grid east, grid north, up, each above the horizon.
    ``out``: an array of that shape to write into instead of a new one.
    Raises ValueError for a sun below the horizon. Method: [ratti2004], on skewed lines.
    """
    marches = [_march(d, field.cell_m) for d in directions]
    masks = np.empty((len(marches), *field.heights.shape), np.uint8) if out is None else out

    def work(index: int) -> None:
        m = marches[index]
        if m.across:
            turned = np.empty(field.across.shape, np.uint8)
            _sweep(field.across, m.backward, m.slope, m.drop, turned, False)
            _transpose_u8(turned, masks[index])
        else:
            _sweep(field.heights, m.backward, m.slope, m.drop, masks[index], False)

    spread(work, len(marches), threads)
    return masks


def lit_counts(field: Field, directions: F64, threads: int = 0) -> U8:
    """How many of the positions light each cell, u1[rows, cols]; at most 255 positions.

    ``directions`` as in :func:`lit_masks`.
    """
    if len(directions) > 255:
        raise ValueError("at most 255 positions fit a u1 count")
    marches = [_march(d, field.cell_m) for d in directions]
    threads = threads or processors()

    def work(index: int) -> tuple[U8, U8]:
        along, turned = np.zeros(field.heights.shape, np.uint8), np.zeros(field.across.shape, np.uint8)
        for m in marches[index::threads]:
            heights, out = (field.across, turned) if m.across else (field.heights, along)
            _sweep(heights, m.backward, m.slope, m.drop, out, True)
        return along, turned

    parts = spread(work, threads, threads)
    total = parts[0][0]
    turned = parts[0][1]
    for along, more in parts[1:]:
        total += along
        turned += more
    if any(m.across for m in marches):
        back = np.empty_like(total)
        _transpose_u8(turned, back)
        total += back
    return total


@njit(cache=True, nogil=True)
def _edit_row(h0, h1, line0, line1, drop, delta):  # type: ignore[no-untyped-def]
    for c in range(h0.size):
        s0 = line0[c] - drop
        s1 = line1[c] - drop
        v0 = h0[c]
        v1 = h1[c]
        line0[c] = s0 if s0 > v0 else v0
        line1[c] = s1 if s1 > v1 else v1
        delta[c] = np.int8(delta[c] + np.int8(v1 >= s1) - np.int8(v0 >= s0))


@njit(cache=True, nogil=True)
def _line_row(h, line, drop):  # type: ignore[no-untyped-def]
    for c in range(h.size):
        s = line[c] - drop
        v = h[c]
        line[c] = s if s > v else v


@njit(cache=True, nogil=True)
def _differ(a, b):  # type: ignore[no-untyped-def]
    n = np.int64(0)
    for c in range(a.size):
        n += np.int64(a[c] != b[c])
    return n > 0


@njit(cache=True, nogil=True)
def _edit_sweep(heights, row0, col0, box, backward, slope, drop, delta, touched):  # type: ignore[no-untyped-def]
    """Sweep only the lines that cross the box, with the old and the new heights side by side.

    ``delta`` int8[rows, cols] gains lit(new) − lit(old); ``touched`` int64[4] = row0, row1, col0, col1 is widened.
    """
    rows, cols = heights.shape
    brows, bcols = box.shape
    reach = math.floor((rows - 1) * abs(slope) + 0.5) + 1
    last = reach if slope > 0 else 0
    fall = np.float32(drop)
    if backward:
        first_j, last_j = rows - row0 - brows, rows - 1 - row0
    else:
        first_j, last_j = row0, row0 + brows - 1
    start_a = last - math.floor(first_j * slope + 0.5)
    start_b = last - math.floor(last_j * slope + 0.5)
    k0 = min(start_a, start_b) + col0
    k1 = max(start_a, start_b) + col0 + bcols
    line0 = np.full(k1 - k0, NEVER, np.float32)
    line1 = np.full(k1 - k0, NEVER, np.float32)
    fresh = np.empty(k1 - k0, np.float32)
    for j in range(rows):
        r = rows - 1 - j if backward else j
        start = last - math.floor(j * slope + 0.5)
        c0 = max(0, k0 - start)
        c1 = min(cols, k1 - start)
        if c1 <= c0:
            if j > last_j:
                break
            continue
        p0 = c0 + start - k0
        p1 = c1 + start - k0
        old = heights[r, c0:c1]
        if j < first_j:
            _line_row(old, line0[p0:p1], fall)
            continue
        if j == first_j:
            line1[:] = line0
        if j <= last_j:
            new = fresh[: c1 - c0]
            new[:] = old
            for c in range(max(c0, col0), min(c1, col0 + bcols)):
                new[c - c0] = box[r - row0, c - col0]
            _edit_row(old, new, line0[p0:p1], line1[p0:p1], fall, delta[r, c0:c1])
        else:
            if not _differ(line0[p0:p1], line1[p0:p1]):
                break
            _edit_row(old, old, line0[p0:p1], line1[p0:p1], fall, delta[r, c0:c1])
        touched[0] = min(touched[0], r)
        touched[1] = max(touched[1], r + 1)
        touched[2] = min(touched[2], c0)
        touched[3] = max(touched[3], c1)


@njit(cache=True, nogil=True)
def _add_turned(total, turned, r0, r1, c0, c1):  # type: ignore[no-untyped-def]
    for a0 in range(r0, r1, 32):
        for b0 in range(c0, c1, 32):
            for r in range(a0, min(r1, a0 + 32)):
                for c in range(b0, min(c1, b0 + 32)):
                    total[r, c] += turned[c, r]


def edit_counts(
    field: Field, row0: int, col0: int, box: F32, directions: F64, threads: int = 0
) -> tuple[I8, tuple[int, int, int, int]]:
    """How an edit changes the counts of :func:`lit_counts`, exactly as two full sweeps would.

    ``box`` float32[r, c]: the new heights of the cells from (``row0``, ``col0``); everything else stays.
    Answers the change int8[wr, wc] within a window and the window (row0, col0, rows, cols) that holds every
    change. At most 127 positions, so that a change fits.
    """
    if len(directions) > 127:
        raise ValueError("at most 127 positions fit an i1 change")
    marches = [_march(d, field.cell_m) for d in directions]
    threads = threads or processors()
    turned_box = np.ascontiguousarray(box.T)
    # A line is as costly as it is wide and long: deal the positions out one by one, not in two halves of the day.

    def work(index: int) -> tuple[I8, I8, I64, I64]:
        along, turned = np.zeros(field.heights.shape, np.int8), np.zeros(field.across.shape, np.int8)
        seen = np.array([[1 << 40, 0, 1 << 40, 0]] * 2, np.int64)
        for m in marches[index::threads]:
            if m.across:
                _edit_sweep(
                    field.across, col0, row0, turned_box, m.backward, m.slope, m.drop, turned, seen[1]
                )
            else:
                _edit_sweep(field.heights, row0, col0, box, m.backward, m.slope, m.drop, along, seen[0])
        return along, turned, seen[0], seen[1]

    parts = spread(work, threads, threads)
    along_seen = np.stack([p[2] for p in parts])
    turned_seen = np.stack([p[3] for p in parts])[:, [2, 3, 0, 1]]
    boxes = np.concatenate([along_seen, turned_seen])
    boxes = boxes[boxes[:, 1] > boxes[:, 0]]
    if not len(boxes):
        return np.zeros((0, 0), np.int8), (row0, col0, 0, 0)
    r0, r1 = int(boxes[:, 0].min()), int(boxes[:, 1].max())
    c0, c1 = int(boxes[:, 2].min()), int(boxes[:, 3].max())
    total = parts[0][0]

    def gather(index: int) -> None:
        a, b = r0 + (r1 - r0) * index // threads, r0 + (r1 - r0) * (index + 1) // threads
        for along, _, _, _ in parts[1:]:
            total[a:b, c0:c1] += along[a:b, c0:c1]
        for _, turned, _, seen in parts:
            if seen[1] > seen[0]:
                _add_turned(
                    total, turned, max(a, int(seen[2])), min(b, int(seen[3])), int(seen[0]), int(seen[1])
                )

    spread(gather, threads, threads)
    return total[r0:r1, c0:c1], (r0, c0, r1 - r0, c1 - c0)
