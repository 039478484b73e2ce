"""A finding about one object of a plan: data, not an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What is wrong or doubtful about one object of a plan.

    Attributes:
        object: id of the building.
        code: `object-gone`, `no-height`, or a rule of `zoning`.
        message: for people, by language.
        value, allowed, excess: what was found, what the rule allows, and by how much it is passed; in `unit`. None where there is none.
        before: the same as `value`, without the plan.
        zone: id of the zone whose rule it is. other: id of another object that it is about.
        severity: `info`, `warning` or `error`.
    """

    object: str
    code: str
    message: Mapping[str, str]
    value: float | None = None
    allowed: float | None = None
    excess: float | None = None
    unit: str = ""
    severity: str = "warning"
    zone: str = ""
    before: float | None = None
    other: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.__dict__, "message": dict(self.message)}
