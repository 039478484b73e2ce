"""How a log lies in files: tiles of 256 hashes and bundles of 256 entries (C2SP tlog-tiles, c2sp.org/tlog-tiles).

    tile/<L>/<N>            a full tile: hashes of complete subtrees of 256^L leaves
    tile/<L>/<N>.p/<W>      one that is not full yet, with W hashes
    tile/entries/<N>[.p/W]  entries, each after its length in two bytes (big-endian)

N is written in groups of three digits, all but the last behind an `x`: 1234067 is `x001/x234/067`. A tile of less width is the
beginning of one of more, so a partial one may be replaced by its successor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from twintown.ground.errors import BadData, NotFound, TooLarge

from .tlog import HASH, Reader, complete_root, fold

HEIGHT = 8
WIDTH = 1 << HEIGHT
#: The level of bundles of entries.
ENTRIES = -1
#: Most bytes of an entry in a bundle.
LONGEST = 0xFFFF
_PATH = re.compile(
    r"tile/(entries|0|[1-5]?[0-9]|6[0-3])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: its level (`ENTRIES` for entries), its number in the level, and how many it holds (1 … 256)."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def full(self) -> bool:
        return self.width == WIDTH

    @property
    def stem(self) -> str:
        """The path of the full tile."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        place = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
        return f"tile/{'entries' if self.level == ENTRIES else self.level}/{place}"

    @property
    def path(self) -> str:
        return self.stem if self.full else f"{self.stem}.p/{self.width}"

    def of_width(self, width: int) -> Tile:
        """The same tile, when it held that many."""
        return Tile(self.level, self.number, width)

    @classmethod
    def parse(cls, path: str) -> Tile:
        """From a path below the log's address.

        Raises:
            NotFound: it is not the one way in which a tile is written.
        """
        found = _PATH.fullmatch(path)
        if found is not None:
            level, place, width = found.groups()
            number = int(place.replace("x", "").replace("/", ""))
            tile = cls(ENTRIES if level == "entries" else int(level), number, int(width or WIDTH))
            if tile.path == path and (width is None or tile.width < WIDTH):
                return tile
        raise NotFound(
            f"{path[:100]!r} is no tile", "ledger", "see c2sp.org/tlog-tiles for how tiles are named"
        )


#: The bytes of a tile. Raises NotFound where it is not there.
Fetch = Callable[[Tile], bytes]


def width_at(level: int, number: int, size: int) -> int:
    """How many a tile holds in a tree of `size` leaves; 0 for one that there is not yet, or not any more to come."""
    return max(0, min(WIDTH, (size >> (HEIGHT * max(level, 0))) - number * WIDTH))


def tiles(size: int, start: int = 0) -> Iterator[Tile]:
    """The tiles of a tree of `size` leaves that one of `start` leaves has not, or has less of; entries first, then level by level."""
    for level in (ENTRIES, *range(HEIGHT)):
        shift = HEIGHT * max(level, 0)
        count, known = size >> shift, start >> shift
        for number in range(known // WIDTH, -(-count // WIDTH)):
            width = width_at(level, number, size)
            if width > width_at(level, number, start):
                yield Tile(level, number, width)
        if count < WIDTH and level >= 0:
            return


def reader(fetch: Fetch, size: int) -> Reader:
    """Hashes of complete subtrees out of the tiles of a tree of `size` leaves; each tile is asked for once.

    Raises (when called):
        NotFound: a tile is not there, or the tree has no such subtree.
        BadData: a tile has not the length that it must have.
    """

    @lru_cache(64)
    def hashes(level: int, number: int) -> bytes:
        tile = Tile(level, number, width_at(level, number, size))
        if not tile.width:
            raise NotFound(f"a tree of {size} leaves has no tile {tile.stem}", "ledger")
        found = fetch(tile)
        if len(found) != tile.width * HASH:
            raise BadData(
                f"has {len(found)} bytes instead of {tile.width * HASH}", tile.path, "fetch it again"
            )
        return found

    @lru_cache(1024)
    def read(level: int, index: int) -> bytes:
        below = level % HEIGHT
        first = index << below
        row = hashes(level // HEIGHT, first // WIDTH)
        at = first % WIDTH * HASH
        part = row[at : at + (HASH << below)]
        if len(part) != HASH << below:
            raise NotFound(f"a tree of {size} leaves has no subtree {index} at level {level}", "ledger")
        return complete_root(part)

    return read


def above(row: bytes) -> bytes:
    """The hashes of the level above for whole tiles of this one: 32 bytes for each 8,192."""
    row = row[: len(row) // (WIDTH * HASH) * WIDTH * HASH]
    for _ in range(HEIGHT):
        row = fold(row)
    return row


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as they lie in a bundle.

    Raises:
        TooLarge: one is longer than two bytes can say.
    """
    if any(len(one) > LONGEST for one in entries):
        raise TooLarge(f"an entry of more than {LONGEST} bytes", "ledger", "enter a digest of it")
    return b"".join([len(one).to_bytes(2, "big") + one for one in entries])


def unbundle(data: bytes, width: int, where: str = "bundle") -> list[bytes]:
    """The entries of a bundle.

    Raises:
        BadData: there are not `width`, or the last is cut off.
    """
    found, at = list[bytes](), 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(data) or len(found) != width:
        raise BadData(
            f"holds {len(found)} entries instead of {width}, or is cut off", where, "fetch it again"
        )
    return found


def narrowed(tile: Tile, data: bytes, width: int) -> bytes:
    """The bytes of a tile when it held `width`, out of what it holds now. Raises BadData."""
    if tile.level != ENTRIES:
        return data[: width * HASH]
    return bundle(unbundle(data, tile.width, tile.path)[:width])
