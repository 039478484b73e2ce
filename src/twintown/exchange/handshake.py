"""What an installation needs to shake hands: how a twin of its becomes a party, and who brings what the parties say.

The roof makes one `Handshake` in each process. In a server a thread brings messages as soon as they are committed; the keeper's chore
brings what was left over: by a server that died, or because the other city was away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread

from twintown.exchange import outbox
from twintown.exchange.agreed import Agreed
from twintown.exchange.courier import Courier
from twintown.exchange.delivery import Clock, deliver, now_utc
from twintown.exchange.hooks import Hooks
from twintown.exchange.party import Party, Pinned
from twintown.exchange.programme_matter import Matters
from twintown.exchange.rehearsal import Anybody, Rehearsed, play
from twintown.ground.errors import TwintownError
from twintown.store.engine import reading
from twintown.trust.keys import signing_key
from twintown.twin.layers import Twin

LOG = logging.getLogger("twintown.exchange")
#: How long a thread that brought everything waits for more before it ends, seconds.
_IDLE_S = 30.0
#: How long it waits at least before it tries again what could not be brought, seconds.
_LEAST_S = 0.25


@dataclass
class Handshake:
    """The handshake of one process.

    Attributes:
        public_url: of the server, without a slash at its end.
        ca: authorities that are trusted when peers are asked; the system's where there is none.
        hooks: who knows what is shared.
        background: whether messages are brought by a thread of this process as soon as they are committed.
        test: the test profile (`rehearsal`): any caller, seeded names, nothing real.
        matters: who knows what joint programmes are about.
    """

    public_url: str
    ca: Path | None = None
    hooks: Hooks | None = None
    background: bool = True
    test: bool = False
    matters: Matters | None = None
    courier: Courier = field(init=False)

    def __post_init__(self) -> None:
        self.courier = Courier(self.ca, plain=self.test)
        self._agreed = Agreed(self.public_url)
        self._lock = Lock()
        self._bringing: dict[str, Bringing] = {}

    def party(self, twin: Twin) -> Party:
        """A twin of ours as one side of a handshake. Raises StorageFailed: its rows cannot be written to."""
        written = twin.writing()
        made = Party(
            twin=written,
            did=self._agreed.did(twin),
            address=f"{self.public_url.rstrip('/')}/twins/{twin.description.id}",
            hooks=Rehearsed() if self.test else self.hooks or self._agreed,
            peers=Anybody() if self.test else Pinned(written),
            key=lambda: signing_key(twin.directory),
            test=self.test,
            matters=self.matters,
        )
        return self.woken(made)

    def woken(self, party: Party) -> Party:
        """The party, whose commits are followed by what there is to bring."""
        if not self.background:
            return party
        with self._lock:
            id = party.twin.description.id
            if id not in self._bringing:
                self._bringing[id] = Bringing(lambda: self.bring(party))
        return Party(
            party.twin, party.did, party.address, party.hooks, party.peers, party.key, self._bringing[id].wake, party.test,
            party.matters,
        )  # fmt: skip

    def bring(self, party: Party, clock: Clock = now_utc) -> float | None:
        """Bring what is due; seconds until there may be more to do, None where nothing is known of."""
        deliver(party, self.courier, clock=clock)
        waits = [play(party, clock())] if party.test else []
        with reading(party.twin.tables.engine) as connection:
            due = outbox.due(connection, party.twin.tables.twin)
        if due is not None:
            waits.append(max((due - clock()).total_seconds(), _LEAST_S))
        return min((wait for wait in waits if wait is not None), default=None)


class Bringing:
    """A thread that does something whenever it is woken, and ends when it was not woken for a while."""

    def __init__(self, bring: Callable[[], float | None]) -> None:
        self._bring = bring
        self._lock = Lock()
        self._woken = Event()
        self._thread: Thread | None = None

    def wake(self) -> None:
        """There is something to do; returns at once."""
        with self._lock:
            self._woken.set()
            if self._thread is None:
                self._thread = Thread(target=self._run, name="courier", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        again: float | None = None
        while True:
            if not self._woken.wait(_IDLE_S if again is None else min(again, _IDLE_S)) and again is None:
                with self._lock:
                    if not self._woken.is_set():
                        self._thread = None
                        return
            self._woken.clear()
            again = None
            try:
                again = self._bring()
            except TwintownError as error:  # the keeper tries again
                LOG.warning("messages wait: %s", error)
            except Exception:  # a thread that ended would bring nothing any more
                LOG.exception("messages wait")
