"""A peer's ledger looked at from here, without being asked: does it still begin with what we have cosigned?

A witness that is only asked never sees a history that is kept from it. So the published checkpoint is fetched now and then, and of
its tiles what a proof needs; two signed checkpoints that cannot both be true are entered as a fork.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from twintown.ground.errors import BadData
from twintown.store.engine import reading, writing

from .checkpoints import read_checkpoint
from .ledger import alone
from .ledger_rows import at_size, newest
from .ledger_source import Source
from .ledger_tree import Ledger
from .ledger_witness import record_fork
from .notes import Verifier
from .tlog import root
from .tlog_tiles import reader


def look(ledger: Ledger, origin: str, source: Source, keys: Sequence[Verifier], now: datetime) -> str:
    """Hold what a peer publishes against what we have cosigned of it.

    Args:
        ledger: our own; a fork is entered there.
        keys: by which the peer's log may sign.

    Returns:
        what is wrong, in one sentence; "" where nothing is.

    Raises:
        BadData: what it publishes is not signed by its key, or its tiles are not those of its checkpoint.
        NotFound, StorageFailed: it publishes nothing, or does not answer.
    """
    note = source.checkpoint()
    shown = read_checkpoint(note, keys, source.where)
    if shown.origin != origin:
        raise BadData(f"shows the ledger of {shown.origin[:200]}", source.where)
    with reading(ledger.tables.engine) as connection:
        last = newest(connection, ledger.tables, origin)
        same = at_size(connection, ledger.tables, origin, shown.size)
    if last is None:
        return ""
    if same is not None:
        seen, agrees = same, same.root == shown.root
    elif shown.size > last.size:
        tiled = reader(source.tile, shown.size)
        if root(shown.size, tiled) != shown.root:
            raise BadData("has tiles that are not those of its checkpoint", source.where)
        seen, agrees = last, root(last.size, tiled) == last.root
    else:
        return f"{origin} shows {shown.size} entries, and {last.size} of it were cosigned here"
    if agrees:
        less = shown.size < last.size
        return (
            f"{origin} shows {shown.size} entries, and {last.size} of it were cosigned here" if less else ""
        )
    with writing(ledger.tables.engine, fresh=True) as connection:
        alone(connection, ledger.tables.twin)
        record_fork(connection, ledger, origin, seen.note.encode(), note.encode(), now)
    return f"{origin} was forked: it has signed two trees that cannot both be; both are in our ledger"
