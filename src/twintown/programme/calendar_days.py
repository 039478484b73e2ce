"""What kind of day a day is in Korea: weekday, Saturday or holiday (Sundays and public holidays), from `rules/holidays.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

DayType = Literal["weekday", "saturday", "holiday"]
RULES = Path(__file__).parent / "rules" / "holidays.toml"


@lru_cache(1)
def rules() -> dict[str, Any]:
    """The file, read once."""
    return tomllib.loads(RULES.read_text(encoding="utf-8"))


def years() -> frozenset[int]:
    """The years whose lunar holidays are known here; of others only Sundays and fixed days are."""
    return frozenset(int(year) for year in rules()["lunar"])


def day_type(day: date) -> DayType:
    """The type of a day."""
    if day.weekday() == 6 or day in holidays(day.year):
        return "holiday"
    return "saturday" if day.weekday() == 5 else "weekday"


@lru_cache(64)
def holidays(year: int) -> frozenset[date]:
    """The public holidays of a year, substitute days (article 3) included; without lunar ones where `years` has not the year."""
    days_of = list(_single(year))
    single = dict(days_of)
    blocks = list(_blocks(year))
    days = {*single, *(day for block in blocks for day in block)}
    made_up: list[date] = []
    for block in blocks:  # one day for each that falls on a Sunday or on another holiday
        clashes = sum(day.weekday() == 6 or day in single for day in block)
        made_up += [block[-1]] * clashes
    made_up += [day for day, weekdays in single.items() if day.weekday() in weekdays]
    made_up += [day for at, (day, _) in enumerate(days_of) if day in dict(days_of[:at])]  # two on one day
    for day in sorted(made_up):
        while day in days or day.weekday() >= 5:
            day += timedelta(days=1)
        days.add(day)
    return frozenset(days)


def _single(year: int) -> Iterator[tuple[date, tuple[int, ...]]]:
    for one in rules()["fixed"]:
        month, day = (int(part) for part in one["day"].split("-"))
        yield date(year, month, day), tuple(one["substitute"])
    lunar = rules()["lunar"].get(str(year))
    if lunar:
        yield lunar["buddha"], (5, 6)


def _blocks(year: int) -> Iterator[tuple[date, ...]]:
    lunar = rules()["lunar"].get(str(year))
    for name in ("seollal", "chuseok") if lunar else ():
        yield tuple(lunar[name] + timedelta(days=step) for step in (-1, 0, 1))
