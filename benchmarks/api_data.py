"""What `bench-api` asks: a synthetic city of small rotated houses, the same rows for us and for the peers.

Everything here is drawn from one seed and stands nowhere; only the benchmark sees it.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.store.tables import new_version
from twintown.trust.grades import Grade
from twintown.twin.layers import Twin

CRS = "EPSG:5186"
#: About the city of Seoul, metres.
WEST, SOUTH, EAST, NORTH = 180_000.0, 537_000.0, 216_000.0, 566_000.0
CHUNK = 100_000
_KINDS = np.array(["apartments", "house", "office", "retail", "school", "warehouse", "공장", "한옥"])
FRAME = Frame(CRS, undulation_m=23.3, undulation_source="declared for the benchmark")
FROM = Provenance(
    (Source("synthetic", "Synthetic houses of a benchmark", "Twintown", Licence("CC0-1.0", "CC0")),),
    (Step("drawn from seed 7", "benchmarks/api_data.py"),),
)
_TOML = f"""
[twin]
id = "bench"
names = {{ ko = "벤치마크(합성)", en = "Benchmark (synthetic)" }}
time_zone = "Asia/Seoul"
day = "2026-12-22"
[frame]
crs = "{CRS}"
vertical = "EPSG:5193"
[frame.geoid]
undulation_m = 23.3
source = "declared for the benchmark"
[bounds]
xmin = {WEST}
ymin = {SOUTH}
xmax = {EAST}
ymax = {NORTH}
[ground]
kind = "flat"
height_m = 15
assumed = true
note = {{ ko = "합성", en = "synthetic" }}
[home]
lon = 127.0
lat = 37.5
heading_deg = 0
pitch_deg = -30
range_m = 900
"""


def extent(count: int) -> tuple[float, float, float, float]:
    """Where so many houses stand, metres: about Seoul up to a million, and for more a country as dense as the smallest layer."""
    if count <= 1_000_000:
        return WEST, SOUTH, EAST, NORTH
    times = np.sqrt(count / 100_000)
    x, y, w, h = (
        (WEST + EAST) / 2,
        (SOUTH + NORTH) / 2,
        (EAST - WEST) / 2 * times,
        (NORTH - SOUTH) / 2 * times,
    )
    return float(x - w), float(y - h), float(x + w), float(y + h)


def centres(count: int) -> NDArray[np.float64]:
    """float64[count, 2]: eastings and northings (m) along a Hilbert curve."""
    rng = np.random.default_rng(7)
    west, south, east, north = extent(count)
    xy = rng.uniform((west + 20, south + 20), (east - 20, north - 20), (count, 2))
    points = gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]))
    return xy[np.argsort(points.hilbert_distance(), kind="stable")]


def tables(xy: NDArray[np.float64]) -> Iterator[gpd.GeoDataFrame]:
    """The houses around these centres, in pieces of `CHUNK` rows."""
    rng = np.random.default_rng(8)
    for start in range(0, len(xy), CHUNK):
        part = xy[start : start + CHUNK]
        n = len(part)
        half, angle = rng.uniform(3, 12, (n, 2)), rng.uniform(0, np.pi / 2, n)
        corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], float)
        local = half[:, None, :] * corner[None]
        c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
        ring = (
            np.stack([local[..., 0] * c - local[..., 1] * s, local[..., 0] * s + local[..., 1] * c], -1)
            + part[:, None]
        )
        number = np.arange(start, start + n)
        levels = rng.integers(1, 25, n)
        ids = pd.Series(number).astype(str)
        yield gpd.GeoDataFrame(
            {
                "id": ("h" + ids).to_numpy(),  # tipg breaks on a slash
                "name": ("집 " + ids).to_numpy(),
                "kind": _KINDS[rng.integers(0, len(_KINDS), n)],
                "height_m": np.round(levels * 3 + rng.uniform(0, 3, n), 1),
                "levels": levels.astype(np.int64),
                "year": rng.integers(1950, 2025, n).astype(np.int64),
            },
            geometry=shapely.polygons(ring),
            crs=CRS,
        )  # fmt: skip


def make_twin(directory: Path, layers: dict[str, int]) -> None:
    """A twin with a synthetic layer of so many rows under each name, written in pieces."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "twintown.toml").write_text(_TOML, encoding="utf-8")
    twin = Twin.open(directory, read_only=False)
    for layer, count in layers.items():
        xy = centres(count)
        sample = Features(next(tables(xy[:1000])), FRAME, FROM, {"height_m": "m", "levels": "{storey}"})
        staged = twin.stage(layer, sample, Grade.O)
        row = dataclasses.replace(
            twin.tables.layer(layer, staged.version), version=new_version(), count=count
        )
        west, south, east, north = extent(count)
        low, high = FRAME.to_lonlat(*np.array([[west, east, west, east], [south, south, north, north]]))
        row = dataclasses.replace(
            row, path=f"layers/{layer}/{row.version}", digest=f"sha256:{row.version}", built_at=datetime.now(UTC),
            bbox=(float(low.min()), float(high.min()), float(low.max()), float(high.max())),
        )  # fmt: skip
        file = directory / row.path / "data.parquet"
        file.parent.mkdir(parents=True)
        _write(file, sample, xy, (west, south, east, north))
        twin.tables.add_layer(row)
        twin.tables.switch({layer: row.version})


def _write(
    file: Path, sample: Features, xy: NDArray[np.float64], within: tuple[float, float, float, float]
) -> None:
    """GeoParquet as `Features.to_parquet_bytes` writes it, but in pieces."""
    schema = pq.read_schema(pa.BufferReader(sample.to_parquet_bytes()))
    geo = orjson.loads(schema.metadata[b"geo"])
    geo["columns"]["geometry"]["bbox"] = list(within)
    schema = schema.with_metadata({**schema.metadata, b"geo": orjson.dumps(geo)})
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in tables(xy):
            boxes = shapely.bounds(table.geometry.to_numpy())
            columns = {
                name: pa.array(table[name]) for name in schema.names if name not in ("geometry", "bbox")
            }
            columns["geometry"] = pa.array(shapely.to_wkb(table.geometry.to_numpy()))
            columns["bbox"] = pa.StructArray.from_arrays(
                [pa.array(boxes[:, i]) for i in range(4)], names=["xmin", "ymin", "xmax", "ymax"]
            )
            arrays = [columns[name].cast(schema.field(name).type) for name in schema.names]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=16_384)


def write_copy(file: Path, xy: NDArray[np.float64]) -> None:
    """The same rows as tab-separated text for PostgreSQL's COPY; geometry as EWKB in CRS84 (SRID 4326)."""
    with file.open("w", encoding="utf-8", newline="") as out:
        for table in tables(xy):
            lonlat = shapely.set_srid(_lonlat(table.geometry.to_numpy()), 4326)
            table = pd.DataFrame(table.drop(columns="geometry"))
            table["geometry"] = shapely.to_wkb(lonlat, hex=True, include_srid=True)
            table.to_csv(out, sep="\t", header=False, index=False, quoting=csv.QUOTE_NONE)


def _lonlat(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(FRAME.to_lonlat(xy[:, 0], xy[:, 1]))

    return np.asarray(shapely.transform(geometry, project), object)


def boxes(xy: NDArray[np.float64], count: int, matching: int) -> list[tuple[float, float, float, float]]:
    """`count` boxes (degrees) of which each matches at least 100 rows, about `matching` of them."""
    lon, lat = FRAME.to_lonlat(*xy.T)
    order = np.argsort(lon)
    lon, lat = lon[order], lat[order]
    west, east, south, north = lon.min(), lon.max(), lat.min(), lat.max()
    share = np.sqrt(matching / len(xy))
    width, height = (east - west) * share * 1.05, (north - south) * share * 1.05
    rng = np.random.default_rng(9)
    found: list[tuple[float, float, float, float]] = []
    while len(found) < count:
        x = rng.uniform(west + width, east - 2 * width)
        y = rng.uniform(south + height, north - 2 * height)
        inside = slice(*np.searchsorted(lon, (x, x + width)))
        if int(((lat[inside] >= y) & (lat[inside] <= y + height)).sum()) >= 100:
            found.append((x, y, x + width, y + height))
    return found


def bbox_text(box: tuple[float, float, float, float]) -> str:
    """As a query parameter."""
    return ",".join(f"{side:.7f}" for side in box)


def cql2(box: tuple[float, float, float, float], intersects: str = "S_INTERSECTS") -> str:
    """An attribute and a hexagon inside the box, percent-encoded CQL2 text (pygeoapi reads the older ECQL: `INTERSECTS`)."""
    west, south, east, north = box
    turn = np.linspace(0, 2 * np.pi, 7)
    x, y = (
        (west + east) / 2 + (east - west) / 2 * np.cos(turn),
        (south + north) / 2 + (north - south) / 2 * np.sin(turn),
    )
    x[-1], y[-1] = x[0], y[0]
    ring = ",".join(f"{a:.7f} {b:.7f}" for a, b in zip(x, y, strict=True))
    return quote(f"height_m > 45 AND {intersects}(geometry,POLYGON(({ring})))", safe="")
