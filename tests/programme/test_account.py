"""The account: figures that say how they are known, sums that add up, and contradictions that nobody can sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.programme.events import festival

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name
from twintown.programme import account
from twintown.programme.account import Account, contradictions, read
from twintown.programme.account_draft import Entries, Sale, draft, filled
from twintown.programme.account_text import text

SEOUL = ZoneInfo("Asia/Seoul")
EVENT = festival()
DELIVERIES = [
    {"place": "stand-0", "date": "2027-09-18", "product": "rice", "quantity_kg": 250.5},
    {"place": "stand-0", "date": "2027-09-17", "product": "rice", "quantity_kg": 49.5},
    {"place": "stand-1", "date": "2027-09-18", "product": "peach", "quantity_kg": 80.0},
    {"place": "kitchen-9", "date": "2027-09-18", "product": "rice", "quantity_kg": 999.0},
    {"place": "stand-0", "date": "2027-10-18", "product": "rice", "quantity_kg": 999.0},
]
LOADS = [
    {"date": "2027-09-18", "km": 70.4, "kg_co2": 21.0, "cost_krw": 150000},
    {"date": "2027-09-25", "km": 999.0, "kg_co2": 999.0, "cost_krw": 0},
]


def _draft() -> Account:
    return draft(EVENT, DELIVERIES, LOADS, SEOUL, "deliveries-1", {"guest": 3_000_000, "host": 1_000_000})


def _filled(*sales: Sale, **rest: Any) -> Account:
    return filled(EVENT, _draft(), Entries(sales, **rest), LOADS, SEOUL, "deliveries-1")


WHOLE = (
    Sale("rice", 300, 280, 10, 1_400_000), Sale("peach", 80, 75, 5, 600_000), Sale("sweet-potato", 0, 0, 0, 0),
)  # fmt: skip


def test_what_was_promised_is_what_the_plan_brings_to_the_events_own_stands_on_its_days() -> None:
    made = _draft()
    assert {row.product: row.promised.value for row in made.products} == {
        "peach": 80,
        "rice": 300,
        "sweet-potato": 0,
    }
    assert made.promised.value == 380
    assert (
        made.products[1].promised.source == "computed"
        and "deliveries-1" in made.products[1].promised.origin.ko
    )


def test_nothing_is_known_before_somebody_enters_it() -> None:
    made = _draft()
    assert made.delivered.value is None and made.sold.value is None and made.came.value is None
    assert {one.row for one in contradictions(made) if one.code == "not-known"} == {
        "delivered",
        "sold",
        "wasted",
        "came",
    }
    assert all(one.level == "info" for one in contradictions(made))
    assert made.spent["guest"].value == 3_000_000


def test_what_officers_enter_adds_up_and_comes_back_as_it_was_signed() -> None:
    made = _filled(*WHOLE, came=2150, came_error=100, spent={"guest": 2_900_000, "host": None})
    assert (made.delivered.value, made.sold.value, made.wasted.value, made.income.value) == (
        380,
        355,
        15,
        2_000_000,
    )
    assert (made.came.value, made.came.error, made.came.source) == (2150, 100, "measured")
    assert made.spent["guest"].value == 2_900_000 and made.spent["host"].value == 1_000_000
    assert contradictions(made) == ()
    assert read(made.to_dict()) == made
    assert read(made.to_dict()).to_dict() == made.to_dict()


def test_each_side_reads_what_it_has_of_it_with_unit_and_source() -> None:
    made = _filled(*WHOLE, came=2150)
    guest = {one.code: one.figure for one in made.benefits["guest"]}
    host = {one.code: one.figure for one in made.benefits["host"]}
    assert (guest["income"].value, guest["kilometres"].value, guest["emissions"].unit) == (
        2_000_000,
        70.4,
        "kg",
    )
    assert (host["produce"].value, host["programme"].value, host["performers"].value) == (355, 1.0, 1.0)
    assert host["visitors"].value == 2150


@pytest.mark.parametrize(
    ("sale", "member", "code"),
    [
        (Sale("rice", 300, 310, 0, 0), "products[1].sold", "sold-more"),
        (Sale("rice", 300, 290, 20, 0), "products[1].wasted", "wasted-more"),
        (Sale("rice", None, 10, 0, 0), "products[1].delivered", "no-delivery"),
    ],
)
def test_more_sold_or_wasted_than_came_is_named_and_cannot_be_signed(
    sale: Sale, member: str, code: str
) -> None:
    made = _filled(sale)
    assert (code, member) in [(one.code, one.row) for one in contradictions(made) if one.level == "bad"]
    with pytest.raises(BadParameter) as refused:
        read(made.to_dict())
    assert refused.value.name == f"account.{member}"
    assert "rice" in str(refused.value)


def test_less_or_more_than_promised_is_said_and_can_be_signed() -> None:
    made = _filled(*(WHOLE[1:]), Sale("rice", 250, 250, 0, 1))
    assert ("delivered-less", "products[1].delivered") in [
        (one.code, one.row) for one in contradictions(made)
    ]
    more = _filled(*(WHOLE[1:]), Sale("rice", 320, 250, 0, 1))
    assert ("delivered-more", "products[1].delivered") in [
        (one.code, one.row) for one in contradictions(more)
    ]
    assert read(made.to_dict()) == made and read(more.to_dict()) == more


def test_a_sum_that_does_not_add_up_or_a_wrong_unit_is_refused() -> None:
    made = _filled(*WHOLE)
    with pytest.raises(BadParameter, match=r"account\.sold"):
        read(replace(made, sold=replace(made.sold, value=999.0)).to_dict())
    with pytest.raises(BadParameter, match=r"came\.unit"):
        read(replace(made, came=replace(made.came, unit="kg")).to_dict())
    with pytest.raises(BadParameter, match="not that of the products"):
        read(replace(made, delivered=replace(made.delivered, value=None)).to_dict())


def test_what_is_negative_strange_or_there_twice_is_refused() -> None:
    with pytest.raises(BadParameter, match=r"sales\[0\]\.sold"):
        _filled(Sale("rice", 300, -1))
    with pytest.raises(BadParameter, match="came"):
        _filled(came=float("nan"))
    with pytest.raises(BadParameter, match="came_source"):
        _filled(came=10, came_source="dreamt")
    made = _filled(*WHOLE)
    doubled = replace(made, products=(*made.products, made.products[0]))
    assert "twice" in [one.code for one in contradictions(doubled)]
    with pytest.raises(BadParameter, match="missing"):
        read({name: value for name, value in made.to_dict().items() if name != "came"})
    with pytest.raises(BadParameter, match=r"spent\.partner"):
        read(made.to_dict() | {"spent": made.to_dict()["spent"] | {"partner": None}})


def test_a_product_that_the_plan_did_not_know_is_added() -> None:
    made = _filled(*WHOLE, Sale("cabbage", 10, 9, 1, 30_000))
    assert [row.product for row in made.products] == ["cabbage", "peach", "rice", "sweet-potato"]
    assert read(made.to_dict()) == made


def test_people_read_it_in_both_languages_with_source_and_unit() -> None:
    made = _filled(*WHOLE, came=2150, note=Name("비가 조금 왔습니다", "It rained a little"))
    cities = {"guest": "이천", "host": "서울"}
    ko, en = text(made, EVENT, cities, "ko"), text(made, EVENT, cities, "en")
    assert "판매 280 kg (진술: 담당자가 적음)" in ko and "비가 조금" in ko and "3,000,000원" in ko
    assert "sold 280 kg (stated: entered by the officers)" in en and "2,150 people (measured: counted)" in en
    assert "not known" in text(_draft(), EVENT, cities, "en")


def test_errors_of_sums_are_those_of_independent_numbers() -> None:
    rows = tuple(
        replace(row, sold=account.Figure(10.0, "kg", error, "stated", Name("a", "a")))
        for row, error in zip(_filled(*WHOLE).products, (3.0, 4.0, 0.0), strict=True)
    )
    assert account.sum_of(rows, "sold", "kg").error == 5.0
