"""What the answers of one view of a layer share, made once: which forms there are, links, headers, the start of the entity tag."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from twintown.api import answers, items_files, represent
from twintown.api.guard import Asked, enter
from twintown.api.items_links import Links
from twintown.api.landing import base
from twintown.api.lane import Headers, Ready
from twintown.api.shelf import terms
from twintown.ground.crs import Crs
from twintown.ground.errors import BadParameter

if TYPE_CHECKING:
    from twintown.index.view import View
    from twintown.twin.layers import LayerVersion

T = TypeVar("T")
GEOJSON = "application/geo+json"
#: Bytes of a body that are compressed on the event loop.
PACKED_AT_HAND = 65_536
#: Heads that are kept; only who tries them all has more.
_MOST = 512
_DIRECT = (b"*/*", b"application/geo+json", b"application/json")
_VARY = (b"vary", represent.VARY.encode())
_GZIP = (b"content-encoding", b"gzip")
_KEPT = {
    False: (b"cache-control", answers.REVALIDATE.encode()),
    True: (b"cache-control", answers.PRIVATE.encode()),
}
_heads: dict[Any, Head] = {}


class Head:
    """What all answers about one view of a layer share, in one language, at one address of the server."""

    def __init__(
        self, here: str, asked: Asked, version: LayerVersion, view: View, lang: represent.Language
    ) -> None:
        forms = items_files.fitting(items_files.told(asked.served, asked.grant, version, view))
        names = {name: represent.word(one.title, lang) for name, one in forms.items()}
        self.offers = {"geojson": GEOJSON, "json": GEOJSON, "html": represent.HTML}
        self.offers |= {name: one.media_type for name, one in forms.items() if name != "geojson"}
        self.links = Links(here, self.offers, {**names, "json": "JSON", "html": "HTML"}, lang)
        self.lang = lang
        self.language = (b"content-language", lang.encode())
        title = answers.dumps(represent.word(version.title, lang))
        self.start = b'{"type":"FeatureCollection","title":%b,' % title
        self._seed = hashlib.blake2b(
            repr((version.layer, view.token, terms(asked.grant), lang)).encode("utf-8", "replace"),
            digest_size=12,
        )

    def tag(self, form: str, query: bytes) -> str:
        """A weak entity tag: the same question to the same version has the same rows, but its time is another."""
        mark = self._seed.copy()
        mark.update(form.encode())
        mark.update(query)
        return f'W/"{mark.hexdigest()}"'

    def headers(self, form: str, crs: Crs, etag: str, sent: dict[bytes, bytes]) -> Headers:
        """The headers of an answer in this form; the media type is the first of them."""
        return [
            (b"content-type", self.offers[form].encode()),
            _KEPT[b"authorization" in sent or b"cookie" in sent],
            _VARY,
            self.language,
            (b"content-crs", crs.header.encode()),
            (b"etag", etag.encode()),
        ]


@dataclass(frozen=True, slots=True)
class Sight:
    """A request that has found what it asks about.

    Args:
        sent: its headers.
        form: id of the form of the answer.
    """

    asked: Asked
    version: LayerVersion
    view: View
    head: Head
    form: str
    sent: dict[bytes, bytes]


async def sight(request: Request, twin: str, layer: str, given: dict[str, str], token: str = "") -> Sight:
    """The caller's sight of a layer; one that was not opened yet may have to be made ready, which takes a thread.

    Raises:
        BadParameter: `f` or `lang`.
        HTTPException: 406.
        NotFound, Gone, Unauthenticated, Denied: as guard and view raise them.
    """
    asked = enter(request, twin, "read")
    served, grant = asked.served, asked.grant
    version = served.twin.version(layer, grant)
    if served.at_hand(version, token):
        view = served.view(version, grant, token)
    else:
        view = await to_thread.run_sync(served.view, version, grant, token)
    sent: dict[bytes, bytes] = dict(request.scope["headers"])
    head = _head(request, asked, version, view, given.get("lang"), sent)
    return Sight(asked, version, view, head, _form(request, given.get("f"), head.offers, sent), sent)


def _head(
    request: Request,
    asked: Asked,
    version: LayerVersion,
    view: View,
    lang: str | None,
    sent: dict[bytes, bytes],
) -> Head:
    chosen = represent.LANGUAGES[0]
    if lang is not None:
        known = {one: one for one in represent.LANGUAGES}
        if lang not in known:
            raise BadParameter(
                "lang", f"{lang[:40]!r} is not spoken here", remedy=f"use one of {', '.join(known)}"
            )
        chosen = known[lang]
    elif b"accept-language" in sent:
        chosen = represent.language(request)
    scope = request.scope
    host = str(request.base_url) if scope.get("root_path") else sent.get(b"host", b"")
    key = (
        scope["scheme"],
        host,
        asked.served.id,
        version.layer,
        version.version,
        view.token,
        terms(asked.grant),
        chosen,
    )
    found = _heads.get(key)
    if found is None:
        path = f"{base(asked.served.id)}/collections/{quote(version.layer, safe='')}/items"
        found = Head(represent.absolute(request, path), asked, version, view, chosen)
        if len(_heads) >= _MOST:
            _heads.clear()
        _heads[key] = found
    return found


def _form(request: Request, f: str | None, offers: dict[str, str], sent: dict[bytes, bytes]) -> str:
    if f is None and sent.get(b"accept", b"*/*") in _DIRECT:
        return "geojson"
    chosen = represent.negotiate(request, offers, f)
    return "geojson" if chosen == "json" else chosen


def counted(matched: int | None, returned: int | None, links: str) -> Headers:
    """What a body that is not JSON cannot say itself."""
    out: Headers = [(b"link", links.encode("latin-1", "replace"))]
    if matched is not None:
        out.append((b"ogc-numbermatched", b"%d" % matched))
    if returned is not None:
        out.append((b"ogc-numberreturned", b"%d" % returned))
    return out


async def packed(request: Request, body: bytes, headers: Headers, sent: dict[bytes, bytes]) -> Response:
    """The body, compressed where the caller takes it."""
    if len(body) < 700 or b"accept-encoding" not in sent or not answers.accepts_gzip(request):
        return Ready(body, headers)
    small = len(body) <= PACKED_AT_HAND
    smaller = _gzip(body) if small else await to_thread.run_sync(_gzip, body)
    tagged = [
        (name, answers.variant(value.decode(), "gzip").encode() if name == b"etag" else value)
        for name, value in headers
    ]
    return Ready(smaller, [*tagged, _GZIP])


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(2, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


async def thread(request: Request, work: Callable[..., T], *about: Any) -> T:
    """Long work, beside the event loop; a few at a time."""
    return await to_thread.run_sync(work, *about, limiter=items_files.limiter_of(request))
