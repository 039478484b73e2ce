"""Joint programmes and their moves as rows. Nothing here opens a transaction: every move is one of its caller's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from twintown.exchange.programme import FINAL, History, Move, Position, Side, position
from twintown.exchange.programme_document import Document, read
from twintown.ground.errors import NotFound
from twintown.store.schema_shared import programme_moves, programmes

#: What the id of a joint programme begins with; no negotiation or transfer has such a name.
PREFIX = "jp-"


@dataclass(frozen=True)
class Kept:
    """One move as it is kept.

    Attributes:
        body: the message as it came or went. author: who made it here, or which city sent it.
        way: it came `in` or went `out`. void: why it does not count; "" where it does.
        document: digest of the document that it proposes or agrees to; "" where it does neither.
        ledger: its entry in our ledger. heard: when the partner answered, of ours; None while it has not.
    """

    move: Move
    body: Mapping[str, Any]
    author: Mapping[str, Any]
    way: str
    void: str
    document: str
    ledger: int
    heard: datetime | None
    at: datetime

    @property
    def says(self) -> Document | None:
        """What it proposes."""
        said = self.body.get("document")
        return read(said) if said is not None else None


@dataclass(frozen=True)
class Programme:
    """One joint programme as one city keeps it.

    Attributes:
        peer: DID of the other city. began: DID of the city that proposed it first.
        moves: those that count, in their order; void: those of ours that do not, in the order of their time.
        error: why our last move was not taken: {"code", "reason"}.
        revision: grows with every change here.
    """

    id: str
    peer: str
    began: str
    agreement: str
    moves: tuple[Kept, ...]
    void: tuple[Kept, ...] = ()
    error: Mapping[str, Any] | None = None
    revision: int = 0
    created: datetime | None = None
    updated: datetime | None = None

    @property
    def side(self) -> Side:
        """Which side we are."""
        return "second" if self.began == self.peer else "first"

    @property
    def history(self) -> History:
        """The moves as the machine knows them."""
        return tuple(one.move for one in self.moves)

    @property
    def position(self) -> Position:
        """Where it stands."""
        return position(self.history)

    @property
    def last(self) -> Document:
        """What was proposed last."""
        return next(said for one in reversed(self.moves) if (said := one.says) is not None)

    def at(self, seq: int | None) -> Document | None:
        """What the proposal at a place says; none where there is no place."""
        return None if seq is None else self.moves[seq].says

    def proofs(self, seq: int) -> dict[Side, Mapping[str, Any]]:
        """The signatures under the proposal at a place, by whom: the proposer's, and the other's where it agreed."""
        found: dict[Side, Mapping[str, Any]] = {self.moves[seq].move.by: dict(self.moves[seq].body["proof"])}
        for one in self.moves[seq + 1 : seq + 2]:
            if one.move.event == "agree":
                found[one.move.by] = dict(one.body["proof"])
        return found


def one_in(connection: Connection, twin: str, id: str) -> Programme:
    """One programme; in a transaction that writes nobody else changes it meanwhile. Raises NotFound."""
    query = select(programmes).where(programmes.c.twin == twin, programmes.c.id == id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no joint programme {id[:60]!r}", twin, "GET …/workplan lists them")
    moves = select(programme_moves).where(programme_moves.c.twin == twin, programme_moves.c.id == id)
    return _programme(
        row, list(connection.execute(moves.order_by(programme_moves.c.seq, programme_moves.c.at)))
    )


def all_in(connection: Connection, twin: str) -> list[Programme]:
    """All programmes, the one that changed last first."""
    heads = connection.execute(
        select(programmes)
        .where(programmes.c.twin == twin)
        .order_by(programmes.c.updated.desc(), programmes.c.id)
    ).all()
    c = programme_moves.c
    moves = connection.execute(
        select(programme_moves).where(c.twin == twin).order_by(c.id, c.seq, c.at)
    ).all()
    by_id: dict[str, list[Row[Any]]] = {}
    for row in moves:
        by_id.setdefault(row.id, []).append(row)
    return [_programme(head, by_id.get(head.id, [])) for head in heads]


def waiting_in(connection: Connection, twin: str, peer: str) -> int:
    """How many programmes with a city are not over."""
    c = programmes.c
    query = select(func.count()).select_from(programmes).where(c.twin == twin, c.peer == peer)
    return int(connection.execute(query.where(c.state.notin_(tuple(FINAL)))).scalar_one())


def begin_in(connection: Connection, twin: str, one: Programme, now: datetime) -> None:
    """A new programme, without moves yet."""
    at = now.astimezone(UTC)
    connection.execute(
        insert(programmes).values(
            twin=twin, id=one.id, peer=one.peer, began=one.began, agreement=one.agreement, state="", error=None, revision=0,
            created=at, updated=at,
        )
    )  # fmt: skip


def keep_in(connection: Connection, twin: str, id: str, kept: Kept) -> None:
    """A new move."""
    move = kept.move
    connection.execute(
        insert(programme_moves).values(
            twin=twin, id=id, mark=move.mark, seq=move.seq, event=move.event, way=kept.way, body=dict(kept.body), digest=move.digest,
            document=kept.document, author=dict(kept.author), void="", ledger=kept.ledger, heard=None, at=kept.at.astimezone(UTC),
        )
    )  # fmt: skip


def void_in(connection: Connection, twin: str, id: str, mark: str, why: str) -> None:
    """A move of ours does not count."""
    _set(connection, twin, id, mark, void=why[:1000] or "not taken")


def heard_in(connection: Connection, twin: str, id: str, mark: str, now: datetime) -> None:
    """The other city has taken a move of ours."""
    _set(connection, twin, id, mark, heard=now.astimezone(UTC))


def stand_in(
    connection: Connection, twin: str, id: str, state: str, error: Mapping[str, Any] | None, now: datetime
) -> None:
    """What the row says of its moves, and why our last one was not taken."""
    values = {
        "state": state,
        "error": error,
        "updated": now.astimezone(UTC),
        "revision": programmes.c.revision + 1,
    }
    connection.execute(
        update(programmes).where(programmes.c.twin == twin, programmes.c.id == id).values(values)
    )


def _set(connection: Connection, twin: str, id: str, mark: str, **values: Any) -> None:
    c = programme_moves.c
    connection.execute(
        update(programme_moves).where(c.twin == twin, c.id == id, c.mark == mark).values(**values)
    )


def _programme(row: Row[Any], moves: list[Row[Any]]) -> Programme:
    kept = [_kept(one, row) for one in moves]
    return Programme(
        row.id, row.peer, row.began, row.agreement, tuple(one for one in kept if not one.void), tuple(one for one in kept if one.void),
        row.error, row.revision, _utc(row.created), _utc(row.updated),
    )  # fmt: skip


def _kept(row: Row[Any], head: Row[Any]) -> Kept:
    ours: Side = "second" if head.began == head.peer else "first"
    by: Side = ours if row.way == "out" else ("first" if ours == "second" else "second")
    move = Move(row.seq, row.event, by, row.mark, row.digest, str(row.body["after"]))
    heard = _utc(row.heard) if row.heard else None
    return Kept(move, row.body, row.author, row.way, row.void, row.document, row.ledger, heard, _utc(row.at))


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
