"""One question laid out: the rounds of each day, and the model that decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .deliveries_model import Cells, Model, flows_of, model_of
from .deliveries_rounds import Drops, Rounds, drops_of
from .deliveries_rows import Floats, Ints, numbered, sums
from .deliveries_runs import Runs, rounds_of, runs_of, services_of_drops
from .deliveries_setting import Fits, Setting


@dataclass(frozen=True)
class Case:
    """Everything that is known before it is decided. `drop_of`: of each need, its drop (-1: nothing fits it)."""

    setting: Setting
    drops: Drops
    drop_of: Ints
    rounds: Rounds
    runs: Runs
    model: Model

    def reach_of_drop(self) -> dict[int, tuple[frozenset[int], tuple[int, ...]]]:
        """Of each drop that can be reached in time: by which kinds of vehicles, and after which groups of origins (bits)."""
        kinds: dict[int, set[int]] = {}
        bits: dict[int, set[int]] = {}
        for service, kind in set(zip(self.runs.service.tolist(), self.runs.kind.tolist(), strict=True)):
            one = int(self.runs.round[service])
            first = int(self.rounds.first[one])
            for drop in self.rounds.stops[first : first + int(self.rounds.count[one])].tolist():
                kinds.setdefault(drop, set()).add(kind)
                bits.setdefault(drop, set()).add(int(self.runs.groups[service]))
        return {drop: (frozenset(found), tuple(sorted(bits[drop]))) for drop, found in kinds.items()}


def case_of(setting: Setting) -> Case:
    """Lay out a plan from nothing."""
    needs, wishes, ground, every = setting.needs, setting.wishes, setting.ground, setting.every
    fits = setting.fits(np.arange(len(wishes)))
    heaviest = np.zeros(len(wishes))
    np.maximum.at(heaviest, fits.wish, fits.ratio)
    rows = np.flatnonzero((heaviest[wishes.of] > 0) & (needs.kg > 0))
    heavy = needs.kg[rows] * heaviest[wishes.of[rows]]
    drops = drops_of(needs.some(rows), heavy, np.inf if every else float(setting.vehicles.kg.max()))
    drop_of = np.full(len(needs), -1, np.int64)
    drop_of[rows] = drops.of
    rounds = rounds_of(drops, ground, every, setting.main)
    runs = runs_of(rounds, drops, ground, wanted_of(setting, fits, drops.of, rows, len(drops), rounds))
    round_of = np.zeros(len(drops), np.int64)
    round_of[rounds.stops] = np.repeat(np.arange(len(rounds)), rounds.count)
    if every:
        atom_of, (atom, service) = np.arange(len(drops)), services_of_drops(rounds, runs, len(drops))
    else:
        service = np.lexsort((np.arange(len(runs.round)), runs.round))
        atom_of, atom = round_of, runs.round[service]
    cells = cells_of(setting, needs.kg, atom_of, drop_of, rows)
    flows = flows_of(
        fits.wish,
        fits.lot,
        fits.ratio,
        fits.krw,
        setting.product,
        setting.group,
        cells,
        atom,
        service,
        runs.groups,
    )
    model = model_of(
        setting.lots.kg,
        cells,
        flows,
        runs,
        rounds.day[runs.round[runs.service]],
        ground.fleet,
        run_krw_of(setting, runs),
    )
    return Case(setting, drops, drop_of, rounds, runs, model)


def run_krw_of(setting: Setting, runs: Runs) -> Floats:
    """What each run counts."""
    return setting.weights.cost * runs.krw + setting.weights.co2_krw * runs.kg_co2


def wanted_of(setting: Setting, fits: Fits, drop: Ints, rows: Ints, drops: int, rounds: Rounds) -> Ints:
    """Of each round, the groups (bits) that have something for it; `drop` of each of the needs `rows`."""
    if not len(rounds):
        return np.zeros(0, np.int64)
    of_wish = np.zeros(len(setting.wishes), np.int64)
    np.bitwise_or.at(of_wish, fits.wish, 1 << setting.group[fits.lot])
    of_drop = np.zeros(drops, np.int64)
    np.bitwise_or.at(of_drop, drop, of_wish[setting.wishes.of[rows]])
    return np.asarray(np.bitwise_or.reduceat(of_drop[rounds.stops], rounds.first))


def cells_of(setting: Setting, kg: Floats, atom_of: Ints, drop_of: Ints, rows: Ints) -> Cells:
    """The cells of these needs; `kg` of each need; `atom_of` each drop."""
    needs, wish = setting.needs, setting.wishes.of[rows]
    frame = pd.DataFrame({"a": atom_of[drop_of[rows]], "w": wish, "k": needs.weight[rows]})
    number = numbered(frame)
    count = int(number.max()) + 1 if len(number) else 0
    first = np.full(count, len(number), np.int64)
    np.minimum.at(first, number, np.arange(len(number)))
    of = np.full(len(needs), -1, np.int64)
    of[rows] = number
    total = sums(number, kg[rows], count)
    atom = atom_of[drop_of[rows]][first] if count else np.zeros(0, np.int64)
    return Cells(of, wish[first], atom, total, setting.weights.shortage_krw * needs.weight[rows][first])
