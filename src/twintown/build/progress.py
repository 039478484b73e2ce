"""The line that says how far a build is: step, percent, time left. Silent where nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

#: Seconds that a step is believed to take until it was done once.
FIRST_GUESS = {"source": 3.0, "process": 30.0, "product": 5.0}


class ProgressLine:
    """One line, rewritten in place.

    Args:
        title: the twin.
        seconds: how long each step is expected to take, by step id, in order.
        out: where to.
        shown: whether to write at all; by default where `out` is a terminal.
        told: hears the running step and how far the whole is, 0 to 1, whether it is shown or not.
    """

    def __init__(
        self, title: str, seconds: Mapping[str, float], out: TextIO | None = None, shown: bool | None = None,
        told: Callable[[str, float], None] | None = None,
    ) -> None:  # fmt: skip
        self._title = title
        self._left = dict(seconds)
        self._total = sum(seconds.values()) or 1.0
        self._count = len(seconds)
        self._done = 0
        self._out = out if out is not None else sys.stderr
        self._shown = self._out.isatty() if shown is None else shown
        self._told = told
        self._last = 0.0
        self._begun = time.monotonic()
        self._step = ""

    def begin(self, step: str) -> None:
        """A step starts."""
        self._step = step
        self._begun = time.monotonic()
        self._draw(0.0, force=True)

    def report(self, fraction: float) -> None:
        """The running step is so far, 0 to 1."""
        self._draw(min(max(fraction, 0.0), 1.0))

    def end(self, step: str) -> None:
        """A step is done (or was not needed)."""
        self._left.pop(step, None)
        self._done += 1
        self._draw(0.0, force=not self._left)

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def seconds_left(self, fraction: float) -> float:
        """What remains, from the times of the last build, corrected by how this step really goes."""
        guess = self._left.get(self._step, 0.0)
        gone = time.monotonic() - self._begun
        mine = gone / fraction * (1 - fraction) if fraction > 0.05 else max(guess - gone, 0.0)
        return mine + sum(self._left.values()) - guess

    def share(self, fraction: float) -> float:
        """How far the whole is, 0 to 1, by the times of the last build."""
        guess = self._left.get(self._step, 0.0)
        return 1 - (sum(self._left.values()) - guess * fraction) / self._total

    def text(self, fraction: float) -> str:
        """The line itself."""
        share = self.share(fraction)
        minutes, seconds = divmod(round(self.seconds_left(fraction)), 60)
        step = min(self._done + 1, self._count)
        return f"{self._title}  {step}/{self._count} {self._step}  {share:4.0%}  {minutes}:{seconds:02d} left"

    def _draw(self, fraction: float, *, force: bool = False) -> None:
        now = time.monotonic()
        if not (self._shown or self._told) or (not force and now - self._last < 0.1):
            return
        self._last = now
        if self._told is not None:
            self._told(self._step, min(max(self.share(fraction), 0.0), 1.0))
        if not self._shown:
            return
        self._out.write(f"\r\x1b[K{self.text(fraction)}")
        self._out.flush()
