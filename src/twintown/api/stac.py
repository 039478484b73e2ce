"""STAC API 1.0 over the layers of a twin: the same catalogue for the clients of earth observation."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api import answers, conformance, dates, problems
from twintown.api.guard import Asked, Reading
from twintown.api.landing import OPENAPI_30, OPENAPI_31, REL, base
from twintown.api.represent import GEOJSON, HTML, JSON, Form, Shown, ShownGeo, absolute, here, represent, word
from twintown.api.stac_items import KINDS, VERSION, Place, collections, items
from twintown.api.stac_models import (
    Box,
    CollectionIds,
    ItemIds,
    Kind,
    Limit,
    Shape,
    StacCatalog,
    StacCollection,
    StacCollections,
    StacItem,
    StacItems,
    Token,
    When,
)
from twintown.api.stac_search import DEFAULT_LIMIT, Search, found, parse_numbers, parse_words
from twintown.ground.errors import BadParameter, NotFound

router = APIRouter(tags=["stac"])
_SPEC = "https://api.stacspec.org/v1.0.0"
CONFORMANCE = (
    f"{_SPEC}/core",
    f"{_SPEC}/collections",
    f"{_SPEC}/ogcapi-features",
    f"{_SPEC}/item-search",
)
_OGC = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
#: What the landing page of the STAC API says; the same classes and those of OGC that it rests on.
CLASSES = [*CONFORMANCE, f"{_OGC}/core", f"{_OGC}/geojson", f"{_OGC}/oas30"]


def _place(request: Request, asked: Asked, form: Form) -> Place:
    return Place(absolute(request, base(asked.served.id)), asked, form.lang)


def _link(rel: str, href: str, media_type: str, title: str = "", **more: Any) -> dict[str, Any]:
    return {"rel": rel, "href": href, "type": media_type, **({"title": title} if title else {}), **more}


@router.get("/twins/{twin}/stac/", include_in_schema=False)
@router.get(
    "/twins/{twin}/stac",
    operation_id="getStac",
    response_model=StacCatalog,
    responses=problems.responses(400, 401, 404, 406),
)
def get_stac(request: Request, asked: Reading, form: Shown) -> Response:
    """The landing page of the STAC API: a catalog of the twin's layers."""
    place = _place(request, asked, form)
    about = asked.served.twin.description
    root, stac = place.root, place.stac
    links = [
        _link("self", stac, JSON),
        _link("alternate", f"{stac}?f=html", HTML),
        _link("root", stac, JSON, word(about.names, form.lang)),
        _link("data", f"{stac}/collections", JSON, "collections"),
        _link("conformance", f"{stac}/conformance", JSON, "conformance"),
        _link("search", f"{stac}/search", GEOJSON, "search", method="GET"),
        _link("search", f"{stac}/search", GEOJSON, "search", method="POST"),
        _link(f"{REL}queryables", f"{stac}/queryables", "application/schema+json", "queryables"),
        _link("service-desc", f"{root}/api", OPENAPI_31, "OpenAPI 3.1"),
        _link("service-desc", f"{root}/api?f=openapi30", OPENAPI_30, "OpenAPI 3.0"),
        _link("service-doc", f"{root}/api?f=html", HTML, "operations"),
        _link("about", root, JSON, "the twin"),
    ]
    for one in collections(place, items(place)):
        links.append(_link("child", place.collection(one["id"]), JSON, one["title"]))
    value = {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": asked.served.id,
        "title": word(about.names, form.lang),
        "description": word(about.summary, form.lang),
        "conformsTo": CLASSES,
        "links": links,
    }
    return represent(request, value, form, "stac")


@router.get(
    "/twins/{twin}/stac/conformance",
    operation_id="getStacConformance",
    response_model=conformance.Conformance,
    responses=problems.responses(400, 401, 404, 406),
)
def get_stac_conformance(request: Request, asked: Reading, form: Shown) -> Response:
    """The conformance classes of the STAC API."""
    return represent(request, {"conformsTo": CLASSES, "links": []}, form, "conformance")


@router.get(
    "/twins/{twin}/stac/queryables",
    operation_id="getStacQueryables",
    response_model=dict[str, Any],
    response_class=answers.SchemaJSON,
    responses=problems.responses(400, 401, 404, 406),
)
def get_stac_queryables(request: Request, asked: Reading, form: Shown) -> Response:
    """What a search can ask for, as JSON Schema: the search takes these as its own parameters."""
    place = _place(request, asked, form)
    value = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{place.stac}/queryables",
        "type": "object",
        "title": "STAC",
        "description": "ids, collections, bbox or intersects, and datetime of a search",
        "properties": {
            "id": {"type": "string", "title": "id"},
            "collection": {"type": "string", "title": "collection", "enum": list(KINDS)},
            "geometry": {"title": "geometry", "format": "geometry-polygon", "x-ogc-role": "primary-geometry"},
            "datetime": {"title": "datetime", "type": "string", "format": "date-time"},
        },
        "additionalProperties": False,
    }
    return represent(request, value, form, "schema", media_type="application/schema+json")


@router.get(
    "/twins/{twin}/stac/collections",
    operation_id="listStacCollections",
    response_model=StacCollections,
    responses=problems.responses(400, 401, 404, 406),
)
def list_stac_collections(request: Request, asked: Reading, form: Shown) -> Response:
    """The STAC collections: one a kind of layer."""
    place = _place(request, asked, form)
    links = [
        _link("self", f"{place.stac}/collections", JSON),
        _link("alternate", f"{place.stac}/collections?f=html", HTML),
        _link("root", place.stac, JSON),
        _link("parent", place.stac, JSON),
    ]
    value = {"collections": collections(place, items(place)), "links": links}
    return represent(request, value, form, "stac")


@router.get(
    "/twins/{twin}/stac/collections/{kind}",
    operation_id="getStacCollection",
    response_model=StacCollection,
    responses=problems.responses(400, 401, 404, 406),
)
def get_stac_collection(request: Request, asked: Reading, form: Shown, kind: Kind) -> Response:
    """One STAC collection."""
    place = _place(request, asked, form)
    return represent(request, _one(place, kind), form, "stac")


def _one(place: Place, kind: str) -> dict[str, Any]:
    known = {one["id"]: one for one in collections(place, items(place))}
    if kind not in known:
        here = f"the collections are {', '.join(known)}"
        raise NotFound(f"there is no STAC collection {kind[:64]!r}", remedy=here)
    return known[kind]


@router.get(
    "/twins/{twin}/stac/collections/{kind}/items",
    operation_id="listStacItems",
    response_model=StacItems,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 404, 406),
)
def list_stac_items(
    request: Request,
    asked: Reading,
    form: ShownGeo,
    kind: Kind,
    bbox: Box = None,
    datetime: When = None,
    limit: Limit = DEFAULT_LIMIT,
    token: Token = None,
) -> Response:
    """The items of a STAC collection."""
    place = _place(request, asked, form)
    _one(place, kind)
    wanted = Search(collections=[kind], bbox=parse_numbers(bbox), datetime=datetime, limit=limit, token=token)
    about = [_link(rel, place.collection(kind), JSON) for rel in ("parent", "collection")]
    return _page(request, place, form, wanted, about)


@router.get(
    "/twins/{twin}/stac/collections/{kind}/items/{item}",
    operation_id="getStacItem",
    response_model=StacItem,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 404, 406),
)
def get_stac_item(
    request: Request,
    asked: Reading,
    form: ShownGeo,
    kind: Kind,
    item: Annotated[str, Path(description="id of the item", max_length=200)],
) -> Response:
    """One STAC item."""
    for one in items(_place(request, asked, form)):
        if one["collection"] == kind and one["id"] == item:
            return represent(request, one, form, "stac-item", media_type=GEOJSON)
    raise NotFound(
        f"there is no STAC item {item[:80]!r} in {kind[:64]!r}",
        remedy="items are current versions of layers; GET the items of the collection",
    )


@router.get(
    "/twins/{twin}/stac/search",
    operation_id="searchStac",
    response_model=StacItems,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 404, 406),
)
def search_stac(
    request: Request,
    asked: Reading,
    form: ShownGeo,
    ids: ItemIds = None,
    collections: CollectionIds = None,
    bbox: Box = None,
    intersects: Shape = None,
    datetime: When = None,
    limit: Limit = DEFAULT_LIMIT,
    token: Token = None,
) -> Response:
    """Search the items of all collections."""
    geometry = None
    if intersects is not None:
        try:
            geometry = answers.loads(intersects.encode("utf-8", "replace"))
        except ValueError:
            geometry = ""
        if not isinstance(geometry, dict):
            raise BadParameter("intersects", "is no JSON object", remedy="write a GeoJSON geometry")
    wanted = Search.of(
        ids=parse_words(ids),
        collections=parse_words(collections),
        bbox=parse_numbers(bbox),
        intersects=geometry,
        datetime=datetime,
        limit=limit,
        token=token,
    )
    return _page(request, _place(request, asked, form), form, wanted, [])


@router.post(
    "/twins/{twin}/stac/search",
    operation_id="postStacSearch",
    response_model=StacItems,
    response_class=answers.GeoJSON,
    responses=problems.responses(400, 401, 404, 406, 413),
)
def post_search(request: Request, asked: Reading, form: ShownGeo, wanted: Search) -> Response:
    """Search the items of all collections; the conditions stand in the body."""
    return _page(request, _place(request, asked, form), form, wanted, [])


def _page(
    request: Request, place: Place, form: Form, wanted: Search, about: list[dict[str, Any]]
) -> Response:
    """A page of items; its `next` repeats the question with the token of the next page."""
    page = found(items(place), wanted)
    links = [_link("self", here(request), GEOJSON), _link("root", place.stac, JSON), *about]
    if page.token is not None and request.method == "POST":
        body = {**wanted.model_dump(exclude_none=True), "token": page.token}
        links.append(_link("next", here(request), GEOJSON, method="POST", body=body, merge=False))
    elif page.token is not None:
        links.append(_link("next", here(request, token=page.token), GEOJSON, method="GET"))
    value = {
        "type": "FeatureCollection",
        "timeStamp": dates.now(),
        "numberMatched": page.matched,
        "numberReturned": len(page.items),
        "features": page.items,
        "links": links,
    }
    return represent(request, value, form, "stac-items", media_type=GEOJSON, cache="no-store")
