"""Whose sun it takes: the scene, its edits, its words for bad input."""

from __future__ import annotations

import pickle
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter, NotFound
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.jobs.process import Ask, Window, run
from twintown.processes.arrays import unpack
from twintown.processes.sunlight import PROCESS
from twintown.processes.sunlight_rule import CANNOT, GONE, NEAR, PASSED, PASSES
from twintown.processes.sunlight_scene import Scene

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
ORIGIN = (208_000.0, 545_500.0)
BOUNDS = Bounds(ORIGIN[0], ORIGIN[1], ORIGIN[0] + 200, ORIGIN[1] + 160)
DAY = "2026-12-22"
FROM = Provenance((Source("test", "Two slabs", "nobody", Licence("CC0-1.0", "CC0")),))


def rectangle(x: float, y: float, width: float, depth: float) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] + x, ORIGIN[1] + y, ORIGIN[0] + x + width, ORIGIN[1] + y + depth)


def town(south_m: float = 30.0) -> tuple[Features, Features]:
    """A slab in the south, one 40 m north of it, and a low house that leans on the northern slab."""
    shapes = [rectangle(40, 30, 120, 12), rectangle(40, 90, 120, 12), rectangle(160, 90, 12, 12)]
    heights = [south_m, 30.0, 6.0]
    ids = ["way/1", "way/2", "way/3"]
    buildings = gpd.GeoDataFrame(
        {"id": ids, "height_m": heights, "storey_m": [3.0, 3.0, 3.0]}, geometry=shapes, crs=FRAME.crs
    )
    parts = gpd.GeoDataFrame(
        {
            "id": ids, "building": ids, "base_m": 0.0, "eave_m": heights, "top_m": heights, "roof_shape": "flat",
            "roof_direction_deg": float("nan"), "roof_height_m": 0.0,
        },
        geometry=shapes, crs=FRAME.crs,
    )  # fmt: skip
    return Features(buildings, FRAME, FROM), Features(parts, FRAME, FROM)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(*town(), BOUNDS, "Asia/Seoul")


def lower(height: float) -> list[dict[str, object]]:
    return [{"op": "set", "object": "way/1", "height_m": height}]


def test_a_northern_wall_cannot_pass_and_a_southern_wall_of_the_first_row_passes(scene: Scene) -> None:
    answer = scene.base(DAY, "solar")
    state, normal = answer.arrays["facade_state"][0], answer.arrays["facade_normal"][0]
    first = answer.arrays["facade_building"][0] == 0
    north, south = np.abs(normal - 0) < 10, np.abs(normal - 180) < 10
    assert (state[first & north] == CANNOT).all()
    assert (state[first & south] & PASSES).all()
    counts = answer.counts
    assert counts["points"] == len(state) == counts["pass"] + counts["fail"] + counts["cannot"]
    assert counts["newly_fail"] == 0


def test_ground_steps_are_255_where_a_building_stands_and_fewest_north_of_it(scene: Scene) -> None:
    steps = scene.base(DAY, "solar").arrays["sun_steps"][0]
    assert steps.shape == (160, 200)
    assert steps[160 - 36, 100] == 255
    assert steps[160 - 50, 100] < 15
    assert steps[160 - 10, 100] == 69


def test_taking_the_southern_slab_away_gives_sun_and_its_points_are_gone(scene: Scene) -> None:
    base, answer = scene.base(DAY, "solar"), scene.edit(lower(0.0), DAY, "solar")
    index, state = answer.arrays["facade_index"][0], answer.arrays["facade_state"][0]
    owner = base.arrays["facade_building"][0][index]
    assert (state[owner == 0] & GONE).all()
    assert answer.counts["gone"] == int((base.arrays["facade_building"][0] == 0).sum())
    assert answer.counts["newly_pass"] > 0
    assert answer.counts["newly_fail"] == 0
    assert answer.header["affected_km2"] > 0


def test_an_edit_answers_what_a_town_built_so_answers(scene: Scene) -> None:
    other = Scene(*town(60.0), BOUNDS, "Asia/Seoul")
    full, part = other.base(DAY, "civil"), scene.edit(lower(60.0), DAY, "civil")
    row, col, rows, cols = part.header["grid"]["window"]
    base = scene.base(DAY, "civil")
    steps = base.arrays["sun_steps"][0].copy()
    steps[row : row + rows, col : col + cols] = part.arrays["sun_steps"][0]
    assert np.array_equal(steps, full.arrays["sun_steps"][0])
    for name in ("points", "pass", "fail", "cannot", "near"):
        assert part.counts[name] == full.counts[name], name
    assert part.counts["new"] == part.counts["points"] - base.counts["points"]
    assert part.counts["newly_fail"] > 0


def test_failing_already_is_not_newly_failing() -> None:
    answer = Scene(*town(40.0), BOUNDS, "Asia/Seoul").edit(lower(90.0), DAY, "solar")
    state = answer.arrays["facade_state"][0]
    failing_before = (state & (PASSED | PASSES | CANNOT)) == 0
    newly = ((state & PASSED) > 0) & ((state & PASSES) == 0) & ((state & GONE) == 0)
    assert failing_before.any()
    assert answer.counts["newly_fail"] == int(newly.sum())


def test_raising_a_house_hides_the_party_wall_beside_it_and_lowering_shows_it(scene: Scene) -> None:
    raised = scene.edit([{"op": "set", "object": "way/3", "height_m": 30.0}], DAY, "solar")
    base = scene.base(DAY, "solar")
    owner = base.arrays["facade_building"][0][raised.arrays["facade_index"][0]]
    hidden = (raised.arrays["facade_state"][0] & GONE > 0) & (owner == 1)
    assert hidden.any()
    lowered = scene.edit([{"op": "set", "object": "way/3", "height_m": 0.0}], DAY, "solar")
    assert lowered.counts["new"] > 0


def test_two_edits_are_one_city_and_an_edit_back_is_none(scene: Scene) -> None:
    both = scene.edit([*lower(50.0), {"op": "set", "object": "way/2", "height_m": 10.0}], DAY, "solar")
    turned = scene.edit([{"op": "set", "object": "way/2", "height_m": 10.0}, *lower(50.0)], DAY, "solar")
    assert both.counts == turned.counts
    back = scene.edit(lower(30.0), DAY, "solar")
    assert back.counts == scene.base(DAY, "solar").counts
    assert len(back.arrays["facade_index"][0]) == 0
    assert back.header["grid"]["window"][2:] == [0, 0]


def test_near_points_are_those_that_ten_minutes_would_turn(scene: Scene) -> None:
    answer = scene.base(DAY, "solar")
    state, total, run_min = (
        answer.arrays[name][0] for name in ("facade_state", "facade_minutes", "facade_run")
    )
    sure = (total > 251) | (run_min > 131) | ((total < 229) & (run_min < 109))
    assert not (state[sure] & NEAR).any()


def test_the_answer_travels_in_its_frame_and_comes_back(scene: Scene) -> None:
    answer = scene.edit(lower(45.0), DAY, "solar")
    header, arrays = unpack(answer.to_bytes())
    assert header["counts"] == answer.counts
    assert header["steps"] == 69
    assert set(header["error"]["statement"]) == {"ko", "en"}
    assert all(entry["offset"] % 8 == 0 and entry["unit"] for entry in header["buffers"])
    for name, (array, _) in answer.arrays.items():
        assert np.array_equal(arrays[name], array), name


@pytest.mark.parametrize(
    ("date", "basis", "edits", "named"),
    [
        ("2026-13-01", "solar", lower(1), "date"),
        ("tomorrow", "solar", lower(1), "date"),
        (DAY, "lunar", lower(1), "time_basis"),
        (DAY, "solar", lower(-1), "edits[0].height_m"),
        (DAY, "solar", lower(1001), "edits[0].height_m"),
        (DAY, "solar", [{"op": "set", "object": "way/1", "height_m": float("nan")}], "edits[0].height_m"),
        (DAY, "solar", [{"op": "move", "object": "way/1", "height_m": 1}], "edits[0].op"),
        (DAY, "solar", [{"height_m": 1}], "edits[0].object"),
        (DAY, "solar", "high", "edits"),
    ],
)
def test_a_bad_parameter_is_named(scene: Scene, date: str, basis: str, edits: object, named: str) -> None:
    with pytest.raises(BadParameter) as caught:
        scene.edit(edits, date, basis)
    assert caught.value.name == named


def test_an_unknown_building_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound, match="way/9"):
        scene.edit([{"op": "set", "object": "way/9", "height_m": 3}], DAY, "solar")


def test_a_window_outside_the_grid_is_refused_and_one_inside_is_answered(scene: Scene) -> None:
    with pytest.raises(BadParameter, match="outside the grid"):
        scene.edit(lower(10), DAY, "solar", [0, 0, 9999, 3])
    assert scene.edit(lower(10), DAY, "solar", [5, 6, 7, 8]).arrays["sun_steps"][0].shape == (7, 8)


def test_a_polar_night_is_said_so() -> None:
    frame = Frame("EPSG:32633")
    x, y = (float(v) for v in frame.from_lonlat(15.6, 78.2))
    shape = [shapely.box(x, y, x + 10, y + 10)]
    buildings = gpd.GeoDataFrame(
        {"id": ["a"], "height_m": [9.0], "storey_m": [3.0]}, geometry=shape, crs=frame.crs
    )
    parts = buildings.assign(
        building="a", base_m=0.0, eave_m=9.0, top_m=9.0, roof_shape="flat", roof_direction_deg=np.nan
    )
    arctic = Scene(
        Features(buildings, frame, FROM),
        Features(parts, frame, FROM),
        Bounds(x - 50, y - 50, x + 60, y + 60),
        "Arctic/Longyearbyen",
    )
    with pytest.raises(BadParameter, match="does not rise"):
        arctic.base(DAY, "solar")


def test_the_process_gives_the_layers_it_declares() -> None:
    buildings, parts = town()
    ask = Ask({"buildings": buildings, "building-parts": parts}, FRAME, BOUNDS, "Asia/Seoul", DAY)
    layers = dict(run(PROCESS, ask))
    assert list(layers) == ["sunlight-solar", "sunlight-civil", "facades"]
    solar, facades = layers["sunlight-solar"], layers["facades"]
    assert isinstance(solar, Grid)
    assert isinstance(facades, Features)
    assert solar.nodata == 255
    assert solar.attributes["time_basis"] == "solar"
    assert set(facades.table["building"]) == {"way/1", "way/2", "way/3"}
    assert facades.provenance.sources == FROM.sources
    assert len(Features.from_parquet(facades.to_parquet_bytes())) == len(facades)


def whole_ask(**options: object) -> Ask:
    buildings, parts = town()
    return Ask(
        {"buildings": buildings, "building-parts": parts},
        FRAME,
        BOUNDS,
        "Asia/Seoul",
        DAY,
        PROCESS.check(options),
    )


def test_in_tiles_it_answers_the_same_bytes_as_whole_and_as_the_quick_answer_of_the_page(
    scene: Scene,
) -> None:
    asked: list[Window] = []

    def spread(work, context, windows):  # type: ignore[no-untyped-def]
        context = pickle.loads(pickle.dumps(context))  # as a cluster would hand it on
        for window in reversed(windows):
            asked.append(window)
            yield window, work(context, window)

    whole = dict(run(PROCESS, whole_ask()))
    tiled = dict(run(PROCESS, replace(whole_ask(tile_cells=37), spread=spread)))
    assert len(asked) == 2 * 4 * 5  # alike in size, and none a sliver
    for basis in ("solar", "civil"):
        grid, other = whole[f"sunlight-{basis}"], tiled[f"sunlight-{basis}"]
        assert isinstance(grid, Grid)
        assert isinstance(other, Grid)
        assert np.array_equal(grid.values, other.values)
        assert np.array_equal(grid.values, scene.base(DAY, basis).arrays["sun_steps"][0])
    assert whole["facades"].table.equals(tiled["facades"].table)  # type: ignore[union-attr]


def test_the_halo_is_the_shadow_of_the_tallest_under_the_lowest_sun() -> None:
    halo = PROCESS.halo_m
    assert halo is not None
    tall = replace(whole_ask(), layers={"buildings": town(60.0)[0]})
    assert halo(tall) == pytest.approx(2 * halo(whole_ask()), rel=0.02)
    assert 30.0 / np.tan(np.radians(7.0)) * 0.7 < halo(whole_ask()) < 30.0 / np.tan(np.radians(2.0))


@pytest.mark.parametrize(
    ("options", "named"),
    [({"date": "2026-02-30"}, "date"), ({"date": "1900-01-01"}, "date"), ({"cell_m": 1e-6}, "cell_m")],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    options: dict[str, object], named: str
) -> None:
    accept = PROCESS.accept
    assert accept is not None
    filled = {one.name: one.default for one in PROCESS.inputs} | options
    with pytest.raises(BadParameter) as caught:
        accept(Ask({}, FRAME, BOUNDS, "Asia/Seoul", DAY, filled))
    assert caught.value.name == named


def test_a_polar_night_is_refused_before_anything_is_computed() -> None:
    frame = Frame("EPSG:32633")
    x, y = (float(v) for v in frame.from_lonlat(15.6, 78.2))
    ask = Ask({}, frame, Bounds(x, y, x + 50, y + 50), "Arctic/Longyearbyen", DAY, PROCESS.check({}))
    assert PROCESS.accept is not None
    with pytest.raises(BadParameter, match="does not rise"):
        PROCESS.accept(ask)


def test_directions_are_rounded_so_that_no_machine_differs_in_the_last_bit(scene: Scene) -> None:
    rows = scene.day(DAY, "civil").directions * 2.0**20
    assert (rows == np.rint(rows)).all()
