"""Edits made: the layers of buildings and parts as they would be. One pass over the tables, and a loop over the edits only."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.ground.features import Features
from twintown.ground.provenance import Step

from .edits import Edit, Extent, polygon
from .finding import Finding

PLANNED = "planned"
VERSION = "1"
#: Sines and cosines are rounded to this, so that another machine's last bit moves no corner.
_BINARY = 2.0**40


def extents(buildings: Features, ids: Collection[str] | None = None) -> dict[str, Extent]:
    """West, south, east, north (m) and height (m) of buildings, by id; of these ids, as far as they are there, or of all."""
    table = buildings.table
    if ids is not None:
        table = table[table["id"].isin(list(ids))]
    rows = np.column_stack(
        [shapely.bounds(table.geometry.to_numpy()), table["height_m"].to_numpy(float, na_value=np.nan)]
    )
    return dict(zip(table["id"].tolist(), map(tuple, rows.tolist()), strict=True))


def applied(
    buildings: Features, parts: Features, edits: Sequence[Edit]
) -> tuple[Features, Features, tuple[Finding, ...]]:
    """The two layers with these edits (folded, see `edits.fold`) made; see `edits.apply`."""
    if not edits:
        return buildings, parts, ()
    findings: list[Finding] = []
    there = pd.Index(buildings.table["id"])
    made = [edit for edit in edits if edit["op"] != "set"]
    said = [edit for edit in edits if edit["op"] == "set"]
    real = []
    for edit in made:
        if edit["op"] != "add" and edit["object"] not in there:
            findings.append(_gone(edit))
        else:
            real.append(edit)
    houses, solids = _made(buildings.table, parts.table, real)
    houses, solids = _said(houses, solids, said, findings)
    step = Step("edits of a plan made", f"twintown.city.edits {VERSION}", {"edits": len(edits)})
    return (
        Features(houses, buildings.frame, buildings.provenance.then(step), buildings.units),
        Features(solids, parts.frame, parts.provenance.then(step), parts.units),
        tuple(findings),
    )


def _gone(edit: Edit) -> Finding:
    return Finding(
        edit["object"], "object-gone",
        {"ko": "고치려던 건물이 이 판에는 없습니다", "en": "the building that was to be edited is not in this version"},
        severity="error",
    )  # fmt: skip


def _made(
    houses: gpd.GeoDataFrame, solids: gpd.GeoDataFrame, edits: Sequence[Edit]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Buildings removed, replaced and added."""
    if not edits:
        return houses, solids
    leaving = [edit["object"] for edit in edits]  # an added one too, where it is there already
    before = houses[houses["id"].isin(leaving)].set_index("id", drop=False)
    houses = houses[~houses["id"].isin(leaving)]
    solids = solids[~solids["building"].isin(leaving)]
    rows = [_house(edit, before) for edit in edits if edit["op"] != "remove"]
    if rows:
        new = [part for edit in edits if edit["op"] != "remove" for part in _solids(edit)]
        houses = _with(houses, rows)
        solids = _with(solids, new)
    return houses.reset_index(drop=True), solids.reset_index(drop=True)


def _house(edit: Edit, before: gpd.GeoDataFrame) -> dict[str, Any]:
    """The row of a building that is added or replaced."""
    geometry = shapely.normalize(shapely.union_all([polygon(part) for part in edit["parts"]], grid_size=1e-3))
    known: dict[str, Any] = {}
    if edit["object"] in before.index:
        found = before.loc[edit["object"]].to_dict()
        known = {name: value for name, value in found.items() if name in _STAYS}
    storey = edit.get("storey_m") or known.get("storey_m") or 3.0
    row = {
        **known, "id": edit["object"], "height_m": edit["height_m"], "height_source": PLANNED, "height_error_m": 0.0,
        "levels": max(1, math.floor(edit["height_m"] / storey + 1e-6)), "storey_m": storey,
        "min_height_m": min(part["base_m"] for part in edit["parts"]), "parts": len(edit["parts"]),
        "area_m2": round(float(geometry.area), 2), "geometry": geometry,
    }  # fmt: skip
    if "storey_m" in edit:
        row["storey_source"] = PLANNED
    if "function" in edit:
        row["function"] = edit["function"]
    if "name" in edit:
        row |= _named(edit["name"])
    return row


_STAYS = ("name", "name_ko", "name_en", "kind", "function", "storey_m", "storey_source", "year", "tags")


def _named(name: str) -> dict[str, Any]:
    return dict.fromkeys(("name", "name_ko", "name_en"), name or None)


def _solids(edit: Edit) -> list[dict[str, Any]]:
    """The rows of the parts of a building that is added or replaced."""
    name = edit["object"]
    return [
        {
            "id": name if index == 0 else f"{name}.{index + 1}", "building": name,
            "base_m": part["base_m"], "eave_m": part["eave_m"], "top_m": part["top_m"], "roof_shape": part["roof_shape"],
            "roof_direction_deg": np.nan if part["roof_direction_deg"] is None else part["roof_direction_deg"],
            "roof_height_m": round(part["top_m"] - part["eave_m"], 3), "roof_across": False, "height_source": PLANNED,
            "geometry": shapely.normalize(polygon(part)),
        }
        for index, part in enumerate(edit["parts"])
    ]  # fmt: skip


def _with(table: gpd.GeoDataFrame, rows: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    """The table with rows behind it, in its columns and their types; what a row does not say is null, or nothing."""
    columns: dict[str, Any] = {}
    for name in table.columns:
        if name == table.geometry.name:
            continue
        kind = table[name].dtype
        values = [row.get(name) for row in rows]
        columns[name] = pd.Series(
            [_empty(kind) if value is None or value is pd.NA else value for value in values]
        ).astype(kind)
    behind = gpd.GeoDataFrame(columns, geometry=[row["geometry"] for row in rows], crs=table.crs)
    if table.geometry.name != "geometry":
        behind = behind.rename_geometry(table.geometry.name)
    joined: gpd.GeoDataFrame = pd.concat([table, behind[list(table.columns)]], ignore_index=True)
    return joined.astype({name: kind for name, kind in table.dtypes.items() if joined[name].dtype != kind})


def _empty(kind: Any) -> Any:
    """What stands for nothing in a column of this type."""
    if isinstance(kind, np.dtype) and kind.kind in "iu":
        return 0
    if isinstance(kind, np.dtype) and kind.kind == "b":
        return False
    return np.nan if isinstance(kind, np.dtype) and kind.kind == "f" else None


def _said(
    houses: gpd.GeoDataFrame, solids: gpd.GeoDataFrame, edits: Sequence[Edit], findings: list[Finding]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Buildings set: height, storeys, name, function, place."""
    at = pd.Index(houses["id"]).get_indexer([edit["object"] for edit in edits])
    findings += [_gone(edit) for edit, row in zip(edits, at.tolist(), strict=True) if row < 0]
    todo = [(edit, row) for edit, row in zip(edits, at.tolist(), strict=True) if row >= 0]
    if not todo:
        return houses, solids
    mine = np.flatnonzero(solids["building"].isin([edit["object"] for edit, _ in todo]).to_numpy())
    owner = solids["building"].to_numpy()[mine]
    order = np.argsort(owner, kind="stable")
    mine, owner = mine[order], owner[order]
    house, solid = _Columns(houses), _Columns(solids)
    for edit, row in todo:
        low, high = (
            np.searchsorted(owner, edit["object"], "left"),
            np.searchsorted(owner, edit["object"], "right"),
        )
        rows = mine[low:high]
        if "height_m" in edit:
            _raise(edit, house, row, solid, rows, findings)
        if "storey_m" in edit and house.get("storey_m", row) != edit["storey_m"]:
            house.put("storey_m", row, edit["storey_m"])
            house.put("storey_source", row, PLANNED)
            _count_storeys(house, row)
        if "name" in edit:
            for name, value in _named(edit["name"]).items():
                house.put(name, row, value)
        if "function" in edit:
            house.put("function", row, edit["function"])
        if "move" in edit or "turn_deg" in edit:
            _moved(edit, house, row, solid, rows)
    return house.table(), solid.table()


def _raise(
    edit: Edit, house: _Columns, row: int, solid: _Columns, rows: NDArray[np.int64], findings: list[Finding]
) -> None:
    """Another height; parts follow in proportion, to the millimetre."""
    old = float(house.get("height_m", row))
    if not old > 0.0:
        findings.append(Finding(
            edit["object"], "no-height", {"ko": "비례시킬 높이가 없습니다", "en": "there is no height to scale"}, severity="error",
        ))  # fmt: skip
        return
    factor = edit["height_m"] / old
    if factor == 1.0:
        return
    house.put("height_m", row, edit["height_m"])
    house.put("height_source", row, PLANNED)
    house.put("height_error_m", row, 0.0)
    _count_storeys(house, row)
    for name in ("base_m", "eave_m", "top_m", "roof_height_m"):
        if name in solid:
            solid.put(name, rows, np.round(np.asarray(solid.get(name, rows), float) * factor, 3))
    if "min_height_m" in house:
        house.put("min_height_m", row, round(float(house.get("min_height_m", row)) * factor, 3))
    solid.put("height_source", rows, PLANNED)


def _count_storeys(house: _Columns, row: int) -> None:
    if "levels" in house and "storey_m" in house and not pd.isna(house.get("levels", row)):
        storey = float(house.get("storey_m", row))
        house.put("levels", row, max(1, math.floor(float(house.get("height_m", row)) / storey + 1e-6)))


def _moved(edit: Edit, house: _Columns, row: int, solid: _Columns, rows: NDArray[np.int64]) -> None:
    """Turned clockwise about the centroid of the footprint, then moved; corners in whole millimetres."""
    east, north = edit.get("move", (0.0, 0.0))
    turn = edit.get("turn_deg", 0.0) % 360.0
    if (east, north, turn) == (0.0, 0.0, 0.0):
        return
    shape = house.shapes[row]
    middle = np.round(shapely.get_coordinates(shapely.centroid(shape))[0], 3)
    angle = math.radians(turn)
    cosine, sine = round(math.cos(angle) * _BINARY) / _BINARY, round(math.sin(angle) * _BINARY) / _BINARY
    to = (float(middle[0]) + east, float(middle[1]) + north)

    def place(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        dx, dy = (xy - middle).T
        return np.round(
            np.column_stack([to[0] + cosine * dx + sine * dy, to[1] - sine * dx + cosine * dy]), 3
        )

    house.shapes[row] = shapely.transform(shape, place)
    solid.shapes[rows] = shapely.transform(solid.shapes[rows], place)
    if turn and "roof_direction_deg" in solid:
        solid.put(
            "roof_direction_deg",
            rows,
            np.round((np.asarray(solid.get("roof_direction_deg", rows), float) + turn) % 360.0, 4),
        )


class _Columns:
    """A table whose columns are copied when they are first written to."""

    def __init__(self, table: gpd.GeoDataFrame) -> None:
        self._table = table
        self._open: dict[str, pd.Series] = {}
        self.shapes: NDArray[np.object_] = table.geometry.to_numpy().copy()

    def __contains__(self, name: str) -> bool:
        return name in self._table.columns

    def get(self, name: str, rows: Any) -> Any:
        """The values of a column at a row, or at rows."""
        column = self._open.get(name, self._table[name])
        return column.iloc[rows] if isinstance(rows, int) else column.iloc[rows].to_numpy()

    def put(self, name: str, rows: Any, value: Any) -> None:
        """Write into a column, where the table has it."""
        if name not in self:
            return
        if name not in self._open:
            self._open[name] = self._table[name].copy()
        column = self._open[name]
        column.iloc[rows] = _empty(column.dtype) if value is None else value

    def table(self) -> gpd.GeoDataFrame:
        """The table as it is now."""
        return self._table.assign(**self._open).set_geometry(
            gpd.GeoSeries(self.shapes, index=self._table.index, crs=self._table.crs)
        )
