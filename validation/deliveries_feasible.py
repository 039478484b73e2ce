"""Whether plans can be carried out: every row of random small seasons looked at by rules written apart from the process.

`faults` reads layers only: what was asked and what was answered. It knows nothing of rounds, models or prices.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.jobs.process import Ask, run
from twintown.processes.deliveries import PROCESS
from validation.case import Measured

FRAME = Frame("EPSG:5186", undulation_m=24.5, undulation_source="declared for the case")
FROM = Provenance(
    (Source("case", "A small season", "nobody", Licence("CC0-1.0", "CC0"), note="drawn by a seed"),)
)
GRADES = {"": 0, "middle": 2, "upper": 3, "special": 4}
#: What rounding may hide: kg of a row, hours, km.
KG, H, KM = 0.011, 0.003, 0.02
X, Y = 230_000.0, 520_000.0


def layer(rows: list[dict[str, Any]]) -> Features:
    """Rows with `x`, `y` (m) as a layer of points."""
    points = [shapely.Point(row["x"], row["y"]) for row in rows]
    plain = [{k: v for k, v in row.items() if k not in ("x", "y")} for row in rows]
    return Features(gpd.GeoDataFrame(plain, geometry=points, crs=FRAME.crs), FRAME, FROM)


def answered(layers: Mapping[str, Features], **options: Any) -> dict[str, Features]:
    """What the process answers."""
    ask = Ask(dict(layers), FRAME, Bounds(X, Y, X + 1e5, Y + 1e5), "Asia/Seoul", "2027-09-18", options)
    return {name: shape for name, shape in run(PROCESS, ask) if isinstance(shape, Features)}


def lot(id: str, product: str, kg: float, x: float, y: float, **more: Any) -> dict[str, Any]:
    """A lot; metres from the corner of the case."""
    base = {
        "id": id, "producer": f"farm of {id}", "origin_en": "here", "product": product, "grade": "upper", "quantity_kg": kg,
        "error_kg": 0.0, "from": "2027-09-01", "until": "2027-09-30", "shelf_life_d": 60.0, "price_krw_kg": 3000.0, "allergens": "",
        "state": "offered", "promised_kg": 0.0, "substitute": False, "x": X + x, "y": Y + y,
    }  # fmt: skip
    return {**base, **more}


def need(id: str, product: str, kg: float, x: float, y: float, **more: Any) -> dict[str, Any]:
    """A need; metres from the corner of the case."""
    base = {
        "id": id, "place": f"place {x:g} {y:g}", "product": product, "quantity_kg": kg, "date": "2027-09-18", "from_h": 8.0,
        "until_h": 11.0, "price_max_krw_kg": None, "grade_min": "", "allergens_not": "", "substitutes": "", "weight": 1.0,
        "x": X + x, "y": Y + y,
    }  # fmt: skip
    return {**base, **more}


def vehicle(id: str, kg: float, x: float = 0.0, y: float = 0.0, **more: Any) -> dict[str, Any]:
    """A vehicle; metres from the corner of the case."""
    base = {
        "id": id, "capacity_kg": kg, "krw_km": 400.0, "krw_d": 90_000.0, "kg_co2_km": 0.25, "from_h": 4.0, "until_h": 14.0,
        "km_h": 45.0, "cooled": False, "x": X + x, "y": Y + y,
    }  # fmt: skip
    return {**base, **more}


def faults(layers: Mapping[str, Features], made: Mapping[str, Features], **options: Any) -> list[str]:
    """Everything about a plan that could not be carried out or does not add up; empty where all is well."""
    detour, stop_h = options.get("detour", 1.35), options.get("minutes_stop", 8.0) / 60.0
    lots, needs, vehicles = (
        {r["id"]: r for r in layers[n].table.to_dict("records")} for n in ("lots", "needs", "vehicles")
    )
    rows = made["deliveries"].table.to_dict("records")
    found: list[str] = []
    taken: dict[str, float] = defaultdict(float)
    came: dict[str, float] = defaultdict(float)
    trips: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        a, b = lots[row["lot"]], needs[row["need"]]
        taken[row["lot"]] += row["quantity_kg"]
        came[row["need"]] += row["need_kg"]
        trips[row["vehicle"], row["date"]].append(row)
        found += [f"{row['id']}: {text}" for text in _row_faults(row, a, b)]
    found += [
        f"{id}: {kg:.2f} kg taken of {lots[id]['quantity_kg'] - lots[id]['promised_kg']:.2f}" for id, kg in taken.items()
        if kg > lots[id]["quantity_kg"] - lots[id]["promised_kg"] + KG * sum(r["lot"] == id for r in rows)
    ]  # fmt: skip
    short = made["unmet"].table.set_index("need")["quantity_kg"].to_dict()
    for id, row in needs.items():
        missing = row["quantity_kg"] - came.get(id, 0.0)
        if abs(missing - short.get(id, 0.0)) > 0.06:
            found.append(
                f"{id}: {row['quantity_kg']} kg needed, {came.get(id, 0.0):.2f} brought, {short.get(id, 0.0):.2f} said unmet"
            )
    loads = {(r["vehicle"], r["date"]): r for r in made["loads"].table.to_dict("records")}
    if set(loads) != set(trips):
        found.append(f"loads and deliveries differ: {set(loads) ^ set(trips)}")
    for key, mine in ((key, mine) for key, mine in trips.items() if key in loads):
        found += [
            f"{key}: {text}" for text in _trip_faults(mine, loads[key], vehicles[key[0]], detour, stop_h)
        ]
    balance = made["balance"].table
    for name, total in (
        ("needed_kg", sum(n["quantity_kg"] for n in needs.values())),
        ("delivered_kg", sum(came.values())),
    ):
        if abs(balance[name].sum() - total) > 0.01 * (len(balance) + len(rows)):
            found.append(f"the balance says {balance[name].sum():.2f} {name}, the rows {total:.2f}")
    apart = (balance["needed_kg"] - balance["delivered_kg"] - balance["unmet_kg"]).abs().max()
    if apart > 0.05:
        found.append(f"a line of the balance is {apart:.3f} kg out")
    return found


def _row_faults(row: Mapping[str, Any], a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    day = date.fromisoformat(row["date"])
    if row["date"] != b["date"]:
        yield f"comes on {row['date']}, needed on {b['date']}"
    last = min(
        date.fromisoformat(a["until"]), date.fromisoformat(a["from"]) + timedelta(days=int(a["shelf_life_d"]))
    )
    if not date.fromisoformat(a["from"]) <= day <= last:
        yield f"the lot is there from {a['from']} to {last}"
    if a["state"] in ("failed", "recalled"):
        yield f"the lot is {a['state']}"
    ratio = {one.split(":")[0]: float(one.split(":")[1]) for one in b["substitutes"].split(",") if one}
    ratio[b["product"]] = 1.0
    if a["product"] not in ratio:
        yield f"{a['product']} for {b['product']}"
    elif abs(row["quantity_kg"] - ratio[a["product"]] * row["need_kg"]) > KG * (1 + ratio[a["product"]]):
        yield f"{row['quantity_kg']} kg for {row['need_kg']}"
    if GRADES[a["grade"]] < GRADES[b["grade_min"]]:
        yield f"grade {a['grade']} for {b['grade_min']}"
    if (
        b["price_max_krw_kg"] is not None
        and not np.isnan(b["price_max_krw_kg"])
        and a["price_krw_kg"] > b["price_max_krw_kg"]
    ):
        yield "too dear"
    if set(a["allergens"].split(",")) & set(b["allergens_not"].split(",")) - {""}:
        yield "an allergen"
    if not b["from_h"] - H <= row["arrives_h"] <= b["until_h"] + H:
        yield f"arrives at {row['arrives_h']}"


def _trip_faults(
    mine: list[dict[str, Any]], load: Mapping[str, Any], v: Mapping[str, Any], detour: float, stop_h: float
) -> Iterator[str]:  # fmt: skip
    kg = sum(row["quantity_kg"] for row in mine)
    if kg > v["capacity_kg"] + KG * len(mine):
        yield f"carries {kg:.2f} kg of {v['capacity_kg']}"
    if abs(kg - load["kg"]) > KG * len(mine):
        yield f"carries {kg:.2f} kg and says {load['kg']}"
    if load["leaves_h"] < v["from_h"] - H or load["back_h"] > v["until_h"] + H:
        yield f"works {load['leaves_h']}–{load['back_h']} of {v['from_h']}–{v['until_h']}"
    ways = [row["geometry"].coords for row in mine]
    leaves = sorted({(round(row["leaves_h"], 3), way[0]) for row, way in zip(mine, ways, strict=True)})
    calls = sorted({(round(row["arrives_h"], 3), way[1]) for row, way in zip(mine, ways, strict=True)})
    for row in mine:
        if row["leaves_h"] > row["arrives_h"] + H:
            yield f"{row['id']} arrives before it leaves"
    if leaves[-1][0] > calls[0][0] + H:
        yield "delivers before all is collected"
    places = [
        (v["x"], v["y"]) if "x" in v else v["geometry"].coords[0],
        *(p for _, p in leaves),
        *(p for _, p in calls),
    ]
    clock, km = load["leaves_h"], 0.0
    times = [*(t for t, _ in leaves), *(t for t, _ in calls)]
    for n, when in enumerate(times):
        leg = math.dist(places[n], places[n + 1]) * detour / 1000.0
        km += leg
        ready = clock + leg / v["km_h"]
        if n < len(leaves):
            same = leg * 1000 < 1.0 and n > 0  # two lots of one place leave together
            if when + H < ready + (0.0 if same else stop_h):
                yield f"leaves origin {n + 1} at {when:.3f}, could not before {ready + stop_h:.3f}"
            clock = when
        else:
            if when + H < ready:
                yield f"is at place {n + 1 - len(leaves)} at {when:.3f}, could not before {ready:.3f}"
            clock = when + stop_h
    home = math.dist(places[-1], places[0]) * detour / 1000.0
    if load["back_h"] + H < clock + home / v["km_h"]:
        yield f"is back at {load['back_h']}, could not before {clock + home / v['km_h']:.3f}"
    if abs(load["km"] - km - home) > KM:
        yield f"drives {km + home:.2f} km and says {load['km']}"


def season(seed: int, days: int = 3, places: int = 5, vehicles: int = 2) -> dict[str, Features]:
    """A small random season in which not all can be met."""
    rng = np.random.default_rng(seed)
    products = ["rice", "peach", "soybeans"]
    first = date(2027, 9, 10)

    def day(n: int) -> str:
        return (first + timedelta(days=n)).isoformat()

    lots = [
        lot(f"lot-{n}", str(rng.choice(products)), float(rng.integers(5, 25) * 10), *rng.uniform(0, 20_000, 2),
            grade=str(rng.choice(["middle", "upper", "special"])), price_krw_kg=float(rng.integers(20, 50) * 100),
            allergens=str(rng.choice(["", "", "soy"])), state=str(rng.choice(["offered"] * 5 + ["failed"])),
            shelf_life_d=float(rng.choice([1, 3, 60])), promised_kg=float(rng.choice([0, 0, 30])),
            **{"from": day(int(rng.integers(-1, 2)))})
        for n in range(6)
    ]  # fmt: skip
    spots = rng.uniform(0, 12_000, (places, 2)) + np.array([0, 30_000])
    needs = [
        need(f"need-{p}-{d}-{k}", str(rng.choice(products)), float(rng.integers(10, 90)), *spots[p], date=day(d),
             from_h=float(6 + p % 3), until_h=float(9 + p % 3), price_max_krw_kg=float(rng.choice([3000, 4000, 9000])),
             grade_min=str(rng.choice(["", "", "upper"])), allergens_not=str(rng.choice(["", "", "soy"])),
             substitutes=str(rng.choice(["", "soybeans:1.25"])), weight=float(rng.choice([1, 2])))
        for p in range(places) for d in range(days) for k in range(2)
    ]  # fmt: skip
    fleet = [
        vehicle(f"lorry-{n}", float(150 * (n + 1)), 1_000.0 * n, from_h=3.0 + n) for n in range(vehicles)
    ]
    return {"lots": layer(lots), "needs": layer(needs), "vehicles": layer(fleet)}


def failing(lots: Features, id: str) -> Features:
    """The same lots, one of them failed."""
    table = lots.table.copy()
    table.loc[table["id"] == id, "state"] = "failed"
    return lots.with_table(table)


def measure() -> Iterator[Measured]:
    """Faults of plans, and of plans mended after the lot that most goes out of fails."""
    plans, mended, moved, count = 0, 0, 0, 0
    for seed in range(12):
        layers = season(seed, places=4 + seed % 4 * 3, vehicles=2 + seed % 3)
        options = {"gather_km": float(seed % 2 * 8)}
        made = answered(layers, **options)
        plans += 0 if options["gather_km"] else len(faults(layers, made))
        table = made["deliveries"].table
        if not len(table):
            continue
        worst = str(table.groupby("lot")["quantity_kg"].sum().idxmax())
        broken = {**layers, "lots": failing(layers["lots"], worst), "kept": made["deliveries"]}
        again = answered(broken, keep="kept", **options)
        mended += 0 if options["gather_km"] else len(faults(broken, again))
        was = table[table["lot"] != worst].groupby(["lot", "need"])["quantity_kg"].sum()
        now = (
            again["deliveries"]
            .table.groupby(["lot", "need"])["quantity_kg"]
            .sum()
            .reindex(was.index)
            .fillna(0.0)
        )
        moved += int((was - now > 0.02).sum())
        count += len(was)
    name = "deliveries.plan"
    yield Measured(
        name, "deliveries_feasible", "faults of six random plans, looked at row by row", plans, 0, "faults"
    )
    yield Measured(
        name, "deliveries_feasible", "faults of the same plans mended after a lot failed", mended, 0, "faults"
    )
    share = 100.0 * moved / max(count, 1)
    yield Measured(
        name,
        "deliveries_feasible",
        f"allotments of other lots that mending took back, of {count}",
        share,
        10.0,
        "%",
    )
