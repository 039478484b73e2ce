"""What is claimed of single entries, held against the tree: an opened entry that somebody shows, and the rows of a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twintown.ground.errors import BadData, NotFound

from .checkpoints import read_checkpoint
from .ledger import Entry, opens
from .ledger_check import Report, named
from .ledger_proof import Opened
from .ledger_source import Source
from .notes import Verifier
from .tlog import included, leaf_hash
from .tlog_tiles import ENTRIES, WIDTH, Tile, unbundle, width_at


def check_record(report: Report, opened: Opened, keys: Sequence[Verifier]) -> None:
    """Hold an opened entry against the checkpoint that came with it."""
    try:
        checkpoint = read_checkpoint(opened.note, keys)
    except BadData as error:
        report.bad("record", f"its checkpoint {error.what}")
        return
    report.checkpoint = report.checkpoint or checkpoint
    if not opens(opened.leaf, opened.salt, opened.record):
        report.bad("record", f"entry {opened.index} was made from another record or salt")
    elif not included(leaf_hash(opened.leaf), opened.index, checkpoint.size, opened.path, checkpoint.root):
        report.bad(
            "record", f"entry {opened.index} is not in the tree of {checkpoint.size} entries that was signed"
        )
    else:
        report.good.append(
            f"the record is entry {opened.index} of {checkpoint.origin}, in the tree of {checkpoint.size}"
        )


def check_rows(report: Report, entries: Iterable[Entry], source: Source, size: int) -> None:
    """Hold the rows of a database against the tree, and what they say against the digests in it.

    Args:
        entries: in their order, from the first.
        size: of the tree.
    """
    wrong, closed, count = list[int](), list[int](), 0
    leaves, loaded = list[bytes](), -1
    for entry in entries:
        number, place = divmod(entry.seq, WIDTH)
        if number != loaded and entry.seq < size:
            width, loaded = width_at(ENTRIES, number, size), number
            try:
                leaves = unbundle(source.tile(Tile(ENTRIES, number, width)), width)
            except (NotFound, BadData):
                return  # said before
        if entry.seq < size and entry.leaf != leaves[place]:
            wrong.append(entry.seq)
        elif not _opens(entry):
            closed.append(entry.seq)
        count += 1
    if wrong:
        report.bad("row", f"the database has other rows than the tree for {named(wrong)}")
    if closed:
        report.bad("row", f"the database says something else than was entered in {named(closed)}")
    if count < size:
        report.bad("row", f"the database has {count} entries, and {size} are in the tree")
    if not (wrong or closed or count < size):
        report.good.append(f"the database says what was entered, {count} entries")


def _opens(entry: Entry) -> bool:
    try:
        return opens(entry.leaf, entry.salt, entry.record)
    except BadData:
        return False
