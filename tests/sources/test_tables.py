"""Tables become points or plain tables; strangers' coordinates are looked at before they are believed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.hamlet import ICHEON as ICHEON_DIR
from tests.hamlet import JAMSIL as JAMSIL_DIR
from tests.sources.conftest import ICHEON, KOREA, TOWER

from twintown.ground.errors import BadData, BadSettings
from twintown.sources.gazetteer import Gazetteer

CARPARKS = JAMSIL_DIR / "data/open/carparks.csv"
EVENTS = JAMSIL_DIR / "data/open/events.csv"
LIVESTOCK = ICHEON_DIR / "data/open/livestock.csv"


def table(tmp_path, text: str, encoding: str = "utf-8", name: str = "t.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


ROWS = "이름,경도,위도,수\n가,127.1025,37.5125,1\n나,127.1030,37.5130,\n"
POINTS = {"layer": "t", "x": "경도", "y": "위도"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_the_encoding_is_found(read, tmp_path, encoding):
    got = read("tables", table(tmp_path, ROWS, encoding), **POINTS)["t"].table
    assert got["이름"].tolist() == ["가", "나"]
    assert got["id"].tolist() == ["1", "2"]


def test_points_lie_where_proj_puts_them(read, tmp_path):
    got = read("tables", table(tmp_path, ROWS), **POINTS)["t"].table
    x, y = KOREA.from_lonlat([127.1025, 127.1030], [37.5125, 37.5130])
    assert np.allclose(got.geometry.x, x)
    assert np.allclose(got.geometry.y, y)


def test_types_are_seen_and_empty_cells_are_null(read, tmp_path):
    path = table(tmp_path, "a,b,c,d\n1,1.5,01,x\n2,,02,\n")
    got = read("tables", path, layer="t")["t"].table
    assert got["a"].dtype == "int64"
    assert np.isnan(got["b"][1])
    assert got["c"].tolist() == ["01", "02"]  # a code, not a number
    assert got["d"].isna().tolist() == [False, True]
    assert got.geometry.isna().all()


def test_repeated_rows_become_one_in_the_middle_and_bays_add_up(read):
    options = {
        "layer": "carparks", "id": "주차장코드", "x": "경도", "y": "위도", "clip": False, "dedupe": ["주차장코드"],
        "dedupe_sum": ["총 주차 가능 대수"], "columns": {"name_ko": "주차장명", "spaces": "총 주차 가능 대수"},
        "units": {"spaces": "{space}"},
    }  # fmt: skip
    raw = pd.read_csv(CARPARKS, dtype={"주차장코드": str})
    got = read("tables", CARPARKS, **options)["carparks"].table.set_index("id")
    assert len(got) == raw["주차장코드"].nunique() < len(raw)
    assert got["spaces"].to_dict() == raw.groupby("주차장코드")["총 주차 가능 대수"].sum().to_dict()


@pytest.mark.parametrize(("keep", "rows"), [("drop", 6), ("keep", 7)])
def test_rows_without_a_place_are_dropped_or_kept_and_counted(read, keep, rows):
    got = read(
        "tables",
        EVENTS,
        layer="events",
        x="경도",
        y="위도",
        without_place=keep,
        columns={"name_ko": "공연(행사)명"},
    )["events"]
    assert len(got.table) == rows
    assert got.provenance.steps[-1].parameters["without_place"] == 1


def test_villages_add_up_to_towns(read):
    options = {
        "layer": "livestock", "sum_by": ["town", "animal"], "units": {"head": "{head}"},
        "columns": {"town": "읍면동", "animal": "축종", "head": "사육두수.두."},
    }  # fmt: skip
    got = read("tables", LIVESTOCK, bounds=ICHEON, **options)["livestock"].table
    raw = pd.read_csv(LIVESTOCK)
    assert got["head"].sum() == raw["사육두수.두."].sum()
    assert (
        got.set_index("id").loc["율면-닭", "head"]
        == raw[(raw["읍면동"] == "율면") & (raw["축종"] == "닭")]["사육두수.두."].sum()
    )


def test_a_station_without_coordinates_is_placed_by_its_neighbours_on_the_road(read, tmp_path):
    known = table(
        tmp_path,
        "a,x,y\n서울 오금로 20 (신천동),127.1038,37.5206\n서울 오금로 24 (신천동),127.1040,37.5210\n",
        name="g.csv",
    )
    asked = table(tmp_path, "역,주소\n가,서울 오금로 지하22(신천동)\n나,서울 어딘가로 1(신천동)\n다,부산\n")
    got = read(
        "tables", asked, layer="t", address="주소", gazetteer=[{"path": known.name, "address": "a", "x": "x", "y": "y"}], base=tmp_path,
        bounds=TOWER.buffer(2000), without_place="keep",
    )["t"].table  # fmt: skip
    assert got["place_source"].tolist() == ["address", "neighbourhood", ""]
    assert got["place_error_m"][0] == 170.0
    assert got.geometry.isna().tolist() == [False, False, True]


def test_a_gazetteer_knows_what_it_does_not_know():
    nowhere = Gazetteer.of(pd.Series(["서울 오금로 20 (신천동)"]), np.array([[1.0, 2.0]])).find(
        "부산 해운대로 5"
    )
    assert nowhere[3] == ""
    assert np.isnan(nowhere[:3]).all()


# ------------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        ("이름,경도\n잠실,1\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n\xff\xfe\xfa,1\n", "neither UTF-8"),
        (b"a,b\n1,2\n3\n", "does not fit the head"),
        (b"a,b\n1,2,3\n", "does not fit the head"),
        (b"a,a\n1,2\n", "two columns called 'a'"),
        (b"a;b\n1;2\n", "one column only"),
        (b"PK\x03\x04\x00\x00binary", "not text at all"),
    ],
)
def test_a_bad_table_says_what_is_wrong(read, tmp_path, data, words):
    path = tmp_path / "bad.csv"
    path.write_bytes(data)
    with pytest.raises(BadData) as caught:
        read("tables", path, layer="t")
    assert words in str(caught.value)
    assert "bad.csv" in str(caught.value)
    assert caught.value.remedy


def test_an_encoding_that_is_not_the_files_is_told_with_the_other(read, tmp_path):
    with pytest.raises(BadData, match='encoding = "cp949"'):
        read("tables", table(tmp_path, ROWS, "cp949"), **POINTS, encoding="utf-8")


@pytest.mark.parametrize(
    ("x", "y", "crs", "words"),
    [
        ([37.5125, 37.513], [127.1025, 127.103], "EPSG:4326", "swapped"),
        ([209076.0, 209100.0], [545900.0, 545950.0], "EPSG:4326", "EPSG:5186 would put them here"),
        ([127.1025, 127.103], [37.5125, 37.513], "EPSG:5186", "EPSG:4326 would put them here"),
        ([964800.0, 964900.0], [1946100.0, 1946200.0], "EPSG:5186", "EPSG:5179 would put them here"),
        ([545900.0, 545950.0], [209076.0, 209100.0], "EPSG:5186", "swapped"),
        ([2.35, 2.36], [48.85, 48.86], "EPSG:4326", "more than 100 km"),
        ([127.1025, 37.513], [37.5125, 127.103], "EPSG:4326", "swapped"),
        ([1e9, 2e9], [1e9, 2e9], "EPSG:4326", "not degrees"),
    ],
)
def test_misplaced_coordinates_are_told_with_what_would_fit(read, tmp_path, x, y, crs, words):
    path = table(tmp_path, "x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)))
    with pytest.raises(BadData, match=words):
        read("tables", path, layer="t", x="x", y="y", crs=crs)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, BadSettings, "'layer' is missing"),
        ({"layer": "t", "x": "경도"}, BadSettings, "belong together"),
        ({"layer": "t", "x": "lon", "y": "위도"}, BadData, "no column 'lon'"),
        ({"layer": "t", "x": "이름", "y": "위도"}, BadData, "no number"),
        ({"layer": "t", "id": "수"}, BadData, "id is empty in row 3"),
        ({"layer": "t", "where": {"이름": "다"}}, BadData, "no row has 다"),
        ({"layer": "t", "types": {"이름": "int"}}, BadData, "no number"),
        ({"layer": "t", "units": {"높이": "m"}}, BadSettings, "no column '높이'"),
        ({"layer": "t", "crs": "EPSG:1", "x": "경도", "y": "위도"}, BadSettings, "unknown CRS"),
        ({"layer": "t", "address": "이름"}, BadSettings, "needs a gazetteer"),
    ],
)
def test_a_wrong_option_is_named(read, tmp_path, options, error, words):
    with pytest.raises(error, match=words):
        read("tables", table(tmp_path, ROWS), **options)


def test_repeated_ids_are_told(read, tmp_path):
    with pytest.raises(BadData, match="two rows have the id '1'"):
        read("tables", table(tmp_path, "a,b\n1,2\n1,3\n"), layer="t", id="a")
