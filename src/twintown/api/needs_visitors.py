"""Where the desk asks how many visitors come hour by hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from twintown.api.guard import Asked
from twintown.programme.need_stands import Hour


def hours_of(asked: Asked, event: Mapping[str, Any]) -> list[Hour]:
    """The visitors of an event, spread evenly over its hours."""
    start, end = datetime.fromisoformat(event["start"]), datetime.fromisoformat(event["end"])
    count = max(round((end - start) / timedelta(hours=1)), 1)
    visitors = event["visitors"]
    expected, error = visitors["expected"] / count, visitors["error"] / count
    return [
        Hour(start + timedelta(hours=at), expected, max(expected - error, 0.0), expected + error)
        for at in range(count)
    ]
