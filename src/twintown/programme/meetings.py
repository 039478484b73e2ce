"""Meetings of delegations: mutual wishes matched into slots and rooms, as many and as dear ones as can be, nobody twice at once. Pure.

    max  Σ w(e) x(e, s)      x ∈ {0, 1}: the pair e meets in the slot s
    Σₛ x(e, s) ≤ 1           a pair meets once
    Σₑ∋d x(e, s) ≤ 1         a delegation is in one meeting at a time, and in none while its own section sits
    Σₑ x(e, s) ≤ rooms

w(e) is the sum over both of 1 / (1 + rank of the other among its wishes): a meeting that both wish most counts 2. Solved as a mixed-integer
programme (HiGHS through SciPy) to the bound that is reported; the same question has the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name

from .event import Delegation, Event, Meeting

#: Most slots, rooms, and pairs × slots of one question; nodes of the search, and the seconds after which it stops anyway.
SLOTS, ROOMS, SIZE, NODES, SECONDS = 200, 200, 20_000, 2_000, 8.0

Slot = tuple[datetime, datetime]
Code = Literal["not-mutual", "section", "no-slot", "no-room", "less-dear"]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A wish that comes to no meeting: `a` wishes to meet `b`."""

    a: str
    b: str
    code: Code
    why: Name


@dataclass(frozen=True, slots=True)
class Matched:
    """What came out. `value` ≤ `bound`, both sums of weights; `gap` is their relative distance, 0 where it is the best possible."""

    meetings: tuple[Meeting, ...]
    unmatched: tuple[Unmatched, ...]
    value: float
    bound: float
    gap: float


def match(event: Event, slots: Sequence[Slot], rooms: int) -> Matched:
    """The meetings of an event's delegations.

    Args:
        slots: when meetings can be; they do not overlap.
        rooms: how many meetings at once.

    Raises:
        BadParameter: slots overlap, lie outside of the event, or the question is too large.
    """
    times = _checked(event, slots, rooms)
    pairs = _mutual(event.delegations)
    free = {one.id: _free(event, one, times) for one in event.delegations}
    cells = [
        (at, slot)
        for at, (a, b, _) in enumerate(pairs)
        for slot in range(len(times))
        if free[a][slot] and free[b][slot]
    ]
    if len(cells) > SIZE:
        raise BadParameter(
            "slots",
            f"make {len(cells):,} possible meetings, at most {SIZE:,} are looked at",
            remedy="take fewer slots",
        )
    chosen, bound = _solved(pairs, cells, len(times), rooms)
    chosen = _early(pairs, chosen, set(cells), rooms)
    value = sum(pairs[at][2] for at, _ in chosen)
    bound = max(value, bound)
    meetings = tuple(_placed(pairs, chosen, times))
    met = {(one.a, one.b) for one in meetings}
    unmatched = tuple(_unmatched(event, pairs, free, met, chosen, len(times), rooms))
    return Matched(meetings, unmatched, value, bound, 0.0 if bound <= 0 else (bound - value) / bound)


def _checked(event: Event, slots: Sequence[Slot], rooms: int) -> list[Slot]:
    if not 1 <= rooms <= ROOMS:
        raise BadParameter("rooms", f"are {rooms}, from 1 to {ROOMS} can be used")
    if not 1 <= len(slots) <= SLOTS:
        raise BadParameter("slots", f"are {len(slots)}, from 1 to {SLOTS} can be used")
    for at, (start, end) in enumerate(slots):
        if end <= start:
            raise BadParameter(f"slots[{at}].end", "is not after its start")
        if start < event.start or end > event.end:
            raise BadParameter(f"slots[{at}].start", "lies outside of the event's time")
    ordered = sorted(slots)
    for (_, end), (start, _) in zip(ordered[:-1], ordered[1:], strict=True):
        if start < end:
            raise BadParameter(
                "slots", f"overlap at {start.isoformat()}", remedy="let one end before the next begins"
            )
    return ordered


def _mutual(delegations: Sequence[Delegation]) -> list[tuple[str, str, float]]:
    """The pairs that wish each other, by their ids, with the weight of their meeting."""
    rank = {one.id: {wish: at for at, wish in enumerate(one.wishes)} for one in delegations}
    return sorted(
        (a, b, 1 / (1 + rank[a][b]) + 1 / (1 + rank[b][a]))
        for a in rank
        for b in rank[a]
        if a < b and a in rank.get(b, {})
    )


def _free(event: Event, one: Delegation, slots: Sequence[Slot]) -> list[bool]:
    """In which slots a delegation is not in its section."""
    sits = [item for item in event.programme if one.section and item.section == one.section]
    return [not any(item.start < end and start < item.end for item in sits) for start, end in slots]


def _solved(
    pairs: Sequence[tuple[str, str, float]], cells: Sequence[tuple[int, int]], slots: int, rooms: int
) -> tuple[list[tuple[int, int]], float]:
    """The chosen (pair, slot) in order, and an upper bound of their weight."""
    if not cells:
        return [], 0.0
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    people = {id: at for at, id in enumerate(sorted({id for a, b, _ in pairs for id in (a, b)}))}
    pair, slot = (np.array(column, np.int64) for column in zip(*cells, strict=True))
    a, b = (np.array([people[pairs[at][side]] for at in pair]) for side in (0, 1))
    columns = np.arange(len(cells))
    rows = np.concatenate(
        [
            pair,
            len(pairs) + a * slots + slot,
            len(pairs) + b * slots + slot,
            len(pairs) + len(people) * slots + slot,
        ]
    )
    count = len(pairs) + (len(people) + 1) * slots
    matrix = csr_array((np.ones(len(rows)), (rows, np.tile(columns, 4))), shape=(count, len(cells)))
    most = np.concatenate([np.ones(len(pairs) + len(people) * slots), np.full(slots, float(rooms))])
    weight = np.array([pairs[at][2] for at in pair])
    found = milp(
        -weight, integrality=np.ones(len(cells)), bounds=Bounds(0, 1), constraints=LinearConstraint(matrix, ub=most),
        options={"mip_rel_gap": 1e-6, "node_limit": NODES, "time_limit": SECONDS},
    )  # fmt: skip
    if found.x is None:  # stopped before it had anything: the dearest that fit, one after the other
        return _greedy(pairs, cells, rooms), float(sum(one[2] for one in pairs))
    bound = -float(found.mip_dual_bound) if found.mip_dual_bound is not None else float(-found.fun)
    return [cells[at] for at in np.flatnonzero(found.x > 0.5).tolist()], bound + 1e-6


def _greedy(
    pairs: Sequence[tuple[str, str, float]], cells: Sequence[tuple[int, int]], rooms: int
) -> list[tuple[int, int]]:
    taken: set[tuple[str, int]] = set()
    done: set[int] = set()
    full: dict[int, int] = {}
    found = []
    for at, slot in sorted(cells, key=lambda one: (-pairs[one[0]][2], one)):
        a, b, _ = pairs[at]
        if at in done or (a, slot) in taken or (b, slot) in taken or full.get(slot, 0) >= rooms:
            continue
        done.add(at)
        taken |= {(a, slot), (b, slot)}
        full[slot] = full.get(slot, 0) + 1
        found.append((at, slot))
    return sorted(found)


def _early(
    pairs: Sequence[tuple[str, str, float]],
    chosen: Sequence[tuple[int, int]],
    cells: set[tuple[int, int]],
    rooms: int,
) -> list[tuple[int, int]]:
    """The same meetings, each moved to the first slot that is free for both and has a room."""
    taken = {(pairs[at][side], slot) for at, slot in chosen for side in (0, 1)}
    full: dict[int, int] = {}
    for _, slot in chosen:
        full[slot] = full.get(slot, 0) + 1
    found = []
    for at, slot in sorted(chosen, key=lambda one: (one[1], one[0])):
        a, b = pairs[at][:2]
        for earlier in range(slot):
            if (
                (at, earlier) in cells
                and not {(a, earlier), (b, earlier)} & taken
                and full.get(earlier, 0) < rooms
            ):
                taken = (taken - {(a, slot), (b, slot)}) | {(a, earlier), (b, earlier)}
                full[slot], full[earlier] = full[slot] - 1, full.get(earlier, 0) + 1
                slot = earlier
                break
        found.append((at, slot))
    return sorted(found)


def _placed(
    pairs: Sequence[tuple[str, str, float]], chosen: Sequence[tuple[int, int]], slots: Sequence[Slot]
) -> Iterator[Meeting]:
    room: dict[int, int] = {}
    for at, slot in sorted(chosen, key=lambda one: (one[1], one[0])):
        room[slot] = room.get(slot, 0) + 1
        yield Meeting(pairs[at][0], pairs[at][1], *slots[slot], room[slot])


_WHY: dict[Code, Name] = {
    "not-mutual": Name("상대가 원하지 않았습니다", "the other one does not wish it"),
    "section": Name(
        "비어 있는 시간이 없습니다: 둘의 분과가 모든 시간에 열립니다",
        "no slot is free for both: their sections sit in all of them",
    ),
    "no-slot": Name(
        "둘 중 하나의 시간이 다른 만남으로 찼습니다", "one of them has a meeting in every slot that both have"
    ),
    "no-room": Name("방이 모자랍니다", "there are not enough rooms"),
    "less-dear": Name("더 바란 만남이 먼저입니다", "meetings that are wished more go first"),
}


def _unmatched(
    event: Event, pairs: Sequence[tuple[str, str, float]], free: dict[str, list[bool]],
    met: set[tuple[str, str]], chosen: Sequence[tuple[int, int]], slots: int, rooms: int,
) -> Iterator[Unmatched]:  # fmt: skip
    busy: set[tuple[str, int]] = set()
    full: dict[int, int] = {}
    for at, slot in chosen:
        busy |= {(pairs[at][0], slot), (pairs[at][1], slot)}
        full[slot] = full.get(slot, 0) + 1
    mutual = {(a, b) for a, b, _ in pairs}
    for one in event.delegations:
        for wish in one.wishes:
            pair = (min(one.id, wish), max(one.id, wish))
            if pair in met or (pair in mutual and one.id != pair[0]):
                continue
            code = "not-mutual" if pair not in mutual else _reason(pair, free, busy, full, slots, rooms)
            yield Unmatched(one.id, wish, code, _WHY[code])


def _reason(
    pair: tuple[str, str], free: dict[str, list[bool]], busy: set[tuple[str, int]], full: dict[int, int], slots: int, rooms: int
) -> Code:  # fmt: skip
    both = [slot for slot in range(slots) if free[pair[0]][slot] and free[pair[1]][slot]]
    if not both:
        return "section"
    left = [slot for slot in both if (pair[0], slot) not in busy and (pair[1], slot) not in busy]
    if not left:
        return "no-slot"
    return "no-room" if all(full.get(slot, 0) >= rooms for slot in left) else "less-dear"
