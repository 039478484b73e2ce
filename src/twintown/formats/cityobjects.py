"""Rows as city objects: the JSON text of CityObjects and their vertices, a batch at a time. `cityjson` and `cityjsonseq` put it together.

A building's parts become solids of LoD 2 whose faces say whether they are ground, wall or roof (a floor in the air is an outer
floor): the part that is the whole building gives the Building its own geometry, the others are BuildingParts. A building without
a solid of its own has its footprint (LoD 0); so have other areas, lines and points, as Road, WaterBody, … or GenericCityObject by
the name of their layer.
Coordinates are in the twin's frame, x east, y north, millimetres; heights count from `frame.vertical`, that is ground + height above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from twintown.city.bodies import Bodies, bodies, surfaces
from twintown.ground.jsontext import column_json, joined, said

from .format import Told
from .rows import Wkb, plain

Longs = NDArray[np.int64]
SCALE = 0.001
#: Types of city objects by the id of a layer.
TYPES = {
    "buildings": "Building", "roads": "Road", "railways": "Railway", "rail": "Railway", "water": "WaterBody", "waterways": "Waterway",
    "trees": "SolitaryVegetationObject", "landuse": "LandUse", "green": "PlantCover", "parks": "LandUse",
}  # fmt: skip
OTHER = "GenericCityObject"
#: What a type can be drawn with where it is not all of points, lines and areas.
_DRAWN = {
    "Road": ("LineString", "Polygon"), "Railway": ("LineString", "Polygon"), "Waterway": ("LineString", "Polygon"),
    "WaterBody": ("Polygon",), "LandUse": ("Polygon",), "PlantCover": ("Polygon",), "Building": ("Polygon",),
}  # fmt: skip
#: Columns of buildings that CityGML has a word for; `cityjson_in` turns them back.
WORDS = {"height_m": "measuredHeight", "levels": "storeysAboveGround", "year": "yearOfConstruction"}
PART = ("base_m", "eave_m", "top_m", "roof_shape", "roof_height_m", "roof_direction_deg")
_LIFTED_M = 0.1
_FLOOR = '{"type":"GroundSurface"},{"type":"WallSurface"},{"type":"RoofSurface"}'
_LIFTED = _FLOOR.replace("GroundSurface", "OuterFloorSurface")
_FORMS = {"surface": "MultiSurface", "line": "MultiLineString", "point": "MultiPoint"}


@dataclass(frozen=True)
class Objects:
    """City objects of one batch.

    Args:
        ids: JSON text of the id of every feature.
        members: `"id":{…},"id":{…}` of every feature: itself and its parts.
        vertices: int64[v, 3], in millimetres from the origin of the transform, feature by feature.
        starts: int64[n + 1], where the vertices of each feature begin (of all of them where they share their vertices).
    """

    ids: pa.LargeStringArray
    members: pa.LargeStringArray
    vertices: Longs
    starts: Longs


@dataclass(frozen=True)
class _Shapes:
    """Bodies of one form (solid, surface, line, point), and the object that each belongs to, ascending."""

    bodies: Bodies
    objects: Longs
    form: str


def _type(told: Told) -> str:
    """The type of city objects that the rows of a layer are."""
    found = TYPES.get(told.layer, OTHER)
    return found if told.geometry in _DRAWN.get(found, (told.geometry,)) else OTHER


def wrap(texts: Any, starts: Longs) -> pa.LargeStringArray:
    """`[a,b,c]` of every run of texts."""
    runs = pa.LargeListArray.from_arrays(pa.array(starts, pa.int64()), pc.cast(texts, pa.large_string()))
    return joined(said("["), pc.binary_join(runs, said(",")), said("]"))


def city_objects(
    told: Told, batch: pa.RecordBatch, origin: tuple[float, float, float], base: int | None
) -> Objects:
    """The city objects of a batch (as `rows.tables` gives it).

    Args:
        origin: of the transform, metres.
        base: number of the first vertex where vertices count through the file; none where they count from 0 in each feature.
    """
    n = batch.num_rows
    ids = batch.column("id")
    parts, owner = parts_of_batch(told, ids)
    own = (
        np.zeros(0, bool)
        if parts is None
        else pc.equal(parts.column("id"), ids.take(pa.array(owner))).to_numpy(zero_copy_only=False)
    )
    # objects: the n features, then the parts that are objects of their own
    target = np.where(own, owner, n + np.cumsum(~own) - 1)
    made = _shapes(told, batch, parts, target)
    feature = np.concatenate([np.arange(n), owner[~own]])
    # each vertex once: in its feature, or in all features of the batch where vertices count through the file
    group, groups = (feature, n) if base is None else (np.zeros_like(feature), 1)
    vertices, starts, corners = _vertices(made, group, groups, origin)
    geometry = _no_geometry(len(feature))
    for shapes, at in zip(made, corners, strict=True):
        number = at + (base or 0)
        lifted = np.zeros(0, bool)
        if parts is not None and shapes.form == "solid":
            lifted = parts.column("base_m").to_numpy(zero_copy_only=False)[shapes.bodies.owner] > _LIFTED_M
        which, text = _geometry(shapes, number, lifted)
        geometry[which] = text.to_numpy(zero_copy_only=False)
    quoted = column_json(ids)
    lists = pa.array(geometry, pa.large_string())
    known = {**_words(told, batch), **_own_parts(parts, own, owner, n)}
    members = joined(
        quoted, said(f':{{"type":"{_type(told)}","attributes":'), attributes(known),
        said(""), lists.slice(0, n), said("}"),
    )  # fmt: skip
    if parts is not None and (~own).any():
        members = _with_parts(members, quoted, parts.filter(pa.array(~own)), owner[~own], lists.slice(n), ids)
    return Objects(quoted, members, vertices, starts)


def attributes(columns: dict[str, Any]) -> pa.LargeStringArray:
    """An object of what is known, row by row."""
    texts: list[Any] = []
    for name, values in columns.items():
        values = plain(values, "number") if pa.types.is_floating(values.type) else values
        text = joined(
            said(","), column_json(pa.array([name], pa.string()))[0], said(":"), column_json(values)
        )
        texts.append(pc.if_else(values.is_valid(), text, said("")))
    if not texts:
        return said("{}")
    whole = joined(*texts)
    return joined(said("{"), pc.utf8_slice_codeunits(whole, 1), said("}"))


def _words(told: Told, batch: pa.RecordBatch) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in told.columns:
        values = batch.column(column.name)
        name = WORDS.get(column.name, column.name) if told.layer == "buildings" else column.name
        if name in ("storeysAboveGround", "yearOfConstruction") and column.type == "number":
            values = pc.cast(pc.round(values), pa.int64(), safe=False)
        found[name] = values
    return found


def _own_parts(parts: pa.Table | None, own: NDArray[np.bool_], owner: Longs, n: int) -> dict[str, Any]:
    """What is said of the parts that are whole buildings, in the rows of these."""
    if parts is None or not own.any():
        return {}
    at = np.full(n, -1, np.int64)
    at[owner[own]] = np.flatnonzero(own)
    rows = pa.array(at, mask=at < 0)
    return {
        name: parts.column(name).combine_chunks().take(rows) for name in PART if name in parts.column_names
    }


def parts_of_batch(told: Told, ids: pa.Array) -> tuple[pa.Table | None, Longs]:
    """Parts in the order of their buildings, and the row of the building of each."""
    none = np.zeros(0, np.int64)
    if told.parts is None or told.layer != "buildings":
        return None, none
    found = told.parts(ids.to_pylist())
    at = pc.index_in(pc.cast(found.column("building").combine_chunks(), pa.string()), value_set=ids)
    rows = np.asarray(pc.fill_null(at, -1).to_numpy(zero_copy_only=False), np.int64)
    order = np.argsort(rows, kind="stable")
    order = order[rows[order] >= 0]
    if not len(order):
        return None, none
    table = found.take(pa.array(order)).combine_chunks()
    columns = {name: plain(table.column(name), "number" if name.endswith(("_m", "_deg")) else "string")
               for name in ("id", *PART) if name in table.column_names}  # fmt: skip
    kept = pa.table({**columns, "geometry": table.column("geometry").combine_chunks()})
    if "roof_across" in table.column_names:
        kept = kept.append_column("roof_across", plain(table.column("roof_across"), "boolean"))
    return kept, rows[order]


def part_bodies(told: Told, parts: pa.Table) -> Bodies:
    """The solids of parts above `frame.vertical`; owner = row of `parts`."""
    number = {name: parts.column(name).to_numpy() + told.ground_m for name in ("base_m", "eave_m", "top_m")}
    none = np.full(len(parts), np.nan)
    directions = (
        parts.column("roof_direction_deg").to_numpy() if "roof_direction_deg" in parts.column_names else none
    )
    across = np.zeros(len(parts), bool)
    if "roof_across" in parts.column_names:
        across = pc.fill_null(parts.column("roof_across"), False).to_numpy(zero_copy_only=False).astype(bool)
    return bodies(
        Wkb.of(parts.column("geometry")).geometries(), number["base_m"], number["eave_m"], number["top_m"],
        parts.column("roof_shape").to_numpy(zero_copy_only=False), directions, across, told.frame,
    )  # fmt: skip


def _shapes(told: Told, batch: pa.RecordBatch, parts: pa.Table | None, target: Longs) -> list[_Shapes]:
    made: list[_Shapes] = []
    if parts is not None:
        solids = part_bodies(told, parts)
        if len(solids.owner):
            order = np.argsort(target[solids.owner], kind="stable")
            solids = solids.taken(order)
            objects = target[solids.owner]
            made.append(_Shapes(solids, objects, "solid"))
    if "geometry" not in batch.schema.names:
        return made
    geometry = Wkb.of(batch.column("geometry")).geometries()
    for solid in made:
        geometry[solid.objects[solid.objects < batch.num_rows]] = None  # who has a solid needs no footprint
    kinds = shapely.get_type_id(geometry)
    for form, wanted in (("surface", (3, 6)), ("line", (1, 5)), ("point", (0, 4))):
        only = geometry.copy()
        only[~np.isin(kinds, wanted) | shapely.is_empty(geometry)] = None
        flat = surfaces(only, told.ground_m) if form == "surface" else _runs(only, told.ground_m, form)
        if len(flat.owner):
            made.append(_Shapes(flat, flat.owner, form))
    return made


def _runs(geometry: NDArray[Any], height: float, form: str) -> Bodies:
    """Lines as rings, points as corners; a body holds those of one row."""
    parts, row = shapely.get_parts(geometry, return_index=True)
    xyz, line = shapely.get_coordinates(parts, include_z=True, return_index=True)
    xyz[:, 2] = np.where(np.isfinite(xyz[:, 2]), xyz[:, 2], height)
    starts = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=len(parts)))]).astype(np.int64)
    rows, counts = np.unique(row, return_counts=True)
    groups = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    n = len(parts)
    return Bodies(
        xyz,
        np.arange(len(xyz)),
        starts,
        np.arange(n + 1),
        np.zeros(n, np.int64),
        groups,
        rows.astype(np.int64),
    )


def _corner_bodies(shape: Bodies) -> Longs:
    """The body of each corner."""
    ends = shape.rings[shape.faces[shape.bodies]]
    return np.repeat(np.arange(len(shape.owner)), np.diff(ends))


def _vertices(
    made: Sequence[_Shapes], feature: Longs, n: int, origin: tuple[float, float, float]
) -> tuple[Longs, Longs, list[Longs]]:
    """Vertices of each feature once, where those of each begin, and the number of every corner within its feature."""
    if not made:
        return np.zeros((0, 3), np.int64), np.zeros(n + 1, np.int64), []
    corners = [one.bodies.vertices[one.bodies.corners] for one in made]
    group = np.concatenate([feature[one.objects][_corner_bodies(one.bodies)] for one in made])
    xyz = np.round((np.concatenate(corners) - np.array(origin)) / SCALE).astype(np.int64)
    order = np.lexsort((xyz[:, 2], xyz[:, 1], xyz[:, 0], group))
    there, of = xyz[order], group[order]
    new = np.append(True, (there[1:] != there[:-1]).any(axis=1) | (of[1:] != of[:-1]))
    number = np.empty(len(xyz), np.int64)
    number[order] = np.cumsum(new) - 1
    starts = np.concatenate([[0], np.cumsum(np.bincount(of[new], minlength=n))]).astype(np.int64)
    local = number - starts[group]
    return there[new], starts, np.split(local, np.cumsum([len(one) for one in corners])[:-1])


def _no_geometry(n: int) -> NDArray[Any]:
    return np.full(n, ',"geometry":[]', object)


def _geometry(shapes: _Shapes, number: Longs, lifted: NDArray[np.bool_]) -> tuple[Longs, pa.LargeStringArray]:
    """The objects that have a geometry, and `,"geometry":[…]` of each."""
    own = shapes.bodies
    objects, first = np.unique(shapes.objects, return_index=True)
    groups = np.append(first, len(shapes.objects)).astype(np.int64)
    corner = pc.cast(pa.array(number), pa.large_string())
    if shapes.form == "point":
        text = wrap(corner, own.rings[own.faces[own.bodies]][groups])
    elif shapes.form == "line":
        text = wrap(wrap(corner, own.rings), own.faces[own.bodies][groups])
    else:
        face = wrap(wrap(corner, own.rings), own.faces)
        if shapes.form == "solid":
            return objects, _solids(shapes, wrap(face, own.bodies), groups, lifted)
        text = wrap(face, own.bodies[groups])
    head = f',"geometry":[{{"type":"{_FORMS[shapes.form]}","lod":"0","boundaries":'
    return objects, joined(said(head), text, said("}]"))


def _solids(
    shapes: _Shapes, shells: pa.LargeStringArray, groups: Longs, lifted: NDArray[np.bool_]
) -> pa.LargeStringArray:
    """A Solid a body; an object of several bodies, which may lie apart, has as many geometries."""
    values = wrap(pc.cast(pa.array(shapes.bodies.kinds), pa.large_string()), shapes.bodies.bodies)
    floors = pc.if_else(pa.array(lifted), said(_LIFTED), said(_FLOOR))
    each = joined(
        said('{"type":"Solid","lod":"2","boundaries":['), shells, said('],"semantics":{"surfaces":['), floors,
        said('],"values":['), values, said("]}}"),
    )  # fmt: skip
    return joined(said(',"geometry":'), wrap(each, groups))


def _with_parts(
    members: pa.LargeStringArray, quoted: pa.LargeStringArray, parts: pa.Table, owner: Longs, geometry: pa.Array, ids: pa.Array
) -> pa.LargeStringArray:  # fmt: skip
    """Buildings with their children behind them."""
    n = len(members)
    clash = pc.is_in(
        parts.column("id").combine_chunks(), value_set=ids
    )  # a part may be called like another building
    named = pc.if_else(clash, joined(pc.cast(parts.column("id").combine_chunks(), pa.large_string()), said(":part")),
                       pc.cast(parts.column("id").combine_chunks(), pa.large_string()))  # fmt: skip
    part_ids = column_json(named)
    known = {name: parts.column(name).combine_chunks() for name in PART if name in parts.column_names}
    texts = joined(
        part_ids, said(':{"type":"BuildingPart","parents":['), quoted.take(pa.array(owner)), said('],"attributes":'),
        attributes(known), geometry, said("}"),
    )  # fmt: skip
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n))]).astype(np.int64)
    several = pa.array(np.diff(starts) > 0)
    children = joined(pc.utf8_slice_codeunits(members, 0, -1), said(',"children":'), wrap(part_ids, starts), said("},"),
                      pc.binary_join(pa.LargeListArray.from_arrays(pa.array(starts), texts), said(",")))  # fmt: skip
    return pc.if_else(several, children, members)
