"""GDAL's OGC API - Features driver: Debian's through ogrinfo and ogr2ogr, and the newer one in pyogrio."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio

from twintown import Twin

FEATURES = ("building-parts", "buildings", "findings", "roads")
needs_ogr = pytest.mark.skipif(
    not shutil.which("ogrinfo"), reason="no gdal-bin: sh scripts/clients.sh names the line that brings it"
)


def _ogrinfo(twin: str, layer: str, *asked: str) -> str:
    command = ["ogrinfo", "-ro", "-so", *asked, f"OAPIF:{twin}", layer]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "ERROR" not in told.stdout + told.stderr, told.stdout + told.stderr
    return told.stdout


def _count(told: str) -> int:
    found = re.search(r"Feature Count: (\d+)", told)
    assert found, told
    return int(found[1])


@needs_ogr
def test_debians_gdal_lists_every_layer_and_counts_its_features(twin: str) -> None:
    listed = subprocess.run(
        ["ogrinfo", "-ro", f"OAPIF:{twin}"], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    for layer in FEATURES:
        assert re.search(rf"\d+: {layer}\b", listed), listed
        assert _count(_ogrinfo(twin, layer)) == Twin(twin)[layer].count


@needs_ogr
def test_debians_gdal_filters_by_box_and_by_attribute(twin: str) -> None:
    frame = Twin(twin)["buildings"].geodataframe()
    west, south, east, north = map(str, frame.loc[["way/2"]].total_bounds)
    assert _count(_ogrinfo(twin, "buildings", "-spat", west, south, east, north)) == 1
    assert _count(_ogrinfo(twin, "buildings", "-where", "height_m > 50")) == 1
    assert _count(_ogrinfo(twin, "buildings", "-where", "kind = 'house'")) == 1


@needs_ogr
def test_debians_gdal_writes_a_geopackage_with_longitude_first(twin: str, tmp_path: Path) -> None:
    file = tmp_path / "buildings.gpkg"
    subprocess.run(["ogr2ogr", str(file), f"OAPIF:{twin}", "buildings"], check=True, timeout=120)
    got = pyogrio.read_dataframe(file)
    expected = Twin(twin)["buildings"].geodataframe()
    assert len(got) == len(expected)
    assert np.allclose(got.total_bounds, expected.total_bounds, atol=1e-7)
    assert 126 < got.total_bounds[0] < 128


@pytest.mark.parametrize("layer", FEATURES)
def test_the_newer_gdal_reads_every_layer_with_types_and_shapes(twin: str, layer: str) -> None:
    got = pyogrio.read_dataframe(f"OAPIF:{twin}", layer=layer)
    assert got.crs.to_epsg() == 5186, "it takes the CRS in which the layer is stored"
    expected = Twin(twin)[layer].geodataframe(crs="EPSG:5186")
    assert len(got) == len(expected)
    assert np.allclose(got.total_bounds, expected.total_bounds, atol=0.002)
    for column in Twin(twin)[layer].schema:
        if (
            column.type in ("number", "integer")
            and column.name in got.columns
            and got[column.name].notna().any()
        ):
            assert got[column.name].dtype.kind in "if", column


def test_the_newer_gdal_asks_with_box_and_filter(twin: str) -> None:
    frame = Twin(twin)["buildings"].geodataframe(crs="EPSG:5186")
    assert len(pyogrio.read_dataframe(f"OAPIF:{twin}", layer="buildings", where="height_m > 50")) == 1
    assert (
        len(
            pyogrio.read_dataframe(
                f"OAPIF:{twin}", layer="buildings", bbox=tuple(frame.loc[["way/2"]].total_bounds)
            )
        )
        == 1
    )


@pytest.mark.parametrize("code", [5186, 5179, 4326, 3857])
def test_the_newer_gdal_puts_the_axes_of_every_crs_right(twin: str, code: int) -> None:
    asked = f"http://www.opengis.net/def/crs/EPSG/0/{code}"
    got = pyogrio.read_dataframe(f"OAPIF:{twin}", layer="buildings", CRS=asked)
    expected = Twin(twin)["buildings"].geodataframe(crs=f"EPSG:{code}")
    assert got.crs.to_epsg() == code or (code == 4326 and got.crs.name.startswith("WGS 84"))
    # GDAL turns what comes in the order of the CRS into x = east, y = north
    assert np.allclose(got.total_bounds, expected.total_bounds, atol=0.002 if code != 4326 else 1e-7)


def test_gdal_reads_a_part_of_a_grid_without_reading_all_of_it(twin: str) -> None:
    address = f"/vsicurl/{twin}/collections/shade/coverage?f=cog"
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(address) as file:
        assert file.crs.to_epsg() == 5186
        assert file.read(1, window=((0, 2), (0, 3))).tolist() == [[0, 1, 2], [20, 21, 22]]


@pytest.mark.skipif(
    not shutil.which("gdalinfo"), reason="no gdal-bin: sh scripts/clients.sh names the line that brings it"
)
def test_debians_gdal_describes_a_grid_over_http(twin: str) -> None:
    command = ["gdalinfo", "-json", f"/vsicurl/{twin}/collections/shade/coverage?f=cog"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert told["size"] == [20, 20]
    assert told["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG"
