"""Versions as addresses carry them: which can have been made here, so that what is gone and what never was are told apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from twintown.api import patterns
from twintown.ground.errors import BadParameter, NotFound

_TOKEN = re.compile(str(patterns.TOKEN["pattern"]).removesuffix("$"), re.ASCII)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: No twin is older; and clocks of servers differ by less, seconds.
_FIRST, _AHEAD = datetime(2024, 1, 1, tzinfo=UTC).timestamp(), 86_400.0


def made_at(version: str) -> float:
    """When a version was made: the first 10 letters of a ULID are milliseconds, base 32. Seconds since 1970."""
    number = 0
    for letter in version[:10]:
        number = number * 32 + _ALPHABET.index(letter)
    return number / 1000


def possible(token: str | None, name: str = "v") -> str:
    """What an address says of a version; nothing where it says nothing.

    What can have been made here may be gone (410); what cannot was never there.

    Raises:
        BadParameter: it is no version.
        NotFound: no twin had it: it is from the future, or from before there were twins.
    """
    if token is None:
        return ""
    if not _TOKEN.fullmatch(token):
        raise BadParameter(
            name, f"{token[:80]!r} is no version", remedy="take it from a link, or leave it out"
        )
    if not _FIRST <= made_at(token) <= datetime.now(UTC).timestamp() + _AHEAD:
        raise NotFound(f"there never was a version {token}", name, "take it from a link, or leave it out")
    return token
