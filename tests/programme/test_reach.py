"""How far an agreement reaches an event on another city's ground."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.programme.events import festival

from twintown.programme.reach import reach, reaches
from twintown.trust.terms import Asset, Terms

NOW = datetime(2027, 6, 1, tzinfo=UTC)
AREA = (127.097, 37.508, 127.101, 37.511)
ASSETS = (Asset("process", "stands"), Asset("process", "stage"), Asset("layer", "buildings"))


def _terms(**changed: object) -> Terms:
    known: dict[str, object] = {
        "assets": ASSETS, "purposes": ("joint-event",), "area": AREA,
        "since": datetime(2027, 1, 1, tzinfo=UTC), "until": datetime(2027, 12, 31, tzinfo=UTC),
    }  # fmt: skip
    return Terms(**(known | changed))  # type: ignore[arg-type]


def _codes(event: object, terms: Terms | None, state: str = "active") -> list[tuple[str, str]]:
    return [(one.code, one.row) for one in reach(event, terms, state, NOW)]  # type: ignore[arg-type]


def test_an_agreement_about_the_place_the_time_and_the_purpose_reaches() -> None:
    assert reach(festival(), _terms(), "active", NOW) == ()
    assert reach(festival(), _terms(area=None, purposes=(), since=None, until=None), "active", NOW) == ()


@pytest.mark.parametrize(
    ("terms", "state", "code", "member"),
    [
        (None, "", "no-agreement", "agreement"),
        (_terms(), "ended", "ended", "agreement"),
        (_terms(), "suspended", "suspended", "agreement"),
        (_terms(until=datetime(2027, 5, 1, tzinfo=UTC)), "active", "over", "agreement"),
        (_terms(purposes=("city-planning",)), "active", "purpose", "agreement"),
        (_terms(until=datetime(2027, 9, 18, 9, tzinfo=UTC)), "active", "outside-time", "end"),
        (_terms(since=datetime(2027, 9, 18, 9, tzinfo=UTC)), "active", "outside-time", "start"),
    ],
)  # fmt: skip
def test_what_it_does_not_reach_is_named(terms: Terms | None, state: str, code: str, member: str) -> None:
    found = reach(festival(), terms, state, NOW)  # type: ignore[arg-type]
    assert (code, member) in [(one.code, one.row) for one in found]
    assert not reaches(found)
    assert all(one.text.ko and one.text.en for one in found)


def test_a_stand_whose_corner_leaves_the_area_is_named_and_no_other() -> None:
    stand = festival().stands[2]
    east = stand.lon + 0.9 / 88_000  # its counter faces east: half its depth is 1 m
    assert _codes(festival(), _terms(area=(127.097, 37.508, east, 37.511))) == [("outside-area", "stands[2]")]
    enough = stand.lon + 1.1 / 88_000
    assert _codes(festival(), _terms(area=(127.097, 37.508, enough, 37.511))) == []


def test_what_cannot_be_scored_there_is_said_and_forbids_nothing() -> None:
    found = reach(festival(), _terms(assets=(Asset("layer", "buildings"),)), "active", NOW)
    assert {(one.code, one.level) for one in found} == {("not-shared", "info")}
    assert reaches(found)
