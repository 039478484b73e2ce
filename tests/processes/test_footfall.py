"""What the process `footfall` answers for streets that a pencil can draw, and what it says of what nobody counted."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.jobs.process import Ask, run
from twintown.processes import footfall_model
from twintown.processes.footfall import PROCESS
from twintown.processes.footfall_assumed import ASSUMED, drawn, values
from twintown.processes.footfall_model import floor_areas
from twintown.processes.footfall_stations import HOURS, stations_of
from twintown.processes.footfall_streets import streets_of

pytestmark = pytest.mark.slow  # it is compiled first

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
X, Y = 208_000.0, 545_500.0
FROM = Provenance((Source("test", "A street", "nobody", Licence("CC0-1.0", "CC0")),))


def features(rows: list[dict[str, Any]]) -> Features:
    table = gpd.GeoDataFrame(rows, geometry="geometry", crs=FRAME.crs)
    table["geometry"] = shapely.transform(table.geometry.to_numpy(), lambda xy: xy + np.array([X, Y]))
    return Features(table, FRAME, FROM)


def road(id: str, *xy: tuple[float, float], **more: Any) -> dict[str, Any]:
    usual = {
        "name_ko": "길",
        "name_en": "Street",
        "kind": "residential",
        "bridge": False,
        "tunnel": False,
        "layer": 0,
    }
    return {"id": id, **usual, **more, "geometry": shapely.LineString(xy)}


def house(id: str, x: float, y: float, levels: float = 5.0) -> dict[str, Any]:
    return {
        "id": id,
        "levels": levels,
        "height_m": 15.0,
        "storey_m": 3.0,
        "geometry": shapely.box(x - 5, y - 5, x + 5, y + 5),
    }


def station(id: str, name: str, x: float, y: float, line: str = "2호선") -> dict[str, Any]:
    return {"id": id, "name_ko": name, "line": line, "place_error_m": 100.0, "geometry": shapely.Point(x, y)}


def congestion(
    name: str, load: float | None = 40.0, day_type: str = "saturday", line: str = "2"
) -> list[dict[str, Any]]:
    return [
        {"id": f"{name}-{line}-{day_type}-{way}-{time}", "station": name, "line": line, "day_type": day_type, "direction": way,
         "time": time, "congestion": load, "geometry": None}
        for way in ("내선", "외선") for time in ("9:00", "9:30", "10:00", "00:30")
    ]  # fmt: skip


ROADS = [road("way/1", (0, 0), (600, 0)), road("way/2", (300, -200), (300, 200))]
STATIONS = [station("s1", "갑(구청)", 0, 0), station("s2", "병", 600, 0, "9호선")]
HOUSES = [house("h1", 300, 190), house("h2", 300, -190), house("h3", 590, 0)]


def asked(layers: dict[str, Any] | None = None, **options: Any) -> Features:
    usual = {"roads": features(ROADS), "stations": features(STATIONS), "metro-congestion": features(congestion("갑")),
             "buildings": features(HOUSES)}  # fmt: skip
    ask = Ask(
        {**usual, **(layers or {})}, FRAME, Bounds(X - 50, Y - 300, X + 700, Y + 300), "Asia/Seoul", "2026-12-22",
        {"day_type": "saturday", "draws": 20, **options},
    )  # fmt: skip
    ((name, made),) = run(PROCESS, ask)
    assert name == "footfall" and isinstance(made, Features)
    return made


def at(made: Features, x: float, y: float) -> dict[str, Any]:
    """The piece of street nearest to a place."""
    far = made.table.geometry.distance(shapely.Point(X + x, Y + y))
    return dict(made.table.loc[far.idxmin()])


def test_everybody_who_leaves_the_station_passes_its_street_and_they_part_at_the_crossing() -> None:
    made = asked()
    walkers = 2 * 2 * 0.4 * 10 * 10 * 160 * 0.12 * 0.7  # out and in; two ways; trains of ten cars
    assert at(made, 30, 0)["h09"] == pytest.approx(walkers, abs=0.1)
    north, south, east = (at(made, *xy)["h09"] for xy in ((300, 90), (300, -90), (450, 0)))
    assert north == pytest.approx(south) and north + south + east == pytest.approx(walkers, abs=0.2)
    assert at(made, 30, 0)["h11"] == 0.0 and at(made, 30, 0)["h24"] == pytest.approx(walkers, abs=0.1)


def test_the_factors_hold_the_value_between_them_and_the_same_seed_gives_the_same() -> None:
    made, again, other = asked(), asked(), asked(seed=2)
    walked = made.table["day"] > 0
    assert (made.table["low_factor"][walked] < 1).all() and (made.table["high_factor"][walked] > 1).all()
    assert made.table.equals(again.table)
    assert (made.table["high_factor"] != other.table["high_factor"]).any() and made.table["h09"].equals(
        other.table["h09"]
    )


def test_a_graph_too_large_for_all_draws_at_once_has_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = asked().table
    monkeypatch.setattr(footfall_model, "_MOST_AT_ONCE", 0)
    assert whole.equals(asked().table)


def test_it_says_that_nobody_counted_and_which_stations_are_silent() -> None:
    made = asked()
    told = made.provenance.steps[-1].parameters
    assert (
        told["calibrated"] is False
        and told["without_congestion"] == ["병 9호선"]
        and told["stations"] == ["갑 2호선"]
    )
    assert PROCESS.about and "not from counts" in PROCESS.about.en and "센 값이 아닙니다" in PROCESS.about.ko
    assert (
        PROCESS.error and "Not calibrated" in PROCESS.error.en and "보정하지 않았습니다" in PROCESS.error.ko
    )


def test_a_day_without_congestion_has_nobody_in_its_streets() -> None:
    table = asked(day_type="weekday").table
    assert (table["day"] == 0).all() and (table["low_factor"] == 1).all()


def test_half_hours_that_nobody_knows_are_left_out_of_the_hour() -> None:
    rows = congestion("갑")
    rows[1]["congestion"] = None
    made = asked({"metro-congestion": features(rows)})
    assert at(made, 30, 0)["h09"] == at(asked(), 30, 0)["h09"]


def test_a_landmark_draws_people_and_a_straight_way_leads_to_it() -> None:
    mark = {
        "id": "마당",
        "name_ko": "마당",
        "name_en": "Stage",
        "kind": "stage",
        "geometry": shapely.Point(150, 80),
    }
    made = asked({"landmarks": features([mark])})
    way = made.table[made.table["kind"] == "access"]
    assert len(way) == 1 and way["name_ko"].iloc[0] == "마당" and way["h09"].iloc[0] > 0
    assert at(made, 450, 0)["h09"] < at(asked(), 450, 0)["h09"]


def test_nobody_walks_in_tunnels_and_on_car_roads_without_pavements() -> None:
    more = [road("way/3", (0, 0), (300, 200), tunnel=True), road("way/4", (0, 0), (300, -200), kind="trunk")]
    assert len(asked({"roads": features(ROADS + more)}).table) == len(asked().table)


def test_a_bridge_meets_other_streets_at_its_ends_only() -> None:
    from scipy.sparse.csgraph import connected_components

    crossing = streets_of(features(ROADS).table)
    bridge = streets_of(
        features([ROADS[0], road("way/2", (300, -200), (300, 200), bridge=True, layer=1)]).table
    )
    assert [connected_components(one.graph)[0] for one in (crossing, bridge)] == [1, 2]


def test_streets_without_lines_are_no_streets() -> None:
    nothing = features(ROADS).table.iloc[:0]
    assert len(streets_of(nothing).lengths) == 0
    assert len(asked({"roads": features([road("way/4", (0, 0), (300, 0), kind="motorway")])}).table) == 0


def test_a_station_is_known_by_its_name_before_the_bracket_and_the_number_of_its_line() -> None:
    told = features(congestion("갑") + congestion("갑", 80.0, line="8")).table
    found = stations_of(features([*STATIONS, station("s3", "갑", 9, 9, "8호선")]).table, told, "saturday")
    assert found.names == ("갑 2호선", "갑 8호선") and found.cars.tolist() == [10, 6]
    assert found.loads[:, HOURS.index(9)].tolist() == pytest.approx([0.8, 1.6])


def test_more_people_alight_where_another_line_stops_and_the_assumed_trains_of_the_line_run() -> None:
    told = features(congestion("갑") + congestion("을") + congestion("을", line="8")).table
    found = stations_of(
        features([station("a", "갑", 0, 0), station("b", "을", 9, 0)]).table, told, "saturday"
    )
    assert found.crossing.tolist() == [False, True] and found.trains.tolist() == [[20.0, 10.0]] * 2
    one, two = found.people(values({}), "saturday")[:, HOURS.index(9)]
    assert two / one == pytest.approx(0.35 / 0.12)
    weekday = found.people(values({}), "weekday")
    assert weekday[0, HOURS.index(9)] == one  # nine is no peak hour


def test_floor_area_is_outline_times_storeys_stated_or_from_the_height() -> None:
    rows = [house("a", 0, 0, 3.0), house("b", 0, 0, np.nan), {**house("c", 0, 0, np.nan), "height_m": np.nan}]
    assert floor_areas(features(rows).table).tolist() == [300.0, 500.0, 100.0]


def test_each_assumption_has_its_value_within_its_range_and_draws_stay_in_it() -> None:
    assert all(one.low < one.value < one.high and one.why.ko and one.why.en for one in ASSUMED)
    for draw in drawn(values({}), 200, 3):
        assert all(one.low - 1e-9 <= draw[one.name] <= one.high + 1e-9 for one in ASSUMED)


def test_what_it_cannot_take_is_named() -> None:
    with pytest.raises(BadParameter, match="day_type"):
        asked(day_type="monday")
    for bad in (-1.0, 0.0, 1e9):
        with pytest.raises(BadParameter, match="decay_m"):
            asked(decay_m=bad)
    nameless = features([{"id": "s1", "geometry": shapely.Point(0, 0)}])
    with pytest.raises(BadInput, match="name_ko"):
        asked({"stations": nameless})
    grid = Grid(np.zeros((2, 2)), X, Y, 1.0, "m", FRAME, FROM)
    with pytest.raises(BadInput, match="roads"):
        asked({"roads": grid})
