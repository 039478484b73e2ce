"""From what alike needs get together to what each need gets from which lot in which vehicle, exactly: every 10 grams once.

Two rows of amounts that add up to the same are laid beside each other and cut wherever one of them ends (the north-west corner rule,
dantzig1963, section 15-1). Done twice: needs beside what rides to them, and that beside the lots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .deliveries_model import Model
from .deliveries_read import Lots, Needs
from .deliveries_rows import Floats, Ints, sums
from .deliveries_solve import Solution

#: Amounts are shared out in steps of 10 g.
STEPS_KG = 100
#: Nothing smaller is delivered, kg, unless no more is needed.
CRUMB_KG = 0.05


@dataclass(frozen=True)
class Pieces:
    """One row a lot, a need and a trip. `need_kg`: of the need; `kg`: of the lot (another product may stand in)."""

    lot: Ints
    need: Ints
    service: Ints
    need_kg: Floats
    kg: Floats

    def __len__(self) -> int:
        return len(self.lot)


def beside(a_key: Ints, a: Ints, b_key: Ints, b: Ints) -> tuple[Ints, Ints, Ints]:
    """Cut two rows of amounts against each other, key by key; both sorted by key.

    Returns:
        Of each piece the row in a, the row in b, and the amount. What one side has more of a key is left.
    """
    keys = max(int(a_key.max(initial=-1)), int(b_key.max(initial=-1))) + 1
    a_sum, b_sum = sums(a_key, a, keys).astype(np.int64), sums(b_key, b, keys).astype(np.int64)
    top = np.maximum(a_sum, b_sum)
    start = np.cumsum(top) - top

    def ends(key: Ints, amount: Ints) -> Ints:
        run = np.cumsum(amount)
        first = np.searchsorted(key, np.arange(keys))
        before = np.r_[0, run][first]
        return np.asarray(run - before[key] + start[key])

    a_end, b_end = ends(a_key, a), ends(b_key, b)
    cuts = np.unique(np.concatenate([a_end, b_end, a_end - a, b_end - b]))
    low, high = cuts[:-1], cuts[1:]
    ia, ib = _holder(a_end, low), _holder(b_end, low)
    keep = (ia < len(a)) & (ib < len(b)) & (high > low)
    low, high, ia, ib = low[keep], high[keep], ia[keep], ib[keep]
    inside = (low >= (a_end - a)[ia]) & (low >= (b_end - b)[ib])
    return ia[inside], ib[inside], (high - low)[inside]


def _holder(ends: Ints, low: Ints) -> Ints:
    return np.asarray(np.searchsorted(ends, low, side="right"))


def pieces_of(model: Model, solution: Solution, needs: Needs, lots: Lots) -> Pieces:
    """Who gets what of which lot on which service; nothing of a lot twice, no need more than it asks."""
    f, cells = model.flows, model.cells
    driven = sums(model.runs.service, solution.y, len(model.runs.round)) > 0.5
    z = np.where(driven[f.service], np.floor(solution.z * STEPS_KG + 1e-4), 0).astype(np.int64)
    rows = np.lexsort((f.z_stream, f.service, f.cell))
    rows = rows[z[rows] > 0]
    mine = np.flatnonzero(cells.of >= 0)
    order = mine[np.lexsort((np.arange(len(mine)), cells.of[mine]))]
    asked = np.floor(needs.kg[order] * STEPS_KG + 1e-4).astype(np.int64)
    some = asked > 0
    order, asked = order[some], asked[some]
    i_need, i_z, amount = beside(cells.of[order], asked, f.cell[rows], z[rows])
    need, ride = order[i_need], rows[i_z]
    stream = f.z_stream[ride]
    by = np.lexsort((need, ride, stream))
    need, ride, amount, stream = need[by], ride[by], amount[by], stream[by]
    x = np.floor(solution.x * STEPS_KG + 1e-4).astype(np.int64)
    taken = np.lexsort((lots.last[f.lot], f.stream))
    taken = taken[x[taken] > 0]
    i_ride, i_x, amount = beside(stream, amount, f.stream[taken], x[taken])
    lot, kg = f.lot[taken[i_x]], amount / STEPS_KG
    whole = _merged(Pieces(lot, need[i_ride], f.service[ride[i_ride]], kg, kg * f.ratio[taken[i_x]]))
    keep = whole.need_kg >= np.minimum(CRUMB_KG, needs.kg[whole.need])
    return Pieces(whole.lot[keep], whole.need[keep], whole.service[keep], whole.need_kg[keep], whole.kg[keep])


def _merged(pieces: Pieces) -> Pieces:
    """One row a lot, need and service."""
    key = np.stack([pieces.need, pieces.lot, pieces.service], axis=1)
    rows, of = np.unique(key, axis=0, return_inverse=True)
    of = of.reshape(-1)
    return Pieces(
        rows[:, 1], rows[:, 0], rows[:, 2], np.round(sums(of, pieces.need_kg, len(rows)), 2),
        np.round(sums(of, pieces.kg, len(rows)), 4),
    )  # fmt: skip
