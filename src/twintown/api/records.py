"""The layers as records: OGC API - Records (20-004r1). The collection `catalogue` of every twin, one record a layer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twintown.api import answers, dates, extents, layer_links, problems
from twintown.api.collections import Catalogue, keywords, sentence
from twintown.api.guard import Asked, Reading
from twintown.api.items_query import DEFAULT_LIMIT, MAX_LIMIT, interval
from twintown.api.landing import base
from twintown.api.patterns import WORDS
from twintown.api.represent import (
    GEO_OFFERS,
    GEOJSON,
    HTML,
    JSON,
    Form,
    Shown,
    ShownGeo,
    absolute,
    here,
    own_links,
    represent,
    word,
)
from twintown.api.schemas import Link
from twintown.api.stac_models import Box, Time
from twintown.ground.crs import parse_bbox
from twintown.ground.errors import NotFound
from twintown.products.catalogue import licence_id
from twintown.query.query import Interval, LonLat
from twintown.twin.layers import LayerVersion

router = APIRouter(tags=["catalogue"])
ID = "catalogue"
_SPEC = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf"
CONFORMANCE = (
    f"{_SPEC}/record-core",
    f"{_SPEC}/record-collection",
    f"{_SPEC}/record-core-query-parameters",
    f"{_SPEC}/searchable-catalog",
    f"{_SPEC}/json",
    f"{_SPEC}/html",
)
_LANGUAGES = [{"code": "en", "name": "English"}, {"code": "ko", "name": "한국어"}]


class Record(BaseModel):
    """What is known of a layer, as GeoJSON."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["Feature"]
    id: str
    conformsTo: list[str]
    time: dict[str, Any] | None = Field(description="when its data are of; null where nobody says")
    geometry: dict[str, Any] | None = Field(description="the rectangle around it; null where it lies nowhere")
    properties: dict[str, Any]
    links: list[Link]


class RecordCollection(BaseModel):
    """A page of records."""

    type: Literal["FeatureCollection"]
    timeStamp: str
    numberMatched: int
    numberReturned: int
    features: list[Record]
    links: list[Link]


def record(request: Request, version: LayerVersion, asked: Asked, form: Form) -> dict[str, Any]:
    """The record of a layer."""
    twin, lang = asked.served.twin, form.lang
    root = absolute(request, base(asked.served.id))
    layer = f"{root}/collections/{version.layer}"
    provenance = version.provenance
    publishers = {source.publisher: source.url for source in reversed(provenance.sources)}
    links = [
        {"href": layer, "rel": "about", "type": JSON, "title": "the layer"},
        *(
            link.model_dump()
            for link in layer_links.links(layer, version, twin.description.frame)
            if link.rel not in ("self", "alternate")
        ),
    ]
    tiles = f"{version.layer}-3dtiles"
    for product in twin.products(asked.grant):
        if product.product == tiles:
            href = f"{root}/3dtiles/{version.layer}/tileset.json?v={product.version}"
            links.append({"href": href, "rel": "tiles", "type": JSON, "title": "3D Tiles"})
    when = extents.span(version, asked) or dates.of_sources(version)
    box = version.bbox_lonlat
    return {
        "type": "Feature",
        "id": version.layer,
        "conformsTo": [f"{_SPEC}/record-core"],
        "time": None if when is None else {"interval": [extents.stamp(when[0]), extents.stamp(when[1])]},
        "geometry": None if box is None else dates.polygon(box),
        "properties": {
            "type": "dataset",
            "title": word(version.title, lang),
            "description": sentence(version, lang),
            "keywords": keywords(version),
            "language": next(one for one in _LANGUAGES if one["code"] == lang),
            "languages": _LANGUAGES,
            "resourceLanguages": _LANGUAGES,
            "created": extents.stamp(version.built_at),
            "updated": extents.stamp(version.built_at),
            "license": licence_id(provenance.licences),
            "rights": " · ".join(
                dict.fromkeys(one.attribution or one.title for one in provenance.licences)
            ),
            "contacts": [
                {
                    "organization": name,
                    "roles": ["publisher"],
                    **({"links": [{"href": url, "rel": "about", "type": HTML}]} if url else {}),
                }
                for name, url in reversed(publishers.items())
            ],
            "formats": [
                {"name": title, "mediaType": media_type}
                for _, media_type, title in layer_links.formats(version, twin.description.frame)
            ],
            "externalIds": [
                {"scheme": "STAC", "value": f"{asked.served.id}.{version.layer}.{version.version}"},
                {"scheme": "sha256", "value": version.digest.removeprefix("sha256:")},
            ],
            "version": version.version,
            "kind": version.kind,
            "count": version.count,
            "grade": version.grade.value,
        },
        "links": links,
    }  # fmt: skip


@router.get(
    "/twins/{twin}/collections/catalogue",
    operation_id="getCatalogue",
    response_model=Catalogue,
    responses=problems.responses(400, 401, 404, 406),
)
def get_catalogue(request: Request, asked: Reading, form: Shown) -> Response:
    """The catalogue itself: a collection whose items are records, one a layer."""
    return represent(request, Catalogue.of(request, asked, form), form, "collection")


@router.get(
    "/twins/{twin}/collections/catalogue/items",
    operation_id="listRecords",
    response_model=RecordCollection,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 404, 406),
)
def list_records(
    request: Request,
    asked: Reading,
    form: ShownGeo,
    bbox: Box = None,
    datetime: Time = None,
    q: Annotated[
        str | None,
        Query(
            description="words in title, description or keywords; a comma means or, spaces keep words together",
            max_length=200,
        ),
    ] = None,
    type: Annotated[
        str | None,
        Query(description="kinds of resources, joined by commas", max_length=200, pattern=WORDS),
    ] = None,
    ids: Annotated[
        str | None,
        Query(description="ids of records, joined by commas", max_length=4000, pattern=WORDS),
    ] = None,
    externalIds: Annotated[
        str | None,
        Query(
            description="external ids, joined by commas, with or without `scheme:`",
            max_length=4000,
            pattern=WORDS,
        ),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, description=f"records a page; more than {MAX_LIMIT} gives {MAX_LIMIT}")
    ] = DEFAULT_LIMIT,
    offset: Annotated[int, Query(ge=0, le=2**31, description="records to pass over")] = 0,
) -> Response:
    """Records by place, time and words."""
    found = [record(request, version, asked, form) for version in asked.served.twin.layers(asked.grant)]
    boxes = parse_bbox(bbox) if bbox else ()  # an empty field of a form asks for nothing
    when = interval(datetime) if datetime else None
    found = [one for one in found if _meets(one, boxes, when) and _says(one, q)]
    for text, held in ((type, _types), (ids, _ids), (externalIds, _external)):
        if text is not None:
            wanted = {part.strip() for part in text.split(",")}
            found = [one for one in found if wanted & held(one)]
    limit = min(limit, MAX_LIMIT)
    page = found[offset : offset + limit]
    links: list[dict[str, Any]] = own_links(request, form.format, GEO_OFFERS)
    if offset + limit < len(found):
        links.append({"href": here(request, offset=str(offset + limit)), "rel": "next", "type": GEOJSON})
    if offset:
        links.append(
            {"href": here(request, offset=str(max(0, offset - limit))), "rel": "prev", "type": GEOJSON}
        )
    about = absolute(request, f"{base(asked.served.id)}/collections/{ID}")
    links.append({"href": about, "rel": "collection", "type": JSON, "title": "the catalogue"})
    value = {
        "type": "FeatureCollection",
        "timeStamp": dates.now(),
        "numberMatched": len(found),
        "numberReturned": len(page),
        "features": page,
        "links": links,
    }
    return represent(request, value, form, "items", media_type=GEOJSON)


@router.get(
    "/twins/{twin}/collections/catalogue/items/{item}",
    operation_id="getRecord",
    response_model=Record,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 403, 404, 406),
)
def get_record(
    request: Request,
    asked: Reading,
    form: ShownGeo,
    item: Annotated[
        str,
        Path(
            description="id of the record, which is that of the layer", max_length=64, examples=["buildings"]
        ),
    ],
) -> Response:
    """The record of one layer."""
    try:
        version = asked.served.twin.version(item, asked.grant)
    except NotFound:
        raise NotFound(
            f"the catalogue has no record {item[:64]!r}", remedy="GET its items lists them"
        ) from None
    value = record(request, version, asked, form)
    root = absolute(request, base(asked.served.id))
    value["links"] = [
        *own_links(request, form.format, GEO_OFFERS),
        {"href": f"{root}/collections/{ID}", "rel": "collection", "type": JSON, "title": "the catalogue"},
        *value["links"],
    ]
    return represent(request, value, form, "item", media_type=GEOJSON)


def _meets(one: dict[str, Any], boxes: tuple[LonLat, ...], when: Interval | None) -> bool:
    """What lies nowhere meets no box; what has no time meets every interval (OGC 17-069r4, 7.15.4)."""
    if boxes:
        if one["geometry"] is None:
            return False
        ring = one["geometry"]["coordinates"][0]
        if not any(dates.overlap((*ring[0], *ring[2]), box) for box in boxes):
            return False
    if when is None or one["time"] is None:
        return True
    first, last = (interval(end)[0] for end in one["time"]["interval"])
    return dates.meets((first, last), when)


def _says(one: dict[str, Any], q: str | None) -> bool:
    if not q:
        return True
    said = one["properties"]
    text = " ".join([one["id"], said["title"], said["description"], *said["keywords"]]).casefold()
    terms = [" ".join(term.split()).casefold() for term in q.split(",")]
    return any(term in text for term in terms if term)


def _types(one: dict[str, Any]) -> set[str]:
    return {one["properties"]["type"]}


def _ids(one: dict[str, Any]) -> set[str]:
    return {one["id"]}


def _external(one: dict[str, Any]) -> set[str]:
    known = one["properties"]["externalIds"]
    return {name for each in known for name in (each["value"], f"{each['scheme']}:{each['value']}")}
