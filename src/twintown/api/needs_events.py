"""What the stands of an event need: its visitors by hour × who buys × what they take home."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import needs as needs_api
from twintown.api import problems
from twintown.api.event_models import EventId
from twintown.api.exchange_models import Who
from twintown.api.guard import Asked, Planning
from twintown.api.needs_models import NeedsMade
from twintown.api.needs_visitors import expected
from twintown.api.produce_models import GradeWord, bases
from twintown.api.schemas import Model
from twintown.ground.errors import NotFound
from twintown.programme import produce_rows
from twintown.programme.event_rows import one_in
from twintown.programme.need_stands import Basket, Mix, check_mix, stand_needs
from twintown.store.engine import reading

router = APIRouter(tags=["produce"])
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class BasketModel(Model):
    """What buyers take of one product."""

    share: Share = Field(description="of the buyers")
    kg: float = Field(gt=0, le=1000, allow_inf_nan=False, description="each")


class MixModel(Model):
    """Who buys what; all of it assumptions."""

    buying_share: Share = Field(default=Mix.buying_share, description="of the visitors")
    error: Share = Field(default=Mix.error, description="of share and baskets together, a part (80 %)")
    baskets: dict[str, BasketModel] = Field(
        default={}, description="by product; the assumed ones of each product by default"
    )
    grade_min: GradeWord = "upper"
    before_h: float = Field(
        default=Mix.before_h, ge=0.5, le=24, allow_inf_nan=False, description="hours before opening"
    )
    weight: float = Field(default=1.0, ge=0, le=1e6, allow_inf_nan=False)

    def mix(self) -> Mix:
        """What it means. Raises BadParameter."""
        baskets = {code: Basket(one.share, one.kg) for code, one in self.baskets.items()}
        return check_mix(
            Mix(self.buying_share, self.error, baskets, self.grade_min, self.before_h, self.weight)
        )


class EventNeeds(Model):
    """By which mix."""

    mix: MixModel = MixModel()
    author: Who


@router.post(
    "/twins/{twin}/events/{event}/needs", operation_id="makeEventNeeds", status_code=201, response_model=NeedsMade,
    responses=problems.responses(400, 401, 403, 404, 405, 409, 413, 503, 507),
)  # fmt: skip
def make_event_needs(request: Request, asked: Planning, event: EventId, body: EventNeeds) -> Response:
    """Needs of an event's stands from its visitors; what was made for it before goes, what an officer wrote stays."""
    twin = asked.served.twin
    mix = body.mix.mix()
    with reading(twin.tables.engine) as connection:
        one = one_in(connection, twin.tables.twin, event).event
    visitors = expected(request, asked, one)
    rows = stand_needs(event, one.to_dict()["stands"], visitors.hours, mix, visitors.spread)
    codes = list(dict.fromkeys(row["product"] for row in rows))
    gone = _ids(asked, event, computed=True)
    return needs_api.made(asked, rows, gone, body.author, basis=bases([*mix.basis(codes), *visitors.basis]))


@router.delete(
    "/twins/{twin}/events/{event}/needs", operation_id="removeEventNeeds", status_code=204, response_class=Response,
    responses=problems.responses(400, 401, 403, 404, 405, 409, 413, 503, 507),
)  # fmt: skip
def remove_event_needs(asked: Planning, event: EventId, author: Who = "") -> Response:
    """Take away all needs of an event, those that officers wrote too: it was cancelled, or sells nothing."""
    ids = _ids(asked, event)
    if not ids:
        raise NotFound(
            f"there are no needs of the event {event[:60]!r}", needs_api.LAYER, "GET …/needs lists them"
        )
    return needs_api.removed(asked, ids, author)


def _ids(asked: Asked, event: str, *, computed: bool = False) -> list[str]:
    table = produce_rows.table(asked.served.twin, needs_api.LAYER, asked.grant)
    columns = (table.column(name).to_pylist() for name in ("id", "event", "source"))
    return [
        str(id)
        for id, of, source in zip(*columns, strict=True)
        if of == event and (not computed or source == "computed")
    ]
