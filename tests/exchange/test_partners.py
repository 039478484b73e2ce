"""What goes through the door to a partner, and what comes back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twintown.exchange.partner_tokens import data_address, read_address
from twintown.exchange.partners import behind, turned
from twintown.ground.errors import BadData, BadParameter

PEER = "https://icheon.example/twins/icheon"
DOOR = "https://seoul.example/twins/jamsil/partners/urn:uuid:1"
SOON = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("collections", "collections"),
        ("collections/plan/items/way/2", "collections/plan/items/way/2"),
        ("collections/건물/items", "collections/%EA%B1%B4%EB%AC%BC/items"),
        ("processes/sunlight/execution", "processes/sunlight/execution"),
        ("jobs/01/results", "jobs/01/results"),
        ("collections/a b/items", "collections/a%20b/items"),
    ],
)
def test_reading_addresses_lie_behind_the_door(path: str, sent: str) -> None:
    assert behind(path) == sent


@pytest.mark.parametrize(
    "path",
    [
        "",
        "agreements",
        "session",
        "scenarios/1",
        "collectionsx",
        "../jamsil/agreements",
        "collections/../agreements",
        "collections/./x",
        "jobs/..",
        "collections\\..\\agreements",
        "collections/\r\nHost: evil",
        "tiles/../offers",
        "dsp/catalog/request",
        "collections/" + "x" * 600,
    ],
)
def test_nothing_else_does(path: str) -> None:
    with pytest.raises(BadParameter):
        behind(path)


@given(st.lists(st.integers(0, 400), max_size=12))
def test_links_are_turned_wherever_the_answer_is_cut(cuts: list[int]) -> None:
    whole = (
        f'{{"a":"{PEER}","b":["{PEER}/items?x=1","{PEER}s","{PEER}other/x"],"c":"see {PEER}/items",'
        f'"d":"https://icheon.example/conformance","e":"{PEER}?f=json","t":"{PEER}{{/z}}"}}'
    ).encode()
    wanted = (
        f'{{"a":"{DOOR}","b":["{DOOR}/items?x=1","{PEER}s","{PEER}other/x"],"c":"see {PEER}/items",'
        f'"d":"https://icheon.example/conformance","e":"{DOOR}?f=json","t":"{DOOR}{{/z}}"}}'
    ).encode()
    marks = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    parts = [whole[a:b] for a, b in zip(marks, marks[1:], strict=False)]
    assert b"".join(turned(iter(parts), PEER.encode(), DOOR.encode())) == wanted


def test_a_data_address_says_where_with_what_until_when_and_how_to_go_on() -> None:
    said = data_address(PEER, "secret", SOON, "urn:uuid:9")
    found = read_address(said, PEER)
    assert (found.endpoint, found.token, found.expires) == (PEER, "secret", SOON)
    assert found.renewal == f"{PEER}/dsp/transfers/urn:uuid:9/token"
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://evil.example/twins/icheon"},
        {"endpoint": f"{PEER}.evil.example"},
        {"endpoint": ""},
        {"endpointType": "https://w3id.org/idsa/v4.1/S3"},
        {"endpointProperties": []},
        {"endpointProperties": "x"},
    ],
)
def test_an_address_elsewhere_or_without_a_token_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadData):
        read_address({**data_address(PEER, "secret", SOON, "1"), **change}, PEER)


def test_a_renewal_elsewhere_is_refused() -> None:
    said = data_address(PEER, "secret", SOON, "1")
    for one in said["endpointProperties"]:
        if one["name"] == "urn:twintown:renewal":
            one["value"] = "http://169.254.169.254/token"
    with pytest.raises(BadData, match="elsewhere"):
        read_address(said, PEER)
    with pytest.raises(BadData):
        read_address(None, PEER)
