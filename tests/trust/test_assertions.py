"""The signed token that goes with a message between cities: each way to cheat with it has its name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from twintown.ground.errors import BadAssertion, BadInput
from twintown.store.tables import Tables
from twintown.trust.assertions import KnownKey, assert_, check
from twintown.trust.keys import Key
from twintown.trust.seen import take

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SEOUL, ICHEON = "did:web:seoul.example:twins:jamsil", "did:web:icheon.example:twins:icheon"
URL = "https://icheon.example/twins/icheon/dsp/catalog/request"
KEY, OTHER = Key.of(b"\1" * 32), Key.of(b"\2" * 32)
KNOWN = {SEOUL: (KnownKey(KEY.public),)}


def token(**said: Any) -> str:
    given: dict[str, Any] = {
        "key": KEY, "issuer": SEOUL, "audience": ICHEON, "method": "POST", "url": URL, "body": b"{}", "now": NOW,
    }  # fmt: skip
    return assert_(**{**given, **said})


def asked(token: str, **said: Any) -> Any:
    given: dict[str, Any] = {
        "audience": ICHEON, "method": "POST", "url": URL, "body": b"{}", "now": NOW, "keys_of": lambda did: KNOWN.get(did, ()),
    }  # fmt: skip
    return check(token, **{**given, **said})


def refused(token: str, **said: Any) -> str:
    with pytest.raises(BadAssertion) as error:
        asked(token, **said)
    assert not token or token not in str(error.value)
    return error.value.code


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forged(header: dict[str, Any], claims: dict[str, Any], key: Key = KEY) -> str:
    """A token with other members than ours, signed well."""
    old_header, old_claims, _ = (
        json.loads(base64.urlsafe_b64decode(part + "==")) if i < 2 else part
        for i, part in enumerate(token().split("."))
    )
    signed = f"{packed({**old_header, **header})}.{packed({**old_claims, **claims})}"
    return f"{signed}.{base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b'=').decode()}"


def test_a_message_is_its_senders() -> None:
    found = asked(token())
    assert (found.did, found.key) == (SEOUL, KEY.public)
    assert found.expires - found.issued <= timedelta(minutes=5)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("wrong-audience", {"audience": "did:web:other.example"}),
        ("other-body", {"body": b'{"a": 1}'}),
        ("other-method", {"method": "GET"}),
        ("other-address", {"url": URL + "s"}),
        ("other-address", {"url": URL.replace("https", "http")}),
        ("other-address", {"url": URL + "?lang=ko"}),
        ("other-address", {"url": URL.replace("icheon.example/", "icheon.example:8443/")}),
        ("expired", {"now": NOW + timedelta(minutes=4, seconds=30)}),
        ("not-yet", {"now": NOW - timedelta(seconds=31)}),
        ("unknown-issuer", {"keys_of": lambda _: ()}),
        ("unknown-key", {"keys_of": lambda _: (KnownKey(OTHER.public),)}),
    ],
)
def test_what_is_not_meant_for_this_moment_and_place_is_refused_by_name(
    code: str, said: dict[str, Any]
) -> None:
    assert refused(token(), **said) == code


def test_clocks_may_stand_thirty_seconds_apart() -> None:
    assert asked(token(), now=NOW + timedelta(minutes=4, seconds=29)).did == SEOUL
    assert asked(token(), now=NOW - timedelta(seconds=30)).did == SEOUL


def test_the_address_may_be_written_in_another_way() -> None:
    assert asked(token(url=URL.replace("https://icheon", "HTTPS://Icheon")), url=URL).did == SEOUL
    assert asked(token(), url=URL.replace(".example/", ".example:443/")).did == SEOUL


@pytest.mark.parametrize(
    ("code", "header", "claims"),
    [
        ("malformed", {"alg": "none"}, {}),
        ("malformed", {"alg": "HS256"}, {}),
        ("malformed", {"crit": ["b64"], "b64": False}, {}),
        ("malformed", {"kid": f"{ICHEON}#{KEY.public}"}, {}),
        ("malformed", {"kid": SEOUL}, {}),
        ("unknown-key", {"kid": f"{SEOUL}#{OTHER.public}"}, {}),
        ("unknown-issuer", {"kid": f"{ICHEON}#{KEY.public}"}, {"iss": ICHEON, "sub": ICHEON}),
        ("malformed", {}, {"sub": ICHEON}),
        ("malformed", {}, {"jti": "x"}),
        ("malformed", {}, {"jti": None}),
        ("malformed", {}, {"aud": [ICHEON, "did:web:other.example"]}),
        ("malformed", {}, {"exp": "soon"}),
        ("malformed", {}, {"exp": True}),
        ("malformed", {}, {"exp": 1e99}),
        ("too-long", {}, {"exp": int(NOW.timestamp()) + 301}),
        ("malformed", {}, {"digest": None}),
    ],
)
def test_a_token_that_was_signed_well_but_says_too_little_or_too_much_is_refused(
    code: str, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    assert refused(forged(header, claims)) == code


def test_a_changed_token_is_forged() -> None:
    header, claims, signature = token().split(".")
    other = token(body=b"other").split(".")[1]
    assert refused(f"{header}.{other}.{signature}", body=b"other") == "forged"
    assert refused(f"{header}.{claims}.{signature[:-10]}") == "forged"
    assert refused(forged({}, {}, OTHER)) == "forged"


@pytest.mark.parametrize(
    "mangled",
    [
        lambda t: "",
        lambda t: "a.b.c",
        lambda t: t + ".x",
        lambda t: t.replace(".", "=.", 1),
        lambda t: "x" * 9000,
        lambda t: f"{packed([])}.{packed([])}.",
        lambda t: t.rpartition(".")[0] + ".é",
        lambda t: base64.urlsafe_b64encode(b"[" * 3000).decode().rstrip("=") + ".e30.e30",
    ],
)
def test_what_is_no_token_is_refused_without_ado(mangled: Callable[[str], str]) -> None:
    assert refused(mangled(token())) == "malformed"


def test_a_name_that_stands_twice_in_a_token_is_refused() -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"none","alg":"EdDSA"}').rstrip(b"=").decode()
    assert refused(header + token()[token().index(".") :]) == "malformed"


def test_a_signature_has_one_way_to_be_written() -> None:
    signed = token()
    last = signed[-1]
    alike = chr(ord(last) + 1)  # the last sign of 64 bytes carries two bits that nobody reads
    with pytest.raises(BadAssertion):
        asked(signed[:-1] + alike)


def test_a_revoked_key_signs_nothing_whenever_the_token_says_it_was_made() -> None:
    gone = {"keys_of": lambda _: (KnownKey(KEY.public, revoked=NOW),)}
    assert refused(token(), **gone) == "revoked-key"
    assert refused(token(now=NOW - timedelta(minutes=1)), **gone) == "revoked-key"
    assert asked(token(), keys_of=lambda _: (KnownKey(KEY.public, revoked=NOW + timedelta(1)),)).did == SEOUL


def test_a_retired_key_signs_nothing_new() -> None:
    old = KnownKey(KEY.public, retired=NOW - timedelta(minutes=1))
    assert refused(token(), keys_of=lambda _: (old,)) == "retired-key"
    just = replace(old, retired=NOW - timedelta(seconds=20))
    assert asked(token(), keys_of=lambda _: (just,)).did == SEOUL


def test_a_token_is_made_for_minutes_only() -> None:
    with pytest.raises(BadInput):
        token(life=timedelta(minutes=6))
    with pytest.raises(BadInput):
        token(url="ftp://icheon.example/")


@pytest.fixture
def tables(rows_of: Callable[[str], Tables]) -> Tables:
    return rows_of("icheon")


def test_a_message_is_taken_once(tables: Tables) -> None:
    found = asked(token())
    take(tables, found, NOW)
    with pytest.raises(BadAssertion) as error:
        take(tables, found, NOW)
    assert error.value.code == "replayed"
    take(tables, asked(token()), NOW)  # another message of the same city


def test_a_mark_is_kept_for_as_long_as_its_token_would_be_taken(tables: Tables) -> None:
    found = asked(token())
    take(tables, found, NOW)
    late = found.expires + timedelta(seconds=29)
    assert asked(token(now=found.issued), now=late)
    with pytest.raises(BadAssertion):
        take(tables, found, late)
    take(tables, asked(token()), NOW + timedelta(hours=1))
    take(tables, found, NOW + timedelta(hours=1))  # the mark is forgotten: nobody takes that token any more
    assert refused(token(), now=NOW + timedelta(hours=1)) == "expired"
