"""Server-sent events (WHATWG HTML, 9.2): who listens is told of changes as they are committed, by whichever process.

A stream looks at the database ten times a second, which costs microseconds (`store/watch`), and reads only after a commit. Each
event carries a number; who was cut off comes back with `Last-Event-ID` and misses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from twintown.api import answers
from twintown.ground.errors import BadParameter, Busy, Denied, Unauthenticated
from twintown.store.watch import Watch

MEDIA_TYPE = "text/event-stream"
#: Seconds between two looks, between two signs of life, and before a listener that was cut off comes back.
LOOK_S, LIFE_S, BACK_S = 0.1, 15.0, 1.0
#: Listeners of one server process; each costs some ten kilobytes and a look ten times a second.
MOST = 500


@dataclass(frozen=True)
class Event:
    """One thing to be told.

    Attributes:
        seq: its number, growing within a stream; what `Last-Event-ID` names.
        data: any JSON value.
        kind: what `addEventListener` waits for; "" is `message`.
    """

    seq: int
    data: object
    kind: str = ""

    def encode(self) -> bytes:
        """The event as it goes over the wire; JSON of one line needs one `data` line."""
        kind = f"event: {self.kind}\n" if self.kind else ""
        return f"id: {self.seq}\n{kind}data: ".encode() + answers.dumps(self.data) + b"\n\n"


#: What happened after a number, in order, and whether that was the end of it all.
Changes = Callable[[int], tuple[Sequence[Event], bool]]


@dataclass
class Listening:
    """The listeners of this process; `ending` is set when the server is told to stop, so that none of them holds it up."""

    count: int = 0
    ending: Flag = field(default_factory=Flag)


LISTENING = Listening()


def last_event(request: Request) -> int:
    """The number after which a listener wants to be told: `Last-Event-ID`, 0 without it.

    Raises:
        BadParameter: it is no number of ours.
    """
    said = request.headers.get("last-event-id", "").strip()
    if not said:
        return 0
    if not said.isascii() or not said.isdigit() or len(said) > 18:
        raise BadParameter("Last-Event-ID", f"{said[:40]!r} is no number", remedy="send back the last id")
    return int(said)


async def stream(request: Request, watch: Watch, changes: Changes, *, since: int | None = None) -> Response:
    """A stream of events: at once what is known after `since`, then each commit's news.

    Args:
        request: of the listener.
        watch: of the database that the changes are read from (`Twin.watch`).
        changes: what happened after a number; called in a thread, first before the answer begins, so that what it raises
            becomes a problem.
        since: the number to begin after; the one that the listener sends back by default.

    Raises:
        BadParameter: see `last_event`.
        Busy: too many listen already.
        Whatever `changes` raises.
    """
    seq = last_event(request) if since is None else since
    if LISTENING.count >= MOST:
        raise Busy(f"more than {MOST} listen here already", remedy="ask for the status now and then")
    seen = watch.look()  # before reading: what is committed meanwhile is read again
    first, ended = await run_in_threadpool(changes, seq)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Authorization, Cookie"}
    told = _told(request, watch, changes, max([seq, *(one.seq for one in first)]), seen, first, ended)
    return StreamingResponse(told, media_type=MEDIA_TYPE, headers=headers)


async def _told(
    request: Request, watch: Watch, changes: Changes, seq: int, seen: object, events: Sequence[Event], ended: bool
) -> AsyncIterator[bytes]:  # fmt: skip
    LISTENING.count += 1
    try:
        yield f"retry: {int(BACK_S * 1000)}\n\n".encode()
        said = looked = time.monotonic()
        while True:
            if events:
                yield b"".join(one.encode() for one in events)
                seq, said = max(seq, *(one.seq for one in events)), time.monotonic()
            if ended or LISTENING.ending.is_set():
                return
            events = ()
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if now - looked > 1.0:
                looked = now
                if await request.is_disconnected():
                    return
            if now - said > LIFE_S:
                said = now
                yield b": still here\n\n"
            mark = watch.look()
            if mark != seen:
                seen = mark
                try:
                    events, ended = await run_in_threadpool(changes, seq)
                except (Denied, Unauthenticated):  # taken back meanwhile
                    return
    finally:
        LISTENING.count -= 1
