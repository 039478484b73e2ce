"""The account of an event when it is over: what was promised, delivered, sold, wasted, spent, who came, what each city has of it. Pure.

One document that both cities sign. `guest` is the city that made the event, `host` the one on whose ground it was. Every number says how
it is known and where it is from; one that nobody knows is null and stands there as not known. Figures that contradict each other are
named and cannot be signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name

from .event_members import Members, code
from .produce_finding import Finding

Side = Literal["guest", "host"]
SIDES: tuple[Side, ...] = ("guest", "host")
SOURCES = ("measured", "stated", "assumed", "computed")
#: The products of one account, the benefits of one side, longest texts, the largest number.
PRODUCTS, BENEFITS, TEXT, MOST = 100, 30, 2000, 1e15
#: Kilograms that rounding may make.
ROUNDING_KG = 0.5
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number: its unit (UCUM; money as `[KRW]`), its error (± , 80 %), how it is known, and where it is from; None: not known."""

    value: float | None
    unit: str
    error: float
    source: str
    origin: Name

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "value": self.value, "unit": self.unit, "error": self.error, "source": self.source, "origin": self.origin.to_dict(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One product: kilograms promised, delivered, sold and wasted, and what the sale brought."""

    product: str
    promised: Figure
    delivered: Figure
    sold: Figure
    wasted: Figure
    income: Figure

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"product": self.product, **{name: getattr(self, name).to_dict() for name in FLOWS}}


#: What is said of each product.
FLOWS = ("promised", "delivered", "sold", "wasted", "income")
_KG = ("promised", "delivered", "sold", "wasted")


@dataclass(frozen=True, slots=True)
class Benefit:
    """What one city has of it."""

    code: str
    text: Name
    figure: Figure

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"code": self.code, "text": self.text.to_dict(), "figure": self.figure.to_dict()}


@dataclass(frozen=True, slots=True)
class Account:
    """See the module.

    Attributes:
        event: its id. currency: ISO 4217.
        products: by product; promised, delivered, sold, wasted, income: their sums.
        spent: by each side. came: people.
        benefits: of each side. note: what else is to be said.
    """

    event: str
    currency: str
    products: tuple[Row, ...]
    promised: Figure
    delivered: Figure
    sold: Figure
    wasted: Figure
    income: Figure
    spent: Mapping[Side, Figure]
    came: Figure
    benefits: Mapping[Side, tuple[Benefit, ...]]
    note: Name

    def to_dict(self) -> dict[str, Any]:
        """As JSON: what both sign; `read` is the inverse."""
        return {
            "event": self.event, "currency": self.currency, "products": [one.to_dict() for one in self.products],
            **{name: getattr(self, name).to_dict() for name in FLOWS},
            "spent": {side: self.spent[side].to_dict() for side in SIDES}, "came": self.came.to_dict(),
            "benefits": {side: [one.to_dict() for one in self.benefits[side]] for side in SIDES}, "note": self.note.to_dict(),
        }  # fmt: skip


def read(said: Any, path: str = "account") -> Account:
    """An account that came, read strictly.

    Raises:
        BadParameter: naming the member; also where figures contradict each other (more sold than delivered, sums that do not add up).
    """
    one = Members(said, path, [field.name for field in fields(Account)])
    made = Account(
        event=one.text("event", 40, filled=True), currency=one.text("currency", 3), products=one.each("products", PRODUCTS, _row),
        **{name: _figure(one.said[name], one.at(name)) for name in FLOWS},
        spent=_sides(one, "spent", _figure), came=_figure(one.said["came"], one.at("came")),
        benefits=_sides(one, "benefits", _benefits), note=one.words("note", TEXT),
    )  # fmt: skip
    if not _CURRENCY.fullmatch(made.currency):
        raise one.bad("currency", f"{made.currency!r} is no currency", "write three letters, as KRW")
    for found in contradictions(made):
        if found.level == "bad":
            raise BadParameter(f"{path}.{found.row}", found.text.en, remedy="correct the figures")
    return made


def contradictions(account: Account) -> tuple[Finding, ...]:
    """What cannot be, `bad`, and what is odd or not known, `warn` and `info`; `row` is the path of the member."""
    return tuple(_contradictions(account))


def sum_of(rows: tuple[Row, ...], name: str, unit: str) -> Figure:
    """The sum of one column; not known where any of it is not."""
    values = [getattr(row, name) for row in rows]
    known = [one.value for one in values if one.value is not None]
    origin = Name("품목의 합", "sum of the products")
    if len(known) < len(values):
        return Figure(
            None, unit, 0.0, "computed", Name("모르는 품목이 있습니다", "of some product it is not known")
        )
    error = sum(one.error**2 for one in values) ** 0.5
    return Figure(round(sum(known), 2), unit, round(error, 2), "computed", origin)


# -- reading ----------------------------------------------------------------------------------------------------------


def _figure(said: Any, path: str) -> Figure:
    one = Members(said, path, [field.name for field in fields(Figure)])
    value = None if one.said["value"] is None else one.number("value", 0, MOST)
    return Figure(
        value, one.text("unit", 20, filled=True), one.number("error", 0, MOST), one.one_of("source", SOURCES),
        one.words("origin", TEXT, filled=True),
    )  # fmt: skip


def _row(said: Any, path: str) -> Row:
    one = Members(said, path, [field.name for field in fields(Row)])
    return Row(
        code(one.said["product"], one.at("product")), **{name: _figure(one.said[name], one.at(name)) for name in FLOWS}
    )  # fmt: skip


def _benefits(said: Any, path: str) -> tuple[Benefit, ...]:
    if not isinstance(said, list) or len(said) > BENEFITS:
        raise BadParameter(path, f"is no list of at most {BENEFITS}")
    found = []
    for at, part in enumerate(said):
        one = Members(part, f"{path}[{at}]", [field.name for field in fields(Benefit)])
        found.append(
            Benefit(
                one.code("code"),
                one.words("text", TEXT, filled=True),
                _figure(part["figure"], one.at("figure")),
            )
        )
    return tuple(found)


def _sides(one: Members, name: str, read: Any) -> Any:
    within = Members(one.said[name], one.at(name), SIDES)
    return {side: read(within.said[side], within.at(side)) for side in SIDES}


# -- what cannot be ---------------------------------------------------------------------------------------------------


def _contradictions(account: Account) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, row in enumerate(account.products):
        path = f"products[{at}]"
        if row.product in seen:
            yield Finding(
                "twice",
                Name(f"{row.product}: 두 번 있습니다", f"{row.product} is there twice"),
                f"{path}.product",
                "bad",
            )
        seen.add(row.product)
        yield from _flow(row.product, row.promised, row.delivered, row.sold, row.wasted, path)
        for name in FLOWS:
            yield from _unit(
                getattr(row, name), f"[{account.currency}]" if name == "income" else "kg", f"{path}.{name}"
            )
    for name in FLOWS:
        unit = f"[{account.currency}]" if name == "income" else "kg"
        mine, wanted = getattr(account, name), sum_of(account.products, name, unit)
        yield from _unit(mine, unit, name)
        if (mine.value is None) != (wanted.value is None) or (
            mine.value is not None
            and wanted.value is not None
            and abs(mine.value - wanted.value) > ROUNDING_KG
        ):
            text = Name(
                "합계가 품목의 합과 다릅니다",
                f"the sum ({_said(mine)}) is not that of the products ({_said(wanted)})",
            )
            yield Finding("sum", text, name, "bad")
    for side in SIDES:
        yield from _unit(account.spent[side], f"[{account.currency}]", f"spent.{side}")
    yield from _unit(account.came, "{person}", "came")
    for name in ("delivered", "sold", "wasted", "came"):
        figure = getattr(account, name)
        if figure.value is None and (name == "came" or account.products):
            text = Name("아직 모르는 값입니다", "is not known yet")
            yield Finding("not-known", text, name, "info")


def _flow(
    product: str, promised: Figure, delivered: Figure, sold: Figure, wasted: Figure, path: str
) -> Iterator[Finding]:
    had, gone, lost = delivered.value, sold.value or 0.0, wasted.value or 0.0
    if had is None:
        if gone or lost:
            text = Name(
                f"{product}: 배달한 양 없이 팔거나 버린 양만 있습니다",
                f"{product} was sold or wasted, and how much was delivered is not said",
            )
            yield Finding("no-delivery", text, f"{path}.delivered", "bad")
        return
    if gone > had + ROUNDING_KG:
        text = Name(
            f"{product}: 판매 {gone:,.1f} kg가 배달 {had:,.1f} kg보다 많습니다",
            f"{product}: {gone:,.1f} kg sold are more than the {had:,.1f} kg delivered",
        )
        yield Finding("sold-more", text, f"{path}.sold", "bad")
    elif gone + lost > had + ROUNDING_KG:
        text = Name(
            f"{product}: 판매와 폐기 {gone + lost:,.1f} kg가 배달 {had:,.1f} kg보다 많습니다",
            f"{product}: {gone + lost:,.1f} kg sold and wasted are more than the {had:,.1f} kg delivered",
        )
        yield Finding("wasted-more", text, f"{path}.wasted", "bad")
    if promised.value is not None and had > promised.value + ROUNDING_KG:
        text = Name(
            f"{product}: 약속 {promised.value:,.1f} kg보다 많이 배달했습니다",
            f"{product}: more was delivered than the {promised.value:,.1f} kg promised",
        )
        yield Finding("delivered-more", text, f"{path}.delivered", "warn")
    elif promised.value is not None and had < promised.value - ROUNDING_KG:
        text = Name(
            f"{product}: 약속한 {promised.value:,.1f} kg 가운데 {promised.value - had:,.1f} kg가 오지 않았습니다",
            f"{product}: {promised.value - had:,.1f} of the {promised.value:,.1f} kg promised did not come",
        )
        yield Finding("delivered-less", text, f"{path}.delivered", "warn")


def _unit(figure: Figure, unit: str, path: str) -> Iterator[Finding]:
    if figure.unit != unit:
        yield Finding(
            "unit", Name(f"단위는 {unit}입니다", f"is in {figure.unit}, not in {unit}"), f"{path}.unit", "bad"
        )


def _said(figure: Figure) -> str:
    return "not known" if figure.value is None else f"{figure.value:,g} {figure.unit}"
