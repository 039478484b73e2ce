"""One side of a handshake: a twin, the name that it signs under, where it is to the world, whom it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twintown.exchange.hooks import Hooks
from twintown.exchange.programme_matter import Matters
from twintown.trust import peer_keys
from twintown.trust.assertions import KnownKey
from twintown.trust.keys import Key
from twintown.trust.peers import Peer, peer_of
from twintown.twin.layers import Twin


class Peers(Protocol):
    """Whom a twin knows."""

    def find(self, name: str) -> Peer:
        """The peer of that DID, or that our description calls so. Raises NotFound."""

    def keys_of(self, did: str) -> Sequence[KnownKey]:
        """The pinned keys of a DID and those that follow from them; empty for one that is not known."""


@dataclass(frozen=True)
class Pinned:
    """The peers of a twin's description, by their pinned keys."""

    twin: Twin

    def find(self, name: str) -> Peer:
        """The peer of that DID, or that the description calls so. Raises NotFound."""
        return peer_of(self.twin, name)

    def keys_of(self, did: str) -> Sequence[KnownKey]:
        """Its keys; empty for one that is not known."""
        return peer_keys.keys_of(self.twin)(did)


def _silent() -> None:
    return None


@dataclass(frozen=True)
class Party:
    """One side.

    Attributes:
        twin: opened for writing.
        did: the name that it signs under.
        address: of the twin to the world, without a slash at its end.
        hooks: what is asked of those who know what is shared.
        peers: whom it knows.
        key: what it signs with; read when it is needed.
        wake: told after every commit that left something to be done.
        test: the profile for the public kit: any caller, no real data.
        matters: who knows what joint programmes are about; without one, none with a matter is taken.
    """

    twin: Twin
    did: str
    address: str
    hooks: Hooks
    peers: Peers
    key: Callable[[], Key]
    wake: Callable[[], None] = field(default=_silent)
    test: bool = False
    matters: Matters | None = None

    @property
    def dsp(self) -> str:
        """Address of our protocol end points; both roles live there."""
        return f"{self.address}/dsp"

    def dsp_of(self, peer: Peer) -> str:
        """Address of a peer's protocol end points; the kit's stand at its root."""
        return peer.address if self.test else f"{peer.address}/dsp"
