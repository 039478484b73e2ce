"""A transfer as a pure machine: which step follows which, and whose it is (Dataspace Protocol 2025-1, section 7).

""        --request (consumer)-->   REQUESTED       REQUESTED --start (provider)-->    STARTED
STARTED   --suspend (either)-->     SUSPENDED       SUSPENDED --start (either)-->      STARTED
STARTED   --complete (either)-->    COMPLETED       any but the last two --terminate (either)--> TERMINATED
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from twintown.exchange.negotiation import Role
from twintown.ground.errors import WrongState

State = Literal["", "REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"]
Event = Literal["request", "start", "suspend", "complete", "terminate"]
STATES: tuple[State, ...] = ("REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED")
EVENTS: tuple[Event, ...] = ("request", "start", "suspend", "complete", "terminate")
FINAL: frozenset[State] = frozenset({"COMPLETED", "TERMINATED"})
_BOTH: frozenset[Role] = frozenset({"consumer", "provider"})

#: (from, by which step) to (by whom, into which state).
STEPS: Mapping[tuple[State, Event], tuple[frozenset[Role], State]] = {
    ("", "request"): (frozenset({"consumer"}), "REQUESTED"),
    ("REQUESTED", "start"): (frozenset({"provider"}), "STARTED"),
    ("SUSPENDED", "start"): (_BOTH, "STARTED"),
    ("STARTED", "suspend"): (_BOTH, "SUSPENDED"),
    ("STARTED", "complete"): (_BOTH, "COMPLETED"),
    ("REQUESTED", "terminate"): (_BOTH, "TERMINATED"),
    ("STARTED", "terminate"): (_BOTH, "TERMINATED"),
    ("SUSPENDED", "terminate"): (_BOTH, "TERMINATED"),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer process as one side sees it.

    Attributes:
        pid: our name for it.
        role: which side we are.
        peer: DID of the other side.
        peer_pid: its name for it; "" until we heard it.
        callback: address under which the other side takes messages, without a slash at its end.
        agreement: id of the agreement that it hangs on.
        format: how the data goes; `HttpData-PULL` here.
        state: "" before the first message.
        address: DSP DataAddress from which the consumer reads; holds a token, so no `repr` shows it.
        error: why it ended or stands still: {"code", "reason": [text, …]}.
        revision: grows by one with every step.
    """

    pid: str
    role: Role
    peer: str
    agreement: str
    format: str = "HttpData-PULL"
    peer_pid: str = ""
    callback: str = ""
    state: State = ""
    address: Mapping[str, Any] | None = field(default=None, repr=False)
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


def possible(state: State, by: Role) -> tuple[Event, ...]:
    """The steps that a side may take in a state."""
    return tuple(
        event for event in EVENTS if (step := STEPS.get((state, event))) is not None and by in step[0]
    )


def step(transfer: Transfer, event: Event, by: Role) -> Transfer:
    """The transfer after a step of one side.

    Raises:
        WrongState: the step is not possible in this state, or not to this side.
    """
    state = transfer.state
    if event in possible(state, by):
        return replace(transfer, state=STEPS[state, event][1], revision=transfer.revision + 1)
    may = possible(state, by)
    remedy = f"the {by} may {' or '.join(may)} now" if may else f"wait: the {by} may do nothing now"
    raise WrongState(
        f"the {by} cannot {event} a transfer that is {state or 'not begun'}",
        transfer.pid,
        "ask for another transfer" if state in FINAL else remedy,
    )
