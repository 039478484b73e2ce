"""What a place is worth for a stand, while it is dragged: parse, ask the process, send its answer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Running
from twintown.api.shelf import terms
from twintown.api.stands_models import StageIn, StandIn, StandInputs, StandQuestion, StandScore
from twintown.ground.errors import BadParameter, Denied, NotFound
from twintown.ground.features import Features
from twintown.jobs import deputy
from twintown.programme.calendar_days import day_type

if TYPE_CHECKING:
    from twintown.processes.stands_ground import Ground
    from twintown.processes.stands_place import Block, Stand

router = APIRouter(tags=["processes"])
PROCESS = "stands"


def ground(asked: Asked) -> Ground:
    """The prepared ground of the layers that this caller's score may use; made once for their versions, then kept."""
    served, grant = asked.served, deputy.inner(asked.grant)
    from twintown.processes.stands_ground import LAYERS, Ground

    found = {}
    for layer in LAYERS:
        if not asked.grant.names(layer):
            continue  # a partner's score uses nothing of layers that its agreement does not name
        try:
            found[layer] = served.twin.version(layer, grant)
        except (NotFound, Denied):
            continue
    named = asked.grant.columns is None

    def make() -> Ground:
        layers = {}
        for layer, version in found.items():
            shape = served.twin.read(version, grant)
            if isinstance(shape, Features):
                layers[layer] = shape
        about = served.twin.description
        return Ground(layers, about.frame, about.bounds, about.time_zone, named)

    key = ("stands", tuple(sorted((one, v.version) for one, v in found.items())), terms(asked.grant), named)
    return served.layers.get(key, make)


def check_reach(asked: Asked, process: str, places: list[tuple[float, float]]) -> None:
    """Whether this may be asked under the Grant, at these places (degrees).

    Raises:
        Denied: the process is not in the agreement, or a place lies outside the granted area.
    """
    deputy.may_run(asked.grant, process)
    area = asked.grant.area
    if area is None:
        return
    frame = asked.served.twin.description.frame
    for lon, lat in places:
        x, y = (float(v) for v in frame.from_lonlat(lon, lat))
        if not (area.xmin <= x <= area.xmax and area.ymin <= y <= area.ymax):
            asked.grant.refuse(
                "a place in the question lies outside the granted area", "outside-area", process
            )


def day_of(asked: Asked, text: str | None) -> str:
    """The day that is asked for, or the twin's. Raises BadParameter: not a day as it is written here, or none of 1950 to 2100."""
    day = asked.served.twin.description.day if text is None else text
    try:
        known = (
            re.fullmatch(r"\d{4}-\d{2}-\d{2}", day, re.ASCII) and 1950 <= date.fromisoformat(day).year <= 2100
        )
    except ValueError:
        known = False
    if not known:
        raise BadParameter("day", f"{day!r} is not a day of 1950 to 2100", remedy="write it as 2027-09-18")
    return day


def _day_type(day: str) -> str:
    """The kind of a day, public holidays included."""
    return day_type(date.fromisoformat(day))


def _stand(prepared: Ground, one: StandIn) -> Stand:
    from twintown.processes.stands_place import Stand, facing_of

    x, y = (float(v) for v in prepared.frame.from_lonlat(one.lon, one.lat))
    name = (one.name.ko if one.name else "") or one.id
    facing = facing_of(one.heading_deg, prepared.place.convergence_deg)
    return Stand(x, y, facing, one.width_m, one.depth_m, one.canopy_m, name)


def _stage(prepared: Ground, one: StageIn) -> Block:
    from twintown.processes.stands_place import Block

    outline = StandIn(lon=one.lon, lat=one.lat, heading_deg=one.heading_deg)
    placed = replace(_stand(prepared, outline), width_m=one.width_m, depth_m=one.depth_m, canopy_m=0.0)
    return Block(placed, one.height_m)


def scored(asked: Asked, inputs: StandInputs) -> dict[str, Any]:
    """The answer to one question.

    Raises:
        BadParameter: a bad day, hours or weights.
        Denied: the agreement does not reach there.
    """
    if inputs.to_h <= inputs.from_h:
        raise BadParameter(
            "to_h", f"{inputs.to_h} is not after {inputs.from_h}", remedy="end after the beginning"
        )
    day = day_of(asked, inputs.day)
    places = [(one.lon, one.lat) for one in (inputs.stand, *inputs.others)] + list(inputs.exits)
    places += [(inputs.stage.lon, inputs.stage.lat)] if inputs.stage else []
    check_reach(asked, PROCESS, places)
    import numpy as np

    from twintown.processes.stands_findings import findings_of
    from twintown.processes.stands_parts import weights_of
    from twintown.processes.stands_score import Question
    from twintown.processes.stands_score import scored as score_of

    weights = weights_of({str(code): weight for code, weight in (inputs.weights or {}).items()})
    kind = inputs.day_type or _day_type(day)
    prepared = ground(asked)
    exits = np.array(
        [[float(v) for v in prepared.frame.from_lonlat(*one)] for one in inputs.exits], float
    ).reshape(-1, 2)
    stand = _stand(prepared, inputs.stand)
    question = Question(
        day, inputs.from_h, inputs.to_h, kind, weights, tuple(_stand(prepared, one) for one in inputs.others),
        (_stage(prepared, inputs.stage),) if inputs.stage else (), exits, inputs.stand.power, inputs.stand.water,
        inputs.people, inputs.egress_min,
    )  # fmt: skip
    found = score_of(prepared, stand, question)
    return {
        "score": round(found.score, 1),
        "parts": [one.to_dict() for one in found.parts],
        "hours": [one.to_dict() for one in found.hours],
        "findings": findings_of(prepared, stand, question, found),
    }


@router.post(
    "/twins/{twin}/stands/score",
    operation_id="scoreStand",
    response_model=StandScore,
    responses=problems.responses(400, 401, 403, 404, 413),
)
def score_stand(request: Request, asked: Running, question: StandQuestion) -> Response:
    """What a place is worth for a stand: passers-by, sun, exits, lorries, room; and what is wrong with it."""
    body = answers.dumps(scored(asked, question.inputs))
    return answers.answer(request, body, cache="no-store")
