"""Files that people have: odd ids, odd columns, wrong places, other encodings."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from twintown.formats.format import FORMATS, Into, Read
from twintown.ground.errors import BadData

from .conftest import BENCH, FRAME, FROM, X, Y, batch, shapes, table, told, write

#: Around the place of the tests, degrees.
HERE = (127.09, 37.50, 127.11, 37.52)
PLACE = [127.1, 37.51]


def _feature(coordinates: Any = PLACE, **more: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates},
        "properties": {},
        **more,
    }


def _geojson(*features: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def _codes(read: Read) -> set[str]:
    return {one.code for one in read.findings}


def test_ids_are_kept_and_made_unique_through_all_batches(into: Into) -> None:
    features = (
        [_feature(id=name) for name in ("a", 7, "a", None, 7.5)]
        + [_feature() for _ in range(9000)]
        + [_feature(id="a")]
    )
    features[3].pop("id")
    read = FORMATS["geojson"].read(_geojson(*features), into)
    ids = table(read).column("id").to_pylist()
    assert ids[:5] == ["a", "7", "a.3", "4", "7.5"]
    assert ids[-1] == f"a.{len(features)}"
    assert len(set(ids)) == len(ids)
    assert {"id-repeated", "id-missing"} <= _codes(read)


def test_a_column_that_is_named_as_id_must_be_one() -> None:
    raw = b"code,lon,lat\nx,127.1,37.5\nx,127.1,37.5\n"
    with pytest.raises(BadData, match=r"row 2.*'code' is 'x' twice"):
        table(FORMATS["csv"].read(raw, Into(FRAME, id="code")))
    with pytest.raises(BadData, match="no column 'nr'"):
        FORMATS["csv"].read(raw, Into(FRAME, id="nr"))
    rows = table(
        FORMATS["csv"].read(raw.replace(b"\nx,127.1,37.5\nx", b"\nx,127.1,37.5\ny"), Into(FRAME, id="code"))
    )
    assert rows.column("id").to_pylist() == rows.column("code").to_pylist() == ["x", "y"]


def test_types_are_those_that_hold_all_values_of_all_rows(into: Into) -> None:
    rows = [
        {
            "n": 1,
            "x": 1,
            "b": True,
            "t": "2024-01-01T00:00:00+09:00",
            "mixed": 1,
            "deep": {"a": [1]},
            "none": None,
        },
        {
            "n": 2,
            "x": 1.5,
            "b": False,
            "t": "2024-02-29T12:30:00.25Z",
            "mixed": "two",
            "deep": None,
            "none": None,
        },
    ]
    read = FORMATS["geojson"].read(_geojson(*(_feature(properties=row) for row in rows)), into)
    assert {one.name: one.type for one in read.columns} == {
        "n": "integer", "x": "number", "b": "boolean", "t": "datetime", "mixed": "string", "deep": "string", "none": "string",
    }  # fmt: skip
    first, second = table(read).to_pylist()
    assert first["t"].isoformat() == "2023-12-31T15:00:00+00:00"
    assert second["t"].isoformat() == "2024-02-29T12:30:00.250000+00:00"
    assert (first["mixed"], first["deep"], first["none"]) == ("1", '{"a":[1]}', None)


def test_columns_that_would_be_taken_for_ours_get_another_name(into: Into) -> None:
    read = FORMATS["geojson"].read(_geojson(_feature(properties={"geometry": 1, "bbox": 2, "id": 3})), into)
    assert [one.name for one in read.columns] == ["geometry_", "bbox_"]
    assert table(read).column("id").to_pylist() == ["3"]
    assert "column-renamed" in _codes(read)


@pytest.mark.slow
def test_features_line_by_line_are_read_with_one_type_for_all(into: Into, tmp_path: Path) -> None:
    lines = [_feature(id=i, properties={"v": i if i < 9000 else i + 0.5}) for i in range(9001)]
    file = tmp_path / "a.geojsonl"
    file.write_bytes(b"\n".join(b"\x1e" + json.dumps(line).encode() for line in lines) + b"\n")
    read = FORMATS["geojson"].read(file, into)
    assert [one.num_rows for one in read.batches] == [8192, 809]
    assert {one.name: one.type for one in read.columns} == {"v": "number"}
    broken = b"\n".join([json.dumps(lines[0]).encode(), json.dumps(lines[1]).encode(), b'{"type":"Feature"'])
    with pytest.raises(BadData, match="line 3"):
        FORMATS["geojson"].read(broken, into)


def test_the_crs_of_2008_is_heeded_x_first(into: Into) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}}
    rows = table(FORMATS["geojson"].read(_geojson(_feature([X, Y]), crs=crs), into))
    assert shapes(rows)[0].coords[0] == (X, Y)
    stated = table(
        FORMATS["geojson"].read(_geojson(_feature([X, Y])), dataclasses.replace(into, crs="EPSG:5186"))
    )
    assert shapes(stated)[0].coords[0] == (X, Y)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (b"\xff\xfe{}", "not UTF-8"),
        (_geojson(_feature())[:-9], "line 1"),
        (b"[]", "this is an array"),
        (_geojson(_feature([37.5, 127.1])), "/features/0/geometry.*longitude comes first"),
        (_geojson(_feature([X, Y])), "no longitude and latitude"),
        (_geojson(_feature([1e400, 1])), "number"),
        (_geojson(_feature([2.0, 48.0])), "none of its 1 geometries lies where the twin is"),
        (_geojson({"type": "Feature", "geometry": None}), "/features/0: the member 'properties'"),
    ],
)
def test_geojson_that_cannot_be_used_is_refused_with_its_place(raw: bytes, said: str) -> None:
    with pytest.raises(BadData, match=said):
        list(FORMATS["geojson"].read(raw, Into(FRAME, bounds_lonlat=HERE)).batches)


@pytest.mark.parametrize(
    ("text", "crs", "said"),
    [
        ("id,lon,lat\n1,127.1\n", "", "line 2.*2 cells where the header has 3"),
        ("id,lon,lat\n1,127.1,37.5\n2,127.1,abc\n", "", "row 2, column lat: 'abc' is no number"),
        ("id,lon,lat\n1,nan,37.5\n", "", "row 1, column lon"),
        ("id,lon,lat\n1,127.1,\n", "", "row 1.*one of two coordinates"),
        ("id,x,y\n1,208500,546000\n", "", "which CRS x and y are in"),
        ("id,x,y\n1,546000,208500\n", "EPSG:5186", "changed places"),
        ("id,x,y\n1,127.1,37.5\n", "EPSG:5186", "none of its 1 geometries"),
        ("id,x,y\n1,1e12,1\n", "EPSG:5186", "row 1.*nowhere on Earth"),
        ("id,x,y\n1,1,2\n", "EPSG:999999", "not known"),
        ("id,lon,lat\n1,37.5,127.1\n", "", "longitude comes first"),
        ("id,geometry\n1,POINT (127.1 37.5)\n2,POINT (a b)\n", "", "row 2, column geometry.*no WKT"),
        ("id,id\n1,2\n", "", "two columns are called 'id'"),
        ('id,a\n1,"x\n', "", "does not end"),
        ("id,a\n1,\0\n", "", "line 2: holds a NUL"),
    ],
)
def test_csv_that_cannot_be_used_is_refused_with_line_and_column(text: str, crs: str, said: str) -> None:
    with pytest.raises(BadData, match=said):
        table(FORMATS["csv"].read(text.encode(), Into(FRAME, crs=crs, bounds_lonlat=HERE)))


def test_csv_in_another_encoding_names_the_line(into: Into) -> None:
    with pytest.raises(BadData, match=r"line 2: is not UTF-8.*CP949"):
        FORMATS["csv"].read("id,name\n1,가나다\n".encode("cp949"), into)


def test_csv_of_spreadsheets_with_semicolons_and_a_mark_is_read(into: Into) -> None:
    raw = '\ufeffid;이름;경도;위도;code;open\n1;"가;나";127.1;37.5;0123;true\n2;"a\nb";;;0124;\n'.encode()
    read = FORMATS["csv"].read(raw, into)
    assert [(one.name, one.type) for one in read.columns] == [
        ("이름", "string"),
        ("code", "string"),
        ("open", "boolean"),
    ]
    rows = table(read)
    assert rows.column("이름").to_pylist() == ["가;나", "a\nb"]
    assert shapes(rows)[1] is None


def test_csv_of_points_has_two_columns_and_every_value_as_it_is() -> None:
    rows = batch([f"POINT ({X} {Y})"] * 4)
    text = write("csv", told("Point"), rows).decode()
    lines = text.split("\r\n")
    assert lines[0] == '"id","name","height","levels","ok","at","x","y"'
    assert lines[1] == '"way/0",,0.1,-1,true,"2024-01-02T03:04:00Z",208500,546000'
    assert '"=""a,b"""' in text, "formulas are not disguised: the file could not be read back"


def test_some_rows_outside_are_told_and_stay() -> None:
    read = FORMATS["geojson"].read(
        _geojson(_feature(), _feature([2.0, 48.0])), Into(FRAME, bounds_lonlat=HERE)
    )
    assert len(table(read)) == 2
    assert _codes(read) == {"outside"}


def test_what_is_read_becomes_a_shape_that_a_twin_keeps(into: Into) -> None:
    features = (
        FORMATS["geojson"].read(_geojson(_feature(id="a", properties={"beds": 3})), into).features(FROM)
    )
    assert features.table["beds"].tolist() == [3]
    assert features.provenance == FROM


@pytest.mark.skipif(not BENCH.exists(), reason="the larger real data are not here")
def test_every_bad_geojson_is_refused_or_found_out(into: Into) -> None:
    silent = []
    for file in sorted((BENCH / "bad" / "geojson").glob("*.geojson")):
        try:
            read = FORMATS["geojson"].read(file, into)
            table(read)
        except BadData as error:
            silent += [] if file.name in str(error) else [file.name]
        else:
            silent += [] if read.findings else [file.name]
    assert silent == []
