"""Whose ledgers and witnesses a twin knows: its own, and those of the peers that it has pinned.

A ledger is named by its address without the scheme (its origin). The name stays when the key changes: the keys that are believed are the
pinned ones and those that they handed over to (`trust.succession`), less the revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from twintown.ground.errors import BadData
from twintown.store.blobs import Blobs
from twintown.store.tables import Tables

from .checkpoints import log_keys, origin_of, witness_keys
from .keyring import own_keys
from .keys import signing_key
from .ledger_tree import Ledger
from .ledger_witness import Answer, add_checkpoint
from .notes import Note, Verifier, cosigned_at, verified
from .peer_keys import known_keys
from .peer_rows import wish
from .peers import Hosting, Peer, peers_of


class Keeping(Hosting, Protocol):
    """A twin with its rows and files."""

    @property
    def tables(self) -> Tables: ...
    @property
    def blobs(self) -> Blobs: ...


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A cosignature on a checkpoint. `peer`: the id of the pinned peer, "" for a stranger; `good`: it fits one of its keys."""

    name: str
    peer: str
    at: datetime
    good: bool


def ledger_of(twin: Keeping, public_url: str) -> Ledger:
    """The ledger of a twin that is served at an address."""
    origin = origin_of(f"{public_url}/twins/{twin.tables.twin}")
    return Ledger(twin.tables, twin.blobs, origin, lambda: signing_key(twin.directory))


def good_keys(twin: Keeping, peer: Peer) -> list[str]:
    """The keys of a peer that are believed now."""
    return [key.public for key in known_keys(twin, peer) if key.revoked is None]


def pinned(twin: Keeping) -> dict[str, Peer]:
    """The pinned peers by the origin of their ledger, which is also the name under which they cosign."""
    return {origin_of(peer.address): peer for peer in peers_of(twin) if peer.pinned}


def logs_of(twin: Keeping) -> dict[str, list[Verifier]]:
    """The keys by which the pinned peers sign their ledgers, by origin."""
    return {origin: log_keys(origin, good_keys(twin, peer)) for origin, peer in pinned(twin).items()}


def cosigned(twin: Keeping, note: Note) -> list[Cosigned]:
    """Who has cosigned a checkpoint of the twin's own, in the order in which it came in."""
    known, found = pinned(twin), list[Cosigned]()
    origin = note.text.partition("\n")[0]
    for signature in note.signatures:
        if signature.name == origin or len(signature.value) != 72:
            continue
        peer = known.get(signature.name)
        keys = witness_keys(signature.name, good_keys(twin, peer)) if peer else []
        try:
            good = bool(verified(Note(note.text, (signature,)), keys))
        except BadData:
            good = False
        at = datetime.fromtimestamp(min(cosigned_at(signature), 2**37), UTC)
        found.append(Cosigned(signature.name, peer.id if peer else "", at, good))
    return found


def signer_of(twin: Keeping, note: Note) -> str:
    """Which key of the twin's own (Multikey) has signed a checkpoint.

    Raises:
        BadData: none has, or the signature does not fit.
    """
    origin = note.text.partition("\n")[0]
    keys = log_keys(origin, [key.public for key in own_keys(twin)])
    found = list(verified(note, keys, "checkpoint"))
    if not found:
        raise BadData("is signed by no key of this twin", "checkpoint", "run `twintown ledger verify`")
    return found[-1].public


def witness(twin: Keeping, public_url: str, body: bytes, now: datetime) -> Answer:
    """Cosign a peer's checkpoint for a twin that is opened for writing, or say why not (`ledger_witness.add_checkpoint`).

    A peer whose key is not known is looked at soon: it may have handed over to a new one.
    """
    answer = add_checkpoint(ledger_of(twin, public_url), logs_of(twin), body, now)
    if answer.status == 403 and (peer := pinned(twin).get(answer.origin)) is not None:
        wish(twin.tables, peer, now)
    return answer
