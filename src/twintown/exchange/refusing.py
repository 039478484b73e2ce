"""What was refused to another city is kept: who, what, why, how often within the hour; the first of an hour in the ledger.

One caller's repeats are a count, so that whoever knocks a thousand times writes one line.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, insert, update

from twintown.ground.errors import BadAssertion, TwintownError
from twintown.store.engine import writing
from twintown.store.schema_shared import refusals
from twintown.trust.ledger import record_in
from twintown.trust.seen import take_in

if TYPE_CHECKING:
    from twintown.exchange.party import Party
    from twintown.exchange.receiving import Sender


def record(
    party: Party, sender: Sender | None, action: str, resource: str, code: str, reason: str, now: datetime
) -> None:
    """Keep one refusal; a message that was refused is not taken another time either.

    Args:
        sender: none where nobody proved to be anybody.
        resource: what was asked for, without names of processes: the address's path.
        code: one word for programs.
    """
    tables = party.twin.tables
    caller = sender.peer.did[:200] if sender else ""
    at = now.astimezone(UTC)
    hour = at.strftime("%Y-%m-%dT%H")
    row = {
        "twin": tables.twin,
        "hour": hour,
        "caller": caller,
        "action": action[:16],
        "resource": resource[:200],
        "reason": code,
    }
    mine = and_(*(refusals.c[name] == value for name, value in row.items()))
    with suppress(TwintownError), writing(tables.engine, fresh=True) as connection:
        if sender is not None and sender.issuer is not None:
            with suppress(BadAssertion), connection.begin_nested():
                take_in(connection, tables.twin, sender.issuer, now)
        again = update(refusals).where(mine).values(count=refusals.c["count"] + 1, last=at)
        if connection.execute(again).rowcount == 0:
            connection.execute(insert(refusals).values(**row, count=1, first=at, last=at))
            entry = {
                "caller": caller,
                "action": action,
                "resource": resource[:200],
                "code": code,
                "reason": reason[:300],
                "hour": hour,
            }
            record_in(connection, tables, "refusal", entry, now)
