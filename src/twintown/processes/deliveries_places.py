"""Where goods begin: gathering points, groups of them that a vehicle collects in one go, and the order in which it does.

Producers within `gather_km` of a gathering point bring their lots there themselves on the eve (so such a lot is there one day later than
it is offered); with 0 a vehicle calls at each origin. Points and groups are chosen farthest first (gonzalez1985), so that the same
lots always give the same points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from .deliveries_read import Lots, Vehicles
from .deliveries_rows import Flags, Floats, Ints

#: Two places closer than this are one, m.
SAME_M = 5.0


@dataclass(frozen=True)
class Hubs:
    """Gathering points. `of`: of each lot, its point; `away_km`: how far its producer brings it; `group`: of each point."""

    x: Floats
    y: Floats
    of: Ints
    away_km: Floats
    group: Ints

    @cached_property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group.max()) + 1 if len(self.group) else 0


@dataclass(frozen=True)
class Collection:
    """A way from one depot past all points of some groups: its points in order, its length, where it ends."""

    groups: tuple[int, ...]
    depot: int
    hubs: tuple[int, ...]
    km: float


def farthest_first(x: Floats, y: Floats, weight: Floats, reach: float, most: int) -> Ints:
    """Centres: the heaviest first, then always the place farthest from all, until none is farther than `reach` or there are `most`."""
    if not len(x):
        return np.zeros(0, np.int64)
    chosen = [int(np.lexsort((y, x, -weight))[0])]
    far = np.hypot(x - x[chosen[0]], y - y[chosen[0]])
    while len(chosen) < most and far.max() > reach:
        chosen.append(int(np.argmax(far)))
        far = np.minimum(far, np.hypot(x - x[chosen[-1]], y - y[chosen[-1]]))
    return np.array(chosen, np.int64)


def hubs_of(lots: Lots, asked: Flags, gather_km: float, detour: float, groups: int) -> Hubs:
    """The gathering points of the lots that are `asked` for, in at most so many groups; the others belong to the first."""
    mine = np.flatnonzero(asked)
    key = np.stack([np.round(lots.x[mine] / SAME_M), np.round(lots.y[mine] / SAME_M)], axis=1)
    _, row, spot = np.unique(key, axis=0, return_index=True, return_inverse=True)
    spot = spot.reshape(-1)
    x, y = lots.x[mine][row], lots.y[mine][row]
    reach = 1000.0 * gather_km / detour
    many = np.bincount(spot, minlength=len(x)).astype(float)
    centres = farthest_first(x, y, many, reach, len(x)) if reach > 0 else np.arange(len(x))
    hx, hy = x[centres], y[centres]
    of, away = np.zeros(len(lots), np.int64), np.zeros(len(lots))
    if len(centres):
        hub = np.hypot(x[:, None] - hx, y[:, None] - hy).argmin(axis=1)[spot]
        of[mine] = hub
        metres = np.hypot(lots.x[mine] - hx[hub], lots.y[mine] - hy[hub])
        away[mine] = np.where(metres < 2 * SAME_M, 0.0, metres * detour / 1000.0)
    heads = farthest_first(hx, hy, np.bincount(of[mine], minlength=len(hx)).astype(float), 0.0, groups)
    group = np.hypot(hx[:, None] - hx[heads], hy[:, None] - hy[heads]).argmin(axis=1) if len(hx) else heads
    return Hubs(hx, hy, of, away, group.astype(np.int64))


@dataclass(frozen=True)
class Fleet:
    """Vehicles that are alike are one kind. `of`: of each vehicle, its kind; `first`: a vehicle of each kind; `count`: how many."""

    vehicles: Vehicles
    of: Ints
    first: Ints
    count: Ints

    def __len__(self) -> int:
        return len(self.first)


def fleet_of(vehicles: Vehicles) -> Fleet:
    """The kinds of vehicles, in the order of their first ids."""
    v = vehicles
    key = np.stack(
        [v.kg, v.krw_km, v.krw_d, v.kg_co2_km, v.begins, v.ends, v.km_h, v.cooled.astype(float), v.x, v.y],
        axis=1,
    )
    _, row, of, count = np.unique(key, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(row, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return Fleet(vehicles, rank[of.reshape(-1)], row[order], count[order])


def collections_of(hubs: Hubs, fleet: Fleet, to_x: float, to_y: float, detour: float) -> list[Collection]:
    """Every set of groups from every depot, its points in a short order towards where the goods go."""
    v = fleet.vehicles
    found = []
    sets = [c for size in range(1, hubs.groups + 1) for c in combinations(range(hubs.groups), size)]
    depots = {(float(v.x[row]), float(v.y[row])): int(row) for row in reversed(fleet.first)}
    for (x, y), depot in depots.items():
        for groups in sets:
            stops = np.flatnonzero(np.isin(hubs.group, groups))
            order = path(np.r_[x, hubs.x[stops], to_x], np.r_[y, hubs.y[stops], to_y])
            way = tuple(int(stops[one - 1]) for one in order[1:-1])
            px, py = np.r_[x, hubs.x[list(way)]], np.r_[y, hubs.y[list(way)]]
            found.append(
                Collection(
                    groups, depot, way, float(np.hypot(np.diff(px), np.diff(py)).sum()) * detour / 1000.0
                )
            )
    return found


def path(x: Floats, y: Floats) -> Ints:
    """A short way from the first place past all others to the last: always the nearest next, then 2-opt until nothing is won."""
    n = len(x)
    far = np.hypot(x[:, None] - x, y[:, None] - y)
    order, left = [0], list(range(1, n - 1))
    while left:
        here = order[-1]
        best = min(left, key=lambda one: (far[here, one], one))
        order.append(best)
        left.remove(best)
    return two_opt(np.array([*order, n - 1], np.int64), far)


def two_opt(order: Ints, far: Floats, rounds: int = 1000) -> Ints:
    """Turn stretches of an open way around while that makes it shorter; its two ends stay."""
    n = len(order)
    if n < 4:
        return order
    upper = np.triu(np.ones((n - 1, n - 1), bool), 1)
    for _ in range(rounds):
        a, b = order[:-1], order[1:]
        leg = far[a, b]
        gain = leg[:, None] + leg[None, :] - far[np.ix_(a, a)] - far[np.ix_(b, b)]
        gain = np.where(upper, gain, -np.inf)
        i, j = np.unravel_index(int(np.argmax(gain)), gain.shape)
        if gain[i, j] <= 1e-6:
            break
        order = np.r_[order[: i + 1], order[i + 1 : j + 1][::-1], order[j + 1 :]]
    return order
