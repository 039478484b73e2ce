"""From layers to a plan: read, fit, lay rounds, decide, share out, and say why what is left is left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Shape

from . import deliveries_tables as tables
from .deliveries_apart import once, solved_apart
from .deliveries_case import Case, case_of
from .deliveries_kept import changed
from .deliveries_read import EPOCH, Floats, Ints, Lots, Needs, lots_of, needs_of, vehicles_of
from .deliveries_share import pieces_of
from .deliveries_solve import SMALL, Solution, columns_in, solved
from .deliveries_trips import Trips, trips_of
from .deliveries_why import Why, barred, held_back

#: Less than this is no delivery and no shortage, kg: what is left of sharing out in steps of 10 g.
CRUMB_KG = 0.05


def day_of(text: str) -> int | None:
    """Days since 1970 of an ISO date; none where it is none."""
    try:
        return int((np.datetime64(text, "D") - EPOCH).astype(np.int64)) if len(text) == 10 else None
    except ValueError:
        return None


def accept(options: Mapping[str, Any]) -> None:
    """
    Raises:
        BadParameter: the first day is no date.
    """
    if options["start"] and day_of(options["start"]) is None:
        raise BadParameter("start", f"{options['start']!r} is no date", remedy="write it as 2027-09-18")


def span_of(options: Mapping[str, Any], needs: Needs) -> tuple[int, int]:
    """First day, and the day after the last."""
    start = day_of(options["start"]) if options["start"] else int(needs.day.min())
    if start is None:
        raise BadParameter("start", f"{options['start']!r} is no date", remedy="write it as 2027-09-18")
    return start, start + options["days"] if options["days"] else max(int(needs.day.max()), start) + 1


def plan(ask: Ask, version: str) -> Iterator[tuple[str, Shape]]:
    """The four layers.

    Raises:
        BadInput: a row cannot be taken; names it.
    """
    begun = time.monotonic()
    options = ask.options
    ask.progress("reading lots, needs and vehicles", 0.0)
    lots = lots_of(ask.layers["lots"], float(options["caution"]))
    every, vehicles = needs_of(ask.layers["needs"]), vehicles_of(ask.layers["vehicles"])
    start, end = span_of(options, every)
    inside = (every.day >= start) & (every.day < end)
    if not inside.any():
        raise BadInput(
            f"nothing is needed in the days from {EPOCH + start} on", "layer needs", "choose other days"
        )
    needs = every.some(inside)
    ask.progress("laying rounds", 0.1)
    case = case_of(lots, needs, vehicles, options, start, end)
    ask.progress("deciding", 0.3)
    solution = decided(case, options, ask)
    ask.progress("sharing out", 0.8)
    pieces = pieces_of(case.model, solution, needs, case.lots, case.specs)
    trips = trips_of(
        pieces, solution.y.astype(np.int64), case.runs, case.rounds, case.drops, case.drop_of, case.ground
    )
    step = Step(
        "allotment and delivery", f"twintown.processes.deliveries {version}",
        {**{name: value for name, value in options.items() if name != "seconds"}, **_attributes(case, solution)},
    )  # fmt: skip
    provenance = Provenance.of((ask.layers[name].provenance for name in ("lots", "needs", "vehicles")), step)
    yield from _layers(ask, case, trips, provenance, every.some(~inside), (start, end))
    ask.progress(f"done in {time.monotonic() - begun:.1f} s", 1.0)


def decided(case: Case, options: Mapping[str, Any], ask: Ask) -> Solution:
    """The plan: of a small question by branch and bound over the whole, of a large one day by day at prices of lots."""
    model, gap, seconds = case.model, float(options["gap"]), float(options["seconds"])
    if case.every or columns_in(model) <= SMALL or not len(case.runs.kind):
        return solved(model, gap, seconds)
    apart, kept = once(model, len(case.rounds))
    part = solved_apart(apart, model.cells.atom, len(case.rounds), gap, seconds, ask.progress)
    y = np.zeros(len(case.runs.kind))
    y[kept] = part.y
    held = float(
        model.cells.worth @ (model.cells.kg - apart.cells.kg)
    )  # heavier than any vehicle: no plan can bring it
    return replace(part, y=y, krw=part.krw + held, bound_krw=part.bound_krw + held)


def _attributes(case: Case, solution: Solution) -> dict[str, Any]:
    return {
        "objective_krw": round(solution.krw), "bound_krw": round(solution.bound_krw), "proven_gap": round(solution.gap, 6),
        "status": solution.status, "driving_krw": round(float(case.model.run_krw @ solution.y)), "needs": len(case.needs), "lots": len(case.lots), "vehicles": len(case.vehicles),
        "rounds": len(case.rounds), "columns": columns_in(case.model),
    }  # fmt: skip


def _layers(
    ask: Ask, case: Case, trips: Trips, provenance: Provenance, outside: Needs, span: tuple[int, int]
) -> Iterator[tuple[str, Shape]]:  # fmt: skip
    needs, lots = case.needs, case.lots
    told = tables.Told(
        lots, needs, case.drops, case.drop_of, case.ground, trips, case.gather_krw, case.gather_co2
    )
    came = np.bincount(trips.pieces.need, trips.pieces.need_kg, len(needs))
    missing = np.maximum(np.round(needs.kg - came, 2), 0.0)
    left = np.maximum(lots.kg - np.bincount(trips.pieces.lot, trips.pieces.kg, len(lots)), 0.0)
    keep = ask.layers.get(str(ask.options["keep"])) if ask.options["keep"] else None
    yield (
        "deliveries",
        tables.deliveries(told, changed(keep, trips.pieces, lots, needs), ask.frame, provenance),
    )
    yield "loads", tables.loads(told, ask.frame, provenance)
    rows = np.flatnonzero(missing >= CRUMB_KG)
    why = reasons(case, trips, rows, missing, left)
    both = _joined(needs, outside)
    far = np.arange(len(needs), len(both))
    yield "unmet", tables.unmet(
        both, [*rows.tolist(), *far.tolist()], [*missing[rows].tolist(), *outside.kg.tolist()],
        [*why, *[_outside(span)] * len(outside)], ask.frame, provenance,
    )  # fmt: skip
    yield "balance", tables.balance(needs, missing, told, wasted(lots, left, span), ask.frame, provenance)


def _joined(one: Needs, other: Needs) -> Needs:
    return Needs(
        **{n: np.concatenate([getattr(one, n), getattr(other, n)]) for n in one.__dataclass_fields__}
    )


def _outside(span: tuple[int, int]) -> Why:
    first, last = str(EPOCH + span[0]), str(EPOCH + span[1] - 1)
    return Why(
        "outside-days",
        f"{first}부터 {last}까지만 계획했습니다. 기간을 넓힙니다",
        f"only {first} to {last} was planned: choose more days",
    )


def wasted(lots: Lots, left: Floats, span: tuple[int, int]) -> pd.DataFrame:
    """kg of usable lots that perish undelivered within the days, by day and product."""
    gone = lots.usable & (lots.last >= span[0]) & (lots.last < span[1]) & (left > 0)
    return pd.DataFrame({"day": lots.last[gone], "product": lots.product[gone], "wasted_kg": left[gone]})


def reasons(case: Case, trips: Trips, rows: Ints, missing: Floats, left: Floats) -> list[Why]:
    """Why each of these needs is not wholly met; alike ones are looked at once."""
    needs, lots, v = case.needs, case.lots, case.vehicles
    busy: dict[int, set[int]] = {}
    for one in trips.trips:
        busy.setdefault(one.day, set()).add(one.vehicle)
    spare_kinds = {
        day: {
            int(k) for k in case.ground.fleet.of[[n for n in range(len(v)) if n not in busy.get(day, set())]]
        }
        for day in set(needs.day[rows].tolist())
    }
    reach, group = (
        case.reach_of_drop(),
        case.ground.hubs.group[case.ground.hubs.of] if case.ground.hubs.groups else case.ground.hubs.of,
    )
    found: list[Why] = []
    known: dict[tuple[Any, ...], Why] = {}
    for row in rows.tolist():
        spec, day, drop = int(case.specs.of[row]), int(needs.day[row]), int(case.drop_of[row])
        there = case.lots_of_wish(spec, day)
        kinds, bits = reach.get(drop, (frozenset(), 0))
        window = float(needs.opens[row]), float(needs.closes[row])
        key = (spec, day, float(needs.krw_max[row]), round(float(missing[row]), 1), kinds, bits, window)
        if key not in known:
            kg, near = float(missing[row]), {lot for lot in there if bits >> int(group[lot]) & 1}
            known[key] = (
                held_back(
                    row, kg, needs, lots, left, there, near, bool(kinds), bool(kinds & spare_kinds[day])
                )
                if there
                else barred(row, kg, needs, lots)
            )
        found.append(known[key])
    return found
