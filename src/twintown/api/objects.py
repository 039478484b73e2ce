"""The answer to a click: what it is, how its height is known, what is doubtful, where it is from, and its shape for edits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import shapely
from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Reading
from twintown.api.rows import Rows
from twintown.api.schemas import Geometry, LicenceModel, Model, Names, Scalar, SourceModel
from twintown.ground.errors import NotFound
from twintown.ground.frames import Frame
from twintown.products.solids import parts_mesh
from twintown.twin.layers import LayerVersion

router = APIRouter(tags=["objects"])
#: Where an id is looked for first; the rest follow in the order of the catalogue.
_FIRST = ("buildings", "places", "towns", "neighbourhoods", "roads")
_HIDDEN = {"building-parts", "findings", "facades"}
Ring = list[list[float]]


class Property(Model):
    """One property with its words and its unit."""

    name: str
    title: Names
    unit: str
    value: Scalar


class Height(Model):
    """A height and how it is known."""

    value_m: float
    source: Literal["measured", "levels", "estimated"]
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
    rings: list[list[Ring]] = Field(description="polygons of rings of [easting, northing] in the twin's frame, m")
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
    positions: list[float] = Field(description="x, y, z of each vertex: east, north (true) and up of the origin, m")
    indices: list[int] = Field(description="three vertices a triangle, anticlockwise from outside")
    part: list[int] = Field(description="of each triangle, the index of its part")


class Finding(Model):
    """Something wrong or doubtful about the object."""

    code: str
    severity: str
    message: Names
    value: float | None
    unit: str


class Building(Model):
    """What only buildings have."""

    height: Height
    storeys: Storeys
    min_height_m: float | None
    year: int | None
    parts: list[Part]
    mesh: PartsMesh
    tags: dict[str, str] = Field(description="as the source has them")


class ObjectAnswer(Model):
    """Everything about one thing that was clicked."""

    id: str
    layer: str
    version: str
    names: Names
    kind: str
    function: str | None
    lon: float | None
    lat: float | None
    geometry: Geometry | None
    properties: list[Property]
    building: Building | None
    findings: list[Finding]
    source: SourceModel
    licence: LicenceModel
    assumed: list[Names]


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _text(row: pd.Series, *columns: str) -> str | None:
    for column in columns:
        value = row.get(column)
        if isinstance(value, str) and value:
            return value
    return None


def _height(row: pd.Series) -> Height:
    value, error, source = float(row["height_m"]), _number(row.get("height_error_m")), str(row["height_source"])
    ko = {"measured": "측정값", "levels": "층수 × 층고", "estimated": "주변 건물로 추정"}.get(source, source)
    en = {"measured": "measured", "levels": "storeys × storey height", "estimated": "estimated from its neighbours"}.get(source, source)
    margin = f" ± {error:.1f} m" if error else ""
    statement = Names(ko=f"{value:.1f} m{margin} ({ko})", en=f"{value:.1f} m{margin} ({en})")
    return Height(value_m=value, source=source, error_m=error, assumed=source != "measured", statement=statement)  # type: ignore[arg-type]


def _rings(geometry: Any, digits: int) -> list[list[Ring]]:
    polygons = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    return [
        [np.round(shapely.get_coordinates(ring), digits).tolist() for ring in (polygon.exterior, *polygon.interiors)]
        for polygon in polygons
    ]


def _parts(rows: Rows, positions: np.ndarray[Any, np.dtype[np.intp]]) -> list[Part]:
    out = []
    for i in positions:
        row, geometry = rows.features.table.iloc[int(i)], rows.features.table.geometry.iloc[int(i)]
        out.append(
            Part(
                id=str(row["id"]),
                base_m=float(row["base_m"]),
                eave_m=float(row["eave_m"]),
                top_m=float(row["top_m"]),
                roof_shape=str(row["roof_shape"]),
                roof_direction_deg=_number(row.get("roof_direction_deg")),
                roof_height_m=_number(row.get("roof_height_m")),
                rings=_rings(geometry, 3),
                rings_lonlat=_rings(rows.lonlat[int(i)], 8),
            )
        )
    return out


def local_mesh(rows: Rows, positions: np.ndarray[Any, np.dtype[np.intp]], ground_m: float) -> PartsMesh:
    """Walls and roofs about the middle of the parts, in true east, north and up: metres, millimetres kept."""
    frame: Frame = rows.features.frame
    table = rows.features.table.iloc[positions]
    mesh = parts_mesh(table, frame)
    xmin, ymin, xmax, ymax = (float(v) for v in table.total_bounds)
    x0, y0 = (xmin + xmax) / 2, (ymin + ymax) / 2
    x, y, z = mesh.vertices.T
    ecef = np.column_stack([*frame.to_ecef(x, y, z + ground_m), np.ones(len(x))])
    local = (np.linalg.inv(frame.enu_matrix(x0, y0, ground_m)) @ ecef.T).T[:, :3]
    lon, lat = frame.to_lonlat(x0, y0)
    origin = MeshOrigin(lon=float(lon), lat=float(lat), height_m=float(frame.ellipsoidal(ground_m)), ground_m=ground_m)
    return PartsMesh(
        origin=origin,
        positions=np.round(local, 3).ravel().tolist(),
        indices=mesh.triangles.ravel().tolist(),
        part=mesh.feature.tolist(),
    )


def _findings(asked: Asked, object_id: str) -> list[Finding]:
    found = [layer for layer in asked.served.twin.layers(asked.grant) if layer.layer == "findings"]
    if not found:
        return []
    table = asked.served.rows(found[0], asked.grant).features.table
    mine = table[table["object"].astype("str") == object_id]
    return [
        Finding(
            code=str(row["code"]),
            severity=str(row["severity"]),
            message=Names(ko=str(row["message_ko"]), en=str(row["message_en"])),
            value=_number(row.get("value")),
            unit=_text(row, "unit") or "",
        )
        for _, row in mine.iterrows()
    ]


def _building(asked: Asked, row: pd.Series) -> Building:
    served = asked.served
    parts = served.rows(served.twin.version("building-parts", asked.grant), asked.grant)
    mine = np.flatnonzero((parts.features.table["building"].astype("str") == str(row["id"])).to_numpy(bool))
    levels, year = _number(row.get("levels")), _number(row.get("year"))
    tags = answers.loads(str(row["tags"])) if _text(row, "tags") else {}
    return Building(
        height=_height(row),
        storeys=Storeys(
            count=None if levels is None else round(levels),
            storey_m=_number(row.get("storey_m")),
            source=_text(row, "storey_source") or "assumed",
        ),
        min_height_m=_number(row.get("min_height_m")),
        year=None if year is None else int(year),
        parts=_parts(parts, mine),
        mesh=local_mesh(parts, mine, served.twin.description.ground.height_m),
        tags={str(k): str(v) for k, v in tags.items()},
    )


def _find(asked: Asked, object_id: str) -> tuple[LayerVersion, Rows]:
    layers = [one for one in asked.served.twin.layers(asked.grant) if one.kind in ("features", "table")]
    layers = [one for one in layers if one.layer not in _HIDDEN]
    layers.sort(key=lambda one: _FIRST.index(one.layer) if one.layer in _FIRST else len(_FIRST))
    for version in layers:
        rows = asked.served.rows(version, asked.grant)
        if object_id in rows.position:
            return version, rows
    raise NotFound(f"nothing here is called {object_id[:80]!r}", asked.served.id, "search by name, or see the items of a layer")


def describe(asked: Asked, object_id: str) -> ObjectAnswer:
    """Everything about one object. Raises NotFound."""
    version, rows = _find(asked, object_id)
    i = rows.position[object_id]
    row, shape = rows.features.table.iloc[i], rows.lonlat[i]
    name, where = _text(row, "name", "name_ko", "name_en") or object_id, None
    if shape is not None and not shape.is_empty:
        where = shapely.point_on_surface(shape)
    columns = [c for c in version.meta.get("columns", []) if c["name"] in rows.columns and c["name"] != "tags"]
    encoded = answers.loads(rows.encoded[i])
    provenance = version.provenance
    return ObjectAnswer(
        id=object_id,
        layer=version.layer,
        version=version.version,
        names=Names(ko=_text(row, "name_ko", "name") or name, en=_text(row, "name_en", "name") or name),
        kind=_text(row, "kind") or version.layer,
        function=_text(row, "function"),
        lon=None if where is None else round(float(where.x), 8),
        lat=None if where is None else round(float(where.y), 8),
        geometry=None if encoded["geometry"] is None else Geometry(**encoded["geometry"]),
        properties=[
            Property(name=c["name"], title=Names(**c["title"]), unit=c["unit"], value=encoded["properties"][c["name"]])
            for c in columns
        ],
        building=_building(asked, row) if version.layer == "buildings" else None,
        findings=_findings(asked, object_id),
        source=SourceModel.of(provenance.sources[0]),
        licence=LicenceModel.of(provenance.sources[0].licence),
        assumed=[Names(**note) for note in version.meta.get("assumed", [])],
    )


@router.get(
    "/twins/{twin}/objects/{object:path}",
    operation_id="getObject",
    response_model=ObjectAnswer,
    responses=problems.responses(400, 401, 404),
)
def get_object(
    request: Request,
    asked: Reading,
    object: Annotated[str, Path(description="id of the object; slashes in it stay", examples=["relation/8824257"])],
) -> Response:
    """Everything about one thing that was clicked."""
    return answers.answer_json(request, describe(asked, object))
