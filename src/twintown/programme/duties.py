"""The permits and plans that an event needs by its size and by what is done there, from `rules/korea.toml`. Pure.

Every entry is to be confirmed by its department; the code decides nothing, it compares numbers with declared thresholds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from twintown.ground.errors import BadSettings
from twintown.ground.names import Name

from .event import Event
from .visitors import Range

RULES = Path(__file__).parent / "rules" / "korea.toml"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A fact and from which value on it makes a duty; a fact that is true or false has None."""

    fact: str
    at_least: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One duty as the file states it.

    Attributes:
        kinds: of events that it is about; none: all.
        requires: a fact without which it is none; "" needs none.
        days: before the first day; days_from: "law" or "practice".
        source: title, article, url, date. checked: where its figures were read; verified: whether they were.
    """

    code: str
    title: Name
    authority: Name
    when: tuple[Threshold, ...]
    kinds: tuple[str, ...]
    requires: str
    days: int
    days_from: Literal["law", "practice"]
    source: Mapping[str, str]
    checked: str
    verified: bool
    note: Name | None


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty of one event.

    Attributes:
        required: whether a threshold is reached. why: by what, or by how much it is not.
        threshold, value: what was compared; None where the fact is true or false.
        until: the day by which it is to be filed.
        late: that day has passed.
    """

    rule: Rule
    required: bool
    why: Name
    threshold: Threshold | None
    value: float | None
    until: date
    late: bool


def facts(event: Event, peak: Range, total: Range) -> dict[str, float | bool]:
    """What the rules may ask of an event.

    Args:
        peak, total: people there at a moment, and in all.
    """
    works = event.works
    performs = (
        event.kind == "performance"
        or event.stage is not None
        or any(one.performers for one in event.programme)
    )
    return {
        "always": True, "peak": peak.expected, "peak_high": peak.high, "total": total.expected, "total_high": total.high,
        "temporary_m2": works.temporary_m2, "stands": float(len(event.stands)), "fire": works.fire, "gas": works.gas,
        "on_water": works.on_water, "food": works.food or any(one.products for one in event.stands),
        "fireworks": works.fireworks, "road_closed": works.road_closed, "performance": performs,
        "level_db": event.stage.level_db if event.stage is not None else 0.0,
    }  # fmt: skip


def duties(event: Event, peak: Range, total: Range, today: date, zone: ZoneInfo) -> tuple[Duty, ...]:
    """Every duty of the file for one event, the required ones first, each by the day by which it is to be filed."""
    known = facts(event, peak, total)
    first = event.start.astimezone(zone).date()
    found = [_duty(rule, event, known, first, today) for rule in rules()]
    return tuple(sorted(found, key=lambda one: (not one.required, one.until, one.rule.code)))


@lru_cache(1)
def rules() -> tuple[Rule, ...]:
    """The file, read once and strictly. Raises BadSettings."""
    return tuple(_rule(one) for one in tomllib.loads(RULES.read_text(encoding="utf-8"))["duties"])


_FACTS = (
    "always", "peak", "peak_high", "total", "total_high", "temporary_m2", "stands", "fire", "gas", "on_water", "food", "fireworks",
    "road_closed", "performance", "level_db",
)  # fmt: skip


def _rule(said: Mapping[str, Any]) -> Rule:
    where = f"programme/rules/korea.toml {said.get('code', '?')}"
    try:
        when = tuple(Threshold(one["fact"], one.get("at_least"), one.get("unit", "")) for one in said["when"])
        note = Name.of(said["note"]) if "note" in said else None
        made = Rule(
            said["code"], Name.of(said["title"]), Name.of(said["authority"]), when, tuple(said.get("kinds", ())), said.get("requires", ""),
            int(said["days"]), said["days_from"], dict(said["source"]), said["checked"], bool(said["verified"]), note,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise BadSettings(f"is no duty ({error})", where, "see its other entries") from error
    strange = [
        one
        for one in (*(part.fact for part in when), *([made.requires] if made.requires else []))
        if one not in _FACTS
    ]
    if (
        strange
        or made.days_from not in ("law", "practice")
        or set(made.source) != {"title", "article", "url", "date"}
    ):
        raise BadSettings(f"has something unknown {strange}", where, f"facts are {', '.join(_FACTS)}")
    return made


def _duty(rule: Rule, event: Event, known: Mapping[str, float | bool], first: date, today: date) -> Duty:
    until = first - timedelta(days=rule.days)
    asked = (not rule.kinds or event.kind in rule.kinds) and (not rule.requires or bool(known[rule.requires]))
    met = [one for one in rule.when if _met(one, known)] if asked else []
    shown = next((one for one in (*met, *rule.when) if one.at_least is not None), None)
    if met and met[0].at_least is None:
        shown = None
    value = float(known[shown.fact]) if shown is not None else None
    why = _because(met[0], known) if met else _not(rule, asked, shown, value)
    return Duty(rule, bool(met), why, shown, value, until, bool(met) and until < today)


def _met(one: Threshold, known: Mapping[str, float | bool]) -> bool:
    value = known[one.fact]
    return bool(value) if one.at_least is None else float(value) >= one.at_least


_NAMES = {
    "always": Name("어느 행사나 해당", "it concerns every event"),
    "fire": Name("화기를 쓴다", "there is open fire"),
    "gas": Name("가스를 쓴다", "gas is used"),
    "on_water": Name("수면에서 열린다", "it is on the water"),
    "food": Name("식품을 팔거나 조리한다", "food is sold or made"),
    "fireworks": Name("불꽃을 쓴다", "there are fireworks"),
    "road_closed": Name("도로를 막는다", "a road is closed"),
    "performance": Name("공연이 있다", "there is a performance"),
    "peak": Name("순간 최대 관람객", "people there at a moment"),
    "peak_high": Name("순간 최대 관람객(위쪽 추정)", "people there at a moment (upper estimate)"),
    "total": Name("예상 관람객", "visitors in all"),
    "total_high": Name("예상 관람객(위쪽 추정)", "visitors in all (upper estimate)"),
    "temporary_m2": Name("임시 시설 면적", "temporary structures"),
    "stands": Name("판매대 수", "stands"),
    "level_db": Name("무대 10 m 앞 소음도", "level 10 m before the stage"),
}
_UNITS = {"{person}": Name("명", " people"), "m2": Name(" m²", " m²"), "dB(A)": Name(" dB(A)", " dB(A)")}


def _amount(value: float, unit: str, language: str) -> str:
    word = _UNITS.get(unit, Name(unit, unit))
    return f"{value:,.0f}{word[language]}"


def _because(one: Threshold, known: Mapping[str, float | bool]) -> Name:
    name = _NAMES[one.fact]
    if one.at_least is None:
        return name
    value = float(known[one.fact])
    return Name(
        f"{name.ko} {_amount(value, one.unit, 'ko')} ≥ {_amount(one.at_least, one.unit, 'ko')}",
        f"{name.en}: {_amount(value, one.unit, 'en')}, threshold {_amount(one.at_least, one.unit, 'en')}",
    )


def _not(rule: Rule, asked: bool, shown: Threshold | None, value: float | None) -> Name:
    if not asked:
        return Name("이런 행사에는 해당하지 않습니다", "this kind of event is not concerned")
    if shown is None or value is None or shown.at_least is None:
        return Name("해당하는 일이 없습니다", "nothing of that kind takes place")
    name = _NAMES[shown.fact]
    return Name(
        f"{name.ko} {_amount(value, shown.unit, 'ko')} < {_amount(shown.at_least, shown.unit, 'ko')}",
        f"{name.en}: {_amount(value, shown.unit, 'en')}, below {_amount(shown.at_least, shown.unit, 'en')}",
    )
