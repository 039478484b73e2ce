"""The book of who asked: refusals are counted and accesses written down beside the requests, never on their way.

A request leaves a note in a queue (microseconds); one thread a process writes what has come together, several times a second.
"""

from __future__ import annotations

import atexit
import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from twintown.api.shelf import Served
from twintown.ground.errors import Denied, TwintownError, Unauthenticated
from twintown.trust import access_log, refusals
from twintown.trust.identity import ANYONE, Subject
from twintown.trust.refusals import Refused

LOG = logging.getLogger("twintown.api")
#: Where a request remembers who asked for what: the twin, the subject, the action.
CALLER = "twintown.caller"
#: Marks the scope of a request whose answer nobody else may see: no store on the way keeps it.
PRIVATE = "twintown.private"
#: How long notes come together, seconds; how many different things one caller is refused by name in an hour.
GATHER_S, DISTINCT = 0.2, 100


@dataclass(frozen=True, slots=True)
class _Access:
    served: Served
    at: datetime
    subject: Subject
    action: str
    path: str
    status: int

    def line(self) -> dict[str, Any]:
        who = self.subject
        return access_log.line_of(
            self.at,
            refusals.caller_of(who),
            self.action,
            self.path[:300],
            self.status,
            agreement=who.agreement,
        )


@dataclass(frozen=True, slots=True)
class _Refusal:
    served: Served
    refused: Refused


class Book:
    """Takes notes and writes them; one a process."""

    def __init__(self) -> None:
        self._notes: SimpleQueue[_Access | _Refusal | Event] = SimpleQueue()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._hour = ""
        self._distinct: dict[tuple[str, str], set[str]] = defaultdict(set)

    def note(self, one: _Access | _Refusal | Event) -> None:
        """Leave a note."""
        self._notes.put(one)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="book", daemon=True)
                    self._thread.start()
                    atexit.register(self.flush, 1.0)

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until everything noted so far is written."""
        if self._thread is not None:
            done = Event()
            self._notes.put(done)
            done.wait(timeout_s)

    def _run(self) -> None:
        while True:
            notes = [self._notes.get()]
            Event().wait(0.0 if isinstance(notes[0], Event) else GATHER_S)
            while True:
                try:
                    notes.append(self._notes.get_nowait())
                except Empty:
                    break
            try:
                self._write(notes)
            except Exception:  # the next ones are written all the same
                LOG.exception("the book of accesses")
            for one in notes:
                if isinstance(one, Event):
                    one.set()

    def _write(self, notes: list[_Access | _Refusal | Event]) -> None:
        now = datetime.now(UTC)
        lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        counts: dict[str, Counter[Refused]] = defaultdict(Counter)
        twins: dict[str, Served] = {}
        for one in notes:
            if isinstance(one, Event):
                continue
            twins[one.served.id] = one.served
            if isinstance(one, _Access):
                lines[one.served.id].append(one.line())
            else:
                counts[one.served.id][self._bounded(one.served.id, one.refused, now)] += 1
        for id, served in twins.items():
            try:
                if lines[id]:
                    access_log.append(served.twin.directory, lines[id], now)
                if counts[id]:
                    refusals.count(served.twin.writing().tables, counts[id], now)
            except TwintownError as error:
                LOG.warning("the accesses of %s are not written down: %s", id, error)

    def _bounded(self, twin: str, refused: Refused, now: datetime) -> Refused:
        """The same, or without its name where a caller tries one name after the other."""
        if (hour := refusals.hour_of(now)) != self._hour:
            self._hour = hour
            self._distinct.clear()
        seen = self._distinct[twin, refused.caller]
        if refused.resource in seen or len(seen) < DISTINCT:
            seen.add(refused.resource)
            return refused
        kind = refused.resource.partition("/")[0]
        return Refused(
            refused.caller, refused.action, f"{kind}/*", refused.code, refused.code or "several reasons"
        )


BOOK = Book()


def answered(scope: Scope, status: int) -> None:
    """A request was answered: who said who they are is written into the access log."""
    found: tuple[Served, Subject, str] | None = scope.get(CALLER)
    if found is None or found[1].kind == "anyone":
        return
    BOOK.note(_Access(found[0], datetime.now(UTC), found[1], found[2], scope["path"], status))


def refused(request: Request, error: Exception) -> None:
    """A request was refused: it is counted, whoever asked. Other errors are not refusals."""
    if not isinstance(error, Denied | Unauthenticated):
        return
    note(request, error.code, error.what)


def note(request: Request, code: str, reason: str) -> None:
    """Count something that was refused by another name than those of `refused`: a message that is no message, an address elsewhere."""
    found: tuple[Served, Subject, str] | None = request.scope.get(CALLER)
    parts = request.url.path.strip("/").split("/")
    opened = getattr(request.app.state, "open", None) if "app" in request.scope else None
    if found is None:  # refused before anybody knew who asked
        served = (
            opened.shelf.twins.get(parts[1]) if opened and len(parts) > 1 and parts[0] == "twins" else None
        )
        if served is None:
            return
        found = (served, ANYONE, request.method.lower())
    served, subject, action = found
    resource = (
        "/".join(parts[2:4]) if parts[2:3] in (["collections"], ["processes"]) else "/".join(parts[2:3])
    )
    BOOK.note(_Refusal(served, Refused(refusals.caller_of(subject), action, resource, code, reason)))
