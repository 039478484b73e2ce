"""The signed token that goes with every message between cities: a JWT (RFC 7519) in the form of a JWS (RFC 7515), EdDSA (RFC 8037).

It says who sends what to whom, and is good for that one message, for minutes: `iss` and `sub` (the sender's DID), `aud` (the
receiver's), `htm` and `htu` (method and address, the names of RFC 9449), `digest` (SHA-256 of the body), `iat`, `exp`, `jti`; the
header's `kid` is the address of the key in the sender's DID document. Nothing here reads a clock: `now` is an argument.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from twintown.ground.errors import BadAssertion, BadData, BadInput

from .did import KnownKey as KnownKey
from .did import method_of
from .keys import Key, fits

#: How long a token is good when it is made, and how long it may be at most.
LIFE, LONGEST = timedelta(minutes=4), timedelta(minutes=5)
#: How far the clocks of two cities may stand apart.
SKEW = timedelta(seconds=30)
#: Longest token that is read, characters.
MOST = 8192
_TYPE = "JWT"


KeysOf = Callable[[str], Sequence[KnownKey]]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who sent a message, proved: the DID, the key, and the mark that no second message may carry (until `expires`)."""

    did: str
    key: str
    jti: str
    issued: datetime
    expires: datetime

    @property
    def mark(self) -> str:
        """What table `seen` keeps: a digest, whatever a sender calls its messages."""
        return hashlib.sha256(f"{self.did}\n{self.jti}".encode()).hexdigest()


def body_digest(body: bytes) -> str:
    """`sha-256:` and the digest of a body in hex."""
    return f"sha-256:{hashlib.sha256(body).hexdigest()}"


def assert_(
    key: Key,
    issuer: str,
    audience: str,
    method: str,
    url: str,
    body: bytes,
    now: datetime,
    life: timedelta = LIFE,
) -> str:
    """A token for one message.

    Args:
        key: the sender's.
        issuer, audience: DIDs of the sender and the receiver.
        method, url: of the request, the address whole.
        body: as it is sent; empty where there is none.
        now: with a time zone.

    Raises:
        BadInput: it would be good for longer than receivers take, or the address is none.
    """
    if not timedelta(0) < life <= LONGEST:
        raise BadInput(f"a token is good for at most {LONGEST.seconds} s", "life")
    issued = int(now.timestamp())
    claims = {
        "iss": issuer, "sub": issuer, "aud": audience, "iat": issued, "exp": issued + int(life.total_seconds()),
        "jti": secrets.token_urlsafe(16), "htm": method.upper(), "htu": _address(url), "digest": body_digest(body),
    }  # fmt: skip
    header = {"alg": "EdDSA", "typ": _TYPE, "kid": method_of(issuer, key.public)}
    signed = f"{_packed(header)}.{_packed(claims)}"
    return f"{signed}.{_text(key.sign(signed.encode()))}"


def check(
    token: str, *, audience: str, method: str, url: str, body: bytes, now: datetime, keys_of: KeysOf
) -> Issuer:
    """Who sent the message that came with this token.

    Whether it came before is for `seen.take_in` to say, in the transaction that acts on the message.

    Args:
        token: what stands after `Bearer `.
        audience: our DID. method, url, body: of the request as it came; the address under our public name.
        keys_of: the keys of a city by its DID; empty for one that is not known.

    Raises:
        BadAssertion: with its `code`: malformed, unknown-issuer, unknown-key, revoked-key, retired-key, forged, wrong-audience,
            not-yet, expired, too-long, other-address, other-method, other-body.
    """
    header, claims, signed, signature = _parts(token)
    issuer = _said(claims, "iss")
    public = _key_id(header, issuer)
    known = keys_of(issuer)
    if not known:
        raise _bad("unknown-issuer", f"{issuer[:200]} is no peer of this twin", "ask its officers to pin you")
    key = next((one for one in known if one.public == public), None)
    if key is None:
        raise _bad("unknown-key", "the token is signed with a key that is not pinned", "send the rotation")
    if not _good(public, signature, signed):
        raise _bad("forged", "the signature does not fit the token")
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    if key.revoked is not None and now >= key.revoked:
        raise _bad("revoked-key", "the key of the token was revoked", "sign with the present key")
    if key.retired is not None and issued > key.retired + SKEW:
        raise _bad("retired-key", "the key of the token signs nothing new", "sign with the present key")
    if _said(claims, "sub") != issuer:
        raise _bad("malformed", "iss and sub of the token are not the same")
    if _said(claims, "aud") != audience:
        raise _bad("wrong-audience", "the token is meant for somebody else", f"address it to {audience}")
    if issued > now + SKEW:
        raise _bad("not-yet", "the token is from the future", "set the clock")
    if expires <= now - SKEW:
        raise _bad("expired", "the token has expired", "sign the message anew")
    if expires - issued > LONGEST or expires <= issued:
        raise _bad("too-long", f"the token is good for longer than {LONGEST.seconds} s")
    if _said(claims, "htm") != method.upper():
        raise _bad("other-method", "the token is for another method")
    if not same_address(_said(claims, "htu"), url):
        raise _bad("other-address", "the token is for another address")
    if _said(claims, "digest") != body_digest(body):
        raise _bad("other-body", "the body is not the one that was signed")
    jti = _said(claims, "jti")
    if not 8 <= len(jti) <= 200:
        raise _bad("malformed", "jti of the token has not 8 to 200 characters")
    return Issuer(issuer, public, jti, issued, expires)


def named_issuer(token: str) -> str:
    """Whom a token says that it comes from, before anything of it is proved; "" where it says nothing."""
    try:
        return str(_parts(token)[1].get("iss", ""))
    except BadAssertion:
        return ""


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same: scheme, host and port without regard to how they are written, all else by the letter."""
    try:
        return _address(one) == _address(other)
    except BadInput:
        return False


def _address(url: str) -> str:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise BadInput("has no port that is one", url[:200]) from error
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise BadInput("is no address of a server", url[:200], "write it whole, as https://…")
    scheme, host = parts.scheme.lower(), parts.hostname.lower()
    host = f"[{host}]" if ":" in host else host
    if port is not None and port != {"http": 80, "https": 443}[scheme]:
        host = f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{scheme}://{host}{parts.path or '/'}{query}"


def _key_id(header: Mapping[str, Any], issuer: str) -> str:
    """The Multikey that the header names, which must be the issuer's."""
    if header.get("alg") != "EdDSA" or header.get("typ", _TYPE) != _TYPE or "crit" in header:
        raise _bad("malformed", "the token is no JWT signed with EdDSA")
    did, mark, public = _said(header, "kid").partition("#")
    if did != issuer or not mark or not public:
        raise _bad("malformed", "kid of the token is no key of its issuer")
    return public


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    pieces = token.split(".") if len(token) <= MOST and token.isascii() else []
    if len(pieces) != 3:
        raise _bad("malformed", "this is no signed token")
    try:
        header, claims = (json.loads(_bytes(one), object_pairs_hook=_once) for one in pieces[:2])
        signature = _bytes(pieces[2])
    except (ValueError, RecursionError) as error:
        raise _bad("malformed", "the token cannot be read") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _bad("malformed", "the token cannot be read")
    return header, claims, f"{pieces[0]}.{pieces[1]}".encode(), signature


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Members of an object; the same name twice would be read differently by different readers."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name twice")
    return made


def _said(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise _bad("malformed", f"{name} of the token is missing or no text")
    return value


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**35:
        raise _bad("malformed", f"{name} of the token is no time")
    return datetime.fromtimestamp(value, UTC)


def _good(public: str, signature: bytes, signed: bytes) -> bool:
    try:
        return len(signature) == 64 and fits(public, signature, signed)
    except BadData:
        return False


def _packed(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    """Base64url without padding, in its one way of writing. Raises ValueError."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if _text(data) != text:
        raise ValueError("another way to write the same")
    return data


def _bad(code: str, what: str, remedy: str = "sign the message anew") -> BadAssertion:
    return BadAssertion(what, "the Authorization header", remedy, code)
