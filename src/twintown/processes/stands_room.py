"""The room around a stand: what it stands on and overlaps, what stays clear before it, how far exits, streets and a lorry are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.names import Name

from .stands_ground import Ground
from .stands_parts import LORRY_M
from .stands_place import QUEUE_M, Block, Stand

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
#: Beyond this the room before a stand is wide, metres.
_WIDE_M = 30.0
#: A lorry may come along roads of at least this half width, metres.
_LORRY_ROAD_M = 1.5
#: Outlines that have no more than this in common only touch, m².
_TOUCHING_M2 = 0.01


@dataclass(frozen=True)
class Room:
    """What was found around a stand.

    `inside`: whether it stands in the twin's bounds; `building`, `road`: what it stands in, none where in none; `venue`: whether that
    building is an open-air stage; `overlaps`: names of other stands or the stage; `clear_m`: free way before the queue; `stopped_by`:
    the nearest obstacle there (building, road, stand, stage, or "" for none); `exit_m`: to the nearest exit, `street_m`: to the nearest
    street, `lorry_m`: from the nearest road's edge to the stand, `lorry_clear`: whether that way is wide enough; `blocks`: how many
    exits it blocks. What is not known is none.
    """

    inside: bool
    building: Name | None
    venue: bool
    road: Name | None
    overlaps: tuple[str, ...]
    clear_m: float | None
    stopped_by: str
    exit_m: float | None
    street_m: float | None
    lorry_m: float | None
    lorry_clear: bool
    blocks: int


def room_of(
    ground: Ground,
    stand: Stand,
    others: Sequence[Stand],
    stages: Sequence[Block],
    exits: Floats,
    needed_m: float,
) -> Room:
    """What is around a stand. `exits` float64[n, 2], metres; `needed_m`: what must stay clear before them."""
    outline, served = stand.outline, stand.served
    b = ground.bounds
    x0, y0, x1, y1 = shapely.bounds(outline)
    road, street, lorry, lorry_clear = _roads(ground, outline)
    overlaps = [
        one.name or "?" for one in others if _share(one.served, outline) or _share(one.outline, served)
    ]
    overlaps += ["stage" for one in stages if _share(one.outline, served)]
    clear, stopped = _ahead(ground, stand, others, stages)
    gaps = shapely.distance(shapely.points(exits), served) if len(exits) else np.zeros(0)
    return Room(
        bool(b.xmin <= x0 and b.ymin <= y0 and x1 <= b.xmax and y1 <= b.ymax),
        *_building(ground, outline), road, tuple(overlaps), clear, stopped,
        float(shapely.distance(shapely.points(exits), outline).min()) if len(exits) else None,
        street, lorry, lorry_clear, int((gaps < needed_m).sum()),
    )  # fmt: skip


def _share(a: Any, b: Any) -> bool:
    """Whether two outlines have ground in common; to touch is not to overlap."""
    return bool(shapely.area(shapely.intersection(a, b)) > _TOUCHING_M2)


def _building(ground: Ground, outline: Any) -> tuple[Name | None, bool]:
    """The building that it stands in, and whether that is an open-air stage."""
    table = ground.buildings
    if table is None:
        return None, False
    found = ground.building_tree.query(outline, predicate="intersects")
    if not len(found):
        return None, False
    ids = table["id"].to_numpy()[found]
    solid = [k for k, one in zip(found.tolist(), ids, strict=True) if str(one) not in ground.open_air]
    return _called(ground, table, min(solid or found.tolist())), not solid


def _called(ground: Ground, table: gpd.GeoDataFrame, row: int) -> Name:
    """The name of a row, or its id; where names may not be told, `…`."""
    if not ground.named:
        return Name("…", "…")

    def said(column: str) -> str:
        value = table[column].iloc[row] if column in table else ""
        return value if isinstance(value, str) else ""

    ko = said("name_ko") or said("name") or str(table["id"].iloc[row])
    return Name(ko, said("name_en") or ko)


def _roads(ground: Ground, outline: Any) -> tuple[Name | None, float | None, float | None, bool]:
    """The road that it stands in; metres to the nearest street's edge and to the nearest road for a lorry; is that way clear."""
    table = ground.roads
    if table is None or not len(table):
        return None, None, None, False
    half = ground.road_half_m
    lines = table.geometry.to_numpy()
    edge = np.maximum(0.0, shapely.distance(lines, outline) - half)
    nearest = int(np.argmin(edge))
    standing = _called(ground, table, nearest) if edge[nearest] <= 0 else None
    fit = np.flatnonzero(half >= _LORRY_ROAD_M)
    if not len(fit):
        return standing, float(edge[nearest]), None, False
    k = int(fit[np.argmin(edge[fit])])
    way = shapely.buffer(shapely.shortest_line(lines[k], outline), LORRY_M / 2, cap_style="flat")
    hit = ground.building_tree.query(way, predicate="intersects")
    return standing, float(edge[nearest]), float(edge[k]), not len(hit)


def _ahead(
    ground: Ground, stand: Stand, others: Sequence[Stand], stages: Sequence[Block]
) -> tuple[float | None, str]:
    """How wide the way before the queue is, metres, and what ends it."""
    low = stand.depth_m / 2
    strip = stand.rectangle(low, low + _WIDE_M, stand.width_m / 2)
    front = stand.front
    best, what = _WIDE_M, ""

    def nearer(shapes: Any, named: str, less: Any = 0.0) -> None:
        nonlocal best, what
        if not len(shapes):
            return
        cut = shapely.intersection(shapes, strip)
        far = np.where(shapely.is_empty(cut), np.inf, shapely.distance(cut, front) - less)
        if len(far) and float(far.min()) < best:
            best, what = max(0.0, float(far.min())), named

    if ground.buildings is not None:
        rows = ground.building_tree.query(strip, predicate="intersects")
        nearer(ground.buildings.geometry.to_numpy()[rows], "building")
    if ground.roads is not None:
        rows = ground.road_tree.query(shapely.buffer(strip, 15.0), predicate="intersects")
        lines = ground.roads.geometry.to_numpy()[rows]
        nearer(shapely.buffer(lines, ground.road_half_m[rows]), "road")
    nearer(np.array([one.served for one in others], object), "stand")
    nearer(np.array([one.outline for one in stages], object), "stage")
    if ground.buildings is None and ground.roads is None and not others and not stages:
        return None, ""
    return max(0.0, best - QUEUE_M), what
