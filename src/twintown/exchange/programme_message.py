"""The message by which a city tells the other its move in a joint programme, and the signatures under what both agree to. Pure.

    {"type": "JointProgrammeMove", "id": "urn:uuid:…", "programme": "jp-…", "seq": 2, "after": "<digest of move 1>", "move": "propose",
     "document": {…}, "proof": {…}}

`agree` brings `digest` (of the document) and `proof` instead; `decline`, `withdraw` and `end` bring a `reason`. A message is named by
the SHA-256 of its canonical form (RFC 8785), which the next one names in `after`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from twintown.exchange.odrl import moment
from twintown.exchange.programme import MOST, Event, Move, Side
from twintown.exchange.programme_document import Document
from twintown.exchange.programme_document import read as read_document
from twintown.ground.errors import BadData, BadParameter
from twintown.trust.did import document as did_document
from twintown.trust.proof import canonical, check

TYPE = "JointProgrammeMove"
#: Longest message, bytes, and longest reason, characters.
LONGEST, LONGEST_WHY = 128 * 1024, 1000
#: How far two cities' clocks may differ.
SKEW = timedelta(minutes=5)
_BRINGS: Mapping[Event, tuple[str, ...]] = {
    "propose": ("document", "proof"), "agree": ("digest", "proof"), "decline": ("reason",), "withdraw": ("reason",), "end": ("reason",),
}  # fmt: skip
_MEMBERS = ("type", "id", "programme", "seq", "after", "move")
_MARK = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PROGRAMME = re.compile(r"jp-[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Message:
    """A message that was read: whose programme, which move, and what it brings. `body` is as it came."""

    programme: str
    seq: int
    after: str
    event: Event
    mark: str
    body: Mapping[str, Any]
    document: Document | None = None
    digest: str = ""
    reason: str = ""

    def move(self, by: Side) -> Move:
        """As the machine knows it."""
        return Move(self.seq, self.event, by, self.mark, digest_of(self.body), self.after)


def write(programme: str, seq: int, after: str, event: Event, mark: str, **brings: Any) -> dict[str, Any]:
    """A message of ours."""
    return {
        "type": TYPE,
        "id": mark,
        "programme": programme,
        "seq": seq,
        "after": after,
        "move": event,
        **brings,
    }


def read(body: Mapping[str, Any]) -> Message:
    """A message that came, read strictly. Raises BadParameter, naming the member."""
    event: Event = body.get("move", "")
    if body.get("type") != TYPE or not isinstance(event, str) or event not in _BRINGS:
        raise BadParameter("move", f"is no {TYPE} that does one of {', '.join(_BRINGS)}")
    wanted = {*_MEMBERS, *_BRINGS[event]}
    if wrong := sorted(set(body) ^ wanted):
        raise BadParameter(wrong[0][:60], f"does not go with {event}" if wrong[0] in body else "is missing")
    seq, after = body["seq"], body["after"]
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= MOST + 8:
        raise BadParameter("seq", "is a place in the order of moves, from 0")
    for name, form in (("id", _MARK), ("programme", _PROGRAMME)):
        if not isinstance(body[name], str) or not form.fullmatch(body[name]):
            raise BadParameter(name, "is no name of its kind")
    if not isinstance(after, str) or bool(after) != bool(seq) or (after and not _DIGEST.fullmatch(after)):
        raise BadParameter("after", "is the digest of the move before, and empty in the first")
    said: dict[str, Any] = {}
    if event == "propose":
        said["document"] = read_document(body["document"])
        said["digest"] = said["document"].digest
        if said["document"].id != body["programme"]:
            raise BadParameter("document.id", "is of another programme than the message")
    elif event == "agree":
        said["digest"] = body["digest"]
        if not isinstance(said["digest"], str) or not _DIGEST.fullmatch(said["digest"]):
            raise BadParameter("digest", "is no digest of a document")
    else:
        said["reason"] = why(body["reason"], must=event != "withdraw")
    return Message(body["programme"], seq, after, event, body["id"], body, **said)


def why(said: Any, *, must: bool) -> str:
    """A reason as it may be sent. Raises BadParameter."""
    if not isinstance(said, str) or len(said) > LONGEST_WHY:
        raise BadParameter("reason", f"is a text of at most {LONGEST_WHY} characters")
    if must and not said.strip():
        raise BadParameter("reason", "is not given", remedy="say in a sentence why; the partner reads it")
    return said.strip()


def digest_of(body: Mapping[str, Any]) -> str:
    """SHA-256 of a message's canonical form, hexadecimal."""
    return hashlib.sha256(canonical(dict(body))).hexdigest()


@dataclass(frozen=True, slots=True)
class Signature:
    """One city's signature: who, with which key (Multikey), when by its own clock, and the whole proof."""

    did: str
    key: str
    at: datetime
    proof: Mapping[str, Any]


def check_signature(
    document: Document, proof: Any, did: str, keys: Sequence[str], now: datetime | None = None
) -> Signature:
    """A city's signature under a document, by one of its keys.

    Args:
        now: when it came; a signature from a time to come is refused. None for one that is kept.

    Raises:
        BadData: none, by another key, under another document, or changed afterwards.
    """
    where = f"proof of {did}"
    if not isinstance(proof, Mapping) or len(canonical(dict(proof))) > 4096:
        raise BadData("the document is not signed", where, "sign it with eddsa-jcs-2022")
    found = check({**document.to_dict(), "proof": dict(proof)}, did_document(did, list(keys)))
    if found:
        raise BadData(found[0].what, where, "ask the partner which key it signs with")
    at = moment(proof.get("created"), f"{where}.created")
    if now is not None and at > now + SKEW:
        raise BadData("the signature is of a time to come", where, "set the clock")
    return Signature(did, str(proof["verificationMethod"]).partition("#")[2], at, dict(proof))
