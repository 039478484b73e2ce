"""What holds for every request and answer, as plain ASGI: HEAD, OPTIONS, other origins, the largest body, headers against misuse.

It stands around everything and is passed by every request, so it makes as little as it can for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twintown.api import book, problems

#: What a page of another origin may read besides the body.
EXPOSED = (
    "ETag", "Link", "Location", "Allow", "Content-Crs", "Content-Bbox", "Content-Language", "Content-Disposition",
    "Content-Range", "Accept-Ranges", "OGC-NumberMatched", "OGC-NumberReturned", "Preference-Applied", "Retry-After",
    "WWW-Authenticate", "Server-Timing",
)  # fmt: skip
MAX_BODY = 1_000_000  # bytes, where no line of `BODIES` says otherwise
#: Where files come in: paths that take larger bodies, bytes.
BODIES: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"/twins/[^/]+/collections/[^/]+(/items)?/?"), 64_000_000),
    (re.compile(r"/twins/[^/]+/scenarios/[^/]+/imports/?"), 64_000_000),
    (re.compile(r"/twins/[^/]+/verifications/?"), 512_000_000),
)
_READING = ("GET", "HEAD", "OPTIONS")
_ALLOW_ORIGIN = (b"access-control-allow-origin", b"*")
_EVERY: tuple[tuple[bytes, bytes], ...] = (
    _ALLOW_ORIGIN,
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
    (b"x-content-type-options", b"nosniff"),
)
_NO_CACHE, _NO_STORE = (b"cache-control", b"no-cache"), (b"cache-control", b"private, no-store")
_DAY_S = b"86400"


class Envelope:
    """HEAD is GET without its body, OPTIONS tells the methods of an address, any origin may read; bodies over the limit are
    refused before they are read; nothing is sniffed.

    Args:
        app: what is inside.
        max_body: bytes of a body where no line of `bodies` fits the path.
        bodies: paths with another limit; the first that fits counts.
        narrow: those of the methods of an address that can be taken of what lies there.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_body: int = MAX_BODY,
        bodies: Sequence[tuple[re.Pattern[str], int]] = BODIES,
        narrow: Callable[[Scope, Sequence[str]], list[str]] | None = None,
    ) -> None:
        self.app = app
        self.max_body = max_body
        self.bodies = tuple(bodies)
        self.narrow = narrow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        head = method == "HEAD"
        inner = {**scope, "method": "GET", "twintown.head": True} if head else scope
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = [*message.get("headers", ()), *_EVERY]
                if inner.get(book.PRIVATE):
                    headers = [one for one in headers if one[0].lower() != b"cache-control"] + [_NO_STORE]
                    book.answered(inner, message["status"])
                elif not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_NO_CACHE)
                message = {**message, "headers": headers}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if method == "OPTIONS" and (allowed := problems.methods(scope)):
            await _options(scope, sent, allowed, self.narrow(scope, allowed) if self.narrow else allowed)
            return
        if method not in _READING:
            if (
                allowed := problems.methods(scope)
            ) and method not in allowed:  # a later route may take it for another
                await problems.of_any(Request(scope), HTTPException(405))(scope, receive, sent)
                return
            limit = self._limit(scope["path"])
            declared = Headers(scope=scope).get("content-length", "")
            if declared.isdigit() and int(declared) > limit:
                response = problems.problem(Request(scope), 413, _too_large(limit))
                await response(scope, receive, sent)
                return
            receive = _counted(receive, limit)
        try:
            await self.app(inner, receive, sent)
        except Exception as error:  # a mistake of ours is read by other origins too
            if started:
                raise
            await problems.of_error(Request(scope), error)(scope, receive, sent)

    def _limit(self, path: str) -> int:
        return next((most for pattern, most in self.bodies if pattern.fullmatch(path)), self.max_body)


def _too_large(limit: int) -> str:
    return f"A body has at most {limit:,} bytes here."


def _counted(receive: Receive, limit: int) -> Receive:
    """Bodies without a stated length are counted while they arrive."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return counted


async def _options(scope: Scope, send: Send, known: list[str], allowed: list[str]) -> None:
    """What may be done here, for whoever asks and for browsers that ask before they send (Fetch, 4.8).

    Browsers ask without saying who asks, so they are told all the methods that the address knows.
    """
    methods = ", ".join(known).encode()
    asked = dict(scope["headers"]).get(b"access-control-request-headers", b"")
    headers = [
        (b"allow", ", ".join(allowed).encode()),
        (b"access-control-allow-methods", methods),
        (b"access-control-max-age", _DAY_S),
    ]
    if asked:  # a star would leave Authorization out
        headers += [(b"access-control-allow-headers", asked), (b"vary", b"Access-Control-Request-Headers")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
