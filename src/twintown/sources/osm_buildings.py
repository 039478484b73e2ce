"""Buildings and parts of OpenStreetMap, as they are drawn: Simple 3D Buildings' tags into columns, nothing assumed."""

from __future__ import annotations

import json
import math
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twintown.city.kinds import function_of
from twintown.city.model import DRAWN, Drawn

from .osm_elements import RELATION, WAY, Elements, Floats, Tags
from .source import Ask

_NUMBER = re.compile(
    r"\s*(-?\d+(?:[.,]\d+)?)\s*(m|metres?|meters?|미터|ft|feet|'|)\s*(?:(\d+(?:\.\d+)?)\s*(?:\"|in))?\s*$",
    re.IGNORECASE,
)
_COMPASS = {
    name: i * 22.5 for i, name in enumerate("N NNE NE ENE E ESE SE SSE S SSW SW WSW W WNW NW NNW".split())
}
_NO = frozenset(("", "no"))
_YEAR = re.compile(r"(1[0-9]{3}|20[0-9]{2})")
_HANGUL = re.compile("[가-힣]")
NAN = math.nan


def metres(text: str) -> float:
    """A length in metres from a tag ("12", "12.5 m", "40 ft", "5'6\""); NaN where it is none."""
    match = _NUMBER.match(text)
    if not match:
        return NAN
    value = float(match[1].replace(",", "."))
    if match[2].lower() in ("ft", "feet", "'"):
        value = 0.3048 * value + 0.0254 * float(match[3] or 0)
    return value


def azimuth(text: str) -> float:
    """A direction in degrees from true north, from a number or a compass point; NaN where it is neither."""
    if text.strip().upper() in _COMPASS:
        return _COMPASS[text.strip().upper()]
    value = metres(text.replace("°", ""))
    return value % 360.0 if math.isfinite(value) else NAN


def names(tags: Tags) -> tuple[str, str, str]:
    """name, name in Korean, name in English; a name without a language goes by its letters."""
    name = tags.get("name", "") or tags.get("name:ko", "") or tags.get("name:en", "")
    korean = tags.get("name:ko", "") or (name if _HANGUL.search(name) else "")
    english = tags.get("name:en", "") or (name if name and name.isascii() else "")
    return name, korean, english


def _row(object_id: str, tags: Tags, is_building: bool, is_part: bool, owner: str = "") -> dict[str, object]:
    kind = tags.get("building", "") if is_building else tags.get("building:part", "")
    name, korean, english = names(tags)
    year = _YEAR.match(tags.get("start_date", ""))
    levels = metres(tags.get("building:levels", ""))
    return {
        "id": object_id, "is_building": is_building, "is_part": is_part, "owner": owner, "kind": kind,
        "name": name, "name_ko": korean, "name_en": english, "function": function_of(kind, tags),
        "height_m": metres(tags.get("height", "") or tags.get("building:height", "")),
        "min_height_m": metres(tags.get("min_height", "")),
        "levels": levels if levels > 0 else NAN, "min_level": metres(tags.get("building:min_level", "")),
        "roof_shape": tags.get("roof:shape", ""), "roof_height_m": metres(tags.get("roof:height", "")),
        "roof_levels": metres(tags.get("roof:levels", "")), "roof_direction_deg": azimuth(tags.get("roof:direction", "")),
        "roof_across": tags.get("roof:orientation", "") == "across", "year": float(year[0]) if year else NAN,
        "tags": json.dumps(tags, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    }  # fmt: skip


def _is(tags: Tags, key: str) -> bool:
    return tags.get(key, "") not in _NO


def drawn_buildings(found: Elements, xy: Floats, ask: Ask, by: str) -> Drawn:
    """Every building and part that touches the bounds, whole.

    A `type=building` relation that has a `building` tag is the building itself and takes its outline's place; without that tag its
    outline is the building, and the relation only says which parts belong to it. The outline is the member with that role, or else
    the member tagged as a building (mappers leave roles out), or else the parts together.
    """
    ways = found.way_tags
    place = {way: i for i, way in enumerate(found.way_id.tolist())}
    wanted = np.array([_is(tags, "building") or _is(tags, "building:part") for tags in ways], bool)
    rows: dict[str, dict[str, object]] = {}
    shapes: dict[str, shapely.Geometry] = {}
    closed = found.closed
    area = np.flatnonzero(wanted & closed)
    for i, polygon in zip(area.tolist(), found.polygons(area, xy), strict=True):
        key = f"way/{found.way_id[i]}"
        rows[key] = _row(key, ways[i], _is(ways[i], "building"), _is(ways[i], "building:part"))
        shapes[key] = polygon
    unbuilt = int((wanted & ~closed).sum())
    for r, tags in enumerate(found.relation_tags):
        if tags.get("type") == "multipolygon" and (_is(tags, "building") or _is(tags, "building:part")):
            key = f"relation/{found.relation_id[r]}"
            shape = found.multipolygon(r, xy, place)
            if shape is None:
                unbuilt += 1
                continue
            rows[key] = _row(key, tags, _is(tags, "building"), _is(tags, "building:part"))
            shapes[key] = shape
    for r, tags in enumerate(found.relation_tags):
        if tags.get("type") == "building":
            _relate(r, found, rows, shapes)
    table = pd.DataFrame(list(rows.values()), columns=["id", *DRAWN]).astype(DRAWN)
    geometry = np.array([shapes[key] for key in rows], object)
    frame = gpd.GeoDataFrame(table, geometry=geometry, crs=ask.frame.crs)
    box = ask.bounds
    touches = shapely.intersects(geometry, box.polygon()) if len(geometry) else np.empty(0, bool)
    kept = set(frame["id"][touches & frame["is_building"].to_numpy()])
    # a building that is kept is kept whole, with the parts that a relation gives it
    touches = touches | frame["owner"].isin(kept).to_numpy()
    step = {
        "elements": len(frame),
        "kept": int(touches.sum()),
        "not_closed": unbuilt,
        "missing_nodes": found.missing,
    }
    return Drawn(
        frame[touches].reset_index(drop=True),
        ask.frame,
        ask.provenance("read OpenStreetMap, keep what touches the bounds", by, step),
    )


def _relate(
    r: int, found: Elements, rows: dict[str, dict[str, object]], shapes: dict[str, shapely.Geometry]
) -> None:
    """Follow one `type=building` relation."""
    tags = found.relation_tags[r]
    members = [
        (f"{'way' if kind == WAY else 'relation'}/{ref}", role)
        for kind, ref, role in found.relation_members[r]
        if kind in (WAY, RELATION)
    ]  # fmt: skip
    members = [(key, role) for key, role in members if key in rows]
    outlines = [key for key, role in members if role == "outline"] or [
        key for key, _ in members if rows[key]["is_building"] and not rows[key]["is_part"]
    ]
    parts = [key for key, role in members if key not in outlines and (role == "part" or rows[key]["is_part"])]
    if not outlines and not parts:
        return
    if tags.get("building", "") not in _NO:
        owner = f"relation/{found.relation_id[r]}"
        merged: Tags = {}
        for key in outlines:
            merged |= json.loads(str(rows[key]["tags"]))
        merged |= {k: v for k, v in tags.items() if k != "type"}
        shape = shapely.union_all([shapes[key] for key in outlines or parts])
        for key in outlines:
            del rows[key], shapes[key]
        if outlines:
            merged["@outline"] = " ".join(outlines)
        rows[owner], shapes[owner] = _row(owner, merged, True, False), shape
    elif outlines:
        owner = outlines[0]
        rows[owner]["is_building"] = True
    else:
        return
    for key in parts:
        rows[key]["owner"] = owner
        if not rows[key]["is_building"]:
            rows[key]["is_part"] = True
