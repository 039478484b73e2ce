"""What a twin says of itself: its place, its ground, what is assumed, its layers. Models, and how they are filled."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from pydantic import Field

from twintown.api.represent import Language, word
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
from twintown.trust.policy import Grant
from twintown.twin.layers import LayerVersion, Twin

TwinKind = Literal["city3d", "atlas"]


class TwinSummary(Model):
    """A twin in a list."""

    id: str
    title: str = Field(description="in the language of the answer")
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
    title: str = Field(description="in the language of the answer")
    names: Names
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
    """One twin: the landing page of its API (OGC API - Common)."""

    id: str
    title: str = Field(description="in the language of the answer")
    description: str = Field(description="in the language of the answer")
    attribution: str = Field(description="words that must stand beside what is shown")
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
    """The path of a twin, without a slash at its end."""
    return f"/twins/{quote(twin, safe='')}"


def summary(version: LayerVersion, lang: Language) -> LayerSummary:
    """A layer as a list shows it."""
    source = version.provenance.sources[0]
    return LayerSummary(
        id=version.layer,
        title=word(version.title, lang),
        names=Names.of(version.title),
        kind=version.kind,  # type: ignore[arg-type]
        geometry=version.meta.get("geometry") or None,
        count=version.count,
        grade=version.grade.value,
        version=version.version,
        assumed=[Names(**note) for note in version.meta.get("assumed", [])],
        source=SourceModel.of(source),
        licence=LicenceModel.of(source.licence),
    )


def box(twin: Twin) -> LonLatBox:
    """West, south, east, north of a twin, degrees."""
    west, south, east, north = twin.description.frame.lonlat_bounds(twin.description.bounds).as_tuple()
    return (round(west, 7), round(south, 7), round(east, 7), round(north, 7))


def _attributions(layers: tuple[LayerVersion, ...]) -> list[Attribution]:
    found: dict[str, Attribution] = {}
    for layer in layers:
        for licence in layer.provenance.licences:
            text = licence.attribution or licence.title
            found.setdefault(text, Attribution(text=text, url=licence.url, licence=licence.title))
    return list(found.values())


def describe(twin: Twin, grant: Grant, lang: Language, links: list[Link]) -> TwinModel:
    """A twin as far as a Grant shows it."""
    about, layers = twin.description, twin.layers(grant)
    ground, credits = about.ground, _attributions(layers)
    ellipsoidal = float(about.frame.ellipsoidal(ground.height_m))
    lon, lat = about.frame.to_lonlat(*about.bounds.ring().T)
    edge = [[round(float(x), 8), round(float(y), 8)] for x, y in zip(lon, lat, strict=True)]
    names = {layer.layer for layer in layers}
    return TwinModel(
        id=about.id,
        title=word(about.names, lang),
        description=word(about.summary, lang),
        attribution=" · ".join(credit.text for credit in credits),
        names=Names.of(about.names),
        kind=about.kind,  # type: ignore[arg-type]
        summary=Names.of(about.summary),
        time_zone=about.time_zone,
        frame=FrameModel(**about.frame.to_dict()),  # type: ignore[arg-type]
        bounds=BoundsModel(
            **dict(zip(("xmin", "ymin", "xmax", "ymax"), about.bounds.as_tuple(), strict=True))
        ),
        bounds_lonlat=box(twin),
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
        attributions=credits,
        notices=[Names.of(notice) for notice in about.notices],
        layers=[summary(layer, lang) for layer in layers],
        sunlight=_sunlight(twin, names),
        links=links,
    )


def _sunlight(twin: Twin, layers: set[str]) -> SunlightOffer | None:
    if not {"buildings", "building-parts"} <= layers:
        return None
    href = f"{base(twin.description.id)}/sun"
    return SunlightOffer(process="sunlight", day=twin.description.day, bases=["solar", "civil"], href=href)
