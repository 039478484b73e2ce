import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.api.desk import FILES, write_desk, write_files

from twintown.ground.errors import BadData, NotFound, NotPossible, Unauthenticated, UnknownFormat
from twintown.ground.provenance import Licence
from twintown.programme import produce_rows
from twintown.programme.lot import findings
from twintown.programme.need import unmeetable
from twintown.programme.produce_layers import DESK
from twintown.programme.produce_seed import read, seed
from twintown.programme.product import LastPrice
from twintown.programme.recipe import recipes_of
from twintown.trust.identity import ANYONE, LOCAL_OWNER, Subject
from twintown.trust.policy import Access, Resource, decide
from twintown.twin import edits
from twintown.twin.edits import Change, Draft
from twintown.twin.layers import Twin

pytestmark = pytest.mark.slow  # twins and servers: the quick tests have two minutes

DATA = Path(__file__).parents[2] / "cities" / "icheon" / "data"
OWNER = decide(LOCAL_OWNER, "write", Resource("small"))
CC0 = Licence("CC0-1.0", "CC0")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_desk(tmp_path_factory.mktemp("desk") / "small")


@pytest.fixture
def twin(desk: Path) -> Twin:
    return Twin.open(desk, read_only=False)


def test_each_layer_is_made_with_its_units_and_says_whose_it_is(twin):
    for one in DESK.values():
        version = twin.version(one.id, OWNER)
        units = {column["name"]: column["unit"] for column in version.meta["columns"]}
        assert units == {"id": "", **{column.name: column.unit for column in one.columns}}
        assert version.title == one.title
        assert version.meta["assumed"] == [one.assumed.to_dict()]
        assert edits.editable(version)


def test_rows_come_back_as_they_were_written(twin):
    rows = {row["id"]: row for row in produce_rows.rows(twin, "lots", OWNER)}
    assert set(rows) == {"l-rice", "l-peach", "s-rice"}
    one = rows["l-peach"]
    assert (one["quantity_kg"], one["allergens"], one["substitute"], one["shelf_life_d"]) == (
        300.0,
        "11",
        False,
        7,
    )
    assert (one["lon"], one["lat"]) == pytest.approx((127.096, 37.5128), abs=1e-7)
    assert produce_rows.rows(twin, "needs", OWNER) == []
    assert len(produce_rows.rows(twin, "recipes", OWNER)) == 2


def test_what_is_there_stays_as_officers_left_it(tmp_path):
    twin = Twin.open(write_desk(tmp_path / "small"), read_only=False)
    edits.write(twin, "lots", OWNER, [Change("l-rice", lambda _: None)])
    made = seed(twin, write_files(tmp_path / "again"), OWNER, CC0, "test")
    assert made == []
    assert [row["id"] for row in produce_rows.rows(twin, "lots", OWNER)] == ["l-peach", "s-rice"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("lots", "1000,100", "-5,100", "lots.csv:2 quantity_kg"),
        ("lots", "2090-10-31", "2090-01-31", "lots.csv:2 until"),
        ("lots", ",rice,해들", ",ginseng,해들", "ginseng"),
        ("lots", "l-peach", "l-rice", "stands twice"),
        ("lots", "true,assumed", "perhaps,assumed", "neither true nor false"),
        ("kitchens", ",11,assumed", ",77,assumed", "77"),
        ("kitchens", "500,", "many,", "no number"),
        ("recipes", "peach,90", "ginseng,90", "ginseng"),
        ("producers", "kind,source", "kind,sauce", "sauce"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_by_its_line(tmp_path, name, old, new, said):
    path = tmp_path / f"{name}.csv"
    assert old in FILES[name]
    path.write_text(FILES[name].replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadData) as caught:
        list(read(path, DESK[name]))
    assert said in str(caught.value)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "producers.csv"
    path.write_bytes(FILES["producers"].encode("cp949"))
    with pytest.raises(UnknownFormat):
        list(read(path, DESK["producers"]))


def test_without_a_folder_nothing_is_made(twin, tmp_path):
    with pytest.raises(NotFound):
        seed(twin, tmp_path / "nowhere", OWNER, CC0, "test")


def test_who_plans_writes_through_the_desk_that_one_layer_and_no_other(twin):
    planner = decide(Subject("person", "small", "Ann", ("planner",)), "plan", Resource("small"))
    own = produce_rows.writing(planner, "needs")
    assert (own.action, own.layers, own.subject) == ("write", ("needs",), planner.subject)
    with pytest.raises(Exception, match="not part of the agreement"):
        edits.write(twin, "lots", own, [Change("x", lambda _: None)])
    with pytest.raises(ValueError):
        produce_rows.writing(planner, "buildings")


def test_who_may_only_read_or_compute_gets_no_grant_to_write():
    for action in ("read", "run"):
        with pytest.raises(Unauthenticated):
            produce_rows.writing(
                decide(ANYONE, action, Resource("small", access=Access(plan="anyone"))), "lots"
            )
    with pytest.raises(Unauthenticated):
        produce_rows.writing(decide(ANYONE, "plan", Resource("small")), "lots")


def test_a_layer_of_the_same_name_that_is_not_the_desks_is_left_alone(tmp_path):
    from tests.api.conftest import write_twin

    from twintown.ground.columns import Column
    from twintown.ground.names import Name
    from twintown.ground.provenance import Source
    from twintown.trust.grades import Grade
    from twintown.twin import add

    twin = Twin.open(write_twin(tmp_path / "small"), read_only=False)
    about = add.About("lots", Name("주차장", "Car parks"), Source("lots", "Car parks", "test", CC0), Grade.O)
    add.add_empty(twin, about, "Point", [Column("spaces", "integer", "{space}", Name("면", "Spaces"))], OWNER)
    with pytest.raises(NotPossible, match="no column producer"):
        produce_rows.write(twin, "lots", OWNER, [Change("x", lambda _: Draft({}, None))])


# -- the demonstration's own files ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> dict[str, list[dict[str, Any]]]:
    return {
        path.stem: list(read(path, DESK[path.stem])) for path in sorted((DATA / "programme").glob("*.csv"))
    }


def test_the_demonstrations_rows_say_that_they_are_examples(demo):
    for name in ("producers", "lots", "kitchens", "recipes", "vehicles"):
        assert demo[name]
        assert {row["source"] for row in demo[name]} == {"assumed"}
    assert all(
        "예시" in str(row["name_ko"]) and "Example" in str(row["name_en"]) for row in demo["producers"]
    )
    assert all("예시" in row["name"] and "Example" in row["name"] for row in demo["vehicles"])


def test_the_demonstrations_lots_have_nothing_wrong_and_one_substitute_origin(demo):
    producers = [str(row["id"]) for row in demo["producers"]]
    assert [one.code for one in findings(demo["lots"], producers, {}, date(2026, 11, 1))] == []
    assert {row["producer"] for row in demo["lots"] if row["substitute"]} == {"market-01"}


def test_a_price_of_the_demonstration_is_the_wholesale_price_that_its_note_names(demo):
    columns = {
        "rice": "일반계(20kg)", "sweet-potato": "밤(10kg)", "soybeans": "흰 콩(국산)(40kg)", "potato": "수미(20kg)",
        "lettuce-red": "적(4kg)", "lettuce-green": "청(4kg)",
        "spinach": "시금치(4kg)", "cabbage": "양배추(8kg)", "cucumber": "가시계통(10kg)",
    }  # fmt: skip
    last: dict[tuple[str, str], float] = {}
    with (DATA / "open" / "kamis_wholesale_prices_2020_2023.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["조회일자 가격"]:
                kilograms = float(row["단위"].removesuffix("kg")) if row["단위"].endswith("kg") else 0.0
                last[row["품종명"], row["상태(상품, 중품)"]] = float(row["조회일자 가격"]) / (
                    kilograms or 1.0
                )
    for row in demo["lots"]:
        if row["product"] == "peach":
            assert "assumed" in str(row["note"])
            continue
        grade = "중품" if row["grade"] == "middle" else "상품"
        factor = (1.1 if row["grade"] == "special" else 1.0) * (1.2 if row["substitute"] else 1.0)
        assert row["price_krw_kg"] == pytest.approx(
            last[columns[str(row["product"])], grade] * factor, abs=0.51
        )


def test_the_demonstrations_kitchens_are_real_schools_at_their_places(demo):
    with (DATA / "open" / "schools_songpa_icheon.csv").open(encoding="utf-8") as file:
        known = {f"school-{row['school_id'].lower()}": row for row in csv.DictReader(file)}
    for row in demo["kitchens"]:
        real = known[str(row["id"])]
        assert row["name_ko"] == real["school_nm"]
        assert (row["lon"], row["lat"]) == (float(real["lon"]), float(real["lat"]))


def test_every_product_of_the_demonstrations_dishes_is_offered_on_the_days_around_the_event(demo):
    recipes = recipes_of(demo["recipes"])
    codes = sorted({line.product for one in recipes.values() for line in one.lines})
    columns = {
        "product": codes, "date": ["2027-09-21"] * len(codes), "grade_min": ["upper"] * len(codes), "allergens_not": [""] * len(codes),
        "price_max_krw_kg": [0.0] * len(codes), "substitutes": [""] * len(codes),
    }  # fmt: skip
    assert unmeetable(columns, demo["lots"]).findings(codes) == []


def test_a_failed_lot_of_the_event_can_be_replaced(demo):
    day = {
        "date": ["2027-09-18"],
        "grade_min": ["upper"],
        "allergens_not": [""],
        "price_max_krw_kg": [0.0],
        "substitutes": [""],
    }
    for code in ("rice", "peach", "sweet-potato", "soybeans"):
        for gone in [row["id"] for row in demo["lots"] if row["product"] == code]:
            left = [row | {"state": "failed"} if row["id"] == gone else row for row in demo["lots"]]
            assert unmeetable({"product": [code], **day}, left).findings(["n"]) == []


def test_a_price_that_is_far_from_the_markets_would_be_named_in_the_demonstration(demo):
    producers = [str(row["id"]) for row in demo["producers"]]
    dear = {"rice": LastPrice(900.0, "2023-04-07", "rice_20kg")}
    assert {one.code for one in findings(demo["lots"], producers, dear, date(2026, 11, 1))} == {"price-far"}
