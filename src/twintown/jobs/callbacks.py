"""Callbacks: who asked for a job and left addresses is told of it there (OGC API - Processes 1.0, conformance class Callback).

The keeper hears of every change of a job and hands it on here. At its success the results go to `successUri`, as links to the layers; at
its failure or dismissal its status goes to `failedUri`; while it runs its status goes to `inProgressUri`, not too often. What does not
arrive is sent again after a while, a few times. A subscriber that is slow or away holds up nobody else.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Lock, Thread, Timer
from typing import Any
from urllib.parse import quote

from twintown.ground.errors import BadParameter, TwintownError
from twintown.jobs.job import Job
from twintown.jobs.outgoing import Hosts, ask
from twintown.twin.layers import Twin

LOG = logging.getLogger("twintown.jobs")
#: Waits between the tries of one callback, seconds; that many tries and one.
WAITS_S = (1.0, 5.0, 30.0, 120.0)
#: Seconds between two words of progress of one job.
EVERY_S = 2.0
#: Callbacks that are on their way at once.
AT_ONCE = 8


@dataclass(frozen=True)
class Delivery:
    """One callback on its way: where to, which of the three, of which job, and the waits before further tries."""

    url: str
    name: str
    job: str
    body: bytes
    waits_s: tuple[float, ...]


class Callbacks:
    """Sends the callbacks of jobs.

    Args:
        hosts: to which they may go.
        public_url: where the server is to the world, for jobs that do not say by which address they were asked for.
        waits_s: between the tries.
    """

    def __init__(self, hosts: Hosts, public_url: str, waits_s: tuple[float, ...] = WAITS_S) -> None:
        self._hosts, self._public_url, self._waits_s = hosts, public_url.rstrip("/"), waits_s
        self._due: SimpleQueue[Delivery] = SimpleQueue()
        self._lock = Lock()
        self._told: dict[str, float] = {}
        for _ in range(AT_ONCE):  # daemons: who ends the keeper does not wait for a subscriber
            Thread(target=self._work, name="callback", daemon=True).start()

    def heard(self, twin: Twin, job: Job) -> None:
        """A job has changed: whoever is to be told is told, not here and now."""
        subscriber = job.request.get("subscriber") or {}
        if not subscriber or job.kind != "process":
            return
        root = str((job.request.get("respond") or {}).get("base") or self._public_url)
        here = f"{root}/twins/{quote(twin.description.id, safe='')}"
        if job.state == "successful" and subscriber.get("successUri"):
            self._send(subscriber["successUri"], "successUri", job, links(job, here), self._waits_s)
        elif job.state in ("failed", "dismissed") and subscriber.get("failedUri"):
            self._send(subscriber["failedUri"], "failedUri", job, status(job, here), self._waits_s)
        elif job.state == "running" and subscriber.get("inProgressUri") and self._now(job):
            self._send(subscriber["inProgressUri"], "inProgressUri", job, status(job, here), ())
        if job.over:
            with self._lock:
                self._told.pop(job.id, None)

    def _now(self, job: Job) -> bool:
        """Whether progress is worth another word."""
        now = time.monotonic()
        with self._lock:
            if now - self._told.get(job.id, -EVERY_S) < EVERY_S:
                return False
            self._told[job.id] = now
            return True

    def _send(
        self, url: str, name: str, job: Job, body: Mapping[str, Any], waits_s: tuple[float, ...]
    ) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self._due.put(Delivery(url, name, job.id, data, waits_s))

    def _work(self) -> None:
        while True:
            one = self._due.get()
            problem, again = self._try(one)
            if again and one.waits_s:
                later = Timer(one.waits_s[0], self._due.put, [replace(one, waits_s=one.waits_s[1:])])
                later.daemon = True
                later.start()
            elif problem:
                LOG.warning("job %s: %s was not told: %s", one.job, one.name, problem)

    def _try(self, one: Delivery) -> tuple[str, bool]:
        """What went wrong ("" for nothing), and whether another try may help."""
        try:
            headers = {"Content-Type": "application/json"}
            code, _, _ = ask(self._hosts, "POST", one.url, f"subscriber.{one.name}", one.body, headers)
        except BadParameter as error:  # it may not be asked
            return str(error), False
        except TwintownError as error:
            return str(error), True
        except Exception as error:  # whatever a subscriber does, the others are told
            return type(error).__name__, True
        if code < 400:
            return "", False
        return f"answered {code}", code >= 500 or code in (408, 425, 429)


def links(job: Job, here: str) -> dict[str, Any]:
    """The results of a job as a document of links, by output; `here` is the address of the twin."""
    wanted = ((job.request.get("respond") or {}).get("outputs") or {}).keys()
    outputs: Mapping[str, Mapping[str, Any]] = (job.results or {}).get("outputs") or {}
    return {
        name: {
            "href": f"{here}/collections/{quote(one['layer'], safe='')}",
            "rel": "item",
            "type": "application/json",
            "title": one["layer"],
        }
        for name, one in outputs.items()
        if not wanted or name in wanted
    }


def status(job: Job, here: str) -> dict[str, Any]:
    """The status of a job (18-062r2, statusInfo.yaml)."""
    times = {name: getattr(job, name) for name in ("created", "started", "finished", "updated")}
    said: dict[str, Any] = {
        "jobID": job.id, "processID": job.process, "type": "process", "status": job.state,
        "message": str((job.problem or {}).get("detail") or job.stage or job.state),
        "progress": int(100 * job.progress),
        **{name: at.isoformat() for name, at in times.items() if at is not None},
        "links": [{"href": f"{here}/jobs/{quote(job.id, safe='')}", "rel": "self", "type": "application/json", "title": "status"}],
    }  # fmt: skip
    return {**said, "problem": dict(job.problem)} if job.problem else said
