"""The keys by which a peer is believed: those that were pinned, and those that they endorsed since.

Table `peers` keeps what the keeper found: the keys along the endorsements, with when each was retired or revoked. What is pinned anew in
the description counts at once; what follows from keys that are not pinned any more does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import select

from twintown.store.engine import reading
from twintown.store.schema_shared import peers as table
from twintown.store.tables import Tables

from .assertions import KeysOf, KnownKey
from .peers import Hosting, Peer, peers_of


class Keeping(Hosting, Protocol):
    """A twin with its rows."""

    @property
    def tables(self) -> Tables: ...


def keys_of(twin: Keeping) -> KeysOf:
    """By a city's DID its keys as they are known to this twin; empty for whom it has not pinned.

    Raises (when called):
        BadSettings, StorageFailed: the peers cannot be read.
    """

    def known(did: str) -> Sequence[KnownKey]:
        peer = next((one for one in peers_of(twin) if one.did == did), None)
        return known_keys(twin, peer) if peer is not None else ()

    return known


def known_keys(twin: Keeping, peer: Peer) -> tuple[KnownKey, ...]:
    """All keys of a peer, pinned and followed."""
    if not peer.keys:
        return ()
    query = select(table.c["keys"]).where(table.c.twin == twin.tables.twin, table.c.did == peer.did)
    with reading(twin.tables.engine) as connection:
        found = connection.execute(query).scalar() or []
    return joined(peer, found)


def joined(peer: Peer, found: Sequence[Mapping[str, Any]]) -> tuple[KnownKey, ...]:
    """The pinned keys, and of the found ones those that go back to a pinned one.

    Args:
        found: as table `peers` keeps them: `public`, `by` (the key that endorsed it, "" for a pinned one), `since`, `retired`, `revoked`.
    """
    rows = {str(one["public"]): one for one in found}
    whole = dict.fromkeys(peer.keys)
    grown = True
    while grown:
        grown = False
        for public, one in rows.items():
            if public not in whole and one.get("by") in whole:
                whole[public] = None
                grown = True
    return tuple(_known(public, rows.get(public, {})) for public in whole)


def _known(public: str, row: Mapping[str, Any]) -> KnownKey:
    return KnownKey(public, *(_moment(row.get(name)) for name in ("since", "retired", "revoked")))


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
