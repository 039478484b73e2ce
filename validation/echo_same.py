"""The echo is what was said, sign by sign, in scripts of every length of UTF-8."""

from __future__ import annotations

from collections.abc import Iterator

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.jobs.process import Ask, run
from twintown.processes.echo import PROCESS
from validation.case import Measured

SAID = ("", "hello", "이천 쌀과 도자기", "ſ→𝄞 \u0000\n\"'<b>")


def measure() -> Iterator[Measured]:
    """How many texts come back changed."""
    wrong = 0
    for text in SAID:
        ask = Ask({}, Frame("EPSG:5186"), Bounds(0, 0, 10, 10), "Asia/Seoul", "2026-12-22", {"message": text})
        ((_, shape),) = run(PROCESS, ask)
        assert isinstance(shape, Features)
        wrong += int(shape.table["message"].tolist() != [text])
    yield Measured("echo", "echo_same", f"texts of {len(SAID)} that come back changed", wrong, 0.0, "texts")
