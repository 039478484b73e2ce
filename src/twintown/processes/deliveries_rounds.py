"""Delivery rounds: which places one vehicle can serve on one way, in which order, at what time.

Route first, cluster second (beasley1983): all places lie on one long way (2-opt), each day's drops keep its order, and a stretch of
it is a round. On days with few drops every stretch may be a round; on days with many the way is cut into rounds once, at least cost for
the vehicles there are (prins2004, section 3.1, with one more index for the number of vehicles). Time windows and working hours are
carried along a way in constant time by the concatenation of vidal2013, equations 3 to 5 (without its time warp: what would be late is
no round). So routes are fixed before anything is allotted, and whatever is proven later is proven for these rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from .deliveries_places import Collection, Fleet, two_opt
from .deliveries_read import Needs
from .deliveries_rows import Flags, Floats, Ints, Texts, numbered, sums

#: A way of more places than this is not shortened by 2-opt: it keeps the order of a space-filling curve.
MOST_TURNED = 900
#: Hours by which a clock may differ, for rounding only.
TINY_H = 1e-7


@dataclass(frozen=True)
class Drops:
    """A place on a day within a window. `of`: of each need its drop; `kg`: what its needs weigh together."""

    of: Ints
    place: Texts
    day: Ints
    opens: Floats
    closes: Floats
    x: Floats
    y: Floats
    kg: Floats

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True)
class Way:
    """Ways with time, element by element: hours on the way, earliest and latest start without needless waiting, km, whether in time."""

    hours: Floats
    early: Floats
    late: Floats
    km: Floats
    good: Flags

    def then(self, other: Way, km: Floats, km_h: float) -> Way:
        """First this, then `km` of road, then the other (vidal2013, equations 3–5 with no time warp)."""
        road = km / km_h
        delta = self.hours + road
        wait = np.maximum(other.early - delta - self.late, 0.0)
        good = self.good & other.good & (self.early + delta <= other.late + TINY_H)
        return Way(
            self.hours + other.hours + road + wait, np.maximum(other.early - delta, self.early) - wait,
            np.minimum(other.late - delta, self.late), self.km + other.km + km, good,
        )  # fmt: skip

    def at(self, rows: Ints | Flags) -> Way:
        """Only these."""
        return Way(*(getattr(self, one.name)[rows] for one in fields(self)))


def drops_of(needs: Needs, heavy: Floats, most_kg: float) -> Drops:
    """The drops of the needs.

    Args:
        heavy: kg of each need at most, substitutes and all.
        most_kg: what is heavier together is several drops, need by need.
    """
    frame = pd.DataFrame(
        {"d": needs.day, "p": needs.place, "o": needs.opens, "c": needs.closes, "x": needs.x, "y": needs.y}
    )
    if np.isfinite(most_kg) and len(frame):
        before = (
            frame.assign(kg=heavy).groupby(list(frame), sort=False)["kg"].cumsum().to_numpy(float) - heavy
        )
        frame["part"] = np.floor((before + heavy - 1e-6) / most_kg).astype(np.int64)
    of = numbered(frame)
    count = int(of.max()) + 1 if len(of) else 0
    row = np.full(count, len(of), np.int64)
    np.minimum.at(row, of, np.arange(len(of)))
    return Drops(
        of, needs.place[row], needs.day[row], needs.opens[row], needs.closes[row], needs.x[row], needs.y[row],
        sums(of, heavy, count) if count else np.zeros(0),
    )  # fmt: skip


def hilbert(x: Floats, y: Floats, bits: int = 12) -> Ints:
    """Where points lie along a Hilbert curve over their bounds."""
    side = 1 << bits
    span = max(float(np.ptp(x)), float(np.ptp(y)), 1.0)
    a = np.minimum(((x - x.min()) / span * side).astype(np.int64), side - 1)
    b = np.minimum(((y - y.min()) / span * side).astype(np.int64), side - 1)
    d = np.zeros(len(x), np.int64)
    s = side // 2
    while s:
        rx, ry = ((a & s) > 0).astype(np.int64), ((b & s) > 0).astype(np.int64)
        d += s * s * ((3 * rx) ^ ry)
        flip = (ry == 0) & (rx == 1)
        a, b = (
            np.where(flip, s - 1 - (a & (s - 1)), a & (s - 1)),
            np.where(flip, s - 1 - (b & (s - 1)), b & (s - 1)),
        )
        swap = ry == 0
        a, b = np.where(swap, b, a), np.where(swap, a, b)
        s //= 2
    return d


def long_way(x: Floats, y: Floats) -> Ints:
    """The rank of each point along one way past all."""
    if len(x) < 2:
        return np.zeros(len(x), np.int64)
    order = np.argsort(hilbert(x, y), kind="stable")
    if len(x) <= MOST_TURNED:
        far = np.hypot(x[:, None] - x, y[:, None] - y)
        order = two_opt(order, far, 4 * len(x))
    rank = np.empty(len(x), np.int64)
    rank[order] = np.arange(len(x))
    return rank


@dataclass(frozen=True)
class Road:
    """How roads are reckoned. `detour`: road over straight line; `stop_h`: hours at each stop."""

    detour: float
    stop_h: float

    def km(self, ax: Floats, ay: Floats, bx: Floats, by: Floats) -> Floats:
        """Kilometres of road between points."""
        return np.asarray(np.hypot(ax - bx, ay - by) * (self.detour / 1000.0))


def stops_way(drops: Drops, rows: Ints, road: Road) -> Way:
    """Each of the drops as a way of its own."""
    zero = np.zeros(len(rows))
    return Way(zero + road.stop_h, drops.opens[rows], drops.closes[rows], zero, np.ones(len(rows), np.bool_))


def leaving(collection: Collection, fleet: Fleet, kind: int, road: Road, count: int) -> Way:
    """From the depot past the points of a collection, as so many equal ways."""
    v, row = fleet.vehicles, fleet.first[kind]
    hours = collection.km / v.km_h[row] + len(collection.hubs) * road.stop_h
    full = np.ones(count)
    return Way(
        hours * full, v.begins[row] * full, v.ends[row] * full, collection.km * full, np.ones(count, np.bool_)
    )


def whole(
    middle: Way, head: tuple[Floats, Floats], tail: tuple[Floats, Floats], end: tuple[float, float], collection: Collection,
    fleet: Fleet, kind: int, road: Road,
) -> Way:  # fmt: skip
    """Depot, collection, a round (its first place `head`, its last `tail`), depot; `end`: where the collection ends."""
    v, row, n = fleet.vehicles, fleet.first[kind], len(head[0])
    full = np.ones(n)
    out = leaving(collection, fleet, kind, road, n).then(
        middle, road.km(end[0] * full, end[1] * full, *head), float(v.km_h[row])
    )
    home = Way(0 * full, v.begins[row] * full, v.ends[row] * full, 0 * full, np.ones(n, np.bool_))
    return out.then(home, road.km(*tail, v.x[row] * full, v.y[row] * full), float(v.km_h[row]))


@dataclass(frozen=True)
class Rounds:
    """Stretches of drops: round r holds `stops[first[r] : first[r] + count[r]]`, all of `day[r]`."""

    day: Ints
    first: Ints
    count: Ints
    stops: Ints

    def __len__(self) -> int:
        return len(self.day)

    def place_in(self, round: Ints, drop: Ints) -> Ints:
        """Of each pair of a round and a drop of it, how many drops come before."""
        size = int(self.stops.max(initial=0)) + 1
        of = np.repeat(np.arange(len(self)), self.count)
        key = of * size + self.stops
        order = np.argsort(key)
        at = np.searchsorted(key[order], round * size + drop)
        return np.asarray(order[at] - self.first[round])


def stretches(order: Ints, drops: Drops, km_h: float, road: Road, most_kg: float) -> list[Way]:
    """All stretches of an ordered day: entry L - 1 holds those of L drops by where they begin; ends where none is good any more."""
    one = stops_way(drops, order, road)
    kg = drops.kg[order]
    x, y = drops.x[order], drops.y[order]
    found, load = [one], kg.copy()
    while len(found) < len(order):
        length = len(found)
        before, n = found[-1], len(order) - length
        hop = road.km(x[length - 1 : -1], y[length - 1 : -1], x[length:], y[length:])
        longer = before.at(np.arange(n)).then(one.at(np.arange(length, length + n)), hop, km_h)
        load = load[:n] + kg[length:]
        longer = Way(
            longer.hours, longer.early, longer.late, longer.km, longer.good & (load <= most_kg + 1e-9)
        )
        if not longer.good.any():
            break
        found.append(longer)
    return found


def day_order(rows: Ints, drops: Drops, rank: Ints) -> Ints:
    """The drops of a day as a vehicle would take them: by window, and along the long way within equal windows."""
    window = np.stack([drops.closes[rows], drops.opens[rows]], axis=1)
    _, of = np.unique(window, axis=0, return_inverse=True)
    return rows[np.lexsort((drops.place[rows].astype(str), rank[rows], of.reshape(-1)))]


def cut(count: int, costs: list[list[Floats]], vehicles: Ints, turns: int = 12) -> list[tuple[int, int]]:
    """Cut a way of so many drops into stretches of least cost for the vehicles there are.

    A kind of vehicle of which more would be used than there are is made dearer, and the way cut again, `turns` times at most; the cut
    that most needs no vehicle too many, and then the cheapest, is taken.

    Args:
        costs: of each kind, entry L - 1: of each beginning, the cost of the stretch of L drops; infinite where it is none.
        vehicles: how many there are of each kind.

    Returns:
        Beginning and length of each stretch. Drops that are in no good stretch are passed over.
    """
    longest = max(len(one) for one in costs)
    table = np.full((len(costs), count + 1, longest), np.inf)  # kind, end, length - 1
    for kind, ways in enumerate(costs):
        for number, cost in enumerate(ways):
            table[kind, number + 1 : number + 1 + len(cost), number] = cost
    finite = np.isfinite(table)
    if not finite.any():
        return []
    dear = float(table[finite].max()) + 1.0
    price = np.zeros(len(costs))
    best: tuple[float, float, list[tuple[int, int]]] | None = None
    for turn in range(turns):
        priced = table + price[:, None, None]
        found = _least(priced.min(axis=0), 100.0 * dear)
        ends = np.array([begin + length for begin, length in found], np.int64)
        lengths = np.array([length for _, length in found], np.int64)
        kind = priced[:, ends, lengths - 1].argmin(axis=0)
        used = np.bincount(kind, minlength=len(costs))
        over = np.maximum(used - vehicles, 0)
        krw = float(table[kind, ends, lengths - 1].sum()) + 100.0 * dear * (count - int(lengths.sum()))
        if best is None or (float(over.sum()), krw) < best[:2]:
            best = float(over.sum()), krw, found
        if turn == 0 and not over.any():
            break
        step = dear * 0.3 / (1.0 + turn)
        price = np.maximum(
            price + step * np.clip((used - vehicles) / np.maximum(vehicles, 1), -1.0, 1.0), 0.0
        )
    return best[2] if best else []


def _least(cost: Floats, skip: float) -> list[tuple[int, int]]:
    """The cheapest way to cut; `cost[end, length - 1]`; a drop that is passed over costs `skip`."""
    count, longest = cost.shape[0] - 1, cost.shape[1]
    reached = np.full(
        count + 1 + longest, np.inf
    )  # shifted by `longest`, so that every stretch has a beginning
    reached[longest] = 0.0
    back = np.zeros(count + 1, np.int64)
    for end in range(1, count + 1):
        here = reached[end : end + longest][::-1] + cost[end]
        length = int(here.argmin())
        passed = reached[longest + end - 1] + skip
        if here[length] < passed:
            reached[longest + end], back[end] = here[length], length + 1
        else:
            reached[longest + end] = passed
    found, end = [], count
    while end > 0:
        if back[end]:
            found.append((end - int(back[end]), int(back[end])))
        end -= max(int(back[end]), 1)
    return found[::-1]
