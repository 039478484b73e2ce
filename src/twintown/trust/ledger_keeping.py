"""The keeper's chore for the ledger: the tree grows, its checkpoint is signed, and the pinned peers are asked to cosign it.

Peers are asked beside the chore, one question at a time each; one that does not answer is asked again later, ever less often.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import TYPE_CHECKING

from twintown.ground.errors import BadData, Conflict, Denied, StorageFailed, TwintownError
from twintown.store.engine import writing

from .checkpoints import origin_of, witness_keys
from .ledger import alone
from .ledger_known import Keeping, good_keys, ledger_of
from .ledger_rows import Kept, at_size, keep
from .ledger_source import Address
from .ledger_tree import Ledger, fetch_of, grow, publish
from .notes import Note, signatures, verified
from .peers import Peer, peers_of
from .tlog import consistency
from .tlog_tiles import reader
from .witness import SIZE_TYPE, Ask

if TYPE_CHECKING:
    import ssl

LOG = logging.getLogger("twintown.ledger")
#: A peer that did not cosign is asked again after so long, twice as long each time, seconds.
FIRST_S, LONGEST_S = 1.0, 60.0
#: Puts a question to a peer's witness: status, media type, body.
Post = Callable[[Peer, bytes], tuple[int, str, str]]


def ask(ledger: Ledger, peer: Peer, keys: Sequence[str], old: int, post: Post, now: datetime) -> int:
    """Have a peer cosign the newest checkpoint; its cosignature is kept with the checkpoint.

    Args:
        keys: of the peer.
        old: the size that the peer saw last, as far as we know.

    Returns:
        the size that the peer has seen now.

    Raises:
        Conflict: the peer has seen more entries than there are, or another tree: this ledger was changed.
        Denied: the peer does not know this ledger, or not the key that signs it.
        BadData, StorageFailed: its answer cannot be used, or there is none.
    """
    last = ledger.newest()
    if last is None:
        return 0
    for _ in range(3):  # what it has seen may change while we ask
        proof = tuple(consistency(old, last.size, reader(fetch_of(ledger.blobs), last.size)))
        status, media, said = post(peer, Ask(old, proof, _own(ledger, last)).encode())
        if status == 200:
            _take(ledger, last, peer, keys, said, now)
            return last.size
        if status != 409 or media != SIZE_TYPE or not said.strip().isdecimal() or len(said) > 20:
            break
        seen = int(said)
        if seen > last.size or seen == old == last.size:
            raise Conflict(
                f"{peer.id} has seen another tree ({seen} entries; here are {last.size}): entries were lost or changed",
                ledger.origin, "put the database and the ledger back as they were",
            )  # fmt: skip
        old = seen
    if status in (403, 404):
        why = "does not know this ledger" if status == 404 else "does not know the key that signs it"
        raise Denied(f"{peer.id} {why}", ledger.origin, "have it pin this twin's address and key")
    raise StorageFailed(f"{peer.id} did not cosign ({status})", ledger.origin, "it is asked again")


def _own(ledger: Ledger, last: Kept) -> Note:
    """The checkpoint with our own signatures only."""
    return Note(last.note.text, tuple(one for one in last.note.signatures if one.name == ledger.origin))


def _take(ledger: Ledger, last: Kept, peer: Peer, keys: Sequence[str], said: str, now: datetime) -> None:
    where = f"{peer.id} add-checkpoint"
    answer = Note(last.note.text, signatures(said, where))
    found = verified(answer, witness_keys(origin_of(peer.address), keys), where)
    if not found:
        raise BadData("holds no cosignature of a key that is known", where, "pin the peer's present key")
    with writing(ledger.tables.engine, fresh=True) as connection:
        alone(connection, ledger.tables.twin)
        there = at_size(connection, ledger.tables, ledger.origin, last.size) or last
        kept = Kept(last.origin, last.size, last.root, there.note.signed(*found.values()))
        keep(connection, ledger.tables, kept, now)
    newest = ledger.newest()
    if newest is not None:
        publish(ledger, newest)


@dataclass
class _Told:
    """What is known of one peer as a witness of one ledger."""

    size: int = 0
    failures: int = 0
    due: float = 0.0
    busy: bool = False
    said: str = ""


@dataclass
class Witnesses:
    """Asks the peers of the served twins to cosign, beside the chores."""

    post: Callable[[ssl.SSLContext | bool], Post] = field(default=lambda verify: _post(verify))
    _told: dict[tuple[str, str], _Told] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def turn(self, twin: Keeping, public_url: str, verify: ssl.SSLContext | bool = True) -> None:
        """One turn of the chore: grow, sign, and ask whom it is time to ask. Raises like `grow`, and like `peers_of`."""
        ledger = ledger_of(twin, public_url)
        last = grow(ledger, datetime.now(UTC))
        if last is None:
            return
        for peer in peers_of(twin):
            if not peer.pinned:
                continue
            keys = good_keys(twin, peer)
            if verified(last.note, witness_keys(origin_of(peer.address), keys)):
                continue
            with self._lock:
                told = self._told.setdefault((ledger.origin, peer.did), _Told())
                if told.busy or time.monotonic() < told.due:
                    continue
                told.busy = True
            asking = (ledger, peer, keys, told, self.post(verify))
            Thread(target=self._ask, args=asking, name=f"cosign {peer.id}", daemon=True).start()

    def _ask(self, ledger: Ledger, peer: Peer, keys: Sequence[str], told: _Told, post: Post) -> None:
        try:
            told.size = ask(ledger, peer, keys, told.size, post, datetime.now(UTC))
            told.failures, told.due, told.said = 0, 0.0, ""
        except TwintownError as error:
            told.due = time.monotonic() + min(LONGEST_S, FIRST_S * 2**told.failures)
            told.failures, told.size = told.failures + 1, 0
            if told.said != error.what:  # once, until it says something else
                LOG.warning("%s", error)
            told.said = error.what
        except Exception:  # the next turn asks again
            told.due = time.monotonic() + LONGEST_S
            LOG.exception("cosigning of %s by %s", ledger.origin, peer.id)
        finally:
            told.busy = False


def _post(verify: ssl.SSLContext | bool) -> Post:
    def post(peer: Peer, body: bytes) -> tuple[int, str, str]:
        return Address(peer.address, verify).add_checkpoint(body)

    return post
