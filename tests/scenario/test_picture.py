"""Pictures of a small town: what stands where, in what light."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.scenario.camera import Camera, sun_over
from twintown.scenario.picture import Overlay, picture
from twintown.scenario.png import png

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
X, Y = 208_000.0, 545_500.0
FROM = Provenance((Source("test", "One tower", "nobody", Licence("CC0-1.0", "CC0")),))
NOON = datetime(2026, 3, 21, 12, 30, tzinfo=ZoneInfo("Asia/Seoul"))
SIZE = (160, 90)


def town() -> tuple[Features, Features]:
    shape = [shapely.box(X - 10, Y + 40, X + 10, Y + 60)]
    buildings = gpd.GeoDataFrame(
        {"id": ["way/1"], "height_m": [30.0], "storey_m": [3.0]}, geometry=shape, crs=FRAME.crs
    )
    parts = gpd.GeoDataFrame(
        {
            "id": ["way/1"], "building": ["way/1"], "base_m": 0.0, "eave_m": 30.0, "top_m": 30.0, "roof_shape": "flat",
            "roof_direction_deg": float("nan"),
        },
        geometry=shape, crs=FRAME.crs,
    )  # fmt: skip
    return Features(buildings, FRAME, FROM), Features(parts, FRAME, FROM)


def camera(y: float = -60.0, height: float = 30.0, heading: float = 0.0, pitch: float = -15.0) -> Camera:
    lon, lat = FRAME.to_lonlat(X, Y + y)
    return Camera(float(lon), float(lat), height, heading, pitch)


def pixels(data: bytes) -> np.ndarray:
    """A PNG back as pixels, by its own rules: what a browser would read."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    cols, rows = struct.unpack(">II", data[16:24])
    at, packed = 8, b""
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(rows, 1 + 3 * cols)
    assert (lines[:, 0] == 2).all()
    return np.cumsum(lines[:, 1:].astype(np.uint64), axis=0).astype(np.uint8).reshape(rows, cols, 3)


def test_a_png_gives_its_pixels_back() -> None:
    given = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    assert np.array_equal(pixels(png(given)), given)


def test_the_sun_of_an_equinox_noon_stands_in_the_south_at_the_colatitude() -> None:
    sun = sun_over(FRAME, X, Y, NOON)
    assert np.degrees(np.arcsin(sun[2])) == pytest.approx(90 - 37.5, abs=0.6)
    assert sun[1] < 0
    assert abs(sun[0]) < 0.05


@pytest.mark.slow
def test_the_tower_stands_in_the_middle_the_sky_above_and_its_shadow_behind() -> None:
    shown = pixels(picture(*town(), camera(), NOON, size=SIZE)).astype(int)
    assert shown.shape == (90, 160, 3)
    sky, tower, ground = shown[2, 5], shown[40, 80], shown[85, 20]
    assert sky[2] > sky[0]  # blue above
    assert abs(tower - ground).sum() > 10
    above = pixels(picture(*town(), camera(50.0, 200.0, 0.0, -90.0), NOON, size=SIZE)).astype(int)
    north, south = above[45 - 16, 80].sum(), above[45 + 16, 80].sum()
    assert north < south - 60  # the shadow falls north at noon


@pytest.mark.slow
def test_edited_buildings_and_results_are_coloured_and_nothing_else_changes() -> None:
    plain = pixels(picture(*town(), camera(), NOON, size=SIZE)).astype(int)
    edited = pixels(picture(*town(), camera(), NOON, edited=["way/1"], size=SIZE)).astype(int)
    assert np.array_equal(plain[:, :30], edited[:, :30])
    assert edited[40, 80, 0] - edited[40, 80, 2] > 60  # a warm tint
    grid = Grid(np.full((50, 50), 5.0, np.float32), X - 100, Y + 100, 4.0, "m", FRAME, FROM, -1.0)
    overlay = Overlay(grid, 0.0, 10.0, ("#000000", "#00ff00", "#ffffff"), 1.0)
    laid = pixels(picture(*town(), camera(), NOON, overlay=overlay, size=SIZE)).astype(int)
    assert laid[85, 80, 1] - laid[85, 80, 0] > 80
    assert np.array_equal(plain[0], laid[0])


@pytest.mark.slow
def test_streets_lie_on_the_ground_and_the_same_question_gives_the_same_bytes() -> None:
    line = gpd.GeoDataFrame(
        {"id": ["r"], "width_m": [12.0], "tunnel": [False]}, geometry=[shapely.LineString([(X - 500, Y), (X + 500, Y)])], crs=FRAME.crs
    )  # fmt: skip
    roads = {"roads": Features(line, FRAME, FROM)}
    bare = picture(*town(), camera(), NOON, size=SIZE)
    paved = picture(*town(), camera(), NOON, layers=roads, size=SIZE)
    assert picture(*town(), camera(), NOON, layers=roads, size=SIZE) == paved
    darker = pixels(bare).astype(int).sum(axis=2) - pixels(paved).astype(int).sum(axis=2)
    assert (darker[:, 10] > 20).any()


@pytest.mark.slow
def test_after_sunset_only_the_sky_is_left() -> None:
    night = datetime(2026, 3, 21, 23, 0, tzinfo=ZoneInfo("Asia/Seoul"))
    shown = pixels(picture(*town(), camera(), night, size=SIZE))
    assert 0 < shown.mean() < pixels(picture(*town(), camera(), NOON, size=SIZE)).mean() / 1.5


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"height": 0.0}, "height_m"),
        ({"pitch": -91.0}, "pitch_deg"),
        ({"heading": float("nan")}, "heading_deg"),
    ],
)
def test_a_camera_out_of_range_is_named(bad: dict[str, float], name: str) -> None:
    with pytest.raises(BadParameter) as caught:
        camera(**bad)
    assert caught.value.name == name


def test_a_moment_without_a_zone_and_a_picture_without_size_are_refused() -> None:
    with pytest.raises(BadParameter, match="time zone"):
        picture(*town(), camera(), datetime(2026, 3, 21, 12), size=SIZE)
    with pytest.raises(BadParameter, match="out of range"):
        picture(*town(), camera(), NOON, size=(0, 90))
