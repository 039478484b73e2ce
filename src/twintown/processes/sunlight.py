"""The process `sunlight`: hours of sun on the ground and on the facades, by the two tests of Korean practice.

Run at build time it gives layers; the same `Scene` answers edits while a hand pulls a building (`api` asks it directly).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import geopandas as gpd
import numpy as np
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Input, Output, Process, Shape

from .sunlight_answer import BUILT
from .sunlight_rule import Rule
from .sunlight_scene import Scene

VERSION = "1"
SCENES = 3
#: What a grid carries of its answer's header.
CARRIED = ("step_minutes", "steps", "first_step_minute", "time_basis", "date", "error", "rule", "counts")


class _Version:
    """A scene's inputs, compared by the digests of what they are made from."""

    def __init__(
        self, key: tuple[object, ...], buildings: Features, parts: Features, bounds: Bounds, zone: str
    ) -> None:
        self.key, self.buildings, self.parts, self.bounds, self.zone = key, buildings, parts, bounds, zone

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Version) and other.key == self.key


@lru_cache(maxsize=SCENES)
def _scene(version: _Version) -> Scene:
    return Scene(version.buildings, version.parts, version.bounds, version.zone)


def scene_of(buildings: Features, parts: Features, bounds: Bounds, zone: str, version: str = "") -> Scene:
    """The scene of a version of a city's buildings; the last three are kept.

    `version` names the content of both layers (their digests); without one nothing is kept.
    """
    if not version:
        return Scene(buildings, parts, bounds, zone)
    return _scene(_Version((version, bounds, zone), buildings, parts, bounds, zone))


def _features(ask: Ask, layer: str) -> Features:
    shape = ask.layers[layer]
    if not isinstance(shape, Features):
        raise BadInput(f"the layer {layer!r} is a {type(shape).__name__}, not features", "process sunlight")
    return shape


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    day = ask.options["date"] or ask.day
    buildings, parts = _features(ask, "buildings"), _features(ask, "building-parts")
    ask.progress("solids and facade points", 0.0)
    rule = Rule(error_min=float(ask.options["error_minutes"]))
    scene = Scene(buildings, parts, ask.bounds, ask.zone, float(ask.options["cell_m"]), rule)
    step = Step(
        "sunlight by sweep and crossing times",
        f"twintown.processes.sunlight {VERSION}",
        {"date": str(day), **rule.to_dict()},
    )
    provenance = Provenance.of((buildings.provenance, parts.provenance), step)
    columns: dict[str, object] = {}
    for share, basis in enumerate(("solar", "civil")):
        ask.progress(f"sun hours ({basis} time)", 0.2 + 0.35 * share)
        answer = scene.base(day, basis)
        header = {key: answer.header[key] for key in CARRIED}
        steps = answer.arrays["sun_steps"][0]
        grid = answer.header["grid"]
        yield (
            f"sunlight-{basis}",
            Grid(
                steps,
                grid["origin_x"],
                grid["origin_y"],
                grid["cell_m"],
                "{step}",
                ask.frame,
                provenance,
                BUILT,
                header,
            ),
        )
        suffix = "" if basis == "solar" else "_civil"
        columns[f"sun_min{suffix}"] = answer.arrays["facade_minutes"][0]
        columns[f"run_min{suffix}"] = answer.arrays["facade_run"][0]
        columns[f"verdict{suffix}"] = answer.arrays["facade_state"][0]
        if basis == "solar":
            xyz = answer.arrays["facade_xyz"][0].astype(float)
            columns["z_m"] = np.round(xyz[:, 2], 2)
            columns["normal_deg"] = np.round(answer.arrays["facade_normal"][0], 1)
            columns["building"] = np.asarray(scene.ids, dtype=object)[answer.arrays["facade_building"][0]]
            columns["storey"] = (scene.storey + 1).astype(np.int32)
    ask.progress("facade points", 0.9)
    points = shapely.points(xyz[:, :2] + np.asarray(scene.origin)) if len(xyz) else np.array([], object)
    table = gpd.GeoDataFrame(
        {"id": [f"f{i}" for i in range(len(xyz))], **columns}, geometry=points, crs=ask.frame.crs
    )
    units = {
        "sun_min": "min",
        "run_min": "min",
        "sun_min_civil": "min",
        "run_min_civil": "min",
        "z_m": "m",
        "normal_deg": "deg",
    }
    yield "facades", Features(table, ask.frame, provenance, units)
    ask.progress("done", 1.0)


PROCESS = Process(
    id="sunlight",
    title=Name("일조", "Sunlight"),
    version=VERSION,
    needs=("buildings", "building-parts"),
    inputs=(
        Input("date", Name("날짜", "Day"), "d", "", (str,)),
        Input("cell_m", Name("격자 크기", "Cell"), "m", 1.0, (int, float)),
        Input(
            "error_minutes",
            Name("경계로 보는 오차", "Error within which a verdict is near"),
            "min",
            10.0,
            (int, float),
        ),
    ),
    outputs=(
        Output(
            "sunlight-solar",
            Name("지면 일조 (진태양시)", "Sun on the ground (true solar time)"),
            "{step}",
            "grid",
        ),
        Output(
            "sunlight-civil", Name("지면 일조 (시계)", "Sun on the ground (clock time)"), "{step}", "grid"
        ),
        Output("facades", Name("외벽 일조", "Sun on facades"), "min", "features"),
    ),
    citations=("ratti2004", "reda2004", "anderson2023"),
    validation=(
        "ground_box",
        "ground_order",
        "ground_wall",
        "facade_crossings",
        "facade_courtyard",
        "facade_dome",
        "facade_slab",
        "sun_circle",
        "solar_civil",
        "edit_exact",
    ),
    run=_run,
)
