"""The process `view`: what is seen from a place, what fills the view there, and from where a building will be seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Process, Shape
from twintown.kernels.viewshed import UNKNOWN, needed_heights, tower_metres

from .view_ask import Eye, Wanted, checked, features, grid_shape, wanted
from .view_inputs import INPUTS, OUTPUTS
from .view_points import points_of, sights_of
from .view_scene import Surroundings, surroundings

VERSION = "1"
F32 = NDArray[np.float32]
NOBODY_M = -1.0
#: What needs more than this to be seen needs this, metres.
MOST_M = np.float32(2000.0)


@dataclass(frozen=True)
class Spot:
    """Where an eye stands on the grid: its cell, and how far above that cell's top, metres; how far it was put aside."""

    row: int
    col: int
    above_m: float
    aside_m: float


def spot(eye: Eye, scene: Surroundings, heights: F32, cell_m: float) -> Spot:
    """The cell nearest to an eye whose top is below it.

    Raises:
        BadParameter: none of the cells around is.
    """
    rows, cols = heights.shape
    x, y = eye.x - scene.origin[0], eye.y - scene.origin[1]
    z = float(scene.ground_at(np.array([[x, y]]))[0]) + eye.eye_m
    r0, c0 = min(rows - 1, max(0, rows - 1 - int(y // cell_m))), min(cols - 1, max(0, int(x // cell_m)))
    best: tuple[float, int, int] | None = None
    for r in range(max(0, r0 - 2), min(rows, r0 + 3)):
        for c in range(max(0, c0 - 2), min(cols, c0 + 3)):
            if heights[r, c] < z:
                away = ((c + 0.5) * cell_m - x) ** 2 + ((rows - r - 0.5) * cell_m - y) ** 2
                if best is None or away < best[0]:
                    best = (away, r, c)
    if best is None:
        raise BadParameter(
            "observers", f"an eye at {eye.eye_m:g} m has no open cell of {cell_m:g} m around it", remedy="use smaller cells"
        )  # fmt: skip
    return Spot(best[1], best[2], z - float(heights[best[1], best[2]]), math.sqrt(best[0]))


def _seen(
    ask: Ask, want: Wanted, scene: Surroundings, heights: F32, target_m: float
) -> tuple[NDArray[np.uint8], F32, list[dict[str, float]]]:
    """How many observers see a thing of a height on each cell, and how high it must be for one of them; where they stood."""
    count = ask.room(heights.shape, np.uint8)
    least = ask.room(heights.shape, np.float32)
    least[...] = UNKNOWN
    stood = []
    for number, eye in enumerate(want.observers):
        ask.progress("sight lines of the observers", 0.05 + 0.4 * number / len(want.observers))
        at = spot(eye, scene, heights, want.cell_m)
        needed = needed_heights(heights, want.cell_m, at.row, at.col, at.above_m, range_m=want.range_m)
        known = needed >= 0
        count += (known & (needed <= target_m)).astype(np.uint8)
        np.copyto(least, needed, where=known & ((least < 0) | (needed < least)))
        stood.append({"row": at.row, "col": at.col, "aside_m": round(at.aside_m, 3)})
    count[least < 0] = 255
    return count, _stepped(np.minimum(least, MOST_M)), stood


def _stepped(values: F32) -> F32:
    """To the centimetre."""
    out: F32 = np.round(values.astype(np.float64), 2).astype(np.float32)
    return out


def foot_of(ask: Ask, scene: Surroundings, row: int) -> tuple[float, float, float, float]:
    """The upright line that stands for a building: x, y from the scene's origin, foot and top (m), in its highest part.

    Raises:
        BadParameter: the building has no part that stands.
    """
    buildings, parts = features(ask, "buildings").table, features(ask, "building-parts").table
    mine = parts[parts["building"] == buildings["id"].iloc[row]]
    if not len(mine):
        raise BadParameter("target", f"the building {buildings['id'].iloc[row]!r} has no part")
    order = np.lexsort((mine["id"].to_numpy(str), -mine["top_m"].to_numpy(float)))
    first = mine.iloc[order[0]]
    point = shapely.point_on_surface(first.geometry)
    x, y = round(point.x - scene.origin[0], 3), round(point.y - scene.origin[1], 3)
    ground = float(scene.ground_at(np.array([[x, y]]))[0])
    return x, y, ground, ground + round(float(first["top_m"]), 3)


def factors_of(ask: Ask, sign: float) -> NDArray[np.float64]:
    """How many times as high each building is when its stated error goes one way, float64[n]."""
    table = features(ask, "buildings").table
    height = table["height_m"].to_numpy(float)
    error = table["height_error_m"].to_numpy(float) if "height_error_m" in table else np.zeros(len(table))
    error = np.where(np.isfinite(error), error, 0.0)
    share = np.where(height > 0.5, error / np.maximum(height, 0.5), 0.0)
    return np.asarray(np.round(np.maximum(0.0, 1.0 + sign * share), 6), np.float64)


def _tower(ask: Ask, want: Wanted, scene: Surroundings, eye_m: float) -> tuple[F32, dict[str, Any]]:
    """Metres of the target seen from each cell, and from how much of the open ground, with all other heights in error too."""
    rows, cols = grid_shape(ask, want.cell_m)
    x, y, base, top = foot_of(ask, scene, want.target)
    row, col = (
        min(rows - 1, max(0, rows - 1 - int(y // want.cell_m))),
        min(cols - 1, max(0, int(x // want.cell_m))),
    )
    others = scene.without(want.target)
    shares: dict[str, Any] = {}
    out = np.zeros((1, 1), np.float32)
    for name, sign in (("high", 1.0), ("low", -1.0), ("stated", 0.0)):
        ask.progress("where the target is seen from", {"high": 0.45, "low": 0.55, "stated": 0.65}[name])
        stand = others if sign == 0 else others.taller(factors_of(ask, sign))
        heights = stand.heights(rows, cols, want.cell_m)
        seen = tower_metres(heights, want.cell_m, row, col, base, top, eye_m, range_m=want.range_m)
        open_ground = (_built(scene, rows, cols, want.cell_m) == 0) & (seen >= 0)
        whole = int(open_ground.sum())
        shares[f"seen_from_open_ground_pct_{name}"] = (
            round(100.0 * int(((seen > 0) & open_ground).sum()) / whole, 2) if whole else 0.0
        )
        out = seen
    built = features(ask, "buildings").table
    shares["target"] = str(built["id"].iloc[want.target])
    shares["target_foot_m"], shares["target_top_m"] = round(base, 3), round(top, 3)
    return _stepped(out), shares


def _built(scene: Surroundings, rows: int, cols: int, cell_m: float) -> NDArray[np.uint8]:
    """Cells that a building stands on, u1[rows, cols]."""
    flat = Surroundings(
        scene.origin, scene.corners[scene.owner <= scene.buildings], scene.owner[scene.owner <= scene.buildings],
        scene.buildings, False, None,
    )  # fmt: skip
    return (flat.heights(rows, cols, cell_m) > 0).astype(np.uint8)


def _accept(ask: Ask) -> None:
    options = PROCESS.check(ask.options)
    if "buildings" in ask.layers and "building-parts" in ask.layers:
        wanted(ask, options)
    else:  # when a question is asked nothing is read yet; what hangs on buildings is said when it is answered
        checked(ask, options)


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    ask.progress("buildings, green and terrain", 0.0)
    want = wanted(ask, ask.options)
    scene = surroundings(ask)
    buildings, parts = features(ask, "buildings"), features(ask, "building-parts")
    eye_m, target_m = float(ask.options["eye_m"]), float(ask.options["target_m"])
    rows, cols = grid_shape(ask, want.cell_m)
    heights = scene.heights(rows, cols, want.cell_m, ask.room((rows, cols), np.float32))
    step = Step(
        "sight lines over blocks, cube panoramas of triangles", f"twintown.processes.view {VERSION}",
        {"cell_m": want.cell_m, "range_m": want.range_m, "eye_m": eye_m, "target_m": target_m, "refraction": 0.13, "rays": 2},
    )  # fmt: skip
    used = [buildings.provenance, parts.provenance]
    used += [ask.layers[one].provenance for one in ("green", "trees", "terrain") if one in ask.layers]
    provenance = Provenance.of(used, step)
    count, least, stood = _seen(ask, want, scene, heights, target_m)

    def grid(values: NDArray[Any], unit: str, nodata: float, attributes: dict[str, Any]) -> Grid:
        return Grid(
            values, ask.bounds.xmin, ask.bounds.ymin + rows * want.cell_m, want.cell_m, unit, ask.frame, provenance, nodata,
            {**attributes, "range_m": want.range_m, "curved_earth": True, "refraction": 0.13, "error": METHOD},
        )  # fmt: skip

    observers = [
        {"x": one.x, "y": one.y, "eye_m": one.eye_m, "name": one.name, **where}
        for one, where in zip(want.observers, stood, strict=True)
    ]
    yield "view-seen", grid(count, "{observer}", 255, {"observers": observers, "target_m": target_m})
    yield "view-height", grid(least, "m", NOBODY_M, {"observers": observers, "most_m": float(MOST_M)})
    metres, shares = _tower(ask, want, scene, eye_m)
    yield "view-tower", grid(metres, "m", NOBODY_M, {"eye_m": eye_m, **shares})
    eyes = (*want.observers, *want.points)
    places = np.array([[one.x, one.y] for one in eyes])
    higher, lower = scene.taller(factors_of(ask, 1.0)), scene.taller(factors_of(ask, -1.0))
    columns, units, found = points_of(ask, scene, (lower, higher), eyes)
    yield (
        "view-points",
        Features(
            gpd.GeoDataFrame(columns, geometry=shapely.points(places), crs=ask.frame.crs),
            ask.frame,
            provenance,
            units,
        ),
    )
    ask.progress("landmarks and ridges", 0.9)
    lines = {one: foot_of(ask, scene, one) for one in want.landmarks}
    table, units = sights_of(ask, scene, (lower, higher), eyes, lines, want.ridges, want.range_m, found)
    yield "view-sights", Features(gpd.GeoDataFrame(table, crs=ask.frame.crs), ask.frame, provenance, units)
    ask.progress("done", 1.0)


METHOD = (
    "0.2 % of cells change sides of the sight line against the exact one over the same blocks; buildings fill whole cells, so walls "
    "lie within half a cell; an observer stands on the middle of a cell; what hangs in the air is taken down to the ground; trees "
    "are opaque"
)

PROCESS = Process(
    id="view",
    title=Name("조망", "View"),
    version=VERSION,
    needs=("buildings", "building-parts"),
    takes=("green", "trees", "terrain"),
    inputs=INPUTS,
    outputs=OUTPUTS,
    citations=("franklin1994", "graham1972", "olano1997", "pineda1988"),
    validation=("view_exact", "view_analytic"),
    run=_run,
    about=Name(
        "관찰점의 가시권, 조망점에서 하늘·건물·녹지가 차지하는 비율, 랜드마크와 능선이 얼마나 보이는지, 건물이 어디서 얼마나 보이는지",
        "The viewshed of observers, the shares of sky, buildings and green around view points, how much of landmarks and ridges is seen, "
        "and from where how much of a building is seen",
    ),
    error=Name(
        "격자: 같은 블록의 정확한 시선과 0.2 % 의 칸이 다르고, 벽은 반 칸 안에서 칸에 맞춤. 비율: 전체 시야의 0.05 %. "
        "건물 높이의 오차는 low·high 값으로 따로 답함",
        "Grids: 0.2 % of cells differ from the exact line of sight over the same blocks, walls lie within half a cell. "
        "Shares: 0.05 % of the sphere. The errors of the buildings' heights are answered as low and high values beside each number",
    ),
    accept=_accept,
)  # fmt: skip
