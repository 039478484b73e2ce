"""IFC (ISO 16739) through IfcOpenShell, an extra: what is built of a model as parts, one above the other, by its storeys.

Where it stands: `IfcMapConversion` with the EPSG code of `IfcProjectedCRS`; else the latitude and longitude of `IfcSite` with the true
north of its context; else a position that is given. Its zero is the ground.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from twintown.ground.errors import BadData, BadParameter, NotPossible
from twintown.ground.frames import Frame

from .files import Imported, Note, Placement, Stands, _placed, parts_of_mesh
from .prisms import MOST_TRIANGLES, Body, body

#: What is no part of the building's body.
_LEFT_OUT = (
    "IfcOpeningElement",
    "IfcSpace",
    "IfcSite",
    "IfcAnnotation",
    "IfcGrid",
    "IfcFurnishingElement",
    "IfcDistributionElement",
)


def read_ifc(data: bytes, frame: Frame, place: Placement | None, stands: Stands, name: str) -> Imported:
    """One building of an IFC file.

    Raises:
        NotPossible: IfcOpenShell is not installed.
        BadData: no IFC, truncated, or without geometry.
        BadParameter: it does not say where it stands, and no position was given.
    """
    try:
        import ifcopenshell
        import ifcopenshell.geom
        import ifcopenshell.util.unit
    except ImportError as error:
        raise NotPossible(
            "IFC cannot be read here: IfcOpenShell is not installed", "file", "pip install 'twintown[ifc]', or send CityJSON or GLB"
        ) from error  # fmt: skip
    if b"END-ISO-10303-21" not in data[-4096:]:
        raise BadData("the IFC file is truncated: its end is missing", "file", "send the whole file")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.ifc"
        path.write_bytes(data)
        try:
            model = ifcopenshell.open(str(path))
        except Exception as error:  # a parser of strangers' files may raise anything
            raise BadData(
                f"cannot be read as IFC ({error})", "file", "export it again as IFC4 or IFC2x3"
            ) from error
    out = Imported("IFC")
    metre = float(ifcopenshell.util.unit.calculate_unit_scale(model))
    mesh = _mesh(model, ifcopenshell.geom)
    levels = np.array(
        [float(s.Elevation) * metre for s in model.by_type("IfcBuildingStorey") if s.Elevation is not None]
    )
    stands = stands or "origin"
    grid = None if place is not None else _on_grid(model, mesh, frame, metre, out)
    if grid is not None:
        parts = parts_of_mesh(grid, stands, out, levels)
    else:
        where = place or _site(model, out)
        if where is None:
            raise BadParameter(
                "lon", "the IFC file does not say where it stands (neither IfcMapConversion nor a position of IfcSite)",
                remedy="give lon, lat and, where it is turned, heading_deg",
            )  # fmt: skip
        parts = _placed(mesh, frame, where, stands, out, levels)
    buildings = model.by_type("IfcBuilding")
    called = name or next((str(one.Name) for one in buildings if one.Name), "")
    out.edits.append({"op": "add", "parts": parts, "name": called[:200]})
    return out


def _mesh(model: Any, geom: Any) -> Body:
    settings = geom.settings()
    settings.set("use-world-coords", True)
    wanted = [
        one
        for one in model.by_type("IfcElement")
        if one.Representation and not any(one.is_a(kind) for kind in _LEFT_OUT)
    ]
    if not wanted:
        raise BadData("holds no element with a geometry", "file", "export it with its bodies")
    points, corners, start = [], [], 0
    shapes = geom.iterator(settings, model, 1, include=wanted)
    if shapes.initialize():
        while True:
            made = shapes.get().geometry
            vertices = np.asarray(made.verts, float).reshape(-1, 3)
            points.append(vertices)
            corners.append(np.asarray(made.faces, np.int64).reshape(-1, 3) + start)
            start += len(vertices)
            if sum(map(len, corners)) > MOST_TRIANGLES or not shapes.next():
                break
    if not points:
        raise BadData(
            "holds no element whose geometry could be made", "file", "export it again with its bodies"
        )
    return body(np.concatenate(points), np.concatenate(corners))


def _on_grid(model: Any, mesh: Body, frame: Frame, metre: float, out: Imported) -> Body | None:
    """The mesh in the frame, by `IfcMapConversion`; None where the file has none."""
    if model.schema == "IFC2X3":
        return None
    found = model.by_type("IfcMapConversion")
    if not found:
        return None
    said = found[0]
    code = str(getattr(said.TargetCRS, "Name", "") or "").upper().replace("URN:OGC:DEF:CRS:", "")
    if not code.startswith("EPSG:"):
        out.notes.append(
            Note(
                "no-crs",
                f"its map conversion is to {code or 'no CRS'}, which is no EPSG code; it is not used",
            )
        )
        return None
    unit = getattr(said.TargetCRS, "MapUnit", None)
    map_metre = (
        1.0
        if unit is None or not getattr(unit, "Prefix", None)
        else {"MILLI": 1e-3, "CENTI": 1e-2}.get(unit.Prefix, 1.0)
    )
    a, b = (
        (1.0 if said.XAxisAbscissa is None else float(said.XAxisAbscissa)),
        float(said.XAxisOrdinate or 0.0),
    )
    length = math.hypot(a, b) or 1.0
    a, b = a / length, b / length
    # Scale turns project units into map units; the mesh is in metres already
    scale = float(said.Scale or 1.0) * map_metre / metre if said.Scale else 1.0
    x, y, z = (mesh.vertices * scale).T
    east = float(said.Eastings) * map_metre + a * x - b * y
    north = float(said.Northings) * map_metre + b * x + a * y
    placed = np.column_stack([*frame.from_crs(code, east, north), z])
    if not np.isfinite(placed).all():
        raise BadData(
            f"its map conversion to {code} lies nowhere near the twin", "file", "give lon and lat instead"
        )
    out.notes.append(Note("placed", f"stands where its IfcMapConversion to {code} says"))
    return Body(placed, mesh.triangles)


def _site(model: Any, out: Imported) -> Placement | None:
    """Where `IfcSite` says that it is."""
    for site in model.by_type("IfcSite"):
        if site.RefLatitude and site.RefLongitude:
            lat, lon = (_degrees(one) for one in (site.RefLatitude, site.RefLongitude))
            north = next(
                (one.TrueNorth.DirectionRatios for one in model.by_type("IfcGeometricRepresentationContext", include_subtypes=False)
                 if one.TrueNorth is not None), (0.0, 1.0),
            )  # fmt: skip
            heading = math.degrees(math.atan2(-float(north[0]), float(north[1])))
            out.notes.append(
                Note(
                    "placed",
                    f"stands where its IfcSite says: {lon:.6f}, {lat:.6f}, to a second of arc (30 m) perhaps",
                )
            )
            return Placement(lon, lat, heading)
    return None


def _degrees(parts: Any) -> float:
    """Degrees of an IfcCompoundPlaneAngleMeasure: degrees, minutes, seconds, millionths of a second."""
    scale = (1.0, 60.0, 3600.0, 3.6e9)
    return sum(float(one) / by for one, by in zip(parts, scale, strict=False))
