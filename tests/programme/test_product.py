import pytest

from twintown.ground.errors import BadParameter
from twintown.programme import product as module
from twintown.programme.product import (
    allergens,
    allergens_of,
    check_digit,
    check_gtin,
    instead_of,
    instead_text,
    last_price,
    product,
    products,
)


def test_the_check_digit_is_that_of_the_example_in_the_specification():
    assert check_digit("629104150021") == "3"  # GS1 General Specifications, 7.9.1


def test_every_product_has_a_gtin_of_restricted_circulation_with_a_good_check_digit_of_its_own():
    found = [one.gtin for one in products().values()]
    assert all(check_gtin(one) == one and len(one) == 14 for one in found)
    assert all(200 <= int(one[1:4]) <= 299 for one in found)
    assert len(set(found)) == len(found)


def test_a_wrong_check_digit_is_refused_with_the_right_one():
    with pytest.raises(BadParameter, match="02900000000018"):
        check_gtin("02900000000019")


def test_a_short_gtin_is_filled_to_fourteen_digits():
    assert check_gtin("2900000000018") == "02900000000018"


def test_every_product_is_named_in_three_languages_and_every_substitute_is_a_product():
    for one in products().values():
        assert one.name.ko and one.name.en and dict(one.name.more)["vi"]
        assert all(other in products() for other in one.instead)
        assert all(number in allergens() for number in one.allergens)


def test_an_unknown_product_is_named_with_those_that_are_known():
    with pytest.raises(BadParameter, match=r"ginseng.*rice") as caught:
        product("ginseng")
    assert caught.value.name == "product"


def test_allergens_are_the_numbers_of_the_list():
    assert allergens_of("5, 11") == {5, 11}
    with pytest.raises(BadParameter, match="20"):
        allergens_of("5,20")


def test_substitutes_are_written_and_read_alike():
    for code in products():
        assert instead_of(instead_text(code)) == dict(products()[code].instead)
    with pytest.raises(BadParameter):
        instead_of("potato:-1")


def test_of_several_columns_the_latest_price_counts_by_the_kilogram():
    known = {"rice_20kg": ("2023-04-07", 46_580.0), "new_rice_20kg": ("2022-10-24", 47_320.0)}
    price = last_price(product("rice"), known)
    assert price is not None
    assert (price.krw_kg, price.date, price.column) == (2329.0, "2023-04-07", "rice_20kg")


def test_a_product_that_the_data_has_no_price_of_has_none():
    assert last_price(product("peach"), {"rice_20kg": ("2023-04-07", 1.0)}) is None


def test_the_moving_holidays_hold_the_harvest_festival_of_each_year():
    fixed, moving = module.holidays()
    assert {"2026-09-25", "2027-09-15", "2028-10-03"} <= moving
    assert "08-15" in fixed
