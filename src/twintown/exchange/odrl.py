"""The words of the closed profile: how its moments, boxes, lengths, codes and texts are written, and what a refusal says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twintown.ground.errors import BadData, BadInput
from twintown.trust.terms import Asset

PROFILE = "urn:twintown:odrl:1"
WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
#: No agreement of people is longer; a longer one is a mistake or an attack.
MOST_ASSETS, MOST_PURPOSES, LONGEST, LONGEST_TEXT = 200, 40, 512, 600
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})"
)  # xsd:dateTimeStamp
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,20})?([eE][+-]?\d{1,2})?")
_BOX = re.compile(r"POLYGON\s*\(\(([^()]{1,400})\)\)")
_ODRL = ("odrl:", "http://www.w3.org/ns/odrl/2/")


def wrong(where: str, what: str) -> BadData:
    """The refusal of a term: what, where; to be raised."""
    return BadData(what, where, f"keep to the profile {PROFILE}")


def seen(value: Any) -> str:
    """A value as a message may show it."""
    return repr(value)[:80]


def moment_text(at: datetime, where: str = "time") -> str:
    """A moment in UTC (`2027-01-01T00:00:00Z`). Raises BadData: it has no zone."""
    if at.utcoffset() is None:
        raise wrong(where, "a moment has a zone")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(value: Any, where: str = "time") -> datetime:
    """The moment that a text names (RFC 3339, with its zone). Raises BadData."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise wrong(where, f"{seen(value)} is no moment; write 2027-01-01T00:00:00Z")


def known(found: Mapping[str, Any], names: set[str], where: str) -> None:
    """Refuse a member that is not among the names. Raises BadData."""
    for name in found:
        if name not in names:
            raise wrong(f"{where}.{str(name)[:60]}", "the profile does not know this member")


def listed(value: Any, where: str, least: int, most: int) -> list[Any]:
    """A list of so many members. Raises BadData."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        count = f"{least}" if least == most else f"{least} to {most}"
        raise wrong(where, f"the profile asks for a list of {count} here")
    return value


def once(values: list[str], where: str) -> list[str]:
    """The same values, each there once. Raises BadData."""
    if len(set(values)) != len(values):
        raise wrong(where, "names one thing twice")
    return values


def text(value: Any, where: str, longest: int) -> str:
    """A text that prints, not empty. Raises BadData."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise wrong(where, f"write a text of 1 to {longest} characters")
    if any(sign < " " or sign == "\x7f" or "\ud800" <= sign <= "\udfff" for sign in value):
        raise wrong(where, "holds characters that do not print")
    return value


def asset(text: str, where: str) -> Asset:
    """The asset that a text names. Raises BadData."""
    try:
        return Asset.of(text, where)
    except BadInput as error:
        raise BadData(error.what, where, error.remedy) from error


def purpose(value: Any, where: str) -> str:
    """The code of a purpose. Raises BadData."""
    if not isinstance(value, str) or not _PURPOSE.fullmatch(value):
        raise wrong(where, f"{seen(value)} is no code of a purpose (small letters, digits, -)")
    return value


def metres(value: Any, where: str) -> float:
    """A length in metres, above 0, written as a text as the protocol's schema has it. Raises BadData."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        metres = float(value)
        if 0 < metres <= 1e6:
            return metres
    raise wrong(where, f"{seen(value)} is no length in metres, as a text, above 0")


def box_value(area: tuple[float, float, float, float]) -> dict[str, str]:
    """A box of degrees as a literal of GeoSPARQL, whose frame is CRS84 unless it names one. Raises BadData."""
    west, south, east, north = (float(x) for x in area)
    _check_box(west, south, east, north, "area")
    ring = ", ".join(
        f"{x!r} {y!r}" for x, y in ((west, south), (east, south), (east, north), (west, north), (west, south))
    )
    return {"@type": WKT, "@value": f"POLYGON (({ring}))"}


def box(value: Any, where: str) -> tuple[float, float, float, float]:
    """West, south, east, north of such a literal. Raises BadData: another geometry, other corners, another order."""
    if not isinstance(value, Mapping) or set(value) != {"@type", "@value"} or value["@type"] != WKT:
        raise wrong(where, f"write a box as {{@type: {WKT}, @value: POLYGON ((…))}}, degrees, CRS84")
    fits = _BOX.fullmatch(value["@value"]) if isinstance(value["@value"], str) else None
    pairs = [pair.split() for pair in fits[1].split(",")] if fits else []
    if len(pairs) != 5 or any(
        len(pair) != 2 or not all(_NUMBER.fullmatch(x) for x in pair) for pair in pairs
    ):
        raise wrong(where, "the profile takes boxes only: a ring of five points")
    (west, south), (east, _), (_, north), *_ = points = [(float(x), float(y)) for x, y in pairs]
    if points != [(west, south), (east, south), (east, north), (west, north), (west, south)]:
        raise wrong(where, "write the box from its south-west corner, against the clock, and close it")
    _check_box(west, south, east, north, where)
    return west, south, east, north


def _check_box(west: float, south: float, east: float, north: float, where: str) -> None:
    good = all(map(math.isfinite, (west, south, east, north)))
    if not (good and -180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise wrong(where, "a box is west, south, east, north in degrees, west of east and south of north")


def constraint(operand: str, operator: str, value: Any) -> dict[str, Any]:
    """An atomic constraint."""
    return {"leftOperand": operand, "operator": operator, "rightOperand": value}


def plain(name: Any) -> Any:
    """A name of ODRL without its prefix, as the context of the protocol allows to write it."""
    for prefix in _ODRL:
        if isinstance(name, str) and name.startswith(prefix):
            return name.removeprefix(prefix)
    return name
