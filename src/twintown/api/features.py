"""The rows of a layer as GeoJSON: pages by place and by value, and one row by id."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import OPEN_ENDED, LayerId, Reading, refuse_unknown
from twintown.api.landing import base
from twintown.api.lane import Short
from twintown.api.rows import LonLat
from twintown.api.schemas import BBOX, Feature, Link
from twintown.ground.errors import BadParameter

router = APIRouter(tags=["features"])
SHORTS: tuple[Short, ...] = ()
MAX_PAGE = 10_000
_OWN = {"bbox", "limit", "offset"}


class FeatureCollection(BaseModel):
    """One page of features."""

    type: Literal["FeatureCollection"]
    numberMatched: int
    numberReturned: int
    features: list[Feature]
    links: list[Link]


def parse_bbox(text: str) -> list[LonLat]:
    """`west,south,east,north` in degrees as one box, or two where it crosses the antimeridian; six numbers drop heights.

    Raises:
        BadParameter: naming what is wrong with it.
    """

    def bad(what: str) -> BadParameter:
        return BadParameter(
            "bbox", what, remedy="write west,south,east,north in degrees, such as 127.09,37.50,127.12,37.52"
        )

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise bad(f"{text[:80]!r} is not a list of numbers") from None
    if len(numbers) not in (4, 6):
        raise bad(f"{len(numbers)} numbers instead of 4 or 6")
    if not all(math.isfinite(number) for number in numbers):
        raise bad("numbers must be finite")
    west, south, east, north = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    if abs(south) > 90 or abs(north) > 90:
        raise bad("a latitude beyond 90; longitude comes first")
    if abs(west) > 180 or abs(east) > 180:
        raise bad("a longitude beyond 180")
    if south > north:
        raise bad("south is above north")
    return (
        [(west, south, east, north)]
        if west <= east
        else [(west, south, 180.0, north), (-180.0, south, east, north)]
    )


def _page_links(here: str, asked: Mapping[str, str], offset: int, limit: int, matched: int) -> list[Link]:
    def link(rel: str, start: int) -> Link:
        query = urlencode(
            {**{k: v for k, v in asked.items() if k != "offset"}, **({"offset": start} if start else {})}
        )
        return Link(href=f"{here}?{query}" if query else here, rel=rel, type=answers.GeoJSON.media_type)

    links = [link("self", offset)]
    if offset + limit < matched:
        links.append(link("next", offset + limit))
    if offset > 0:
        links.append(link("prev", max(0, offset - limit)))
    return [*links, Link(href=here.removesuffix("/items"), rel="collection", type="application/json")]


@router.get(
    "/twins/{twin}/collections/{layer}/items",
    operation_id="listItems",
    response_model=FeatureCollection,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 403, 404),
    openapi_extra={OPEN_ENDED: "every column of the layer is a query parameter too: {column}={value}"},
)
def list_items(
    request: Request,
    asked: Reading,
    layer: LayerId,
    bbox: Annotated[
        str | None,
        Query(description="west,south,east,north, degrees", max_length=200, json_schema_extra=BBOX),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, description=f"rows a page; more than {MAX_PAGE} gives {MAX_PAGE}")
    ] = 100,
    offset: Annotated[int, Query(ge=0, le=2**53, description="rows to pass over")] = 0,
) -> Response:
    """A page of the layer's rows, in the order of the layer; `{column}={value}` keeps rows with that value."""
    served, grant = asked.served, asked.grant
    version = served.twin.version(layer, grant)
    rows = served.rows(version, grant)
    refuse_unknown(request, _OWN | set(rows.columns))
    limit = min(limit, MAX_PAGE)
    etag = answers.tag(version.version, grant.grade, *sorted(request.query_params.items()))
    if answers.unchanged(request, etag):
        return answers.not_modified(etag, answers.REVALIDATE)
    where = {name: value for name, value in request.query_params.items() if name not in _OWN}
    found = rows.select(parse_bbox(bbox) if bbox is not None else [], where)
    page = [rows.encoded(int(i)) for i in found[offset : offset + limit]]
    here = f"{base(served.id)}/collections/{version.layer}/items"
    links = _page_links(here, dict(request.query_params), offset, limit, len(found))
    body = (
        b'{"type":"FeatureCollection","numberMatched":%d,"numberReturned":%d,"links":%b,"features":[%b]}'
        % (
            len(found),
            len(page),
            answers.dumps([link.model_dump(exclude_none=True) for link in links]),
            b",".join(page),
        )
    )
    return answers.answer(request, body, answers.GeoJSON.media_type, etag=etag)


@router.get(
    "/twins/{twin}/collections/{layer}/items/{item:path}",
    operation_id="getItem",
    response_model=Feature,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 403, 404),
)
def get_item(
    request: Request,
    asked: Reading,
    layer: LayerId,
    item: Annotated[str, Path(description="id of the row; slashes in it stay", examples=["way/123"])],
) -> Response:
    """One row by its id."""
    served = asked.served
    version = served.twin.version(layer, asked.grant)
    here = f"{base(served.id)}/collections/{version.layer}"
    links = [
        Link(href=f"{here}/items/{quote(item, safe='/')}", rel="self", type=answers.GeoJSON.media_type),
        Link(href=here, rel="collection", type="application/json"),
    ]
    body = served.rows(version, asked.grant).one(item)[:-1] + b',"links":%b}' % answers.dumps(
        [link.model_dump(exclude_none=True) for link in links]
    )
    return answers.answer(
        request, body, answers.GeoJSON.media_type, etag=answers.tag(version.version, asked.grant.grade, item)
    )
