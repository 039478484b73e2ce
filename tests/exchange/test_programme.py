"""The machine of a joint programme: every move in every state, and two cities that move at once over a line that loses and repeats."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.exchange.programme import (
    EVENTS,
    FINAL,
    Event,
    History,
    Move,
    Position,
    Side,
    State,
    add,
    cut,
    hear,
    other,
    position,
    possible,
    turn,
)
from twintown.ground.errors import BadParameter, WrongState

SIDES: tuple[Side, ...] = ("first", "second")
#: Positions by name, the proposal of the first city where one waits, and what each city may do in them.
DRAWN: dict[State, tuple[Position, set[Event], set[Event]]] = {
    "": (Position(), {"propose"}, set()),
    "proposed": (Position("proposed", "first", 0), {"withdraw"}, {"agree", "propose", "decline"}),
    "agreed": (Position("agreed", "", None, 0), {"propose", "end"}, {"propose", "end"}),
    "changing": (
        Position("changing", "first", 2, 0), {"withdraw", "end"}, {"agree", "propose", "decline", "end"},
    ),
    "declined": (Position("declined"), set(), set()),
    "withdrawn": (Position("withdrawn"), set(), set()),
    "ended": (Position("ended", stands=0), set(), set()),
}  # fmt: skip


def move(history: History, event: Event, by: Side, mark: str = "") -> Move:
    name = mark or f"{len(history)}-{event}-{by}"
    return Move(len(history), event, by, name, f"digest of {name}", history[-1].digest if history else "")


def told(*said: tuple[Event, Side]) -> History:
    history: History = ()
    for event, by in said:
        history = add(history, move(history, event, by), "p")
    return history


@pytest.mark.parametrize("state", DRAWN)
def test_exactly_the_drawn_moves_are_possible(state: State) -> None:
    now, first, second = DRAWN[state]
    assert set(possible(now, "first")) == first
    assert set(possible(now, "second")) == second


def test_what_was_agreed_stands_until_both_agreed_to_another() -> None:
    agreed = told(("propose", "first"), ("propose", "second"), ("agree", "first"))
    assert position(agreed) == Position("agreed", stands=1)
    changing = add(agreed, move(agreed, "propose", "first"), "p")
    assert position(changing) == Position("changing", "first", 3, 1)
    for answer, by in (("decline", "second"), ("withdraw", "first")):
        after = position(add(changing, move(changing, answer, by), "p"))  # type: ignore[arg-type]
        assert after == Position("agreed", stands=1)
    assert position(add(changing, move(changing, "agree", "second"), "p")) == Position("agreed", stands=3)
    assert position(add(changing, move(changing, "end", "second"), "p")) == Position("ended", stands=1)


def test_a_move_that_follows_on_something_else_is_refused() -> None:
    begun = told(("propose", "first"))
    wrong = Move(1, "agree", "second", "m", "d", "another digest")
    early = Move(2, "agree", "second", "m", "d", begun[-1].digest)
    for one in (wrong, early):
        with pytest.raises(WrongState, match="follow"):
            hear(begun, one, "p")


def test_the_same_message_again_changes_nothing_and_another_by_its_name_is_refused() -> None:
    begun = told(("propose", "first"))
    again = hear(begun, begun[0], "p")
    assert again.again and again.history == begun and again.void == ()
    with pytest.raises(BadParameter):
        hear(begun, Move(0, "propose", "first", begun[0].mark, "other digest", ""), "p")


@pytest.mark.parametrize(
    ("past", "one", "against", "goes_first"),
    [
        ("changing", ("withdraw", "first"), ("agree", "second"), "second"),
        ("changing", ("end", "first"), ("agree", "second"), "first"),
        ("changing", ("end", "first"), ("end", "second"), "second"),
        ("agreed", ("propose", "first"), ("propose", "second"), "first"),
        ("agreed", ("propose", "first"), ("end", "second"), "second"),
        ("agreed", ("end", "first"), ("end", "second"), "first"),
    ],
)
def test_of_two_moves_at_once_both_cities_keep_the_same_one(
    past: str, one: tuple[Event, Side], against: tuple[Event, Side], goes_first: Side
) -> None:
    before = told(("propose", "first"), ("agree", "second"))
    if past == "changing":
        before = add(before, move(before, "propose", "first"), "p")
    ours, theirs = move(before, *one), move(before, *against)
    kept = {}
    for mine, came in ((ours, theirs), (theirs, ours)):
        try:
            heard = hear((*before, mine), came, "p")
            assert heard.void == (mine,)
            kept[mine.by] = heard.history
        except WrongState:
            kept[mine.by] = cut((*before, came), "none").history if came.by == goes_first else (*before, mine)
    assert kept["first"] == kept["second"] and kept["first"][-1].by == goes_first


@dataclass
class City:
    """One side with its outbox: the messages that were not answered yet, in their order."""

    side: Side
    history: History = ()
    waiting: list[Move] = field(default_factory=list)
    made: int = 0

    def say(self, event: Event) -> None:
        self.made += 1
        one = move(self.history, event, self.side, f"{self.side} {self.made}")
        self.history = add(self.history, one, "p")
        self.waiting.append(one)

    def void(self, moves: History) -> None:
        gone = {one.mark for one in moves}
        self.waiting = [one for one in self.waiting if one.mark not in gone]

    def deliver(self, to: City, deaf: bool) -> None:
        """Bring the first message that waits; `deaf`: the answer is lost, and it is brought again."""
        if not self.waiting:
            return
        one = self.waiting[0]
        try:
            heard = hear(to.history, one, "p")
        except WrongState:
            if not deaf:
                left = cut(self.history, one.mark)
                self.history = left.history
                self.void((one, *left.void))
            return
        to.history = heard.history
        to.void(heard.void)
        if not deaf and one in self.waiting:
            self.waiting.remove(one)


ACTS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(SIDES), st.sampled_from(EVENTS)),
    st.tuples(st.just("bring"), st.sampled_from(SIDES), st.booleans()),
)


def played(acts: list[tuple[str, Side, object]]) -> dict[Side, City]:
    cities: dict[Side, City] = {side: City(side) for side in SIDES}
    cities["first"].say("propose")
    for act, side, what in acts:
        if act == "say":
            if what in possible(position(cities[side].history), side):
                cities[side].say(what)  # type: ignore[arg-type]
        else:
            cities[side].deliver(cities[other(side)], bool(what))
    return cities


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=60))
def test_whatever_is_lost_or_said_at_once_both_cities_come_to_the_same(
    acts: list[tuple[str, Side, object]],
) -> None:
    cities = played(acts)
    for _ in range(200):
        for side in SIDES:
            cities[side].deliver(cities[other(side)], deaf=False)
    assert not cities["first"].waiting and not cities["second"].waiting
    assert cities["first"].history == cities["second"].history


@settings(max_examples=100, deadline=None)
@given(st.lists(ACTS, max_size=60))
def test_nothing_stands_that_one_city_proposed_and_the_other_did_not_agree_to(
    acts: list[tuple[str, Side, object]],
) -> None:
    for city in played(acts).values():
        now = position(city.history)
        if now.stands is not None:
            proposal, answer = city.history[now.stands], city.history[now.stands + 1]
            assert (proposal.event, answer.event, answer.by) == ("propose", "agree", other(proposal.by))
        ends = [one.seq for one in city.history if position(city.history[: one.seq + 1]).state in FINAL]
        assert ends in ([], [len(city.history) - 1])  # nothing leaves an end
        if now.open is not None:
            assert turn(now) == other(city.history[now.open].by)
