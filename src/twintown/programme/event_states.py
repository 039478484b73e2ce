"""Where an event stands, and who may change what of it there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from twintown.ground.errors import Conflict, NotPossible

from .event import Event, State

#: Whose an event is: made here, told by a partner, found in open data.
Origin = Literal["own", "partner", "listing"]
ORIGINS: tuple[Origin, ...] = ("own", "partner", "listing")
#: From which states a state is reached.
BEFORE: Mapping[State, tuple[State, ...]] = {
    "draft": ("draft", "declined", "agreed"),
    "proposed": ("draft", "proposed", "declined", "agreed"),
    "agreed": ("draft", "proposed", "agreed"),
    "declined": ("draft", "proposed", "declined"),
    "ended": ("draft", "proposed", "agreed", "declined", "settled", "ended"),
    "cancelled": ("draft", "proposed", "agreed", "declined", "ended"),
    "settled": ("agreed", "draft", "ended", "settled"),
    "listed": (),
}
#: What may change of an agreed event without asking the partner again.
INSIDE = ("plan", "meetings")


def check_step(before: State, after: State, id: str) -> None:
    """Whether an event may go from a state to another one. Raises Conflict."""
    if before not in BEFORE[after]:
        raise Conflict(
            f"this event is {before}: it cannot become {after}", id, "look at it again: somebody was quicker"
        )


def after_change(state: State, origin: Origin, before: Event, after: Event, id: str) -> State:
    """The state of an event once its officer has written it anew.

    Raises:
        NotPossible: it is not this city's to write. Conflict: it waits for an answer, or is over.
    """
    if origin != "own":
        whose = "a listing of open data" if origin == "listing" else "the partner's"
        raise NotPossible(
            f"this event is {whose} and is not changed here", id, "make an event of your own", ("GET",)
        )
    if state == "proposed":
        raise Conflict(
            "this event waits for the partner's answer", id, "withdraw the proposal first, or wait"
        )
    if state in ("ended", "cancelled", "settled"):
        raise Conflict(f"this event is {state} and is not changed any more", id, "make a new one")
    quiet = replace(after, plan=before.plan, meetings=before.meetings) == before
    return "agreed" if state == "agreed" and quiet else "draft"
