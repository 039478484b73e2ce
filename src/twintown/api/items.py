"""Pages of rows and single rows: parse, ask the view of the layer, join the bytes that lie ready.

This is the way that is asked most. Small questions are answered on the event loop, long ones in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from twintown.api import answers, items_files, represent
from twintown.api.guard import inside
from twintown.api.items_head import Sight, counted, packed, sight, thread
from twintown.api.items_links import Links, cleaned
from twintown.api.items_query import DEFAULT_LIMIT, Cursor, Question, question, refuse_others
from twintown.api.lane import Headers, Ready, parameters
from twintown.formats.format import FORMATS
from twintown.ground.crs import Crs, of_frame, reproject
from twintown.ground.errors import BadParameter, NotFound
from twintown.query.query import Query

if TYPE_CHECKING:
    from twintown.index.view import View

#: Rows that are joined on the event loop; more of them, and everything that must be computed, takes a thread.
AT_HAND = 500
#: Forms of rows that need no shapes.
_SHAPELESS = ("jsonfg", "parquet", "csv")
_second = (0, b"")
#: What was asked before: the first question of its kind loads compiled code, for which nobody else shall wait.
_loaded: set[str] = set()


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


async def page(request: Request, twin: str, layer: str) -> Response:
    """A page of a layer's rows, or a file of them. Raises what `sight` and `question` raise."""
    given = parameters(request)
    cursor = Cursor.parse(given["cursor"]) if "cursor" in given else None
    seen = await sight(request, twin, layer, given, cursor.token if cursor else "")
    view, head, form = seen.view, seen.head, seen.form
    wanted = question(given, view)
    if wanted.query.boxes and seen.asked.grant.area is not None:
        inside(seen.asked, wanted.query.boxes)
    etag = head.tag(form, request.scope["query_string"])
    headers = head.headers(form, _crs(seen, wanted, given), etag, seen.sent)
    if b"if-none-match" in seen.sent and answers.unchanged(request, etag):
        return Ready(b"", headers[1:], 304)
    query = cleaned(request.scope["query_string"])
    if form in items_files.FILES and wanted.limit is None and cursor is None:
        return await _whole(request, seen, wanted, headers, query)
    limit, texted = wanted.limit or DEFAULT_LIMIT, form in ("geojson", "html")

    def found() -> tuple[Found, Sequence[Any]]:
        rows = rows_of(view, wanted.query, limit, cursor)
        return rows, features(view, wanted, rows.positions) if texted else ()

    rows, texts = found() if _quick(wanted, limit, cursor) else await thread(request, found)
    if wanted.query.boxes:
        _loaded.add("boxes")
    after = str(Cursor(view.token, rows.after)) if rows.after is not None else ""
    before = str(Cursor(view.token, rows.before, True)) if rows.before is not None else ""
    if not texted:
        links = head.links.told(form, query, after, before)
        body = await thread(request, _written, seen, wanted, rows.positions, [link.told() for link in links])
        headers += counted(rows.matched, len(rows.positions), ", ".join(link.header() for link in links))
        if form in items_files.FILES:
            headers.append(items_files.disposition(twin, layer, FORMATS[form]))
        return await packed(request, body, headers, seen.sent)
    matched = b"" if rows.matched is None else b'"numberMatched":%d,' % rows.matched
    body = b"".join(
        (
            head.start, b'"timeStamp":"%b",' % _now(), matched,
            b'"numberReturned":%d,"links":[' % len(texts), head.links.page(form, query, after, before),
            b'],"features":[', b",".join(texts), b"]}",
        )
    )  # fmt: skip
    if form == "html":
        return await thread(request, _shown, request, seen, wanted, body, "items")
    return await packed(request, body, headers, seen.sent)


async def item(request: Request, twin: str, layer: str, item: str) -> Response:
    """One row by its id. Raises what `sight` and `question` raise; NotFound."""
    given = parameters(request)
    refuse_others(given, ("f", "lang", "crs"))
    seen = await sight(request, twin, layer, given)
    view, head, form = seen.view, seen.head, seen.form
    wanted = question(given, view)
    position = np.array(
        [view.position(item) if "ids" in _loaded else await thread(request, view.position, item)]
    )
    _loaded.add("ids")
    ready = bytes(view.encoded(position)[0])
    words = [wanted.crs.code.replace(":", "")] if not wanted.plain else []
    words += [form] if form != "geojson" else []
    words += [head.lang] if head.lang != represent.LANGUAGES[0] else []
    etag = answers.variant(answers.feature_tag(layer, item, ready), *words)
    headers = head.headers(form, _crs(seen, wanted, given), etag, seen.sent)
    if b"if-none-match" in seen.sent and answers.unchanged(request, etag):
        return Ready(b"", headers[1:], 304)
    here = f"{head.links.here}/{quote(item.encode('utf-8', 'replace'), safe='/')}"
    links = Links(here, head.offers, head.links.titles, head.lang)
    query = cleaned(request.scope["query_string"])
    if form not in ("geojson", "html"):
        told = links.told(form, query)
        body = await thread(request, _written, seen, wanted, position, [link.told() for link in told])
        headers.append((b"link", ", ".join(link.header() for link in told).encode()))
        return await packed(request, body, headers, seen.sent)
    if not wanted.plain:
        ready = bytes((await thread(request, features, view, wanted, position))[0])
    body = b'%b,"links":[%b]}' % (ready[:-1], links.page(form, query))
    if form == "html":
        return await thread(request, _shown, request, seen, wanted, body, "item")
    return await packed(request, body, headers, seen.sent)


def load(view: View) -> None:
    """Load what the first questions by place and by id need: compiled code, which takes a second."""
    west, south, east, north = view.bbox or (0.0, 0.0, 1.0, 1.0)
    features(
        view,
        Question(),
        rows_of(view, Query(((west, south, (west + east) / 2, (south + north) / 2),)), 10).positions,
    )
    with suppress(NotFound):
        view.position("")
    _loaded.update(("boxes", "ids"))


def rows_of(view: View, query: Query, limit: int, cursor: Cursor | None = None) -> Found:
    """The rows of a page, forwards from a cursor or backwards to it."""
    if cursor is None or not cursor.before:
        start = cursor.position if cursor else 0
        found = view.page(query, limit, after=start, count=True)
        return Found(found.positions, found.matched, found.next, start if start > 0 else None)
    end = cursor.position
    span, rows, start = limit + 1, np.empty(0, np.int64), end
    while start > 0 and len(rows) <= limit:  # further and further back, until there are enough
        start = max(0, end - span)
        rows = view.page(query, end - start, after=start, count=False).positions
        rows = rows[rows < end]
        span *= 8
    more = len(rows) > limit
    rows = rows[-limit:]
    return Found(rows, view.page(query, 1).matched, end, int(rows[0]) if more else None)


def features(view: View, wanted: Question, positions: Any) -> Sequence[Any]:
    """Whole GeoJSON features of rows in the CRS that is asked for, ready ones where they are."""
    if wanted.plain:
        found: Sequence[Any] = view.encoded(positions, wanted.columns)
        return found
    import shapely

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


def _quick(wanted: Question, limit: int, cursor: Cursor | None) -> bool:
    """Whether rows lie ready and are found by their place alone."""
    query = wanted.query
    return (
        limit <= AT_HAND
        and (not query.boxes or "boxes" in _loaded)
        and wanted.plain
        and wanted.columns is None
        and query.where is None
        and query.during is None
        and not (cursor is not None and cursor.before)
    )


def _crs(seen: Sight, wanted: Question, given: dict[str, str]) -> Crs:
    """The CRS of the answer. Raises BadParameter: the form cannot have the one that is asked for, or must have shapes."""
    kind = FORMATS.get(seen.form)
    if kind is None or seen.form == "geojson":
        return wanted.crs
    if not wanted.geometry and seen.form not in _SHAPELESS:
        raise BadParameter("skipGeometry", f"{kind.title.en} is made of shapes", remedy="take another form")
    own = of_frame(seen.view.frame)
    if not kind.crs and "crs" in given and wanted.crs.code != own.code:
        raise BadParameter("crs", f"{kind.title.en} is always in {own.code}", remedy="leave it out")
    return wanted.crs if kind.crs else own


def _written(seen: Sight, wanted: Question, positions: Any, links: list[dict[str, str]]) -> bytes:
    """A page of rows in another form."""
    about = items_files.told(
        seen.asked.served, seen.asked.grant, seen.version, seen.view, wanted,
        count=len(positions), links=tuple(links), bbox_lonlat=None,
    )  # fmt: skip
    return items_files.page(FORMATS[seen.form], about, seen.view, wanted, positions)


def _shown(request: Request, seen: Sight, wanted: Question, body: bytes, template: str) -> Response:
    """The same body for people."""
    shown = represent.Form("html", seen.head.lang)
    crs = {"Content-Crs": wanted.crs.header}
    return represent.represent(request, answers.loads(body), shown, template, headers=crs)


async def _whole(request: Request, seen: Sight, wanted: Question, headers: Headers, query: str) -> Response:
    """Everything that matches as one file, streamed."""
    kind, asked = FORMATS[seen.form], seen.asked
    about = items_files.told(asked.served, asked.grant, seen.version, seen.view, wanted)
    links = ", ".join(link.header() for link in seen.head.links.told(seen.form, query))
    headers += counted(about.count, about.count, links)
    headers.append(items_files.disposition(asked.served.id, seen.version.layer, kind))
    made = items_files.pieces(kind, about, seen.view, wanted, asked.still)
    return await items_files.stream(request, made, headers)


def _now() -> bytes:
    """The time, RFC 3339; written once a second."""
    global _second
    now = int(time.time())
    if _second[0] != now:
        _second = (now, datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode())
    return _second[1]
