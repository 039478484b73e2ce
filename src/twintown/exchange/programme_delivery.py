"""What becomes of a joint programme's messages: heard, or refused by the other city, which takes the move back on both sides.

A message that nobody answers is tried as long as the programme is there: both cities shall come to the same.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from twintown.exchange import outbox, programmes, schemas
from twintown.exchange import programme_rows as rows
from twintown.exchange.courier import Answer
from twintown.exchange.outbox import Outgoing
from twintown.exchange.party import Party
from twintown.exchange.programme import cut, position
from twintown.ground.errors import TwintownError
from twintown.store.engine import writing


def is_of(one: Outgoing) -> bool:
    """Whether a message is of a joint programme."""
    return one.of.startswith(rows.PREFIX)


def heard_in(connection: Connection, party: Party, one: Outgoing, now: datetime) -> None:
    """The other city has taken it."""
    rows.heard_in(connection, party.twin.tables.twin, one.of, one.id, now)


def refused(party: Party, one: Outgoing, answer: Answer, now: datetime) -> None:
    """The other city does not take it: the move, and what we did after it, does not count; the officer reads why."""
    twin, (code, reason) = party.twin.tables.twin, _why(answer)
    with writing(party.twin.tables.engine, fresh=True) as connection:
        found = rows.one_in(connection, twin, one.of)
        outbox.refused(connection, twin, one, f"answered {answer.status}: {reason}", now)
        left = cut(found.history, one.id)
        if left.void:  # it is void already where the other city's own move came first
            programmes.void_in(connection, party, found, left.void, reason, now)
            error = {"code": code, "reason": [reason]}
            rows.stand_in(connection, twin, found.id, position(left.history).state, error, now)
            author = {"name": one.peer, "kind": "peer", "verified": True}
            programmes.moved_in(connection, party, found.id, author, now)
    party.twin.watch.touch()


def _why(answer: Answer) -> tuple[str, str]:
    """Code and reason of a problem (RFC 9457); of anything else its status."""
    if answer.status == 404:
        return "not-found", "the partner's server knows nothing of this programme"
    try:
        said = schemas.parse(answer.body)
    except TwintownError:
        said = {}
    kind, detail = said.get("type"), said.get("detail")
    code = str(kind).rpartition(":")[2][:80] if isinstance(kind, str) else str(answer.status)
    return code, detail[:500] if isinstance(detail, str) and detail else f"answered {answer.status}"
