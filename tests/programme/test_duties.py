"""Permits and plans: a threshold that is reached makes a duty, each with its law and the day by which it is filed."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from tests.programme.events import FESTIVAL, festival

from twintown.programme.duties import Duty, duties, rules
from twintown.programme.event import Event
from twintown.programme.visitors import Range

SEOUL = ZoneInfo("Asia/Seoul")
TODAY = date(2027, 8, 1)


def _found(event: Event, peak: float = 100, total: float = 500, today: date = TODAY) -> dict[str, Duty]:
    told = duties(event, Range(peak * 0.8, 0, peak), Range(total * 0.8, 0, total), today, SEOUL)
    return {one.rule.code: one for one in told}


def _works(**changed: object) -> Event:
    return festival(works=FESTIVAL["works"] | changed)


def test_every_entry_names_law_article_address_date_and_where_it_was_read() -> None:
    for rule in rules():
        assert rule.source["url"].startswith("https://www.law.go.kr/")
        assert all(rule.source[name] for name in ("title", "article", "date"))
        assert rule.checked and rule.title.ko and rule.title.en and rule.authority.ko
        if not rule.verified:
            assert any(
                words in rule.checked for words in ("general knowledge", "not found", "no figure is known")
            )


def test_a_thousand_people_at_a_moment_ask_for_a_safety_plan_three_weeks_before() -> None:
    assert not _found(festival(), peak=999)["safety-plan"].required
    one = _found(festival(), peak=1000)["safety-plan"]
    assert one.required and one.threshold is not None
    assert (one.threshold.at_least, one.value, one.until) == (1000, 1000, date(2027, 8, 28))
    assert "1,000" in one.why.ko and "1,000" in one.why.en


@pytest.mark.parametrize("fact", ["fire", "gas", "on_water", "fireworks"])
def test_fire_gas_water_and_fireworks_ask_for_a_safety_plan_whatever_the_number(fact: str) -> None:
    one = _found(_works(**{fact: True}), peak=10)["safety-plan"]
    assert one.required
    assert one.threshold is None


def test_a_performance_for_a_thousand_files_its_plan_two_weeks_before_and_a_market_does_not() -> None:
    one = _found(festival(), total=1000)["performance-plan"]
    assert one.required and one.until == date(2027, 9, 4)
    quiet = festival(kind="market", stage=None, programme=[])
    assert not _found(quiet, total=5000)["performance-plan"].required


def test_what_is_done_there_makes_its_own_duties() -> None:
    found = _found(festival())
    assert {code for code, one in found.items() if one.required} == {
        "venue-use",
        "food-business",
        "noise",
        "temporary-structure",
    }
    assert _found(_works(road_closed=True))["road-use"].required
    assert _found(_works(fireworks=True))["fireworks"].required
    bare = festival(stands=[], stage=None, works=FESTIVAL["works"] | {"food": False, "temporary_m2": 0.0})
    assert {code for code, one in _found(bare).items() if one.required} == {"venue-use"}


def test_a_day_that_has_passed_is_said() -> None:
    late = _found(festival(), peak=2000, today=date(2027, 8, 29))
    assert late["safety-plan"].late
    assert not late["performance-plan"].late


def test_required_ones_come_first_by_their_day() -> None:
    told = duties(festival(), Range(1000, 900, 1100), Range(2400, 1600, 3200), TODAY, SEOUL)
    required = [one.required for one in told]
    assert required == sorted(required, reverse=True)
    days = [one.until for one in told if one.required]
    assert days == sorted(days)
