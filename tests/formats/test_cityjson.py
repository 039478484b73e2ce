"""CityJSON 2.0 against its schemas, closed solids, and city models from elsewhere."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
import shapely

from twintown.formats.format import FORMATS, Into, Read
from twintown.ground.errors import BadData
from twintown.ground.frames import Frame

from .conftest import (
    BENCH,
    FRAME,
    SHAPES,
    X,
    Y,
    batch,
    buildings,
    city_told,
    parts_table,
    same_shapes,
    shapes,
    table,
    told,
    write,
)

SCHEMAS = Path(__file__).parent / "cityjson-2.0"


@pytest.fixture(scope="session")
def schema() -> Any:
    """Validators by `type`."""
    files = {"CityJSON": "cityjson", "CityJSONFeature": "cityjsonfeature"}
    return {kind: jsonschema_rs.validator_for(json.loads((SCHEMAS / f"{name}.min.schema.json").read_text()))
            for kind, name in files.items()}  # fmt: skip


def _errors(schema: Any, document: dict[str, Any]) -> list[str]:
    return [
        f"{list(one.instance_path)}: {one.message[:200]}"
        for one in schema[document["type"]].iter_errors(document)
    ]


def _shells(document: dict[str, Any], lod: str = "2") -> list[list[list[list[int]]]]:
    """Every outer shell as faces of rings of vertices."""
    found = []
    for one in document["CityObjects"].values():
        for geometry in one["geometry"]:
            if geometry["type"] == "Solid":
                found.append(geometry["boundaries"][0])
    return found


def _closed(shell: list[list[list[int]]]) -> bool:
    edges = Counter((ring[i - 1], ring[i]) for face in shell for ring in face for i in range(len(ring)))
    return all(count == 1 and edges[(b, a)] == 1 for (a, b), count in edges.items())


def _volume(shell: list[list[list[int]]], xyz: np.ndarray[Any, Any]) -> float:
    total = 0.0
    for face in shell:
        for ring in face:
            for i in range(1, len(ring) - 1):
                total += float(np.dot(xyz[ring[0]], np.cross(xyz[ring[i]], xyz[ring[i + 1]]))) / 6.0
    return total


def test_buildings_become_a_valid_document_of_closed_solids_on_their_ground(schema: Any) -> None:
    document = json.loads(write("cityjson", city_told(), buildings()))
    assert _errors(schema, document) == []
    assert document["metadata"]["referenceSystem"] == "https://www.opengis.net/def/crs/EPSG/0/5186"
    assert document["metadata"]["geographicalExtent"] == [X, Y, 15.0, X + 90, Y + 55, 115.0]
    objects = document["CityObjects"]
    assert {name: one["type"] for name, one in objects.items()} == {
        "relation/1": "Building", "way/11": "BuildingPart", "way/12": "BuildingPart", "way/2": "Building", "way/3": "Building",
        "way/31": "BuildingPart", "way/4": "Building",
    }  # fmt: skip
    assert objects["relation/1"]["children"] == ["way/11", "way/12"]
    assert objects["way/11"]["parents"] == ["relation/1"]
    assert objects["relation/1"]["attributes"] == {
        "name": "롯데월드타워", "measuredHeight": 100.0, "storeysAboveGround": 30, "height_source": "measured",
    }  # fmt: skip
    assert "storeysAboveGround" not in objects["way/2"]["attributes"]
    assert [one["type"] for one in objects["way/4"]["geometry"]] == ["MultiSurface"], (
        "without a part only the footprint"
    )
    assert [one["type"] for one in objects["way/31"]["geometry"]] == ["Solid", "Solid"]
    vertices = np.array(document["vertices"]) * 0.001
    shells = _shells(document)
    assert len(shells) == 5
    assert all(_closed(shell) for shell in shells)
    volumes = sorted(_volume(shell, vertices) for shell in shells)
    # canopies 25 and 15 m² by 1 m; the house: 80 − 6 m² to the eaves and its roof; podium, tower
    assert volumes == pytest.approx([15.0, 25.0, volumes[2], 20_000.0, 45_000.0])
    assert 74 * 4.0 < volumes[2] < 74 * 6.5


def test_faces_say_whether_they_are_ground_wall_or_roof(schema: Any) -> None:
    objects = json.loads(write("cityjson", city_told(), buildings()))["CityObjects"]
    semantics = objects["way/11"]["geometry"][0]["semantics"]
    assert [one["type"] for one in semantics["surfaces"]] == ["GroundSurface", "WallSurface", "RoofSurface"]
    assert Counter(semantics["values"][0]) == {0: 1, 1: 4, 2: 1}
    assert objects["way/12"]["geometry"][0]["semantics"]["surfaces"][0] == {"type": "OuterFloorSurface"}
    gabled = Counter(objects["way/2"]["geometry"][0]["semantics"]["values"][0])
    assert gabled[0] > 0 and gabled[1] >= 8 and gabled[2] >= 4


def test_every_line_of_a_sequence_is_a_valid_feature_with_its_own_vertices(schema: Any) -> None:
    several = [buildings().slice(0, 3), buildings().slice(3)]
    lines = [json.loads(line) for line in write("cityjsonseq", city_told(), *several).splitlines()]
    assert [one["type"] for one in lines] == ["CityJSON", *["CityJSONFeature"] * 4]
    assert [_errors(schema, one) for one in lines] == [[]] * 5
    assert [one["id"] for one in lines[1:]] == ["relation/1", "way/2", "way/3", "way/4"]
    for one in lines[1:]:
        used = {v for shell in _shells(one) for face in shell for ring in face for v in ring}
        assert all(_closed(shell) for shell in _shells(one))
        assert used <= set(range(len(one["vertices"])))
        assert len({tuple(v) for v in one["vertices"]}) == len(one["vertices"]), "each vertex once"
    document = json.loads(write("cityjson", city_told(), *several))
    assert len({tuple(v) for v in document["vertices"]}) == len(document["vertices"])
    assert all(_closed(shell) for shell in _shells(document))


@pytest.mark.parametrize(
    ("layer", "kind", "geometry", "rows"),
    [
        ("roads", "Road", "LineString", (3, 4)), ("rail", "Railway", "LineString", (3,)), ("waterways", "Waterway", "LineString", (3,)),
        ("water", "WaterBody", "Polygon", (5, 6, 7)), ("trees", "SolitaryVegetationObject", "Point", (0, 2)),
        ("landuse", "LandUse", "Polygon", (6,)), ("parks", "GenericCityObject", "Point", (0,)),
        ("zones", "GenericCityObject", "Polygon", (7, 1)),
        ("stops", "GenericCityObject", "Point", (0,)),
    ],
)  # fmt: skip
def test_other_layers_are_valid_objects_with_footprint_lines_or_points(
    schema: Any, into: Into, layer: str, kind: str, geometry: str, rows: tuple[int, ...]
) -> None:
    given = batch([SHAPES[row] for row in rows])
    raw = write("cityjson", told(geometry, layer=layer), given)
    document = json.loads(raw)
    assert _errors(schema, document) == []
    assert {one["type"] for one in document["CityObjects"].values()} == {kind}
    back = table(FORMATS["cityjson"].read(raw, into))
    assert same_shapes(shapes(back), shapes(given), 2e-3)
    assert back.column("levels").to_pylist() == given.column("levels").to_pylist()


@pytest.mark.parametrize("name", ["cityjson", "cityjsonseq"])
def test_buildings_and_parts_come_back_as_they_were(name: str, into: Into) -> None:
    read = FORMATS[name].read(write(name, city_told(), buildings()), into)
    main, parts = table(read), table(read.beside["building-parts"])
    assert read.findings == []
    assert main.column("id").to_pylist() == ["relation/1", "way/2", "way/3", "way/4"]
    assert main.column("height_m").to_pylist() == [100.0, 6.5, 4.0, 12.0]
    assert main.column("height_source").to_pylist() == ["measured", "estimated", "levels", "levels"]
    assert main.column("levels").to_pylist() == [30, None, 1, 4]
    known = parts_table()
    assert parts.column("id").to_pylist() == [*known.column("id").to_pylist(), "way/4"]
    for column in ("building", "base_m", "eave_m", "top_m", "roof_shape"):
        assert parts.column(column).to_pylist()[:4] == known.column(column).to_pylist(), column
    assert shapely.area(shapely.symmetric_difference(shapes(parts)[:4], shapes(known))).max() < 0.1


def test_buildings_stand_on_their_own_ground_and_a_finding_says_how_far_it_is() -> None:
    raw = write("cityjson", city_told(), buildings())
    high = FORMATS["cityjson"].read(raw, Into(FRAME, ground_m=0.0))
    assert table(high.beside["building-parts"]).column("base_m").to_pylist()[:2] == [0.0, 50.0]
    assert ("ground-differs", True) in [(one.code, "15.0" in one.what) for one in high.findings]


def _document(**changes: Any) -> bytes:
    cube = [
        [0, 0, 0],
        [1000, 0, 0],
        [1000, 1000, 0],
        [0, 1000, 0],
        [0, 0, 3000],
        [1000, 0, 3000],
        [1000, 1000, 3000],
        [0, 1000, 3000],
    ]
    faces = [[[0, 3, 2, 1]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]
    whole: dict[str, Any] = {
        "type": "CityJSON", "version": "2.0", "transform": {"scale": [0.001] * 3, "translate": [X, Y, 15.0]}, "vertices": cube,
        "CityObjects": {"a": {"type": "Building", "geometry": [{"type": "Solid", "lod": "1", "boundaries": [faces]}]}},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5186"},
    }  # fmt: skip
    return json.dumps({**whole, **changes}).encode()


def _solid(boundaries: Any, **more: Any) -> dict[str, Any]:
    return {
        "a": {
            "type": "Building",
            "geometry": [{"type": "Solid", "lod": "1", "boundaries": boundaries}],
            **more,
        }
    }


GOOD = _solid([[[[0, 3, 2, 1]], [[4, 5, 6, 7]]]])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"[1]", "no object"),
        (b'{"type":"CityJSON",', "line 1"),
        (_document(type="CityJSONExtension"), "instead of CityJSON"),
        (_document(version="0.9"), "CityJSON 0.9"),
        (_document(metadata={}), "which CRS"),
        (
            _document(metadata={"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/4326"}),
            "in degrees",
        ),
        (
            _document(metadata={"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/999999"}),
            "not known",
        ),
        (_document(vertices=[[0, 0]]), "three numbers"),
        (_document(vertices=None), "list of vertices"),
        (_document(transform={"scale": [1]}), "transform"),
        (_document(CityObjects=[]), "CityObjects"),
        (_document(CityObjects={"a": {}}), "without a type"),
        (_document(CityObjects={}), "no city object"),
        (_document(CityObjects=_solid([[[[0, 1, 99]]]])), "no building that has a place"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_where(raw: bytes, said: str, into: Into) -> None:
    with pytest.raises(BadData, match=said):
        table(FORMATS["cityjson"].read(raw, into))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (_document(version="1.1"), "version-old"),
        (_document(CityObjects=_solid([[[[0, 3, 2, 1]], [[4, 5, 6, 7]]]], children=["b"])), "relation-nowhere"),
        (_document(CityObjects=GOOD | {"b": {"type": "BuildingPart", "parents": ["a"]}}), "relation-one-sided"),
        (_document(CityObjects=GOOD | {"b": {"type": "Hut"}}), "type-unknown"),
        (_document(CityObjects={**GOOD, "b": _solid([[[[0, 1, 99]]]])["a"]}), "boundary-nowhere"),
        (_document(CityObjects={**GOOD, "b": _solid([[[["x"]]]])["a"]}), "boundary-broken"),
        (_document(appearance={"materials": [{"name": "x"}]}), "left-out"),
        (_document(extensions={"Noise": {"url": "x"}}), "extension-incomplete"),
        (_document(), "ok"),
    ],
)  # fmt: skip
def test_what_is_odd_is_a_finding(raw: bytes, code: str, into: Into) -> None:
    read = FORMATS["cityjson"].read(raw, into)
    assert len(table(read)) == 1
    assert (code == "ok") == (read.findings == [])
    assert code == "ok" or code in {one.code for one in read.findings}


def _city(file: Path, into: Into) -> tuple[Any, Any, Read]:
    read = FORMATS["cityjson"].read(file, into)
    return table(read), table(read.beside["building-parts"]), read


@pytest.mark.skipif(not BENCH.exists(), reason="the larger real data are not here")
def test_city_models_of_zurich_rotterdam_and_den_haag_are_read_with_heights() -> None:
    models = BENCH / "citymodels"
    main, parts, _ = _city(models / "zurich_subset_lod2.json", Into(Frame("EPSG:2056")))
    assert (len(main), len(parts)) == (49, 161)
    assert float(np.median(main.column("height_m").to_numpy())) == pytest.approx(17.0, abs=6.0)
    main, parts, read = _city(models / "rotterdam_subset.json", Into(Frame("EPSG:28992"), crs="EPSG:28992"))
    assert (len(main), len(parts)) == (16, 16)
    assert all(shapely.is_valid(shapes(main)))
    assert 20.0 < float(shapely.area(shapes(main)).min())
    assert "roof-flattened" in {one.code for one in read.findings}
    main, parts, _ = _city(models / "DH_01_subs.city.json", Into(Frame("EPSG:28992"), crs="EPSG:28992"))
    assert (len(main), len(parts)) == (4, 9)
    stated = dict(
        zip(main.column("id").to_pylist(), main.column("RelativeRidgeHeight").to_pylist(), strict=True)
    )
    heights = dict(zip(main.column("id").to_pylist(), main.column("height_m").to_pylist(), strict=True))
    assert all(
        heights[one] == pytest.approx(ridge, abs=0.01) for one, ridge in stated.items() if ridge is not None
    )


@pytest.mark.skipif(not BENCH.exists(), reason="the larger real data are not here")
def test_every_file_with_a_defect_is_refused_or_found_out(into: Into) -> None:
    good = {"cube_20_1.jsonl"}  # it is, by the standard; repeated ids and vertices are told all the same
    silent = []
    for file in sorted((BENCH / "bad" / "cityjson").iterdir()):
        try:
            read = FORMATS["cityjson"].read(file, dataclasses.replace(into, crs="EPSG:5186"))
            table(read)
        except BadData as error:
            silent += [] if file.name in str(error) else [file.name]
        else:
            silent += [] if read.findings or file.name in good else [file.name]
    assert silent == []
