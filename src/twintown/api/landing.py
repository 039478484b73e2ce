"""The landing pages: the list of twins, and each twin as the root of an OGC API of its own."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twintown.api import problems
from twintown.api.guard import OnShelf, Reading
from twintown.api.represent import HTML, JSON, Form, Shown, absolute, represent
from twintown.api.schemas import Link, Names
from twintown.api.twins import TwinModel, Twins, TwinSummary, base, box, describe
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Grant, Resource
from twintown.twin.layers import Twin

__all__ = ["base", "router"]
router = APIRouter(tags=["twins"])

OPENAPI_31 = "application/vnd.oai.openapi+json;version=3.1"
OPENAPI_30 = "application/vnd.oai.openapi+json;version=3.0"
#: What OGC calls the relation between a resource and another.
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
)


class Root:
    """At `/` people find the page, and programs that ask for JSON the list of twins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/":
            accept = Headers(scope=scope).get("accept", "")
            if "json" in accept and HTML not in accept:
                scope = {**scope, "path": "/twins", "raw_path": b"/twins"}
        await self.app(scope, receive, send)


@router.get("/twins", operation_id="listTwins", response_model=Twins, responses=problems.responses(400, 406))
def list_twins(request: Request, opened: OnShelf, form: Shown) -> Response:
    """The twins that this server shows, in the order in which it was given them: the page opens the first."""
    return represent(request, twins(request, opened, form), form, "twins")


def twins(request: Request, opened: OnShelf, form: Form) -> Twins:
    """All twins that anyone may see."""
    shown = []
    for name, served in opened.shelf.twins.items():
        if not opened.decide(ANYONE, "read", Resource(name)).allowed:
            continue
        about = served.twin.description
        title = about.names.ko if form.lang == "ko" else about.names.en
        link = Link(href=absolute(request, base(name)), rel="item", type=JSON, title=title)
        shown.append(
            TwinSummary(
                id=name,
                title=title,
                names=Names.of(about.names),
                kind=about.kind,  # type: ignore[arg-type]
                summary=Names.of(about.summary),
                bounds_lonlat=box(served.twin),
                links=[link],
            )
        )
    here = absolute(request, "/twins")
    links = [
        Link(href=here, rel="self", type=JSON, title="the twins of this server"),
        Link(href=f"{here}?f=html", rel="alternate", type=HTML, title="the twins of this server, for people"),
        Link(
            href=absolute(request, "/openapi.json"), rel="service-desc", type=OPENAPI_31, title="OpenAPI 3.1"
        ),
    ]
    return Twins(twins=shown, links=links)


@router.get("/twins/{twin}/", include_in_schema=False)
@router.get(
    "/twins/{twin}",
    operation_id="getTwin",
    response_model=TwinModel,
    responses=problems.responses(400, 401, 404, 406),
)
def get_twin(request: Request, asked: Reading, form: Shown) -> Response:
    """One twin: its place, its ground, what is assumed, its layers; the landing page of its API."""
    twin = asked.served.twin
    links = _links(request, twin, asked.grant)
    return represent(request, describe(twin, asked.grant, form.lang, links), form, "landing")


def _links(request: Request, twin: Twin, grant: Grant) -> list[Link]:
    """Where to go on from a twin."""
    here = absolute(request, base(twin.description.id))

    def link(rel: str, path: str, title: str, media_type: str = JSON) -> Link:
        return Link(href=f"{here}{path}", rel=rel, type=media_type, title=title)

    links = [
        link("service-desc", "/api?f=openapi30", "OpenAPI 3.0 of this twin", OPENAPI_30),
        link("service-desc", "/api", "OpenAPI 3.1 of this twin", OPENAPI_31),
        link("service-doc", "/api?f=html", "operations of this twin, for people", HTML),
        link("conformance", "/conformance", "what this API conforms to"),
        link(f"{REL}conformance", "/conformance", "what this API conforms to"),
        link("data", "/collections", "layers"),
        link(f"{REL}data", "/collections", "layers"),
        link(f"{REL}ogc-catalog", "/collections/catalogue", "the layers as records (OGC API - Records)"),
        link("related", "/stac", "the layers as a STAC API"),
        link(f"{REL}processes", "/processes", "what can be computed (OGC API - Processes)"),
        link(f"{REL}job-list", "/jobs", "jobs"),
        link("search", "/search?q={q}", "search names").model_copy(update={"templated": True}),
        link("related", "/sun", "sun"),
        link(f"{REL}tiling-schemes", "/tileMatrixSets", "tile matrix sets"),
        link(f"{REL}tilesets-vector", "/tiles", "vector tiles"),
        link("related", "/3dtiles", "3D tilesets"),
    ]
    for product in twin.products(grant):
        about = f"?v={product.version}"
        if product.product.endswith("-3dtiles"):
            layer = product.product.removesuffix("-3dtiles")
            links.append(link("tiles", f"/3dtiles/{layer}/tileset.json{about}", layer))
        elif product.product == "base":
            links.append(link("tiles", "/tiles/base", "base"))
            links.append(link("style", "/styles/base", "base"))
    return links
