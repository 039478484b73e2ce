"""What a scenario builds: its base read and edited, and each building that it touches as an object that a page can draw."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.city import edits as city
from twintown.city.edits import Edit
from twintown.city.finding import Finding
from twintown.ground.errors import BadData, Gone, NotFound
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin
from twintown.twin.versions import layer_version

from .scenario import BASE

Floats = NDArray[np.float64]


def read_base(twin: Twin, grant: Grant, versions: Mapping[str, str]) -> tuple[Features, Features]:
    """Buildings and parts that a scenario rests on.

    Raises:
        Gone: a version is not kept any more.
        Unauthenticated, Denied: the Grant does not cover it.
        BadData: the file was damaged.
    """
    shapes = []
    for layer in BASE:
        name = versions[layer]
        try:
            version = layer_version(twin.tables.layer(layer, name))
        except NotFound as error:
            raise Gone(
                f"the version {name} of {layer}, on which the scenario rests, is not kept any more", layer,
                "rebase the scenario on the present version",
            ) from error  # fmt: skip
        shape = twin.read(version, grant)
        if not isinstance(shape, Features):
            raise BadData(f"{layer} is no layer of features", layer, "build the layer again")
        shapes.append(shape)
    return shapes[0], shapes[1]


def only(buildings: Features, parts: Features, ids: Collection[str]) -> tuple[Features, Features]:
    """The two layers, less what belongs to other buildings."""
    wanted = list(ids)
    houses = buildings.table[buildings.table["id"].isin(wanted)].reset_index(drop=True)
    solids = parts.table[parts.table["building"].isin(wanted)].reset_index(drop=True)
    return buildings.with_table(houses), parts.with_table(solids)


def touched(
    buildings: Features, parts: Features, edits: Sequence[Edit], also: Iterable[str] = ()
) -> tuple[Features, Features, tuple[Finding, ...]]:
    """The buildings that edits in force speak of (and those of the ids in `also`), as they would be."""
    ids = {edit["object"] for edit in edits} | set(also)
    return city.apply(*only(buildings, parts, ids), edits)


def objects(
    buildings: Features, parts: Features, edits: Sequence[Edit], also: Iterable[str] = ()
) -> tuple[list[dict[str, Any]], list[str]]:
    """Each building that the edits touch as a GeoJSON feature in CRS84, and the ids of those that are removed.

    A feature's `parts` are solids: footprint (CRS84) and the same as `outline` and `holes` in metres of the frame, as edits have them.
    """
    ops = {edit["object"]: edit["op"] for edit in reversed(edits)}
    gone = sorted(name for name, op in ops.items() if op == "remove")
    houses, solids, _ = touched(buildings, parts, edits, also)
    frame = buildings.frame
    bodies: dict[str, list[dict[str, Any]]] = {}
    table = solids.table
    drawn = lonlat(frame, table.geometry.to_numpy())
    rows = table.drop(columns=table.geometry.name).to_dict("records")
    for row, shape, place in zip(rows, table.geometry.to_numpy(), drawn, strict=True):
        bodies.setdefault(row["building"], []).append({
            "id": row["id"], "geometry": geojson(place), **_rings(shape),
            **{name: _plain(row.get(name)) for name in ("base_m", "eave_m", "top_m", "roof_shape", "roof_direction_deg")},
        })  # fmt: skip
    features = []
    table = houses.table
    places = lonlat(frame, table.geometry.to_numpy())
    rows = table.drop(columns=table.geometry.name).to_dict("records")
    areas = np.round(shapely.area(table.geometry.to_numpy()), 2).tolist()
    for row, place, area in zip(rows, places, areas, strict=True):
        names = ("name", "function", "height_m", "height_source", "levels", "storey_m")
        properties = {name: _plain(row.get(name)) for name in names} | {"area_m2": area}
        properties |= {"op": ops.get(row["id"], ""), "parts": bodies.get(row["id"], [])}
        features.append(
            {"type": "Feature", "id": row["id"], "geometry": geojson(place), "properties": properties}
        )
    return sorted(features, key=lambda one: str(one["id"])), gone


def lonlat(frame: Frame, shapes: Any) -> Any:
    """Geometries in longitude and latitude (CRS84, 8 digits) of geometries in metres of the frame."""

    def turned(xy: Floats) -> Floats:
        lon, lat = frame.to_lonlat(xy[:, 0], xy[:, 1])
        return np.asarray(np.round(np.column_stack([lon, lat]), 8), np.float64)

    return shapely.transform(shapes, turned)


def geojson(shape: Any) -> dict[str, Any]:
    """Polygon or MultiPolygon, outer rings anticlockwise (RFC 7946)."""
    polygons = [
        [np.asarray(ring.coords)[:, :2].tolist() for ring in (one.exterior, *one.interiors)]
        for one in shapely.get_parts(shapely.orient_polygons(shape))
    ]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _rings(shape: Any) -> dict[str, Any]:
    """Outline and holes of a part in metres, as its edits have them; a part of several pieces gives the largest."""
    pieces = shapely.get_parts(shapely.orient_polygons(shape))
    one = pieces[int(np.argmax(shapely.area(pieces)))]
    rings = [
        np.round(np.asarray(ring.coords)[:-1, :2], 3).tolist() for ring in (one.exterior, *one.interiors)
    ]
    return {"outline": rings[0], "holes": rings[1:]}


def _plain(value: Any) -> Any:
    """A value of a table as JSON has it: what is null is None."""
    if value is None or value != value or str(value) == "<NA>":
        return None
    return value.item() if isinstance(value, np.generic) else value
