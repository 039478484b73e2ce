"""Buildings out of files, for a plan: CityJSON, glTF and GLB with a position, IFC (with the extra `ifc`).

What comes out are edits that add: each building with its parts, upright prisms with flat roofs except where CityJSON says how a roof
is built. What was simplified is told in notes, with numbers.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.city.edits import USES
from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadData, BadInput, BadParameter, TwintownError, UnknownFormat
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source

from .prisms import Body, body, prisms

Floats = NDArray[np.float64]
Stands = Literal["lowest", "origin", ""]
#: A building wider than this (m) was probably drawn in another unit.
_WIDEST_M, MOST_BUILDINGS = 2_000.0, 200
_FROM = Provenance((Source("file", "file of a plan", "its author", Licence("unknown", "not stated")),))


@dataclass(frozen=True)
class Placement:
    """Where a file that does not know stands: longitude, latitude (degrees), and where its front turns (clockwise from true north)."""

    lon: float
    lat: float
    heading_deg: float = 0.0


@dataclass(frozen=True)
class Note:
    """What was odd or simplified in a file."""

    code: str
    what: str
    object: str = ""


@dataclass
class Imported:
    """What a file comes to: edits as they are sent (`city.edits.parse` makes them normal), and notes."""

    kind: str
    edits: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def read(
    data: bytes, frame: Frame, bounds: Bounds, *, ground_m: float = 0.0, place: Placement | None = None,
    stands: Stands = "", name: str = "",
) -> Imported:  # fmt: skip
    """The buildings of a file; its kind is told by its content.

    Args:
        frame, bounds: of the twin. ground_m: height of its declared ground.
        place: where a file without a position stands; goes before the file's own.
        stands: on its lowest point, or with its origin on the ground. By default the former for glTF, the latter for IFC.
        name: of the building, where the file does not say.

    Raises:
        BadData: empty, truncated, without a building, or nowhere near the twin.
        UnknownFormat: of no kind that is taken.
        BadParameter: it needs a position.
        NotPossible: IFC without the extra; TooLarge: more than a plan takes.
    """
    if not data:
        raise BadData("the file is empty", "file", "send the bytes of a CityJSON, glTF, GLB or IFC file")
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"glTF"):
        _check_glb(data)
        return _gltf(data, "glb", frame, place, stands, name)
    if head.startswith(b"ISO-10303-21"):
        from .ifc import read_ifc

        return read_ifc(data, frame, place, stands, name)
    if head.startswith(b"{"):
        document = _json(data)
        if "asset" in document and "CityObjects" not in document:
            return _gltf(data, "gltf", frame, place, stands, name)
        return _cityjson(data, frame, bounds, ground_m)
    raise UnknownFormat(
        "is none of the kinds that a plan takes", "file", "send CityJSON, glTF 2.0, GLB or IFC (.ifc, STEP)"
    )


def _json(data: bytes) -> Mapping[str, Any]:
    """The first document of the bytes; CityJSONSeq has one a line."""
    try:
        found = json.loads(data.split(b"\n", 1)[0] if b'"CityJSONFeature"' in data else data)
    except (ValueError, UnicodeDecodeError) as error:
        raise BadData(f"is no JSON ({error})", "file", "check whether it arrived whole") from error
    if not isinstance(found, dict):
        raise BadData("is no JSON object", "file", "send CityJSON or glTF")
    return found


# -- CityJSON -----------------------------------------------------------------------------------------------


def _cityjson(data: bytes, frame: Frame, bounds: Bounds, ground_m: float) -> Imported:
    from twintown.formats import cityjson
    from twintown.formats.format import Into

    box = frame.lonlat_bounds(bounds).as_tuple()
    found = cityjson.read(data, Into(frame, ground_m=ground_m, bounds_lonlat=box))
    if "building-parts" not in found.beside:
        raise BadData("holds no building", "CityJSON", "send Building or BuildingPart objects")
    houses, solids = found.features(_FROM), found.beside["building-parts"].features(_FROM)
    if len(houses) > MOST_BUILDINGS:
        raise BadInput(
            f"holds {len(houses):,} buildings; a plan takes {MOST_BUILDINGS}",
            "CityJSON",
            "send those that are planned",
        )
    out = Imported("CityJSON", notes=[Note(one.code, f"{one.where}: {one.what}") for one in found.findings])
    rows = houses.table.drop(columns=houses.table.geometry.name).to_dict("records")
    for row in rows:
        parts = _parts_of(solids, str(row["id"]))
        if not parts:
            out.notes.append(
                Note("no-solid", "has no part that stands on the ground; left out", str(row["id"]))
            )
            continue
        edit: dict[str, Any] = {"op": "add", "parts": parts, "name": _text(row.get("name")) or str(row["id"])}
        function = _text(row.get("function"))
        if function in USES:
            edit["function"] = function
        storey = row.get("storey_m")
        if isinstance(storey, int | float) and 2.0 <= storey <= 20.0:
            edit["storey_m"] = float(storey)
        out.edits.append(edit)
    return out


def _parts_of(solids: Features, building: str) -> list[dict[str, Any]]:
    table = solids.table[solids.table["building"] == building]
    parts = []
    for row, shape in zip(
        table.drop(columns=table.geometry.name).to_dict("records"), table.geometry, strict=True
    ):
        direction = row.get("roof_direction_deg")
        for piece in shapely.get_parts(shape):
            if piece.area < 1.0 or not row["top_m"] > max(row["base_m"], 0.0) + 0.1:
                continue
            parts.append({
                **_rings(piece), "base_m": max(float(row["base_m"]), 0.0), "eave_m": float(row["eave_m"]), "top_m": float(row["top_m"]),
                "roof_shape": _text(row.get("roof_shape")) or "flat",
                "roof_direction_deg": None if direction is None or direction != direction else float(direction),
            })  # fmt: skip
    return parts


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _rings(polygon: Any) -> dict[str, Any]:
    rings = [np.asarray(ring.coords)[:-1, :2].tolist() for ring in (polygon.exterior, *polygon.interiors)]
    return {"outline": rings[0], "holes": rings[1:]}


# -- glTF ---------------------------------------------------------------------------------------------------


def _check_glb(data: bytes) -> None:
    """Raises BadData: not whole, or not glTF 2.0."""
    if len(data) < 20:
        raise BadData(f"the GLB is truncated: {len(data)} bytes", "file", "send the whole file")
    _, version, length = struct.unpack_from("<4sII", data)
    if version != 2:
        raise BadData(f"is glTF {version}", "file", "export it as glTF 2.0")
    if length > len(data):
        raise BadData(
            f"the GLB is truncated: it says {length:,} bytes and has {len(data):,}",
            "file",
            "send the whole file",
        )
    chunk, kind = struct.unpack_from("<I4s", data, 12)
    if kind != b"JSON" or 20 + chunk > length:
        raise BadData("the GLB does not begin with its JSON", "file", "export it again")


def _gltf(
    data: bytes, kind: str, frame: Frame, place: Placement | None, stands: Stands, name: str
) -> Imported:
    if place is None:
        raise BadParameter(
            "lon",
            "glTF does not say where it stands",
            remedy="give lon, lat and, where it is turned, heading_deg",
        )
    document = _json(data) if kind == "gltf" else _json(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    _check_gltf(document)
    import trimesh

    try:
        scene = trimesh.load_scene(io.BytesIO(data), file_type=kind, skip_materials=True)
        mesh = scene.to_mesh()
        vertices, triangles = np.asarray(mesh.vertices, float), np.asarray(mesh.faces, np.int64)
    except TwintownError:
        raise
    except Exception as error:  # a parser of strangers' files may raise anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise BadData(
            f"cannot be read as glTF ({reason})", "file", "export it again, without compression"
        ) from error
    up = vertices[:, [0, 2, 1]] * (1.0, -1.0, 1.0)  # x east, −z north, y up
    out = Imported("glTF")
    made = _placed(body(up, triangles), frame, place, stands or "lowest", out)
    out.edits.append({"op": "add", "parts": made, "name": name or _scene_name(document)})
    return out


def _check_gltf(document: Mapping[str, Any]) -> None:
    if str((document.get("asset") or {}).get("version", "")) != "2.0":
        raise BadData("is not glTF 2.0", "file", "export it as glTF 2.0")
    packed = {"KHR_draco_mesh_compression", "EXT_meshopt_compression"} & set(
        document.get("extensionsRequired") or []
    )
    if packed:
        raise BadData(f"its meshes are packed with {min(packed)}", "file", "export it without compression")
    for index, buffer in enumerate(document.get("buffers") or []):
        uri = buffer.get("uri")
        if uri is not None and not str(uri).startswith("data:"):
            raise BadData(
                f"its buffer {index} lies in another file ({str(uri)[:80]})",
                "file",
                "export it as GLB, in one file",
            )
    if not document.get("meshes"):
        raise BadData("holds no mesh", "file", "export the building with its geometry")


def _scene_name(document: Mapping[str, Any]) -> str:
    names = [one.get("name") for one in (document.get("nodes") or [])]
    return next((str(one)[:200] for one in names if one), "")


def _placed(
    mesh: Body, frame: Frame, place: Placement, stands: Stands, out: Imported, levels: Floats | None = None
) -> list[dict[str, Any]]:
    """The parts of a mesh that was set down at a place; z is up, y is the model's north."""
    x, y = (float(v) for v in frame.from_lonlat(place.lon, place.lat))
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadParameter(
            "lon", "lies nowhere near the twin", remedy="give longitude and latitude in degrees"
        )
    angle = math.radians(place.heading_deg - frame.convergence(x, y))
    cosine, sine = math.cos(angle), math.sin(angle)
    flat = mesh.vertices
    turned = np.column_stack([
        x + cosine * flat[:, 0] + sine * flat[:, 1], y - sine * flat[:, 0] + cosine * flat[:, 1], flat[:, 2],
    ])  # fmt: skip
    return parts_of_mesh(Body(turned, mesh.triangles), stands, out, levels)


def parts_of_mesh(
    mesh: Body, stands: Stands, out: Imported, levels: Floats | None = None
) -> list[dict[str, Any]]:
    """The parts of a mesh that lies in the frame. Raises BadData: too wide, or nothing above the ground."""
    used = mesh.vertices[np.unique(mesh.triangles)]
    span = used.max(axis=0) - used.min(axis=0)
    if span[:2].max() > _WIDEST_M:
        raise BadData(
            f"is {span[:2].max():,.0f} m wide",
            "file",
            "check its unit: glTF is in metres; a building is at most 2 km wide here",
        )
    lowest = float(used[:, 2].min())
    shift = -lowest if stands == "lowest" else 0.0
    solids = prisms(mesh, levels)
    parts, kept = [], 0.0
    for one in solids:
        base, top = max(round(one.base_m + shift, 3), 0.0), round(one.top_m + shift, 3)
        if top - base < 0.1:
            continue
        kept += float(shapely.area(one.outline)) * (top - base)
        parts.append({**_rings(one.outline), "base_m": base, "top_m": top})
    if not parts:
        raise BadData(
            "lies below the ground altogether", "file", "let it stand on its lowest point (stands=lowest)"
        )
    if stands == "origin" and lowest < -0.1:
        out.notes.append(Note("below-ground", f"{-lowest:.1f} m of it lie below the ground and are left out"))
    volume = mesh.closed_volume()
    built = sum(one.volume_m3 for one in solids)
    if volume:
        off = 100.0 * (built / volume - 1.0)
        out.notes.append(
            Note(
                "as-prisms",
                f"{len(mesh.triangles):,} triangles became {len(parts)} upright parts; their volume is {off:+.1f} % off",
            )
        )
    else:
        out.notes.append(
            Note("as-prisms", f"{len(mesh.triangles):,} triangles became {len(parts)} upright parts; the mesh is not closed, so that "
                 "outlines are what it covers from above")
        )  # fmt: skip
    return parts
