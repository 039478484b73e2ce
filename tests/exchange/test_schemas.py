"""What is a message of the protocol, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twintown.exchange import messages, schemas
from twintown.exchange.negotiation import Negotiation
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import BadContent, TooLarge

CONTEXT = [messages.CONTEXT]
ASKED: dict[str, Any] = {"@context": CONTEXT, "@type": "CatalogRequestMessage"}
OFFER = {"@id": "urn:uuid:o", "@type": "Offer", "permission": [{"action": "use"}]}


def raw(**members: Any) -> bytes:
    return json.dumps({**ASKED, **members}).encode()


def test_every_message_that_we_write_fits_the_schemas() -> None:
    fresh = Negotiation("urn:uuid:1", "consumer", "did:web:b", dataset="d")
    known = Negotiation("urn:uuid:1", "consumer", "did:web:b", "urn:uuid:2", state="REQUESTED", dataset="d")
    process = Transfer("urn:uuid:1", "consumer", "did:web:b", "a", peer_pid="urn:uuid:2", state="STARTED")
    said = {**OFFER, "target": "d"}
    deed = {**said, "@type": "Agreement", "assigner": "did:web:b", "assignee": "did:web:a"}
    address = {
        "@type": "DataAddress",
        "endpointType": "https://w3id.org/idsa/v4.1/HTTP",
        "endpoint": "https://b",
    }
    written = [
        messages.contract_request(fresh, said, "https://a/dsp"), messages.contract_request(known, said),
        messages.contract_offer(fresh, said, "https://a/dsp"), messages.contract_offer(known, said),
        messages.agreement(known, deed), messages.verification(known, {"proof": {}}), messages.event(known, "ACCEPTED"),
        messages.event(known, "FINALIZED"), messages.termination(known, "ended", ["why"]), messages.termination(known, "", []),
        messages.transfer_request(process, "https://a/dsp"), messages.transfer_start(process, address),
        messages.transfer_start(process, None), messages.transfer_suspension(process, "x", ["y"]),
        messages.transfer_completion(process), messages.termination(process, "x", ["y"]), messages.state(known), messages.state(process),
        messages.error("CatalogError", "x", ["y"]), messages.error("ContractNegotiationError", "x", ["y"]),
        messages.error("TransferError", "x", ["y"], {"providerPid": "p"}),
    ]  # fmt: skip
    for one in written:
        schemas.check(one, one["@type"])


@pytest.mark.parametrize("both", [{}, {"callbackAddress": "https://a", "providerPid": "urn:uuid:2"}])
def test_the_first_request_names_an_address_and_the_next_ones_a_pid(both: dict[str, str]) -> None:
    said = {"@context": CONTEXT, "@type": "ContractRequestMessage", "consumerPid": "c", "offer": OFFER}
    with pytest.raises(BadContent):
        schemas.check({**said, **both}, "ContractRequestMessage")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nothing", b"[]", b"[" * 100_000, b'{"a":' * 10_000, b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b'{"a":"\\ud800"}',
        raw(filter=["\u0000"]), raw(filter="x"), raw(**{"@type": "Catalog"}), raw(**{"@type": ["CatalogRequestMessage"]}),
        raw(**{"@context": ["https://elsewhere.example/context.jsonld", *CONTEXT]}), raw(**{"@context": [{"@vocab": "x"}, *CONTEXT]}),
        raw(**{"@context": messages.CONTEXT}), raw(**{"@context": []}), raw(**{"@context": None}),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(BadContent) as refused:
        schemas.read(body, "CatalogRequestMessage")
    assert refused.value.findings and len(refused.value.what) < 400


def test_brackets_inside_a_text_lie_in_nothing() -> None:
    assert schemas.read(raw(filter=["[" * 1000 + '\\"' + "{" * 1000]), "CatalogRequestMessage")


def test_thirty_two_are_taken_and_thirty_three_are_not() -> None:
    deep = "[" * 30 + "]" * 30  # the message and its filter are two
    assert schemas.read(json.dumps({**ASKED, "filter": [json.loads(deep)]}).encode(), "CatalogRequestMessage")
    with pytest.raises(BadContent, match="deep"):
        schemas.read(
            json.dumps({**ASKED, "filter": [json.loads(f"[{deep}]")]}).encode(), "CatalogRequestMessage"
        )


def test_a_message_that_is_too_long_is_not_read() -> None:
    with pytest.raises(TooLarge):
        schemas.read(b" " * (schemas.MOST + 1), "CatalogRequestMessage")


def test_no_schema_and_no_context_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("somebody was asked"))
    schemas.load()
    assert schemas.read(raw(), "CatalogRequestMessage")
    with pytest.raises(BadContent):
        schemas.read(raw(**{"@context": ["http://127.0.0.1/c"]}), "CatalogRequestMessage")


def test_the_broken_references_of_the_transfer_schemas_are_mended() -> None:
    with pytest.raises(BadContent, match="providerPid"):
        schemas.check(
            {"@context": CONTEXT, "@type": "TransferTerminationMessage"}, "TransferTerminationMessage"
        )


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1"])
def test_a_message_in_another_coding_than_utf_8_is_refused_since_its_brackets_were_not_counted(coding: str) -> None:
    with pytest.raises(BadContent, match="no JSON"):
        schemas.parse('{"x": "é\\u0041"}'.encode(coding))
