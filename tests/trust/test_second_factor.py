"""The second factor: sealed in the row, begun, confirmed and ended by who is signed in, recovery codes each used once."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from twintown.ground.errors import BadInput, BadSettings, Conflict, Denied, TooMany, Unauthenticated
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import accounts as table
from twintown.store.tables import Tables
from twintown.trust import passwords, second_factor, sessions, tries
from twintown.trust.accounts import add_account, change_account, list_accounts, sign_in, vouched
from twintown.trust.second_factor import SPARE, begin, confirm, end, look, opened
from twintown.trust.totp_seal import FILE, Seal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
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


@pytest.fixture
def tables(rows_of: Callable[[str], Tables]) -> Tables:
    made = rows_of("jamsil")
    add_account(made, "Kim", ["partner"], PASSWORD, NOW)
    return made


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return Seal(tmp_path)


def kept(tables: Tables, name: str = "Kim") -> str:
    with reading(tables.engine) as connection:
        query = select(table.c.totp).where(table.c.twin == tables.twin, table.c.name == name)
        return str(connection.execute(query).scalar())


def put(tables: Tables, totp: str, name: str = "Kim") -> None:
    with writing(tables.engine) as connection:
        mine = (table.c.twin == tables.twin) & (table.c.name == name)
        connection.execute(update(table).where(mine).values(totp=totp))


def code_of(secret: str, now: datetime = NOW) -> str:
    return str(pyotp.TOTP(secret).at(now))


def on(tables: Tables, seal: Seal) -> tuple[str, list[str]]:
    """A second factor of Kim: its secret and its recovery codes."""
    secret = begin(tables, "Kim", PASSWORD, HERE, seal, NOW).secret
    return secret, confirm(tables, "Kim", code_of(secret), HERE, seal, NOW)


def attempt(
    tables: Tables, seal: Seal, code: str = "", now: datetime = LATER, password: str = PASSWORD
) -> Any:
    return sign_in(tables, "Kim", password, code, HERE, now, seal)


def test_no_secret_lies_in_the_open_and_its_key_is_the_owners_alone(tables: Tables, seal: Seal) -> None:
    secret, codes = on(tables, seal)
    row = kept(tables)
    assert row.startswith("on:") and secret not in row and "argon2" not in row
    key = seal.directory / FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and len(seal.key()) == 32
    factor = opened(row, "jamsil", "Kim", seal)
    assert factor.secret == secret and all(digest.startswith("$argon2id$") for digest in factor.spare)
    assert not any(code.replace("-", "")[1:] in str(factor.spare) for code in codes)
    assert secret not in repr(factor) and "argon2" not in repr(factor)


def test_the_same_secret_is_sealed_to_other_bytes_each_time(seal: Seal) -> None:
    assert seal.close("x", "a") != seal.close("x", "a")


def test_a_sealed_secret_opens_for_its_own_account_twin_and_state_only(tables: Tables, seal: Seal) -> None:
    on(tables, seal)
    row = kept(tables)
    for kept_as, twin, name in (
        (row, "icheon", "Kim"),
        (row, "jamsil", "Lee"),
        (f"new:{row[3:]}", "jamsil", "Kim"),
    ):
        with pytest.raises(BadSettings, match="cannot be opened"):
            opened(kept_as, twin, name, seal)
    broken = row[:-6] + ("AAAAA" if not row.endswith("AAAAA=") else "BBBBB") + row[-1]
    with pytest.raises(BadSettings):
        opened(broken, "jamsil", "Kim", seal)


def test_a_secret_of_older_days_signs_in_and_is_sealed_by_it(tables: Tables, seal: Seal) -> None:
    secret = passwords.new_secret()
    put(tables, secret)
    with pytest.raises(Unauthenticated):
        attempt(tables, seal)
    assert kept(tables) == secret
    assert attempt(tables, seal, code_of(secret, LATER)).totp
    assert kept(tables).startswith("on:")
    after = LATER + timedelta(minutes=1)
    assert attempt(tables, seal, code_of(secret, after), after).name == "Kim"


def test_a_lost_key_lets_nobody_in_and_says_so_to_who_knows_the_password_only(
    tables: Tables, seal: Seal
) -> None:
    secret, _ = on(tables, seal)
    (seal.directory / FILE).unlink()
    with pytest.raises(Unauthenticated):
        attempt(tables, seal, code_of(secret, LATER), password="wrong password!")
    with pytest.raises(BadSettings, match="cannot be opened"):
        attempt(tables, seal, code_of(secret, LATER))


def test_a_key_that_others_can_read_is_not_used(seal: Seal) -> None:
    seal.key()
    (seal.directory / FILE).chmod(0o644)
    with pytest.raises(BadSettings, match="others can read"):
        seal.key()


def test_many_that_make_the_key_at_once_have_the_same(seal: Seal) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: seal.key(), range(16)))) == 1
    assert [one.name for one in seal.directory.iterdir() if "totp" in one.name] == [FILE]


def test_what_was_begun_is_not_asked_for_until_a_code_confirmed_it(tables: Tables, seal: Seal) -> None:
    begun = begin(tables, "Kim", PASSWORD, HERE, seal, NOW)
    assert begun.address.startswith("otpauth://totp/") and begun.secret in begun.address
    assert begun.secret not in repr(begun)
    assert look(tables, "Kim", seal).state == "begun" and not list_accounts(tables)[0].totp
    assert attempt(tables, seal, now=NOW).name == "Kim"
    again = begin(tables, "Kim", PASSWORD, HERE, seal, NOW)
    with pytest.raises(Denied, match="code"):
        confirm(tables, "Kim", code_of(begun.secret), HERE, seal, NOW)
    codes = confirm(tables, "Kim", code_of(again.secret), HERE, seal, NOW)
    assert len(set(codes)) == SPARE and list_accounts(tables)[0].totp
    with pytest.raises(Unauthenticated):
        attempt(tables, seal, now=NOW)
    with pytest.raises(Unauthenticated):  # the code that confirmed was shown once
        attempt(tables, seal, code_of(again.secret), NOW)
    assert attempt(tables, seal, code_of(again.secret, LATER)).name == "Kim"


def test_who_begins_shows_the_password_once_more(tables: Tables, seal: Seal) -> None:
    with pytest.raises(Denied, match="password"):
        begin(tables, "Kim", "wrong password!", HERE, seal, NOW)
    assert kept(tables) == ""


def test_a_factor_that_is_on_is_not_replaced_by_beginning_or_confirming(tables: Tables, seal: Seal) -> None:
    secret, _ = on(tables, seal)
    before = kept(tables)
    with pytest.raises(Conflict):
        begin(tables, "Kim", PASSWORD, HERE, seal, LATER)
    with pytest.raises(Conflict):
        confirm(tables, "Kim", code_of(secret, LATER), HERE, seal, LATER)
    assert kept(tables) == before


def test_confirming_ends_the_other_sessions_of_the_account_and_no_others(tables: Tables, seal: Seal) -> None:
    add_account(tables, "Lee", ["viewer"], PASSWORD, NOW)
    mine, other, lees = (sessions.begin(tables, name, NOW) for name in ("Kim", "Kim", "Lee"))
    secret = begin(tables, "Kim", PASSWORD, HERE, seal, NOW).secret
    confirm(tables, "Kim", code_of(secret), HERE, seal, NOW, sessions.digest_of(mine))
    with reading(tables.engine) as connection:
        left = set(connection.exec_driver_sql("SELECT digest FROM sessions").scalars())
    assert left == {sessions.digest_of(mine), sessions.digest_of(lees)} and other


def test_a_recovery_code_signs_in_once_however_it_is_written(tables: Tables, seal: Seal) -> None:
    _, codes = on(tables, seal)
    assert attempt(tables, seal, codes[2].upper().replace("-", " ")).name == "Kim"
    with pytest.raises(Unauthenticated):
        attempt(tables, seal, codes[2])
    assert look(tables, "Kim", seal).left == SPARE - 1
    assert attempt(tables, seal, codes[7]).name == "Kim"
    other = f"1{codes[1][1:]}"  # the signs of another place
    with pytest.raises(Unauthenticated):
        attempt(tables, seal, other)


def test_a_recovery_code_that_two_show_at_once_is_taken_once(tables: Tables, seal: Seal) -> None:
    _, codes = on(tables, seal)

    def one(_: int) -> bool:
        try:
            return bool(attempt(tables, seal, codes[0]))
        except Unauthenticated:
            return False

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(one, range(3))) == 1


def test_a_recovery_code_is_not_spent_by_a_wrong_password(tables: Tables, seal: Seal) -> None:
    _, codes = on(tables, seal)
    with pytest.raises(Unauthenticated):
        attempt(tables, seal, codes[0], password="wrong password!")
    assert attempt(tables, seal, codes[0]).name == "Kim"


def test_what_looks_like_a_recovery_code_costs_a_digest_whoever_it_is_said_of(
    tables: Tables, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(second_factor, "fits", lambda digest, _: bool(said.append(digest)))
    for name in ("Kim", "Nobody"):
        with pytest.raises(Unauthenticated):
            sign_in(tables, name, "wrong password!", "1-abcd-efgh-jkmn", HERE, NOW, seal)
    assert said == ["", ""]


@pytest.mark.parametrize("by", ["code", "recovery"])
def test_a_factor_ends_by_a_code_or_by_a_recovery_code(tables: Tables, seal: Seal, by: str) -> None:
    secret, codes = on(tables, seal)
    for wrong in ("", "000000", "1-0000-0000-0000"):
        with pytest.raises(Denied):
            end(tables, "Kim", wrong, HERE, seal, LATER)
    end(tables, "Kim", code_of(secret, LATER) if by == "code" else codes[0], HERE, seal, LATER)
    assert kept(tables) == "" and attempt(tables, seal).name == "Kim"


def test_what_was_only_begun_ends_without_a_code(tables: Tables, seal: Seal) -> None:
    begin(tables, "Kim", PASSWORD, HERE, seal, NOW)
    end(tables, "Kim", "", HERE, seal, NOW)
    assert kept(tables) == ""


def test_failures_of_who_is_signed_in_count_as_those_of_signing_in(tables: Tables, seal: Seal) -> None:
    secret, _ = on(tables, seal)
    for _ in range(tries.NAME.free):
        with pytest.raises(Denied):
            end(tables, "Kim", "000000", HERE, seal, LATER)
    with pytest.raises(TooMany):
        end(tables, "Kim", code_of(secret, LATER), HERE, seal, LATER)
    with pytest.raises(Unauthenticated):
        attempt(tables, seal, code_of(secret, LATER))


def test_whom_a_provider_vouches_for_has_a_second_factor_there(tables: Tables, seal: Seal) -> None:
    made = vouched(tables, "https://login.example", "42", "Choi", ("viewer",), NOW)
    with pytest.raises(BadInput, match="provider"):
        begin(tables, made.name, PASSWORD, HERE, seal, NOW)


def test_the_owner_takes_a_factor_away_from_who_lost_everything(tables: Tables, seal: Seal) -> None:
    on(tables, seal)
    change_account(tables, "Kim", NOW, totp="")
    assert attempt(tables, seal).name == "Kim"
