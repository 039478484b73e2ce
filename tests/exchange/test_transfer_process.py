"""The machine of a transfer: every step in every state, by either side, along every path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twintown.exchange.negotiation import Role
from twintown.exchange.transfer_process import EVENTS, FINAL, STATES, Event, State, Transfer, possible, step
from twintown.ground.errors import WrongState

ROLES: tuple[Role, ...] = ("consumer", "provider")
#: Dataspace Protocol 2025-1, figure of the transfer process: from, by whom, how, to.
DRAWN = {
    ("", "consumer", "request", "REQUESTED"), ("REQUESTED", "provider", "start", "STARTED"),
    *(("SUSPENDED", role, "start", "STARTED") for role in ROLES), *(("STARTED", role, "suspend", "SUSPENDED") for role in ROLES),
    *(("STARTED", role, "complete", "COMPLETED") for role in ROLES),
    *((state, role, "terminate", "TERMINATED") for state in ("REQUESTED", "STARTED", "SUSPENDED") for role in ROLES),
}  # fmt: skip


def transfer(role: Role = "consumer", state: State = "") -> Transfer:
    return Transfer("urn:uuid:1", role, "did:web:b", "urn:uuid:agreement", state=state)


@pytest.mark.parametrize("state", ["", *STATES])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("by", ROLES)
def test_exactly_the_drawn_steps_are_possible(state: State, event: Event, by: Role) -> None:
    into = [to for start, who, how, to in DRAWN if (start, who, how) == (state, by, event)]
    if into:
        assert [step(transfer(state=state), event, by).state] == into
        assert event in possible(state, by)
    else:
        with pytest.raises(WrongState):
            step(transfer(state=state), event, by)


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(ROLES)), max_size=40))
def test_nothing_leaves_an_end_and_nothing_starts_that_was_not_asked_for(
    steps: list[tuple[Event, Role]],
) -> None:
    one, asked = transfer(), False
    for event, by in steps:
        try:
            after = step(one, event, by)
        except WrongState:
            continue
        assert one.state not in FINAL
        asked = asked or event == "request"
        one = after
    assert asked or one.state == ""


def test_no_repr_shows_the_address_with_its_token() -> None:
    one = Transfer(
        "urn:uuid:1", "consumer", "did:web:b", "a", address={"endpointProperties": [{"value": "s3cret"}]}
    )
    assert "s3cret" not in repr(one)
