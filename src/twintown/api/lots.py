"""Lots: what producers offer. Whoever may plan writes them; each write is checked first, and is a line of the layer's journal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api import answers, problems, produce_desk
from twintown.api.exchange_models import author_of
from twintown.api.guard import Asked, Planning, Reading
from twintown.api.lots_models import Lot, LotFailure, LotPatch, Lots, LotTold, NewLot
from twintown.api.produce_models import findings, plain
from twintown.ground.errors import BadParameter, Conflict
from twintown.programme import lot as lots
from twintown.programme import produce_rows
from twintown.programme.produce_finding import Finding
from twintown.programme.product import product

router = APIRouter(tags=["produce"])
LAYER = "lots"
LotId = Annotated[str, Path(max_length=120, description="id of the lot", examples=["icn-rice-2027-01"])]
_PROBLEMS = problems.responses(400, 401, 403, 404, 405, 409, 413, 503, 507)


@router.get(
    "/twins/{twin}/lots", operation_id="getLots", response_model=Lots, responses=problems.responses(400, 401, 403, 404)
)  # fmt: skip
def get_lots(request: Request, asked: Reading) -> Response:
    """All lots, and what is wrong or odd about them, whoever wrote them."""
    rows = produce_rows.rows(asked.served.twin, LAYER, asked.grant)
    told = Lots(
        desk=produce_rows.there(asked.served.twin, LAYER, asked.grant), lots=[_lot(row) for row in rows],
        findings=findings(_findings(asked, rows)),
    )  # fmt: skip
    return answers.answer_json(request, told, cache="no-store")


@router.post(
    "/twins/{twin}/lots", operation_id="offerLot", status_code=201, response_model=LotTold, responses=_PROBLEMS
)  # fmt: skip
def offer_lot(asked: Planning, body: NewLot) -> Response:
    """Offer a lot: at its producer unless a place is said. What cannot be taken is refused by the name of the field."""
    twin = asked.served.twin
    rows = produce_rows.table(twin, LAYER, asked.grant).to_pylist()
    sent = body.lot.model_dump(by_alias=True, exclude_none=True)  # forms send their empty fields too
    told = {name: value for name, value in sent.items() if value != "" or name in ("producer", "product")}
    said = {"grade": "upper", "state": "offered", "source": "assumed", **told}
    producer = _producer(asked, said)
    one = product(said["product"])
    first = lots.day(said.get("from"), "from")
    id = said.pop("id", None) or lots.next_id(one.code, first, (str(row["id"]) for row in rows))
    row = {"batch": id.upper()[:20], **producer, **said}
    checked = lots.checked(row)
    if checked["state"] not in ("offered", "promised"):
        raise BadParameter(
            "state", f"a lot is not offered as {checked['state']}", remedy="use offered or promised"
        )
    lots.check_bag(id, checked, rows)

    def make(present: Mapping[str, Any] | None) -> dict[str, Any]:
        if present is not None:
            raise Conflict(f"there is a lot {id!r} already", LAYER, "leave the id away, or PATCH the lot")
        return checked

    return _written(asked, id, make, body.author, 201)


@router.patch(
    "/twins/{twin}/lots/{lot}", operation_id="changeLot", response_model=LotTold, responses=_PROBLEMS
)
def change_lot(asked: Planning, lot: LotId, body: LotPatch) -> Response:
    """Change some fields of a lot; what was promised to somebody is not promised to somebody else."""
    fields = body.fields.said()
    if not fields:
        raise BadParameter(
            "fields", "nothing is changed", remedy=f"these can be: {', '.join(lots.CHANGEABLE)}"
        )
    return _written(asked, lot, lambda before: lots.changed(lot, before, fields), body.author)


@router.post(
    "/twins/{twin}/lots/{lot}/failure", operation_id="failLot", response_model=LotTold, responses=_PROBLEMS
)
def fail_lot(asked: Planning, lot: LotId, body: LotFailure) -> Response:
    """Say that a lot will not come, and why; plans made from now on do without it."""
    return _written(asked, lot, lambda before: lots.failed(lot, before, body.why), body.author)


def _written(asked: Asked, id: str, make: Any, author: str, status: int = 200) -> Response:
    done = produce_desk.write(
        asked, LAYER, [produce_desk.change(asked, LAYER, id, make, author_of(asked, author))]
    )
    rows = produce_rows.rows(asked.served.twin, LAYER, asked.grant)
    row = next(row for row in rows if row["id"] == id)
    own = [one for one in _findings(asked, rows) if one.row == id]
    told = LotTold.model_validate({**_lot(row).model_dump(by_alias=True), "findings": findings(own)})
    return produce_desk.response(asked, LAYER, done, _json(told), status)


def _json(one: LotTold) -> dict[str, Any]:
    return one.model_dump(mode="json", by_alias=True)


def _producer(asked: Asked, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a lot takes from its producer: place and origin. Raises BadParameter: nobody knows it, and no place is said."""
    known = {str(row["id"]): row for row in produce_rows.rows(asked.served.twin, "producers", asked.grant)}
    row = known.get(str(said["producer"]))
    if row is None:
        if said.get("lon") is None or said.get("lat") is None:
            some = ", ".join(list(known)[:5]) or "none"
            raise BadParameter(
                "producer",
                f"there is no producer {said['producer']!r}",
                remedy=f"known: {some} …; or say lon and lat",
            )
        return {}
    ko, en = str(row["town_ko"] or ""), str(row["town_en"] or "")
    city = asked.served.twin.description
    west, south, east, north = city.frame.lonlat_bounds(city.bounds).as_tuple()
    if (
        west <= row["lon"] <= east and south <= row["lat"] <= north
    ):  # one's own towns go by the city's name too
        ko, en = f"{city.names.ko} {ko}", f"{en}, {city.names.en}"
    return {"lon": row["lon"], "lat": row["lat"], "origin_ko": ko, "origin_en": en}


def _findings(asked: Asked, rows: list[dict[str, Any]]) -> list[Finding]:
    twin, grant = asked.served.twin, asked.grant
    seen = grant.names("producers")
    producers = [str(row["id"]) for row in produce_rows.rows(twin, "producers", grant)] if seen else None
    day: date = produce_desk.today(asked)
    return lots.findings(rows, producers, produce_desk.prices(twin, grant), day)


def _lot(row: Mapping[str, Any]) -> Lot:
    return Lot.model_validate(plain(row))
