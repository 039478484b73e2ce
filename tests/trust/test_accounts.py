"""Accounts: passwords, one-time codes, pauses after failures, and that nothing tells who has an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from twintown.ground.errors import BadInput, Conflict, NotFound, TooMany, TwintownError, Unauthenticated
from twintown.store.engine import reading
from twintown.store.tables import Tables
from twintown.trust import accounts, passwords, sessions, tries
from twintown.trust.accounts import add_account, change_account, list_accounts, sign_in, vouched
from twintown.trust.totp_seal import Seal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PASSWORD = "seven tall zelkova trees"
HERE = "203.0.113.7"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The smallest Argon2id that there is: what it costs is not what is tested here."""
    monkeypatch.setattr(passwords, "TIME", 1)
    monkeypatch.setattr(passwords, "MEMORY", 8)
    for one in (passwords._hasher, passwords._nobody):
        one.cache_clear()
    yield
    for one in (passwords._hasher, passwords._nobody):
        one.cache_clear()


#: The seal of the test's twin.
SEALS: dict[str, Seal] = {}


@pytest.fixture
def tables(rows_of: Callable[[str], Tables], tmp_path: Path) -> Tables:
    made = rows_of("jamsil")
    SEALS["jamsil"] = Seal(tmp_path)
    add_account(made, "Kim", ["planner", "approver"], PASSWORD, NOW)
    return made


def attempt(tables: Tables, name: str = "Kim", password: str = PASSWORD, **said: Any) -> Any:
    given: dict[str, Any] = {"code": "", "address": HERE, "now": NOW, "seal": SEALS[tables.twin]} | said
    return sign_in(tables, name, password, **given)


def refused(tables: Tables, *said: Any, **more: Any) -> str:
    with pytest.raises(TwintownError) as error:
        attempt(tables, *said, **more)
    return f"{type(error.value).__name__}: {error.value}"


def test_whoever_has_the_password_signs_in(tables: Tables) -> None:
    found = attempt(tables)
    assert (found.name, found.roles, found.kind) == ("Kim", ("approver", "planner"), "password")


def test_whatever_is_wrong_the_answer_is_the_same(tables: Tables) -> None:
    add_account(tables, "Lee", ["viewer"], PASSWORD, NOW)
    change_account(tables, "Lee", NOW, disabled=True)
    add_account(tables, "Park", ["viewer"], PASSWORD, NOW)
    change_account(tables, "Park", NOW, totp=passwords.new_secret())
    vouched(tables, "https://login.example", "1", "Choi", ("viewer",), NOW)
    wrong = [
        ("Kim", "wrong password!"),
        ("Nobody", PASSWORD),
        ("Lee", PASSWORD),
        ("Park", PASSWORD),
        ("Choi", PASSWORD),
        ("Choi", ""),
    ]
    said = {refused(tables, name, password) for name, password in wrong}
    assert len(said) == 1 and PASSWORD not in said.pop()


def test_a_digest_is_computed_whoever_asks(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    real = passwords.fits

    def counting(digest: str, password: str) -> bool:
        verified.append(digest)
        return real(digest, password)

    monkeypatch.setattr(accounts, "fits", counting)
    for name in ("Kim", "Nobody"):
        refused(tables, name, "wrong password!")
    assert len(verified) == 2 and verified[1] == ""
    assert not real("", PASSWORD)


def test_the_digest_of_nobody_costs_what_that_of_somebody_costs() -> None:
    made, nobody = passwords.digest_of(PASSWORD), passwords._nobody()
    assert made.split("$")[1:4] == nobody.split("$")[1:4] == ["argon2id", "v=19", "m=8,t=1,p=1"]


def test_what_is_stated_of_argon2_is_what_a_server_uses() -> None:
    source = Path(passwords.__file__).read_text()
    assert "TIME, MEMORY, LANES = 3, 65536, 1" in source and "64 MiB, 3 passes, 1 lane" in source


def test_failures_are_followed_by_a_growing_pause_in_which_the_right_password_fails_too(
    tables: Tables,
) -> None:
    for _ in range(tries.NAME.free):
        refused(tables, "Kim", "wrong password!")
    assert "do not fit" in refused(tables)  # the right one, at once
    after = NOW + timedelta(seconds=1)
    assert attempt(tables, now=after).name == "Kim"
    pauses = [tries.NAME.pause(failed).total_seconds() for failed in range(12)]
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 120]


def test_a_pause_says_nothing_of_whether_there_is_an_account(tables: Tables) -> None:
    said = {refused(tables, name, "wrong password!") for name in ("Kim", "Nobody") for _ in range(5)}
    assert len(said) == 1
    with reading(tables.engine) as connection:
        rows = [str(row) for row in connection.exec_driver_sql("SELECT * FROM tries")]
    assert len(rows) == 3 and not any("Kim" in row or HERE in row for row in rows)


def test_many_names_from_one_place_are_stopped_whatever_the_names(tables: Tables) -> None:
    for i in range(tries.ADDRESS.free):
        refused(tables, f"name {i}", "wrong password!")
    with pytest.raises(TooMany, match="from here"):
        attempt(tables)
    assert attempt(tables, address="198.51.100.1").name == "Kim"
    assert attempt(tables, now=NOW + timedelta(seconds=2)).name == "Kim"


def test_a_whole_network_of_one_host_is_one_place() -> None:
    assert (
        tries.place_of("2001:db8::1")
        == tries.place_of("2001:db8::ffff:2")
        != tries.place_of("2001:db8:0:1::1")
    )
    assert tries.place_of("203.0.113.7") != tries.place_of("203.0.113.8")
    assert tries.place_of("testclient") == "testclient"


def test_failures_are_forgotten_after_a_while_and_by_success(tables: Tables) -> None:
    for _ in range(tries.NAME.free):
        refused(tables, "Kim", "wrong password!")
    later = NOW + tries.FORGOTTEN
    refused(tables, "Kim", "wrong password!", now=later)
    assert attempt(tables, now=later).name == "Kim"
    for _ in range(tries.NAME.free - 1):
        refused(tables, "Kim", "wrong password!", now=later)
    assert attempt(tables, now=later).name == "Kim"


def test_those_who_sign_in_well_from_one_place_do_not_stop_each_other(tables: Tables) -> None:
    for _ in range(2 * tries.ADDRESS.free):
        attempt(tables)


def test_tries_at_once_count_as_many_tries(tables: Tables) -> None:
    def one(i: int) -> str:
        return refused(tables, "Kim", "wrong password!", address=f"198.51.100.{i}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    with reading(tables.engine) as connection:
        mark = tries.mark("jamsil", "name", "Kim")
        assert tries.wait(connection, "jamsil", mark, tries.NAME, NOW) > timedelta(0)


def test_a_one_time_code_is_asked_for_and_taken_once(tables: Tables) -> None:
    secret = passwords.new_secret()
    change_account(tables, "Kim", NOW, totp=secret)
    code = pyotp.TOTP(secret).at(NOW)
    assert "do not fit" in refused(tables)
    assert "do not fit" in refused(tables, code="000000" if code != "000000" else "111111")
    assert attempt(tables, code=f"{code[:3]} {code[3:]}").name == "Kim"
    assert "do not fit" in refused(tables, code=code)  # seen over a shoulder
    assert "do not fit" in refused(tables, code=pyotp.TOTP(secret).at(NOW - timedelta(seconds=30)))
    assert attempt(tables, code=pyotp.TOTP(secret).at(NOW + timedelta(seconds=30))).name == "Kim"


def test_a_code_is_not_spent_by_a_wrong_password(tables: Tables) -> None:
    secret = passwords.new_secret()
    change_account(tables, "Kim", NOW, totp=secret)
    code = pyotp.TOTP(secret).at(NOW)
    refused(tables, "Kim", "wrong password!", code=code)
    assert attempt(tables, code=code).name == "Kim"


def test_a_code_that_two_show_at_once_is_taken_once(tables: Tables) -> None:
    secret = passwords.new_secret()
    change_account(tables, "Kim", NOW, totp=secret)
    code = pyotp.TOTP(secret).at(NOW)

    def one(_: int) -> bool:
        try:
            return bool(attempt(tables, code=code))
        except Unauthenticated:
            return False

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(one, range(3))) == 1


def test_codes_far_from_now_are_not_taken() -> None:
    secret = passwords.new_secret()
    for away in (-60, 60):
        late = pyotp.TOTP(secret).at(NOW + timedelta(seconds=away))
        assert passwords.step_of(secret, late, NOW, 0) is None
    assert passwords.step_of(secret, "", NOW, 0) is None
    assert passwords.step_of(secret, "１２３４５６", NOW, 0) is None


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaaaaaa", "my name is Kim ok"])
def test_a_password_that_is_short_long_or_easy_is_not_taken(tables: Tables, password: str) -> None:
    with pytest.raises(BadInput) as error:
        change_account(tables, "Kim", NOW, password=password)
    assert password not in str(error.value)


@pytest.mark.parametrize(
    ("name", "roles"),
    [("", ["viewer"]), ("\n", ["viewer"]), ("x" * 81, ["viewer"]), ("Lee", []), ("Lee", ["owner"])],
)
def test_an_account_has_a_name_and_roles(tables: Tables, name: str, roles: list[str]) -> None:
    with pytest.raises(BadInput):
        add_account(tables, name, roles, PASSWORD, NOW)


def test_a_name_is_taken_once_and_no_account_is_changed_that_is_not_there(tables: Tables) -> None:
    with pytest.raises(Conflict):
        add_account(tables, "Kim", ["viewer"], PASSWORD, NOW)
    with pytest.raises(NotFound):
        change_account(tables, "Lee", NOW, disabled=True)
    assert [one.name for one in list_accounts(tables)] == ["Kim"]


@pytest.mark.parametrize(
    "change", [{"disabled": True}, {"roles": ["viewer"]}, {"password": "another long password"}]
)
def test_whoever_is_signed_in_is_signed_out_by_a_change(tables: Tables, change: dict[str, Any]) -> None:
    sessions.begin(tables, "Kim", NOW)
    change_account(tables, "Kim", NOW, **change)
    with reading(tables.engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar() == 0


def test_a_digest_of_older_parameters_is_made_anew(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "TIME", 2)
    passwords._hasher.cache_clear()
    attempt(tables)
    with reading(tables.engine) as connection:
        assert "t=2" in str(connection.exec_driver_sql("SELECT password FROM accounts").scalar())
    attempt(tables)


def test_no_password_and_no_secret_is_in_a_row(tables: Tables) -> None:
    with reading(tables.engine) as connection:
        stored = str(list(connection.exec_driver_sql("SELECT * FROM accounts")))
    assert PASSWORD not in stored and "$argon2id$" in stored


def test_a_provider_vouches_for_the_same_person_again_and_never_takes_over_a_name(tables: Tables) -> None:
    first = vouched(tables, "https://login.example", "42", "Kim", ("viewer",), NOW)
    assert first.name.startswith("Kim (") and first.kind == "oidc"
    again = vouched(tables, "https://login.example", "42", "Renamed", ("security",), NOW)
    assert (again.name, again.roles) == (first.name, ("security",))
    other = vouched(tables, "https://other.example", "42", "Kim", ("viewer",), NOW)
    assert other.name != first.name
    change_account(tables, first.name, NOW, disabled=True)
    with pytest.raises(Unauthenticated, match="closed"):
        vouched(tables, "https://login.example", "42", "Kim", ("viewer",), NOW)
    with pytest.raises(BadInput, match="provider"):
        change_account(tables, first.name, NOW, password=PASSWORD)
