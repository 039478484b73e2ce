"""Reads tilesets the way a renderer does, and a small block of buildings to make them of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.products.product import Place

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="declared for the tests")
PLACE = Place(FRAME, ground_m=14.0)
LICENCE = Licence(
    "ODbL-1.0",
    "Open Database License",
    "https://opendatacommons.org/licenses/odbl/1-0/",
    "© OpenStreetMap contributors",
    True,
)
PROVENANCE = Provenance(
    (
        Source(
            "osm",
            "OpenStreetMap",
            "OpenStreetMap contributors",
            LICENCE,
            "https://www.openstreetmap.org",
            "2024-11-01",
        ),
    )
)

_TYPES = {5120: "i1", 5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTH = {"SCALAR": 1, "VEC3": 3}


@dataclass(frozen=True)
class Read:
    """One tile as a renderer sees it: earth-centred triangles with their feature, and properties by feature."""

    uri: str
    triangles: NDArray[np.float64]
    normals: NDArray[np.float64]
    feature: NDArray[np.int64]
    properties: dict[str, list[Any]]
    node: dict[str, Any]
    matrix: NDArray[np.float64]


def parse(data: bytes) -> tuple[dict[str, Any], bytes]:
    """JSON and binary chunk of a GLB whose lengths are right."""
    magic, version, length, json_length, json_kind = np.frombuffer(data[:20], "<u4").tolist()
    assert (magic, version, length, json_kind) == (0x46546C67, 2, len(data), 0x4E4F534A)
    document = json.loads(data[20 : 20 + json_length])
    binary_length, kind = np.frombuffer(data[20 + json_length : 28 + json_length], "<u4").tolist()
    assert kind == 0x004E4942
    return document, data[28 + json_length : 28 + json_length + binary_length]


def accessor(document: dict[str, Any], binary: bytes, index: int) -> NDArray[Any]:
    """The values of an accessor, float64 where normalised."""
    told = document["accessors"][index]
    view = document["bufferViews"][told["bufferView"]]
    dtype, width = np.dtype(_TYPES[told["componentType"]]), _WIDTH[told["type"]]
    stride = view.get("byteStride", dtype.itemsize * width)
    start = view["byteOffset"] + told.get("byteOffset", 0)
    raw = np.frombuffer(
        binary[start : start + stride * (told["count"] - 1) + dtype.itemsize * width], np.uint8
    )
    out = (
        np.lib.stride_tricks.as_strided(raw, (told["count"], dtype.itemsize * width), (stride, 1))
        .copy()
        .view(dtype)
    )
    return np.maximum(out / 127.0, -1.0) if told.get("normalized") else out


def properties(document: dict[str, Any], binary: bytes) -> dict[str, list[Any]]:
    """The property table, none where there is no data."""
    extension = document["extensions"]["EXT_structural_metadata"]
    table = extension["propertyTables"][0]
    described = extension["schema"]["classes"][table["class"]]["properties"]

    def view(index: int) -> bytes:
        told = document["bufferViews"][index]
        assert told["byteOffset"] % 8 == 0
        return binary[told["byteOffset"] : told["byteOffset"] + told["byteLength"]]

    out: dict[str, list[Any]] = {}
    for name, stored in table["properties"].items():
        if described[name]["type"] == "STRING":
            offsets = np.frombuffer(view(stored["stringOffsets"]), "<u4")
            text = view(stored["values"])
            values = [text[a:b].decode() for a, b in pairwise(offsets)]
        else:
            dtype = {"FLOAT32": "<f4", "INT16": "<i2"}[described[name]["componentType"]]
            values = np.frombuffer(view(stored["values"]), dtype).tolist()
        none = described[name].get("noData")
        out[name] = [None if value == none and none is not None else value for value in values]
        assert len(out[name]) == table["count"]
    return out


def tiles(files: dict[str, bytes], entry: str = "tileset.json") -> Iterator[Read]:
    """Every tile with content, external tilesets followed, transforms multiplied."""
    folder = entry.rpartition("/")[0]

    def resolve(uri: str, here: str) -> str:
        return f"{here}/{uri}" if here else uri

    def visit(node: dict[str, Any], above: NDArray[np.float64], here: str) -> Iterator[Read]:
        matrix = above @ np.array(node.get("transform", np.eye(4).ravel())).reshape(4, 4).T
        uri = resolve(node["content"]["uri"], here)
        if uri.endswith(".json"):
            yield from visit(json.loads(files[uri])["root"], matrix, uri.rpartition("/")[0])
        else:
            yield _tile(uri, files[uri], matrix, node)
        for child in node.get("children", ()):
            yield from visit(child, matrix, here)

    yield from visit(json.loads(files[entry])["root"], np.eye(4), folder)


def _tile(uri: str, data: bytes, matrix: NDArray[np.float64], node: dict[str, Any]) -> Read:
    document, binary = parse(data)
    corners, normals, features = [], [], []
    for part in document["nodes"]:
        primitive = document["meshes"][part["mesh"]]["primitives"][0]
        index = accessor(document, binary, primitive["indices"])[:, 0].reshape(-1, 3)
        local = accessor(document, binary, primitive["attributes"]["POSITION"]).astype(float)
        local = local * part.get("scale", [1.0, 1.0, 1.0]) + part["translation"]
        z_up = local[:, [0, 2, 1]] * (1.0, -1.0, 1.0)
        turned = accessor(document, binary, primitive["attributes"]["NORMAL"])[:, [0, 2, 1]] * (
            1.0,
            -1.0,
            1.0,
        )
        corners.append((z_up @ matrix[:3, :3].T + matrix[:3, 3])[index])
        normals.append(turned[index])
        features.append(
            accessor(document, binary, primitive["attributes"]["_FEATURE_ID_0"])[index[:, 0], 0].astype(
                np.int64
            )
        )
    stacked = (np.concatenate(corners), np.concatenate(normals), np.concatenate(features))
    return Read(uri, *stacked, properties(document, binary), node, matrix)


def block(rows: int = 4, spread_m: float = 60.0) -> dict[str, Features]:
    """rows² houses by the tower's place, one with a courtyard, one of three parts that taper to 554.5 m."""
    x, y = (
        v.ravel()
        for v in np.meshgrid(np.arange(rows) * spread_m + 209400.0, np.arange(rows) * spread_m + 545700.0)
    )
    n = len(x)
    turn = np.radians(np.arange(n) * 7.0)
    corner = np.array([[-14.0, -8.0], [14.0, -8.0], [14.0, 8.0], [-14.0, 8.0]])
    turned = np.stack([np.cos(turn)[:, None] * corner[:, 0] - np.sin(turn)[:, None] * corner[:, 1],
                       np.sin(turn)[:, None] * corner[:, 0] + np.cos(turn)[:, None] * corner[:, 1]], axis=-1)  # fmt: skip
    outlines = shapely.polygons(turned + np.stack([x, y], axis=-1)[:, None])
    outlines[1] = outlines[1].difference(outlines[1].buffer(-3.0))
    height = 6.0 + 3.0 * np.arange(n)
    height[0] = 554.5
    ids = [f"way/{100 + k}" for k in range(n)]
    buildings = gpd.GeoDataFrame(
        {
            "id": ids, "name": ["롯데월드타워"] + [""] * (n - 1), "name_ko": ["롯데월드타워"] + [None] * (n - 1),
            "name_en": ["Lotte World Tower"] + [None] * (n - 1), "kind": "apartments", "function": "", "height_m": height,
            "height_source": ["measured"] + ["levels"] * (n - 1), "height_error_m": 1.5,
            "levels": [123.0] + [float("nan")] * (n - 1), "min_height_m": 0.0, "parts": [3] + [1] * (n - 1),
        },
        geometry=outlines, crs=FRAME.crs,
    )  # fmt: skip
    tower = [outlines[0], outlines[0].buffer(-2.0), outlines[0].buffer(-4.0)]
    base, top = np.r_[0.0, 200.0, 400.0, np.zeros(n - 1)], np.r_[200.0, 400.0, 554.5, height[1:]]
    parts = gpd.GeoDataFrame(
        {
            "id": [*(f"way/100#{k}" for k in range(3)), *ids[1:]], "building": [ids[0]] * 3 + ids[1:], "base_m": base,
            "eave_m": top, "top_m": top, "roof_shape": "flat", "roof_direction_deg": np.nan, "roof_height_m": 0.0,
        },
        geometry=[*tower, *outlines[1:]], crs=FRAME.crs,
    )  # fmt: skip
    return {
        "buildings": Features(buildings, FRAME, PROVENANCE),
        "building-parts": Features(parts, FRAME, PROVENANCE),
    }
