"""The other cities that a twin knows: by which keys they are believed, whether they answer, what was seen of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Sharing
from twintown.api.schemas import Model
from twintown.trust.peer_keys import known_keys
from twintown.trust.peer_rows import sight
from twintown.trust.peers import Peer, peers_of
from twintown.twin.layers import Twin

router = APIRouter(tags=["exchange"])


class PeerKey(Model):
    """A key by which a peer is believed."""

    key: str = Field(description="Multikey, z6Mk…")
    pinned: bool = Field(description="by an officer; the others follow from a pinned one by its endorsement")
    retired: datetime | None
    revoked: datetime | None


class PeerInfo(Model):
    """Another city."""

    id: str
    did: str
    address: str
    country: str = Field(description="ISO 3166-1, empty where nobody said")
    grade: Literal["O", "S", "C"] = Field(description="the highest that may be sent there")
    pinned: bool = Field(
        description="whether its messages are believed; without a pinned key it cannot negotiate"
    )
    keys: list[PeerKey]
    state: Literal["unseen", "asked", "reached", "silent", "strange"]
    seen: datetime | None = Field(description="when it was last looked at")
    doubts: list[str] = Field(description="what of its keys was not believed")
    error: str = Field(description="why it was not reached, or what is strange about it")
    offered: list[str] = Field(description="keys that it shows and nobody has pinned")


class Peers(Model):
    """The cities that this twin knows."""

    peers: list[PeerInfo]


def info_of(twin: Twin, peer: Peer) -> PeerInfo:
    """What is known of a peer. Raises StorageFailed."""
    seen = sight(twin.tables, peer.did)
    keys = [
        PeerKey(key=one.public, pinned=one.public in peer.keys, retired=one.retired, revoked=one.revoked)
        for one in known_keys(twin, peer)
    ]
    return PeerInfo(
        id=peer.id, did=peer.did, address=peer.address, country=peer.country, grade=peer.grade.value, pinned=peer.pinned,
        keys=keys, state=seen.state, seen=seen.seen, doubts=[str(one) for one in seen.said.get("doubts", ())],
        error=str(seen.said.get("error", "")), offered=[str(one) for one in seen.said.get("offered", ())],
    )  # fmt: skip


@router.get(
    "/twins/{twin}/peers", operation_id="getPeers", response_model=Peers,
    responses=problems.responses(400, 401, 403, 404, 503),
)  # fmt: skip
def get_peers(request: Request, asked: Sharing) -> Response:
    """The cities that this twin knows, for its officers."""
    twin = asked.served.twin
    return answers.answer_json(
        request, Peers(peers=[info_of(twin, one) for one in peers_of(twin)]), cache="no-store"
    )
