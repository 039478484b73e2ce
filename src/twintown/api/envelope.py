"""What holds for every request and answer, as plain ASGI: HEAD, the largest body, and headers against misuse."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twintown.api import problems

MAX_BODY = 1_000_000  # bytes


class Envelope:
    """HEAD is GET without its body; bodies over the limit are refused before they are read; nothing is sniffed."""

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY) -> None:
        self.app = app
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Cache-Control", "no-cache")
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > self.max_body:
            response = problems.problem(Request(scope), 413, self._too_large())
            await response(scope, receive, sent)
            return
        inner = {**scope, "method": "GET"} if head else scope
        await self.app(inner, self._counted(receive), sent)

    def _too_large(self) -> str:
        return f"A body has at most {self.max_body:,} bytes here."

    def _counted(self, receive: Receive) -> Receive:
        """Bodies without a stated length are counted while they arrive."""
        total = 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self.max_body:
                raise HTTPException(413, self._too_large())
            return message

        return counted
