"""The catalogue of a twin: each layer with its columns, its source, its licence and what is assumed in it."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import extents, layer_links, problems
from twintown.api.extents import Extent, SpatialExtent
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.landing import base
from twintown.api.represent import Form, Language, Shown, absolute, represent, word
from twintown.api.schemas import LayerKind, LicenceModel, Link, Model, Names, Scalar, SourceModel
from twintown.api.twins import box
from twintown.ground import crs
from twintown.ground.provenance import Step
from twintown.products.catalogue import licence_id
from twintown.twin.layers import LayerVersion
from twintown.twin.told import as_told

router = APIRouter(tags=["layers"])
ColumnType = Literal["string", "integer", "number", "boolean", "datetime"]
CONFORMANCE = ("http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",)
_ITEMS = {"features": "feature", "table": "feature", "series": "feature", "grid": "coverage"}
_NOUNS = {
    "features": ("features", "지물"),
    "table": ("rows", "행"),
    "series": ("rows in time", "시계열 행"),
    "grid": ("cells", "격자 칸"),
}


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
    parameters: dict[str, Scalar] = Field(
        description="of a process: what it was asked, and what it says of its own answer (a proven gap, …)"
    )


class Collection(Model):
    """One layer (OGC API - Common Part 2, and what else is known of it)."""

    id: str
    title: str = Field(description="in the language of the answer")
    description: str = Field(description="in the language of the answer")
    names: Names
    keywords: list[str]
    attribution: str = Field(description="words that must stand beside what is shown")
    license: str = Field(description="SPDX identifier where one says it all, else `other`: see the links")
    itemType: Literal["feature", "coverage", "record"]
    kind: LayerKind
    geometry: str | None = Field(
        description="Point, LineString, Polygon or GeometryCollection; null without geometry"
    )
    count: int
    extent: Extent | None = Field(default=None, description="where and when; absent for what lies nowhere")
    crs: list[str] = Field(description="URIs of the reference systems that items can be asked for in")
    storageCrs: str
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


class Catalogue(Model):
    """The catalogue of a twin as a collection of records (OGC API - Records)."""

    id: Literal["catalogue"]
    type: Literal["Catalog"]
    itemType: Literal["record"]
    conformsTo: list[str]
    title: str
    description: str
    names: Names
    extent: Extent
    crs: list[str]
    count: int = Field(description="records: one a layer that the caller may see")
    links: list[Link]

    @classmethod
    def of(cls, request: Request, asked: Asked, form: Form) -> Catalogue:
        """The catalogue of the twin that is asked."""
        twin = asked.served.twin
        about = twin.description
        names = Names(ko=f"{about.names.ko} 자료층 목록", en=f"Layers of {about.names.en}")
        text = {
            "en": f"What every layer of {about.names.en} is: where it is from, of when, under which licence.",
            "ko": f"{about.names.ko}의 모든 자료층: 출처, 시점, 이용 허락.",
        }
        here = absolute(request, f"{base(asked.served.id)}/collections/catalogue")
        return cls(
            id="catalogue",
            type="Catalog",
            itemType="record",
            conformsTo=["http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-collection"],
            title=word(names.model_dump(), form.lang),
            description=text[form.lang],
            names=names,
            extent=Extent(spatial=SpatialExtent(bbox=[box(twin)])),
            crs=[crs.CRS84.uri],
            count=len(twin.layers(asked.grant)),
            links=[
                Link(href=here, rel="self", type="application/json", title="the catalogue"),
                Link(
                    href=f"{here}?f=html",
                    rel="alternate",
                    type="text/html",
                    title="the catalogue, for people",
                ),
                Link(href=f"{here}/items?f=json", rel="items", type="application/geo+json", title="records"),
                Link(href=f"{here}/items?f=html", rel="items", type="text/html", title="records, for people"),
            ],
        )


class Collections(Model):
    """All layers of a twin, and its catalogue."""

    collections: list[Collection | Catalogue]
    crs: list[str] = Field(description="what every layer with geometry can be asked for in")
    numberMatched: int
    numberReturned: int
    links: list[Link]


def _step(step: Step) -> StepModel:
    # What a source was asked is its own affair; what a process was asked stands in its manifest too.
    told = step.parameters if step.by.startswith("twintown.processes.") else {}
    return StepModel(
        what=step.what, by=step.by, parameters={k: v for k, v in told.items() if isinstance(v, Scalar)}
    )


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


def columns(version: LayerVersion, asked: Asked) -> list[ColumnModel]:
    """The columns of a layer as far as the Grant shows them."""
    allowed = asked.grant.columns
    said = [ColumnModel(**column) for column in version.meta.get("columns", [])]
    return [column for column in said if allowed is None or column.name in allowed]


def sentence(version: LayerVersion, lang: Language) -> str:
    """What the layer is in a sentence or two: how many, from where, what is assumed."""
    noun = _NOUNS[version.kind][lang == "ko"]
    origins = "; ".join(
        f"{source.title} ({source.publisher}{', ' + source.date if source.date else ''})"
        for source in version.provenance.sources
    )
    title = word(version.title, lang)
    text = (
        f"{title}: {noun} {version.count:,}개. 출처: {origins}."
        if lang == "ko"
        else f"{title}: {version.count:,} {noun}. From {origins}."
    )
    notes = [str(note[lang]) for note in version.meta.get("assumed", [])]
    if notes:
        text += (" 가정: " if lang == "ko" else " Assumed: ") + "; ".join(notes) + "."
    return text


def keywords(version: LayerVersion) -> list[str]:
    """Words to find the layer by."""
    said = [*version.layer.split("-"), version.kind, version.meta.get("geometry") or "", version.title.en]
    return [one for one in dict.fromkeys([*said, version.title.ko]) if one]


def describe(request: Request, version: LayerVersion, asked: Asked, form: Form) -> Collection:
    """A layer's version as the catalogue shows it."""
    twin = asked.served.twin
    version = as_told(twin, version, asked.grant)
    provenance, meta = version.provenance, version.meta
    sources = [SourceModel.of(source) for source in provenance.sources]
    frame = twin.description.frame
    frames = crs.supported(frame.crs)
    own = next((one.uri for one in frames if one.code == frame.crs), crs.CRS84.uri)
    here = absolute(request, f"{base(asked.served.id)}/collections/{version.layer}")
    placed = version.bbox_lonlat is not None
    return Collection(
        id=version.layer,
        title=word(version.title, form.lang),
        description=sentence(version, form.lang),
        names=Names.of(version.title),
        keywords=keywords(version),
        attribution=" · ".join(
            dict.fromkeys(licence.attribution or licence.title for licence in provenance.licences)
        ),
        license=licence_id(provenance.licences),
        itemType=_ITEMS[version.kind],  # type: ignore[arg-type]
        kind=version.kind,  # type: ignore[arg-type]
        geometry=meta.get("geometry") or None,
        count=version.count,
        extent=extents.of(version, asked),
        crs=[one.uri for one in frames] if placed else [crs.CRS84.uri],
        storageCrs=own if placed else crs.CRS84.uri,
        columns=columns(version, asked),
        source=sources[0],
        licence=sources[0].licence,
        sources=sources,
        steps=[_step(step) for step in provenance.steps],
        grade=version.grade.value,
        version=version.version,
        built_at=version.built_at.isoformat(),
        digest=version.digest,
        assumed=[Names(**note) for note in meta.get("assumed", [])],
        grid=_grid(meta),
        attributes={k: v for k, v in meta.get("attributes", {}).items() if isinstance(v, Scalar)},
        links=layer_links.links(here, version, frame),
    )


@router.get(
    "/twins/{twin}/collections",
    operation_id="listCollections",
    response_model=Collections,
    responses=problems.responses(400, 401, 404, 406),
)
def list_collections(request: Request, asked: Reading, form: Shown) -> Response:
    """All layers of a twin that the caller may see, and last the catalogue of them."""
    twin = asked.served.twin
    found: list[Collection | Catalogue] = [
        describe(request, version, asked, form) for version in twin.layers(asked.grant)
    ]
    if asked.grant.layers is None:  # the catalogue is for the public; an agreement is about layers
        found.append(Catalogue.of(request, asked, form))
    frames = [one.uri for one in crs.supported(twin.description.frame.crs)]
    value = Collections(
        collections=found, crs=frames, numberMatched=len(found), numberReturned=len(found), links=[]
    )
    return represent(request, value, form, "collections")


@router.get(
    "/twins/{twin}/collections/{layer}",
    operation_id="getCollection",
    response_model=Collection,
    responses=problems.responses(400, 401, 403, 404, 406),
)
def get_collection(request: Request, asked: Reading, form: Shown, layer: LayerId) -> Response:
    """One layer."""
    version = asked.served.twin.version(layer, asked.grant)
    return represent(request, describe(request, version, asked, form), form, "collection")
