"""The places that are tried: a lattice on open ground, four ways to face at each, scored and weeded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from .stands_ground import Ground
from .stands_inputs import Wish
from .stands_place import Stand
from .stands_score import Scored, scored

Floats = NDArray[np.float64]
#: At most so many places are tried in all four directions: those that are best facing their street.
MOST = 300


def lattice(ground: Ground, wish: Wish) -> Floats:
    """Places in the circle where a stand of half its diagonal does not touch a building or a road, float64[n, 2], metres."""
    steps = np.arange(-wish.radius_m, wish.radius_m + 1e-9, wish.lattice_m)
    dx, dy = np.meshgrid(steps, steps)
    inside = dx * dx + dy * dy <= wish.radius_m**2
    xy = np.column_stack([wish.x + dx[inside], wish.y + dy[inside]])
    b, half = ground.bounds, min(wish.pattern.width_m, wish.pattern.depth_m) / 2
    xy = xy[
        (xy[:, 0] >= b.xmin + half)
        & (xy[:, 0] <= b.xmax - half)
        & (xy[:, 1] >= b.ymin + half)
        & (xy[:, 1] <= b.ymax - half)
    ]
    points = shapely.points(xy)
    free = np.ones(len(xy), np.bool_)
    free[ground.building_tree.query(points, predicate="dwithin", distance=half)[0]] = False
    roads = ground.roads
    if roads is not None and len(roads) and len(points):
        which, road = ground.road_tree.query(
            points, predicate="dwithin", distance=half + float(ground.road_half_m.max())
        )
        gap = shapely.distance(points[which], roads.geometry.to_numpy()[road]) - ground.road_half_m[road]
        free[which[gap < half]] = False
    found: Floats = xy[free]
    return found


def facings(ground: Ground, x: float, y: float) -> list[tuple[float, float]]:
    """Four ways to face: the nearest road first, then away from it and along it; north first where no road is known."""
    ux, uy = 0.0, 1.0
    roads = ground.roads
    if roads is not None and len(roads):
        line = roads.geometry.to_numpy()[int(ground.road_tree.nearest(shapely.points(x, y)))]
        to = shapely.get_coordinates(shapely.shortest_line(shapely.points(x, y), line))[1] - np.array([x, y])
        far = float(np.hypot(*to))
        if far > 0:
            ux, uy = float(to[0] / far), float(to[1] / far)
    return [(ux, uy), (-ux, -uy), (uy, -ux), (-uy, ux)]


def feasible(found: Scored) -> bool:
    """Whether a stand may stand there at all."""
    room = found.room
    clear = room.clear_m is None or room.clear_m >= found.needed_m
    return (
        room.inside
        and room.building is None
        and room.road is None
        and not room.overlaps
        and not room.blocks
        and clear
    )


def tried(ground: Ground, wish: Wish, told: Callable[[float], None]) -> Iterator[tuple[Stand, Scored]]:
    """Feasible places, the best way to face of each, with its score; `told` hears the share that is done."""
    places = lattice(ground, wish)
    first = []
    for k, (x, y) in enumerate(places.tolist()):
        told(0.6 * k / max(1, len(places)))
        best = None
        for facing in facings(ground, x, y)[:2]:
            stand = replace(wish.pattern, x=x, y=y, facing=facing)
            one = scored(ground, stand, wish.question)
            if feasible(one) and (best is None or one.score > best[1].score):
                best = (stand, one)
        if best is not None:
            first.append(best)
    first.sort(key=lambda one: (-one[1].score, one[0].x, one[0].y))
    for k, (stand, one) in enumerate(first[:MOST]):
        told(0.6 + 0.4 * k / MOST)
        for facing in facings(ground, stand.x, stand.y)[2:]:
            turned = replace(stand, facing=facing)
            other = scored(ground, turned, wish.question)
            if feasible(other) and other.score > one.score:
                stand, one = turned, other
        yield stand, one
