"""The sun of a day, and what an edit of heights does to it: parse, ask the process, send its bytes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Decide, Reading
from twintown.api.schemas import Model
from twintown.api.shelf import Shelf
from twintown.processes.sunpath import Place, sun_path

router = APIRouter(tags=["sunlight"])
Basis = Literal["solar", "civil"]


class SunPosition(Model):
    """Where the sun stands at one moment; geometric, without refraction."""

    time_local: str = Field(description="the clock's, HH:MM")
    time_solar: str = Field(description="true solar time, HH:MM")
    time_utc: str = Field(description="ISO 8601")
    azimuth_deg: float = Field(description="from true north, clockwise")
    altitude_deg: float


class SunDay(Model):
    """The sun of one day over the middle of a twin."""

    date: str
    time_basis: Basis
    lon: float
    lat: float
    equation_of_time_min: float = Field(description="at noon: true solar time less mean solar time")
    sunrise: str | None = Field(description="the clock's, geometric horizon; null in polar night or day")
    sunset: str | None
    positions: list[SunPosition] = Field(description="every ten minutes of the basis while the sun is up")


def place(asked: Asked) -> Place:
    """The middle of a twin, for the sun."""
    about = asked.served.twin.description
    return Place.of(about.frame, *about.bounds.centre, about.time_zone)


@router.get(
    "/twins/{twin}/sun",
    operation_id="getSun",
    response_model=SunDay,
    responses=problems.responses(400, 401, 404),
)
def get_sun(
    request: Request,
    asked: Reading,
    date: Annotated[date | None, Query(description="1950 to 2100; the twin's day by default")] = None,
    basis: Annotated[Basis, Query(description="which clock steps by ten minutes")] = "civil",
) -> Response:
    """The sun's path over a day."""
    day = date or asked.served.twin.description.day
    return answers.answer_json(request, SunDay.model_validate(sun_path(str(day), basis, place(asked))))


def warm(shelf: Shelf, decide: Decide) -> None:
    """Load what the first click needs, twin by twin."""
    for served in shelf.twins.values():
        served.warm.set()
