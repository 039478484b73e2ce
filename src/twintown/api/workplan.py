"""The work plan of a twin: its own programmes, proposed, agreed, reviewed; and those that a partner holds too (`workplan_joint`)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems, workplan_models
from twintown.api.exchange_models import AuthorModel, Id, Who, author_of
from twintown.api.guard import Asked, Sharing
from twintown.api.schemas import Model, Names
from twintown.api.workplan_models import JointBrief
from twintown.exchange import workplan
from twintown.exchange.agreements import agreement_of
from twintown.ground.names import Name
from twintown.store.engine import reading, writing

router = APIRouter(tags=["exchange"])
_PROBLEMS = problems.responses(400, 401, 403, 404, 409, 503, 507)


class ProgrammeModel(Model):
    """What is to be done together."""

    title: Names
    about: Names
    period: Literal["once", "weekly", "monthly", "quarterly", "half-yearly", "yearly"]
    owner: str = Field(min_length=1, max_length=120, description="who answers for it here")
    department: str = Field(min_length=1, max_length=120)
    partner: str = Field(
        default="", max_length=200, description="who answers for it at the partner, and which department"
    )
    budget: int = Field(default=0, ge=0, le=10**15, description="whole units of the currency")
    currency: str = Field(default="KRW", pattern=r"^[A-Z]{3}$", description="ISO 4217")
    start: date
    end: date
    review: date = Field(description="the day on which it is looked at")

    def programme(self) -> workplan.Programme:
        """What it means. Raises BadParameter."""
        title, about = (
            Name.of(one.model_dump(), name) for name, one in (("title", self.title), ("about", self.about))
        )
        rest: dict[str, Any] = self.model_dump(exclude={"title", "about"})
        return workplan.Programme(title, about, **rest)


class NewProgramme(Model):
    """A programme to propose."""

    programme: ProgrammeModel
    agreement: str = Field(default="", max_length=80, description="the agreement that it belongs to")
    author: Who


class NewStatement(Model):
    """A step: `propose` brings a changed programme, the others a text in both languages."""

    step: Literal["propose", "agree", "review", "withdraw"]
    programme: ProgrammeModel | None = None
    text: Names | None = Field(default=None, description="what the review found, or why")
    author: Who


class StatementModel(Model):
    """What was said, in order; nothing is taken back."""

    seq: int
    step: str
    programme: ProgrammeModel | None
    text: dict[str, str]
    author: AuthorModel
    at: datetime


class OwnProgramme(Model):
    """A programme of this city's own as it stands, and all that was said about it; nothing of it goes to a partner."""

    id: str
    agreement: str
    state: Literal["proposed", "agreed", "reviewed", "withdrawn"]
    may: list[str] = Field(description="steps that are possible now")
    programme: ProgrammeModel = Field(description="as it was proposed last")
    due: bool = Field(description="its review was due and has not come")
    statements: list[StatementModel]


class Workplan(Model):
    """The work plan of a twin."""

    programmes: list[OwnProgramme] = Field(description="that this city keeps for itself")
    joint: list[JointBrief] = Field(
        description="that a partner holds too; those that wait for this city stand first"
    )
    waiting: int = Field(description="how many wait for an answer of this city")
    budget: dict[str, int] = Field(description="of this city in what is agreed, by currency")


@router.get(
    "/twins/{twin}/workplan", operation_id="getWorkplan", response_model=Workplan, responses=problems.responses(400, 401, 403, 404)
)  # fmt: skip
def get_workplan(
    request: Request, asked: Sharing,
    agreement: Annotated[str, Query(max_length=80, description="only what belongs to this agreement")] = "",
) -> Response:  # fmt: skip
    """What this city does, and what it does together with its partners, with budget and review."""
    found = workplan.plans_of(asked.served.twin.tables, agreement)
    joint = workplan_models.listed(request, asked, agreement)
    budget: dict[str, int] = {}
    for one in found:
        if one.state == "agreed":
            said = one.programme
            budget[said.currency] = budget.get(said.currency, 0) + said.budget
    for stands in (
        one.stands for one in joint if one.state in ("agreed", "changing") and one.stands is not None
    ):
        budget[stands.currency] = budget.get(stands.currency, 0) + stands.ours.budget
    waiting = sum(one.turn == "ours" for one in joint)
    told = Workplan(programmes=[_told(one) for one in found], joint=joint, waiting=waiting, budget=budget)
    return answers.answer_json(request, told, cache="no-store")


@router.post(
    "/twins/{twin}/workplan", operation_id="proposeProgramme", status_code=201, response_model=OwnProgramme, responses=_PROBLEMS
)  # fmt: skip
def propose_programme(asked: Sharing, body: NewProgramme) -> Response:
    """Propose a programme of this city's own, by itself or as part of an agreement."""
    if body.agreement:
        agreement_of(asked.served.twin.tables, body.agreement)
    said = {"programme": body.programme.programme(), "agreement": body.agreement}
    return _said(asked, "", "propose", body.author, said, 201)


@router.post(
    "/twins/{twin}/workplan/{programme}/statements", operation_id="sayOfProgramme", status_code=201, response_model=OwnProgramme,
    responses=_PROBLEMS,
)  # fmt: skip
def say_of_programme(asked: Sharing, programme: Id, body: NewStatement) -> Response:
    """Add a statement: propose it changed, agree, review, withdraw."""
    said: dict[str, Any] = {"programme": body.programme.programme() if body.programme else None}
    return _said(
        asked,
        programme,
        body.step,
        body.author,
        said | {"text": body.text.model_dump() if body.text else {}},
        201,
    )


def _said(
    asked: Asked, id: str, step: workplan.Step, author: str, said: dict[str, Any], status: int
) -> Response:
    tables, now = asked.served.twin.writing().tables, datetime.now(UTC)
    with writing(tables.engine, fresh=True) as connection:
        made = workplan.say_in(connection, tables, id, step, author_of(asked, author), now, **said)
    asked.served.twin.watch.touch()
    with reading(tables.engine) as connection:
        found = workplan.plan_in(connection, tables, made)
    return Response(answers.dumps(_told(found)), status, {"Cache-Control": answers.PRIVATE}, "application/json")  # fmt: skip


def _told(one: workplan.Plan) -> OwnProgramme:
    programme = one.programme
    return OwnProgramme(
        id=one.id, agreement=one.agreement, state=one.state, may=list(one.may), programme=_programme(programme),
        due=one.state == "agreed" and programme.review < datetime.now(UTC).date(),
        statements=[
            StatementModel(
                seq=s.seq, step=s.step, programme=_programme(s.programme) if s.programme else None, text=dict(s.text),
                author=AuthorModel.model_validate(dict(s.author)), at=s.at,
            )
            for s in one.statements
        ],
    )  # fmt: skip


def _programme(one: workplan.Programme) -> ProgrammeModel:
    return ProgrammeModel.model_validate(one.to_dict())
