from datetime import date

import pytest

from twintown.ground.errors import BadParameter, Conflict, NotFound, WrongState
from twintown.programme.lot import changed, checked, failed, findings, last_day, next_id
from twintown.programme.product import LastPrice

ROW = {
    "producer": "farm-01", "product": "peach", "variety": "황도", "grade": "upper", "quantity_kg": 100.0, "error_kg": 20.0,
    "from": "2027-09-16", "until": "2027-09-30", "price_krw_kg": 5000.0, "state": "offered", "batch": "P-1", "source": "assumed",
}  # fmt: skip
TODAY = date(2027, 9, 1)
PRICES = {"peach": LastPrice(5000.0, "2027-08-30", "peach")}


def lot(**more: object) -> dict[str, object]:
    return checked({**ROW, **more})


def codes(*rows: dict[str, object], today: date = TODAY) -> list[tuple[str, str]]:
    found = findings(rows, ["farm-01"], PRICES, today)
    return [(one.row, one.code) for one in found]


def test_what_is_not_said_follows_from_the_product():
    row = lot()
    assert row["shelf_life_d"] == 7
    assert row["allergens"] == "11"
    assert row["gtin"] == "02900000000117"
    assert (row["promised_kg"], row["substitute"]) == (0.0, False)


def test_an_allergen_of_the_product_cannot_be_left_out():
    assert lot(allergens="5")["allergens"] == "5,11"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity_kg", -1.0), ("quantity_kg", 0.0), ("error_kg", -1.0), ("promised_kg", 101.0), ("price_krw_kg", -5.0),
        ("until", "2027-09-15"), ("from", "soon"), ("from", "9999-12-31"), ("product", "ginseng"), ("grade", "best"), ("state", "sold"),
        ("batch", "a batch with spaces"), ("batch", ""), ("gtin", "02900000000019"), ("allergens", "99"), ("shelf_life_d", 0),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_by_the_name_of_its_field(field, value):
    with pytest.raises(BadParameter) as caught:
        lot(**{field: value})
    assert caught.value.name == field
    assert caught.value.remedy


def test_a_lot_can_be_delivered_until_its_window_ends_or_it_spoils():
    assert last_day(lot()) == date(2027, 9, 23)
    assert last_day(lot(until="2027-09-20")) == date(2027, 9, 20)


def test_a_promise_makes_a_lot_promised_and_taking_it_back_offers_it_again():
    promised = changed("a", lot(), {"promised_kg": 40.0, "promised_to": "stand-1"})
    assert promised["state"] == "promised"
    back = changed("a", promised, {"promised_kg": 0.0, "promised_to": ""})
    assert back["state"] == "offered"


def test_a_lot_is_not_promised_twice():
    promised = changed("a", lot(), {"promised_kg": 40.0, "promised_to": "stand-1"})
    with pytest.raises(Conflict, match="stand-1"):
        changed("a", promised, {"promised_kg": 50.0, "promised_to": "stand-2"})
    with pytest.raises(BadParameter, match="promised twice"):
        changed("a", promised, {"promised_kg": 101.0})


def test_a_lot_fails_once_and_says_why():
    broken = failed("a", lot(), "hail")
    assert (broken["state"], broken["why"]) == ("failed", "hail")
    with pytest.raises(WrongState):
        failed("a", broken, "again")


def test_a_failed_lot_can_be_offered_again_and_a_recalled_one_never():
    again = changed("a", failed("a", lot(), "hail"), {"state": "offered"})
    assert (again["state"], again["why"]) == ("offered", "")
    with pytest.raises(WrongState):
        changed("a", {**lot(), "state": "recalled"}, {"state": "offered"})


def test_failure_and_recall_are_no_plain_change():
    for state in ("failed", "recalled"):
        with pytest.raises(BadParameter) as caught:
            changed("a", lot(), {"state": state})
        assert caught.value.name == "state"


def test_what_is_not_there_cannot_be_changed():
    with pytest.raises(NotFound):
        changed("a", None, {"quantity_kg": 1.0})
    with pytest.raises(BadParameter, match="producer"):
        changed("a", lot(), {"producer": "farm-02"})


def test_a_good_lot_has_nothing_said_of_it():
    assert codes({**lot(), "id": "a"}) == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"quantity_kg": -3.0}, "negative"),
        ({"promised_kg": 130.0}, "doubly-promised"),
        ({"until": "2027-09-01"}, "window-reversed"),
        ({"from": "whenever"}, "window-unknown"),
        ({"product": "ginseng"}, "unknown-product"),
        ({"producer": "farm-99"}, "unknown-producer"),
        ({"price_krw_kg": 10_001.0}, "price-far"),
        ({"price_krw_kg": 2_499.0}, "price-far"),
        ({"source": ""}, "no-source"),
        ({"state": "failed", "why": "hail"}, "failed"),
    ],
)
def test_what_another_program_wrote_into_the_layer_is_named(more, code):
    assert codes({**lot(), "id": "a", **more}) == [("a", code)]


def test_a_price_within_a_factor_of_two_is_not_far():
    assert (
        codes(
            {**lot(price_krw_kg=10_000.0), "id": "a"}, {**lot(price_krw_kg=2_500.0, batch="P-2"), "id": "b"}
        )
        == []
    )


def test_a_lot_whose_days_are_over_has_expired():
    row = {**lot(), "id": "a"}
    assert codes(row, today=date(2027, 9, 23)) == []
    assert codes(row, today=date(2027, 9, 24)) == [("a", "expired")]


def test_the_same_bag_offered_twice_is_doubly_promised_unless_one_of_them_failed():
    one, two = {**lot(), "id": "a"}, {**lot(), "id": "b"}
    assert codes(one, two) == [("a", "doubly-promised"), ("b", "doubly-promised")]
    assert codes(one, {**two, "state": "failed", "why": "x"}) == [("b", "failed")]


def test_every_finding_speaks_both_languages():
    rows = [{**lot(), "id": "a", "quantity_kg": -3.0, "producer": "x", "source": ""}]
    for one in findings(rows, [], PRICES, TODAY):
        assert one.text.ko and one.text.en and one.text.ko != one.text.en


def test_a_new_lot_takes_the_first_free_number():
    assert next_id("rice", date(2027, 9, 1), ["rice-2027-01", "rice-2027-03"]) == "rice-2027-02"
