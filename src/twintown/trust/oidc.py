"""Signing in through the city's OpenID provider (OpenID Connect Core 1.0): authorization code with PKCE (RFC 7636), state and nonce.

    [identity.oidc]
    issuer = "https://login.city.example"     whose discovery document is read; requests leave to this host only
    client_id = "twintown"
    secret_file = "oidc.secret"               beside twintown.toml, mode 0600; without it the client has no secret
    title = "City login"
    claim = "groups"                          of the ID token: text or a list of texts
    [identity.oidc.roles]
    planning = "planner"                      value of the claim = role, or list of roles
    security = ["security", "viewer"]

Who has no value that is mapped may not sign in. Pure but for `Provider.secret`; the requests are `api.session_oidc`'s.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from twintown.ground.errors import BadSettings, Denied, StorageFailed, Unauthenticated

from .identity import ROLES, Role

_KNOWN = {"issuer", "client_id", "secret_file", "title", "claim", "roles"}
#: Signatures that are taken; `none` and what is made with a shared secret are not.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519")
#: How far the clocks may stand apart, and how long ago somebody may have signed in at the provider, seconds.
SKEW_S, OLDEST_S = 60, 600


@dataclass(frozen=True, slots=True)
class Provider:
    """`[identity.oidc]`, checked. `roles`: value of the claim to roles here."""

    issuer: str
    client_id: str
    secret_file: Path | None
    title: str
    claim: str
    roles: tuple[tuple[str, tuple[Role, ...]], ...]

    @classmethod
    def of(cls, said: object, directory: Path) -> Provider:
        """From the parsed table. Raises BadSettings."""
        where = "identity.oidc"
        if not isinstance(said, Mapping):
            raise BadSettings("must be a table", where)
        if unknown := sorted(set(said) - _KNOWN):
            raise BadSettings(
                f"unknown key {unknown[0]!r}", where, f"known here: {', '.join(sorted(_KNOWN))}"
            )
        for name in ("issuer", "client_id", "claim"):
            if not isinstance(said.get(name), str) or not said[name]:
                raise BadSettings(f"{name!r} is missing", where, "add it")
        issuer = str(said["issuer"])
        parts = urlsplit(issuer)
        if not _trusted(issuer) or parts.query or parts.fragment or parts.username:
            raise BadSettings(f"{issuer!r} is no issuer", f"{where}.issuer", "write https://…")
        table = said.get("roles")
        if not isinstance(table, Mapping) or not table:
            raise BadSettings("maps no value to a role", f"{where}.roles", 'write planning = "planner"')
        roles = tuple((str(value), _roles(named, f"{where}.roles.{value}")) for value, named in table.items())
        file = directory / str(said["secret_file"]) if "secret_file" in said else None
        return cls(issuer, said["client_id"], file, str(said.get("title") or issuer), said["claim"], roles)

    def secret(self) -> str:
        """The client's secret, "" where it has none. Raises BadSettings: others can read it; StorageFailed: it is not there."""
        if self.secret_file is None:
            return ""
        try:
            mode = self.secret_file.stat().st_mode
            text = self.secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StorageFailed(
                "the secret of the OpenID client cannot be read", str(self.secret_file)
            ) from error
        if os.name == "posix" and mode & 0o077:
            raise BadSettings(
                "others can read the secret of the OpenID client", str(self.secret_file), "chmod 600 the file"
            )
        return text

    def mapped(self, claims: Mapping[str, Any]) -> tuple[Role, ...]:
        """The roles that the claim of an ID token gives. Raises Denied: none."""
        said = claims.get(self.claim)
        values = (
            {said}
            if isinstance(said, str)
            else {str(one) for one in said}
            if isinstance(said, list)
            else set()
        )
        given = {role for value, roles in self.roles if value in values for role in roles}
        if not given:
            raise Denied("the provider gives you no role here", self.title, "ask the twin's owner", "no-role")
        return tuple(role for role in ROLES if role in given)


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in on its way: everything follows from a secret that the browser keeps in a cookie for some minutes."""

    seed: str

    def _made(self, what: str) -> str:
        mark = hmac.new(self.seed.encode("utf-8", "surrogatepass"), what.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mark).rstrip(b"=").decode()

    @property
    def state(self) -> str:
        """Ties the answer to the browser that asked."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """Ties the ID token to the question."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """Ties the code to whoever asked for it (RFC 7636)."""
        return self._made("verifier")

    def question(self, endpoint: str, provider: Provider, back: str) -> str:
        """Where the browser goes to sign in. `back`: our address that the provider sends it to."""
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        )
        asked = {
            "response_type": "code", "client_id": provider.client_id, "redirect_uri": back, "scope": "openid profile",
            "state": self.state, "nonce": self.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def answers(self, state: str) -> bool:
        """Whether an answer belongs to this question."""
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "surrogatepass"))


def endpoints(provider: Provider, discovered: object) -> tuple[str, str, str]:
    """Addresses for authorization, tokens and keys from the discovery document.

    Raises:
        Denied: it is another issuer's, or names an address on another host: requests leave to the issuer only.
    """
    if not isinstance(discovered, Mapping) or discovered.get("issuer") != provider.issuer:
        raise Denied(
            "the provider's document is another issuer's", provider.title, "check the issuer", "issuer"
        )
    found = []
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        address = discovered.get(name)
        if not isinstance(address, str) or not _trusted(address) or _host(address) != _host(provider.issuer):
            raise Denied(
                f"the provider's {name} is not on its own host", provider.title, "ask the provider", "issuer"
            )
        found.append(address)
    return found[0], found[1], found[2]


def claims_of(
    token: str, keys: Mapping[str, Any], provider: Provider, nonce: str, now: datetime
) -> dict[str, Any]:
    """The claims of an ID token after it was checked (OpenID Connect Core 1.0, section 3.1.3.7).

    Args:
        keys: the issuer's JWKS.

    Raises:
        Unauthenticated: with its `code`: forged, issuer, wrong-audience, expired, not-yet, nonce, malformed.
    """
    claims = _verified(token, keys)
    moment = now.timestamp()
    if claims.get("iss") != provider.issuer:
        raise _bad("issuer", "the ID token is of another issuer")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in named or (len(named) > 1 and claims.get("azp") != provider.client_id):
        raise _bad("wrong-audience", "the ID token is meant for somebody else")
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise _bad("wrong-audience", "the ID token was given to somebody else")
    if not _number(claims, "exp") > moment - SKEW_S:
        raise _bad("expired", "the ID token has expired")
    if _number(claims, "iat") > moment + SKEW_S:
        raise _bad("not-yet", "the ID token is from the future")
    if _number(claims, "iat") < moment - OLDEST_S:
        raise _bad("expired", "the ID token is old")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise _bad("nonce", "the ID token answers another question")
    if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
        raise _bad("malformed", "the ID token names nobody")
    return claims


def _verified(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        listed = keys.get("keys")
        usable = (
            [one for one in listed if isinstance(one, Mapping) and one.get("kty") != "oct"]
            if isinstance(listed, list)
            else []
        )
        found = jws.deserialize_compact(
            token, KeySet.import_key_set({"keys": [dict(one) for one in usable]}), algorithms=list(ALGORITHMS)
        )
        claims = json.loads(found.payload)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _bad("forged", "the ID token is not signed by its issuer") from error
    if not isinstance(claims, dict):
        raise _bad("malformed", "the ID token says nothing")
    return claims


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad("malformed", f"{name} of the ID token is no time")
    return float(value)


def _roles(named: object, where: str) -> tuple[Role, ...]:
    said = [named] if isinstance(named, str) else named
    if not isinstance(said, list) or not said or set(map(str, said)) - set(ROLES):
        raise BadSettings(f"{named!r} is no role", where, f"write of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in said)


def _host(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    return parts.scheme, (parts.hostname or "").lower(), parts.port


def _trusted(address: str) -> bool:
    """https, or this machine itself."""
    parts = urlsplit(address)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


def _bad(code: str, what: str) -> Unauthenticated:
    return Unauthenticated(what, "OpenID provider", "sign in again", code)
