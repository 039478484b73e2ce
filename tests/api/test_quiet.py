"""The pause among requests in which a server prepares itself."""

from __future__ import annotations

from twintown.api.quiet import Quiet


class Time:
    """A clock that only moves while somebody sleeps, and may be interrupted."""

    def __init__(self) -> None:
        self.now, self.asked_at = 0.0, list[float]()
        self.quiet: Quiet | None = None

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.quiet is not None and self.asked_at and self.now >= self.asked_at[0]:
            self.asked_at.pop(0)
            self.quiet.hear()


def waited(asked_at: list[float], seconds: float, at_most: float) -> float:
    time = Time()
    time.quiet, time.asked_at = Quiet(time.clock, time.sleep), asked_at
    time.quiet.wait(seconds, at_most)
    return time.now


def test_a_server_that_nobody_asks_waits_just_the_pause() -> None:
    assert 2.0 <= waited([], 2.0, 15.0) < 2.2


def test_each_request_starts_the_pause_anew() -> None:
    assert 4.9 <= waited([1.0, 2.5, 3.0], 2.0, 15.0) < 5.3


def test_a_busy_server_prepares_itself_all_the_same() -> None:
    assert 5.9 <= waited([k / 2 for k in range(1, 99)], 2.0, 6.0) < 6.2
