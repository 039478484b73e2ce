from datetime import date

import numpy as np
import pytest

from twintown.ground.errors import BadParameter
from twintown.programme.kitchen import Terms, check_terms, needs, school_days
from twintown.programme.need import checked
from twintown.programme.product import LastPrice
from twintown.programme.recipe import menu_of, recipes_of

ROWS = [
    {
        "id": "1",
        "recipe": "rice",
        "name_ko": "쌀밥",
        "name_en": "Rice",
        "product": "rice",
        "g_meal": 80.0,
        "weekdays": "1,2,3,4,5",
    },
    {
        "id": "2",
        "recipe": "salad",
        "name_ko": "샐러드",
        "name_en": "Salad",
        "product": "lettuce-red",
        "g_meal": 20.0,
        "weekdays": "2",
    },
    {
        "id": "3",
        "recipe": "salad",
        "name_ko": "샐러드",
        "name_en": "Salad",
        "product": "cucumber",
        "g_meal": 30.0,
        "weekdays": "2",
    },
    {
        "id": "4",
        "recipe": "peach",
        "name_ko": "복숭아",
        "name_en": "Peach",
        "product": "peach",
        "g_meal": 90.0,
        "weekdays": "4",
    },
]
RECIPES = recipes_of(ROWS)
KITCHENS = [
    {
        "id": "a",
        "name_ko": "가",
        "name_en": "A",
        "meals_d": 500,
        "allergens_not": None,
        "lon": 127.1,
        "lat": 37.5,
    },
    {
        "id": "b",
        "name_ko": "나",
        "name_en": "B",
        "meals_d": 200,
        "allergens_not": "11",
        "lon": 127.2,
        "lat": 37.5,
    },
    {
        "id": "c",
        "name_ko": "다",
        "name_en": "C",
        "meals_d": 0,
        "allergens_not": "",
        "lon": 127.3,
        "lat": 37.5,
    },
]
WEEK = [date(2027, 9, day) for day in range(20, 25)]


def made(kitchens=KITCHENS, days=WEEK, menu=None, terms=None, prices=None):
    columns, found = needs(kitchens, RECIPES, days, menu, terms or Terms(), prices or {})
    rows = [
        dict(zip(columns, values, strict=True))
        for values in zip(*(one.tolist() for one in columns.values()), strict=True)
    ]
    return {(row["place"], row["date"], row["product"]): row for row in rows}, found


def test_a_kitchen_needs_meals_times_grams_on_the_days_of_the_dish():
    rows, _ = made()
    assert rows["a", "2027-09-20", "rice"]["quantity_kg"] == 40.0
    assert rows["b", "2027-09-21", "cucumber"]["quantity_kg"] == 6.0
    assert rows["a", "2027-09-23", "peach"]["quantity_kg"] == 45.0
    assert ("a", "2027-09-20", "cucumber") not in rows
    assert not any(place == "c" for place, _, _ in rows)


def test_a_kitchen_that_does_not_serve_an_allergen_gets_none_of_the_dish_and_is_named():
    rows, found = made()
    assert ("b", "2027-09-23", "peach") not in rows
    assert [(one.code, one.row) for one in found] == [("allergen", "b")]
    assert "Peach" in found[0].text.en and "복숭아" in found[0].text.ko


def test_a_menu_goes_day_by_day_and_begins_again():
    rows, _ = made(menu=menu_of(RECIPES, [["rice"], ["salad", "rice"]]))
    assert [("a", day.isoformat(), "lettuce-red") in rows for day in WEEK] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_a_menu_with_an_unknown_dish_is_refused():
    with pytest.raises(BadParameter, match="soup"):
        menu_of(RECIPES, [["soup"]])


def test_dishes_of_one_day_that_take_the_same_product_are_one_need():
    recipes = recipes_of(
        [*ROWS, {**ROWS[0], "id": "5", "recipe": "porridge", "g_meal": 20.0, "weekdays": "1"}]
    )
    columns, _ = needs(KITCHENS[:1], recipes, WEEK[:1], None, Terms(), {})
    assert columns["quantity_kg"].tolist() == [50.0]


def test_no_meals_are_served_on_weekends_and_public_holidays():
    days = school_days(date(2027, 9, 10), date(2027, 9, 21), [date(2027, 9, 20)])
    # Chuseok: 14, 15 and 16 September 2027
    assert [one.day for one in days] == [10, 13, 17, 21]
    assert date(2028, 10, 3) not in school_days(date(2028, 9, 25), date(2028, 10, 6))


def test_a_period_that_is_reversed_or_too_long_is_refused():
    with pytest.raises(BadParameter):
        school_days(date(2027, 9, 2), date(2027, 9, 1))
    with pytest.raises(BadParameter):
        school_days(date(2027, 1, 1), date(2029, 1, 1))


def test_the_price_limit_follows_the_last_wholesale_price_and_there_is_none_without_one():
    rows, _ = made(
        prices={"rice": LastPrice(2000.0, "2023-04-07", "rice_20kg")}, terms=Terms(price_factor=1.5)
    )
    assert rows["a", "2027-09-20", "rice"]["price_max_krw_kg"] == 3000.0
    assert rows["a", "2027-09-23", "peach"]["price_max_krw_kg"] == 0.0


def test_each_row_can_be_kept():
    rows, _ = made()
    for row in rows.values():
        assert checked(row)["place_kind"] == "kitchen"
    assert len({row["id"] for row in rows.values()}) == len(rows)


def test_four_hundred_kitchens_on_sixty_days_are_made_at_once():
    many = [
        {"id": f"k{at}", "name_ko": "가", "name_en": "A", "meals_d": 100 + at, "allergens_not": ""}
        for at in range(400)
    ]
    days = school_days(date(2027, 3, 2), date(2027, 12, 31))[:60]
    columns, _ = needs(many, RECIPES, days, None, Terms(), {})
    served = sum(1 + 2 * (day.isoweekday() == 2) + (day.isoweekday() == 4) for day in days)
    assert len(columns["id"]) == 400 * served == len(np.unique(columns["id"]))
    assert columns["quantity_kg"][columns["place"] == "k399"].min() == pytest.approx(499 * 0.02)


def test_no_day_is_no_need():
    columns, found = needs(KITCHENS, RECIPES, [], None, Terms(), {})
    assert len(columns["id"]) == 0 and found == []


def test_a_kitchen_with_fewer_than_no_meals_is_named():
    with pytest.raises(BadParameter, match="a has"):
        needs([{**KITCHENS[0], "meals_d": -1}], RECIPES, WEEK, None, Terms(), {})


def test_terms_that_cannot_be_are_refused():
    with pytest.raises(BadParameter):
        check_terms(Terms(from_h=9.0, until_h=9.0))
    with pytest.raises(BadParameter):
        check_terms(Terms(grade_min="best"))
