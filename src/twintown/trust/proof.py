"""Signatures on JSON documents: W3C Data Integrity proofs of the cryptosuite `eddsa-jcs-2022` (vc-di-eddsa 1.0, section 3.3).

The document and the proof's own members are brought to one canonical form (JCS, RFC 8785), hashed with SHA-256, and the two hashes,
the proof's first, are signed with Ed25519. So who signs fixes values, not spaces or the order of members.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twintown.ground.errors import BadData, TwintownError

from .did import ends_of, key_of
from .keys import Key, fits, from_multibase, to_multibase

SUITE = "eddsa-jcs-2022"


@dataclass(frozen=True)
class Finding:
    """What is wrong with a signature: a code for programs, a sentence for people."""

    code: str
    what: str

    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what}


def canonical(document: Any) -> bytes:
    """The JSON Canonicalization Scheme of a JSON value (RFC 8785).

    Raises:
        BadData: it holds what JSON does not: not-a-number, infinity, integers beyond ±(2⁵³ − 1), halves of characters.
    """
    import rfc8785

    try:
        return rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise BadData(
            f"has no canonical form ({error})", "JSON document", "write large numbers as text"
        ) from error


def hashes(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """What is signed: 32 bytes of the proof's members without its value, then 32 of the document without its proof."""
    config = hashlib.sha256(canonical(dict(options))).digest()
    return config + hashlib.sha256(canonical(dict(document))).digest()


def sign(
    document: Mapping[str, Any], key: Key, method: str, created: datetime | None = None
) -> dict[str, Any]:
    """The document with a proof.

    Args:
        document: JSON; a proof that it has is replaced.
        method: the address of the key (`did:web:…#z6Mk…`).
        created: now by default; whole seconds are kept.

    Raises:
        BadData: the document has no canonical form.
    """
    plain = {name: value for name, value in document.items() if name != "proof"}
    at = (created or datetime.now(UTC)).astimezone(UTC)
    options: dict[str, Any] = {
        "type": "DataIntegrityProof", "cryptosuite": SUITE, "created": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method, "proofPurpose": "assertionMethod",
    }  # fmt: skip
    if "@context" in plain:
        options["@context"] = plain["@context"]
    value = to_multibase(key.sign(hashes(plain, options)))
    return {**plain, "proof": {**options, "proofValue": value}}


def check(document: Mapping[str, Any], did_document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What is wrong with a document's signature, by the keys in a DID document; empty where it is good."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        return (Finding("no-proof", "the document is not signed"),)
    said = (proof.get("type"), proof.get("cryptosuite"), proof.get("proofPurpose"))
    if said != ("DataIntegrityProof", SUITE, "assertionMethod"):
        return (Finding("other-proof", f"the proof is not an assertion signed with {SUITE}"),)
    issuer = document.get("issuer")
    issuer = issuer.get("id") if isinstance(issuer, dict) else issuer
    found: list[Finding] = []
    if issuer is not None and issuer != did_document.get("id"):
        found.append(Finding("foreign-issuer", "the issuer is not whose keys these are"))
    plain = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if "@context" in options and not _begins(plain.get("@context"), options["@context"]):
        found.append(Finding("other-context", "the document was signed under another @context"))
    if ends_of(did_document, str(proof.get("verificationMethod")))[1]:
        return (*found, Finding("revoked-key", "the key that signed was revoked by its owner"))
    try:
        key = key_of(did_document, str(proof.get("verificationMethod")))
    except TwintownError as error:
        return (*found, Finding("unknown-key", f"the document of the issuer {error.what}"))
    try:
        signature = from_multibase(proof.get("proofValue", ""), "proofValue")
        good = len(signature) == 64 and fits(key, signature, hashes(plain, options))
    except TwintownError as error:
        return (*found, Finding("bad-signature", f"the signature cannot be read: {error}"))
    if not good:
        found.append(
            Finding("bad-signature", "the signature does not fit: something was changed after it was made")
        )
    return (*found, *_age(proof), *_ended(proof, did_document))


def _begins(whole: Any, start: Any) -> bool:
    one, other = ([x] if isinstance(x, str) else x for x in (whole, start))
    return isinstance(one, list) and isinstance(other, list) and one[: len(other)] == other


def _ended(proof: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Whether the key had signed its last when the proof says that it was made."""
    retired, _ = ends_of(document, str(proof.get("verificationMethod")))
    try:
        late = bool(retired) and (
            "created" not in proof
            or datetime.fromisoformat(str(proof["created"])) > datetime.fromisoformat(retired)
        )
    except (ValueError, TypeError):
        return (Finding("bad-time", "the proof or its key names a time that is none"),)
    return (Finding("retired-key", f"the key signed its last on {retired}"),) if late else ()


def _age(proof: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Whether the proof has run out, or its times are none."""
    try:
        expires = proof.get("expires")
        if expires is not None and datetime.fromisoformat(str(expires)) < datetime.now(UTC):
            return (Finding("expired", f"the signature was good until {expires}"),)
        if "created" in proof:
            datetime.fromisoformat(str(proof["created"])).astimezone(UTC)
    except (ValueError, TypeError):
        return (Finding("bad-time", "the proof names a time that is none"),)
    return ()
