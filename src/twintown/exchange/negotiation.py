"""A contract negotiation as a pure machine: which step follows which, and whose it is (Dataspace Protocol 2025-1, section 5).

    ""        --request (consumer)-->   REQUESTED       ""        --offer (provider)-->  OFFERED
    REQUESTED --offer (provider)-->     OFFERED         REQUESTED --agree (provider)-->  AGREED
    OFFERED   --request (consumer)-->   REQUESTED       OFFERED   --accept (consumer)--> ACCEPTED
    ACCEPTED  --agree (provider)-->     AGREED          AGREED    --verify (consumer)--> VERIFIED
    VERIFIED  --finalize (provider)-->  FINALIZED       any but the last two --terminate (either)--> TERMINATED

Both cities keep the same machine, one as consumer and one as provider; a step is taken by whoever commits it first, and the other is
told by a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from twintown.ground.errors import WrongState

Role = Literal["consumer", "provider"]
State = Literal["", "REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"]
Event = Literal["request", "offer", "accept", "agree", "verify", "finalize", "terminate"]
STATES: tuple[State, ...] = (
    "REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED",
)  # fmt: skip
EVENTS: tuple[Event, ...] = ("request", "offer", "accept", "agree", "verify", "finalize", "terminate")
FINAL: frozenset[State] = frozenset({"FINALIZED", "TERMINATED"})

#: (from, by which step) to (by whom, into which state).
STEPS: Mapping[tuple[State, Event], tuple[Role, State]] = {
    ("", "request"): ("consumer", "REQUESTED"),
    ("", "offer"): ("provider", "OFFERED"),
    ("REQUESTED", "offer"): ("provider", "OFFERED"),
    ("REQUESTED", "agree"): ("provider", "AGREED"),
    ("OFFERED", "request"): ("consumer", "REQUESTED"),
    ("OFFERED", "accept"): ("consumer", "ACCEPTED"),
    ("ACCEPTED", "agree"): ("provider", "AGREED"),
    ("AGREED", "verify"): ("consumer", "VERIFIED"),
    ("VERIFIED", "finalize"): ("provider", "FINALIZED"),
}


@dataclass(frozen=True, slots=True)
class Negotiation:
    """One negotiation as one side sees it.

    Attributes:
        pid: our name for it.
        role: which side we are.
        peer: DID of the other side.
        peer_pid: its name for it; "" until we heard it.
        callback: address under which the other side takes messages, without a slash at its end.
        state: "" before the first message.
        dataset: what it is about.
        offer: the ODRL offer that was said last, by either side.
        agreement: the ODRL agreement, once there is one.
        error: why it ended or does not go on: {"code", "reason": [text, …]}.
        revision: grows by one with every step.
    """

    pid: str
    role: Role
    peer: str
    peer_pid: str = ""
    callback: str = ""
    state: State = ""
    dataset: str = ""
    offer: Mapping[str, Any] | None = None
    agreement: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    revision: int = 0

    @property
    def consumer_pid(self) -> str:
        """The consumer's name for it."""
        return self.pid if self.role == "consumer" else self.peer_pid

    @property
    def provider_pid(self) -> str:
        """The provider's name for it."""
        return self.pid if self.role == "provider" else self.peer_pid


def other(role: Role) -> Role:
    """The other side."""
    return "provider" if role == "consumer" else "consumer"


def possible(state: State, by: Role) -> tuple[Event, ...]:
    """The steps that a side may take in a state, in the order in which a negotiation goes."""
    found = [event for event in EVENTS if (step := STEPS.get((state, event))) is not None and step[0] == by]
    return (*found, "terminate") if state and state not in FINAL else tuple(found)


def turn(state: State) -> Role | Literal[""]:
    """Whose move it is (either may end it as well); "" when it is over."""
    for event in EVENTS:
        if state and (step := STEPS.get((state, event))) is not None:
            return step[0]
    return ""


def step(negotiation: Negotiation, event: Event, by: Role) -> Negotiation:
    """The negotiation after a step of one side.

    Raises:
        WrongState: the step is not possible in this state, or not to this side.
    """
    state = negotiation.state
    if event in possible(state, by):
        into: State = "TERMINATED" if event == "terminate" else STEPS[state, event][1]
        return replace(negotiation, state=into, revision=negotiation.revision + 1)
    may = possible(state, by)
    remedy = f"the {by} may {' or '.join(may)} now" if may else f"wait: the {by} may do nothing now"
    raise WrongState(
        f"the {by} cannot {event} a negotiation that is {state or 'not begun'}",
        negotiation.pid,
        "begin another negotiation" if state in FINAL else remedy,
    )
