"""GeoPandas, DuckDB and rio-cogeo on the twin's own folder, and on what the server sends: open formats without us."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import geopandas as gpd
import pytest

from twintown import Twin


def _buildings(folder: Path) -> Path:
    (found,) = (folder / "layers" / "buildings").glob("*/data.parquet")
    return found


def test_geopandas_reads_a_part_of_a_layer_from_the_folder(folder: Path) -> None:
    whole = gpd.read_parquet(_buildings(folder))
    assert whole.crs.to_epsg() == 5186
    house = whole[whole["id"] == "way/2"].total_bounds
    assert list(gpd.read_parquet(_buildings(folder), bbox=tuple(house))["id"]) == ["way/2"]


def _duckdb() -> object:
    duckdb = pytest.importorskip("duckdb")
    spatial = pytest.importorskip("duckdb_extension_spatial")
    connection = duckdb.connect()
    (extension,) = Path(spatial.__file__).parent.rglob("spatial.duckdb_extension*")
    connection.execute(f"LOAD '{extension}'")
    return connection


def test_duckdb_measures_buildings_in_the_folder(folder: Path) -> None:
    connection = _duckdb()
    found = connection.execute(  # type: ignore[attr-defined]
        f"SELECT id, ST_Area(geometry) FROM '{_buildings(folder)}' WHERE height_m > 50"
    ).fetchall()
    assert found == [("relation/1", pytest.approx(900.0))]


def test_duckdb_reads_what_the_server_sends(twin: str, tmp_path: Path) -> None:
    file = tmp_path / "buildings.parquet"
    urllib.request.urlretrieve(f"{twin}/collections/buildings/items?f=parquet", file)
    connection = _duckdb()
    found = connection.execute(f"SELECT count(*), min(ST_XMin(geometry)) FROM '{file}'").fetchone()  # type: ignore[attr-defined]
    assert found == (2, pytest.approx(Twin(twin)["buildings"].geodataframe().total_bounds[0]))


def test_geopandas_reads_what_the_server_sends_in_every_vector_format(twin: str, tmp_path: Path) -> None:
    expected = Twin(twin)["buildings"].geodataframe()
    for form, suffix in (("geojson", "geojson"), ("fgb", "fgb")):
        file = tmp_path / f"buildings.{suffix}"
        urllib.request.urlretrieve(f"{twin}/collections/buildings/items?f={form}", file)
        got = gpd.read_file(file)
        assert len(got) == len(expected)
        assert got.total_bounds == pytest.approx(expected.total_bounds, abs=1e-7)


def test_the_grid_that_is_served_is_a_valid_cloud_optimised_geotiff(
    twin: str, folder: Path, tmp_path: Path
) -> None:
    cogeo = pytest.importorskip("rio_cogeo.cogeo")
    file = tmp_path / "shade.tif"
    urllib.request.urlretrieve(f"{twin}/collections/shade/coverage?f=cog", file)
    (kept,) = (folder / "layers" / "shade").glob("*/data.tif")
    for one in (file, kept):
        valid, errors, _ = cogeo.cog_validate(one)
        assert valid, errors
    assert file.read_bytes() == kept.read_bytes(), "what is served is the file itself"


def test_the_folder_has_a_stac_catalogue_that_leads_to_the_files(jamsil: str) -> None:
    with urllib.request.urlopen(f"{jamsil}/stac/search?limit=100") as answer:
        items = json.load(answer)["features"]
    assert {item["properties"]["twintown:layer"] for item in items} == set(Twin(jamsil).layers)
