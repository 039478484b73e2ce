"""The ledger of a twin: what was offered, agreed, released, refused, transferred and recalled, as digests in the order it happened.

An entry is written in the transaction of the thing that it tells of, so that neither stands without the other:

    with writing(tables.engine) as connection:
        … change the agreement …
        record_in(connection, tables, "suspension", {"agreement": id, "by": "…", "why": "…"}, now)

The tree holds an entry's `leaf` only: its kind, its time, and a SHA-256 over 16 random bytes (the salt) and the canonical form of
the record (RFC 8785). Without the salt nobody learns from a leaf what the record says, not even by guessing at it; with salt and
record anybody can check that this and nothing else was entered. The keeper makes the tree from the rows (`trust.ledger_tree`).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Row, and_, func, insert, select, text

from twintown.ground.errors import BadData, TooLarge
from twintown.store.schema_shared import ledger_entries

from .proof import canonical

#: Bytes of salt before each record.
SALT = 16
#: The longest record, bytes of its canonical form; an entry names things by digest instead of holding them.
LONGEST = 64 * 1024
#: What entries are called; other short lower-case words are taken too.
KINDS = (
    "offer", "agreement", "suspension", "resumption", "end", "release", "refusal", "transfer", "recall", "result", "key",
    "access", "fork",
)  # fmt: skip
_KIND = re.compile(r"[a-z][a-z-]{0,22}[a-z]")
_LEAF = re.compile(
    rb'\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","digest":"([0-9a-f]{64})","kind":"([a-z][a-z-]{0,22}[a-z])"\}'
)


class Rows(Protocol):
    """Whose rows: `store.tables.Tables` is one."""

    engine: Engine
    twin: str


@dataclass(frozen=True)
class Entry:
    """One entry with what it is a digest of. `seq` counts from 0 and is its place in the tree.

    `leaf` is public; `salt` and `record` are for officers, and for whom they show them.
    """

    seq: int
    kind: str
    at: datetime
    leaf: bytes
    record: Mapping[str, Any] = field(repr=False)
    salt: bytes = field(repr=False)


def moment(at: datetime) -> str:
    """A time as entries hold it: UTC, to the millisecond, RFC 3339."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def salted(salt: bytes, record: Mapping[str, Any]) -> str:
    """The digest in a leaf: SHA-256, hexadecimal, over the salt and the record's canonical form (RFC 8785).

    Raises:
        BadData: the record has no canonical form (numbers beyond 2⁵³, not-a-number, halves of characters).
        TooLarge: the record is longer than `LONGEST`.
    """
    return hashlib.sha256(salt + _canonical(record)).hexdigest()


def leaf_of(kind: str, at: datetime, digest: str) -> bytes:
    """What the tree holds of an entry: canonical JSON of its kind, time and digest, some 150 bytes.

    Raises:
        BadData: the kind is no short lower-case word.
    """
    if not _KIND.fullmatch(kind):
        raise BadData(
            f"{kind!r} is no kind of entry", "ledger", f"use a short word such as {', '.join(KINDS)}"
        )
    return f'{{"at":"{moment(at)}","digest":"{digest}","kind":"{kind}"}}'.encode()


def read_leaf(leaf: bytes) -> tuple[str, str, str]:
    """Kind, time (RFC 3339) and digest (hexadecimal) of a leaf.

    Raises:
        BadData: these bytes are no leaf of a twin's ledger.
    """
    found = _LEAF.fullmatch(leaf)
    if found is None:
        raise BadData("is no entry of a twin's ledger", "leaf", "look whether it was cut off")
    at, digest, kind = (part.decode() for part in found.groups())
    return kind, at, digest


def opens(leaf: bytes, salt: bytes, record: Mapping[str, Any]) -> bool:
    """Whether this record with this salt is what a leaf was made from. Raises BadData, TooLarge."""
    return secrets.compare_digest(read_leaf(leaf)[2], salted(salt, record))


def record_in(
    connection: Connection, tables: Rows, kind: str, record: Mapping[str, Any], now: datetime
) -> int:
    """Enter one record, in a transaction of the caller's (`store.engine.writing`).

    On PostgreSQL ask for that transaction with `fresh=True`, so that two writers wait for each other instead of failing.

    Args:
        kind: what happened, one of `KINDS` or another short lower-case word.
        record: JSON; who (cities and officers by name, citizens never), what (by id and digest), why. No secret: officers read it.
        now: when.

    Returns:
        the entry's place in the ledger, from 0; places are dense.

    Raises:
        BadData, TooLarge: the record or its kind cannot be entered.
    """
    return record_many_in(connection, tables, ((kind, record),), now)[0]


def record_many_in(
    connection: Connection, tables: Rows, entries: Iterable[tuple[str, Mapping[str, Any]]], now: datetime
) -> range:
    """Enter several records (kind, record) in this order, in a transaction of the caller's; see `record_in`.

    Returns:
        their places in the ledger.
    """
    return insert_in(connection, tables, [prepared(kind, record, now) for kind, record in entries])


def prepared(kind: str, record: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """An entry ready to be written, for `insert_in`: checked, salted, hashed; without its place. Raises BadData, TooLarge."""
    salt = secrets.token_bytes(SALT)
    plain = _canonical(record)
    digest = hashlib.sha256(salt + plain).hexdigest()
    at = now.astimezone(UTC)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return {
        "kind": kind, "leaf": leaf_of(kind, at, digest), "digest": digest, "salt": salt, "record": json.loads(plain), "at": at,
    }  # fmt: skip


def insert_in(connection: Connection, tables: Rows, rows: list[dict[str, Any]]) -> range:
    """Write entries that are prepared, in this order, in a transaction of the caller's; their places."""
    first = _next(connection, tables.twin)
    if rows:
        numbered = [{**row, "twin": tables.twin, "seq": seq} for seq, row in enumerate(rows, first)]
        connection.execute(insert(ledger_entries), numbered)
    return range(first, first + len(rows))


def _canonical(record: Mapping[str, Any]) -> bytes:
    plain = canonical(dict(record))
    if len(plain) > LONGEST:
        raise TooLarge(
            f"a record of {len(plain)} bytes; entries take {LONGEST}", "ledger", "name it by digest"
        )
    return plain


def _next(connection: Connection, twin: str) -> int:
    alone(connection, twin)
    return _size(connection, twin)


def alone(connection: Connection, twin: str) -> None:
    """From here to its end this transaction is the only one that writes this twin's ledger (SQLite has one writer anyway)."""
    if connection.dialect.name == "postgresql":
        mark = int.from_bytes(hashlib.sha256(f"twintown ledger {twin}".encode()).digest()[:8], signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:mark)"), {"mark": mark})


def _size(connection: Connection, twin: str) -> int:
    last = select(func.max(ledger_entries.c.seq)).where(ledger_entries.c.twin == twin)
    found = connection.execute(last).scalar()
    return 0 if found is None else int(found) + 1


def size_in(connection: Connection, tables: Rows) -> int:
    """How many entries have been accepted, whether they are in the tree yet or not."""
    return _size(connection, tables.twin)


def leaves_in(connection: Connection, tables: Rows, start: int, end: int) -> list[bytes]:
    """The leaves from place `start` up to, without, `end`; fewer where there are no more."""
    mine = and_(
        ledger_entries.c.twin == tables.twin, ledger_entries.c.seq >= start, ledger_entries.c.seq < end
    )
    query = select(ledger_entries.c.leaf).where(mine).order_by(ledger_entries.c.seq)
    return [bytes(leaf) for leaf in connection.execute(query).scalars()]


def entries_in(connection: Connection, tables: Rows, start: int, end: int) -> list[Entry]:
    """The entries from place `start` up to, without, `end`. For the keeper; who answers requests goes through a Grant."""
    mine = and_(
        ledger_entries.c.twin == tables.twin, ledger_entries.c.seq >= start, ledger_entries.c.seq < end
    )
    query = select(ledger_entries).where(mine).order_by(ledger_entries.c.seq)
    return [entry_of(row) for row in connection.execute(query)]


def entry_of(row: Row[Any]) -> Entry:
    """The entry in a row."""
    at = row.at.replace(tzinfo=UTC) if row.at.tzinfo is None else row.at.astimezone(UTC)
    return Entry(int(row.seq), row.kind, at, bytes(row.leaf), row.record, bytes(row.salt))
