"""What the audience sees of a stage, and when it stands in the sun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.panorama import free_points
from twintown.kernels.spread import spread

from .stage_city import City
from .stage_place import PERFORMER_M, Stage
from .sunpath import directions, parse_day

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Eyes above the ground, standing and sitting, metres (assumed).
STANDING_M, SEATED_M = 1.6, 1.2
#: A sight line clears the head of who stands or sits two rows ahead (rows are staggered) by rising so much a metre: heads are 0.12 m
#: above the eyes [sgsa2018, the C-value], rows 0.9 m apart (assumed).
HEAD_M, ROWS_M = 0.12, 0.9
ACROSS, UP = 7, 5
#: Minutes between two positions of the sun; the sun's rays are followed so far, metres.
STEP_MIN, FAR_M = 10, 20_000.0


@dataclass(frozen=True)
class Audience:
    """Places of an audience on open ground, float64[n, 2] (from the scene's origin), metres, and what is known of each.

    `away_m` float64[n]: from the front; `seen`, `by_buildings`, `by_heads` float64[n]: shares of the stage's front that are seen, hidden
    by buildings, and hidden by heads alone; `built` int: how many places of the whole stand in buildings and do not count.
    """

    xy: Floats
    away_m: Floats
    seen: Floats
    by_buildings: Floats
    by_heads: Floats
    built: int


def over_heads(stage: Stage, away_m: Floats, eye_m: float) -> Floats:
    """From which height of the front on one sees over the heads, float64[n], metres above the ground."""
    rise = HEAD_M / (2.0 * ROWS_M)
    behind = away_m > 2.0 * ROWS_M
    found: Floats = np.where(behind, eye_m + rise * away_m, 0.0)
    return found


def audience(city: City, stage: Stage, eye_m: float) -> Audience:
    """What each place sees: the front is cut into upright parts, of each counts what no building hides and no head."""
    xy, away = stage.places()
    local = city.local(xy.reshape(-1, 2))
    outside = (
        (local < 0.0).any(axis=1)
        | (local[:, 0] > city.scene.cols * city.scene.cell_m)
        | (local[:, 1] > city.scene.height)
    )
    free = (city.within(local) < 0) & ~outside
    local, away = local[free], away[free]
    targets = stage.targets(ACROSS, UP)
    targets[:, :, :2] = city.local(targets[:, :, :2])
    flat = targets.reshape(-1, 3)
    if not len(local):
        none = np.zeros(0)
        return Audience(local, away, none, none, none, int((~free).sum()))
    middle = np.vstack([local, flat[:, :2]]).mean(axis=0)
    around = float(np.sqrt(((np.vstack([local, flat[:, :2]]) - middle) ** 2).sum(axis=1)).max())
    walls = city.triangles(city.near(middle, around))
    eyes = np.column_stack([local, np.full(len(local), eye_m)])
    clear = np.ones((len(eyes), ACROSS, UP), np.bool_)
    if len(walls):
        found = spread(lambda i: free_points(walls, eyes[i], flat), len(eyes))
        clear = np.array(found).reshape(len(eyes), ACROSS, UP)
    least = over_heads(stage, away, eye_m)
    lower = stage.height_m + np.arange(UP) / UP * PERFORMER_M
    part = np.clip((lower[None, :] + PERFORMER_M / UP - least[:, None]) / (PERFORMER_M / UP), 0.0, 1.0)
    seen = (clear * part[:, None, :]).mean(axis=(1, 2))
    unbuilt = clear.mean(axis=(1, 2))
    return Audience(local, away, seen, 1.0 - unbuilt, unbuilt - seen, int((~free).sum()))


def sun_of(city: City, xy: Floats, eye_m: float, day: str, from_h: int, to_h: int) -> Floats:
    """Minutes of sun in each hour of the clock, float64[n, hours], at places from the scene's origin near each other.

    Raises:
        BadParameter: a bad day.
    """
    minutes = np.arange(from_h * 60 + STEP_MIN / 2, to_h * 60, STEP_MIN)
    sun = directions(minutes, parse_day(day), "civil", city.place)
    lit = np.zeros((len(sun), len(xy)), np.bool_)
    up = np.flatnonzero(sun[:, 2] > 1e-3)
    if len(up) and len(xy):
        rays = sun[up]
        lowest = float((rays[:, 2] / np.hypot(rays[:, 0], rays[:, 1])).min())
        middle = xy.mean(axis=0)
        around = float(np.sqrt(((xy - middle) ** 2).sum(axis=1)).max())
        # coordinates from the middle keep the numbers small beside a far sun
        shift = np.array([*middle, 0.0])
        walls = city.triangles(city.near(middle, around, lowest)) - shift
        points = np.column_stack([xy, np.full(len(xy), eye_m)]) - shift
        lit[up] = np.array(spread(lambda k: free_points(walls, rays[k] * FAR_M, points), len(up)))
    per = 60 // STEP_MIN
    found: Floats = lit.reshape(to_h - from_h, per, len(xy)).sum(axis=1).T * float(STEP_MIN)
    return found
