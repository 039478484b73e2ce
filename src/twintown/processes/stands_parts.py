"""What a stand is scored by: the parts with their weights, units and where each number is from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name

#: People a minute and metre of width on level ground [sgsa2018].
EVACUATION_PER_MIN_M = 82.0
#: What must stay clear for walking, metres: Rules on the structure and facilities of roads (Korea), article 16: 2 m at least.
LEAST_CLEAR_M = 2.0
#: Within how many minutes everybody shall have left, unless asked otherwise [sgsa2018]: eight.
EGRESS_MIN = 8.0
#: Clear width that a lorry needs, metres (2.5 m of vehicle and half a metre on either side; assumed).
LORRY_M = 3.5
#: Passers an hour at which the part is worth half (assumed).
HALF_PASSERS = 300.0
#: A lorry as near as this is best, as far as that no use any more, metres (assumed).
LORRY_BEST_M, LORRY_WORST_M = 15.0, 120.0
#: An exit or street at this distance is worth 1/e, metres (assumed).
EXIT_M = 120.0
#: What is not known counts as neither good nor bad.
NEUTRAL = 0.5
#: Months in which whoever queues wants shade (assumed); else sun.
SHADE_MONTHS = (5, 6, 7, 8, 9)


@dataclass(frozen=True)
class Part:
    """One part of a score: its code, for people, unit, the weight that it has unless asked otherwise, and its source."""

    code: str
    title: Name
    unit: str
    weight: float
    source: str


PARTS = (
    Part("footfall", Name("지나는 사람", "Passers-by"), "{person}/h", 0.30, "computed"),
    Part("sun_produce", Name("농산물의 햇빛", "Sun on the produce"), "min/h", 0.20, "computed"),
    Part("sun_queue", Name("줄의 햇빛", "Sun on the queue"), "min/h", 0.10, "computed"),
    Part("exits", Name("출구·길까지", "To an exit or street"), "m", 0.10, "computed"),
    Part("lorry", Name("화물차 접근", "Lorry access"), "m", 0.10, "computed"),
    Part("width", Name("남는 통로 폭", "Clear width that remains"), "m", 0.15, "computed"),
    Part("power", Name("전기", "Power"), "1", 0.03, "stated"),
    Part("water", Name("물", "Water"), "1", 0.02, "stated"),
)


@dataclass(frozen=True)
class Told:
    """A part of one stand: its value in the part's unit (none where it is not known) and what that is worth, 0 to 1.

    `low`, `high`: the value with what it hangs on in error one way and the other; none where that is not known.
    """

    part: Part
    value: float | None
    score: float
    weight: float
    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        return self.value is not None

    def to_dict(self) -> dict[str, Any]:
        value, low, high = (None if v is None else round(v, 2) for v in (self.value, self.low, self.high))
        return {
            "code": self.part.code, "title": self.part.title.to_dict(), "value": value, "low": low, "high": high, "unit": self.part.unit,
            "score": round(self.score, 3), "weight": round(self.weight, 3), "known": self.known,
            "source": self.part.source if self.known else "unknown",
        }  # fmt: skip


def needed_width_m(passers_h: float, people: float, ways: int, egress_min: float = EGRESS_MIN) -> float:
    """What must stay clear for walking and for leaving, metres.

    The rate of passage on level ground is 82 people a minute and metre [sgsa2018]; `people` leave in `egress_min` minutes by so many
    `ways` that are used alike.
    """
    leaving = people / max(1, ways) / egress_min
    return max(LEAST_CLEAR_M, max(passers_h / 60.0, leaving) / EVACUATION_PER_MIN_M)


def weights_of(asked: Mapping[str, Any] | None) -> dict[str, float]:
    """The weights by code, those that were asked for instead of the usual ones; they add up to 1.

    Raises:
        BadParameter: a code that is none, a weight below 0, or all of them 0.
    """
    found = {one.code: one.weight for one in PARTS}
    for code, value in (asked or {}).items():
        if code not in found:
            raise BadParameter(
                "weights", f"{code[:40]!r} is no part of the score", remedy=f"use {', '.join(found)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000:
            raise BadParameter(
                "weights", f"{value!r} is no weight for {code}", remedy="give a number from 0 to 1000"
            )
        found[code] = float(value)
    total = sum(found.values())
    if total <= 0:
        raise BadParameter("weights", "are all 0", remedy="give one of them a weight")
    return {code: value / total for code, value in found.items()}


def worth(code: str, value: float | None, *, month: int = 6, needed_m: float = LEAST_CLEAR_M) -> float:
    """What a value is worth, 0 to 1; what is not known is `NEUTRAL`."""
    if value is None:
        return NEUTRAL
    if code == "footfall":
        return value / (value + HALF_PASSERS) if value > 0 else 0.0
    if code == "sun_produce":
        return 1.0 - min(1.0, value / 60.0)
    if code == "sun_queue":
        lit = min(1.0, value / 60.0)
        return 1.0 - lit if month in SHADE_MONTHS else lit
    if code == "exits":
        return math.exp(-value / EXIT_M)
    if code == "lorry":
        return min(1.0, max(0.0, (LORRY_WORST_M - value) / (LORRY_WORST_M - LORRY_BEST_M)))
    if code == "width":
        return min(1.0, max(0.0, value / (2.0 * needed_m)))
    return 1.0 if value else 0.0
