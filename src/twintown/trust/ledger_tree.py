"""From the rows of the ledger to its tree: tiles, then the checkpoint that needs them (C2SP tlog-tiles).

    ledger/checkpoint               the newest, signed, with the cosignatures that came in
    ledger/tile/<L>/<N>[.p/<W>]     hashes
    ledger/tile/entries/<N>[.p/W]   leaves

Only the keeper writes here. Rows come first (they are acknowledged), then tiles, then the row of the checkpoint, then its copy among
the files: whoever is killed between leaves nothing that is wrong, and who starts again makes the same bytes. Before anything new is
signed, the tree is looked at as it stood at the last checkpoint; where that is another one, nothing is signed and it is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from twintown.ground.errors import BadData, Conflict, NotFound
from twintown.store.blobs import Blobs, storage_failed
from twintown.store.engine import reading, writing

from .checkpoints import Checkpoint, signed_checkpoint
from .keys import Key
from .ledger import Rows, alone, leaves_in, size_in
from .ledger_rows import Kept, keep, newest
from .tlog import HASH, complete, complete_root, joined, leaf_hash, reader_of, root
from .tlog_tiles import ENTRIES, HEIGHT, WIDTH, Fetch, Tile, bundle, narrowed, reader, tiles, width_at

FOLDER = "ledger"
_FULL = WIDTH * HASH
#: Leaves that are read from the rows at once.
_SPAN = 64 * WIDTH


@dataclass(frozen=True)
class Ledger:
    """The ledger of one twin, for who keeps it.

    Attributes:
        tables: its rows.
        blobs: where its files lie, below `ledger/`.
        origin: its name: its address without the scheme (`checkpoints.origin_of`).
        key: gives the key to sign with; asked for when there is something to sign.
    """

    tables: Rows
    blobs: Blobs
    origin: str
    key: Callable[[], Key]

    def newest(self) -> Kept | None:
        """The newest checkpoint; None where there is none yet."""
        with reading(self.tables.engine) as connection:
            return newest(connection, self.tables, self.origin)


def fetch_of(blobs: Blobs) -> Fetch:
    """The tiles among the files of a twin; of a partial one that has grown since, its beginning."""

    def fetch(tile: Tile) -> bytes:
        try:
            return _get(blobs, tile)
        except NotFound:
            if tile.full:
                raise
        for wider in _wider(blobs, tile):
            try:
                return narrowed(wider, _get(blobs, wider), tile.width)
            except NotFound:
                continue  # the keeper has replaced it since
        raise NotFound(f"{tile.path} is not there", FOLDER)

    return fetch


def _get(blobs: Blobs, tile: Tile) -> bytes:
    """A tile; where the store is a directory, its file at once."""
    key = f"{FOLDER}/{tile.path}"
    if blobs.root is None:
        return blobs.get(key)
    try:
        return (blobs.root / key).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{tile.path} is not there", FOLDER) from error
    except OSError as error:
        raise storage_failed(error, key) from error


def _wider(blobs: Blobs, tile: Tile) -> list[Tile]:
    names = [key.rpartition("/")[2] for key in blobs.keys(f"{FOLDER}/{tile.stem}.p")]
    widths = sorted(int(name) for name in names if name.isdecimal() and tile.width < int(name) < WIDTH)
    return [tile.of_width(width) for width in (*widths, WIDTH)]


def grow(ledger: Ledger, now: datetime) -> Kept | None:
    """Bring the tree up to the rows and sign it; quick where nothing is new. None while there are no entries.

    Raises:
        Conflict: entries that are in the last checkpoint are gone, or are others by now; nothing is signed.
        StorageFailed, StorageFull: the tiles cannot be written; what was signed before stands.
    """
    with reading(ledger.tables.engine) as connection:
        size, last = size_in(connection, ledger.tables), newest(connection, ledger.tables, ledger.origin)
    start = last.size if last else 0
    if size < start:
        raise _tampered(ledger, f"{start - size} entries are gone since the checkpoint of {start}")
    if size > start:
        last = _extend(ledger, last, size, now)
    if last is not None:
        publish(ledger, last)
    return last


def _extend(ledger: Ledger, last: Kept | None, size: int, now: datetime) -> Kept:
    fetch, start, writer = fetch_of(ledger.blobs), 0, _Writer(ledger.blobs)
    if last is not None and last.size:
        known = _known(fetch, last.size, last.root)
        if known is not None:
            start, writer = last.size, _Writer(ledger.blobs, known, last.size)
        elif (
            _rows_root(ledger, last.size) != last.root
        ):  # tiles are gone or broken; only the same rows may mend them
            raise _tampered(ledger, f"entries are others than those of the checkpoint of {last.size}")
    _read_rows(ledger, writer, start, size)
    writer.flush()
    checkpoint = Checkpoint(ledger.origin, size, root(size, reader(fetch, size)))
    kept = Kept(ledger.origin, size, checkpoint.root, signed_checkpoint(checkpoint, ledger.key()))
    with writing(ledger.tables.engine, fresh=True) as connection:
        alone(connection, ledger.tables.twin)
        there = newest(connection, ledger.tables, ledger.origin)
        if there is not None and there.size >= size:  # another keeper was quicker
            return there
        keep(connection, ledger.tables, kept, now)
    _tidy(ledger.blobs, last.size if last else 0, size)
    return kept


def mend(ledger: Ledger) -> Kept | None:
    """Make all tiles of the newest checkpoint again; None where there is none.

    Raises:
        Conflict: the rows are not those that were signed.
    """
    last = ledger.newest()
    if last is None:
        return None
    if _rows_root(ledger, last.size) != last.root:
        raise _tampered(ledger, f"entries are others than those of the checkpoint of {last.size}")
    writer = _Writer(ledger.blobs)
    _read_rows(ledger, writer, 0, last.size)
    writer.flush()
    publish(ledger, last)
    return last


def _known(fetch: Fetch, size: int, tree: bytes) -> list[bytes] | None:
    """The partial tiles of each level at a size, where the files still hold that tree."""
    last = [(size >> (HEIGHT * level)) // WIDTH for level in range(HEIGHT)]
    ends = [Tile(level, number, width_at(level, number, size)) for level, number in enumerate(last)]
    try:
        if root(size, reader(fetch, size)) != tree:
            return None
        return [fetch(tile) if tile.width else b"" for tile in ends]
    except (NotFound, BadData):
        return None


def _rows_root(ledger: Ledger, size: int) -> bytes:
    """The root of the first `size` entries as the rows have them."""
    whole, parts = list[bytes](), list[bytes]()
    for at in range(0, size, _SPAN):
        with reading(ledger.tables.engine) as connection:
            leaves = leaves_in(connection, ledger.tables, at, min(at + _SPAN, size))
        if len(leaves) != min(at + _SPAN, size) - at:
            raise _tampered(ledger, f"entries from {at} on are missing in between")
        hashes = [leaf_hash(leaf) for leaf in leaves]
        if len(leaves) == _SPAN:
            whole.append(complete_root(b"".join(hashes)))
        else:
            below = reader_of(hashes)
            parts = [below(level, index) for level, index in complete(0, len(hashes))]
    above = reader_of(whole)
    return joined([above(level, index) for level, index in complete(0, len(whole))] + parts)


def _read_rows(ledger: Ledger, writer: _Writer, start: int, size: int) -> None:
    first = start - start % WIDTH
    for at in range(first, size, _SPAN):
        with reading(ledger.tables.engine) as connection:
            leaves = leaves_in(connection, ledger.tables, at, min(at + _SPAN, size))
        if len(leaves) != min(at + _SPAN, size) - at:
            raise _tampered(ledger, f"entries from {at} on are missing in between")
        writer.entries(at // WIDTH, leaves)
        hashes = [leaf_hash(leaf) for leaf in leaves]
        if at < start and b"".join(hashes[: start - at]) != writer.row(0)[: (start - at) * HASH]:
            raise _tampered(
                ledger, f"entries from {at} on are others than those of the checkpoint of {start}"
            )
        writer.add(0, b"".join(hashes[max(0, start - at) :]))


def _tampered(ledger: Ledger, what: str) -> Conflict:
    remedy = "put the database back as it was; `twintown ledger verify` says which entries differ"
    return Conflict(f"nothing is signed: {what}", ledger.origin, remedy)


class _Writer:
    """Hashes in, tiles out, level by level; rows begin at the last full tile."""

    def __init__(self, blobs: Blobs, rows: list[bytes] | None = None, start: int = 0) -> None:
        self.blobs = blobs
        self._rows = [bytearray(row) for row in rows or [b""] * HEIGHT]
        self._numbers = [(start >> (HEIGHT * level)) // WIDTH for level in range(HEIGHT)]
        self._grown = [False] * HEIGHT

    def row(self, level: int) -> bytes:
        return bytes(self._rows[level])

    def add(self, level: int, hashes: bytes) -> None:
        row = self._rows[level]
        row += hashes
        self._grown[level] = self._grown[level] or bool(hashes)
        while len(row) >= _FULL:
            whole = bytes(row[:_FULL])
            del row[:_FULL]
            self._put(Tile(level, self._numbers[level]), whole)
            self._numbers[level] += 1
            self.add(level + 1, complete_root(whole))

    def flush(self) -> None:
        """Write what is not full."""
        for level, row in enumerate(self._rows):
            if row and self._grown[level]:
                self._put(Tile(level, self._numbers[level], len(row) // HASH), bytes(row))

    def entries(self, number: int, leaves: list[bytes]) -> None:
        """Bundles of leaves, the first of which begins a tile."""
        for at in range(0, len(leaves), WIDTH):
            part = leaves[at : at + WIDTH]
            self._put(Tile(ENTRIES, number + at // WIDTH, len(part)), bundle(part))

    def _put(self, tile: Tile, data: bytes) -> None:
        self.blobs.put(f"{FOLDER}/{tile.path}", data)


def _tidy(blobs: Blobs, before: int, size: int) -> None:
    """Remove partial tiles that a wider or a full one stands for now."""
    for tile in tiles(size, before):
        width = width_at(tile.level, tile.number, before)
        if tile.full:
            blobs.delete_prefix(f"{FOLDER}/{tile.stem}.p")
        elif width:
            blobs.delete(f"{FOLDER}/{tile.of_width(width).path}")


def publish(ledger: Ledger, kept: Kept) -> None:
    """Put the newest checkpoint among the files, where it is not there yet."""
    name, said = f"{FOLDER}/checkpoint", kept.note.encode().encode()
    try:
        if ledger.blobs.get(name) == said:
            return
    except NotFound:
        pass
    ledger.blobs.put(name, said)
