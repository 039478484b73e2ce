"""CityJSON and CityJSONSeq → `buildings` and, beside them, `building-parts`; or, where there is no building, rows of the other objects.

A Building or BuildingPart with a geometry of LoD 1 or more becomes a part: its footprint (what semantics call ground, else what looks
down, else everything that is not upright, from above), its lowest and highest point. A building stands on its own lowest point, which is
taken to be on the declared ground. Roofs that our own files describe are kept; others are flat at their highest point, and a finding
says from where to where they reached. Of a building without such a geometry the footprint and the stated height are taken.
What else hangs on a building (rooms, installations, furniture) is left out and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.city import kinds as building_kinds
from twintown.ground.columns import Column
from twintown.ground.errors import BadData
from twintown.ground.names import Name

from .citymodel import Faces, Model, faces, load, lod_of
from .cityobjects import PART, WORDS
from .format import Finding, Into, Read
from .reading import BATCH, Rows, crs_from, renamed
from .rows import Wkb
from .values import Values

Floats = NDArray[np.float64]
_LEAST_M2 = 0.01
_FLAT_M, _MM = 0.3, 1e-3
_UPRIGHT = 0.087  # cosine of 85 degrees
_ROOF = ("flat", "skillion", "gabled", "hipped", "pyramidal")
PART_COLUMNS = tuple(
    Column(name, kind, unit, Name(name, name))
    for name, kind, unit in (
        ("building", "string", ""), ("base_m", "number", "m"), ("eave_m", "number", "m"), ("top_m", "number", "m"),
        ("roof_shape", "string", ""), ("roof_height_m", "number", "m"), ("roof_direction_deg", "number", "deg"),
    )
)  # fmt: skip
_UNITS = {"height_m": "m", "levels": "{storey}", "parts": "1"}


def read_cityjson(source: Path | bytes, into: Into) -> Read:
    """Buildings with their parts beside them, or the rows of other city objects.

    Raises:
        BadData: see `citymodel.load`; and without a CRS, misplaced, or without any object that has a place.
        TooLarge: more than 1 GB.
    """
    model = load(source)
    stated = into.crs or model.crs
    if not stated:
        raise BadData(
            "does not say which CRS it is in",
            f"{model.where}, /metadata/referenceSystem",
            "say it, such as EPSG:5186",
        )
    crs = crs_from(stated, model.where)
    if crs.geographic:
        raise BadData(
            f"its CRS {crs.code} is in degrees",
            f"{model.where}, /metadata/referenceSystem",
            "CityJSON needs metres",
        )
    if any(one["type"] in ("Building", "BuildingPart") for one in model.objects.values()):
        return _Buildings(model, into, stated).read()
    return _others(model, into, stated)


class _Parts:
    """Footprints and heights of geometries, as columns."""

    def __init__(self, model: Model, chosen: dict[str, dict[str, Any]]) -> None:
        self.names, made = faces(model, chosen)
        self.index = {name: i for i, name in enumerate(self.names)}
        self.footprint = footprints(made)
        n = len(self.names)
        self.low, self.high, self.eave = np.full(n, np.inf), np.full(n, -np.inf), np.full(n, np.inf)
        owner = np.repeat(np.arange(n), np.diff(made.rings[made.faces[made.owners]]))
        np.minimum.at(self.low, owner, made.xyz[:, 2])
        np.maximum.at(self.high, owner, made.xyz[:, 2])
        up = normals(made) > _UPRIGHT
        face = np.repeat(np.arange(len(made.kinds)), np.diff(made.rings[made.faces]))
        # of a roof's faces only those that are higher than what lies on the ground
        roof = (up & (made.kinds != "GroundSurface"))[face]
        np.minimum.at(self.eave, owner[roof], made.xyz[roof, 2])
        self.eave = np.where(np.isfinite(self.eave) & (self.eave > self.low), self.eave, self.high)


def normals(made: Faces) -> Floats:
    """float64[f]: the upward part of each face's unit normal (Newell)."""
    if not len(made.kinds):
        return np.zeros(0)
    lengths = np.diff(made.rings)
    at = np.arange(len(made.xyz))
    following = at + 1
    following[made.rings[1:][lengths > 0] - 1] = made.rings[:-1][lengths > 0]
    turned = np.cross(made.xyz - made.xyz[0], made.xyz[following] - made.xyz[0])
    sums = np.zeros((len(lengths), 3))
    np.add.at(sums, np.repeat(np.arange(len(lengths)), lengths), turned)
    first = sums[made.faces[:-1]]
    return np.asarray(first[:, 2] / np.maximum(np.linalg.norm(first, axis=1), 1e-12))


def footprints(made: Faces) -> NDArray[Any]:
    """One (multi)polygon a geometry, empty where there is none."""
    n = len(made.owners) - 1
    out = np.full(n, shapely.Polygon(), object)
    if not n:
        return out
    owner = np.repeat(np.arange(n), np.diff(made.owners))
    up = normals(made)
    ground = made.kinds == "GroundSurface"
    down = (up < -0.5) & (made.kinds == "")
    flat = np.abs(up) > _UPRIGHT
    has_ground, has_down = np.zeros(n, bool), np.zeros(n, bool)
    has_ground[owner[ground & flat]] = True
    has_down[owner[down]] = True
    use = np.where(has_ground[owner], ground & flat, np.where(has_down[owner], down, flat))
    lengths = np.diff(made.rings)
    face = np.repeat(np.arange(len(owner)), np.diff(made.faces))
    good = (lengths >= 3) & use[face]
    if not good.any():
        return out
    number = np.cumsum(good) - 1
    corner = np.repeat(good, lengths)
    rings = shapely.linearrings(made.xyz[corner, :2], indices=np.repeat(number[good], lengths[good]))
    kept, face_number = np.unique(face[good], return_inverse=True)
    polygons = shapely.polygons(rings, indices=face_number)
    owners, owner_number = np.unique(owner[kept], return_inverse=True)
    several = shapely.multipolygons(polygons, indices=owner_number)
    whole = _areas(shapely.make_valid(several, method="structure", keep_collapsed=False))
    out[owners] = shapely.simplify(whole, _MM)  # where faces met on the outline there is a corner too many
    return out


def _areas(geometries: NDArray[Any]) -> NDArray[Any]:
    """What has an area; a multipolygon of one is a polygon."""
    made = np.where(np.isin(shapely.get_type_id(geometries), (3, 6)), geometries, shapely.Polygon())
    one = (shapely.get_type_id(made) == 6) & (shapely.get_num_geometries(made) == 1)
    made[one] = shapely.get_geometry(made[one], 0)
    return np.asarray(made)


class _Buildings:
    """Buildings and parts of a model."""

    def __init__(self, model: Model, into: Into, stated: str) -> None:
        self.model, self.into, self.stated = model, into, stated
        owners: dict[str, str] = {}
        left: dict[str, int] = {}
        for name, one in model.objects.items():
            if one["type"] == "Building":
                owners[name] = name
            elif one["type"] == "BuildingPart":
                owners[name] = self._root(name)
            else:
                left[one["type"]] = left.get(one["type"], 0) + 1
        for kind, count in left.items():
            model.note("left-out", "/CityObjects", f"{count:,} {kind} are not kept")
        self.owners = owners
        solids = {name: best for name in owners if (best := self._geometry(name, 1.0)) is not None}
        self.parts = _Parts(model, solids)
        flats = {
            name: best
            for name in owners
            if owners[name] == name and (best := self._geometry(name, 0.0, 1.0)) is not None
        }
        self.flats = _Parts(model, flats)

    def _root(self, name: str) -> str:
        seen = {name}
        while (
            (parents := self.model.objects[name].get("parents"))
            and parents[0] in self.model.objects
            and parents[0] not in seen
        ):
            name = parents[0]
            seen.add(name)
        return name

    def _geometry(self, name: str, least: float, below: float = 9.0) -> dict[str, Any] | None:
        found = [one for one in self.model.objects[name].get("geometry") or [] if isinstance(one, dict)]
        fitting = [one for one in found if least <= lod_of(one) < below]
        for one in found:
            if one.get("type") == "GeometryInstance":
                self.model.note("left-out", f"/CityObjects/{name}", "a geometry from a template is not kept")
        best = max(fitting, key=lod_of, default=None)
        if best is None or best.get("type") != "Solid":
            return best
        several = [one for one in fitting if one.get("type") == "Solid" and lod_of(one) == lod_of(best)]
        return best if len(several) == 1 else _together(several)

    def read(self) -> Read:
        """The two layers."""
        rows: dict[str, dict[str, Any]] = {}
        parts: list[tuple[str, str, dict[str, Any], Any]] = []
        shapes: dict[str, list[Any]] = {}
        tops: dict[str, list[float]] = {}
        ground: dict[str, float] = {}
        for name, i in self.parts.index.items():
            owner = self.owners[name]
            stated = self._number(name, "base_m")
            low = float(self.parts.low[i]) - (stated if stated is not None else 0.0)
            ground[owner] = min(ground.get(owner, np.inf), low)
        for name, i in self.parts.index.items():
            shape = self.parts.footprint[i]
            if shapely.area(shape) < _LEAST_M2:
                self.model.note(
                    "no-footprint", f"/CityObjects/{name}", "a geometry that covers no ground; it is left out"
                )
                continue
            owner = self.owners[name]
            parts.append((name, owner, self._part(name, i, ground[owner]), shape))
            tops.setdefault(owner, []).append(parts[-1][2]["top_m"])
            shapes.setdefault(owner, []).append(shape)
        for name, owner in self.owners.items():
            if name != owner or self.model.objects[name]["type"] not in ("Building", "BuildingPart"):
                continue
            made = self._building(name, shapes.get(name, []), tops.get(name, []), parts)
            if made is None:
                self.model.note(
                    "no-place",
                    f"/CityObjects/{name}",
                    "a building without a geometry of its own or of its parts; left out",
                )
                continue
            rows[name] = made
        self._ground(ground)
        if not rows:
            raise BadData("holds no building that has a place", self.model.where, "check its geometries")
        return self._layers(rows, parts)

    def _ground(self, ground: dict[str, float]) -> None:
        away = np.array([height - self.into.ground_m for height in ground.values()])
        if len(away) and np.abs(away).max() > 0.5:
            what = f"the buildings stand {away.min():.1f} to {away.max():.1f} m above the declared ground; they are set upon it"
            self.model.note("ground-differs", "", what)

    def _number(self, name: str, attribute: str) -> float | None:
        value = (self.model.objects[name].get("attributes") or {}).get(attribute)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def _part(self, name: str, i: int, ground: float) -> dict[str, Any]:
        base, top, eave = (
            round(float(value) - ground, 3)
            for value in (self.parts.low[i], self.parts.high[i], self.parts.eave[i])
        )
        attributes = self.model.objects[name].get("attributes") or {}
        shape, direction = "flat", None
        own = attributes.get("roof_shape")
        if own in _ROOF and self._number(name, "eave_m") is not None:
            shape, direction, eave = (
                str(own),
                self._number(name, "roof_direction_deg"),
                float(attributes["eave_m"]),
            )
        elif top - eave > _FLAT_M:
            self.model.note(
                "roof-flattened",
                f"/CityObjects/{name}",
                f"a roof from {eave:.1f} to {top:.1f} m is flat at {top:.1f} m here",
            )
            eave = top
        else:
            eave = top
        return {
            "base_m": base, "eave_m": eave, "top_m": top, "roof_shape": shape, "roof_height_m": round(top - eave, 3),
            "roof_direction_deg": direction,
        }  # fmt: skip

    def _building(
        self, name: str, shapes: Sequence[Any], tops: Sequence[float], parts: list[Any]
    ) -> dict[str, Any] | None:
        """A row; a part is added for a building that has none."""
        attributes = dict(self.model.objects[name].get("attributes") or {})
        words: dict[str, str] = {word: column for column, word in WORDS.items()}
        row: dict[str, Any] = {
            "name": "",
            "kind": "yes",
            "function": "",
            **{words.get(str(k), str(k)): v for k, v in attributes.items() if k not in PART},
        }
        flat = self.flats.index.get(name)
        footprint = self.flats.footprint[flat] if flat is not None else None
        if footprint is None or shapely.area(footprint) < _LEAST_M2:
            footprint = _areas(np.array([shapely.union_all(list(shapes))], object))[0] if shapes else None
        if footprint is None or shapely.area(footprint) < _LEAST_M2:
            return None
        height, source = self._height(name, row, tops)
        if not tops:
            parts.append((name, name, {"base_m": 0.0, "eave_m": height, "top_m": height, "roof_shape": "flat", "roof_height_m": 0.0,
                                       "roof_direction_deg": None}, footprint))  # fmt: skip
        row |= {
            "height_m": height,
            "height_source": row.get("height_source") or source,
            "parts": max(len(tops), 1),
        }
        if row["height_source"] not in ("measured", "levels", "estimated"):
            row["height_source"] = source
        return {**row, "geometry": footprint}

    def _height(self, name: str, row: dict[str, Any], tops: Sequence[float]) -> tuple[float, str]:
        """Height above the ground (m) and how it is known."""
        if tops:
            return max(tops), "measured"
        stated = row.get("height_m")
        if isinstance(stated, int | float) and stated > 0.5:
            return float(stated), "measured"
        storey = building_kinds.storey_m(str(row.get("function", "")))
        levels = row.get("levels")
        if isinstance(levels, int | float) and levels > 0:
            return float(levels) * storey, "levels"
        self.model.note(
            "missing-height",
            f"/CityObjects/{name}",
            f"neither height nor storeys are known: {storey:g} m assumed",
        )
        return storey, "estimated"

    def _layers(self, rows: dict[str, dict[str, Any]], parts: list[Any]) -> Read:
        findings = self.model.findings
        table = [{"id": name, **row} for name, row in rows.items()]
        known = [
            {"id": name, "building": owner, **values, "geometry": shape}
            for name, owner, values, shape in parts if owner in rows
        ]  # fmt: skip
        beside = _read(known, self.into, self.stated, self.model.where, [], PART_COLUMNS)
        main = _read(table, self.into, self.stated, self.model.where, findings)
        return Read(main.batches, main.columns, main.frame, findings, {"building-parts": beside})


def _together(solids: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several solids of one level of detail as one geometry; semantics stay where all have the same surfaces."""
    first = solids[0].get("semantics")
    made = {
        "type": "MultiSolid",
        "lod": solids[0].get("lod"),
        "boundaries": [one.get("boundaries") for one in solids],
    }
    if isinstance(first, dict) and all(
        isinstance(one.get("semantics"), dict) and one["semantics"].get("surfaces") == first.get("surfaces")
        for one in solids
    ):
        made["semantics"] = {
            "surfaces": first.get("surfaces"),
            "values": [one["semantics"].get("values") for one in solids],
        }
    return made


def _others(model: Model, into: Into, stated: str) -> Read:
    """Rows of city objects that are no buildings: their type, attributes and footprint, lines or points."""
    chosen: dict[str, dict[str, Any]] = {}
    table: list[dict[str, Any]] = []
    for name, one in model.objects.items():
        found = [
            g
            for g in one.get("geometry") or []
            if isinstance(g, dict) and g.get("type") != "GeometryInstance"
        ]
        if found:
            chosen[name] = max(found, key=lod_of)
    areas = {name: g for name, g in chosen.items() if g.get("type") not in ("MultiPoint", "MultiLineString")}
    made = _Parts(model, areas)
    for name, one in model.objects.items():
        shape: Any = None
        if name in made.index:
            shape = made.footprint[made.index[name]]
        elif name in chosen and name not in areas:
            shape = _lines(model, name, chosen[name])
        if shape is None or shapely.is_empty(shape):
            model.note("no-place", f"/CityObjects/{name}", "a city object without a place on the ground")
            shape = None
        attributes = one.get("attributes") or {}
        table.append({"id": name, "type": one["type"].lstrip("+"), **attributes, "geometry": shape})
    if not table:
        raise BadData("holds no city object", model.where, "check what it is")
    return _read(table, into, stated, model.where, model.findings)


def _lines(model: Model, name: str, geometry: dict[str, Any]) -> Any:
    """A MultiPoint or MultiLineString; none where its boundaries point nowhere."""
    lines = geometry.get("boundaries")
    try:
        if geometry["type"] == "MultiPoint":
            points = model.vertices[model.shift[name] + _indices(lines, model.count[name])][:, :2]
            return shapely.points(points[0]) if len(points) == 1 else shapely.multipoints(points)
        made = [
            shapely.linestrings(model.vertices[model.shift[name] + _indices(one, model.count[name])][:, :2])
            for one in lines or []
        ]
        return made[0] if len(made) == 1 else shapely.multilinestrings(made)
    except (IndexError, TypeError, ValueError, shapely.errors.GEOSException):
        model.note(
            "boundary-nowhere", f"/CityObjects/{name}", "boundaries point to vertices that are not there"
        )
        return None


def _indices(values: Any, count: int) -> NDArray[np.int64]:
    found = np.array(values, np.int64).reshape(-1)
    if not len(found) or found.min() < 0 or found.max() >= count:
        raise IndexError
    return found


def _read(
    table: list[dict[str, Any]], into: Into, stated: str, where: str, findings: list[Finding], columns: tuple[Column, ...] = ()
) -> Read:  # fmt: skip
    """Rows held in memory as a Read; `geometry` is a shapely object, x east."""
    values = Values()
    properties = [{k: v for k, v in row.items() if k not in ("id", "geometry")} for row in table]
    values.look(properties)
    for column in columns:
        values.kinds[column.name] = column.type
    names = renamed([str(one.name) for one in columns] or list(values.kinds), findings, where)
    told = columns or tuple(
        Column(
            new,
            values.kind(old),
            _UNITS.get(old, "") if values.kind(old) in ("number", "integer") else "",
            Name(old, old),
        )
        for old, new in names.items()
    )

    def batches() -> Iterator[pa.RecordBatch]:
        rows = Rows(into, crs_from(stated, where), where, findings)
        for start in range(0, len(table), BATCH):
            some, own = table[start : start + BATCH], properties[start : start + BATCH]
            arrays = {new: values.array(old, own) for old, new in names.items()}
            wkb = shapely.to_wkb(np.array([row["geometry"] for row in some], object), byte_order=1)
            ids = pa.array([row["id"] for row in some], pa.string())
            yield rows.batch(
                ids,
                arrays,
                Wkb.of(pa.array(wkb, pa.large_binary(), from_pandas=True)),
                lambda k: str(table[k]["id"]),
            )
        rows.end()

    return Read(batches(), told, into.frame, findings)
