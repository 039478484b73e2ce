"""What a scenario comes to: findings with numbers, the comparison with another one, and its approval."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field, JsonValue
from starlette.responses import Response

from twintown.api import answers, jobs, problems
from twintown.api.guard import Approving, Asked, Reading
from twintown.api.scenario_models import ScenarioId, Who, base_layers, plans
from twintown.api.schemas import Model, Names
from twintown.city import edits as city
from twintown.ground.features import Features
from twintown.scenario import approval
from twintown.scenario.plans import Resolved

router = APIRouter(tags=["scenarios"])
_READ = problems.responses(400, 401, 403, 404, 410)


class PlanFinding(Model):
    """What is doubtful about an object of a plan, or what it comes to under a rule; numbers, never a verdict of law."""

    object: str = Field(description="id of the building, of the parcel, or empty for a whole zone")
    code: str = Field(
        description="object-gone, no-height, overlap, zone-height, zone-floor-area, zone-coverage, no-parcels"
    )
    severity: str = Field(description="info, warning or error")
    message: Names
    value: float | None = Field(description="what was found, in `unit`")
    before: float | None = Field(description="the same without the plan")
    allowed: float | None = Field(description="what the rule allows")
    excess: float | None = Field(description="by how much it is passed; 0 where it is not")
    unit: str = Field(description="UCUM")
    zone: str = Field(description="id of the zone whose rule it is")
    other: str = Field(description="id of another object that it is about")


class PlanZone(Model):
    """A zone and its limits."""

    id: str
    title: Names
    height_m: float | None
    floor_area_percent: float | None
    coverage_percent: float | None
    note: Names | None
    example: bool = Field(description="made up to show how zoning is told; not the city's plan")
    outline: dict[str, JsonValue] = Field(description="GeoJSON, CRS84")


class PlanFindings(Model):
    """All findings of a plan."""

    revision: int
    findings: list[PlanFinding]
    zones: list[PlanZone]
    parcels: bool = Field(description="whether the twin knows parcels")
    method: Names


class Measures(Model):
    """A building in numbers."""

    height_m: float | None
    area_m2: float
    floor_area_m2: float
    levels: float | None
    name: str
    lon: float
    lat: float


class ComparedObject(Model):
    """One building in two plans."""

    object: str
    change: str = Field(description="same, added, removed or changed")
    before: Measures | None
    after: Measures | None
    difference: dict[str, float] = Field(description="after less before")


class ComparedResult(Model):
    """The answers of one process to two plans."""

    process: str
    version: str
    inputs: dict[str, JsonValue]
    before: dict[str, JsonValue] = Field(
        description="`job`, and whether it was asked of the plan as it is now (`present`)"
    )
    after: dict[str, JsonValue]
    outputs: list[dict[str, JsonValue]] = Field(
        description="by output: grids with area by class of difference, mean, least and most; tables with counts and the most changed rows"
    )
    missing: str | None = Field(default=None, description="why the answers cannot be compared")


class Comparison(Model):
    """Two plans beside each other; differences are after less before."""

    before: dict[str, JsonValue] = Field(description="id, name and revision; an empty id is the base")
    after: dict[str, JsonValue]
    same_base: bool
    objects: list[ComparedObject]
    counts: dict[str, int]
    total: dict[str, dict[str, float]]
    units: dict[str, str]
    results: list[ComparedResult]


class Approval(Model):
    """Why a scenario shall become part of the city."""

    why: str = Field(min_length=1, max_length=5000)
    revision: int | None = Field(
        default=None, ge=0, strict=True, description="the one that was looked at; the last by default"
    )
    author: Who


@router.get(
    "/twins/{twin}/scenarios/{scenario}/findings", operation_id="getScenarioFindings", response_model=PlanFindings,
    responses=_READ,
)  # fmt: skip
def get_findings(request: Request, asked: Reading, scenario: ScenarioId) -> Response:
    """What is doubtful about it, and what it comes to in the zones that it touches: allowed, found, by how much."""
    from twintown.city import zoning
    from twintown.scenario.built import geojson, lonlat
    from twintown.scenario.findings import findings_of

    plan = plans(asked).resolve(scenario)
    frame = asked.served.twin.description.frame
    found = findings_of(asked.served.twin, asked.grant, plan)
    body = PlanFindings(
        revision=int(plan.scenario["revision"]), findings=[PlanFinding(**one.to_dict()) for one in found.findings],
        zones=[
            PlanZone(
                id=one.id, title=Names.of(one.title), height_m=one.height_m, floor_area_percent=one.floor_area_percent,
                coverage_percent=one.coverage_percent, note=Names.of(one.note) if one.note else None, example=one.example,
                outline=geojson(lonlat(frame, one.polygon)),
            )
            for one in found.zones
        ],
        parcels=found.parcels, method=Names.of(zoning.METHOD),
    )  # fmt: skip
    return answers.answer_json(request, body, cache="no-store")


@router.get(
    "/twins/{twin}/scenarios/{scenario}/comparison", operation_id="compareScenarios", response_model=Comparison,
    responses=_READ,
)  # fmt: skip
def compare(
    request: Request,
    asked: Reading,
    scenario: ScenarioId,
    other: Annotated[
        str, Query(alias="with", max_length=60, description="id (or id@revision) of another one, or `base`")
    ] = "base",
) -> Response:
    """This scenario (after) held against another one or its base (before): building by building, and result by result."""
    from twintown.scenario import comparison, paired

    after = plans(asked).resolve(scenario)
    nothing = Resolved({"id": "", "name": "", "revision": 0}, (), after.base, "")
    before = nothing if other == "base" else plans(asked).resolve(other)
    sides = [
        comparison.Side(*city.apply(*_layers(asked, plan), plan.edits)[:2], plan.edits)
        for plan in (before, after)
    ]
    twin, grant = asked.served.twin, asked.grant
    met = paired.pairs(twin, before, after, lambda job: jobs.sees(grant.subject, job))
    said = comparison.objects(*sides)
    body = Comparison.model_validate({
        "before": before.scenario, "after": after.scenario, "same_base": before.base == after.base, **said,
        "results": [paired.compared(twin, grant, pair, (before, after)) for pair in met],
    })  # fmt: skip
    return answers.answer_json(request, body, cache="no-store")


@router.post(
    "/twins/{twin}/scenarios/{scenario}/approval", operation_id="approveScenario", status_code=201,
    response_model=jobs.StatusInfo,
    responses={
        **problems.responses(400, 401, 403, 404, 409, 410, 429, 503, 507),
        201: {"headers": {"Location": {"schema": {"type": "string"}, "description": "address of the job"}}},
    },
)  # fmt: skip
def approve(request: Request, asked: Approving, scenario: ScenarioId, body: Approval) -> Response:
    """Make it part of the city: a job that writes down who, when and why, checks the base again, and builds the next version."""
    job = approval.ask(asked.served.twin, asked.grant, scenario, body.why, body.revision, body.author)
    here = jobs.address(request, asked, job.id)
    sent = answers.dumps(jobs.body_of(jobs.told(job, here)))
    return Response(sent, 201, {"Location": here, "Cache-Control": "no-store"}, "application/json")


def _layers(asked: Asked, plan: Resolved) -> tuple[Features, Features]:
    return base_layers(asked, plan.base)
