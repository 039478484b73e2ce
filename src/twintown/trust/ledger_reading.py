"""The entries of a ledger as officers read them: record and all, through a Grant to share, to release or to govern."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from twintown.ground.errors import NotFound
from twintown.store.engine import reading
from twintown.store.schema_shared import ledger_entries

from .grant import Action, Grant
from .ledger import Entry, Rows, entry_of

#: Who may do one of these reads what the entries say.
OFFICERS: tuple[Action, ...] = ("share", "release", "govern")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries, newest first: of one kind, of one agreement, before a place, so many at most."""

    kind: str = ""
    agreement: str = ""
    before: int | None = None
    limit: int = 100


def entries(tables: Rows, grant: Grant, wanted: Wanted) -> list[Entry]:
    """The entries that are asked for, the newest first.

    Raises:
        Unauthenticated, Denied: the Grant is none of an officer's.
    """
    _officer(grant)
    mine = ledger_entries.c.twin == tables.twin
    if wanted.kind:
        mine = and_(mine, ledger_entries.c.kind == wanted.kind)
    if wanted.agreement:
        said = ledger_entries.c.record["agreement"].as_string() == wanted.agreement
        named = and_(
            ledger_entries.c.kind == "agreement",
            ledger_entries.c.record["id"].as_string() == wanted.agreement,
        )
        mine = and_(mine, or_(said, named))
    if wanted.before is not None:
        mine = and_(mine, ledger_entries.c.seq < wanted.before)
    query = select(ledger_entries).where(mine).order_by(ledger_entries.c.seq.desc()).limit(wanted.limit)
    with reading(tables.engine) as connection:
        return [entry_of(row) for row in connection.execute(query)]


def entry(tables: Rows, grant: Grant, seq: int) -> Entry:
    """One entry. Raises NotFound, and like `entries`."""
    _officer(grant)
    query = select(ledger_entries).where(ledger_entries.c.twin == tables.twin, ledger_entries.c.seq == seq)
    with reading(tables.engine) as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no entry {seq}", "ledger")
    return entry_of(row)


def _officer(grant: Grant) -> None:
    grant.require()
    if grant.action not in OFFICERS:
        grant.refuse("entries are read by officers", "no-rule")
