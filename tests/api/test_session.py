"""Signing in to a twin's page: the cookie, what it may not do alone, and what the owner gives to people and programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from twintown.app import create_app
from twintown.settings import Settings
from twintown.store.engine import writing
from twintown.trust import passwords, tries
from twintown.trust.accounts import add_account
from twintown.twin.layers import Twin

PASSWORD = "seven tall zelkova trees"
ME, SESSION = "/twins/small/me", "/twins/small/session"
PLAN = {"name": "A plan"}


@pytest.fixture(scope="module", autouse=True)
def people(twin_dir: Path) -> Iterator[None]:
    """Kim plans, Seo sees to security; with the cheapest Argon2id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "TIME", 1)
        patch.setattr(passwords, "MEMORY", 8)
        passwords._hasher.cache_clear()
        passwords._nobody.cache_clear()
        tables = Twin.open(twin_dir, read_only=False).tables
        add_account(tables, "Kim", ["planner"], PASSWORD, datetime.now(UTC))
        add_account(tables, "Seo", ["security"], PASSWORD, datetime.now(UTC))
        yield
        with writing(tables.engine) as connection:
            for table in ("accounts", "sessions", "tokens", "tries"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
    passwords._hasher.cache_clear()
    passwords._nobody.cache_clear()


@pytest.fixture
def page(app: FastAPI) -> Iterator[TestClient]:
    """A browser of its own."""
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


def sign_in(page: TestClient, name: str = "Kim", password: str = PASSWORD, **said: Any) -> Any:
    return page.post(SESSION, json={"name": name, "password": password, **said})


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(page: TestClient) -> None:
    answer = sign_in(page)
    assert answer.status_code == 201, answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert all(
        part in cookie for part in ("httponly", "samesite=strict", "path=/twins/small", "max-age=43200")
    )
    assert "secure" not in cookie  # this server is asked over http
    assert PASSWORD not in answer.text and answer.headers["cache-control"] == "no-store"
    me = page.get(ME).json()
    assert (me["kind"], me["name"], me["roles"]) == ("person", "Kim", ["planner"])
    assert me["csrf"] == answer.json()["csrf"] == page.get(SESSION).json()["csrf"]
    assert "plan" in me["may"] and "govern" not in me["may"]


def test_the_cookie_is_secure_where_the_twin_is_served_by_https(twin_dir: Path) -> None:
    app = create_app([twin_dir], Settings(public_url="https://city.example/seoul"), warm=False)
    with TestClient(app, base_url="https://city.example") as page:
        cookie = sign_in(page).headers["set-cookie"].lower()
    assert "secure" in cookie and "path=/seoul/twins/small" in cookie


def test_nobody_is_told_what_was_wrong(page: TestClient) -> None:
    answers = [
        sign_in(page, name, password)
        for name, password in (("Kim", "wrong"), ("Nobody", PASSWORD), ("Nobody", "x"))
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1 and "set-cookie" not in answers[0].headers


def test_a_cookie_alone_changes_nothing(page: TestClient) -> None:
    """What another site's page could send in somebody's name: the cookie without the token that only our page reads."""
    csrf = sign_in(page).json()["csrf"]
    address = "/twins/small/scenarios"
    for headers in ({}, {"Twintown-CSRF": "x"}, {"Twintown-CSRF": csrf[:-1]}):
        answer = page.post(address, json=PLAN, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert page.delete(SESSION).status_code == 403
    made = page.post(address, json=PLAN, headers={"Twintown-CSRF": csrf})
    assert made.status_code == 201 and made.json()["author"]["name"] == "Kim"


def test_another_sites_page_cannot_sign_anybody_in(page: TestClient) -> None:
    for site in ("cross-site", "same-site"):
        answer = page.post(
            SESSION, json={"name": "Kim", "password": PASSWORD}, headers={"Sec-Fetch-Site": site}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
    form = page.post(SESSION, data={"name": "Kim", "password": PASSWORD})
    assert form.status_code in (400, 415)


def test_a_session_that_was_fixed_beforehand_is_not_the_one_that_is_signed_in(
    page: TestClient, app: FastAPI
) -> None:
    page.cookies.set("twintown-session", "chosen-by-a-stranger", path="/twins/small")
    assert page.get(ME).json()["kind"] == "anyone"
    first = sign_in(page).cookies["twintown-session"]
    assert first != "chosen-by-a-stranger"
    page.cookies.clear()
    page.cookies.set("twintown-session", first, path="/twins/small")
    second = sign_in(page, "Seo").cookies["twintown-session"]
    with TestClient(app) as thief:
        thief.cookies.set("twintown-session", first, path="/twins/small")
        assert thief.get(ME).json()["kind"] == "anyone"  # the older one has ended
        thief.cookies.set("twintown-session", second, path="/twins/small")
        assert thief.get(ME).json()["name"] == "Seo"


def test_signing_out_ends_the_session_on_the_server(page: TestClient) -> None:
    answer = sign_in(page)
    kept = answer.cookies["twintown-session"]
    out = page.delete(SESSION, headers={"Twintown-CSRF": answer.json()["csrf"]})
    assert out.status_code == 204 and "max-age=0" in out.headers["set-cookie"].lower()
    page.cookies.set("twintown-session", kept, path="/twins/small")
    assert page.get(ME).json()["kind"] == "anyone"
    assert page.get(SESSION).json() == {
        "signed_in": False,
        "name": "",
        "roles": [],
        "csrf": "",
        "expires": None,
        "oidc": "",
    }


def test_a_token_counts_before_a_cookie(page: TestClient, owner: dict[str, str]) -> None:
    sign_in(page)
    me = page.get(ME, headers=owner).json()
    assert (me["kind"], me["csrf"]) == ("owner", "")
    made = page.post("/twins/small/scenarios", json=PLAN, headers=owner)
    assert made.status_code == 201


def test_who_is_signed_in_reads_by_their_roles_and_no_cache_that_others_share_keeps_it(
    page: TestClient,
) -> None:
    vaults = "/twins/small/collections/vaults"
    assert page.get(vaults).status_code == 401
    sign_in(page)
    assert page.get(vaults).status_code == 403
    sign_in(page, "Seo")
    seen = page.get(vaults, headers={"Accept": "application/json"})
    assert seen.status_code == 200
    assert "no-store" in seen.headers["cache-control"] and "Cookie" in seen.headers["vary"]


def test_somebody_who_tries_many_passwords_has_to_wait(page: TestClient, twin_dir: Path) -> None:
    said = [sign_in(page, f"name {i}", "wrong").status_code for i in range(tries.ADDRESS.free + 2)]
    assert said[0] == 401 and said[-1] == 429
    stopped = sign_in(page)
    assert stopped.status_code == 429 and "retry-after" in stopped.headers
    tables = Twin.open(twin_dir, read_only=False).tables
    with writing(tables.engine) as connection:
        connection.exec_driver_sql("DELETE FROM tries")


# -- what the owner gives ------------------------------------------------------------------------------------


def test_only_the_owner_sees_accounts_and_tokens(page: TestClient) -> None:
    for address in ("/twins/small/accounts", "/twins/small/tokens"):
        assert page.get(address).status_code == 401
        sign_in(page, "Seo")
        assert page.get(address).status_code == 403
        page.cookies.clear()


def test_the_owner_lets_somebody_sign_in_changes_them_and_closes_the_account(
    page: TestClient, owner: dict[str, str]
) -> None:
    accounts = "/twins/small/accounts"
    made = page.post(accounts, json={"name": "Lee", "roles": ["viewer"], "password": PASSWORD}, headers=owner)
    assert made.status_code == 201 and PASSWORD not in made.text
    assert (
        page.post(
            accounts, json={"name": "Lee", "roles": ["viewer"], "password": PASSWORD}, headers=owner
        ).status_code
        == 409
    )
    sign_in(page, "Lee")
    assert page.get(ME).json()["roles"] == ["viewer"]
    page.patch(f"{accounts}/Lee", json={"roles": ["partner", "engineer"]}, headers=owner)
    assert page.get(ME).json()["kind"] == "anyone"  # signed out: nothing old goes on
    sign_in(page, "Lee")
    assert page.get(ME).json()["roles"] == ["partner", "engineer"]
    closed = page.delete(f"{accounts}/Lee", headers=owner)
    assert closed.json()["disabled"] is not None and page.get(ME).json()["kind"] == "anyone"
    assert sign_in(page, "Lee").status_code == 401
    assert page.patch(f"{accounts}/Nobody", json={"disabled": True}, headers=owner).status_code == 404
    listed = page.get(accounts, headers=owner)
    assert [one["name"] for one in listed.json()["accounts"]] == [
        "Kim",
        "Lee",
        "Seo",
    ] and "argon2" not in listed.text


def test_a_password_that_is_refused_is_not_repeated(page: TestClient, owner: dict[str, str]) -> None:
    for password in ("short", "Lee Lee Lee Lee", "x" * 300):
        answer = page.post(
            "/twins/small/accounts",
            json={"name": "Lee2", "roles": ["viewer"], "password": password},
            headers=owner,
        )
        assert answer.status_code == 400 and password not in answer.text


def token(page: TestClient, owner: dict[str, str], *scopes: str) -> tuple[str, dict[str, str]]:
    made = page.post(
        "/twins/small/tokens", json={"name": "display", "scopes": scopes, "days": 1}, headers=owner
    )
    assert made.status_code == 201, made.text
    return made.json()["id"], {"Authorization": f"Bearer {made.json()['token']}"}


def test_a_token_does_what_it_is_for_and_nothing_more(page: TestClient, owner: dict[str, str]) -> None:
    _, shown = token(page, owner, "read:layer:buildings")
    assert page.get("/twins/small/collections/buildings/items", headers=shown).status_code == 200
    other = page.get("/twins/small/collections/roads/items", headers=shown)
    assert (other.status_code, other.json()["code"]) == (403, "scope")
    plan = page.post("/twins/small/scenarios", json=PLAN, headers=shown)
    assert (plan.status_code, plan.json()["code"]) == (403, "scope")
    assert page.get("/twins/small/tokens", headers=shown).status_code == 403
    me = page.get(ME, headers=shown).json()
    assert (me["kind"], me["name"], me["may"]) == ("service", "display", ["read"])


def test_a_token_that_was_taken_back_opens_nothing_from_the_next_request_on(
    page: TestClient, owner: dict[str, str]
) -> None:
    id, shown = token(page, owner, "read")
    assert page.get(ME, headers=shown).json()["kind"] == "service"
    assert page.delete(f"/twins/small/tokens/{id}", headers=owner).json()["revoked"] is not None
    assert page.get(ME, headers=shown).status_code == 401
    listed = page.get("/twins/small/tokens", headers=owner)
    assert shown["Authorization"].split()[1] not in listed.text and id in listed.text


def test_tokens_are_for_known_actions(page: TestClient, owner: dict[str, str]) -> None:
    for scopes in (["govern"], ["read:layer:"], [], ["sensitive"]):
        asked = page.post("/twins/small/tokens", json={"name": "x", "scopes": scopes}, headers=owner)
        assert asked.status_code == 400, scopes
    assert page.delete("/twins/small/tokens/none", headers=owner).status_code == 404


def test_officers_see_the_peers_and_nobody_else(page: TestClient, owner: dict[str, str]) -> None:
    assert page.get("/twins/small/peers").status_code == 401
    assert page.get("/twins/small/peers", headers=owner).json() == {"peers": []}
