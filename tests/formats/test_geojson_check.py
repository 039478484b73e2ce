from __future__ import annotations

import json
from pathlib import Path

import pytest

from twintown.formats.geojson_check import MAX_FLAWS, check, parse

BAD = Path(__file__).parents[3] / "shared" / "bench-data" / "bad" / "geojson"
RING = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]


def feature(geometry: object, **members: object) -> bytes:
    return json.dumps({"type": "Feature", "properties": {}, "geometry": geometry, **members}).encode()


def said(raw: bytes, lonlat: bool = True) -> list[tuple[str, str]]:
    return [(flaw.pointer, flaw.what) for flaw in check(raw, lonlat=lonlat).errors]


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {"type": "Point", "coordinates": [127.1, 37.5]},
        {"type": "Point", "coordinates": [127.1, 37.5, 12.5]},
        {"type": "MultiPoint", "coordinates": [[0, 0], [1, 1]]},
        {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [RING, [[0.2, 0.2], [0.2, 0.8], [0.8, 0.8], [0.2, 0.2]]]},
        {"type": "MultiPolygon", "coordinates": [[RING]]},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [0, 0]}]},
    ],
)
def test_a_right_feature_has_no_flaw(geometry: object) -> None:
    checked = check(feature(geometry, id="one", bbox=[0, 0, 1, 1], extra={"kept": [True]}))
    assert checked.flaws == ()
    assert checked.document["geometry"] == geometry


@pytest.mark.parametrize(
    ("geometry", "pointer", "what"),
    [
        ({"type": "Point"}, "/geometry", "'coordinates' is missing"),
        ({"type": "Point", "coordinates": [True, 1]}, "/geometry/coordinates/0", "a boolean"),
        ({"type": "Point", "coordinates": []}, "/geometry/coordinates", "at least two numbers"),
        ({"type": "Point", "coordinates": [1, 2, 3, 4]}, "/geometry/coordinates", "two or three"),
        ({"type": "Point", "coordinates": [37.5, 127.1]}, "/geometry/coordinates/0", "longitude comes first"),
        ({"type": "Point", "coordinates": [10**400, 0]}, "/geometry/coordinates", "too large"),
        ({"type": "LineString", "coordinates": [[0, 0], None]}, "/geometry/coordinates/1", "null"),
        ({"type": "LineString", "coordinates": [[0, 0]]}, "/geometry/coordinates", "two positions"),
        ({"type": "LineString", "coordinates": []}, "/geometry/coordinates", "needs positions"),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1, 1]]}, "/geometry/coordinates", "some have three"),
        ({"type": "Polygon", "coordinates": []}, "/geometry/coordinates", "at least one"),
        ({"type": "Polygon", "coordinates": [RING[:-1]]}, "/geometry/coordinates/0", "must be the same"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, "/geometry/coordinates/0", "four"),
        ({"type": "Polygon", "coordinates": RING}, "/geometry/coordinates/0", "nested more deeply"),
        ({"type": "MultiPolygon", "coordinates": [3]}, "/geometry/coordinates/0", "nested more deeply"),
        ({"type": "Circle", "coordinates": [0, 0]}, "/geometry/type", "no type of geometry"),
        ({"type": "Point", "coordinates": [0, 0], "properties": {}}, "/geometry/properties", "7.1"),
        ({"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]},
         "/geometry/geometries/0", "must not hold another"),
        ("Point", "/geometry", "must be an object, not a string"),
    ],
)  # fmt: skip
def test_a_flaw_of_a_geometry_is_told_where_it_is(geometry: object, pointer: str, what: str) -> None:
    told = said(feature(geometry))
    assert any(at == pointer and what in text for at, text in told), told


@pytest.mark.parametrize(
    ("raw", "line", "what"),
    [
        (b"", 1, "empty"),
        (b"\xef\xbb\xbf{}", 1, "byte order mark"),
        (b'{\n"type": "\xc3\x28"}', 2, "not UTF-8"),
        (b'{\n"type":\n}', 3, "not JSON"),
        (b'{"type":"Feature",\n"id":1,"id":2}', 2, "stands twice"),
        (b'{"type":"Feature",\n"properties":{"a":NaN}}', 2, "NaN is no number"),
        (b'{"a":\n-Infinity}', 2, "-Infinity is no number"),
        (b"[" * 100_000, 1, "nested too deeply"),
        (b'{"a":' + b"9" * 5000 + b"}", 1, "more digits"),
        (b'{\n"a":"\\ud800"}', 2, "not JSON"),
    ],
)
def test_what_is_no_strict_json_is_told_with_its_line(raw: bytes, line: int, what: str) -> None:
    value, flaws = parse(raw)
    assert value is None
    assert flaws[0].line == line
    assert what in flaws[0].what


def test_a_member_that_stands_twice_deep_inside_is_named() -> None:
    raw = b'{"type":"Feature","geometry":null,"properties":{"a/b":1,\n"c":{"d":1,\n"d":2}}}'
    assert [(flaw.pointer, flaw.line) for flaw in check(raw).flaws] == [("/properties/c/d", 3)]


def test_braces_and_colons_in_strings_do_not_shift_the_lines() -> None:
    raw = b'{"type":"Feature","properties":{"a":"}{\\"],:"},\n"id":{},\n"geometry":null}'
    assert [(flaw.pointer, flaw.line) for flaw in check(raw).flaws] == [("/id", 2)]


def test_winding_is_a_warning_and_no_error() -> None:
    turned = check(feature({"type": "Polygon", "coordinates": [RING[::-1]]}))
    assert turned.errors == ()
    assert [(flaw.severity, flaw.pointer) for flaw in turned.flaws] == [
        ("warning", "/geometry/coordinates/0")
    ]


def test_degrees_are_not_asked_of_other_coordinates() -> None:
    metres = feature({"type": "Point", "coordinates": [545_000.0, 208_000.0]})
    assert said(metres, lonlat=False) == []
    assert said(metres) != []


@pytest.mark.parametrize("crs", ["EPSG:5186", "urn:ogc:def:crs:OGC:1.3:CRS84"])
def test_a_member_crs_passes_only_where_it_says_what_holds_anyway(crs: str) -> None:
    raw = feature(None, crs={"type": "name", "properties": {"name": crs}})
    assert (said(raw) == []) == ("CRS84" in crs)


def test_many_flaws_end_at_a_number_that_somebody_may_read() -> None:
    raw = json.dumps({"type": "FeatureCollection", "features": [1] * 1000}).encode()
    assert len(check(raw).flaws) == MAX_FLAWS + 1


@pytest.mark.skipif(not BAD.is_dir(), reason="the bad files lie beside the project, not in it")
def test_every_bad_file_has_at_least_the_lines_that_a_linter_names() -> None:
    files = sorted(BAD.glob("*.geojson"))
    assert len(files) > 20
    for path in files:
        linted = json.loads(path.with_suffix(".result").read_text())
        flaws = check(path.read_bytes()).flaws
        assert flaws, path.name
        inside = [flaw for flaw in flaws if "bare" not in flaw.what]
        assert inside, path.name
        assert any(abs(flaw.line - one["line"]) <= 4 for flaw in inside for one in linted), path.name
