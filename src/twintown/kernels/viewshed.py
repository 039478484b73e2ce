"""What one eye sees of a height field, and how much of one tower each cell sees.

Rays leave the eye for points evenly spaced round the border, as in R2 [franklin1994]; each cell takes what the ray nearest to its
middle knows. Cells are blocks with flat tops: a ray's horizon rises at the edge where it enters a block and at the edge where it
leaves it, so along the ray nothing is interpolated. What is left is that a ray misses the middle of its cell by up to half a cell
over ``rays`` at the border, less the nearer the cell (`validation/view_exact.py`). The earth falls away by d²·(1 − k)/(2·R).
Only + − × ÷ in a fixed order, and whole numbers decide which ray a cell takes: the same bytes on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from twintown.kernels.spread import processors, spread

__all__ = ["EARTH_M", "UNKNOWN", "needed_heights", "tower_metres"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

EARTH_M = 6_371_000.0
UNKNOWN = np.float32(-1.0)  # beyond the range
_LOWEST = -1.0e30


@njit(cache=True, nogil=True)
def _quadrant(shape, row, col, side):  # type: ignore[no-untyped-def]
    """How one of four quadrants lies: cells to its border, cells to its left and right, and its axes as rows and columns a step."""
    rows, cols = shape
    if side == 0:  # north: ahead is up, right is east
        return row, col, cols - 1 - col, -1, 0, 0, 1
    if side == 1:  # south
        return rows - 1 - row, col, cols - 1 - col, 1, 0, 0, 1
    if side == 2:  # west: right is south
        return col, row, rows - 1 - row, 0, -1, 1, 0
    return cols - 1 - col, row, rows - 1 - row, 0, 1, 1, 0


@njit(cache=True, nogil=True)
def _needed(h, row, col, eye, fall, span, side, k0, k1, fan, out):  # type: ignore[no-untyped-def]
    """Rays k0 … k1 of one quadrant; ``fan`` rays lie between the middle and the diagonal."""
    ahead, left, right, ar, ac, br, bc = _quadrant(h.shape, row, col, side)
    last = min(ahead, int(span))
    span2 = span * span
    z0 = eye
    own = float(h[row, col]) - z0
    for k in range(k0, k1):
        m = k / fan
        q = fall * (1.0 + m * m)
        one = 1 if k > 0 else -1
        inverse = float(fan) / abs(k) if k != 0 else 1e30
        n = 0
        cross = 0.5 * inverse  # where the ray passes into the next column
        horizon = 2.0 * own
        if k != 0 and cross < 0.5:
            horizon = own / cross
        for j in range(1, last + 1):
            low = j - 0.5
            high = j + 0.5
            if cross <= low:
                n += one
                cross = (abs(n) + 0.5) * inverse
            # the cell whose middle is nearest at j, and whether this ray is the nearest to it
            at = (2 * k * j + fan) // (2 * fan)
            off = 2 * (at * fan - k * j)
            mine = -j < off <= j and (abs(at) < j or (side < 2 and abs(at) == j))
            begin = low
            if n < -left or n > right:
                break
            while True:
                end = high if cross >= high else cross
                z = float(h[row + ar * j + br * n, col + ac * j + bc * n]) - z0
                over = z - q * begin * begin
                if over > horizon * begin:
                    horizon = over / begin
                if mine and n == at and j * j + n * n <= span2:
                    need = horizon * j - (z - q * j * j)
                    out[row + ar * j + br * n, col + ac * j + bc * n] = need if need > 0.0 else 0.0
                over = z - q * end * end
                if over > horizon * end:
                    horizon = over / end
                if cross >= high:
                    break
                begin = cross
                n += one
                cross = (abs(n) + 0.5) * inverse
                if n < -left or n > right:
                    break
            if n < -left or n > right:
                break


def _fan(shape: tuple[int, int], row: int, col: int, span: float, rays: int) -> int:
    reach = max(row, col, shape[0] - 1 - row, shape[1] - 1 - col)
    return max(1, int(rays * min(reach, int(span) + 1)))


def _check(heights: F32, row: int, col: int, rays: int) -> F32:
    if not (0 <= row < heights.shape[0] and 0 <= col < heights.shape[1]):
        raise ValueError(f"the eye at row {row}, column {col} is outside a field of {heights.shape}")
    if rays < 1:
        raise ValueError("at least one ray for each cell of the border")
    return np.ascontiguousarray(heights, np.float32)


def _slope_fall(cell_m: float, refraction: float, curved: bool) -> float:
    """Metres that the earth falls away at one cell's distance."""
    return cell_m * cell_m * (1.0 - refraction) / (2.0 * EARTH_M) if curved else 0.0


def needed_heights(
    heights: F32, cell_m: float, row: int, col: int, eye_m: float, *, range_m: float = np.inf, curved: bool = True,
    refraction: float = 0.13, rays: int = 2, threads: int = 0,
) -> F32:  # fmt: skip
    """How high something must stand on each cell for its top to be seen from one, float32[rows, cols], metres; 0: the surface is seen.

    ``heights`` float32[rows, cols]: tops of the cells above one level, metres, row 0 north; ``cell_m``; ``row``, ``col``: the eye's
    cell, over whose middle it stands ``eye_m`` above the top; ``range_m``: cells farther than that (middle to middle) get `UNKNOWN`;
    ``curved``: whether the earth falls away, reduced by ``refraction`` (0.13: the mean coefficient in surveying); ``rays``: rays for
    each cell of the border. A tower of t metres is seen where the answer is ≤ t, and max(0, t − answer) metres of it are.
    Source: [franklin1994].
    """
    heights = _check(heights, row, col, rays)
    out = np.full(heights.shape, UNKNOWN, np.float32)
    out[row, col] = 0.0
    span = min(range_m / cell_m, float(sum(heights.shape)))
    fan = _fan((heights.shape[0], heights.shape[1]), row, col, span, rays)
    fall = _slope_fall(cell_m, refraction, curved)
    threads = threads or processors()
    pieces = 4 * threads
    eye = float(heights[row, col]) + eye_m

    def work(index: int) -> None:
        side, piece = divmod(index, pieces)
        k0 = -fan + (2 * fan + 1) * piece // pieces
        k1 = -fan + (2 * fan + 1) * (piece + 1) // pieces
        _needed(heights, row, col, eye, fall, span, side, k0, k1, fan, out)

    spread(work, 4 * pieces, threads)
    return out


@njit(cache=True, nogil=True)
def _tower(h, row, col, base, top, eye, fall, span, side, k0, k1, fan, out):  # type: ignore[no-untyped-def]
    ahead, left, right, ar, ac, br, bc = _quadrant(h.shape, row, col, side)
    last = min(ahead, int(span))
    span2 = span * span
    # the upper hull of what stands between tower and eye: distances and heights, in a stack
    at_d = np.empty(4 * last + 8, np.float64)
    at_z = np.empty(4 * last + 8, np.float64)
    for k in range(k0, k1):
        m = k / fan
        q = fall * (1.0 + m * m)
        one = 1 if k > 0 else -1
        inverse = float(fan) / abs(k) if k != 0 else 1e30
        n = 0
        cross = 0.5 * inverse
        count = 0
        for j in range(1, last + 1):
            low = j - 0.5
            high = j + 0.5
            if cross <= low:
                n += one
                cross = (abs(n) + 0.5) * inverse
            at = (2 * k * j + fan) // (2 * fan)
            off = 2 * (at * fan - k * j)
            mine = -j < off <= j and (abs(at) < j or (side < 2 and abs(at) == j))
            begin = low
            if n < -left or n > right:
                break
            while True:
                end = high if cross >= high else cross
                ground = float(h[row + ar * j + br * n, col + ac * j + bc * n])
                for half in range(2):
                    d = begin if half == 0 else end
                    z = ground - q * d * d
                    while count >= 2 and (at_z[count - 1] - at_z[count - 2]) * (d - at_d[count - 2]) <= (
                        z - at_z[count - 2]
                    ) * (at_d[count - 1] - at_d[count - 2]):
                        count -= 1
                    at_d[count] = d
                    at_z[count] = z
                    count += 1
                    if half == 0 and mine and n == at and j * j + n * n <= span2:
                        ze = ground + eye - q * j * j
                        hidden = _LOWEST
                        for i in range(count - 1, -1, -1):
                            reach = ze + (at_z[i] - ze) * j / (j - at_d[i])
                            if reach < hidden:
                                break
                            hidden = reach
                        foot = base if base > hidden else hidden
                        out[row + ar * j + br * n, col + ac * j + bc * n] = top - foot if top > foot else 0.0
                if cross >= high:
                    break
                begin = cross
                n += one
                cross = (abs(n) + 0.5) * inverse
                if n < -left or n > right:
                    break
            if n < -left or n > right:
                break


def tower_metres(
    heights: F32, cell_m: float, row: int, col: int, base_m: float, top_m: float, eye_m: float, *, range_m: float = np.inf,
    curved: bool = True, refraction: float = 0.13, rays: int = 2, threads: int = 0,
) -> F32:  # fmt: skip
    """How many metres of an upright line are seen from over each cell, float32[rows, cols]; `UNKNOWN` beyond the range.

    The line stands over the middle of a cell from ``base_m`` to ``top_m`` above the level of ``heights``, which must be without the
    thing itself (its cells at the ground); eyes are ``eye_m`` above each cell's top. The others as in `needed_heights`. One sweep for
    all eyes: along a ray from the line outwards the upper hull of what stands between is kept [graham1972], and the tangent from an
    eye to it, drawn on to the line, is where the line comes out of hiding.
    """
    heights = _check(heights, row, col, rays)
    out = np.full(heights.shape, UNKNOWN, np.float32)
    out[row, col] = max(0.0, top_m - max(base_m, float(heights[row, col])))
    span = min(range_m / cell_m, float(sum(heights.shape)))
    fan = _fan((heights.shape[0], heights.shape[1]), row, col, span, rays)
    fall = _slope_fall(cell_m, refraction, curved)
    threads = threads or processors()
    pieces = 4 * threads

    def work(index: int) -> None:
        side, piece = divmod(index, pieces)
        k0 = -fan + (2 * fan + 1) * piece // pieces
        k1 = -fan + (2 * fan + 1) * (piece + 1) // pieces
        _tower(heights, row, col, base_m, top_m, eye_m, fall, span, side, k0, k1, fan, out)

    spread(work, 4 * pieces, threads)
    return out
