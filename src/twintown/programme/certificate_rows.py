"""The certificates of a twin as rows, and its status lists."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, true, tuple_, update

from twintown.ground.errors import NotFound
from twintown.store.engine import reading
from twintown.store.schema_programme import certificates, status_lists
from twintown.store.tables import Tables
from twintown.trust import status_list
from twintown.trust.ledger import Entry, entries_in

PREFIX, LIST_PREFIX = "ct-", "sl-"
#: A list that has given away so many places is followed by another; what is left keeps a place to be drawn a matter of chance.
FULL = status_list.SIZE * 3 // 4
#: Names asked for in one query, at most.
_CHUNK = 500


@dataclass(frozen=True)
class Kept:
    """A certificate as it is kept.

    Attributes:
        digest: SHA-256 of `jwt`, hexadecimal. list, place: where its status stands.
        revoked, why: since when it does not hold, and the reason. ledger: place of its entry.
    """

    id: str
    lot: str
    batch: str
    gtin: str
    digest: str
    jwt: str
    list: str
    place: int
    issued: datetime
    until: datetime
    revoked: datetime | None
    why: str
    ledger: int
    author: Mapping[str, Any]

    def stands(self, now: datetime) -> bool:
        """Whether it is neither revoked nor over."""
        return self.revoked is None and now <= self.until


@dataclass(frozen=True)
class List:
    """A status list as it is kept. `used`: places given away; `updated`: when a bit of it was set last."""

    id: str
    bits: bytes
    used: int
    updated: datetime


def new_id() -> str:
    """A name that no other certificate has, and that nobody guesses."""
    return f"{PREFIX}{secrets.token_hex(12)}"


def one(tables: Tables, id: str) -> Kept:
    """One certificate. Raises NotFound."""
    with reading(tables.engine) as connection:
        row = connection.execute(select(certificates).where(_mine(tables), certificates.c.id == id)).first()
    if row is None:
        raise NotFound(f"there is no certificate {id[:80]!r}", "certificates", "scan the code again")
    return _kept(row)


def of_batch(tables: Tables, gtin: str, batch: str) -> Kept:
    """The newest certificate of a lot by what its code says. Raises NotFound."""
    named = and_(_mine(tables), certificates.c.gtin == gtin, certificates.c.batch == batch)
    with reading(tables.engine) as connection:
        row = connection.execute(
            select(certificates).where(named).order_by(certificates.c.ledger.desc()).limit(1)
        ).first()
    if row is None:
        raise NotFound(
            f"no lot {gtin} {batch[:40]} was certified here", "certificates", "scan the code again"
        )
    return _kept(row)


def listed(tables: Tables, lot: str = "", limit: int = 100) -> list[Kept]:
    """The certificates, the newest first; of one lot where it is named."""
    mine = and_(_mine(tables), certificates.c.lot == lot) if lot else _mine(tables)
    query = select(certificates).where(mine).order_by(certificates.c.ledger.desc()).limit(limit)
    with reading(tables.engine) as connection:
        return [_kept(row) for row in connection.execute(query)]


def entry_of(tables: Tables, one: Kept) -> Entry:
    """The ledger's entry of a certificate; all that it says, the certificate says too. Raises NotFound."""
    with reading(tables.engine) as connection:
        found = entries_in(connection, tables, one.ledger, one.ledger + 1)
    if not found or found[0].record.get("digest") != one.digest:
        raise NotFound(f"the ledger has no entry of {one.id}", "ledger", "run `twintown ledger verify`")
    return found[0]


def standing_in(
    connection: Connection, tables: Tables, lots: Collection[str], now: datetime
) -> dict[str, str]:
    """Of these lots those that a certificate stands for, with its id."""
    query = select(certificates.c.lot, certificates.c.id).where(
        _mine(tables), certificates.c.revoked.is_(None), certificates.c.until >= now.astimezone(UTC)
    )
    found: dict[str, str] = {}
    wanted = list(lots)
    for start in range(0, len(wanted), _CHUNK):
        some = certificates.c.lot.in_(wanted[start : start + _CHUNK])
        found.update({row.lot: row.id for row in connection.execute(query.where(some))})
    return found


def bags_in(
    connection: Connection, tables: Tables, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Of these GTINs and batches those that a lot was ever certified under, with the first such lot."""
    c, found = certificates.c, dict[tuple[str, str], str]()
    some = sorted(wanted)
    for start in range(0, len(some), _CHUNK):
        named = tuple_(c.gtin, c.batch).in_(some[start : start + _CHUNK])
        query = select(c.gtin, c.batch, c.lot).where(_mine(tables), named).order_by(c.ledger)
        for row in connection.execute(query):
            found.setdefault((row.gtin, row.batch), row.lot)
    return found


def standing(tables: Tables, now: datetime, limit: int, lots: Collection[str] = ()) -> list[Kept]:
    """Certificates that neither ended nor were revoked, the newest first; of these lots, where some are named."""
    mine = and_(_mine(tables), certificates.c.revoked.is_(None), certificates.c.until >= now.astimezone(UTC))
    query = select(certificates).where(mine).order_by(certificates.c.ledger.desc()).limit(limit)
    wanted, found = list(lots), list[Row[Any]]()
    with reading(tables.engine) as connection:
        for start in range(0, len(wanted) or 1, _CHUNK):
            some = certificates.c.lot.in_(wanted[start : start + _CHUNK]) if wanted else true()
            found += connection.execute(query.where(some)).all()
    return [_kept(row) for row in found]


def issued_in(connection: Connection, tables: Tables) -> int:
    """How many certificates were ever issued: a number that grows with each."""
    return int(
        connection.execute(select(func.count()).select_from(certificates).where(_mine(tables))).scalar_one()
    )


def add_in(connection: Connection, tables: Tables, rows: Sequence[Kept]) -> None:
    """Write certificates."""
    if rows:
        connection.execute(insert(certificates), [_values(tables, row) for row in rows])


def revoke_in(connection: Connection, tables: Tables, lot: str, why: str, now: datetime) -> list[Kept]:
    """The certificates of a lot hold no longer, and their bits are set; those that held until now.

    The list is signed when it is given out (`certificates.signed_list`): from this commit on it says so.
    """
    mine = and_(_mine(tables), certificates.c.lot == lot, certificates.c.revoked.is_(None))
    found = [_kept(row) for row in connection.execute(select(certificates).where(mine))]
    if found:
        connection.execute(update(certificates).where(mine).values(revoked=now.astimezone(UTC), why=why))
    for id in {row.list for row in found}:
        before = list_in(connection, tables, id)
        bits = status_list.with_set(before.bits, [row.place for row in found if row.list == id])
        _keep_list(connection, tables, List(id, bits, before.used, now))
    return found


# -- status lists -----------------------------------------------------------------------------------------


def list_in(connection: Connection, tables: Tables, id: str) -> List:
    """One status list. Raises NotFound."""
    query = select(status_lists).where(status_lists.c.twin == tables.twin, status_lists.c.id == id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no status list {id[:80]!r}", "status lists")
    return List(row.id, bytes(row.bits), int(row.used), _utc(row.updated))


def lists_in(connection: Connection, tables: Tables) -> list[List]:
    """All status lists."""
    query = select(status_lists).where(status_lists.c.twin == tables.twin).order_by(status_lists.c.id)
    return [
        List(row.id, bytes(row.bits), int(row.used), _utc(row.updated)) for row in connection.execute(query)
    ]


def places_in(connection: Connection, tables: Tables, id: str) -> set[int]:
    """The places of a list that were given away."""
    query = select(certificates.c.position).where(_mine(tables), certificates.c.list == id)
    return set(connection.execute(query).scalars())


def grow_in(connection: Connection, tables: Tables, id: str, count: int, now: datetime) -> None:
    """So many more places of a list are given away; it is made where it is not there."""
    try:
        before = list_in(connection, tables, id)
    except NotFound:
        row = {
            "twin": tables.twin,
            "id": id,
            "purpose": status_list.PURPOSE,
            "bits": status_list.empty(),
            "used": count,
            "jwt": "",
        }
        connection.execute(insert(status_lists).values(**row, updated=now.astimezone(UTC)))
        return
    _keep_list(connection, tables, List(id, before.bits, before.used + count, before.updated))


def _keep_list(connection: Connection, tables: Tables, one: List) -> None:
    mine = and_(status_lists.c.twin == tables.twin, status_lists.c.id == one.id)
    connection.execute(
        update(status_lists)
        .where(mine)
        .values(bits=one.bits, used=one.used, updated=one.updated.astimezone(UTC))
    )


# -- small things -----------------------------------------------------------------------------------------


def _mine(tables: Tables) -> Any:
    return certificates.c.twin == tables.twin


def _values(tables: Tables, row: Kept) -> dict[str, Any]:
    return {
        "twin": tables.twin, "id": row.id, "lot": row.lot, "batch": row.batch, "gtin": row.gtin, "digest": row.digest,
        "jwt": row.jwt, "list": row.list, "position": row.place, "issued": row.issued.astimezone(UTC),
        "until": row.until.astimezone(UTC), "revoked": row.revoked, "why": row.why, "ledger": row.ledger, "author": dict(row.author),
    }  # fmt: skip


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        row.id, row.lot, row.batch, row.gtin, row.digest, row.jwt, row.list, int(row.position), _utc(row.issued), _utc(row.until),
        None if row.revoked is None else _utc(row.revoked), row.why, int(row.ledger), row.author,
    )  # fmt: skip


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
