"""What a peer was last seen to be (table `peers`): whether it answers, its keys along their endorsements, what was not believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import delete, insert, select

from twintown.store.engine import reading, writing
from twintown.store.schema_shared import peers as table
from twintown.store.tables import Tables

from .peers import Peer

#: `asked`: somebody wants it to be looked at soon; `unseen`: nobody has looked yet.
State = Literal["unseen", "asked", "reached", "silent", "strange"]
#: A peer is looked at so often; one that does not answer, or that a message with an unknown key came from, sooner.
OFTEN, SOON, AT_ONCE = timedelta(minutes=10), timedelta(minutes=1), timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Sight:
    """One row of table `peers`.

    Attributes:
        seen: when it was last looked at.
        keys: rows as `trust.following` makes them.
        said: `doubts` (sentences), `error` (one sentence), `answered` (ISO 8601: when it last did).
    """

    state: State = "unseen"
    seen: datetime | None = None
    keys: tuple[Mapping[str, Any], ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)

    def due(self, now: datetime) -> bool:
        """Whether it is time to look at the peer again."""
        wait = {"unseen": timedelta(0), "asked": AT_ONCE, "reached": OFTEN}.get(self.state, SOON)
        return self.seen is None or now - self.seen >= wait


def sight(tables: Tables, did: str) -> Sight:
    """What was last seen of a peer; `unseen` where nobody looked. Raises StorageFailed."""
    query = select(table).where(table.c.twin == tables.twin, table.c.did == did)
    with reading(tables.engine) as connection:
        row = connection.execute(query).first()
    if row is None:
        return Sight()
    seen = row.seen if row.seen is None or row.seen.tzinfo else row.seen.replace(tzinfo=UTC)
    return Sight(cast(State, row.state), seen, tuple(row._mapping["keys"]), row.said)


def keep(tables: Tables, peer: Peer, seen: Sight) -> None:
    """Write down what was seen. Raises StorageFailed."""
    mine = (table.c.twin == tables.twin) & (table.c.did == peer.did)
    row = {
        "twin": tables.twin, "did": peer.did, "address": peer.address, "keys": [dict(one) for one in seen.keys],
        "state": seen.state, "seen": seen.seen, "said": dict(seen.said),
    }  # fmt: skip
    with writing(tables.engine) as connection:
        connection.execute(delete(table).where(mine))
        connection.execute(insert(table).values(row))


def wish(tables: Tables, peer: Peer, now: datetime) -> bool:
    """Have a peer looked at soon: a message of it named a key that is not known here.

    Returns:
        whether anything was written; a peer that was looked at just now is not looked at again for every bad message.

    Raises:
        StorageFailed.
    """
    last = sight(tables, peer.did)
    if last.state == "asked" or (last.seen is not None and now - last.seen < AT_ONCE):
        return False
    keep(tables, peer, Sight("asked", last.seen, last.keys, last.said))
    return True
