"""Joint programmes: every statement stays, and only the possible steps are taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.exchange.two_cities import Two, agreed
from tests.exchange.two_cities import two as two

from twintown.exchange.workplan import STEPS, Programme
from twintown.ground.errors import BadParameter

PROGRAMME: dict[str, Any] = {
    "title": {
        "ko": "거리 일조 공동 점검",
        "en": "Joint check of the streets' sun",
        "vi": "Cùng kiểm tra nắng",
    },
    "about": {
        "ko": "동지마다 두 도시의 보행로를 같은 방법으로 계산한다",
        "en": "The same computation each winter solstice",
    },
    "period": "yearly",
    "owner": "김하나",
    "department": "도시계획과",
    "partner": "이천시 스마트도시팀",
    "budget": 12_000_000,
    "currency": "KRW",
    "start": "2026-12-01",
    "end": "2027-12-31",
    "review": "2027-12-22",
}


@pytest.mark.slow
def test_a_programme_is_proposed_agreed_reviewed_and_proposed_again(two: Two) -> None:
    city, id = two.giver, agreed(two)
    made = city.ask("POST", "/workplan", {"programme": PROGRAMME, "agreement": id, "author": "Lee"}, 201)
    assert (made["state"], made["agreement"], made["programme"]) == ("proposed", id, PROGRAMME)
    path = f"/workplan/{made['id']}/statements"
    changed = {**PROGRAMME, "budget": 15_000_000}
    city.ask("POST", path, {"step": "propose", "programme": changed, "author": "Lee"}, 201)
    city.ask("POST", path, {"step": "review", "text": {"ko": "이르다", "en": "too early"}}, 409)
    city.ask("POST", path, {"step": "agree", "author": "Park"}, 201)
    plan = city.ask("GET", f"/workplan?agreement={id}")
    assert plan["budget"] == {"KRW": 15_000_000}
    found = city.ask("POST", path, {"step": "review", "text": {"ko": "잘 되었다", "en": "it went well"}}, 201)
    assert (found["state"], found["may"]) == ("reviewed", ["propose", "withdraw"])
    said = [
        (one["seq"], one["step"], one["programme"] and one["programme"]["budget"])
        for one in found["statements"]
    ]
    assert said == [
        (0, "propose", 12_000_000),
        (1, "propose", 15_000_000),
        (2, "agree", None),
        (3, "review", None),
    ]
    assert found["statements"][3]["text"] == {"ko": "잘 되었다", "en": "it went well"}
    city.ask("POST", path, {"step": "withdraw", "text": {"ko": "끝", "en": "done"}}, 201)
    city.ask("POST", path, {"step": "propose", "programme": changed}, 409)
    steps = [record["step"] for _, record in city.records("workplan") if record["programme"] == made["id"]]
    assert steps == ["propose", "propose", "agree", "review", "withdraw"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"period": "sometimes"}, "period"),
        ({"currency": "won"}, "currency"),
        ({"budget": -1}, "budget"),
        ({"end": "2026-01-01"}, "start"),
        ({"review": "2020-01-01"}, "start"),
        ({"owner": " "}, "owner"),
        ({"color": "red"}, "color"),
    ],
)
def test_a_programme_that_is_not_whole_is_refused_by_name(
    two: Two, change: dict[str, Any], word: str
) -> None:
    said = two.giver.ask("POST", "/workplan", {"programme": {**PROGRAMME, **change}}, 400)
    assert word in str(said)


@pytest.mark.slow
def test_what_is_not_there_is_not_spoken_of(two: Two) -> None:
    two.giver.ask("POST", "/workplan", {"programme": PROGRAMME, "agreement": "urn:uuid:none"}, 404)
    two.giver.ask("POST", "/workplan/wp-none/statements", {"step": "agree"}, 404)
    assert two.giver.client.get("http://127.0.0.1:8000/twins/small/workplan").status_code == 401


def test_every_state_has_a_way_on_but_the_last() -> None:
    reached = {into for _, into in STEPS.values()}
    left = {before for befores, _ in STEPS.values() for before in befores}
    assert reached - left == {"withdrawn"}


def test_a_programme_comes_back_as_it_went() -> None:
    one = Programme.of(PROGRAMME)
    assert Programme.of(one.to_dict()) == one
    assert one.to_dict() == PROGRAMME
    with pytest.raises(BadParameter):
        Programme.of({**PROGRAMME, "budget": -5})
    assert datetime(one.review.year, one.review.month, one.review.day, tzinfo=UTC).year == 2027
