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

from twintown.ground.errors import BadData, Conflict, Denied, NotFound, StorageFailed, TwintownError
from twintown.store.engine import writing

from .checkpoints import log_keys, origin_of, witness_keys
from .ledger import alone
from .ledger_known import Keeping, good_keys, ledger_of, pinned
from .ledger_looking import look
from .ledger_rows import Kept, at_size, keep
from .ledger_source import Address
from .ledger_tree import Ledger, fetch_of, grow, publish
from .notes import Note, signatures, verified
from .peers import Peer
from .tlog import consistency
from .tlog_tiles import reader
from .witness import SIZE_TYPE, Ask

if TYPE_CHECKING:
    import ssl

LOG = logging.getLogger("twintown.ledger")
#: A peer's own ledger is looked at so often, seconds.
LOOK_S = 60.0
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
    """What is known of one peer: as a witness of one ledger, and as a ledger of its own."""

    size: int = 0
    failures: int = 0
    due: float = 0.0
    look: float = 0.0
    busy: bool = False
    said: str = ""
    seen: str = ""


@dataclass
class Witnesses:
    """Asks the peers of the served twins to cosign, and looks at their ledgers, beside the chores."""

    source: Callable[[str, ssl.SSLContext | bool], Address] = Address
    _told: dict[tuple[str, str], _Told] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def turn(self, twin: Keeping, public_url: str, verify: ssl.SSLContext | bool = True) -> None:
        """One turn of the chore: grow, sign, ask whom it is time to ask. Raises like `grow`, and like `peers_of`."""
        ledger = ledger_of(twin, public_url)
        last = grow(ledger, datetime.now(UTC))
        for origin, peer in pinned(twin).items():
            now = time.monotonic()
            with self._lock:
                told = self._told.setdefault((ledger.origin, peer.did), _Told(look=now + FIRST_S))
                if told.busy or now < min(told.due, told.look):
                    continue
                keys = good_keys(twin, peer)
                cosigned = last is None or bool(verified(last.note, witness_keys(origin, keys)))
                if (cosigned or now < told.due) and now < told.look:
                    continue
                told.busy = True
            work = (ledger, peer, keys, told, self.source(peer.address, verify), not cosigned)
            Thread(target=self._work, args=work, name=f"ledger of {peer.id}", daemon=True).start()

    def _work(
        self, ledger: Ledger, peer: Peer, keys: Sequence[str], told: _Told, source: Address, wanted: bool
    ) -> None:
        try:
            if wanted and time.monotonic() >= told.due:
                self._ask(ledger, peer, keys, told, source)
            if time.monotonic() >= told.look:
                told.look = time.monotonic() + LOOK_S
                self._look(ledger, peer, keys, told, source)
        except Exception:  # the next turn tries again
            told.due = time.monotonic() + LONGEST_S
            LOG.exception("the ledger of %s and %s", ledger.origin, peer.id)
        finally:
            source.close()
            told.busy = False

    def _ask(self, ledger: Ledger, peer: Peer, keys: Sequence[str], told: _Told, source: Address) -> None:
        def post(_: Peer, body: bytes) -> tuple[int, str, str]:
            return source.add_checkpoint(body)

        try:
            told.size = ask(ledger, peer, keys, told.size, post, datetime.now(UTC))
            told.failures, told.due, told.said = 0, 0.0, ""
        except TwintownError as error:
            told.due = time.monotonic() + min(LONGEST_S, FIRST_S * 2**told.failures)
            told.failures, told.size = told.failures + 1, 0
            if (
                told.said != error.what and told.failures > 1
            ):  # once, and not for a peer that is only starting
                LOG.warning("%s", error)
                told.said = error.what

    def _look(self, ledger: Ledger, peer: Peer, keys: Sequence[str], told: _Told, source: Address) -> None:
        origin = origin_of(peer.address)
        try:
            said = look(ledger, origin, source, log_keys(origin, keys), datetime.now(UTC))
        except NotFound:
            return  # nothing is in its ledger yet
        except StorageFailed:
            return  # it does not answer; `peers` shows that
        except TwintownError as error:
            said = str(error)
        if said and said != told.seen:
            LOG.warning("%s", said)
        told.seen = said
