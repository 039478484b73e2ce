"""Who is signed in: the cookie of a session, and the header without which it changes nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from twintown.api.answers import SESSION
from twintown.api.shelf import Served
from twintown.ground.errors import Denied, StorageFailed
from twintown.trust.identity import ANYONE, Subject
from twintown.trust.sessions import WHOLE, Session

#: The header that a page sends with everything that writes; its value is `csrf` of `GET …/session`.
HEADER = "Twintown-CSRF"
_READING = ("GET", "HEAD", "OPTIONS")


def found(request: Request, served: Served) -> Session | None:
    """The session that a request's cookie names; None where there is none. Raises StorageFailed."""
    secret = request.cookies.get(SESSION, "")
    return served.sessions.find(secret, datetime.now(UTC)) if secret else None


def subject_of(request: Request, served: Served) -> Subject:
    """Who asks, by the cookie; anyone where it names no session that stands.

    Raises:
        Denied: a request that writes, without the session's CSRF token: another page may have sent it.
        StorageFailed: the database is away.
    """
    session = found(request, served)
    if session is None:
        return ANYONE
    if request.method not in _READING and not session.guards(request.headers.get(HEADER, "")):
        raise Denied(
            f"the header {HEADER} is not that of the session", served.id, "send csrf of GET …/session in it", "csrf"
        )  # fmt: skip
    with suppress(StorageFailed):  # a directory that lets itself be read only: the session ends the sooner
        served.sessions.prolong(
            served.twin.writing().tables, request.cookies[SESSION], session, datetime.now(UTC)
        )
    return session.subject(served.id)


def give(request: Request, answer: Response, twin: str, secret: str) -> None:
    """Put the cookie of a session into an answer: for this twin only, out of reach of scripts and of other sites' requests."""
    answer.set_cookie(
        SESSION, secret, max_age=int(WHOLE.total_seconds()), path=_path(request, twin), secure=secure(request),
        httponly=True, samesite="strict",
    )  # fmt: skip


def take(request: Request, answer: Response, twin: str) -> None:
    """Take the cookie back."""
    answer.delete_cookie(
        SESSION, path=_path(request, twin), secure=secure(request), httponly=True, samesite="strict"
    )


def secure(request: Request) -> bool:
    """Whether the page came over https, to us or to what stands before us."""
    public: str = request.app.state.public_url
    return request.url.scheme == "https" or public.startswith("https://")


def _path(request: Request, twin: str) -> str:
    prefix = urlsplit(request.app.state.public_url).path.rstrip("/")
    return f"{prefix}/twins/{twin}"
