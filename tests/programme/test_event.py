"""Events are read strictly: what came is what is kept, and what is wrong is named by its member."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from tests.programme.events import FESTIVAL, delegation, festival, said

from twintown.ground.errors import BadParameter, Conflict, NotPossible
from twintown.programme.event_reading import metres, read
from twintown.programme.event_states import after_change, check_step


def _with(path: str, value: Any) -> dict[str, Any]:
    """The festival with one member otherwise; `stands.0.lon` goes down."""
    made = copy.deepcopy(FESTIVAL)
    at: Any = made
    *way, last = path.split(".")
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[int(last) if last.isdigit() else last] = value
    return made


def test_an_event_is_written_as_it_was_read() -> None:
    assert festival().to_dict() == FESTIVAL
    plan = {
        "job": "j1", "made": "2027-09-01T09:00:00+09:00",
        "layers": {"deliveries": "deliveries-1", "loads": "l", "unmet": "u", "balance": "b"},
    }  # fmt: skip
    assert read(said(plan=plan)).to_dict() == said(plan=plan)


@pytest.mark.parametrize(
    ("path", "value", "member", "words"),
    [
        ("end", "2027-09-18T11:00:00+09:00", "event.end", "not after its start"),
        ("start", "2027-09-18T11:00:00", "event.start", "zone"),
        ("start", "2027-09-18 11:00", "event.start", "no moment"),
        ("start", "2027-02-30T11:00:00+09:00", "event.start", "no moment"),
        ("end", "2029-09-18T19:00:00+09:00", "event.end", "400 days"),
        ("place.lon", 181, "event.place.lon", "-180 to 180"),
        ("place.lat", float("nan"), "event.place.lat", "no number"),
        ("visitors.expected", -1, "event.visitors.expected", "less than 0"),
        ("visitors.expected", 10.5, "event.visitors.expected", "whole"),
        ("visitors.error", True, "event.visitors.error", "whole"),
        ("visitors.source", "guess", "event.visitors.source", "not known"),
        ("kind", "riot", "event.kind", "festival"),
        ("title", {"ko": "", "en": "x"}, "event.title.ko", "empty"),
        ("title", "x", "event.title", "ko and en"),
        ("host", "seoul", "event.host", "DID"),
        ("id", "ev-1", "event.id", "no id"),
        ("stands.0.lon", 127.2, "event.stands[0].lon", "km from the event's place"),
        ("stands.1.id", "stand-0", "event.stands", "twice"),
        ("stands.0.products", ["Rice!"], "event.stands[0].products[0]", "short name"),
        ("stands.0.width_m", 0, "event.stands[0].width_m", "0.5 to 100"),
        ("stage.level_db", 200, "event.stage.level_db", "0 to 140"),
        ("programme.0.start", "2027-09-18T10:00:00+09:00", "event.programme[0].start", "outside of the event's time"),
        ("programme.0.section", "music", "event.programme[0].section", "no section"),
        ("works.fire", 1, "event.works.fire", "neither true nor false"),
        ("organiser.name", "  ", "event.organiser.name", "empty"),
        ("about.ko", "a\x00b", "event.about.ko", "control"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_member(path: str, value: Any, member: str, words: str) -> None:
    with pytest.raises(BadParameter) as refused:
        read(_with(path, value))
    assert refused.value.name == member
    assert words.replace("no section", "not a section") in str(refused.value)


def test_a_missing_member_and_one_too_many_are_named() -> None:
    short = said()
    del short["works"]["gas"]
    with pytest.raises(BadParameter, match=r"works\.gas"):
        read(short)
    with pytest.raises(BadParameter, match="rain"):
        read(said(rain=True))


def test_delegations_wish_others_that_are_there_and_not_themselves() -> None:
    read(said(delegations=[delegation("a", "b"), delegation("b")]))
    with pytest.raises(BadParameter, match="not a delegation"):
        read(said(delegations=[delegation("a", "zz")]))
    with pytest.raises(BadParameter, match="itself"):
        read(said(delegations=[delegation("a", "a")]))
    meeting = {
        "a": "a", "b": "c", "start": "2027-09-18T12:00:00+09:00", "end": "2027-09-18T12:20:00+09:00", "room": 1,
    }  # fmt: skip
    with pytest.raises(BadParameter, match=r"meetings\[0\]\.b"):
        read(said(delegations=[delegation("a"), delegation("b")], meetings=[meeting]))


def test_more_than_an_event_holds_is_refused() -> None:
    with pytest.raises(BadParameter, match="at most 200"):
        read(said(stands=FESTIVAL["stands"] * 67))
    item = FESTIVAL["programme"][0]
    many = [item | {"id": f"i{at}", "about": {"ko": "가" * 4000, "en": ""}} for at in range(60)]
    with pytest.raises(BadParameter, match="bytes"):
        read(said(programme=many))


def test_a_degree_of_latitude_is_some_111_kilometres() -> None:
    assert metres((127.0, 37.0), (127.0, 38.0)) == pytest.approx(111_195, abs=1)
    assert metres((127.0, 60.0), (128.0, 60.0)) == pytest.approx(111_195 / 2, rel=1e-4)


def test_an_agreed_event_that_is_changed_waits_for_the_partner_again_but_its_plan_is_our_own() -> None:
    before = festival()
    later = festival(end="2027-09-18T20:00:00+09:00")
    planned = festival(
        plan={
            "job": "j", "made": "2027-09-01T09:00:00+09:00",
            "layers": {"deliveries": "d", "loads": "l", "unmet": "u", "balance": "b"},
        }
    )  # fmt: skip
    assert later.end - before.end == timedelta(hours=1)
    assert after_change("agreed", "own", before, later, "ev") == "draft"
    assert after_change("agreed", "own", before, planned, "ev") == "agreed"
    assert after_change("declined", "own", before, later, "ev") == "draft"


def test_what_waits_is_over_or_is_another_ones_is_not_changed() -> None:
    one = festival()
    for state in ("proposed", "ended", "cancelled", "settled"):
        with pytest.raises(Conflict):
            after_change(state, "own", one, one, "ev")
    for origin in ("partner", "listing"):
        with pytest.raises(NotPossible):
            after_change("agreed", origin, one, one, "ev")  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="cancelled"):
        check_step("cancelled", "agreed", "ev")
