"""The rules of the release gate: configuration, read by `rules_pack` from packs of countries and `[release]` of twintown.toml.

Every limit has a value, a unit, a source and the day it was seen, and says that the security officer has still to confirm it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from twintown.ground.errors import BadSettings

from .findings import Finding, Severity

#: Whom an asset goes to, as far as rules tell them apart.
Reach = Literal["anyone", "peers", "abroad"]
REACHES: tuple[Reach, ...] = ("anyone", "peers", "abroad")
PACKS = ("korea", "europe", "general")
_KNOWN = {
    "id",
    "title",
    "value",
    "unit",
    "source",
    "article",
    "url",
    "seen",
    "status",
    "verified",
    "severity",
}
STATUS = "to be confirmed by the security officer"
Place = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """One rule of a pack.

    Attributes:
        value, unit: its limit, where it has one.
        source, article, url, seen: where it is from, and the day that was looked up.
        verified: False where the source does not say it in so many words.
        severity: by reach; `off` does not look.
        options: what its check needs besides (words, columns).
    """

    id: str
    title: Mapping[str, str]
    source: str
    seen: str
    severity: Mapping[str, Severity | Literal["off"]]
    value: float | None = None
    unit: str = ""
    article: str = ""
    url: str = ""
    status: str = STATUS
    verified: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def citation(self) -> str:
        """Source and article in one line."""
        return (
            f"{self.source}; {self.article}"
            if self.article and self.article not in self.source
            else self.source
        )

    @property
    def confirmed(self) -> str:
        """What is to be known of how sure it is."""
        return self.status if self.verified else f"{self.status}; unverified"

    @property
    def limit(self) -> float:
        """The value of a rule that has one. Raises BadSettings."""
        if self.value is None:
            raise BadSettings("has no value", f"release.rules.{self.id}", "give its limit and its source")
        return self.value

    def words(self, name: str) -> tuple[str, ...]:
        """A list of words among its options, in lower case."""
        return tuple(str(one).casefold() for one in self.options.get(name, ()))

    def finding(
        self, severity: Severity, message: Mapping[str, str], numbers: Mapping[str, Any], *,
        places: Sequence[Place] = (), remedies: tuple[str, ...] = (), layers: tuple[str, ...] = (),
    ) -> Finding:  # fmt: skip
        """A finding by this rule, citing it."""
        said = {"limit": self.value, "unit": self.unit} if self.value is not None else {}
        return Finding(
            self.id, severity, message, self.citation, {**said, **numbers}, tuple(places), remedies, layers, self.confirmed
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """As JSON: what an officer is asked to confirm."""
        return {
            "id": self.id, "title": dict(self.title), "value": self.value, "unit": self.unit, "source": self.source,
            "article": self.article, "url": self.url, "seen": self.seen, "status": self.status, "verified": self.verified,
            "severity": dict(self.severity),
        }  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A restricted place: a ring in degrees, or the features of a layer, and a margin around it (metres)."""

    id: str
    title: Mapping[str, str]
    outline: tuple[tuple[float, float], ...] = ()
    layer: str = ""
    buffer_m: float = 0.0
    source: str = ""


@dataclass(frozen=True)
class About:
    """What the gate must know of a layer to judge it.

    Attributes:
        kind: `persons`, `terrain`, `imagery`, `interior`, `other`; "" where its columns and names say it.
        quasi_identifiers: columns that describe a person to those around; none: the pack's words.
        sensitive: columns whose values are nobody's business.
        counts: columns that count persons.
        groups: columns by which a table of counts is broken down.
        withheld: columns that shall not go out, nor come back by a join.
        resolution_m: of coordinates, where the layer's own are written finer than they are known.
    """

    kind: str = ""
    quasi_identifiers: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    resolution_m: float = 0.0


@dataclass(frozen=True)
class Rules:
    """The rules that a twin's gate goes by."""

    id: str
    country: str
    rules: Mapping[str, Rule]
    sites: tuple[Site, ...] = ()
    layers: Mapping[str, About] = field(default_factory=dict)
    licences: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def at(self, rule: str, reach: Reach) -> tuple[Rule, Severity] | None:
        """A rule and what its findings mean for this reach; none where it is off or not in the pack."""
        found = self.rules.get(rule)
        if found is None:
            return None
        severity = found.severity.get(reach, "off")
        return None if severity == "off" else (found, severity)

    def about(self, layer: str) -> About:
        """What is said of a layer; of what was made from it for a release, what is said of the layer itself."""
        origin = layer.partition("-release-")[0]
        return self.layers.get(layer) or self.layers.get(origin) or About()
