"""The five shapes: what they refuse, what they carry, that bytes are the same for the same content."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadData, BadInput, BadParameter, BadSettings, TwintownError
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.mesh import Mesh
from twintown.ground.names import Name, check_id
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.ground.series import Series

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for this test")
OSM = Source(
    "osm",
    "OpenStreetMap",
    "its contributors",
    Licence("ODbL-1.0", "ODbL", share_alike=True),
    date="2024-11-01",
)
FROM_OSM = Provenance((OSM,), (Step("read", "test"),))


def squares(n: int = 40) -> Features:
    x, y = np.meshgrid(209_000.0 + 20.0 * np.arange(n), 545_000.0 + 20.0 * np.arange(n))
    geometry = shapely.box(x.ravel(), y.ravel(), x.ravel() + 10, y.ravel() + 10)
    table = gpd.GeoDataFrame(
        {"id": [f"way/{k}" for k in range(n * n)], "height_m": np.arange(n * n) / 10},
        geometry=geometry,
        crs=FRAME.crs,
    )
    return Features(table, FRAME, FROM_OSM, {"height_m": "m"})


def test_features_come_back_with_frame_units_and_provenance() -> None:
    back = Features.from_parquet(squares().to_parquet_bytes())
    assert back.frame == FRAME
    assert back.units == {"height_m": "m"}
    assert back.provenance == FROM_OSM
    assert len(back) == 1600


def test_geoparquet_is_version_1_1_with_a_bbox_covering_that_any_reader_uses() -> None:
    import io
    import json

    data = squares().to_parquet_bytes()
    geo = json.loads(pq.read_schema(pa.BufferReader(data)).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    part = gpd.read_parquet(io.BytesIO(data), bbox=(209_000, 545_000, 209_055, 545_025))
    assert len(part) == 6


def test_rows_lie_in_hilbert_order_and_the_same_table_gives_the_same_bytes() -> None:
    features = squares()
    turned = features.with_table(features.table.iloc[::-1])
    assert features.to_parquet_bytes() == turned.to_parquet_bytes()
    centres = Features.from_parquet(features.to_parquet_bytes()).table.geometry.centroid
    steps = np.hypot(np.diff(centres.x), np.diff(centres.y))
    assert np.median(steps) == pytest.approx(20.0)


def test_features_refuse_what_has_no_id_two_equal_ids_or_another_crs() -> None:
    table = squares(2).table
    with pytest.raises(BadInput, match="id"):
        Features(table.drop(columns="id"), FRAME, FROM_OSM)
    with pytest.raises(BadInput, match="twice"):
        Features(table.assign(id="way/1"), FRAME, FROM_OSM)
    with pytest.raises(BadInput, match="reproject"):
        Features(table.to_crs("EPSG:4326"), FRAME, FROM_OSM)
    with pytest.raises(BadSettings, match="unit"):
        Features(table, FRAME, FROM_OSM, {"height_m": "feet"})


def test_a_parquet_file_that_is_not_ours_or_is_cut_short_is_named() -> None:
    with pytest.raises(BadData, match="GeoParquet"):
        Features.from_parquet(squares(2).to_parquet_bytes()[:-40])
    with pytest.raises(BadData):
        Features.from_parquet(b"")


def test_a_grid_comes_back_cell_by_cell_with_its_unit_and_attributes() -> None:
    values = np.arange(700 * 600, dtype=np.uint16).reshape(700, 600)
    grid = Grid(values, 209_000.0, 546_000.0, 1.0, "min", FRAME, FROM_OSM, 65535, {"step_minutes": 7})
    back = Grid.from_cog(grid.to_cog_bytes())
    assert np.array_equal(back.values, values)
    assert (back.unit, back.nodata, back.attributes["step_minutes"], back.bounds) == (
        "min",
        65535,
        7,
        grid.bounds,
    )
    with pytest.raises(BadData):
        Grid.from_cog(b"II*\0nothing")


def test_a_series_comes_back_with_units_zone_and_gaps() -> None:
    table = pa.table(
        {
            "time": pa.array([0, 3_600_000], pa.timestamp("ms", tz="Asia/Seoul")),
            "dry_bulb": pa.array([1.5, None]),
        }
    )
    back = Series.from_parquet(
        Series(table, {"dry_bulb": "Cel"}, "Asia/Seoul", "Icheon", FROM_OSM).to_parquet_bytes()
    )
    assert back.table["dry_bulb"].to_pylist() == [1.5, None]
    assert (back.zone, back.units["dry_bulb"]) == ("Asia/Seoul", "Cel")


def test_a_box_of_triangles_is_closed_and_its_volume_is_known() -> None:
    corners = np.array([[x, y, z] for z in (0, 5) for y in (0, 3) for x in (0, 2)], float)
    faces = [
        [0, 2, 1],
        [1, 2, 3],
        [4, 5, 6],
        [5, 7, 6],
        [0, 1, 4],
        [1, 5, 4],
        [2, 6, 3],
        [3, 6, 7],
        [0, 4, 2],
        [2, 4, 6],
        [1, 3, 5],
        [3, 7, 5],
    ]
    mesh = Mesh(corners, np.array(faces, np.int32), np.zeros(12, np.int32))
    assert mesh.is_closed()
    assert mesh.volume() == pytest.approx(30.0)
    assert not Mesh(corners, mesh.triangles[:-1], mesh.feature[:-1]).is_closed()


def test_provenance_of_a_mixture_names_each_source_once_and_keeps_the_licences() -> None:
    other = Provenance((Source("kogl", "SGIS", "Statistics Korea", Licence("KOGL-1", "KOGL type 1")), OSM))
    mixture = Provenance.of([FROM_OSM, other], Step("join", "test"))
    assert [source.id for source in mixture.sources] == ["osm", "kogl"]
    assert [licence.id for licence in mixture.licences] == ["ODbL-1.0", "KOGL-1"]
    assert Provenance.from_dict(mixture.to_dict()) == mixture


def test_bounds_refuse_to_be_empty_turned_round_or_infinite() -> None:
    for wrong in ((0, 0, 0, 1), (1, 0, 0, 1), (0, 0, float("nan"), 1)):
        with pytest.raises(BadInput):
            Bounds(*wrong)
    assert len(Bounds(0, 0, 4, 2).ring(4)) == 17


def test_names_keep_a_place_in_its_own_script_and_identifiers_become_folders() -> None:
    assert Name.of({"ko": "잠실"}).en == "잠실"
    with pytest.raises(BadSettings):
        Name.of({})
    for wrong in ("", "../x", "A", "a--b", "a" * 65, "잠실"):
        with pytest.raises(BadSettings):
            check_id(wrong)


def test_an_error_says_what_where_and_what_to_do_in_one_line_and_survives_pickling() -> None:
    import pickle

    error = BadParameter("height_m", "-3 is below 0", remedy="give metres from 0 to 1000")
    assert str(error) == "height_m: -3 is below 0; give metres from 0 to 1000"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(pickle.loads(pickle.dumps(TwintownError("a", "b", "c")))) == "b: a; c"
