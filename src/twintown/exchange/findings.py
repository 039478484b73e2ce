"""What the release gate finds: data, not an error; each with its rule, its numbers, its place, its source and what would remedy it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

#: `forbids`: it cannot go out so, whoever decides. `decides`: a person must weigh it. `notes`: is to be known.
Severity = Literal["forbids", "decides", "notes"]
SEVERITIES: tuple[Severity, ...] = ("notes", "decides", "forbids")
Verdict = Literal["allowed", "needs-decision", "refused"]
#: Of a finding's places no more than these are kept; `numbers.places` says how many there are.
MOST_PLACES = 50


@dataclass(frozen=True)
class Finding:
    """One thing about one asset that stands against letting it go, or that is to be known when it goes.

    Attributes:
        rule: its id in the pack, such as `licence-no-further-restrictions` or `terrain-cell`.
        severity: what it means for the verdict.
        message: for people, `ko` and `en`.
        citation: the law, licence or guideline with its article, or the configuration that says so.
        numbers: what was measured and what the rule allows; the unit is in each name (`_m`) or the value is a count.
        places: where: `id` of an object or cell, `lon`, `lat` (degrees) where it has a place, `site` where a site is meant.
        remedies: what would clear it: `mask`, `coarsen`, `aggregate`, `withhold`, or `terms` (change the terms).
        layers: the layers that it is about besides the asset.
        confirmed: what the pack says of the rule: who has confirmed it, or that nobody has yet.
    """

    rule: str
    severity: Severity
    message: Mapping[str, str]
    citation: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[Mapping[str, Any], ...] = ()
    remedies: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    confirmed: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rule": self.rule, "severity": self.severity, "message": dict(self.message), "citation": self.citation,
            "numbers": dict(self.numbers), "places": [dict(one) for one in self.places], "remedies": list(self.remedies),
            "layers": list(self.layers), "confirmed": self.confirmed,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Finding:
        """The inverse of `to_dict`."""
        return cls(
            said["rule"], said["severity"], dict(said["message"]), said["citation"], dict(said["numbers"]),
            tuple(said["places"]), tuple(said["remedies"]), tuple(said["layers"]), said.get("confirmed", ""),
        )  # fmt: skip


def message(ko: str, en: str) -> dict[str, str]:
    """The words of a finding in both languages."""
    return {"ko": ko, "en": en}


def verdict(findings: Iterable[Finding]) -> Verdict:
    """What follows from findings before any person has decided."""
    found = {one.severity for one in findings}
    if "forbids" in found:
        return "refused"
    return "needs-decision" if "decides" in found else "allowed"


def heaviest_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The same findings, what forbids first, then what a person weighs; otherwise in their order."""
    return tuple(sorted(findings, key=lambda one: -SEVERITIES.index(one.severity)))
