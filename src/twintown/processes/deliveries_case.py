"""One question laid out: who may get what, the rounds of each day, and the model that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from .deliveries_fit import Specs, alive, specs_of
from .deliveries_model import Cells, Model, flows_of, model_of
from .deliveries_places import collections_of, fleet_of, hubs_of
from .deliveries_read import Floats, Ints, Lots, Needs, Vehicles
from .deliveries_rounds import Drops, Road, Rounds, drops_of
from .deliveries_runs import Ground, Runs, rounds_of, runs_of, services_of_drops

#: What a kg that is not met counts, KRW; a kg of CO₂, KRW; bringing a kg one km to a gathering point, KRW and kg of CO₂. All assumed.
SHORTAGE_KRW, CO2_KRW, GATHER_KRW, GATHER_CO2 = 20_000.0, 100.0, 0.6, 0.0003
#: How much dearer than it is a lot counts that stands in for another product, or comes from an origin of last resort, KRW/kg; assumed.
STAND_IN_KRW, LAST_RESORT_KRW = 500.0, 200.0
#: Drops times services up to which every stretch of a day's way may be a round.
EVERY = 3_000
GROUPS = 3


@dataclass(frozen=True)
class Case:
    """Everything that is known before it is decided."""

    lots: Lots
    needs: Needs
    vehicles: Vehicles
    specs: Specs
    drops: Drops
    drop_of: Ints
    rounds: Rounds
    runs: Runs
    ground: Ground
    model: Model
    wish_lot: Mapping[tuple[int, int], dict[int, float]]
    gather_krw: float
    gather_co2: float
    #: Every stretch of a day's way may be a round; else each day was cut once.
    every: bool

    def lots_of_wish(self, spec: int, day: int) -> dict[int, float]:
        """The lots that fit a spec on a day, with kg for one kg."""
        return self.wish_lot.get((spec, day), {})

    def reach_of_drop(self) -> dict[int, tuple[frozenset[int], int]]:
        """Of each drop that can be reached in time: by which kinds of vehicles, and from which groups of origins, as bits."""
        kinds: dict[int, set[int]] = {}
        bits: dict[int, int] = {}
        for service, kind in set(zip(self.runs.service.tolist(), self.runs.kind.tolist(), strict=True)):
            one = int(self.runs.round[service])
            first = int(self.rounds.first[one])
            for drop in self.rounds.stops[first : first + int(self.rounds.count[one])].tolist():
                kinds.setdefault(drop, set()).add(kind)
                bits[drop] = bits.get(drop, 0) | int(self.runs.groups[service])
        return {drop: (frozenset(found), bits[drop]) for drop, found in kinds.items()}


@dataclass(frozen=True)
class Wishes:
    """A spec on a day. `of`: of each need."""

    of: Ints
    spec: Ints
    day: Ints

    @cached_property
    def count(self) -> int:
        """How many."""
        return len(self.spec)


def wishes_of(specs: Specs, needs: Needs) -> Wishes:
    """The wishes of the needs."""
    key = np.stack([needs.day, specs.of], axis=1)
    rows, of = np.unique(key, axis=0, return_inverse=True)
    return Wishes(of.reshape(-1), rows[:, 1], rows[:, 0])


def case_of(
    lots: Lots, needs: Needs, vehicles: Vehicles, options: Mapping[str, Any], start: int, end: int
) -> Case:
    """Lay it all out; see `deliveries.PROCESS` for the options."""
    weigh = {name: float(options[name]) for name in ("cost", "shortage", "waste", "emissions")}
    detour = float(options["detour"])
    co2_krw = weigh["emissions"] * CO2_KRW
    fleet = fleet_of(vehicles)
    specs = specs_of(needs, lots)
    wishes = wishes_of(specs, needs)
    _, lot, _ = alive(wishes.spec, wishes.day, specs, lots)
    asked = np.zeros(len(lots), np.bool_)
    asked[lot] = True  # nobody drives where nothing is that somebody needs
    every = _few(needs)
    hubs = hubs_of(lots, asked, float(options["gather_km"]), detour, GROUPS if every else 2)
    lots = replace(lots, first=lots.first + (hubs.away_km > 0))  # brought on the eve
    wish, lot, ratio = alive(wishes.spec, wishes.day, specs, lots)
    heaviest = np.zeros(wishes.count)
    np.maximum.at(heaviest, wish, ratio)
    servable = (heaviest[wishes.of] > 0) & (needs.kg > 0)
    rows = np.flatnonzero(servable)
    heavy = needs.kg[rows] * heaviest[wishes.of[rows]]
    drops = drops_of(needs.some(rows), heavy, np.inf if every else float(vehicles.kg.max()))
    drop_of = np.full(len(needs), -1, np.int64)
    drop_of[rows] = drops.of
    middle = (float(np.mean(drops.x)), float(np.mean(drops.y))) if len(drops) else (0.0, 0.0)
    ground = Ground(
        hubs,
        fleet,
        collections_of(hubs, fleet, *middle, detour),
        Road(detour, float(options["minutes_stop"]) / 60.0),
        co2_krw,
    )
    main = int(np.argmax(np.bincount(hubs.group[hubs.of[asked]], lots.kg[asked], max(hubs.groups, 1))))
    rounds = rounds_of(drops, ground, every, main)
    group_bits = np.zeros(wishes.count, np.int64)
    np.bitwise_or.at(group_bits, wish, 1 << hubs.group[hubs.of[lot]])
    drop_bits = np.zeros(len(drops), np.int64)
    np.bitwise_or.at(drop_bits, drops.of, group_bits[wishes.of[rows]])
    wanted = (
        np.bitwise_or.reduceat(drop_bits[rounds.stops], rounds.first)
        if len(rounds)
        else np.zeros(0, np.int64)
    )
    runs = runs_of(rounds, drops, ground, wanted)
    round_of = np.zeros(len(drops), np.int64)
    round_of[rounds.stops] = np.repeat(np.arange(len(rounds)), rounds.count)
    atom_of = np.arange(len(drops)) if every else round_of
    if every:
        atom, service = services_of_drops(rounds, runs, len(drops))
    else:
        order = np.lexsort((np.arange(len(runs.round)), runs.round))
        atom, service = runs.round[order], order
    cells = _cells(needs, wishes, atom_of, drop_of, rows, weigh["shortage"] * SHORTAGE_KRW)
    perish = lots.usable & (lots.last >= start) & (lots.last < end)
    lot_krw = weigh["cost"] * (lots.krw_kg + hubs.away_km * GATHER_KRW) + hubs.away_km * GATHER_CO2 * co2_krw
    lot_krw = (
        lot_krw + LAST_RESORT_KRW * lots.substitute - weigh["waste"] * np.where(perish, lots.krw_kg, 0.0)
    )
    _, product = np.unique(lots.product.astype(str), return_inverse=True)
    stands_in = lots.product[lot] != np.array([specs.product[s] for s in wishes.spec], object)[wish]
    flows = flows_of(
        wish, lot, ratio, ratio * lot_krw[lot] + STAND_IN_KRW * stands_in, product.reshape(-1), np.where(asked, hubs.group[hubs.of], 0) if hubs.groups else hubs.of,
        cells, atom, service, runs.groups,
    )  # fmt: skip
    run_krw = weigh["cost"] * runs.krw + co2_krw * runs.kg_co2
    model = model_of(lots.kg, cells, flows, runs, rounds.day[runs.round[runs.service]], fleet, run_krw)
    there: dict[tuple[int, int], dict[int, float]] = {}
    for s, d, which, by in zip(
        wishes.spec[wish].tolist(), wishes.day[wish].tolist(), lot.tolist(), ratio.tolist(), strict=True
    ):
        there.setdefault((s, d), {})[which] = by
    return Case(
        lots,
        needs,
        vehicles,
        specs,
        drops,
        drop_of,
        rounds,
        runs,
        ground,
        model,
        there,
        GATHER_KRW,
        GATHER_CO2,
        every,
    )


def _few(needs: Needs) -> bool:
    """Whether every stretch of a day's way may be a round: the drops of a day are few enough, all days together."""
    where = pd.DataFrame(
        {"d": needs.day, "p": needs.place, "o": needs.opens, "c": needs.closes}
    ).drop_duplicates()
    by_day = where.groupby("d").size().to_numpy(float)
    return bool((by_day**3).sum() * (2**GROUPS - 1) <= EVERY)


def _cells(needs: Needs, wishes: Wishes, atom_of: Ints, drop_of: Ints, rows: Ints, worth: float) -> Cells:
    atom = atom_of[drop_of[rows]]
    frame = pd.DataFrame({"a": atom, "w": wishes.of[rows], "k": needs.weight[rows]})
    number = frame.groupby(["a", "w", "k"], sort=True).ngroup().to_numpy(np.int64)
    count = int(number.max()) + 1 if len(number) else 0
    first = np.full(count, len(number), np.int64)
    np.minimum.at(first, number, np.arange(len(number)))
    of = np.full(len(needs), -1, np.int64)
    of[rows] = number
    kg: Floats = np.bincount(number, needs.kg[rows], count) if count else np.zeros(0)
    return Cells(of, wishes.of[rows][first], atom[first], kg, worth * needs.weight[rows][first])
