"""What the STAC API is asked and answers with, for the OpenAPI document; the bodies themselves are made as the standard has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from twintown.api import patterns
from twintown.api.patterns import WORDS
from twintown.api.stac_search import MAX_LIMIT

Limit = Annotated[int, Query(ge=1, description=f"items a page; more than {MAX_LIMIT} gives {MAX_LIMIT}")]
Token = Annotated[str | None, Query(description="from the link to the next page", max_length=200)]
Box = Annotated[
    str | None,
    Query(
        description="items that meet west,south,east,north, degrees",
        max_length=200,
        json_schema_extra=patterns.BBOX_FIELD,
    ),
]
When = Annotated[
    str | None,
    Query(
        description="items of this instant or interval, RFC 3339 with a time of day",
        max_length=100,
        json_schema_extra=patterns.MOMENT_FIELD,
    ),
]
Time = Annotated[
    str | None,
    Query(
        description="records whose data are of this instant or interval, RFC 3339",
        max_length=100,
        json_schema_extra=patterns.DATETIME_FIELD,
    ),
]
Kind = Annotated[
    str, Path(description="id of the collection, a kind of layer", max_length=64, examples=["features"])
]
ItemIds = Annotated[
    str | None, Query(description="ids of items, joined by commas", max_length=8000, pattern=WORDS)
]
CollectionIds = Annotated[
    str | None, Query(description="ids of collections, joined by commas", max_length=500, pattern=WORDS)
]
Shape = Annotated[
    str | None,
    Query(
        description="items that meet a GeoJSON geometry; a long one is sent by POST",
        max_length=3000,
        json_schema_extra=patterns.OBJECT,
    ),
]


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
