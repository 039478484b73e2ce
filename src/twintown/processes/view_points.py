"""What fills the view from points, and which landmarks and ridges are seen from them: columns of the answers of `view`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.jobs.process import Ask
from twintown.kernels.panorama import free_metres, free_points, shares
from twintown.kernels.viewshed import EARTH_M

from .view_ask import Eye, Ridge, features
from .view_scene import Surroundings

Floats = NDArray[np.float64]
#: Pixels of a face of the cube; of those for the errors of the heights.
SIDE, SIDE_ERROR = 512, 256
#: Points that are worked on together.
CHUNK = 64
#: Error of a share by the pixels, % of the sphere.
METHOD_PCT = 0.05
REFRACTION = 0.13
#: A ridge is asked at points so far apart, as a share of its length.
RIDGE_POINTS = 400


def eye_places(scene: Surroundings, eyes: Sequence[Eye]) -> Floats:
    """Places of eyes from the scene's origin, float64[n, 3], metres."""
    xy = np.array([[one.x, one.y] for one in eyes]) - np.asarray(scene.origin)
    z = scene.ground_at(xy) + np.array([one.eye_m for one in eyes])
    return np.round(np.column_stack([xy, z]), 3)


def points_of(
    ask: Ask, scene: Surroundings, extremes: tuple[Surroundings, Surroundings], eyes: Sequence[Eye]
) -> tuple[dict[str, Any], dict[str, str], Floats]:
    """Columns and units of the view points: shares of the whole sphere in per cent, with errors; green is null where it is not known.

    And the shares themselves, float64[n, owners + 2], per cent.
    """
    at = eye_places(scene, eyes)
    n = scene.buildings
    parts: list[Floats] = []
    spans: list[tuple[list[Floats], list[Floats]]] = [([], []), ([], [])]
    for begin in range(0, len(at), CHUNK):
        ask.progress("what fills the view", 0.75 + 0.15 * begin / len(at))
        some = at[begin : begin + CHUNK]
        parts.append(100.0 * shares(scene.corners, scene.owner, scene.owners, some, SIDE))
        for (sky_of, built_of), other in zip(spans, extremes, strict=True):
            part = 100.0 * shares(other.corners, other.owner, other.owners, some, SIDE_ERROR)
            sky_of.append(part[:, -2])
            built_of.append(part[:, : n + 1].sum(axis=1))
    found = np.concatenate(parts)
    built, green = found[:, : n + 1].sum(axis=1), found[:, scene.green]
    sky, ground = found[:, -2], found[:, -1] + found[:, n + 2]
    (low_sky, low_built), (high_sky, high_built) = [
        (np.concatenate(sky_of), np.concatenate(built_of)) for sky_of, built_of in spans
    ]
    ids = features(ask, "buildings").table["id"].to_numpy(object)
    most = np.argmax(found[:, :n], axis=1)
    green_pct = np.round(green, 2) if scene.knows_green else np.full(len(eyes), np.nan)
    columns: dict[str, Any] = {
        "id": [f"p{i}" for i in range(len(eyes))],
        "name": [one.name for one in eyes],
        "kind": [one.kind for one in eyes],
        "eye_m": [one.eye_m for one in eyes],
        "ground_m": np.round(at[:, 2] - np.array([one.eye_m for one in eyes]), 2),
        "sky_pct": np.round(sky, 2),
        "sky_error_pct": _error(low_sky, high_sky),
        "buildings_pct": np.round(built, 2),
        "buildings_error_pct": _error(low_built, high_built),
        "green_pct": green_pct,
        "ground_pct": np.round(ground, 2),
        "most": [str(ids[k]) if found[i, k] > 0 else "" for i, k in enumerate(most)],
        "most_pct": np.round(found[np.arange(len(eyes)), most], 2),
        "why": [_why(ask, scene)] * len(eyes),
    }
    units = {"eye_m": "m", "ground_m": "m", **{name: "%" for name in columns if name.endswith("_pct")}}
    return columns, units, found


def _error(low: Floats, high: Floats) -> Floats:
    """Half of what the heights' errors move a share, and the method's own, %."""
    out: Floats = np.round(np.abs(high - low) / 2 + METHOD_PCT, 2)
    return out


def _why(ask: Ask, scene: Surroundings) -> str:
    missing = [one for one in ("green", "trees", "terrain") if one not in ask.layers]
    if not missing:
        return ""
    said = f"the twin has no layer {', '.join(missing)}"
    return said if scene.knows_green else f"{said}: green_pct is not known"


def sights_of(
    ask: Ask,
    scene: Surroundings,
    extremes: tuple[Surroundings, Surroundings],
    eyes: Sequence[Eye],
    landmarks: Mapping[int, tuple[float, float, float, float]],
    ridges: Sequence[Ridge],
    range_m: float,
    found: Floats,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Columns and units: one row for each view point and landmark or ridge; a line from one to the other.

    `found`: shares of the sphere as `points_of` gives them. Of a landmark its upright line in its highest part counts, of a ridge its
    length; `low_m`, `high_m`: the same with all other heights in error.
    """
    at = eye_places(scene, eyes)
    table = features(ask, "buildings").table
    names = table["name"].fillna("").to_numpy(object) if "name" in table else np.full(len(table), "", object)
    ids = table["id"].to_numpy(object)
    rows: list[dict[str, Any]] = []
    for number, eye in enumerate(at):
        for row, (x, y, base, top) in landmarks.items():
            foot = np.array([x, y])
            away = float(np.hypot(x - eye[0], y - eye[1]))
            drop = round(away * away * (1 - REFRACTION) / (2 * EARTH_M), 4)
            free = [
                free_metres(one.corners, one.owner, eye, foot, base - drop, top - drop, row)
                for one in (scene, *extremes)
            ]
            metres = [value if away <= range_m else 0.0 for value, _ in free]
            rows.append(
                {
                    "point": f"p{number}", "kind": "landmark", "object": str(ids[row]), "name": str(names[row]),
                    "distance_m": away, "visible_m": metres[0], "visible_pct": 100.0 * metres[0] / max(top - base, 1e-6),
                    "share_pct": float(found[number, row]),
                    "low_m": min(metres), "high_m": max(metres),
                    "lowest_m": free[0][1] - base + drop if metres[0] > 0 else np.nan,
                    "geometry": _line(scene, eye, x, y),
                }
            )  # fmt: skip
        for ridge in ridges:
            rows.append(_ridge(scene, extremes, number, eye, ridge, range_m))
    frame = pd.DataFrame(rows)
    columns: dict[str, Any] = {"id": [f"s{i}" for i in range(len(frame))]}
    for name in frame:
        values = frame[name]
        columns[str(name)] = values.round(2) if values.dtype.kind == "f" else values
    units = {
        "distance_m": "m",
        "visible_m": "m",
        "visible_pct": "%",
        "low_m": "m",
        "high_m": "m",
        "lowest_m": "m",
    }
    return columns, units


def _line(scene: Surroundings, eye: Floats, x: float, y: float) -> shapely.LineString:
    ox, oy = scene.origin
    return shapely.LineString(
        [(round(eye[0] + ox, 3), round(eye[1] + oy, 3)), (round(x + ox, 3), round(y + oy, 3))]
    )


def _ridge(
    scene: Surroundings, extremes: tuple[Surroundings, Surroundings], number: int, eye: Floats, ridge: Ridge, range_m: float
) -> dict[str, Any]:  # fmt: skip
    """How much of a ridge's length is seen; its crest falls with the earth's curve."""
    local = ridge.points - np.array([*scene.origin, 0.0])
    steps = np.sqrt((np.diff(local[:, :2], axis=0) ** 2).sum(axis=1))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    want = (np.arange(RIDGE_POINTS) + 0.5) / RIDGE_POINTS * along[-1]
    line = np.column_stack([np.interp(want, along, local[:, k]) for k in range(3)])
    away2 = (line[:, 0] - eye[0]) ** 2 + (line[:, 1] - eye[1]) ** 2
    line[:, 2] -= away2 * (1 - REFRACTION) / (2 * EARTH_M)
    line = np.round(line, 3)
    near = away2 <= range_m * range_m
    seen = [free_points(one.corners, eye, line) & near for one in (scene, *extremes)]
    metres = [float(along[-1]) * float(one.mean()) for one in seen]
    middle = line[RIDGE_POINTS // 2]
    return {
        "point": f"p{number}", "kind": "ridge", "object": "", "name": ridge.name,
        "distance_m": float(np.sqrt(away2.min())), "visible_m": metres[0],
        "visible_pct": 100.0 * float(seen[0].mean()), "low_m": min(metres), "high_m": max(metres), "lowest_m": np.nan, "share_pct": np.nan,
        "geometry": _line(scene, eye, float(middle[0]), float(middle[1])),
    }  # fmt: skip
