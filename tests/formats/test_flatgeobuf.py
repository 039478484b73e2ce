"""FlatGeobuf against GDAL, the new one and Debian's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely

from twintown.formats.format import FORMATS, Into
from twintown.ground.crs import CRS84
from twintown.ground.errors import BadData

from .conftest import X, Y, batch, same_shapes, shapes, told, write

EMPTY = ("POINT EMPTY", "LINESTRING EMPTY", "POLYGON EMPTY", "MULTIPOLYGON EMPTY", "GEOMETRYCOLLECTION EMPTY")


def test_gdal_reads_every_type_of_geometry_and_value(mixed: pa.RecordBatch) -> None:
    back = pyogrio.read_dataframe(write("fgb", told("GeometryCollection", count=9), mixed))
    assert same_shapes(back.geometry.to_numpy(), shapes(mixed), 0.0)
    names = [None if isinstance(one, float) else one for one in back["name"].tolist()]
    assert names == mixed.column("name").to_pylist()
    times = [None if one is pd.NaT else one.to_pydatetime() for one in back["at"].dt.tz_convert("UTC")]
    assert times == mixed.column("at").to_pylist()
    assert back.crs == "EPSG:5186"


def test_the_header_says_title_source_crs_types_and_count(mixed: pa.RecordBatch) -> None:
    raw = write(
        "fgb", told("GeometryCollection", count=9, crs=CRS84, bbox_lonlat=(127.0, 37.0, 128.0, 38.0)), mixed
    )
    info = pyogrio.read_info(raw, force_total_bounds=True)
    assert info["features"] == 9
    assert info["crs"] == "EPSG:4326"
    assert info["layer_metadata"] == {"TITLE": "Layer", "DESCRIPTION": "OpenStreetMap (ODbL-1.0)"}
    assert info["dtypes"].tolist() == ["object", "object", "float64", "int64", "bool", "datetime64[ms]"]
    assert info["total_bounds"] == (127.0, 37.0, 128.0, 38.0)


def test_empty_geometries_stay_empty_and_nested_collections_become_one() -> None:
    nested = "GEOMETRYCOLLECTION (GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1)), POINT (3 4))"
    back = pyogrio.read_dataframe(write("fgb", told("GeometryCollection"), batch([*EMPTY, nested])))
    assert [str(one) for one in back.geometry[:5]] == list(EMPTY)
    assert back.geometry[5].wkt == "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1), POINT (3 4))"


def test_a_layer_of_areas_is_of_one_type_even_where_some_are_multi() -> None:
    square, two = (
        shapely.box(X, Y, X + 1, Y + 1),
        shapely.MultiPolygon([shapely.box(X, Y, X + 1, Y + 1), shapely.box(X + 2, Y, X + 3, Y + 1)]),
    )
    holed = square.difference(shapely.box(X + 0.2, Y + 0.2, X + 0.4, Y + 0.4))
    raw = write("fgb", told("Polygon"), batch([square, holed, two]))
    assert pyogrio.read_info(raw)["geometry_type"] == "MultiPolygon"
    back = pyogrio.read_dataframe(raw).geometry
    assert set(back.geom_type) == {"MultiPolygon"}
    assert same_shapes(back.to_numpy(), np.array([square, holed, two], object), 0.0)
    single = write("fgb", told("Polygon", shapes=("Polygon",)), batch([square, holed]))
    assert pyogrio.read_info(single)["geometry_type"] == "Polygon"
    assert len(single) < len(raw)
    lines = write(
        "fgb",
        told("LineString"),
        batch(["LINESTRING (0 0, 1 1)", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"]),
    )
    assert set(pyogrio.read_dataframe(lines).geom_type) == {"MultiLineString"}


def test_heights_are_kept_where_the_first_rows_have_them() -> None:
    areas = batch(
        [
            "POLYGON Z ((0 0 1, 4 0 2, 4 4 3, 0 0 1), (1 0.5 7, 2 0.5 7, 2 1 7, 1 0.5 7))",
            "POLYGON ((0 0, 4 0, 4 4, 0 0))",
        ]
    )
    back = pyogrio.read_dataframe(write("fgb", told("Polygon"), areas)).geometry
    assert shapely.get_coordinates(back.to_numpy(), include_z=True)[:, 2].tolist() == [
        1,
        2,
        3,
        1,
        7,
        7,
        7,
        7,
        0,
        0,
        0,
        0,
    ]
    points = pyogrio.read_dataframe(
        write("fgb", told("Point"), batch(["POINT Z (1 2 3)", "POINT (4 5)"]))
    ).geometry
    assert points.z.tolist() == [3.0, 0.0]
    mixed = write("fgb", told("GeometryCollection"), batch(["POINT Z (1 2 3)", "LINESTRING (0 0, 1 1)"]))
    assert not pyogrio.read_dataframe(mixed).geometry.has_z.any()


def test_a_multipoint_in_a_stream_that_began_with_points_is_an_error() -> None:
    with pytest.raises(BadData, match="another type"):
        write("fgb", told("Point"), batch(["POINT (1 2)"]), batch(["MULTIPOINT ((1 2), (3 4))"]))


def test_many_batches_make_one_file(into: Into) -> None:
    several = [
        batch(
            shapely.points(np.arange(500) + X, np.full(500, Y + k)),
            id=pa.array([f"{k}.{i}" for i in range(500)]),
        )
        for k in range(4)
    ]
    raw = write("fgb", told("Point", count=2000), *several)
    assert len(pyogrio.read_dataframe(raw)) == 2000
    assert FORMATS["fgb"].read(raw, into).features(told("Point").provenance).bounds is not None


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="gdal-bin is not installed")
def test_the_gdal_of_debian_reads_it_too(tmp_path: Path, mixed: pa.RecordBatch) -> None:
    file = tmp_path / "a.fgb"
    file.write_bytes(write("fgb", told("GeometryCollection", count=9), mixed))
    out = tmp_path / "a.gpkg"
    subprocess.run(["ogr2ogr", "-f", "GPKG", str(out), str(file)], check=True, capture_output=True)
    said = subprocess.run(
        ["ogrinfo", "-al", "-so", str(file)], check=True, capture_output=True, text=True
    ).stdout
    assert "Feature Count: 9" in said
    back = gpd.read_file(out, engine="pyogrio")
    assert same_shapes(back.geometry.to_numpy(), shapes(mixed), 0.0)


@pytest.mark.parametrize("keep", [0, 3, 60, 300, -1, -60])
def test_a_file_that_breaks_off_is_an_error_whatever_is_missing(
    keep: int, mixed: pa.RecordBatch, into: Into
) -> None:
    raw = write("fgb", told("GeometryCollection", count=9), mixed)
    with pytest.raises(BadData):
        list(FORMATS["fgb"].read(raw[:keep], into).batches)
