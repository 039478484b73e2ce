"""Signing in through the city's OpenID provider: to it, and back from it."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from twintown.api import problems, session_cookie
from twintown.api.guard import OPEN_ENDED, OnShelf, TwinId
from twintown.api.session import begun
from twintown.api.shelf import Served
from twintown.ground.errors import NotFound, Unauthenticated
from twintown.jobs.outgoing import Hosts, ask, fetch
from twintown.trust.accounts import vouched
from twintown.trust.oidc import Flow, Provider, claims_of, endpoints

router = APIRouter(tags=["people"])
COOKIE, MINUTES = "twintown-oidc", 10
_REDIRECT: dict[int | str, dict[str, Any]] = {303: {"description": "to the provider, or back to the page"}}


@router.get(
    "/twins/{twin}/session/oidc", operation_id="signInElsewhere", status_code=303, response_class=Response,
    responses={**_REDIRECT, **problems.responses(400, 403, 404, 503)},
)  # fmt: skip
def go(request: Request, twin: TwinId, opened: OnShelf) -> Response:
    """Go to the OpenID provider of this twin to sign in."""
    served = opened.shelf.get(twin)
    provider = _provider(served)
    authorize, _, _ = _discovered(provider)
    flow = Flow(secrets.token_urlsafe(32))
    answer = RedirectResponse(
        flow.question(authorize, provider, _back(request, served)), 303, {"Cache-Control": "no-store"}
    )
    answer.set_cookie(  # lax: the provider sends the browser back with it
        COOKIE, flow.seed, max_age=MINUTES * 60, path=_path(request, served), secure=session_cookie.secure(request),
        httponly=True, samesite="lax",
    )  # fmt: skip
    return answer


@router.get(
    "/twins/{twin}/session/oidc/back", operation_id="signInBack", status_code=303, response_class=Response,
    responses={**_REDIRECT, **problems.responses(400, 401, 403, 404, 503)},
    openapi_extra={OPEN_ENDED: "what the provider sends besides"},  # providers send more than was asked for
)  # fmt: skip
def back(
    request: Request,
    twin: TwinId,
    opened: OnShelf,
    state: Annotated[str, Query(max_length=200, description="as the question had it")],
    code: Annotated[
        str, Query(max_length=2000, description="what the provider changes for an ID token")
    ] = "",
    error: Annotated[str, Query(max_length=200, description="why the provider did not sign you in")] = "",
    iss: Annotated[str, Query(max_length=500, description="the provider (RFC 9207)")] = "",
) -> Response:
    """Come back from the provider: the code is changed for an ID token, and its claims for roles."""
    served, now = opened.shelf.get(twin), datetime.now(UTC)
    provider = _provider(served)
    seed = request.cookies.get(COOKIE, "")
    flow = Flow(seed)
    if not seed or not flow.answers(state):
        raise Unauthenticated("this is the answer to another question", "state", "sign in again", "state")
    if iss and iss != provider.issuer:  # RFC 9207: two providers mixed up
        raise Unauthenticated("the answer comes from another issuer", "iss", "sign in again", "issuer")
    if error or not code:
        raise Unauthenticated("the provider did not sign you in", "error", "sign in again", "refused")
    claims = _asked(provider, flow, code, _back(request, served), now)
    account = vouched(
        served.twin.writing().tables,
        provider.issuer,
        claims["sub"],
        _name(claims),
        provider.mapped(claims),
        now,
    )
    answer = RedirectResponse(
        f"{_prefix(request)}/?{urlencode({'twin': served.id})}", 303, {"Cache-Control": "no-store"}
    )
    begun(request, served, account.name, answer, now)
    answer.delete_cookie(
        COOKIE, path=_path(request, served), secure=session_cookie.secure(request), httponly=True
    )
    return answer


def _asked(provider: Provider, flow: Flow, code: str, back: str, now: datetime) -> dict[str, Any]:
    """The claims that the provider gives for a code. Raises Unauthenticated, Denied, StorageFailed."""
    _, tokens, keys = _discovered(provider)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": flow.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if secret := provider.secret():
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"  # RFC 6749, 2.3.1
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = provider.client_id
    status, body, _ = ask(
        _hosts(provider), "POST", tokens, "identity.oidc", urlencode(form).encode(), headers
    )
    said = _json(body) if status == 200 else {}
    token = said.get("id_token")
    if not isinstance(token, str):
        raise Unauthenticated("the provider gave no ID token", provider.title, "sign in again", "refused")
    found = fetch(_hosts(provider), keys, "identity.oidc")
    return claims_of(token, found if isinstance(found, dict) else {}, provider, flow.nonce, now)


def _discovered(provider: Provider) -> tuple[str, str, str]:
    address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    return endpoints(provider, fetch(_hosts(provider), address, "identity.oidc"))


def _hosts(provider: Provider) -> Hosts:
    """Requests leave to the issuer's host only."""
    parts = urlsplit(provider.issuer)
    host = parts.hostname or ""
    return Hosts((f"{host}:{parts.port}" if parts.port else host,))


def _json(body: bytes) -> dict[str, Any]:
    from twintown.api.answers import loads

    try:
        said = loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _provider(served: Served) -> Provider:
    provider = served.twin.description.oidc
    if provider is None:
        raise NotFound("this twin has no OpenID provider", served.id, "sign in by name and password")
    return provider


def _name(claims: dict[str, Any]) -> str:
    for claim in ("name", "preferred_username", "email"):
        said = claims.get(claim)
        if isinstance(said, str) and said.strip():
            return said
    return str(claims["sub"])


def _prefix(request: Request) -> str:
    public: str = request.app.state.public_url
    return urlsplit(public).path.rstrip("/")


def _back(request: Request, served: Served) -> str:
    return f"{request.app.state.public_url}/twins/{served.id}/session/oidc/back"


def _path(request: Request, served: Served) -> str:
    return f"{_prefix(request)}/twins/{served.id}/session/oidc"
