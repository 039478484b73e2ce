"""What is asked of the process `view`, checked: eyes, landmarks, ridges, the target; all in metres of the frame, to the millimetre."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.jobs.process import Ask

from .view_inputs import EYE_M, MOST_LANDMARKS, MOST_RIDGES

Floats = NDArray[np.float64]

MOST_OBSERVERS, MOST_POINTS, MOST_CELLS = 64, 4000, 64_000_000


@dataclass(frozen=True)
class Eye:
    """An eye: place in the frame (m), height above the ground (m), what it is (`observer`, `point`, `lattice`), its name."""

    x: float
    y: float
    eye_m: float
    kind: str
    name: str


@dataclass(frozen=True)
class Ridge:
    """A line of heights on the horizon: `points` float64[n, 3], metres of the frame, heights above the ground's zero."""

    name: str
    points: Floats


@dataclass(frozen=True)
class Wanted:
    """A question that can be answered. `landmarks`, `target`: rows of `buildings`."""

    observers: tuple[Eye, ...]
    points: tuple[Eye, ...]
    landmarks: tuple[int, ...]
    ridges: tuple[Ridge, ...]
    target: int
    cell_m: float
    range_m: float


def features(ask: Ask, layer: str) -> Features:
    """A layer of features.

    Raises:
        BadInput: it is of another shape.
    """
    shape = ask.layers[layer]
    if not isinstance(shape, Features):
        raise BadInput(f"the layer {layer!r} is a {type(shape).__name__}, not features", "process view")
    return shape


def grid_shape(ask: Ask, cell_m: float) -> tuple[int, int]:
    """Rows and columns of cells over the bounds.

    Raises:
        BadParameter: too many.
    """
    rows = math.ceil((ask.bounds.ymax - ask.bounds.ymin) / cell_m - 1e-6)
    cols = math.ceil((ask.bounds.xmax - ask.bounds.xmin) / cell_m - 1e-6)
    if rows * cols > MOST_CELLS:
        least = math.ceil(10 * cell_m * math.sqrt(rows * cols / MOST_CELLS)) / 10
        raise BadParameter(
            "cell_m", f"cells of {cell_m:g} m make {rows * cols:,} of them here", remedy=f"use at least {least:g} m"
        )  # fmt: skip
    return max(1, rows), max(1, cols)


def check(ask: Ask, options: Mapping[str, Any]) -> None:
    """What can be told of a question without any layer.

    Raises:
        BadParameter: too many cells or points, a point that is none or out of the bounds, a bad ridge, ids that are none.
    """
    grid_shape(ask, float(options["cell_m"]))
    _eyes(ask, options["observers"], "observers", "observer", MOST_OBSERVERS, None)
    _eyes(ask, options["points"], "points", "point", MOST_POINTS, None)
    _lattice(ask, float(options["points_every_m"]), None)
    _ridges(ask, options["ridges"])
    if bad := [one for one in options["landmarks"] if not isinstance(one, str)]:
        raise BadParameter("landmarks", f"{bad[0]!r} is not the id of a building")
    if len(options["landmarks"]) > MOST_LANDMARKS:
        raise BadParameter(
            "landmarks", f"{len(options['landmarks'])} are too many", remedy=f"give at most {MOST_LANDMARKS}"
        )


def wanted(ask: Ask, options: Mapping[str, Any]) -> Wanted:
    """The question with everything in its place.

    Raises:
        BadParameter: what `check` finds, a point inside a building, an unknown building.
    """
    check(ask, options)
    buildings, parts = features(ask, "buildings"), features(ask, "building-parts")
    if "terrain" in ask.layers and not isinstance(ask.layers["terrain"], Grid):
        raise BadInput("the layer 'terrain' is not a grid", "process view")
    cell_m = float(options["cell_m"])
    inside = Inside(parts)
    observers = _eyes(ask, options["observers"], "observers", "observer", MOST_OBSERVERS, inside)
    points = _eyes(ask, options["points"], "points", "point", MOST_POINTS, inside)
    lattice = _lattice(ask, float(options["points_every_m"]), inside)
    if not observers:
        observers = (_default_eye(ask, inside),)
    rows = {one: i for i, one in enumerate(buildings.table["id"])}
    if not rows:
        raise BadInput("the layer 'buildings' is empty", "process view", "add buildings first")
    tallest = int(np.nanargmax(buildings.table["height_m"].to_numpy(float)))
    landmarks = tuple(_row(rows, one, "landmarks") for one in options["landmarks"]) or (tallest,)
    target = _row(rows, options["target"], "target") if options["target"] else landmarks[0]
    return Wanted(
        observers, (*points, *lattice), tuple(dict.fromkeys(landmarks)), _ridges(ask, options["ridges"]), target, cell_m,
        float(options["range_m"]),
    )  # fmt: skip


def checked(ask: Ask, options: Mapping[str, Any]) -> None:
    """What can be wrong with a question before the city is read. Raises BadParameter."""
    grid_shape(ask, float(options["cell_m"]))
    nowhere = Open()
    _eyes(ask, options["observers"], "observers", "observer", MOST_OBSERVERS, nowhere)
    _eyes(ask, options["points"], "points", "point", MOST_POINTS, nowhere)
    _lattice(ask, float(options["points_every_m"]), nowhere)
    if len(options["landmarks"]) > MOST_LANDMARKS:
        raise BadParameter(
            "landmarks", f"{len(options['landmarks'])} are too many", remedy=f"give at most {MOST_LANDMARKS}"
        )
    _ridges(ask, options["ridges"])


class Inside:
    """Which places are inside of a part of a building."""

    def __init__(self, parts: Features) -> None:
        self._tree = shapely.STRtree(parts.table.geometry.to_numpy())
        self._ids = parts.table["building"].to_numpy()
        self._base, self._top = (parts.table[name].to_numpy(float) for name in ("base_m", "top_m"))

    def building(self, x: float, y: float, z: float) -> str:
        """The building that the place (m) is in, or nothing."""
        for row in sorted(self._tree.query(shapely.Point(x, y), predicate="intersects").tolist()):
            if self._base[row] <= z < self._top[row]:
                return str(self._ids[row])
        return ""

    def any(self, xy: Floats, z: float) -> NDArray[np.bool_]:
        """Whether each place float64[n, 2] at the height z is in one, bool[n]."""
        found = np.zeros(len(xy), bool)
        place, row = self._tree.query(shapely.points(xy), predicate="intersects")
        found[place[(self._base[row] <= z) & (z < self._top[row])]] = True
        return found


class Open(Inside):
    """No part of a building anywhere."""

    def __init__(self) -> None:
        """Nothing is read."""

    def building(self, x: float, y: float, z: float) -> str:
        return ""

    def any(self, xy: Floats, z: float) -> NDArray[np.bool_]:
        return np.zeros(len(xy), bool)


def _number(value: object, name: str, where: str, low: float, high: float, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadParameter(name, f"{value!r} is not a number from {low:g} to {high:g} {unit}".rstrip(), where)
    return float(value)


def _eyes(ask: Ask, given: object, name: str, kind: str, most: int, inside: Inside | None) -> tuple[Eye, ...]:
    if not isinstance(given, list):
        raise BadParameter(name, f"{given!r} is not a list of points")
    if len(given) > most:
        raise BadParameter(name, f"{len(given):,} are too many", remedy=f"give at most {most:,}")
    eyes = []
    for index, one in enumerate(given):
        where = f"{name}[{index}]"
        if not isinstance(one, Mapping) or not {"lon", "lat"} <= set(one) <= {"lon", "lat", "eye_m", "name"}:
            raise BadParameter(
                name,
                f"{one!r} is not a point",
                where,
                'write it as {"lon": 127.1, "lat": 37.5, "eye_m": 1.6}',
            )
        lon = _number(one["lon"], name, f"{where}.lon", -180, 180, "degrees")
        lat = _number(one["lat"], name, f"{where}.lat", -90, 90, "degrees")
        eye_m = _number(one.get("eye_m", EYE_M), name, f"{where}.eye_m", 0.1, 1000, "m")
        x, y = (float(np.round(v, 3)) for v in ask.frame.from_lonlat(lon, lat))
        b = ask.bounds
        if not (b.xmin < x < b.xmax and b.ymin < y < b.ymax):
            raise BadParameter(
                name, f"{lon:g}, {lat:g} is outside the twin", where, "give a point within its bounds"
            )
        if inside and (owner := inside.building(x, y, eye_m)):
            raise BadParameter(
                name, f"{lon:g}, {lat:g} at {eye_m:g} m is inside the building {owner}", where,
                "move it into the open, or raise eye_m above the roof",
            )  # fmt: skip
        eyes.append(Eye(x, y, eye_m, kind, str(one.get("name", ""))))
    return tuple(eyes)


def _lattice(ask: Ask, every_m: float, inside: Inside | None) -> tuple[Eye, ...]:
    """Eyes in the open, so far from each other over the whole bounds."""
    if every_m <= 0:
        return ()
    b = ask.bounds
    xs = np.round(np.arange(b.xmin + every_m / 2, b.xmax, every_m), 3)
    ys = np.round(np.arange(b.ymin + every_m / 2, b.ymax, every_m), 3)
    if len(xs) * len(ys) > MOST_POINTS:
        least = math.ceil(every_m * math.sqrt(len(xs) * len(ys) / MOST_POINTS))
        raise BadParameter(
            "points_every_m", f"makes {len(xs) * len(ys):,} points", remedy=f"use at least {least} m"
        )
    xy = np.stack(np.meshgrid(xs, ys[::-1]), axis=-1).reshape(-1, 2)
    free = xy[~inside.any(xy, EYE_M)] if inside else xy
    return tuple(Eye(float(x), float(y), EYE_M, "lattice", "") for x, y in free)


def _default_eye(ask: Ask, inside: Inside) -> Eye:
    """The free place nearest to the middle of the bounds, on a lattice of 5 m."""
    b = ask.bounds
    x0, y0 = (b.xmin + b.xmax) / 2, (b.ymin + b.ymax) / 2
    reach = 5.0 * np.arange(-60, 61)
    xy = np.round(np.stack(np.meshgrid(x0 + reach, y0 + reach), axis=-1).reshape(-1, 2), 3)
    xy = xy[(xy[:, 0] > b.xmin) & (xy[:, 0] < b.xmax) & (xy[:, 1] > b.ymin) & (xy[:, 1] < b.ymax)]
    order = np.argsort((xy[:, 0] - x0) ** 2 + (xy[:, 1] - y0) ** 2, kind="stable")
    free = order[~inside.any(xy[order], EYE_M)]
    if not len(free):
        raise BadParameter(
            "observers", "there is no open place near the middle of the twin", remedy="give a point"
        )
    return Eye(float(xy[free[0], 0]), float(xy[free[0], 1]), EYE_M, "observer", "")


def _row(rows: Mapping[str, int], one: object, name: str) -> int:
    if not isinstance(one, str) or one not in rows:
        raise BadParameter(
            name, f"there is no building {one!r}", remedy="give the id of a building of this twin or plan"
        )
    return rows[one]


def _ridges(ask: Ask, given: object) -> tuple[Ridge, ...]:
    if not isinstance(given, list) or len(given) > MOST_RIDGES:
        raise BadParameter("ridges", f"is not a list of at most {MOST_RIDGES} lines")
    out = []
    for index, one in enumerate(given):
        where = f"ridges[{index}]"
        points = one.get("points") if isinstance(one, Mapping) else None
        if (
            not isinstance(points, list)
            or not 2 <= len(points) <= 2000
            or not isinstance(one.get("name"), str)
        ):
            raise BadParameter(
                "ridges",
                f"{one!r} is not a ridge",
                where,
                'write it as {"name": …, "points": [[lon, lat, height], …]}',
            )
        rows = []
        for number, point in enumerate(points):
            at = f"{where}.points[{number}]"
            if not isinstance(point, list) or len(point) != 3:
                raise BadParameter("ridges", f"{point!r} is not longitude, latitude, height", at)
            rows.append([
                _number(point[0], "ridges", at, -180, 180, "degrees"), _number(point[1], "ridges", at, -90, 90, "degrees"),
                _number(point[2], "ridges", at, -500, 9000, "m"),
            ])  # fmt: skip
        table = np.array(rows)
        x, y = ask.frame.from_lonlat(table[:, 0], table[:, 1])
        out.append(Ridge(one["name"], np.round(np.column_stack([x, y, table[:, 2]]), 3)))
    return tuple(out)
