# ruff: noqa: E501 - published values are not broken
"""Signatures on documents, against the published vectors: RFC 8785, and w3c/vc-di-eddsa TestVectors/eddsa-jcs-2022."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from twintown.ground.errors import BadData
from twintown.trust.did import document as did_document
from twintown.trust.keys import Key, from_multibase
from twintown.trust.proof import canonical, check, hashes, sign

KEY = Key.from_multikey("z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq")
ISSUER = f"did:key:{KEY.public}"
METHOD = f"{ISSUER}#{KEY.public}"
CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
CREDENTIAL = {
    "@context": CONTEXT,
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
CREATED = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
VALUE = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
HASHES = (
    "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
    "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
)
#: Members of a document, in RFC 8785's appendix B: IEEE 754 and text.
NUMBERS = [
    ("0000000000000000", "0"), ("8000000000000000", "0"), ("0000000000000001", "5e-324"), ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"), ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"), ("c340000000000000", "-9007199254740992"), ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"), ("44b52d02c7e14af6", "1e+23"), ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"), ("444b1ae4d6e2ef4f", "999999999999999900000"), ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"), ("3eb0c6f7a0b5ed8d", "0.000001"), ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"), ("41b3de4355555555", "333333333.3333333"), ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"), ("becbf647612f3696", "-0.0000033333333333333333"), ("43143ff3c1cb0959", "1424953923781206.2"),
]  # fmt: skip


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_numbers_are_written_as_rfc_8785_writes_them(bits: str, text: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]).decode() == text


def test_the_sample_of_rfc_8785_has_its_canonical_form() -> None:
    given = r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"""
    expected = """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}"""
    assert canonical(json.loads(given)).decode() == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {"a": "\ud800"}])
def test_what_has_no_canonical_form_is_named(value: Any) -> None:
    with pytest.raises(BadData, match="canonical form"):
        canonical(value)


def test_the_published_credential_gets_its_published_signature() -> None:
    signed = sign(CREDENTIAL, KEY, METHOD, CREATED)
    options = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
    assert hashes(CREDENTIAL, options).hex() == HASHES
    assert signed["proof"]["proofValue"] == VALUE
    assert from_multibase(VALUE).hex().startswith("407cd12654b33d718ecbb99179a1506d")


def _codes(document: dict[str, Any], keys: dict[str, Any] | None = None) -> list[str]:
    return [one.code for one in check(document, keys or did_document(ISSUER, [KEY.public]))]


def test_the_published_signature_is_good_and_its_issuer_is_somebody_else() -> None:
    assert _codes(sign(CREDENTIAL, KEY, METHOD, CREATED)) == ["foreign-issuer"]
    own = sign({**CREDENTIAL, "issuer": {"id": ISSUER, "name": "we"}}, KEY, METHOD)
    assert check(own, did_document(ISSUER, [KEY.public])) == ()


def _set(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for step in path[:-1]:
            document = document[step]  # type: ignore[index]
        document[path[-1]] = value  # type: ignore[index]

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set("credentialSubject", "alumniOf", value="The School of Example"), "bad-signature"),
        (_set("more", value=1), "bad-signature"),
        (_set("type", 1, value="Another"), "bad-signature"),
        (_set("proof", "created", value="2023-02-24T23:36:39Z"), "bad-signature"),
        (_set("proof", "proofValue", value=VALUE[:-1] + "Y"), "bad-signature"),
        (_set("proof", "proofValue", value="z" + VALUE), "bad-signature"),
        (_set("proof", "proofValue", value=4), "bad-signature"),
        (_set("proof", "verificationMethod", value=f"{ISSUER}#another"), "unknown-key"),
        (_set("proof", "verificationMethod", value=None), "unknown-key"),
        (_set("proof", "cryptosuite", value="ecdsa-jcs-2019"), "other-proof"),
        (_set("proof", "proofPurpose", value="authentication"), "other-proof"),
        (_set("proof", value=None), "no-proof"),
        (_set("@context", value=["https://www.w3.org/ns/credentials/v2"]), "other-context"),
        (_set("large", value=2**60), "bad-signature"),
    ],
)  # fmt: skip
def test_whatever_was_changed_afterwards_is_noticed(
    change: Callable[[dict[str, Any]], None], code: str
) -> None:
    document = copy.deepcopy(sign({**CREDENTIAL, "issuer": ISSUER}, KEY, METHOD))
    change(document)
    assert code in _codes(document)


def test_the_order_of_members_and_spaces_do_not_count() -> None:
    signed = sign({**CREDENTIAL, "issuer": ISSUER}, KEY, METHOD)
    turned = json.loads(json.dumps(dict(reversed(signed.items())), indent=4))
    assert _codes(turned) == []


def test_another_key_of_the_same_name_does_not_fit() -> None:
    other = Key.of(bytes(range(32)))
    keys = did_document(ISSUER, [KEY.public])
    keys["verificationMethod"][0]["publicKeyMultibase"] = other.public
    assert _codes(sign({**CREDENTIAL, "issuer": ISSUER}, KEY, METHOD), keys) == ["bad-signature"]


def test_a_signature_runs_out_when_it_says_so() -> None:
    signed = sign({**CREDENTIAL, "issuer": ISSUER}, KEY, METHOD)
    signed["proof"]["expires"] = "2024-01-01T00:00:00Z"
    assert "expired" in _codes(signed)
    signed["proof"]["expires"] = "soon"
    assert "bad-time" in _codes(signed)
