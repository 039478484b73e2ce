"""What a plan comes to where the height, the floor area or the coverage of a zone is limited: numbers, never a verdict of law.

A zone limits the height of buildings (m), the floor-area ratio (용적률: floor area over land, %) and the coverage ratio (건폐율: covered
land over land, %). Land is a parcel where the twin knows parcels; without them it is the whole zone with its streets, so that the
ratios come out lower than those of a lot, and a finding says so.

Floor area is counted from the solids: the area of each part times its storeys, its height over the storey height of its building, at
least one. Cellars, balconies and what the law leaves out are not known here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.features import Features
from twintown.ground.names import Name

from .finding import Finding

#: Less than this (m²) of a footprint does not stand in a zone, or on another building.
WORTH_M2 = 1.0
METHOD = Name(
    "연면적 = 각 부분의 면적 × 층수(높이 ÷ 층고, 1층 이상). 지하층·발코니와 법이 제외하는 면적은 알 수 없습니다. 법적 판단이 아닙니다",
    "Floor area = area of each part × its storeys (height ÷ storey height, at least one). Cellars, balconies and what the law leaves "
    "out are not known. Not a legal finding",
)


@dataclass(frozen=True)
class Zone:
    """An area with limits; what is None is not limited.

    Attributes:
        polygon: in the twin's frame, metres.
        height_m: highest building.
        floor_area_percent, coverage_percent: of the land.
        example: made up to show how zoning is told; not the city's plan.
    """

    id: str
    title: Name
    polygon: Any
    height_m: float | None = None
    floor_area_percent: float | None = None
    coverage_percent: float | None = None
    note: Name | None = None
    example: bool = False


def zones_of(layer: Features) -> tuple[Zone, ...]:
    """The zones of a layer `zones`: polygons with `height_m`, `floor_area_percent`, `coverage_percent`, and a name."""
    table = layer.table
    rows = table.drop(columns=table.geometry.name).to_dict("records")

    def limit(row: dict[Any, Any], name: str) -> float | None:
        value = row.get(name)
        return None if value is None or value != value or str(value) == "<NA>" else float(value)

    zones = []
    for row, shape in zip(rows, table.geometry.to_numpy(), strict=True):
        ko = next((str(row[n]) for n in ("name_ko", "name") if isinstance(row.get(n), str)), str(row["id"]))
        en = next((str(row[n]) for n in ("name_en", "name") if isinstance(row.get(n), str)), str(row["id"]))
        height, floors, cover = (
            limit(row, n) for n in ("height_m", "floor_area_percent", "coverage_percent")
        )
        zones.append(Zone(str(row["id"]), Name(ko, en), shape, height, floors, cover))
    return tuple(zones)


def findings(
    zones: Sequence[Zone], parcels: Features | None, before: tuple[Features, Features],
    after: tuple[Features, Features], objects: Collection[str],
) -> tuple[Finding, ...]:  # fmt: skip
    """What the edited buildings come to in each zone that they stand in, or stood in.

    Args:
        parcels: polygons of land, where the twin knows them.
        before, after: buildings and parts, without and with the edits.
        objects: ids of the buildings that the edits speak of.

    Returns:
        of each limit a finding with what was found, what is allowed and by how much it is passed: `warning` where it is, else `info`.
    """
    found: list[Finding] = []
    mine = list(objects)
    old, new = _mine(before[0], mine), _mine(after[0], mine)
    for zone in zones:
        touched = _area(old, zone.polygon) | _area(new, zone.polygon)
        if not touched:
            continue
        found += _heights(zone, new)
        lands: list[tuple[str, Any]] = [("", zone.polygon)]
        if parcels is not None:
            lands = _lots(parcels, zone, [*old.geometry, *new.geometry]) or lands
        for name, land in lands:
            found += _ratios(zone, name, land, before, after)
        if parcels is None and (zone.floor_area_percent is not None or zone.coverage_percent is not None):
            found.append(_no_parcels(zone))
    return tuple(found)


def overlaps(after: Features, objects: Collection[str]) -> tuple[Finding, ...]:
    """Where an edited building stands on another one, m²."""
    table = after.table
    shapes, ids = table.geometry.to_numpy(), table["id"].to_numpy()
    mine = np.flatnonzero(np.isin(ids, list(objects)))
    if not len(mine):
        return ()
    i, j = shapely.STRtree(shapes).query(shapes[mine], predicate="intersects")
    i = mine[i]
    pair = (i != j) & ~(np.isin(j, mine) & (j < i))
    i, j = i[pair], j[pair]
    areas = shapely.area(shapely.intersection(shapes[i], shapes[j]))
    ko, en = "‘{other}’와 {value} m² 겹칩니다", "overlaps {other} by {value} m²"
    found = []
    for k in np.flatnonzero(areas > WORTH_M2).tolist():
        other, value = str(ids[j[k]]), round(float(areas[k]), 1)
        message = {"ko": ko.format(other=other, value=value), "en": en.format(other=other, value=value)}
        found.append(Finding(str(ids[i[k]]), "overlap", message, value=value, unit="m2", other=other))
    return tuple(found)


def _mine(layer: Features, ids: Sequence[str]) -> Any:
    return layer.table[layer.table["id"].isin(ids)]


def _area(table: Any, polygon: Any) -> bool:
    areas = shapely.area(shapely.intersection(table.geometry.to_numpy(), polygon))
    return bool((areas > WORTH_M2).any())


def _heights(zone: Zone, table: Any) -> list[Finding]:
    if zone.height_m is None:
        return []
    inside = shapely.area(shapely.intersection(table.geometry.to_numpy(), zone.polygon)) > WORTH_M2
    told = table[inside]
    return [
        _finding(zone, name, "zone-height", float(height), zone.height_m, "m", None,
                 ("건물 높이", "height of the building"))
        for name, height in zip(told["id"], told["height_m"], strict=True)
    ]  # fmt: skip


def _lots(parcels: Features, zone: Zone, shapes: Sequence[Any]) -> list[tuple[str, Any]]:
    """The parcels in a zone that any of the shapes stands on."""
    table = parcels.table
    land = table.geometry.to_numpy()
    at = shapely.STRtree(land).query(np.array(shapes, object), predicate="intersects")
    near = np.unique(at[1])
    on = shapely.area(shapely.intersection(land[near], shapely.union_all(shapes))) > WORTH_M2
    inside = shapely.area(shapely.intersection(land[near], zone.polygon)) > 0.5 * shapely.area(land[near])
    return [(str(table["id"].iloc[k]), land[k]) for k in near[on & inside].tolist()]


def ratios(layers: tuple[Features, Features], land: Any) -> tuple[float, float]:
    """Floor-area ratio and coverage ratio (%) of buildings and parts on a piece of land."""
    houses, solids = layers[0].table, layers[1].table
    size = float(shapely.area(land))
    shapes = houses.geometry.to_numpy()
    near = np.sort(shapely.STRtree(shapes).query(land, predicate="intersects"))
    covered = float(shapely.area(shapely.intersection(shapely.union_all(shapes[near], grid_size=1e-3), land)))
    shapes = solids.geometry.to_numpy()
    near = np.sort(shapely.STRtree(shapes).query(land, predicate="intersects"))
    storey = dict(zip(houses["id"], houses["storey_m"].astype(float), strict=True))
    of = np.array([storey.get(name, np.nan) for name in solids["building"].to_numpy()[near]], float)
    of = np.where(np.isfinite(of) & (of > 0), of, 3.0)
    high = (solids["top_m"].to_numpy(float) - solids["base_m"].to_numpy(float))[near]
    floors: NDArray[np.float64] = np.maximum(1.0, np.floor(high / of + 0.05))
    areas = shapely.area(shapely.intersection(shapes[near], land))
    return round(100.0 * float((areas * floors).sum()) / size, 1), round(100.0 * covered / size, 1)


def _ratios(
    zone: Zone, land: str, polygon: Any, before: tuple[Features, Features], after: tuple[Features, Features]
) -> list[Finding]:
    old, new = ratios(before, polygon), ratios(after, polygon)
    found = []
    words = ("용적률", "floor-area ratio"), ("건폐율", "coverage ratio")
    limits = (("zone-floor-area", zone.floor_area_percent), ("zone-coverage", zone.coverage_percent))
    for k, (code, allowed) in enumerate(limits):
        if allowed is not None:
            found.append(_finding(zone, land, code, new[k], allowed, "%", old[k], words[k]))
    return found


def _finding(
    zone: Zone, name: str, code: str, value: float, allowed: float, unit: str, before: float | None,
    words: tuple[str, str],
) -> Finding:  # fmt: skip
    excess = round(value - allowed, 3)
    u = "%" if unit == "%" else f" {unit}"
    was = (f" (전 {before:g}{u})", f" (before {before:g}{u})") if before is not None else ("", "")
    over = (f"{excess:g}{u} 넘습니다", f"{excess:g}{u} above it")
    by = over if excess > 0 else (f"{-excess:g}{u} 남습니다", f"{-excess:g}{u} below it")
    return Finding(
        name, code,
        {
            "ko": f"{zone.title.ko}: {words[0]} {value:g}{u}{was[0]}, 허용 {allowed:g}{u} – {by[0]}",
            "en": f"{zone.title.en}: {words[1]} {value:g}{u}{was[1]}, allowed {allowed:g}{u} – {by[1]}",
        },
        value=round(value, 3), allowed=allowed, excess=max(excess, 0.0), unit=unit, before=before,
        severity="warning" if excess > 0 else "info", zone=zone.id,
    )  # fmt: skip


def _no_parcels(zone: Zone) -> Finding:
    size = round(float(shapely.area(zone.polygon)), 0)
    return Finding(
        "", "no-parcels",
        {
            "ko": f"{zone.title.ko}: 필지 경계를 알 수 없어 구역 전체({size:,.0f} m², 도로 포함)에 대한 비율입니다. "
            "대지별 비율은 더 높습니다",
            "en": f"{zone.title.en}: parcels are not known, so the ratios are of the whole zone ({size:,.0f} m², streets included); "
            "those of a lot are higher",
        },
        value=size, unit="m2", severity="info", zone=zone.id,
    )  # fmt: skip
