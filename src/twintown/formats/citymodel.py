"""A CityJSON or CityJSONSeq file as it stands: checked, with vertices in metres and the faces of every object as arrays.

Everything that can be said about a file without building anything is said here: as errors where nothing can be read, else as findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from twintown.ground.errors import BadData, TooLarge

from .format import Finding
from .geojson_check import parse
from .reading import begin, name_of

VERSIONS = ("2.0", "1.1", "1.0")
#: First-level types, and second-level types that belong to a parent (CityJSON 2.0, 3.1 and 3.2).
KNOWN = frozenset(
    "Bridge Building CityFurniture CityObjectGroup GenericCityObject LandUse OtherConstruction PlantCover "
    "SolitaryVegetationObject TINRelief TransportSquare Railway Road Tunnel WaterBody Waterway BridgePart BridgeInstallation "
    "BridgeConstructiveElement BridgeRoom BridgeFurniture BuildingPart BuildingInstallation BuildingConstructiveElement "
    "BuildingFurniture BuildingStorey BuildingRoom BuildingUnit TunnelPart TunnelInstallation TunnelConstructiveElement "
    "TunnelHollowSpace TunnelFurniture".split()
)
_LIMIT = 1_000_000_000
_DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
_FACES = pa.list_(pa.list_(pa.list_(pa.int64())))


@dataclass
class Model:
    """City objects of a whole file.

    Args:
        objects: by id, as they stand; ids of CityJSONSeq that repeat get a number.
        vertices: float64[n, 3], metres (or degrees) of the file's CRS.
        shift: id → number of the first of its vertices.
        count: id → how many vertices its boundaries may point to.
        crs: reference system as the file says it, empty where it does not.
        findings: what was odd.
    """

    where: str
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    vertices: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    shift: dict[str, int] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)
    crs: str = ""
    findings: list[Finding] = field(default_factory=list)

    def note(self, code: str, at: str, what: str) -> None:
        """One finding."""
        self.findings.append(Finding(code, f"{self.where}, {at}" if at else self.where, what))


@dataclass(frozen=True)
class Faces:
    """Faces of several geometries: corners make rings, rings make faces (the first is the outer one), faces make geometries.

    Args:
        xyz: float64[c, 3], the corners.
        rings: int64[r + 1], where each ring begins. faces: int64[f + 1], where each face begins among the rings.
        owners: int64[g + 1], where each geometry begins among the faces.
        kinds: object[f], type of the surface as semantics say, empty where they do not.
    """

    xyz: NDArray[np.float64]
    rings: NDArray[np.int64]
    faces: NDArray[np.int64]
    owners: NDArray[np.int64]
    kinds: NDArray[np.object_]


def load(source: Path | bytes) -> Model:
    """The file, checked.

    Raises:
        BadData: no JSON, no city model, of another version, without transform or vertices: naming line or member.
        TooLarge: more than 1 GB; CityJSONSeq can be cut into several.
    """
    where = name_of(source, "CityJSON")
    begin(source, "CityJSON")
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > _LIMIT:
        raise TooLarge(
            f"{size:,} bytes of CityJSON are more than is read at once", where, "cut it into several files"
        )
    raw = source.read_bytes() if isinstance(source, Path) else source
    model = Model(where)
    documents = _documents(raw, model)
    header = next(documents)[1]
    _header(header, model)
    pieces: list[NDArray[np.float64]] = []
    start = 0
    transform = header.get("transform")
    for at, document in (("", header), *documents):
        vertices = _vertices(document, transform, model, at)
        pieces.append(vertices)
        _objects(document, model, at, start, len(vertices))
        start += len(vertices)
    model.vertices = np.concatenate(pieces) if pieces else np.zeros((0, 3))
    _relations(model)
    return model


def _documents(raw: bytes, model: Model) -> Iterator[tuple[str, dict[str, Any]]]:
    """The header, then the features, each with where it stands."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in raw.split(b"\n") if line.strip()]
    several = len(lines) > 1 and _is_object(lines[0])
    for number, text in enumerate(lines if several else [raw], 1):
        at = f"line {number}" if several else ""
        value, flaws = parse(text)
        for flaw in flaws:
            place = ", ".join(filter(None, [at or f"line {flaw.line}", flaw.pointer]))
            raise BadData(flaw.what.replace("GeoJSON", "JSON"), f"{model.where}, {place}", "mend it there")
        if not isinstance(value, dict):
            raise BadData("is JSON, but no object", f"{model.where}, {at or 'line 1'}", "check what it is")
        wanted = "CityJSON" if number == 1 else "CityJSONFeature"
        if value.get("type") != wanted:
            raise BadData(
                f"its type is {value.get('type')!r} instead of {wanted}",
                f"{model.where}, {at or '/type'}",
                "mend it there",
            )
        yield at, value


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _header(header: dict[str, Any], model: Model) -> None:
    version = str(header.get("version", ""))
    if version not in VERSIONS:
        raise BadData(
            f"is CityJSON {version or 'without a version'}",
            f"{model.where}, /version",
            "upgrade it to 2.0 (cjio upgrade)",
        )
    if version != VERSIONS[0]:
        model.note("version-old", "/version", f"CityJSON {version}; it is read as if it were 2.0")
    metadata = header.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("referenceSystem"), str):
        model.crs = metadata["referenceSystem"]
    extensions = header.get("extensions")
    if isinstance(extensions, dict):
        for name, one in extensions.items():
            lacks = [key for key in ("url", "version") if not isinstance(one, dict) or key not in one]
            if lacks:
                model.note(
                    "extension-incomplete",
                    f"/extensions/{name}",
                    f"the extension {name} does not say its {lacks[0]}",
                )
            model.note(
                "extension",
                f"/extensions/{name}",
                f"what the extension {name} adds is kept as attributes at best",
            )
    for member, what in (
        ("appearance", "materials and textures"),
        ("geometry-templates", "templates of geometry"),
    ):
        if header.get(member):
            model.note("left-out", f"/{member}", f"{what} are not kept")


def _vertices(document: dict[str, Any], transform: Any, model: Model, at: str) -> NDArray[np.float64]:
    place = f"{model.where}, {at + ', ' if at else ''}/vertices"
    raw = document.get("vertices")
    if not isinstance(raw, list):
        raise BadData("has no list of vertices", place, "mend it there")
    try:
        vertices = np.array(raw, np.float64).reshape(-1, 3) if raw else np.zeros((0, 3))
    except (ValueError, TypeError) as error:
        raise BadData("a vertex is not three numbers", place, "mend it there") from error
    if not np.isfinite(vertices).all():
        raise BadData("a vertex is not three finite numbers", place, "mend it there")
    if len(vertices) and len(np.unique(vertices, axis=0)) < len(vertices):
        model.note(
            "vertex-repeated", f"{at + ', ' if at else ''}/vertices", "the same vertex stands several times"
        )
    if transform is None:
        return vertices
    try:
        scale, translate = (np.array(transform[key], np.float64).reshape(3) for key in ("scale", "translate"))
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(
            "the transform is not scale and translate of three numbers each",
            f"{model.where}, /transform",
            "mend it",
        ) from error
    return np.asarray(vertices * scale + translate)


def _objects(document: dict[str, Any], model: Model, at: str, start: int, count: int) -> None:
    found = document.get("CityObjects")
    if not isinstance(found, dict):
        raise BadData("has no object CityObjects", f"{model.where}, {at or '/CityObjects'}", "mend it there")
    names: dict[str, str] = {}
    for name in found:
        names[name] = name
        while names[name] in model.objects:
            names[name] += "."
        if names[name] != name:
            model.note(
                "id-repeated",
                f"{at}, {name}",
                f"the id {name!r} stands twice; the later one is called {names[name]!r}",
            )
    used: set[int] = set()
    for name, one in found.items():
        place = f"{at + ', ' if at else ''}/CityObjects/{name}"
        if not isinstance(one, dict) or not isinstance(one.get("type"), str):
            raise BadData("a city object without a type", f"{model.where}, {place}", "mend it there")
        if one["type"] not in KNOWN and not one["type"].startswith("+"):
            model.note("type-unknown", place, f"there is no type {one['type']!r} of city objects")
        kept = dict(one)
        for relation in ("parents", "children"):
            if isinstance(kept.get(relation), list):
                kept[relation] = [names.get(other, other) for other in kept[relation]]
        model.objects[names[name]] = kept
        model.shift[names[name]], model.count[names[name]] = start, count
        for geometry in one.get("geometry") or []:
            if isinstance(geometry, dict) and geometry.get("type") != "GeometryInstance":
                _collect(geometry.get("boundaries"), used)
                _semantics(geometry, model, place)
    if count and len(used & set(range(count))) < count and not document.get("geometry-templates"):
        model.note(
            "vertex-unused", f"{at + ', ' if at else ''}/vertices", "some vertices belong to no geometry"
        )
    if document.get("type") == "CityJSONFeature" and document.get("id") not in found:
        model.note("id-nowhere", at, f"the feature's id {document.get('id')!r} is none of its city objects")


def _collect(boundaries: Any, used: set[int]) -> None:
    if not isinstance(boundaries, list) or not boundaries:
        return
    if isinstance(boundaries[0], list):
        for one in boundaries:
            _collect(one, used)
    else:
        used.update(one for one in boundaries if isinstance(one, int))


def _semantics(geometry: dict[str, Any], model: Model, place: str) -> None:
    semantics = geometry.get("semantics")
    if semantics is None:
        return
    surfaces = semantics.get("surfaces") if isinstance(semantics, dict) else None
    values = semantics.get("values") if isinstance(semantics, dict) else None
    if not isinstance(surfaces, list):
        model.note("semantics", place, "semantics without a list of surfaces")
        return
    faces, flat = _faces_of(geometry), _values_of(geometry, values)
    if geometry.get("type") in _DEPTH and values is not None and len(flat) != len(faces):
        model.note("semantics", place, f"semantics of {len(flat)} surfaces for {len(faces)}")
    if any(isinstance(value, int) and not 0 <= value < len(surfaces) for value in flat):
        model.note("semantics", place, "semantics point to a surface that is not there")


def _relations(model: Model) -> None:
    for name, one in model.objects.items():
        for relation, back in (("children", "parents"), ("parents", "children")):
            for other in one.get(relation) or []:
                if other not in model.objects:
                    model.note(
                        "relation-nowhere", f"/CityObjects/{name}/{relation}", f"{other!r} is not there"
                    )
                elif name not in (model.objects[other].get(back) or []) and one["type"] != "CityObjectGroup":
                    model.note(
                        "relation-one-sided",
                        f"/CityObjects/{name}/{relation}",
                        f"{other!r} does not name it among its {back}",
                    )
        if one["type"].startswith(("BuildingPart", "BridgePart", "TunnelPart")) and not one.get("parents"):
            model.note("part-without-building", f"/CityObjects/{name}", "a part without a parent")


def _faces_of(geometry: dict[str, Any]) -> list[Any]:
    """The faces of the outer shells."""
    depth, boundaries = _DEPTH.get(str(geometry.get("type"))), geometry.get("boundaries")
    if depth is None or not isinstance(boundaries, list):
        return []
    try:
        if depth == 0:
            return boundaries
        return list(boundaries[0]) if depth == 1 else [face for solid in boundaries for face in solid[0]]
    except (IndexError, TypeError):
        return []


def _values_of(geometry: dict[str, Any], values: Any) -> list[Any]:
    depth = _DEPTH.get(str(geometry.get("type")), 0)
    if not isinstance(values, list):
        return []
    try:
        if depth == 0:
            return values
        if depth == 1:
            return list(values[0]) if values and values[0] is not None else []
        return [value for solid in values for value in (solid[0] if solid else [])]
    except (IndexError, TypeError):
        return []


def lod_of(geometry: dict[str, Any]) -> float:
    """The level of detail as a number; -1 where it is none."""
    try:
        return float(geometry.get("lod", -1))
    except (TypeError, ValueError):
        return -1.0


def faces(model: Model, chosen: dict[str, dict[str, Any]]) -> tuple[list[str], Faces]:
    """The faces of one geometry each of several objects; those whose boundaries point nowhere are left out and told.

    Returns:
        the ids whose geometry is there, in order, and the faces; `owners` counts these ids.
    """
    lists, names = [], []
    for name, geometry in chosen.items():
        found = _faces_of(geometry)
        try:
            own = pa.array([found], _FACES)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            model.note(
                "boundary-broken", f"/CityObjects/{name}", "boundaries are not lists of numbers of vertices"
            )
            continue
        flat = own.flatten().flatten().flatten().to_numpy(zero_copy_only=False)
        if not len(flat) or np.isnan(flat).any() or flat.min() < 0 or flat.max() >= model.count[name]:
            model.note(
                "boundary-nowhere",
                f"/CityObjects/{name}",
                "boundaries point to vertices that are not there, or to none",
            )
            continue
        lists.append(own)
        names.append(name)
    if not names:
        none = np.zeros(1, np.int64)
        return [], Faces(np.zeros((0, 3)), none, none, none, np.zeros(0, object))
    joined = pa.concat_arrays(lists)
    by_face = joined.flatten()
    by_ring = by_face.flatten()
    corners = by_ring.flatten().to_numpy()
    rings, face_starts, owners = (_offsets(one) for one in (by_ring, by_face, joined))
    owner_of_corner = np.repeat(np.arange(len(names)), np.diff(rings[face_starts[owners]]))
    shift = np.array([model.shift[name] for name in names], np.int64)
    kinds = np.full(len(face_starts) - 1, "", object)
    for i, name in enumerate(names):
        kinds[owners[i] : owners[i + 1]] = _kinds(chosen[name], int(owners[i + 1] - owners[i]))
    return names, Faces(model.vertices[corners + shift[owner_of_corner]], rings, face_starts, owners, kinds)


def _offsets(array: pa.ListArray) -> NDArray[np.int64]:
    found = array.offsets.to_numpy().astype(np.int64)
    return np.asarray(found - found[0])


def _kinds(geometry: dict[str, Any], n: int) -> list[str]:
    semantics = geometry.get("semantics")
    if not isinstance(semantics, dict) or not isinstance(semantics.get("surfaces"), list):
        return [""] * n
    names = [str(one.get("type", "")) if isinstance(one, dict) else "" for one in semantics["surfaces"]]
    values = _values_of(geometry, semantics.get("values"))
    if len(values) != n:
        return [""] * n
    return [names[value] if isinstance(value, int) and 0 <= value < len(names) else "" for value in values]
