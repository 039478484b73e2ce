"""Needs: what stands and kitchens want, by day and product; and those that nobody can meet, with what would meet them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from twintown.api import answers, event_sight, problems, produce_desk
from twintown.api.exchange_models import Who, author_of
from twintown.api.guard import Asked, Planning, Reading
from twintown.api.needs_models import Need, Needs, NeedsMade, NeedSum, NewNeeds
from twintown.api.produce_models import findings, plain
from twintown.ground.errors import BadParameter, NotFound
from twintown.ground.names import Name
from twintown.programme import lot, produce_rows
from twintown.programme import need as needs
from twintown.programme.event_rows import these_in
from twintown.programme.produce_finding import Finding
from twintown.programme.product import instead_text, product
from twintown.store.engine import reading
from twintown.store.tables import new_version

router = APIRouter(tags=["produce"])
LAYER = "needs"
#: States of events that will not be.
GONE = ("cancelled", "declined")
NeedId = Annotated[str, Path(max_length=200, description="id of the need")]
_PROBLEMS = problems.responses(400, 401, 403, 404, 405, 409, 413, 503, 507)


def _only(what: str) -> Any:
    return Query(max_length=120, description=f"only of this {what}")


@router.get(
    "/twins/{twin}/needs", operation_id="getNeeds", response_model=Needs, responses=problems.responses(400, 401, 403, 404)
)  # fmt: skip
def get_needs(
    request: Request, asked: Reading,
    event: Annotated[str, _only("event")] = "", place: Annotated[str, _only("stand or kitchen")] = "",
    product: Annotated[str, _only("product")] = "", place_kind: Annotated[str, _only("kind of place: stand or kitchen")] = "",
    since: Annotated[str, Query(alias="from", max_length=10, description="first day")] = "",
    until: Annotated[str, Query(max_length=10, description="last day")] = "",
    limit: Annotated[int, Query(ge=0, le=10_000, description="rows; sums and findings are of all")] = 1000,
) -> Response:  # fmt: skip
    """The needs of an event, a place, a product, a period; summed by day and product, and what nobody can meet."""
    twin, grant = asked.served.twin, asked.grant
    if not produce_rows.there(twin, LAYER, grant):
        none = Needs(desk=False, count=0, needs=[], sums=[], findings=[])
        return answers.answer_json(request, none, cache="no-store")
    table = produce_rows.table(twin, LAYER, grant)
    for name, value in (("event", event), ("place", place), ("product", product), ("place_kind", place_kind)):
        if value:
            table = table.filter(_equal(table, name, value))
    for name, value in (("from", since), ("until", until)):
        if value:
            day = lot.day(value, name).isoformat()
            table = table.filter(_compared(table, day, first=name == "from"))
    columns = columns_of(table)
    found = _over(request, asked, columns) + _findings(asked, columns)
    told = Needs(
        desk=True, count=len(table), needs=[Need.model_validate(plain(row)) for row in table.slice(0, limit).to_pylist()],
        sums=sums(columns), findings=findings(found),
    )  # fmt: skip
    return answers.answer_json(request, told, cache="no-store")


@router.post(
    "/twins/{twin}/needs", operation_id="writeNeeds", status_code=201, response_model=NeedsMade, responses=_PROBLEMS
)  # fmt: skip
def write_needs(asked: Planning, body: NewNeeds) -> Response:
    """Write needs by hand, all or none; one whose id is there takes its place."""
    places = _places(asked)
    rows = []
    for number, sent in enumerate(body.needs):
        said = sent.model_dump()
        try:
            if said["substitutes"] is None:
                said["substitutes"] = instead_text(product(said["product"]).code)
            row = needs.checked(said)
        except BadParameter as error:
            raise BadParameter(f"needs/{number}/{error.name}", error.what, remedy=error.remedy) from error
        known = places.get(row["place"], {})
        for name in ("lon", "lat", "name_ko", "name_en"):
            row[name] = row.get(name) if row.get(name) not in (None, "") else known.get(name)
        row["id"] = row.get("id") or f"need-{new_version().lower()}"
        rows.append(row)
    if len({row["id"] for row in rows}) < len(rows):
        raise BadParameter("needs", "an id stands twice", remedy="give each need its own, or none")
    return made(asked, rows, [], body.author)


@router.delete(
    "/twins/{twin}/needs/{need}", operation_id="removeNeed", status_code=204, response_class=Response, responses=_PROBLEMS
)  # fmt: skip
def remove_need(asked: Planning, need: NeedId, author: Who = "") -> Response:
    """Take a need away."""

    def make(present: Mapping[str, Any] | None) -> None:
        if present is None:
            raise NotFound(f"there is no need {need[:80]!r}", LAYER, "see GET …/needs for the ids")

    change = produce_desk.change(asked, LAYER, need, make, author_of(asked, author))
    return produce_desk.response(asked, LAYER, produce_desk.write(asked, LAYER, [change]), None, 204)


def made(
    asked: Asked, rows: Sequence[Mapping[str, Any]], gone: Sequence[str], author: str, *, basis: Sequence[Any] = (),
    more: Sequence[Any] = (),
) -> Response:  # fmt: skip
    """Write rows and take others away, in one step; the answer says what nobody can meet."""
    who = author_of(asked, author)
    ids = {str(row["id"]) for row in rows}
    changes = [produce_desk.change(asked, LAYER, id, lambda _: None, who) for id in gone if id not in ids]
    changes += produce_desk.replacing(asked, LAYER, rows, who)
    done = produce_desk.write(asked, LAYER, changes) if changes else None
    columns: dict[str, Any] = {name: [row.get(name) for row in rows] for name in needs_columns()}
    found = [*more, *_findings(asked, columns)]
    told = NeedsMade(
        made=len(rows), removed=len(gone), sums=sums(columns), basis=list(basis), findings=findings(found)
    )
    return produce_desk.response(asked, LAYER, done, told, 201)


def removed(asked: Asked, ids: Sequence[str], author: str) -> Response:
    """Take rows away, all or none."""
    who = author_of(asked, author)
    changes = [produce_desk.change(asked, LAYER, id, lambda _: None, who) for id in ids]
    return produce_desk.response(asked, LAYER, produce_desk.write(asked, LAYER, changes), None, 204)


def _over(request: Request, asked: Asked, columns: Mapping[str, Any]) -> list[Finding]:
    """Events that will not be, whose needs are still there."""
    named = {str(one) for one in set(columns["event"]) if one}
    if not named or asked.grant.subject.kind == "peer":
        return []
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        seen = [pair for pair in event_sight.heads_in(request, asked, connection) if pair[0] in named]
        found = [one for one in these_in(connection, tables.twin, seen) if one.state in GONE]
    return [
        Finding(
            "event-over",
            Name(
                f"행사 '{one.event.title.ko}'은(는) 열리지 않습니다. 수요를 지우세요",
                f"the event {one.event.title.en!r} will not be; take its needs away",
            ),
            one.id, "warn", "needs",
        )
        for one in found
    ]  # fmt: skip


def _findings(asked: Asked, columns: Mapping[str, Any]) -> list[Finding]:
    if not asked.grant.names("lots"):
        return []  # who may not see the lots is not told of them by what they cannot meet
    lots = produce_rows.rows(asked.served.twin, "lots", asked.grant)
    return needs.unmeetable(columns, lots).findings(columns["id"]) + needs.shortages(columns, lots)


def needs_columns() -> tuple[str, ...]:
    """What `unmeetable` and `sums` read."""
    return (
        "id", "place", "event", "product", "date", "quantity_kg", "grade_min", "allergens_not", "price_max_krw_kg", "substitutes",
    )  # fmt: skip


def columns_of(table: Any) -> dict[str, Any]:
    """The same of an Arrow table, as arrays."""
    return {name: table.column(name).to_numpy(zero_copy_only=False) for name in needs_columns()}


def sums(columns: Mapping[str, Sequence[Any]]) -> list[NeedSum]:
    """Kilograms and places by day and product, in order."""
    import pandas as pd

    if not len(columns["product"]):
        return []
    frame = pd.DataFrame({name: columns[name] for name in ("date", "product", "place", "quantity_kg")})
    by = (
        frame.groupby(["date", "product"], sort=True)
        .agg(places=("place", "nunique"), kg=("quantity_kg", "sum"))
        .reset_index()
    )
    return [
        NeedSum(date=str(day), product=str(code), places=int(places), kg=round(float(kg), 3))
        for day, code, places, kg in by.itertuples(index=False)
    ]


def _equal(table: Any, name: str, value: str) -> Any:
    import pyarrow.compute as pc

    return pc.fill_null(pc.equal(table.column(name), value), False)


def _compared(table: Any, day: str, *, first: bool) -> Any:
    import pyarrow.compute as pc

    test = pc.greater_equal if first else pc.less_equal
    return pc.fill_null(test(table.column("date"), day), False)


def _places(asked: Asked) -> dict[str, dict[str, Any]]:
    return {str(row["id"]): row for row in produce_rows.rows(asked.served.twin, "kitchens", asked.grant)}
