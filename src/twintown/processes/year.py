"""The process `year`: a year's sun hours, sky view and irradiation of the ground, of roofs and of facades, and what modules would yield.

Every cell's horizon is found once, direction by direction; what the year sends from above a horizon is a table (`year_sky.py`). So
the length of the step in which the sun's path is told changes the table, and not what a cell costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.ground.series import Series
from twintown.jobs.process import Ask, Input, Output, Process, Shape, Window
from twintown.kernels.horizon import accumulate, halo_cells
from twintown.kernels.lines import Field

from .facades import HIGHEST_M
from .sunlight import check_cells
from .sunlight_scene import Scene
from .sunpath import Place, parse_day
from .tops import Roofs, filled, sky_block, tile_of, windows_of
from .year_sky import SECOND, WATT_HOUR, Sky, clear, from_weather, sky_of
from .year_surfaces import AREA, Surfaces, summed

VERSION = "1"
NODATA = -1.0
#: A horizon lower than this slope (1.8°) counts as level: nothing farther than 32 times the tallest thing's height matters.
FLOOR = 2.0**-5
#: A grid of more cells than these is worked on in tiles of `SIDE` cells.
WHOLE_CELLS, SIDE = 16_000_000, 2048
GRIDS = ("year-sun-hours", "year-sky-view", "year-irradiation")
WHAT = {
    "weather": {"ko": "기상 레이어(EPW)의 직달·산란일사", "en": "direct and diffuse irradiance of the layer weather (EPW)"},
    "clear": {"ko": "구름 없는 하늘(Linke 혼탁도 3)", "en": "a sky without clouds (Linke turbidity 3)"},
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """What a tile needs to know: tops, the year's table, what else looks at the sky, the ground's reflectance."""

    roofs: Roofs
    sky: Sky
    surfaces: Surfaces
    albedo: float


def year_of(
    task: Task, window: Window, told: Callable[[float], None] = lambda _: None
) -> dict[str, NDArray[Any]]:
    """A tile's grids, float32[rows, cols], and its part of the buildings' sums, float64[2 × buildings, 3]. The same in any tile."""
    tile = tile_of(window)
    block = sky_block(task.roofs, tile, FLOOR)
    field = Field.of(task.roofs.within(block), task.roofs.cell_m, block.row0, block.col0)
    heights, owner = task.roofs.crowned(tile)
    points, slot, area = task.surfaces.within(tile, heights, owner)
    sky = task.sky
    cells, found = accumulate(
        field, sky.directions, sky.table(), FLOOR, tile, points, sky.energy, sky.seconds, sky.views, told=told
    )
    built = owner >= 0
    share = cells[:, :, 1] / (65536.0 * len(sky.directions))
    light = cells[:, :, 2] / WATT_HOUR + share * sky.even_wh
    grids = {
        GRIDS[0]: np.rint(cells[:, :, 0] * (10.0 / (3600.0 * SECOND))) / 10.0,
        GRIDS[1]: np.rint(share * 1000.0) / 1000.0,
        GRIDS[2]: np.rint(light / 100.0) / 10.0,
    }
    sums = summed(points, found, slot, area, sky, task.albedo, 2 * task.surfaces.buildings)
    return {
        **{name: np.where(built, NODATA, values).astype(np.float32) for name, values in grids.items()}, "sums": sums
    }  # fmt: skip


def accept(ask: Ask) -> None:
    """
    Raises:
        BadParameter: a step that does not divide the hour, or more cells than are taken.
    """
    step = int(ask.options["step_minutes"])
    if 60 % step:
        raise BadParameter(
            "step_minutes",
            f"{step} minutes do not divide an hour",
            remedy="use 1, 2, 5, 10, 15, 20, 30 or 60",
        )
    parse_day(ask.day)
    check_cells(ask.bounds, float(ask.options["cell_m"]))


def halo_m(ask: Ask) -> float:
    """How far around a tile horizons may come from, metres: the tallest building at the floor of 1.8°."""
    cell = float(ask.options.get("cell_m", 1.0))
    buildings, tallest = ask.layers.get("buildings"), HIGHEST_M
    if isinstance(buildings, Features) and len(buildings):
        tallest = float(buildings.table["height_m"].astype(float).max())
    return halo_cells(tallest, FLOOR, cell) * cell


def _table(ask: Ask, place: Place) -> Sky:
    """The year's table, from the weather layer or a clear sky.

    Raises:
        BadParameter: the twin has no weather, or not a year of it.
    """
    step, kind = int(ask.options["step_minutes"]), ask.options["sky"]
    year = parse_day(ask.day).year
    sunny = clear(year, place, step)
    light = sunny
    if kind == "weather":
        weather = ask.layers.get("weather")
        if not isinstance(weather, Series):
            raise BadParameter(
                "sky", "the twin has no layer weather", remedy='add an EPW file as its layer weather, or ask with "sky": "clear"'
            )  # fmt: skip
        light = from_weather(weather, place, step)
    return sky_of(sunny, light, int(ask.options["directions"]), ask.options["diffuse"] == "perez")


def _features(ask: Ask, layer: str) -> Features:
    shape = ask.layers[layer]
    if not isinstance(shape, Features):
        raise BadInput(f"the layer {layer!r} is a {type(shape).__name__}, not features", "process year")
    return shape


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    accept(ask)
    buildings, parts = _features(ask, "buildings"), _features(ask, "building-parts")
    options = ask.options
    ask.progress("the year's sun", 0.0)
    place = Place.of(ask.frame, *ask.bounds.centre, ask.zone)
    sky = _table(ask, place)
    ask.progress("roofs and facades", 0.05)
    scene = Scene(buildings, parts, ask.bounds, ask.zone, float(options["cell_m"]))
    roofs = scene.roofs()
    task = Task(roofs, sky, Surfaces.of(scene), float(options["albedo"]))
    shape = (roofs.rows, roofs.cols)
    side = int(options["tile_cells"]) or (SIDE if shape[0] * shape[1] > WHOLE_CELLS else 0)
    sums = np.zeros((2 * len(scene.ids), 3))
    if side:
        grids: dict[str, NDArray[Any]] = {name: ask.room(shape, np.float32) for name in GRIDS}
        done = 0
        for cells in filled(grids, _adding(ask.spread(year_of, task, windows_of(*shape, side)), sums)):
            done += cells
            ask.progress("horizons", 0.1 + 0.85 * done / (shape[0] * shape[1]))
    else:
        grids = year_of(
            task, Window(0, 0, *shape), lambda share: ask.progress("horizons", 0.1 + 0.85 * share)
        )
        sums += grids.pop("sums")
    step = Step("horizons by sweep, a year's table", f"twintown.processes.year {VERSION}", dict(options))
    sources = [buildings.provenance, parts.provenance]
    weather = ask.layers.get("weather")
    if options["sky"] == "weather" and isinstance(weather, Series):
        sources.append(weather.provenance)
    provenance = Provenance.of(tuple(sources), step)
    about = {
        "sky": options["sky"], "what": WHAT[options["sky"]], "diffuse": options["diffuse"], "step_minutes": options["step_minutes"],
        "directions": options["directions"], "open_ground_kwh_m2": round(sky.level_wh / 1000.0, 1), "lowest_horizon_slope": FLOOR,
    }  # fmt: skip
    for name, unit in zip(GRIDS, ("h", "1", "kW.h/m2"), strict=True):
        yield name, Grid(
            grids[name], scene.bounds.xmin, scene.bounds.ymax, scene.cell_m, unit, ask.frame, provenance, NODATA, about
        )  # fmt: skip
    yield "year-buildings", _buildings(buildings, sums, options, provenance)
    ask.progress("done", 1.0)


def _adding(
    parts: Iterator[tuple[Window, Mapping[str, NDArray[Any]]]], sums: NDArray[np.float64]
) -> Iterator[tuple[Window, Mapping[str, NDArray[Any]]]]:
    """Take the buildings' sums out of the tiles as they come: whole numbers, so that the order does not count."""
    for window, arrays in parts:
        sums += arrays["sums"]
        yield window, {name: values for name, values in arrays.items() if name != "sums"}


def _buildings(
    buildings: Features, sums: NDArray[np.float64], options: Mapping[str, Any], provenance: Provenance
) -> Features:
    """Light and yield of each building; nothing (null) where it has no roof or no facade on the grid."""
    count = len(buildings)
    with np.errstate(invalid="ignore", divide="ignore"):
        light = np.round(sums[:, 1] / sums[:, 0] / 1000.0, 1)
        hours = np.round(sums[:, 2] / sums[:, 0] / 60.0, 0)
    area = sums[:, 0] / AREA * float(options["cell_m"]) ** 2
    roof_m2, facade_m2 = np.round(area[:count], 1), np.round(sums[count:, 0] / AREA, 1)
    usable = np.round(roof_m2 * float(options["roof_share"]), 1)
    # from the rounded columns, so that whoever reads the table finds the same yield
    ratio = float(options["module_efficiency"]) * float(options["performance_ratio"])
    made = np.round(np.nan_to_num(light[:count]) * usable * ratio, 0)
    table = gpd.GeoDataFrame(
        {
            "id": buildings.table["id"].to_numpy(),
            "building": buildings.table["id"].to_numpy(),
            "roof_kwh_m2": light[:count],
            "roof_sun_h": hours[:count],
            "facade_kwh_m2": light[count:],
            "facade_sun_h": hours[count:],
            "roof_area_m2": roof_m2,
            "usable_area_m2": usable,
            "facade_area_m2": facade_m2,
            "pv_kwh_a": made,
        },
        geometry=buildings.table.geometry.to_numpy(),
        crs=buildings.frame.crs,
    )
    units = {
        "roof_kwh_m2": "kW.h/m2", "facade_kwh_m2": "kW.h/m2", "roof_sun_h": "h", "facade_sun_h": "h", "roof_area_m2": "m2",
        "usable_area_m2": "m2", "facade_area_m2": "m2", "pv_kwh_a": "kW.h/a",
    }  # fmt: skip
    return Features(table, buildings.frame, provenance, units)


PROCESS = Process(
    id="year",
    title=Name("한 해의 햇빛", "A year of sun"),
    version=VERSION,
    needs=("buildings", "building-parts"),
    takes=("weather",),
    inputs=(
        Input(
            "sky", Name("하늘", "Sky"), "1", "weather", (str,), ("weather", "clear"),
            Name(
                "weather: 기상 레이어(EPW). clear: 구름 없는 하늘, 기상 레이어가 없어도 됩니다.",
                "weather: the layer weather (EPW). clear: a sky without clouds, which needs no weather.",
            ),
        ),
        Input(
            "diffuse", Name("산란광 모형", "Diffuse light"), "1", "perez", (str,), ("perez", "isotropic"),
            Name("Perez 1990 또는 등방성", "Perez 1990, or the same from all of the sky"),
        ),
        Input("cell_m", Name("격자 크기", "Cell"), "m", 1.0, (int, float), minimum=0.25, maximum=100.0),
        Input(
            "step_minutes", Name("태양 경로의 간격", "Step of the sun's path"), "min", 10, (int,), minimum=1, maximum=60,
            about=Name("한 시간을 나누는 수. 계산 시간에 거의 영향이 없습니다.", "Divides the hour. It hardly changes the time it takes."),
        ),
        Input("directions", Name("지평선 방향 수", "Directions of horizons"), "1", 180, (int,), minimum=16, maximum=720),
        Input("albedo", Name("지면 반사율", "Reflectance of the ground"), "1", 0.2, (int, float), minimum=0.0, maximum=1.0),
        Input(
            "module_efficiency", Name("모듈 효율", "Efficiency of the modules"), "1", 0.20, (int, float), minimum=0.0, maximum=1.0,
        ),
        Input(
            "performance_ratio", Name("성능비", "Performance ratio"), "1", 0.80, (int, float), minimum=0.0, maximum=1.0,
            about=Name("온도·배선·변환기 손실을 모두 합한 비율", "All losses together: heat, wires, inverter, dirt"),
        ),
        Input(
            "roof_share", Name("쓸 수 있는 지붕 비율", "Share of the roof that is used"), "1", 0.5, (int, float), minimum=0.0, maximum=1.0,
        ),
        Input(
            "tile_cells", Name("타일 크기", "Side of a tile"), "1", 0, (int,), minimum=0, maximum=65536,
            about=Name(
                "격자를 나누어 계산할 타일의 한 변(칸). 0이면 큰 격자만 나눕니다. 답은 같습니다.",
                "Cells along the side of the tiles that the grid is worked on in; 0: only large grids are tiled. The answer is the same.",
            ),
        ),
    ),
    outputs=(
        Output(GRIDS[0], Name("한 해의 일조 시간 (구름 없음)", "Hours of sun in a year (no clouds)"), "h", "grid", error=50.0),
        Output(GRIDS[1], Name("하늘 시계율", "Sky view factor"), "1", "grid", error=0.03),
        Output(GRIDS[2], Name("지면 일사량", "Irradiation of the ground"), "kW.h/m2", "grid", error=20.0),
        Output("year-buildings", Name("건물별 일사와 태양광", "Irradiation and yield by building"), "kW.h/m2", "features", error=20.0),
    ),
    citations=("timonen2010", "perez1990", "ineichen2002", "johnson1984", "reda2004", "anderson2023"),
    validation=(
        "horizon_exact", "sky_view_canyon", "sky_view_court", "sky_view_facade",
        "year_hours", "year_open_ground", "year_tilted", "year_tiles",
    ),
    run=_run,
    about=Name(
        "한 해의 일조 시간, 하늘 시계율, 지면·지붕·외벽의 일사량과 건물별 태양광 발전량.",
        "Hours of sun in a year, sky view factor, irradiation of ground, roofs and facades, and the yield of modules on each roof.",
    ),
    error=Name(
        "일조 시간 ±50시간, 하늘 시계율 ±0.03, 일사량 ±2 % (같은 날씨와 같은 모형에서). 모형의 산란광과 발전량은 어림이며 "
        "건물 높이의 오차, 나무, 지형, 이웃 벽의 반사는 들어 있지 않습니다. 1.8°보다 낮은 지평선은 평평하다고 봅니다.",
        "Sun hours ±50 h, sky view ±0.03, irradiation ±2 % for the same weather and model. Reflections of neighbouring walls, trees, "
        "terrain and errors of building heights are not in these; the yield is as good as the stated ratio. Horizons below 1.8° are "
        "level.",
    ),
    accept=accept,
    halo_m=halo_m,
)  # fmt: skip
