"""An earlier plan: what of it still stands, and what a new one changes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.jobs.process import Shape

from .deliveries_rows import EPOCH, Flags, Floats, Ints, Texts, sums
from .deliveries_setting import Setting
from .deliveries_share import Pieces

#: Amounts that differ by less are the same, kg; hours that do are the same, h.
SAME_KG, SAME_H = 0.02, 2e-3
COLUMNS = ("lot", "need", "quantity_kg", "date", "vehicle", "arrives_h", "leaves_h")


@dataclass(frozen=True)
class Kept:
    """The rows of an earlier plan that name things that are still there. `kg`, `need_kg`: what of each still stands (0: nothing).

    Args:
        trip: a number of each row's vehicle and day; `trip_vehicle`, `trip_day` of each.
        lost: the needs (rows) of which something does not stand any more.
    """

    lot: Ints
    need: Ints
    ratio: Floats
    kg: Floats
    need_kg: Floats
    trip: Ints
    leaves: Floats
    arrives: Floats
    trip_vehicle: Ints
    trip_day: Ints
    lost: Ints

    def some(self, rows: Flags) -> Kept:
        """Only these rows; the trips stay."""
        whole = ("trip_vehicle", "trip_day", "lost")
        return Kept(
            *(getattr(self, f.name) if f.name in whole else getattr(self, f.name)[rows] for f in fields(self))
        )


def within(key: Ints, amount: Floats, limit: Floats) -> Floats:
    """As much of each amount as its key's limit leaves, in the order of the rows."""
    order = np.argsort(key, kind="stable")
    run = np.cumsum(amount[order])
    start = np.r_[0.0, run][np.searchsorted(key[order], key[order])]
    before = run - amount[order] - start
    out = np.empty(len(amount))
    out[order] = np.clip(limit[key[order]] - before, 0.0, amount[order])
    return out


def _number(names: Texts, known: Texts) -> Ints:
    return np.asarray(pd.Index(known).get_indexer(pd.Index(names)), np.int64)


def kept_of(keep: Features, setting: Setting) -> Kept:
    """What of an earlier plan still stands: the lot is usable, fits and holds as much, the need asks as much, the vehicle is there.

    Raises:
        BadInput: the layer is no result of this process.
    """
    absent = [name for name in COLUMNS if name not in keep.table.columns]
    if absent:
        raise BadInput(
            f"has no column {absent[0]!r}: it is no plan of deliveries",
            "layer keep",
            "name a layer `deliveries`",
        )
    table = keep.table.sort_values("id", kind="stable")
    text = {name: table[name].astype(str).to_numpy(object) for name in ("lot", "need", "vehicle", "date")}
    lots, needs, v = setting.lots, setting.needs, setting.vehicles
    lot, need, who = (
        _number(text["lot"], lots.id),
        _number(text["need"], needs.id),
        _number(text["vehicle"], v.id),
    )
    days, of_day = np.unique(text["date"], return_inverse=True)
    day = (days.astype("U10").astype("datetime64[D]") - EPOCH).astype(np.int64)[of_day.reshape(-1)]
    there = (need >= 0) & (who >= 0)
    there &= day == needs.day[np.maximum(need, 0)]
    rows = np.flatnonzero(there)
    lot, need, who, day = lot[rows], need[rows], who[rows], day[rows]
    kg, arrives = table["quantity_kg"].to_numpy(float)[rows], table["arrives_h"].to_numpy(float)[rows]
    ratio = _ratio(setting, lot, need)
    good = (lot >= 0) & (ratio > 0) & (lots.first[lot] <= day) & (lots.last[lot] >= day)
    good &= (arrives >= needs.opens[need] - SAME_H) & (arrives <= needs.closes[need] + SAME_H)
    trips, trip = np.unique(day * (len(v) + 1) + who, return_inverse=True)
    trip = trip.reshape(-1)
    ratio = np.where(good, ratio, 1.0)
    stands = np.where(good, kg, 0.0)
    stands = within(np.maximum(lot, 0), stands, lots.kg)
    stands = within(need, stands / ratio, needs.kg) * ratio
    stands = within(trip, stands, v.kg[trips % (len(v) + 1)])
    need_kg = np.floor(stands / ratio * 100 + 1e-4) / 100
    lost = np.unique(need[need_kg * ratio < kg - SAME_KG])
    return Kept(
        lot, need, ratio, need_kg * ratio, need_kg, trip, table["leaves_h"].to_numpy(float)[rows], arrives,
        trips % (len(v) + 1), trips // (len(v) + 1), lost,
    )  # fmt: skip


def _ratio(setting: Setting, lot: Ints, need: Ints) -> Floats:
    """kg of the lot for one of the need; 0 where it does not fit."""
    specs = setting.specs
    count = len(setting.lots) + 1
    key = specs.spec * count + specs.lot
    order = np.argsort(key)
    asked = specs.of[need] * count + np.maximum(lot, 0)
    if not len(key):
        return np.zeros(len(lot))
    at = np.minimum(np.searchsorted(key[order], asked), len(key) - 1)
    return np.where((key[order][at] == asked) & (lot >= 0), specs.ratio[order][at], 0.0)


def neighbours(setting: Setting, lost: Ints) -> Flags:
    """The needs whose allotments may be shifted to help those that lost something: of the same product, in the same days."""
    needs = setting.needs
    near = np.zeros(len(needs), np.bool_)
    for product in sorted(set(needs.product[lost].tolist())):
        days = needs.day[lost[needs.product[lost] == product]]
        near |= (needs.product == product) & (needs.day >= days.min()) & (needs.day <= days.max())
    return near


def changed(keep: Shape | None, pieces: Pieces, lots: Texts, needs: Texts) -> Texts:
    """Of each piece, how its lot's whole share of its need compares with the earlier plan: new, kept, more or less."""
    out = np.full(len(pieces), "new", object)
    if not isinstance(keep, Features) or not len(keep) or not len(pieces):
        return out
    count = len(lots) + 1
    was_lot, was_need = (
        _number(keep.table["lot"].to_numpy(object), lots),
        _number(keep.table["need"].to_numpy(object), needs),
    )
    key = np.where((was_lot >= 0) & (was_need >= 0), was_need * count + was_lot, -1)
    names, of = np.unique(np.r_[key, pieces.need * count + pieces.lot], return_inverse=True)
    of = of.reshape(-1)
    before = sums(of[: len(key)], keep.table["quantity_kg"].to_numpy(float), len(names))
    there = np.bincount(of[: len(key)], minlength=len(names)) > 0
    mine = of[len(key) :]
    delta = sums(mine, pieces.kg, len(names)) - before
    out[there[mine]] = "kept"
    out[there[mine] & (delta[mine] > SAME_KG)] = "more"
    out[there[mine] & (delta[mine] < -SAME_KG)] = "less"
    return out
