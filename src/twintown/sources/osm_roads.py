"""Roads of OpenStreetMap, with the width they are drawn by and where that is from."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twintown.ground.features import Features

from .osm_buildings import metres, names
from .osm_elements import Elements, Floats
from .source import Ask

#: Width (m) assumed for a class of road without width and lanes, kerb to kerb.
CLASS_WIDTH_M = {
    "motorway": 14.0, "trunk": 14.0, "primary": 18.0, "secondary": 12.0, "tertiary": 9.0, "unclassified": 6.0,
    "residential": 5.0, "living_street": 5.0, "service": 4.0, "busway": 7.0, "pedestrian": 5.0, "track": 3.0,
    "footway": 2.0, "cycleway": 2.0, "path": 1.5, "steps": 2.0,
}  # fmt: skip
LINK_WIDTH_M, OTHER_WIDTH_M, LANE_M = 5.0, 5.0, 3.0
NOT_ROADS = frozenset(
    (
        "proposed",
        "construction",
        "platform",
        "razed",
        "abandoned",
        "rest_area",
        "services",
        "bus_stop",
        "corridor",
        "elevator",
    )
)


def width_of(kind: str, width_m: float, lanes: float) -> tuple[float, str]:
    """Width (m) and where it is from: "tagged", "lanes" (× 3 m) or "class"."""
    if width_m > 0:
        return width_m, "tagged"
    if lanes > 0:
        return LANE_M * lanes, "lanes"
    return (LINK_WIDTH_M if kind.endswith("_link") else CLASS_WIDTH_M.get(kind, OTHER_WIDTH_M)), "class"


def _whole(text: str) -> int:
    value = metres(text)
    return int(value) if np.isfinite(value) else 0


def roads(found: Elements, xy: Floats, ask: Ask, by: str) -> Features:
    """Lines of `highway=`, cut at the bounds; areas and what is only planned are left out."""
    tags = found.way_tags
    long = np.diff(found.way_start) >= 2
    chosen = np.array(
        [i for i, t in enumerate(tags) if long[i] and t.get("highway", "no") not in NOT_ROADS | {"no"} and t.get("area") != "yes"], np.int64
    )  # fmt: skip
    rows = []
    for i in chosen.tolist():
        t = tags[i]
        kind = t["highway"]
        lanes = metres(t.get("lanes", ""))
        width, source = width_of(kind, metres(t.get("width", "")), lanes)
        name, korean, english = names(t)
        rows.append((
            f"way/{found.way_id[i]}", name or None, korean or None, english or None, kind, width, source, lanes,
            t.get("bridge", "no") != "no", t.get("tunnel", "no") != "no", _whole(t.get("layer", "")),
            t.get("oneway", "no") in ("yes", "1", "-1"),
        ))  # fmt: skip
    columns = [
        "id",
        "name",
        "name_ko",
        "name_en",
        "kind",
        "width_m",
        "width_source",
        "lanes",
        "bridge",
        "tunnel",
        "layer",
        "oneway",
    ]
    types = {
        "id": "str", "name": "str", "name_ko": "str", "name_en": "str", "kind": "str", "width_m": "float64", "width_source": "str",
        "lanes": "Int64", "bridge": "bool", "tunnel": "bool", "layer": "int64", "oneway": "bool",
    }  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    table["lanes"] = table["lanes"].astype("float64").round()
    table = table.astype(types)
    lines = found.lines(chosen, xy)
    box = ask.bounds
    cut = shapely.clip_by_rect(lines, box.xmin, box.ymin, box.xmax, box.ymax) if len(lines) else lines
    kept = shapely.length(cut) > 0
    frame = gpd.GeoDataFrame(table, geometry=cut, crs=ask.frame.crs)[kept].reset_index(drop=True)
    return Features(
        frame,
        ask.frame,
        ask.provenance("read roads, cut at the bounds", by, {"lane_m": LANE_M}),
        {"width_m": "m", "lanes": "{lane}"},
    )
