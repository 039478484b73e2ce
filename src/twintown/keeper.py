"""The keeper at the roof: which task does which kind of job, and the process that keeps the jobs of the served twins going.

twintown serve DIR…        starts it beside the server; it dies with it
twintown keep DIR…         is it
python -m twintown.keeper  is what `serve` starts: it ends when its standard input does
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twintown.jobs.job import Job
    from twintown.jobs.runner import Plan
    from twintown.jobs.work import Task, Work
    from twintown.settings import Settings
    from twintown.twin.layers import Twin

LOG = logging.getLogger("twintown.keeper")
#: How often the chores look whether a database changed, seconds.
_LOOK_S = 0.1
#: How long the keeper has to give its jobs back when the server ends, seconds.
PATIENCE_S = 3.0
#: A keeper that ended by itself is started again after so long, seconds.
AGAIN_S = 1.0


def tasks() -> Mapping[str, Task]:
    """What does each kind of job; rooms are opened when the first job of their kind comes."""
    return {
        "process": _process, "verification": _verification, "approval": _approval, "report": _report, "playbook": _playbook,
    }  # fmt: skip


def _process(work: Work) -> Any:
    from twintown.jobs.results import task

    return task(work)


def _verification(work: Work) -> Any:
    from twintown.jobs.verify import task

    return task(work)


def _approval(work: Work) -> Any:
    from twintown.build.approval import task

    return task(work)


def _report(work: Work) -> Any:
    from twintown.scenario.reporting import Place, make
    from twintown.settings import read_settings

    settings = read_settings()
    fonts = settings.web / "fonts" if settings.web else None
    return make(work, Place(settings.public_url, fonts))


def _playbook(work: Work) -> Any:
    from twintown.exchange.playbook_run import task

    return task(work)


#: What is done for a twin beside its jobs: at every change of its database, and at least once in so many seconds.
Chore = Callable[["Twin", "Settings"], None]
CHORE_S = 1.0


def chores() -> tuple[Chore, ...]:
    """What the keeper does for each twin in turn; rooms are opened when the first turn comes."""
    from twintown.api.event_matter import EventMatters
    from twintown.exchange.peer_watch import watch_peers
    from twintown.trust.ledger_keeping import Witnesses

    witnesses, hands = Witnesses(), dict[str, Any]()

    def bring_messages(twin: Twin, settings: Settings) -> None:
        """Agreements and copies whose time is over end; and what a server could not say to other cities, or died before it did."""
        from twintown.exchange.button import expire
        from twintown.exchange.copies import delete_due
        from twintown.exchange.handshake import Handshake

        if settings.public_url not in hands:
            hands[settings.public_url] = Handshake(
                settings.public_url, settings.ca, background=False, test=settings.dsp_test, matters=EventMatters()
            )
        hand = hands[settings.public_url]
        party = hand.party(twin)
        expire(party, datetime.now(UTC))
        delete_due(twin, datetime.now(UTC))
        hand.bring(party)

    def keep_ledger(twin: Twin, settings: Settings) -> None:
        from twintown.jobs.outgoing import trusting

        witnesses.turn(twin, settings.public_url, trusting(str(settings.ca or "")))

    def close_books(twin: Twin, settings: Settings) -> None:
        """The hours that are over: counts of refusals and roots of the access log go into the ledger, old lines go away."""
        from twintown.trust import access_log, refusals

        now = datetime.now(UTC)
        refusals.close(twin.writing().tables, now)
        access_log.close(twin.directory, twin.writing().tables, now)
        access_log.prune(twin.directory, settings.access_days, now)

    def end_deputies(twin: Twin, _: Settings) -> None:
        """Jobs of partners whose agreement is not in force any more."""
        from twintown.jobs.deputy import recall_all

        recall_all(twin, datetime.now(UTC))

    return (watch_peers, end_deputies, keep_ledger, bring_messages, close_books)


class Chores:
    """The chores of the served twins, in a thread beside the jobs; one that fails is said once and tried again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def run(self, stop: Event) -> None:
        """Until `stop` is set."""
        from twintown.ground.errors import TwintownError

        todo, looks, failed = chores(), dict[int, Any](), set[tuple[int, str]]()
        places = plan_of(self.settings).places
        twins: dict[int, Twin] = {}
        due = 0.0
        while todo and not stop.wait(_LOOK_S):
            late = time.monotonic() >= due
            if late:
                due = time.monotonic() + CHORE_S
            for number, place in enumerate(places):
                try:
                    twin = twins[number] if number in twins else twins.setdefault(number, place.open())
                    look = twin.watch.look()
                except TwintownError as error:
                    _say(failed, (number, "open"), place.directory, error)
                    continue
                if not late and look == looks.get(number):
                    continue
                looks[number] = look
                for chore in todo:
                    try:
                        chore(twin, self.settings)
                        failed.discard((number, chore.__name__))
                    except TwintownError as error:
                        _say(failed, (number, chore.__name__), place.directory, error)
                    except Exception:  # the next turn tries again; the other chores go on
                        LOG.exception("%s of %s", chore.__name__, place.directory)


def _say(failed: set[tuple[int, str]], what: tuple[int, str], where: Path, error: Exception) -> None:
    if what not in failed:
        failed.add(what)
        LOG.warning("%s of %s: %s", what[1], where, error)


def plan_of(settings: Settings) -> Plan:
    """What the keeper of an installation keeps. Raises BadSettings: a twin's description."""
    from twintown.jobs.runner import Place, Plan
    from twintown.twin.description import Description

    places = []
    for directory in settings.twins:
        blobs = settings.blobs_of(Description.load(directory).id) if settings.blob_url else ""
        places.append(Place(directory.resolve(), settings.database_url, blobs))
    return Plan(tuple(places), tasks, settings.keeper_workers, settings.dask_url, heard=_heard(settings))


def _heard(settings: Settings) -> Callable[[Twin, Job], None]:
    """Who is told of a job's changes: whoever asked to be called back, and the listing at the twin's root."""
    from twintown.build.run import settle
    from twintown.jobs.callbacks import Callbacks
    from twintown.jobs.outgoing import hosts_of

    hosts = hosts_of(settings.callbacks, settings.ca)
    callbacks = Callbacks(hosts, settings.public_url) if hosts else None

    def heard(twin: Twin, job: Job) -> None:
        if callbacks is not None:
            callbacks.heard(twin, job)
        if job.kind == "process" and job.state in ("successful", "dismissed"):
            settle(twin)

    return heard


def keep(settings: Settings, stop: Event) -> None:
    """Keep the jobs of the twins of an installation going until `stop` is set. Raises BadSettings."""
    from twintown.jobs.runner import Keeper

    beside = Thread(target=Chores(settings).run, args=(stop,), name="chores", daemon=True)
    beside.start()
    Keeper(plan_of(settings)).run(stop)
    beside.join(PATIENCE_S)


class Beside:
    """A keeper in a process of its own, as long as the block runs; none where the settings say so.

    However this process ends, the keeper ends with it: it reads from a pipe that nobody else holds. Should it end by itself it is
    started again.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._over = Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._watch: Thread | None = None

    def start(self) -> None:
        """Begin, without waiting for it to be ready."""
        if self.settings.keeper and self.settings.twins and self._watch is None:
            self._watch = Thread(target=self._run, name="keeper", daemon=True)
            self._watch.start()

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._watch is not None:
            self._watch.join(2 * PATIENCE_S)

    def _run(self) -> None:
        twins = os.pathsep.join(str(twin.resolve()) for twin in self.settings.twins)
        workers = str(self.settings.keeper_workers)
        environment = {**os.environ, "TWINTOWN_TWINS": twins, "TWINTOWN_KEEPER_WORKERS": workers}
        while not self._over.is_set():
            command = [sys.executable, "-m", "twintown.keeper"]
            child = self._child = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
            while child.poll() is None and not self._over.wait(0.1):
                pass
            assert child.stdin is not None
            with suppress(OSError):
                child.stdin.close()
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            self._over.wait(AGAIN_S)


def main() -> int:
    """The keeper beside a server."""
    from twintown.settings import read_settings

    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the server, and ends us by its end
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def watch() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        stop.set()

    Thread(target=watch, name="server", daemon=True).start()
    keep(read_settings(), stop)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
