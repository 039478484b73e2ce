"""Products: what is offered and needed, how it is packed, what it cost last; and the words for grades and allergens.

All of it stands in `products.toml`, with what is assumed and where the rest is from.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name

#: Grades, the best first.
GRADES = ("special", "upper", "middle")


@dataclass(frozen=True)
class Product:
    """One kind of produce.

    Args:
        code: `rice`, `sweet-potato`, …
        name: in Korean, English and Vietnamese.
        gtin: of one unit, 14 digits, of a prefix for restricted circulation.
        unit_kg: kilograms in one unit (a bag, a box).
        shelf_d: days that it keeps, assumed; a lot says its own.
        allergens: numbers of the list of allergens.
        prices: column of the layer `prices` → kilograms that its price is for.
        share, kg: of a stand's buyers how many take it, and how much each, assumed.
        instead: product that can take its place → kilograms for each kilogram.
    """

    code: str
    name: Name
    gtin: str
    unit_kg: float
    shelf_d: int
    allergens: tuple[int, ...]
    prices: Mapping[str, float]
    share: float
    kg: float
    instead: Mapping[str, float]


@lru_cache(1)
def _read() -> Mapping[str, Mapping[str, object]]:
    said: Mapping[str, Mapping[str, object]] = tomllib.loads(
        Path(__file__).with_name("products.toml").read_text(encoding="utf-8")
    )
    return said


@lru_cache(1)
def products() -> Mapping[str, Product]:
    """Every product that is known, by code."""
    return {code: _product(code, said) for code, said in _read()["product"].items()}


def _product(code: str, said: object) -> Product:
    assert isinstance(said, dict)
    stand = said["stand"]
    return Product(
        code, Name.of(said["name"]), said["gtin"], said["unit_kg"], said["shelf_d"], tuple(said.get("allergens", ())),
        dict(said.get("prices", {})), stand["share"], stand["kg"], dict(said.get("instead", {})),
    )  # fmt: skip


def product(code: str, where: str = "product") -> Product:
    """One product. Raises BadParameter: nobody knows it."""
    found = products().get(code)
    if found is None:
        raise BadParameter(
            where, f"there is no product {code[:60]!r}", remedy=f"products are {', '.join(products())}"
        )
    return found


@lru_cache(1)
def grades() -> Mapping[str, Name]:
    """What grades are called, the best first."""
    return {code: Name.of(_read()["grade"][code]) for code in GRADES}


@lru_cache(1)
def allergens() -> Mapping[int, Name]:
    """What the numbers of the list of allergens mean."""
    return {int(number): Name.of(said) for number, said in _read()["allergen"].items()}


def allergens_of(text: str, where: str = "allergens") -> frozenset[int]:
    """The numbers in a text such as `5,11`. Raises BadParameter: one of them means nothing."""
    found = set()
    for part in text.replace(" ", "").split(","):
        if not part:
            continue
        if not part.isdigit() or int(part) not in allergens():
            raise BadParameter(
                where,
                f"{part[:20]!r} is no allergen",
                remedy="use the numbers 1 to 19 of the list, such as 5,11",
            )
        found.add(int(part))
    return frozenset(found)


def holidays() -> tuple[frozenset[str], frozenset[str]]:
    """Days without school meals: `MM-DD` of every year, and dates of single years (ISO 8601)."""
    said = _read()["holidays"]
    fixed, moving = said["fixed"], said["moving"]
    assert isinstance(fixed, list) and isinstance(moving, list)
    return frozenset(fixed), frozenset(moving)


def instead_text(code: str) -> str:
    """What may take a product's place, as the column `substitutes` of a need writes it: `potato:1.0,…`."""
    return ",".join(f"{other}:{ratio:g}" for other, ratio in products()[code].instead.items())


def instead_of(text: str, where: str = "substitutes") -> dict[str, float]:
    """The inverse. Raises BadParameter: it is no such text."""
    found: dict[str, float] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        code, _, ratio = part.partition(":")
        product(code, where)
        try:
            found[code] = float(ratio or 1)
        except ValueError as error:
            raise BadParameter(where, f"{ratio[:20]!r} is no number", remedy="write potato:1.0") from error
        if not 0 < found[code] <= 100:
            raise BadParameter(
                where, f"{ratio[:20]!r} kg for a kg is not possible", remedy="write potato:1.0"
            )
    return found


def check_digit(body: str) -> str:
    """The last digit of a GTIN from those before it (GS1 General Specifications, 7.9: weights 3 and 1 from the right)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def check_gtin(text: str, where: str = "gtin") -> str:
    """The number itself, with 14 digits. Raises BadParameter: it is none, or its check digit is wrong."""
    if not (text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14)):
        raise BadParameter(where, f"{text[:30]!r} is no GTIN", remedy="it has 8, 12, 13 or 14 digits")
    if check_digit(text[:-1]) != text[-1]:
        raise BadParameter(
            where,
            f"the check digit of {text} is wrong",
            remedy=f"it would be {text[:-1]}{check_digit(text[:-1])}",
        )
    return text.zfill(14)


@dataclass(frozen=True)
class LastPrice:
    """What one kilogram cost last, wholesale.

    Args:
        krw_kg: won.
        date: the day, ISO 8601.
        column: of the layer `prices`.
    """

    krw_kg: float
    date: str
    column: str


def last_price(one: Product, known: Mapping[str, tuple[str, float]]) -> LastPrice | None:
    """The latest price of a product; none where the data has none (peaches).

    Args:
        known: the last price of each column of the layer `prices`, and its day.
    """
    found = [
        LastPrice(known[name][1] / kg, known[name][0], name)
        for name, kg in one.prices.items()
        if name in known
    ]
    return max(found, key=lambda price: price.date, default=None)


def grades_from(least: str) -> Sequence[str]:
    """A grade and those above it. Raises BadParameter: there is no such grade."""
    if least not in GRADES:
        raise BadParameter(
            "grade_min", f"there is no grade {least[:30]!r}", remedy=f"use one of {', '.join(GRADES)}"
        )
    return GRADES[: GRADES.index(least) + 1]
