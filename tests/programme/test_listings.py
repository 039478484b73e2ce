"""Listings of real events: days, venue and host as the rows say, and nothing that they do not say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from twintown.ground.names import Name
from twintown.programme.event_reading import read
from twintown.programme.listings import Venue, days, id_of, listings

SEOUL = ZoneInfo("Asia/Seoul")
MADANG = Venue("서울놀이마당", Name("서울놀이마당", "Seoul Nori Madang"), 127.0981982, 37.50936664)
ROW: dict[str, Any] = {
    "id": "136", "name_ko": "2022송파문화예술축제", "dates": "2022-10-22~2022-10-23", "venue": "서울놀이마당 (석촌호수 서호 옆)",
    "host": "송파문화원", "audience": "누구나", "fee": None, "paid": "무료", "link": "https://www.spcc.or.kr/a?b=1", "lon": 127.0981982,
    "lat": 37.50936664,
}  # fmt: skip


def _one(**changed: Any) -> Any:
    found = listings([ROW | changed], [MADANG], "Asia/Seoul", (127.1, 37.5))
    return found[0] if found else None


def test_a_row_is_an_event_of_whole_days_in_the_citys_zone() -> None:
    event = _one().event
    assert event.start == datetime(2022, 10, 22, tzinfo=SEOUL)
    assert event.end == datetime(2022, 10, 24, tzinfo=SEOUL)
    assert (event.place.venue, event.place.name.en) == ("서울놀이마당", "Seoul Nori Madang")
    assert event.organiser.name == "송파문화원"
    assert read(event.to_dict()) == event


def test_nobody_counted_who_came() -> None:
    assert (_one().event.visitors.expected, _one().event.visitors.note) == (0, "")


def test_a_row_without_place_is_there_and_says_so() -> None:
    one = _one(lon=None, lat=None, venue="삼전로 13길 22")
    assert not one.placed
    assert one.event.place.venue == ""


def test_a_venue_of_the_same_name_elsewhere_is_another_place() -> None:
    assert _one(lon=127.2).event.place.venue == ""


def test_a_link_is_http_or_none() -> None:
    assert _one().link == "https://www.spcc.or.kr/a?b=1"
    for bad in ("javascript:alert(1)", "www.example.org", "https://a b", None, "data:text/html,x"):
        assert _one(link=bad).link == ""


def test_a_row_has_the_same_id_each_time_and_one_without_days_is_left_out() -> None:
    assert _one().event.id == id_of("136") == _one(name_ko="다른 이름").event.id
    assert _one(dates="2022-09-01~2022-08-22").reversed
    assert _one(dates="오후 3시~6시") is None
    assert _one(name_ko=" ") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2023-09-14~2023-09-16", (date(2023, 9, 14), date(2023, 9, 16), False)),
        ("2023.8.4", (date(2023, 8, 4), date(2023, 8, 4), False)),
        ("2023-09-16~2023-09-14", (date(2023, 9, 14), date(2023, 9, 16), True)),
        ("2023-02-30~2023-03-01", None), ("", None), ("상시", None),
    ],
)  # fmt: skip
def test_days_are_read_or_are_none(text: str, found: object) -> None:
    assert days(text) == found
