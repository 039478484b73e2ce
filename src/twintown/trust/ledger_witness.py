"""A twin as a witness: it cosigns the checkpoints of the peers that it has pinned, keeps them, and names forks.

Asked at `POST …/ledger/add-checkpoint` by whoever has the checkpoint; nothing is believed but the log's signature. What was cosigned is
kept before it is answered, so that no later answer contradicts an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from twintown.ground.errors import BadData
from twintown.store.engine import writing
from twintown.store.schema_shared import ledger_entries

from .checkpoints import witness_keys
from .ledger import alone, record_in
from .ledger_rows import Kept, at_size, keep, newest
from .ledger_tree import Ledger
from .notes import Note, Signature, Verifier, cosign, cosigned_at, verified
from .witness import SIZE_TYPE, Ask, Seen, Verdict, judge

#: For so long the cosignature that was given is given again.
_AGAIN = timedelta(minutes=5)
#: So many forks of one log are entered in the ledger; more prove nothing more.
_FORKS = 20
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, media type, body; and which log it is about, where that is known."""

    status: int
    media_type: str
    body: str
    origin: str = ""


def add_checkpoint(
    ledger: Ledger, logs: Mapping[str, Sequence[Verifier]], body: bytes, now: datetime
) -> Answer:
    """Cosign a peer's checkpoint, or say why not.

    Args:
        ledger: our own; we cosign under its origin.
        logs: the keys of the peers' ledgers by origin.

    Raises:
        StorageFailed: what was seen cannot be kept; nothing is cosigned.
    """
    try:
        ask = Ask.parse(body)
    except BadData as error:
        return Answer(400, TEXT, f"{error.what}\n")
    early = judge(ask, logs, lambda _: None, lambda *_: None)
    if early.status in (400, 403, 404):  # nothing of a stranger's reaches the database
        return Answer(early.status, TEXT, f"{early.what}\n", ask.note.text.partition("\n")[0])
    key = ledger.key()
    with writing(ledger.tables.engine, fresh=True) as connection:
        alone(connection, ledger.tables.twin)

        def last(origin: str) -> Seen | None:
            return _seen(newest(connection, ledger.tables, origin))

        def at(origin: str, size: int) -> Seen | None:
            return _seen(at_size(connection, ledger.tables, origin, size))

        verdict = judge(ask, logs, last, at)
        if verdict.fork:
            _name_fork(connection, ledger, verdict, ask.note, now)
        if verdict.status == 409:
            return Answer(409, SIZE_TYPE, f"{verdict.size}\n")
        if verdict.status != 200 or verdict.checkpoint is None:
            return Answer(verdict.status, TEXT, f"{verdict.what}\n")
        known = at_size(connection, ledger.tables, verdict.checkpoint.origin, verdict.checkpoint.size)
        given = _given(known, ledger.origin, key.public, now) if known else None
        if given is None:
            given = cosign(ask.note.text, ledger.origin, key, int(now.timestamp()))
            by_log = verified(ask.note, logs[verdict.checkpoint.origin])
            note = Note(ask.note.text).signed(*by_log.values(), given)
            kept = Kept(verdict.checkpoint.origin, verdict.checkpoint.size, verdict.checkpoint.root, note)
            keep(connection, ledger.tables, kept, now)
    return Answer(200, TEXT, given.line())


def _seen(kept: Kept | None) -> Seen | None:
    return Seen(kept.size, kept.root, kept.note.encode()) if kept else None


def _given(kept: Kept, name: str, public: str, now: datetime) -> Signature | None:
    """The cosignature that we gave lately, by the key that we have now."""
    for one in verified(kept.note, witness_keys(name, [public])).values():
        if now.timestamp() - cosigned_at(one) < _AGAIN.total_seconds():
            return one
    return None


def _name_fork(connection: Connection, ledger: Ledger, verdict: Verdict, note: Note, now: datetime) -> None:
    """Enter both checkpoints, as the log has signed them, in our own ledger, once."""
    assert verdict.checkpoint is not None and verdict.other is not None
    record_fork(connection, ledger, verdict.checkpoint.origin, verdict.other.note, note.encode(), now)


def record_fork(
    connection: Connection, ledger: Ledger, origin: str, seen: str, shown: str, now: datetime
) -> bool:
    """Enter a fork: two signed checkpoints that cannot both be true. False where it stands there already."""
    query = select(ledger_entries.c.record).where(
        ledger_entries.c.twin == ledger.tables.twin, ledger_entries.c.kind == "fork"
    )
    known = [one for one in connection.execute(query).scalars() if one.get("origin") == origin]
    text = Note.parse(shown).text
    if len(known) >= _FORKS or any(Note.parse(one["shown"]).text == text for one in known):
        return False
    record_in(connection, ledger.tables, "fork", {"origin": origin, "seen": seen, "shown": shown}, now)
    return True
