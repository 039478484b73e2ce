"""What the process `deliveries` answers for seasons that a pencil can plan, why a need stays unmet, and its words for bad input."""

from __future__ import annotations

import re
from typing import Any

import pytest
from validation.deliveries_feasible import answered, failing, faults, layer, lot, need, season, vehicle

from twintown.ground.errors import BadInput, BadParameter, NotFound
from twintown.ground.features import Features
from twintown.jobs.process import processes
from twintown.processes import deliveries_plan, deliveries_setting

pytestmark = pytest.mark.slow

RICE = lot("rice-1", "rice", 100.0, 5_000, 0)
STAND = need("n1", "rice", 40.0, 0, 30_000)


def asked(
    *rows: dict[str, Any], vehicles: list[dict[str, Any]] | None = None, **options: Any
) -> dict[str, Features]:
    """The answer to some lots and needs, told apart by what they have; one lorry of 500 kg unless others are given."""
    return answered(layers(*rows, vehicles=vehicles), **options)


def layers(*rows: dict[str, Any], vehicles: list[dict[str, Any]] | None = None) -> dict[str, Features]:
    return {
        "lots": layer([row for row in rows if "state" in row]), "needs": layer([row for row in rows if "place" in row]),
        "vehicles": layer(vehicles if vehicles is not None else [vehicle("lorry", 500.0)]),
    }  # fmt: skip


def why(made: dict[str, Features]) -> tuple[str, str]:
    """The reason and the remedy of the one need that is not met."""
    (row,) = made["unmet"].table.to_dict("records")
    assert row["reason_ko"] and row["remedy_ko"] and row["reason_en"]
    return row["reason"], row["remedy_en"]


def steps(made: dict[str, Features]) -> dict[str, Any]:
    return dict(made["loads"].provenance.steps[-1].parameters)


def test_a_lot_goes_to_a_need_in_its_window_and_the_way_adds_up() -> None:
    made = asked(RICE, STAND)
    (row,) = made["deliveries"].table.to_dict("records")
    assert (row["lot"], row["need"], row["quantity_kg"], row["vehicle"], row["changed"]) == (
        "rice-1",
        "n1",
        40.0,
        "lorry",
        "new",
    )
    assert 8.0 <= row["arrives_h"] <= 11.0 and row["leaves_h"] < row["arrives_h"]
    (load,) = made["loads"].table.to_dict("records")
    way = 1.35 * (5.0 + (5.0**2 + 30.0**2) ** 0.5 + 30.0)  # depot, origin, place, depot
    assert load["km"] == pytest.approx(way, abs=0.01) and load["cost_krw"] == pytest.approx(
        90_000 + 400 * way, abs=1
    )
    assert row["cost_krw"] == pytest.approx(40 * 3000 + load["cost_krw"], abs=1)
    assert not len(made["unmet"]) and faults(layers(RICE, STAND), made) == []
    assert steps(made)["proven_gap"] <= 0.02 and steps(made)["status"] == "within the gap"


def test_the_process_comes_through_the_door_of_plug_ins() -> None:
    assert processes().find("deliveries").outputs[0].layer == "deliveries"


@pytest.mark.parametrize(
    ("code", "said", "changes", "wish"),
    [
        ("no-lot", "find 40 kg of this product by 2027-09-18", {}, {"product": "peach"}),
        ("lot-failed", "find 40 kg", {"state": "failed"}, {}),
        ("window", "begins on 2027-09-20", {"from": "2027-09-20"}, {}),
        ("window", "lasts until 2027-09-12", {"until": "2027-09-12"}, {}),
        ("shelf-life", "lasts until 2027-09-06", {"shelf_life_d": 5.0}, {}),
        ("grade", "if the grade 'middle' would do, there is the lot rice-1 (100 kg)", {"grade": "middle"}, {"grade_min": "upper"}),
        ("allergen", "the lot rice-1 holds soy", {"allergens": "soy"}, {"allergens_not": "milk,soy"}),
        ("price", "a price limit 500 KRW/kg higher the lot rice-1", {}, {"price_max_krw_kg": 2500.0}),
        ("several", "ease grade, price together", {"grade": "middle"}, {"grade_min": "upper", "price_max_krw_kg": 2500.0}),
        ("time-window", "a window wider than 4–4.5 h", {}, {"from_h": 4.0, "until_h": 4.5}),
        ("shortage", "20 kg more of this product", {}, {"quantity_kg": 120.0}),
        ("shortage", "find 40 kg of this product by 2027-09-18", {"promised_kg": 100.0}, {}),
    ],
)  # fmt: skip
def test_an_unmet_need_says_why_and_what_would_meet_it(
    code: str, said: str, changes: dict[str, Any], wish: dict[str, Any]
) -> None:
    reason, remedy = why(asked({**RICE, **changes}, {**STAND, **wish}))
    assert reason == code and said in remedy


def test_a_vehicle_that_is_full_or_away_is_the_reason_where_there_is_enough() -> None:
    reason, remedy = why(asked(RICE, STAND, vehicles=[vehicle("small", 25.0)]))
    assert reason == "vehicle" and "one more vehicle on 2027-09-18 15 kg could be carried" in remedy


def test_what_costs_more_than_it_counts_is_not_brought() -> None:
    made = asked(RICE, STAND, shortage=0.001)
    assert not len(made["deliveries"]) and why(made)[0] == "cost"


def test_of_two_needs_the_one_that_weighs_more_comes_first() -> None:
    made = asked(RICE, {**STAND, "quantity_kg": 80.0}, need("n2", "rice", 80.0, 0, 31_000, weight=3.0))
    came = made["deliveries"].table.set_index("need")["quantity_kg"].to_dict()
    assert came == {"n1": 20.0, "n2": 80.0}


def test_a_substitute_comes_by_its_ratio_and_only_where_the_product_is_short() -> None:
    wish = {**STAND, "quantity_kg": 120.0, "substitutes": "barley:1.5"}
    made = asked(RICE, lot("barley-1", "barley", 200.0, 6_000, 0), wish)
    rows = made["deliveries"].table.set_index("lot").to_dict("index")
    assert rows["rice-1"]["quantity_kg"] == 100.0 and rows["rice-1"]["substitute_for"] == ""
    assert rows["barley-1"]["quantity_kg"] == 30.0 and rows["barley-1"]["substitute_for"] == "rice"
    line = made["balance"].table.set_index("product").loc["rice"]
    assert (line["delivered_kg"], line["substituted_kg"], line["unmet_kg"]) == (120.0, 20.0, 0.0)


def test_an_origin_of_last_resort_is_asked_last() -> None:
    away = lot("away", "rice", 500.0, 5_000, 0, substitute=True)
    came = (
        asked(RICE, away, {**STAND, "quantity_kg": 130.0})["deliveries"]
        .table.set_index("lot")["quantity_kg"]
        .to_dict()
    )
    assert came == {"rice-1": 100.0, "away": 30.0}


def test_what_would_perish_goes_first_and_what_perishes_is_told() -> None:
    soon = lot("soon", "rice", 60.0, 5_000, 100, until="2027-09-18")
    made = asked(RICE, soon, STAND)
    assert list(made["deliveries"].table["lot"]) == ["soon"]
    line = made["balance"].table.set_index("product").loc["rice"]
    assert line["wasted_kg"] == 20.0


def test_what_is_promised_elsewhere_is_not_given_twice_and_caution_holds_an_error_back() -> None:
    rows = {**RICE, "promised_kg": 70.0, "error_kg": 20.0}
    assert asked(rows, STAND)["deliveries"].table["quantity_kg"].sum() == 30.0
    assert (
        asked({**rows, "promised_to": "ev-2"}, {**STAND, "event": "ev-1"})["deliveries"]
        .table["quantity_kg"]
        .sum()
        == 30.0
    )
    assert (
        asked({**rows, "promised_to": "ev-1"}, {**STAND, "event": "ev-1"})["deliveries"]
        .table["quantity_kg"]
        .sum()
        == 40.0
    )
    assert asked(rows, STAND, caution=0.5)["deliveries"].table["quantity_kg"].sum() == 20.0


def test_days_that_are_not_planned_are_named_with_their_needs() -> None:
    made = asked(
        RICE, STAND, need("later", "rice", 5.0, 0, 30_000, date="2027-09-25"), start="2027-09-18", days=1
    )
    assert why(made)[0] == "outside-days" and list(made["unmet"].table["need"]) == ["later"]


def test_producers_nearby_bring_their_lots_to_a_gathering_point_a_day_ahead() -> None:
    here, there = lot("a", "rice", 30.0, 5_000, 0), lot("b", "rice", 30.0, 7_000, 0)
    made = asked(here, there, {**STAND, "quantity_kg": 60.0}, gather_km=5.0)
    (load,) = made["loads"].table.to_dict("records")
    assert load["origins"] == 1 and load["kg"] == 60.0
    fresh = {**there, "from": "2027-09-18"}
    assert (
        asked(here, fresh, {**STAND, "quantity_kg": 60.0}, gather_km=5.0)["deliveries"]
        .table["quantity_kg"]
        .sum()
        == 30.0
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**RICE, "quantity_kg": -1.0}, "lots rice-1: quantity_kg is below 0"),
        ({**RICE, "quantity_kg": float("nan")}, "lots rice-1: quantity_kg is no number"),
        ({**RICE, "promised_kg": 150.0}, "lots rice-1: promised_kg is more than the lot holds"),
        ({**RICE, "from": "18.09.2027"}, "lots rice-1: from is no date"),
        ({**RICE, "until": "2027-08-01"}, "lots rice-1: until lies before the first day"),
        ({**RICE, "grade": "A++"}, "lots rice-1: grade is no grade"),
        ({**RICE, "state": "lost"}, "lots rice-1: state is no state"),
        ({**STAND, "quantity_kg": -3.0}, "needs n1: quantity_kg is below 0"),
        ({**STAND, "date": "soon"}, "needs n1: date is no date"),
        ({**STAND, "until_h": 8.0}, "needs n1: until_h is no hour after from_h"),
        ({**STAND, "substitutes": "peach:much"}, "needs n1: substitutes cannot be read"),
        ({**STAND, "product": ""}, "needs n1: product is missing"),
    ],
)
def test_rows_that_cannot_be_taken_are_refused_by_name(row: dict[str, Any], said: str) -> None:
    other = STAND if "state" in row else RICE
    with pytest.raises(BadInput, match=said.replace("+", r"\+")):
        asked(row, other)


def test_no_vehicle_no_need_and_no_layer_are_refused_and_no_lot_is_a_plan_of_nothing() -> None:
    with pytest.raises(BadInput, match="lorry: capacity_kg is below 1"):
        asked(RICE, STAND, vehicles=[vehicle("lorry", 0.0)])
    with pytest.raises(BadInput, match="there is no vehicle"):
        answered(
            {
                **layers(RICE, STAND),
                "vehicles": layers(RICE, STAND)["vehicles"].with_table(
                    layers(RICE, STAND)["vehicles"].table[:0]
                ),
            }
        )
    nobody = layers(RICE, STAND)
    with pytest.raises(BadInput, match="nothing is needed"):
        answered({**nobody, "needs": nobody["needs"].with_table(nobody["needs"].table[:0])})
    with pytest.raises(BadInput, match="nothing is needed in the days"):
        asked(RICE, STAND, start="2028-01-01", days=3)
    with pytest.raises(BadParameter, match="start"):
        asked(RICE, STAND, start="tomorrow")
    with pytest.raises(NotFound, match="'vehicles' is missing"):
        answered({name: one for name, one in nobody.items() if name != "vehicles"})
    none = answered({**nobody, "lots": nobody["lots"].with_table(nobody["lots"].table[:0])})
    assert why(none)[0] == "no-lot" and not len(none["deliveries"])
    for one in none.values():
        assert one.to_parquet_bytes()


def test_the_same_question_gives_the_same_bytes_whatever_the_order_of_the_rows() -> None:
    one = season(3)
    turned = {
        name: shape.with_table(shape.table.iloc[::-1].reset_index(drop=True)) for name, shape in one.items()
    }
    a, b = answered(one), answered(turned)
    assert [a[name].to_parquet_bytes() for name in a] == [b[name].to_parquet_bytes() for name in b]


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_plans_of_random_seasons_can_be_carried_out(seed: int) -> None:
    layers = season(seed, places=6)
    assert faults(layers, answered(layers)) == []


def test_who_looks_at_plans_sees_what_is_wrong_with_one() -> None:
    asked_of = season(1)
    made = answered(asked_of)
    for column, value, said in (
        ("quantity_kg", 500.0, "kg taken of"), ("arrives_h", 3.0, "arrives"), ("date", "2027-09-30", "needed on"),
        ("lot", "lot-0", "lot|kg"), ("leaves_h", 0.5, "leaves origin"),
    ):  # fmt: skip
        table = made["deliveries"].table.copy()
        table.loc[table.index[0], column] = value
        broken = {**made, "deliveries": made["deliveries"].with_table(table)}
        if column == "lot" and made["deliveries"].table["lot"].iloc[0] == value:
            continue
        assert any(re.search(said, text) for text in faults(asked_of, broken)), said


def test_a_large_question_taken_apart_comes_as_near_as_it_proves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries_setting, "EVERY", 0)
    layers = season(5, days=4, places=14, vehicles=4)
    whole = steps(answered(layers, gap=0.0))
    monkeypatch.setattr(deliveries_plan, "SMALL", -1)
    made = answered(layers, gap=0.0)
    apart = steps(made)
    assert faults(layers, made) == []
    assert apart["bound_krw"] <= apart["objective_krw"] + 1
    assert whole["bound_krw"] <= apart["objective_krw"] + 1
    assert apart["proven_gap"] < 0.05


def test_a_failed_lot_is_mended_and_the_rest_stays_as_it_is() -> None:
    spare = lot("rice-2", "rice", 100.0, 6_000, 0)
    rows = RICE, spare, STAND, need("n2", "rice", 30.0, 0, 31_000), need("n3", "rice", 20.0, 500, 30_500)
    made = asked(*rows, lot("peach-1", "peach", 50.0, 5_500, 0), need("n4", "peach", 10.0, 0, 30_000))
    whole = layers(*rows, lot("peach-1", "peach", 50.0, 5_500, 0), need("n4", "peach", 10.0, 0, 30_000))
    lost = str(made["deliveries"].table.query("need == 'n1'")["lot"].iloc[0])
    broken = {**whole, "lots": failing(whole["lots"], lost), "kept": made["deliveries"]}
    again = answered(broken, keep="kept")
    rows_now = again["deliveries"].table.set_index("need")
    assert rows_now.loc["n1", "lot"] != lost and rows_now.loc["n1", "changed"] == "new"
    assert rows_now.loc["n4", "changed"] == "kept"
    before = made["deliveries"].table.set_index("need")["arrives_h"]
    assert (rows_now["arrives_h"] - before).abs().max() < 0.01
    assert faults(broken, again) == [] and not len(again["unmet"])


def test_mending_where_nothing_failed_changes_nothing() -> None:
    whole = season(2, places=6)
    made = answered(whole)
    again = answered({**whole, "kept": made["deliveries"]}, keep="kept")
    assert set(again["deliveries"].table["changed"]) == {"kept"}
    names = ["lot", "need", "quantity_kg", "vehicle", "arrives_h", "leaves_h"]
    assert again["deliveries"].table[names].equals(made["deliveries"].table[names])


def test_a_plan_to_keep_must_be_one() -> None:
    whole = season(2)
    with pytest.raises(BadInput, match="it is no plan of deliveries"):
        answered({**whole, "kept": whole["needs"]}, keep="kept")


@pytest.mark.parametrize("seed", [0, 8, 10])
def test_mended_plans_of_random_seasons_can_be_carried_out(seed: int) -> None:
    whole = season(seed, places=6)
    made = answered(whole)
    worst = str(made["deliveries"].table.groupby("lot")["quantity_kg"].sum().idxmax())
    broken = {**whole, "lots": failing(whole["lots"], worst), "kept": made["deliveries"]}
    assert faults(broken, answered(broken, keep="kept")) == []


def test_a_plan_of_another_season_a_sold_vehicle_and_lots_that_all_fail_are_mended_too() -> None:
    whole = season(2, places=6)
    made = answered(whole)
    other = whole["needs"].table.assign(id=[f"x{n}" for n in range(len(whole["needs"]))])
    strange = {**whole, "needs": whole["needs"].with_table(other), "kept": made["deliveries"]}
    again = answered(strange, keep="kept")
    assert (
        len(again["deliveries"])
        and set(again["deliveries"].table["changed"]) == {"new"}
        and faults(strange, again) == []
    )
    gone = str(made["loads"].table["vehicle"].iloc[0])
    fleet = whole["vehicles"].table
    sold = {
        **whole,
        "vehicles": whole["vehicles"].with_table(fleet[fleet["id"] != gone].reset_index(drop=True)),
        "kept": made["deliveries"],
    }
    assert faults(sold, answered(sold, keep="kept")) == []
    lots = whole["lots"].table.assign(state="failed")
    nothing = answered(
        {**whole, "lots": whole["lots"].with_table(lots), "kept": made["deliveries"]}, keep="kept"
    )
    assert not len(nothing["deliveries"]) and set(nothing["unmet"].table["reason"]) <= {
        "lot-failed",
        "no-lot",
    }


def test_less_need_and_less_of_a_lot_are_cut_from_a_kept_plan() -> None:
    whole = layers(RICE, STAND, need("n2", "rice", 30.0, 0, 31_000))
    made = answered(whole)
    smaller = layers(
        {**RICE, "quantity_kg": 50.0}, {**STAND, "quantity_kg": 25.0}, need("n2", "rice", 30.0, 0, 31_000)
    )
    broken = {**smaller, "kept": made["deliveries"]}
    again = answered(broken, keep="kept")
    rows = again["deliveries"].table.set_index("need")
    assert (
        rows["quantity_kg"].sum() == 50.0
        and rows.loc["n1", "changed"] == "less"
        and faults(broken, again) == []
    )
