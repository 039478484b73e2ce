"""The keeper looks at the peers' DID documents: whether they answer, whether a key was handed over or revoked.

A document is fetched from the pinned address and nowhere else; no redirection is followed (`jobs.outgoing`). The fetching goes on in a
thread of its own, so that a peer that is silent holds nothing up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Protocol
from urllib.parse import urlsplit

from twintown.ground.errors import BadData, TwintownError
from twintown.jobs.outgoing import Hosts, fetch
from twintown.trust.did import key_of
from twintown.trust.following import follow
from twintown.trust.keyring import finish
from twintown.trust.peer_rows import Sight, keep, sight
from twintown.trust.peers import Peer, peers_of
from twintown.twin.layers import Twin

LOG = logging.getLogger("twintown.exchange")
Fetch = Callable[[Peer], Any]
_LOOKING: set[str] = set()
_LOCK = Lock()


class Trusting(Protocol):
    """What an installation trusts (`settings.Settings`): a file of authorities, none for the usual public ones."""

    @property
    def ca(self) -> Path | None: ...


def watch_peers(twin: Twin, settings: Trusting | None = None) -> None:
    """The keeper's chore: finish a rotation that was cut short, and look at the peers that it is time for. Returns at once."""
    ca = str((settings.ca if settings else None) or "")
    finish(twin.writing())
    due = [peer for peer in peers_of(twin) if sight(twin.tables, peer.did).due(datetime.now(UTC))]
    name = str(twin.directory)
    with _LOCK:
        if not due or name in _LOOKING:
            return
        _LOOKING.add(name)

    def work() -> None:
        try:
            for peer in due:
                look(twin, peer, datetime.now(UTC), lambda one: _document(one, ca))
        except TwintownError as error:
            LOG.warning("the peers of %s cannot be looked at: %s", name, error)
        finally:
            with _LOCK:
                _LOOKING.discard(name)

    Thread(target=work, name="peers", daemon=True).start()


def look(twin: Twin, peer: Peer, now: datetime, fetched: Fetch | None = None) -> Sight:
    """Look at one peer and write down what was seen.

    Args:
        fetched: the peer's DID document; from its address by default.

    Raises:
        StorageFailed: it cannot be written down.
    """
    last = sight(twin.tables, peer.did)
    try:
        document = (fetched or _document)(peer)
    except TwintownError as error:
        found = replace(last, state="silent", seen=now, said={**last.said, "error": error.what})
        keep(twin.writing().tables, peer, found)
        return found
    at = now.isoformat(timespec="seconds")
    try:
        followed = follow(peer, last.keys, document if isinstance(document, dict) else {}, now)
        said: dict[str, Any] = {"answered": at, "doubts": list(followed.doubts)}
        if not peer.keys:
            said["offered"] = _offered(document)
        found = Sight("reached", now, followed.rows, said)
    except TwintownError as error:
        found = Sight("strange", now, last.keys, {**last.said, "answered": at, "error": str(error)})
    keep(twin.writing().tables, peer, found)
    return found


def present_keys(peer: Peer, ca: Path | None = None) -> list[str]:
    """The keys that a peer signs with now, as its address shows them; `ca`: file of the authorities that are trusted.

    Raises:
        BadParameter, StorageFailed: it does not answer. BadData: what it answers is somebody else's document, or without a key.
    """
    document = _document(peer, str(ca or ""))
    if not isinstance(document, dict) or document.get("id") != peer.did:
        raise BadData("is not the document of this peer", f"{peer.address}/did.json", "check the address")
    signing = document.get("authentication") or document.get("assertionMethod")
    keys = [key_of(document, str(one)) for one in signing] if isinstance(signing, list) else []
    if not keys:
        raise BadData("shows no key to sign with", f"{peer.address}/did.json", "ask the city")
    return keys


def _document(peer: Peer, ca: str = "") -> Any:
    parts = urlsplit(peer.address)
    host = parts.hostname or ""
    named = Hosts((f"{host}:{parts.port}" if parts.port else host,), ca)
    return fetch(named, f"{peer.address}/did.json", "peers")


def _offered(document: Any) -> list[str]:
    """The keys that a peer shows which nobody has pinned: for the officer who compares them with what the city says."""
    methods = document.get("verificationMethod") if isinstance(document, dict) else None
    shown = [
        one.get("publicKeyMultibase")
        for one in methods or ()
        if isinstance(one, dict) and not one.get("revoked")
    ]
    return [str(one)[:80] for one in shown[:8]]
