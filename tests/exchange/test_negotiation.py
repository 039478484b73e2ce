"""The machine of a negotiation: every step in every state, by either side, along every path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twintown.exchange.negotiation import (
    EVENTS,
    FINAL,
    STATES,
    Event,
    Negotiation,
    Role,
    State,
    other,
    possible,
    step,
    turn,
)
from twintown.ground.errors import WrongState

ROLES: tuple[Role, ...] = ("consumer", "provider")
#: Dataspace Protocol 2025-1, figure of the contract negotiation: from, by whom, how, to.
DRAWN = {
    ("", "consumer", "request", "REQUESTED"), ("", "provider", "offer", "OFFERED"),
    ("REQUESTED", "provider", "offer", "OFFERED"), ("REQUESTED", "provider", "agree", "AGREED"),
    ("OFFERED", "consumer", "request", "REQUESTED"), ("OFFERED", "consumer", "accept", "ACCEPTED"),
    ("ACCEPTED", "provider", "agree", "AGREED"), ("AGREED", "consumer", "verify", "VERIFIED"),
    ("VERIFIED", "provider", "finalize", "FINALIZED"),
    *((state, role, "terminate", "TERMINATED") for state in ("REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED")
      for role in ROLES),
}  # fmt: skip


@pytest.mark.parametrize("state", ["", *STATES])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("by", ROLES)
def test_exactly_the_drawn_steps_are_possible(state: State, event: Event, by: Role) -> None:
    before = Negotiation("urn:uuid:1", "consumer", "did:web:b", state=state)
    into = [to for start, who, how, to in DRAWN if (start, who, how) == (state, by, event)]
    if into:
        after = step(before, event, by)
        assert [after.state] == into and after.revision == before.revision + 1
        assert (after.pid, after.peer, after.offer) == (before.pid, before.peer, before.offer)
    else:
        with pytest.raises(WrongState) as refused:
            step(before, event, by)
        assert event in refused.value.what and refused.value.remedy


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(ROLES)), max_size=40))
def test_both_sides_that_see_the_same_steps_stand_the_same(steps: list[tuple[Event, Role]]) -> None:
    ours = Negotiation("urn:uuid:1", "consumer", "did:web:b")
    theirs = Negotiation("urn:uuid:2", "provider", "did:web:a")
    for event, by in steps:
        try:
            after = step(ours, event, by)
        except WrongState:
            with pytest.raises(WrongState):
                step(theirs, event, by)
            continue
        ours, theirs = after, step(theirs, event, by)
        assert ours.state == theirs.state and ours.revision == theirs.revision


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(ROLES)), max_size=40))
def test_nothing_leaves_an_end_and_nothing_is_in_force_that_both_did_not_sign(
    steps: list[tuple[Event, Role]],
) -> None:
    one, taken = Negotiation("urn:uuid:1", "consumer", "did:web:b"), list[tuple[Event, Role]]()
    for event, by in steps:
        try:
            after = step(one, event, by)
        except WrongState:
            continue
        assert one.state not in FINAL
        one = after
        taken.append((event, by))
    if one.state == "FINALIZED":
        assert taken[-3:] == [("agree", "provider"), ("verify", "consumer"), ("finalize", "provider")]


@pytest.mark.parametrize("state", ["", *STATES])
def test_one_side_has_the_turn_and_the_other_may_only_end_it(state: State) -> None:
    whose = turn(state)
    if state in FINAL or not state:
        assert whose == ""
        return
    assert whose and set(possible(state, whose)) > {"terminate"}
    assert possible(state, other(whose)) == ("terminate",)


def test_both_names_are_known_by_role() -> None:
    ours = Negotiation("urn:uuid:1", "consumer", "did:web:b", "urn:uuid:2")
    assert (ours.consumer_pid, ours.provider_pid) == ("urn:uuid:1", "urn:uuid:2")
    theirs = Negotiation("urn:uuid:2", "provider", "did:web:a", "urn:uuid:1")
    assert (theirs.consumer_pid, theirs.provider_pid) == ("urn:uuid:1", "urn:uuid:2")
