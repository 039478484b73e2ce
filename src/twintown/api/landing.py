"""What is here: the list of twins, and one twin with its place, its ground, its layers and where to go on."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import OnShelf, Reading
from twintown.api.schemas import (
    BoundsModel,
    LayerKind,
    LicenceModel,
    Link,
    LonLatBox,
    Model,
    Names,
    Polygon,
    SourceModel,
)
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Grant, Resource
from twintown.twin.layers import LayerVersion, Twin

router = APIRouter(tags=["twins"])
TwinKind = Literal["city3d", "atlas"]


class TwinSummary(Model):
    """A twin in a list."""

    id: str
    names: Names
    kind: TwinKind
    summary: Names
    bounds_lonlat: LonLatBox
    links: list[Link]


class Twins(Model):
    """The twins that this server shows."""

    twins: list[TwinSummary]
    links: list[Link]


class FrameModel(Model):
    """Where the numbers are."""

    crs: str
    vertical: str
    undulation_m: float = Field(description="height of the geoid above the ellipsoid, m")
    undulation_source: str


class Ground(Model):
    """The declared ground."""

    kind: Literal["flat"]
    height_m: float = Field(description="above the geoid, m")
    ellipsoidal_m: float = Field(description="above the WGS 84 ellipsoid, m")
    assumed: bool
    note: Names


class Home(Model):
    """Where the camera looks at first, and from where."""

    lon: float
    lat: float
    height_m: float = Field(description="of the point on the ground above the ellipsoid, m")
    heading_deg: float
    pitch_deg: float
    range_m: float


class Attribution(Model):
    """Words that must stand beside what is shown."""

    text: str
    url: str
    licence: str


class LayerSummary(Model):
    """A layer in the list of a twin."""

    id: str
    title: Names
    kind: LayerKind
    geometry: str | None
    count: int
    grade: Literal["O", "S", "C"]
    version: str
    assumed: list[Names]
    source: SourceModel
    licence: LicenceModel


class SunlightOffer(Model):
    """The process that answers what an edit does to the sun."""

    process: str
    day: str
    bases: list[Literal["solar", "civil"]]
    href: str


class TwinModel(Model):
    """One twin."""

    id: str
    names: Names
    kind: TwinKind
    summary: Names
    time_zone: str
    frame: FrameModel
    bounds: BoundsModel
    bounds_lonlat: LonLatBox
    edge: Polygon = Field(
        description="where the data ends; each side in pieces, so that it follows the frame"
    )
    ground: Ground
    home: Home
    day: str = Field(description="the day that is shown first")
    attributions: list[Attribution]
    notices: list[Names]
    layers: list[LayerSummary]
    sunlight: SunlightOffer | None
    links: list[Link]


def base(twin: str) -> str:
    """The address of a twin, without a slash at its end."""
    return f"/twins/{quote(twin, safe='')}"


def summary(version: LayerVersion) -> LayerSummary:
    """A layer as a list shows it."""
    source = version.provenance.sources[0]
    return LayerSummary(
        id=version.layer,
        title=Names.of(version.title),
        kind=version.kind,  # type: ignore[arg-type]
        geometry=version.meta.get("geometry") or None,
        count=version.count,
        grade=version.grade.value,
        version=version.version,
        assumed=[Names(**note) for note in version.meta.get("assumed", [])],
        source=SourceModel.of(source),
        licence=LicenceModel.of(source.licence),
    )


def _box(twin: Twin) -> LonLatBox:
    west, south, east, north = twin.description.frame.lonlat_bounds(twin.description.bounds).as_tuple()
    return (round(west, 7), round(south, 7), round(east, 7), round(north, 7))


def _attributions(layers: tuple[LayerVersion, ...]) -> list[Attribution]:
    found: dict[str, Attribution] = {}
    for layer in layers:
        for licence in layer.provenance.licences:
            text = licence.attribution or licence.title
            found.setdefault(text, Attribution(text=text, url=licence.url, licence=licence.title))
    return list(found.values())


@router.get("/twins", operation_id="listTwins", response_model=Twins, responses=problems.responses(400))
def list_twins(request: Request, opened: OnShelf) -> Response:
    """The twins that this server shows, in the order in which it was given them: the page opens the first."""
    shown = []
    for name, served in opened.shelf.twins.items():
        if not opened.decide(ANYONE, "read", Resource(name)).allowed:
            continue
        about = served.twin.description
        link = Link(href=base(name), rel="item", type="application/json", title=about.names.en)
        shown.append(
            TwinSummary(
                id=name,
                names=Names.of(about.names),
                kind=about.kind,  # type: ignore[arg-type]
                summary=Names.of(about.summary),
                bounds_lonlat=_box(served.twin),
                links=[link],
            )
        )
    links = [
        Link(href="/twins", rel="self", type="application/json"),
        Link(href="/openapi.json", rel="service-desc", type="application/vnd.oai.openapi+json;version=3.1"),
    ]
    return answers.answer_json(request, Twins(twins=shown, links=links))


@router.get(
    "/twins/{twin}",
    operation_id="getTwin",
    response_model=TwinModel,
    responses=problems.responses(400, 401, 404),
)
def get_twin(request: Request, asked: Reading) -> Response:
    """One twin: its place, its ground, what is assumed, its layers."""
    return answers.answer_json(request, describe(asked.served.twin, asked.grant))


def describe(twin: Twin, grant: Grant) -> TwinModel:
    """A twin as far as a Grant shows it."""
    about, layers = twin.description, twin.layers(grant)
    here, ground = base(about.id), about.ground
    ellipsoidal = float(about.frame.ellipsoidal(ground.height_m))
    lon, lat = about.frame.to_lonlat(*about.bounds.ring().T)
    edge = [[round(float(x), 8), round(float(y), 8)] for x, y in zip(lon, lat, strict=True)]
    names = {layer.layer for layer in layers}
    return TwinModel(
        id=about.id,
        names=Names.of(about.names),
        kind=about.kind,  # type: ignore[arg-type]
        summary=Names.of(about.summary),
        time_zone=about.time_zone,
        frame=FrameModel(**about.frame.to_dict()),  # type: ignore[arg-type]
        bounds=BoundsModel(
            **dict(zip(("xmin", "ymin", "xmax", "ymax"), about.bounds.as_tuple(), strict=True))
        ),
        bounds_lonlat=_box(twin),
        edge=Polygon(coordinates=[edge]),
        ground=Ground(
            kind="flat",
            height_m=ground.height_m,
            ellipsoidal_m=ellipsoidal,
            assumed=ground.assumed,
            note=Names.of(ground.note),
        ),
        home=Home(
            lon=about.home.lon,
            lat=about.home.lat,
            height_m=ellipsoidal,
            heading_deg=about.home.heading_deg,
            pitch_deg=about.home.pitch_deg,
            range_m=about.home.range_m,
        ),
        day=about.day,
        attributions=_attributions(layers),
        notices=[Names.of(notice) for notice in about.notices],
        layers=[summary(layer) for layer in layers],
        sunlight=_sunlight(twin, names),
        links=_links(twin, grant, here),
    )


def _sunlight(twin: Twin, layers: set[str]) -> SunlightOffer | None:
    if not {"buildings", "building-parts"} <= layers:
        return None
    href = f"{base(twin.description.id)}/processes/sunlight/execution"
    return SunlightOffer(process="sunlight", day=twin.description.day, bases=["solar", "civil"], href=href)


def _links(twin: Twin, grant: Grant, here: str) -> list[Link]:
    links = [
        Link(href=here, rel="self", type="application/json"),
        Link(href=f"{here}/collections", rel="data", type="application/json"),
        Link(href=f"{here}/search", rel="search", type="application/json"),
        Link(href=f"{here}/sun", rel="related", type="application/json", title="sun"),
    ]
    for product in twin.products(grant):
        about = f"?v={product.version}"
        if product.product.endswith("-3dtiles"):
            layer = product.product.removesuffix("-3dtiles")
            href = f"{here}/3dtiles/{layer}/tileset.json{about}"
            links.append(Link(href=href, rel="tiles", type="application/json", title=layer))
        elif product.product == "base":
            links.append(Link(href=f"{here}/tiles/base", rel="tiles", type="application/json", title="base"))
            links.append(Link(href=f"{here}/styles/base", rel="style", type="application/json", title="base"))
    return links
