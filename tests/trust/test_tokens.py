"""Tokens of services: given once, for something, until a day; and what their scopes come to in a decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from twintown.ground.errors import BadInput, Denied, NotFound
from twintown.store.engine import reading
from twintown.store.tables import Tables
from twintown.trust.grades import Grade
from twintown.trust.identity import Subject
from twintown.trust.policy import Resource, decide
from twintown.trust.tokens import add_token, list_tokens, revoke_token, scopes_of

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def tables(rows_of: Callable[[str], Tables]) -> Tables:
    return rows_of("jamsil")


def test_a_token_is_shown_once_and_its_digest_is_kept(tables: Tables) -> None:
    made, token = add_token(tables, "bus display", ["read"], DAY, NOW, {"name": "owner"})
    assert len(token) > 40
    with reading(tables.engine) as connection:
        stored = str(list(connection.exec_driver_sql("SELECT * FROM tokens")))
    assert token not in stored and token not in repr(made) and list_tokens(tables) == (made,)


def test_a_token_is_taken_back_once(tables: Tables) -> None:
    made, _ = add_token(tables, "bus display", ["read"], DAY, NOW, {})
    assert revoke_token(tables, made.id, NOW).revoked == NOW
    assert revoke_token(tables, made.id, NOW + DAY).revoked == NOW
    with pytest.raises(NotFound):
        revoke_token(tables, "other", NOW)


@pytest.mark.parametrize(
    ("name", "scopes", "life"),
    [
        ("", ["read"], DAY), ("x", [], DAY), ("x", ["sensitive"], DAY), ("x", ["govern"], DAY), ("x", ["approve"], DAY),
        ("x", ["read:layer:"], DAY), ("x", ["read:layer:A B"], DAY), ("x", ["plan:layer:a"], DAY), ("x", ["read"], timedelta(0)),
        ("x", ["read"], timedelta(days=400)),
    ],
)  # fmt: skip
def test_a_token_is_for_something_that_it_may_be_for(
    tables: Tables, name: str, scopes: list[str], life: timedelta
) -> None:
    with pytest.raises(BadInput):
        add_token(tables, name, scopes, life, NOW, {})


def service(*scopes: str) -> Subject:
    return Subject("service", "jamsil", "bus display", scopes=scopes_of(scopes))


def test_a_token_for_one_layer_reads_that_one() -> None:
    grant = decide(service("read:layer:buildings", "read:layer:roads"), "read", Resource("jamsil"))
    assert (
        grant.covers(Grade.O, "buildings")
        and grant.covers(Grade.O, "roads")
        and not grant.covers(Grade.O, "trees")
    )
    with pytest.raises(Denied, match="not for this") as error:
        grant.require(Grade.O, "trees")
    assert error.value.code == "scope"
    assert not grant.covers(Grade.S, "buildings")


def test_a_token_for_one_process_runs_that_one_and_does_nothing_else() -> None:
    subject = service("run:process:sunlight")
    grant = decide(subject, "run", Resource("jamsil"))
    assert grant.may_run("sunlight") and not grant.may_run("view")
    for action in ("read", "write", "plan", "share", "release", "govern", "approve"):
        assert not decide(subject, action, Resource("jamsil")).allowed, action


def test_the_wider_scope_counts_where_both_are_there() -> None:
    grant = decide(service("read", "read:layer:buildings"), "read", Resource("jamsil"))
    assert grant.covers(Grade.O, "trees")


def test_a_token_that_writes_one_layer_writes_that_one() -> None:
    grant = decide(service("write:layer:plans"), "write", Resource("jamsil"))
    assert grant.names("plans") and not grant.names("buildings")


def test_a_narrow_token_reads_what_is_sensitive_only_where_it_says_so() -> None:
    wide = decide(service("read:layer:pipes", "sensitive"), "read", Resource("jamsil"))
    assert (
        wide.covers(Grade.S, "pipes")
        and not wide.covers(Grade.C, "pipes")
        and not wide.covers(Grade.S, "vaults")
    )


def test_the_token_of_another_twin_opens_nothing() -> None:
    assert not decide(service("read:layer:buildings"), "read", Resource("icheon")).allowed
