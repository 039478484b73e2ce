"""Lots: what a producer offers, and whether it can be: one by one as it is written, and all of them together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from twintown.ground.errors import BadParameter, Conflict, NotFound, WrongState
from twintown.ground.names import Name
from twintown.programme.produce_finding import Finding
from twintown.programme.product import GRADES, LastPrice, allergens_of, check_gtin, product, products

STATES = ("offered", "promised", "failed", "recalled")
#: What GS1 lets a batch be (AI 10), less the signs that an address would have to quote.
_BATCH = re.compile(r"[A-Za-z0-9._-]{1,20}")
#: A price is far from the market's when it is more than so many times it, or less than one such part of it. Assumed.
FAR = 2.0
#: Fields that an officer changes after a lot is there.
CHANGEABLE = (
    "variety", "grade", "quantity_kg", "error_kg", "from", "until", "shelf_life_d", "price_krw_kg", "allergens", "state",
    "promised_kg", "promised_to", "substitute", "source", "note", "origin_ko", "origin_en",
)  # fmt: skip

Row = Mapping[str, Any]


def checked(row: Row) -> dict[str, Any]:
    """A lot as it can be kept: defaults filled in from its product.

    Raises BadParameter: it cannot be taken; names the field.
    """
    said = dict(row)
    one = product(str(said.get("product") or ""))
    if said.get("grade") not in GRADES:
        raise BadParameter(
            "grade", f"there is no grade {said.get('grade')!r}", remedy=f"use one of {', '.join(GRADES)}"
        )
    for name in ("quantity_kg", "error_kg", "price_krw_kg", "promised_kg"):
        said[name] = float(said.get(name) or 0)
        if said[name] < 0:
            raise BadParameter(name, f"{said[name]:g} is negative", remedy="give 0 or more")
    if said["quantity_kg"] == 0:
        raise BadParameter("quantity_kg", "nothing is offered", remedy="give the kilograms")
    if said["promised_kg"] > said["quantity_kg"]:
        raise BadParameter(
            "promised_kg", f"{said['promised_kg']:g} kg are promised of {said['quantity_kg']:g} kg: promised twice",
            remedy="promise what is there, or raise the quantity",
        )  # fmt: skip
    first, last = day(said.get("from"), "from"), day(said.get("until"), "until")
    if last < first:
        raise BadParameter(
            "until", f"{last} is before {first}", remedy="the last day is not before the first"
        )
    life = said.get("shelf_life_d")
    said["shelf_life_d"] = one.shelf_d if life is None else int(life)
    if said["shelf_life_d"] < 1:
        raise BadParameter(
            "shelf_life_d", f"{said['shelf_life_d']} days is no time", remedy="give a day or more"
        )
    held = allergens_of(str(said.get("allergens") or "")) | set(one.allergens)
    said["allergens"] = ",".join(str(number) for number in sorted(held))
    said["gtin"] = check_gtin(str(said.get("gtin") or one.gtin))
    if not _BATCH.fullmatch(str(said.get("batch") or "")):
        raise BadParameter(
            "batch", f"{said.get('batch')!r} is no batch", remedy="use 1 to 20 of A-Z a-z 0-9 . _ -"
        )
    if said.get("state") not in STATES:
        raise BadParameter(
            "state", f"there is no state {said.get('state')!r}", remedy=f"use one of {', '.join(STATES)}"
        )
    said["substitute"] = bool(said.get("substitute"))
    return said


def day(value: Any, where: str) -> date:
    """A day from its ISO text, of a year that people plan in. Raises BadParameter: it is none."""
    try:
        found = date.fromisoformat(str(value or ""))
    except ValueError as error:
        raise BadParameter(where, f"{str(value)[:30]!r} is no day", remedy="write 2027-09-18") from error
    if not 1900 <= found.year < 2200:
        raise BadParameter(
            where, f"{found} is in no year that is planned for", remedy="give a year from 1900 to 2199"
        )
    return found


def changed(lot: str, before: Row | None, fields: Row) -> dict[str, Any]:
    """A lot with some fields changed.

    Raises:
        NotFound: there is no such lot.
        BadParameter: a field that cannot be changed, or a value that cannot be.
        WrongState: it was recalled.
        Conflict: it is promised to somebody else already.
    """
    if before is None:
        raise NotFound(f"there is no lot {lot[:80]!r}", "lots", "see GET …/lots for the ids")
    if before.get("state") == "recalled":
        raise WrongState("the lot was recalled", lot, "offer another lot; a recall stays")
    for name in fields:
        if name not in CHANGEABLE:
            raise BadParameter(
                name, "it cannot be changed here", remedy=f"these can: {', '.join(CHANGEABLE)}"
            )
    if fields.get("state") in ("failed", "recalled"):
        raise BadParameter("state", "a lot is not failed or recalled by changing its state",
                           remedy="use …/failure or …/recall, which say why")  # fmt: skip
    said = {**before, **fields}
    whom, other = str(before.get("promised_to") or ""), str(said.get("promised_to") or "")
    if whom and other and whom != other and float(before.get("promised_kg") or 0) > 0:
        raise Conflict(
            f"the lot is promised to {whom} already", lot,
            "take that promise back first (promised_kg 0, promised_to empty), or offer what is left as a lot of its own",
        )  # fmt: skip
    if fields.get("state") == "offered" or ("promised_kg" in fields and not fields["promised_kg"]):
        said["why"] = ""
    if "promised_kg" in fields and "state" not in fields:
        said["state"] = "promised" if float(fields["promised_kg"] or 0) > 0 else "offered"
    return checked(said)


def failed(lot: str, before: Row | None, why: str) -> dict[str, Any]:
    """A lot that will not come. Raises NotFound, WrongState: there is none, or it failed or was recalled already."""
    if before is None:
        raise NotFound(f"there is no lot {lot[:80]!r}", "lots", "see GET …/lots for the ids")
    if before.get("state") in ("failed", "recalled"):
        raise WrongState(f"the lot is {before['state']} already", lot, "nothing is left to do")
    return {**before, "state": "failed", "why": why}


def check_bag(lot: str, row: Row, others: Iterable[Row]) -> None:
    """Raises Conflict: another lot offers bags of the same GTIN and batch."""
    bag = (row.get("gtin"), row.get("batch"))
    for other in others:
        if (
            (other.get("gtin"), other.get("batch")) == bag
            and other.get("state") != "failed"
            and other["id"] != lot
        ):
            raise Conflict(
                f"the batch {bag[1]} of this GTIN is offered already, as {other['id']}",
                "batch",
                "give it a batch of its own",
            )


def next_id(product_code: str, first: date, taken: Iterable[str]) -> str:
    """The id of a new lot: `rice-2027-03`, the first that nobody has."""
    known = set(taken)
    return next(
        name
        for number in range(1, len(known) + 2)
        if (name := f"{product_code}-{first.year}-{number:02d}") not in known
    )


def last_day(row: Row) -> date:
    """The last day on which a lot can be delivered: of its window, and before it spoils."""
    first = day(row["from"], "from")
    return min(day(row["until"], "until"), first + timedelta(days=int(row.get("shelf_life_d") or 0)))


def findings(
    lots: Iterable[Mapping[str, Any]],
    producers: Iterable[str] | None,
    prices: Mapping[str, LastPrice],
    today: date,
) -> list[Finding]:
    """What is wrong or odd in all lots of a layer, whoever wrote them: other programs write the layer too.

    Args:
        lots: rows with their `id`.
        producers: ids of those that are known; None where they may not be seen.
        prices: the last price of each product that has one.
        today: what is over before it has expired.
    """
    known, found = None if producers is None else set(producers), []
    rows = list(lots)
    bags = Counter(
        (row.get("gtin"), row.get("batch"))
        for row in rows
        if row.get("batch") and row.get("state") not in ("failed",)
    )
    for row in rows:
        if row.get("state") == "recalled":
            continue
        for code, level, ko, en in _wrong(row, known, prices, today, bags):
            found.append(Finding(code, Name(ko, en), str(row["id"]), level, "lots"))
    return found


def _wrong(
    row: Row,
    producers: set[str] | None,
    prices: Mapping[str, LastPrice],
    today: date,
    bags: Mapping[tuple[Any, Any], int],
) -> Iterable[Any]:
    quantity, promised = float(row.get("quantity_kg") or 0), float(row.get("promised_kg") or 0)
    if quantity < 0 or promised < 0:
        yield (
            "negative",
            "bad",
            f"수량이 음수입니다: {min(quantity, promised):g} kg",
            f"a negative quantity: {min(quantity, promised):g} kg",
        )
    elif promised > quantity:
        yield (
            "doubly-promised", "bad",
            f"{quantity:g} kg 가운데 {promised:g} kg을 약속했습니다. {promised - quantity:g} kg을 줄이세요",
            f"{promised:g} kg are promised of {quantity:g} kg; take back {promised - quantity:g} kg",
        )  # fmt: skip
    if bags[(row.get("gtin"), row.get("batch"))] > 1 and row.get("state") != "failed":
        yield (
            "doubly-promised", "bad",
            f"같은 GTIN·로트 번호({row['batch']})로 두 번 올렸습니다. 로트 번호를 바꾸세요",
            f"the batch {row['batch']} is offered twice under the same GTIN; give one of them another batch",
        )  # fmt: skip
    one = products().get(str(row.get("product")))
    if one is None:
        yield (
            "unknown-product",
            "bad",
            f"모르는 품목입니다: {row.get('product')}",
            f"nobody knows the product {row.get('product')!r}",
        )
    try:
        if day(row.get("until"), "until") < day(row.get("from"), "from"):
            yield (
                "window-reversed", "bad", f"마감일 {row['until']}이 시작일 {row['from']}보다 앞섭니다",
                f"it ends on {row['until']}, before it begins on {row['from']}",
            )  # fmt: skip
        elif last_day(row) < today and row.get("state") in ("offered", "promised"):
            yield "expired", "bad", f"{last_day(row)}에 기한이 지났습니다", f"it expired on {last_day(row)}"
    except BadParameter:
        yield "window-unknown", "bad", "출하 기간을 읽을 수 없습니다", "its window is not written as days"
    if producers is not None and row.get("producer") not in producers:
        yield (
            "unknown-producer",
            "warn",
            f"모르는 생산자입니다: {row.get('producer')}",
            f"nobody knows the producer {row.get('producer')!r}",
        )
    price, market = float(row.get("price_krw_kg") or 0), prices.get(str(row.get("product")))
    if market is not None and price and not market.krw_kg / FAR <= price <= market.krw_kg * FAR:
        yield (
            "price-far", "warn",
            f"{price:,.0f} 원/kg은 마지막 도매가격({market.date}, {market.krw_kg:,.0f} 원/kg)과 많이 다릅니다",
            f"{price:,.0f} ₩/kg is far from the last wholesale price ({market.date}, {market.krw_kg:,.0f} ₩/kg)",
        )  # fmt: skip
    if row.get("state") == "failed":
        yield (
            "failed",
            "info",
            f"실패한 물량입니다: {row.get('why') or ''}",
            f"the lot failed: {row.get('why') or ''}",
        )
    if not row.get("source"):
        yield (
            "no-source",
            "warn",
            "출처가 없습니다. 가정이면 assumed라고 적으세요",
            "it has no source; write assumed where it is an assumption",
        )
