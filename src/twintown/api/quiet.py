"""When nobody has asked for anything for a moment: the time for work that nobody waits for yet."""

from __future__ import annotations

import time
from collections.abc import Callable


class Quiet:
    """Hears every request, and waits for a pause among them."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._heard = clock()

    def hear(self) -> None:
        """Somebody asks something."""
        self._heard = self._clock()

    def wait(self, seconds: float, at_most: float) -> None:
        """Until nothing was asked for `seconds`, but never longer than `at_most` seconds."""
        end = self._clock() + at_most
        while (now := self._clock()) < end and now - self._heard < seconds:
            self._sleep(min(0.1, end - now))
