"""The sun of a day, and what an edit of heights does to it: parse, ask the process, send its bytes."""

from __future__ import annotations

import gzip
import logging
import re
import time
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request
from pydantic import Field, StrictInt
from starlette.responses import Response

from twintown.api import answers, items, problems, search
from twintown.api.guard import Asked, Decide, Reading, Running
from twintown.api.schemas import DAY, Model
from twintown.api.shelf import Served, Shelf, terms
from twintown.api.sun_edits import MOST_EDITS, SunEdit, heights_only, read_edits
from twintown.ground.errors import BadParameter, NotFound, TwintownError
from twintown.ground.features import Features
from twintown.kernels.spread import giving_way
from twintown.processes.arrays import MEDIA_TYPE
from twintown.processes.sunpath import Place, sun_path
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Grant, Resource
from twintown.twin.layers import LayerVersion

if TYPE_CHECKING:
    from twintown.processes.sunlight_plan import Plan
    from twintown.processes.sunlight_scene import Scene

LOG = logging.getLogger("twintown.api")
router = APIRouter(tags=["sunlight"])
Basis = Literal["solar", "civil"]
BASES: tuple[Basis, ...] = ("solar", "civil")
_AT_ONCE = 2  # computations side by side; the loop and the files stay quick beside them


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


class SunlightInputs(Model):
    """What is asked."""

    date: str | None = Field(
        default=None,
        max_length=40,
        json_schema_extra=DAY,
        description="1950 to 2100; the twin's day by default",
    )
    time_basis: Basis = "solar"
    edits: list[SunEdit] = Field(
        default=[],
        max_length=MOST_EDITS,
        description="edits as a scenario takes them (add, replace, remove, set), on top of those of the scenario",
    )
    scenario: str | None = Field(
        default=None,
        max_length=60,
        description="id of a scenario, or id@revision: its edits in force come first",
    )
    window: tuple[StrictInt, StrictInt, StrictInt, StrictInt] | None = Field(
        default=None,
        description="first row, first column, rows, columns of the ground's grid, instead of what changed",
    )


class SunQuestion(Model):
    """The body of a question."""

    inputs: SunlightInputs


def _day(text: str | None, asked: Asked) -> str:
    """The day that is asked for, or the twin's. Raises BadParameter: ISO 8601 has more forms than this one."""
    if text is not None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise BadParameter("date", f"{text!r} is not a day", remedy="write it as 2026-12-22")
    return text or asked.served.twin.description.day


def versions(asked: Asked) -> tuple[LayerVersion, LayerVersion]:
    """The versions that the question is about. Raises NotFound for a twin without buildings."""
    twin = asked.served.twin
    try:
        return twin.version("buildings", asked.grant), twin.version("building-parts", asked.grant)
    except NotFound:
        raise NotFound(
            "this twin has no buildings to cast a shadow", asked.served.id, "ask another twin"
        ) from None


def scene_of(asked: Asked, buildings: LayerVersion, parts: LayerVersion) -> Scene:
    """The prepared city of these versions; made once, then kept."""
    served, grant = asked.served, asked.grant

    def make() -> Scene:
        from twintown.processes.sunlight_scene import Scene  # brings the compiler: not before it is needed

        about = served.twin.description
        houses, solids = served.twin.read(buildings, grant), served.twin.read(parts, grant)
        assert isinstance(houses, Features) and isinstance(solids, Features)  # their kind says so
        return Scene(houses, solids, about.bounds, about.time_zone)

    return served.scenes.get(("scene", buildings.version, parts.version, terms(grant)), make)


def _base(asked: Asked, day: str, basis: Basis) -> tuple[bytes, bytes, str]:
    """The answer without edits, plain and packed, and its entity tag."""
    buildings, parts = versions(asked)
    key = ("sunlight", buildings.version, parts.version, terms(asked.grant), day, basis)

    def make() -> tuple[bytes, bytes]:
        body = scene_of(asked, buildings, parts).base(day, basis).to_bytes()
        return body, gzip.compress(body, 6, mtime=0)

    return *asked.served.bodies.get(key, make), answers.tag(*key)


def _edited(asked: Asked, inputs: SunlightInputs, day: str) -> bytes:
    buildings, parts = versions(asked)
    scene = scene_of(asked, buildings, parts)
    edits = read_edits(asked, inputs.edits, inputs.scenario)
    if heights_only(edits, scene.number):
        return scene.edit(edits, day, inputs.time_basis, inputs.window).to_bytes()

    def make() -> Plan:
        from twintown.processes.sunlight_plan import Plan

        houses, solids = (
            asked.served.twin.read(buildings, asked.grant),
            asked.served.twin.read(parts, asked.grant),
        )
        assert isinstance(houses, Features) and isinstance(solids, Features)  # their kind says so
        return Plan(scene, houses, solids)

    key = ("plan", buildings.version, parts.version, terms(asked.grant))
    plan = asked.served.scenes.get(key, make)
    return plan.answer(edits, day, inputs.time_basis, inputs.window).to_bytes()


def respond(request: Request, asked: Asked, inputs: SunlightInputs) -> Response:
    """The answer to one question; takes a thread for as long as it computes."""
    begun = time.perf_counter()
    day = _day(inputs.date, asked)
    if inputs.edits or inputs.scenario:
        body = _edited(asked, inputs, day)
        here = request.client is not None and request.client.host in ("127.0.0.1", "::1")
        # on one machine packing takes longer than sending; a proxy in front packs by itself
        answer = answers.answer(request, body, MEDIA_TYPE, cache="no-store", level=0 if here else 1)
    else:
        body, packed, tag = _base(asked, day, inputs.time_basis)
        answer = answers.answer(request, body, MEDIA_TYPE, etag=tag, packed=packed)
    answer.headers["Server-Timing"] = f"answer;dur={(time.perf_counter() - begun) * 1e3:.1f}"
    return answer


def _limiter(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "computing"):
        state.computing = CapacityLimiter(_AT_ONCE)
    limiter: CapacityLimiter = state.computing
    return limiter


@router.post(
    "/twins/{twin}/sun",
    operation_id="askSun",
    response_class=Response,
    responses={
        200: {
            "description": "length of the header (u32, little endian), header (JSON), buffers (each at a multiple of 8 bytes)",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems.responses(400, 401, 404, 413),
    },
)
async def ask_sun(request: Request, asked: Running, question: SunQuestion) -> Response:
    """Sun hours of the ground and of facade points on a day, after height edits; without edits the whole base answer."""
    limiter = _limiter(request)
    async with limiter:  # whoever pulls on has gone by the time it is their turn; then nothing is computed
        if await request.is_disconnected():
            return Response(status_code=204)
        return await to_thread.run_sync(respond, request, asked, question.inputs)


@router.get(
    "/twins/{twin}/sun",
    operation_id="getSun",
    response_model=SunDay,
    responses=problems.responses(400, 401, 404),
)
def get_sun(
    request: Request,
    asked: Reading,
    date: Annotated[
        str | None,
        Query(max_length=40, json_schema_extra=DAY, description="1950 to 2100; the twin's day by default"),
    ] = None,
    basis: Annotated[Basis, Query(description="which clock steps by ten minutes")] = "civil",
) -> Response:
    """The sun's path over a day."""
    about = asked.served.twin.description
    place = Place.of(about.frame, *about.bounds.centre, about.time_zone)
    return answers.answer_json(request, SunDay.model_validate(sun_path(_day(date, asked), basis, place)))


def load() -> None:
    """Import what the page's very first question about the sun needs (a second or two), so that it need not wait for it."""
    import_module("pvlib.spa")


def warm(shelf: Shelf, decide: Decide) -> None:
    """Load what the first click needs, twin by twin: rows, names, the prepared city and its answers on the twin's day."""
    for served in shelf.twins.values():
        with suppress(
            TwintownError
        ):  # said below; at full speed, because whoever asks meanwhile waits for the same code
            _look(served, decide(ANYONE, "read", Resource(served.id)))
    for served in shelf.twins.values():
        try:
            with giving_way():  # whoever opens the page meanwhile has the processors
                _warm(served, decide(ANYONE, "run", Resource(served.id)))
        except TwintownError as error:
            LOG.warning("%s answers its first question slowly: %s", served.id, error)
        except Exception:
            LOG.exception("%s answers its first question slowly", served.id)
        served.warm.set()


def _look(served: Served, grant: Grant) -> None:
    """Ask the smallest layer something, so that what reads rows is loaded."""
    drawn = [layer for layer in served.twin.layers(grant) if layer.kind == "features"]
    if drawn:
        items.load(served.view(min(drawn, key=lambda layer: layer.count), grant))


def _warm(served: Served, grant: Grant) -> None:
    asked = Asked(served, grant)
    search.index(served, grant)
    if {"buildings", "building-parts"} <= {layer.layer for layer in served.twin.layers(grant)}:
        day = served.twin.description.day
        for basis in BASES:
            _base(asked, day, basis)
        scene = scene_of(asked, *versions(asked))
        tallest = int(np.nanargmax(scene.heights_m))  # what everybody pulls first
        height: SunEdit = {
            "op": "set",
            "object": scene.ids[tallest],
            "height_m": float(scene.heights_m[tallest]),
        }
        _edited(asked, SunlightInputs(edits=[height]), day)
