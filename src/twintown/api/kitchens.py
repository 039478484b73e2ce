"""What public kitchens need: meals × recipe × day, made for all of them at once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from twintown.api import needs as needs_api
from twintown.api import problems, produce_desk
from twintown.api.exchange_models import Who
from twintown.api.guard import Planning
from twintown.api.needs_models import NeedsMade
from twintown.api.produce_models import Day, GradeWord, Hour, Short, bases
from twintown.api.schemas import Model
from twintown.ground.errors import BadParameter, NotFound, TooLarge
from twintown.programme import kitchen, produce_rows
from twintown.programme.lot import day
from twintown.programme.recipe import menu_of, recipes_of

router = APIRouter(tags=["produce"])
#: Rows of one question.
MOST = 200_000


class KitchenNeeds(Model):
    """For which days, which kitchens, which dishes; every number is an assumption that can be changed here."""

    from_: Day = Field(alias="from")
    until: Day
    menu: list[list[Short]] | None = Field(
        default=None, max_length=400,
        description="ids of recipes, school day by school day, begun again at its end; by the recipes' weekdays by default",
    )  # fmt: skip
    kitchens: list[Short] | None = Field(default=None, description="ids; all of them by default")
    closed: list[Day] = Field(default=[], max_length=400, description="further days without meals")
    grade_min: GradeWord = "upper"
    price_factor: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.5
    error: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="of the meals, a part (80 %)")
    ] = 0.05
    from_h: Hour = 6.0
    until_h: Hour = 9.0
    weight: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 1.0
    author: Who


@router.post(
    "/twins/{twin}/kitchens/needs", operation_id="makeKitchenNeeds", status_code=201, response_model=NeedsMade,
    responses=problems.responses(400, 401, 403, 404, 405, 409, 413, 503, 507),
)  # fmt: skip
def make_kitchen_needs(asked: Planning, body: KitchenNeeds) -> Response:
    """Needs of the kitchens for a period; what was made before for the same kitchens and days goes."""
    twin, grant = asked.served.twin, asked.grant
    chosen = _kitchens(produce_rows.table(twin, "kitchens", grant).to_pylist(), body.kitchens)
    recipes = recipes_of(produce_rows.table(twin, "recipes", grant).to_pylist())
    first, last = day(body.from_, "from"), day(body.until, "until")
    days = kitchen.school_days(first, last, [day(one, "closed") for one in body.closed])
    terms = kitchen.check_terms(
        kitchen.Terms(body.grade_min, body.price_factor, body.error, body.from_h, body.until_h, body.weight)
    )
    columns, findings = kitchen.needs(
        chosen, recipes, days, menu_of(recipes, body.menu), terms, produce_desk.prices(twin, grant)
    )
    count = len(columns["id"])
    if count > MOST:
        raise TooLarge(
            f"{count:,} needs at once", "until", f"at most {MOST:,}: ask for fewer days or kitchens"
        )
    rows = _rows(chosen, columns)
    gone = _before(asked, {str(one["id"]) for one in chosen}, body.from_, body.until)
    return needs_api.made(asked, rows, gone, body.author, basis=bases(terms.basis()), more=findings)


def _kitchens(known: list[dict[str, Any]], ids: list[str] | None) -> list[dict[str, Any]]:
    if not known:
        raise NotFound("there are no kitchens", "kitchens", "write them into the layer kitchens")
    if ids is None:
        return known
    by_id = {str(one["id"]): one for one in known}
    for id in ids:
        if id not in by_id:
            raise BadParameter(
                "kitchens", f"there is no kitchen {id!r}", remedy="see the layer kitchens for the ids"
            )
    return [by_id[id] for id in dict.fromkeys(ids)]


def _rows(kitchens: list[dict[str, Any]], columns: dict[str, Any]) -> list[dict[str, Any]]:
    places = [(one.get("lon"), one.get("lat")) for one in kitchens]
    names = [name for name in columns if name != "kitchen"]
    lists = [columns[name].tolist() for name in names]
    note = "meals × grams of the menu (assumed)"
    return [
        {**dict(zip(names, values, strict=True)), "note": note, "lon": places[at][0], "lat": places[at][1]}
        for at, *values in zip(columns["kitchen"].tolist(), *lists, strict=True)
    ]


def _before(asked: Any, kitchens: set[str], first: str, last: str) -> list[str]:
    """Computed needs of these kitchens on these days that are there already; those that an officer wrote stay."""
    table = produce_rows.table(asked.served.twin, needs_api.LAYER, asked.grant)
    names = ("id", "place", "place_kind", "date", "source")
    return [
        str(id)
        for id, place, kind, on, source in zip(
            *(table.column(name).to_pylist() for name in names), strict=True
        )
        if kind == "kitchen" and place in kitchens and source == "computed" and first <= str(on) <= last
    ]
