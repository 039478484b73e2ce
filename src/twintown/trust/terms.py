"""What an agreement between two cities lets one of them do: the meaning of its ODRL, in the words that `policy.decide` works with.

`exchange/agreement` reads and writes the ODRL; here is only what follows from it, so that every room may ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeGuard

from twintown.ground.bounds import Bounds
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

    def of(self, kind: AssetKind) -> tuple[str, ...]:
        """The ids of the assets of one kind."""
        return tuple(one.id for one in self.assets if one.kind == kind)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that may be read: those that are assets, and what shows the scenarios that are."""
        return (*self.of("layer"), *map(scenario_layer, self.of("scenario")))


def scenario_layer(scenario: str) -> str:
    """The layer as which a scenario is shown to partners. (The end of an id is random; its beginning is a time.)"""
    return f"plan-{scenario[-8:].lower()}"


@dataclass(frozen=True, slots=True)
class Standing:
    """An agreement as it stands when a request of the assignee comes.

    Attributes:
        id: of the agreement.
        assignee: DID of the city that may.
        terms: what it may.
        state: only while it is active.
        grade: the highest grade of what was released to it.
        plane: a box within the area of the terms, in the twin's plane frame (metres), written by who knows the frame
            (`standing.plane_of`); without it nothing of an agreement with an area leaves.
    """

    id: str
    assignee: str
    terms: Terms
    state: State
    grade: Grade = Grade.O
    plane: Bounds | None = None


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """As a row of `agreements` or `offers` keeps it: what limits nothing is left out. Times are RFC 3339."""
    said: dict[str, Any] = {"assets": [str(one) for one in terms.assets]}
    if terms.purposes:
        said["purposes"] = list(terms.purposes)
    if terms.area is not None:
        said["area"] = list(terms.area)
    for name in ("since", "until", "delete_by"):
        if (moment := getattr(terms, name)) is not None:
            said[name] = moment.isoformat()
    if terms.finest_m:
        said["finest_m"] = terms.finest_m
    if terms.no_resharing:
        said["no_resharing"] = True
    if terms.attribution:
        said["attribution"] = terms.attribution
    return said


_NAMES = {
    "assets",
    "purposes",
    "area",
    "since",
    "until",
    "delete_by",
    "finest_m",
    "no_resharing",
    "attribution",
}


def terms_from_json(said: object, where: str = "terms") -> Terms:
    """The inverse of `terms_to_json`.

    Raises:
        BadInput: naming the member; a limit that is not understood never passes as none.
    """
    if (
        not isinstance(said, Mapping)
        or not isinstance(said.get("assets"), Sequence)
        or isinstance(said["assets"], str)
    ):
        raise BadInput(
            "no terms: an object with assets is needed", where, 'write {"assets": ["layer:buildings"]}'
        )
    if unknown := sorted(str(name) for name in set(said) - _NAMES):
        raise BadInput(f"unknown member {unknown[0][:60]!r}", where, f"known are {', '.join(sorted(_NAMES))}")
    assets = tuple(Asset.of(str(one), f"{where}.assets") for one in said["assets"])
    purposes = said.get("purposes", [])
    if (
        not isinstance(purposes, Sequence)
        or isinstance(purposes, str)
        or not all(isinstance(one, str) and one for one in purposes)
    ):
        raise BadInput("is no list of codes", f"{where}.purposes", "write a list of codes of purposes")
    finest, sharing, attribution = (
        said.get("finest_m", 0.0),
        said.get("no_resharing", False),
        said.get("attribution", ""),
    )
    if not _number(finest) or not 0 <= finest < 1e7:
        raise BadInput("is no length in metres", f"{where}.finest_m", "write 0 or more")
    if not isinstance(sharing, bool):
        raise BadInput("is neither true nor false", f"{where}.no_resharing", "write true or false")
    if not isinstance(attribution, str):
        raise BadInput("is no text", f"{where}.attribution", "write what is to stand beside it")
    return Terms(
        assets, tuple(purposes), _box(said.get("area"), f"{where}.area"), _moment(said, "since", where), _moment(said, "until", where),
        float(finest), sharing, _moment(said, "delete_by", where), attribution,
    )  # fmt: skip


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _box(value: object, where: str) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    if isinstance(value, Sequence) and len(value) == 4 and all(_number(one) for one in value):
        west, south, east, north = (float(one) for one in value)
        if -180 <= west < east <= 180 and -90 <= south < north <= 90:
            return west, south, east, north
    raise BadInput("is no box", where, "write [west, south, east, north] in degrees")


def _moment(said: Mapping[str, Any], name: str, where: str) -> datetime | None:
    value = said.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInput("is no moment with its zone", f"{where}.{name}", "write 2027-01-01T00:00:00+09:00")
    return moment
