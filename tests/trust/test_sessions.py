"""Sessions: made anew, found by their cookie only, ended by idleness, by age and with their account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from twintown.store.engine import reading, writing
from twintown.store.schema_shared import accounts
from twintown.store.tables import Tables
from twintown.store.watch import Watch
from twintown.trust.sessions import IDLE, STEP, WHOLE, Sessions, begin, end

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@dataclass
class City:
    tables: Tables
    watch: Watch


@pytest.fixture
def city(rows_of: Callable[[str], Tables]) -> City:
    tables = rows_of("jamsil")
    row = {
        "twin": "jamsil",
        "roles": ["planner"],
        "password": "",
        "totp": "",
        "totp_last": 0,
        "issuer": "",
        "subject": "",
        "created": NOW,
    }
    with writing(tables.engine) as connection:
        connection.execute(
            accounts.insert(),
            [row | {"name": "Kim", "disabled": None}, row | {"name": "Lee", "disabled": NOW}],
        )
    return City(tables, Watch(tables.engine))


def test_a_cookie_finds_its_session(city: City) -> None:
    secret = begin(city.tables, "Kim", NOW)
    found = Sessions(city).find(secret, NOW)
    assert found is not None and found.subject("jamsil").roles == ("planner",)
    assert found.guards(found.csrf) and not found.guards("") and not found.guards("é")
    assert found.csrf not in repr(found)


@pytest.mark.parametrize("secret", ["", "x", "é", "\ud800"])
def test_what_is_no_cookie_of_ours_finds_nothing(city: City, secret: str) -> None:
    assert Sessions(city).find(secret, NOW) is None


def test_the_secret_is_kept_nowhere(city: City) -> None:
    secret = begin(city.tables, "Kim", NOW)
    with reading(city.tables.engine) as connection:
        assert secret not in str(list(connection.exec_driver_sql("SELECT * FROM sessions")))


def test_a_session_ends_by_idleness(city: City) -> None:
    secret, known = begin(city.tables, "Kim", NOW), Sessions(city)
    assert known.find(secret, NOW + IDLE - timedelta(seconds=1)) is not None
    assert known.find(secret, NOW + IDLE) is None


def test_a_session_that_is_used_lives_on_but_not_for_ever(city: City) -> None:
    secret, known, now = begin(city.tables, "Kim", NOW), Sessions(city), NOW
    while (found := known.find(secret, now)) is not None:
        known.prolong(city.tables, secret, found, now)
        now += timedelta(minutes=20)
    assert NOW + WHOLE - timedelta(minutes=20) <= now <= NOW + WHOLE + timedelta(minutes=20)


def test_prolonging_is_written_now_and_then_only(city: City) -> None:
    secret, known = begin(city.tables, "Kim", NOW), Sessions(city)
    found = known.find(secret, NOW)
    assert found is not None
    look = city.watch.look()
    known.prolong(city.tables, secret, found, NOW + STEP - timedelta(seconds=1))
    assert city.watch.look() == look
    known.prolong(city.tables, secret, found, NOW + STEP)
    assert city.watch.look() != look


def test_signing_out_ends_it_wherever_the_cookie_still_is(city: City) -> None:
    secret, known = begin(city.tables, "Kim", NOW), Sessions(city)
    assert known.find(secret, NOW) is not None
    end(city.tables, secret)
    city.watch.touch()
    assert known.find(secret, NOW) is None


def test_a_new_session_ends_the_one_that_was_brought_along(city: City) -> None:
    old = begin(city.tables, "Kim", NOW)
    new = begin(city.tables, "Kim", NOW, old)
    assert new != old and Sessions(city).find(old, NOW) is None


def test_a_session_of_a_closed_or_unknown_account_is_none(city: City) -> None:
    for name in ("Lee", "Nobody"):
        assert Sessions(city).find(begin(city.tables, name, NOW), NOW) is None
