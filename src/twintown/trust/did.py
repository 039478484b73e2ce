"""The name that a city signs under: `did:web` (W3C CCG), which says at which address its public keys stand.

`did:web:127.0.0.1%3A8000:twins:jamsil` ↔ `http://127.0.0.1:8000/twins/jamsil/did.json`. The method asks for https; plain http is
taken for the machine itself only, as resolvers do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from twintown.ground.errors import BadData, BadSettings

PUBLIC_URL = "http://127.0.0.1:8000"
CONTEXT = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
#: What the member `succession` means to a JSON-LD processor: plain JSON (JSON-LD 1.1, 4.2.2).
SUCCESSION = {"succession": {"@id": "urn:twintown:succession", "@type": "@json"}}
_DID = re.compile(r"did:web:[A-Za-z0-9.\-]+(%3[Aa][0-9]{1,5})?(:[A-Za-z0-9._~%\-]+)*")
_HERE = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of a city as it is known. `public` is a Multikey.

    Attributes:
        retired: from when on it signs nothing new; what it signed before stands.
        revoked: from when on nothing that it signed is taken.
    """

    public: str
    since: datetime | None = None
    retired: datetime | None = None
    revoked: datetime | None = None


def check_did(did: str, where: str = "identity.did") -> str:
    """The name itself.

    Raises:
        BadSettings: it is no did:web.
    """
    if not isinstance(did, str) or not _DID.fullmatch(did) or len(did) > 512:
        raise BadSettings(
            f"{did!r} is no did:web", where, "write it as did:web:city.example:twins:name, a port as %3A8000"
        )
    return did


def did_of(twin: str, public_url: str = PUBLIC_URL) -> str:
    """The name of a twin that is served at an address.

    Raises:
        BadSettings: the address is no http(s) address of a host.
    """
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadSettings(
            f"{public_url!r} is no address of a server", "public_url", "give one such as https://city.example"
        )
    host = parts.hostname + (f"%3A{parts.port}" if parts.port else "")
    path = [quote(one, safe="") for one in parts.path.split("/") if one]
    return check_did(":".join(["did", "web", host, *path, "twins", quote(twin, safe="")]), "public_url")


def address(did: str) -> str:
    """Where the document of a did:web stands.

    Raises:
        BadSettings: it is no did:web.
    """
    host, *path = check_did(did, "did").split(":")[2:]
    host = unquote(host)
    scheme = "http" if host.rpartition(":")[0] in _HERE or host in _HERE else "https"
    return f"{scheme}://{host}/{'/'.join(path) if path else '.well-known'}/did.json"


def method_of(did: str, public: str) -> str:
    """The address of a key in the document of a name."""
    return f"{did}#{public}"


def document(
    did: str,
    keys: Sequence[str | KnownKey],
    address: str = "",
    succession: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The DID document of a name.

    Its keys are Multikeys. One that signs may authenticate and assert; a retired one has `expires` and still asserts what it signed
    before; a revoked one has `revoked` and may do nothing (W3C Controlled Identifiers 1.0, section 2.2).

    Args:
        keys: public keys as `publicKeyMultibase`, or with their times.
        address: of the twin, without a slash at its end; with it the document names its services.
        succession: the statements by which one key handed over to the next (`trust.succession`).
    """
    known = [KnownKey(key) if isinstance(key, str) else key for key in keys]
    asserting = [method_of(did, key.public) for key in known if key.revoked is None]
    signing = [method_of(did, key.public) for key in known if key.revoked is None and key.retired is None]
    made: dict[str, Any] = {
        "@context": [*CONTEXT, SUCCESSION] if succession else CONTEXT,
        "id": did,
        "verificationMethod": [_method(did, key) for key in known],
        "authentication": signing,
        "assertionMethod": asserting,
    }
    if address:
        made["service"] = [
            {"id": f"{did}#catalog", "type": "CatalogService", "serviceEndpoint": f"{address}/dsp/catalog"},
            {"id": f"{did}#dsp", "type": "DataService", "serviceEndpoint": f"{address}/dsp/catalog"},
            {"id": f"{did}#ledger", "type": "TransparencyLog", "serviceEndpoint": f"{address}/ledger"},
        ]
    if succession:
        made["succession"] = list(succession)
    return made


def _method(did: str, key: KnownKey) -> dict[str, str]:
    made = {
        "id": method_of(did, key.public),
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": key.public,
    }
    for name, moment in (("expires", key.retired), ("revoked", key.revoked)):
        if moment is not None:
            made[name] = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return made


def ends_of(document: Mapping[str, Any], method: str) -> tuple[str, str]:
    """From when on a key signs nothing new, and from when on it counts for nothing; "" where it does."""
    methods = document.get("verificationMethod")
    allowed = document.get("assertionMethod")
    for one in [
        *(methods if isinstance(methods, list) else ()),
        *(allowed if isinstance(allowed, list) else ()),
    ]:
        if isinstance(one, dict) and one.get("id") == method:
            return str(one.get("expires") or ""), str(one.get("revoked") or "")
    return "", ""


def key_of(document: Mapping[str, Any], method: str) -> str:
    """The public key (Multikey) that a document allows to assert under that address.

    Raises:
        BadData: the document does not hold it, holds it for something else, or for somebody else.
    """
    where = str(document.get("id", "DID document"))[:200]
    allowed, methods = document.get("assertionMethod"), document.get("verificationMethod")
    found: Mapping[str, Any] | None = None
    for one in allowed if isinstance(allowed, list) else []:
        if isinstance(one, dict) and one.get("id") == method:
            found = one
        elif one == method:
            known = [m for m in methods if isinstance(m, dict)] if isinstance(methods, list) else []
            found = next((m for m in known if m.get("id") == method), None)
    if found is None:
        raise BadData(
            f"has no key {method[:200]} for assertions", where, "ask the city for its present document"
        )
    if found.get("controller") != document.get("id") or method.partition("#")[0] != document.get("id"):
        raise BadData(
            "names a key that somebody else controls", where, "ask the city for its present document"
        )
    if found.get("type") != "Multikey" or not isinstance(found.get("publicKeyMultibase"), str):
        raise BadData("holds a key of another type than Multikey", where, "Ed25519 Multikeys are taken here")
    return str(found["publicKeyMultibase"])
