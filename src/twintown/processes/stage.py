"""The process `stage`: what an audience sees of a stage, when it stands in the sun, and how loud it is before windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Input, Output, Process, Shape

from .stage_city import City
from .stage_findings import findings_of
from .stage_limits import limits
from .stage_place import SAID, Stage, stage_of
from .stage_score import Question, Scored, scored
from .sunlight_scene import Scene
from .sunpath import parse_day

VERSION = "1"
WHERE = "process stage"
_NUMBERS = {
    name: {"type": "number", "minimum": low, "maximum": high} for name, (low, high, _, _) in SAID.items()
}
STAGE_SCHEMA: Mapping[str, Any] = {
    "type": "object", "additionalProperties": False,
    "properties": {
        "lon": {"type": "number", "minimum": -180, "maximum": 180}, "lat": {"type": "number", "minimum": -90, "maximum": 90},
        **_NUMBERS, "source": {"type": "string", "maxLength": 200},
    },
}  # fmt: skip


def _features(ask: Ask, layer: str) -> Features:
    shape = ask.layers[layer]
    if not isinstance(shape, Features):
        raise BadInput(f"the layer {layer!r} holds no features", WHERE)
    return shape


def _accept(ask: Ask) -> None:
    options = PROCESS.check(ask.options)
    _question(ask, options)
    if options["stage"]:
        _stage(ask, options, None)


def _question(ask: Ask, options: Mapping[str, Any]) -> Question:
    if options["to_h"] <= options["from_h"]:
        raise BadParameter(
            "to_h", f"{options['to_h']} is not after {options['from_h']}", remedy="end after the beginning"
        )
    day = options["day"] or ask.day
    parse_day(day)
    return Question(day, options["from_h"], options["to_h"], options["seated"], options["zone"])


def _stage(ask: Ask, options: Mapping[str, Any], landmarks: Features | None) -> Stage:
    """The stage that is asked about; without one, one where a landmark is a stage, else in the middle of the twin."""
    said = dict(options["stage"])
    frame, bounds = ask.frame, ask.bounds
    if not said:
        x, y = bounds.centre
        if landmarks is not None and "kind" in landmarks.table:
            marks = landmarks.table[(landmarks.table["kind"] == "stage") & landmarks.table.geometry.notna()]
            inside = marks[marks.within(shapely.box(bounds.xmin, bounds.ymin, bounds.xmax, bounds.ymax))]
            if len(inside):
                x, y = inside.geometry.iloc[0].centroid.x, inside.geometry.iloc[0].centroid.y
        lon, lat = frame.to_lonlat(x, y)
        said = {"lon": float(lon), "lat": float(lat)}
    if not {"lon", "lat"} <= set(said):
        raise BadParameter(
            "stage", "has no place", remedy='write it as {"lon": 127.098, "lat": 37.509, "heading_deg": 180}'
        )
    return stage_of(said, frame, bounds, frame.convergence(*bounds.centre))


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    ask.progress("buildings around the stage", 0.0)
    buildings, parts = _features(ask, "buildings"), _features(ask, "building-parts")
    landmarks = _features(ask, "landmarks") if "landmarks" in ask.layers else None
    stage = _stage(ask, ask.options, landmarks)
    asked = _question(ask, ask.options)
    city = City.of(Scene(buildings, parts, ask.bounds, ask.zone), buildings, landmarks)
    ask.progress("sight lines, shade and sound", 0.3)
    found = scored(city, stage, asked, sun_places=1_000_000)
    told = [f"{one['code']}: {one['text']['en']}" for one in findings_of(city, stage, asked, found)]
    step = Step(
        "sight lines, sun and sound of a stage", f"twintown.processes.stage {VERSION}",
        {"stage": {**dict(ask.options["stage"]), "assumed": list(stage.assumed)}, "day": asked.day, "from_h": asked.from_h,
         "to_h": asked.to_h, "seated": asked.seated, "zone": asked.zone, "score": found.score, "findings": told,
         "limit": dict(asked.limits.source)},
    )  # fmt: skip
    used = [buildings.provenance, parts.provenance] + (
        [landmarks.provenance] if landmarks is not None else []
    )
    provenance = Provenance.of(used, step)
    yield "audience", _audience(ask, city, asked, found, provenance)
    yield "stage-sound", _sound(ask, city, asked, found, provenance)
    ask.progress("done", 1.0)


def _audience(ask: Ask, city: City, asked: Question, found: Scored, provenance: Provenance) -> Features:
    seen = found.audience
    columns: dict[str, Any] = {
        "id": [f"a{i}" for i in range(len(seen.xy))],
        "away_m": np.round(seen.away_m, 1),
        "seen_pct": np.round(100 * seen.seen, 1),
        "hidden_by_buildings_pct": np.round(100 * seen.by_buildings, 1),
        "hidden_by_heads_pct": np.round(100 * seen.by_heads, 1),
        "sun_min": found.sun.sum(axis=1),
    }
    units = {
        "away_m": "m",
        "seen_pct": "%",
        "hidden_by_buildings_pct": "%",
        "hidden_by_heads_pct": "%",
        "sun_min": "min",
    }
    for k, hour in enumerate(range(asked.from_h, asked.to_h)):
        columns[f"sun_h{hour:02d}"] = found.sun[:, k]
        units[f"sun_h{hour:02d}"] = "min"
    xy = np.round(seen.xy + np.asarray(city.scene.origin), 3)
    return Features(
        gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=ask.frame.crs),
        ask.frame,
        provenance,
        units,
    )


def _sound(ask: Ask, city: City, asked: Question, found: Scored, provenance: Provenance) -> Features:
    windows = found.windows
    limit = asked.limits.strictest(asked.from_h, asked.to_h)[0]
    columns: dict[str, Any] = {
        "id": [f"w{i}" for i in range(len(windows.z))],
        "building": [city.scene.ids[one] for one in windows.building],
        "height_m": np.round(windows.z, 1),
        "distance_m": np.round(windows.distance_m, 1),
        "level_db": np.round(windows.level_db, 1),
        "screening_db": np.round(windows.screening_db, 1),
        "error_db": windows.error_db,
        "above_db": np.round(windows.level_db - limit, 1),
        "source": ["computed"] * len(windows.z),
    }
    units = {
        "height_m": "m",
        "distance_m": "m",
        **dict.fromkeys(("level_db", "screening_db", "error_db", "above_db"), "dB"),
    }
    xy = np.round(windows.xy + np.asarray(city.scene.origin), 3)
    return Features(
        gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=ask.frame.crs),
        ask.frame,
        provenance,
        units,
    )


PROCESS = Process(
    id="stage",
    title=Name("무대 자리", "A stage's place"),
    version=VERSION,
    needs=("buildings", "building-parts"),
    takes=("landmarks",),
    inputs=(
        Input(
            "stage", Name("무대", "Stage"), "1", {}, (dict,), schema=STAGE_SCHEMA,
            about=Name(
                "경도, 위도, 앞이 향하는 방위(북에서 시계 방향), 너비·깊이·바닥 높이(m), 10 m에서의 음량 dB(A), "
                "관객 깊이(m). 없으면 야외무대 자리 또는 가운데",
                "Longitude, latitude, where its front faces (from north, clockwise), width, depth and height of the deck (m), level "
                "at 10 m in dB(A), depth of the audience (m); none: where a landmark is a stage, else in the middle",
            ),
        ),
        Input("day", Name("날짜", "Day"), "1", "", (str,), schema={"type": "string", "maxLength": 10}),
        Input("from_h", Name("시작 시", "From"), "h", 11, (int,), minimum=0, maximum=23),
        Input("to_h", Name("끝 시", "Until"), "h", 19, (int,), minimum=1, maximum=24),
        Input(
            "seated", Name("앉은 관객", "Seated audience"), "1", False, (bool,),
            about=Name("눈높이 1.2 m, 아니면 1.6 m", "Eyes at 1.2 m, else at 1.6 m"),
        ),
        Input("zone", Name("소음 기준 지역", "Zone of the noise limit"), "1", "residential", (str,), choices=tuple(limits())),
    ),
    outputs=(
        Output("audience", Name("관객 자리", "Places of the audience"), "%", "features", error=1.0),
        Output("stage-sound", Name("창문 앞 소음 (추정)", "Sound before windows (estimate)"), "dB", "features", error=0.1),
    ),
    citations=("iso9613_2", "kurze1971", "graham1972", "sgsa2018", "reda2004"),
    validation=("sound_free_field", "sound_screen", "stage_wall"),
    run=_run,
    about=Name(
        "관객 자리마다 무대가 얼마나 보이는지(건물, 앞사람 머리), 시간별 햇볕, 300 m 안 창문 앞의 소음(추정)을 계산합니다.",
        "Of each place of the audience how much of the stage is seen (past buildings, over heads) and its sun by hour; the sound before "
        "windows within 300 m, as an estimate.",
    ),
    error=Name(
        "소음: 트인 곳 ±3 dB, 건물 뒤 ±5 dB(가정). 반사와 바람은 없음. 땅은 평평하고 나무는 없다고 봅니다. "
        "시야: 자리마다 무대 앞면의 1/35.",
        "Sound: ±3 dB in the open, ±5 dB behind buildings (assumed), without reflections and wind. The ground is flat and without trees. "
        "Sight: 1/35 of the front from each place.",
    ),
    accept=_accept,
)  # fmt: skip
