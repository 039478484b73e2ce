"""Who looks at a scenario just now, and which building they have in hand: so that two editors see each other.

It is no part of the journal. Its rows have numbers below zero, are written over by the next sign of life of the same client and
thrown away once nothing was heard of it; they lie beside the entries because every server process sees those.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, insert, select

from twintown.ground.errors import NotFound
from twintown.store.engine import reading, writing
from twintown.store.schema import scenario_entries, scenarios
from twintown.store.tables import Tables

from .plans import entry_of

#: Of whom nothing was heard for so long counts as gone, seconds.
AWAY_S = 25.0


@dataclass(frozen=True)
class Presence:
    """Somebody who looks at a scenario: which client, under which name, with which object in hand; when last heard of."""

    client: str
    author: Mapping[str, Any]
    object: str
    at: datetime


def here(
    tables: Tables, id: str, client: str, author: Mapping[str, Any], object: str = "", *, leaves: bool = False
) -> None:
    """Note that a client looks at a scenario, with an object in hand; or that it leaves. Raises NotFound, StorageFailed."""
    now = datetime.now(UTC)
    seq = -1 - zlib.crc32(client.encode()) % (2**31 - 2)
    mine = and_(scenario_entries.c.twin == tables.twin, scenario_entries.c.scenario == id)
    known = select(scenarios.c.id).where(scenarios.c.twin == tables.twin, scenarios.c.id == id)
    with writing(tables.engine) as connection:
        if connection.execute(known).first() is None:
            raise NotFound(f"there is no scenario {id[:40]!r}", tables.twin, "see its scenarios for the ids")
        away = scenario_entries.c.at < now - timedelta(seconds=AWAY_S)
        connection.execute(delete(scenario_entries).where(mine, scenario_entries.c.seq < 0, away))
        connection.execute(delete(scenario_entries).where(mine, scenario_entries.c.seq == seq))
        if not leaves:
            row = {
                "twin": tables.twin, "scenario": id, "seq": seq, "kind": "presence", "object": object,
                "body": {"client": client}, "author": dict(author), "at": now,
            }  # fmt: skip
            connection.execute(insert(scenario_entries), [row])


def who(tables: Tables, id: str) -> list[Presence]:
    """Who was heard of lately, by client."""
    query = select(scenario_entries).where(
        scenario_entries.c.twin == tables.twin, scenario_entries.c.scenario == id, scenario_entries.c.seq < 0
    )
    with reading(tables.engine) as connection:
        found = [entry_of(row) for row in connection.execute(query)]
    since = datetime.now(UTC) - timedelta(seconds=AWAY_S)
    there = [Presence(one.body["client"], one.author, one.object, one.at) for one in found if one.at >= since]
    return sorted(there, key=lambda one: one.client)
