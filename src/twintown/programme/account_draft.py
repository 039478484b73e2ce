"""The first draft of an account from what is known (the event, the plan of its deliveries), and what officers fill in. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name

from .account import FLOWS, MOST, Account, Benefit, Figure, Row, Side, sum_of
from .event import Event

_SILENT = Name("", "")
_NOT_YET = Name("아직 적지 않음", "not entered yet")


@dataclass(frozen=True, slots=True)
class Sale:
    """What an officer enters of one product: kilograms, and the income in whole units of the currency; None: not known."""

    product: str
    delivered_kg: float | None = None
    sold_kg: float | None = None
    wasted_kg: float | None = None
    income: float | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """What officers enter.

    Attributes:
        sales: by product; those that the plan does not know are added.
        came: people, `came_error` ± (80 %), `came_source`: counted, tickets or assumed.
        spent: by side, whole units of the currency.
        note: what else is to be said.
    """

    sales: tuple[Sale, ...] = ()
    came: float | None = None
    came_error: float = 0.0
    came_source: str = "counted"
    spent: Mapping[Side, float | None] = field(default_factory=dict)
    note: Name = _SILENT


def draft(
    event: Event, deliveries: Iterable[Mapping[str, Any]], loads: Iterable[Mapping[str, Any]], zone: ZoneInfo, layer: str = "",
    budget: Mapping[Side, float] | None = None, currency: str = "KRW",
) -> Account:  # fmt: skip
    """What is known before anybody enters anything.

    Args:
        deliveries: rows of the plan's layer `deliveries`: product, place, date, quantity_kg, lot, origin, origin_of_last_resort.
        loads: rows of its layer `loads`: date, km, cost_krw, kg_co2.
        layer: what the plan's layer is called.
        budget: what each side said in the joint document that it pays.
    """
    mine = [one for one in deliveries if _of_event(one, event, zone)]
    kg: dict[str, float] = {}
    for one in mine:
        kg[one["product"]] = kg.get(one["product"], 0.0) + float(one["quantity_kg"])
    for product in sorted({product for stand in event.stands for product in stand.products}):
        kg.setdefault(product, 0.0)
    named = f" {layer}" if layer else ""
    origin = Name(
        f"배달 계획{named}에서 이 행사의 판매대로 가는 양",
        f"planned to this event's stands{named and f' in{named}'}",
    )
    rows = tuple(
        _empty(product, Figure(round(kg[product], 2), "kg", 0.0, "computed", origin), currency)
        for product in sorted(kg)
    )
    spent: dict[Side, Figure] = {}
    said = budget or {}
    for side in ("guest", "host"):
        value = said.get(side)
        where = Name("공동 문서의 예산", "budget in the joint document") if value is not None else _NOT_YET
        spent[side] = Figure(value, f"[{currency}]", 0.0, "stated", where)
    came = Figure(
        None, "{person}", 0.0, "stated",
        Name(
            f"계획: {event.visitors.expected:,}명 ± {event.visitors.error:,}명; 실제는 아직 적지 않음",
            f"planned: {event.visitors.expected:,} ± {event.visitors.error:,}; the real number is not entered yet",
        ),
    )  # fmt: skip
    return _whole(event, rows, spent, came, _SILENT, currency, list(loads), zone, layer)


def filled(
    event: Event, before: Account, entries: Entries, loads: Iterable[Mapping[str, Any]], zone: ZoneInfo, layer: str = ""
) -> Account:  # fmt: skip
    """The account with what officers entered; sums and benefits computed anew. Contradictions are left to `account.contradictions`.

    Raises:
        BadParameter: a number is negative, or none.
    """
    unit = f"[{before.currency}]"
    rows = {one.product: one for one in before.products}
    entered = Name("담당자가 적음", "entered by the officers")
    for at, sale in enumerate(entries.sales):
        path = f"sales[{at}]"
        row = rows.get(sale.product) or _empty(
            sale.product,
            Figure(0.0, "kg", 0.0, "stated", Name("계획에 없음", "not in the plan")),
            before.currency,
        )
        given = {
            "delivered": sale.delivered_kg, "sold": sale.sold_kg, "wasted": sale.wasted_kg, "income": sale.income,
        }  # fmt: skip
        found: dict[str, Any] = {
            name: Figure(
                _number(value, f"{path}.{name}"), unit if name == "income" else "kg", 0.0, "stated", entered
            )
            for name, value in given.items()
            if value is not None
        }
        rows[sale.product] = replace(row, **found)
    spent = dict(before.spent)
    for side, value in entries.spent.items():
        if value is not None:
            spent[side] = Figure(_number(value, f"spent.{side}"), unit, 0.0, "stated", entered)
    came = before.came
    if entries.came is not None:
        how = {
            "counted": ("measured", Name("계수", "counted")), "tickets": ("stated", Name("입장권", "tickets")),
            "assumed": ("assumed", Name("어림", "a guess")),
        }.get(entries.came_source)  # fmt: skip
        if how is None:
            raise BadParameter("came_source", "is not known", remedy="use counted, tickets or assumed")
        error = _number(entries.came_error, "came_error")
        came = Figure(_number(entries.came, "came"), "{person}", error, how[0], how[1])
    note = entries.note if (entries.note.ko or entries.note.en) else before.note
    ordered = tuple(rows[product] for product in sorted(rows))
    return _whole(event, ordered, spent, came, note, before.currency, list(loads), zone, layer)


def _number(value: float, path: str) -> float:
    if isinstance(value, bool) or not math.isfinite(value) or not 0 <= value <= MOST:
        raise BadParameter(path, f"{value!r} is no number from 0 on", remedy="write 0 or more")
    return float(value)


def _empty(product: str, promised: Figure, currency: str) -> Row:
    def nothing(unit: str) -> Figure:
        return Figure(None, unit, 0.0, "stated", _NOT_YET)

    return Row(product, promised, nothing("kg"), nothing("kg"), nothing("kg"), nothing(f"[{currency}]"))


def _of_event(row: Mapping[str, Any], event: Event, zone: ZoneInfo) -> bool:
    """Whether a delivery goes to a stand of the event within its days, the evening before included."""
    first = event.start.astimezone(zone).date() - timedelta(days=1)
    last = event.end.astimezone(zone).date()
    return (
        row["place"] in {one.id for one in event.stands}
        and first.isoformat() <= str(row["date"])[:10] <= last.isoformat()
    )


def _whole(
    event: Event, rows: tuple[Row, ...], spent: Mapping[Side, Figure], came: Figure, note: Name, currency: str,
    loads: Sequence[Mapping[str, Any]], zone: ZoneInfo, layer: str,
) -> Account:  # fmt: skip
    sums = {name: sum_of(rows, name, f"[{currency}]" if name == "income" else "kg") for name in FLOWS}
    days = (event.start.astimezone(zone).date() - timedelta(days=1), event.end.astimezone(zone).date())
    trips = [one for one in loads if days[0].isoformat() <= str(one["date"])[:10] <= days[1].isoformat()]
    return Account(
        event=event.id, currency=currency, products=rows, **sums, spent=spent, came=came,
        benefits={"guest": _guest(event, sums, came, trips, layer), "host": _host(event, sums, came)}, note=note,
    )  # fmt: skip


def _guest(
    event: Event, sums: Mapping[str, Figure], came: Figure, trips: Sequence[Mapping[str, Any]], layer: str
) -> tuple[Benefit, ...]:
    found = [
        Benefit("income", Name("판매 수입", "income from the sale"), sums["income"]),
        Benefit("audience", Name("지역 예술을 본 사람", "people who came to its performances"), came),
    ]
    if trips:
        origin = Name(
            f"배달 계획 {layer}의 그날 모든 운행 합", f"sum of all runs of those days in the plan {layer}"
        )
        for code, name, text, unit in (
            ("kilometres", "km", Name("배달 거리", "driven for the deliveries"), "km"),
            ("emissions", "kg_co2", Name("배달 배출(CO₂)", "emissions of the deliveries (CO₂)"), "kg"),
        ):
            total = round(sum(float(one[name]) for one in trips), 1)
            found.append(Benefit(code, text, Figure(total, unit, 0.0, "computed", origin)))
    return tuple(found)


def _host(event: Event, sums: Mapping[str, Figure], came: Figure) -> tuple[Benefit, ...]:
    hours = sum((one.end - one.start for one in event.programme), timedelta()) / timedelta(hours=1)
    people = len({name for one in event.programme for name in one.performers})
    said = Name("행사 프로그램", "the event's programme")
    return (
        Benefit("visitors", Name("장소를 찾은 사람", "visitors of the venue"), came),
        Benefit("produce", Name("시민이 산 농산물", "produce that its people bought"), sums["sold"]),
        Benefit(
            "programme",
            Name("공연 시간", "hours of programme"),
            Figure(round(hours, 2), "h", 0.0, "stated", said),
        ),
        Benefit(
            "performers",
            Name("출연 단체", "performing groups"),
            Figure(float(people), "{group}", 0.0, "stated", said),
        ),
    )
