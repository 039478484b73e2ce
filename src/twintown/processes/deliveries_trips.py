"""Trips: which vehicle drives which run on which day, past which origins and places, at what time."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from .deliveries_rounds import Drops, Rounds
from .deliveries_rows import Ints
from .deliveries_runs import Ground, Runs
from .deliveries_share import Pieces, beside

#: Masses are compared in steps of 0.1 g.
_STEPS = 10_000
#: Hours are told in thousandths: an earlier one may have been this much less.
ROUNDED_H = 0.0006


@dataclass(frozen=True)
class Trip:
    """One vehicle on one day. `hub_h`: when it leaves each origin; `drop_h`: when it is at each place, ready to unload."""

    vehicle: int
    day: int
    hubs: tuple[int, ...]
    drops: tuple[int, ...]
    hub_h: tuple[float, ...]
    drop_h: tuple[float, ...]
    leaves_h: float
    back_h: float
    km: float


@dataclass(frozen=True)
class Trips:
    """All trips, and the trip of each piece."""

    trips: tuple[Trip, ...]
    of: Ints
    pieces: Pieces

    def sorted(self) -> Trips:
        """The same by day and vehicle, and the pieces by trip, need and lot."""
        order = sorted(range(len(self.trips)), key=lambda n: (self.trips[n].day, self.trips[n].vehicle))
        rank = np.zeros(len(order), np.int64)
        rank[order] = np.arange(len(order))
        of = rank[self.of] if len(self.of) else self.of
        p = self.pieces
        rows = np.lexsort((p.lot, p.need, of))
        pieces = Pieces(p.lot[rows], p.need[rows], p.service[rows], p.need_kg[rows], p.kg[rows])
        return Trips(tuple(self.trips[n] for n in order), of[rows], pieces)


def trips_of(
    pieces: Pieces, driven: Ints, runs: Runs, rounds: Rounds, drops: Drops, drop_of: Ints, ground: Ground,
    taken: Set[tuple[int, int]] = frozenset(),
) -> Trips:  # fmt: skip
    """Vehicles for the runs that are driven (`driven`: how often each), and their timetables; who carries nothing stays at home."""
    fleet = ground.fleet
    run = np.repeat(np.arange(len(driven)), driven)
    run = run[np.lexsort((run, runs.service[run]))]
    service = runs.service[run]
    round_of = runs.round[pieces.service]
    order = np.lexsort(
        (pieces.lot, pieces.need, rounds.place_in(round_of, drop_of[pieces.need]), pieces.service)
    )
    mass = np.round(pieces.kg[order] * _STEPS).astype(np.int64)
    room = np.round(fleet.vehicles.kg[fleet.first][runs.kind[run]] * _STEPS).astype(np.int64) + 10
    part, trip, amount = beside(pieces.service[order], mass, service, room)
    rows = order[part]
    share = amount / np.maximum(mass[part], 1)
    cut = Pieces(
        pieces.lot[rows], pieces.need[rows], pieces.service[rows], pieces.need_kg[rows] * share, amount / _STEPS
    )  # fmt: skip
    hub = ground.hubs.of[cut.lot]
    drop = drop_of[cut.need]
    found: list[Trip] = []
    number = np.full(len(run), -1, np.int64)
    free: dict[int, Ints] = {}
    for kind in range(len(fleet)):
        free[kind] = np.flatnonzero(fleet.of == kind)
    used: dict[tuple[int, int], int] = {}
    begin = np.searchsorted(trip, np.arange(len(run) + 1)) if len(trip) else np.zeros(len(run) + 1, np.int64)
    for one in range(len(run)):
        mine = slice(begin[one], begin[one + 1])
        if begin[one] == begin[one + 1]:
            continue
        kind, day = int(runs.kind[run[one]]), int(rounds.day[runs.round[service[one]]])
        turn = used.get((day, kind), 0)
        while (day, int(free[kind][turn])) in taken:
            turn += 1
        used[day, kind] = turn + 1
        collection = ground.collections[runs.collection[run[one]]]
        stops = set(hub[mine].tolist())
        hubs = tuple(h for h in collection.hubs if h in stops)
        stretch = int(runs.round[service[one]])
        way = rounds.stops[rounds.first[stretch] : rounds.first[stretch] + rounds.count[stretch]]
        places = way[np.isin(way, drop[mine])].tolist()
        number[one] = len(found)
        found.append(timetable(int(free[kind][turn]), day, hubs, tuple(places), drops, ground))
    return Trips(tuple(found), number[trip], cut)


def timetable(
    vehicle: int,
    day: int,
    hubs: tuple[int, ...],
    places: tuple[int, ...],
    drops: Drops,
    ground: Ground,
    first_h: float = 0.0,
) -> Trip:
    """When a vehicle is where: it sets out as early as it can without waiting more than it must.

    Args:
        first_h: not before this at the first place, as far as the rest allows it.
    """
    v, road = ground.fleet.vehicles, ground.road
    xs = [float(v.x[vehicle]), *ground.hubs.x[list(hubs)], *drops.x[list(places)], float(v.x[vehicle])]
    ys = [float(v.y[vehicle]), *ground.hubs.y[list(hubs)], *drops.y[list(places)], float(v.y[vehicle])]
    legs = np.hypot(np.diff(xs), np.diff(ys)) * (road.detour / 1000.0)
    hours = legs / float(v.km_h[vehicle])
    begins, ends = float(v.begins[vehicle]), float(v.ends[vehicle])
    opens = [begins, *[begins] * len(hubs), *drops.opens[list(places)], begins]
    closes = [ends, *[ends] * len(hubs), *drops.closes[list(places)], ends]
    stay = [0.0, *[road.stop_h] * (len(hubs) + len(places)), 0.0]
    length, early, late = 0.0, begins, ends
    for n in range(1, len(xs)):
        delta = length + float(hours[n - 1])
        wait = max(opens[n] - delta - late, 0.0)
        length, early, late = (
            delta + wait + stay[n],
            max(opens[n] - delta, early) - wait,
            min(closes[n] - delta, late),
        )
    k = 1 + len(hubs)
    ahead = float(hours[:k].sum()) + sum(stay[:k])
    early = min(max(early, first_h - ahead - ROUNDED_H), max(late, early))
    arrive, leave = [early], [early]
    for n in range(1, len(xs)):
        clock = max(leave[-1] + float(hours[n - 1]), opens[n])
        arrive.append(clock)
        leave.append(clock + stay[n])
    return Trip(
        vehicle,
        day,
        hubs,
        places,
        tuple(leave[1:k]),
        tuple(arrive[k:-1]),
        early,
        arrive[-1],
        float(legs.sum()),
    )
