"""The one table from errors to HTTP statuses, and their bodies (RFC 9457, `application/problem+json`).

A body names what is wrong, where, and what to do about it, and the parameter where one is to blame. What
the machine says to itself (tracebacks, paths of files, tokens) stays in the log.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from urllib.parse import quote

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from twintown.api import book
from twintown.ground import errors

LOG = logging.getLogger("twintown.api")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MEDIA_TYPE = "application/problem+json"

#: Most special first: the first class that an error is an instance of gives the status.
STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.BadParameter, HTTPStatus.BAD_REQUEST),
    (errors.BadSettings, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.UnknownFormat, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (errors.PreconditionRequired, HTTPStatus.PRECONDITION_REQUIRED),
    (errors.BadInput, HTTPStatus.BAD_REQUEST),
    (errors.Gone, HTTPStatus.GONE),
    (errors.NoSuchProcess, HTTPStatus.NOT_FOUND),
    (errors.NoSuchJob, HTTPStatus.NOT_FOUND),
    (errors.NotReady, HTTPStatus.NOT_FOUND),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.Denied, HTTPStatus.FORBIDDEN),
    (errors.NotPossible, HTTPStatus.METHOD_NOT_ALLOWED),
    (errors.Busy, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.PreconditionFailed, HTTPStatus.PRECONDITION_FAILED),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.TooMany, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.Unreachable, HTTPStatus.BAD_GATEWAY),
    (errors.StorageFull, HTTPStatus.INSUFFICIENT_STORAGE),
    (errors.StorageFailed, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.PluginFailed, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.TwintownError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
#: What OGC API - Processes calls some errors (18-062r2, tables 4 to 7); the others have URNs of ours.
_OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
KINDS: dict[type[Exception], str] = {
    errors.NoSuchProcess: f"{_OGC}/no-such-process",
    errors.NoSuchJob: f"{_OGC}/no-such-job",
    errors.NotReady: f"{_OGC}/result-not-ready",
}
#: Addresses whose clients (that standard's examples among them) read problems as plain JSON where they accept nothing else.
_PLAIN = re.compile(r"/twins/[^/]+/(?:processes|jobs)(?:/|$)")


class Place(BaseModel):
    """One place in a document that was sent, and what is wrong there."""

    model_config = ConfigDict(extra="forbid")

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body; empty for the whole")
    line: int = Field(ge=0, description="line of the body, from 1; 0 where there is none")
    detail: str = Field(description="what is wrong there")


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="URI of the kind of problem; about:blank when the status says it all")
    title: str = Field(description="the kind of problem in words")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="what happened this time, and what to do about it")
    instance: str = Field(description="the address that was asked")
    parameter: str | None = Field(default=None, description="the parameter that is to blame, where one is")
    code: str | None = Field(
        default=None,
        description="the rule that refused, for programs: `outside-area`, `agreement-suspended`, …",
    )
    errors: list[Place] | None = Field(default=None, description="each place in the body that is wrong")


def status_of(error: Exception) -> HTTPStatus:
    """The HTTP status of an error; whatever is not in the table is our own fault, 500."""
    for kind, status in STATUS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(
    request: Request,
    status: HTTPStatus | int,
    detail: str,
    *,
    kind: str = "about:blank",
    parameter: str | None = None,
    code: str = "",
    places: tuple[tuple[str, int, str], ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """One problem as a response; never cached, because the next try may go well."""
    said = HTTPStatus(status)
    body: dict[str, object] = {
        "type": kind,
        "title": said.phrase,
        "status": int(said),
        "detail": detail,
        # decoded by the server; quoted again, so that it is a URI reference whatever was asked
        "instance": quote(request.url.path.encode("utf-8", "replace"), safe="/:@!$&'()*+,;=-._~"),
    }
    if parameter:
        body["parameter"] = parameter
    if code:
        body["code"] = code
    if places:
        body["errors"] = [{"pointer": where, "line": line, "detail": what} for where, line, what in places]
    sent = {"Cache-Control": "no-store"} | (headers or {})
    return Response(_encoded(body), status_code=int(said), media_type=_media_type(request), headers=sent)


def _media_type(request: Request) -> str:
    """Who accepts `application/json` and nothing that holds problems gets the same bytes under that name."""
    accept = request.headers.get("accept", "").lower()
    plain = "application/json" in accept and "*/*" not in accept and "application/*" not in accept
    if plain and MEDIA_TYPE not in accept and _PLAIN.match(request.url.path):
        return "application/json"
    return MEDIA_TYPE


def _encoded(body: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # lone surrogates in what was asked are no UTF-8; say it without them
        return orjson.dumps(
            {k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for k, v in body.items()}
        )


def of_error(request: Request, error: Exception) -> Response:
    """The response to one of our own errors."""
    status = status_of(error)
    book.refused(request, error)
    headers: dict[str, str] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="twintown"'
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = "5"
    if isinstance(error, errors.NotPossible) and error.allowed:
        headers["Allow"] = ", ".join(error.allowed)
    if status >= 500:
        LOG.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    if not isinstance(error, errors.TwintownError):
        return problem(request, status, "The server made a mistake; its log says more.", headers=headers)
    # the path of a server's own file is nobody's business
    where = "" if status >= 500 or error.where.startswith("/") or "://" in error.where else error.where
    detail = ". ".join(
        part for part in (f"{error.what} ({where})" if where else error.what, error.remedy) if part
    )
    return problem(
        request,
        status,
        detail,
        kind=KINDS.get(type(error)) or f"urn:twintown:problem:{slug(type(error).__name__)}",
        parameter=getattr(error, "name", None) or None,
        code=error.code if isinstance(error, errors.Denied | errors.Unauthenticated) else "",
        places=error.findings if isinstance(error, errors.BadContent) else (),
        headers=headers,
    )


def slug(name: str) -> str:
    """`BadParameter` as `bad-parameter`."""
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {
        404: "There is nothing at this address. GET /twins lists what is here.",
        405: f"{request.method} is not possible at this address.",
    }
    detail = details.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:  # the framework names the methods of one route only
        headers["Allow"] = ", ".join(methods(request.scope)) or headers.get("Allow", "GET, HEAD, OPTIONS")
    return problem(request, error.status_code, detail, headers=headers)


def of_any(request: Request, error: Exception) -> Response:
    """The response to one of our own errors, or to one of the framework's."""
    return _of_http(request, error) if isinstance(error, HTTPException) else of_error(request, error)


def methods(scope: Scope) -> list[str]:
    """The methods that are taken at an address, by the first route that fits it; none where there is no route."""
    fitting = [
        route
        for route in _flat(scope["app"].routes if "app" in scope else ())
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
    ]
    found = {method for route in fitting if route.path == fitting[0].path for method in route.methods or ()}
    if found:
        found |= {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())
    return [method for method in METHODS if method in found]


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """The routes themselves, out of the routers that they were included with."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is None:
            yield route
        else:
            yield from _flat(router.routes)


def _of_validation(request: Request, error: Exception) -> Response:
    """A parameter or a body that does not fit its declaration: 400, naming the first one that does not."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [str(part) for part in first.get("loc", ())]
    parameter = ".".join(place[1:]) or (place[0] if place else "body")
    more = len(error.errors()) - 1
    detail = f"{parameter}: {first.get('msg', 'not understood')}" + (f" (and {more} more)" if more else "")
    return problem(
        request,
        HTTPStatus.BAD_REQUEST,
        detail,
        kind="urn:twintown:problem:bad-parameter",
        parameter=parameter,
    )


def _of_nobody(request: Request, error: Exception) -> Response:
    """Who asked hung up in the middle of it: nobody hears the answer, and it is no mistake of ours."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def install(app: FastAPI) -> None:
    """Make every error of the app, the framework's included, leave as a problem."""
    app.add_exception_handler(errors.TwintownError, of_error)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(ResponseValidationError, of_error)
    app.add_exception_handler(ClientDisconnect, _of_nobody)
    app.add_exception_handler(Exception, of_error)


def responses(*codes: int) -> dict[int | str, dict[str, object]]:
    """The OpenAPI entries for the problems that a route may answer with."""
    return {
        code: {
            "description": HTTPStatus(code).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for code in codes
    }
