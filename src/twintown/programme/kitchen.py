"""Public kitchens: what they need, meals × recipe × day, all kitchens at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name
from twintown.programme.produce_finding import Basis, Finding
from twintown.programme.product import (
    GRADES,
    LastPrice,
    allergens_of,
    grades,
    holidays,
    instead_text,
    products,
)
from twintown.programme.recipe import Recipe

#: Days in one period, at most.
DAYS = 400


@dataclass(frozen=True)
class Terms:
    """What kitchens ask of what they buy; every number is an assumption that an officer can change.

    Args:
        grade_min: the least grade.
        price_factor: times the last wholesale price, the most that is paid; 0 sets no limit.
        error: of the number of meals, a part of it (80 %).
        from_h, until_h: between which hours a delivery comes.
        weight: how much a kilogram that does not come counts; 1 is normal.
    """

    grade_min: str = "upper"
    price_factor: float = 1.5
    error: float = 0.05
    from_h: float = 6.0
    until_h: float = 9.0
    weight: float = 1.0

    def basis(self) -> list[Basis]:
        """The numbers by name."""
        least = grades()[self.grade_min]
        times, hours = self.price_factor, f"{self.from_h:g}–{self.until_h:g}"
        told = [
            ("meal-error", f"식수 오차 ± {100 * self.error:g} %", f"Meals vary by ± {100 * self.error:g} %"),
            ("delivery-window", f"배달 {hours}시", f"Delivered {hours} h"),
            ("grade", f"최저 등급 ‘{least.ko}’", f"Least grade: ‘{least.en}’"),
        ]
        if times:
            limit = (
                f"가격 상한: 마지막 도매가격 × {times:g}",
                f"Highest price: {times:g} × the last wholesale price",
            )
            told.append(("price-limit", *limit))
        return [Basis(code, Name(ko, en), "assumed") for code, ko, en in told]


def school_days(first: date, last: date, closed: Sequence[date] = ()) -> list[date]:
    """The days with school meals: Monday to Friday, less public holidays and those that are said to be closed.

    Raises BadParameter: the period is reversed, or too long.
    """
    if last < first:
        raise BadParameter(
            "until", f"{last} is before {first}", remedy="the last day is not before the first"
        )
    if (last - first).days >= DAYS:
        raise BadParameter("until", f"more than {DAYS} days", remedy="ask for a shorter period")
    fixed, moving = holidays()
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        one
        for one in every
        if one.weekday() < 5
        and one.isoformat()[5:] not in fixed
        and one.isoformat() not in moving
        and one not in closed
    ]


def needs(
    kitchens: Sequence[Mapping[str, Any]], recipes: Mapping[str, Recipe], days: Sequence[date], menu: Sequence[Sequence[Recipe]] | None,
    terms: Terms, prices: Mapping[str, LastPrice],
) -> tuple[dict[str, NDArray[Any]], list[Finding]]:  # fmt: skip
    """What kitchens need, as columns of the layer `needs` (one entry a kitchen, day and product) with the column `kitchen`, the
    number of the kitchen that each is for.

    Args:
        kitchens: rows of the layer `kitchens`, with `id`.
        days: with meals.
        menu: recipes day by day, begun again at its end; None: by the recipes' weekdays.

    Returns:
        the columns, float64 kilograms among them; and the dishes that some kitchen does not serve.

    Raises BadParameter: a kitchen's meals or allergens cannot be used.
    """
    served = [
        tuple(menu[number % len(menu)])
        if menu
        else tuple(one for one in recipes.values() if day.isoweekday() in one.weekdays)
        for number, day in enumerate(days)
    ]
    meals = np.array([float(row.get("meals_d") or 0) for row in kitchens])
    if (meals < 0).any():
        raise BadParameter("meals_d", f"{kitchens[int(meals.argmin())]['id']} has a negative number of meals")
    shunned = [
        allergens_of(str(row.get("allergens_not") or ""), f"{row['id']}/allergens_not") for row in kitchens
    ]
    groups: dict[frozenset[int], list[int]] = {}
    for number, one in enumerate(shunned):
        groups.setdefault(one, []).append(number)
    codes = sorted({line.product for dishes in served for dish in dishes for line in dish.lines})
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    for without, members in groups.items():
        grams = np.zeros((len(days), len(codes)))
        for number, dishes in enumerate(served):
            for dish in dishes:
                if not dish.allergens & without:
                    for line in dish.lines:
                        grams[number, codes.index(line.product)] += line.g_meal
        at, what = np.nonzero(grams)
        who = np.array(members, np.int64)
        parts.append((
            np.repeat(who, len(at)), np.tile(at, len(who)), np.tile(what, len(who)),
            (meals[who][:, None] * grams[at, what][None, :] / 1000).ravel(),
        ))  # fmt: skip
    kitchen, at, what = (
        np.concatenate([part[n] for part in parts] or [np.empty(0, np.int64)]) for n in range(3)
    )
    kilograms = np.concatenate([part[3] for part in parts] or [np.empty(0)])
    some = kilograms > 0
    kitchen, at, what, kilograms = kitchen[some], at[some], what[some], kilograms[some]
    return _columns(kitchens, codes, days, (kitchen, at, what, kilograms), terms, prices), _shunned(
        kitchens, shunned, served
    )


def _columns(
    kitchens: Sequence[Mapping[str, Any]], codes: Sequence[str], days: Sequence[date], cells: tuple[NDArray[Any], ...], terms: Terms,
    prices: Mapping[str, LastPrice],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    kitchen, at, what, kilograms = cells
    count, known = len(kilograms), products()

    def of(values: Sequence[Any], index: NDArray[Any]) -> NDArray[Any]:
        return np.array(values, object)[index] if count else np.empty(0, object)

    limits = np.array([
        round(terms.price_factor * prices[code].krw_kg) if code in prices and terms.price_factor else 0.0 for code in codes
    ], float)  # fmt: skip
    ids, iso = [str(row["id"]) for row in kitchens], [day.isoformat() for day in days]
    return {
        "id": of([f"{id}." for id in ids], kitchen) + of([f"{day}." for day in iso], at) + of(codes, what),
        "kitchen": kitchen, "place": of(ids, kitchen), "place_kind": np.full(count, "kitchen", object), "event": np.full(count, "", object),
        "name_ko": of([row.get("name_ko") or "" for row in kitchens], kitchen) + " " + of([known[code].name.ko for code in codes], what),
        "name_en": of([row.get("name_en") or "" for row in kitchens], kitchen) + " " + of([known[code].name.en for code in codes], what),
        "product": of(codes, what), "quantity_kg": np.round(kilograms, 3), "error_kg": np.round(kilograms * terms.error, 3),
        "date": of(iso, at), "from_h": np.full(count, terms.from_h), "until_h": np.full(count, terms.until_h),
        "price_max_krw_kg": limits[what] if count else np.empty(0), "grade_min": np.full(count, terms.grade_min, object),
        "allergens_not": of([row.get("allergens_not") or "" for row in kitchens], kitchen),
        "substitutes": of([instead_text(code) for code in codes], what), "weight": np.full(count, terms.weight),
        "source": np.full(count, "computed", object),
    }  # fmt: skip


def _shunned(
    kitchens: Sequence[Mapping[str, Any]],
    shunned: Sequence[frozenset[int]],
    served: Sequence[Sequence[Recipe]],
) -> list[Finding]:
    from twintown.programme.product import allergens

    dishes = {dish.id: dish for day in served for dish in day}
    words = allergens()
    found = []
    for row, without in zip(kitchens, shunned, strict=True):
        for dish in dishes.values():
            if held := sorted(dish.allergens & without):
                ko, en = (", ".join(words[number][lang] for number in held) for lang in ("ko", "en"))
                text = Name(
                    f"{row.get('name_ko')}: {dish.name.ko}에 {ko}이(가) 있어 뺐습니다. 다른 음식을 정하세요",
                    f"{row.get('name_en')}: {dish.name.en} holds {en} and is left out; choose another dish",
                )
                found.append(Finding("allergen", text, str(row["id"]), "warn", "kitchens"))
    return found


def check_terms(terms: Terms) -> Terms:
    """The terms themselves. Raises BadParameter: they cannot be."""
    if terms.grade_min not in GRADES:
        raise BadParameter(
            "grade_min",
            f"there is no grade {terms.grade_min[:30]!r}",
            remedy=f"use one of {', '.join(GRADES)}",
        )
    if terms.until_h <= terms.from_h:
        raise BadParameter(
            "until_h",
            f"{terms.until_h:g} h is not after {terms.from_h:g} h",
            remedy="end after the beginning",
        )
    return terms
