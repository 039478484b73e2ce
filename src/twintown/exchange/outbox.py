"""What is still to be said to other cities: written with the step that it tells of, taken out when it was heard.

The messages of one negotiation or transfer go in their order: a later one waits until the earlier was heard or given up. Whoever
delivers takes a message for a while first (`claim`), so that a worker and the keeper do not both send it; if both should, or if one dies
on the way, the receiver knows it by its mark.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, insert, select, update

from twintown.store.schema_shared import outbox

#: For how long a message belongs to whom took it.
LEASE = timedelta(seconds=5)
#: Pauses before the second, third … attempt; the last one is repeated.
PAUSES = (1, 2, 5, 10, 20, 30, 60, 60, 120, 300, 900, 1800)
#: For how long it is tried.
PATIENCE = timedelta(days=3)


@dataclass(frozen=True)
class Outgoing:
    """One message to be delivered.

    Attributes:
        id: its mark; the same at every attempt.
        of, seq: which message of which negotiation or transfer.
        peer: DID.
        url: where to; `{peer_pid}` stands for the other's name of the process.
        body: with empty pids where they were not known yet.
    """

    id: str
    of: str
    seq: int
    peer: str
    url: str
    body: Mapping[str, Any]
    attempts: int
    created: datetime


def put(
    connection: Connection, twin: str, of: str, seq: int, peer: str, url: str, body: Mapping[str, Any], mark: str, now: datetime
) -> None:  # fmt: skip
    """A message to be delivered as soon as the transaction has ended."""
    at = now.astimezone(UTC)
    connection.execute(
        insert(outbox).values(
            twin=twin, id=mark, of=of, seq=seq, peer=peer, url=url, body=dict(body), attempts=0, next_at=at, said="",
            delivered=None, given_up=None, created=at,
        )
    )  # fmt: skip


def new_mark() -> str:
    """A mark that no other message has."""
    return secrets.token_hex(16)


def claim(connection: Connection, twin: str, now: datetime) -> Outgoing | None:
    """Take the message that is due first, for `LEASE`; none where nothing is due."""
    at, earlier = now.astimezone(UTC), outbox.alias()
    open_ = and_(outbox.c.twin == twin, outbox.c.delivered.is_(None), outbox.c.given_up.is_(None))
    before = exists().where(
        earlier.c.twin == twin, earlier.c.of == outbox.c.of, earlier.c.seq < outbox.c.seq, earlier.c.delivered.is_(None),
        earlier.c.given_up.is_(None),
    )  # fmt: skip
    query = (
        select(outbox).where(open_, outbox.c.next_at <= at, ~before).order_by(outbox.c.next_at, outbox.c.id)
        .limit(1).with_for_update(skip_locked=True)
    )  # fmt: skip
    row = connection.execute(query).first()
    if row is None:
        return None
    mine = and_(outbox.c.twin == twin, outbox.c.id == row.id)
    connection.execute(update(outbox).where(mine).values(next_at=at + LEASE, attempts=row.attempts + 1))
    created = row.created.replace(tzinfo=UTC) if row.created.tzinfo is None else row.created
    return Outgoing(row.id, row.of, row.seq, row.peer, row.url, row.body, row.attempts + 1, created)


def alive(connection: Connection, twin: str, peer: str, now: datetime) -> None:
    """A peer has spoken, so it is there again: what waits for it for long is tried now."""
    at = now.astimezone(UTC)
    open_ = and_(outbox.c.twin == twin, outbox.c.delivered.is_(None), outbox.c.given_up.is_(None))
    long = and_(open_, outbox.c.peer == peer, outbox.c.next_at > at + LEASE)
    connection.execute(update(outbox).where(long).values(next_at=at))


def due(connection: Connection, twin: str) -> datetime | None:
    """When the next message is to be tried; None where none waits."""
    open_ = and_(outbox.c.twin == twin, outbox.c.delivered.is_(None), outbox.c.given_up.is_(None))
    first = connection.execute(
        select(outbox.c.next_at).where(open_).order_by(outbox.c.next_at).limit(1)
    ).scalar()
    at: datetime | None = first
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def heard(connection: Connection, twin: str, one: Outgoing, said: str, now: datetime) -> None:
    """The message was taken by the other side."""
    _set(connection, twin, one, delivered=now.astimezone(UTC), said=said[:500], body=_gone(one))


def refused(connection: Connection, twin: str, one: Outgoing, said: str, now: datetime) -> None:
    """The other side does not want it; trying again would not help."""
    _set(connection, twin, one, given_up=now.astimezone(UTC), said=said[:500], body=_gone(one))


def later(
    connection: Connection, twin: str, one: Outgoing, said: str, now: datetime, *, forever: bool = False
) -> bool:
    """Nobody was there: try again after a pause. False where it has been tried for too long and is given up (unless `forever`)."""
    if now - one.created > PATIENCE and not forever:
        refused(connection, twin, one, f"given up after {one.attempts} attempts: {said}", now)
        return False
    pause = timedelta(seconds=PAUSES[min(one.attempts, len(PAUSES)) - 1])
    _set(connection, twin, one, next_at=(now + pause).astimezone(UTC), said=said[:500])
    return True


def drop(connection: Connection, twin: str, of: str, said: str, now: datetime) -> None:
    """Say nothing more in a negotiation or transfer."""
    open_ = and_(outbox.c.twin == twin, outbox.c.of == of, outbox.c.delivered.is_(None))
    connection.execute(
        update(outbox)
        .where(open_, outbox.c.given_up.is_(None))
        .values(given_up=now.astimezone(UTC), said=said, body={})
    )


def drop_one(connection: Connection, twin: str, id: str, said: str, now: datetime) -> None:
    """Say one message no more, where it was not heard yet."""
    open_ = and_(outbox.c.twin == twin, outbox.c.id == id, outbox.c.delivered.is_(None))
    values = {"given_up": now.astimezone(UTC), "said": said[:500], "body": {}}
    connection.execute(update(outbox).where(open_, outbox.c.given_up.is_(None)).values(values))


def _gone(one: Outgoing) -> dict[str, Any]:
    """What stays of a body: not the token that it may hold."""
    return {"@type": one.body.get("@type", ""), "@id": one.id}


def _set(connection: Connection, twin: str, one: Outgoing, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.twin == twin, outbox.c.id == one.id).values(**values))
