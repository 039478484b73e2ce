"""A second factor over HTTP: for who is signed in by cookie, told once, asked for at the next sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from twintown.store.engine import writing
from twintown.trust import passwords, tries
from twintown.trust.accounts import add_account
from twintown.twin.layers import Twin

PASSWORD = "seven tall zelkova trees"
SESSION = "/twins/small/session"
FACTOR = f"{SESSION}/second-factor"


@pytest.fixture(autouse=True)
def people(twin_dir: Path) -> Iterator[None]:
    """Han has an account; with the cheapest Argon2id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "TIME", 1)
        patch.setattr(passwords, "MEMORY", 8)
        passwords._hasher.cache_clear()
        passwords._nobody.cache_clear()
        tables = Twin.open(twin_dir, read_only=False).tables
        add_account(tables, "Han", ["partner"], PASSWORD, datetime.now(UTC))
        yield
        with writing(tables.engine) as connection:
            for table in ("accounts", "sessions", "tokens", "tries"):
                connection.execute(text(f"DELETE FROM {table}"))
    passwords._hasher.cache_clear()
    passwords._nobody.cache_clear()


@pytest.fixture
def page(app: FastAPI) -> Iterator[TestClient]:
    """A browser of its own, in which Han is signed in."""
    with TestClient(app, raise_server_exceptions=False) as one:
        csrf = sign_in(one).json()["csrf"]
        one.headers["Twintown-CSRF"] = csrf
        yield one


def sign_in(page: TestClient, code: str = "", password: str = PASSWORD) -> Any:
    return page.post(SESSION, json={"name": "Han", "password": password, "code": code})


def code_of(secret: str, later_s: int = 0) -> str:
    return str(pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=later_s)))


def confirmed(page: TestClient) -> tuple[str, list[str]]:
    secret = page.post(FACTOR, json={"password": PASSWORD}).json()["secret"]
    said = page.post(f"{FACTOR}/confirmation", json={"code": code_of(secret)})
    assert said.status_code == 200, said.text
    return secret, said.json()["recovery"]


def test_a_person_sets_up_a_second_factor_uses_it_and_ends_it(page: TestClient, app: FastAPI) -> None:
    assert page.get(FACTOR).json() == {"state": "off", "recovery_left": 0}
    begun = page.post(FACTOR, json={"password": PASSWORD})
    assert begun.status_code == 201 and "no-store" in begun.headers["cache-control"]
    said = begun.json()
    assert said["secret"] in said["address"] and "Twintown" in said["address"]
    drawn = ElementTree.fromstring(said["qr"])
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and "<script" not in said["qr"]
    assert page.get(FACTOR).json()["state"] == "begun" and said["secret"] not in page.get(FACTOR).text
    done = page.post(f"{FACTOR}/confirmation", json={"code": code_of(said["secret"])})
    codes = done.json()["recovery"]
    assert "no-store" in done.headers["cache-control"] and len(codes) == 8
    assert page.get(FACTOR).json() == {"state": "on", "recovery_left": 8}
    assert page.get(SESSION).json()["signed_in"], "who confirmed stays signed in"
    with TestClient(app, raise_server_exceptions=False) as other:
        assert sign_in(other).status_code == 401
        assert sign_in(other, codes[0]).status_code == 201
        assert sign_in(other, codes[0]).status_code == 401
    assert page.get(FACTOR).json()["recovery_left"] == 7
    assert page.post(f"{FACTOR}/end", json={"code": "000000"}).status_code == 403
    ended = page.post(f"{FACTOR}/end", json={"code": code_of(said["secret"], 30)})
    assert ended.json() == {"state": "off", "recovery_left": 0}
    assert sign_in(page).status_code == 201


def test_nobody_but_who_is_signed_in_by_cookie_may(
    page: TestClient, app: FastAPI, owner: dict[str, str]
) -> None:
    with TestClient(app, raise_server_exceptions=False) as other:
        for headers in ({}, owner):
            assert other.get(FACTOR, headers=headers).status_code == 401
            assert other.post(FACTOR, json={"password": PASSWORD}, headers=headers).status_code == 401
            for what in ("confirmation", "end"):
                said = other.post(f"{FACTOR}/{what}", json={"code": "000000"}, headers=headers)
                assert said.status_code == 401


def test_another_sites_page_changes_nothing(page: TestClient) -> None:
    for path, body in ((FACTOR, {"password": PASSWORD}), (f"{FACTOR}/end", {"code": "000000"})):
        said = page.post(path, json=body, headers={"Twintown-CSRF": "x"})
        assert (said.status_code, said.json()["code"]) == (403, "csrf")


def test_an_open_page_alone_begins_nothing_and_nothing_is_confirmed_that_was_not_begun(
    page: TestClient,
) -> None:
    wrong = page.post(FACTOR, json={"password": "wrong password!"})
    assert (wrong.status_code, wrong.json()["code"]) == (
        403,
        "factor",
    ) and "wrong password!" not in wrong.text
    assert page.post(f"{FACTOR}/confirmation", json={"code": "000000"}).status_code == 409


def test_a_factor_that_is_on_is_ended_before_another_one_is_begun(page: TestClient) -> None:
    confirmed(page)
    assert page.post(FACTOR, json={"password": PASSWORD}).status_code == 409


def test_who_tries_many_codes_has_to_wait_and_cannot_sign_in_meanwhile_either(page: TestClient) -> None:
    secret, _ = confirmed(page)
    said = [
        page.post(f"{FACTOR}/end", json={"code": "000000"}).status_code for _ in range(tries.NAME.free + 3)
    ]
    assert said[0] == 403 and said[-1] == 429
    assert sign_in(page, code_of(secret, 30)).status_code == 401


def test_the_accounts_say_who_is_asked_for_a_code_and_no_secret(
    page: TestClient, owner: dict[str, str]
) -> None:
    secret, codes = confirmed(page)
    listed = page.get("/twins/small/accounts", headers=owner)
    assert [one["totp"] for one in listed.json()["accounts"]] == [True]
    assert secret not in listed.text and codes[0] not in listed.text and "argon2" not in listed.text
