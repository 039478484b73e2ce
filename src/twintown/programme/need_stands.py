"""What the stands of an event need: visitors by hour × who buys × what they take home. Every number of the mix is an assumption that
is named and that an officer can change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.names import Name
from twintown.programme.produce_finding import Basis
from twintown.programme.product import instead_text, product, products


@dataclass(frozen=True)
class Hour:
    """How many visitors come in one hour.

    Args:
        start: its beginning, with its zone.
        expected, low, high: visitors, and the bounds between which they are with 80 %.
    """

    start: datetime
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class Basket:
    """What buyers take of one product: `share` of them, `kg` each."""

    share: float
    kg: float


@dataclass(frozen=True)
class Mix:
    """Who buys what.

    Args:
        buying_share: of the visitors, who buy anything.
        error: of that share and the baskets together, a part of the quantity (80 %).
        baskets: by product; those of `products.toml` where none is said.
        grade_min: the least grade.
        before_h: a delivery comes from so many hours before the stands open until half an hour before.
        weight: how much a kilogram that does not come counts; 1 is normal.
    """

    buying_share: float = 0.10
    error: float = 0.30
    baskets: Mapping[str, Basket] = field(default_factory=dict)
    grade_min: str = "upper"
    before_h: float = 3.0
    weight: float = 1.0

    def basket(self, code: str) -> Basket:
        """Of one product."""
        one = product(code, "products")
        return self.baskets.get(code) or Basket(one.share, one.kg)

    def basis(self, codes: Sequence[str]) -> list[Basis]:
        """The numbers by name."""
        share, error = f"{100 * self.buying_share:g} %", f"± {100 * self.error:g} %"
        told = [
            ("buying-share", f"방문객의 {share}가 삽니다", f"{share} of the visitors buy"),
            ("mix-error", f"구매 비율과 장바구니의 오차 {error}", f"Who buys what varies by {error}"),
        ]
        for code in codes:
            name, one = products()[code].name, self.basket(code)
            part = f"{100 * one.share:g} %"
            words = (
                f"산 사람의 {part}가 {name.ko} {one.kg:g} kg씩 삽니다",
                f"{part} of buyers take {one.kg:g} kg of {name.en.lower()}",
            )
            told.append((f"basket-{code}", *words))
        return [Basis(code, Name(ko, en), "assumed") for code, ko, en in told]


def check_mix(mix: Mix) -> Mix:
    """The mix itself. Raises BadParameter: it cannot be; names the field."""
    from twintown.programme.product import grades_from

    grades_from(mix.grade_min)
    for code, one in mix.baskets.items():
        product(code, "mix/baskets")
        if not 0 <= one.share <= 1:
            raise BadParameter(
                "mix/baskets", f"a share of {one.share:g} of the buyers is not possible", code, "give 0 to 1"
            )
        if not 0 < one.kg <= 1000:
            raise BadParameter(
                "mix/baskets", f"{one.kg:g} kg a buyer is not possible", code, "give 0 to 1000"
            )
    return mix


def stand_needs(
    event: str,
    stands: Sequence[Mapping[str, Any]],
    hours: Sequence[Hour],
    mix: Mix,
    spread: float | None = None,
) -> list[dict[str, Any]]:
    """The rows of the layer `needs` for one event: one a day, stand and product, rounded up to whole units.

    Stands that sell the same product share its buyers equally.

    Args:
        event: its id.
        stands: of the event: `id`, `name`, `lon`, `lat`, `products`.
        hours: visitors who come, hour by hour, in the city's time.
        spread: half of the width of the visitors' error, a part of them; of the hours of each day by default, as if all of a day
            were wrong together.

    Raises:
        BadParameter: a stand sells what nobody knows.
        BadInput: there is no stand, or none sells anything, or nobody comes.
    """
    if not any(one.get("products") for one in stands):
        raise BadInput("no stand of the event sells anything", event, "place a stand and say what it sells")
    sellers: dict[str, int] = {}
    for stand in stands:
        for code in dict.fromkeys(stand.get("products") or ()):
            product(code, f"stands/{stand['id']}/products")
            sellers[code] = sellers.get(code, 0) + 1
    days: dict[str, list[Hour]] = {}
    for hour in hours:
        days.setdefault(hour.start.date().isoformat(), []).append(hour)
    rows = []
    for iso, some in sorted(days.items()):
        comes = sum(hour.expected for hour in some)
        if comes <= 0:
            continue
        wide = sum(hour.high - hour.low for hour in some) / 2 / comes if spread is None else spread
        opens = min(hour.start.hour + hour.start.minute / 60 for hour in some)
        for stand in stands:
            for code in dict.fromkeys(stand.get("products") or ()):
                one, basket = products()[code], mix.basket(code)
                kilograms = comes * mix.buying_share * basket.share * basket.kg / sellers[code]
                quantity = math.ceil(round(kilograms / one.unit_kg, 6)) * one.unit_kg
                if quantity <= 0:
                    continue
                name = stand.get("name") or {}
                sum_ = f"{comes:,.0f} visitors × {mix.buying_share:g} × {basket.share:g} × {basket.kg:g} kg"
                rows.append(
                    {
                        "id": f"{event}.{iso}.{stand['id']}.{code}", "place": str(stand["id"]), "place_kind": "stand", "event": event,
                        "name_ko": f"{name.get('ko') or stand['id']} {one.name.ko}",
                        "name_en": f"{name.get('en') or stand['id']} {one.name.en}",
                        "product": code, "quantity_kg": quantity, "error_kg": round(quantity * math.hypot(wide, mix.error), 1),
                        "date": iso, "from_h": max(opens - mix.before_h, 0.0), "until_h": max(opens - 0.5, 0.5),
                        "price_max_krw_kg": 0.0, "grade_min": mix.grade_min, "allergens_not": "", "substitutes": instead_text(code),
                        "weight": mix.weight, "source": "computed",
                        "note": f"{sum_} ÷ {sellers[code]} stands (assumed)",
                        "lon": stand.get("lon"), "lat": stand.get("lat"),
                    }
                )  # fmt: skip
    if not rows:
        raise BadInput("nobody is expected at the event", event, "say how many visitors come")
    return rows
