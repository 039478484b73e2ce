"""GeoParquet against GeoPandas, DuckDB and our own reader of layers."""

from __future__ import annotations

import io
from pathlib import Path

import geopandas as gpd
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twintown.formats.format import FORMATS, Into
from twintown.ground.columns import Column
from twintown.ground.crs import CRS84
from twintown.ground.errors import BadData
from twintown.ground.features import Features
from twintown.ground.names import Name

from .conftest import COLUMNS, FRAME, FROM, X, Y, batch, same_shapes, shapes, table, told, write


def test_geopandas_reads_it_and_finds_by_its_covering(mixed: pa.RecordBatch) -> None:
    raw = write("parquet", told("GeometryCollection"), mixed, batch([f"POINT ({X + 900} {Y + 900})"]))
    back = gpd.read_parquet(io.BytesIO(raw))
    assert same_shapes(back.geometry.to_numpy()[:9], shapes(mixed), 0.0)
    assert back.crs == "EPSG:5186"
    near = gpd.read_parquet(io.BytesIO(raw), bbox=(X + 800, Y + 800, X + 1000, Y + 1000))
    assert len(near) == 1


def test_duckdb_reads_it_with_its_spatial_extension(tmp_path: Path, mixed: pa.RecordBatch) -> None:
    import duckdb
    import duckdb_extension_spatial

    file = tmp_path / "a.parquet"
    file.write_bytes(write("parquet", told("GeometryCollection"), mixed))
    (extension,) = Path(duckdb_extension_spatial.__file__).parent.rglob("spatial.duckdb_extension")
    base = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    base.execute(f"LOAD '{extension}'")
    kinds = base.execute(
        f"SELECT ST_GeometryType(geometry) FROM '{file}' WHERE geometry IS NOT NULL ORDER BY id"
    ).fetchall()
    assert [str(kind[0]) for kind in kinds][:2] == ["POINT", "MULTIPOINT"]
    (area,) = base.execute(
        f"SELECT sum(ST_Area(geometry)) FROM '{file}' WHERE ST_GeometryType(geometry) = 'POLYGON'"
    ).fetchone() or (0,)
    assert area == pytest.approx(8 + 40.5 - 2)


def test_our_own_reader_takes_it_with_frame_units_and_provenance(mixed: pa.RecordBatch) -> None:
    columns = tuple(Column(c.name, c.type, "m" if c.name == "height" else "", c.title) for c in COLUMNS)
    back = Features.from_parquet(write("parquet", told("GeometryCollection", columns=columns), mixed))
    assert back.frame == FRAME
    assert back.units == {"height": "m"}
    assert back.provenance == FROM
    assert same_shapes(back.table.geometry.to_numpy(), shapes(mixed), 0.0)


def test_degrees_are_crs84_and_a_column_called_bbox_stays() -> None:
    rows = batch([f"POINT ({X} {Y})"], bbox=pa.array(["mine"]))
    raw = write(
        "parquet",
        told(
            "Point",
            crs=CRS84,
            shapes=("Point",),
            columns=(*COLUMNS, Column("bbox", "string", "", Name("b", "b"))),
        ),
        rows,
    )
    meta = orjson.loads(pq.read_schema(io.BytesIO(raw)).metadata[b"geo"])
    column = meta["columns"]["geometry"]
    assert meta["version"] == "1.1.0"
    assert (column["crs"]["id"], column["geometry_types"]) == (
        {"authority": "OGC", "code": "CRS84"},
        ["Point"],
    )
    assert column["covering"]["bbox"]["xmin"] == ["_bbox", "xmin"]
    assert gpd.read_parquet(io.BytesIO(raw))["bbox"].tolist() == ["mine"]


def test_files_of_geopandas_are_read_whatever_their_encoding(mixed: pa.RecordBatch, into: Into) -> None:
    points = gpd.GeoDataFrame(
        {"beds": [1, 2], "tags": [["a"], None]},
        geometry=gpd.points_from_xy([127.1, 127.2], [37.5, 37.6]),
        crs="EPSG:4326",
    )
    for encoding in ("WKB", "geoarrow"):
        file = io.BytesIO()
        points.to_parquet(file, geometry_encoding=encoding)
        rows = table(FORMATS["parquet"].read(file.getvalue(), into))
        assert rows.column("id").to_pylist() == ["1", "2"]
        assert rows.column("tags").to_pylist() == ['["a"]', None]
        assert abs(shapes(rows)[0].x - 208_842.5) < 1
    unknown = io.BytesIO()
    points.set_crs(None, allow_override=True).to_parquet(unknown)
    with pytest.raises(BadData, match="CRS is not known"):
        FORMATS["parquet"].read(unknown.getvalue(), into)
    assert len(table(FORMATS["parquet"].read(unknown.getvalue(), Into(FRAME, crs="EPSG:4326")))) == 2


@pytest.mark.parametrize("keep", [4, 100, -1, -30])
def test_a_file_that_breaks_off_is_an_error(keep: int, mixed: pa.RecordBatch, into: Into) -> None:
    with pytest.raises(BadData, match="damaged or breaks off"):
        list(
            FORMATS["parquet"].read(write("parquet", told("GeometryCollection"), mixed)[:keep], into).batches
        )
