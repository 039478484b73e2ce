"""Signing in through an OpenID provider, against one that runs here and can be made to lie."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from twintown.app import create_app
from twintown.ground.errors import BadSettings
from twintown.jobs import outgoing
from twintown.settings import Settings
from twintown.trust.oidc import Provider
from twintown.twin.layers import Twin

from .oidc_provider import SECRET, ProviderServer

ISSUER = "https://login.city.example"
OIDC = f"""
[identity.oidc]
issuer = "{ISSUER}"
client_id = "twintown"
secret_file = "oidc.secret"
title = "City login"
claim = "groups"
[identity.oidc.roles]
planning = "planner"
safety = ["security", "viewer"]
"""
GO, ME = "/twins/small/session/oidc", "/twins/small/me"


@pytest.fixture(scope="module")
def provider() -> ProviderServer:
    return ProviderServer(ISSUER)


@pytest.fixture(scope="module")
def oidc_app(twin_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    directory = tmp_path_factory.mktemp("oidc") / "small"
    shutil.copytree(twin_dir, directory)
    with (directory / "twintown.toml").open("a", encoding="utf-8") as file:
        file.write(OIDC)
    (directory / "oidc.secret").write_text(SECRET + "\n")
    (directory / "oidc.secret").chmod(0o600)
    return create_app([directory], Settings(public_url="https://twin.example"), warm=False)


@pytest.fixture
def asked(provider: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Requests of the twin's server go to the provider that runs here; which they were."""
    with TestClient(provider.app, base_url=ISSUER) as line:
        urls: list[str] = []

        def ask(
            hosts: outgoing.Hosts,
            method: str,
            url: str,
            parameter: str,
            body: bytes = b"",
            headers: Any = None,
        ) -> Any:
            hosts.check(url, parameter)
            urls.append(url)
            answer = line.request(method, url, content=body, headers=dict(headers or {}))
            return answer.status_code, answer.content, answer.headers.get("content-type", "")

        monkeypatch.setattr(outgoing, "ask", ask)
        monkeypatch.setattr("twintown.api.session_oidc.ask", ask)
        yield urls
    provider.straighten()


@pytest.fixture
def page(oidc_app: FastAPI) -> Iterator[TestClient]:
    with TestClient(oidc_app, base_url="https://twin.example", follow_redirects=False) as one:
        yield one


def there(page: TestClient, provider: ProviderServer) -> str:
    """Go to the provider and sign in there; the address that it sends the browser back to."""
    gone = page.get(GO)
    assert gone.status_code == 303, gone.text
    with TestClient(provider.app, base_url=ISSUER, follow_redirects=False) as browser:
        back = browser.get(gone.headers["location"]).headers["location"]
    assert back.startswith("https://twin.example/twins/small/session/oidc/back?")
    return back


def code_of(answer: Any) -> tuple[int, str]:
    assert "set-cookie" not in answer.headers or "twintown-session" not in answer.headers["set-cookie"]
    return answer.status_code, answer.json().get("code", "")


def test_somebody_signs_in_with_the_roles_that_their_groups_give(
    page: TestClient, provider: ProviderServer, asked: list[str]
) -> None:
    assert page.get("/twins/small/session").json()["oidc"] == GO
    answer = page.get(there(page, provider) + "&session_state=x&scope=openid")  # as providers do
    assert (answer.status_code, answer.headers["location"]) == (303, "/?twin=small")
    me = page.get(ME).json()
    assert (me["kind"], me["name"], me["roles"]) == ("person", "Han", ["planner"])
    assert asked and all(url.startswith(ISSUER + "/") for url in asked)


def test_roles_are_those_of_the_last_sign_in(
    page: TestClient, provider: ProviderServer, asked: list[str]
) -> None:
    provider.claims = {"groups": "safety"}
    assert page.get(there(page, provider)).status_code == 303
    assert page.get(ME).json()["roles"] == ["security", "viewer"]


@pytest.mark.parametrize(
    ("status", "code", "claims"),
    [
        (401, "nonce", {"nonce": "of another question"}),
        (401, "nonce", {"nonce": None}),
        (401, "wrong-audience", {"aud": "another client"}),
        (401, "wrong-audience", {"aud": ["twintown", "another client"]}),
        (401, "wrong-audience", {"azp": "another client"}),
        (401, "expired", {"exp": int(time.time()) - 61}),
        (401, "expired", {"iat": int(time.time()) - 3600}),
        (401, "not-yet", {"iat": int(time.time()) + 3600}),
        (401, "malformed", {"exp": "never"}),
        (401, "malformed", {"sub": None}),
        (401, "issuer", {"iss": "https://login.other.example"}),
        (403, "no-role", {"groups": ["choir"]}),
        (403, "no-role", {"groups": None}),
    ],
)
def test_an_id_token_that_does_not_fit_signs_nobody_in(
    page: TestClient,
    provider: ProviderServer,
    asked: list[str],
    status: int,
    code: str,
    claims: dict[str, Any],
) -> None:
    provider.claims = claims
    assert code_of(page.get(there(page, provider))) == (status, code)
    assert page.get(ME).json()["kind"] == "anyone"


def test_an_id_token_that_nobody_or_somebody_else_signed_is_forged(
    page: TestClient, provider: ProviderServer, asked: list[str]
) -> None:
    provider.unsigned = True
    assert code_of(page.get(there(page, provider))) == (401, "forged")
    provider.straighten()
    provider.forge = True
    assert code_of(page.get(there(page, provider))) == (401, "forged")


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_forged(
    page: TestClient, provider: ProviderServer, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The confusion of algorithms: HS256 with what everybody can read."""
    import hmac
    from hashlib import sha256

    real = provider.id_token

    def confused(nonce: str) -> str:
        body = real(nonce).split(".")[1]
        head = (
            base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "one"}).encode())
            .rstrip(b"=")
            .decode()
        )
        mark = hmac.new(provider.key.as_pem(private=False), f"{head}.{body}".encode(), sha256).digest()
        return f"{head}.{body}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"

    monkeypatch.setattr(provider, "id_token", confused)
    assert code_of(page.get(there(page, provider))) == (401, "forged")


def test_the_answer_to_another_browsers_question_signs_nobody_in(
    page: TestClient, provider: ProviderServer, asked: list[str], oidc_app: FastAPI
) -> None:
    back = there(page, provider)
    with TestClient(oidc_app, base_url="https://twin.example", follow_redirects=False) as victim:
        assert code_of(victim.get(back)) == (401, "state")
        there(victim, provider)
        assert code_of(victim.get(back)) == (401, "state")
    assert page.get(back).status_code == 303
    assert page.get(back).status_code == 401  # the way is gone: once


def test_an_answer_that_comes_from_another_issuer_is_a_mix_up(
    page: TestClient, provider: ProviderServer, asked: list[str]
) -> None:
    back = there(page, provider).replace(
        "iss=https%3A%2F%2Flogin.city.example", "iss=https%3A%2F%2Fevil.example"
    )
    assert code_of(page.get(back)) == (401, "issuer")
    assert not any(url.endswith("/token") for url in asked)


def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    page: TestClient, provider: ProviderServer, asked: list[str], oidc_app: FastAPI
) -> None:
    code = parse_qs(urlsplit(there(page, provider)).query)["code"][0]
    with TestClient(oidc_app, base_url="https://twin.example", follow_redirects=False) as thief:
        theirs = there(thief, provider)
        swapped = theirs.replace(parse_qs(urlsplit(theirs).query)["code"][0], code)
        assert code_of(thief.get(swapped)) == (401, "refused")


def test_a_person_who_was_refused_there_is_told_so(
    page: TestClient, provider: ProviderServer, asked: list[str]
) -> None:
    state = parse_qs(urlsplit(there(page, provider)).query)["state"][0]
    assert code_of(page.get(f"{GO}/back", params={"state": state, "error": "access_denied"})) == (
        401,
        "refused",
    )


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://login.other.example"},
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": "http://login.city.example/keys"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"authorization_endpoint": None},
    ],
)
def test_requests_leave_to_the_issuer_only(
    page: TestClient, provider: ProviderServer, asked: list[str], discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery
    assert code_of(page.get(GO)) == (403, "issuer")
    assert {urlsplit(url).netloc for url in asked} == {"login.city.example"}


def test_the_way_back_is_kept_in_a_cookie_of_some_minutes(
    page: TestClient, provider: ProviderServer, asked: list[str]
) -> None:
    gone = page.get(GO)
    cookie = gone.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "secure", "samesite=lax", "max-age=600"))
    seed = gone.cookies["twintown-oidc"]
    assert seed not in gone.headers["location"] and SECRET not in gone.headers["location"]


def test_the_secret_is_the_clients_own(
    page: TestClient, provider: ProviderServer, asked: list[str], oidc_app: FastAPI
) -> None:
    twin: Twin = oidc_app.state.open.shelf.get("small").twin
    file = twin.directory / "oidc.secret"
    file.chmod(0o644)
    assert page.get(there(page, provider)).status_code == 500
    file.chmod(0o600)
    assert SECRET not in repr(twin.description.oidc)


def test_a_twin_without_a_provider_says_so(client: TestClient) -> None:
    assert client.get(GO).status_code == 404
    assert client.get("/twins/small/session").json()["oidc"] == ""


@pytest.mark.parametrize(
    "said",
    [
        7, {}, {"issuer": "ftp://a", "client_id": "x", "claim": "g", "roles": {"a": "planner"}},
        {"issuer": "http://login.city.example", "client_id": "x", "claim": "g", "roles": {"a": "planner"}},
        {"issuer": ISSUER, "client_id": "x", "claim": "g", "roles": {}},
        {"issuer": ISSUER, "client_id": "x", "claim": "g", "roles": {"a": "owner"}},
        {"issuer": ISSUER, "client_id": "x", "claim": "g", "roles": {"a": []}},
        {"issuer": ISSUER, "client_id": "x", "claim": "g", "roles": {"a": "planner"}, "client_secret": "in the open"},
    ],
)  # fmt: skip
def test_a_provider_that_is_described_wrongly_is_refused(said: Any, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"identity\.oidc"):
        Provider.of(said, tmp_path)
