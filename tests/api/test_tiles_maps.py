"""Maps of grids, pixel by pixel against PROJ."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from numpy.typing import NDArray
from starlette.testclient import TestClient
from tests.api.conftest import DESCRIPTION, FRAME, FROM, X, Y

from twintown.api import ramps
from twintown.api.tile_matrices import SCHEMES
from twintown.app import create_app
from twintown.ground.grid import Grid
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.twin.layers import Twin

T = "/twins/small/collections"
HALF = 20037508.342789244
ROWS, COLS = 300, 400
VALUES = (np.arange(ROWS * COLS).reshape(ROWS, COLS) % 254).astype(np.uint8)
VALUES[100:140, 100:160] = 255


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """`odd`: every cell another value than its neighbours; `wave`: a smooth field of 1,500 × 1,500 cells."""
    directory = tmp_path_factory.mktemp("maps") / "small"
    directory.mkdir()
    (directory / "twintown.toml").write_text(DESCRIPTION.format(id="small"), encoding="utf-8")
    twin = Twin.open(directory, read_only=False)
    x, y = np.meshgrid(np.linspace(0, 6, 1500), np.linspace(0, 6, 1500))
    grids = {
        "odd": Grid(VALUES, X, Y, 3.0, "min", FRAME, FROM, 255),
        "wave": Grid((np.sin(x) + np.cos(y)).astype(np.float32), X, Y, 1.0, "Cel", FRAME, FROM, None),
    }
    versions = {name: twin.stage(name, grid, Grade.O).version for name, grid in grids.items()}
    twin.tables.switch(versions, {})
    return TestClient(create_app([Path(directory)], Settings(), warm=False))


def shades(body: bytes) -> NDArray[np.uint8]:
    """The palette's indices of a PNG, read by GDAL."""
    with rasterio.open(io.BytesIO(body)) as file:
        return file.read(1)


def expected(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: str
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The shade of the cell below each place, and whether the place is further than 0.02 cells from a border."""
    e, n = pyproj.Transformer.from_crs(crs, FRAME.crs, always_xy=True).transform(x, y)
    column, row = (e - X) / 3.0, (Y - n) / 3.0
    inside = (column >= 0) & (column < COLS) & (row >= 0) & (row < ROWS)
    values = VALUES[np.clip(row, 0, ROWS - 1).astype(int), np.clip(column, 0, COLS - 1).astype(int)]
    known = inside & (values != 255)
    wanted = np.where(known, ramps.shades(values, known, 0, 253), 0)
    sure = (np.abs(column - np.rint(column)) > 0.02) & (np.abs(row - np.rint(row)) > 0.02)
    return wanted, sure


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("zoom", [16, 17, 19])
@pytest.mark.parametrize("scheme", ["WebMercatorQuad", "WorldCRS84Quad"])
def test_each_pixel_of_a_tile_shows_the_cell_that_its_centre_lies_in(
    maps: TestClient, scheme: str, zoom: int
) -> None:
    tiles = SCHEMES[scheme]
    lon, lat = (float(v) for v in FRAME.to_lonlat(X + 390, Y - 330))  # in the hole of what is not known
    row, _, column, _ = tiles.limits((lon, lat, lon, lat), zoom)
    body = maps.get(f"{T}/odd/map/tiles/{scheme}/{zoom}/{row}/{column}").content
    n = 2**zoom
    if tiles.mercator:
        side = 2 * HALF / n
        x, y = (
            -HALF + (column + (np.arange(256) + 0.5) / 256) * side,
            HALF - (row + (np.arange(256) + 0.5) / 256) * side,
        )
    else:
        side = 180 / n
        x, y = (
            -180 + (column + (np.arange(256) + 0.5) / 256) * side,
            90 - (row + (np.arange(256) + 0.5) / 256) * side,
        )
    wanted, sure = expected(*np.meshgrid(x, y), "EPSG:3857" if tiles.mercator else "EPSG:4326")
    found = shades(body)
    assert (found == 0).any()
    assert (wanted > 0).any()
    assert (found == wanted)[sure].all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_map_in_the_grids_own_frame_is_the_grid_itself(maps: TestClient) -> None:
    bbox = f"{Y - 300},{X + 300},{Y},{X + 600}"  # EPSG:5186 says northing first
    answer = maps.get(
        f"{T}/odd/map", params={"bbox": bbox, "bbox-crs": "[EPSG:5186]", "width": 100, "height": 100}
    )
    assert answer.headers["content-bbox"] == f"{Y - 300:.3f},{X + 300:.3f},{Y:.3f},{X + 600:.3f}"
    part = VALUES[:100, 100:200]
    assert (shades(answer.content) == np.where(part == 255, 0, ramps.shades(part, part != 255, 0, 253))).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_pixels_larger_than_cells_show_the_mean_of_a_smooth_field(maps: TestClient) -> None:
    answer = maps.get(f"{T}/wave/map", params={"width": 50, "height": 50})
    x, y = np.meshgrid(np.linspace(0, 6, 1500), np.linspace(0, 6, 1500))
    field = np.sin(x) + np.cos(y)
    means = field.reshape(50, 30, 50, 30).mean(axis=(1, 3))
    wanted = ramps.shades(means, np.ones(means.shape, bool), float(field.min()), float(field.max()))
    assert np.abs(shades(answer.content).astype(int) - wanted.astype(int)).max() <= 4  # overviews pick cells


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_all_tiles_of_a_grid_share_one_scale_of_values(maps: TestClient) -> None:
    for zoom in (0, 8, 13, 15):
        limit = maps.get(f"{T}/wave/map/tiles").json()["tilesets"][0]["tileMatrixSetLimits"][zoom]
        body = maps.get(
            f"{T}/wave/map/tiles/WebMercatorQuad/{zoom}/{limit['minTileRow']}/{limit['minTileCol']}"
        ).content
        found = shades(body)
        assert found.shape == (256, 256)
        assert (zoom == 0) or found.any()
        assert len(np.unique(found)) < 256


def test_a_map_keeps_the_shape_of_its_box_and_its_limits(maps: TestClient) -> None:
    def size(**asked: object) -> tuple[int, int]:
        answer = maps.get(f"{T}/odd/map", params=asked)
        assert answer.status_code == 200, answer.text
        return int.from_bytes(answer.content[16:20]), int.from_bytes(answer.content[20:24])

    assert size() == (1024, 768)
    assert size(width=40) == (40, 30)
    assert size(height=30) == (40, 30)
    assert size(width=7, height=9) == (7, 9)
    wrongs = (
        ({"width": 5000}, "width"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "a,b,c,d"}, "bbox"),
        ({"bbox": "127,37,127,37"}, "bbox"),
        ({"bbox-crs": "nonsense", "bbox": "1,2,3,4"}, "bbox-crs"),
        ({"crs": "EPSG:1"}, "crs"),
        ({"colour": "red"}, "colour"),
    )
    for asked, name in wrongs:
        wrong = maps.get(f"{T}/odd/map", params=asked)
        assert (wrong.status_code, wrong.json()["parameter"]) == (400, name)


def test_map_tiles_are_kept_by_version_and_gone_with_another(maps: TestClient) -> None:
    item = maps.get(f"{T}/odd/map/tiles").json()["tilesets"][0]
    limit = item["tileMatrixSetLimits"][16]
    here = next(link["href"] for link in item["links"] if link["rel"] == "item")
    here = (
        here.replace("{tileMatrix}", "16")
        .replace("{tileRow}", str(limit["minTileRow"]))
        .replace("{tileCol}", str(limit["minTileCol"]))
    )
    kept = maps.get(here)
    assert "immutable" in kept.headers["cache-control"]
    assert maps.get(here, headers={"If-None-Match": kept.headers["etag"]}).status_code == 304
    assert maps.get(here.partition("?")[0]).headers["cache-control"] == "no-cache"
    assert maps.get(here.partition("?")[0] + "?v=01JGFJJZ000000000000000000").status_code == 410


def test_styles_of_a_grid_have_legends_with_the_unit_and_the_colours_of_the_map(maps: TestClient) -> None:
    listed = maps.get(f"{T}/odd/styles").json()
    assert listed["default"] == listed["styles"][0]["id"] == ramps.DEFAULT.id
    assert [one["id"] for one in listed["styles"]] == list(ramps.RAMPS)
    for style in listed["styles"]:
        told = maps.get(f"{T}/odd/styles/{style['id']}").json()["legend"]
        assert (told["unit"], told["low"], told["high"]) == ("min", 0, 253)
        assert len(told["entries"]) == 7
        picture = maps.get(f"{T}/odd/styles/{style['id']}/legend?f=png")
        assert picture.headers["content-type"] == "image/png"
        assert maps.get(f"{T}/odd/styles/{style['id']}/legend").json() == told
    first, *_, last = maps.get(f"{T}/odd/styles/viridis").json()["legend"]["entries"]
    assert (first, last) == ({"value": 0, "colour": "#440154"}, {"value": 253, "colour": "#fde725"})
    assert maps.get(f"{T}/odd/styles/unknown").status_code == 404
    assert maps.get(f"{T}/odd/styles/unknown/map").status_code == 404


def test_stylesheets_draw_their_layers_own_tiles(maps: TestClient, client: TestClient) -> None:
    raster = maps.get(f"{T}/odd/styles/viridis?f=mapbox")
    assert raster.headers["content-type"] == "application/vnd.mapbox.style+json"
    (source,) = raster.json()["sources"].values()
    assert (source["type"], source["tileSize"]) == ("raster", 256)
    assert "/styles/viridis/map/tiles/WebMercatorQuad/{z}/{y}/{x}" in source["tiles"][0]
    kinds = {"buildings": {"fill", "line"}, "roads": {"line"}, "findings": {"circle"}}
    for layer, wanted in kinds.items():
        sheet = client.get(
            f"{T}/{layer}/styles/default", headers={"Accept": "application/vnd.mapbox.style+json"}
        ).json()
        assert sheet["version"] == 8
        assert {one["type"] for one in sheet["layers"]} == wanted | {"background"}
        assert {one.get("source-layer", layer) for one in sheet["layers"]} == {layer}
        address = sheet["sources"][layer]["tiles"][0]
        assert client.get(address.format(z=0, x=0, y=0)).status_code == 200
        assert "http" not in str(sheet).replace("http://testserver/", "")
    assert client.get(f"{T}/weather/styles").status_code == 404
    assert client.get(f"{T}/roads/styles/default/legend").status_code == 404


def test_the_ramps_are_the_published_ones() -> None:
    import matplotlib

    for name in ("cividis", "viridis"):
        wanted = matplotlib.colormaps[name](np.linspace(0, 1, 255))[:, :3] * 255
        assert np.abs(ramps.RAMPS[name].colours()[1:].astype(float) - wanted).max() < 6
    for one in ramps.RAMPS.values():
        red, green, blue = one.colours()[1:].astype(float).T
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert (np.diff(light) > -0.6).all(), f"{one.id} does not read without colour"
    assert len(np.unique(ramps.RAMPS["classes"].colours()[1:], axis=0)) == 7
