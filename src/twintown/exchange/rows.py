"""Negotiations, transfers and their messages as rows. Nothing here opens a transaction: every step is one of its caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, Row, Table, func, insert, select, update

from twintown.exchange import negotiation as machine
from twintown.exchange.negotiation import Negotiation
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import NotFound
from twintown.store.schema_shared import messages, negotiations, transfers

Process = Negotiation | Transfer


@dataclass(frozen=True)
class Message:
    """One message of a negotiation or a transfer as it came or went.

    Attributes:
        of: our pid of the negotiation or transfer.
        seq: its place, from 0.
        way: it came `in` or went `out`.
        type: of the Dataspace Protocol.
        author: who sent it: {"name", "kind", "verified"}.
        mark: what the sender calls it; the same mark again is the same message.
        state: that it led to.
    """

    of: str
    seq: int
    way: Literal["in", "out"]
    type: str
    body: Mapping[str, Any]
    author: Mapping[str, Any]
    mark: str
    state: str
    at: datetime


def negotiation(connection: Connection, twin: str, pid: str) -> Negotiation:
    """One negotiation, held until the transaction ends. Raises NotFound."""
    row = _one(connection, negotiations, twin, negotiations.c.pid == pid)
    if row is None:
        raise NotFound(f"there is no negotiation {pid[:80]!r}", "negotiations")
    return _negotiation(row)


def transfer(connection: Connection, twin: str, pid: str) -> Transfer:
    """One transfer, held until the transaction ends. Raises NotFound."""
    row = _one(connection, transfers, twin, transfers.c.pid == pid)
    if row is None:
        raise NotFound(f"there is no transfer {pid[:80]!r}", "transfers")
    return _transfer(row)


def negotiation_of(
    connection: Connection, twin: str, role: machine.Role, peer: str, peer_pid: str
) -> Negotiation | None:
    """The negotiation that a peer calls so; none where it is new."""
    c = negotiations.c
    row = _one(connection, negotiations, twin, (c.role == role) & (c.peer == peer) & (c.peer_pid == peer_pid))
    return None if row is None else _negotiation(row)


def transfer_of(
    connection: Connection, twin: str, role: machine.Role, peer: str, peer_pid: str
) -> Transfer | None:
    """The transfer that a peer calls so; none where it is new."""
    c = transfers.c
    row = _one(connection, transfers, twin, (c.role == role) & (c.peer == peer) & (c.peer_pid == peer_pid))
    return None if row is None else _transfer(row)


def negotiations_in(connection: Connection, twin: str, *states: str) -> list[Negotiation]:
    """All negotiations, the one that changed last first; those in some states only where any are named."""
    query = select(negotiations).where(negotiations.c.twin == twin).order_by(negotiations.c.updated.desc())
    if states:
        query = query.where(negotiations.c.state.in_(states))
    return [_negotiation(row) for row in connection.execute(query)]


def transfers_in(connection: Connection, twin: str, *states: str, agreement: str = "") -> list[Transfer]:
    """All transfers, the one that changed last first; those in some states, or of one agreement."""
    query = select(transfers).where(transfers.c.twin == twin).order_by(transfers.c.updated.desc())
    if states:
        query = query.where(transfers.c.state.in_(states))
    if agreement:
        query = query.where(transfers.c.agreement == agreement)
    return [_transfer(row) for row in connection.execute(query)]


def keep(connection: Connection, twin: str, process: Process, now: datetime) -> None:
    """Write a negotiation or a transfer, a new one or a changed one."""
    table = negotiations if isinstance(process, Negotiation) else transfers
    values = _values(process) | {"updated": now.astimezone(UTC)}
    mine = (table.c.twin == twin) & (table.c.pid == process.pid)
    if connection.execute(update(table).where(mine).values(values)).rowcount == 0:
        connection.execute(
            insert(table).values({"twin": twin, "pid": process.pid, "created": now.astimezone(UTC)} | values)
        )


def add_message(
    connection: Connection,
    twin: str,
    process: Process,
    way: Literal["in", "out"],
    body: Mapping[str, Any],
    author: Mapping[str, Any],
    mark: str,
    now: datetime,
) -> int:
    """Write one message behind the others of its negotiation or transfer; its place."""
    mine = (messages.c.twin == twin) & (messages.c.of == process.pid)
    last = connection.execute(select(func.max(messages.c.seq)).where(mine)).scalar()
    seq = 0 if last is None else int(last) + 1
    connection.execute(
        insert(messages).values(
            twin=twin, of=process.pid, seq=seq, way=way, type=str(body.get("@type", ""))[:48], body=dict(body),
            author=dict(author), mark=mark, state=process.state, at=now.astimezone(UTC),
        )
    )  # fmt: skip
    return seq


def messages_of(connection: Connection, twin: str, pid: str) -> list[Message]:
    """The messages of a negotiation or a transfer, in order."""
    query = select(messages).where(messages.c.twin == twin, messages.c.of == pid).order_by(messages.c.seq)
    return [
        Message(r.of, r.seq, r.way, r.type, r.body, r.author, r.mark, r.state, _utc(r.at))
        for r in connection.execute(query)
    ]


def times_of(connection: Connection, twin: str, process: Process) -> tuple[datetime, datetime]:
    """When it was begun and when it last changed."""
    table = negotiations if isinstance(process, Negotiation) else transfers
    query = select(table.c.created, table.c.updated).where(table.c.twin == twin, table.c.pid == process.pid)
    row = connection.execute(query).one()
    return _utc(row.created), _utc(row.updated)


def came_before(found: Sequence[Message], mark: str) -> Message | None:
    """The message that came with that mark before."""
    return next((one for one in found if mark and one.way == "in" and one.mark == mark), None)


def _one(connection: Connection, table: Table, twin: str, which: Any) -> Row[Any] | None:
    query = select(table).where(table.c.twin == twin, which)
    return connection.execute(query).first()


def _values(process: Process) -> dict[str, Any]:
    values: dict[str, Any] = {
        "role": process.role, "peer": process.peer, "peer_pid": process.peer_pid, "callback": process.callback,
        "state": process.state, "error": process.error, "revision": process.revision,
    }  # fmt: skip
    if isinstance(process, Transfer):
        return values | {
            "agreement": process.agreement,
            "format": process.format,
            "address": process.address,
        }
    return values | {
        "dataset": process.dataset, "offer": dict(process.offer or {}), "agreement": process.agreement,
        "turn": machine.turn(process.state),
    }  # fmt: skip


def _negotiation(row: Row[Any]) -> Negotiation:
    return Negotiation(
        row.pid, row.role, row.peer, row.peer_pid, row.callback, cast(machine.State, row.state), row.dataset, row.offer or None,
        row.agreement, row.error, row.revision,
    )  # fmt: skip


def _transfer(row: Row[Any]) -> Transfer:
    return Transfer(
        row.pid, row.role, row.peer, row.agreement, row.format, row.peer_pid, row.callback, row.state, row.address, row.error,
        row.revision,
    )  # fmt: skip


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
