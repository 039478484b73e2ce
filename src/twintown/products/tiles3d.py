"""Buildings as 3D Tiles 1.1 (OGC 22-025r4): the tree becomes tileset.json, each tile is handed to the
encoder.

Large trees nest: below `_LEVELS` levels a branch is an external tileset of its own, so that no document
grows with the city.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.city.solids import parts_mesh
from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.ground.mesh import Mesh
from twintown.ground.names import Name

from .gltf import Column, PropertyTable, encode
from .levels import Tile, layout
from .product import Built, Place, Product, Progress, Write

#: A building that the tree leaves out counts as an error of this many times its size: with the usual 16
#: pixels it is asked for as soon as it would be 4 pixels wide.
_EAGER = 4.0
#: Outline vertices and buildings in one tile: about 1 MB, 0.2 MB on the wire.
_MOST_WEIGHT, _MOST_FEATURES = 6_000.0, 2_000
#: Levels of the tree in one tileset document (4⁴ tiles at most).
_LEVELS = 4

#: Columns of the layer `buildings` that travel with the tiles: kind, required, title, description.
_COLUMNS: dict[str, tuple[str, str, str]] = {
    "id": (
        "string",
        "Identifier",
        "Identifier of the building in its source; asks the API for everything else",
    ),
    "name": ("string", "Name", "Name on the spot"),
    "name_ko": ("string", "Korean name", "Name in Korean"),
    "name_en": ("string", "English name", "Name in English"),
    "kind": ("string", "Kind", "Kind of building, in the words of the source"),
    "function": ("string", "Function", "What the building is used for"),
    "height_m": ("float32", "Height", "Height of the highest point above the ground [m]"),
    "height_source": (
        "string",
        "Source of the height",
        "measured, levels (storeys × storey height) or estimated",
    ),
    "height_error_m": ("float32", "Error of the height", "Standard error of the height [m]"),
    "levels": ("int16", "Storeys", "Number of storeys above the ground [{storey}]"),
    "min_height_m": ("float32", "Foot", "Height of the lowest point above the ground [m]"),
    "parts": ("int16", "Parts", "Number of parts that the building is built of [1]"),
}


def make(layers: Mapping[str, Features], place: Place, write: Write, progress: Progress) -> Built:
    """Write `tileset.json`, `t/<path>.glb` and, for large cities, `t/<path>.json`.

    Raises:
        BadInput: a part belongs to no building, or nothing can be drawn.
    """
    buildings, parts = layers["buildings"].table, layers["building-parts"].table
    city = _City(buildings, parts, place, _copyright(layers))
    root = layout(city.boxes, city.weight, _MOST_WEIGHT, _MOST_FEATURES)
    total, done = len(city.rows), 0
    for tile in _walk(root):
        write(f"t/{tile.path or 'r'}.glb", city.glb(tile))
        done += len(tile.members)
        progress(0.98 * done / total)
    for path, document in _documents(root, place, city.largest_m, city.copyright):
        write(path, orjson.dumps(document, option=orjson.OPT_SORT_KEYS))
    facts = {"tiles": root.count, "depth": root.depth, "buildings": total, "left_out": len(buildings) - total}
    return Built("tileset.json", 0, 0, facts)


class _City:
    """Buildings and their parts, ready to be cut into tiles; arrays over the buildings that can be drawn."""

    def __init__(
        self, buildings: gpd.GeoDataFrame, parts: gpd.GeoDataFrame, place: Place, copyright: str
    ) -> None:
        order = (
            buildings["id"].to_numpy(object).argsort(kind="stable")
        )  # rows come in any order; tiles do not
        self.table = buildings.iloc[order].reset_index(drop=True)
        parts = parts.sort_values("id", kind="stable").reset_index(drop=True)
        owner = pd.Index(self.table["id"]).get_indexer(pd.Index(parts["building"]))
        if (owner < 0).any():
            raise BadInput(
                f"belongs to no building: {parts['id'][owner < 0].iloc[0]!r}",
                "layer building-parts",
                "build both layers anew",
            )
        outlines = parts.geometry.to_numpy()
        drawn = (
            ~(shapely.is_missing(outlines) | shapely.is_empty(outlines))
            & (parts["top_m"] > parts["base_m"]).to_numpy()
        )
        by_owner = np.argsort(owner[drawn], kind="stable")
        self.parts = parts[drawn].iloc[by_owner].reset_index(drop=True)
        self.place, self.copyright = place, copyright
        self.rows, self.first = np.unique(
            owner[drawn][by_owner], return_index=True
        )  # rows of `table`; first part of each
        if not len(self.rows):
            raise BadInput("no building has a part that can be drawn", "layer building-parts")
        self.last = np.append(self.first[1:], len(self.parts))
        flat = shapely.bounds(self.parts.geometry.to_numpy())
        base, top = (self.parts[name].to_numpy(float) for name in ("base_m", "top_m"))
        low = np.minimum.reduceat(np.column_stack([flat[:, :2], base]), self.first, axis=0)
        high = np.maximum.reduceat(np.column_stack([flat[:, 2:], top]), self.first, axis=0)
        self.boxes = np.column_stack([low, high])
        self.weight = np.add.reduceat(
            shapely.get_num_coordinates(self.parts.geometry.to_numpy()).astype(float), self.first
        )
        self.largest_m = float(np.linalg.norm(high - low, axis=1).max())

    def glb(self, tile: Tile) -> bytes:
        """The content of a tile, about the tile's own origin."""
        members = np.sort(tile.members)
        spans = [np.arange(self.first[m], self.last[m]) for m in members]
        owner = np.repeat(np.arange(len(members)), [len(span) for span in spans])
        mesh = parts_mesh(self.parts.iloc[np.concatenate(spans)], self.place.frame)
        local = _to_local(mesh.vertices, tile, self.place)
        return encode(
            Mesh(local, mesh.triangles, owner[mesh.feature].astype(np.int32)),
            self._properties(self.rows[members]),
            self.copyright,
        )

    def _properties(self, rows: NDArray[np.intp]) -> PropertyTable:
        table = self.table.iloc[rows]
        columns = []
        for name, (kind, title, description) in _COLUMNS.items():
            if name not in table.columns:
                continue
            values: Any
            if kind == "string":
                values = table[name].astype(object).where(table[name].notna(), "").astype(str).tolist()
            else:
                values = pd.to_numeric(table[name]).to_numpy(float, na_value=np.nan)
                if kind == "int16":
                    values = np.where(np.isfinite(values), np.rint(values), -32768.0)
            columns.append(Column(name, kind, title, description, values, required=name == "id"))  # type: ignore[arg-type]
        return PropertyTable(
            "building", "Building", "One building, in however many parts", len(rows), tuple(columns)
        )


def origin(tile: Tile, place: Place) -> tuple[float, float, float]:
    """Where a tile's coordinates start: the middle of its area, on the ground (m of the frame)."""
    west, south, _, east, north, _ = tile.box
    return (west + east) / 2.0, (south + north) / 2.0, place.ground_m


def _to_local(vertices: NDArray[np.float64], tile: Tile, place: Place) -> NDArray[np.float64]:
    """Frame metres with heights above the ground → local east, north, up of the tile, by way of ECEF."""
    matrix = place.frame.enu_matrix(*origin(tile, place))
    ecef = np.column_stack(
        place.frame.to_ecef(vertices[:, 0], vertices[:, 1], vertices[:, 2] + place.ground_m)
    )
    return np.asarray((ecef - matrix[:3, 3]) @ matrix[:3, :3])


def _walk(tile: Tile) -> list[Tile]:
    """All tiles, the root first, then level by level of each branch."""
    return [tile, *(below for child in tile.children for below in _walk(child))]


def _documents(
    root: Tile, place: Place, largest_m: float, copyright: str
) -> list[tuple[str, dict[str, Any]]]:
    """Every tileset document with its path."""
    documents: list[tuple[str, dict[str, Any]]] = []
    asset = {"version": "1.1", "generator": "Twintown"}

    def entry(tile: Tile, above: NDArray[np.float64] | None, level: int, folder: str) -> dict[str, Any]:
        matrix = place.frame.enu_matrix(*origin(tile, place))
        relative = matrix if above is None else _inverse(above) @ matrix
        error = _EAGER * tile.missing_m
        node: dict[str, Any] = {
            "boundingVolume": {"box": _box(tile, place)},
            "geometricError": error,
            "refine": "ADD",
            "transform": relative.T.ravel().tolist(),  # column by column
        }
        if level == _LEVELS and tile.children:
            inner = dict(node, content={"uri": f"{tile.path}.glb"})
            del inner["transform"]  # the tile that points here brings it
            inner["children"] = [entry(child, matrix, 1, "") for child in tile.children]
            documents.append(
                (f"t/{tile.path}.json", {"asset": asset, "geometricError": error, "root": inner})
            )
            return node | {"content": {"uri": f"{folder}{tile.path}.json"}}
        node["content"] = {"uri": f"{folder}{tile.path or 'r'}.glb"}
        if tile.children:
            node["children"] = [entry(child, matrix, level + 1, folder) for child in tile.children]
        return node

    top = {"asset": asset, "geometricError": _EAGER * largest_m, "root": entry(root, None, 0, "t/")}
    if copyright:
        top["extras"] = {"copyright": copyright}
    return [*documents, ("tileset.json", top)]


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a rotation with a translation."""
    inverse = np.eye(4)
    inverse[:3, :3] = matrix[:3, :3].T
    inverse[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return inverse


def _box(tile: Tile, place: Place) -> list[float]:
    """Centre and half axes around all below, in the tile's own axes; sampled, since the earth bulges."""
    west, south, foot, east, north, top = tile.box
    x, y, z = np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3), [foot, top])
    local = _to_local(np.column_stack([x.ravel(), y.ravel(), z.ravel()]), tile, place)
    low, high = local.min(axis=0) - 0.05, local.max(axis=0) + 0.05
    centre, half = (low + high) / 2.0, (high - low) / 2.0
    return [round(float(v), 3) for v in (*centre, half[0], 0, 0, 0, half[1], 0, 0, 0, half[2])]


def _copyright(layers: Mapping[str, Features]) -> str:
    """The attributions of all that is drawn, each once."""
    words = [
        licence.attribution or licence.title
        for layer in layers.values()
        for licence in layer.provenance.licences
    ]
    return "; ".join(dict.fromkeys(word for word in words if word))


BUILDINGS = Product(
    id="buildings-3dtiles",
    title=Name("건물 3D 타일", "Buildings as 3D Tiles"),
    needs=("buildings", "building-parts"),
    takes=(),
    edition=1,
    make=make,
)
