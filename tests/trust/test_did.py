"""The name that a city signs under."""

from __future__ import annotations

import copy

import pytest

from twintown.ground.errors import BadData, BadSettings
from twintown.trust import did as names

KEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
NAME = "did:web:city.example:twins:jamsil"


@pytest.mark.parametrize(
    ("twin", "url", "did", "document"),
    [
        ("jamsil", "http://127.0.0.1:8000", "did:web:127.0.0.1%3A8000:twins:jamsil", "http://127.0.0.1:8000/twins/jamsil/did.json"),
        ("jamsil", "https://city.example", NAME, "https://city.example/twins/jamsil/did.json"),
        ("a", "https://city.example:444/seoul/", "did:web:city.example%3A444:seoul:twins:a", "https://city.example:444/seoul/twins/a/did.json"),
        ("a", "http://localhost:1", "did:web:localhost%3A1:twins:a", "http://localhost:1/twins/a/did.json"),
    ],
)  # fmt: skip
def test_a_twin_is_named_by_its_address_and_found_by_its_name(
    twin: str, url: str, did: str, document: str
) -> None:
    assert names.did_of(twin, url) == did
    assert names.address(did) == document


def test_a_name_without_a_path_stands_at_the_well_known_place() -> None:
    assert names.address("did:web:w3c-ccg.github.io") == "https://w3c-ccg.github.io/.well-known/did.json"


@pytest.mark.parametrize("url", ["city.example", "ftp://city.example", "https://", "https://a?b=c"])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match="no address of a server"):
        names.did_of("jamsil", url)


@pytest.mark.parametrize(
    "did", ["did:key:z6Mk", "did:web:", "did:web:a/b", "did:web:a@b", "did:web:a#k", "did:web:a::b"]
)
def test_what_is_no_did_web_is_refused(did: str) -> None:
    with pytest.raises(BadSettings, match="no did:web"):
        names.address(did)


def test_a_document_gives_its_keys_for_assertions() -> None:
    document = names.document(NAME, [KEY])
    assert document["assertionMethod"] == [f"{NAME}#{KEY}"]
    assert names.key_of(document, f"{NAME}#{KEY}") == KEY


def test_a_method_may_stand_in_the_list_itself() -> None:
    document = names.document(NAME, [KEY])
    document["assertionMethod"] = document.pop("verificationMethod")
    assert names.key_of(document, f"{NAME}#{KEY}") == KEY


@pytest.mark.parametrize(
    "path",
    [
        ("assertionMethod", []),
        ("verificationMethod", []),
        ("verificationMethod", "x"),
        ("id", "did:web:other.example"),
    ],
)
def test_a_key_that_the_document_does_not_allow_is_not_given(path: tuple[str, object]) -> None:
    document = names.document(NAME, [KEY]) | {path[0]: path[1]}
    with pytest.raises(BadData, match=r"has no key|somebody else"):
        names.key_of(document, f"{NAME}#{KEY}")


@pytest.mark.parametrize(
    ("member", "value"),
    [("controller", "did:web:b.example"), ("type", "JsonWebKey"), ("publicKeyMultibase", 3)],
)
def test_a_method_of_another_controller_or_type_is_not_taken(member: str, value: object) -> None:
    document = copy.deepcopy(names.document(NAME, [KEY]))
    document["verificationMethod"][0][member] = value
    with pytest.raises(BadData, match=r"somebody else|another type"):
        names.key_of(document, f"{NAME}#{KEY}")
