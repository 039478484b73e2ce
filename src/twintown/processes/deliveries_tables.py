"""The layers of a plan: deliveries, loads, unmet needs and the balance by day and product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Provenance

from .deliveries_read import Lots, Needs
from .deliveries_rounds import Drops
from .deliveries_rows import EPOCH, Floats, Ints, Texts, sums
from .deliveries_runs import Ground
from .deliveries_trips import Trips
from .deliveries_why import REASONS, Why

UNITS = {
    "quantity_kg": "kg", "leaves_h": "h", "arrives_h": "h", "price_krw_kg": "[KRW]", "cost_krw": "[KRW]", "km": "km", "kg_co2": "kg",
    "kg": "kg", "hours": "h", "needed_kg": "kg", "delivered_kg": "kg", "substituted_kg": "kg", "unmet_kg": "kg", "wasted_kg": "kg",
    "back_h": "h", "capacity_kg": "kg", "need_kg": "kg",
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """Everything that the layers are made from."""

    lots: Lots
    needs: Needs
    drops: Drops
    drop_of: Ints
    ground: Ground
    trips: Trips
    #: KRW and kg of CO₂ of bringing a kg one km to a gathering point.
    gather_krw: float
    gather_co2: float


def _texts(days: Ints) -> Texts:
    named = {day: str(EPOCH + np.timedelta64(int(day), "D")) for day in np.unique(days).tolist()}
    out = np.empty(len(days), object)
    out[:] = [named[day] for day in days.tolist()]
    return out


def _shape(columns: Mapping[str, object], geometry: object, frame: Frame, provenance: Provenance) -> Features:
    table = gpd.GeoDataFrame(dict(columns), geometry=geometry, crs=frame.crs)
    return Features(table, frame, provenance, {c: u for c, u in UNITS.items() if c in table.columns})


def trip_costs(told: Told) -> tuple[Floats, Floats, Floats]:
    """KRW, kg of CO₂ and kg carried of each trip."""
    trips, v = told.trips, told.ground.fleet.vehicles
    who = np.array([t.vehicle for t in trips.trips], np.int64)
    km = np.array([t.km for t in trips.trips], float)
    carried = sums(trips.of, trips.pieces.kg, len(trips.trips))
    return v.krw_d[who] + km * v.krw_km[who], km * v.kg_co2_km[who], carried


def deliveries(told: Told, changed: Texts, frame: Frame, provenance: Provenance) -> Features:
    """One row a lot, a need and a trip."""
    p, trips, lots, needs = told.trips.pieces, told.trips, told.lots, told.needs
    krw, co2, carried = trip_costs(told)
    share = p.kg / np.maximum(carried[trips.of], 1e-9)
    hub = told.ground.hubs.of[p.lot]
    drop = told.drop_of[p.need]
    leaves, arrives = np.zeros(len(p)), np.zeros(len(p))
    at_hub = {
        (n, h): t for n, one in enumerate(trips.trips) for h, t in zip(one.hubs, one.hub_h, strict=True)
    }
    at_drop = {
        (n, d): t for n, one in enumerate(trips.trips) for d, t in zip(one.drops, one.drop_h, strict=True)
    }
    of = trips.of.tolist()
    leaves[:] = [at_hub[pair] for pair in zip(of, hub.tolist(), strict=True)]
    arrives[:] = [at_drop[pair] for pair in zip(of, drop.tolist(), strict=True)]
    away = told.ground.hubs.away_km[p.lot]
    direct = told.ground.road.km(lots.x[p.lot], lots.y[p.lot], needs.x[p.need], needs.y[p.need])
    ends = np.stack([
        np.stack([lots.x[p.lot], lots.y[p.lot]], axis=1), np.stack([needs.x[p.need], needs.y[p.need]], axis=1)
    ], axis=1) if len(p) else np.zeros((0, 2, 2))  # fmt: skip
    vehicle = (
        np.array([t.vehicle for t in trips.trips], np.int64)[trips.of] if len(p) else np.zeros(0, np.int64)
    )
    named = told.ground.fleet.vehicles.id[vehicle]
    date = _texts(needs.day[p.need])
    stand_in = lots.product[p.lot] != needs.product[p.need]
    columns = {
        "id": np.array([f"d{n + 1:06d}" for n in range(len(p))], object), "lot": lots.id[p.lot], "producer": lots.producer[p.lot],
        "origin": lots.origin[p.lot], "product": lots.product[p.lot], "need": needs.id[p.need], "place": needs.place[p.need],
        "substitute_for": np.where(stand_in, needs.product[p.need], ""), "quantity_kg": np.round(p.kg, 2),
        "need_kg": np.round(p.need_kg, 2), "date": date, "leaves_h": np.round(leaves, 3), "arrives_h": np.round(arrives, 3),
        "vehicle": named, "price_krw_kg": lots.krw_kg[p.lot],
        "cost_krw": np.round(p.kg * (lots.krw_kg[p.lot] + away * told.gather_krw) + krw[trips.of] * share),
        "km": np.round(direct, 2), "kg_co2": np.round(co2[trips.of] * share + p.kg * away * told.gather_co2, 3),
        "changed": changed, "origin_of_last_resort": lots.substitute[p.lot],
    }  # fmt: skip
    return _shape(columns, shapely.linestrings(ends), frame, provenance)


def loads(told: Told, frame: Frame, provenance: Provenance) -> Features:
    """One row a vehicle and day."""
    trips, v, hubs, drops = told.trips.trips, told.ground.fleet.vehicles, told.ground.hubs, told.drops
    krw, co2, carried = trip_costs(told)
    lines = []
    for one in trips:
        stops_x = [v.x[one.vehicle], *hubs.x[list(one.hubs)], *drops.x[list(one.drops)]]
        stops_y = [v.y[one.vehicle], *hubs.y[list(one.hubs)], *drops.y[list(one.drops)]]
        lines.append(shapely.linestrings(stops_x, stops_y))
    days = np.array([t.day for t in trips], np.int64)
    date = _texts(days)
    who = v.id[[t.vehicle for t in trips]] if trips else np.zeros(0, object)
    columns = {
        "id": np.array([f"{d}:{w}" for d, w in zip(date, who, strict=True)], object), "vehicle": who, "date": date,
        "stops": np.array([len(t.hubs) + len(t.drops) for t in trips], np.int64),
        "origins": np.array([len(t.hubs) for t in trips], np.int64), "places": np.array([len(t.drops) for t in trips], np.int64),
        "kg": np.round(carried, 2), "capacity_kg": v.kg[[t.vehicle for t in trips]] if trips else np.zeros(0),
        "km": np.round([t.km for t in trips], 2), "leaves_h": np.round([t.leaves_h for t in trips], 3),
        "back_h": np.round([t.back_h for t in trips], 3), "hours": np.round([t.back_h - t.leaves_h for t in trips], 3),
        "cost_krw": np.round(krw), "kg_co2": np.round(co2, 3),
    }  # fmt: skip
    return _shape(columns, np.array(lines, object), frame, provenance)


def unmet(
    needs: Needs, at: Ints, kg: Floats, why: Sequence[Why], frame: Frame, provenance: Provenance
) -> Features:  # fmt: skip
    """One row a need that is not or not wholly met, with why and what would meet it."""
    columns = {
        "id": needs.id[at], "need": needs.id[at], "place": needs.place[at], "product": needs.product[at], "date": _texts(needs.day[at]),
        "quantity_kg": np.round(kg, 2), "needed_kg": needs.kg[at], "reason": np.array([w.code for w in why], object),
        "reason_ko": np.array([REASONS[w.code][0] for w in why], object),
        "reason_en": np.array([REASONS[w.code][1] for w in why], object),
        "remedy_ko": np.array([w.remedy_ko for w in why], object), "remedy_en": np.array([w.remedy_en for w in why], object),
    }  # fmt: skip
    return _shape(columns, shapely.points(needs.x[at], needs.y[at]), frame, provenance)


def balance(
    needs: Needs, missing: Floats, told: Told, wasted: pd.DataFrame, frame: Frame, provenance: Provenance
) -> Features:  # fmt: skip
    """One row a day and product: what was needed, brought, brought of another product, not met, and what perished of the lots."""
    p = told.trips.pieces
    asked = pd.DataFrame(
        {"day": needs.day, "product": needs.product, "needed_kg": needs.kg, "unmet_kg": missing}
    )
    came = pd.DataFrame({
        "day": needs.day[p.need], "product": needs.product[p.need], "delivered_kg": p.need_kg,
        "substituted_kg": np.where(told.lots.product[p.lot] != needs.product[p.need], p.need_kg, 0.0),
    })  # fmt: skip
    parts = [one.groupby(["day", "product"], sort=True).sum() for one in (asked, came, wasted)]
    whole = pd.concat(parts, axis=1).fillna(0.0).sort_index().reset_index()
    date = _texts(whole["day"].to_numpy(np.int64))
    products = whole["product"].to_numpy(object)
    columns: dict[str, object] = {
        "id": np.array([f"{d}:{p}" for d, p in zip(date, products, strict=True)], object), "date": date, "product": products,
    }  # fmt: skip
    for name in ("needed_kg", "delivered_kg", "substituted_kg", "unmet_kg", "wasted_kg"):
        columns[name] = np.round(whole[name].to_numpy(float), 2)
    return _shape(columns, np.full(len(whole), None, object), frame, provenance)
