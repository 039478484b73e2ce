"""Which events a caller may see: at home as scenarios are seen; what two cities have not agreed to, by their officers only.

A scenario is read by anyone from its first draft, and so is an event at home. An event on a partner's ground, or a partner's here, is a
proposal until both have signed: like every other programme of the work plan it is read by who plans, approves or shares. Who does not
sees it as it was agreed last, or not at all, as if it were not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fastapi import Request
from sqlalchemy import Connection

from twintown.api.exchange_models import meaning
from twintown.api.guard import Asked, decided
from twintown.ground.errors import NotFound
from twintown.programme import event_rows
from twintown.programme.event_rows import Kept
from twintown.trust.grant import Action

Pair = tuple[str, int]
_OFFICERS: tuple[Action, ...] = ("plan", "share", "approve")
_AGREED = ("agreed", "settled", "listed")
#: Revisions of which it is remembered what the public sees in their place.
MOST = 20_000


def officer(request: Request, asked: Asked) -> bool:
    """Whether the caller takes part in planning here, so that nothing that is still open is kept from it."""
    opened, who = request.app.state.open, asked.grant.subject
    return any(decided(opened, asked.served, who, action).allowed for action in _OFFICERS)


def check_officer(request: Request, asked: Asked, event: str) -> None:
    """What a partner lets this city use was given to the city, not to everybody (`partners.may_use`). Raises NotFound."""
    if not officer(request, asked):
        raise NotFound("what a partner lets this city use is for its officers", event, "sign in")


def event_in(
    request: Request, asked: Asked, connection: Connection, id: str, revision: int | None = None
) -> Kept:
    """An event as this caller sees it. Raises NotFound: there is none, or none that it may see."""
    twin = asked.served.twin.tables.twin
    kept = event_rows.one_in(connection, twin, id, revision)
    own = _own(request, asked)
    if _open(kept, own) or officer(request, asked):
        return kept
    found = _agreed_in(connection, twin, kept, own)
    if found is None or (revision is not None and found.revision != revision):
        raise NotFound(f"there is no event {id[:60]!r}", twin, "GET …/events lists them")
    return found


def heads_in(
    request: Request,
    asked: Asked,
    connection: Connection,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Pair]:
    """Id and revision of every event as this caller sees it, by its start."""
    twin = asked.served.twin.tables.twin
    heads = event_rows.heads_in(connection, twin, since=since, until=until)
    return heads if officer(request, asked) else _shown_in(request, asked, connection, heads)


def _shown_in(request: Request, asked: Asked, connection: Connection, heads: Sequence[Pair]) -> list[Pair]:
    twin, own = asked.served.twin.tables.twin, _own(request, asked)
    shown: dict[Pair, int] = asked.served.bodies.get(
        ("event-sight",), dict
    )  # a revision never changes; 0: not shown
    if len(shown) > MOST:
        shown.clear()
    for kept in event_rows.these_in(connection, twin, [pair for pair in heads if pair not in shown]):
        found = kept if _open(kept, own) else _agreed_in(connection, twin, kept, own)
        shown[(kept.id, kept.revision)] = found.revision if found is not None else 0
    return [(id, at) for id, revision in heads if (at := shown.get((id, revision), 0))]


def _agreed_in(connection: Connection, twin: str, last: Kept, own: str) -> Kept | None:
    """What stands of it for everybody: the last revision that was agreed; its end, where it was agreed before."""
    past = [
        one for one in event_rows.revisions_in(connection, twin, last.id) if one.revision <= last.revision
    ]
    agreed = next((one for one in reversed(past) if _open(one, own)), None)
    return last if agreed is not None and last.state in ("cancelled", "ended") else agreed


def _open(kept: Kept, own: str) -> bool:
    home = kept.origin != "partner" and str(kept.body["host"]) in ("", own)
    return home or kept.state in _AGREED


def _own(request: Request, asked: Asked) -> str:
    return meaning(request).did(asked.served.twin)
