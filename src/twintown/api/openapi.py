"""The OpenAPI 3.1 document: of the whole server, and of each twin as the root of an API of its own.

Local references only, problems as they are sent, the owner's token as an option, query parameters as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from twintown.api import answers, patterns, problems
from twintown.api.guard import Asked, Reading
from twintown.api.landing import OPENAPI_30, OPENAPI_31, base
from twintown.api.openapi30 import lowered
from twintown.api.problems import Problem
from twintown.api.represent import HTML, VARY, Form, Lang, Language, absolute, language, negotiate, represent
from twintown.ground.crs import supported
from twintown.twin.layers import LayerVersion

router = APIRouter(tags=["twins"])
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
)
DESCRIPTION = """\
City digital twins over HTTP. Reading what is graded O needs no key; the owner of a twin sends its token.
Unknown query parameters are refused with 400. Errors are RFC 9457 problems.
Coordinates in GeoJSON are longitude and latitude (WGS 84) unless `crs` says otherwise; plane coordinates are metres
in the twin's own frame."""
PREFIX = "/twins/{twin}"
_OFFERS = {"json": OPENAPI_31, "openapi30": OPENAPI_30, "html": HTML}
#: Which kinds of layers an address below a layer is for, by what follows `{layer}`.
_KINDS = {
    "items": ("features", "table", "series"),
    "queryables": ("features", "table", "series"),
    "tiles": ("features",),
    "coverage": ("grid",),
    "coverage.zarr": ("grid",),
    "map": ("grid",),
    "styles": ("grid",),
    "series": ("series",),
}
_CLAUSE = re.compile(r"[:;.]\s|[.]$")
_MOST = 100  # layers that are listed by name


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an app; the same routes give the same bytes."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
        tags=app.openapi_tags,
        separate_input_output_schemas=False,
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):  # ours leave as problems with status 400
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    made["components"]["securitySchemes"] = {
        "owner": {"type": "http", "scheme": "bearer", "description": "the token of the twin's owner"}
    }
    made["security"] = [{}, {"owner": []}]
    made["servers"] = [{"url": "/"}]
    for _, operation in operations(made):
        operation["responses"].pop("422", None)
        _written(operation)
        _pages(operation)
        operation["summary"] = _summary(operation)
    app.openapi_schema = made
    return made


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its path."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "put", "post", "delete", "options", "head", "patch"):
                yield path, operation


def offering(document: dict[str, Any], frames: Iterable[str]) -> dict[str, Any]:
    """The document with the CRSs by name that twins offer.

    Args:
        document: it is left as it is.
        frames: the CRS of each twin's frame.
    """
    codes = sorted({one.code for frame in frames for one in supported(frame)})
    if not codes:
        return document
    named, any_crs = patterns.crs(codes), patterns.CRS["pattern"]

    def parameter(one: dict[str, Any]) -> dict[str, Any]:
        found = one.get("schema", {}).get("pattern") == any_crs
        return {**one, "schema": {**one["schema"], "pattern": named}} if found else one

    def operation(one: Any) -> Any:
        if not isinstance(one, dict) or "parameters" not in one:
            return one
        return {**one, "parameters": [parameter(each) for each in one["parameters"]]}

    paths = {
        path: {method: operation(one) for method, one in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}


def _summary(operation: Mapping[str, Any]) -> str:
    """The first clause of what an operation does."""
    first = str(operation.get("description") or operation["operationId"]).strip().splitlines()[0]
    return _CLAUSE.split(first, maxsplit=1)[0].rstrip(".")


def _written(operation: dict[str, Any]) -> None:
    """A query parameter that may be left out is not one that may be null; how lists are written is said."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] != "query":
            continue
        parameter |= {"style": "form", "explode": False}
        schema = parameter["schema"]
        rest = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
        if "anyOf" in schema and len(rest) == 1:
            parameter["schema"] = {**{k: v for k, v in schema.items() if k != "anyOf"}, **rest[0]}


def _pages(operation: dict[str, Any]) -> None:
    """What can be asked for as HTML is sent as HTML."""
    formats = [
        parameter["schema"].get("enum", [])
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "f" and parameter["in"] == "query"
    ]
    if formats and "html" in formats[0]:
        content = operation["responses"]["200"].setdefault("content", {})
        content.setdefault(HTML, {"schema": {"type": "string"}})


def seen_from(
    whole: Mapping[str, Any], title: str, description: str, layers: Sequence[LayerVersion]
) -> dict[str, Any]:
    """The document of one twin: paths below it, without the parameter that names it, with its layers by name.

    Args:
        whole: the document of the server; it is left as it is.
        title: of the twin.
        description: of the twin.
        layers: those that the caller may see.
    """
    made = deepcopy(dict(whole))
    made["info"] |= {"title": title, "description": f"{description}\n\n{DESCRIPTION}"}
    made["paths"] = {
        path.removeprefix(PREFIX) or "/": item
        for path, item in made["paths"].items()
        if path == PREFIX or path.startswith(f"{PREFIX}/")
    }
    for path, operation in operations(made):
        kept = [
            one for one in operation.get("parameters", []) if one["name"] != "twin" or one["in"] != "path"
        ]
        operation["parameters"] = kept
        for parameter in kept:
            if parameter["in"] == "path" and parameter["name"] == "layer":
                _name(parameter, path, layers)
    used = {tag for _, operation in operations(made) for tag in operation.get("tags", [])}
    made["tags"] = [tag for tag in made.get("tags", []) if tag["name"] in used]
    _prune(made)
    return made


def _name(parameter: dict[str, Any], path: str, layers: Sequence[LayerVersion]) -> None:
    """The layers that an address is for."""
    _, _, below = path.partition("/{layer}")
    kinds = _KINDS.get(below.strip("/").partition("/")[0])
    if not path.startswith("/collections/"):
        return  # a tileset is named by its layer too, but not every layer has one
    names = [layer.layer for layer in layers if kinds is None or layer.kind in kinds]
    if names and len(names) <= _MOST:
        parameter["schema"] = {"type": "string", "enum": names}
        parameter["example"] = names[0]
        parameter.pop("examples", None)


def _prune(document: dict[str, Any]) -> None:
    """Leave out schemas that nothing names."""
    schemas = document["components"]["schemas"]
    named: set[str] = set()
    waiting = set(_named(document["paths"]))
    while waiting:
        named |= waiting
        waiting = {below for name in waiting for below in _named(schemas.get(name))} - named
    document["components"]["schemas"] = {name: one for name, one in schemas.items() if name in named}


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.rsplit("/", 1)[-1]
        for part in value.values():
            yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)


def of_twin(request: Request, asked: Asked, lang: Language, low: bool = False) -> dict[str, Any]:
    """The document of a twin as the caller may see it, 3.1, or 3.0 where `low`."""
    served, grant = asked.served, asked.grant
    layers = served.twin.layers(grant)
    about = served.twin.description
    key = ("openapi", low, lang, grant.grade, tuple((layer.layer, layer.kind) for layer in layers))

    def make() -> dict[str, Any]:
        names, summary = (
            (about.names.ko, about.summary.ko) if lang == "ko" else (about.names.en, about.summary.en)
        )
        seen = offering(seen_from(request.app.openapi(), names, summary, layers), [about.frame.crs])
        return lowered(seen) if low else seen

    made: dict[str, Any] = served.bodies.get(key, make)
    return {**made, "servers": [{"url": absolute(request, base(served.id)), "description": about.names.en}]}


@router.get("/openapi.json", include_in_schema=False)
def get_document(request: Request) -> Response:
    """This document."""
    twins = request.app.state.open.shelf.twins.values()
    made = offering(request.app.openapi(), [served.twin.description.frame.crs for served in twins])
    return answers.answer(request, answers.dumps(made), OPENAPI_31)


@router.get(
    "/twins/{twin}/api",
    operation_id="getApi",
    response_class=Response,
    responses={
        200: {
            "description": "the OpenAPI document of the twin: 3.1, or 3.0 where asked for",
            "content": {
                OPENAPI_31: {"schema": {"type": "object"}},
                OPENAPI_30: {"schema": {"type": "object"}},
            },
        },
        **problems.responses(400, 401, 404, 406),
    },
)
def get_api(
    request: Request,
    asked: Reading,
    f: Annotated[
        Literal["json", "openapi30", "html"] | None,
        Query(
            description="OpenAPI 3.1 (json), OpenAPI 3.0.3, or a page; without it the header Accept decides"
        ),
    ] = None,
    lang: Lang = None,
) -> Response:
    """The API of one twin as OpenAPI: generators and test suites take it from here."""
    if f is None and "version=3.0" in request.headers.get("accept", "").replace(" ", ""):
        f = "openapi30"
    form = Form(negotiate(request, _OFFERS, f), language(request, lang))
    value = of_twin(request, asked, form.lang, low=form.format == "openapi30")
    if form.format == "html":
        return represent(request, value, form, "api")
    return answers.answer(
        request,
        answers.dumps(value),
        _OFFERS[form.format],
        headers={"Vary": VARY, "Content-Language": form.lang},
    )
