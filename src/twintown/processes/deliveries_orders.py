"""Rounds of a day with few drops: each set of places in its best order where they are very few, else every stretch of two ways."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

from .deliveries_places import Fleet
from .deliveries_rounds import Drops, Road, Way, stops_way, stretches
from .deliveries_rows import Floats, Ints

#: Up to so many drops a day every set of them is a round.
SETS = 5
#: What an hour of waiting counts when orders are compared, km.
HOUR_KM = 20.0


def every_round(
    order: Ints, other: Ints, drops: Drops, fleet: Fleet, road: Road, origin: tuple[float, float]
) -> list[Ints]:
    """The rounds of one day, each as its drops in order.

    Args:
        order, other: the drops of the day along two ways.
        origin: about where goods come from, m.
    """
    speeds = sorted({float(v) for v in fleet.vehicles.km_h[fleet.first]})
    found: dict[tuple[int, ...], None] = {}
    for km_h in speeds:
        if len(order) <= SETS:
            for size in range(1, len(order) + 1):
                for one in _best(order, size, drops, road, km_h, origin):
                    found[one] = None
            continue
        for way in (order, other):
            for number, stretch in enumerate(stretches(way, drops, km_h, road, np.inf)):
                for begin in np.flatnonzero(stretch.good).tolist():
                    found[tuple(way[begin : begin + number + 1].tolist())] = None
    return [np.array(one, np.int64) for one in sorted(found, key=lambda one: (len(one), one))]


def _best(
    rows: Ints, size: int, drops: Drops, road: Road, km_h: float, origin: tuple[float, float]
) -> list[tuple[int, ...]]:
    """Of each set of so many drops its best order that keeps all windows, if there is one."""
    sets = list(combinations(rows.tolist(), size))
    ways = np.array([one for chosen in sets for one in permutations(chosen)], np.int64)
    way = stops_way(drops, ways[:, 0], road)
    for n in range(1, size):
        a, b = ways[:, n - 1], ways[:, n]
        way = way.then(
            stops_way(drops, b, road), road.km(drops.x[a], drops.y[a], drops.x[b], drops.y[b]), km_h
        )
    cost = (_ends(ways, way, drops, road, origin) + HOUR_KM * way.hours).reshape(len(sets), -1)
    best = cost.argmin(axis=1)
    rows_of = np.arange(len(sets)) * cost.shape[1] + best
    good = np.isfinite(cost[np.arange(len(sets)), best])
    return [tuple(one) for one in ways[rows_of[good]].tolist()]


def _ends(ways: Ints, way: Way, drops: Drops, road: Road, origin: tuple[float, float]) -> Floats:
    """Kilometres there, along and back; infinite where a window is missed."""
    first, last = ways[:, 0], ways[:, -1]
    there = road.km(
        np.full(len(ways), origin[0]), np.full(len(ways), origin[1]), drops.x[first], drops.y[first]
    )
    back = road.km(np.full(len(ways), origin[0]), np.full(len(ways), origin[1]), drops.x[last], drops.y[last])
    return np.where(way.good, way.km + there + back, np.inf)
