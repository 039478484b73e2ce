"""What only a building has in the answer to a click: how its height is known, its parts, and their triangles for an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field

from twintown.api import answers
from twintown.api.guard import Asked
from twintown.api.schemas import Model, Names
from twintown.city.solids import parts_mesh
from twintown.ground.frames import Frame
from twintown.query.query import Query

if TYPE_CHECKING:
    import geopandas as gpd

Ring = list[list[float]]
Row = Mapping[str, Any]
Shapes = NDArray[np.object_]
#: Parts of one building that are told.
_MOST_PARTS = 10_000


class Height(Model):
    """A height and how it is known."""

    value_m: float
    source: Literal["measured", "levels", "estimated", "planned"]
    error_m: float | None = Field(description="standard error, m")
    assumed: bool
    statement: Names


class Storeys(Model):
    """Storeys and how their height is known."""

    count: int | None = Field(description="null where the source does not say")
    storey_m: float | None
    source: str


class Part(Model):
    """One of the solids that a building is built of; heights are above the declared ground."""

    id: str
    base_m: float
    eave_m: float
    top_m: float
    roof_shape: str
    roof_direction_deg: float | None = Field(description="down the slope, from true north")
    roof_height_m: float | None
    rings: list[list[Ring]] = Field(
        description="polygons of rings of [easting, northing] in the twin's frame, m"
    )
    rings_lonlat: list[list[Ring]] = Field(description="the same in degrees")


class MeshOrigin(Model):
    """Where the local east, north, up frame stands."""

    lon: float
    lat: float
    height_m: float = Field(description="above the ellipsoid, m")
    ground_m: float = Field(description="of the declared ground above the geoid, m; z = 0 is this ground")


class PartsMesh(Model):
    """Triangles of all parts, walls and roofs, for drawing and scaling."""

    origin: MeshOrigin
    positions: list[float] = Field(
        description="x, y, z of each vertex: east, north (true) and up of the origin, m"
    )
    indices: list[int] = Field(description="three vertices a triangle, anticlockwise from outside")
    part: list[int] = Field(description="of each triangle, the index of its part")


class Building(Model):
    """What only buildings have."""

    height: Height
    storeys: Storeys
    min_height_m: float | None
    year: int | None
    parts: list[Part]
    mesh: PartsMesh
    tags: dict[str, str] = Field(description="as the source has them")


def number(value: Any) -> float | None:
    """A cell as a number, None where nothing is known."""
    return None if value is None or value != value else float(value)  # not a number is not itself


def text(row: Row, *columns: str) -> str | None:
    """The first of the columns that holds a text."""
    for column in columns:
        value = row.get(column)
        if isinstance(value, str) and value:
            return value
    return None


def _height(row: Row) -> Height:
    value, error, source = (
        float(row["height_m"]),
        number(row.get("height_error_m")),
        str(row["height_source"]),
    )
    ko = {
        "measured": "측정값",
        "levels": "층수 × 층고",
        "estimated": "주변 건물로 추정",
        "planned": "승인된 계획",
    }.get(source, source)
    en = {
        "measured": "measured",
        "levels": "storeys × storey height",
        "estimated": "estimated from its neighbours",
        "planned": "of an approved plan",
    }.get(source, source)
    margin = f" ± {error:.1f} m" if error else ""
    statement = Names(ko=f"{value:.1f} m{margin} ({ko})", en=f"{value:.1f} m{margin} ({en})")
    said = {
        "value_m": value,
        "source": source,
        "error_m": error,
        "assumed": source != "measured",
        "statement": statement,
    }
    return Height.model_validate(said)


def _rings(geometry: Any, digits: int) -> list[list[Ring]]:
    polygons = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    return [
        [
            np.round(shapely.get_coordinates(ring), digits).tolist()
            for ring in (polygon.exterior, *polygon.interiors)
        ]
        for polygon in polygons
    ]


def _parts(rows: Sequence[Row], shapes: Shapes, lonlat: Shapes) -> list[Part]:
    return [
        Part(
            id=str(row["id"]),
            base_m=float(row["base_m"]),
            eave_m=float(row["eave_m"]),
            top_m=float(row["top_m"]),
            roof_shape=str(row["roof_shape"]),
            roof_direction_deg=number(row.get("roof_direction_deg")),
            roof_height_m=number(row.get("roof_height_m")),
            rings=_rings(plane, 3),
            rings_lonlat=_rings(degrees, 8),
        )
        for row, plane, degrees in zip(rows, shapes, lonlat, strict=True)
    ]


def local_mesh(parts: gpd.GeoDataFrame, frame: Frame, ground_m: float) -> PartsMesh:
    """Walls and roofs about the middle of the parts, in true east, north and up: metres, millimetres kept.

    Args:
        parts: rows of the layer `building-parts`, in the frame.
        frame: of the outlines.
        ground_m: height of the declared ground above the geoid.
    """
    mesh = parts_mesh(parts, frame)
    xmin, ymin, xmax, ymax = (float(v) for v in parts.total_bounds)
    x0, y0 = (xmin + xmax) / 2, (ymin + ymax) / 2
    x, y, z = mesh.vertices.T
    ecef = np.column_stack([*frame.to_ecef(x, y, z + ground_m), np.ones(len(x))])
    local = (np.linalg.inv(frame.enu_matrix(x0, y0, ground_m)) @ ecef.T).T[:, :3]
    lon, lat = frame.to_lonlat(x0, y0)
    origin = MeshOrigin(
        lon=float(lon), lat=float(lat), height_m=float(frame.ellipsoidal(ground_m)), ground_m=ground_m
    )
    return PartsMesh(
        origin=origin,
        positions=np.round(local, 3).ravel().tolist(),
        indices=mesh.triangles.ravel().tolist(),
        part=mesh.feature.tolist(),
    )


def describe(asked: Asked, row: Row) -> Building:
    """The building in a row of the layer `buildings`, with its parts. Raises NotFound without the layer of parts."""
    import geopandas as gpd

    served = asked.served
    view = served.view("building-parts", asked.grant)
    owner = Query(where={"op": "=", "args": [{"property": "building"}, str(row["id"])]})
    positions = view.page(owner, _MOST_PARTS, count=False).positions
    batch = view.take(positions)
    shapes = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
    table = batch.drop_columns(["geometry"])
    parts = gpd.GeoDataFrame(table.to_pandas(), geometry=shapes, crs=view.frame.crs)
    levels, year = number(row.get("levels")), number(row.get("year"))
    tags = answers.loads(str(row["tags"])) if text(row, "tags") else {}
    return Building(
        height=_height(row),
        storeys=Storeys(
            count=None if levels is None else round(levels),
            storey_m=number(row.get("storey_m")),
            source=text(row, "storey_source") or "assumed",
        ),
        min_height_m=number(row.get("min_height_m")),
        year=None if year is None else int(year),
        parts=_parts(table.to_pylist(), shapes, view.lonlat(positions)),
        mesh=local_mesh(parts, view.frame, served.twin.description.ground.height_m),
        tags={str(k): str(v) for k, v in tags.items()},
    )
