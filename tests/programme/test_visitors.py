"""Visitors by hour: they add up, their errors are what was said, and rain lowers and widens."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.programme.events import festival

from twintown.ground.errors import BadParameter
from twintown.programme import visitors, visitors_basis
from twintown.programme.calendar_days import day_type, holidays
from twintown.programme.visitors import SHAPE, Z80, forecast, openings

SEOUL = ZoneInfo("Asia/Seoul")
FLAT = {date(2027, 9, 18): ([1.0] * 24, [0.0] * 24)}
DRY: dict[tuple[int, int], float] = {}


def _said(expected: int, error: int, source: str = "assumed") -> dict[str, object]:
    return {"expected": expected, "error": error, "source": source, "note": ""}


def test_the_hours_add_up_to_what_was_expected_and_the_total_has_its_own_error() -> None:
    found = forecast(festival(), SEOUL, FLAT, DRY, outdoors=True)
    assert len(found.hours) == 8
    assert found.hours[0].start == datetime(2027, 9, 18, 11, tzinfo=SEOUL)
    assert math.fsum(one.come.expected for one in found.hours) == pytest.approx(2400, abs=1e-6)
    assert (found.total.low, found.total.high) == (
        pytest.approx(1600, abs=0.01),
        pytest.approx(3200, abs=0.01),
    )


def test_without_programme_and_with_even_travel_people_come_evenly_but_for_the_last_half_hour() -> None:
    found = forecast(festival(programme=[]), SEOUL, FLAT, DRY, outdoors=True)
    come = [one.come.expected for one in found.hours]
    assert come[:7] == pytest.approx([2400 / 7.5] * 7)
    assert come[7] == pytest.approx(1200 / 7.5)
    there = [one.there.expected for one in found.hours]
    assert there[0] == pytest.approx(2400 / 7.5)
    assert there[3] == pytest.approx(2 * 2400 / 7.5)  # people stay two hours


def test_an_hour_has_the_error_of_the_number_and_of_the_shape() -> None:
    one = forecast(festival(programme=[]), SEOUL, FLAT, DRY, outdoors=True).hours[2].come
    sigma = math.hypot(800 / Z80, 2400 * SHAPE) / 7.5
    assert one.high - one.expected == pytest.approx(Z80 * sigma, rel=1e-6)
    sure = forecast(
        festival(programme=[], visitors=_said(2400, 0)), SEOUL, {date(2027, 9, 18): ([1.0] * 24, [0.5] * 24)}, DRY, outdoors=True
    )  # fmt: skip
    assert sure.hours[2].come.high - 320 == pytest.approx(Z80 * 320 * 0.5, rel=1e-6)


def test_people_come_for_what_is_played() -> None:
    found = forecast(festival(), SEOUL, FLAT, DRY, outdoors=True)
    by_hour = {one.start.hour: one.come.expected for one in found.hours}
    assert by_hour[13] > by_hour[12] and by_hour[14] > by_hour[15]
    assert found.peak.start.hour in (14, 15)
    assert found.peak.there.expected == max(one.there.expected for one in found.hours)


def test_travel_shapes_the_hours() -> None:
    busy = [1.0] * 24
    busy[16] = 3.0
    found = forecast(
        festival(programme=[]), SEOUL, {date(2027, 9, 18): (busy, [0.0] * 24)}, DRY, outdoors=True
    )
    come = {one.start.hour: one.come.expected for one in found.hours}
    assert come[16] == pytest.approx(3 * come[15])


def test_rain_lowers_the_expectation_and_widens_the_error_outdoors_only() -> None:
    wet = {(9, hour): 0.4 for hour in range(24)}
    dry = forecast(festival(), SEOUL, FLAT, DRY, outdoors=True)
    rain = forecast(festival(), SEOUL, FLAT, wet, outdoors=True)
    assert rain.total.expected == pytest.approx(2400 * (1 - 0.4 * visitors.LOSS))
    assert rain.total.high - rain.total.low > dry.total.high - dry.total.low
    assert forecast(festival(), SEOUL, FLAT, wet, outdoors=False).total == dry.total
    counted = festival(visitors=_said(2400, 800, "counted"))
    assert forecast(counted, SEOUL, FLAT, wet, outdoors=True).total == dry.total


def test_the_quantiles_are_those_of_the_mixture() -> None:
    """A dry day surely brings 1,000, a wet one 650: with 30 % rain, 10 % lie at 650 and 90 % at 1,000."""
    event = festival(visitors=_said(1000, 0))
    found = forecast(event, SEOUL, FLAT, {(9, hour): 0.3 for hour in range(24)}, outdoors=True)
    assert (found.total.low, found.total.high) == (pytest.approx(650), pytest.approx(1000))
    rare = forecast(event, SEOUL, FLAT, {(9, hour): 0.05 for hour in range(24)}, outdoors=True)
    assert rare.total.low == pytest.approx(1000)


def test_nobody_is_less_than_nobody() -> None:
    found = forecast(festival(visitors=_said(100, 500)), SEOUL, FLAT, DRY, outdoors=True)
    assert found.total.low == 0
    assert all(one.come.low >= 0 and one.there.low >= 0 for one in found.hours)


def test_an_event_of_several_days_opens_each_day_at_its_hours() -> None:
    event = festival(end="2027-09-20T19:00:00+09:00", programme=[])
    windows = openings(event, SEOUL)
    assert [(a.astimezone(SEOUL).hour, b.astimezone(SEOUL).hour) for a, b in windows] == [(11, 19)] * 3
    found = forecast(event, SEOUL, {}, DRY, outdoors=True)
    assert len(found.hours) == 24
    assert math.fsum(one.come.expected for one in found.hours[:8]) == pytest.approx(800)
    with pytest.raises(BadParameter, match="31 days"):
        openings(festival(end="2027-11-18T19:00:00+09:00", programme=[]), SEOUL)


def test_an_event_through_the_night_is_one_opening() -> None:
    event = festival(start="2027-09-18T20:30:00+09:00", end="2027-09-19T02:10:00+09:00", programme=[])
    assert len(openings(event, SEOUL)) == 1
    hours = forecast(event, SEOUL, {}, DRY, outdoors=True).hours
    assert [one.start.strftime("%H:%M") for one in hours] == [
        "20:30",
        "21:00",
        "22:00",
        "23:00",
        "00:00",
        "01:00",
        "02:00",
    ]
    assert hours[-1].end == event.end


CONGESTION = [
    {"station": "잠실", "line": "2", "direction": way, "day_type": "saturday", "time": f"{hour}:{half}", "congestion": value}
    for way, factor in (("내선", 1.0), ("외선", 1.2))
    for hour, level in ((10, 20.0), (11, 40.0))
    for half, value in (("00", level * factor), ("30", None if hour == 10 else level * factor))
]  # fmt: skip


def test_a_profile_is_the_mean_of_scaled_curves_and_their_spread() -> None:
    stations = visitors_basis.nearest(
        [
            {
                "name_ko": "잠실(송파구청)",
                "line": "2호선",
                "lon": 127.1,
                "lat": 37.513,
                "place_error_m": 150.0,
            },
            {"name_ko": "송파나루", "line": "9호선", "lon": 127.1, "lat": 37.51, "place_error_m": None},
            {"name_ko": "잠실", "line": "2호선", "lon": 127.2, "lat": 37.513, "place_error_m": None},
        ],
        (127.0982, 37.5094),
        visitors_basis.known_of(CONGESTION),
    )
    assert [(one.name, one.line) for one in stations] == [("잠실", "2")]  # the others: not known, and too far
    found = visitors_basis.profile(CONGESTION, stations, "saturday")
    assert found is not None
    assert found.level[11] / found.level[10] == pytest.approx(2)
    assert found.error[11] == pytest.approx(0)  # both directions have the same shape
    assert found.level[3] == 0
    assert visitors_basis.profile(CONGESTION, stations, "weekday") is None


def test_rain_is_the_share_of_days_by_month_and_hour_of_the_city() -> None:
    start = datetime(2023, 9, 1, 0, 0, tzinfo=SEOUL)
    times = [start + timedelta(hours=at) for at in range(240)]
    amounts = [0.3 if at.hour == 15 and at.day <= 3 else None if at.hour == 4 else 0.0 for at in times]
    found = visitors_basis.rain(times, amounts, SEOUL)
    assert found[(9, 15)] == pytest.approx(0.3)
    assert (9, 4) not in found


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2027-09-18", "saturday"), ("2027-09-17", "weekday"), ("2027-09-19", "holiday"), ("2027-09-15", "holiday"),
        ("2027-09-16", "holiday"), ("2027-10-04", "holiday"), ("2027-10-11", "holiday"), ("2027-06-07", "weekday"),
        ("2027-02-09", "holiday"), ("2025-10-08", "holiday"), ("2025-05-06", "holiday"), ("2023-05-29", "holiday"),
        ("2024-02-12", "holiday"), ("2026-03-02", "holiday"), ("2023-10-03", "holiday"), ("2022-09-12", "holiday"),
    ],
)  # fmt: skip
def test_the_days_of_past_and_coming_years_are_what_calendars_say(day: str, kind: str) -> None:
    assert day_type(date.fromisoformat(day)) == kind


def test_of_a_year_without_lunar_days_the_fixed_ones_are_known() -> None:
    assert date(2035, 3, 1) in holidays(2035)
    assert 2035 not in visitors_years()


def visitors_years() -> frozenset[int]:
    """The years whose lunar days are known."""
    from twintown.programme.calendar_days import years

    return years()
