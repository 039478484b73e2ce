"""One value, several representations: JSON for programs, HTML for people, in the language that the caller reads.

A route takes `form: Shown` and returns `represent(request, value, form, "template")`. The query parameters `f` and `lang`
decide; without them the headers Accept and Accept-Language do (RFC 9110, 12.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from twintown.api import answers, html
from twintown.ground.errors import BadParameter
from twintown.ground.names import Name

JSON, HTML, GEOJSON = "application/json", "text/html", "application/geo+json"
#: What every resource that is a JSON document is offered as; the first is the default.
OFFERS: Mapping[str, str] = {"json": JSON, "html": HTML}
GEO_OFFERS: Mapping[str, str] = {"json": GEOJSON, "html": HTML}
LANGUAGES: tuple[Language, ...] = ("en", "ko")  # the first is the default
VARY = "Accept, Accept-Language, Accept-Encoding, Authorization, Cookie"
Language = Literal["en", "ko"]
Format = Annotated[
    Literal["json", "html"] | None,
    Query(description="representation; without it the header Accept decides"),
]
GeoFormat = Annotated[
    Literal["json", "geojson", "html"] | None,
    Query(description="representation; without it the header Accept decides"),
]
Lang = Annotated[
    Language | None,
    Query(description="language of titles and pages; without it the header Accept-Language decides"),
]


@dataclass(frozen=True)
class Form:
    """How the caller wants an answer: the id of a format, and a language."""

    format: str
    lang: Language


async def form(request: Request, f: Format = None, lang: Lang = None) -> Form:
    """The dependency behind `Shown`: JSON or HTML, in English or Korean."""
    return Form(negotiate(request, OFFERS, f), language(request, lang))


async def geo_form(request: Request, f: GeoFormat = None, lang: Lang = None) -> Form:
    """The dependency behind `ShownGeo`: GeoJSON (which `json` means too) or HTML."""
    said = "json" if f == "geojson" else f
    return Form(negotiate(request, GEO_OFFERS, said), language(request, lang))


#: Declare a parameter of this type, and the route has `f` and `lang`.
Shown = Annotated[Form, Depends(form)]
#: The same for what is GeoJSON.
ShownGeo = Annotated[Form, Depends(geo_form)]


def negotiate(request: Request, offers: Mapping[str, str], f: str | None = None) -> str:
    """The id of the offer that is meant.

    Args:
        request: its Accept is read where `f` is not given.
        offers: media types by id; the first is the default and stands for every other JSON too.
        f: the id that the caller asks for by query parameter.

    Raises:
        BadParameter: `f` is none of the offers.
        HTTPException: 406, nothing that Accept allows is offered.
    """
    if f is not None:
        if f not in offers:
            raise BadParameter(
                "f", f"no representation is called {f[:40]!r}", remedy=f"use one of {', '.join(offers)}"
            )
        return f
    accept = request.headers.get("accept", "")
    if not accept.strip() or accept.strip() == "*/*":
        return next(iter(offers))
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    best, chosen = 0.0, ""
    for name, media_type in offers.items():
        weight = _weight(media_type, ranges)
        if weight > best:
            best, chosen = weight, name
    if not chosen:
        raise HTTPException(
            406,
            f"Accept: {accept[:120]!r} fits none of {', '.join(offers.values())}. Send */*, or name one with f=.",
        )
    return chosen


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return media_range, min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0


def _weight(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """How much a media type is wanted; the most special range that names it decides. JSON stands for other JSON."""
    bare = media_type.partition(";")[0]
    found: dict[int, float] = {}
    for media_range, weight in ranges:
        if media_range == bare:
            rank = 3
        elif _kin(bare, media_range):
            rank, weight = 2, weight * 0.99
        elif media_range == f"{bare.partition('/')[0]}/*":
            rank = 1
        elif media_range == "*/*":
            rank = 0
        else:
            continue
        found[rank] = max(weight, found.get(rank, 0.0))
    return found[max(found)] if found else 0.0


def _kin(offered: str, wanted: str) -> bool:
    """Whether one is JSON and the other a kind of JSON."""
    return any(a == JSON and b.startswith("application/") and b.endswith("+json")
               for a, b in ((offered, wanted), (wanted, offered)))  # fmt: skip


def language(request: Request, lang: Language | None = None) -> Language:
    """The language of an answer: `lang`, else the best of Accept-Language, else English."""
    if lang:
        return lang
    best, chosen = 0.0, LANGUAGES[0]
    for part in request.headers.get("accept-language", "").split(","):
        tag, weight = _range(part)
        for known in LANGUAGES:
            if tag.partition("-")[0] == known and weight > best:
                best, chosen = weight, known
    return chosen


def word(name: Name | Mapping[str, str], lang: Language) -> str:
    """A name in one language."""
    return str(getattr(name, lang) if isinstance(name, Name) else name[lang])


def absolute(request: Request, path: str) -> str:
    """The whole address of a path of this server; clients that follow links out of context need it."""
    return str(request.base_url).rstrip("/") + path


def here(request: Request, **changed: str | None) -> str:
    """The whole address of this request with some query parameters set, or left out where None."""
    asked = {**dict(request.query_params.multi_items()), **changed}
    query = urlencode({name: value for name, value in asked.items() if value is not None}, safe=",:/")
    address = str(request.url.replace(query="", fragment=""))
    return f"{address}?{query}" if query else address


def own_links(
    request: Request, chosen: str = "json", offers: Mapping[str, str] = OFFERS
) -> list[dict[str, str]]:
    """`self` in the representation that is sent, and an `alternate` for each of the others."""
    links = [{"href": here(request), "rel": "self", "type": offers[chosen], "title": "this document"}]
    for name, media_type in offers.items():
        if name != chosen:
            title = f"this document as {name.upper()}"
            links.append(
                {"href": here(request, f=name), "rel": "alternate", "type": media_type, "title": title}
            )
    return links


def represent(
    request: Request,
    value: BaseModel | Mapping[str, Any],
    form: Form,
    template: str = "collection",
    *,
    media_type: str = JSON,
    status: int = 200,
    cache: str = answers.REVALIDATE,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """JSON or HTML of the same value, with entity tag, `Vary` and `Content-Language`.

    `self` and `alternate` links are put before the others where the value has `links` and none of them says `self`.

    Args:
        request: for its address, its conditions and its encodings.
        value: the body as JSON has it.
        form: what the caller wants.
        template: which page of `api/templates` shows it to people.
        media_type: of the JSON.
        status: of the answer; only 200 can become 304.
        cache: how long the answer may be kept.
        headers: what else to send.
    """
    body = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else dict(value)
    links = body.get("links")
    if isinstance(links, list) and not any(link.get("rel") == "self" for link in links):
        body["links"] = [*own_links(request, form.format, {**OFFERS, "json": media_type}), *links]
    sent = {"Vary": VARY, "Content-Language": form.lang, **(headers or {})}
    if form.format == "html":
        data, kind = html.render(request, template, body, form.lang).encode(), html.MEDIA_TYPE
        sent |= html.HEADERS
    else:
        data, kind = answers.dumps(body), media_type
    etag = "" if cache == "no-store" else answers.tag(answers.tag_of(data), form.format, form.lang)
    if status == 200 and etag and request.method in ("GET", "HEAD") and answers.unchanged(request, etag):
        kept = answers.PRIVATE if answers.personal(request) else cache
        return answers.not_modified(etag, kept, VARY)
    response = answers.answer(request, data, kind, etag=etag, cache=cache, headers=sent)
    response.status_code = status if response.status_code == 200 else response.status_code
    return response
