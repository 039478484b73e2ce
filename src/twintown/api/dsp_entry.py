"""The way in for other cities' messages (Dataspace Protocol 2025-1, HTTPS binding): who sent it, is it good, and how errors are said.

Errors leave in the protocol's own types with `code` and `reason`: 400 for a message that does not fit or a step that is not possible now,
401 for a token that does not hold, 403 and 404. Every refusal is recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, book, problems
from twintown.exchange import schemas
from twintown.exchange.messages import error
from twintown.exchange.receiving import Sender
from twintown.ground import errors
from twintown.trust.assertions import check, named_issuer
from twintown.trust.identity import Subject
from twintown.trust.peer_rows import wish
from twintown.trust.seen import look, take

if TYPE_CHECKING:
    from twintown.exchange.handshake import Handshake
    from twintown.exchange.party import Party

LOG = logging.getLogger("twintown.exchange")
#: Bytes of a message that are read at most; one more says that it is too long.
_MOST = 256 * 1024
_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.Denied, HTTPStatus.FORBIDDEN),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.BadSettings, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.BadInput, HTTPStatus.BAD_REQUEST),
    (errors.Busy, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.Conflict, HTTPStatus.BAD_REQUEST),
    (errors.TooLarge, HTTPStatus.BAD_REQUEST),
    (errors.TooMany, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.StorageFailed, HTTPStatus.SERVICE_UNAVAILABLE),
)


@dataclass(frozen=True, slots=True)
class Came:
    """A message that came and is whose it says to be.

    Attributes:
        party: our side. sender: the other.
        body: of a POST, checked against its schema; empty of a GET.
        pid: our name of the negotiation or transfer in the address; "" where it names none.
        now: when.
    """

    party: Party
    sender: Sender
    body: Mapping[str, Any]
    pid: str
    now: datetime


Act = Callable[[Came], Mapping[str, Any]]
Read = Callable[[bytes], Mapping[str, Any]]
#: As the kind of an end point's errors: those of this server (RFC 9457), where the end point is none of the protocol's.
PROBLEM = ""


def handshake_of(request: Request) -> Handshake:
    """The handshake of this server; made with the first request that needs it."""
    found: Handshake = request.app.state.handshake()
    return found


def party_of(request: Request, twin: str) -> Party:
    """A twin of this server as one side of a handshake. Raises NotFound, StorageFailed."""
    return handshake_of(request).party(request.app.state.open.shelf.get(twin).twin)


async def came(
    request: Request,
    twin: str,
    kind: str,
    types: tuple[str, ...],
    act: Act,
    *,
    pid: str = "",
    status: int = 200,
    read: Read | None = None,
) -> Response:
    """Answer one message.

    Args:
        kind: `@type` of the errors of this end point, or `PROBLEM`.
        types: which messages are taken; none for a GET.
        act: makes the answer's body from what came.
        pid: of the process in the address.
        read: makes the message from the body, where it is none of the protocol's.
    """
    raw = await _body(request)
    reads = read or ((lambda sent: schemas.read(sent, *types)) if types else None)
    return await run_in_threadpool(_answered, request, twin, kind, reads, act, pid, status, raw)


async def _body(request: Request) -> bytes:
    """The body, cut off where it is too long to be a message."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        parts.append(part)
        if size > _MOST:
            break
    return b"".join(parts)[: _MOST + 1]


def _answered(
    request: Request, twin: str, kind: str, read: Read | None, act: Act, pid: str, status: int, raw: bytes
) -> Response:  # fmt: skip
    party: Party | None = None
    sender: Sender | None = None
    body: Mapping[str, Any] = {}
    now = datetime.now(UTC)
    try:
        party = party_of(request, twin)
        if len(raw) > _MOST:
            raise errors.TooLarge(f"a message of more than {_MOST:,} bytes", "body", "say less")
        sender = _sender(request, party, raw, now)
        if read is not None:
            body = read(raw)
        answer = act(Came(party, sender, body, pid, now))
    except errors.TwintownError as trouble:
        return _refused(request, kind, pid, body, trouble, party, sender, now)
    return _said(answer, status)


def _sender(request: Request, party: Party, raw: bytes, now: datetime) -> Sender:
    """Who sent this. Raises Unauthenticated."""
    if party.test:
        return Sender(party.peers.find("http://kit.invalid"), None)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise errors.BadAssertion(
            "a message comes with a signed token",
            "the Authorization header",
            "sign it with a pinned key",
            "missing",
        )
    base = handshake_of(request).public_url.rstrip("/")
    url = base + request.scope.get("raw_path", request.url.path.encode()).decode("ascii", "replace")
    if query := request.scope.get("query_string", b"").decode("ascii", "replace"):
        url = f"{url}?{query}"
    try:
        issuer = check(
            token.strip(), audience=party.did, method=request.method, url=url, body=raw, now=now, keys_of=party.peers.keys_of
        )  # fmt: skip
    except errors.BadAssertion as trouble:
        if trouble.code == "unknown-key":  # the peer may have a new one: the keeper looks at its document
            wish(party.twin.tables, party.peers.find(named_issuer(token.strip())), now)
        raise
    look(party.twin.tables, issuer)
    peer = party.peers.find(issuer.did)
    served = request.app.state.open.shelf.get(party.twin.description.id)
    request.scope[book.CALLER] = (served, Subject("peer", served.id, peer.did), "message")
    return Sender(peer, issuer)


def _refused(
    request: Request, kind: str, pid: str, body: Mapping[str, Any], trouble: errors.TwintownError, party: Party | None,
    sender: Sender | None, now: datetime,
) -> Response:  # fmt: skip
    status = next(
        (code for type_, code in _STATUS if isinstance(trouble, type_)), HTTPStatus.INTERNAL_SERVER_ERROR
    )
    if status >= 500:
        if kind != PROBLEM:
            LOG.error("%s %s: %s", request.method, request.url.path, trouble, exc_info=trouble)
    else:
        if party is not None and sender is not None and sender.issuer is not None:
            with suppress(errors.TwintownError):  # taken already, if that is why
                take(party.twin.tables, sender.issuer, now)  # it opens nothing another time either
        # not in the words of a caller, who could make lines without end
        if kind != PROBLEM or not isinstance(trouble, errors.Denied | errors.Unauthenticated):
            book.note(request, _code(trouble), "a message of another city")
    if kind == PROBLEM:
        return problems.of_error(request, trouble)
    if status >= 500:
        reason = ["the server cannot do this now; try again later"]
    elif isinstance(trouble, errors.BadContent) and trouble.findings:
        reason = [f"{where}: {what}" if where else what for where, _, what in trouble.findings]
    else:
        reason = [trouble.what]
    if trouble.remedy and status < 500:
        reason.append(trouble.remedy)
    known = {
        name: value for name in ("providerPid", "consumerPid") if isinstance(value := body.get(name), str)
    }
    said = error(kind, _code(trouble), reason, known)
    sent = {"WWW-Authenticate": 'Bearer realm="twintown"'} if status is HTTPStatus.UNAUTHORIZED else {}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        sent["Retry-After"] = "5"
    return _said(said, int(status), sent)


def _said(body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(answers.dumps(body), status, sent, "application/json")


def _code(trouble: errors.TwintownError) -> str:
    """One word for programs: that of a bad token, or the error's own name."""
    said = getattr(trouble, "code", "")
    return str(said) if said else problems.slug(type(trouble).__name__)


def described(good: int, what: str, *codes: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of an end point: JSON of the protocol, errors included; an address that is none is our own problem."""
    content = {"application/json": {"schema": {"type": "object"}}}
    ours = problems.responses(*codes)
    said: dict[int | str, dict[str, Any]] = {good: {"description": what, "content": content}}
    for code in codes:
        known: Any = ours[code]["content"]
        said[code] = {
            "description": f"{HTTPStatus(code).phrase}: an error of the protocol",
            "content": {**content, **known},
        }
    return said


def taken(what: str) -> dict[str, Any]:
    """The OpenAPI entry of a message that is taken."""
    body = {
        "required": True,
        "description": what,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    return {"requestBody": body}
