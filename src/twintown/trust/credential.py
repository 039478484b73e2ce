"""Credentials as cities hand them out: W3C Verifiable Credentials 2.0, secured as a JWS (vc-jose-cose, section 3.1.1). Pure.

    header   {"alg": "EdDSA", "cty": "vc", "kid": "did:web:…#z6Mk…", "typ": "vc+jwt"}
    payload  the credential itself, JSON
    media    application/vc+jwt

The signature is over the bytes as they are, so nothing is brought to a canonical form. Where JSON is wanted that holds such a credential
(a presentation, a page), it goes as an `EnvelopedVerifiableCredential`: a `data:` address of the whole (VC Data Model 2.0, 4.13).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twintown.ground.errors import BadData

from .did import KnownKey
from .keys import Key, fits
from .proof import Finding

TYPE, MEDIA = "vc+jwt", "application/vc+jwt"
CONTEXT = "https://www.w3.org/ns/credentials/v2"
#: Longest credential that is read, characters: a status list of 131,072 bits with every other one set takes some 25,000.
LONGEST = 256 * 1024
_WHERE = "credential"
#: What Ed25519 is called: as the specification's examples say it, and since RFC 9864.
_ALGORITHMS = ("EdDSA", "Ed25519")
_MOMENT = re.compile(
    r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


@dataclass(frozen=True)
class Credential:
    """A credential that was read; whether its signature fits is for `findings`.

    Attributes:
        jwt: as it came.
        did, key: of `kid`: the name before the mark, the Multikey behind it.
        body: what it says.
    """

    jwt: str
    did: str
    key: str
    body: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the whole, hexadecimal."""
        return digest(self.jwt)

    @property
    def issuer(self) -> str:
        """DID of who says that it issued it."""
        said = self.body.get("issuer")
        return str(said.get("id", "")) if isinstance(said, dict) else str(said or "")

    def moment(self, name: str) -> datetime | None:
        """`validFrom` or `validUntil`; None where it says nothing. Raises BadData: it is no moment."""
        return None if name not in self.body else moment(self.body[name], name)


def secured(body: Mapping[str, Any], key: Key, method: str) -> str:
    """A credential, signed. `method`: address of the key (`did:web:…#z6Mk…`)."""
    header = {"alg": "EdDSA", "cty": "vc", "kid": method, "typ": TYPE}
    signed = f"{_packed(header)}.{_packed(body)}"
    return f"{signed}.{_text(key.sign(signed.encode()))}"


def digest(jwt: str) -> str:
    """SHA-256 of a secured credential, hexadecimal: what the ledger names it by."""
    return hashlib.sha256(jwt.encode()).hexdigest()


def enveloped(jwt: str) -> dict[str, Any]:
    """The same as JSON that may stand in a presentation or a page."""
    return {"@context": CONTEXT, "id": f"data:{MEDIA},{jwt}", "type": "EnvelopedVerifiableCredential"}


def read(text: str) -> Credential:
    """Read one, strictly; its enveloped form is taken too. Raises BadData: it is none."""
    jwt = text.strip().removeprefix(f"data:{MEDIA},")
    pieces = jwt.split(".") if len(jwt) <= LONGEST and jwt.isascii() else []
    if len(pieces) != 3:
        raise _bad("is no signed credential (three parts with dots between them)")
    try:
        header, body = (_json(one) for one in pieces[:2])
        signature = unpacked(pieces[2])
    except (ValueError, RecursionError) as error:
        raise _bad("cannot be read: it was cut off or changed") from error
    if not isinstance(header, dict) or not isinstance(body, dict):
        raise _bad("cannot be read: it was cut off or changed")
    known = header.get("alg") in _ALGORITHMS and header.get("typ") == TYPE
    if not known or set(header) - {"alg", "typ", "cty", "kid"}:
        raise _bad(f"is secured in another way than {TYPE} with Ed25519")
    did, mark, key = str(header.get("kid", "")).partition("#")
    if not did.startswith("did:web:") or not mark or not key:
        raise _bad("does not name the key that signed it (kid)")
    kinds = body.get("type")
    if not isinstance(kinds, list) or "VerifiableCredential" not in kinds:
        raise _bad("is no Verifiable Credential")
    context = body.get("@context")
    if not isinstance(context, list) or context[:1] != [CONTEXT]:
        raise _bad("is no credential of version 2.0 of the data model")
    return Credential(jwt, did, key, body, f"{pieces[0]}.{pieces[1]}".encode(), signature)


def findings(one: Credential, keys: Sequence[KnownKey], now: datetime | None = None) -> tuple[Finding, ...]:
    """What is wrong with a credential's signature and dates; empty where nothing is.

    Args:
        keys: of its issuer, as they are known: retired ones sign for what began before they retired, revoked ones for nothing.
        now: None: dates are not looked at.
    """
    key = next((known for known in keys if known.public == one.key), None)
    if not {"validFrom", "validUntil"} <= set(one.body):
        return (Finding("forged", "it does not say from when to when it holds"),)
    if one.did != one.issuer:
        return (Finding("forged", "another name signed than the one that issued it"),)
    if key is None:
        return (Finding("forged", "no key of the issuer signed this"),)
    try:
        good = len(one.signature) == 64 and fits(key.public, one.signature, one.signed)
        since, until = one.moment("validFrom"), one.moment("validUntil")
    except BadData as error:
        return (Finding("forged", f"{error.where}: {error.what}"),)
    if not good:
        return (Finding("forged", "the signature does not fit: something was changed after it was made"),)
    if key.revoked is not None:
        return (Finding("forged", "the key that signed was revoked by its owner"),)
    if key.retired is not None and (since is None or since > key.retired):
        return (Finding("forged", "the key that signed had signed its last before"),)
    if now is None:
        return ()
    if since is not None and now < since:
        return (Finding("not-yet-valid", f"it holds from {text(since)} on"),)
    if until is not None and now > until:
        return (Finding("expired", f"it held until {text(until)}"),)
    return ()


def moment(said: Any, name: str) -> datetime:
    """A moment with its zone, as XML Schema writes it (VC Data Model 2.0, 4.9). Raises BadData."""
    try:
        if not isinstance(said, str) or not _MOMENT.fullmatch(said):
            raise ValueError
        return datetime.fromisoformat(said).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadData("is no moment with a zone", name) from error


def text(at: datetime) -> str:
    """A moment as credentials write it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _packed(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unpacked(said: str) -> bytes:
    """Base64url without padding, in its one way of writing. Raises ValueError."""
    try:
        data = base64.b64decode(said + "=" * (-len(said) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if _text(data) != said:
        raise ValueError("another way to write the same")
    return data


def _json(said: str) -> Any:
    """A part as JSON: UTF-8 without a mark before it, nothing that is no number. Raises ValueError, RecursionError."""
    return json.loads(unpacked(said).decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Members of an object; the same name twice would be read differently by different readers."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name twice")
    return made


def _bad(what: str) -> BadData:
    return BadData(what, _WHERE, "scan the code again, or ask the city for the certificate")
