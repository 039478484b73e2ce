"""The catalogue of a twin: each layer with its columns, its source, its licence and what is assumed in it."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import LayerId, Reading
from twintown.api.landing import base
from twintown.api.schemas import LayerKind, LicenceModel, Link, LonLatBox, Model, Names, Scalar, SourceModel
from twintown.twin.layers import LayerVersion

router = APIRouter(tags=["layers"])
ColumnType = Literal["string", "integer", "number", "boolean", "datetime"]


class ColumnModel(Model):
    """A column of a layer."""

    name: str
    type: ColumnType
    unit: str = Field(description="UCUM code; empty where there is none")
    title: Names


class GridModel(Model):
    """How the cells of a grid lie."""

    rows: int
    cols: int
    bands: int
    cell_m: float
    origin_x: float = Field(description="easting of the upper left corner, m")
    origin_y: float = Field(description="northing of the upper left corner, m")
    unit: str
    nodata: float | None
    dtype: str


class StepModel(Model):
    """One thing that was done to the data on the way."""

    what: str
    by: str


class Collection(Model):
    """One layer."""

    id: str
    title: Names
    kind: LayerKind
    geometry: str | None = Field(
        description="Point, LineString, Polygon or GeometryCollection; null without geometry"
    )
    count: int
    extent: LonLatBox | None = Field(description="west, south, east, north, degrees")
    columns: list[ColumnModel]
    source: SourceModel
    licence: LicenceModel
    sources: list[SourceModel] = Field(description="all of them; `source` is the first")
    steps: list[StepModel]
    grade: Literal["O", "S", "C"]
    version: str
    built_at: str
    digest: str
    assumed: list[Names]
    grid: GridModel | None
    attributes: dict[str, Scalar] = Field(description="what else a reader must know, such as the time zone")
    links: list[Link]


class Collections(Model):
    """All layers of a twin."""

    collections: list[Collection]
    links: list[Link]


def _grid(meta: Any) -> GridModel | None:
    if "cell_m" not in meta:
        return None
    shape = list(meta["shape"])
    return GridModel(
        rows=shape[-2],
        cols=shape[-1],
        bands=shape[0] if len(shape) == 3 else 1,
        cell_m=meta["cell_m"],
        origin_x=meta["origin"][0],
        origin_y=meta["origin"][1],
        unit=meta["unit"],
        nodata=meta.get("nodata"),
        dtype=meta["dtype"],
    )


def _links(here: str, kind: str) -> list[Link]:
    links = [Link(href=here, rel="self", type="application/json")]
    if kind in ("features", "table"):
        links.append(Link(href=f"{here}/items", rel="items", type="application/geo+json"))
    if kind == "series":
        links.append(Link(href=f"{here}/series", rel="data", type="application/json"))
    if kind == "grid":
        links.append(Link(href=f"{here}/coverage?f=png", rel="preview", type="image/png"))
        links.append(Link(href=f"{here}/coverage?f=tif", rel="data", type="image/tiff; application=geotiff"))
    return links


def describe(version: LayerVersion, twin: str) -> Collection:
    """A layer's version as the catalogue shows it."""
    provenance, meta = version.provenance, version.meta
    sources = [SourceModel.of(source) for source in provenance.sources]
    here = f"{base(twin)}/collections/{version.layer}"
    return Collection(
        id=version.layer,
        title=Names.of(version.title),
        kind=version.kind,  # type: ignore[arg-type]
        geometry=meta.get("geometry") or None,
        count=version.count,
        extent=version.bbox_lonlat,
        columns=[ColumnModel(**column) for column in meta.get("columns", [])],
        source=sources[0],
        licence=sources[0].licence,
        sources=sources,
        steps=[StepModel(what=step.what, by=step.by) for step in provenance.steps],
        grade=version.grade.value,
        version=version.version,
        built_at=version.built_at.isoformat(),
        digest=version.digest,
        assumed=[Names(**note) for note in meta.get("assumed", [])],
        grid=_grid(meta),
        attributes={k: v for k, v in meta.get("attributes", {}).items() if isinstance(v, Scalar)},
        links=_links(here, version.kind),
    )


@router.get(
    "/twins/{twin}/collections",
    operation_id="listCollections",
    response_model=Collections,
    responses=problems.responses(400, 401, 404),
)
def list_collections(request: Request, asked: Reading) -> Response:
    """All layers of a twin that the caller may see."""
    name = asked.served.id
    found = [describe(version, name) for version in asked.served.twin.layers(asked.grant)]
    here = Link(href=f"{base(name)}/collections", rel="self", type="application/json")
    return answers.answer_json(request, Collections(collections=found, links=[here]))


@router.get(
    "/twins/{twin}/collections/{layer}",
    operation_id="getCollection",
    response_model=Collection,
    responses=problems.responses(400, 401, 403, 404),
)
def get_collection(request: Request, asked: Reading, layer: LayerId) -> Response:
    """One layer."""
    version = asked.served.twin.version(layer, asked.grant)
    return answers.answer_json(request, describe(version, asked.served.id))
