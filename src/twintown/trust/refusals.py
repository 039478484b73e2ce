"""Refusals: each counts, none is lost in the noise. The first of its kind in an hour goes into the ledger at once, the others as a count.

A row is one caller's repeats within an hour; when the hour is over, its count goes into the ledger and the row goes. Callers are
officers, services and cities by name; everybody else is `anyone`, and no address of a machine is written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, delete, insert, select, update

from twintown.store.engine import reading, writing
from twintown.store.schema_shared import refusals
from twintown.store.tables import Tables
from twintown.trust.identity import Subject
from twintown.trust.ledger import record_in

#: The longest reason that is kept, characters.
LONGEST = 300
_SAID = ("hour", "caller", "action", "resource", "reason", "count")


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused, as it is counted: to whom, which action on what, by which rule, with which reason."""

    caller: str
    action: str
    resource: str
    code: str
    reason: str

    @property
    def said(self) -> str:
        """Code and reason in one line."""
        return f"{self.code}: {self.reason}"[:LONGEST] if self.code else self.reason[:LONGEST]


def caller_of(subject: Subject) -> str:
    """What a caller is called in the record: never a citizen by name."""
    if subject.kind in ("person", "service"):
        return f"{subject.kind} {subject.name}"[:200]
    return subject.name[:200] if subject.kind == "peer" else subject.kind


def count(tables: Tables, refused: Mapping[Refused, int], now: datetime) -> None:
    """Count refusals of this moment, in one transaction. Raises StorageFailed."""
    hour = hour_of(now)
    with writing(tables.engine) as connection:
        for one, times in refused.items():
            values = {
                "hour": hour, "caller": one.caller, "action": one.action[:16], "resource": one.resource[:200], "reason": one.said,
            }  # fmt: skip
            mine = and_(
                refusals.c.twin == tables.twin, *(refusals.c[name] == value for name, value in values.items())
            )
            again = update(refusals).where(mine).values(count=refusals.c.count + times, last=now)
            if connection.execute(again).rowcount:
                continue
            connection.execute(
                insert(refusals).values(twin=tables.twin, count=times, first=now, last=now, **values)
            )
            record_in(connection, tables, "refusal", values, now)


def close(tables: Tables, now: datetime) -> int:
    """Enter the counts of the hours that are over, and forget them; how many rows those were. Raises StorageFailed."""
    over = and_(refusals.c.twin == tables.twin, refusals.c.hour < hour_of(now))
    with reading(tables.engine) as connection:
        if connection.execute(select(refusals.c.hour).where(over).limit(1)).first() is None:
            return 0
    with writing(tables.engine) as connection:
        rows = connection.execute(
            select(refusals).where(over).order_by(refusals.c.hour, refusals.c.first)
        ).all()
        for row in rows:
            said: dict[str, Any] = {name: row._mapping[name] for name in _SAID}
            if said["count"] > 1:  # a single one stands there already
                record_in(connection, tables, "refusal", said, now)
        connection.execute(delete(refusals).where(over))
    return len(rows)


def hour_of(moment: datetime) -> str:
    """An hour, as the rows name it: `2026-11-22T10` in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"
