"""Signing in and out of a twin, for people with an account: a cookie for the page, nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems, session_cookie
from twintown.api.guard import OnShelf, TwinId
from twintown.api.schemas import Model
from twintown.api.shelf import Served
from twintown.ground.errors import Denied
from twintown.trust import accounts, sessions
from twintown.trust.sessions import Session
from twintown.trust.totp_seal import Seal

router = APIRouter(tags=["people"])
RoleWord = Literal["viewer", "planner", "approver", "engineer", "partner", "security"]


class SignIn(Model):
    """A name, a password, and a one-time or recovery code where the account asks for one."""

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=200, repr=False)
    code: str = Field(
        default="",
        max_length=20,
        repr=False,
        description="six digits, or a recovery code, which is good once; empty where none is asked for",
    )


class SessionState(Model):
    """Who is signed in."""

    signed_in: bool
    name: str
    roles: list[RoleWord]
    csrf: str = Field(description="goes into the header Twintown-CSRF of everything that writes", repr=False)
    expires: datetime | None = Field(description="when the session ends unless it is used")
    oidc: str = Field(
        description="where to go to sign in through the city's OpenID provider; empty where there is none"
    )


def state_of(served: Served, session: Session | None) -> SessionState:
    """What a page is told of a session."""
    oidc = f"/twins/{served.id}/session/oidc" if served.twin.description.oidc else ""
    if session is None:
        return SessionState(signed_in=False, name="", roles=[], csrf="", expires=None, oidc=oidc)
    return SessionState(
        signed_in=True, name=session.account, roles=list(session.roles), csrf=session.csrf, expires=session.expires, oidc=oidc
    )  # fmt: skip


def begun(request: Request, served: Served, account: str, answer: Response, now: datetime) -> SessionState:
    """A new session in a cookie of `answer`; the one that the caller had ends."""
    tables = served.twin.writing().tables
    before = request.cookies.get(answers.SESSION, "")
    secret = sessions.begin(tables, account, now, before)
    served.twin.watch.touch()
    session_cookie.give(request, answer, served.id, secret)
    return state_of(served, served.sessions.find(secret, now))


@router.post(
    "/twins/{twin}/session", operation_id="signIn", status_code=201, response_model=SessionState,
    responses=problems.responses(400, 401, 403, 404, 413, 429, 503),
)  # fmt: skip
def sign_in(request: Request, twin: TwinId, given: SignIn, opened: OnShelf) -> Response:
    """Sign in; the answer sets a cookie. Whatever does not fit, the answer is the same (401); many failures from one place: 429."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Denied(
            "another site's page cannot sign you in", twin, "sign in on the twin's own page", "cross-site"
        )
    served, now = opened.shelf.get(twin), datetime.now(UTC)
    address = request.client.host if request.client else ""
    tables = served.twin.writing().tables
    seal = Seal(served.twin.directory)
    account = accounts.sign_in(tables, given.name, given.password, given.code, address, now, seal)
    answer = Response(status_code=201, media_type="application/json", headers={"Cache-Control": "no-store"})
    body = answers.dumps(begun(request, served, account.name, answer, now))
    answer.body, answer.headers["Content-Length"] = body, str(len(body))
    return answer


@router.get(
    "/twins/{twin}/session", operation_id="getSession", response_model=SessionState,
    responses=problems.responses(400, 404, 503),
)  # fmt: skip
def get_session(request: Request, twin: TwinId, opened: OnShelf) -> Response:
    """Whether you are signed in by cookie, and what has to go with what you write."""
    served = opened.shelf.get(twin)
    return answers.answer_json(
        request, state_of(served, session_cookie.found(request, served)), cache="no-store"
    )


@router.delete(
    "/twins/{twin}/session", operation_id="signOut", status_code=204, response_class=Response,
    responses=problems.responses(400, 403, 404, 503),
)  # fmt: skip
def sign_out(request: Request, twin: TwinId, opened: OnShelf) -> Response:
    """Sign out: the session ends here, whoever still has its cookie."""
    served = opened.shelf.get(twin)
    session_cookie.subject_of(request, served)  # another site's page cannot sign you out
    answer = Response(status_code=204)
    if secret := request.cookies.get(answers.SESSION, ""):
        sessions.end(served.twin.writing().tables, secret)
        served.twin.watch.touch()
        session_cookie.take(request, answer, twin)
    return answer
