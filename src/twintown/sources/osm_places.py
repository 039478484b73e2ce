"""Places of OpenStreetMap: what one looks for by name that is no building and no road."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twintown.ground.features import Features

from .osm_buildings import names
from .osm_elements import Elements, Floats, Tags
from .source import Ask

#: (key, value or "*", kind, rank); the first that fits decides. Rank 1 is drawn first and from farthest away.
KINDS: tuple[tuple[str, str, str, int], ...] = (
    ("place", "*", "locality", 1), ("railway", "station", "station", 1),
    ("public_transport", "station", "station", 1), ("leisure", "park", "park", 1),
    ("leisure", "stadium", "stadium", 2), ("tourism", "theme_park", "attraction", 2),
    ("tourism", "museum", "museum", 2), ("tourism", "gallery", "museum", 2),
    ("tourism", "attraction", "attraction", 2), ("historic", "*", "monument", 2),
    ("highway", "motorway_junction", "junction", 3), ("junction", "yes", "junction", 3),
    ("ncat", "*", "junction", 3), ("railway", "subway_entrance", "station-entrance", 4),
    ("tourism", "hotel", "hotel", 4), ("amenity", "theatre", "stage", 3),
    ("amenity", "hospital", "hospital", 3), ("amenity", "school", "school", 4),
    ("amenity", "townhall", "office", 4), ("amenity", "*", "amenity", 5), ("leisure", "*", "leisure", 5),
    ("tourism", "*", "attraction", 4), ("shop", "*", "shop", 5),
)  # fmt: skip
#: Tourism values that Korean mappers used for the names of guest houses are no attraction.
_KNOWN_TOURISM = frozenset(
    (
        "attraction",
        "artwork",
        "viewpoint",
        "zoo",
        "aquarium",
        "information",
        "guest_house",
        "hostel",
        "motel",
        "picnic_site",
    )
)
_DRAWN_ELSEWHERE = frozenset(("building", "building:part", "highway"))
_AREAS = frozenset(("leisure", "tourism", "amenity", "place", "historic"))


def kind_of(tags: Tags) -> tuple[str, int]:
    """Kind and rank (1 most prominent, 6 least)."""
    for key, value, kind, rank in KINDS:
        if key in tags and (
            tags[key] == value or (value == "*" and (key != "tourism" or tags[key] in _KNOWN_TOURISM))
        ):
            return kind, rank
    return "place", 6


def places(found: Elements, xy: Floats, ask: Ask, by: str) -> Features:
    """Named nodes within the bounds, station entrances, and named areas that are no building (parks, where a file has them)."""
    rows: list[tuple[str, str | None, str | None, str | None, str, int]] = []
    points: list[tuple[float, float]] = []

    def add(key: str, tags: Tags, at: tuple[float, float]) -> None:
        name, korean, english = names(tags)
        kind, rank = kind_of(tags)
        if not name and kind == "station-entrance" and tags.get("ref"):
            korean, english = f"지하철 출입구 {tags['ref']}번", f"Subway exit {tags['ref']}"
        if (korean or english or name) and not ("barrier" in tags or "entrance" in tags):
            rows.append((key, name or None, korean or name or None, english or None, kind, rank))
            points.append(at)

    for node, tags in zip(found.point.tolist(), found.point_tags, strict=True):
        add(f"node/{found.node_id[node]}", tags, (float(xy[node, 0]), float(xy[node, 1])))
    closed = found.closed
    areas = [
        i
        for i, t in enumerate(found.way_tags)
        if closed[i] and "name" in t and not _DRAWN_ELSEWHERE & t.keys() and _AREAS & t.keys()
    ]
    where = np.array(areas, np.int64)
    for i, at in zip(
        areas, shapely.get_coordinates(shapely.point_on_surface(found.polygons(where, xy))), strict=True
    ):
        add(f"way/{found.way_id[i]}", found.way_tags[i], (float(at[0]), float(at[1])))
    table = pd.DataFrame(rows, columns=["id", "name", "name_ko", "name_en", "kind", "rank"])
    table = table.astype(
        {"id": "str", "name": "str", "name_ko": "str", "name_en": "str", "kind": "str", "rank": "int64"}
    )
    frame = gpd.GeoDataFrame(
        table, geometry=shapely.points(np.array(points, float).reshape(-1, 2)), crs=ask.frame.crs
    )
    inside = shapely.intersects(frame.geometry.to_numpy(), ask.bounds.polygon())
    return Features(
        frame[inside].reset_index(drop=True),
        ask.frame,
        ask.provenance("read named places within the bounds", by),
    )
