"""What a stand is worth where it stands, what is wrong with it, and which places the process chooses together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from tests.processes.test_footfall import FRAME, FROM, X, Y, congestion, features, road, station

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.jobs.process import Ask, run
from twintown.processes.stands import PROCESS
from twintown.processes.stands_choice import chosen, cliques, conflicts
from twintown.processes.stands_findings import findings_of
from twintown.processes.stands_ground import Ground
from twintown.processes.stands_parts import needed_width_m, weights_of, worth
from twintown.processes.stands_place import Block, Stand, facing_of
from twintown.processes.stands_score import Question, Scored, scored

pytestmark = pytest.mark.slow  # it is compiled first

BOUNDS = Bounds(X - 100, Y - 300, X + 700, Y + 300)
NORTH, SOUTH = (0.0, 1.0), (0.0, -1.0)


def building(
    id: str, west: float, south: float, east: float, north: float, height: float = 30.0, **more: Any
) -> dict[str, Any]:
    usual = {
        "name_ko": id,
        "height_source": "measured",
        "height_error_m": np.nan,
        "storey_m": 3.0,
        "levels": np.nan,
    }
    return {"id": id, **usual, "height_m": height, **more, "geometry": shapely.box(west, south, east, north)}


LAYERS = {
    "roads": features([road("way/1", (0, 0), (600, 0), width_m=8.0)]),
    "stations": features([station("s1", "갑", 0, 0)]),
    "metro-congestion": features(congestion("갑")),
    "buildings": features([building("집", 200, 40, 240, 60), building("시장", 500, 20, 560, 40)]),
}


def ground(without: tuple[str, ...] = (), named: bool = True, **layers: Features) -> Ground:
    known = {**LAYERS, **{name.replace("_", "-"): one for name, one in layers.items()}}
    return Ground({k: v for k, v in known.items() if k not in without}, FRAME, BOUNDS, "Asia/Seoul", named)


def stand(x: float, y: float, facing: tuple[float, float] = SOUTH, **more: Any) -> Stand:
    return Stand(X + x, Y + y, facing, 3.0, 3.0, **more)


def question(**more: Any) -> Question:
    usual = {
        "day": "2027-09-18",
        "from_h": 9,
        "to_h": 17,
        "day_type": "saturday",
        "weights": weights_of(None),
    }
    return Question(**{**usual, **more})


def told(where: Stand, of: Ground | None = None, **more: Any) -> tuple[Scored, dict[str, str]]:
    """The score, and the levels of what was found by code."""
    of, asked = of or ground(), question(**more)
    found = scored(of, where, asked)
    return found, {one["code"]: one["level"] for one in findings_of(of, where, asked, found)}


def part(found: Scored, code: str) -> Any:
    return next(one for one in found.parts if one.part.code == code)


def test_a_stand_by_the_street_near_the_station_is_worth_more_than_one_far_away() -> None:
    near, far = (told(stand(100, y))[0] for y in (10, 200))
    assert near.score > far.score
    assert part(near, "footfall").value > part(far, "footfall").value
    assert part(near, "footfall").low < part(near, "footfall").value < part(near, "footfall").high
    assert [one.hour for one in near.hours] == list(range(9, 17))
    assert near.hours[0].passers > 0 == near.hours[5].passers


def test_passers_fall_off_by_1_over_e_in_thirty_metres() -> None:
    a, b = (told(stand(300, y, NORTH))[0].hours[0].passers for y in (20, 50))
    assert a is not None and b is not None and b / a == pytest.approx(np.exp(-1), rel=1e-6)


def test_north_of_a_high_building_it_is_in_the_shade_and_south_of_it_in_the_sun() -> None:
    shady, sunny = told(stand(220, 65, NORTH))[0], told(stand(220, 30, SOUTH))[0]
    assert part(shady, "sun_produce").value < 5 < part(sunny, "sun_produce").value
    assert (
        part(shady, "sun_queue").score > part(sunny, "sun_queue").score
    )  # in September whoever queues wants shade
    winter = told(stand(220, 65, NORTH), day="2027-12-22")[0]
    assert part(winter, "sun_queue").score < 0.1
    assert (
        "produce-in-sun" in told(stand(220, 30))[1]
        and "produce-in-sun" not in told(stand(220, 65, NORTH), from_h=10, to_h=15)[1]
    )


def test_a_canopy_keeps_the_sun_off_at_noon() -> None:
    bare, covered = (told(stand(400, 30, NORTH, canopy_m=h), from_h=11, to_h=14)[0] for h in (0.0, 2.5))
    assert part(bare, "sun_produce").value == pytest.approx(60.0) and part(covered, "sun_produce").value < 5


def test_a_stage_casts_its_shadow_too() -> None:
    wall = Block(Stand(X + 400, Y + 20, NORTH, 40.0, 2.0, 0.0), 30.0)
    free, behind = (told(stand(400, 30, NORTH, canopy_m=0.0), stages=s)[0] for s in ((), (wall,)))
    assert part(behind, "sun_produce").value < part(free, "sun_produce").value


@pytest.mark.parametrize(
    ("where", "more", "code"),
    [
        (stand(220, 50), {}, "in-building"),
        (stand(300, 1), {}, "in-road"),
        (stand(300, 20), {"others": (stand(302, 20, name="을"),)}, "overlap"),
        (
            stand(300, 20),
            {"others": (stand(300, 17, NORTH, name="을"),)},
            "overlap",
        ),  # it stands in the queue
        (stand(300, 20), {"stages": (Block(stand(302, 20), 1.0),)}, "overlap"),
        (stand(300, 20), {"exits": np.array([[X + 300.0, Y + 15.5]])}, "blocks-exit"),
        (stand(530, 16, NORTH), {}, "narrow"),  # four metres to the wall, two of them for the queue
        (stand(300, 295, NORTH), {}, None),
        (stand(300, 299, NORTH), {}, "outside"),
    ],
)
def test_what_must_not_be_is_named(where: Stand, more: dict[str, Any], code: str | None) -> None:
    bad = [one for one, level in told(where, **more)[1].items() if level == "bad"]
    assert bad == ([code] if code else [])


def test_outside_the_twin_nothing_is_known_and_nothing_is_made_up() -> None:
    found, _ = told(stand(5000, 5000))
    assert not any(one.known for one in found.parts) and all(one.score == 0.5 for one in found.parts)
    assert all(one.passers is None and one.sun_produce_min is None for one in found.hours)


def test_what_is_not_in_the_data_is_said_and_counts_neither_way() -> None:
    found, codes = told(stand(300, 20), ground(without=("stations", "buildings")))
    assert {"footfall-unknown", "sun-unknown", "supply-unknown", "ground-unknown"} <= set(codes)
    for code in ("footfall", "sun_produce", "sun_queue", "power", "water"):
        one = part(found, code)
        assert not one.known and one.score == 0.5 and one.to_dict()["source"] == "unknown"
    assert part(told(stand(300, 20), power=True, water=False)[0], "power").score == 1.0
    assert "footfall-assumed" in told(stand(300, 20))[1]


def test_nothing_known_at_all_is_half_of_everything() -> None:
    found, codes = told(stand(300, 20), ground(without=tuple(LAYERS)))
    assert found.score == pytest.approx(50.0) and "bad" not in codes.values()


def test_names_are_kept_back_where_they_may_not_be_told() -> None:
    of = ground(named=False)
    asked = question()
    found = scored(of, stand(220, 50), asked)
    text = str(findings_of(of, stand(220, 50), asked, found))
    assert "집" not in text and "in-building" in text


def test_a_lorry_wants_a_near_road_and_no_building_in_the_way() -> None:
    near, far, behind = (told(stand(x, y)) for x, y in ((300, 10), (300, 90), (530, 44)))
    assert part(near[0], "lorry").score == 1.0 and "lorry-far" in far[1]
    assert behind[1]["lorry-narrow"] == "warn"


def test_an_open_air_stage_with_a_guessed_height_casts_no_shadow_and_that_is_said() -> None:
    hall = building("마당", 380, 5, 420, 25, 45.0, height_source="estimated")
    mark = {"id": "마당", "name_ko": "마당", "kind": "stage", "geometry": shapely.Point(400, 15)}
    closed = ground(buildings=features([hall]))
    opened = ground(buildings=features([hall]), landmarks=features([mark]))
    where = stand(400, 30, NORTH)
    assert (
        part(told(where, closed)[0], "sun_produce").value < part(told(where, opened)[0], "sun_produce").value
    )
    assert "open-stage" in told(where, opened)[1] and "open-stage" not in told(where, closed)[1]


def test_a_stand_on_the_seats_of_an_open_air_stage_is_warned_of_and_no_place_is_tried_there() -> None:
    hall = building("마당", 280, 15, 320, 45, 45.0, height_source="estimated")
    mark = {"id": "마당", "name_ko": "마당", "kind": "stage", "geometry": shapely.Point(300, 30)}
    of = {"buildings": features([hall]), "landmarks": features([mark])}
    codes = told(stand(300, 30), ground(**of))[1]
    assert codes["in-venue"] == "warn" and "in-building" not in codes
    assert (
        not process(of, radius_m=12.0, lattice_m=4.0)
        .table.geometry.intersects(of["buildings"].table.geometry[0])
        .any()
    )


def test_counts_of_the_citys_own_are_used_where_they_are_named() -> None:
    count = features([{**road("c1", (280, 20), (320, 20)), **{f"h{h:02d}": 700.0 for h in range(5, 25)}}])
    table = process({"counted": count}, footfall="counted").table
    assert table["footfall"].max() > 500 and "counted" not in PROCESS.takes
    with pytest.raises(BadInput, match="h05"):
        process({"counted": features([road("c1", (280, 20), (320, 20))])}, footfall="counted")


def test_layers_with_other_columns_are_as_good_as_none() -> None:
    odd = features([{"id": "s1", "geometry": shapely.Point(0, 0)}])
    assert told(stand(300, 20), ground(stations=odd))[1]["footfall-unknown"] == "warn"


def test_a_height_that_was_guessed_may_be_one_storey_and_the_range_says_so() -> None:
    guessed = ground(buildings=features([building("집", 380, 5, 420, 25, 45.0, height_source="estimated")]))
    found, _ = told(stand(400, 32, NORTH), guessed, from_h=9, to_h=12)
    one = part(found, "sun_queue")
    assert one.low == one.value < one.high - 10
    sure = told(
        stand(400, 32, NORTH),
        ground(buildings=features([building("집", 380, 5, 420, 25, 45.0)])),
        from_h=9,
        to_h=12,
    )[0]
    assert part(sure, "sun_queue").low == part(sure, "sun_queue").high


def test_parts_of_buildings_are_used_where_they_are_known() -> None:
    flat = {"roof_shape": "flat", "roof_direction_deg": np.nan}
    low = {
        "id": "p",
        "building": "집",
        "base_m": 0.0,
        "eave_m": 3.0,
        "top_m": 3.0,
        **flat,
        "geometry": shapely.box(200, 40, 240, 60),
    }
    where = stand(220, 65, NORTH)
    assert (
        part(told(where, ground(building_parts=features([low])))[0], "sun_queue").value
        > part(told(where)[0], "sun_queue").value
    )


def test_more_people_need_a_wider_way() -> None:
    assert needed_width_m(600, 0, 0) == 2.0
    assert needed_width_m(0, 82 * 8 * 6, 2) == pytest.approx(3.0)
    crowd = {"people": 20_000.0, "exits": np.array([[X + 600.0, Y + 200.0]])}
    assert told(stand(300, 20), **crowd)[1]["narrow"] == "bad"


def test_weights_add_up_to_one_and_bad_ones_are_named() -> None:
    assert sum(weights_of({"footfall": 3}).values()) == pytest.approx(1.0)
    only = told(stand(100, 10), weights=weights_of({c: float(c == "lorry") for c in weights_of(None)}))[0]
    assert only.score == pytest.approx(100.0)
    for bad in (
        {"colour": 1},
        {"footfall": -1},
        {"footfall": True},
        {"footfall": "much"},
        dict.fromkeys(weights_of(None), 0),
    ):
        with pytest.raises(BadParameter, match="weights"):
            weights_of(bad)


def test_every_part_is_worth_between_nothing_and_all() -> None:
    for code in weights_of(None):
        for value in (None, 0.0, 0.3, 1.0, 60.0, 1e6):
            assert 0.0 <= worth(code, value) <= 1.0


def test_a_heading_is_from_true_north() -> None:
    assert facing_of(90, 0.0) == pytest.approx((1.0, 0.0)) and facing_of(180, 0.0) == pytest.approx(
        (0.0, -1.0)
    )
    assert facing_of(90.0, 0.5)[1] > 0  # grid north lies to the east of true north
    one = Stand(0, 0, (1.0, 0.0), 4.0, 2.0)
    assert shapely.bounds(one.outline).tolist() == pytest.approx([-1, -2, 1, 2])
    assert shapely.bounds(one.queue).tolist() == pytest.approx([1, -2, 3, 2])
    assert one.at(1.0, 0.0) == pytest.approx((0.0, -1.0))  # whoever looks east has the south to the right


def process(layers: dict[str, Any] | None = None, **options: Any) -> Features:
    lon, lat = (float(v) for v in FRAME.to_lonlat(X + 300, Y + 30))
    usual = {
        "centre": [lon, lat],
        "radius_m": 25.0,
        "lattice_m": 8.0,
        "day": "2027-09-18",
        "from_h": 9,
        "to_h": 11,
    }
    ask = Ask({**LAYERS, **(layers or {})}, FRAME, BOUNDS, "Asia/Seoul", "2026-12-22", {**usual, **options})
    if PROCESS.accept is not None:
        PROCESS.accept(replace(ask, options=PROCESS.check(ask.options)))
    ((name, made),) = run(PROCESS, ask)
    assert name == "stand-places" and isinstance(made, Features)
    return made


def test_the_best_places_that_leave_each_other_room_are_chosen() -> None:
    made = process(count=3, spacing_m=4.0)
    table = made.table
    taken = table[table["chosen"] > 0].sort_values("chosen")
    assert taken["chosen"].tolist() == [1, 2, 3] and taken["score"].is_monotonic_decreasing
    gaps = [a.distance(b) for k, a in enumerate(taken.geometry) for b in list(taken.geometry)[k + 1 :]]
    assert min(gaps) >= 4.0 and (table["width"] >= table["needed_m"]).all()
    told_ = made.provenance.steps[-1].parameters
    assert told_["total_score"] == pytest.approx(told_["bound"], abs=0.01) and told_["calibrated"] is False
    assert {"passers_h09", "sun_produce_h10", "sun_queue_h10", "footfall_score"} <= set(table.columns)
    assert table["power"].isna().all() and (table["power_score"] == 0.5).all()


def test_no_place_lies_in_a_road_a_building_or_what_was_set_up() -> None:
    lon, lat = (float(v) for v in FRAME.to_lonlat(X + 300, Y + 30))
    table = process(others=[{"lon": lon, "lat": lat, "width_m": 10.0, "depth_m": 10.0}]).table
    middle = shapely.box(X + 295, Y + 25, X + 305, Y + 35)
    assert not table.geometry.intersects(middle).any() and (table.geometry.bounds["miny"] >= Y + 4).all()


def test_where_nothing_can_stand_nothing_is_chosen() -> None:
    walls = features([building("성", 200, -50, 400, 150)])
    assert len(process({"buildings": walls}).table) == 0


def test_the_same_question_has_the_same_answer() -> None:
    assert process().to_parquet_bytes() == process().to_parquet_bytes()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"to_h": 9}, "to_h"), ({"day": "18.9.2027"}, "day"), ({"centre": [0.0, 0.0]}, "centre"), ({"centre": [1]}, "centre"),
        ({"centre": ["a", "b"]}, "centre"), ({"weights": {"x": 1}}, "weights"), ({"radius_m": 400.0, "lattice_m": 1.0}, "lattice_m"),
        ({"others": [3]}, "others.0"), ({"others": [{"lon": 127.0, "lat": 37.5, "width_m": -1}]}, "others.0"),
        ({"others": [{"lon": 127.0, "lat": 37.5, "width_m": "wide"}]}, "others.0.width_m"), ({"exits": [[200, 0]]}, "exits.0"),
        ({"stages": [{"lon": 127.0}]}, "stages.0"), ({"count": 0}, "count"),
    ],
)  # fmt: skip
def test_a_bad_question_is_named_before_anything_is_computed(options: dict[str, Any], named: str) -> None:
    with pytest.raises(BadParameter, match=named):
        process(**options)


def test_a_layer_of_another_shape_is_named() -> None:
    with pytest.raises(BadInput, match="landmarks"):
        process({"landmarks": Grid(np.zeros((2, 2)), X, Y, 1.0, "m", FRAME, FROM)})


def test_places_conflict_by_distance_and_by_what_must_stay_clear() -> None:
    served = np.array(
        [shapely.box(x, 0, x + 3, 5) for x in (0, 4, 20)] + [shapely.box(20, 7, 23, 12)], object
    )
    cleared = np.array(
        [shapely.box(x, 0, x + 3, 8) for x in (0, 4, 20)] + [shapely.box(20, 7, 23, 15)], object
    )
    assert conflicts(served, cleared, 2.0).tolist() == [[0, 1], [2, 3]]
    assert conflicts(served, cleared, 0.5).tolist() == [[2, 3]]


def test_sets_cover_every_pair_and_the_best_sum_may_leave_out_the_best_place() -> None:
    pairs = np.array([[0, 1], [1, 2], [0, 2], [2, 3]])
    assert sorted(tuple(one.tolist()) for one in cliques(pairs, 4)) == [(0, 1, 2), (2, 3)]
    found = chosen(np.array([4.0, 9.0, 4.0]), np.array([[0, 1], [1, 2]]), 3)
    assert found.rows.tolist() == [1] and found.total == pytest.approx(9.0)
    pair = chosen(np.array([5.0, 9.0, 5.0]), np.array([[0, 1], [1, 2]]), 3)
    assert sorted(pair.rows.tolist()) == [0, 2] and pair.bound == pytest.approx(10.0)
    assert len(chosen(np.zeros(0), np.zeros((0, 2), np.int64), 3).rows) == 0
