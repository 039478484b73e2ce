"""Jobs that say by their request what shall happen to them; a module of its own, so that worker processes find it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from twintown.jobs.work import Work


def tasks() -> Mapping[str, Callable[[Work], Any]]:
    """What does them."""
    return {"process": _do}


def _do(work: Work) -> Any:
    wish = work.job.request["wish"]
    if wish == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish == "die once" and work.job.attempt == 1:
        os._exit(7)
    if wish == "sleep":
        work.progress("sleeping", 0.25)
        time.sleep(60)
    if wish == "raise":
        raise ValueError("no")
    return {"pid": os.getpid(), "wish": wish}
