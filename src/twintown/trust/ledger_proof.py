"""That an entry stands in a ledger: its leaf, the path to the root, and the checkpoint that the log and its witnesses have signed.

A stranger needs nothing else: the leaf's hash and the path give the root (RFC 9162, 2.1.3.2), the root is in the checkpoint, and the
checkpoint is signed. With the record and its salt the leaf can be made again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twintown.ground.errors import BadData, BadParameter, NotFound
from twintown.store.engine import reading

from .ledger import Entry, opens
from .ledger_rows import Kept, at_size
from .ledger_tree import Ledger, fetch_of
from .notes import Note
from .tlog import included, inclusion, leaf_hash
from .tlog_tiles import ENTRIES, WIDTH, Fetch, Tile, reader, unbundle, width_at


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof of one entry. `path`: hashes from the leaf's neighbour up; `kept`: the checkpoint that it leads to."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]
    kept: Kept

    def holds(self) -> bool:
        """Whether the path leads from the leaf to the checkpoint's root."""
        return included(leaf_hash(self.leaf), self.index, self.kept.size, self.path, self.kept.root)


def prove(ledger: Ledger, index: int, size: int | None = None) -> Proof:
    """Prove an entry in the tree of the newest checkpoint, or of the one of that size; some file reads, whatever the size.

    Raises:
        NotFound: the entry was accepted and is not in the tree yet, or a tile is not there.
        BadParameter: there is no such entry, or no checkpoint of that size.
        BadData: a tile is broken.
    """
    if size is None:
        kept = ledger.newest()
    else:
        with reading(ledger.tables.engine) as connection:
            kept = at_size(connection, ledger.tables, ledger.origin, size)
        if kept is None:
            raise BadParameter(
                "size", f"no checkpoint of {size} entries is kept", remedy="leave it out for the newest"
            )
    if kept is None or index >= kept.size:
        have = kept.size if kept else 0
        raise NotFound(
            f"entry {index} is not in the tree yet ({have} are)", "ledger", "ask again in a second"
        )
    fetch = fetch_of(ledger.blobs)
    path = inclusion(index, kept.size, reader(fetch, kept.size))
    proof = Proof(index, leaf_at(fetch, index, kept.size), tuple(path), kept)
    if not proof.holds():
        raise BadData(
            f"do not lead from entry {index} to the root",
            "the ledger's tiles",
            "run `twintown ledger verify`",
        )
    return proof


def leaf_at(fetch: Fetch, index: int, size: int) -> bytes:
    """The leaf of one entry, out of its bundle. Raises NotFound, BadData."""
    number, place = divmod(index, WIDTH)
    tile = Tile(ENTRIES, number, width_at(ENTRIES, number, size))
    return unbundle(fetch(tile), tile.width, tile.path)[place]


@dataclass(frozen=True)
class Opened:
    """An entry that was opened for a stranger: what the tree holds, the proof, and record and salt that make it."""

    origin: str
    index: int
    leaf: bytes
    path: tuple[bytes, ...]
    note: Note
    record: Mapping[str, Any] = field(repr=False)
    salt: bytes = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON: what `twintown ledger verify --record` reads."""
        return {
            "type": "twintown-ledger-entry/1", "origin": self.origin, "entry": self.index, "leaf": self.leaf.decode(),
            "proof": _text(self.path), "checkpoint": self.note.encode(), "record": dict(self.record),
            "salt": base64.b64encode(self.salt).decode(),
        }  # fmt: skip

    @classmethod
    def of(cls, proof: Proof, entry: Entry) -> Opened:
        """From a proof and the entry's row."""
        if entry.leaf != proof.leaf or not opens(entry.leaf, entry.salt, entry.record):
            raise BadData(
                f"entry {entry.seq} is another one than the tree's",
                "ledger_entries",
                "somebody changed the row",
            )
        return cls(
            proof.kept.origin, proof.index, proof.leaf, proof.path, proof.kept.note, entry.record, entry.salt
        )

    @classmethod
    def parse(cls, said: Any, where: str = "record") -> Opened:
        """From JSON.

        Raises:
            BadData: it is no opened entry.
        """
        try:
            if said["type"] != "twintown-ledger-entry/1" or not isinstance(said["record"], dict):
                raise ValueError
            path = tuple(base64.b64decode(one, validate=True) for one in said["proof"])
            note, salt = Note.parse(said["checkpoint"], where), base64.b64decode(said["salt"], validate=True)
            leaf = said["leaf"].encode()
            return cls(str(said["origin"]), int(said["entry"]), leaf, path, note, said["record"], salt)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadData(
                "is no opened entry of a ledger", where, "make one with `twintown ledger open`"
            ) from error


def _text(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]


def texts(proof: Proof) -> list[str]:
    """The path in base64."""
    return _text(proof.path)
