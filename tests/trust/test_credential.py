"""Credentials secured as JOSE: read by another library, and every way to tamper with one is named."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from twintown.ground.errors import BadData
from twintown.trust import credential
from twintown.trust.did import KnownKey, method_of
from twintown.trust.keys import Key, new_key, public_bytes

DID = "did:web:icheon.example:twins:icheon"
NOW = datetime(2027, 9, 18, 3, tzinfo=UTC)
KEY = Key.of(bytes(range(32)))
BODY: dict[str, Any] = {
    "@context": [credential.CONTEXT], "id": "https://icheon.example/c/1", "type": ["VerifiableCredential"],
    "issuer": {"id": DID, "name": "본부"}, "validFrom": "2027-09-01T00:00:00Z", "validUntil": "2027-12-31T00:00:00Z",
    "credentialSubject": {"id": "urn:x"},
}  # fmt: skip


def signed(key: Key = KEY, **other: Any) -> str:
    return credential.secured({**BODY, **other}, key, method_of(DID, key.public))


def codes(jwt: str, *keys: KnownKey, now: datetime | None = NOW) -> list[str]:
    return [
        one.code for one in credential.findings(credential.read(jwt), keys or [KnownKey(KEY.public)], now)
    ]


#: RFC 9864 would call it Ed25519; vc-jose-cose says EdDSA, and readers take both.
CALLED = "ignore:EdDSA is deprecated"


@pytest.mark.filterwarnings(CALLED)
def test_what_we_sign_another_library_verifies() -> None:
    from joserfc import jws
    from joserfc.jwk import OKPKey

    raw = base64.urlsafe_b64encode(public_bytes(KEY.public)).rstrip(b"=").decode()
    known = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": raw})
    found = jws.deserialize_compact(signed(), known, algorithms=["EdDSA"])
    assert json.loads(found.payload) == BODY
    assert found.headers() == {"alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", "kid": f"{DID}#{KEY.public}"}


@pytest.mark.filterwarnings(CALLED)
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_what_another_library_signs_we_verify(algorithm: str) -> None:
    from joserfc import jws
    from joserfc.jwk import OKPKey

    part = base64.urlsafe_b64encode
    known = OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "x": part(public_bytes(KEY.public)).rstrip(b"=").decode(),
         "d": part(bytes(range(32))).rstrip(b"=").decode()}
    )  # fmt: skip
    header = {"alg": algorithm, "typ": "vc+jwt", "cty": "vc", "kid": method_of(DID, KEY.public)}
    jwt = jws.serialize_compact(header, json.dumps(BODY).encode(), known, algorithms=[algorithm])
    assert codes(jwt) == []


def test_it_is_enveloped_for_a_presentation_and_read_out_of_it() -> None:
    whole = credential.enveloped(signed())
    assert whole["type"] == "EnvelopedVerifiableCredential"
    assert credential.read(whole["id"]).digest == credential.digest(signed())


def test_a_changed_word_another_key_and_another_name_are_forged() -> None:
    head, body, signature = signed().split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    said["credentialSubject"]["id"] = "urn:y"
    other = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    assert codes(f"{head}.{other}.{signature}") == ["forged"]
    assert codes(signed(new_key())) == ["forged"]
    assert codes(signed(issuer={"id": "did:web:fake.example", "name": "x"})) == ["forged"]
    assert codes(signed(validFrom="soon")) == ["forged"]


def test_a_retired_key_signs_for_what_it_signed_before_and_a_revoked_one_for_nothing() -> None:
    late, early = datetime(2027, 9, 2, tzinfo=UTC), datetime(2027, 8, 30, tzinfo=UTC)
    assert codes(signed(), KnownKey(KEY.public, retired=late)) == []
    assert codes(signed(), KnownKey(KEY.public, retired=early)) == ["forged"]
    assert codes(signed(), KnownKey(KEY.public, revoked=late)) == ["forged"]


def test_its_dates_are_named() -> None:
    known = KnownKey(KEY.public)
    assert codes(signed(), known, now=datetime(2028, 1, 1, tzinfo=UTC)) == ["expired"]
    assert codes(signed(), known, now=datetime(2027, 8, 1, tzinfo=UTC)) == ["not-yet-valid"]
    assert codes(signed(), known, now=None) == []
    assert codes(signed(validUntil=credential.text(NOW + timedelta(hours=1)))) == []


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "jwt",
    [
        "",
        "a.b",
        "a.b.c.d",
        "€.€.€",
        f"{packed({'alg': 'none', 'typ': 'vc+jwt', 'kid': f'{DID}#k'})}.{packed(BODY)}.",
        f"{packed({'alg': 'EdDSA', 'typ': 'JWT', 'kid': f'{DID}#k'})}.{packed(BODY)}.AAAA",
        f"{packed({'alg': 'EdDSA', 'typ': 'vc+jwt', 'kid': f'{DID}#k', 'jwk': {}})}.{packed(BODY)}.AAAA",
        f"{packed({'alg': 'EdDSA', 'typ': 'vc+jwt', 'kid': 'nobody'})}.{packed(BODY)}.AAAA",
        f"{packed({'alg': 'EdDSA', 'typ': 'vc+jwt', 'kid': f'{DID}#k'})}.{packed({**BODY, 'type': 'x'})}.AAAA",
        f"{packed({'alg': 'EdDSA', 'typ': 'vc+jwt', 'kid': f'{DID}#k'})}.{packed({**BODY, '@context': ['x']})}.AAAA",
        f"{packed({'alg': 'EdDSA', 'typ': 'vc+jwt', 'kid': f'{DID}#k'})}.{packed(BODY)}=.AAAA",
        "A" * 300_000,
    ],
)
def test_what_is_no_credential_is_refused(jwt: str) -> None:
    with pytest.raises(BadData):
        credential.read(jwt)


def test_a_name_twice_is_refused_since_readers_would_differ() -> None:
    head = packed({"alg": "EdDSA", "typ": "vc+jwt", "kid": f"{DID}#k"})
    twice = base64.urlsafe_b64encode(b'{"type":["VerifiableCredential"],"type":[]}').rstrip(b"=").decode()
    with pytest.raises(BadData):
        credential.read(f"{head}.{twice}.AAAA")
