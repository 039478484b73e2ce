"""The words of CQL2 text (OGC 21-065r2, annex B): tokens with their places, and the error that names a place."""

from __future__ import annotations

import re

from twintown.ground.errors import BadParameter

_START = (
    ":_A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1ffe\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<string>'(?:[^'\\]|''|\\'|\\)*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[{_START}][{_START}.0-9\u0300-\u036f\u203f-\u2040]*)
    |(?P<sign><\s*>|<\s*=|>\s*=|[-=<>+*/%^(),])""",
    re.VERBOSE,
)


def bad(what: str, place: int = -1, remedy: str = "") -> BadParameter:
    """The error of a filter; `place` counts characters from 0."""
    return BadParameter("filter", what, f"filter, character {place + 1}" if place >= 0 else "filter", remedy)


def tokens(text: str) -> list[tuple[str, str, int]]:
    """kind, content and place of every token; an `end` closes the list."""
    out: list[tuple[str, str, int]] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _unreadable(text, place)
        kind = found.lastgroup or ""
        if kind != "space":
            out.append((kind, found[0], place))
        place = found.end()
    return [*out, ("end", "", len(text))]


def _unreadable(text: str, place: int) -> BadParameter:
    sign = text[place]
    if sign in "'\"":
        return bad(f"what begins with {sign} does not end", place, f"close it with {sign}")
    remedy = (
        "write <> for not equal" if text.startswith("!=", place) else "see the grammar of CQL2, OGC 21-065r2"
    )
    return bad(f"{sign!r} has no meaning here", place, remedy)


def squeezed(sign: str) -> str:
    """A sign without the space that may stand in it: `< =` is `<=`."""
    return "".join(sign.split())


def number(text: str, place: int) -> int | float:
    """The number that a token writes; whole ones stay whole. Raises BadParameter."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise bad(f"{text[:40]} is more than a number can be", place)
    if text.isdigit() and value < 2**62:
        return int(text)
    return value
