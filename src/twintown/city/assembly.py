"""From what was drawn to a city: who owns which part, how high everything is, and what is doubtful.

A part replaces its building's outline where it stands. Which building it belongs to is said by a relation, or else by the smallest
outline that holds at least half of it. Where the parts cover less than nine tenths of an outline, the rest of the outline stands as
a part of its own; below that it is a sliver of drawing and left out. An element that is both building and part stays a building
(it has a name, an address, it is what one clicks) and is cut out of the outline around it, so that nothing stands twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.ground.features import Features
from twintown.ground.provenance import Provenance, Step

from . import heights, kinds
from .model import BUILDING_UNITS, PART_UNITS, City, Drawn
from .roofs import ROOF_SHAPES
from .validity import Findings

Floats = NDArray[np.float64]
VERSION = "1"
#: Shares of area: a part belongs to an outline that holds half of it; parts that cover nine tenths replace all of it.
HELD, COVERED = 0.5, 0.9
#: Areas (m²) below which nothing is built, and below which an overlap is not worth a finding.
SMALLEST_M2, WORTH_M2 = 0.5, 5.0
#: A stated height below this (m) is none.
LOWEST_M = 0.5
#: Pitch assumed where a tagged roof shape has no height: tan 30°.
PITCH = 0.577


def assemble(drawn: Drawn) -> City:
    """Buildings, parts and findings of what was drawn; see the head of this file and of `heights`."""
    findings = Findings()
    table = _mended(drawn.table, findings)
    buildings = table[table["is_building"]].reset_index(drop=True)
    pure = table[~table["is_building"]].reset_index(drop=True)
    owner = _owners(pure, buildings)
    if (orphan := owner < 0).any():
        alone = pure[orphan]
        for one, at in zip(alone["id"], _points(alone.geometry.to_numpy()), strict=True):
            findings.add("part-without-outline", one, at, 1.0)
        buildings = pd.concat([buildings, alone], ignore_index=True)
        pure, owner = pure[~orphan].reset_index(drop=True), owner[~orphan]
    areas = shapely.area(buildings.geometry.to_numpy())
    points = _points(buildings.geometry.to_numpy())
    carved = _carved(buildings, areas, points, findings)
    storeys = _Storeys.of(buildings, pure, owner, areas, points, findings)
    parts = _parts(buildings, pure, owner, carved, storeys, findings)
    done = drawn.provenance.then(Step("assemble buildings and parts", f"twintown.city.assembly {VERSION}"))
    return City(
        _building_features(buildings, areas, storeys, parts, drawn, done), Features(parts, drawn.frame, done, PART_UNITS),
        findings.features(drawn.frame, done),
    )  # fmt: skip


def _points(geometry: NDArray[np.object_]) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(geometry)), float).reshape(-1, 2)


def _mended(table: gpd.GeoDataFrame, findings: Findings) -> gpd.GeoDataFrame:
    """Only polygons that can be built, each once, with no height of nothing."""
    geometry, ids = table.geometry.to_numpy().copy(), table["id"].to_numpy()
    for i in np.flatnonzero(~shapely.is_valid(geometry)):
        fixed = shapely.make_valid(geometry[i], method="structure", keep_collapsed=False)
        findings.add("self-intersection", ids[i], _first_corner(geometry[i]), float(fixed.area))
        geometry[i] = fixed if shapely.get_dimensions(fixed) == 2 else shapely.Polygon()
    small = ~np.isin(shapely.get_type_id(geometry), [3, 6]) | (shapely.area(geometry) < SMALLEST_M2)
    for i in np.flatnonzero(small):
        findings.add(
            "zero-area", ids[i], _first_corner(table.geometry.iloc[i]), float(shapely.area(geometry[i]))
        )
    keep = ~small
    shape, is_building = shapely.to_wkb(shapely.normalize(geometry)), table["is_building"].to_numpy()
    first: dict[tuple[bytes, bool], int] = {}
    for k in np.flatnonzero(keep).tolist():
        if (earlier := first.setdefault((shape[k], bool(is_building[k])), k)) != k:
            findings.add("duplicate", ids[k], _first_corner(geometry[k]), 1.0, str(ids[earlier]))
            keep[k] = False
    height = table["height_m"].to_numpy(float).copy()
    for i in np.flatnonzero(keep & (height < LOWEST_M)):
        findings.add("height-of-nothing", ids[i], _first_corner(geometry[i]), float(height[i]))
    height[height < LOWEST_M] = np.nan
    mended = table.set_geometry(gpd.GeoSeries(geometry, index=table.index, crs=table.crs)).assign(
        height_m=height
    )
    return mended[keep].reset_index(drop=True)


def _first_corner(geometry: shapely.Geometry) -> tuple[float, float]:
    xy = shapely.get_coordinates(geometry)
    return (float(xy[0, 0]), float(xy[0, 1])) if len(xy) else (0.0, 0.0)


def _smallest_holder(
    inner: NDArray[np.object_],
    outer: NDArray[np.object_],
    share: float,
    self_index: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """int64[len(inner)]: the smallest of `outer` that holds `share` of each of `inner`, -1 for none; `self_index` is itself in `outer`."""
    out = np.full(len(inner), -1, np.int64)
    if not len(inner) or not len(outer):
        return out
    i, j = shapely.STRtree(outer).query(inner, predicate="intersects")
    if self_index is not None:
        i, j = i[self_index[i] != j], j[self_index[i] != j]
    held = shapely.area(shapely.intersection(inner[i], outer[j])) >= share * shapely.area(inner[i])
    i, j = i[held], j[held]
    order = np.lexsort((-shapely.area(outer[j]), i))  # the smallest comes last and stays
    out[i[order]] = j[order]
    return out


def _owners(pure: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Position of the building that each part belongs to, -1 for none."""
    place = dict(zip(buildings["id"], range(len(buildings)), strict=True))
    named = np.array([place.get(owner, -1) for owner in pure["owner"]], np.int64)
    free = np.flatnonzero(named < 0)
    if len(free):
        named[free] = _smallest_holder(pure.geometry.to_numpy()[free], buildings.geometry.to_numpy(), HELD)
    return named


def _carved(
    buildings: gpd.GeoDataFrame, areas: Floats, points: Floats, findings: Findings
) -> dict[int, list[int]]:
    """Position of an outline: positions of the buildings that are cut out of it. Reports what overlaps otherwise."""
    geometry, ids = buildings.geometry.to_numpy(), buildings["id"].to_numpy()
    both = np.flatnonzero((buildings["is_part"] & buildings["is_building"]).to_numpy())
    holder = _smallest_holder(geometry[both], geometry, COVERED, both)
    out: dict[int, list[int]] = {}
    for i, outer in zip(both.tolist(), holder.tolist(), strict=True):
        findings.add("both-building-and-part", ids[i], tuple(points[i]), 1.0)
        if outer >= 0 and areas[outer] > areas[i]:
            out.setdefault(outer, []).append(i)
    i, j = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    i, j = i[i < j], j[i < j]
    shared = shapely.area(shapely.intersection(geometry[i], geometry[j]))
    for one, two, area in zip(i.tolist(), j.tolist(), shared.tolist(), strict=True):
        if area > WORTH_M2 and two not in out.get(one, ()) and one not in out.get(two, ()):
            findings.add("overlap", ids[one], tuple(points[one]), float(area), str(ids[two]))
    return out


@dataclass(frozen=True)
class _Storeys:
    """Heights of buildings, and what each part says of its own, metres."""

    of_building: heights.Heights
    part_top: Floats
    part_source: NDArray[np.object_]

    @classmethod
    def of(
        cls,
        buildings: gpd.GeoDataFrame,
        pure: gpd.GeoDataFrame,
        owner: NDArray[np.int64],
        areas: Floats,
        points: Floats,
        findings: Findings,
    ) -> _Storeys:
        ids = buildings["id"].to_numpy()
        function = buildings["function"].to_numpy().astype(object)
        assumed = np.array([kinds.storey_m(one) for one in function], float)
        levels = buildings["levels"].to_numpy(float) + np.nan_to_num(buildings["roof_levels"].to_numpy(float))
        tagged = buildings["height_m"].to_numpy(float)
        known = heights.known_heights(tagged, levels, assumed)
        height, source, error = known.height_m.copy(), known.source.copy(), known.error_m.copy()

        part_height = pure["height_m"].to_numpy(float)
        part_levels = pure["levels"].to_numpy(float) + np.nan_to_num(pure["roof_levels"].to_numpy(float))
        storey = known.storey_m[owner] if len(owner) else np.empty(0)
        part_top = np.where(np.isfinite(part_height), part_height, part_levels * storey)
        part_source = np.where(
            np.isfinite(part_height), "measured", np.where(np.isfinite(part_levels), "levels", "")
        ).astype(object)
        said = np.isfinite(part_top)
        highest = np.full(len(buildings), -np.inf)
        np.maximum.at(highest, owner[said], part_top[said])
        from_parts = ~np.isfinite(height) & np.isfinite(highest)
        height[from_parts] = highest[from_parts]
        for b in np.flatnonzero(from_parts):
            mine = np.flatnonzero(said & (owner == b))
            source[b] = part_source[mine[np.argmax(part_top[mine])]]
            error[b] = (
                heights.MEASURED_ERROR_M
                if source[b] == "measured"
                else np.hypot(heights.LEVEL_ERROR * height[b], 1.0)
            )

        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = tagged / levels
        rule = heights.by_rule(tagged, levels)
        odd = (
            np.isfinite(ratio)
            & ~rule
            & ((ratio < heights.STOREY_RANGE_M[0]) | (ratio > heights.STOREY_RANGE_M[1]))
        )
        for b in np.flatnonzero(rule):
            findings.add("height-by-rule", ids[b], tuple(points[b]), float(ratio[b]))
        for b in np.flatnonzero(odd):
            findings.add("storey-implausible", ids[b], tuple(points[b]), float(ratio[b]))
        unknown = ~np.isfinite(height)
        height[unknown], error[unknown] = heights.estimate(unknown, height, ~unknown, points, areas, function)
        source[unknown] = "estimated"
        for b in np.flatnonzero(unknown):
            findings.add("missing-height", ids[b], tuple(points[b]), float(error[b]))
        for b in np.flatnonzero(
            np.isfinite(tagged) & np.isfinite(highest) & (np.abs(tagged - highest) > 0.05)
        ):
            findings.add("height-disagrees", ids[b], tuple(points[b]), float(highest[b]), f"{tagged[b]:g}")
        return cls(
            heights.Heights(height, source, error, known.storey_m, known.storey_source), part_top, part_source
        )


def _parts(
    buildings: gpd.GeoDataFrame,
    pure: gpd.GeoDataFrame,
    owner: NDArray[np.int64],
    carved: dict[int, list[int]],
    storeys: _Storeys,
    findings: Findings,
) -> gpd.GeoDataFrame:
    """All parts: drawn ones, rests of outlines, and whole outlines where nothing else is drawn; single polygons."""
    geometry = buildings.geometry.to_numpy()
    own = storeys.of_building
    by_owner: dict[int, list[int]] = {}
    for p, b in enumerate(owner.tolist()):
        by_owner.setdefault(b, []).append(p)
    part_top, part_source = storeys.part_top.copy(), storeys.part_source.copy()
    area_shape = geometry.copy()
    rest_top, stands = own.height_m.copy(), np.ones(len(buildings), bool)
    suffix = np.full(len(buildings), "", object)
    part_points = _points(pure.geometry.to_numpy())
    for b in sorted({*by_owner, *carved}):
        mine = np.array(by_owner.get(b, []), np.int64)
        shapes = pure.geometry.to_numpy()[mine]
        whole = geometry[b]
        outside = shapely.area(shapely.difference(shapes, whole))
        for p, area in zip(mine.tolist(), outside.tolist(), strict=True):
            if area > WORTH_M2 or area > 0.1 * shapely.area(pure.geometry.iloc[p]):
                findings.add("part-outside-outline", pure["id"].iloc[p], tuple(part_points[p]), float(area))
        tops = part_top[mine]
        lowest = float(np.nanmin(tops)) if np.isfinite(tops).any() else float(own.height_m[b])
        for p in mine[~np.isfinite(tops)].tolist():
            # silent parts are canopies and podiums more often than towers: never higher than a sibling that speaks
            part_top[p], part_source[p] = min(lowest, 2.0 * float(own.storey_m[b])), "estimated"
            findings.add("part-without-height", pure["id"].iloc[p], tuple(part_points[p]), float(part_top[p]))
        cut = shapely.union_all([*shapes, *geometry[carved.get(b, [])]])
        rest = shapely.difference(whole, cut)
        covered = 1.0 - rest.area / whole.area
        pieces = shapely.get_parts(rest)
        pieces = (
            pieces[(shapely.area(pieces) > WORTH_M2) & (shapely.area(shapely.buffer(pieces, -0.5)) > 0)]
            if len(pieces)
            else pieces
        )
        if covered >= COVERED or not len(pieces):
            stands[b] = False
            continue
        findings.add(
            "parts-leave-rest",
            str(buildings["id"].iloc[b]),
            tuple(_points(np.array([rest], object))[0]),
            round(100 * covered, 1),
        )
        area_shape[b] = shapely.multipolygons(pieces)
        suffix[b] = ".rest" if len(mine) else ""
        if len(mine) and np.isfinite(tops).any() and float(np.nanmax(tops)) >= own.height_m[b] - 0.5:
            rest_top[b] = lowest  # the stated height is that of the highest part, not of the ground between

    alone = buildings[stands].assign(
        top=rest_top[stands], source=own.source[stands], building=buildings["id"][stands], storey=own.storey_m[stands],
        part=buildings["id"][stands].astype(object) + suffix[stands], shape=area_shape[stands],
    )  # fmt: skip
    drawn = pure.assign(
        top=part_top, source=part_source, building=buildings["id"].to_numpy()[owner], storey=own.storey_m[owner], part=pure["id"],
        shape=pure.geometry.to_numpy(),
    )  # fmt: skip
    return _levelled(pd.concat([alone, drawn], ignore_index=True), buildings.crs, findings)


def _levelled(rows: pd.DataFrame, crs: object, findings: Findings) -> gpd.GeoDataFrame:
    """Base, eave, top and roof of each row, one row a polygon."""
    shapes = rows["shape"].to_numpy()
    at = _points(shapes)
    ids = rows["part"].to_numpy()
    top = rows["top"].to_numpy(float)
    storey = rows["storey"].to_numpy(float)
    stated = rows["min_height_m"].to_numpy(float)
    top = np.maximum(top, LOWEST_M)
    base = np.nan_to_num(np.where(np.isfinite(stated), stated, rows["min_level"].to_numpy(float) * storey))
    base = np.maximum(base, 0.0)
    for i in np.flatnonzero(base >= top - 0.1):
        findings.add("base-above-top", ids[i], tuple(at[i]), float(base[i]))
        base[i] = 0.0
    tagged_shape = rows["roof_shape"].to_numpy().astype(object)
    shape = np.where(np.isin(tagged_shape, ROOF_SHAPES), tagged_shape, "flat").astype(object)
    for i in np.flatnonzero((tagged_shape != "") & ~np.isin(tagged_shape, ROOF_SHAPES)):
        findings.add("roof-not-built", ids[i], tuple(at[i]), 1.0, str(tagged_shape[i]))
    pitched = shape != "flat"
    roof = rows["roof_height_m"].to_numpy(float)
    by_level = rows["roof_levels"].to_numpy(float) * storey
    width = np.full(len(rows), np.nan)
    if pitched.any():
        box = shapely.minimum_rotated_rectangle(shapes[pitched])
        half, area = shapely.length(box) / 2, shapely.area(box)  # sides a, b: a + b and a · b
        width[pitched] = (half - np.sqrt(np.maximum(half**2 - 4 * area, 0.0))) / 2
    guess = np.minimum(PITCH * width / 2, (top - base) / 3)
    roof = np.where(
        pitched, np.where(np.isfinite(roof), roof, np.where(np.isfinite(by_level), by_level, guess)), 0.0
    )
    for i in np.flatnonzero(roof > top - base + 0.05):
        findings.add("roof-taller-than-part", ids[i], tuple(at[i]), float(roof[i]))
    roof = np.minimum(roof, top - base)
    out = gpd.GeoDataFrame(
        {
            "id": ids, "building": rows["building"].to_numpy(), "base_m": base, "eave_m": top - roof, "top_m": top,
            "roof_shape": np.where(roof > 0, shape, "flat"),
            "roof_direction_deg": np.where(roof > 0, rows["roof_direction_deg"].to_numpy(float), np.nan),
            "roof_height_m": roof, "roof_across": rows["roof_across"].to_numpy(bool),
            "height_source": rows["source"].to_numpy(),
        },
        geometry=shapes, crs=crs,
    ).explode(ignore_index=True)  # fmt: skip
    again = out.groupby("id").cumcount().to_numpy()
    out["id"] = np.where(
        again > 0,
        out["id"].to_numpy().astype(object) + np.char.add(".", (again + 1).astype(str)).astype(object),
        out["id"].to_numpy(),
    )
    for name in ("id", "building", "roof_shape", "height_source"):
        out[name] = out[name].astype("str")
    return out


def _building_features(
    buildings: gpd.GeoDataFrame,
    areas: Floats,
    storeys: _Storeys,
    parts: gpd.GeoDataFrame,
    drawn: Drawn,
    provenance: Provenance,
) -> Features:
    own = storeys.of_building
    count = parts["building"].value_counts().reindex(buildings["id"]).fillna(0).to_numpy(int)
    base = parts.groupby("building")["base_m"].min().reindex(buildings["id"]).fillna(0.0).to_numpy(float)
    table = gpd.GeoDataFrame(
        {
            "id": buildings["id"].astype("str"),
            **{name: buildings[name] for name in ("name", "name_ko", "name_en", "kind", "function")},
            "height_m": np.round(own.height_m, 3), "height_source": own.source,
            "height_error_m": np.round(own.error_m, 2), "height_tagged_m": buildings["height_m"],
            "levels": pd.array(buildings["levels"].round(), dtype="Int64"),
            "storey_m": np.round(own.storey_m, 3), "storey_source": own.storey_source,
            "min_height_m": base, "parts": count, "area_m2": np.round(areas, 2),
            "year": pd.array(buildings["year"].round(), dtype="Int64"), "tags": buildings["tags"],
        },
        geometry=buildings.geometry, crs=drawn.frame.crs,
    )  # fmt: skip
    for name in ("name", "name_ko", "name_en", "kind", "function", "height_source", "storey_source", "tags"):
        column = table[name].astype("str")
        table[name] = column.where(column != "")
    return Features(table, drawn.frame, provenance, BUILDING_UNITS)
