# ruff: noqa: E501 - rows of a table read better on one line each
"""Two tiny twins made by hand, quickly: a flat block and a gabled house in Jamsil, and one closed layer."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fastapi import FastAPI
from shapely.geometry import LineString, Point, box

from twintown.app import create_app
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.ground.series import Series
from twintown.products.built_ins import BUILT_INS
from twintown.products.product import Place, Product
from twintown.settings import Settings
from twintown.store.tables import ProductRow
from twintown.trust.grades import Grade
from twintown.trust.identity import make_token
from twintown.twin.layers import Shape, Twin

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would like another HTTP client than the one we have
    from starlette.testclient import TestClient

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
X, Y = 208_500.0, 546_000.0
#: The version of each product.
FIRST = "01JGFJJZ000000000000000001"
DESCRIPTION = f"""
[twin]
id = "{{id}}"
names = {{{{ ko = "작은 잠실", en = "Small Jamsil" }}}}
time_zone = "Asia/Seoul"
day = "2026-12-22"
[frame]
crs = "EPSG:5186"
vertical = "EPSG:5193"
[frame.geoid]
undulation_m = 23.3
source = "test"
[bounds]
xmin = {X - 200}
ymin = {Y - 200}
xmax = {X + 200}
ymax = {Y + 200}
[ground]
kind = "flat"
height_m = 15
assumed = true
note = {{{{ ko = "평평하다고 가정", en = "assumed flat" }}}}
[home]
lon = 127.1
lat = 37.51
heading_deg = 0
pitch_deg = -30
range_m = 900
[[notices]]
ko = "법적 판단이 아닙니다"
en = "not a legal finding"
[[layers]]
id = "buildings"
title = {{{{ ko = "건물", en = "Buildings" }}}}
assumed = [{{{{ ko = "일부 높이는 추정", en = "some heights are estimated" }}}}]
[layers.columns.height_m]
title = {{{{ ko = "높이", en = "Height" }}}}
"""
ODBL = Licence(
    "ODbL-1.0",
    "Open Database License",
    "https://opendatacommons.org/licenses/odbl/1-0/",
    "© OpenStreetMap contributors",
    True,
)
FROM = Provenance(
    (Source("osm", "OpenStreetMap", "OpenStreetMap contributors", ODBL, date="2024-11-01"),),
    (Step("drawn", "test"),),
)


def _features(rows: list[dict[str, object]], units: dict[str, str] | None = None) -> Features:
    return Features(gpd.GeoDataFrame(rows, geometry="geometry", crs=FRAME.crs), FRAME, FROM, units or {})


def _buildings() -> Features:
    row = {
        "height_error_m": np.nan,
        "levels": np.nan,
        "storey_m": 3.0,
        "storey_source": "assumed",
        "min_height_m": 0.0,
    }
    tower = {
        "id": "relation/1", "name": "롯데월드타워", "name_ko": "롯데월드타워", "name_en": "Lotte World Tower", "kind": "yes",
        "function": "", "height_m": 100.0, "height_source": "measured", "parts": 2, "tags": '{"building":"yes"}',
    }  # fmt: skip
    house = {
        "id": "way/2", "name": "", "name_ko": "", "name_en": "", "kind": "house", "function": "", "height_m": 6.5,
        "height_source": "estimated", "parts": 1, "tags": "{}",
    }  # fmt: skip
    return _features(
        [
            {**row, **tower, "levels": 30.0, "geometry": box(X, Y, X + 30, Y + 30)},
            {**row, **house, "height_error_m": 3.2, "geometry": box(X + 60, Y, X + 70, Y + 8).difference(box(X + 64, Y + 3, X + 66, Y + 5))},
        ],
        {"height_m": "m", "height_error_m": "m", "levels": "{storey}", "storey_m": "m", "min_height_m": "m"},
    )  # fmt: skip


def _parts() -> Features:
    flat = {"roof_shape": "flat", "roof_direction_deg": np.nan, "roof_height_m": 0.0}
    return _features(
        [
            {"id": "way/11", "building": "relation/1", "base_m": 0.0, "eave_m": 50.0, "top_m": 50.0, **flat, "geometry": box(X, Y, X + 30, Y + 30)},
            {"id": "way/12", "building": "relation/1", "base_m": 50.0, "eave_m": 100.0, "top_m": 100.0, **flat, "geometry": box(X + 5, Y + 5, X + 25, Y + 25)},
            {"id": "way/2", "building": "way/2", "base_m": 0.0, "eave_m": 6.5, "top_m": 6.5, **flat, "geometry": box(X + 60, Y, X + 70, Y + 8)},
        ]
    )  # fmt: skip


def _shapes() -> dict[str, tuple[Shape, Grade]]:
    finding = {"id": "finding/1", "object": "relation/1", "code": "height-disagrees", "severity": "warning", "message_ko": "다릅니다",
               "message_en": "disagrees", "value": 99.5, "unit": "m", "geometry": Point(X, Y)}  # fmt: skip
    roads = [
        {"id": f"way/{i}", "name": "올림픽로", "name_ko": "올림픽로", "name_en": "Olympic-ro", "kind": "primary", "lanes": lanes,
         "bridge": i == 20, "geometry": LineString([(X - 150, Y - 50), (X + i * 5, Y - 50)])}
        for i, lanes in ((20, 8), (21, None))
    ]  # fmt: skip
    clinics = [{"id": f"c{i}", "name": f"의원 {i}", "beds": i, "geometry": None} for i in range(3)]
    secret = [{"id": "vault", "name": "금고", "geometry": Point(X + 1, Y + 1)}]
    hours = pd.date_range("2021-01-01", periods=72, freq="h", tz="Asia/Seoul")
    weather = pa.table({"time": hours, "temperature": np.arange(72.0), "sky": ["clear"] * 72})
    return {
        "buildings": (_buildings(), Grade.O),
        "building-parts": (_parts(), Grade.O),
        "findings": (_features([finding]), Grade.O),
        "roads": (_features(roads), Grade.O),
        "clinics": (_features(clinics), Grade.O),
        "vaults": (_features(secret), Grade.C),
        "weather": (
            Series(weather, {"temperature": "Cel"}, "Asia/Seoul", "Songpa", FROM, {"typical_year": True}),
            Grade.O,
        ),
        "shade": (
            Grid(np.arange(400, dtype=np.uint16).reshape(20, 20), X, Y + 20, 1.0, "min", FRAME, FROM, 65535),
            Grade.O,
        ),
    }


#: Twins that were written once, by name: the next one is a copy.
_WRITTEN: dict[str, Path] = {}


def write_twin(directory: Path, name: str = "small") -> Path:
    """A built twin without sources: its layers staged and switched."""
    if name not in _WRITTEN:
        folder = Path(tempfile.mkdtemp(prefix="twin-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _WRITTEN[name] = _write_twin(folder / name, name)
    directory.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_WRITTEN[name], directory)
    return directory


def _write_twin(directory: Path, name: str) -> Path:
    directory.mkdir(parents=True)
    (directory / "twintown.toml").write_text(DESCRIPTION.format(id=name), encoding="utf-8")
    twin = Twin.open(directory, read_only=False)
    staged = {layer: twin.stage(layer, shape, grade).version for layer, (shape, grade) in _shapes().items()}
    twin.tables.switch(
        staged,
        {
            product.id: _make(twin, product)
            for product in BUILT_INS
            if product.id in ("buildings-3dtiles", "base")
        },
    )
    return directory


def _make(twin: Twin, product: Product) -> str:
    shapes = _shapes()
    layers = {
        name: shape for name in product.reads(set(shapes)) if isinstance(shape := shapes[name][0], Features)
    }
    path = f"tiles/{product.id}/{FIRST}"
    built = product.build(
        layers, Place(FRAME, 15.0), lambda name, data: twin.blobs.put(f"{path}/{name}", data)
    )
    meta = {"grade": "O", "title": product.title.to_dict(), "entry": built.entry}
    twin.tables.add_product(ProductRow(product.id, FIRST, "sha256:test", datetime.now(UTC), path, meta))
    return FIRST


@pytest.fixture(scope="session")
def twin_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("twins") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Twintown</title>" + "x" * 2000)
    (folder / "assets" / "index-BxYz12_4.js").write_text("console.log('hello');" * 100)
    (folder / "assets" / "index-BxYz12_4.js.gz").write_bytes(b"packed")
    return folder


@pytest.fixture(scope="session")
def app(twin_dir: Path, dist: Path) -> FastAPI:
    return create_app([twin_dir], Settings(web=dist), warm=False)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="session")
def owner(twin_dir: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {(twin_dir / 'owner.token').read_text().strip()}"}
