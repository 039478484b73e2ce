"""What an agreement between two cities lets one of them do: the meaning of its ODRL, in the words that `policy.decide` works with.

`exchange/agreement` reads and writes the ODRL; here is only what follows from it, so that every room may ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from twintown.ground.errors import BadInput
from twintown.trust.grades import Grade

AssetKind = Literal["layer", "process", "scenario", "playbook"]
KINDS: tuple[AssetKind, ...] = ("layer", "process", "scenario", "playbook")
State = Literal["active", "suspended", "ended"]


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that can be shared: `layer:buildings`, `process:sunlight`, `scenario:<id>`, `playbook:<id>`."""

    kind: AssetKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def of(cls, text: str, where: str = "asset") -> Asset:
        """The asset written as `kind:id`. Raises BadInput."""
        kind, _, id = text.partition(":")
        for known in KINDS:
            if kind == known and id:
                return cls(known, id)
        raise BadInput(
            f"{text[:100]!r} is no asset", where, f"write one of {', '.join(KINDS)}, a colon and its id"
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What two cities agree on about some assets.

    Attributes:
        assets: which.
        purposes: codes of what they may be used for; whoever uses them says which one it is.
        area: west, south, east, north in degrees (CRS84): nothing outside leaves; None does not limit it.
        since, until: when it holds; None does not limit it.
        finest_m: the finest resolution that leaves, metres; 0 does not limit it.
        no_resharing: the assignee gives nothing of it to others.
        delete_by: when the assignee has deleted its copies.
        attribution: what stands beside it wherever it shows; "" asks for nothing.
    """

    assets: tuple[Asset, ...]
    purposes: tuple[str, ...] = ()
    area: tuple[float, float, float, float] | None = None
    since: datetime | None = None
    until: datetime | None = None
    finest_m: float = 0.0
    no_resharing: bool = False
    delete_by: datetime | None = None
    attribution: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """An agreement as it stands when a request of the assignee comes.

    Attributes:
        id: of the agreement.
        assignee: DID of the city that may.
        terms: what it may.
        state: only while it is active.
        grade: the highest grade of what was released to it.
    """

    id: str
    assignee: str
    terms: Terms
    state: State
    grade: Grade = Grade.O
