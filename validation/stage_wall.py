"""A stage behind a wall of known height: what is seen of it, and its shade, by similar triangles."""

from __future__ import annotations

import math
from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.processes.stage_city import City
from twintown.processes.stage_place import PERFORMER_M, Stage
from twintown.processes.stage_view import STEP_MIN, audience, sun_of
from twintown.processes.sunlight_scene import Scene
from twintown.processes.sunpath import directions, parse_day
from validation.case import Measured

Floats = NDArray[np.float64]
X, Y, SIDE = 208_000.0, 545_500.0, 200.0
FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the case")
EYE_M, DECK_M, DAY = 1.6, 1.0, "2027-09-18"


def city(*blocks: tuple[float, float, float, float, float]) -> City:
    """A city of boxes: west, south, east, north and top, metres from the corner."""
    shapes = [shapely.box(X + a, Y + b, X + c, Y + d) for a, b, c, d, _ in blocks]
    tops = np.array([one[4] for one in blocks])
    ids = [f"b{i}" for i in range(len(blocks))]
    made = Provenance((Source("case", "Walls", "nobody", Licence("CC0-1.0", "CC0")),))
    houses = gpd.GeoDataFrame(
        {"id": ids, "height_m": tops, "storey_m": np.full(len(tops), 3.3)}, geometry=shapes, crs=FRAME.crs
    )
    parts = gpd.GeoDataFrame(
        {"id": ids, "building": ids, "base_m": 0.0, "eave_m": tops, "top_m": tops, "roof_shape": "flat", "roof_direction_deg": np.nan},
        geometry=shapes, crs=FRAME.crs,
    )  # fmt: skip
    buildings = Features(houses, FRAME, made)
    return City.of(
        Scene(buildings, Features(parts, FRAME, made), Bounds(X, Y, X + SIDE, Y + SIDE), "Asia/Seoul"),
        buildings,
        None,
    )


def stage(y: float = 160.0, audience_m: float = 100.0) -> Stage:
    """A stage that faces south, its middle 100 m east of the corner."""
    return Stage(X + 100.0, Y + y, (0.0, -1.0), 10.0, 6.0, DECK_M, 95.0, audience_m)


def seen_by_hand(front: float, wall_far: float, wall_near: float, top: float, y: float) -> float:
    """Share of the performers' height that is seen over a wide wall from a place at y, from below up."""
    if y > wall_far:
        return 1.0
    slopes = [(top - EYE_M) / (edge - y) for edge in (wall_near, wall_far)]
    least = EYE_M + max(slopes) * (front - y)
    return float(np.clip((DECK_M + PERFORMER_M - least) / PERFORMER_M, 0.0, 1.0))


def measure() -> Iterator[Measured]:
    """Sight over a wall of 1.5 to 2.5 m, none through a high one, and the minutes of its shade."""
    one = stage()
    front = 157.0
    worst = 0.0
    for top in (1.7, 1.9, 2.2, 2.5):
        found = audience(city((0.0, 130.0, 200.0, 130.5, top)), one, EYE_M)
        wanted = np.array([seen_by_hand(front, 130.5, 130.0, top, y) for y in found.xy[:, 1]])
        worst = max(worst, float(np.abs(1.0 - found.by_buildings - wanted).max()))
    # the front is cut into five parts: one of them counts whole or not at all
    yield Measured(
        "stage_view.audience",
        "stage_wall",
        "share of the front seen over four wide walls",
        worst,
        0.5 / 5 + 1e-9,
        "1",
    )
    found = audience(city((0.0, 130.0, 200.0, 130.5, 30.0)), one, EYE_M)
    behind = found.xy[:, 1] < 130.0
    yield Measured(
        "stage_view.audience", "stage_wall", "places that see through a wall of 30 m",
        float((found.by_buildings[behind] < 1.0).sum()), 0.0, "places",
    )  # fmt: skip
    # a tower's place takes the audience's: what stands in a building does not count
    block = audience(city((90.0, 100.0, 110.0, 120.0, 30.0)), one, EYE_M)
    inside = (block.xy[:, 0] > 90) & (block.xy[:, 0] < 110) & (block.xy[:, 1] > 100) & (block.xy[:, 1] < 120)
    yield Measured(
        "stage_view.audience",
        "stage_wall",
        "places within a block that count",
        float(inside.sum()),
        0.0,
        "places",
    )

    # shade: a long wall 40 m high along the south; a place 30 m behind it is lit when tan(altitude) · 30 m is more than it rises
    south = city((0.0, 40.0, 200.0, 41.0, 40.0))
    places = np.array([[100.0, 71.0], [100.0, 101.0], [60.0, 86.0]])
    minutes = sun_of(south, places, EYE_M, DAY, 9, 17)
    steps = np.arange(9 * 60 + STEP_MIN / 2, 17 * 60, STEP_MIN)
    sun = directions(steps, parse_day(DAY), "civil", south.place)
    wanted = np.zeros(len(places))
    for s in sun:
        for k, (x, y) in enumerate(places):
            lit = True
            if s[1] < 0:  # towards the wall: where the ray is when it meets its near and far side
                for edge in (41.0, 40.0):
                    t = (y - edge) / -s[1]
                    lit &= not (0.0 <= x + t * s[0] <= SIDE and EYE_M + t * s[2] < 40.0)
            wanted[k] += STEP_MIN * lit
    yield Measured(
        "stage_view.sun_of",
        "stage_wall",
        "minutes of sun behind a long wall, 9 to 17 h",
        float(np.abs(minutes.sum(axis=1) - wanted).max()),
        0.0,
        "min",
    )
    yield Measured(
        "stage_view.sun_of",
        "stage_wall",
        "of it in all, by hours that add up",
        abs(float(minutes.sum()) - math.fsum(wanted)),
        0.0,
        "min",
    )
