"""GDAL reads the vector tiles of a layer through its OGC API driver, from the layer's address alone."""

from __future__ import annotations

from pathlib import Path

import pyogrio
import pytest
import shapely
from tests.api.conftest import FRAME, X, Y, write_twin
from tests.clients.served import server

pytestmark = pytest.mark.slow


def test_gdal_finds_the_tiles_of_a_layer_and_the_shapes_where_they_are(tmp_path: Path) -> None:
    assert "OGCAPI" in pyogrio.list_drivers()
    with server(write_twin(tmp_path / "small")) as address:
        where = f"OGCAPI:{address}/twins/small/collections/buildings"
        names = [name for name, _ in pyogrio.list_layers(where)]
        assert "Zoom level 16" in names
        found = pyogrio.read_dataframe(where, layer="Zoom level 16").set_index("id")
    assert found.loc["relation/1", "height_m"] == 100.0
    lon, lat = FRAME.to_lonlat([X, X + 30, X + 30, X], [Y, Y, Y + 30, Y + 30])
    wanted = shapely.Polygon(list(zip(lon, lat, strict=True)))
    assert shapely.hausdorff_distance(found.loc["relation/1"].geometry, wanted) * 100_000 < 1  # metres
