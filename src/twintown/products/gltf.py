"""One tile's triangles and properties → one GLB. Knows nothing of trees, levels or neighbours.

glTF 2.0 with KHR_mesh_quantization, EXT_mesh_features (feature id = row of the property table) and
EXT_structural_metadata (3D Tiles 1.1, OGC 22-025r4). glTF has y up and local axes (east, up, south); the
renderer turns it back to z up.

Positions are 16-bit steps in a block with its own offset; where a block is so large that a step would cost
more than `TOLERANCE_M`, that block keeps 32-bit floats. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from twintown.ground.errors import BadInput, TooLarge
from twintown.ground.mesh import Mesh

#: Worst distance between a vertex and its quantised place, metres (the promise of the tiles is 1 cm).
TOLERANCE_M = 0.008
#: Side of the blocks that are quantised on their own, metres; and more blocks than this are not worth their
#: draw calls.
_BLOCK_M, _BLOCKS = 480.0, 16
_STEPS = 65535
_NUMBERS: dict[str, tuple[str, str]] = {
    "float32": ("FLOAT32", "<f4"),
    "int16": ("INT16", "<i2"),
    "uint16": ("UINT16", "<u2"),
}
_EXTENSIONS = ["EXT_mesh_features", "EXT_structural_metadata", "KHR_mesh_quantization"]


@dataclass(frozen=True)
class Column:
    """One property of every feature.

    Args:
        id: its identifier in the schema.
        kind: how it is stored.
        title: for people.
        description: what it means, with its unit (UCUM) in brackets at the end.
        values: one per feature; text may be empty (no data), floats NaN; integers use -32768 (int16) for
            none.
        required: whether every feature has it.
    """

    id: str
    kind: Literal["string", "float32", "int16", "uint16"]
    title: str
    description: str
    values: Sequence[str] | NDArray[Any]
    required: bool = False


@dataclass(frozen=True)
class PropertyTable:
    """The properties of a tile's features, in feature order, and the class they are of."""

    id: str
    title: str
    description: str
    count: int
    columns: tuple[Column, ...]


class _Bin:
    """The binary chunk as it grows."""

    def __init__(self) -> None:
        self.views: list[dict[str, int]] = []
        self.pieces: list[bytes] = []
        self.length = 0

    def add(self, data: bytes, align: int = 4, **view: int) -> int:
        """Append the bytes at an aligned place; the index of their buffer view."""
        gap = -self.length % align
        self.pieces += [b"\0" * gap, data]
        self.length += gap
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": len(data), **view})
        self.length += len(data)
        return len(self.views) - 1


def encode(mesh: Mesh, table: PropertyTable, copyright: str = "") -> bytes:
    """A GLB of the mesh.

    Args:
        mesh: local east, north, up (m) about the tile's origin; `feature` holds rows of the table.
        table: the properties.
        copyright: the attribution that must be shown with it.

    Raises:
        BadInput: no triangle is left, or the table does not fit the mesh.
        TooLarge: more features than a 16-bit feature id can number.
    """
    if table.count > _STEPS:
        raise TooLarge(f"{table.count:,} features in one tile; {_STEPS:,} at most", "glTF", "split the tile")
    if len(mesh.feature) and int(mesh.feature.max()) >= table.count:
        raise BadInput("a triangle belongs to a feature that the property table does not have", "glTF")
    corners = mesh.vertices[mesh.triangles]  # (m, 3 corners, 3)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area2 = np.linalg.norm(cross, axis=1)
    good = area2 > 1e-9  # m²; a triangle without area has no normal
    if not good.any():
        raise BadInput("no triangle with an area", "glTF")
    corners, feature = corners[good][:, :, [0, 2, 1]], mesh.feature[good].astype(np.int64)  # east, up, north
    corners[:, :, 2] *= -1.0  # … south
    normal = (cross[good] / area2[good, None])[:, [0, 2, 1]] * (1.0, 1.0, -1.0)

    binary = _Bin()
    gltf: dict[str, Any] = {"accessors": [], "meshes": [], "nodes": []}
    for rows in _blocks(corners, feature, table.count):
        _add_block(gltf, binary, corners[rows], normal[rows], feature[rows], table.count)
    metadata = _metadata(table, binary)
    asset = {"generator": "Twintown", "version": "2.0"}
    if copyright:
        asset["copyright"] = copyright
    gltf |= {
        "asset": asset,
        "buffers": [{"byteLength": binary.length + (-binary.length % 8)}],
        "bufferViews": binary.views,
        "extensions": {"EXT_structural_metadata": metadata},
        "extensionsUsed": _EXTENSIONS,
        "extensionsRequired": ["KHR_mesh_quantization"],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorFactor": [0.92, 0.91, 0.89, 1.0],
                    "metallicFactor": 0.0,
                    "roughnessFactor": 1.0,
                }
            }
        ],
        "scene": 0,
        "scenes": [{"nodes": list(range(len(gltf["nodes"])))}],
    }
    return _glb(gltf, b"".join(binary.pieces))


def _blocks(corners: NDArray[np.float64], feature: NDArray[np.int64], count: int) -> list[NDArray[np.intp]]:
    """Rows of triangles by block; a feature is never cut."""
    first = np.full((count, 2), np.inf)
    np.minimum.at(first, feature, corners[:, :, [0, 2]].min(axis=1))
    drawn = np.isfinite(first[:, 0])
    first[~drawn] = first[drawn].min(axis=0)
    cell = np.floor((first - first.min(axis=0)) / _BLOCK_M).astype(np.int64)
    key = cell[:, 0] * (int(cell[:, 1].max()) + 1) + cell[:, 1]
    if len(np.unique(key[drawn])) > _BLOCKS:
        key[:] = 0
    order = np.argsort(key[feature], kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[feature][order])) + 1)


def _add_block(
    gltf: dict[str, Any],
    binary: _Bin,
    corners: NDArray[np.float64],
    normal: NDArray[np.float64],
    feature: NDArray[np.int64],
    count: int,
) -> None:
    """Quantise, index and append one block as a node with its mesh."""
    low = np.floor(corners.min(axis=(0, 1)) * 1000.0) / 1000.0
    step = float((corners.max(axis=(0, 1)) - low).max()) / _STEPS
    quantised = step * np.sqrt(3.0) / 2.0 <= TOLERANCE_M
    if quantised:
        place = np.rint((corners - low) / step).astype(np.uint16)
        bits = place.astype(np.int64)
    else:
        low = np.rint((corners.min(axis=(0, 1)) + corners.max(axis=(0, 1))) / 2.0)
        place = (corners - low).astype(np.float32)
        place += np.float32(0.0)  # −0 and 0 are one place
        bits = place.view(np.int32).astype(np.int64)
    turned = np.rint(normal * 127.0).astype(np.int8)
    same = (bits[:, [0, 1, 2]] == bits[:, [1, 2, 0]]).all(axis=2).any(axis=1)  # collapsed by quantisation
    place, bits, turned, feature = place[~same], bits[~same], turned[~same], feature[~same]
    if not len(bits):
        return
    n = (turned.astype(np.int64) + 128) @ np.array([1 << 16, 1 << 8, 1])
    owner = np.repeat((feature << 24) | n, 3)
    flat = bits.reshape(-1, 3)
    order = np.lexsort((flat[:, 2], flat[:, 0], flat[:, 1], owner))
    keys = np.column_stack([owner, flat])[order]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    index = np.empty(len(keys), np.int64)
    index[order] = np.cumsum(fresh) - 1
    kept = order[fresh]  # one corner for each vertex

    positions = place.reshape(-1, 3)[kept]
    vertices = len(kept)
    padded = np.zeros((vertices, 4), np.uint16)
    padded[:, :3] = positions if quantised else 0
    normals = np.zeros((vertices, 4), np.int8)
    normals[:, :3] = np.repeat(turned, 3, axis=0)[kept]
    wide = count > 256
    ids = np.zeros((vertices, 2 if wide else 4), "<u2" if wide else "u1")
    ids[:, 0] = np.repeat(feature, 3)[kept]
    short = vertices <= _STEPS  # the highest index stays below the restart value
    data = padded.astype("<u2").tobytes() if quantised else positions.astype("<f4").tobytes()
    position_view = binary.add(data, byteStride=8 if quantised else 12, target=34962)
    normal_view = binary.add(normals.tobytes(), byteStride=4, target=34962)
    ids_view = binary.add(ids.tobytes(), byteStride=4, target=34962)
    index_view = binary.add(index.astype("<u2" if short else "<u4").tobytes(), target=34963)
    number = len(gltf["accessors"])
    limits = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
    gltf["accessors"] += [
        {
            "bufferView": position_view,
            "componentType": 5123 if quantised else 5126,
            "count": vertices,
            "type": "VEC3",
        }
        | limits,
        {
            "bufferView": normal_view,
            "componentType": 5120,
            "normalized": True,
            "count": vertices,
            "type": "VEC3",
        },
        {
            "bufferView": ids_view,
            "componentType": 5123 if wide else 5121,
            "count": vertices,
            "type": "SCALAR",
        },
        {
            "bufferView": index_view,
            "componentType": 5123 if short else 5125,
            "count": len(index),
            "type": "SCALAR",
        },
    ]
    node: dict[str, Any] = {"mesh": len(gltf["meshes"]), "translation": low.tolist()}
    if quantised:
        node["scale"] = [step, step, step]
    gltf["nodes"].append(node)
    primitive = {
        "attributes": {"POSITION": number, "NORMAL": number + 1, "_FEATURE_ID_0": number + 2},
        "indices": number + 3,
        "material": 0,
        "mode": 4,
        "extensions": {
            "EXT_mesh_features": {
                "featureIds": [{"featureCount": _counted(feature), "attribute": 0, "propertyTable": 0}]
            }
        },
    }
    gltf["meshes"].append({"primitives": [primitive]})


def _counted(feature: NDArray[np.int64]) -> int:
    return len(np.unique(feature))


def _metadata(table: PropertyTable, binary: _Bin) -> dict[str, Any]:
    """Schema and property table of EXT_structural_metadata."""
    properties: dict[str, Any] = {}
    stored: dict[str, Any] = {}
    for column in table.columns:
        if len(column.values) != table.count:
            raise BadInput(
                f"has {len(column.values)} values for {table.count} features", f"property {column.id}"
            )
        described: dict[str, Any] = {"name": column.title, "description": column.description}
        if column.kind == "string":
            encoded = [str(value).encode() for value in column.values]
            offsets = np.concatenate([[0], np.cumsum([len(text) for text in encoded])])
            text = b"".join(encoded)
            described |= {"type": "STRING"}
            none: Any = ""
            stored[column.id] = {
                "values": binary.add(text or b"\0", 8),  # a buffer view may not be empty
                "stringOffsets": binary.add(offsets.astype("<u4").tobytes(), 8),
                "stringOffsetType": "UINT32",
            }
        else:
            component, dtype = _NUMBERS[column.kind]
            values = np.asarray(column.values)
            none = {"float32": -99999.0, "int16": -32768, "uint16": 65535}[column.kind]
            if column.kind == "float32":
                values = np.where(np.isfinite(values.astype(float)), values.astype(float), none)
            described |= {"type": "SCALAR", "componentType": component}
            stored[column.id] = {"values": binary.add(values.astype(dtype).tobytes(), 8)}
        described |= {"required": True} if column.required else {"noData": none}
        properties[column.id] = described
    return {
        "schema": {
            "id": "twintown",
            "classes": {
                table.id: {"name": table.title, "description": table.description, "properties": properties}
            },
        },
        "propertyTables": [
            {"name": table.title, "class": table.id, "count": table.count, "properties": stored}
        ],
    }


def _glb(gltf: Mapping[str, Any], binary: bytes) -> bytes:
    """The container: header, JSON chunk padded with spaces, binary chunk padded with zeros."""
    text = orjson.dumps(gltf, option=orjson.OPT_SORT_KEYS)
    text += b" " * ((4 - len(text)) % 8)  # 28 bytes of headers and this: the binary starts on a multiple of 8
    binary += b"\0" * (-len(binary) % 8)
    sizes = np.array([0x46546C67, 2, 12 + 8 + len(text) + 8 + len(binary), len(text), 0x4E4F534A], "<u4")
    return sizes.tobytes() + text + np.array([len(binary), 0x004E4942], "<u4").tobytes() + binary
