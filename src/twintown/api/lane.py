"""The short way: GET of what is asked most often goes past routing, dependencies and the thread pool.

The routes stand in the app as well: they are what the OpenAPI document shows, what OPTIONS and 405 know, and what answers
where the application is mounted below a path. Both ways call the same function.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twintown.api import problems
from twintown.ground.errors import BadParameter, TwintownError

Headers = list[tuple[bytes, bytes]]
#: Bytes of a query string, and parameters in it: more is no question but an attack.
MAX_QUERY, MAX_PARAMETERS = 32_768, 100


@dataclass(frozen=True)
class Short:
    """An address, and what answers GET of it: it is called with the request and the groups of the pattern."""

    pattern: re.Pattern[str]
    respond: Callable[..., Awaitable[Response]]


class Lane:
    """Answers GET of some addresses by itself; everything else goes on.

    Args:
        app: what is inside.
        shorts: the addresses; the first whose whole pattern fits counts.
    """

    def __init__(self, app: ASGIApp, shorts: Sequence[Short]) -> None:
        self.app = app
        self.shorts = tuple((short.pattern.fullmatch, short.respond) for short in shorts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and not scope.get("root_path"):
            path = scope["path"]
            for fits, respond in self.shorts:
                found = fits(path)
                if found:
                    request = Request(scope, receive)
                    try:
                        response = await respond(request, *found.groups())
                    except (TwintownError, HTTPException) as error:
                        response = problems.of_any(request, error)
                    await response(scope, receive, send)
                    return
        await self.app(scope, receive, send)


class Ready(Response):
    """A whole body with its headers as they go over the wire; nothing is encoded or looked up again."""

    def __init__(self, body: bytes, headers: Headers, status: int = 200) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = headers if status == 304 else [*headers, (b"content-length", b"%d" % len(body))]


def parameters(request: Request) -> dict[str, str]:
    """The query parameters by name.

    Raises:
        BadParameter: one is sent twice, or there is more of them than anybody can mean.
    """
    query: bytes = request.scope["query_string"]
    if not query:
        return {}
    if len(query) > MAX_QUERY:
        longest = max(query.split(b"&"), key=len).partition(b"=")[0]
        raise BadParameter(
            longest.decode("latin-1")[:40],
            f"the query has more than {MAX_QUERY:,} bytes",
            remedy="ask for less",
        )
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise BadParameter("query", f"more than {MAX_PARAMETERS} parameters", remedy="ask for less") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadParameter(twice, "sent more than once", remedy="send it once")
    return found
