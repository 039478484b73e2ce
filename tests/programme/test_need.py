import numpy as np
import pytest

from twintown.ground.errors import BadParameter
from twintown.programme import lot as lots
from twintown.programme.need import checked, shortages, unmeetable

NEED = {
    "id": "n", "place": "s1", "place_kind": "stand", "product": "rice", "quantity_kg": 100.0, "date": "2027-09-18", "from_h": 8.0,
    "until_h": 10.5, "price_max_krw_kg": 0.0, "grade_min": "upper", "allergens_not": "", "substitutes": "",
}  # fmt: skip
LOT = {
    "id": "l", "product": "rice", "grade": "upper", "quantity_kg": 1000.0, "from": "2027-09-06", "until": "2027-10-31", "shelf_life_d": 90,
    "price_krw_kg": 2500.0, "allergens": "", "state": "offered", "batch": "B", "producer": "f",
}  # fmt: skip


def ask(*needs: dict[str, object], lots: list[dict[str, object]]) -> list[tuple[str, str, str]]:
    rows = [{**NEED, **one} for one in needs]
    columns = {name: [row[name] for row in rows] for name in NEED}
    return [(one.row, one.code, one.text.en) for one in unmeetable(columns, lots).findings(columns["id"])]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity_kg", -1.0), ("quantity_kg", 0.0), ("price_max_krw_kg", -1.0), ("product", "ginseng"), ("grade_min", "best"),
        ("place_kind", "shop"), ("place", " "), ("date", "saturday"), ("until_h", 8.0), ("from_h", 25.0), ("allergens_not", "77"),
        ("substitutes", "ginseng:1"), ("weight", -1.0),
    ],
)  # fmt: skip
def test_what_cannot_be_needed_is_refused_by_the_name_of_its_field(field, value):
    with pytest.raises(BadParameter) as caught:
        checked({**NEED, field: value})
    assert caught.value.name == field


def test_a_need_that_a_lot_meets_is_not_named():
    assert ask({}, lots=[LOT]) == []
    assert ask({"price_max_krw_kg": 2500.0, "date": "2027-10-31"}, lots=[LOT]) == []


@pytest.mark.parametrize(
    ("need", "more", "code", "remedy"),
    [
        ({"product": "peach"}, {}, "no-lot", "ask producers"),
        ({"date": "2027-09-01"}, {}, "not-in-time", "l would do on 2027-09-06"),
        ({"date": "2027-11-05"}, {}, "not-in-time", "l would do on 2027-10-31"),
        ({}, {"shelf_life_d": 5}, "not-in-time", "l would do on 2027-09-11"),
        ({"grade_min": "special"}, {}, "grade", "least grade ‘Upper’"),
        ({"price_max_krw_kg": 2000.0}, {}, "price", "2,500"),
        ({"allergens_not": "5"}, {"allergens": "5"}, "allergen", "another product"),
        ({}, {"state": "failed"}, "no-lot", "ask producers"),
        ({}, {"state": "recalled"}, "no-lot", "ask producers"),
        ({}, {"quantity_kg": 0.0}, "no-lot", "ask producers"),
    ],
)
def test_a_need_that_nobody_can_meet_says_why_and_what_would_meet_it(need, more, code, remedy):
    [(row, found, text)] = ask(need, lots=[{**LOT, **more}])
    assert (row, found) == ("n", code)
    assert remedy in text


def test_what_may_take_its_place_meets_a_need():
    potato = {**LOT, "product": "potato"}
    assert ask({"product": "sweet-potato", "substitutes": "potato:1.0"}, lots=[potato]) == []
    assert ask({"product": "sweet-potato"}, lots=[potato])[0][1] == "no-lot"


def test_a_product_that_is_itself_the_allergen_is_met_by_another_one_only():
    peach, lots = (
        {"product": "peach", "allergens_not": "11"},
        [{**LOT, "product": "peach"}, {**LOT, "id": "m", "product": "potato"}],
    )
    assert ask(peach, lots=lots)[0][1] == "allergen"
    assert ask({**peach, "substitutes": "potato:1"}, lots=lots) == []


def test_the_reason_is_the_one_condition_whose_loss_alone_would_help():
    cheap_but_late = {**LOT, "id": "late", "from": "2027-09-25"}
    dear = {**LOT, "id": "dear", "price_krw_kg": 9000.0}
    [(_, code, text)] = ask({"price_max_krw_kg": 3000.0}, lots=[cheap_but_late, dear])
    assert code == "price"
    assert "dear" in text


def test_one_reason_is_said_once_with_all_the_needs_it_holds_for():
    columns = {name: [NEED[name]] * 3 for name in NEED} | {
        "id": ["a", "b", "c"],
        "product": ["peach", "rice", "peach"],
    }
    [one] = unmeetable(columns, [LOT]).findings(columns["id"])
    assert (one.row, one.rows) == ("a", ("a", "c"))


def test_a_quarter_of_a_million_needs_are_judged_by_what_differs_among_them():
    count = 250_000
    columns = {
        name: np.full(count, NEED[name], object if isinstance(NEED[name], str) else float) for name in NEED
    }
    columns["date"] = np.array([f"2027-09-{1 + at % 28:02d}" for at in range(count)], object)
    found = unmeetable(columns, [LOT])
    late = np.arange(count) % 28 < 5
    assert np.array_equal(found.at, np.flatnonzero(late))
    assert len(found.why) == 1  # every too early day has the same nearest lot, and the same words


def test_nothing_needed_is_nothing_unmeetable():
    columns = {name: [] for name in NEED}
    assert unmeetable(columns, [LOT]).findings([]) == []
    assert shortages(columns, [LOT]) == []


def test_less_than_is_needed_altogether_is_said_with_what_is_lacking():
    columns = {name: [NEED[name]] * 12 for name in NEED}
    [one] = shortages(columns, [LOT])
    assert (one.code, one.row) == ("short", "rice")
    assert "200 kg more" in one.text.en


def test_a_lot_as_it_is_kept_can_be_judged():
    row = lots.checked({**LOT, "id": "l"})
    assert ask({}, lots=[row]) == []
