"""Events as rows: each a series of revisions; nothing is overwritten, and every step belongs to its caller's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, select, tuple_

from twintown.ground.errors import NotFound, PreconditionFailed
from twintown.store.schema_programme import events

from .event import Event, State
from .event_reading import read
from .event_states import Origin, after_change, check_step

PREFIX = "ev-"
#: Pairs of one question to the database.
_AT_ONCE = 400


@dataclass(frozen=True)
class Kept:
    """One revision of an event.

    Attributes:
        body: the event as JSON; `event` reads it.
        joint: id of the document that a partner holds too; "" where none does.
        origin: whose it is. peer: DID of the partner that told of it; "" where it is our own.
        why: why it was cancelled or declined.
        author: who wrote this revision.
    """

    body: Mapping[str, Any]
    revision: int
    state: State
    joint: str
    origin: Origin
    peer: str
    why: str
    author: Mapping[str, Any]
    at: datetime

    @property
    def id(self) -> str:
        """Of the event."""
        return str(self.body["id"])

    @property
    def event(self) -> Event:
        """What it says."""
        return read(dict(self.body))


def new_id() -> str:
    """A name that nothing else has."""
    return PREFIX + secrets.token_hex(12)


def one_in(connection: Connection, twin: str, id: str, revision: int | None = None) -> Kept:
    """An event as it is now, or as it was at a revision. Raises NotFound."""
    c = events.c
    query = select(events).where(c.twin == twin, c.id == id)
    if revision is not None:
        query = query.where(c.revision == revision)
    row = connection.execute(query.order_by(c.revision.desc()).limit(1)).first()
    if row is None:
        raise NotFound(f"there is no event {id[:60]!r}", twin, "GET …/events lists them")
    return _kept(row)


def revisions_in(connection: Connection, twin: str, id: str) -> list[Kept]:
    """Every revision of an event, the first one first; none where there is no such event."""
    c = events.c
    query = select(events).where(c.twin == twin, c.id == id).order_by(c.revision)
    return [_kept(row) for row in connection.execute(query)]


def all_in(
    connection: Connection, twin: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[Kept]:
    """Every event as it is now, by its start; of those that take place between two moments where they are given."""
    return [_kept(row) for row in connection.execute(latest(twin, since, until))]


def heads_in(
    connection: Connection, twin: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[tuple[str, int]]:
    """Id and last revision of every event, by its start; cheap, for who keeps what revisions say (they never change)."""
    query = latest(twin, since, until).with_only_columns(events.c.id, events.c.revision)
    return [(row.id, row.revision) for row in connection.execute(query)]


def these_in(connection: Connection, twin: str, pairs: Sequence[tuple[str, int]]) -> list[Kept]:
    """These revisions of these events, in no order; those that are not there are left out."""
    c = events.c
    found: list[Kept] = []
    for at in range(0, len(pairs), _AT_ONCE):
        some = tuple_(c.id, c.revision).in_(pairs[at : at + _AT_ONCE])
        found += [_kept(row) for row in connection.execute(select(events).where(c.twin == twin, some))]
    return found


def latest(twin: str, since: datetime | None = None, until: datetime | None = None) -> Select[Any]:
    """The query for the last revision of every event, by its start."""
    c = events.c
    newest = (
        select(c.id, func.max(c.revision).label("revision")).where(c.twin == twin).group_by(c.id).subquery()
    )
    query = (
        select(events)
        .join(newest, and_(c.id == newest.c.id, c.revision == newest.c.revision))
        .where(c.twin == twin)
    )
    if since is not None:
        query = query.where(c.ends > since.astimezone(UTC))
    if until is not None:
        query = query.where(c.starts < until.astimezone(UTC))
    return query.order_by(c.starts, c.id)


def add_in(
    connection: Connection, twin: str, event: Event, author: Mapping[str, Any], now: datetime, *,
    state: State = "draft", joint: str = "", origin: Origin = "own", peer: str = "",
) -> Kept:  # fmt: skip
    """A new event, or a partner's that was told of for the first time."""
    made = Kept(event.to_dict(), 1, state, joint, origin, peer, "", author, now)
    _insert(connection, twin, made, event)
    return made


def change_in(
    connection: Connection, twin: str, event: Event, revision: int, author: Mapping[str, Any], now: datetime
) -> Kept:
    """The next revision, as its officer writes it.

    Args:
        revision: the one that the officer has seen.

    Raises:
        NotFound. PreconditionFailed: somebody was quicker. NotPossible, Conflict: see `event_states.after_change`.
    """
    before = one_in(connection, twin, event.id)
    if before.revision != revision:
        raise PreconditionFailed(
            f"revision {revision} is not the present one: {before.revision} is", event.id,
            "read it again, then change that one",
        )  # fmt: skip
    state = after_change(before.state, before.origin, before.event, event, event.id)
    made = Kept(
        event.to_dict(),
        before.revision + 1,
        state,
        before.joint,
        before.origin,
        before.peer,
        "",
        author,
        now,
    )
    _insert(connection, twin, made, event)
    return made


def step_in(
    connection: Connection, twin: str, id: str, state: State, author: Mapping[str, Any], now: datetime, *,
    event: Event | None = None, joint: str | None = None, why: str = "", agreement: str | None = None,
) -> Kept:  # fmt: skip
    """The next revision, by a step of the joint document or by its end.

    Args:
        event: what it says from now on; what it said, by default. agreement: by which it may be there from now on.
        joint: id of the joint document; as before by default. why: the reason.

    Raises:
        NotFound. Conflict: the step is not possible now.
    """
    before = one_in(connection, twin, id)
    check_step(before.state, state, id)
    said = event or before.event
    body = said.to_dict() | ({} if agreement is None else {"agreement": agreement})
    made = Kept(
        body, before.revision + 1, state, before.joint if joint is None else joint, before.origin, before.peer, why, author, now
    )  # fmt: skip
    _insert(connection, twin, made, said)
    return made


def tell_in(
    connection: Connection, twin: str, event: Event, state: State, author: Mapping[str, Any], now: datetime, *,
    peer: str, joint: str, why: str = "",
) -> Kept:  # fmt: skip
    """A partner's event as the partner says it now: the first revision here, or the next one.

    Raises:
        PreconditionFailed: an event of that name is another city's, or our own.
    """
    known = revisions_in(connection, twin, event.id)
    if not known:
        return add_in(
            connection, twin, event, author, now, state=state, joint=joint, origin="partner", peer=peer
        )
    last = known[-1]
    if last.peer != peer:
        raise PreconditionFailed(
            "an event of that name is another city's", event.id, "give it a name of its own"
        )
    made = Kept(event.to_dict(), last.revision + 1, state, joint, "partner", peer, why, author, now)
    _insert(connection, twin, made, event)
    return made


def _insert(connection: Connection, twin: str, kept: Kept, event: Event) -> None:
    body = {"event": dict(kept.body), "origin": kept.origin, "peer": kept.peer, "why": kept.why}
    connection.execute(
        insert(events).values(
            twin=twin, id=event.id, revision=kept.revision, state=kept.state, joint=kept.joint,
            starts=event.start.astimezone(UTC), ends=event.end.astimezone(UTC), body=body, author=dict(kept.author),
            at=kept.at.astimezone(UTC),
        )
    )  # fmt: skip


def _kept(row: Row[Any]) -> Kept:
    said = row.body
    at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)
    return Kept(
        said["event"],
        row.revision,
        row.state,
        row.joint,
        said["origin"],
        said["peer"],
        said["why"],
        row.author,
        at,
    )


def brief_of(kept: Kept) -> dict[str, Any]:
    """What a list says of an event, without reading it strictly again."""
    return brief(kept.body, kept.state, kept.origin, kept.revision, kept.joint, kept.at)


def brief(
    body: Mapping[str, Any],
    state: State,
    origin: Origin,
    revision: int = 0,
    joint: str = "",
    at: datetime | None = None,
) -> dict[str, Any]:
    """What a list says of one event."""
    return {
        "id": body["id"], "kind": body["kind"], "title": body["title"], "place": body["place"], "start": body["start"],
        "end": body["end"], "state": state, "origin": origin, "visitors": body["visitors"], "stands": len(body["stands"]),
        "stage": body["stage"] is not None, "host": body["host"], "agreement": body["agreement"], "joint": joint,
        "revision": revision, "all_day": False, "link": "", "at": at,
    }  # fmt: skip
