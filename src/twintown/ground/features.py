"""Features: a table of geometries with properties, kept as GeoParquet 1.1."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from .bounds import Bounds
from .errors import BadData, BadInput
from .frames import Frame
from .provenance import Provenance
from .units import check_unit

if TYPE_CHECKING:
    import geopandas as gpd

_KEY = b"twintown"
_ROW_GROUP = 16_384


@dataclass(frozen=True)
class Features:
    """Geometries with properties, one row each.

    Args:
        table: GeoDataFrame in `frame.crs` with a unique text column `id`; geometry may be null (a plain table).
        frame: where the coordinates are.
        units: UCUM code of each numeric column that has one.
        provenance: where it is from.

    Raises:
        BadInput: no `id`, repeated ids, another CRS than the frame's, or an unknown unit.
    """

    table: gpd.GeoDataFrame
    frame: Frame
    provenance: Provenance
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "id" not in self.table.columns:
            raise BadInput("features need an `id` column")
        if not self.table["id"].is_unique:
            twice = self.table["id"][self.table["id"].duplicated()].iloc[0]
            raise BadInput(f"features need unique ids; {twice!r} stands twice")
        if self.table.crs is None or self.table.crs != self.frame.crs:
            raise BadInput(
                f"features are in {self.table.crs}, their frame in {self.frame.crs}", remedy="reproject first"
            )
        for column, unit in self.units.items():
            check_unit(unit, column)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def bounds(self) -> Bounds | None:
        """Bounds in the frame (m); none where no row has a geometry with an extent."""
        xmin, ymin, xmax, ymax = (float(v) for v in self.table.total_bounds)
        if not np.isfinite([xmin, ymin, xmax, ymax]).all():
            return None
        return Bounds(xmin, ymin, max(xmax, xmin + 1e-3), max(ymax, ymin + 1e-3))

    def with_table(self, table: gpd.GeoDataFrame) -> Features:
        """The same frame, units and provenance around other rows."""
        return Features(
            table, self.frame, self.provenance, {c: u for c, u in self.units.items() if c in table.columns}
        )

    def to_parquet_bytes(self) -> bytes:
        """GeoParquet 1.1: WKB, bbox covering, rows in Hilbert order, zstd. The same table gives the same bytes."""
        table = self.table
        drawn = table.geometry.notna() & ~table.geometry.is_empty
        if drawn.any():
            order = np.full(len(table), np.iinfo(np.uint32).max, np.uint32)
            order[drawn.to_numpy()] = table.geometry[drawn].hilbert_distance().to_numpy()
            table = table.iloc[np.lexsort((table["id"].to_numpy(), order))].reset_index(drop=True)
        buffer = io.BytesIO()
        table.to_parquet(
            buffer, index=False, compression="zstd", schema_version="1.1.0",
            write_covering_bbox=bool(drawn.any()), row_group_size=_ROW_GROUP,
        )  # fmt: skip
        arrow = pq.read_table(pa.BufferReader(buffer.getbuffer()))
        arrow = arrow.cast(pa.schema([_plain(field) for field in arrow.schema], arrow.schema.metadata))
        meta = orjson.dumps(
            {
                "frame": self.frame.to_dict(),
                "units": dict(self.units),
                "provenance": self.provenance.to_dict(),
            },
            option=orjson.OPT_SORT_KEYS,
        )
        arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), _KEY: meta})
        out = io.BytesIO()
        pq.write_table(arrow, out, compression="zstd", row_group_size=_ROW_GROUP)
        return out.getvalue()

    @classmethod
    def from_parquet(
        cls, data: bytes | Path, columns: Sequence[str] | None = None, bbox: Bounds | None = None
    ) -> Features:
        """Read what `to_parquet_bytes` wrote; only some columns, only rows whose bbox meets `bbox` (m).

        Raises:
            BadData: not GeoParquet, or not written by us (no frame, units, provenance).
        """
        import geopandas as gpd  # a second and a half: a server that is asked for nothing yet does without

        where = str(data) if isinstance(data, Path) else "GeoParquet"
        source: Any = data if isinstance(data, Path) else io.BytesIO(data)
        try:
            raw = (
                pq.read_schema(data if isinstance(data, Path) else pa.BufferReader(data)).metadata or {}
            ).get(_KEY)
            if raw is None:
                raise BadData(
                    "the file does not carry its frame and provenance", where, "add it through a source"
                )
            wanted = None if columns is None else list(dict.fromkeys(["id", *columns, "geometry"]))
            table = gpd.read_parquet(source, columns=wanted, bbox=None if bbox is None else bbox.as_tuple())
        except (pa.ArrowException, ValueError, OSError) as error:
            raise BadData(
                f"cannot be read as GeoParquet ({str(error).splitlines()[0]})", where, "build the layer again"
            ) from error
        meta = orjson.loads(raw)
        units = {c: u for c, u in meta["units"].items() if c in table.columns}
        return cls(
            table.drop(columns="bbox", errors="ignore"),
            Frame(**meta["frame"]),
            Provenance.from_dict(meta["provenance"]),
            units,
        )


def _plain(field: pa.Field) -> pa.Field:
    """Texts in one type, whatever pandas kept them in."""
    return field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field
