"""A ledger looked at by somebody who believes nobody: the tree made again from the entries, and held against what was signed.

    entries → leaves → tiles → root          what is there now
    checkpoint, signed by the log            what the log says of itself
    checkpoints that others have kept        what the log said to them

Where two checkpoints of one log cannot both be true the log was forked, and both stand there signed by its key. What is wrong is data
(`Finding`); what cannot be read at all is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from twintown.ground.errors import BadData, NotFound

from .checkpoints import Checkpoint, read_checkpoint
from .ledger_source import Source
from .notes import Note, Verifier, cosigned_at, verified
from .proof import Finding
from .tlog import HASH, leaf_hash, root
from .tlog_tiles import ENTRIES, HEIGHT, WIDTH, Tile, above, reader, unbundle, width_at

#: So many entries are named one by one.
_NAMED = 8


@dataclass(frozen=True)
class Copy:
    """What somebody else has kept of a log. `source`: where its entries can be read too, for comparison."""

    where: str
    notes: Sequence[Note]
    source: Source | None = None


@dataclass
class Report:
    """What was found: `good` lines say what holds, `findings` what does not."""

    where: str
    checkpoint: Checkpoint | None = None
    good: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.findings

    def bad(self, code: str, what: str) -> None:
        self.findings.append(Finding(code, what))


@dataclass
class Tree:
    """Hashes of a whole tree, tile level by tile level."""

    size: int
    rows: list[bytes]

    def fetch(self, tile: Tile) -> bytes:
        """A tile of it, as `tlog_tiles.Fetch`."""
        at = tile.number * WIDTH * HASH
        return self.rows[tile.level][at : at + tile.width * HASH]

    def root(self, size: int) -> bytes:
        """The root of its first `size` leaves."""
        return root(size, reader(self.fetch, size))

    def leaf(self, index: int) -> bytes:
        return self.rows[0][index * HASH : (index + 1) * HASH]

    @classmethod
    def of(cls, size: int, leaves: bytes) -> Tree:
        """From the hashes of the leaves."""
        rows = [leaves]
        while len(rows) < HEIGHT:
            rows.append(above(rows[-1]))
        return cls(size, rows)


def check(
    source: Source, keys: Sequence[Verifier], witnesses: Sequence[Verifier] = (), copies: Iterable[Copy] = ()
) -> Report:
    """Look at a whole ledger.

    Args:
        keys: by which its log may sign; none: the signature is not looked at, and that is said.
        witnesses: the keys of who may have cosigned it.
        copies: what others have kept; read before the ledger itself, which only grows.

    Raises:
        NotFound, StorageFailed: there is no ledger, or it cannot be read.
        BadData: its checkpoint is none.
    """
    others = list(copies)
    note = source.checkpoint()
    report = Report(source.where)
    checkpoint = report.checkpoint = Checkpoint.parse(note.text, f"{source.where}/checkpoint")
    _signatures(report, note, keys, witnesses)
    tree = _tree(report, source, checkpoint)
    for copy in others:
        _compare(report, tree, checkpoint, copy, keys)
    return report


def _signatures(report: Report, note: Note, keys: Sequence[Verifier], witnesses: Sequence[Verifier]) -> None:
    if not keys:
        report.bad("no-key", "no key of this log is known, so nobody has signed it as far as can be seen")
        return
    try:
        read_checkpoint(note, keys)
        report.good.append("the checkpoint is signed by the log's key")
    except BadData as error:
        report.bad("signature", f"the checkpoint {error.what}")
    for one in note.signatures:
        mine = [key for key in witnesses if (key.name, key.id) == (one.name, one.id)]
        try:
            if mine and verified(Note(note.text, (one,)), mine):
                at = datetime.fromtimestamp(min(cosigned_at(one), 2**37), UTC).isoformat(timespec="seconds")
                report.good.append(f"cosigned by {one.name} at {at}")
        except BadData:
            report.bad("cosignature", f"the cosignature of {one.name} does not fit")


def _tree(report: Report, source: Source, checkpoint: Checkpoint) -> Tree:
    """The tree of the entries, with what differs between entries, tiles and checkpoint said."""
    size, tiled = checkpoint.size, bytearray()
    leaves, wrong = bytearray(), list[int]()
    for number in range(-(-size // WIDTH)):
        width = width_at(0, number, size)
        entries, tile = Tile(ENTRIES, number, width), Tile(0, number, width)
        hashes = _fetched(report, source, tile)
        try:
            made = b"".join([leaf_hash(one) for one in unbundle(source.tile(entries), width, entries.path)])
        except (NotFound, BadData) as error:
            report.bad("entries", f"{entries.path}: {error.what}")
            made = hashes or bytes(width * HASH)
        hashes = hashes or made
        if made != hashes:
            wrong += [number * WIDTH + at for at in differing(made, hashes)]
        leaves += made
        tiled += hashes
    tree = Tree.of(size, bytes(leaves))
    _root(report, checkpoint, tree, Tree.of(size, bytes(tiled)), wrong)
    _upper(report, source, tree)
    return tree


def _root(report: Report, checkpoint: Checkpoint, tree: Tree, tiled: Tree, wrong: list[int]) -> None:
    size = checkpoint.size
    if tree.root(size) == checkpoint.root:
        report.good.append(f"{size} entries make the tree that the checkpoint names")
        if wrong:
            report.bad(
                "tile",
                f"tiles have other hashes for {named(wrong)}; the entries themselves are those that were signed",
            )
    elif wrong and tiled.root(size) == checkpoint.root:
        report.bad(
            "entry", f"{named(wrong)}: not what was signed; the tiles still hold the hashes of the true ones"
        )
    else:
        also = f"; {named(wrong)} differ from their tiles" if wrong else ""
        report.bad("root", f"the {size} entries make another tree than the checkpoint names{also}")


def _upper(report: Report, source: Source, tree: Tree) -> None:
    """The tiles above the lowest, which follow from it."""
    wrong = []
    for level in range(1, HEIGHT):
        for number in range(-(-(tree.size >> (HEIGHT * level)) // WIDTH)):
            tile = Tile(level, number, width_at(level, number, tree.size))
            found = _fetched(report, source, tile)
            if found and found != tree.fetch(tile):
                wrong.append(tile.path)
    if wrong:
        report.bad("tile", f"tiles do not follow from those below them: {', '.join(wrong[:_NAMED])}")


def _fetched(report: Report, source: Source, tile: Tile) -> bytes:
    try:
        found = source.tile(tile)
    except (NotFound, BadData) as error:
        report.bad("tile", f"{tile.path}: {error.what}")
        return b""
    if len(found) != tile.width * HASH:
        report.bad("tile", f"{tile.path} has {len(found)} bytes instead of {tile.width * HASH}")
        return b""
    return found


def _compare(report: Report, tree: Tree, now: Checkpoint, copy: Copy, keys: Sequence[Verifier]) -> None:
    same, other, unsigned = list[int](), list[Checkpoint](), 0
    for note in copy.notes:
        try:
            seen = read_checkpoint(note, keys, copy.where)
        except BadData:
            unsigned += 1
            continue
        if seen.origin != now.origin:
            unsigned += 1
        elif seen.size <= now.size and tree.root(seen.size) == seen.root:
            same.append(seen.size)
        elif seen.size > now.size and _continues(tree, now, seen, copy.source):
            same.append(now.size)
        else:
            other.append(seen)
    if unsigned:
        report.good.append(
            f"{copy.where}: {unsigned} checkpoints that this log has not signed were passed over"
        )
    if not other:
        if same:
            report.good.append(f"{copy.where} has seen the same log, up to {max(same)} entries")
        return
    first = min(other, key=lambda one: one.size)
    agreed = max((one for one in same if one < first.size), default=0)
    if first.size > now.size:
        report.bad(
            "shorter",
            f"{copy.where} has seen {first.size} entries, signed, and {now.size} are here: the newest were taken away",
        )
        return
    where = _differing(tree, copy, agreed, first) or f"among the entries from {agreed} up to {first.size - 1}"
    report.bad(
        "fork",
        f"FORK: {copy.where} holds another checkpoint of {first.size} entries, signed by the same log; the logs differ {where}",
    )


def _continues(tree: Tree, now: Checkpoint, seen: Checkpoint, source: Source | None) -> bool:
    """Whether a longer copy, whose entries can be read, begins with what is here; then this is only an older state of it."""
    if source is None:
        return False
    try:
        longer = reader(source.tile, seen.size)
        return root(seen.size, longer) == seen.root and root(now.size, longer) == tree.root(now.size)
    except (NotFound, BadData):
        return False


def _differing(tree: Tree, copy: Copy, start: int, seen: Checkpoint) -> str:
    """Which entries differ, where those of the copy can be read."""
    if copy.source is None:
        return ""
    wrong = list[int]()
    for number in range(start // WIDTH, -(-seen.size // WIDTH)):
        width = min(width_at(0, number, seen.size), width_at(0, number, tree.size))
        try:
            theirs = copy.source.tile(Tile(0, number, width))
        except (NotFound, BadData):
            return ""
        wrong += [number * WIDTH + at for at in differing(tree.fetch(Tile(0, number, width)), theirs)]
    return f"in {named(wrong)}" if wrong else ""


def differing(one: bytes, other: bytes) -> list[int]:
    """The places at which rows of hashes differ."""
    return [
        at // HASH
        for at in range(0, max(len(one), len(other)), HASH)
        if one[at : at + HASH] != other[at : at + HASH]
    ]


def named(places: Sequence[int]) -> str:
    """`entry 5`, `entries 5, 7 and 12 more`."""
    shown = ", ".join(map(str, places[:_NAMED]))
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return f"{'entry' if len(places) == 1 else 'entries'} {shown}{more}"
