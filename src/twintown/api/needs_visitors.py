"""Where the desk asks how many visitors come hour by hour, and on what that stands."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from twintown.api.event_visitors import forecast_of
from twintown.api.guard import Asked
from twintown.programme.event import Event
from twintown.programme.need_stands import Hour
from twintown.programme.produce_finding import Basis


@dataclass(frozen=True)
class Expected:
    """The visitors of an event.

    Args:
        hours: who come in each, every visitor counted once.
        spread: half of the width within which the total is with 80 %, a part of it.
        basis: what the numbers stand on.
    """

    hours: tuple[Hour, ...]
    spread: float
    basis: tuple[Basis, ...]


def expected(request: Request, asked: Asked, event: Event) -> Expected:
    """The visitors of an event as its own page shows them. Raises BadParameter: it is too long."""
    found, basis = forecast_of(request, asked, event)
    hours = tuple(Hour(one.start, one.come.expected, one.come.low, one.come.high) for one in found.hours)
    total = found.total
    spread = (total.high - total.low) / 2 / total.expected if total.expected > 0 else 0.0
    return Expected(hours, spread, tuple(basis))
