"""Who fails to sign in waits: longer with each failure, by the name that was tried and by the address it came from.

Kept in the database, so that it counts for all workers and after a restart. Names that nobody has are counted like all others, so that
a pause does not tell who has an account. The table holds digests only.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from twintown.ground.errors import TooMany
from twintown.store.engine import writing
from twintown.store.schema_shared import tries as table
from twintown.store.tables import Tables


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures are free; each further one doubles the pause, from one second up to `longest`."""

    free: int
    longest: timedelta

    def pause(self, failed: int) -> timedelta:
        """How long who failed so often waits after the last failure."""
        if failed < self.free:
            return timedelta(0)
        return min(timedelta(seconds=2 ** min(failed - self.free, 20)), self.longest)


NAME = Limit(4, timedelta(minutes=2))
ADDRESS = Limit(12, timedelta(minutes=15))
#: After so long without a failure all is forgotten.
FORGOTTEN = timedelta(hours=1)


def mark(twin: str, kind: str, value: str) -> str:
    """What the table calls a name or an address."""
    return hashlib.sha256(f"{twin}\n{kind}\n{value}".encode("utf-8", "surrogatepass")).hexdigest()


def place_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that an IPv6 host chooses its own from."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((number, 64), strict=False)) if number.version == 6 else str(number)


def admit(tables: Tables, name: str, address: str, now: datetime) -> bool:
    """Count one more try, before it is looked at: many at once are many. Whether it may be looked at, or the name has to wait.

    Args:
        address: of the caller, as a number.

    Raises:
        TooMany: too many failures from this address, whatever name was tried. StorageFailed.
    """
    by_name, by_address = _marks(tables.twin, name, address)
    with writing(tables.engine) as connection:
        pause = wait(connection, tables.twin, by_address, ADDRESS, now)
        if pause:
            raise TooMany(
                "too many failures to sign in from here", "session", f"try again in {_words(pause)}"
            )
        waits = bool(wait(connection, tables.twin, by_name, NAME, now))
        count(connection, tables.twin, by_address, now)
        if not waits:
            count(connection, tables.twin, by_name, now)
    return not waits


def clear(tables: Tables, name: str, address: str) -> None:
    """The last try that was counted was none that failed. Raises StorageFailed."""
    with writing(tables.engine) as connection:
        clear_in(connection, tables.twin, name, address)


def clear_in(connection: Connection, twin: str, name: str, address: str) -> None:
    """The same, in a transaction of the caller's."""
    by_name, by_address = _marks(twin, name, address)
    forget(connection, twin, by_name)
    take_back(connection, twin, by_address)


def _marks(twin: str, name: str, address: str) -> tuple[str, str]:
    return mark(twin, "name", name), mark(twin, "address", place_of(address))


def _words(pause: timedelta) -> str:
    seconds = int(pause.total_seconds()) + 1
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"


def wait(connection: Connection, twin: str, mark: str, limit: Limit, now: datetime) -> timedelta:
    """How long this one has still to wait; nothing where it may try."""
    mine = (table.c.twin == twin) & (table.c.mark == mark)
    row = connection.execute(select(table.c.failed, table.c.last).where(mine)).first()
    if row is None:
        return timedelta(0)
    last: datetime = row.last if row.last.tzinfo else row.last.replace(tzinfo=UTC)
    if now - last >= FORGOTTEN:
        return timedelta(0)
    return max(last + limit.pause(row.failed) - now, timedelta(0))


def count(connection: Connection, twin: str, mark: str, now: datetime) -> None:
    """One more failure."""
    at = now.astimezone(UTC)
    connection.execute(delete(table).where(table.c.twin == twin, table.c.last <= at - FORGOTTEN))
    mine = (table.c.twin == twin) & (table.c.mark == mark)
    more = connection.execute(update(table).where(mine).values(failed=table.c.failed + 1, last=at))
    if not more.rowcount:
        connection.execute(insert(table).values(twin=twin, mark=mark, failed=1, last=at))


def take_back(connection: Connection, twin: str, mark: str) -> None:
    """What was counted was no failure."""
    mine = (table.c.twin == twin) & (table.c.mark == mark) & (table.c.failed > 0)
    connection.execute(update(table).where(mine).values(failed=table.c.failed - 1))


def forget(connection: Connection, twin: str, mark: str) -> None:
    """Who has signed in starts anew."""
    connection.execute(delete(table).where(table.c.twin == twin, table.c.mark == mark))
