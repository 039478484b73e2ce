"""Notices as rows: our own, those that went to partners, those that partners sent; each once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from twintown.exchange.notice_message import SEEN, Notice, read
from twintown.ground.errors import NotFound
from twintown.store.engine import reading
from twintown.store.schema_programme import notices
from twintown.store.schema_shared import outbox
from twintown.store.tables import Tables

PREFIX = "nt-"
#: `own`: what happened here; `out`: told to a peer; `in`: told by a peer.
Way = Literal["own", "out", "in"]


@dataclass(frozen=True)
class Kept:
    """A notice as it is kept.

    Attributes:
        peer: DID of the other city; "" for one of our own.
        author: who said it; of one that came, who confirmed it here.
        heard: when the other city had it. seen: when a person confirmed it.
    """

    notice: Notice
    way: Way
    peer: str
    about: str
    author: Mapping[str, Any]
    ledger: int
    at: datetime
    heard: datetime | None = None
    seen: datetime | None = None

    @property
    def mark(self) -> str:
        """Its name in the outbox."""
        return mark_of(self.notice.id, self.peer)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a message that waits or went stands in the outbox. `over`: it is not tried any more."""

    attempts: int
    said: str
    over: bool


def mark_of(id: str, peer: str) -> str:
    """The name of a notice's message to one peer, 35 characters."""
    return PREFIX + hashlib.sha256(f"{id}\n{peer}".encode()).hexdigest()[:32]


def add_in(connection: Connection, tables: Tables, one: Kept) -> None:
    """Write one down."""
    connection.execute(
        insert(notices).values(
            twin=tables.twin, id=one.notice.id, way=one.way, kind=one.notice.kind, peer=one.peer, about=one.about[:200],
            body=one.notice.to_dict(), digest=one.notice.digest, author=dict(one.author), ledger=one.ledger, heard=one.heard,
            seen=one.seen, at=one.at.astimezone(UTC),
        )
    )  # fmt: skip


def one_in(connection: Connection, tables: Tables, id: str, way: Way, peer: str = "") -> Kept:
    """One notice. Raises NotFound."""
    row = connection.execute(select(notices).where(_one(tables, id, way, peer))).first()
    if row is None:
        raise NotFound(f"there is no notice {id[:60]!r}", "notices")
    return _kept(row)


def named_in(connection: Connection, tables: Tables, id: str) -> list[Kept]:
    """All rows of one name: our own, and one for each peer."""
    query = select(notices).where(notices.c.twin == tables.twin, notices.c.id == id)
    return [_kept(row) for row in connection.execute(query)]


def listed(tables: Tables, kind: str, way: Way, limit: int = 200) -> list[Kept]:
    """The notices of a kind and way, the newest first; so many of each peer, that none talks the others out of the list."""
    mine = and_(notices.c.twin == tables.twin, notices.c.kind == kind, notices.c.way == way)
    newest = (notices.c.at.desc(), notices.c.id)
    place = func.row_number().over(partition_by=notices.c.peer, order_by=newest).label("place")
    ranked = select(notices, place).where(mine).subquery()
    query = select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.at.desc(), ranked.c.id)
    with reading(tables.engine) as connection:
        return [_kept(row) for row in connection.execute(query)]


def reached(tables: Tables, id: str) -> list[tuple[Kept, Reach | None]]:
    """Whom one of ours was told, and how its message stands."""
    mine = and_(notices.c.twin == tables.twin, notices.c.id == id, notices.c.way == "out")
    with reading(tables.engine) as connection:
        found = [
            _kept(row) for row in connection.execute(select(notices).where(mine).order_by(notices.c.peer))
        ]
        marks = [one.mark for one in found]
        query = select(outbox).where(outbox.c.twin == tables.twin, outbox.c.id.in_(marks))
        waits = {
            row.id: Reach(row.attempts, row.said, row.given_up is not None)
            for row in connection.execute(query)
        }
    return [(one, waits.get(one.mark)) for one in found]


def unseen_in(connection: Connection, tables: Tables, peer: str) -> int:
    """How many notices of a peer nobody here has seen."""
    open_ = and_(
        notices.c.twin == tables.twin, notices.c.way == "in", notices.c.peer == peer, notices.c.seen.is_(None)
    )
    query = select(func.count()).select_from(notices).where(open_, notices.c.kind != SEEN)
    return int(connection.execute(query).scalar_one())


def heard_in(connection: Connection, tables: Tables, mark: str, peer: str, now: datetime) -> None:
    """A peer has it."""
    open_ = and_(
        notices.c.twin == tables.twin,
        notices.c.way == "out",
        notices.c.peer == peer,
        notices.c.heard.is_(None),
    )
    for id in connection.execute(select(notices.c.id).where(open_)).scalars().all():
        if mark_of(id, peer) == mark:
            where = _one(tables, id, "out", peer)
            connection.execute(update(notices).where(where).values(heard=now.astimezone(UTC)))


def seen_in(
    connection: Connection,
    tables: Tables,
    id: str,
    way: Way,
    peer: str,
    now: datetime,
    author: Mapping[str, Any] | None,
) -> bool:
    """A person confirmed it; False where somebody did before, or there is none."""
    where = and_(_one(tables, id, way, peer), notices.c.seen.is_(None))
    values: dict[str, Any] = {"seen": now.astimezone(UTC)} | (
        {} if author is None else {"author": dict(author)}
    )
    return bool(connection.execute(update(notices).where(where).values(**values)).rowcount)


def _one(tables: Tables, id: str, way: Way, peer: str) -> Any:
    return and_(
        notices.c.twin == tables.twin, notices.c.id == id, notices.c.way == way, notices.c.peer == peer
    )


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        read(row.body), row.way, row.peer, row.about, row.author, int(row.ledger), _utc(row.at),
        None if row.heard is None else _utc(row.heard), None if row.seen is None else _utc(row.seen),
    )  # fmt: skip


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
