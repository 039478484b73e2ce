"""A small layer of shapes of every kind, as files and as rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from twintown.ground.columns import Column
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.index import sidecar
from twintown.index.rows import Rows
from twintown.index.view import Segment, View
from twintown.trust.grades import Grade
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Grant, Resource

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
CC0 = Provenance((Source("own", "Survey", "the hamlet", Licence("CC0-1.0", "CC0")),))
X, Y = 208_000.0, 546_000.0


def table(n: int, seed: int = 0) -> gpd.GeoDataFrame:
    """n rows in 1 km²: points, lines, areas with and without a hole, some without a place."""
    random = np.random.default_rng(seed)
    shapes: list[Any] = []
    for i in range(n):
        x, y = X + random.random() * 1000, Y + random.random() * 1000
        area = shapely.box(x, y, x + 40, y + 25)
        shapes.append(
            [
                shapely.Point(x, y, 3.0),
                shapely.LineString([(x, y), (x + 60, y + 30), (x + 10, y + 80)]),
                area,
                area.difference(shapely.box(x + 10, y + 5, x + 30, y + 20)),
                shapely.MultiPolygon([area, shapely.box(x + 50, y, x + 60, y + 10)]),
                None if i % 12 == 5 else shapely.Point(x, y),
            ][i % 6]
        )
    hours = pd.date_range("2026-01-01", periods=max(n, 1), freq="h", tz="Asia/Seoul")[:n]
    return gpd.GeoDataFrame(
        {
            "id": [f"way/{i}" for i in range(n)],
            "name": [[f"집 {i}", 'the "corner"', "back\\slash", "tab\tand\u0001more", None][i % 5] for i in range(n)],
            "height_m": [np.nan if i % 7 == 3 else i / 2 for i in range(n)],
            "levels": pd.array([None if i % 5 == 4 else i % 9 for i in range(n)], dtype="Int64"),
            "kept": [i % 2 == 0 for i in range(n)],
            "seen": hours,
        },
        geometry=gpd.GeoSeries(shapes, crs=FRAME.crs),
        crs=FRAME.crs,
    )  # fmt: skip


def write(path: Path, rows: gpd.GeoDataFrame) -> Path:
    """The rows as a GeoParquet file of ours."""
    path.write_bytes(Features(rows, FRAME, CC0, {"height_m": "m"}).to_parquet_bytes())
    return path


def grant(**conditions: Any) -> Grant:
    return Grant(ANYONE, "read", Resource("hamlet"), True, "test", **conditions)


def view_of(*segments: Segment, time: tuple[str, ...] = ("seen",), **conditions: Any) -> View:
    kinds = {"height_m": "number", "levels": "integer", "kept": "boolean", "seen": "datetime"}
    columns = [Column(c, kinds.get(c, "string"), "", Name(c, c)) for c in segments[0].rows.columns]
    return View(
        layer="houses", version="1", token="1", grade=Grade.O, frame=FRAME, columns=columns, time=time,
        segments=segments, grant=grant(**conditions), place=bool(segments[0].rows.kinds),
    )  # fmt: skip


Open = Callable[..., Rows]


@pytest.fixture
def open_rows(tmp_path: Path) -> Open:
    """The rows of a table through its file and its sidecar."""

    def opened(rows: gpd.GeoDataFrame, name: str = "a") -> Rows:
        return sidecar.ensure(tmp_path / "index" / name, write(tmp_path / f"{name}.parquet", rows), name)

    return opened
