"""Checkpoints: what a log says of itself at one size, signed (C2SP tlog-checkpoint, c2sp.org/tlog-checkpoint).

    <origin>              which log: its address without the scheme
    <size>                how many entries
    <root, base64>        the root of the tree over them (RFC 6962)

The log's own signature is by a key of the name of its origin; below it stand the cosignatures of witnesses, each by its own name.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from twintown.ground.errors import BadData

from .keys import Key
from .notes import COSIGNATURE, Note, Verifier, sign, verified
from .tlog import HASH

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at one size. `extensions`: further lines of the text, which mean nothing here."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))

    @classmethod
    def parse(cls, text: str, where: str = "checkpoint") -> Checkpoint:
        """From the text of a note.

        Raises:
            BadData: it is not the text of a checkpoint.
        """
        lines = text.split("\n")
        try:
            origin, size, root, *rest = lines[:-1]
            raw = base64.b64decode(root, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadData("is no checkpoint", where, "see c2sp.org/tlog-checkpoint") from error
        good = origin and _SIZE.fullmatch(size) and len(raw) == HASH and all(rest) and not lines[-1]
        if not good or base64.b64encode(raw).decode() != root:
            raise BadData("is no checkpoint", where, "see c2sp.org/tlog-checkpoint")
        return cls(origin, int(size), raw, tuple(rest))


def origin_of(address: str) -> str:
    """The origin of the ledger of the twin at an address: host and path, without the scheme."""
    parts = urlsplit(address)
    return f"{parts.netloc}{parts.path.rstrip('/')}/ledger"


def log_keys(origin: str, keys: Iterable[str]) -> list[Verifier]:
    """The keys (Multikeys) that may sign a log's checkpoints. A log that changes its key keeps its origin."""
    return [Verifier(origin, key) for key in keys]


def witness_keys(name: str, keys: Iterable[str]) -> list[Verifier]:
    """The keys of a witness; a twin cosigns under the origin of its own ledger."""
    return [Verifier(name, key, COSIGNATURE) for key in keys]


def signed_checkpoint(checkpoint: Checkpoint, key: Key) -> Note:
    """The checkpoint with the log's own signature. The same checkpoint gives the same bytes."""
    text = checkpoint.text()
    return Note(text, (sign(text, checkpoint.origin, key),))


def read_checkpoint(note: Note, keys: Sequence[Verifier], where: str = "checkpoint") -> Checkpoint:
    """The checkpoint in a note that its log has signed.

    Args:
        keys: what is believed of that log.

    Raises:
        BadData: it is none, no key of that log has signed it, or one that did does not fit.
    """
    found = Checkpoint.parse(note.text, where)
    mine = [one for one in keys if one.name == found.origin and one.type != COSIGNATURE]
    if not verified(note, mine, where):
        raise BadData(
            f"is not signed by a key of {found.origin[:200]}",
            where,
            "give the log's key, or ask it for a newer one",
        )
    return found
