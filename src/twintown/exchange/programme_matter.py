"""What a joint programme is about, where it is about more than words: an event at a place, and its account when it is over. Pure.

The exchange carries it, both cities sign it with the document, and whoever knows what it says looks into it (`Matters`, wired at the
roof): an event that no agreement reaches is refused before it is proposed, and again where it comes in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from twintown.ground.errors import BadParameter
from twintown.trust.proof import canonical

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from twintown.exchange.party import Party
    from twintown.exchange.programme_document import Document
    from twintown.exchange.programme_rows import Programme

KINDS = ("event",)
#: Longest matter in its canonical form, bytes, and deepest nesting.
LONGEST, DEEPEST = 96 * 1024, 12
_MEMBERS = {"kind", "id", "body", "account"}
_ID = re.compile(r"ev-[0-9a-f]{24}")


class Matters(Protocol):
    """Who knows what matters say. Both are called inside the transaction of the step."""

    def check(
        self, connection: Connection, party: Party, peer: str, document: Document, now: datetime
    ) -> None:
        """Raises BadInput, Denied: what speaks against a document that is proposed, by us or by the peer."""

    def moved(
        self,
        connection: Connection,
        party: Party,
        programme: Programme,
        author: Mapping[str, Any],
        now: datetime,
    ) -> None:
        """A programme with a matter stands otherwise than before."""


def read(said: Any) -> dict[str, Any]:
    """A matter, read strictly; {} where there is none. Raises BadParameter, naming the member."""
    if said == {}:
        return {}
    if not isinstance(said, Mapping) or set(said) != _MEMBERS or said["kind"] not in KINDS:
        raise BadParameter("document.matter", f"is one of {', '.join(KINDS)} with kind, id, body and account")
    if not isinstance(said["id"], str) or not _ID.fullmatch(said["id"]):
        raise BadParameter("document.matter.id", "is no name of its kind")
    for name in ("body", "account"):
        if not isinstance(said[name], Mapping) or _depth(said[name]) > DEEPEST:
            raise BadParameter(f"document.matter.{name}", f"is an object, at most {DEEPEST} deep")
    if len(canonical(dict(said))) > LONGEST:
        raise BadParameter("document.matter", f"is longer than {LONGEST:,} bytes", remedy="say less")
    return dict(said)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """What differs between two matters: (name, before, after), member by member of the body, the account as one."""
    one, two = before.get("body", {}), after.get("body", {})
    names = sorted({*one, *two})
    found = [
        (f"event.{name}", one.get(name), two.get(name)) for name in names if one.get(name) != two.get(name)
    ]
    mine, theirs = before.get("account") or None, after.get("account") or None
    return [*found, *([("account", mine, theirs)] if mine != theirs else [])]


def _depth(value: Any) -> int:
    """How deep lists and objects lie in each other."""
    deepest, left = 0, [(value, 0)]
    while left:
        one, at = left.pop()
        deepest = max(deepest, at)
        if at > DEEPEST:
            break
        if isinstance(one, Mapping):
            left += [(part, at + 1) for part in one.values()]
        elif isinstance(one, list):
            left += [(part, at + 1) for part in one]
    return deepest
