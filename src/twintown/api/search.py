"""Search by name, Korean and English: one small index a twin, made once for each set of versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Reading
from twintown.api.names import NAMES, Index, named
from twintown.api.schemas import Model, Names
from twintown.api.shelf import Served, terms
from twintown.trust.policy import Grant
from twintown.twin.layers import LayerVersion

router = APIRouter(tags=["search"])
#: Whoever types a name looks for a place or a building before a road or a row of a table.
_FIRST = ("places", "towns", "neighbourhoods", "stations", "buildings", "schools", "hospitals", "roads")
#: Layers whose rows are answers, parts of other rows or measurements: they have no names of their own.
_NAMELESS = {"building-parts", "findings", "facades"}
#: Rows of a layer whose names are held in memory; larger layers are asked with a filter.
MOST_ROWS = 300_000


class SearchResult(Model):
    """Something that has a name."""

    id: str
    layer: str
    names: Names
    kind: str
    lon: float
    lat: float
    height_m: float | None = Field(description="of its highest point above the ground, m, where it is known")


class SearchResults(Model):
    """What was found, best first."""

    results: list[SearchResult]


def index(served: Served, grant: Grant) -> Index:
    """The index of the versions that are current now."""
    layers = [
        layer
        for layer in served.twin.layers(grant)
        if layer.kind == "features"
        and layer.layer not in _NAMELESS
        and _has_names(layer)
        and layer.count <= MOST_ROWS
    ]

    def make() -> Index:
        return Index(
            [
                named(one.layer, served.view(one, grant), _place(one.layer), one.layer == "roads")
                for one in layers
            ]
        )

    key = ("search", terms(grant), tuple((one.layer, served.view(one, grant).token) for one in layers))
    return served.bodies.get(key, make)


def _place(layer: str) -> int:
    return _FIRST.index(layer) if layer in _FIRST else len(_FIRST)


def _has_names(layer: LayerVersion) -> bool:
    columns = {column["name"] for column in layer.meta.get("columns", [])}
    return not columns.isdisjoint(NAMES)


@router.get(
    "/twins/{twin}/search",
    operation_id="search",
    response_model=SearchResults,
    responses=problems.responses(400, 401, 404),
)
def search(
    request: Request,
    asked: Reading,
    q: Annotated[
        str, Query(min_length=1, max_length=100, description="part of a name", examples=["롯데월드타워"])
    ],
    limit: Annotated[int, Query(ge=1, le=100, description="names in the answer")] = 10,
) -> Response:
    """Named things of a twin by part of a name; case, spaces and punctuation do not matter."""
    return answers.answer_json(request, SearchResults(results=_find(asked, q, limit)))


def _find(asked: Asked, text: str, limit: int) -> list[SearchResult]:
    return [
        SearchResult(names=Names(ko=row.pop("ko"), en=row.pop("en")), **row)
        for row in index(asked.served, asked.grant).find(text, limit)
    ]
