"""Bitstring status lists: bits where the standard puts them, and nothing read that is none."""

from __future__ import annotations

import base64
import gzip
from datetime import UTC, datetime
from typing import Any

import pytest

from twintown.ground.errors import BadData
from twintown.trust import credential, status_list
from twintown.trust.did import method_of
from twintown.trust.keys import new_key

URL, DID = "https://icheon.example/twins/icheon/status-lists/sl-1", "did:web:icheon.example:twins:icheon"
NOW = datetime(2027, 9, 18, 3, tzinfo=UTC)


def listed(url: str = URL, **subject: Any) -> credential.Credential:
    key = new_key()
    said = status_list.content(
        url, status_list.with_set(status_list.empty(), [77]), {"id": DID, "name": "x"}, NOW
    )
    said["credentialSubject"] |= subject
    return credential.read(credential.secured(said, key, method_of(DID, key.public)))


def test_the_first_place_is_the_highest_bit_of_the_first_byte() -> None:
    bits = status_list.with_set(status_list.empty(), [0, 9, status_list.SIZE - 1])
    assert bits[0] == 0b1000_0000 and bits[1] == 0b0100_0000 and bits[-1] == 1
    assert [status_list.is_set(bits, place) for place in (0, 1, 9, status_list.SIZE - 1)] == [
        True,
        False,
        True,
        True,
    ]


def test_a_list_has_as_many_bits_as_the_standard_asks_for_and_comes_back_as_it_went() -> None:
    bits = status_list.with_set(status_list.empty(), range(0, status_list.SIZE, 3))
    said = status_list.encode(bits)
    assert said.startswith("u") and "=" not in said
    assert status_list.decode(said) == bits and len(bits) * 8 == 131_072


def test_a_place_that_the_list_does_not_have_is_named() -> None:
    with pytest.raises(BadData, match="no place"):
        status_list.is_set(status_list.empty(), status_list.SIZE)


def test_the_bits_of_the_list_that_a_certificate_names() -> None:
    assert status_list.is_set(status_list.bits_of(listed(), URL), 77)
    entry = status_list.entry(URL, 77)
    assert status_list.place_of({"credentialStatus": entry}) == (URL, 77)


def bomb() -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(5_000_000))).rstrip(b"=").decode()


def long() -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(1 << 20))).rstrip(b"=").decode()


def short() -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(100))).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("url", "subject"),
    [(URL + "x", {}), (URL, {"type": "x"}), (URL, {"statusPurpose": "suspension"}), (URL, {"encodedList": "zzz"}),
     (URL, {"encodedList": "u!!"}), (URL, {"encodedList": short()}), (URL, {"encodedList": None})],
)  # fmt: skip
def test_another_list_and_what_holds_no_bits_are_refused(url: str, subject: dict[str, Any]) -> None:
    with pytest.raises(BadData):
        status_list.bits_of(listed(**subject), url)


def test_a_list_that_unpacks_without_end_is_not_unpacked_further_than_it_is_read() -> None:
    with pytest.raises(BadData):
        status_list.decode(bomb())
    assert len(status_list.decode(long())) == status_list.LARGEST


@pytest.mark.parametrize(
    "status",
    [None, {}, {"type": "x"}, {**status_list.entry(URL, 1), "statusListIndex": "-1"},
     {**status_list.entry(URL, 1), "statusListIndex": 1}, {**status_list.entry(URL, 1), "statusPurpose": "message"}],
)  # fmt: skip
def test_a_certificate_that_names_no_place_is_named(status: Any) -> None:
    with pytest.raises(BadData):
        status_list.place_of({"credentialStatus": status})
