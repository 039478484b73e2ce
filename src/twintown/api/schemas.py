"""The words that several answers share, as pydantic models; the page's types are generated from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Source

LayerKind = Literal["features", "grid", "series", "table"]


class Model(BaseModel):
    """What every body is made of: unknown members are refused, so that a slip does not go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(Model):
    """A name in Korean and English, and by its two letters in every other language that the city has."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, str] = Field(init=False)

    ko: str
    en: str

    @classmethod
    def of(cls, name: Name) -> Names:
        """From a name of the ground floor."""
        return cls.model_validate(name.to_dict())


class Link(Model):
    """Where to go from here (RFC 8288). What a link does not say is absent, never null."""

    href: str
    rel: str
    type: str | None = None
    title: str | None = None
    hreflang: str | None = None
    templated: bool | None = None
    method: str | None = None

    @model_serializer(mode="wrap")
    def _said(self, full: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in full(self).items() if value is not None}


class LicenceModel(Model):
    """What may be done with data, and the words that must stand beside it."""

    id: str = Field(description="SPDX identifier where there is one")
    title: str
    url: str
    attribution: str
    share_alike: bool

    @classmethod
    def of(cls, licence: Licence) -> LicenceModel:
        """From a licence of the ground floor."""
        return cls(
            id=licence.id,
            title=licence.title,
            url=licence.url,
            attribution=licence.attribution,
            share_alike=licence.share_alike,
        )


class SourceModel(Model):
    """One origin of data."""

    id: str
    title: str
    publisher: str
    url: str
    date: str = Field(description="the data's own date, ISO 8601; empty where it states none")
    note: str
    licence: LicenceModel

    @classmethod
    def of(cls, source: Source) -> SourceModel:
        """From a source of the ground floor."""
        return cls(
            id=source.id,
            title=source.title,
            publisher=source.publisher,
            url=source.url,
            date=source.date,
            note=source.note,
            licence=LicenceModel.of(source.licence),
        )


class BoundsModel(Model):
    """A rectangle in the twin's own frame, metres."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


Position = list[float]
LonLatBox = tuple[float, float, float, float]


class Polygon(Model):
    """GeoJSON polygon, longitude and latitude."""

    type: Literal["Polygon"] = "Polygon"
    coordinates: list[list[Position]]


class Geometry(BaseModel):
    """Any GeoJSON geometry (RFC 7946), longitude and latitude."""

    type: Literal[
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    ]
    coordinates: list[object] = Field(default_factory=list)


#: How a day is written in the OpenAPI document; the process says itself what is wrong with one.
DAY: dict[str, JsonValue] = {
    "format": "date",
    "pattern": r"^(19[5-9]\d|20\d\d|2100)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
}
Scalar = str | int | float | bool | None


class Feature(BaseModel):
    """One GeoJSON feature; its geometry is null in plain tables."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry | None
    properties: dict[str, Scalar]
    links: list[Link] = Field(default_factory=list)
