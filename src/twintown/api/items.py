"""Pages of rows and single rows: parse, ask the view of the layer, join the bytes that lie ready.

This is the way that is asked most. What is the same for all pages of a layer (links, headers, the start of the entity tag) is made
once; small questions are answered on the event loop, long ones in a thread.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from twintown.api import answers, items_files, represent
from twintown.api.guard import Asked, enter
from twintown.api.items_links import Links, cleaned
from twintown.api.items_query import DEFAULT_LIMIT, Cursor, Question, question, refuse_others
from twintown.api.lane import Headers, Ready, parameters
from twintown.api.landing import base
from twintown.api.shelf import terms
from twintown.formats.format import FORMATS
from twintown.ground.errors import BadParameter
from twintown.query.query import Query

if TYPE_CHECKING:
    from twintown.index.view import View
    from twintown.twin.layers import LayerVersion

GEOJSON = "application/geo+json"
#: Rows that are joined on the event loop; more of them, and everything that must be computed, takes a thread.
AT_HAND = 500
#: Bytes of a body that are compressed on the event loop.
PACKED_AT_HAND = 65_536
_VARY = (b"vary", represent.VARY.encode())
_GZIP = (b"content-encoding", b"gzip")
_KEPT = {
    False: (b"cache-control", answers.REVALIDATE.encode()),
    True: (b"cache-control", answers.PRIVATE.encode()),
}
_MOST_HEADS = 512
_heads: dict[Any, Head] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page.

    Args:
        positions: of the rows, in the order of the layer.
        matched: how many match in all; none where nobody counted.
        after: where the next page begins; none where there is none.
        before: the row before which the page before ends; none where there is none.
    """

    positions: Any
    matched: int | None
    after: int | None
    before: int | None


class Head:
    """What all pages of one view of a layer share, in one language, at one address of the server."""

    def __init__(
        self, here: str, asked: Asked, version: LayerVersion, view: View, lang: represent.Language
    ) -> None:
        forms = items_files.fitting(items_files.told(asked.served, asked.grant, version, view))
        names = {name: represent.word(one.title, lang) for name, one in forms.items()}
        self.offers = {"geojson": GEOJSON, "json": GEOJSON, "html": represent.HTML}
        self.offers |= {name: one.media_type for name, one in forms.items()}
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


async def page(request: Request, twin: str, layer: str) -> Response:
    """A page of a layer's rows, or a file of them. Raises what guard, view and question raise."""
    asked = enter(request, twin, "read")
    given = parameters(request)
    cursor = Cursor.parse(given["cursor"]) if "cursor" in given else None
    version, view = await _view(asked, layer, cursor.token if cursor else "")
    sent = dict(request.scope["headers"])
    head = _head(request, asked, version, view, given.get("lang"), sent)
    form = _form(request, given.get("f"), head.offers, sent)
    wanted = question(given, view.columns, view.frame, layer)
    etag = head.tag(form, request.scope["query_string"])
    headers: Headers = [
        (b"content-type", head.offers[form].encode()),
        _KEPT[b"authorization" in sent],
        _VARY,
        head.language,
        (b"content-crs", wanted.crs.header.encode()),
        (b"etag", etag.encode()),
    ]
    if b"if-none-match" in sent and answers.unchanged(request, etag):
        return Ready(b"", headers[1:], 304)
    if form in items_files.FILES and wanted.limit is None and cursor is None:
        return await _whole(request, asked, version, view, head, form, wanted, headers)
    limit = wanted.limit or DEFAULT_LIMIT
    back = cursor is not None and cursor.before
    quick = limit <= AT_HAND and wanted.plain and wanted.columns is None and _easy(wanted.query) and not back

    def found() -> tuple[Found, Sequence[Any]]:
        rows = rows_of(view, wanted.query, limit, cursor)
        return rows, features(view, wanted, rows.positions) if form in ("geojson", "html") else ()

    rows, texts = found() if quick else await _thread(request, found)
    query = cleaned(request.scope["query_string"])
    after = str(Cursor(view.token, rows.after)) if rows.after is not None else ""
    before = str(Cursor(view.token, rows.before, True)) if rows.before is not None else ""
    if form not in ("geojson", "html"):
        links = head.links.told(form, query, after, before)
        about = items_files.told(
            asked.served, asked.grant, version, view, wanted,
            count=len(rows.positions), links=tuple(link.told() for link in links), bbox_lonlat=None,
        )  # fmt: skip
        body = await _thread(request, items_files.page, FORMATS[form], about, view, wanted, rows.positions)
        headers += _counted(rows.matched, len(rows.positions), ", ".join(link.header() for link in links))
        if form in items_files.FILES:
            headers.append(items_files.disposition(twin, layer, FORMATS[form]))
        return await _packed(request, body, headers, sent)
    matched = b"" if rows.matched is None else b'"numberMatched":%d,' % rows.matched
    body = b"".join(
        (
            head.start, b'"timeStamp":"%b",' % _now(), matched,
            b'"numberReturned":%d,"links":[' % len(texts), head.links.page(form, query, after, before),
            b'],"features":[', b",".join(texts), b"]}",
        )
    )  # fmt: skip
    if form == "html":
        shown = represent.Form("html", head.lang)
        crs = {"Content-Crs": wanted.crs.header}
        return await _thread(
            request, lambda: represent.represent(request, answers.loads(body), shown, "items", headers=crs)
        )
    return await _packed(request, body, headers, sent)


async def item(request: Request, twin: str, layer: str, item: str) -> Response:
    """One row by its id. Raises what guard and view raise; BadParameter."""
    asked = enter(request, twin, "read")
    given = parameters(request)
    refuse_others(given, ("f", "lang", "crs"))
    version, view = await _view(asked, layer, "")
    sent = dict(request.scope["headers"])
    head = _head(request, asked, version, view, given.get("lang"), sent)
    form = _form(request, given.get("f"), head.offers, sent)
    wanted = question(given, (), view.frame, layer)
    position = np.array([view.position(item)])
    ready = bytes(view.encoded(position)[0])
    words = [wanted.crs.code.replace(":", "")] if not wanted.plain else []
    words += [form] if form != "geojson" else []
    words += [head.lang] if head.lang != represent.LANGUAGES[0] else []
    etag = answers.variant(answers.feature_tag(layer, item, ready), *words)
    headers: Headers = [
        (b"content-type", head.offers[form].encode()), _KEPT[b"authorization" in sent], _VARY, head.language,
        (b"content-crs", wanted.crs.header.encode()), (b"etag", etag.encode()),
    ]  # fmt: skip
    if b"if-none-match" in sent and answers.unchanged(request, etag):
        return Ready(b"", headers[1:], 304)
    here = f"{head.links.here}/{quote(item.encode('utf-8', 'replace'), safe='/')}"
    links = Links(here, head.offers, head.links.titles, head.lang)
    query = cleaned(request.scope["query_string"])
    if form not in ("geojson", "html"):
        told = links.told(form, query)
        about = items_files.told(
            asked.served, asked.grant, version, view, wanted,
            count=1, links=tuple(link.told() for link in told), bbox_lonlat=None,
        )  # fmt: skip
        body = await _thread(request, items_files.page, FORMATS[form], about, view, wanted, position)
        headers.append((b"link", ", ".join(link.header() for link in told).encode()))
        return await _packed(request, body, headers, sent)
    if not wanted.plain:
        ready = bytes((await _thread(request, features, view, wanted, position))[0])
    body = b'%b,"links":[%b]}' % (ready[:-1], links.page(form, query))
    if form == "html":
        shown = represent.Form("html", head.lang)
        crs = {"Content-Crs": wanted.crs.header}
        return await _thread(
            request, lambda: represent.represent(request, answers.loads(body), shown, "item", headers=crs)
        )
    return await _packed(request, body, headers, sent)


def rows_of(view: View, query: Query, limit: int, cursor: Cursor | None = None) -> Found:
    """The rows of a page, forwards from a cursor or backwards to it."""
    if cursor is None or not cursor.before:
        start = cursor.position if cursor else 0
        found = view.page(query, limit, after=start, count=True)
        return Found(found.positions, found.matched, found.next, start if start > 0 else None)
    end = min(cursor.position, view.count)
    span, rows, start = limit + 1, np.empty(0, np.int64), end
    while start > 0 and len(rows) <= limit:  # further and further back, until there are enough
        start = max(0, end - span)
        rows = view.page(query, max(1, end - start), after=start, count=False).positions
        rows = rows[rows < end]
        span *= 8
    more = len(rows) > limit
    rows = rows[-limit:]
    matched = view.page(query, 1, count=True).matched
    return Found(rows, matched, end, int(rows[0]) if more else None)


def features(view: View, wanted: Question, positions: Any) -> Sequence[Any]:
    """Whole GeoJSON features of rows in the CRS that is asked for, ready ones where they are."""
    if wanted.plain:
        found: Sequence[Any] = view.encoded(positions, wanted.columns)
        return found
    import shapely

    from twintown.ground.crs import of_frame, reproject
    from twintown.index.encode import features as encode

    batch = view.take(positions, columns=wanted.columns, geometry=wanted.geometry)
    shapes = np.full(batch.num_rows, None, object)
    if wanted.geometry:
        raw = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
        digits = 8 if wanted.crs.geographic else 3
        moved = wanted.crs.swap(reproject(raw, of_frame(view.frame), wanted.crs))
        shapes = shapely.transform(moved, lambda xyz: np.round(xyz, digits))
    own = {
        name: batch.column(name) for name in batch.schema.names if name not in ("id", "geometry", "lonlat")
    }
    texts: Sequence[Any] = encode(batch.column("id"), shapes, own).to_pylist()
    return texts


async def _view(asked: Asked, layer: str, token: str) -> tuple[LayerVersion, View]:
    """The caller's sight of a layer; one that was not opened yet may have to be made ready, which takes a thread."""
    served, grant = asked.served, asked.grant
    version = served.twin.version(layer, grant)
    if served.at_hand(version, token):
        return version, served.view(version, grant, token)
    return version, await to_thread.run_sync(served.view, version, grant, token)


def _head(
    request: Request,
    asked: Asked,
    version: LayerVersion,
    view: View,
    lang: str | None,
    sent: dict[bytes, bytes],
) -> Head:
    if lang is not None and lang not in represent.LANGUAGES:
        raise BadParameter(
            "lang", f"{lang[:40]!r} is not spoken here", remedy=f"use one of {', '.join(represent.LANGUAGES)}"
        )
    chosen: represent.Language = lang or (  # type: ignore[assignment]
        represent.language(request) if b"accept-language" in sent else represent.LANGUAGES[0]
    )
    scope = request.scope
    host = sent.get(b"host", b"") if scope.get("root_path") in (None, "") else str(request.base_url)
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
        if len(_heads) >= _MOST_HEADS:
            _heads.clear()
        _heads[key] = found
    return found


def _form(request: Request, f: str | None, offers: dict[str, str], sent: dict[bytes, bytes]) -> str:
    """The id of the form that is asked for. Raises BadParameter; HTTPException 406."""
    if f is None and sent.get(b"accept", b"*/*") in (b"*/*", b"application/geo+json", b"application/json"):
        return "geojson"
    chosen = represent.negotiate(request, offers, f)
    return "geojson" if chosen == "json" else chosen


def _easy(query: Query) -> bool:
    return query.where is None and query.during is None


async def _whole(
    request: Request,
    asked: Asked,
    version: LayerVersion,
    view: View,
    head: Head,
    form: str,
    wanted: Question,
    headers: Headers,
) -> Response:
    """Everything that matches as one file, streamed."""
    kind = FORMATS[form]
    about = items_files.told(asked.served, asked.grant, version, view, wanted)
    links = head.links.told(form, cleaned(request.scope["query_string"]))
    headers += _counted(about.count, about.count, ", ".join(link.header() for link in links))
    headers.append(items_files.disposition(asked.served.id, version.layer, kind))
    return await items_files.stream(request, items_files.pieces(kind, about, view, wanted), headers)


def _counted(matched: int | None, returned: int | None, links: str) -> Headers:
    """What a body that is not JSON cannot say itself."""
    out: Headers = [(b"link", links.encode("latin-1", "replace"))]
    if matched is not None:
        out.append((b"ogc-numbermatched", b"%d" % matched))
    if returned is not None:
        out.append((b"ogc-numberreturned", b"%d" % returned))
    return out


async def _packed(request: Request, body: bytes, headers: Headers, sent: dict[bytes, bytes]) -> Response:
    """The body, compressed where the caller takes it."""
    if len(body) < 700 or b"accept-encoding" not in sent or not answers.accepts_gzip(request):
        return Ready(body, headers)
    small = len(body) <= PACKED_AT_HAND
    packed = _gzip(body) if small else await to_thread.run_sync(_gzip, body)
    tagged = [
        (name, answers.variant(value.decode(), "gzip").encode() if name == b"etag" else value)
        for name, value in headers
    ]
    return Ready(packed, [*tagged, _GZIP])


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(2, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


async def _thread(request: Request, work: Any, *about: Any) -> Any:
    return await to_thread.run_sync(work, *about, limiter=items_files.limiter_of(request))


def _now() -> bytes:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
