"""Tokens of services: what a program shows instead of a person; for some actions, on some layers and processes, until a day.

A scope is an action ("read", "run", "plan", "write", "share"), an action on one thing ("read:layer:buildings", "write:layer:plans",
"run:process:sunlight"), or "sensitive" (reads what is graded S). A token is shown once; the table keeps its digest.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from twintown.ground.errors import BadInput, NotFound
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import tokens as table
from twintown.store.tables import Tables

from .identity import SCOPES

KIND = "service"
#: A token is good for so long at most.
LONGEST = timedelta(days=366)
_NARROW = re.compile(r"(?:(?:read|write):layer|run:process):[a-z0-9][a-z0-9\-]{0,62}")


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token as its owner sees it again: everything but itself."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    revoked: datetime | None
    author: Mapping[str, Any]


def scopes_of(said: Sequence[str], where: str = "scopes") -> tuple[str, ...]:
    """Scopes, each once. Raises BadInput: one that is none, or no action at all."""
    for one in said:
        if one not in SCOPES and not _NARROW.fullmatch(one):
            known = ", ".join((*SCOPES, "read:layer:ID", "write:layer:ID", "run:process:ID"))
            raise BadInput(f"{one[:80]!r} is no scope", where, f"write of {known}")
    if not set(said) - {"sensitive"}:
        raise BadInput("a token is for something", where, "name at least one action, such as read")
    return tuple(dict.fromkeys(said))


def add_token(
    tables: Tables,
    name: str,
    scopes: Sequence[str],
    life: timedelta,
    now: datetime,
    author: Mapping[str, Any],
) -> tuple[ServiceToken, str]:
    """A new token.

    Args:
        name: of the service, up to 80 characters.
        life: how long it is good.
        author: who gave it, as `Subject.author` says.

    Returns:
        the token as it is listed, and the token itself, which is kept nowhere.

    Raises:
        BadInput: a name, a scope or a life that cannot be taken. StorageFailed.
    """
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise BadInput("a token has the name of a service", "name", "write up to 80 letters")
    if not timedelta(minutes=1) <= life <= LONGEST:
        raise BadInput(f"a token is good for at most {LONGEST.days} days", "days", "give another number")
    known, at = scopes_of(scopes), now.astimezone(UTC)
    secret, id = secrets.token_urlsafe(32), secrets.token_hex(6)
    row = {
        "twin": tables.twin, "digest": hashlib.sha256(secret.encode()).hexdigest(), "id": id, "kind": KIND, "name": name,
        "scopes": list(known), "agreement": "", "author": dict(author), "created": at, "expires": at + life, "revoked": None,
    }  # fmt: skip
    with writing(tables.engine) as connection:
        connection.execute(insert(table).values(row))
    return ServiceToken(id, name, known, at, at + life, None, author), secret


def list_tokens(tables: Tables) -> tuple[ServiceToken, ...]:
    """The tokens of services, newest first. Raises StorageFailed."""
    query = (
        select(table)
        .where(table.c.twin == tables.twin, table.c.kind == KIND)
        .order_by(table.c.created.desc())
    )
    with reading(tables.engine) as connection:
        return tuple(_token(row) for row in connection.execute(query))


def revoke_token(tables: Tables, id: str, now: datetime) -> ServiceToken:
    """A token opens nothing from now on; the first time counts. Raises NotFound, StorageFailed."""
    mine = (table.c.twin == tables.twin) & (table.c.kind == KIND) & (table.c.id == id)
    with writing(tables.engine) as connection:
        again = mine & table.c.revoked.is_(None)
        connection.execute(update(table).where(again).values(revoked=now.astimezone(UTC)))
        row = connection.execute(select(table).where(mine)).first()
    if row is None:
        raise NotFound(f"there is no token {id[:48]!r}", tables.twin, "see `twintown token list`")
    return _token(row)


def _token(row: Row[Any]) -> ServiceToken:
    created, expires, revoked = (
        one if one is None or one.tzinfo else one.replace(tzinfo=UTC)
        for one in (row.created, row.expires, row.revoked)
    )
    return ServiceToken(row.id, row.name, tuple(row.scopes), created, expires, revoked, row.author)
