"""What becomes of a notice: heard, or refused by a city that cannot read it. One that nobody answers is tried as long as it takes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from twintown.exchange import notice_rows as rows
from twintown.exchange import outbox
from twintown.exchange.courier import Answer
from twintown.exchange.outbox import Outgoing
from twintown.exchange.party import Party
from twintown.store.engine import writing


def is_of(one: Outgoing) -> bool:
    """Whether a message is a notice."""
    return one.of.startswith(rows.PREFIX)


def heard_in(connection: Connection, party: Party, one: Outgoing, now: datetime) -> None:
    """The other city has it on its disk."""
    rows.heard_in(connection, party.twin.tables, one.id, one.peer, now)


def refused(party: Party, one: Outgoing, answer: Answer, now: datetime) -> None:
    """The other city does not take it: the officer sees that it was not reached, and by which words."""
    with writing(party.twin.tables.engine, fresh=True) as connection:
        outbox.refused(connection, party.twin.tables.twin, one, f"answered {answer.status}", now)
    party.twin.watch.touch()
