"""What the release gate says in JSON: findings, remedies, decisions, and the rules that it goes by."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Path, Request
from pydantic import Field, JsonValue

from twintown.api.exchange_models import AuthorModel, TermsModel, Who, peer_named
from twintown.api.guard import Asked, TwinId, enter
from twintown.api.schemas import Model, Names
from twintown.exchange.release import ANYONE, PEERS, Release, Remedy
from twintown.ground.errors import Denied, Unauthenticated

Severity = Literal["forbids", "decides", "notes"]
Verdict = Literal["allowed", "needs-decision", "refused"]
State = Literal["allowed", "waiting", "refused", "granted", "denied"]
Kind = Literal["mask", "coarsen", "aggregate", "withhold"]
ReleaseId = Annotated[
    str, Path(max_length=48, pattern="^rel-[0-9a-z]{1,40}$", description="its id", examples=["rel-01k0"])
]


class FindingModel(Model):
    """What stands against letting an asset go, or is to be known when it goes."""

    rule: str = Field(description="id of the rule")
    severity: Severity = Field(
        description="forbids: it cannot go so; decides: a person weighs it; notes: to be known"
    )
    message: Names
    citation: str = Field(description="law, licence or guideline, with its article")
    numbers: dict[str, JsonValue] = Field(description="what was measured, and what the rule allows")
    places: list[dict[str, JsonValue]] = Field(description="where: id, lon, lat, site; at most 50")
    remedies: list[str] = Field(description="what would clear it; `terms`: other terms")
    layers: list[str] = Field(description="other layers that it is about")
    confirmed: str = Field(description="who has confirmed the rule, or that nobody has yet")


class RemedyModel(Model):
    """A change that clears findings, as the gate has seen by looking at what it makes."""

    kind: Kind
    parameters: dict[str, JsonValue]
    title: Names
    clears: list[str] = Field(description="rules whose findings are gone after it")
    leaves: Verdict = Field(description="the gate's verdict on what it makes")
    numbers: dict[str, JsonValue] = Field(description="before and after")

    @classmethod
    def of(cls, one: Remedy) -> RemedyModel:
        """As it is sent."""
        return cls.model_validate(one.to_dict())


class DecisionModel(Model):
    """What a person decided."""

    by: AuthorModel
    at: datetime
    allow: bool
    why: str
    grade: str = Field(default="", description="the grade of what goes; empty where nothing goes")


class ReleaseModel(Model):
    """A question to the release gate and its answer."""

    id: str
    asset: str
    version: str = Field(description="version of the layer that was looked at; empty for what has none")
    audience: str = Field(description="`anyone`, `peers` (every peer), or the DID of one")
    terms: TermsModel
    verdict: Verdict = Field(description="what holds now")
    state: State = Field(
        description="allowed and refused by the gate; waiting; granted and denied by a person"
    )
    findings: list[FindingModel]
    remedies: list[RemedyModel]
    decision: DecisionModel | None
    result: str = Field(description="the layer that goes in place of the asset, where there is one")
    author: AuthorModel
    created: datetime
    updated: datetime

    @classmethod
    def of(cls, one: Release) -> ReleaseModel:
        """As it is sent."""
        said = one.to_dict() | {"terms": TermsModel.of(one.terms)}
        return cls.model_validate(said)


class ReleaseList(Model):
    """Questions to the gate, last asked first."""

    releases: list[ReleaseModel]


class Question(Model):
    """May this asset go?"""

    asset: str = Field(
        max_length=300, description="`layer:buildings`, `process:sunlight`, `scenario:<id>`, `playbook:<id>`"
    )
    audience: str = Field(
        default=PEERS, max_length=512, description="`anyone`, `peers`, or a peer's id or DID"
    )
    terms: TermsModel | None = Field(
        default=None, description="under which; without them nothing is asked of who receives it"
    )
    author: Who


class Wish(Model):
    """A remedy to apply."""

    remedy: Kind
    parameters: dict[str, JsonValue] = Field(
        default={}, description="what the remedy takes; see the remedies of the release"
    )
    author: Who


class Word(Model):
    """A person's decision."""

    allow: bool = Field(strict=True)
    why: str = Field(
        min_length=1,
        max_length=2000,
        description="the reason; it is kept, and its digest goes into the ledger",
    )
    author: Who


class Side(Model):
    """How much there is of an asset, as it is or as a remedy would leave it."""

    count: int = Field(description="rows, or cells")
    known: int | None = Field(description="cells that tell something; null for rows")
    columns: list[str]
    resolution_m: float | None = Field(
        description="side of a cell, or the mesh on which all coordinates lie, metres; null for what has no place"
    )


class Drawing(Model):
    """A drawing of one side: features, or a picture of cells."""

    features: dict[str, JsonValue] | None = Field(
        description="GeoJSON, simplified; of their properties only how many persons a group has"
    )
    total: int = Field(description="features in the box; not all are drawn where there are many")
    picture: str = Field(description="data URL of a PNG, coloured alike before and after; empty for features")
    box: list[float] | None = Field(description="of the picture: west, south, east, north in degrees")


class Sketch(Model):
    """Where a remedy changes an asset, before and after."""

    box: list[float] = Field(description="what is drawn: west, south, east, north in degrees")
    whole: bool = Field(description="whether that is all of the asset")
    before: Drawing
    after: Drawing


class Named(Model):
    """What parameters of a remedy can name, by its titles."""

    sites: dict[str, Names]
    columns: dict[str, Names]


class Preview(Model):
    """What a remedy would make; nothing of it is kept."""

    remedy: RemedyModel
    verdict: Verdict
    findings: list[FindingModel] = Field(description="of the same gate, looking at what it would make")
    features: int = Field(description="rows, or cells, that would go")
    columns: list[str]
    before: Side
    after: Side
    names: Named
    sketch: Sketch | None = Field(description="null where it was not asked for, or nothing changes its place")


class RuleModel(Model):
    """One rule that the gate goes by."""

    id: str
    title: Names
    value: float | None
    unit: str
    source: str
    article: str
    url: str
    seen: str = Field(description="day on which the source was looked up")
    status: str = Field(description="who has confirmed it, or that nobody has yet")
    verified: bool = Field(description="false where the source does not say it in so many words")
    severity: dict[str, str] = Field(description="by reach: anyone, peers (same country), abroad")


class RuleList(Model):
    """The rules of a twin's gate."""

    pack: str
    country: str
    rules: list[RuleModel]
    sites: int = Field(description="restricted sites that the twin has described")


def officer(request: Request, twin: TwinId) -> Asked:
    """The dependency of routes for partnership officers and security officers alike."""
    try:
        return enter(request, twin, "release")
    except (Denied, Unauthenticated):
        return enter(request, twin, "share")


Officer = Annotated[Asked, Depends(officer)]


def audience_of(asked: Asked, said: str) -> str:
    """The audience that a caller names: a peer by its id or DID. Raises BadParameter: there is none."""
    return said if said in (ANYONE, PEERS) else peer_named(asked, said).did if said else PEERS
