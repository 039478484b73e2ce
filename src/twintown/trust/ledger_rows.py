"""The checkpoints of a twin's ledger, and those of peers that it has cosigned, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from twintown.store.schema_shared import checkpoints

from .ledger import Rows
from .notes import Note

#: So many of the last checkpoints of a log are kept.
KEPT = 2000


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint: of which log, how many entries, the root of its tree, and the signed note."""

    origin: str
    size: int
    root: bytes
    note: Note


def newest(connection: Connection, tables: Rows, origin: str) -> Kept | None:
    """The largest checkpoint of a log that is kept; None where there is none yet."""
    return _one(connection, tables, origin, None)


def at_size(connection: Connection, tables: Rows, origin: str, size: int) -> Kept | None:
    """The checkpoint of that size; None where none was made."""
    return _one(connection, tables, origin, size)


def seen(connection: Connection, tables: Rows, origin: str, most: int = 1000) -> list[Note]:
    """The checkpoints of a log that are kept, the newest first."""
    mine = and_(checkpoints.c.twin == tables.twin, checkpoints.c.origin == origin)
    query = select(checkpoints.c.note).where(mine).order_by(checkpoints.c.size.desc()).limit(most)
    return [Note.parse(one, f"checkpoint of {origin}") for one in connection.execute(query).scalars()]


def origins(connection: Connection, tables: Rows) -> list[str]:
    """The logs of which checkpoints are kept, the one that was touched last first."""
    last = func.max(checkpoints.c.at).desc()
    query = select(checkpoints.c.origin).where(checkpoints.c.twin == tables.twin)
    return list(connection.execute(query.group_by(checkpoints.c.origin).order_by(last)).scalars())


def _one(connection: Connection, tables: Rows, origin: str, size: int | None) -> Kept | None:
    mine = and_(checkpoints.c.twin == tables.twin, checkpoints.c.origin == origin)
    if size is not None:
        mine = and_(mine, checkpoints.c.size == size)
    query = select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.note).where(mine)
    row = connection.execute(query.order_by(checkpoints.c.size.desc()).limit(1)).first()
    if row is None:
        return None
    return Kept(
        origin, int(row.size), bytes.fromhex(row.root), Note.parse(row.note, f"checkpoint of {origin}")
    )


def keep(connection: Connection, tables: Rows, kept: Kept, now: datetime) -> None:
    """Keep a checkpoint, or its note with further signatures; old ones beyond `KEPT` go."""
    mine = and_(checkpoints.c.twin == tables.twin, checkpoints.c.origin == kept.origin)
    note = kept.note.encode()
    same = update(checkpoints).where(
        mine, checkpoints.c.size == kept.size, checkpoints.c.root == kept.root.hex()
    )
    if connection.execute(same.values(note=note, at=now)).rowcount:
        return
    row = {
        "twin": tables.twin,
        "origin": kept.origin,
        "size": kept.size,
        "root": kept.root.hex(),
        "note": note,
        "at": now,
    }
    connection.execute(insert(checkpoints).values(row))
    sizes = select(checkpoints.c.size).where(mine).order_by(checkpoints.c.size.desc()).offset(KEPT).limit(1)
    oldest = connection.execute(sizes).scalar()
    if oldest is not None:
        connection.execute(delete(checkpoints).where(mine, checkpoints.c.size <= oldest))
