"""Whether an agreement reaches an event on another city's ground: its place, its time, its purpose. Pure; both cities ask it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from twintown.ground.names import Name
from twintown.trust.terms import Terms

from .event import Event
from .produce_finding import Finding

#: The purpose that an agreement about a joint event names.
PURPOSE = "joint-event"
#: What the codes of findings are.
CODES = (
    "no-agreement", "ended", "suspended", "over", "purpose", "outside-area", "outside-time", "not-shared",
)  # fmt: skip
_METRES_A_DEGREE = 111_195.0
#: Layers and processes without which nothing can be scored on the other ground.
_NEEDED = (("process", "stands", "stands"), ("process", "stage", "stage"))


def reach(
    event: Event,
    terms: Terms | None,
    state: Literal["active", "suspended", "ended", ""],
    now: datetime,
    purpose: str = PURPOSE,
) -> tuple[Finding, ...]:
    """What keeps an event from being where and when it is; nothing where the agreement reaches.

    Args:
        event: on another city's ground.
        terms: of the agreement that it names; None where it names none, or none that is known.
        state: of the agreement; "" without one.
        now: the moment of asking.

    Returns:
        findings with a code of `CODES`; `row` is the path of the member that is to blame, as `stands[1]`.
        `bad` ones forbid it, `warn` and `info` do not.
    """
    if terms is None:
        text = Name(
            "다른 도시의 땅입니다. 이 행사가 닿는 협약이 없습니다: 협약을 먼저 맺으세요",
            "This is another city's ground and no agreement reaches it: make an agreement first",
        )
        return (Finding("no-agreement", text, "agreement", "bad"),)
    return tuple(_findings(event, terms, state, now, purpose))


def reaches(found: tuple[Finding, ...]) -> bool:
    """Whether nothing among the findings forbids it."""
    return not any(one.level == "bad" for one in found)


def _findings(event: Event, terms: Terms, state: str, now: datetime, purpose: str) -> Iterator[Finding]:
    if state == "ended":
        yield Finding("ended", Name("협약이 끝났습니다", "The agreement has ended"), "agreement", "bad")
    elif state == "suspended":
        yield Finding(
            "suspended", Name("협약이 중단되어 있습니다", "The agreement is suspended"), "agreement", "bad"
        )
    elif state != "active":
        yield Finding(
            "ended", Name("협약이 효력이 없습니다", "The agreement is not in force"), "agreement", "bad"
        )
    elif terms.until is not None and now >= terms.until:
        yield Finding(
            "over", Name("협약 기간이 지났습니다", "The agreement's time is over"), "agreement", "bad"
        )
    if terms.purposes and purpose not in terms.purposes:
        listed = ", ".join(terms.purposes)
        text = Name(
            f"협약의 목적에 {purpose}이(가) 없습니다 (있는 것: {listed})",
            f"The agreement is not for {purpose} (it is for {listed})",
        )
        yield Finding("purpose", text, "agreement", "bad")
    yield from _outside(event, terms)
    yield from _untimely(event, terms)
    for kind, id, member in _NEEDED:
        wanted = event.stage is not None if member == "stage" else bool(event.stands)
        if wanted and id not in terms.of("process" if kind == "process" else "layer"):
            text = Name(
                f"협약에 절차 {id}이(가) 없어 그 땅에서 채점할 수 없습니다",
                f"The agreement does not share the process {id}: nothing can be scored on that ground",
            )
            yield Finding("not-shared", text, member, "info")


def _outside(event: Event, terms: Terms) -> Iterator[Finding]:
    if terms.area is None:
        return
    west, south, east, north = terms.area
    for member, name, corners in _places(event):
        if all(west <= lon <= east and south <= lat <= north for lon, lat in corners):
            continue
        text = Name(
            f"{name.ko}: 협약 구역 밖입니다. 옮기거나 구역을 넓히는 변경을 제안하세요",
            f"{name.en} lies outside of the agreement's area: move it, or propose a wider area",
        )
        yield Finding("outside-area", text, member, "bad")


def _untimely(event: Event, terms: Terms) -> Iterator[Finding]:
    early = terms.since is not None and event.start < terms.since
    late = terms.until is not None and event.end > terms.until
    if early or late:
        since = terms.since.isoformat(timespec="minutes") if terms.since else "…"
        until = terms.until.isoformat(timespec="minutes") if terms.until else "…"
        text = Name(
            f"행사 시간이 협약 기간({since} ~ {until}) 밖입니다",
            f"The event's time lies outside of the agreement's ({since} to {until})",
        )
        yield Finding("outside-time", text, "start" if early else "end", "bad")


def _places(event: Event) -> Iterator[tuple[str, Name, list[tuple[float, float]]]]:
    """What stands somewhere: its member, its name, its corners (longitude, latitude)."""
    yield "place", event.place.name, [(event.place.lon, event.place.lat)]
    if (stage := event.stage) is not None:
        yield (
            "stage",
            Name("무대", "The stage"),
            _corners(stage.lon, stage.lat, stage.heading_deg, stage.width_m, stage.depth_m),
        )
    for at, one in enumerate(event.stands):
        yield f"stands[{at}]", one.name, _corners(one.lon, one.lat, one.heading_deg, one.width_m, one.depth_m)


def _corners(
    lon: float, lat: float, heading_deg: float, width_m: float, depth_m: float
) -> list[tuple[float, float]]:
    """The corners of a rectangle whose front faces `heading_deg`, in degrees; on a plane, good to a millimetre at these sizes."""
    turn = math.radians(heading_deg)
    ahead, aside = (math.sin(turn), math.cos(turn)), (math.cos(turn), -math.sin(turn))
    east = _METRES_A_DEGREE * max(math.cos(math.radians(lat)), 1e-6)
    found = []
    for forth, side in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        x = forth * depth_m / 2 * ahead[0] + side * width_m / 2 * aside[0]
        y = forth * depth_m / 2 * ahead[1] + side * width_m / 2 * aside[1]
        found.append((lon + x / east, lat + y / _METRES_A_DEGREE))
    return found
