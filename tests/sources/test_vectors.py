"""Vector files of four kinds, Korean names in CP949 among them, come out the same; bad ones are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from tests.hamlet import ICHEON as ICHEON_DIR
from tests.sources.conftest import ICHEON, TOWER

from twintown.ground.errors import BadData, BadSettings
from twintown.sources.geojson import check_document

TOWNS = ICHEON_DIR / "data/open/towns.geojson"
BENCH = Path(os.environ.get("TWINTOWN_BENCH_DATA", Path(__file__).parents[3] / "shared" / "bench-data"))
OPTIONS = {
    "layer": "towns",
    "id": "admi_cd",
    "columns": {"name_ko": "admi_nm", "population": "population"},
    "types": {"population": "int"},
}


def test_geojson_becomes_a_layer(read):
    towns = read("vectors", TOWNS, bounds=ICHEON, **OPTIONS, units={"population": "{person}"})["towns"]
    assert sorted(towns.table["name_ko"]) == ["모가면", "율면"]
    assert towns.table["population"].sum() == 4118 + 2515
    assert towns.table.crs == "EPSG:5186"
    assert 36e6 < towns.table.area.min() < 42e6


@pytest.mark.parametrize(
    ("name", "driver", "crs"),
    [
        ("t.gpkg", "GPKG", "EPSG:5179"),
        ("t.fgb", "FlatGeobuf", "EPSG:4326"),
        ("t.shp", "ESRI Shapefile", "EPSG:5174"),
    ],
)
def test_other_formats_and_frames_give_the_same(read, tmp_path, name, driver, crs):
    path = tmp_path / name
    source = gpd.read_file(TOWNS)[["admi_cd", "admi_nm", "population", "geometry"]].to_crs(crs)
    options = {"encoding": "CP949"} if name.endswith("shp") else {}
    pyogrio.write_dataframe(source, path, driver=driver, **options)
    got = read("vectors", path, bounds=ICHEON, **OPTIONS)["towns"].table.set_index("id").sort_index()
    want = read("vectors", TOWNS, bounds=ICHEON, **OPTIONS)["towns"].table.set_index("id").sort_index()
    assert got["name_ko"].tolist() == want["name_ko"].tolist()
    assert shapely.hausdorff_distance(got.geometry.to_numpy(), want.geometry.to_numpy()).max() < 0.05


def test_a_shapefile_without_its_codepage_is_told_and_then_read(read, tmp_path):
    path = tmp_path / "t.shp"
    source = gpd.read_file(TOWNS)[["admi_cd", "admi_nm", "population", "geometry"]]
    pyogrio.write_dataframe(source, path, driver="ESRI Shapefile", encoding="CP949")
    path.with_suffix(".cpg").unlink()
    with pytest.raises(BadData, match='encoding = "cp949"'):
        read("vectors", path, bounds=ICHEON, **OPTIONS)
    got = read("vectors", path, bounds=ICHEON, **OPTIONS, encoding="cp949")["towns"].table
    assert sorted(got["name_ko"]) == ["모가면", "율면"]


def test_a_shapefile_without_its_projection_or_table_is_told(read, tmp_path):
    path = tmp_path / "t.shp"
    pyogrio.write_dataframe(gpd.read_file(TOWNS)[["admi_cd", "geometry"]], path, driver="ESRI Shapefile")
    path.with_suffix(".prj").unlink()
    with pytest.raises(BadData, match=r"the \.prj is missing"):
        read("vectors", path, bounds=ICHEON, layer="t")
    path.with_suffix(".dbf").unlink()
    with pytest.raises(BadData, match=r"lacks its \.dbf"):
        read("vectors", path, bounds=ICHEON, layer="t")


@pytest.mark.parametrize(("clip", "count"), [("touch", 1), ("cut", 1), ("centre", 0), ("none", 2)])
def test_there_are_four_ways_to_clip(read, clip, count):
    from twintown.ground.bounds import Bounds

    corner = Bounds(248_430, 497_300, 248_470, 497_330)  # within Yul-myeon, off its middle
    table = read("vectors", TOWNS, bounds=corner, **OPTIONS, clip=clip)["towns"].table
    assert len(table) == count
    if clip == "cut":
        assert corner.buffer(0.01).polygon().covers(table.geometry.iloc[0])


def test_a_file_of_another_place_is_told(read, tmp_path):
    path = tmp_path / "paris.geojson"
    gpd.GeoSeries([shapely.Point(2.35, 48.85)], crs=4326).to_file(path)
    with pytest.raises(BadData, match="more than 100 km"):
        read("vectors", path, bounds=TOWER, layer="t")


def test_swapped_axes_are_told(read, tmp_path):
    path = tmp_path / "swapped.geojson"
    gpd.GeoSeries([shapely.Point(37.5125, 127.1025)], crs=4326).to_file(path)
    with pytest.raises(BadData, match="swapped"):
        read("vectors", path, bounds=TOWER, layer="t")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.geojson", b"", "empty"),
        ("a.geojson", TOWNS.read_bytes()[:3000], "breaks off"),
        ("a.geojson", '{"type":"Feature","name":"가"}'.encode("cp949"), "not UTF-8"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[]}', "no feature"),
        (
            "a.geojson",
            b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}',
            "no geometry",
        ),
        ("a.gpkg", b"SQLite format 3\x00 and no more", "damaged"),
        ("a.fgb", b"fgb\x03fgb\x00", "damaged"),
        ("a.docx", b"PK", "not a vector file"),
    ],
)
def test_a_bad_file_says_what_is_wrong(read, tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadData) as caught:
        read("vectors", path, bounds=ICHEON, layer="t")
    assert words in str(caught.value)
    assert name in str(caught.value)


def test_several_layers_need_a_name(read, tmp_path):
    path = tmp_path / "two.gpkg"
    towns = gpd.read_file(TOWNS)[["admi_cd", "geometry"]]
    for layer in ("one", "two"):
        pyogrio.write_dataframe(towns, path, layer=layer, driver="GPKG")
    with pytest.raises(BadData, match="set file_layer to one of one, two"):
        read("vectors", path, bounds=ICHEON, layer="t")
    assert len(read("vectors", path, bounds=ICHEON, layer="t", file_layer="two")["t"].table) == 2
    with pytest.raises(BadData, match="no layer 'three'"):
        read("vectors", path, bounds=ICHEON, layer="t", file_layer="three")


def test_options_are_checked(read):
    with pytest.raises(BadSettings, match="clip is 'somehow'"):
        read("vectors", TOWNS, bounds=ICHEON, layer="t", clip="somehow")
    with pytest.raises(BadData, match="no column 'code'"):
        read("vectors", TOWNS, bounds=ICHEON, layer="t", id="code")
    with pytest.raises(BadData, match="two features have the id '이천시'"):
        read("vectors", TOWNS, bounds=ICHEON, layer="t", id="cty_nm")


#: Files of the bad collection that RFC 7946 allows all the same: foreign members, odd boxes, winding.
ALLOWED = {
    "bbox-4or6elements", "bbox-string", "feature_changed_semantics", "featurecollection_changed_semantics",
    "geometrycollection_nested", "polygon_winding_order",
}  # fmt: skip


def test_the_bad_collection_is_refused_with_the_place_of_the_fault():
    folder = BENCH / "bad" / "geojson"
    if not folder.exists():
        pytest.skip("bench data is not at hand (set TWINTOWN_BENCH_DATA)")
    for path in sorted(folder.glob("*.geojson")):
        if path.stem in ALLOWED:
            check_document(json.loads(path.read_bytes()), path.name)
            continue
        with pytest.raises(BadData, match=r"\(at \$"):
            check_document(json.loads(path.read_bytes()), path.name)
