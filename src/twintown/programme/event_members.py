"""Members of a JSON object, read strictly: each of its kind and size, and named by its path where it is not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name

T = TypeVar("T")
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)")
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?")
_LANGUAGE = re.compile("[a-z]{2}")
_LANGUAGES = 6
#: The years in which anything can take place here.
YEARS = (1950, 2199)


class Members:
    """The members of one object.

    Args:
        said: what was sent.
        path: where it stands, as `event.stands[0]`.
        names: exactly the members that it has.

    Raises:
        BadParameter: it is no object, a member is missing or one too many.
    """

    def __init__(self, said: Any, path: str, names: Sequence[str]) -> None:
        if not isinstance(said, Mapping):
            raise BadParameter(path, "is no object", remedy=f"send its members: {', '.join(names)}")
        if missing := [name for name in names if name not in said]:
            raise BadParameter(f"{path}.{missing[0]}", "is missing", remedy="send every member")
        if strange := sorted(str(name) for name in said if name not in names):
            raise BadParameter(
                f"{path}.{strange[0][:60]}", "is not known", remedy=f"known are {', '.join(names)}"
            )
        self.said = said
        self.path = path

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}"

    def bad(self, name: str, what: str, remedy: str = "") -> BadParameter:
        """What is wrong with a member."""
        return BadParameter(self.at(name), what, remedy=remedy)

    def text(self, name: str, most: int, *, filled: bool = False) -> str:
        """A text of at most `most` characters, of one line or several, without other control characters."""
        return text(self.said[name], self.at(name), most, filled=filled)

    def code(self, name: str, *, empty: bool = False) -> str:
        """A short name of small letters, digits and hyphens."""
        value = self.said[name]
        if empty and value == "":
            return ""
        return code(value, self.at(name))

    def one_of(self, name: str, known: Sequence[str]) -> Any:
        """One of some words."""
        value = self.said[name]
        if not isinstance(value, str) or value not in known:
            raise self.bad(name, f"{str(value)[:40]!r} is not known", f"use one of {', '.join(known)}")
        return value

    def words(self, name: str, most: int, *, filled: bool = False) -> Name:
        """A text in `ko` and `en`, perhaps in more languages."""
        value = self.said[name]
        path = self.at(name)
        if not isinstance(value, Mapping) or not {"ko", "en"} <= set(value) or len(value) > _LANGUAGES:
            raise BadParameter(path, "is no text in ko and en", remedy='write {"ko": "…", "en": "…"}')
        for language, one in value.items():
            if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
                raise BadParameter(
                    path, f"{str(language)[:20]!r} is no language", remedy="write two small letters"
                )
            text(one, f"{path}.{language}", most, filled=filled)
        more = tuple(sorted((key, one) for key, one in value.items() if key not in ("ko", "en")))
        return Name(value["ko"], value["en"], more)

    def number(self, name: str, least: float, most: float, unit: str = "") -> float:
        """A finite number between two others."""
        value = self.said[name]
        fits = (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and least <= value <= most
        )
        if not fits:
            raise self.bad(
                name, f"{str(value)[:40]} is no number from {least:g} to {most:g}{unit and f' {unit}'}"
            )
        return float(value)

    def count(self, name: str, most: int, least: int = 0) -> int:
        """A whole number."""
        value = self.said[name]
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.bad(name, f"{str(value)[:40]!r} is no whole number")
        if value < least:
            raise self.bad(name, f"{str(value)[:40]} is less than {least}", f"write {least} or more")
        if value > most:
            raise self.bad(name, f"is more than {most:,}")
        return value

    def yes(self, name: str) -> bool:
        """True or false."""
        value = self.said[name]
        if not isinstance(value, bool):
            raise self.bad(name, "is neither true nor false")
        return value

    def maybe(self, name: str) -> bool | None:
        """True, false, or null where nobody knows."""
        return None if self.said[name] is None else self.yes(name)

    def moment(self, name: str) -> datetime:
        """A moment with its offset (RFC 3339), to the second."""
        return moment(self.said[name], self.at(name))

    def each(self, name: str, most: int, read: Callable[[Any, str], T]) -> tuple[T, ...]:
        """Every one of a list, read by `read(value, path)`."""
        value = self.said[name]
        if not isinstance(value, list):
            raise self.bad(name, "is no list")
        if len(value) > most:
            raise self.bad(name, f"has {len(value)} entries, at most {most} are taken")
        return tuple(read(one, f"{self.at(name)}[{at}]") for at, one in enumerate(value))


def text(value: Any, path: str, most: int, *, filled: bool = False) -> str:
    """A text; see `Members.text`. Raises BadParameter."""
    if not isinstance(value, str):
        raise BadParameter(path, "is no text")
    if len(value) > most:
        raise BadParameter(path, f"has {len(value)} characters, at most {most} are taken")
    if any(
        (ord(one) < 32 and one not in "\n\t") or 0xD800 <= ord(one) <= 0xDFFF or ord(one) == 127
        for one in value
    ):
        raise BadParameter(path, "has characters that are none (control characters or halves)")
    if filled and not value.strip():
        raise BadParameter(path, "is empty", remedy="say it")
    return value


def code(value: Any, path: str) -> str:
    """A short name; see `Members.code`. Raises BadParameter."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise BadParameter(
            path,
            f"{str(value)[:60]!r} is no short name",
            remedy="use a-z, 0-9 and hyphens, at most 40 of them",
        )
    return value


def moment(value: Any, path: str) -> datetime:
    """A moment with its offset, to the second; see `Members.moment`. Raises BadParameter."""
    if isinstance(value, str) and _ZONELESS.fullmatch(value):
        raise BadParameter(
            path, "does not say in which zone", remedy="add the offset, as 2027-09-18T11:00:00+09:00"
        )
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            found = datetime.fromisoformat(value)
            if YEARS[0] <= found.year <= YEARS[1]:
                return found
            raise BadParameter(path, f"lies outside of the years {YEARS[0]} to {YEARS[1]}")
    except ValueError:
        pass
    raise BadParameter(
        path,
        f"{str(value)[:40]!r} is no moment with its zone",
        remedy="write it as 2027-09-18T11:00:00+09:00",
    )
