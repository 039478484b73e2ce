"""A large question taken apart: what a kg of each lot is worth is asked for as a price, and then each day decides alone.

The lots are all that ties the days together. Their limits are relaxed with a price for each (Lagrangian relaxation, fisher2004, section 2):
a wish then takes its cheapest lot, a round is worth the sum of what it brings, and which vehicle drives which round on a day is an
assignment problem, solved exactly (crouse2016). For any prices the sum of the days is a bound that no plan of these rounds can be below.
Prices come from a subgradient (fisher2004, equations 7 and 8) and then from the duals of the linear program that allots the lots to
the rounds that are driven; its value is the plan. A round is driven at most once a day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from .deliveries_allot import Allotment, allotted
from .deliveries_model import Model
from .deliveries_rows import Floats, Ints, sums
from .deliveries_solve import Solution

#: Steps of the subgradient after a plan that is not within the gap, and plans at most.
STEPS, PLANS = 150, 5
#: A run that is driven is given up for another only if that is worth so much more, KRW: prices leave many alike.
LOYAL_KRW = 50_000.0


@dataclass(frozen=True)
class Days:
    """What each day decides at some prices: the run of each round (-1: none), the bound, and how much each lot would give."""

    run: Ints
    krw: float
    used: Floats


class Apart:
    """The model in the order in which it is taken apart."""

    def __init__(self, model: Model, round_of_cell: Ints, rounds: int) -> None:
        f, runs = model.flows, model.runs
        self.model, self.rounds, self.round_of_cell = model, rounds, round_of_cell
        self.order = np.argsort(f.stream, kind="stable")
        self.lot, self.ratio, self.krw = f.lot[self.order], f.ratio[self.order], f.lot_krw[self.order]
        self.stream = f.stream[self.order]
        self.edge = np.searchsorted(self.stream, np.arange(len(f.stream_wish)))
        self.bits = np.unique(runs.groups)
        self.wishes = int(f.stream_wish.max()) + 1
        self.constant = float(model.cells.worth @ model.cells.kg)
        self.run_round, self.run_bits = (
            runs.round[runs.service],
            np.searchsorted(self.bits, runs.groups[runs.service]),
        )
        self.pools = _pools(model, self.run_round)

    def prices(self, price: Floats) -> tuple[Floats, Floats]:
        """Of each x what a kg costs with its lot's price, and of each stream the least of its x."""
        each = self.krw + self.ratio * price[self.lot]
        return each, np.minimum.reduceat(each, self.edge)

    def worths(self, price: Floats) -> tuple[Floats, list[tuple[Floats, Floats]], Floats, Floats]:
        """Of each run what it brings beyond its own cost; of each set of groups the least price of a wish and the rent of a cell."""
        f, cells = self.model.flows, self.model.cells
        each, least = self.prices(price)
        worth = np.zeros((len(self.bits), self.rounds))
        rents = []
        for n, bits in enumerate(self.bits.tolist()):
            best = np.full(self.wishes, np.inf)
            mine = np.flatnonzero((bits >> f.stream_group) & 1 == 1)
            np.minimum.at(best, f.stream_wish[mine], least[mine])
            rent = np.maximum(cells.worth - best[cells.wish], 0.0)
            rents.append((best, rent))
            worth[n] = sums(self.round_of_cell, rent * cells.kg, self.rounds)
        return worth[self.run_bits, self.run_round] - self.model.run_krw, rents, each, least

    def days(self, price: Floats, loyal: Ints | None = None) -> Days:
        """What each day decides at these prices of lots; `loyal`: runs that are given up only for what is clearly better."""
        value, rents, each, least = self.worths(price)
        if loyal is not None:
            value[loyal] += LOYAL_KRW
        run, total = _assigned(self.pools, value, self.rounds)
        return Days(
            run, self.constant - float(price @ self.model.lot_kg) - total, self._used(run, rents, each, least)
        )

    def free(self, price: Floats) -> float:
        """What no plan can be below, whatever its routes: as if every lot were everywhere for nothing."""
        f, cells = self.model.flows, self.model.cells
        best = np.full(self.wishes, np.inf)
        np.minimum.at(best, f.stream_wish, self.prices(price)[1])
        rent = np.maximum(cells.worth - best[cells.wish], 0.0)
        return self.constant - float(price @ self.model.lot_kg) - float(rent @ cells.kg)

    def fullest(self, price: Floats) -> Ints:
        """Of each round a run that collects from as many groups as can be: the lots then tell which of them is worth it."""
        value = self.worths(price)[0]
        groups = np.array([int(bits).bit_count() for bits in self.bits])[self.run_bits]
        return _assigned(self.pools, value, self.rounds, first=1e9 * groups - self.model.run_krw)[0]

    def trimmed(self, made: Allotment) -> Allotment:
        """The same allotment with the cheapest runs that carry it."""
        f, runs = self.model.flows, self.model.runs
        carries = made.z > 1e-6
        need = np.zeros(self.rounds, np.int64)
        np.bitwise_or.at(need, self.round_of_cell[f.cell[carries]], 1 << f.stream_group[f.z_stream[carries]])
        bits = self.bits[self.run_bits]
        covers = (bits & need[self.run_round]) == need[self.run_round]
        value = np.where(covers & (need[self.run_round] > 0), 1e12 - self.model.run_krw, -1.0)
        run, _ = _assigned(self.pools, value, self.rounds)
        if (run[need > 0] < 0).any():
            return made
        y = np.zeros(len(runs.kind))
        y[run[run >= 0]] = 1.0
        saved = float(self.model.run_krw @ (made.y - y))
        z = _moved(
            made.z,
            f.cell,
            f.z_stream,
            f.service,
            np.where(run >= 0, runs.service[run], -1)[self.round_of_cell[f.cell]],
        )
        return replace(made, y=y, z=z, krw=made.krw - saved) if saved > 0 else made

    def raised(self, price: Floats, bound: float, upper: float, ends: float) -> tuple[Floats, float]:
        """Prices with a higher bound, by steps along the subgradient (fisher2004, equations 7 and 8)."""
        at, scale, kg = price, 1.0, self.model.lot_kg
        for step in range(STEPS):
            days = self.days(price)
            if days.krw > bound:
                bound, at = days.krw, price
            elif step % 10 == 9:
                scale, price = 0.5 * scale, at
            slope = days.used - kg
            slope = np.where((price <= 0) & (slope < 0), 0.0, slope)
            size = float(slope @ slope)
            if size < 1e-9 or monotonic() > ends:
                break
            price = np.maximum(price + scale * (upper - days.krw) / size * slope, 0.0)
        return at, bound

    def _used(self, run: Ints, rents: list[tuple[Floats, Floats]], each: Floats, least: Floats) -> Floats:
        f, cells = self.model.flows, self.model.cells
        used = np.zeros(len(self.model.lot_kg))
        first = np.flatnonzero(each <= least[self.stream])
        _, at = np.unique(self.stream[first], return_index=True)
        pick = first[at]  # of each stream its cheapest x
        chosen = np.where(run >= 0, self.run_bits[run], -1)[self.round_of_cell]
        for n, (best, rent) in enumerate(rents):
            take = (chosen == n) & (rent > 0)
            wanted = sums(cells.wish[take], cells.kg[take], self.wishes)
            mine = np.flatnonzero(
                ((int(self.bits[n]) >> f.stream_group) & 1 == 1) & (least <= best[f.stream_wish])
            )
            _, at = np.unique(f.stream_wish[mine], return_index=True)
            x = pick[mine[at]]
            np.add.at(used, self.lot[x], self.ratio[x] * wanted[f.stream_wish[mine[at]]])
        return used


def _moved(z: Floats, cell: Ints, stream: Ints, service: Ints, to: Ints) -> Floats:
    """The same amounts of each cell and stream, on the services `to`."""
    key = np.stack([cell, stream], axis=1)
    _, of = np.unique(key, axis=0, return_inverse=True)
    of = of.reshape(-1)
    total = np.bincount(of, z)
    out = np.zeros(len(z))
    there = service == to
    out[there] = total[of[there]]
    return out


@dataclass(frozen=True)
class _Pool:
    """One day: its rounds, and of each round and kind of vehicle the runs."""

    rounds: Ints
    run: Ints
    row: Ints
    kind: Ints
    counts: Ints


def _pools(model: Model, run_round: Ints) -> list[_Pool]:
    kinds = int(model.runs.kind.max()) + 1
    day = model.run_day
    found = []
    for one in np.unique(day).tolist():
        run = np.flatnonzero(day == one)
        rounds, row = np.unique(run_round[run], return_inverse=True)
        counts = np.zeros(kinds, np.int64)
        counts[model.runs.kind[run]] = model.pool_count[model.run_pool[run]]
        found.append(_Pool(rounds, run, row.reshape(-1), model.runs.kind[run], counts))
    return found


def _assigned(
    pools: list[_Pool], value: Floats, rounds: int, first: Floats | None = None
) -> tuple[Ints, float]:
    """The runs that are worth most together; `first`: by what the run of a round and kind is chosen, where not by its worth."""
    from scipy.optimize import linear_sum_assignment

    chosen, total = np.full(rounds, -1, np.int64), 0.0
    rank = value if first is None else first
    for one in pools:
        kinds = len(one.counts)
        best = np.full((len(one.rounds), kinds), -np.inf)
        pick = np.full(best.shape, -1, np.int64)
        order = np.lexsort((-one.run, rank[one.run]))  # the last one written is the best
        best[one.row[order], one.kind[order]] = value[one.run[order]]
        pick[one.row[order], one.kind[order]] = one.run[order]
        best = np.maximum(best, 0.0)
        slots = np.repeat(np.arange(kinds), np.minimum(one.counts, len(one.rounds)))
        rows, columns = linear_sum_assignment(best[:, slots], maximize=True)
        won = best[rows, slots[columns]]
        total += float(won.sum())
        taken = won > 0
        chosen[one.rounds[rows[taken]]] = pick[rows[taken], slots[columns[taken]]]
    return chosen, total


def once(model: Model, rounds: int) -> tuple[Model, Ints]:
    """The model in which each round is driven by a vehicle that takes all of it, and the rows of its runs.

    Where no vehicle takes all (one need heavier than any), as much of each cell is asked for as the largest takes.
    """
    runs = model.runs
    of = runs.round[runs.service]
    share = np.minimum(model.run_kg / np.maximum(model.run_load, 1e-9), 1.0)
    most = np.zeros(rounds)
    np.maximum.at(most, of, share)
    keep = share >= most[of] - 1e-9
    runs = replace(
        runs,
        **{
            n: getattr(runs, n)[keep]
            for n in ("service", "kind", "collection", "krw", "kg_co2", "hours", "km")
        },
    )
    parts = {
        n: getattr(model, n)[keep]
        for n in ("run_krw", "run_kg", "run_load", "run_pool", "run_most", "run_day")
    }
    cells = replace(model.cells, kg=model.cells.kg * most[model.cells.atom])
    return replace(model, runs=runs, cells=cells, **parts), np.flatnonzero(keep)


def solved_apart(
    model: Model,
    round_of_cell: Ints,
    rounds: int,
    gap: float,
    seconds: float,
    progress: Callable[[str, float], None],
) -> Solution:
    """A plan within the gap, or the best after `PLANS` of them or when the time is over."""
    ends = monotonic() + seconds
    apart = Apart(model, round_of_cell, rounds)
    price = np.zeros(len(model.lot_kg))
    run = apart.fullest(price)
    best: Allotment | None = None
    bound, status = -np.inf, "stopped after as many plans as are tried"
    for turn in range(PLANS):
        made = apart.trimmed(allotted(apart, run))
        if best is None or made.krw < best.krw:
            best = made
        days = apart.days(made.price)
        if days.krw > bound:
            bound, price = days.krw, made.price
        progress(
            f"plan {turn + 1}: within {100 * (best.krw - bound) / max(best.krw, 1.0):.2f} %",
            0.4 + 0.08 * turn,
        )
        if best.krw - bound <= gap * best.krw:
            status = "within the gap"
            break
        if monotonic() > ends:
            status = "stopped by the time limit"
            break
        price, bound = apart.raised(price, bound, best.krw, ends)
        if best.krw - bound <= gap * best.krw:
            status = "within the gap"
            break
        run = apart.days(price, loyal=np.flatnonzero(best.y > 0.5)).run
    assert best is not None
    return Solution(best.x, best.z, best.y, best.krw, min(bound, best.krw), status, apart.free(best.price))
