"""Certificates as they may come, and what both who check them must say: this server, and the page on a visitor's device.

`python -m tests.programme.certificate_cases` writes `certificate_cases.json`, which `web/tests/proof.cases.test.ts` reads too.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twintown.trust.did import method_of
from twintown.trust.keys import Key

TABLE = Path(__file__).with_name("certificate_cases.json")
DID, BASE = "did:web:icheon.example:twins:icheon", "https://icheon.example/twins/icheon"
LINK, LIST, NOW = f"{BASE}/01/02900000000018/10/ICN-01", f"{BASE}/status-lists/sl-1", "2027-09-18T03:00:00Z"
KEY, OTHER, REVOKED, RETIRED = (Key.of(bytes([number]) * 32) for number in range(1, 5))
CONTEXT = "https://www.w3.org/ns/credentials/v2"
HEAD: dict[str, Any] = {"alg": "EdDSA", "cty": "vc", "kid": method_of(DID, KEY.public), "typ": "vc+jwt"}
STATUS = {
    "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "77", "statusListCredential": LIST,
}  # fmt: skip
BODY: dict[str, Any] = {
    "@context": [CONTEXT], "id": f"{BASE}/certificates/ct-1", "type": ["DigitalProductPassport", "VerifiableCredential"],
    "issuer": {"id": DID, "name": "x"}, "validFrom": "2027-09-01T00:00:00Z", "validUntil": "2027-12-31T00:00:00Z",
    "credentialStatus": STATUS, "credentialSubject": {"id": LINK, "product": {"id": LINK, "batchNumber": "ICN-01"}},
}  # fmt: skip


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(head: Any, body: Any, key: Key = KEY) -> str:
    parts = [
        one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode()
        for one in (head, body)
    ]
    said = ".".join(text(one) for one in parts)
    return f"{said}.{text(key.sign(said.encode()))}"


def of(**other: Any) -> str:
    """The certificate with other members; None takes one away."""
    return signed(HEAD, {name: one for name, one in {**BODY, **other}.items() if one is not None})


def lot(link: Any, batch: str = "ICN-01", **other: Any) -> str:
    return of(credentialSubject={"id": link, "product": {"id": link, "batchNumber": batch, **other}})


def bits(*places: int, size: int = 16_384) -> bytes:
    made = bytearray(size)
    for place in places:
        made[place // 8] |= 128 >> place % 8
    return gzip.compress(made, 9, mtime=0)


def listed(packed: bytes = b"", key: Key = KEY, subject: Mapping[str, Any] = {}, **other: Any) -> str:
    body = {
        "@context": [CONTEXT], "id": LIST, "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": {"id": DID, "name": "x"}, "validFrom": "2027-09-18T02:59:00Z", "validUntil": "2027-09-19T02:59:00Z",
        "credentialSubject": {
            "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "u" + text(packed or bits()), **subject
        },
    } | other  # fmt: skip
    return signed(
        {**HEAD, "kid": method_of(DID, key.public)},
        {name: one for name, one in body.items() if one is not None},
        key,
    )


GOOD = of()
RAW = json.dumps(BODY).encode()
Row = tuple[
    str, str, str, str
]  # name, certificate, status list, why ("": all but the ledger, which nobody had)


def rows() -> list[Row]:
    """All cases."""
    head, body, signature = GOOD.split(".")
    out: list[Row] = [
        ("whole", GOOD, listed(), ""),
        ("enveloped", f"data:application/vc+jwt,{GOOD}", listed(), ""),
    ]

    def certificate(name: str, jwt: str, why: str = "forged") -> None:
        out.append((name, jwt, listed(), why))

    def status(name: str, said: str, why: str = "status-unknown") -> None:
        out.append((name, GOOD, said, why))

    def headed(name: str, key: Key = KEY, why: str = "forged", **other: Any) -> None:
        certificate(
            name,
            signed({member: one for member, one in {**HEAD, **other}.items() if one is not None}, BODY, key),
            why,
        )

    headed("alg none", alg="none")
    certificate("alg none, unsigned", f"{text(json.dumps({**HEAD, 'alg': 'none'}).encode())}.{body}.")
    for alg in ("HS256", "ES256", "eddsa", ["EdDSA"], None, 1):
        headed(f"alg {alg}", alg=alg)
    headed("alg Ed25519", alg="Ed25519", why="")
    headed("typ JWT", typ="JWT")
    headed("typ missing", typ=None)
    headed("cty missing", cty=None, why="")
    headed("kid missing", kid=None)
    headed("kid of another city", kid=f"did:web:other.example#{KEY.public}")
    headed("kid of another key", kid=method_of(DID, OTHER.public))
    headed("kid with two marks", kid=f"{HEAD['kid']}#x")
    headed("kid that is no text", kid=7)
    headed("a key of its own brought along", jwk={"kty": "OKP"})
    headed("crit", crit=["b64"])
    headed("signed by a key that is no key here", key=OTHER, kid=method_of(DID, OTHER.public))
    headed("signed by a revoked key", key=REVOKED, kid=method_of(DID, REVOKED.public))
    headed("signed by a key that had retired", key=RETIRED, kid=method_of(DID, RETIRED.public))
    early = {**BODY, "validFrom": "2027-07-01T00:00:00Z"}
    certificate(
        "signed by a key that retired later",
        signed({**HEAD, "kid": method_of(DID, RETIRED.public)}, early, RETIRED),
        "",
    )
    certificate("a header twice", signed(json.dumps(HEAD).encode()[:-1] + b', "alg": "EdDSA"}', BODY))
    certificate("a member twice", signed(HEAD, RAW[:-1] + b', "validUntil": "2099-01-01T00:00:00Z"}'))
    certificate(
        "a member twice, once escaped",
        signed(HEAD, RAW[:-1] + b', "valid\\u0055ntil"' + b" " * 99 + b': "2099-01-01T00:00:00Z"}'),
    )
    certificate("a member twice, deep", signed(HEAD, RAW[:-1] + b', "x": [{"a": 1, "b": {"c": 1, "c": 2}}]}'))
    certificate(
        "the same name in two objects",
        signed(HEAD, RAW[:-1] + b', "x": [{"a": "a: {"}, {"a": "\\"a\\": 1"}]}'),
        "",
    )
    certificate("not a number", signed(HEAD, RAW[:-1] + b', "x": NaN}'))
    certificate("UTF-16", signed(HEAD, json.dumps(BODY).encode("utf-16")))
    certificate("a mark before it", signed(HEAD, b"\xef\xbb\xbf" + RAW))
    certificate("no UTF-8", signed(HEAD, RAW[:-1] + b', "x": "\xff"}'))
    for value in (b"null", b"[]", b"1", b'"x"'):
        certificate(f"body {value.decode()}", signed(HEAD, value))
    certificate("padding", f"{head}.{body}.{signature}=")
    certificate("another way to write the signature", GOOD[:-1] + chr(ord(GOOD[-1]) + 1))
    certificate("cut off", GOOD[:-9])
    certificate("too long", signed(HEAD, {**BODY, "x": "x" * 262_144}))
    certificate("changed", f"{head}.{text(RAW.replace(b'2027-12-31', b'2037-12-31'))}.{signature}")
    certificate("no context", of(**{"@context": None}))
    certificate("context of version 1", of(**{"@context": ["https://www.w3.org/2018/credentials/v1"]}))
    certificate("no credential", of(type=["X"]))
    certificate("its type is a text", of(type="VerifiableCredential"))
    certificate("issuer as a text", of(issuer=DID), "")
    for issuer in (None, 7, {}, {"id": "did:web:other.example"}, {"id": [DID]}):
        certificate(f"issuer {issuer}", of(issuer=issuer), "unknown-issuer")
    for name, since in (
        ("in the city's zone", "2027-09-01T09:00:00+09:00"), ("in parts of a second", "2027-09-01T00:00:00.5Z"),
    ):  # fmt: skip
        certificate(f"begins {name}", of(validFrom=since), "")
    for since in ("2027-09-01T00:00:00", "2027-09-01", "soon", "", 1819756800, None, "20270901T000000Z", "2027-W35-3T00:00:00Z",
                  "2027-09-31T00:00:00Z", "2027-02-29T00:00:00Z", "2027-09-01T24:00:00Z", "2027-09-01T00:00:60Z", "2027-09-01 00:00:00Z",
                  "0001-01-01T00:00:00+14:00", "2027-09-01T00:00:00+24:00", "2027-09-01t00:00:00z"):  # fmt: skip
        certificate(f"begins {since}", of(validFrom=since))
    certificate("does not end", of(validUntil=None))
    certificate("begins later", of(validFrom="2027-09-18T12:00:01+09:00"), "not-yet-valid")
    certificate("is over", of(validUntil="2027-09-18T11:59:59+09:00"), "expired")
    certificate("ends in this moment, elsewhere", of(validUntil="2027-09-17T20:00:00-07:00"), "")
    for name, link in (
        ("another batch", f"{BASE}/01/02900000000018/10/ICN-02"), ("another number", f"{BASE}/01/02900000000025/10/ICN-01"),
        ("a check digit that does not fit", f"{BASE}/01/02900000000019/10/ICN-01"),
        ("a short number", f"{BASE}/01/2900000000018/10/ICN-01"),
        ("a question behind", f"{LINK}?x=1"), ("a slash behind", f"{LINK}/"), ("written otherwise", LINK.replace("ICN", "%49CN")),
        ("no web address", LINK.replace("https", "ftp")), ("a host that is none", "http://[/01/02900000000018/10/ICN-01"), ("none", ""),
        ("a number", 7),
    ):  # fmt: skip
        certificate(f"lot: {name}", lot(link, "ICN-02" if "batch" in name else "ICN-01"), "other-lot")
    certificate("lot: names two", lot(LINK, "ICN-09"), "other-lot")
    certificate(
        "lot: its subject is another",
        of(credentialSubject={**BODY["credentialSubject"], "id": f"{LINK}2"}),
        "other-lot",
    )
    for subject in (None, [], "x", {"id": LINK}, {"id": LINK, "product": [LINK]}):
        certificate(f"subject {subject}", of(credentialSubject=subject), "other-lot")
    out.append(("the list is no certificate", listed(), listed(), "other-lot"))
    for member, value in (("type", "StatusList2021Entry"), ("statusPurpose", "suspension"), ("statusListIndex", 77),
                          ("statusListIndex", "-1"),
                          ("statusListIndex", "7٧"), ("statusListIndex", "1e1"), ("statusListIndex", "0000000077"),
                          ("statusListIndex", "131072"), ("statusListCredential", 7), ("statusListCredential", f"{LIST}x")):  # fmt: skip
        certificate(f"{member} {value}", of(credentialStatus={**STATUS, member: value}), "status-unknown")
    certificate("no status", of(credentialStatus=None), "status-unknown")
    status("revoked", listed(bits(77)), "revoked")
    status("its neighbours revoked", listed(bits(76, 78)), "")
    status("revoked by an old list", listed(bits(77), validUntil="2027-09-18T02:59:30Z"), "revoked")
    status("an old list", listed(validUntil="2027-09-18T02:59:30Z"), "status-old")
    status("a list of a time to come", listed(validFrom="2027-09-18T03:00:01Z"), "status-old")
    status("a list without an end", listed(validUntil=None))
    status("no list", "")
    status("a list that is none", "x")
    status("a certificate for a list", GOOD)
    status("a list of another key", listed(bits(77), OTHER))
    status("a list of a revoked key", listed(bits(77), REVOKED))
    status("a list of another city", listed(bits(77), issuer={"id": "did:web:other.example"}))
    status("another list", listed(bits(77), id=f"{LIST}x"))
    status("a list without a name", listed(bits(77), id=None))
    status("a list of another purpose", listed(bits(77), subject={"statusPurpose": "suspension"}))
    status("a list of another kind", listed(bits(77), subject={"type": "X"}))
    status("a list without bits", listed(subject={"encodedList": None}))
    status("bits in another base", listed(subject={"encodedList": "m" + text(bits())}))
    status("bits that are no GZIP", listed(subject={"encodedList": "u" + text(b"hello")}))
    status("bits that are cut off", listed(bits()[:-9]))
    status("bits with something behind", listed(bits() + b"x"))
    status("bits that do not add up", listed(bits()[:-8] + b"\0\0\0\1" + bits()[-4:]))
    status("too few bits", listed(bits(size=16_383)))
    status("many bits", listed(bits(77, size=1 << 20)), "revoked")
    status("bits without end", listed(bits(size=(1 << 20) + 1)))
    status("a bit turned in what was signed", _turned(listed()))
    return out


def _turned(jwt: str) -> str:
    head, body, signature = jwt.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    said["credentialSubject"]["encodedList"] = "u" + text(bits(77))
    return f"{head}.{text(json.dumps(said, ensure_ascii=False).encode())}.{signature}"


def table() -> dict[str, Any]:
    """As JSON; what is longer than what is read says so in few words, and the list that most come with stands there once."""
    keys = [
        {"public": KEY.public}, {"public": REVOKED.public, "revoked": "2027-09-10T00:00:00Z"},
        {"public": RETIRED.public, "retired": "2027-08-01T00:00:00Z"},
    ]  # fmt: skip
    usual = listed()
    cases = [
        {"name": name, "certificate": jwt if len(jwt) < 20_000 else len(jwt), "status": None if status == usual else status, "why": why}
        for name, jwt, status, why in rows()
    ]  # fmt: skip
    return {"did": DID, "link": LINK, "now": NOW, "keys": keys, "status": usual, "cases": cases}


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table(), ensure_ascii=True, indent=1) + "\n", encoding="utf-8")
