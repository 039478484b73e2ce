"""The three grades of Korea's National Network Security Framework (N2SF), in their order.

Source: National Intelligence Service, *N2SF Security Guideline* 1.0 (2025): work information is graded
Classified (기밀), Sensitive (민감) or Open (공개), and a mixture has the highest grade of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from twintown.ground.errors import BadInput, BadSettings
from twintown.ground.names import Name


class Grade(Enum):
    """How secret a layer is; `Grade.O < Grade.S < Grade.C`."""

    O = "O"  # noqa: E741 - the framework's own letter
    S = "S"
    C = "C"

    @classmethod
    def of(cls, value: object, where: str = "grade") -> Grade:
        """The grade written as `value` ("O", "S" or "C", any case).

        Raises:
            BadSettings: for anything else; an unknown grade must never pass as open.
        """
        if isinstance(value, str) and value.strip().upper() in cls.__members__:
            return cls(value.strip().upper())
        raise BadSettings(f"{value!r} is no grade", where, "write O (open), S (sensitive) or C (classified)")

    @property
    def rank(self) -> int:
        """0 for open, 1 for sensitive, 2 for classified."""
        return "OSC".index(self.value)

    @property
    def title(self) -> Name:
        """The grade's name in Korean and English."""
        return _TITLES[self.value]

    def within(self, limit: Grade) -> bool:
        """True when a caller cleared up to `limit` may see this grade."""
        return self.rank <= limit.rank

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, Grade) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, Grade) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, Grade) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, Grade) else NotImplemented


_TITLES = {
    "O": Name(ko="공개", en="Open"),
    "S": Name(ko="민감", en="Sensitive"),
    "C": Name(ko="기밀", en="Classified"),
}


def mix(grades: Iterable[Grade]) -> Grade:
    """The grade of what is made from parts of these grades: the highest of them.

    Raises:
        BadInput: when there is no part, because nothing says then that the result is open.
    """
    parts = list(grades)
    if not parts:
        raise BadInput("a mixture of nothing has no grade", remedy="name the parts")
    return max(parts, key=lambda grade: grade.rank)
