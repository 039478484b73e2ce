"""A joint programme of two cities as a pure machine: which move follows which, whose it is, and what happens when both move at once.

    ""        --propose (first)-->      proposed      proposed --propose (the other)-->  proposed   a counter-proposal
    proposed  --agree (the other)-->    agreed        proposed --decline (the other)-->  declined
    proposed  --withdraw (proposer)-->  withdrawn     agreed   --propose (either)-->     changing   what was agreed stands
    changing  --propose (the other)-->  changing      changing --agree (the other)-->    agreed     the new one stands
    changing  --decline (the other), withdraw (proposer)--> agreed      agreed, changing --end (either)--> ended

Both cities keep the same moves in the same order, each naming the digest of the one before it. Each city writes its move first and
tells the other afterwards, so both may move at once: then an `end` goes before anything else, and otherwise the move of the city whose
turn it is (of the one that began, where nothing waits). The other's move is void, on both sides, by the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twintown.ground.errors import BadParameter, WrongState

Side = Literal["first", "second"]
Event = Literal["propose", "agree", "decline", "withdraw", "end"]
State = Literal["", "proposed", "agreed", "changing", "declined", "withdrawn", "ended"]
EVENTS: tuple[Event, ...] = ("agree", "propose", "decline", "withdraw", "end")
FINAL: frozenset[State] = frozenset({"declined", "withdrawn", "ended"})
#: Most moves of one programme.
MOST = 500


@dataclass(frozen=True, slots=True)
class Move:
    """One move.

    Attributes:
        seq: its place, from 0.
        event: what it does. by: which city's it is; `first` began the programme.
        mark: what its sender calls the message; the same mark is the same message.
        digest: SHA-256 of the message, hexadecimal. after: that of the move before it; "" for the first.
    """

    seq: int
    event: Event
    by: Side
    mark: str
    digest: str
    after: str


History = tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a programme stands.

    Attributes:
        proposer: whose proposal waits for an answer; "" where none does.
        open: the place of that proposal. stands: the place of the proposal that both agreed to.
    """

    state: State = ""
    proposer: Side | Literal[""] = ""
    open: int | None = None
    stands: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message that came leads to: the moves afterwards, those of ours that are void, and whether it had come before."""

    history: History
    void: History = ()
    again: bool = False


def other(side: Side) -> Side:
    """The other city."""
    return "second" if side == "first" else "first"


def turn(position: Position) -> Side | Literal[""]:
    """Whose answer is waited for; "" where nothing waits."""
    return other(position.proposer) if position.proposer else ""


def possible(position: Position, by: Side) -> tuple[Event, ...]:
    """What a city may do now."""
    state = position.state
    if not state:
        return ("propose",) if by == "first" else ()
    if state in FINAL:
        return ()
    if state == "agreed":
        return ("propose", "end")
    moves: tuple[Event, ...] = ("withdraw",) if by == position.proposer else ("agree", "propose", "decline")
    return (*moves, "end") if state == "changing" else moves


def allowed(now: Position, event: Event, by: Side, what: str) -> None:
    """Raise WrongState where a city cannot do this now. `what`: what the programme is called."""
    may = possible(now, by)
    if event not in may:
        raise WrongState(
            f"{_THE[by]} cannot {event} a programme that is {now.state or 'not begun'}", what,
            f"possible to it now: {', '.join(may) or 'nothing'}",
        )  # fmt: skip


def position(history: History) -> Position:
    """Where these moves lead."""
    now = Position()
    for one in history:
        now = _after(now, one)
    return now


def add(history: History, move: Move, what: str) -> History:
    """The moves with one more.

    Args:
        what: what the programme is called, for the error.

    Raises:
        WrongState: it is not possible now, not to this city, or follows on something else.
    """
    now = position(history)
    if len(history) >= MOST and move.event not in ("decline", "withdraw", "end"):
        raise WrongState(f"there are {MOST} moves already", what, "end this programme and begin another")
    if move.seq != len(history) or move.after != _last(history):
        raise WrongState(
            f"move {move.seq} does not follow on what was said last ({len(history) - 1})", what, "look at what was said meanwhile"
        )  # fmt: skip
    allowed(now, move.event, move.by, what)
    return (*history, move)


def hear(history: History, move: Move, what: str) -> Heard:
    """What a move of the other city leads to.

    Raises:
        WrongState: it is not possible now, or both moved at once and ours goes first.
        BadParameter: another message had that mark.
    """
    before = next((one for one in history if one.mark == move.mark), None)
    if before is not None:
        if before != move:
            raise BadParameter("id", "another message had that name", remedy="give each message its own")
        return Heard(history, again=True)
    if move.seq >= len(history):
        return Heard(add(history, move, what))
    ours = history[move.seq]
    past = history[: move.seq]
    after = add(past, move, what)  # it was possible when it was made
    if ours.by == move.by or not _goes_before(position(past), move, ours):
        crossed = "both cities moved at once, and the other move goes first"
        why = "there is such a move already" if ours.by == move.by else crossed
        raise WrongState(why, what, "look at what was said meanwhile")
    return Heard(after, void=history[move.seq :])


def cut(history: History, mark: str) -> Heard:
    """The moves without one of ours that the other city did not take, and without what followed it."""
    at = next((one.seq for one in history if one.mark == mark), len(history))
    return Heard(history[:at], void=history[at:])


_THE = {"first": "the city that began", "second": "the other city"}


def _last(history: History) -> str:
    return history[-1].digest if history else ""


def _goes_before(now: Position, one: Move, against: Move) -> bool:
    whose = turn(now) or "first"
    return (one.event == "end", one.by == whose) > (against.event == "end", against.by == whose)


def _after(now: Position, move: Move) -> Position:
    if move.event == "end":
        return Position("ended", stands=now.stands)
    if move.event == "propose":
        return Position("proposed" if now.stands is None else "changing", move.by, move.seq, now.stands)
    if move.event == "agree":
        return Position("agreed", stands=now.open)
    if now.stands is not None:  # declined or withdrawn: what was agreed stands
        return Position("agreed", stands=now.stands)
    return Position("declined" if move.event == "decline" else "withdrawn")
