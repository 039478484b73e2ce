"""A stand's question and answer, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from twintown.api.schemas import DAY, Model, Names

Lon = Annotated[
    float, Field(ge=-180, le=180, strict=True, allow_inf_nan=False, description="degrees, WGS 84")
]
Lat = Annotated[float, Field(ge=-90, le=90, strict=True, allow_inf_nan=False, description="degrees, WGS 84")]
Heading = Annotated[
    float,
    Field(
        ge=-360, le=720, strict=True, allow_inf_nan=False, description="degrees from true north, clockwise"
    ),
]
DayType = Literal["weekday", "saturday", "holiday"]
PartCode = Literal["footfall", "sun_produce", "sun_queue", "exits", "lorry", "width", "power", "water"]
Weight = Annotated[float, Field(ge=0, le=1000, strict=True, allow_inf_nan=False)]


class StandIn(Model):
    """A stand as an event holds it; what the score does not need may come along."""

    id: str = Field(default="", max_length=80)
    name: Names | None = None
    lon: Lon
    lat: Lat
    heading_deg: Heading = 180.0
    width_m: float = Field(default=3.0, ge=0.5, le=30, strict=True, allow_inf_nan=False)
    depth_m: float = Field(default=3.0, ge=0.5, le=30, strict=True, allow_inf_nan=False)
    canopy_m: float = Field(
        default=2.5,
        ge=0,
        le=10,
        strict=True,
        allow_inf_nan=False,
        description="height of its canopy; 0 for none",
    )
    products: list[str] = Field(default=[], max_length=100)
    power: StrictBool | None = Field(default=None, description="null: nobody knows")
    water: StrictBool | None = Field(default=None, description="null: nobody knows")


class StageIn(Model):
    """A stage as an event holds it; here it stands in the way and casts a shadow."""

    lon: Lon
    lat: Lat
    heading_deg: Heading = 180.0
    width_m: float = Field(default=10.0, ge=0.5, le=100, strict=True, allow_inf_nan=False)
    depth_m: float = Field(default=8.0, ge=0.5, le=100, strict=True, allow_inf_nan=False)
    height_m: float = Field(default=1.2, ge=0, le=30, strict=True, allow_inf_nan=False)
    level_db: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    audience_m: float | None = Field(default=None, strict=True, allow_inf_nan=False)
    source: str = Field(default="", max_length=200)


class StandInputs(Model):
    """What is asked."""

    day: str | None = Field(
        default=None,
        max_length=40,
        json_schema_extra=DAY,
        description="1950 to 2100; the twin's day by default",
    )
    from_h: StrictInt = Field(default=11, ge=0, le=23, description="hour of the clock")
    to_h: StrictInt = Field(default=19, ge=1, le=24, description="hour of the clock, after `from_h`")
    day_type: DayType | None = Field(
        default=None,
        description="as the trains' congestion is told; by the day of the week where it is not said",
    )
    stand: StandIn
    others: list[StandIn] = Field(default=[], max_length=200)
    stage: StageIn | None = None
    exits: list[tuple[Lon, Lat]] = Field(default=[], max_length=200, description="that must stay clear")
    people: StrictInt = Field(
        default=0, ge=0, le=1_000_000, description="how many must be able to leave by the exits"
    )
    egress_min: float = Field(default=8.0, ge=1, le=60, description="within so many minutes")
    weights: dict[PartCode, Weight] | None = Field(
        default=None,
        description="by code of the part, instead of the usual ones; they are made to add up to 1",
    )


class StandQuestion(Model):
    """The body of a question."""

    inputs: StandInputs


class PartOut(Model):
    """One part of the score."""

    code: str
    title: Names
    value: float | None = Field(description="null: not known")
    low: float | None = Field(
        description="with what it hangs on in error one way: 80 % of the draws, or the heights of buildings"
    )
    high: float | None
    unit: str = Field(description="UCUM")
    score: float = Field(description="0 to 1; 0.5 where it is not known")
    weight: float
    known: bool
    source: str = Field(description="computed, stated or unknown")


class HourOut(Model):
    """An hour before the stand."""

    hour: int
    passers: float | None = Field(description="people, both ways; null: not known")
    low: float | None = Field(description="the low end of 80 % of the draws over the assumptions")
    high: float | None
    sun_produce_min: float | None
    sun_queue_min: float | None


class FindingOut(Model):
    """What is wrong, or not known."""

    code: str
    text: Names
    level: Literal["bad", "warn", "info"]


class StandScore(Model):
    """The answer."""

    score: float = Field(description="0 to 100")
    parts: list[PartOut]
    hours: list[HourOut]
    findings: list[FindingOut]
