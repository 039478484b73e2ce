"""What a place is worth for a stage, while it is dragged: parse, ask the process, send its answer."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field, StrictBool, StrictInt
from starlette.responses import Response

from twintown.api import answers, problems, sunlight
from twintown.api.guard import Asked, Running
from twintown.api.schemas import DAY, Model, Names
from twintown.api.shelf import terms
from twintown.api.stands import check_reach
from twintown.api.stands_models import FindingOut, Heading, Lat, Lon
from twintown.ground.errors import BadParameter, Denied, NotFound
from twintown.ground.features import Features
from twintown.jobs import deputy

if TYPE_CHECKING:
    from twintown.processes.stage_city import City

router = APIRouter(tags=["processes"])
PROCESS = "stage"
#: How many of the loudest facades are told.
LOUDEST = 12


class StagePlaced(Model):
    """A stage as an event holds it; what is left out or null is assumed, and the answer says so."""

    lon: Lon
    lat: Lat
    heading_deg: Heading = 180.0
    width_m: float | None = Field(default=None, ge=0.5, le=200, strict=True, allow_inf_nan=False)
    depth_m: float | None = Field(default=None, ge=0.5, le=200, strict=True, allow_inf_nan=False)
    height_m: float | None = Field(
        default=None,
        ge=0,
        le=50,
        strict=True,
        allow_inf_nan=False,
        description="of its deck above the ground",
    )
    level_db: float | None = Field(
        default=None,
        ge=0,
        le=140,
        strict=True,
        allow_inf_nan=False,
        description="LAeq, dB(A), 10 m before it",
    )
    audience_m: float | None = Field(
        default=None,
        ge=0,
        le=1000,
        strict=True,
        allow_inf_nan=False,
        description="how deep the audience stands",
    )
    source: str = Field(default="", max_length=200)


class StageInputs(Model):
    """What is asked."""

    day: str | None = Field(
        default=None, max_length=40, json_schema_extra=DAY, description="the twin's day by default"
    )
    from_h: StrictInt = Field(default=11, ge=0, le=23, description="hour of the clock")
    to_h: StrictInt = Field(default=19, ge=1, le=24, description="hour of the clock, after `from_h`")
    stage: StagePlaced
    seated: StrictBool = Field(
        default=False, description="whether the audience sits: eyes at 1.2 m instead of 1.6 m"
    )
    zone: Literal["residential", "other"] = Field(default="residential", description="of the noise limit")


class StageQuestion(Model):
    """The body of a question."""

    inputs: StageInputs


class StagePart(Model):
    """One part of the score."""

    code: Literal["sight", "heads", "shade", "sound"]
    title: Names
    value: float | None = Field(description="null: not known")
    unit: str = Field(description="UCUM")
    score: float = Field(description="0 to 1; 0.5 where it is not known")
    weight: float
    known: bool
    source: Literal["computed", "unknown"]


class StageHour(Model):
    """An hour of the audience."""

    hour: int
    audience_sun_share: float | None = Field(
        description="of its time in the sun, 0 to 1; null: there is no audience"
    )


class StageSound(Model):
    """The loudest facade point of a building: an estimate."""

    building: str = Field(description="its id; empty where the agreement does not reach the buildings")
    lon: float
    lat: float
    height_m: float
    distance_m: float
    level_db: float = Field(description="dB(A), arriving; without the facade's own reflection")
    screening_db: float = Field(description="by how much what stands in between weakens it")
    error_db: float


class StageLimit(Model):
    """The limit that the sound is compared with: to be confirmed by the office."""

    value_db: float
    hour: int = Field(description="the first hour in which it holds")
    zone: Names
    title: Names
    article: str
    url: str
    date: str
    confirm: bool


class StageScore(Model):
    """The answer."""

    score: float = Field(description="0 to 100")
    parts: list[StagePart]
    hours: list[StageHour]
    sound: list[StageSound] = Field(description="the loudest buildings, loudest first")
    limit: StageLimit
    findings: list[FindingOut]


def city_of(asked: Asked) -> City:
    """The prepared city, read as a process reads it: made once for its layers' versions, then kept."""
    grant = replace(deputy.inner(asked.grant), agreement="", processes=None, purpose="", playbooks=None)
    whole = replace(asked, grant=grant)
    served = asked.served
    buildings, parts = sunlight.versions(whole)
    landmarks = None
    with suppress(NotFound, Denied):  # else no open stage is known
        landmarks = served.twin.version("landmarks", grant)

    def make() -> City:
        from twintown.processes.stage_city import City  # brings the compiler: not before it is needed

        houses = served.twin.read(buildings, grant)
        marks = served.twin.read(landmarks, grant) if landmarks is not None else None
        assert isinstance(houses, Features)  # its kind says so
        return City.of(
            sunlight.scene_of(whole, buildings, parts), houses, marks if isinstance(marks, Features) else None
        )

    key = ("stage", buildings.version, parts.version, landmarks.version if landmarks else "", terms(grant))
    return served.layers.get(key, make)


def scored(asked: Asked, inputs: StageInputs) -> dict[str, Any]:
    """The answer to one question.

    Raises:
        BadParameter: a bad day, hours, a place outside the twin.
        NotFound: a twin without buildings. Denied: the agreement does not reach there.
    """
    check_reach(asked, PROCESS, [(inputs.stage.lon, inputs.stage.lat)])
    if inputs.to_h <= inputs.from_h:
        raise BadParameter(
            "to_h", f"{inputs.to_h} is not after {inputs.from_h}", remedy="end after the beginning"
        )
    day = asked.served.twin.description.day if inputs.day is None else inputs.day
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day, re.ASCII):
        raise BadParameter("day", f"{day!r} is not a day", remedy="write it as 2027-09-18")
    city = city_of(asked)
    import numpy as np

    from twintown.processes.stage_findings import findings_of
    from twintown.processes.stage_place import stage_of
    from twintown.processes.stage_score import Question
    from twintown.processes.stage_score import scored as score_of

    about = asked.served.twin.description
    said = inputs.stage.model_dump(exclude_none=True)
    stage = stage_of(said, about.frame, about.bounds, city.place.convergence_deg)
    question = Question(day, inputs.from_h, inputs.to_h, inputs.seated, inputs.zone)
    found = score_of(city, stage, question, area=asked.grant.area)
    named = asked.grant.names("buildings") and asked.grant.columns is None
    windows = found.windows
    lon, lat = about.frame.to_lonlat(*(windows.xy + np.asarray(city.scene.origin)).T)
    sound = [
        {
            "building": city.scene.ids[windows.building[k]] if named else "",
            "lon": round(float(lon[k]), 7), "lat": round(float(lat[k]), 7),
            "height_m": round(float(windows.z[k]), 1), "distance_m": round(float(windows.distance_m[k]), 1),
            "level_db": round(float(windows.level_db[k]), 1), "screening_db": round(float(windows.screening_db[k]), 1),
            "error_db": float(windows.error_db[k]),
        }
        for k in windows.loudest(LOUDEST)
    ]  # fmt: skip
    limits, source = question.limits, question.limits.source
    value, hour = limits.strictest(question.from_h, question.to_h)
    return {
        "score": found.score,
        "parts": list(found.parts),
        "hours": found.hours(question),
        "sound": sound,
        "limit": {
            "value_db": value, "hour": hour, "zone": {"ko": limits.zone_ko, "en": limits.zone_en},
            "title": {"ko": source["title"], "en": source["title_en"]}, **{k: source[k] for k in ("article", "url", "date", "confirm")},
        },
        "findings": findings_of(city, stage, question, found, named),
    }  # fmt: skip


@router.post(
    "/twins/{twin}/stages/score",
    operation_id="scoreStage",
    response_model=StageScore,
    responses=problems.responses(400, 401, 403, 404, 413),
)
def score_stage(request: Request, asked: Running, question: StageQuestion) -> Response:
    """What a place is worth for a stage: sight lines, shade of the audience, sound before windows (an estimate); what is wrong with it."""
    body = answers.dumps(scored(asked, question.inputs))
    return answers.answer(request, body, cache="no-store")
