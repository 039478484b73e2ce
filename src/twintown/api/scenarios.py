"""Scenarios of a twin: list, make, read, change, withdraw, branch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, JsonValue
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Planning, Reading
from twintown.api.landing import base
from twintown.api.represent import absolute
from twintown.api.scenario_models import (
    ScenarioBrief,
    ScenarioFull,
    ScenarioId,
    ScenarioList,
    Who,
    brief,
    full,
    plans,
)
from twintown.api.schemas import Model
from twintown.ground.errors import BadParameter
from twintown.scenario.plans import base_of
from twintown.scenario.scenario import Draft, Scenario

router = APIRouter(tags=["scenarios"])
_NAME = Field(min_length=1, max_length=200)
_ABOUT = Field(default="", max_length=5000)
_PROBLEMS = problems.responses(400, 401, 403, 404, 503, 507)
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "address of the new scenario"}}
#: Bytes of the parameters of one scenario.
MOST_PARAMETERS = 20_000


class NewScenario(Model):
    """A scenario to make on the present version of the buildings."""

    name: str = _NAME
    about: str = _ABOUT
    parameters: dict[str, JsonValue] = Field(default={})
    author: Who


class NewBranch(Model):
    """A scenario to begin where another one stands."""

    name: str = _NAME
    about: str = _ABOUT
    revision: int | None = Field(
        default=None, ge=0, strict=True, description="of the other one; its last by default"
    )
    author: Who


class Change(Model):
    """What shall be otherwise; what is not sent stays."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    about: str | None = Field(default=None, max_length=5000)
    parameters: dict[str, JsonValue] | None = None
    rebase: Literal[True] | None = Field(
        default=None, description="rest on the present version of the buildings from now on"
    )
    author: Who


@router.get(
    "/twins/{twin}/scenarios", operation_id="listScenarios", response_model=ScenarioList,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def list_scenarios(
    request: Request,
    asked: Reading,
    state: Annotated[
        Literal["draft", "approved", "withdrawn"] | None, Query(description="only those in this state")
    ] = None,
) -> Response:
    """The scenarios, last changed first; those that were withdrawn only where `state` asks for them."""
    found = [ScenarioBrief(**brief(one)) for one in plans(asked).listed(state or "")]
    return answers.answer_json(request, ScenarioList(scenarios=found), cache="no-store")


@router.post(
    "/twins/{twin}/scenarios", operation_id="createScenario", status_code=201, response_model=ScenarioFull,
    responses={**_PROBLEMS, 201: {"headers": _LOCATION}},
)  # fmt: skip
def create_scenario(request: Request, asked: Planning, body: NewScenario) -> Response:
    """A new scenario without edits, resting on the buildings as they are now."""
    check_parameters(body.parameters)
    made = plans(asked, write=True).create(
        body.name, asked.grant.subject.author(body.author), _present(asked), about=body.about, parameters=body.parameters
    )  # fmt: skip
    return _created(request, asked, made)


@router.get(
    "/twins/{twin}/scenarios/{scenario}", operation_id="getScenario", response_model=ScenarioFull,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_scenario(request: Request, asked: Reading, scenario: ScenarioId) -> Response:
    """One scenario as it is now."""
    return answers.answer_json(request, full(asked, plans(asked).get(scenario)), cache="no-store")


@router.patch(
    "/twins/{twin}/scenarios/{scenario}", operation_id="updateScenario", response_model=ScenarioFull,
    responses={**_PROBLEMS, **problems.responses(409)},
)  # fmt: skip
def update_scenario(request: Request, asked: Planning, scenario: ScenarioId, body: Change) -> Response:
    """Rename it, describe it, set its parameters, or rest it on the present version. Each is an entry of its journal."""
    drafts = []
    for kind in ("name", "about", "parameters"):
        value: Any = getattr(body, kind)
        if value is not None:
            drafts.append(Draft(kind, "", {"value": value}))
    if body.parameters is not None:
        check_parameters(body.parameters)
    if body.rebase:
        drafts.append(Draft("base", "", {"value": _present(asked)}))
    said, _ = plans(asked, write=True).say(scenario, drafts, asked.grant.subject.author(body.author))
    asked.served.twin.watch.touch()
    return answers.answer_json(request, full(asked, said), cache="no-store")


@router.delete(
    "/twins/{twin}/scenarios/{scenario}", operation_id="withdrawScenario", status_code=204, response_class=Response,
    responses={**_PROBLEMS, **problems.responses(409)},
)  # fmt: skip
def withdraw_scenario(
    asked: Planning,
    scenario: ScenarioId,
    author: Annotated[str, Query(max_length=80, description="the name that you go by")] = "",
) -> Response:
    """Withdraw it: it leaves the list and is not changed any more. Nothing of it is thrown away."""
    draft = Draft("state", "", {"value": "withdrawn"})
    plans(asked, write=True).say(scenario, [draft], asked.grant.subject.author(author))
    asked.served.twin.watch.touch()
    return Response(status_code=204)


@router.post(
    "/twins/{twin}/scenarios/{scenario}/branches", operation_id="branchScenario", status_code=201,
    response_model=ScenarioFull, responses={**_PROBLEMS, 201: {"headers": _LOCATION}},
)  # fmt: skip
def branch_scenario(request: Request, asked: Planning, scenario: ScenarioId, body: NewBranch) -> Response:
    """A scenario of its own that begins where this one stands: same base, same edits, each with its author."""
    made = plans(asked, write=True).branch(
        scenario, body.name, asked.grant.subject.author(body.author), body.about, body.revision
    )
    return _created(request, asked, made)


def check_parameters(parameters: dict[str, JsonValue]) -> None:
    """Raises BadParameter: more than a scenario keeps."""
    if len(answers.dumps(parameters)) > MOST_PARAMETERS:
        raise BadParameter("parameters", f"are longer than {MOST_PARAMETERS:,} bytes", remedy="shorten them")


def _present(asked: Asked) -> dict[str, dict[str, str]]:
    return base_of({version.layer: version for version in asked.served.twin.layers(asked.grant)})


def _created(request: Request, asked: Asked, made: Scenario) -> Response:
    asked.served.twin.watch.touch()
    address = absolute(request, f"{base(asked.served.id)}/scenarios/{made.id}")
    headers = {"Location": address, "Cache-Control": answers.PRIVATE}
    return Response(answers.dumps(full(asked, made)), 201, headers, "application/json")
