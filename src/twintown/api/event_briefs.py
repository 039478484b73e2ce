"""Events as lists say them, ready to be sent: a revision never changes, so each is made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request

from twintown.api import answers, event_sight
from twintown.api.guard import Asked
from twintown.programme import event_rows
from twintown.store.engine import reading

#: Briefs that are kept of one twin.
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Brief:
    """One event of a list: by what lists are narrowed and ordered, and its JSON."""

    id: str
    kind: str
    origin: str
    start: datetime
    end: datetime
    said: bytes


def own(request: Request, asked: Asked, since: datetime | None, until: datetime | None) -> list[Brief]:
    """Our own events and our partners', as this caller sees them, by their start."""
    tables = asked.served.twin.tables
    kept: dict[tuple[str, int], Brief] = asked.served.bodies.get(("event-briefs",), dict)
    with reading(tables.engine) as connection:
        heads = event_sight.heads_in(request, asked, connection, since, until)
        known = {pair: one for pair in heads if (one := kept.get(pair)) is not None}
        missing = [pair for pair in heads if pair not in known]
        made = event_rows.these_in(connection, tables.twin, missing)
    fresh = {(one.id, one.revision): brief(event_rows.brief_of(one)) for one in made}
    if len(kept) + len(fresh) > MOST:
        kept.clear()
    kept.update(fresh)
    known |= fresh
    return [known[pair] for pair in heads if pair in known]


def brief(said: Mapping[str, Any]) -> Brief:
    """An event as a list says it."""
    start, end = (datetime.fromisoformat(said[name]) for name in ("start", "end"))
    return Brief(said["id"], said["kind"], said["origin"], start, end, answers.dumps(said))
