import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from twintown.ground.errors import BadInput, BadParameter
from twintown.programme.need import checked
from twintown.programme.need_stands import Basket, Hour, Mix, check_mix, stand_needs

SEOUL = ZoneInfo("Asia/Seoul")
OPENS = datetime(2027, 9, 18, 11, tzinfo=SEOUL)
HOURS = [Hour(OPENS + timedelta(hours=at), 500.0, 400.0, 600.0) for at in range(8)]
STANDS = [
    {
        "id": "s1",
        "name": {"ko": "쌀집", "en": "Rice house"},
        "lon": 127.1,
        "lat": 37.5,
        "products": ["rice", "soybeans"],
    },
    {
        "id": "s2",
        "name": {"ko": "과일", "en": "Fruit"},
        "lon": 127.2,
        "lat": 37.5,
        "products": ["peach", "rice"],
    },
]
MIX = Mix(0.1, 0.3, {"rice": Basket(0.5, 4.0), "peach": Basket(0.25, 2.0), "soybeans": Basket(0.1, 1.0)})


def by(rows):
    return {(row["place"], row["product"]): row for row in rows}


def test_a_stand_needs_visitors_times_buyers_times_what_they_take_shared_among_those_who_sell_it():
    rows = by(stand_needs("ev-1", STANDS, HOURS, MIX))
    assert rows["s1", "rice"]["quantity_kg"] == rows["s2", "rice"]["quantity_kg"] == 4000 * 0.1 * 0.5 * 4 / 2
    assert rows["s2", "peach"]["quantity_kg"] == 4000 * 0.1 * 0.25 * 2
    assert rows["s1", "soybeans"]["quantity_kg"] == 40
    assert len(rows) == 4


def test_quantities_are_whole_units_of_the_product():
    rows = by(
        stand_needs(
            "ev-1",
            STANDS[:1],
            [HOURS[0]],
            Mix(0.013, 0.3, {"rice": Basket(1.0, 1.0), "soybeans": Basket(1.0, 0.5)}),
        )
    )
    assert rows["s1", "rice"]["quantity_kg"] == 8.0  # 6.5 kg are two bags of four
    assert rows["s1", "soybeans"]["quantity_kg"] == 4.0


def test_the_error_holds_that_of_the_visitors_and_that_of_the_mix():
    row = by(stand_needs("ev-1", STANDS, HOURS, MIX))["s2", "peach"]
    assert row["error_kg"] == pytest.approx(200 * math.hypot(0.2, 0.3), abs=0.1)
    told = by(stand_needs("ev-1", STANDS, HOURS, MIX, 0.4))["s2", "peach"]
    assert told["error_kg"] == pytest.approx(200 * 0.5, abs=0.1)


def test_a_delivery_comes_before_the_stands_open():
    row = stand_needs("ev-1", STANDS, HOURS, MIX)[0]
    assert (row["date"], row["from_h"], row["until_h"]) == ("2027-09-18", 8.0, 10.5)


def test_each_row_can_be_kept_and_says_what_it_was_computed_from():
    for row in stand_needs("ev-1", STANDS, HOURS, MIX):
        assert checked(row)["source"] == "computed"
        assert "assumed" in row["note"]
        assert row["event"] == "ev-1" and row["lon"] in (127.1, 127.2)


def test_an_event_of_two_days_needs_on_each_of_them():
    rows = stand_needs(
        "ev-1", STANDS[:1], [HOURS[0], Hour(OPENS + timedelta(days=1), 100.0, 50.0, 150.0)], MIX
    )
    assert sorted({row["date"] for row in rows}) == ["2027-09-18", "2027-09-19"]
    assert len({row["id"] for row in rows}) == len(rows) == 4


def test_an_event_without_stands_or_without_visitors_needs_to_be_told():
    with pytest.raises(BadInput, match="sells anything"):
        stand_needs("ev-1", [], HOURS, MIX)
    with pytest.raises(BadInput, match="nobody is expected"):
        stand_needs("ev-1", STANDS, [Hour(OPENS, 0.0, 0.0, 0.0)], MIX)


def test_a_stand_that_sells_what_nobody_knows_is_named():
    with pytest.raises(BadParameter, match="ginseng") as caught:
        stand_needs("ev-1", [{**STANDS[0], "products": ["ginseng"]}], HOURS, MIX)
    assert caught.value.name == "stands/s1/products"


def test_a_mix_that_cannot_be_is_refused():
    for basket in (Basket(1.2, 1.0), Basket(0.5, 0.0)):
        with pytest.raises(BadParameter):
            check_mix(Mix(baskets={"rice": basket}))
    with pytest.raises(BadParameter, match="ginseng"):
        check_mix(Mix(baskets={"ginseng": Basket(0.5, 1.0)}))


def test_every_assumption_of_the_mix_is_named_in_both_languages():
    found = MIX.basis(["rice", "peach"])
    assert [one.code for one in found] == ["buying-share", "mix-error", "basket-rice", "basket-peach"]
    assert all(one.source == "assumed" and one.text.ko and one.text.en for one in found)
    assert "10 %" in found[0].text.en
