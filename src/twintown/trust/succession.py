"""How one key of a city hands over to the next: a statement that the old key signs, and who knows the old one can follow.

    {"type": "KeySuccession", "twin": "jamsil", "previous": "z6Mk…", "next": "z6Mk…", "at": "2026-11-22T10:00:00Z", "proof": {…}}

The proof is one of `eddsa-jcs-2022` (W3C Data Integrity) by the old key under its `did:key`. The statements stand in the city's DID
document as its member `succession`, oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twintown.ground.errors import BadData

from .did import document, method_of
from .keys import Key, public_bytes
from .proof import check, sign

TYPE = "KeySuccession"


@dataclass(frozen=True, slots=True)
class Succession:
    """From `at` on the key `next` stands where `previous` stood (Multikeys)."""

    previous: str
    next: str
    at: datetime


def endorse(old: Key, new: str, twin: str, at: datetime) -> dict[str, Any]:
    """The signed statement that a key is followed by another. `at`: when, with a time zone; whole seconds are kept."""
    moment = at.astimezone(UTC).replace(microsecond=0)
    said = {"type": TYPE, "twin": twin, "previous": old.public, "next": new, "at": _text(moment)}
    return sign(said, old, method_of(f"did:key:{old.public}", old.public), moment)


def read(statement: object) -> Succession:
    """What a statement says, once its signature was found good.

    Raises:
        BadData: it is no such statement, or its signature does not fit.
    """
    where = "succession"
    if not isinstance(statement, Mapping) or statement.get("type") != TYPE:
        raise BadData(f"is no {TYPE}", where)
    previous, new, at = (str(statement.get(name)) for name in ("previous", "next", "at"))
    public_bytes(previous, where)
    public_bytes(new, where)
    if previous == new:
        raise BadData("names one key as its own successor", where)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise BadData(f"{at[:40]!r} is no time", where) from error
    if moment.tzinfo is None:
        raise BadData("names a time without a zone", where)
    name = f"did:key:{previous}"
    if findings := check(statement, document(name, [previous])):
        raise BadData(f"is not signed by the key before it: {findings[0].what}", where)
    return Succession(previous, new, moment.astimezone(UTC))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
