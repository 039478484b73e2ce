"""Plans next to the true best, found by looking at every one: all allotments, all splits over vehicles, all orders of all stops.

Each need is one crate of 20 kg and lots and vehicles hold whole crates, so that a best plan deals in whole crates. What is measured is what
fixed rounds cost: the process chooses orders of places before it allots, and collects in one order; the enumeration may do anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import permutations, product
from typing import Any

import numpy as np

from validation.case import Measured
from validation.deliveries_feasible import answered, faults, layer, lot, need, vehicle

CRATE, DETOUR, STOP_H, SHORTAGE, CO2 = 20.0, 1.35, 8.0 / 60.0, 20_000.0, 100.0
CASES = 10


def rows_of(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Three lots, four needs at three places, two vehicles."""
    rng = np.random.default_rng(seed)
    lots = [
        lot(f"l{n}", ["rice", "rice", "peach"][n], CRATE * float(rng.integers(1, 4)), *rng.uniform(0, 15_000, 2),
            price_krw_kg=float(rng.integers(20, 60) * 100))
        for n in range(3)
    ]  # fmt: skip
    spots = rng.uniform(0, 15_000, (3, 2)) + np.array([0.0, 25_000.0])
    needs = [
        need(f"n{n}", ["rice", "rice", "peach", "rice"][n], CRATE, *spots[n % 3], from_h=[6.0, 7.0, 6.0][n % 3],
             until_h=[8.0, 9.5, 10.0][n % 3], weight=float(rng.choice([0.1, 1.0])))
        for n in range(4)
    ]  # fmt: skip
    fleet = [
        vehicle("v0", CRATE * 3, from_h=4.0),
        vehicle("v1", CRATE * 2, 4_000.0, krw_km=300.0, krw_d=60_000.0),
    ]
    return lots, needs, fleet


def best_of(lots: list[dict[str, Any]], needs: list[dict[str, Any]], fleet: list[dict[str, Any]]) -> float:
    """The least that any plan costs, KRW: by enumeration."""

    def point(row: dict[str, Any]) -> tuple[float, float]:
        return row["x"], row["y"]

    @cache
    def drive(v: int, origins: frozenset[int], brought: frozenset[int]) -> float:
        """The cheapest order of all stops that keeps its hours."""
        who, least = fleet[v], math.inf
        stops = sorted({(point(needs[n]), needs[n]["from_h"], needs[n]["until_h"]) for n in brought})
        for first in permutations(sorted(origins)):
            for then in permutations(stops):
                at, clock, km = point(who), who["from_h"], 0.0
                good = True
                for place, opens, closes in [*((point(lots[o]), 0.0, 24.0) for o in first), *then]:
                    leg = math.dist(at, place) * DETOUR / 1000.0
                    clock, km, at = max(clock + leg / who["km_h"], opens), km + leg, place
                    good &= clock <= closes
                    clock += STOP_H
                home = math.dist(at, point(who)) * DETOUR / 1000.0
                km += home
                if good and clock + home / who["km_h"] <= who["until_h"]:
                    least = min(least, who["krw_d"] + km * (who["krw_km"] + CO2 * who["kg_co2_km"]))
        return least

    choices = [
        [None, *((o, v) for o in range(len(lots)) if lots[o]["product"] == one["product"] for v in range(len(fleet)))] for one in needs
    ]  # fmt: skip
    best = math.inf
    for plan in product(*choices):
        krw = sum(SHORTAGE * CRATE * needs[n]["weight"] for n, one in enumerate(plan) if one is None)
        taken = [one for one in plan if one is not None]
        if any(CRATE * sum(o == k for o, _ in taken) > row["quantity_kg"] for k, row in enumerate(lots)):
            continue
        krw += sum(CRATE * lots[o]["price_krw_kg"] for o, _ in taken)
        for v, row in enumerate(fleet):
            mine = frozenset(n for n, one in enumerate(plan) if one is not None and one[1] == v)
            if CRATE * len(mine) > row["capacity_kg"]:
                krw = math.inf
            elif mine:
                krw += drive(v, frozenset(plan[n][0] for n in mine), mine)  # type: ignore[index]
        best = min(best, krw)
    return best


def cost_of(needs: list[dict[str, Any]], made: dict[str, Any]) -> float:
    """What a plan really costs by its own rows, KRW."""
    loads, rows = made["loads"].table, made["deliveries"].table
    short = made["unmet"].table.set_index("need")["quantity_kg"].to_dict()
    driving = float((loads["cost_krw"] + CO2 * loads["kg_co2"]).sum())
    bought = float((rows["quantity_kg"] * rows["price_krw_kg"]).sum())
    missing = sum(SHORTAGE * float(row["weight"]) * float(short.get(row["id"], 0.0)) for row in needs)
    return driving + bought + missing


def measure() -> Iterator[Measured]:
    """The plan's cost over the true best, and whether the bound lies where it must."""
    worst, mean, wrong, over = 0.0, 0.0, 0, 0.0
    for seed in range(CASES):
        lots, needs, fleet = rows_of(seed)
        layers = {"lots": layer(lots), "needs": layer(needs), "vehicles": layer(fleet)}
        made = answered(layers, gap=0.0)
        best, cost = best_of(lots, needs, fleet), cost_of(needs, made)
        told = made["loads"].provenance.steps[-1].parameters
        over = max(over, (cost - told["objective_krw"]) / cost)
        worst, mean = max(worst, cost / best - 1.0), mean + (cost / best - 1.0) / CASES
        wrong += len(faults(layers, made)) + (cost < best - 5.0)
    name, case = "deliveries.plan", "deliveries_exact"
    yield Measured(name, case, f"cost over the best of every plan, mean of {CASES}", 100 * mean, 1.0, "%")
    yield Measured(name, case, f"cost over the best of every plan, worst of {CASES}", 100 * worst, 5.0, "%")
    yield Measured(
        name, case, "plans that cannot be carried out, or cost less than the best", wrong, 0, "plans"
    )
    yield Measured(name, case, "cost of the rows beyond what the plan was decided by", 100 * over, 0.001, "%")
