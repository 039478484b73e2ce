"""Rows in other forms than GeoJSON: a page of them, or everything that matches as one stream that nothing holds whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from twintown.api.items_query import Question
from twintown.api.lane import Headers
from twintown.formats.format import FORMATS, Format, Told, parts_of
from twintown.ground.errors import Denied, TwintownError, Unauthenticated
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Grant, Resource

if TYPE_CHECKING:
    import pyarrow as pa

    from twintown.api.guard import Decide
    from twintown.api.shelf import Served, Shelf
    from twintown.index.view import View
    from twintown.twin.layers import LayerVersion

#: Forms that are files: without a limit all that matches comes in one of them.
FILES = frozenset(("cityjsonseq", "fgb", "parquet", "csv"))
#: Bytes that go out together, and streams that work at the same time; the others wait their turn, chunk by chunk.
CHUNK, AT_ONCE = 262_144, 4


def told(
    served: Served,
    grant: Grant,
    version: LayerVersion,
    view: View,
    question: Question | None = None,
    **more: Any,
) -> Told:
    """What a writer is told of the rows of a view."""
    asked = question or Question()
    columns = tuple(c for c in view.columns if asked.columns is None or c.name in asked.columns)
    whole = asked.query.everything
    said: dict[str, Any] = {
        "count": view.count if whole else None,
        "bbox_lonlat": None if not whole else view.bbox if grant.narrows else version.bbox_lonlat,
        **more,
    }
    return Told(
        layer=version.layer,
        title=version.title,
        columns=columns,
        geometry=view.geometry if asked.geometry else "",
        frame=view.frame,
        provenance=version.provenance,
        crs=asked.crs,
        ground_m=served.twin.description.ground.height_m,
        time=_names(view.time),
        parts=_parts(served, grant) if version.layer == "buildings" else None,
        **said,
    )


def load(shelf: Shelf, decide: Decide) -> None:
    """Make ready what the first file needs: the compiled code of FlatGeobuf, which takes seconds in a new installation."""
    for served in shelf.twins.values():
        grant = decide(ANYONE, "read", Resource(served.id))
        with suppress(TwintownError):
            drawn = [layer for layer in served.twin.layers(grant) if layer.kind == "features"]
            for version in sorted(drawn, key=lambda layer: layer.count)[:1]:
                view = served.view(version, grant)
                for _ in pieces(FORMATS["fgb"], told(served, grant, version, view), view, Question()):
                    break


def _names(time: Any) -> tuple[str, ...]:
    return () if not time else (time,) if isinstance(time, str) else tuple(time)


def _parts(served: Served, grant: Grant) -> Any:
    try:
        return parts_of(served.view("building-parts", grant))
    except TwintownError:  # no such layer, or not for this caller: buildings then have no solids
        return None


def fitting(about: Told) -> dict[str, Format]:
    """The formats in which rows of this layer can be written, by id."""
    return {name: one for name, one in FORMATS.items() if one.applies(about)}


def disposition(twin: str, layer: str, form: Format) -> tuple[bytes, bytes]:
    """The name under which a browser keeps the file (RFC 6266)."""
    name = f"{twin}-{layer}{form.suffix}"
    plain = name.encode("ascii", "replace").decode().replace('"', "_")
    return (
        b"content-disposition",
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}".encode(),
    )


def page(form: Format, about: Told, view: View, question: Question, positions: Any) -> bytes:
    """The bytes of a page; it has at most some thousand rows, so it is made at once."""
    batch = view.take(
        positions, columns=question.columns, geometry=question.geometry, lonlat=_ready(question)
    )
    return b"".join(form.write(about, iter([batch])))


def pieces(
    form: Format, about: Told, view: View, question: Question, still: Callable[[], object] = lambda: None
) -> Iterator[bytes]:
    """All that matches, in pieces that are worth sending; before each `still` says by raising that no more may leave."""
    made = form.write(about, _batches(view, question))
    kept: list[bytes] = []
    size = 0
    for part in made:
        kept.append(part)
        size += len(part)
        if size >= CHUNK:
            still()
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        still()
        yield b"".join(kept)


def _batches(view: View, question: Question) -> Iterator[pa.RecordBatch]:
    found: Iterator[pa.RecordBatch] = view.batches(
        question.query, columns=question.columns, lonlat=_ready(question)
    )
    if question.geometry:
        yield from found
        return
    for batch in found:
        yield batch.drop_columns([name for name in ("geometry", "lonlat") if name in batch.schema.names])


def _ready(question: Question) -> bool:
    """Whether the shapes are wanted as they lie ready, in degrees."""
    return question.geometry and question.crs.code == "OGC:CRS84"


class Stream(Response):
    """Pieces that a thread makes one at a time while the one before is sent; it ends when the caller goes away.

    Args:
        pieces: of the body; closed at the end, whatever happens.
        first: the first of them, made before the answer began, so that what is wrong is still a problem.
        headers: as they go over the wire.
        limiter: how many streams may make a piece at the same time.
    """

    def __init__(
        self, pieces: Iterator[bytes], first: bytes, headers: Headers, limiter: CapacityLimiter
    ) -> None:
        self.status_code = 200
        self.background = None
        self.raw_headers = headers
        self.body = b""
        self._pieces, self._first, self._limiter = pieces, first, limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("twintown.head"):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b""})
            self._close()
            return
        try:
            async with anyio.create_task_group() as group:

                async def listen() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(listen)
                await self._send(send)
                group.cancel_scope.cancel()
        finally:
            self._close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        piece: bytes | None = self._first
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            try:
                piece = await to_thread.run_sync(next, self._pieces, None, limiter=self._limiter)
            except (
                Denied,
                Unauthenticated,
            ):  # taken back meanwhile: the answer breaks off, so that nobody takes it for whole
                return
        await send({"type": "http.response.body", "body": b""})

    def _close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()


async def stream(request: Request, made: Iterator[bytes], headers: Headers) -> Response:
    """A stream whose first piece is there."""
    limiter = limiter_of(request)
    first = await to_thread.run_sync(next, made, b"", limiter=limiter)
    return Stream(made, first, headers, limiter)


def limiter_of(request: Request) -> CapacityLimiter:
    """How many long questions are worked on at the same time."""
    state = request.app.state
    if not hasattr(state, "long_questions"):
        state.long_questions = CapacityLimiter(AT_ONCE)
    limiter: CapacityLimiter = state.long_questions
    return limiter
