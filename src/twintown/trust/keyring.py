"""The keys that a twin has signed with: the present one in `signing.key`, all of them with their times in table `signing_keys`.

A rotation makes a new key, has the old one sign for it (`trust.succession`), and retires the old one: what it signed before stays
good. A key that is revoked verifies nothing any more; when it was the present one the new key has nobody to sign for it, and every
peer has to pin it by hand: whoever stole a key must not be able to name its heir.

What is killed half-way is finished by the next look (`finish`): the new key waits in `.signing.key.next` until its row stands.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select, update

from twintown.ground.errors import Conflict, NotFound, StorageFailed
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import signing_keys as table
from twintown.store.tables import Tables

from .assertions import KnownKey
from .keys import KEY_FILE, Key, new_key, read_key, signing_key, write_key
from .ledger import record_in
from .succession import endorse

NEXT, LOCK = f".{KEY_FILE}.next", f".{KEY_FILE}.lock"


class Signing(Protocol):
    """A twin that signs: its folder, and its rows opened for writing."""

    @property
    def directory(self) -> Path: ...
    @property
    def tables(self) -> Tables: ...


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of this twin (Multikey), from when until when, and the signature of the key before it."""

    public: str
    since: datetime | None
    retired: datetime | None = None
    revoked: datetime | None = None
    why: str = ""
    endorsed: Mapping[str, Any] | None = None

    @property
    def state(self) -> str:
        """`present`, `retired` or `revoked`."""
        return "revoked" if self.revoked else "retired" if self.retired else "present"

    @property
    def known(self) -> KnownKey:
        """As others know it."""
        return KnownKey(self.public, self.since, self.retired, self.revoked)


def own_keys(twin: Signing) -> tuple[OwnKey, ...]:
    """All keys of a twin, oldest first; the last that is neither retired nor revoked signs. One is made where there is none."""
    with reading(twin.tables.engine) as connection:
        rows = _rows(connection, twin.tables.twin)
    present = signing_key(twin.directory).public
    return rows if any(one.public == present for one in rows) else (*rows, OwnKey(present, None))


def rotate(twin: Signing, now: datetime, why: str = "", by: str = "") -> OwnKey:
    """A new key, which the present one signs for.

    Args:
        why, by: the reason and who did it, for the ledger.

    Raises:
        Conflict: another process is at it. StorageFailed: a file or a row cannot be written.
    """
    with _alone(twin):
        old = signing_key(twin.directory)
        return _replace(twin, old, now, {"retired": now, "why": why}, "rotation", by, endorsed=True)


def revoke(twin: Signing, public: str, now: datetime, why: str, by: str = "") -> OwnKey:
    """A key verifies nothing from now on; where it is the present one a new one is made that nobody signs for.

    Returns:
        the key that signs now.

    Raises:
        NotFound: the twin never had that key. Conflict, StorageFailed: see `rotate`.
    """
    with _alone(twin):
        present = signing_key(twin.directory)
        if public == present.public:
            ended = {"retired": now, "revoked": now, "why": why}
            return _replace(twin, present, now, ended, "revocation", by, endorsed=False)
        with writing(twin.tables.engine) as connection:
            known = {one.public: one for one in _rows(connection, twin.tables.twin)}
            if public not in known:
                raise NotFound(
                    f"the twin never signed with {public[:60]!r}", "key", "see `twintown key list`"
                )
            if known[public].revoked is None:
                _set(connection, twin.tables.twin, public, {"revoked": now, "why": why})
                _record(connection, twin.tables, "revocation", public, "", now, why, by)
    return next(one for one in own_keys(twin) if one.public == present.public)


def finish(twin: Signing) -> None:
    """Put a key in its place whose making was cut short, or forget it if it never counted. Raises Conflict, StorageFailed."""
    if (twin.directory / NEXT).exists():
        with _alone(twin):
            pass


def _replace(
    twin: Signing, old: Key, now: datetime, ended: Mapping[str, Any], what: str, by: str, *, endorsed: bool
) -> OwnKey:
    name = twin.tables.twin
    new = new_key()
    write_key(twin.directory / NEXT, new)
    with writing(twin.tables.engine) as connection:
        rows = _rows(connection, name)
        if all(one.public != old.public for one in rows):
            first = {
                "twin": name,
                "public": old.public,
                "seq": len(rows),
                "since": now,
                "why": "",
                "endorsed": None,
            }
            connection.execute(insert(table).values(first))
            rows = _rows(connection, name)
        _set(connection, name, old.public, ended)
        statement = endorse(old, new.public, name, now) if endorsed else None
        row = {
            "twin": name,
            "public": new.public,
            "seq": len(rows),
            "since": now,
            "why": "",
            "endorsed": statement,
        }
        connection.execute(insert(table).values(row))
        _record(connection, twin.tables, what, old.public, new.public, now, str(ended["why"]), by)
    _settle(twin)
    return OwnKey(new.public, now, endorsed=statement)


def _record(
    connection: Connection, tables: Tables, what: str, key: str, new: str, now: datetime, why: str, by: str
) -> None:
    said = {"what": what, "key": key, "next": new, "why": why, "by": by}
    record_in(connection, tables, "key", said, now)


def _settle(twin: Signing) -> None:
    """The waiting key becomes the present one if its row stands, and goes if it does not."""
    waiting = twin.directory / NEXT
    if not waiting.exists():
        return
    with reading(twin.tables.engine) as connection:
        rows = _rows(connection, twin.tables.twin)
    public = read_key(waiting).public
    try:
        if any(one.public == public and one.retired is None for one in rows):
            waiting.replace(twin.directory / KEY_FILE)
        else:
            waiting.unlink(missing_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"the new key cannot be put in its place ({error.strerror})", str(waiting)
        ) from error


@contextmanager
def _alone(twin: Signing) -> Iterator[None]:
    """Nobody else changes the keys meanwhile; the system drops the lock with its holder."""
    path = twin.directory / LOCK
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageFailed(f"the keys cannot be changed ({error.strerror})", str(path)) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict("another process changes the keys", str(twin.directory), "try again") from error
        _settle(twin)
        yield
    finally:
        os.close(handle)


def _rows(connection: Connection, twin: str) -> tuple[OwnKey, ...]:
    query = select(table).where(table.c.twin == twin).order_by(table.c.seq)
    return tuple(
        OwnKey(row.public, _utc(row.since), _utc(row.retired), _utc(row.revoked), row.why, row.endorsed)
        for row in connection.execute(query)
    )


def _set(connection: Connection, twin: str, public: str, values: Mapping[str, Any]) -> None:
    connection.execute(update(table).where(table.c.twin == twin, table.c.public == public).values(**values))


def _utc(value: datetime | None) -> datetime | None:
    return (
        None
        if value is None
        else value.replace(tzinfo=UTC)
        if value.tzinfo is None
        else value.astimezone(UTC)
    )
