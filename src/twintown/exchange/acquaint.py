"""Twins that are served together learn to know each other: each pins the others' keys in its `peers.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twintown.trust.cloud import FILES
from twintown.trust.did import did_of
from twintown.trust.grades import Grade
from twintown.trust.keys import signing_key
from twintown.trust.peer_file import pin
from twintown.trust.peers import Peer
from twintown.twin.description import Description


def acquaint(directories: Sequence[Path], public_url: str) -> tuple[Peer, ...]:
    """Pin each other's keys, at the address that is really served; keys are made where there are none.

    They lie on one machine, in the hands of whoever starts it: so each may have from the others up to what is sensitive.

    Args:
        public_url: of the server, without a slash at its end.

    Returns:
        the twins as peers.

    Raises:
        BadSettings: a description, a `peers.toml` or the address cannot be used.
        StorageFailed: a key or a `peers.toml` cannot be written.
    """
    found = {directory: _as_peer(directory, public_url) for directory in directories}
    for directory in found:
        pin(directory, *(peer for other, peer in found.items() if other != directory))
    return tuple(found.values())


def _as_peer(directory: Path, public_url: str) -> Peer:
    about = Description.load(directory)
    files = next((place for place in about.cloud.places if FILES in place.stores), None)
    return Peer(
        about.id, f"{public_url}/twins/{about.id}", about.did or did_of(about.id, public_url),
        (signing_key(directory).public,), files.country if files else "", Grade.S,
    )  # fmt: skip
