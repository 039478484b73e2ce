"""Who is signed in: a random secret in a cookie, its digest in table `sessions`, ended by idleness and by age.

A session is made anew at each sign-in; nothing that a caller brings along names one (so none can be fixed beforehand). What a cookie
proves changes nothing unless the session's CSRF token stands in a header beside it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Protocol

from sqlalchemy import and_, delete, insert, or_, select, update

from twintown.store.engine import reading, writing
from twintown.store.schema_shared import accounts
from twintown.store.schema_shared import sessions as table
from twintown.store.tables import Tables
from twintown.store.watch import Watch

from .identity import ROLES, Role, Subject

#: A session ends after so long without a request, and after so long altogether.
IDLE, WHOLE = timedelta(minutes=30), timedelta(hours=12)
#: A request prolongs a session no more often than this: each costs a write.
STEP = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Session:
    """One who is signed in. `csrf` goes into the header `Twintown-CSRF` of what writes."""

    account: str
    roles: tuple[Role, ...]
    csrf: str = field(repr=False)
    created: datetime
    expires: datetime

    def subject(self, twin: str) -> Subject:
        """Who asks."""
        return Subject("person", twin, self.account, self.roles)

    def guards(self, shown: str) -> bool:
        """Whether what a request shows is this session's CSRF token; in constant time."""
        return hmac.compare_digest(self.csrf.encode(), shown.encode("utf-8", "surrogatepass"))


class Holding(Protocol):
    """A twin with its rows."""

    @property
    def tables(self) -> Tables: ...
    @property
    def watch(self) -> Watch: ...


def digest_of(secret: str) -> str:
    """What the table keeps of a cookie's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def begin(tables: Tables, account: str, now: datetime, before: str = "") -> str:
    """A new session of an account.

    Args:
        before: the secret of the session that the caller had, which ends.

    Returns:
        the secret for the cookie; it is kept nowhere.

    Raises:
        StorageFailed.
    """
    secret, at = secrets.token_urlsafe(32), now.astimezone(UTC)
    row = {
        "twin": tables.twin, "digest": digest_of(secret), "account": account, "csrf": secrets.token_urlsafe(32),
        "created": at, "expires": at + IDLE,
    }  # fmt: skip
    with writing(tables.engine) as connection:
        over = or_(table.c.expires < at, table.c.digest == digest_of(before))
        connection.execute(delete(table).where(table.c.twin == tables.twin, over))
        connection.execute(insert(table).values(row))
    return secret


def end(tables: Tables, secret: str) -> None:
    """The session of a cookie is over. Raises StorageFailed."""
    mine = and_(table.c.twin == tables.twin, table.c.digest == digest_of(secret))
    with writing(tables.engine) as connection:
        connection.execute(delete(table).where(mine))


class Sessions:
    """The sessions of one twin; read again whenever anything was committed to its database."""

    def __init__(self, twin: Holding) -> None:
        self._twin = twin
        self._lock = Lock()
        self._look: Hashable = None
        self._known: dict[str, Session | None] = {}

    def find(self, secret: str, now: datetime) -> Session | None:
        """The session of a cookie; None where there is none, it is over, or its account was closed. Raises StorageFailed."""
        digest = digest_of(secret)
        look = self._twin.watch.look()
        with self._lock:
            if look != self._look:
                self._look, self._known = look, {}
            if digest not in self._known:
                if len(self._known) > 1000:  # whoever sends many cookies that are none
                    self._known.clear()
                self._known[digest] = self._read(digest)
            found = self._known[digest]
        if found is None or now >= found.expires or now - found.created >= WHOLE:
            return None
        return found

    def prolong(self, tables: Tables, secret: str, found: Session, now: datetime) -> None:
        """The session was used; its idle end moves, its last end does not. Raises StorageFailed."""
        until = min(now + IDLE, found.created + WHOLE)
        if until - found.expires >= STEP:
            mine = and_(table.c.twin == tables.twin, table.c.digest == digest_of(secret))
            with writing(tables.engine) as connection:
                connection.execute(update(table).where(mine).values(expires=until.astimezone(UTC)))
            self._twin.watch.touch()

    def _read(self, digest: str) -> Session | None:
        tables = self._twin.tables
        same = and_(accounts.c.twin == table.c.twin, accounts.c.name == table.c.account)
        query = (
            select(table, accounts.c.roles)
            .join(accounts, same)
            .where(table.c.twin == tables.twin, table.c.digest == digest, accounts.c.disabled.is_(None))
        )
        with reading(tables.engine) as connection:
            row: Any = connection.execute(query).first()
        if row is None:
            return None
        roles = tuple(role for role in ROLES if role in row.roles)
        return Session(row.account, roles, row.csrf, _utc(row.created), _utc(row.expires))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
