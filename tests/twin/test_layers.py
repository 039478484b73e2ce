"""Layers: staged unseen, switched together, read only as far as the Grant goes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import Denied, NotFound, Unauthenticated
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.ground.series import Series
from twintown.store.tables import ProductRow
from twintown.trust.grades import Grade
from twintown.trust.identity import ANYONE, LOCAL_OWNER
from twintown.trust.policy import Grant, Resource, decide
from twintown.twin.layers import Twin

CC0 = Provenance((Source("own", "Survey", "the hamlet", Licence("CC0-1.0", "CC0")),))
OPEN: Grant = decide(ANYONE, "read", Resource("hamlet"))
ALL: Grant = decide(LOCAL_OWNER, "read", Resource("hamlet"))


def wells(twin: Twin, depth: float) -> Features:
    table = gpd.GeoDataFrame({"id": ["a", "b"], "depth_m": [depth, 2 * depth]},
                             geometry=[shapely.Point(208_100, 545_000), shapely.Point(210_000, 547_000)], crs="EPSG:5186")  # fmt: skip
    return Features(table, twin.description.frame, CC0, {"depth_m": "m"})


@pytest.fixture
def twin(described: Path) -> Twin:
    twin = Twin.open(described, read_only=False)
    first = twin.stage("wells", wells(twin, 3.0), Grade.O)
    twin.tables.switch({"wells": first.version})
    return twin


def test_a_staged_version_is_unseen_until_the_switch(twin: Twin) -> None:
    before = twin.version("wells", OPEN)
    staged = twin.stage("wells", wells(twin, 5.0), Grade.O)
    assert twin.version("wells", OPEN).version == before.version != staged.version
    twin.tables.switch({"wells": staged.version})
    read = twin.read("wells", OPEN)
    assert isinstance(read, Features)
    assert sorted(read.table["depth_m"]) == [5.0, 10.0]


def test_the_same_content_keeps_its_version(twin: Twin) -> None:
    assert twin.stage("wells", wells(twin, 3.0), Grade.O).version == twin.version("wells", OPEN).version


def test_a_layer_says_its_columns_units_assumptions_and_place(twin: Twin) -> None:
    version = twin.version("wells", OPEN)
    depth = next(column for column in version.meta["columns"] if column["name"] == "depth_m")
    assert depth == {"name": "depth_m", "type": "number", "unit": "m", "title": {"ko": "깊이", "en": "Depth"}}
    assert version.meta["assumed"] == [{"ko": "깊이는 가정", "en": "depths are assumed"}]
    assert version.meta["geometry"] == "Point"
    west, south, east, north = version.bbox_lonlat or (0, 0, 0, 0)
    assert 127.0 < west < east < 127.2 and 37.4 < south < north < 37.6
    assert version.provenance.licences[0].id == "CC0-1.0"


def test_anyone_reads_what_is_open_and_only_the_owner_the_rest(twin: Twin) -> None:
    secret = twin.stage("shelters", wells(twin, 9.0), Grade.S)
    twin.tables.switch({"shelters": secret.version})
    assert [version.layer for version in twin.layers(OPEN)] == ["wells"]
    assert [version.layer for version in twin.layers(ALL)] == ["shelters", "wells"]
    with pytest.raises(Unauthenticated):
        twin.version("shelters", OPEN)
    with pytest.raises(Unauthenticated):
        twin.read(secret, OPEN)
    assert len(twin.read(secret, ALL)) == 2  # type: ignore[arg-type]


def test_columns_and_area_of_a_grant_are_kept_inside_the_query(twin: Twin) -> None:
    narrow = Grant(
        ANYONE,
        "read",
        Resource("hamlet"),
        True,
        "test",
        columns=("id",),
        area=Bounds(208_000, 544_900, 209_000, 546_000),
    )
    read = twin.read("wells", narrow)
    assert isinstance(read, Features)
    assert list(read.table["id"]) == ["a"]
    assert "depth_m" not in read.table.columns
    with pytest.raises(Denied):
        twin.read("wells", narrow, bbox=Bounds(209_500, 546_500, 210_300, 547_100))


def test_a_filter_of_a_grant_is_kept_inside_the_query(twin: Twin) -> None:
    read = twin.read("wells", Grant(ANYONE, "read", Resource("hamlet"), True, "test", filter="depth_m > 3"))
    assert isinstance(read, Features)
    assert list(read.table["id"]) == ["b"]
    assert read.units == {"depth_m": "m"} and read.provenance == CC0


def test_a_series_and_a_grid_leave_as_far_as_the_grant_goes(twin: Twin) -> None:
    hours = pa.array([0, 3600, 7200], pa.timestamp("s", "Asia/Seoul"))
    air = Series(pa.table({"time": hours, "t": [1.0, 2.0, 3.0], "rh": [4.0, 5.0, 6.0]}), {"t": "Cel", "rh": "%"},
                 "Asia/Seoul", "here", CC0)  # fmt: skip
    cells = Grid(
        np.arange(24, dtype=np.float32).reshape(4, 6),
        208_000,
        547_100,
        1.0,
        "m",
        twin.description.frame,
        CC0,
        -1,
    )
    staged = {
        name: twin.stage(name, shape, Grade.O).version for name, shape in (("air", air), ("cells", cells))
    }
    twin.tables.switch(staged)
    part = twin.read(
        "air", Grant(ANYONE, "read", Resource("hamlet"), True, "test", filter="rh > 4", columns=("t",))
    )
    assert isinstance(part, Series)
    assert part.table.column_names == ["time", "t"] and part.table["t"].to_pylist() == [2.0, 3.0]
    assert dict(part.units) == {"t": "Cel"}
    area = Bounds(208_000, 547_096, 208_002, 547_100)
    corner = twin.read(
        "cells", Grant(ANYONE, "read", Resource("hamlet"), True, "test", area=area, finest_m=2.0)
    )
    assert isinstance(corner, Grid)
    assert corner.values.tolist() == [[3.5], [15.5]] and corner.cell_m == 2.0
    with pytest.raises(Denied):
        twin.read("cells", Grant(ANYONE, "read", Resource("hamlet"), True, "test", area=Bounds(0, 0, 1, 1)))


def test_a_result_is_a_layer_like_any_other(twin: Twin) -> None:
    grid = Grid(np.full((4, 4), 3, np.uint8), 208_000, 547_100, 1.0, "min", twin.description.frame, CC0, 255)
    version = twin.stage("sun", grid, Grade.O)
    twin.tables.switch({"sun": version.version})
    read = twin.read("sun", OPEN)
    assert isinstance(read, Grid)
    assert np.array_equal(read.values, grid.values)
    assert version.meta["unit"] == "min"


def test_a_product_that_does_not_say_its_grade_is_nobodys_to_see(twin: Twin) -> None:
    twin.blobs.put("tiles/x/1/tileset.json", b"{}")
    twin.tables.add_product(ProductRow("x", "1", "sha256:0", datetime.now(UTC), "tiles/x/1", {}))
    twin.tables.switch({}, {"x": "1"})
    assert twin.products(OPEN) == ()
    with pytest.raises(Unauthenticated):
        twin.product("x", OPEN)
    assert twin.product_file(twin.product("x", ALL), "tileset.json", ALL) == b"{}"


def test_a_twin_that_was_never_built_says_how_to_build_it(described: Path) -> None:
    with pytest.raises(NotFound, match="twintown build"):
        Twin.open(described)
