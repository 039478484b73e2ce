"""The process `stands`: where stands may stand around a place, what each is worth, and which of them are chosen together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np

from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Output, Process, Shape

from .stands_candidates import tried
from .stands_choice import Choice, chosen, conflicts
from .stands_ground import LAYERS, Ground
from .stands_inputs import INPUTS, Wish, wish_of
from .stands_parts import PARTS
from .stands_place import Stand
from .stands_score import Scored
from .stands_streams import Streams

VERSION = "1"


def ground_of(ask: Ask) -> Ground:
    """The ground of the layers that are there.

    Raises:
        BadInput: one of them is of another shape.
    """
    layers: dict[str, Features] = {}
    for name in LAYERS:
        shape = ask.layers.get(name)
        if shape is None:
            continue
        if not isinstance(shape, Features):
            raise BadInput(
                f"the layer {name!r} holds no features", "process stands", "name a layer of features"
            )
        layers[name] = shape
    named = str(ask.options.get("footfall", ""))
    counted = None
    if named:
        shape = ask.layers[named]
        if not isinstance(shape, Features):
            raise BadInput(
                f"the layer {named!r} holds no features", "process stands", "name a layer of lines"
            )
        counted = Streams.of(shape, named)
    return Ground(layers, ask.frame, ask.bounds, ask.zone, True, counted)


def choice_of(found: Sequence[tuple[Stand, Scored]], wish: Wish) -> Choice:
    """Which of the places are chosen together."""
    served, cleared = [], []
    for stand, one in found:
        served.append(stand.served)
        cleared.append(stand.cleared(one.needed_m))
    scores = np.array([one.score for _, one in found], float)
    if not len(scores):
        return chosen(scores, np.zeros((0, 2), np.int64), 0)
    pairs = conflicts(np.array(served, object), np.array(cleared, object), wish.spacing_m)
    return chosen(scores, pairs, wish.count)


def _table(
    found: Sequence[tuple[Stand, Scored]], choice: Choice, ask: Ask, wish: Wish
) -> tuple[gpd.GeoDataFrame, dict[str, str]]:
    """One row a place; ranks of the chosen, 0 for the others."""
    rank = np.zeros(len(found), np.int64)
    rank[choice.rows] = np.arange(1, len(choice.rows) + 1)
    turn = ask.frame.convergence(*ask.bounds.centre)
    lon, lat = ask.frame.to_lonlat(np.array([s.x for s, _ in found]), np.array([s.y for s, _ in found]))
    columns: dict[str, Any] = {
        "id": [f"place-{k:04d}" for k in range(len(found))],
        "chosen": rank,
        "score": np.round([one.score for _, one in found], 2),
        "lon": np.round(lon, 7), "lat": np.round(lat, 7),
        "heading_deg": [round((math.degrees(math.atan2(*s.facing)) + turn) % 360.0, 1) for s, _ in found],
        "width_m": [s.width_m for s, _ in found], "depth_m": [s.depth_m for s, _ in found],
        "needed_m": np.round([one.needed_m for _, one in found], 2),
    }  # fmt: skip
    units = {
        "score": "1",
        "lon": "deg",
        "lat": "deg",
        "heading_deg": "deg",
        "width_m": "m",
        "depth_m": "m",
        "needed_m": "m",
    }
    for k, part in enumerate(PARTS):
        values = [one.parts[k].value for _, one in found]
        columns[part.code] = np.array([np.nan if v is None else round(v, 2) for v in values], float)
        columns[f"{part.code}_score"] = np.round([one.parts[k].score for _, one in found], 3)
        units |= {part.code: part.unit, f"{part.code}_score": "1"}
    for k, h in enumerate(range(wish.question.from_h, wish.question.to_h)):
        for name, of, unit in (
            ("passers", "passers", "{person}/h"), ("sun_produce", "sun_produce_min", "min"), ("sun_queue", "sun_queue_min", "min")
        ):  # fmt: skip
            told = [getattr(one.hours[k], of) for _, one in found]
            columns[f"{name}_h{h:02d}"] = np.array(
                [np.nan if v is None else round(v, 1) for v in told], float
            )
            units[f"{name}_h{h:02d}"] = unit
    shapes = [s.outline for s, _ in found]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=ask.frame.crs), units


def _accept(ask: Ask) -> None:
    wish_of(ask, PROCESS.check(ask.options))


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    wish = wish_of(ask, ask.options)
    ask.progress("buildings, roads and passers-by", 0.0)
    ground = ground_of(ask)
    found = list(tried(ground, wish, lambda share: ask.progress("places", 0.1 + 0.8 * share)))
    ask.progress("choosing", 0.92)
    choice = choice_of(found, wish)
    step = Step(
        "candidate places scored, chosen by an integer programme", f"twintown.processes.stands {VERSION}",
        {"day": wish.question.day, "from_h": wish.question.from_h, "to_h": wish.question.to_h, "day_type": wish.question.day_type,
         "weights": {k: round(v, 4) for k, v in wish.question.weights.items()}, "places": len(found), "wanted": wish.count,
         "chosen": len(choice.rows), "total_score": round(choice.total, 3), "bound": round(choice.bound, 3),
         "spacing_m": wish.spacing_m, "calibrated": False, "footfall": str(ask.options["footfall"])},
    )  # fmt: skip
    used = [*ground.layers, *([str(ask.options["footfall"])] if ground.counted is not None else [])]
    provenance = Provenance.of((ask.layers[one].provenance for one in used), step)
    table, units = _table(found, choice, ask, wish)
    yield "stand-places", Features(table, ask.frame, provenance, units)
    ask.progress("done", 1.0)


PROCESS = Process(
    id="stands",
    title=Name("판매대 자리", "Places for stands"),
    version=VERSION,
    needs=("buildings", "roads"),
    takes=("building-parts", "landmarks", "stations", "metro-congestion"),
    inputs=INPUTS,
    outputs=(Output("stand-places", Name("판매대 후보 자리", "Candidate places for stands"), "1", "features", error=0.5),),
    citations=("sgsa2018", "olano1997", "huff1963", "reda2004"),
    validation=("stand_shadow", "stand_choice", "footfall_two_stations"),
    run=_run,
    about=Name(
        "어느 곳 둘레의 열린 땅에 판매대 자리를 놓아 보고, 지나는 사람·농산물과 줄의 햇빛·출구·화물차·남는 통로 폭으로 점수를 매기고, "
        "겹치거나 통로를 막지 않는 자리를 함께 고릅니다. 전기와 물은 데이터에 없어 중립으로 셉니다.",
        "Tries places for stands on open ground around a point, scores them by passers-by, sun on produce and queue, exits, lorries "
        "and the clear way that remains, and chooses some that neither overlap nor narrow the way. Power and water are not in the data: "
        "they count as neutral.",
    ),
    error=Name(
        "그림자는 건물 높이가 맞다면 정확하고(해의 위치 10분 간격, 시간당 ±5분), 나무와 지형은 없습니다. 보행량은 보정하지 않은 "
        "추정입니다. 공원 산책로·호수·울타리는 데이터에 없어 고른 자리는 현장에서 확인해야 합니다.",
        "Shadows are exact where the buildings' heights are (the sun every ten minutes: ± 5 minutes an hour); no trees, no terrain. "
        "Passers-by are an estimate that nobody calibrated. Paths, lakes and fences are not in the data: check a chosen place on site.",
    ),
    accept=_accept,
)  # fmt: skip
