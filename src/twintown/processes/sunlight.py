"""The process `sunlight`: hours of sun on the ground and on the facades, by the two tests of Korean practice.

Run at build time it gives layers; the same `Scene` answers edits while a hand pulls a building (`api` asks it directly).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Input, Output, Process, Shape, Spread, Window, in_memory, in_order
from twintown.kernels.scratch import Scratch
from twintown.kernels.shadows import halo_cells, lit_counts

from .facades import HIGHEST_M
from .sunlight_answer import BUILT
from .sunlight_day import day_of
from .sunlight_rule import Rule
from .sunlight_scene import Scene
from .sunpath import BASES, Place, parse_day
from .tops import Tops, filled, shadow_block, side_for, tile_of, windows_of

VERSION = "2"
#: A grid of more cells than these is refused: two days of sun of it would not fit a disk.
MOST_CELLS = 4_000_000_000
Room = Callable[[tuple[int, ...], Any], NDArray[Any]]
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


@dataclass(frozen=True)
class _Task:
    """What a tile needs to know: the tops, the suns float64[n, 3]."""

    tops: Tops
    directions: NDArray[np.float64]
    scratch: Scratch = field(default_factory=Scratch, compare=False)


def steps_of(task: _Task, window: Window) -> dict[str, NDArray[np.uint8]]:
    """Lit steps of a tile's cells, u1[rows, cols]; `BUILT` where a building stands. The same bytes in any tile."""
    tile = tile_of(window)
    block = shadow_block(task.tops, tile, task.directions, task.scratch)
    # a copy: a worker of a cluster keeps it until it is fetched, while the next tile is counted in the same scratch
    steps = lit_counts(block, task.directions, tile=tile, scratch=task.scratch).copy()
    here = block.heights[
        tile.row0 - block.row0 : tile.row1 - block.row0, tile.col0 - block.col0 : tile.col1 - block.col0
    ]
    steps[here > 0] = BUILT
    return {"steps": steps}


def ground_steps(
    tops: Tops,
    directions: NDArray[np.float64],
    side: int = 0,
    spread: Spread = in_order,
    room: Room = in_memory,
    told: Callable[[float], None] = lambda _: None,
) -> NDArray[np.uint8]:
    """Lit steps of every cell, u1[rows, cols]: whole, or in tiles of `side` cells, which may be worked on elsewhere."""
    task = _Task(tops, directions)
    if not side:
        return steps_of(task, Window(0, 0, tops.rows, tops.cols))["steps"]
    steps: NDArray[np.uint8] = room((tops.rows, tops.cols), np.uint8)
    done = 0
    for cells in filled({"steps": steps}, spread(steps_of, task, windows_of(tops.rows, tops.cols, side))):
        done += cells
        told(done / steps.size)
    return steps


def _day(ask: Ask) -> object:
    return ask.options["date"] or ask.day


def accept(ask: Ask) -> None:
    """
    Raises:
        BadParameter: no such day, a day without sun (polar night), or more cells than a day of sun can be counted for.
    """
    day = parse_day(_day(ask))
    place = Place.of(ask.frame, *ask.bounds.centre, ask.zone)
    for basis in BASES:
        day_of(day, basis, place, Rule(error_min=float(ask.options["error_minutes"])))
    check_cells(ask.bounds, float(ask.options["cell_m"]))


def check_cells(bounds: Bounds, cell_m: float) -> None:
    """
    Raises:
        BadParameter: the grid would have more cells than are taken.
    """
    cells = bounds.width * bounds.height / cell_m**2
    if cells > MOST_CELLS:
        raise BadParameter(
            "cell_m", f"cells of {cell_m:g} m are {cells:,.0f} of them, more than {MOST_CELLS:,}", remedy="use larger cells"
        )  # fmt: skip


def halo_m(ask: Ask) -> float:
    """How far around a tile shadows may come from, metres: the tallest building under the lowest of the day's suns."""
    place = Place.of(ask.frame, *ask.bounds.centre, ask.zone)
    cell = float(ask.options.get("cell_m", 1.0))
    buildings = ask.layers.get("buildings")
    tallest = HIGHEST_M
    if isinstance(buildings, Features) and len(buildings):
        tallest = float(buildings.table["height_m"].astype(float).max())
    suns = [day_of(ask.options.get("date") or ask.day, basis, place).directions for basis in BASES]
    return max(halo_cells(tallest, one, cell) for one in suns) * cell


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    accept(ask)
    day = _day(ask)
    buildings, parts = _features(ask, "buildings"), _features(ask, "building-parts")
    ask.progress("solids and facade points", 0.0)
    rule = Rule(error_min=float(ask.options["error_minutes"]))
    scene = Scene(buildings, parts, ask.bounds, ask.zone, float(ask.options["cell_m"]), rule)
    tops = scene.roofs()
    side = side_for(tops.rows * tops.cols, int(ask.options["tile_cells"]))
    step = Step(
        "sunlight by sweep and crossing times",
        f"twintown.processes.sunlight {VERSION}",
        {"date": str(day), **rule.to_dict()},
    )
    provenance = Provenance.of((buildings.provenance, parts.provenance), step)
    columns: dict[str, object] = {}
    for share, basis in enumerate(BASES):
        what, begin = f"sun hours ({basis} time)", 0.1 + 0.4 * share

        def told(fraction: float, what: str = what, begin: float = begin) -> None:
            ask.progress(what, begin + 0.3 * fraction)

        told(0.0)
        steps = ground_steps(tops, scene.day(day, basis).directions, side, ask.spread, ask.room, told)
        told(1.0)
        answer = scene.with_ground(day, basis, steps)
        header = {key: answer.header[key] for key in CARRIED}
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
        Input(
            "date",
            Name("날짜", "Day"),
            "d",
            "",
            (str,),
            about=Name("ISO 8601, 비우면 도시의 날", "ISO 8601; empty for the twin's day"),
            schema={"type": "string", "anyOf": [{"format": "date"}, {"const": ""}]},
        ),
        Input("cell_m", Name("격자 크기", "Cell"), "m", 1.0, (int, float), minimum=0.25, maximum=100.0),
        Input(
            "error_minutes",
            Name("경계로 보는 오차", "Error within which a verdict is near"),
            "min",
            10.0,
            (int, float),
            minimum=0.0,
            maximum=120.0,
        ),
        Input(
            "tile_cells",
            Name("타일 크기", "Side of a tile"),
            "1",
            0,
            (int,),
            about=Name(
                "격자를 나누어 계산할 타일의 한 변(칸). 0이면 큰 격자만 나눕니다. 답은 같습니다.",
                "Cells along the side of the tiles that the grid is worked on in; 0: only large grids are tiled. The answer is the same.",
            ),
            minimum=0,
            maximum=65536,
        ),
    ),
    outputs=(
        Output(
            "sunlight-solar",
            Name("지면 일조 (진태양시)", "Sun on the ground (true solar time)"),
            "{step}",
            "grid",
            error=1.0,
        ),
        Output(
            "sunlight-civil",
            Name("지면 일조 (시계)", "Sun on the ground (clock time)"),
            "{step}",
            "grid",
            error=1.0,
        ),
        Output("facades", Name("외벽 일조", "Sun on facades"), "min", "features", error=1.0),
    ),
    about=Name(
        "하루 동안 지면과 외벽 점에 드는 햇빛: 7분마다의 칸 수, 분, 동지 일조 실무 기준의 판정.",
        "A day's sun on the ground and on facade points: lit steps of 7 minutes, minutes, and the verdicts of Korean practice at the "
        "winter solstice.",
    ),
    error=Name(
        "지면 약 ±10분(7분 간격, 1 m 격자), 외벽 점 ±1분. 건물 높이의 오차와 나무·지형은 들어 있지 않습니다.",
        "Ground about ±10 min (7 min steps, 1 m cells), facade points ±1 min. Errors of building heights, trees and terrain are "
        "not in these.",
    ),
    citations=("ratti2004", "reda2004", "anderson2023"),
    validation=(
        "ground_box",
        "ground_order",
        "ground_wall",
        "ground_tiles",
        "facade_crossings",
        "facade_courtyard",
        "facade_dome",
        "facade_slab",
        "sun_circle",
        "solar_civil",
        "edit_exact",
    ),
    run=_run,
    accept=accept,
    halo_m=halo_m,
)
