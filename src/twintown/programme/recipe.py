"""Recipes: which produce a meal takes, grams a meal, and what is in it that some may not eat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twintown.ground.errors import BadData, BadParameter
from twintown.ground.names import Name
from twintown.programme.product import allergens_of, products


@dataclass(frozen=True)
class Line:
    """One product of a recipe.

    Args:
        product: its code.
        g_meal: grams a meal, as bought.
    """

    product: str
    g_meal: float


@dataclass(frozen=True)
class Recipe:
    """One dish.

    Args:
        id: of the recipe.
        name: in both languages.
        lines: what it takes.
        allergens: numbers of the list, those of its products included.
        weekdays: on which it is served where no menu is said, 1 Monday to 7 Sunday.
    """

    id: str
    name: Name
    lines: tuple[Line, ...]
    allergens: frozenset[int]
    weekdays: tuple[int, ...]


def recipes_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Recipe]:
    """The recipes of the layer `recipes`, one row a product.

    Raises BadData: a row that cannot be used; names it.
    """
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        parts.setdefault(str(row.get("recipe") or ""), []).append(row)
    return {id: _recipe(id, lines) for id, lines in parts.items()}


def _recipe(id: str, rows: Sequence[Mapping[str, Any]]) -> Recipe:
    lines: list[Line] = []
    held: set[int] = set()
    weekdays: set[int] = set()
    known = products()
    for row in rows:
        where, code, grams = (
            f"recipes {row.get('id')}",
            str(row.get("product") or ""),
            float(row.get("g_meal") or 0),
        )
        if code not in known:
            raise BadData(f"nobody knows the product {code!r}", where, f"products are {', '.join(known)}")
        if not grams > 0:
            raise BadData(f"{grams:g} g a meal is no amount", where, "give the grams a meal")
        lines.append(Line(code, grams))
        try:
            held |= allergens_of(str(row.get("allergens") or "")) | set(known[code].allergens)
        except BadParameter as error:
            raise BadData(error.what, where, error.remedy) from error
        weekdays |= {int(one) for one in str(row.get("weekdays") or "").split(",") if one.strip().isdigit()}
    name = Name.of({"ko": str(rows[0].get("name_ko") or id), "en": str(rows[0].get("name_en") or id)})
    return Recipe(id, name, tuple(lines), frozenset(held), tuple(sorted(weekdays)))


def menu_of(
    recipes: Mapping[str, Recipe], said: Sequence[Sequence[str]] | None
) -> list[tuple[Recipe, ...]] | None:
    """A menu that was said, day by day; None where none was, and the recipes' weekdays count.

    Raises BadParameter: a recipe that nobody knows.
    """
    if not said:
        return None
    for number, ids in enumerate(said):
        for id in ids:
            if id not in recipes:
                raise BadParameter(
                    "menu",
                    f"there is no recipe {id[:60]!r}",
                    f"menu/{number}",
                    f"recipes are {', '.join(recipes)}",
                )
    return [tuple(recipes[id] for id in ids) for ids in said]
