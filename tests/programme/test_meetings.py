"""Matched meetings: nobody twice at once, no more than the rooms, the best that can be, and why the others are none."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import datetime, timedelta

import pytest
from tests.programme.events import conference, delegation

from twintown.ground.errors import BadParameter
from twintown.programme import meetings
from twintown.programme.event import Event
from twintown.programme.meetings import Matched, Slot, match

START = datetime.fromisoformat("2027-09-18T11:00:00+09:00")


def _slots(count: int) -> list[Slot]:
    span = timedelta(minutes=20)
    return [(START + at * span, START + (at + 1) * span) for at in range(count)]


def _check(found: Matched, rooms: int) -> None:
    seen: Counter[object] = Counter()
    for one in found.meetings:
        seen[(one.a, one.start)] += 1
        seen[(one.b, one.start)] += 1
        seen[(one.room, one.start)] += 1
        seen[(one.a, one.b)] += 1
        assert 1 <= one.room <= rooms
    assert not seen or max(seen.values()) == 1


def _random(seed: int, people: int, wishes: int) -> Event:
    chance = random.Random(seed)
    ids = [f"d{at}" for at in range(people)]
    return conference(
        *(delegation(id, *chance.sample([one for one in ids if one != id], wishes)) for id in ids)
    )


def _best(event: Event, slots: int, rooms: int) -> float:
    """The largest sum of weights, by trying every way to give each mutual pair a slot or none."""
    pairs = meetings._mutual(event.delegations)
    best = 0.0
    for chosen in itertools.product(range(slots + 1), repeat=len(pairs)):
        busy: set[tuple[str, int]] = set()
        full: Counter[int] = Counter()
        value, good = 0.0, True
        for (a, b, weight), slot in zip(pairs, chosen, strict=True):
            if slot == slots:
                continue
            good = good and (a, slot) not in busy and (b, slot) not in busy and full[slot] < rooms
            busy |= {(a, slot), (b, slot)}
            full[slot] += 1
            value += weight
        best = max(best, value) if good else best
    return best


@pytest.mark.parametrize(
    ("seed", "slots", "rooms"), [(1, 2, 1), (2, 2, 2), (3, 1, 2), (4, 2, 1), (5, 1, 3), (6, 2, 2)]
)
def test_no_other_plan_of_meetings_is_better(seed: int, slots: int, rooms: int) -> None:
    event = _random(seed, 5, 3)
    found = match(event, _slots(slots), rooms)
    _check(found, rooms)
    assert found.value == pytest.approx(_best(event, slots, rooms))
    assert found.gap == pytest.approx(0, abs=1e-5)


def test_forty_delegations_meet_without_anybody_twice_at_once_and_the_answer_is_the_same_again() -> None:
    event = _random(7, 40, 8)
    found = match(event, _slots(6), 5)
    _check(found, 5)
    assert match(event, _slots(6), 5) == found
    assert 0 <= found.gap < 1e-3
    told = {(one.a, one.b) for one in found.unmatched}
    met = {(one.a, one.b) for one in found.meetings}
    mutual = {(a, b) for a, b, _ in meetings._mutual(event.delegations)}
    assert met | {pair for pair in told if pair in mutual} == mutual
    assert not met & told


def test_a_wish_that_is_not_returned_is_none() -> None:
    found = match(conference(delegation("a", "b"), delegation("b")), _slots(1), 1)
    assert [(one.a, one.b, one.code) for one in found.unmatched] == [("a", "b", "not-mutual")]
    assert found.meetings == ()


def test_who_meets_nobody_reads_why() -> None:
    three = conference(delegation("a", "b", "c"), delegation("b", "a"), delegation("c", "a"))
    found = match(three, _slots(1), 2)
    assert [(one.a, one.b) for one in found.meetings] == [("a", "b")]  # the dearer one
    assert [(one.a, one.b, one.code) for one in found.unmatched] == [("a", "c", "no-slot")]
    four = conference(delegation("a", "b"), delegation("b", "a"), delegation("c", "d"), delegation("d", "c"))
    assert [one.code for one in match(four, _slots(1), 1).unmatched] == ["no-room"]


def test_nobody_meets_while_the_own_section_sits() -> None:
    item = {
        "id": "talk", "start": "2027-09-18T11:00:00+09:00", "end": "2027-09-18T11:30:00+09:00", "stage": "",
        "title": {"ko": "말", "en": "Talk"}, "performers": [], "section": "s", "about": {"ko": "", "en": ""},
    }  # fmt: skip
    event = conference(
        delegation("a", "b", section="s"), delegation("b", "a"), programme=[item],
        sections=[{"id": "s", "title": {"ko": "분과", "en": "Section"}}],
    )  # fmt: skip
    found = match(event, _slots(3), 1)
    assert [one.start for one in found.meetings] == [START + timedelta(minutes=40)]
    assert [one.code for one in match(event, _slots(2), 1).unmatched] == ["section"]


def test_earlier_slots_and_lower_rooms_come_first() -> None:
    event = conference(delegation("a", "b"), delegation("b", "a"), delegation("c", "d"), delegation("d", "c"))
    found = match(event, _slots(3), 2)
    assert [(one.start, one.room) for one in found.meetings] == [(START, 1), (START, 2)]


@pytest.mark.parametrize(
    ("slots", "rooms", "member"),
    [
        ([], 1, "slots"),
        (_slots(1), 0, "rooms"),
        ([(START, START)], 1, r"slots\[0\]\.end"),
        ([(START - timedelta(hours=1), START)], 1, r"slots\[0\]\.start"),
        ([_slots(1)[0], (START + timedelta(minutes=10), START + timedelta(minutes=30))], 1, "overlap"),
    ],
)
def test_slots_that_cannot_be_are_named(slots: list[Slot], rooms: int, member: str) -> None:
    with pytest.raises(BadParameter, match=member):
        match(conference(delegation("a", "b"), delegation("b", "a")), slots, rooms)


def test_too_large_a_question_is_refused_before_it_is_tried() -> None:
    ids = [f"d{at}" for at in range(30)]
    event = conference(*(delegation(id, *(one for one in ids if one != id)) for id in ids))
    with pytest.raises(BadParameter, match="possible meetings"):
        match(
            event,
            [
                (START + at * timedelta(minutes=2), START + (at + 1) * timedelta(minutes=2))
                for at in range(100)
            ],
            5,
        )
