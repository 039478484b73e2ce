"""The two tests of Korean practice at the winter solstice, on facade points.

A point passes with at least two continuous hours of sun between 9 and 15, or with at least four in all between 8 and 16; it fails
only where both fail. Facade points are not dwellings, and this is not a legal finding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter

F32 = NDArray[np.float32]
PASSES, PASSED, NEAR, CANNOT, GONE = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Rule:
    """The rule's windows and thresholds, all in minutes (after midnight, or of sun)."""

    start_min: float = 480.0
    end_min: float = 960.0
    total_min: float = 240.0
    run_start_min: float = 540.0
    run_end_min: float = 900.0
    run_min: float = 120.0
    step_min: float = 7.0
    error_min: float = 10.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.error_min <= 120.0:
            raise BadParameter("error_minutes", f"{self.error_min} is not between 0 and 120 minutes")

    def steps(self) -> NDArray[np.float64]:
        """The ground's sun positions, minutes after midnight: every 7 minutes, as many before as after the middle."""
        count = int((self.end_min - self.start_min) // self.step_min) + 1
        middle = (self.start_min + self.end_min) / 2
        steps: NDArray[np.float64] = (middle + (np.arange(count) - (count - 1) / 2) * self.step_min).astype(
            np.float64
        )
        return steps

    def passes(self, total: F32, run: F32, shift: float = 0.0) -> NDArray[np.bool_]:
        """Which points pass, bool[n], were their minutes of sun all longer by `shift`."""
        found: NDArray[np.bool_] = (run + shift >= self.run_min) | (total + shift >= self.total_min)
        return found

    def near(self, total: F32, run: F32) -> NDArray[np.bool_]:
        """Whose verdict the stated error could flip, bool[n]."""
        flips: NDArray[np.bool_] = self.passes(total, run, self.error_min) != self.passes(
            total, run, -self.error_min
        )
        return flips

    def to_dict(self) -> dict[str, object]:
        """The rule as the header of an answer carries it."""
        return {
            "name": {
                "ko": "동지일 일조 실무 기준: 9–15시 연속 2시간 또는 8–16시 총 4시간",
                "en": "Korean practice at the winter solstice: 2 h running in 9–15, or 4 h in all in 8–16",
            },
            "total": {"from_min": self.start_min, "to_min": self.end_min, "at_least_min": self.total_min},
            "run": {"from_min": self.run_start_min, "to_min": self.run_end_min, "at_least_min": self.run_min},
            "near_min": self.error_min,
            "note": {
                "ko": "외벽 점 기준이며 세대가 아닙니다. 법적 판단이 아닙니다. "
                "건축법 시행령 86조의 인동간격은 필지가 있어야 하므로 판정하지 않습니다.",
                "en": "Facade points, not dwellings; not a legal finding. "
                "Statutory spacing (Building Act, decree 86) needs parcels and is not claimed.",
            },
        }  # fmt: skip
