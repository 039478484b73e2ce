"""Synthetic layers for the release gate: invented terrain, sites, buildings and people. Nothing in here is a real place or person."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry import box

from twintown.exchange.content import OfShape
from twintown.exchange.gate import examine
from twintown.exchange.matter import Matter, reach_of
from twintown.exchange.release import Release, state_of
from twintown.exchange.rules_licence import Work
from twintown.exchange.rules_pack import rules_of
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.trust.grades import Grade
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Action, Grant, Resource, decide
from twintown.trust.terms import Asset, Terms
from twintown.twin.description import Description
from twintown.twin.layers import LayerVersion, Shape, Twin

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="synthetic")
X, Y = 208_000.0, 546_000.0
PEER = "did:web:twin.icheon.example"
ODBL = Licence("ODbL-1.0", "Open Database License", "", "© OpenStreetMap contributors", True)
OWN = Licence("own", "The city's own work")
DESCRIPTION = f"""
[twin]
id = "invented"
names = {{ ko = "지어낸 곳 (합성)", en = "Invented place (synthetic)" }}
time_zone = "Asia/Seoul"
day = "2026-12-22"
[frame]
crs = "EPSG:5186"
vertical = "EPSG:5193"
[frame.geoid]
undulation_m = 23.3
source = "synthetic"
[bounds]
xmin = {X}
ymin = {Y}
xmax = {X + 1000}
ymax = {Y + 1000}
[ground]
kind = "flat"
height_m = 15
assumed = true
note = {{ ko = "합성", en = "synthetic" }}
[home]
lon = 127.09
lat = 37.51
heading_deg = 0
pitch_deg = -30
range_m = 900
"""


def source(id: str = "invented", licence: Licence = OWN, title: str = "") -> Source:
    return Source(
        id, title or f"Synthetic {id} (invented for tests)", "Test of Twintown", licence, note="synthetic"
    )


def made(*sources: Source) -> Provenance:
    return Provenance(sources or (source(),), (Step("invented", "test", {"synthetic": True}),))


OSM = made(source("osm", ODBL, "OpenStreetMap"))


def rows(
    table: Mapping[str, Any], shapes: Any = None, provenance: Provenance | None = None, **units: str
) -> Features:
    """A layer of rows; without shapes a plain table. An `id` is made where there is none."""
    count = len(next(iter(table.values())))
    ids = {} if "id" in table else {"id": [f"synthetic/{n}" for n in range(count)]}
    drawn = gpd.GeoSeries([None] * count if shapes is None else list(shapes), crs=FRAME.crs)
    frame = gpd.GeoDataFrame({**ids, **table}, geometry=drawn, crs=FRAME.crs)
    return Features(frame, FRAME, provenance or made(), units)


def terrain(
    cell_m: float = 5.0,
    size: int = 60,
    dx: float = 0.0,
    dy: float = 0.0,
    provenance: Provenance | None = None,
) -> Grid:
    """Synthetic terrain: two hills that nobody has climbed, metres above the sea, its corner moved by dx, dy."""
    x = X + dx + (np.arange(size) + 0.5) * cell_m
    y = Y + 1000 + dy - (np.arange(size) + 0.5) * cell_m
    east, north = np.meshgrid(x - X, y - Y)
    height = 40 + 30 * np.sin(east / 90) * np.cos(north / 70) + 0.01 * east
    said = {"quantity": "elevation", "synthetic": True}
    return Grid(
        height.astype(np.float32), X + dx, Y + 1000 + dy, cell_m, "m", FRAME, provenance or made(), None, said
    )


def blocks(count: int = 6, step: float = 20.0, provenance: Provenance | None = None) -> Features:
    """Invented buildings in a row, 10 m wide."""
    shapes = [box(X + 100 + n * step, Y + 500, X + 110 + n * step, Y + 510) for n in range(count)]
    return rows({"height_m": [6.0 + n for n in range(count)]}, shapes, provenance, height_m="m")


def small_twin(directory: Path, layers: Mapping[str, tuple[Shape, Grade]], more: str = "") -> Twin:
    """A twin of synthetic layers, open for writing."""
    shutil.copytree(_empty(), directory)
    (directory / "twintown.toml").write_text(DESCRIPTION + more, encoding="utf-8")
    twin = Twin.open(directory, read_only=False)
    put(twin, layers)
    return twin


@cache
def _empty() -> Path:
    """A twin without layers, whose database is up to date: made once, copied for each test."""
    directory = Path(tempfile.mkdtemp(prefix="twintown-synthetic-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    (directory / "twintown.toml").write_text(DESCRIPTION, encoding="utf-8")
    Twin.open(directory, read_only=False).tables.engine.dispose()
    return directory


def put(twin: Twin, layers: Mapping[str, tuple[Shape, Grade]]) -> None:
    """Layers into a twin, as a build would leave them."""
    staged = {name: twin.stage(name, shape, grade).version for name, (shape, grade) in layers.items()}
    twin.tables.switch(staged)
    twin.watch.touch()


def granted(twin: Twin, action: Action = "read") -> Grant:
    """What the owner may do."""
    return decide(LOCAL_OWNER, action, Resource(twin.description.id))


def terms(*assets: str, **said: Any) -> Terms:
    return Terms(tuple(Asset.of(one) for one in assets), **said)


def lonlat(x: float, y: float) -> tuple[float, float]:
    lon, lat = FRAME.to_lonlat(x, y)
    return float(lon), float(lat)


def outline(west: float, south: float, east: float, north: float) -> list[list[float]]:
    """A ring in degrees around metres of the frame."""
    return [
        [round(v, 7) for v in lonlat(x, y)]
        for x, y in shapely.box(west, south, east, north).exterior.coords[:-1]
    ]


class Paper:
    """A twin of which only the description and the shapes are there: what checks of the gate need, in a millisecond."""

    def __init__(self, layers: Mapping[str, tuple[Shape, Grade]], more: str = "") -> None:
        self.directory = Path("/nowhere")
        self.description = Description.parse(
            tomllib.loads(DESCRIPTION + more), self.directory, "sha256:paper"
        )
        self.layers = dict(layers)

    def matter(self, layer: str, to: str = "anyone", said: Terms | None = None) -> Matter:
        shape, grade = self.layers[layer]
        content, about = OfShape(layer, shape), self.description
        unit = shape.unit if isinstance(shape, Grid) else ""
        meta = {"provenance": shape.provenance.to_dict(), "unit": unit}
        part = LayerVersion(
            layer, f"01PAPER{layer}", content.kind, Name(layer, layer), grade, content.count, "sha256:paper", NOW, None, "", meta
        )  # fmt: skip
        twin, grant = cast(Twin, self), granted(cast(Twin, self))
        rules = rules_of(about.release, self.directory, about.time_zone)
        asset = Asset("layer", layer)
        return Matter(
            twin, grant, grant, asset, to, reach_of(twin, to, rules.country), said or Terms((asset,)), rules, (part,),
            Work.of(content.kind, unit, content.count), content, known=self.known(layer),
        )  # fmt: skip

    def known(self, layer: str) -> tuple[OfShape, ...]:
        """What everybody has: the open layers."""
        return tuple(
            OfShape(name, shape)
            for name, (shape, grade) in self.layers.items()
            if grade is Grade.O and name != layer
        )

    def ask(self, layer: str, to: str = "anyone", said: Terms | None = None) -> Release:
        """The gate's answer."""
        matter = self.matter(layer, to, said)
        found = examine(matter)
        return Release(
            "", matter.asset, matter.version, to, matter.terms, found, {}, NOW, NOW, (), state_of(found)
        )
