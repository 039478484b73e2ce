"""JSON-FG: time, type, place and solids, and GeoJSON for those who know nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pyogrio
import pytest

from twintown.formats.format import FORMATS, Into
from twintown.ground.columns import Column
from twintown.ground.crs import CRS84
from twintown.ground.errors import BadData
from twintown.ground.names import Name

from .conftest import X, Y, batch, buildings, city_told, shapes, table, told, write


def test_place_is_in_the_order_of_the_axes_and_geometry_in_degrees() -> None:
    document = json.loads(write("jsonfg", told("Point", time=("at",)), batch([f"POINT Z ({X} {Y} 7)"])))
    (feature,) = document["features"]
    assert document["conformsTo"][0].endswith("/json-fg-1/1.0/conf/core")
    assert (document["featureType"], document["geometryDimension"]) == ("layer", 0)
    assert document["coordRefSys"] == "http://www.opengis.net/def/crs/EPSG/0/5186"
    assert feature["place"] == {"type": "Point", "coordinates": [Y, X, 7.0]}
    assert feature["geometry"]["coordinates"] == pytest.approx([127.09614, 37.51344], abs=1e-4)
    assert feature["time"] == {"timestamp": "2024-01-02T03:04:00Z"}


def test_in_degrees_place_is_null_and_says_nothing_twice() -> None:
    (feature,) = json.loads(write("jsonfg", told("Point", crs=CRS84), batch([f"POINT ({X} {Y})"])))[
        "features"
    ]
    assert feature["place"] is None
    assert feature["geometry"]["type"] == "Point"


def test_two_columns_of_time_are_an_interval_with_open_ends() -> None:
    columns = tuple(Column(name, "datetime", "", Name(name, name)) for name in ("start", "end"))
    moment = datetime(2024, 5, 1, 12, tzinfo=UTC)
    rows = batch(
        ["POINT (0 0)"] * 3, start=pa.array([moment, None, None], pa.timestamp("ms", "UTC")),
        end=pa.array([None, moment, None], pa.timestamp("ms", "UTC")),
    )  # fmt: skip
    document = json.loads(
        write("jsonfg", told("Point", crs=CRS84, columns=columns, time=("start", "end")), rows)
    )
    times = [one["time"] for one in document["features"]]
    assert times == [
        {"interval": ["2024-05-01T12:00:00Z", ".."]},
        {"interval": ["..", "2024-05-01T12:00:00Z"]},
        None,
    ]


def test_days_are_dates() -> None:
    columns = (Column("day", "string", "", Name("day", "day")),)
    rows = batch(["POINT (0 0)"], day=pa.array(["2024-05-01"]))
    (feature,) = json.loads(write("jsonfg", told("Point", columns=columns, time=("day",)), rows))["features"]
    assert feature["time"] == {"date": "2024-05-01"}


def test_buildings_are_polyhedra_above_the_vertical_datum() -> None:
    document = json.loads(write("jsonfg", city_told(), buildings()))
    assert any(one.endswith("/polyhedra") for one in document["conformsTo"])
    assert document["coordRefSys"] == [
        f"http://www.opengis.net/def/crs/EPSG/0/{code}" for code in (5186, 5193)
    ]
    places = [one["place"] for one in document["features"]]
    assert [one and one["type"] for one in places] == [
        "MultiPolyhedron",
        "Polyhedron",
        "MultiPolyhedron",
        None,
    ]
    tower = places[0]["coordinates"][1]
    assert {position[2] for face in tower[0] for ring in face for position in ring} == {65.0, 115.0}
    assert all(
        ring[0] == ring[-1] and len(ring) >= 4
        for solid in places[2]["coordinates"]
        for face in solid[0]
        for ring in face
    )
    assert all(Y <= position[0] <= Y + 100 for face in tower[0] for ring in face for position in ring), (
        "northing first"
    )
    assert all(one["geometry"]["type"].endswith("Polygon") for one in document["features"])


def test_gdal_reads_what_has_no_solids(mixed: pa.RecordBatch) -> None:
    back = pyogrio.read_dataframe(write("jsonfg", told("GeometryCollection", crs=CRS84), mixed))
    assert len(back) == 9
    assert back["name"].tolist()[2] == "롯데월드타워"


def test_solids_come_in_as_the_footprints_that_geometry_has(into: Into) -> None:
    read = FORMATS["jsonfg"].read(write("jsonfg", city_told(), buildings()), into)
    assert [round(one.area) for one in shapes(table(read))] == [900, 80, 60, 90]


def test_a_place_of_a_solid_without_geometry_becomes_its_floor(into: Into) -> None:
    document = json.loads(write("jsonfg", city_told(), buildings().slice(1, 1)))
    document["features"][0]["geometry"] = None
    plain = {
        "type": "Feature",
        "id": "p",
        "geometry": None,
        "place": {"type": "Point", "coordinates": [Y, X]},
        "properties": {},
    }
    document["features"].append(plain)
    document["coordRefSys"] = document["coordRefSys"][0]
    rows = table(read := FORMATS["jsonfg"].read(json.dumps(document).encode(), into))
    assert shapes(rows)[0].area == pytest.approx(74.0, abs=0.1)
    assert "solid-flattened" in {one.code for one in read.findings}


@pytest.mark.parametrize(
    ("change", "said"),
    [({"coordRefSys": "http://www.opengis.net/def/crs/EPSG/0/999999"}, "not known"), ({"coordRefSys": 5}, "no reference"),
     ({"features": {}}, "array of features"), ({"type": "Collection"}, "instead of FeatureCollection")],
)  # fmt: skip
def test_what_is_wrong_with_a_document_is_said(change: dict[str, object], said: str, into: Into) -> None:
    document = json.loads(write("jsonfg", told("Point"), batch([f"POINT ({X} {Y})"])))
    with pytest.raises(BadData, match=said):
        list(FORMATS["jsonfg"].read(json.dumps({**document, **change}).encode(), into).batches)
