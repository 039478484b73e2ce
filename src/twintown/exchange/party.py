"""One side of a handshake: a twin, the name that it signs under, where it is to the world, whom it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twintown.exchange.hooks import Hooks
from twintown.trust.assertions import KnownKey
from twintown.trust.keys import Key
from twintown.twin.layers import Twin


@dataclass(frozen=True, slots=True)
class Peer:
    """Another city.

    Attributes:
        id: what our description calls it.
        did: its name.
        address: of its twin, without a slash at its end; nothing goes anywhere else.
        dsp: address of its protocol end points; lies under `address`.
        keys: that are pinned; none: it may not negotiate.
    """

    id: str
    did: str
    address: str
    dsp: str
    keys: Sequence[KnownKey] = ()


class Peers(Protocol):
    """Whom a twin knows."""

    def find(self, name: str) -> Peer:
        """The peer of that DID, or that our description calls so. Raises NotFound."""

    def keys_of(self, did: str) -> Sequence[KnownKey]:
        """The pinned keys of a DID; empty for one that is not known."""


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
    """

    twin: Twin
    did: str
    address: str
    hooks: Hooks
    peers: Peers
    key: Callable[[], Key]
    wake: Callable[[], None] = field(default=_silent)
    test: bool = False

    @property
    def dsp(self) -> str:
        """Address of our protocol end points; both roles live there."""
        return f"{self.address}/dsp"
