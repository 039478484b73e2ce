"""Rows of every kind of geometry and value, and what a writer is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import shapely
from shapely.geometry import box

from twintown.formats.format import FORMATS, Into, Read, Told
from twintown.ground.columns import Column
from twintown.ground.crs import crs_of
from twintown.ground.frames import Frame
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
METRES = crs_of("EPSG:5186")
FROM = Provenance(
    (
        Source(
            "osm", "OpenStreetMap", "mappers", Licence("ODbL-1.0", "Open Database License"), date="2024-11-01"
        ),
    )
)
X, Y = 208_500.0, 546_000.0
BENCH = Path(__file__).parents[3] / "shared" / "bench-data"
COLUMNS = tuple(
    Column(name, kind, "", Name(name, name))
    for name, kind in (
        ("name", "string"),
        ("height", "number"),
        ("levels", "integer"),
        ("ok", "boolean"),
        ("at", "datetime"),
    )
)
SHAPES = (
    f"POINT ({X} {Y})", None, f"MULTIPOINT (({X} {Y}), ({X + 3} {Y + 4}))", f"LINESTRING ({X} {Y}, {X + 1.5} {Y + 1.25})",
    f"MULTILINESTRING (({X} {Y}, {X + 1} {Y + 1}), ({X + 2} {Y + 2}, {X + 3} {Y + 3}, {X + 4} {Y + 4}))",
    f"POLYGON (({X} {Y}, {X + 4} {Y}, {X + 4} {Y + 4}, {X} {Y}))",
    f"POLYGON (({X} {Y}, {X + 9} {Y}, {X + 9} {Y + 9}, {X} {Y}), ({X + 4} {Y + 1}, {X + 6} {Y + 3}, {X + 6} {Y + 1}, {X + 4} {Y + 1}))",
    f"MULTIPOLYGON ((({X} {Y}, {X + 4} {Y}, {X + 4} {Y + 4}, {X} {Y})), (({X + 10} {Y}, {X + 14} {Y}, {X + 14} {Y + 4}, {X + 10} {Y})))",
    f"GEOMETRYCOLLECTION (POINT ({X} {Y}), POLYGON (({X} {Y}, {X + 4} {Y}, {X + 4} {Y + 4}, {X} {Y})), LINESTRING ({X} {Y}, {X + 1} {Y}))",
)  # fmt: skip


def batch(shapes: Sequence[Any], **columns: Any) -> pa.RecordBatch:
    """Rows with these geometries (shapely, or WKT) and values that are different in every row, some of them null."""
    n = len(shapes)
    made = [shapely.from_wkt(one) if isinstance(one, str) else one for one in shapes]
    names = [None, "", "롯데월드타워", '="a,b"', "a\nb"]
    values: dict[str, Any] = {
        "id": pa.array([f"way/{i}" for i in range(n)]),
        "name": pa.array([names[i % 5] for i in range(n)], pa.string()),
        "height": pa.array([None if i % 4 == 1 else i * 1.5 + 0.1 for i in range(n)], pa.float64()),
        "levels": pa.array([None if i % 3 == 2 else i - 1 for i in range(n)], pa.int64()),
        "ok": pa.array([None if i % 5 == 3 else i % 2 == 0 for i in range(n)], pa.bool_()),
        "at": pa.array([None if i % 4 == 2 else datetime(2024, 1, 2, 3, 4, i % 60, 500_000 * (i % 2), tzinfo=UTC) for i in range(n)],
                       pa.timestamp("ms", "UTC")),
        "geometry": pa.array(shapely.to_wkb(np.array(made, object)), pa.binary()),
    }  # fmt: skip
    values |= columns
    return pa.RecordBatch.from_arrays(list(values.values()), list(values))


def told(geometry: str, **more: Any) -> Told:
    """What is told of such rows; in metres unless said otherwise."""
    said: dict[str, Any] = {
        "crs": METRES,
        "columns": COLUMNS,
        "layer": "layer",
        "title": Name("층", "Layer"),
        **more,
    }
    return Told(geometry=geometry, frame=FRAME, provenance=FROM, **said)


def write(name: str, about: Told, *batches: pa.RecordBatch) -> bytes:
    """A whole file."""
    return b"".join(FORMATS[name].write(about, iter(batches)))


def table(read: Read) -> pa.Table:
    """All rows of what is read."""
    return pa.Table.from_batches(read.batches)


def shapes(rows: pa.Table | pa.RecordBatch) -> np.ndarray[Any, Any]:
    """Their geometries."""
    column = rows.column("geometry")
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.asarray(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))


def same_shapes(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], tolerance: float) -> bool:
    """Whether they are the same, with the rings turned and begun as they like; multi ones of one are single ones."""

    def even(geometry: Any) -> Any:
        if geometry is None or geometry.is_empty:
            return None
        parts = shapely.get_parts(geometry)
        return shapely.normalize(
            parts[0] if len(parts) == 1 and geometry.geom_type.startswith("Multi") else geometry
        )

    return all(
        (a is None and b is None)
        or (a is not None and b is not None and shapely.equals_exact(a, b, tolerance))
        for a, b in zip(map(even, one), map(even, other), strict=True)
    )


@pytest.fixture
def mixed() -> pa.RecordBatch:
    """A row of every type of geometry."""
    return batch(SHAPES)


@pytest.fixture
def into() -> Into:
    """Readers give rows in the frame."""
    return Into(FRAME, ground_m=15.0)


def parts_table() -> pa.Table:
    """A podium with a tower on it, a house with a gabled roof and a courtyard, a canopy in the air."""
    two = shapely.MultiPolygon([box(X, Y + 50, X + 5, Y + 55), box(X + 9, Y + 50, X + 12, Y + 55)])
    rows = [
        ("way/11", "relation/1", 0.0, 50.0, 50.0, "flat", box(X, Y, X + 30, Y + 30)),
        ("way/12", "relation/1", 50.0, 100.0, 100.0, "flat", box(X + 5, Y + 5, X + 25, Y + 25)),
        ("way/2", "way/2", 0.0, 4.0, 6.5, "gabled", box(X + 60, Y, X + 70, Y + 8).difference(box(X + 64, Y + 2, X + 66, Y + 5))),
        ("way/31", "way/3", 3.0, 4.0, 4.0, "flat", two),
    ]  # fmt: skip
    names = ["id", "building", "base_m", "eave_m", "top_m", "roof_shape", "geometry"]
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    columns[-1] = shapely.to_wkb(np.array(columns[-1], object)).tolist()
    return pa.table(dict(zip(names, columns, strict=True)))


def buildings() -> pa.RecordBatch:
    """The buildings of these parts, and one without any."""
    outlines = [
        box(X, Y, X + 30, Y + 30),
        box(X + 60, Y, X + 70, Y + 8),
        box(X, Y + 50, X + 12, Y + 55),
        box(X + 80, Y, X + 90, Y + 9),
    ]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(["relation/1", "way/2", "way/3", "way/4"]), pa.array(["롯데월드타워", "", "", None]),
            pa.array([100.0, 6.5, 4.0, 12.0]), pa.array([30.0, None, 1.0, 4.0]), pa.array(["measured", "estimated", "levels", "levels"]),
            pa.array(shapely.to_wkb(np.array(outlines, object)).tolist(), pa.binary()),
        ],
        ["id", "name", "height_m", "levels", "height_source", "geometry"],
    )  # fmt: skip


def city_told(**more: Any) -> Told:
    """What is told of them; the ground is 15 m above the datum."""
    columns = tuple(
        Column(name, kind, unit, Name(name, name))
        for name, kind, unit in (
            ("name", "string", ""), ("height_m", "number", "m"), ("levels", "number", ""), ("height_source", "string", ""),
        )
    )  # fmt: skip

    def parts(ids: Sequence[str]) -> pa.Table:
        known = parts_table()
        return known.filter(pc.is_in(known.column("building"), value_set=pa.array(ids)))

    return told("Polygon", layer="buildings", columns=columns, ground_m=15.0, parts=parts, **more)


@pytest.fixture
def counted() -> Callable[[int, int], tuple[Iterator[pa.RecordBatch], list[int]]]:
    """`n` batches of `size` points, and a list that grows while they are taken."""

    def make(n: int, size: int) -> tuple[Iterator[pa.RecordBatch], list[int]]:
        taken: list[int] = []

        def batches() -> Iterator[pa.RecordBatch]:
            for k in range(n):
                taken.append(k)
                points = shapely.points(np.arange(size) * 0.01 + X, np.full(size, Y + k))
                yield batch(points, id=pa.array([f"{k}/{i}" for i in range(size)]))

        return batches(), taken

    return make
