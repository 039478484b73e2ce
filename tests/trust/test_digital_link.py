"""GS1 Digital Links: check digits, batches, and the numbers that belong to nobody in the world."""

from __future__ import annotations

import pytest

from twintown.ground.errors import BadParameter
from twintown.trust.digital_link import SET_82, batch_of, check_digit, gtin14, link, parse, restricted

BASE = "https://icheon.example/twins/icheon"


def test_the_check_digit_is_that_of_the_general_specifications() -> None:
    assert check_digit("629104150021") == "3"  # the example of section 7.9.1
    assert check_digit("0952012345678") == "8"


def test_shorter_numbers_are_written_with_fourteen_digits() -> None:
    assert gtin14("6291041500213") == "06291041500213"
    assert gtin14("40170725") == "00000040170725"


@pytest.mark.parametrize(
    "text", ["", "6291041500214", "629104150021", "٦٢٩١٠٤١٥٠٠٢١٣", "12345", "0629104150021300"]
)
def test_what_is_no_gtin_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        gtin14(text)


def test_a_batch_has_the_eighty_two_characters_and_at_most_twenty() -> None:
    assert len(SET_82) == 82
    assert batch_of("A-1/b_(2)%") == "A-1/b_(2)%"
    for wrong in ("", "a b", "가", "x" * 21, "#1"):
        with pytest.raises(BadParameter):
            batch_of(wrong)


@pytest.mark.parametrize("batch", ["ICN-2027-01", "A/B", "50%", "a+b?c=d", "x:y;z"])
def test_a_link_comes_back_as_it_went_whatever_the_batch(batch: str) -> None:
    made = link(BASE, "02900000000018", batch)
    assert parse(made.url) == made
    assert "/" not in made.url.rpartition("/10/")[2]


@pytest.mark.parametrize(
    "url",
    ["", "icheon.example/01/02900000000018/10/A", f"{BASE}/01/02900000000019/10/A", f"{BASE}/02/02900000000018/10/A",
     f"{BASE}/01/02900000000018", "ftp://icheon.example/01/02900000000018/10/A", f"{BASE}/01/02900000000018/10/A%20B"],
)  # fmt: skip
def test_what_is_no_link_of_a_lot_is_refused(url: str) -> None:
    with pytest.raises(BadParameter):
        parse(url)


def test_numbers_for_restricted_circulation_say_so() -> None:
    assert restricted("02900000000018") and restricted("00212345678906") and restricted("00412345678900")
    assert not restricted("06291041500213") and not restricted("08801234567893")
