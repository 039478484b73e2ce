"""What may be asked of vector tiles: the parameters as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from twintown.api import patterns

Token = Annotated[
    str | None,
    Query(
        description="version of the layer with its edits; makes the address immutable",
        max_length=80,
        json_schema_extra=patterns.TOKEN,
    ),
]
Tokens = Annotated[
    str | None,
    Query(
        description="versions of the layers together; makes the address immutable",
        max_length=80,
        pattern=patterns.TOKENS,
    ),
]
Shape = Annotated[Literal["mvt"] | None, Query(description="format of the tile")]
Filter = Annotated[
    str | None,
    Query(alias="filter", description="condition in CQL2 on the rows that are drawn", max_length=16_000),
]
FilterLang = Annotated[
    Literal["cql2-text", "cql2-json"] | None, Query(alias="filter-lang", description="language of `filter`")
]
FilterCrs = Annotated[
    str | None,
    Query(
        alias="filter-crs",
        description="CRS of the places in `filter`",
        max_length=100,
        json_schema_extra=patterns.CRS,
    ),
]
Properties = Annotated[
    str | None, Query(description="columns that features carry besides `id`", max_length=4_000)
]
Moment = Annotated[
    str | None,
    Query(description="instant or interval (RFC 3339)", max_length=100, json_schema_extra=patterns.DATETIME),
]
Several = Annotated[
    str | None,
    Query(
        description="ids of layers, the first is drawn first; all without it",
        max_length=4_000,
        pattern=patterns.WORDS,
    ),
]
TilesetForm = Annotated[
    Literal["json", "html", "tilejson"] | None,
    Query(description="representation; without it the header Accept decides"),
]
