"""What the process `stage` says of a square between a few boxes, and its words for bad input."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.jobs.process import Ask, run
from twintown.processes.stage import PROCESS
from twintown.processes.stage_limits import limits
from twintown.processes.stage_place import FIRST_M, MOST_PLACES, Stage, stage_of

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
X, Y, SIDE = 208_000.0, 545_500.0, 300.0
BOUNDS = Bounds(X, Y, X + SIDE, Y + SIDE)
FROM = Provenance((Source("test", "A square", "nobody", Licence("CC0-1.0", "CC0")),))
LON, LAT = (float(v) for v in FRAME.to_lonlat(X + 150, Y + 150))
FAR, WALL = (10.0, 10.0, 30.0, 30.0, 12.0), (100.0, 120.0, 200.0, 121.0, 15.0)


def layers(*blocks: tuple[float, float, float, float, float], **columns: Any) -> dict[str, Features]:
    shapes = [shapely.box(X + a, Y + b, X + c, Y + d) for a, b, c, d, _ in blocks]
    tops = np.array([one[4] for one in blocks])
    ids = [f"b{i}" for i in range(len(blocks))]
    houses = gpd.GeoDataFrame(
        {"id": ids, "name": ids, "height_m": tops, "storey_m": 3.0, **columns}, geometry=shapes, crs=FRAME.crs
    )
    flat = {"base_m": 0.0, "eave_m": tops, "top_m": tops, "roof_shape": "flat", "roof_direction_deg": np.nan}
    parts = gpd.GeoDataFrame({"id": ids, "building": ids, **flat}, geometry=shapes, crs=FRAME.crs)
    return {"buildings": Features(houses, FRAME, FROM), "building-parts": Features(parts, FRAME, FROM)}


def asked(
    made: dict[str, Features], stage: dict[str, Any] | None = None, **options: Any
) -> tuple[Any, Any, list[str]]:
    place = {"lon": LON, "lat": LAT, "heading_deg": 180.0, "level_db": 95.0, **(stage or {})}
    ask = Ask(made, FRAME, BOUNDS, "Asia/Seoul", "2027-09-18", {"stage": place, **options})
    out = dict(run(PROCESS, ask))
    audience, sound = out["audience"], out["stage-sound"]
    assert isinstance(audience, Features) and isinstance(sound, Features)
    findings = sound.provenance.steps[-1].parameters["findings"]
    return audience.table, sound.table.set_index("id"), [one.split(":")[0] for one in findings]


def placed(**said: Any) -> Stage:
    return stage_of({"lon": LON, "lat": LAT, **said}, FRAME, BOUNDS, FRAME.convergence(*BOUNDS.centre))


def test_the_audience_stands_before_the_front_and_no_closer_than_three_metres() -> None:
    stage = placed(heading_deg=90.0, depth_m=6.0, audience_m=20.0)
    xy, away = stage.places()
    ahead = (xy - [stage.x, stage.y]) @ np.array(stage.facing) - 3.0
    assert ahead == pytest.approx(away) and away.min() >= FIRST_M and away.max() <= FIRST_M + 20.0
    assert stage.facing[0] == pytest.approx(1.0, abs=0.01)
    assert len(placed(audience_m=1000.0).places()[0]) < 1.3 * MOST_PLACES


def test_a_stage_without_audience_has_no_places() -> None:
    assert len(placed(audience_m=0.0).places()[0]) == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"width_m": 0.0}, "stage.width_m"),
        ({"level_db": "loud"}, "stage.level_db"),
        ({"level_db": True}, "stage.level_db"),
        ({"colour": 1}, "has no member 'colour'"),
        ({"lon": 120.0}, "outside the twin"),
    ],
)
def test_what_is_no_stage_is_named(said: dict[str, Any], words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        placed(**said)


def test_what_was_not_said_is_known_as_assumed() -> None:
    assert placed(level_db=None).assumed == (
        "heading_deg",
        "width_m",
        "depth_m",
        "height_m",
        "level_db",
        "audience_m",
    )
    assert "level_db" not in placed(level_db=90.0).assumed


def test_the_limit_is_that_of_the_strictest_hour() -> None:
    residential = limits()["residential"]
    assert residential.strictest(11, 18) == (65.0, 11)
    assert residential.strictest(11, 19) == (60.0, 18)
    assert residential.at(23) == 60.0 and limits()["other"].at(12) == 70.0
    assert residential.source["confirm"] is True and residential.source["url"]


@pytest.mark.parametrize("options", [{"from_h": 12, "to_h": 12}, {"day": "soon"}, {"stage": {"lon": 127.1}}])
def test_bad_hours_days_and_stages_are_refused_before_anything_is_computed(options: dict[str, Any]) -> None:
    ask = Ask({}, FRAME, BOUNDS, "Asia/Seoul", "2027-09-18", options)
    assert PROCESS.accept is not None
    with pytest.raises(BadParameter):
        PROCESS.accept(ask)


@pytest.mark.slow
def test_on_an_open_square_nothing_hides_the_stage_and_the_sun_shines_on_everybody() -> None:
    audience, _, found = asked(layers(FAR), from_h=11, to_h=15)
    assert audience["hidden_by_buildings_pct"].max() == 0.0
    assert (audience[["sun_h11", "sun_h12", "sun_h13", "sun_h14"]] == 60.0).to_numpy().all()
    assert "sun-14" in found and "hidden" not in found and "stage-in-building" not in found


@pytest.mark.slow
def test_a_wall_before_the_stage_hides_it_and_is_told() -> None:
    audience, _, found = asked(layers(FAR, WALL), {"audience_m": 60.0})
    behind = (audience.geometry.y < Y + 120).to_numpy()
    assert behind.any() and (audience["hidden_by_buildings_pct"][behind] == 100.0).all()
    assert (audience["hidden_by_buildings_pct"][~behind] == 0.0).all()
    assert "hidden" in found


@pytest.mark.slow
def test_whoever_stands_farther_sees_less_over_the_heads_and_a_higher_deck_helps() -> None:
    low, _, found = asked(layers(FAR), {"height_m": 0.5})
    high, _, _ = asked(layers(FAR), {"height_m": 2.5})
    near, far = (
        low["seen_pct"][low["away_m"] == edge].mean() for edge in (low["away_m"].min(), low["away_m"].max())
    )
    assert near > far and high["seen_pct"].mean() > low["seen_pct"].mean() and "heads" in found


@pytest.mark.slow
def test_a_facade_is_louder_before_than_behind_and_quieter_behind_a_wall() -> None:
    south, north = (140.0, 90.0, 160.0, 92.0, 6.0), (140.0, 208.0, 160.0, 210.0, 6.0)
    _, open_air, found = asked(layers(south, north))
    levels = open_air.groupby("building")["level_db"].max()
    assert levels["b0"] > levels["b1"] + 3 and open_air["screening_db"][open_air["level_db"].idxmax()] == 0.0
    assert "sound-limit" in found and "sound-estimate" in found
    _, walled, _ = asked(layers(south, north, WALL))
    assert walled.groupby("building")["level_db"].max()["b0"] < levels["b0"] - 8
    assert (walled[walled["building"] == "b0"]["error_db"] == 5.0).all()


@pytest.mark.slow
def test_a_quiet_stage_is_within_the_limit() -> None:
    _, sound, found = asked(layers(FAR), {"level_db": 60.0})
    assert sound["above_db"].max() < 0.0 and "sound-limit" not in found


@pytest.mark.slow
def test_no_window_farther_than_300_m_is_asked() -> None:
    _, sound, found = asked(
        layers(FAR),
        {
            "lon": float(FRAME.to_lonlat(X + 290, Y + 290)[0]),
            "lat": float(FRAME.to_lonlat(X + 290, Y + 290)[1]),
        },
    )
    assert len(sound) == 0 and "no-windows" in found and "edge" in found


@pytest.mark.slow
def test_a_stage_in_a_building_is_told_but_not_one_that_is_an_open_stage_itself() -> None:
    house = (140.0, 140.0, 160.0, 160.0, 9.0)
    made = layers(FAR, house, height_source=["measured", "estimated"])
    assert "stage-in-building" in asked(made)[2]
    mark = gpd.GeoDataFrame(
        {"id": ["m"], "kind": ["stage"]}, geometry=[shapely.Point(X + 150, Y + 150)], crs=FRAME.crs
    )
    _, sound, found = asked({**made, "landmarks": Features(mark, FRAME, FROM)})
    assert "stage-in-building" not in found and set(sound["building"]) == {"b0"}


@pytest.mark.slow
def test_without_a_stage_the_landmark_that_is_one_is_asked() -> None:
    mark = gpd.GeoDataFrame(
        {"id": ["m"], "kind": ["stage"]}, geometry=[shapely.Point(X + 60, Y + 200)], crs=FRAME.crs
    )
    ask = Ask(
        {**layers(FAR), "landmarks": Features(mark, FRAME, FROM)},
        FRAME,
        BOUNDS,
        "Asia/Seoul",
        "2027-09-18",
        {},
    )
    audience = dict(run(PROCESS, ask))["audience"]
    assert isinstance(audience, Features)
    assert audience.table.geometry.x.mean() == pytest.approx(X + 60, abs=2)


@pytest.mark.slow
def test_the_same_question_has_the_same_answer() -> None:
    one, two = asked(layers(FAR, WALL)), asked(layers(FAR, WALL))
    assert one[0].equals(two[0]) and one[1].equals(two[1]) and one[2] == two[2]
