from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.ground.bounds import Bounds
from twintown.ground.frames import Frame
from twintown.trust.standing import plane_of

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
AROUND = Bounds(208_000.0, 545_000.0, 212_000.0, 548_000.0)
HERE = FRAME.lonlat_bounds(AROUND)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(HERE.xmin - 0.05, HERE.xmax), st.floats(HERE.ymin - 0.05, HERE.ymax), st.floats(0.001, 3.0), st.floats(0.001, 3.0)
)  # fmt: skip
def test_nothing_of_the_box_in_the_plane_lies_outside_of_what_was_agreed(
    west: float, south: float, wide: float, tall: float
) -> None:
    plane = plane_of((west, south, west + wide, south + tall), FRAME, AROUND)
    if plane is None:
        return
    lon, lat = FRAME.to_lonlat(*plane.ring(64).T)
    assert lon.min() >= west and lon.max() <= west + wide
    assert lat.min() >= south and lat.max() <= south + tall


def test_little_is_lost_of_a_small_box() -> None:
    lon, lat = (float(v) for v in FRAME.to_lonlat(210_000.0, 546_500.0))
    plane = plane_of((lon - 0.005, lat - 0.005, lon + 0.005, lat + 0.005), FRAME, AROUND)
    assert plane is not None
    x, y = FRAME.from_lonlat(np.array([lon - 0.005, lon + 0.005]), np.array([lat - 0.005, lat + 0.005]))
    whole = float((x[1] - x[0]) * (y[1] - y[0]))
    assert plane.width * plane.height > 0.98 * whole


def test_the_whole_world_is_the_surroundings_and_elsewhere_is_nowhere() -> None:
    plane = plane_of((-180.0, -90.0, 180.0, 90.0), FRAME, AROUND)
    assert plane is not None and plane.xmin < AROUND.xmin and plane.ymax > AROUND.ymax
    assert plane_of((2.0, 48.0, 3.0, 49.0), FRAME, AROUND) is None
    assert plane_of((127.0, 37.0, 127.0 + 1e-9, 37.0 + 1e-9), FRAME, AROUND) is None


@pytest.mark.parametrize("crs", ["EPSG:32648", "EPSG:9210"])
def test_it_holds_in_the_frames_of_other_cities(crs: str) -> None:
    frame = Frame(crs, undulation_m=0.0, undulation_source="test")
    x, y = (float(v) for v in frame.from_lonlat(106.7, 10.78))
    plane = plane_of((106.69, 10.77, 106.71, 10.79), frame, Bounds(x - 2000, y - 2000, x + 2000, y + 2000))
    assert plane is not None
    lon, lat = frame.to_lonlat(*plane.ring(64).T)
    assert 106.69 <= lon.min() and lon.max() <= 106.71 and 10.77 <= lat.min() and lat.max() <= 10.79
