"""Runs: a round with a collection before it, by one kind of vehicle, that keeps every window and the working hours; with its cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .deliveries_fit import expand
from .deliveries_orders import every_round
from .deliveries_places import Collection, Fleet, Hubs
from .deliveries_rounds import (
    Drops,
    Road,
    Rounds,
    Way,
    cut,
    day_order,
    long_way,
    stops_way,
    stretches,
    whole,
)
from .deliveries_rows import Floats, Ints


@dataclass(frozen=True)
class Runs:
    """What may be driven. A *service* is a round with the groups that are collected before it; a run drives it with a kind of vehicle.

    Args:
        round, groups: of each service; `groups` are bits.
        service, kind, collection, krw, kg_co2, hours, km: of each run.
    """

    round: Ints
    groups: Ints
    service: Ints
    kind: Ints
    collection: Ints
    krw: Floats
    kg_co2: Floats
    hours: Floats
    km: Floats


@dataclass(frozen=True)
class Ground:
    """What rounds are laid on."""

    hubs: Hubs
    fleet: Fleet
    collections: list[Collection]
    road: Road
    #: What a kg of CO₂ counts, KRW.
    krw_co2: float

    def end(self, collection: Collection) -> tuple[float, float]:
        """Where a collection ends."""
        last = collection.hubs[-1]
        return float(self.hubs.x[last]), float(self.hubs.y[last])

    def of(self, kind: int) -> list[int]:
        """The collections that begin at the depot of a kind of vehicle."""
        v, row = self.fleet.vehicles, self.fleet.first[kind]
        return [
            n for n, one in enumerate(self.collections)
            if (v.x[one.depot], v.y[one.depot]) == (v.x[row], v.y[row])
        ]  # fmt: skip


def rounds_of(drops: Drops, ground: Ground, every: bool, main: int) -> Rounds:
    """The rounds of all days.

    Args:
        every: rounds of all kinds (`deliveries_orders`), for days with few drops; else each day is cut once, at least cost.
        main: the group of gathering points that most comes from; rounds are cut for vehicles that collect there.
    """
    keys = np.stack([np.round(drops.x), np.round(drops.y)], axis=1) if len(drops) else np.zeros((0, 2))
    spots, of = np.unique(keys, axis=0, return_inverse=True)
    rank = long_way(spots[:, 0], spots[:, 1])[of.reshape(-1)] if len(spots) else np.zeros(0, np.int64)
    days: list[int] = []
    counts: list[int] = []
    stops: list[Ints] = []
    edge = np.searchsorted(drops.day, np.unique(drops.day))
    for rows in np.split(np.arange(len(drops)), edge[1:]):
        if not len(rows):
            continue
        order = day_order(rows, drops, rank)
        if every:
            other = rows[np.argsort(rank[rows], kind="stable")]
            origin = ground.end(next(one for one in ground.collections if one.groups == (main,)))
            found = every_round(order, other, drops, ground.fleet, ground.road, origin)
        else:
            found = _cuts(order, drops, ground, main, ground.fleet.count)
        days += [int(drops.day[order[0]])] * len(found)
        counts += [len(one) for one in found]
        stops += found
    count = np.array(counts, np.int64)
    return Rounds(
        np.array(days, np.int64), np.cumsum(count) - count, count,
        np.concatenate(stops) if stops else np.zeros(0, np.int64),
    )  # fmt: skip


def _cuts(order: Ints, drops: Drops, ground: Ground, main: int, count: Ints) -> list[Ints]:
    """The rounds of a day's way for so many vehicles of each kind; what these cannot take is cut again for those that are left."""
    costs = _costs(order, drops, ground, main, count)
    chosen = cut(len(order), costs, count)
    left = count.copy()
    driven = np.zeros(len(order), np.bool_)
    for begin, length in sorted(
        chosen, key=lambda one: (-float(drops.kg[order[one[0] : sum(one)]].sum()), one)
    ):
        able = [
            k
            for k, ways in enumerate(costs)
            if len(ways) >= length and np.isfinite(ways[length - 1][begin]) and left[k]
        ]
        if able:
            left[min(able, key=lambda k: (float(ground.fleet.vehicles.kg[ground.fleet.first[k]]), k))] -= 1
            driven[begin : begin + length] = True
    found = [order[begin : begin + length] for begin, length in chosen if driven[begin]]
    rest = order[~driven]
    if not len(rest):
        return found
    if driven.any() and left.any():
        return found + _cuts(rest, drops, ground, main, left)
    covered = np.zeros(len(order), np.bool_)
    for begin, length in chosen:
        covered[begin : begin + length] = True
        found += [] if driven[begin] else [order[begin : begin + length]]
    return found + [order[n : n + 1] for n in np.flatnonzero(~covered)]


def _costs(order: Ints, drops: Drops, ground: Ground, main: int, count: Ints) -> list[list[Floats]]:
    """Of each kind of vehicle what each stretch costs, KRW; infinite where it cannot be, or no such vehicle is left."""
    fleet, v = ground.fleet, ground.fleet.vehicles
    costs: list[list[Floats]] = []
    for kind, row in enumerate(fleet.first):
        ways = stretches(order, drops, float(v.km_h[row]), ground.road, float(v.kg[row]))
        mine = [ground.collections[n] for n in ground.of(kind) if ground.collections[n].groups == (main,)]
        costs.append([])
        for number, way in enumerate(ways):
            n = len(way.km)
            if not mine or not count[kind]:
                costs[-1].append(np.where(way.good & bool(count[kind]), 1.0, np.inf))
                continue
            head, tail = order[:n], order[number : number + n]
            trip = whole(
                way, (drops.x[head], drops.y[head]), (drops.x[tail], drops.y[tail]), ground.end(mine[0]), mine[0],
                fleet, kind, ground.road,
            )  # fmt: skip
            trips = np.ceil(drops.kg[head] / v.kg[row]) if number == 0 else 1.0
            krw = trips * (v.krw_d[row] + trip.km * (v.krw_km[row] + v.kg_co2_km[row] * ground.krw_co2))
            costs[-1].append(np.where(trip.good, krw, np.inf))
    return costs


def middle_of(rounds: Rounds, drops: Drops, road: Road, km_h: float) -> Way:
    """All rounds as ways, from their first place to their last."""
    way = stops_way(drops, rounds.stops[rounds.first], road)
    for length in range(1, int(rounds.count.max(initial=0))):
        more = np.flatnonzero(rounds.count > length)
        here, there = rounds.stops[rounds.first[more] + length - 1], rounds.stops[rounds.first[more] + length]
        hop = road.km(drops.x[here], drops.y[here], drops.x[there], drops.y[there])
        longer = way.at(more).then(stops_way(drops, there, road), hop, km_h)
        for name in ("hours", "early", "late", "km", "good"):
            getattr(way, name)[more] = getattr(longer, name)
    return way


def runs_of(rounds: Rounds, drops: Drops, ground: Ground, wanted: Ints) -> Runs:
    """Every run that keeps its hours. `wanted`: of each round, bits of the groups that have something for it."""
    fleet, v = ground.fleet, ground.fleet.vehicles
    head, tail = rounds.stops[rounds.first], rounds.stops[rounds.first + rounds.count - 1]
    middles: dict[float, Way] = {}
    parts = []
    for kind, row in enumerate(fleet.first):
        speed = float(v.km_h[row])
        if speed not in middles:
            middles[speed] = middle_of(rounds, drops, ground.road, speed)
        for number in ground.of(kind):
            collection = ground.collections[number]
            bits = sum(1 << g for g in collection.groups)
            rows = np.flatnonzero((wanted & bits) == bits)
            way = whole(
                middles[speed].at(rows), (drops.x[head[rows]], drops.y[head[rows]]), (drops.x[tail[rows]], drops.y[tail[rows]]),
                ground.end(collection), collection, fleet, kind, ground.road,
            )  # fmt: skip
            rows, way = rows[way.good], way.at(way.good)
            full = np.ones(len(rows), np.int64)
            co2 = way.km * v.kg_co2_km[row]
            parts.append(
                (
                    rows,
                    full * bits,
                    full * kind,
                    full * number,
                    v.krw_d[row] + way.km * v.krw_km[row],
                    co2,
                    way.hours,
                    way.km,
                )
            )
    if not parts:
        none, zero = np.zeros(0, np.int64), np.zeros(0)
        return Runs(none, none, none, none, none, zero, zero, zero, zero)
    of, groups, kinds, ways, krw, co2, hours, km = (np.concatenate(one) for one in zip(*parts, strict=True))
    key, service = np.unique(np.stack([of, groups], axis=1), axis=0, return_inverse=True)
    return Runs(key[:, 0], key[:, 1], service.reshape(-1), kinds, ways, krw, co2, hours, km)


def services_of_drops(rounds: Rounds, runs: Runs, drops: int) -> tuple[Ints, Ints]:
    """Pairs of a drop and a service that calls there."""
    rows, owner = expand(rounds.first[runs.round], rounds.count[runs.round])
    drop = rounds.stops[rows]
    order = np.lexsort((owner, drop))
    return drop[order], owner[order]
