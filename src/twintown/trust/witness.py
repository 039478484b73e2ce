"""A witness of other cities' logs: what it is asked, and what it answers (C2SP tlog-witness, c2sp.org/tlog-witness).

    old <size of the last checkpoint that the witness has cosigned>
    <hash of the consistency proof, base64>     none, one or more
                                                (an empty line)
    <checkpoint>

Pure: `judge` looks at the question and at what was seen before, and says which answer it gets. `trust.ledger_witness` keeps and signs.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twintown.ground.errors import BadData

from .checkpoints import Checkpoint, read_checkpoint
from .notes import LONGEST as LONGEST_NOTE
from .notes import Note, Verifier
from .tlog import HASH, MOST, consistent

#: Longest question, bytes.
LONGEST = LONGEST_NOTE + 8192
#: The media type of the one answer that is a size.
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Ask:
    """The question: from which size on, with which proof, to which checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def encode(self) -> bytes:
        lines = [f"old {self.old}", *(base64.b64encode(one).decode() for one in self.proof), ""]
        return ("\n".join(lines) + "\n" + self.note.encode()).encode()

    @classmethod
    def parse(cls, body: bytes) -> Ask:
        """Read a question; nothing of it is believed yet.

        Raises:
            BadData: it is none, or too long.
        """
        where = "add-checkpoint"
        if len(body) > LONGEST:
            raise BadData(f"is longer than {LONGEST} bytes", where)
        try:
            head, between, note = body.decode("utf-8").partition("\n\n")
            first, *lines = head.split("\n")
            old = _OLD.fullmatch(first)
            proof = tuple(base64.b64decode(line, validate=True) for line in lines)
        except (UnicodeDecodeError, binascii.Error, ValueError) as error:
            raise BadData("is no question to a witness", where, "see c2sp.org/tlog-witness") from error
        if not between or old is None or len(proof) > MOST or any(len(one) != HASH for one in proof):
            raise BadData("is no question to a witness", where, "see c2sp.org/tlog-witness")
        return cls(int(old[1]), proof, Note.parse(note, where))


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint of a log that was cosigned before."""

    size: int
    root: bytes
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: an HTTP status, why, and for 409 the size that was seen last.

    `other` is the checkpoint of the same size with another root, where there is one: with the new one it proves a fork.
    """

    status: int
    what: str
    checkpoint: Checkpoint | None = None
    size: int = 0
    other: Seen | None = None

    @property
    def fork(self) -> bool:
        return self.other is not None


def judge(
    ask: Ask,
    logs: Mapping[str, Sequence[Verifier]],
    last: Callable[[str], Seen | None],
    at: Callable[[str, int], Seen | None],
) -> Verdict:
    """Whether a checkpoint is to be cosigned (200), and if not, why.

    Args:
        logs: the keys of each log that is known, by origin.
        last: the largest checkpoint of a log that was cosigned.
        at: the checkpoint of that size that was cosigned.
    """
    try:
        checkpoint = Checkpoint.parse(ask.note.text)
    except BadData as error:
        return Verdict(400, error.what)
    if checkpoint.origin not in logs:
        return Verdict(404, "this log is not known here")
    try:
        read_checkpoint(ask.note, logs[checkpoint.origin])
    except BadData:
        return Verdict(403, "no key that is known of this log has signed it")
    if ask.old > checkpoint.size:
        return Verdict(400, "the old size is larger than the checkpoint's", checkpoint)
    seen, same = last(checkpoint.origin), at(checkpoint.origin, checkpoint.size)
    size = seen.size if seen else 0
    if same is not None and same.root != checkpoint.root:
        what = "another root was seen for the same size: the log was forked"
        return Verdict(409, what, checkpoint, size, same)
    if ask.old != size:
        return Verdict(409, "another size was seen last", checkpoint, size)
    if seen is None or not size:
        good = not ask.proof
    else:
        good = consistent(size, checkpoint.size, ask.proof, seen.root, checkpoint.root)
    if not good:
        return Verdict(422, "the proof does not lead from what was seen last to this checkpoint", checkpoint)
    return Verdict(200, "seen, and it continues what was seen before", checkpoint, size)
