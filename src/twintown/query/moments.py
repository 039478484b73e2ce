"""Dates and timestamps as CQL2 writes them (RFC 3339)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from twintown.ground.errors import BadParameter

from .operators import said
from .tokens import bad

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def instant(text: Any, allowed: Sequence[str]) -> str:
    """The text itself when it names an instant; a timestamp in UTC, without zeros at the end of its fraction."""
    if isinstance(text, str):
        try:
            if "date" in allowed and _DATE.fullmatch(text):
                date.fromisoformat(text)
                return text
            if "timestamp" in allowed and _TIME.fullmatch(text):
                at = datetime.fromisoformat(text).astimezone(UTC)
                if text.endswith("Z") and not re.search(r"\.\d*0Z$", text):
                    return text
                fraction = f".{at.microsecond:06d}".rstrip("0").rstrip(".")
                return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        except (ValueError, OverflowError):
            pass
    wanted = {"date": "2015-01-01", "timestamp": "2015-01-01T07:30:00Z"}
    raise bad(f"{said(text)} is no {' or '.join(allowed)}",
              remedy=f"write {' or '.join(wanted[name] for name in allowed)}")  # fmt: skip


def moment(text: str) -> datetime:
    """The instant of a date or a timestamp; a date is the midnight (UTC) with which it begins. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def is_instant(value: Any) -> bool:
    """Whether a literal text names a date or a timestamp."""
    try:
        instant(value, ("date", "timestamp"))
    except BadParameter:
        return False
    return True
