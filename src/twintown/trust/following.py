"""What a peer's DID document changes about the keys by which it is believed: pure, from what is known and what the document says.

New keys are taken along endorsements only, from keys that are pinned, or that follow from such and are not revoked; a key has one heir.
What ends a key (`expires`, `revoked`, or that it is not named any more) is taken from the document as it stands at the pinned address,
and is never undone by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twintown.ground.errors import BadData

from .did import ends_of, method_of
from .keys import public_bytes
from .peer_keys import joined
from .peers import Peer
from .succession import Succession, read

#: Successions that are read of one document; each costs a signature's check.
MOST = 100


@dataclass(frozen=True, slots=True)
class Followed:
    """The keys as they are known now, rows of table `peers`, and in one sentence each what of the document was not believed."""

    rows: tuple[Mapping[str, Any], ...]
    doubts: tuple[str, ...] = ()


def follow(
    peer: Peer, rows: Sequence[Mapping[str, Any]], document: Mapping[str, Any], now: datetime
) -> Followed:
    """The keys of a peer after its document was looked at.

    Args:
        rows: as they were known: `public`, `by`, `since`, `retired`, `revoked` (ISO 8601, or "").

    Raises:
        BadData: the document is somebody else's, or none.
    """
    if document.get("id") != peer.did:
        raise BadData("is the document of somebody else", f"{peer.address}/did.json", "check the peer's did")
    believed = {one.public for one in joined(peer, rows)}
    known = {public: _row(public, "", "") for public in peer.keys}
    known |= {str(one["public"]): dict(one) for one in rows if one["public"] in believed}
    at = now.astimezone(UTC).isoformat(timespec="seconds")
    for public, row in known.items():
        _end(row, document, method_of(peer.did, public), at)
    doubts = _grow(known, _statements(document), at)
    for public, row in known.items():
        _end(row, document, method_of(peer.did, public), at)
    return Followed(tuple(known.values()), doubts)


def _statements(document: Mapping[str, Any]) -> list[Any]:
    said = document.get("succession")
    return said[-MOST:] if isinstance(said, list) else []


def _grow(known: dict[str, dict[str, Any]], statements: Sequence[Any], at: str) -> tuple[str, ...]:
    """Add the heirs of known keys; what is not believed."""
    doubts: list[str] = []
    heirs: list[Succession] = []
    for statement in statements:
        previous = str(statement.get("previous")) if isinstance(statement, Mapping) else ""
        if previous not in known or _has(known, previous, str(statement.get("next"))):
            continue
        try:
            found = read(statement)
            public_bytes(found.next)
        except BadData as error:
            doubts.append(f"a succession {error.what}")
            continue
        row = known[previous]
        if row["revoked"]:
            doubts.append("a revoked key names an heir")
        elif any(one["by"] == previous for one in known.values()) or found.previous in (
            h.previous for h in heirs
        ):
            doubts.append("one key names two heirs")
        elif found.next in known:
            doubts.append("a key is named as its own heir's heir")
        else:
            heirs.append(found)
            known[found.next] = _row(found.next, previous, found.at.isoformat())
            row["retired"] = row["retired"] or min(at, found.at.isoformat())
    return tuple(doubts)


def _has(known: Mapping[str, Mapping[str, Any]], previous: str, heir: str) -> bool:
    return heir in known and known[heir]["by"] == previous


def _end(row: dict[str, Any], document: Mapping[str, Any], method: str, at: str) -> None:
    """What ends a key by what the document says of it."""
    methods = document.get("verificationMethod")
    listed = methods if isinstance(methods, list) else []
    named = any(isinstance(one, dict) and one.get("id") == method for one in listed)
    expires, revoked = ends_of(document, method)
    if revoked and not row["revoked"]:
        row["revoked"] = at
    if (expires or not named) and not row["retired"]:
        row["retired"] = _earlier(expires, at)


def _earlier(said: str, at: str) -> str:
    try:
        moment = datetime.fromisoformat(said).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return at
    return min(moment, at)


def _row(public: str, by: str, since: str) -> dict[str, Any]:
    return {"public": public, "by": by, "since": since, "retired": "", "revoked": ""}
