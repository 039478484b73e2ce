"""A plan mended: what still stands of an earlier one stays, trips and all, and only what is open is decided.

Open are the needs that lost something, what their neighbours (same product, same days) get, and what was not met before. A kg that
changes hands counts `CHANGE_KRW`. Trips of the earlier plan go on for nothing, as far as they have room; more are driven by vehicles that
stay at home that day. The proven gap is that of the open part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twintown.ground.features import Features

from .deliveries_case import Case, cells_of, run_krw_of, wanted_of
from .deliveries_kept import Kept, kept_of, neighbours, within
from .deliveries_model import Model, flows_of, model_of
from .deliveries_rounds import Drops, Rounds, drops_of
from .deliveries_rows import Floats, Ints, sums
from .deliveries_runs import Runs, rounds_of, runs_of, services_of_drops
from .deliveries_setting import Fits, Setting
from .deliveries_share import CRUMB_KG, Pieces, pieces_of
from .deliveries_solve import Solution, solved
from .deliveries_trips import Trip, Trips, timetable, trips_of

#: What it counts when a kg goes elsewhere than before, KRW; assumed.
CHANGE_KRW = 2_000.0


@dataclass(frozen=True)
class Earlier:
    """The trips of the earlier plan that matter: `trip` of each of the first rounds; its drops in order are that round."""

    trip: Ints
    rounds: Rounds
    bits: Ints
    kind: Ints
    spare_kg: Floats


def again(setting: Setting, keep: Features, gap: float, seconds: float) -> tuple[Case, Solution, Trips]:
    """The mended plan. Raises like `kept_of`."""
    kept = kept_of(keep, setting)
    needs, lots = setting.needs, setting.lots
    near = neighbours(setting, kept.lost)
    free = near[kept.need]
    frozen = kept.some(~free)
    open_kg = np.round(needs.kg - sums(frozen.need, frozen.need_kg, len(needs)), 2)
    room = lots.kg - sums(np.maximum(frozen.lot, 0), frozen.kg, len(lots))
    asked = np.flatnonzero(open_kg >= np.minimum(CRUMB_KG, np.maximum(needs.kg, 1e-9)))
    fits = setting.fits(np.unique(setting.wishes.of[asked]))
    has = room[fits.lot] >= CRUMB_KG
    fits = Fits(fits.wish[has], fits.lot[has], fits.ratio[has], fits.krw[has])
    fitting = np.zeros(len(setting.wishes), np.bool_)
    fitting[fits.wish] = True
    rows = asked[fitting[setting.wishes.of[asked]]]
    heavy = np.zeros(len(needs))
    heavy[rows] = open_kg[rows]
    drops = drops_of(needs, heavy, np.inf)
    earlier = _earlier(setting, kept, frozen, drops, rows)
    rounds = _with_new(setting, earlier, drops, rows)
    count = len(earlier.trip)
    wanted = wanted_of(setting, fits, drops.of[rows], rows, len(drops), rounds)
    wanted[:count] |= earlier.bits
    runs, run_krw = _runs(setting, earlier, rounds, drops, wanted)
    atom, service = services_of_drops(rounds, runs, len(drops))
    cells = cells_of(setting, open_kg, np.arange(len(drops)), drops.of, rows)
    k_wish, k_lot, k_kg = _kept_pairs(setting, kept.some(free))
    there = np.isin(k_wish * (len(lots) + 1) + k_lot, fits.wish * (len(lots) + 1) + fits.lot)
    k_wish, k_lot, k_kg = k_wish[there], k_lot[there], k_kg[there]
    at = {pair: n for n, pair in enumerate(zip(fits.wish.tolist(), fits.lot.tolist(), strict=True))}
    same = np.array([at[pair] for pair in zip(k_wish.tolist(), k_lot.tolist(), strict=True)], np.int64)
    flows = flows_of(
        np.r_[fits.wish, k_wish], np.r_[fits.lot, k_lot], np.r_[fits.ratio, fits.ratio[same]],
        np.r_[fits.krw, fits.krw[same] - CHANGE_KRW], setting.product, setting.group, cells, atom, service, runs.groups,
    )  # fmt: skip
    model = model_of(
        room, cells, flows, runs, rounds.day[runs.round[runs.service]], setting.ground.fleet, run_krw
    )
    model = _limited(setting, model, kept, earlier, rounds)
    model = replace(
        model, x_most=np.r_[np.full(len(fits.lot), np.inf), k_kg], extra_krw=CHANGE_KRW * float(k_kg.sum())
    )
    solution = solved(model, gap, seconds)
    trips = _trips(setting, model, solution, kept, free, earlier, rounds, drops, open_kg)
    return Case(setting, drops, drops.of, rounds, runs, model), solution, trips


def _earlier(setting: Setting, kept: Kept, frozen: Kept, drops: Drops, rows: Ints) -> Earlier:
    """The earlier trips that call where something is open."""
    hubs, v, fleet = setting.ground.hubs, setting.vehicles, setting.ground.fleet
    wanted = np.zeros(len(drops), np.bool_)
    wanted[drops.of[rows]] = True
    drop = drops.of[kept.need]
    trip = np.unique(kept.trip[wanted[drop]])
    order = np.lexsort((drop, kept.arrives, kept.trip))
    pair = np.stack([kept.trip[order], drop[order]], axis=1)
    _, first = np.unique(pair, axis=0, return_index=True)
    seq = order[np.sort(first)]
    seq = seq[np.isin(kept.trip[seq], trip)]
    count = np.bincount(np.searchsorted(trip, kept.trip[seq]), minlength=len(trip))
    bits = np.zeros(len(kept.trip_day), np.int64)
    mine = kept.lot >= 0
    np.bitwise_or.at(bits, kept.trip[mine], 1 << hubs.group[hubs.of[kept.lot[mine]]])
    load = sums(frozen.trip, frozen.kg, len(kept.trip_day))
    who = kept.trip_vehicle[trip]
    rounds = Rounds(kept.trip_day[trip], np.cumsum(count) - count, count, drop[seq])
    return Earlier(trip, rounds, bits[trip], fleet.of[who], np.maximum(v.kg[who] - load[trip], 0.0))


def _with_new(setting: Setting, earlier: Earlier, drops: Drops, rows: Ints) -> Rounds:
    """The earlier trips as rounds, and new ones for where something is open (where the days are full: and nobody calls)."""
    mask = np.zeros(len(drops), np.bool_)
    mask[drops.of[rows]] = True
    if not setting.every:
        mask[earlier.rounds.stops] = False
    sub = np.flatnonzero(mask)
    some = Drops(
        drops.of, *(getattr(drops, n)[sub] for n in ("place", "day", "opens", "closes", "x", "y", "kg"))
    )
    new = rounds_of(some, setting.ground, setting.every, setting.main)
    old = earlier.rounds
    return Rounds(
        np.r_[old.day, new.day], np.r_[old.first, new.first + len(old.stops)], np.r_[old.count, new.count],
        np.r_[old.stops, sub[new.stops]],
    )  # fmt: skip


def _runs(
    setting: Setting, earlier: Earlier, rounds: Rounds, drops: Drops, wanted: Ints
) -> tuple[Runs, Floats]:
    """All runs; an earlier trip by its own vehicle only, for what it costs more than before."""
    runs = runs_of(rounds, drops, setting.ground, wanted)
    krw = run_krw_of(setting, runs)
    count = len(earlier.trip)
    of, bits = runs.round[runs.service], runs.groups[runs.service]
    old = of < count
    base = np.where(old, np.r_[earlier.bits, 0][np.minimum(of, count)], 0)
    kind = np.where(old, np.r_[earlier.kind, 0][np.minimum(of, count)], runs.kind)
    keep = (runs.kind == kind) & ((bits & base) == base)
    before = np.zeros(len(rounds))
    same = keep & old & (bits == base)
    before[of[same]] = krw[same]
    names = ("service", "kind", "collection", "krw", "kg_co2", "hours", "km")
    runs = replace(runs, **{name: getattr(runs, name)[keep] for name in names})
    return runs, np.where(old, np.maximum(krw - before[of], 0.0), krw)[keep]


def _kept_pairs(setting: Setting, kept: Kept) -> tuple[Ints, Ints, Floats]:
    """What each wish had of each lot, kg of the need."""
    stands = kept.need_kg > 0
    count = len(setting.lots) + 1
    key, of = np.unique(setting.wishes.of[kept.need[stands]] * count + kept.lot[stands], return_inverse=True)
    return key // count, key % count, sums(of.reshape(-1), kept.need_kg[stands], len(key))


def _limited(setting: Setting, model: Model, kept: Kept, earlier: Earlier, rounds: Rounds) -> Model:
    """Earlier trips have the room that is left; other vehicles are those that stay at home on the day."""
    fleet, count = setting.ground.fleet, len(earlier.trip)
    of = model.runs.round[model.runs.service]
    old = of < count
    days = np.unique(model.run_day)
    used = np.zeros((len(days), len(fleet)), np.int64)
    mine = np.isin(kept.trip_day, days)
    np.add.at(used, (np.searchsorted(days, kept.trip_day[mine]), fleet.of[kept.trip_vehicle[mine]]), 1)
    left = np.maximum(np.tile(fleet.count, len(days)) - used.ravel(), 0)
    spare = np.r_[earlier.spare_kg, 0.0][np.minimum(of, count)]
    return replace(
        model, run_kg=np.where(old, np.minimum(spare, model.run_load), model.run_kg), run_most=np.where(old, 1, model.run_most),
        run_pool=np.where(old, len(left) + of, model.run_pool), pool_count=np.r_[left, np.ones(count, np.int64)],
    )  # fmt: skip


def _stays(
    setting: Setting, model: Model, solution: Solution, kept: Kept, earlier: Earlier
) -> tuple[Floats, Solution]:
    """How much of each open kept row stays, kg of the need; and what is left of the solution to share out anew."""
    f, runs, wishes = model.flows, model.runs, setting.wishes
    streams = len(f.stream_wish) + 1
    products, groups = int(setting.product.max()) + 1, max(setting.ground.hubs.groups, 1)
    s_key = (f.stream_wish * products + setting.product[f.lot[_first(f.stream)]]) * groups + f.stream_group
    s_order = np.argsort(s_key)
    asked = (wishes.of[kept.need] * products + setting.product[kept.lot]) * groups + setting.group[kept.lot]
    at = np.minimum(np.searchsorted(s_key[s_order], asked), len(s_key) - 1)
    stream = np.where(s_key[s_order][at] == asked, s_order[at], streams - 1)
    size = len(runs.round) and int(runs.round.max()) + 1
    place = np.searchsorted(earlier.trip, kept.trip)
    z_key = (f.cell * (size + 1) + runs.round[f.service]) * streams + f.z_stream
    r_key = (model.cells.of[kept.need] * (size + 1) + place) * streams + stream
    names, of = np.unique(np.r_[z_key, r_key], return_inverse=True)
    of = of.reshape(-1)
    rides = sums(of[: len(z_key)], solution.z, len(names))
    stay = within(of[len(z_key) :], kept.need_kg, rides + 1e-6)
    count = len(setting.lots) + 1
    x_key, p_key = f.stream_wish[f.stream] * count + f.lot, wishes.of[kept.need] * count + kept.lot
    names_x, of_x = np.unique(np.r_[x_key, p_key], return_inverse=True)
    of_x = of_x.reshape(-1)
    taken = sums(of_x[: len(x_key)], solution.x, len(names_x))
    stay = np.floor(within(of_x[len(x_key) :], stay, taken + 1e-6) * 100 + 1e-4) / 100
    z = solution.z - within(of[: len(z_key)], solution.z, sums(of[len(z_key) :], stay, len(names)))
    x = solution.x - within(of_x[: len(x_key)], solution.x, sums(of_x[len(x_key) :], stay, len(names_x)))
    return stay, replace(solution, x=x, z=z)


def _first(stream: Ints) -> Ints:
    """A row of each stream."""
    return np.unique(stream, return_index=True)[1]


def _trips(
    setting: Setting, model: Model, solution: Solution, kept: Kept, free: np.ndarray, earlier: Earlier, rounds: Rounds,
    drops: Drops, open_kg: Floats,
) -> Trips:  # fmt: skip
    """Earlier trips with what stays on them and what is new, and new trips."""
    needs, lots, count = setting.needs, setting.lots, len(earlier.trip)
    loose = free & (kept.need_kg > 0)
    stay, rest = np.zeros(0), solution
    if len(model.flows.lot) and loose.any():
        stay, rest = _stays(setting, model, solution, kept.some(loose), earlier)
    kg = np.where(free, 0.0, kept.need_kg)
    kg[loose] = stay if len(stay) else 0.0
    still = kg > 0
    open_now = open_kg - sums(kept.need[loose], kg[loose], len(needs))
    new = pieces_of(model, rest, replace(needs, kg=np.maximum(open_now, 0.0)), lots)
    of_round = model.runs.round[new.service]
    old = of_round < count
    trip = np.r_[kept.trip[still], earlier.trip[of_round[old]]]
    lot, need = np.r_[kept.lot[still], new.lot[old]], np.r_[kept.need[still], new.need[old]]
    need_kg = np.r_[kg[still], new.need_kg[old]]
    kilos = np.r_[(kg * kept.ratio)[still], new.kg[old]]
    key, of = np.unique((trip * len(needs) + need) * len(lots) + lot, return_inverse=True)
    of = of.reshape(-1)
    lot, need, trip = key % len(lots), key // len(lots) % len(needs), key // len(lots) // len(needs)
    service = np.full(len(key), -1, np.int64)
    pieces = Pieces(lot, need, service, sums(of, need_kg, len(key)), sums(of, kilos, len(key)))
    found = _timetables(setting, kept, pieces, trip, drops)
    there = np.unique(trip)
    driven = np.where(model.runs.round[model.runs.service] >= count, np.round(solution.y), 0).astype(np.int64)
    fresh = Pieces(*(getattr(new, n)[~old] for n in ("lot", "need", "service", "need_kg", "kg")))
    taken = {(one.day, one.vehicle) for one in found}
    more = trips_of(fresh, driven, model.runs, rounds, drops, drops.of, setting.ground, taken)
    both = Pieces(
        *(
            np.r_[getattr(pieces, n), getattr(more.pieces, n)]
            for n in ("lot", "need", "service", "need_kg", "kg")
        )
    )
    return Trips((*found, *more.trips), np.r_[np.searchsorted(there, trip), more.of + len(found)], both)


def _timetables(setting: Setting, kept: Kept, pieces: Pieces, trip: Ints, drops: Drops) -> list[Trip]:
    """The earlier trips as they are driven now: in the earlier order, and at the earlier hours where that can be."""
    ground, bits_of = setting.ground, setting.ground.hubs.group
    hubs = _in_turn(
        trip, ground.hubs.of[pieces.lot], kept.trip, ground.hubs.of[np.maximum(kept.lot, 0)], kept.leaves
    )
    calls = _in_turn(trip, drops.of[pieces.need], kept.trip, drops.of[kept.need], kept.arrives)
    found = []
    for one in np.unique(trip).tolist():
        vehicle, (stops, left_h) = int(kept.trip_vehicle[one]), hubs[one]
        if not np.isfinite(left_h[-1]):  # it calls at an origin where it did not before
            groups = tuple(sorted({int(bits_of[n]) for n in stops}))
            ways = [ground.collections[n] for n in ground.of(int(ground.fleet.of[vehicle]))]
            stops = [n for n in next(way.hubs for way in ways if way.groups == groups) if n in stops]
        places, hours = calls[one]
        found.append(
            timetable(vehicle, int(kept.trip_day[one]), tuple(stops), tuple(places), drops, ground, hours[0])
        )
    return found


def _in_turn(
    trip: Ints, stop: Ints, was_trip: Ints, was_stop: Ints, was_h: Floats
) -> dict[int, tuple[list[int], list[float]]]:
    """Of each trip its stops in their earlier order, with the earlier hours; those that are new come last, infinitely late."""
    size = int(max(stop.max(initial=0), was_stop.max(initial=0))) + 1
    names, of = np.unique(np.r_[trip * size + stop, was_trip * size + was_stop], return_inverse=True)
    hour = np.full(len(names), np.inf)
    np.minimum.at(hour, of.reshape(-1)[len(trip) :], was_h)
    now = np.zeros(len(names), np.bool_)
    now[of.reshape(-1)[: len(trip)]] = True
    names, hour = names[now], hour[now]
    order = np.lexsort((names, hour, names // size))
    names, hour = names[order], hour[order]
    trips, first = np.unique(names // size, return_index=True)
    ends = np.r_[first, len(names)][1:]
    return {
        int(t): ((names[a:b] % size).tolist(), hour[a:b].tolist())
        for t, a, b in zip(trips, first, ends, strict=True)
    }
