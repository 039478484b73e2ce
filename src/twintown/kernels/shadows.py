"""Shadows on a height field by one sweep away from the sun.

The shadow's height S runs along lines that leave the sun: S ← max(S − Δz, h), and a cell is lit where
h ≥ S − Δz [ratti2004]. Rows are the lines' cross-sections (`kernels/lines.py`): each cell lies on exactly one line and is
visited once a position, whatever the heights. The lateral error is at most half a cell, the error of a shadow's length at
most one cell along the ray: first order in the cell size (`validation/ground_order.py`).

Lines are laid by the rows of the whole grid, and a shadow ends where it has fallen below the ground. So a tile of a grid gives the
same bytes as the whole, when its block reaches as far as the tallest thing's longest shadow (:func:`halo_cells`): all that is
farther has S < 0 ≤ h when it comes to the tile, and S never mixes two heights.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.lines import Field, March, Tile, march
from twintown.kernels.lines import transpose_bytes as _transpose_u8
from twintown.kernels.scratch import Scratch
from twintown.kernels.spread import processors, spread

__all__ = ["Field", "Tile", "edit_counts", "halo_cells", "lit_counts", "lit_masks"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]

#: Positions that are swept side by side: their lines stay in the cache, and a row of heights is read once for all of them.
ABREAST = 8
NEVER = np.float32(-1.0e30)  # the shadow height of a line that no obstacle has met yet


def _reach(highest_m: float, drop_m: float) -> int:
    """Rows after which nothing of the height casts a shadow any more; 0.1 % for float32's steps, and two rows."""
    return math.ceil(1.001 * highest_m / drop_m) + 2


def halo_cells(highest_m: float, directions: F64, cell_m: float) -> int:
    """How far around a tile its shadows may come from, in cells: the tallest thing under the lowest sun."""
    return max((_reach(highest_m, march(d, cell_m).drop) for d in directions), default=0)


def _march(direction: F64, cell_m: float) -> March:
    found = march(direction, cell_m)
    if not found.drop > 0:
        raise ValueError("a sweep needs a sun above the horizon and off the zenith")
    return found


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
def _sweep(heights, row0, col0, tile, aheads, backward, slopes, drops, out, count):  # type: ignore[no-untyped-def]
    """Walk a block's lines that cross the tile, of several positions row by row, so that a row is read from memory once.

    ``tile`` = row0, row1, col0, col1 of the whole grid; ``aheads`` int64[n]: rows before the tile (and, as wide as these lead, columns
    beside it) from which a position's shadows come.
    """
    rows, cols = heights.shape
    r0, r1, c0, c1 = tile
    n = slopes.size
    starts, ends, sides = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    widest, farthest = 0, 0
    for p in range(n):
        low, high = math.floor(r0 * slopes[p] + 0.5), math.floor((r1 - 1) * slopes[p] + 0.5)
        starts[p], ends[p] = c0 - max(low, high), c1 - min(low, high)
        sides[p] = math.ceil(aheads[p] * abs(slopes[p])) + 1
        widest, farthest = max(widest, ends[p] - starts[p]), max(farthest, aheads[p])
    lines = np.full((n, widest), NEVER, np.float32)
    if backward:
        first, last, way = min(r1 - 1 + farthest, row0 + rows - 1), r0, -1
    else:
        first, last, way = max(r0 - farthest, row0), r1 - 1, 1
    for r in range(first, last + way, way):
        inside = r0 <= r < r1
        before = r - (r1 - 1) if backward else r0 - r
        h = heights[r - row0]
        for p in range(n):
            if before > aheads[p]:
                continue
            slope, fall = slopes[p], drops[p]
            k0, k1, line = starts[p], ends[p], lines[p]
            shift = math.floor(r * slope + 0.5)
            # west of the tile are lines still to come (or gone), east of it lines gone (or still to come)
            growing = slope * way > 0
            a = max(k0 + shift, c0 - sides[p]) if growing or not inside else c0
            b = min(k1 + shift, c1 + sides[p]) if not growing or not inside else c1
            a, b = max(a, col0), min(b, col0 + cols)
            if a >= b:
                continue
            if not inside:
                _line_row(h[a - col0 : b - col0], line[a - shift - k0 : b - shift - k0], fall)
                continue
            if a < c0:
                _line_row(h[a - col0 : c0 - col0], line[a - shift - k0 : c0 - shift - k0], fall)
            part = line[c0 - shift - k0 : c1 - shift - k0]
            if count:
                _count_row(h[c0 - col0 : c1 - col0], part, fall, out[r - r0])
            else:
                _mask_row(h[c0 - col0 : c1 - col0], part, fall, out[r - r0])
            if b > c1:
                _line_row(h[c1 - col0 : b - col0], line[c1 - shift - k0 : b - shift - k0], fall)


def _swept(field: Field, marches: list[March], tile: Tile, out: U8, count: bool) -> None:
    """Positions that cross the field the same way into ``out``, which is transposed where they run across."""
    across = marches[0].across
    t = tile.turned if across else tile
    heights = field.across if across else field.heights
    row0, col0 = (field.col0, field.row0) if across else (field.row0, field.col0)
    _sweep(
        heights, row0, col0, (t.row0, t.row1, t.col0, t.col1),
        np.array([_reach(field.highest, m.drop) for m in marches], np.int64), marches[0].backward,
        np.array([m.slope for m in marches]), np.array([m.drop for m in marches], np.float32), out, count,
    )  # fmt: skip


def _bundles(marches: list[March]) -> list[list[March]]:
    """Positions that cross a field the same way, `ABREAST` at a time."""
    ways: dict[tuple[bool, bool], list[March]] = {}
    for m in marches:
        ways.setdefault((m.across, m.backward), []).append(m)
    return [way[i : i + ABREAST] for way in ways.values() for i in range(0, len(way), ABREAST)]


def lit_masks(
    field: Field, directions: F64, threads: int = 0, out: U8 | None = None, tile: Tile | None = None
) -> U8:
    """Lit (1) or shaded (0) cells for each sun position, u1[n, rows, cols].

    ``directions`` float64[n, 3]: unit vectors towards the sun, grid east, grid north, up, each above the horizon.
    ``out``: an array of that shape to write into instead of a new one. ``tile``: only these cells of the field.
    Raises ValueError for a sun below the horizon. Method: [ratti2004], on skewed lines.
    """
    marches = [_march(d, field.cell_m) for d in directions]
    tile = tile or field.whole
    masks = np.empty((len(marches), *tile.shape), np.uint8) if out is None else out

    def work(index: int) -> None:
        m = marches[index]
        if m.across:
            turned = np.empty(tile.turned.shape, np.uint8)
            _swept(field, [m], tile, turned, False)
            _transpose_u8(turned, masks[index])
        else:
            _swept(field, [m], tile, masks[index], False)

    spread(work, len(marches), threads)
    return masks


def lit_counts(
    field: Field, directions: F64, threads: int = 0, tile: Tile | None = None, scratch: Scratch | None = None
) -> U8:
    """How many of the positions light each cell, u1[rows, cols]; at most 255 positions.

    ``directions`` and ``tile`` as in :func:`lit_masks`. ``scratch``: what is counted in; the answer is a part of it.
    """
    if len(directions) > 255:
        raise ValueError("at most 255 positions fit a u1 count")
    marches = [_march(d, field.cell_m) for d in directions]
    threads, tile, held = threads or processors(), tile or field.whole, scratch or Scratch()
    rooms = [
        (held.take(f"along {i}", tile.shape, np.uint8), held.take(f"turned {i}", tile.turned.shape, np.uint8))
        for i in range(threads)
    ]

    def work(index: int) -> tuple[U8, U8]:
        along, turned = rooms[index]
        along[:], turned[:] = 0, 0
        for bundle in _bundles(marches[index::threads]):
            _swept(field, bundle, tile, turned if bundle[0].across else along, True)
        return along, turned

    parts = spread(work, threads, threads)
    total = parts[0][0]
    turned = parts[0][1]
    for along, more in parts[1:]:
        total += along
        turned += more
    if any(m.across for m in marches):
        back = held.take("back", tile.shape, np.uint8)
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
    fall = np.float32(drop)
    if backward:
        first_j, last_j = rows - row0 - brows, rows - 1 - row0
    else:
        first_j, last_j = row0, row0 + brows - 1
    start_a = -math.floor(row0 * slope + 0.5)
    start_b = -math.floor((row0 + brows - 1) * slope + 0.5)
    k0 = min(start_a, start_b) + col0
    k1 = max(start_a, start_b) + col0 + bcols
    line0 = np.full(k1 - k0, NEVER, np.float32)
    line1 = np.full(k1 - k0, NEVER, np.float32)
    fresh = np.empty(k1 - k0, np.float32)
    for j in range(rows):
        r = rows - 1 - j if backward else j
        start = -math.floor(r * slope + 0.5)
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
