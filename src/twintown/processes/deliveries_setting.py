"""What stands before anything is planned: who may get what, where goods begin, what vehicles there are, and what everything counts.

It is the same for a plan and for the plan that mends it, whichever lots fail meanwhile: gathering points and their groups follow from
where lots are, not from their state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from .deliveries_fit import Specs, alive, options, specs_of
from .deliveries_places import collections_of, fleet_of, hubs_of
from .deliveries_read import Lots, Needs, Vehicles
from .deliveries_rounds import Road
from .deliveries_rows import Flags, Floats, Ints, sums
from .deliveries_runs import Ground

#: What a kg that is not met counts, KRW; a kg of CO₂, KRW; bringing a kg one km to a gathering point, KRW and kg of CO₂. All assumed.
SHORTAGE_KRW, CO2_KRW, GATHER_KRW, GATHER_CO2 = 20_000.0, 100.0, 0.6, 0.0003
#: How much dearer than it is a lot counts that stands in for another product, or comes from an origin of last resort, KRW/kg; assumed.
STAND_IN_KRW, LAST_RESORT_KRW = 500.0, 200.0
#: Drops and services of all days up to which every stretch of a day's way may be a round; groups of origins then, and otherwise.
EVERY, GROUPS, FEW_GROUPS = 3_000, 3, 2


@dataclass(frozen=True)
class Weights:
    """What counts how much: `cost` and `waste` as factors, a missing kg and a kg of CO₂ in KRW."""

    cost: float
    waste: float
    shortage_krw: float
    co2_krw: float


@dataclass(frozen=True)
class Wishes:
    """A spec on a day. `of`: of each need."""

    of: Ints
    spec: Ints
    day: Ints

    def __len__(self) -> int:
        return len(self.spec)


@dataclass(frozen=True)
class Fits:
    """Pairs of a wish and a lot that fits and is there: with kg of the lot for one of the need, and KRW for one of the need."""

    wish: Ints
    lot: Ints
    ratio: Floats
    krw: Floats


@dataclass(frozen=True)
class Setting:
    """See the module. `start`, `end`: the first day and the day after the last; `main`: the group that most lots are in."""

    lots: Lots
    needs: Needs
    vehicles: Vehicles
    specs: Specs
    wishes: Wishes
    ground: Ground
    weights: Weights
    every: bool
    main: int
    start: int
    end: int

    @cached_property
    def group(self) -> Ints:
        """Of each lot, the group of its gathering point."""
        hubs = self.ground.hubs
        return hubs.group[hubs.of] if hubs.groups else np.zeros(len(self.lots), np.int64)

    @cached_property
    def product(self) -> Ints:
        """Of each lot, a number of its product."""
        return np.unique(self.lots.product.astype(str), return_inverse=True)[1].reshape(-1)

    @cached_property
    def lot_krw(self) -> Floats:
        """What a kg of each lot counts, brought to its gathering point: less what would be lost if it perished."""
        lots, w, away = self.lots, self.weights, self.ground.hubs.away_km
        perish = lots.usable & (lots.last >= self.start) & (lots.last < self.end)
        told = w.cost * (lots.krw_kg + away * GATHER_KRW) + away * GATHER_CO2 * w.co2_krw
        return np.asarray(
            told + LAST_RESORT_KRW * lots.substitute - w.waste * np.where(perish, lots.krw_kg, 0.0)
        )

    def fits(self, wishes: Ints) -> Fits:
        """What fits these wishes."""
        row, lot, ratio = alive(self.wishes.spec[wishes], self.wishes.day[wishes], self.specs, self.lots)
        named = np.array([*self.specs.product, ""], object)[self.wishes.spec[wishes]]
        other = self.lots.product[lot] != named[row]
        return Fits(wishes[row], lot, ratio, ratio * self.lot_krw[lot] + STAND_IN_KRW * other)


def setting_of(
    lots: Lots, needs: Needs, vehicles: Vehicles, asked: Mapping[str, Any], start: int, end: int
) -> Setting:
    """Lay it out; `asked`: the values of the process's inputs."""
    weights = Weights(
        float(asked["cost"]), float(asked["waste"]), float(asked["shortage"]) * SHORTAGE_KRW,
        float(asked["emissions"]) * CO2_KRW,
    )  # fmt: skip
    detour, every, fleet = float(asked["detour"]), _few(needs), fleet_of(vehicles)
    mine = _of_interest(lots, needs, start, end)
    hubs = hubs_of(lots, mine, float(asked["gather_km"]), detour, GROUPS if every else FEW_GROUPS)
    spots = np.unique(np.stack([needs.x, needs.y], axis=1), axis=0)
    ways = collections_of(hubs, fleet, float(spots[:, 0].mean()), float(spots[:, 1].mean()), detour)
    ground = Ground(hubs, fleet, ways, Road(detour, float(asked["minutes_stop"]) / 60.0), weights.co2_krw)
    lots = replace(lots, first=lots.first + (hubs.away_km > 0))  # brought on the eve
    specs = specs_of(needs, lots)
    key, of = np.unique(needs.day * (len(specs) + 1) + specs.of, return_inverse=True)
    wishes = Wishes(of.reshape(-1), key % (len(specs) + 1), key // (len(specs) + 1))
    main = int(np.argmax(sums(hubs.group[hubs.of[mine]], lots.kg[mine], max(hubs.groups, 1))))
    return Setting(lots, needs, vehicles, specs, wishes, ground, weights, every, main, start, end)


def _of_interest(lots: Lots, needs: Needs, start: int, end: int) -> Flags:
    """Lots of products that somebody asks for, or takes instead, within the days: nobody drives past the others."""
    pairs = set(zip(needs.product.tolist(), needs.substitutes.tolist(), strict=True))
    wanted = {one for product, text in pairs for one in options(product, text)}
    return np.isin(lots.product.astype(str), sorted(wanted)) & (lots.last >= start) & (lots.first < end)


def _few(needs: Needs) -> bool:
    """Whether every stretch of a day's way may be a round: the drops of a day are few enough, all days together."""
    where = pd.DataFrame({"d": needs.day, "p": needs.place, "o": needs.opens, "c": needs.closes})
    by_day = where.drop_duplicates().groupby("d").size().to_numpy(float)
    return bool((by_day**3).sum() * (2**GROUPS - 1) <= EVERY)
