"""The red button: an agreement is suspended, resumed or ended in one transaction with its tokens, messages and ledger entry.

From that commit on every request under it is refused, in every process: each request looks the agreement up. The partner is told by the
transfers that are stopped (`transferring.stop_in`); nothing waits for it to hear.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from twintown.exchange import agreements, rows, transferring
from twintown.exchange.agreements import Actor, Agreement
from twintown.exchange.negotiating import SERVER, Author
from twintown.exchange.party import Party
from twintown.store.engine import writing


def suspend(party: Party, id: str, author: Author, why: str, now: datetime) -> Agreement:
    """Hold an agreement. Raises NotFound, Conflict (it has ended), BadInput (no reason), StorageFailed."""

    def press(connection: Connection) -> Agreement:
        found = agreements.suspend_in(connection, party.twin.tables, id, _actor(party, author), why, now)
        transferring.stop_in(connection, party, id, "suspend", now, author, (why.strip(),))
        return found

    return _pressed(party, press)


def resume(party: Party, id: str, author: Author, now: datetime) -> Agreement:
    """Lift our suspension; where nobody else holds it the transfers go on, the provider's with a new token.

    Raises:
        NotFound. Conflict: it has ended, or it is not we who hold it. StorageFailed.
    """

    def press(connection: Connection) -> Agreement:
        found = agreements.resume_in(connection, party.twin.tables, id, _actor(party, author), now)
        if found.state == "active":
            for one in rows.transfers_in(connection, party.twin.tables.twin, "SUSPENDED", agreement=id):
                transferring.give_in(connection, party, one, now, author)
        return found

    return _pressed(party, press)


def end(party: Party, id: str, author: Author, why: str, now: datetime) -> Agreement:
    """End an agreement for good. Raises NotFound, BadInput (no reason), StorageFailed."""

    def press(connection: Connection) -> Agreement:
        found = agreements.end_in(connection, party.twin.tables, id, _actor(party, author), why, now)
        transferring.stop_in(connection, party, id, "terminate", now, author, (why.strip(),))
        return found

    return _pressed(party, press)


def expire(party: Party, now: datetime) -> tuple[str, ...]:
    """End what is over by its own time; ids of what was ended. Quick where nothing is."""
    due = agreements.due(party.twin.tables, now)
    for id in due:

        def press(connection: Connection, id: str = id) -> Agreement:
            found = agreements.expire_in(connection, party.twin.tables, id, now)
            if found.state == "ended":
                why = (str((found.change or {}).get("why", "")),)
                transferring.stop_in(connection, party, id, "terminate", now, SERVER, why)
            return found

        _pressed(party, press)
    return due


def _pressed(party: Party, press: Callable[[Connection], Agreement]) -> Agreement:
    with writing(party.twin.tables.engine, fresh=True) as connection:
        found = press(connection)
    party.twin.watch.touch()
    party.wake()
    return found


def _actor(party: Party, author: Author) -> Actor:
    name: Any = author.get("name", "")
    return Actor(party.did, True, str(name))
