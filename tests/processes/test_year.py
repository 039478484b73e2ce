"""A year of sun over two slabs."""

from __future__ import annotations

import pickle
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.ground.series import Series
from twintown.jobs.process import Ask, run
from twintown.processes.sunpath import Place
from twintown.processes.year import GRIDS, PROCESS
from twintown.processes.year_sky import _PEREZ, clear, sky_of

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
X, Y = 208_000.0, 545_500.0
BOUNDS = Bounds(X, Y, X + 160, Y + 120)
FROM = Provenance((Source("test", "Two slabs", "nobody", Licence("CC0-1.0", "CC0")),))
QUICK = {"sky": "clear", "directions": 32, "step_minutes": 60, "cell_m": 2}


def town() -> tuple[Features, Features]:
    shapes = [shapely.box(X + 30, Y + 30, X + 130, Y + 42), shapely.box(X + 30, Y + 70, X + 130, Y + 82)]
    ids, heights = ["way/1", "way/2"], [24.0, 12.0]
    buildings = gpd.GeoDataFrame(
        {"id": ids, "height_m": heights, "storey_m": [3.0, 3.0]}, geometry=shapes, crs=FRAME.crs
    )
    parts = gpd.GeoDataFrame(
        {
            "id": ids, "building": ids, "base_m": 0.0, "eave_m": [24.0, 9.0], "top_m": heights, "roof_shape": ["flat", "gabled"],
            "roof_direction_deg": float("nan"), "roof_height_m": [0.0, 3.0],
        },
        geometry=shapes, crs=FRAME.crs,
    )  # fmt: skip
    return Features(buildings, FRAME, FROM), Features(parts, FRAME, FROM)


def ask(**options: object) -> Ask:
    buildings, parts = town()
    layers = {"buildings": buildings, "building-parts": parts}
    return Ask(layers, FRAME, BOUNDS, "Asia/Seoul", "2026-12-22", {**QUICK, **options})


def weather(hours: int, direct: float = 0.0, diffuse: float = 0.0) -> Series:
    first = 1_672_498_800_000  # 2023-01-01 00:00 in Seoul
    time = pa.array(first + np.arange(hours) * 3_600_000, pa.int64()).cast(pa.timestamp("ms", "Asia/Seoul"))
    table = pa.table(
        {"time": time, "direct_normal": np.full(hours, direct), "diffuse_horizontal": np.full(hours, diffuse)}
    )
    units = {"direct_normal": "W.h/m2", "diffuse_horizontal": "W.h/m2"}
    return Series(table, units, "Asia/Seoul", "nowhere", FROM)


@pytest.fixture(scope="module")
def answer() -> dict[str, object]:
    return dict(run(PROCESS, ask()))


def grid(answer: dict[str, object], name: str) -> np.ndarray:
    found = answer[name]
    assert isinstance(found, Grid)
    return found.values


def test_open_corners_see_nearly_all_and_the_alley_in_the_north_of_a_slab_less(
    answer: dict[str, object],
) -> None:
    hours, sky, light = (grid(answer, name) for name in GRIDS)
    assert sky[0, 0] > 0.95
    assert hours[0, 0] > 4000
    north_of_the_south_slab = 60 - 22  # rows of 2 m from the north
    assert hours[north_of_the_south_slab, 40] < 0.6 * hours[0, 0]
    assert sky[north_of_the_south_slab, 40] < 0.7
    assert light[north_of_the_south_slab, 40] < 0.7 * light[0, 0]
    assert (hours[(hours >= 0) != (sky >= 0)]).size == 0
    assert hours[60 - 18, 40] == -1.0


def test_each_building_has_its_roof_its_facades_and_its_yield(answer: dict[str, object]) -> None:
    found = answer["year-buildings"]
    assert isinstance(found, Features)
    table = found.table.set_index("id")
    flat, gabled = table.loc["way/1"], table.loc["way/2"]
    assert flat["roof_area_m2"] == pytest.approx(1200, rel=0.05)
    assert gabled["roof_area_m2"] == pytest.approx(100 * 12 * np.sqrt(1 + 0.25), rel=0.1)
    assert flat["facade_area_m2"] == pytest.approx(224 * 24, rel=0.02)
    assert gabled["facade_kwh_m2"] < flat["facade_kwh_m2"] < flat["roof_kwh_m2"]
    usable, made = flat["usable_area_m2"], flat["pv_kwh_a"]
    assert made == pytest.approx(flat["roof_kwh_m2"] * usable * 0.2 * 0.8, abs=1.0)
    assert set(found.units) >= {"roof_kwh_m2", "pv_kwh_a", "usable_area_m2"}


def test_in_tiles_worked_on_elsewhere_it_answers_the_same_bytes(answer: dict[str, object]) -> None:
    def spread(work, context, windows):  # type: ignore[no-untyped-def]
        context = pickle.loads(pickle.dumps(context))
        for window in reversed(windows):
            yield window, work(context, window)

    tiled = dict(run(PROCESS, replace(ask(tile_cells=17), spread=spread)))
    for name in GRIDS:
        assert np.array_equal(grid(tiled, name), grid(answer, name)), name
    assert tiled["year-buildings"].table.equals(answer["year-buildings"].table)  # type: ignore[attr-defined]


def test_the_step_of_the_path_changes_hours_by_little() -> None:
    coarse, fine = (grid(dict(run(PROCESS, ask(step_minutes=step, cell_m=4))), GRIDS[0]) for step in (60, 5))
    here = fine >= 0
    assert np.abs(coarse - fine)[here].mean() < 40


def test_without_weather_it_says_so_and_offers_a_clear_sky() -> None:
    with pytest.raises(BadParameter, match="no layer weather") as caught:
        dict(run(PROCESS, ask(sky="weather")))
    assert caught.value.name == "sky"
    assert "clear" in caught.value.remedy


def test_three_days_of_weather_are_no_year() -> None:
    short = ask(sky="weather")
    with pytest.raises(BadParameter, match="72 hours"):
        dict(run(PROCESS, replace(short, layers={**short.layers, "weather": weather(72)})))


def test_under_a_sky_that_is_grey_all_year_the_ground_gets_its_share_of_it() -> None:
    grey = ask(sky="weather", diffuse="isotropic")
    found = dict(run(PROCESS, replace(grey, layers={**grey.layers, "weather": weather(8760, 0.0, 100.0)})))
    sky, light = grid(found, GRIDS[1]), grid(found, GRIDS[2])
    here = sky >= 0
    assert light[here] == pytest.approx(sky[here] * 876.0, abs=1.0)


@pytest.mark.parametrize(("step", "good"), [(7, False), (15, True), (60, True)])
def test_a_step_divides_the_hour(step: int, good: bool) -> None:
    accept = PROCESS.accept
    assert accept is not None
    asked = replace(ask(), options=PROCESS.check({"step_minutes": step}))
    if good:
        accept(asked)
    else:
        with pytest.raises(BadParameter, match="divide an hour"):
            accept(asked)


def test_perez_coefficients_are_those_of_pvlib() -> None:
    from pvlib import irradiance

    zenith, diffuse, direct = 50.0, 150.0, np.array([3.0, 25, 55, 110, 200, 400, 700, 950])
    theirs = irradiance.perez(
        90.0, 180.0, np.full(8, diffuse), direct, np.full(8, 1366.1), np.full(8, zenith), np.full(8, 180.0), np.full(8, 1.5),
        return_components=True,
    )  # fmt: skip
    z = np.radians(zenith)
    clearness = ((diffuse + direct) / diffuse + 1.041 * z**3) / (1 + 1.041 * z**3)
    c = _PEREZ[np.searchsorted([1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2], clearness, side="right")]
    delta = diffuse * 1.5 / 1366.1
    around = np.maximum(c[:, 0] + c[:, 1] * delta + c[:, 2] * z, 0)
    band = c[:, 3] + c[:, 4] * delta + c[:, 5] * z
    assert theirs["poa_isotropic"] == pytest.approx(diffuse * 0.5 * (1 - around), rel=1e-6)
    assert theirs["poa_horizon"] == pytest.approx(diffuse * band, rel=1e-6)


def test_all_samples_of_the_year_are_in_the_table() -> None:
    place = Place(127.1, 37.51, 0.0, "Asia/Seoul")
    year = clear(2026, place, 30)
    sky = sky_of(year, year, 24, False)
    up = year.sun[:, 2] > 0
    assert sky.seconds[:, 0].sum() == up.sum() * 1800 * 16
    assert 4350 < sky.seconds[:, 0].sum() / 16 / 3600 < 4450
    assert (np.diff(sky.seconds, axis=1) <= 0).all()
