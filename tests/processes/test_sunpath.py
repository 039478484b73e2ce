"""Where the sun stands, in two ways of telling the time."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from twintown.ground.errors import BadParameter
from twintown.processes.sunpath import Place, circle, directions, parse_day, sun_path

JAMSIL = Place(127.1, 37.51, 0.06, "Asia/Seoul")
SOLSTICE = date(2026, 12, 22)


def test_at_nine_solar_and_civil_time_are_four_degrees_of_altitude_apart() -> None:
    height = [
        np.degrees(np.arcsin(directions(np.array([540.0]), SOLSTICE, basis, JAMSIL)[0, 2]))
        for basis in ("solar", "civil")
    ]
    assert height[0] - height[1] == pytest.approx(4.2, abs=0.1)


def test_the_grid_turns_the_azimuth_by_the_convergence() -> None:
    turned = Place(127.1, 37.51, 1.0, "Asia/Seoul")
    a, b = (directions(np.array([720.0]), SOLSTICE, "solar", place)[0] for place in (JAMSIL, turned))
    assert np.degrees(np.arctan2(a[0], a[1]) - np.arctan2(b[0], b[1])) == pytest.approx(0.94, abs=1e-4)


@pytest.mark.parametrize("basis", ["solar", "civil"])
def test_the_circle_is_the_sun_to_a_hundredth_of_a_degree(basis: str) -> None:
    for month in range(1, 13):
        assert circle(date(2026, month, 21), basis, JAMSIL, 480.0, 960.0).residual_deg < 0.01


def test_the_path_of_the_shortest_day_at_jamsil() -> None:
    path = sun_path("2026-12-22", "civil", JAMSIL)
    assert path["sunrise"] == "07:48"
    assert path["sunset"] == "17:12"
    positions = path["positions"]
    assert isinstance(positions, list)
    highest = max(positions, key=lambda p: p["altitude_deg"])
    assert highest["altitude_deg"] == pytest.approx(90 - 37.51 - 23.43, abs=0.05)
    assert highest["time_local"] == "12:30"


def test_a_day_is_iso_8601_between_1950_and_2100() -> None:
    assert parse_day("2026-12-22") == SOLSTICE
    for bad in ("22.12.2026", "", "1900-01-01", None, 5):
        with pytest.raises(BadParameter):
            parse_day(bad)
