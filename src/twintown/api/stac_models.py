"""What the STAC API answers with, for the OpenAPI document; the bodies themselves are made as the standard has them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class StacCatalog(BaseModel):
    """The landing page: a STAC Catalog."""

    model_config = ConfigDict(extra="allow")

    type: Literal["Catalog"]
    stac_version: str
    id: str
    title: str
    description: str
    conformsTo: list[str]
    links: list[dict[str, Any]]


class StacCollection(BaseModel):
    """A STAC Collection."""

    model_config = ConfigDict(extra="allow")

    type: Literal["Collection"]
    stac_version: str
    id: str
    title: str
    description: str
    license: str
    extent: dict[str, Any]
    links: list[dict[str, Any]]


class StacCollections(BaseModel):
    """All STAC Collections."""

    collections: list[StacCollection]
    links: list[dict[str, Any]]


class StacItem(BaseModel):
    """A STAC Item: the current version of a layer."""

    model_config = ConfigDict(extra="allow")

    type: Literal["Feature"]
    stac_version: str
    id: str
    collection: str
    geometry: dict[str, Any] | None
    properties: dict[str, Any]
    assets: dict[str, dict[str, Any]]
    links: list[dict[str, Any]]


class StacItems(BaseModel):
    """A page of STAC Items."""

    type: Literal["FeatureCollection"]
    timeStamp: str
    numberMatched: int
    numberReturned: int
    features: list[StacItem]
    links: list[dict[str, Any]] = Field(
        description="`next` leads on; a POST repeats its body with the token in it"
    )
