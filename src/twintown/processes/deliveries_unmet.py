"""What a plan leaves: needs that are not met, each with its reason, and lots that perish."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .deliveries_case import Case
from .deliveries_read import Lots
from .deliveries_rows import EPOCH, Floats, Ints
from .deliveries_trips import Trips
from .deliveries_why import Why, barred, held_back


def outside(start: int, end: int) -> Why:
    """A need on a day that is not planned."""
    first, last = str(EPOCH + start), str(EPOCH + end - 1)
    return Why(
        "outside-days",
        f"{first}부터 {last}까지만 계획했습니다. 기간을 넓힙니다",
        f"only {first} to {last} was planned: choose more days",
    )


def wasted(lots: Lots, left: Floats, start: int, end: int) -> pd.DataFrame:
    """kg of usable lots that perish undelivered within the days, by day and product."""
    gone = lots.usable & (lots.last >= start) & (lots.last < end) & (left > 0)
    return pd.DataFrame({"day": lots.last[gone], "product": lots.product[gone], "wasted_kg": left[gone]})


def reasons(case: Case, trips: Trips, rows: Ints, missing: Floats, left: Floats) -> list[Why]:
    """Why each of these needs is not wholly met; alike ones are looked at once."""
    setting = case.setting
    needs, lots, group = setting.needs, setting.lots, setting.group
    spare, called = _spare(case, trips), _called(case, trips)
    reach, there = case.reach_of_drop(), _there(case, rows)
    on_round = np.zeros(len(case.drops) + 1, np.bool_)
    on_round[case.rounds.stops] = True
    found: list[Why] = []
    known: dict[tuple[Any, ...], Why] = {}
    for row in rows.tolist():
        wish, day, drop = int(setting.wishes.of[row]), int(needs.day[row]), int(case.drop_of[row])
        laid = drop in reach or bool(on_round[drop]) if drop >= 0 else False
        kinds, sets = reach.get(drop, (frozenset[int](), ()))
        used = called.get(drop, 0)
        bits = 0 if laid else -1  # where no round was laid again, it is that nothing is left to bring
        for one in sets:
            bits |= one if one & used == used else 0
        window = float(needs.opens[row]), float(needs.closes[row])
        kg = float(missing[row])
        key = (wish, float(needs.krw_max[row]), round(kg, 1), kinds, bits, window)
        if key not in known:
            fits = there.get(wish, {})
            near = {lot for lot in fits if bits >> int(group[lot]) & 1}
            idle = bool(kinds & spare(day))
            known[key] = (
                held_back(row, kg, needs, lots, left, fits, near, bool(kinds) or not laid, idle)
                if fits
                else barred(row, kg, needs, lots)
            )
        found.append(known[key])
    return found


def _there(case: Case, rows: Ints) -> dict[int, dict[int, float]]:
    fits = case.setting.fits(np.unique(case.setting.wishes.of[rows]))
    found: dict[int, dict[int, float]] = {}
    for wish, lot, ratio in zip(fits.wish.tolist(), fits.lot.tolist(), fits.ratio.tolist(), strict=True):
        found.setdefault(wish, {})[lot] = ratio
    return found


def _spare(case: Case, trips: Trips) -> Any:
    """Of a day, the kinds of which a vehicle stays at home."""
    fleet = case.setting.ground.fleet
    out: dict[int, list[int]] = {}
    for one in trips.trips:
        out.setdefault(one.day, [0] * len(fleet))[int(fleet.of[one.vehicle])] += 1
    full = frozenset(range(len(fleet)))

    def kinds(day: int) -> frozenset[int]:
        used = out.get(day)
        return full if used is None else frozenset(k for k in full if used[k] < fleet.count[k])

    return kinds


def _called(case: Case, trips: Trips) -> dict[int, int]:
    """Of each drop that is called at, the groups (bits) that were collected before."""
    group = case.setting.ground.hubs.group
    found: dict[int, int] = {}
    for one in trips.trips:
        bits = 0
        for hub in one.hubs:
            bits |= 1 << int(group[hub])
        for drop in one.drops:
            found[drop] = found.get(drop, 0) | bits
    return found
