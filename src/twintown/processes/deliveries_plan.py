"""From layers to a plan: read, lay out, decide, share out, and say why what is left is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Shape

from . import deliveries_tables as tables
from .deliveries_again import again
from .deliveries_apart import once, solved_apart
from .deliveries_case import Case, case_of
from .deliveries_kept import changed
from .deliveries_read import Needs, lots_of, needs_of, vehicles_of
from .deliveries_rows import EPOCH, sums
from .deliveries_setting import GATHER_CO2, GATHER_KRW, Setting, setting_of
from .deliveries_share import CRUMB_KG, pieces_of
from .deliveries_solve import SMALL, Solution, columns_in, solved
from .deliveries_trips import Trips, trips_of
from .deliveries_unmet import outside, reasons, wasted


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
    accept(options)
    start = day_of(options["start"]) if options["start"] else int(needs.day.min())
    assert start is not None
    return start, start + options["days"] if options["days"] else max(int(needs.day.max()), start) + 1


def plan(ask: Ask, version: str) -> Iterator[tuple[str, Shape]]:
    """The four layers.

    Raises:
        BadInput: a row cannot be taken; names it.
    """
    options = ask.options
    ask.progress("reading lots, needs and vehicles", 0.0)
    every, vehicles = needs_of(ask.layers["needs"]), vehicles_of(ask.layers["vehicles"])
    ours = frozenset({*every.event.tolist(), *every.place.tolist()} - {""})
    lots = lots_of(ask.layers["lots"], float(options["caution"]), ours)
    start, end = span_of(options, every)
    inside = (every.day >= start) & (every.day < end)
    if not inside.any():
        raise BadInput(
            f"nothing is needed in the days from {EPOCH + start} on", "layer needs", "choose other days"
        )
    ask.progress("laying rounds", 0.1)
    setting = setting_of(lots, every.some(inside), vehicles, options, start, end)
    keep = ask.layers[str(options["keep"])] if options["keep"] else None
    if keep is not None and not isinstance(keep, Features):
        raise BadInput("holds no features", f"layer {options['keep']}", "name a layer `deliveries`")
    mended = keep is not None and len(keep) > 0 and len(lots) > 0
    if keep is not None and mended:
        case, solution, trips = again(setting, keep, float(options["gap"]), float(options["seconds"]))
    else:
        case = case_of(setting)
        ask.progress("deciding", 0.3)
        solution = decided(case, float(options["gap"]), float(options["seconds"]), ask)
        ask.progress("sharing out", 0.8)
        pieces = pieces_of(case.model, solution, setting.needs, setting.lots)
        trips = trips_of(
            pieces,
            solution.y.astype(np.int64),
            case.runs,
            case.rounds,
            case.drops,
            case.drop_of,
            setting.ground,
        )
    told = {name: value for name, value in options.items() if name != "seconds"} | _attributes(case, solution)
    told["scope"] = "what was open" if mended else "all"
    step = Step("allotment and delivery", f"twintown.processes.deliveries {version}", told)
    made_of = [ask.layers[name].provenance for name in ("lots", "needs", "vehicles")]
    provenance = Provenance.of([*made_of, *([keep.provenance] if keep is not None and mended else [])], step)
    yield from _layers(ask, case, trips.sorted(), provenance, every.some(~inside), keep)
    ask.progress("done", 1.0)


def decided(case: Case, gap: float, seconds: float, ask: Ask) -> Solution:
    """The plan: of a small question by branch and bound over the whole, of a large one day by day at prices of lots."""
    model = case.model
    if case.setting.every or columns_in(model) <= SMALL or not len(case.runs.kind):
        return solved(model, gap, seconds)
    apart, kept = once(model, len(case.rounds))
    part = solved_apart(apart, model.cells.atom, len(case.rounds), gap, seconds, ask.progress)
    y = np.zeros(len(case.runs.kind))
    y[kept] = part.y
    held = float(
        model.cells.worth @ (model.cells.kg - apart.cells.kg)
    )  # heavier than any vehicle: no plan can bring it
    free = None if part.any_krw is None else part.any_krw + held
    return replace(part, y=y, krw=part.krw + held, bound_krw=part.bound_krw + held, any_krw=free)


def _attributes(case: Case, solution: Solution) -> dict[str, Any]:
    setting: Setting = case.setting
    free = {} if solution.any_krw is None else {"any_plan_krw": round(solution.any_krw)}
    return free | {
        "objective_krw": round(solution.krw), "bound_krw": round(solution.bound_krw), "proven_gap": round(solution.gap, 6),
        "status": solution.status, "driving_krw": round(float(case.model.run_krw @ solution.y)), "needs": len(setting.needs),
        "lots": len(setting.lots), "vehicles": len(setting.vehicles), "rounds": len(case.rounds), "columns": columns_in(case.model),
    }  # fmt: skip


def _layers(
    ask: Ask, case: Case, trips: Trips, provenance: Provenance, far: Needs, keep: Shape | None
) -> Iterator[tuple[str, Shape]]:  # fmt: skip
    setting, frame = case.setting, ask.frame
    needs, lots, span = setting.needs, setting.lots, (setting.start, setting.end)
    told = tables.Told(lots, needs, case.drops, case.drop_of, setting.ground, trips, GATHER_KRW, GATHER_CO2)
    came = sums(trips.pieces.need, trips.pieces.need_kg, len(needs))
    missing = np.maximum(np.round(needs.kg - came, 2), 0.0)
    left = np.maximum(lots.kg - sums(trips.pieces.lot, trips.pieces.kg, len(lots)), 0.0)
    left = np.where(lots.usable, left, 0.0)
    yield (
        "deliveries",
        tables.deliveries(told, changed(keep, trips.pieces, lots.id, needs.id), frame, provenance),
    )
    yield "loads", tables.loads(told, frame, provenance)
    rows = np.flatnonzero((missing >= CRUMB_KG) | (missing >= needs.kg) & (needs.kg > 0))
    why = [*reasons(case, trips, rows, missing, left), *[outside(*span)] * len(far)]
    both = Needs(
        **{n: np.concatenate([getattr(needs, n), getattr(far, n)]) for n in needs.__dataclass_fields__}
    )
    at = np.r_[rows, np.arange(len(needs), len(both))]
    yield "unmet", tables.unmet(both, at, np.r_[missing, far.kg][at], why, frame, provenance)
    yield "balance", tables.balance(needs, missing, told, wasted(lots, left, *span), frame, provenance)
