"""Marks of messages that were taken already: no message acts twice, on whichever worker it comes, and after a crash."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from twintown.ground.errors import BadAssertion
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import seen
from twintown.store.tables import Tables

from .assertions import SKEW, Issuer


def take_in(connection: Connection, twin: str, issuer: Issuer, now: datetime) -> None:
    """Take a message, within the transaction that acts on it: if that fails, the message was not taken.

    Args:
        connection: of `store.engine.writing`.
        twin: that the message came to.

    Raises:
        BadAssertion: code `replayed`: it came before.
    """
    connection.execute(delete(seen).where(seen.c.twin == twin, seen.c.until < now.astimezone(UTC)))
    row = {"twin": twin, "jti": issuer.mark, "until": issuer.expires + 2 * SKEW}
    try:
        connection.execute(insert(seen).values(row))
    except IntegrityError as error:  # the key of the table decides, whoever else takes it at this moment
        raise _replayed() from error


def look(tables: Tables, issuer: Issuer) -> None:
    """Whether a message came before, ahead of anything that it says; taking it is another step. Raises like `take_in`."""
    with reading(tables.engine) as connection:
        query = select(seen.c.jti).where(seen.c.twin == tables.twin, seen.c.jti == issuer.mark)
        if connection.execute(query).first() is not None:
            raise _replayed()


def take(tables: Tables, issuer: Issuer, now: datetime) -> None:
    """Take a message in a transaction of its own, where nothing else is written. Raises like `take_in`, and StorageFailed."""
    with writing(tables.engine) as connection:
        take_in(connection, tables.twin, issuer, now)


def _replayed() -> BadAssertion:
    return BadAssertion(
        "this message came before", "the Authorization header", "sign the message anew", "replayed"
    )
