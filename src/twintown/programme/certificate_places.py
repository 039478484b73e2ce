"""Places in status lists, drawn by chance (W3C Bitstring Status List 1.0, section 4.4: no two neighbours tell of each other)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import Connection

from twintown.programme import certificate_rows as rows
from twintown.store.tables import Tables
from twintown.trust.status_list import SIZE

_CHANCE = secrets.SystemRandom()
Place = tuple[str, int]


def draw_in(connection: Connection, tables: Tables, count: int) -> Sequence[Place]:
    """So many free places, as (list, place); of new lists where the present ones are full."""
    found: list[Place] = []
    for one in rows.lists_in(connection, tables):
        room = min(rows.FULL - one.used, count - len(found))
        if room > 0:
            found += [(one.id, place) for place in _free(rows.places_in(connection, tables, one.id), room)]
    while len(found) < count:
        id = f"{rows.LIST_PREFIX}{secrets.token_hex(8)}"
        found += [(id, place) for place in _free(set(), min(rows.FULL, count - len(found)))]
    return found


def _free(taken: set[int], count: int) -> list[int]:
    return _CHANCE.sample([place for place in range(SIZE) if place not in taken], count)
