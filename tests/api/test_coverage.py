# ruff: noqa: E501 - rows of a table read better on one line each
"""Grids as every tool takes them: whole and lazily, in parts, coarser, in other CRSs; and never more than is granted."""

from __future__ import annotations

import io
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import uvicorn
import xarray as xr
from fastapi import FastAPI
from starlette.testclient import TestClient

from twintown.api import coverage
from twintown.ground.bounds import Bounds
from twintown.ground.errors import Denied, NotFound
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.trust.grades import Grade
from twintown.trust.identity import Subject
from twintown.trust.policy import Grant, Resource, decide
from twintown.twin.cells import Cells
from twintown.twin.layers import Twin

T = "/twins/small/collections/shade/coverage"
X, Y = (
    208_500.0,
    546_020.0,
)  # the upper left corner of the grid: 20 × 20 cells of 1 m, values 0 to 399 row by row
VALUES = np.arange(400).reshape(20, 20)
MINE = Subject("anyone")


@pytest.fixture(scope="module")
def address(app: FastAPI) -> Iterator[str]:
    """The same app over a real socket, for clients that are no test clients."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def tiff(client: TestClient, query: str) -> tuple[np.ndarray[Any, Any], Any]:
    """The bands of an answer and its profile."""
    answer = client.get(f"{T}?{query}")
    assert answer.status_code == 200, answer.text
    with rasterio.open(io.BytesIO(answer.content)) as file:
        return file.read(), file.profile


def grid(client: TestClient, query: str) -> Any:
    """The values of a CoverageJSON answer as rows."""
    answer = client.get(f"{T}?f=covjson&{query}")
    assert answer.status_code == 200, answer.text
    held = answer.json()["ranges"]["value"]
    return np.array(held["values"], object).reshape(held["shape"])


# -- the whole file ---------------------------------------------------------------------------------------------------


def test_who_takes_anything_gets_the_very_file_of_the_twin(client: TestClient, twin_dir: Path) -> None:
    (stored,) = (twin_dir / "layers" / "shade").glob("*/data.tif")
    for query in ("", "?f=cog", "?f=tif"):
        answer = client.get(T + query)
        assert answer.content == stored.read_bytes()
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/5186>"
        assert (
            answer.headers["content-bbox"] == "546000.000,208500.000,546020.000,208520.000"
        )  # northing first
    assert client.get(T).headers["content-type"] == "image/tiff; application=geotiff; profile=cloud-optimized"


def test_ranges_of_bytes_are_parts_of_the_file(client: TestClient) -> None:
    whole = client.get(T)
    size = len(whole.content)
    for asked, first, end in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-50", size - 50, size),
        (f"bytes=10-{size * 2}", 10, size),
    ):
        part = client.get(T, headers={"Range": asked})
        assert part.status_code == 206
        assert part.content == whole.content[first:end]
        assert part.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
        assert part.headers["etag"] == whole.headers["etag"]
    beyond = client.get(T, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert beyond.headers["content-type"] == "application/problem+json"


def test_a_range_of_another_version_is_answered_with_the_whole(client: TestClient) -> None:
    whole = client.get(T)
    same = client.get(T, headers={"Range": "bytes=0-9", "If-Range": whole.headers["etag"]})
    other = client.get(T, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (same.status_code, other.status_code) == (206, 200)
    assert other.content == whole.content
    for nonsense in ("bytes=9-0", "bytes=0-1,5-6", "rows=0-9", "bytes=-", "bytes=x-y"):
        assert client.get(T, headers={"Range": nonsense}).status_code == 200
    assert client.get(T, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert client.head(T).headers["content-length"] == str(len(whole.content))


def test_the_file_is_a_valid_cog_and_so_is_a_part_of_it(client: TestClient, tmp_path: Path) -> None:
    from rio_cogeo import cog_validate

    for query in (
        "",
        "?f=cog&bbox=127.0961,37.5134,127.0963,37.5135",
        "?f=cog&scale-factor=3",
        "?f=cog&crs=EPSG:4326",
    ):
        path = tmp_path / "one.tif"
        path.write_bytes(client.get(T + query).content)
        valid, errors, _ = cog_validate(path)
        assert valid, errors


def test_gdal_opens_the_address_itself_and_reads_a_window(address: str) -> None:
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        rasterio.open(f"/vsicurl/{address}{T}?f=cog") as file,
    ):
        assert file.crs.to_epsg() == 5186
        assert np.array_equal(file.read(1, window=((3, 5), (7, 9))), VALUES[3:5, 7:9])


# -- parts ------------------------------------------------------------------------------------------------------------


def test_a_box_keeps_the_cells_that_it_meets(client: TestClient) -> None:
    bands, profile = tiff(
        client, "f=tif&bbox-crs=[EPSG:5186]&bbox=546010,208503,546012,208505.5"
    )  # northing first
    assert np.array_equal(bands[0], VALUES[8:10, 3:6])  # what only touches the edge is not in it
    assert (profile["transform"].c, profile["transform"].f) == (X + 3, Y - 8)


def test_subset_names_its_axes(client: TestClient) -> None:
    same = grid(client, "subset=E(208503:208505.5),N(546010:546012)&subset-crs=[EPSG:5186]")
    assert np.array_equal(same.astype(int), VALUES[8:10, 3:6])
    assert np.array_equal(grid(client, "subset=n(*:546001)&subset-crs=EPSG:5186").astype(int), VALUES[19:, :])
    around = grid(client, "subset=Lat(37.5:37.6),Lon(127:*)")
    assert np.array_equal(around.astype(int), VALUES)


def test_shrinking_takes_the_mean_and_growing_repeats(client: TestClient) -> None:
    mean = VALUES.reshape(5, 4, 5, 4).mean(axis=(1, 3))
    for query in (
        "scale-factor=4",
        "scale-size=E(5),N(5)",
        "scale-axes=E(4),N(4)",
        "resolution=E(4),N(4)",
        "width=5&height=5",
        "width=5",
    ):
        assert np.allclose(grid(client, query).astype(float), mean), query
    thirds = grid(client, "width=3&height=1").astype(float)  # cells on a border count by their share
    assert thirds.shape == (1, 3)
    assert thirds.mean() == pytest.approx(VALUES.mean())
    assert np.array_equal(grid(client, "scale-factor=0.5").astype(int), VALUES.repeat(2, 0).repeat(2, 1))
    _, profile = tiff(client, "f=tif&scale-axes=N(2)")
    assert (profile["height"], profile["width"], profile["dtype"]) == (10, 20, "float32")
    assert profile["transform"].e == -2


def test_another_crs_has_its_own_cells(client: TestClient) -> None:
    bands, profile = tiff(client, "f=tif&crs=http://www.opengis.net/def/crs/EPSG/0/4326")
    assert profile["crs"].to_epsg() == 4326
    known = bands[0][bands[0] != profile["nodata"]]
    assert set(known.tolist()) <= set(range(400))
    assert len(set(known.tolist())) > 300
    answer = client.get(f"{T}?f=covjson&crs=EPSG:4326&width=7&height=5")
    south, west, north, east = map(float, answer.headers["content-bbox"].split(","))  # latitude first
    assert 37 < south < north < 38 and 127 < west < east < 128
    (reference,) = answer.json()["domain"]["referencing"]
    assert reference == {
        "coordinates": ["y", "x"],
        "system": {"type": "GeographicCRS", "id": "http://www.opengis.net/def/crs/EPSG/0/4326"},
    }


def test_a_picture_lies_in_longitude_and_latitude(client: TestClient) -> None:
    answer = client.get(f"{T}?f=png&width=40&height=30")
    west, south, east, north = map(float, answer.headers["content-bbox"].split(","))
    assert 127 < west < east < 128 and 37 < south < north < 38
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert answer.content[16:24] == (40).to_bytes(4, "big") + (30).to_bytes(4, "big")


def test_coverage_json_says_what_its_numbers_are(client: TestClient) -> None:
    value = client.get(f"{T}?f=covjson").json()
    assert client.get(T, headers={"Accept": "application/prs.coverage+json"}).json() == value
    assert value["domain"]["axes"] == {
        "x": {"start": X + 0.5, "stop": X + 19.5, "num": 20},
        "y": {"start": Y - 0.5, "stop": Y - 19.5, "num": 20},
    }
    assert value["domain"]["domainType"] == "Grid"
    assert value["domain"]["referencing"][0]["coordinates"] == ["y", "x"]  # EPSG:5186 has northing first
    assert value["parameters"]["value"]["unit"]["symbol"] == {
        "value": "min",
        "type": "http://www.opengis.net/def/uom/UCUM/",
    }
    assert set(value["parameters"]["value"]["observedProperty"]["label"]) == {"ko", "en"}
    assert value["ranges"]["value"] == {
        "type": "NdArray",
        "dataType": "integer",
        "axisNames": ["y", "x"],
        "shape": [20, 20],
        "values": list(range(400)),
    }


def test_what_a_coverage_is_comes_as_json_and_for_people(client: TestClient) -> None:
    told = client.get(f"{T}?f=json").json()
    assert told["grid"] == {"rows": 20, "cols": 20, "cell": [1.0, 1.0], "origin": [X, Y]}
    assert told["storageCrs"].endswith("/EPSG/0/5186") and told["storageCrs"] in told["crs"]
    assert told["fields"][0]["unit"] == "min"
    assert {link["rel"] for link in told["links"]} >= {"self", "data", "collection"}
    page = client.get(T, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")


# -- Zarr -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_xarray_opens_the_address_of_the_store(address: str) -> None:
    from obstore.store import HTTPStore
    from zarr.storage import ObjectStore

    store = ObjectStore(
        HTTPStore.from_url(f"{address}{T}.zarr", client_options={"allow_http": True}), read_only=True
    )
    opened = xr.open_zarr(store, consolidated=True, chunks=None, decode_coords="all")
    values = opened["value"]
    assert values.dims == ("y", "x") and values.attrs["ucum"] == "min"
    assert np.array_equal(values.to_numpy(), VALUES)
    assert float(opened["x"][0]) == X + 0.5 and float(opened["y"][0]) == Y - 0.5
    assert "Central Belt 2010" in opened["spatial_ref"].attrs["crs_wkt"]
    assert float(values.sel(x=X + 7.5, y=Y - 3.5)) == VALUES[3, 7]


def test_the_store_comes_in_one_file_too(client: TestClient, tmp_path: Path) -> None:
    from zarr.storage import ZipStore

    answer = client.get(f"{T}?f=zarr&bbox-crs=EPSG:5186&bbox=546010,208503,546012,208505.5")
    assert answer.headers["content-type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    path = tmp_path / "shade.zip"
    path.write_bytes(answer.content)
    with ZipStore(path, mode="r") as store:
        assert np.array_equal(
            xr.open_zarr(store, consolidated=True, chunks=None)["value"].to_numpy(), VALUES[8:10, 3:6]
        )


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        "value/c/9/9",
        "value/c/0",
        "value/c/00/0",
        "value/c/-1/0",
        ".zgroup",
        "value/c/0/0/0",
        "x/c",
        "value",
    ],
)
def test_what_the_store_has_not_is_not_found(client: TestClient, key: str) -> None:
    assert client.get(f"{T}.zarr/{key}").status_code == 404


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("bbox=1,2,3", "bbox"), ("bbox=a,b,c,d", "bbox"), ("bbox=127,91,128,92", "bbox"), ("bbox=nan,1,2,3", "bbox"), ("bbox-crs=EPSG:9&bbox=1,2,3,4", "bbox-crs"),
        ("subset=Lat", "subset"), ("subset=Lat(1)", "subset"), ("subset=Lat(1:2:3)", "subset"), ("subset=Lat(a:b)", "subset"), ("subset=E(1:2)", "subset"),
        ("subset=Lat(1:2),Lat(3:4)", "subset"), ("subset=Lat(2:1),Lon(1:2)", "subset"), ("subset=Lat(1:2)&bbox=1,2,3,4", "subset"), ("subset=Lat(1:inf)", "subset"),
        ("subset=Lat(1:2)&subset-crs=x", "subset-crs"), ("crs=EPSG:2097", "crs"), ("scale-factor=0", "scale-factor"), ("scale-factor=x", "scale-factor"),
        ("scale-factor=2&width=5", "width"), ("scale-size=E(5)&scale-axes=E(5)", "scale-axes"), ("scale-size=Lon(5)", "scale-size"), ("scale-axes=E(-1)", "scale-axes"),
        ("resolution=E(x)", "resolution"), ("resolution=E(0.00001)", "resolution"), ("width=0", "width"), ("height=1000000", "height"), ("f=gif", "f"), ("f=json&width=5", "f"),
        ("f=zarr&scale-factor=2", "f"), ("f=zarr&crs=EPSG:4326", "f"), ("scale_factor=2", "scale_factor"), ("lang=fr", "lang"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(client: TestClient, query: str, parameter: str) -> None:
    answer = client.get(f"{T}?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    "query",
    [
        "bbox=0,0,1,1",
        "bbox=0,0,1,1&f=png",
        "subset=Lat(*:1)",
        "bbox=170,-10,-170,10",
        "bbox=0,0,1,1&crs=EPSG:3857",
    ],
)
def test_a_place_outside_of_the_grid_is_not_found(client: TestClient, query: str) -> None:
    assert client.get(f"{T}?{query}").status_code == 404


def test_more_cells_than_one_answer_has_are_refused_with_a_scale_that_fits(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "MAX_CELLS", dict.fromkeys(coverage.MAX_CELLS, 100))
    for form in ("covjson", "cog", "zarr", "png"):
        answer = client.get(f"{T}?f={form}&height=20&width=20" if form != "zarr" else f"{T}?f=zarr")
        assert answer.status_code == 413
        assert "scale-factor=2" in answer.json()["detail"]
    assert client.get(f"{T}?f=covjson&scale-factor=2").status_code == 200


# -- Grants -----------------------------------------------------------------------------------------------------------

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
FROM = Provenance((Source("us", "us", "us", Licence("CC0-1.0", "CC0")),))


@pytest.fixture
def twin(twin_dir: Path) -> Twin:
    return Twin.open(twin_dir)


def granted(**conditions: Any) -> Grant:
    return replace(decide(MINE, "read", Resource("small")), **conditions)


def cells(twin: Twin, **conditions: Any) -> Cells:
    grant = granted(**conditions)
    return Cells(twin, twin.version("shade", grant), grant)


def test_nothing_finer_leaves_than_is_granted(twin: Twin) -> None:
    seen = cells(twin, finest_m=3.0)
    assert (seen.lattice.width, seen.lattice.rows, seen.lattice.cols, seen.open) == (3.0, 6, 6, False)
    means = VALUES[:18, :18].reshape(6, 3, 6, 3).mean(axis=(1, 3))
    found = seen.read(seen.lattice, seen.fields)
    assert np.allclose(found.values[0], means)
    finer = seen.read(seen.lattice.resized(18, 18), seen.fields)
    assert np.allclose(finer.values[0], means.repeat(3, 0).repeat(3, 1))  # the same means, only repeated
    shifted = seen.lattice.part(Bounds(X + 4, Y - 18, X + 18, Y))  # a box beside the cells moves none of them
    assert shifted.x == X + 3 and np.allclose(seen.read(shifted, seen.fields).values[0], means[:, 1:])


def test_nothing_outside_of_the_area_leaves(twin: Twin) -> None:
    seen = cells(twin, area=Bounds(X + 2.5, Y - 10, X + 8, Y - 4.5))
    assert np.array_equal(
        seen.read(seen.lattice, seen.fields).values[0], VALUES[5:10, 3:8]
    )  # whole cells only
    assert not seen.open
    with pytest.raises(Denied):
        seen.read(cells(twin).lattice, seen.fields)
    with pytest.raises(NotFound):
        cells(twin, area=Bounds(0, 0, 1, 1))


def test_a_condition_that_a_grid_cannot_keep_closes_it(twin: Twin) -> None:
    for conditions in ({"filter": "value > 3"}, {"columns": ("name",)}, {"finest_m": 500.0}):
        with pytest.raises(Denied):
            cells(twin, **conditions)
    assert cells(twin, columns=("value",)).fields[0].name == "value"


def test_what_is_not_known_stays_unknown_and_classes_are_never_averaged(
    tmp_path: Path, twin_dir: Path
) -> None:
    import shutil

    folder = tmp_path / "small"
    shutil.copytree(twin_dir, folder)
    twin = Twin.open(folder, read_only=False)
    holes = np.arange(16, dtype=np.float32).reshape(4, 4)
    holes[:2, :2] = -9999
    holes[0, 2] = np.nan
    classes = np.array([[1, 1, 7, 7], [1, 1, 7, 7]], np.uint8)
    staged = {
        "holes": twin.stage("holes", Grid(holes, X, Y, 1.0, "m", FRAME, FROM, -9999.0), Grade.O).version,
        "classes": twin.stage(
            "classes", Grid(classes, X, Y, 1.0, "{category}", FRAME, FROM), Grade.O
        ).version,
    }
    twin.tables.switch(staged, {})
    grant = granted()
    seen = Cells(twin, twin.version("holes", grant), grant)
    found = seen.read(seen.lattice.resized(2, 2), seen.fields)
    assert found.known[0].tolist() == [[False, True], [True, True]]
    assert found.values[0, 0, 1] == pytest.approx((3 + 6 + 7) / 3)  # over the known ones
    assert np.isnan(found.values[0, 0, 0])
    seen = Cells(twin, twin.version("classes", grant), grant)
    assert set(np.unique(seen.read(seen.lattice.resized(1, 3), seen.fields).values)) <= {1, 7}
